"""A round in one row: its counts, what its held-out domains say, and whether it drifts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from corpus.classify import MODEL
from corpus.held_out import HeldOut
from corpus.schema import RELIABILITY, ROUND
from corpus.stages import file_digest
from corpus.tables import duck, read_rows, sql_list, write_rows
from corpus.weighing import posterior_of_documents
from corpus.workspace import Workspace

MAX_EXPANDED = 0.5  # pages that joined the seed without having been collected, for each that was


def write_summary(
    workspace: Workspace, number: int, directory: Path, expanded: Mapping[str, Any], evidence: bool, outside: bool
) -> None:
    """Write round.parquet (schema.ROUND), from the counts of the round's stages and the model's held-out scores;
    with evidence, reliability.parquet (schema.RELIABILITY) too.

    expanded: counts of the stage that this is written in. outside: negatives are given, and no pages of the pool.
    """

    def counts(name: str) -> Mapping[str, Any]:
        manifest = workspace.manifest(workspace.round(number, name))
        assert manifest is not None
        return manifest.counts

    recalled, seed = counts("recalled"), counts("seed")
    held_out = held_out_of(workspace, number, counts("evidence")["prevalence"] if evidence else None, outside)
    estimated: dict[str, float | None] = {}
    if evidence:
        write_rows(directory / "reliability.parquet", held_out.reliability(), RELIABILITY)
        estimated = {
            "estimated_precision": recalled["likely"] / recalled["n_collected"],
            "estimated_recall": min(1.0, recalled["likely"] / counts("evidence")["n_sought"]),
            "prevalence": counts("evidence")["prevalence"],
            "contamination": contamination(workspace, number, directory),
        }
    row = {
        "round": number,
        "n_seed": seed["n_positives"],
        "n_negatives": seed["n_negatives"],
        **held_out.measures(recalled["cut_score"]),
        "n_math_domains": counts("domains")["n_math_domains"],
        "model_digest": file_digest(workspace.path(workspace.round(number, "model")) / MODEL),
        **{name: recalled[name] for name in ROUND.names if name in recalled},
        "n_accepted": expanded["n_accepted"],
        "n_expanded": expanded["n_expanded"],
        "n_withdrawn": expanded["n_withdrawn"],
        **estimated,
    }
    row["drift"] = drift(row, row_of(workspace, number - 1), seed["n_expanded"]) if number > 1 else None
    write_rows(directory / "round.parquet", [row], ROUND)


def row_of(workspace: Workspace, number: int) -> dict[str, Any]:
    """The row (schema.ROUND) of a round that is done."""
    return next(read_rows(workspace.path(workspace.round(number, "expanded")) / "round.parquet"))


def contamination(workspace: Workspace, number: int, directory: Path) -> float | None:
    """Mean posterior of the pool pages that a round was trained on as negatives; None where there are none.

    directory: for what DuckDB spills.
    """
    negatives = workspace.path(workspace.round(number, "seed")) / "negatives.parquet"
    weighed = workspace.path(workspace.round(number, "evidence")) / "evidence.parquet"
    with duck(directory) as connection:
        found: list[tuple[float | None]] = connection.execute(
            f"""SELECT sum(coalesce(posterior, 0)::DECIMAL(13, 12))::DOUBLE / count(*)
                FROM read_parquet({sql_list([negatives])}) JOIN read_parquet({sql_list([weighed])}) ON page_id = doc_id
                WHERE source = 'pool' AND NOT held_out"""
        ).fetchall()
    return found[0][0]


def held_out_of(workspace: Workspace, number: int, share: float | None, outside: bool) -> HeldOut:
    """The held-out documents of a round's model, ranked as its pages are, their place left out."""
    table = pq.read_table(workspace.path(workspace.round(number, "model")) / "held_out.parquet")
    numbers = {name: table[name].to_numpy().astype(np.float64) for name in ("n_formulas", "n_commands", "score")}
    return HeldOut(
        positive=table["positive"].to_numpy(),
        value=numbers["score"] if share is None else posterior_of_documents(workspace, number, **numbers),
        domain=np.unique(np.array(table["domain"].to_pylist(), object), return_inverse=True)[1],
        share=share,
        outside=outside,
    )


def drift(row: Mapping[str, Any], before: Mapping[str, Any], n_joined: int) -> str | None:
    """Why a round seems to leave its subject, or None.

    Its held-out precision lies below that of the round before, by intervals that do not meet (the value itself
    where there is none); or its seed holds more pages of accepted prefixes, n_joined, than half of what the round
    before collected.
    """
    was, now = before["held_out_precision"], row["held_out_precision"]
    low, high = before["held_out_precision_low"], row["held_out_precision_high"]
    if None not in (was, now) and (now if high is None else high) < (was if low is None else low):
        return f"held-out precision fell from {was:.2f} to {now:.2f}, by more than its interval"
    if n_joined > MAX_EXPANDED * before["n_collected"]:
        return f"its seed took in {n_joined:,} uncollected pages of prefixes; {before['n_collected']:,} were collected"
    return None
