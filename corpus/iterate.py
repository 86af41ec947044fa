"""The loop: seed, train, score, recall, domains, expand; and when to stop.

    marks                what formulas say of a page (with scoring.evidence, as is rounds/NN/evidence)
    rounds/NN/seed       positives and negatives drawn for the round
              model      model.bin and its scores on held-out domains
              scores     a score for every page of the pool
              evidence   the score, formulas and place together: a probability
              recalled   the best pages, up to the budget
              domains    math domains and URL prefixes
              expanded   what was decided of the prefixes; pages that join the next seed

Source: DeepSeekMath (arXiv 2402.03300), section 2.1.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from corpus import domains
from corpus.classify import MODEL, train
from corpus.config import Settings
from corpus.errors import AnnotationWanted, InputError
from corpus.metrics import precision_and_recall
from corpus.recall import recall
from corpus.schema import ROUND
from corpus.seeds import IN_FOLDERS, draw, gather
from corpus.sources import stamps
from corpus.stages import file_digest
from corpus.tables import read_rows, write_rows
from corpus.weighing import learn, posterior_of_documents, weigh_round
from corpus.workspace import Workspace

# Brings rounds/NN/scores up to date, wherever the work is done: pipelines/score.py.
ScoreRound = Callable[[Workspace, Settings, int], None]


def iterate(workspace: Workspace, settings: Settings, n_rounds: int, score: ScoreRound) -> list[dict[str, Any]]:
    """Bring rounds 1 to n_rounds up to date; the pool must be. Returns their rows (schema.ROUND).

    Ends early, with fewer rows than n_rounds, when the stop rule holds (see `has_converged`).
    Raises AnnotationWanted where a round waits for a person.
    """
    gather_seed(workspace, settings)
    if settings.scoring.evidence:
        workspace.run("marks", lambda d: learn(workspace, d), settings={}, inputs=["pool/parts", "pool/unique", "seed"])
    rows: list[dict[str, Any]] = []
    for number in range(1, n_rounds + 1):
        rows.append(run_round(workspace, settings, number, score))
        if has_converged(rows[-1], settings.stop.already_collected):
            break
    return rows


def has_converged(row: Mapping[str, Any], already_collected: float) -> bool:
    """The round before had collected this share already, by pages and by tokens alike."""
    shares = (row["already_pages"], row["already_tokens"])
    return all(share is not None and share >= already_collected for share in shares)


def gather_seed(workspace: Workspace, settings: Settings) -> None:
    """Stage seed: the documents that a person gave, read once for all rounds."""
    if not settings.seed.paths:
        raise InputError(
            f"{workspace.settings_path}: seed.paths is empty. Name JSONL, Parquet or WARC files of pages "
            "of the kind you want to find."
        )

    def build(directory: Path) -> dict[str, Any]:
        counts = {"positives": gather(settings.seed.paths, directory / "positives.parquet", settings)}
        if settings.negatives.paths:
            counts["negatives"] = gather(settings.negatives.paths, directory / "negatives.parquet", settings)
        return counts

    workspace.run(
        "seed",
        build,
        settings={
            "max_chars": settings.classifier.max_chars,
            "pages": settings.pool.model_dump(exclude={"warcs", "crawl"}),
        },
        files=stamps(settings.seed.paths, workspace.root, IN_FOLDERS)
        | stamps(settings.negatives.paths, workspace.root, IN_FOLDERS, role="negative "),
    )


def run_round(workspace: Workspace, settings: Settings, number: int, score: ScoreRound) -> dict[str, Any]:
    """Bring one round up to date, the ones before it must be; returns its row (schema.ROUND)."""

    def stage(name: str, of: int = number) -> str:
        return workspace.round(of, name)

    earlier = range(1, number)
    evidence = settings.scoring.evidence
    persons_before = persons_of(workspace, number - 1)
    workspace.run(
        stage("seed"),
        lambda directory: draw(workspace, number, settings, directory, persons_before),
        settings={
            "persons": sorted(persons_before.items()),
            "max_docs": settings.seed.max_docs,
            "max_chars": settings.classifier.max_chars,
            "held_out": settings.classifier.held_out,
            "random_seed": settings.classifier.random_seed,
            "per_positive": settings.negatives.per_positive,
            "outside_negatives": bool(settings.negatives.paths),
            "exclude_collected": settings.negatives.exclude_collected,
            "evidence": evidence,
        },
        inputs=[
            *("pool/parts", "pool/unique", "seed"),
            *(stage("expanded", n) for n in earlier),
            *([stage("evidence", number - 1) if number > 1 else "marks"] if evidence else []),
        ],
    )
    seed = workspace.path(stage("seed"))
    workspace.run(
        stage("model"),
        lambda directory: train(seed / "positives.parquet", seed / "negatives.parquet", directory, settings.classifier),
        settings=settings.classifier.model_dump(exclude={"max_chars", "held_out"}),
        inputs=[stage("seed")],
    )
    score(workspace, settings, number)
    if evidence:
        workspace.run(
            stage("evidence"),
            lambda directory: weigh_round(workspace, number, directory),
            settings={},
            inputs=["pool/parts", "pool/unique", "marks", stage("scores")],
        )
    workspace.run(
        stage("recalled"),
        lambda directory: recall(workspace, number, directory, settings.recall, evidence),
        settings={
            "keep_share": settings.recall.keep_share,
            "min_score": settings.recall.min_score,
            "keep_tokens": settings.recall.budget(number),
            "precision": settings.recall.precision,
        },
        inputs=[
            *("pool/parts", "pool/unique", stage("scores")),
            *([stage("evidence")] if evidence else []),
            *(stage("recalled", n) for n in earlier),
        ],
    )
    workspace.run(
        stage("domains"),
        lambda directory: domains.collected_shares(workspace, number, directory, settings.domains),
        settings=settings.domains.model_dump(exclude={"annotate"}),
        inputs=["pool/parts", "pool/unique", stage("recalled")],
    )
    persons = annotate(workspace, settings, number)
    manual = settings.domains.annotate == "manual"

    def expand(directory: Path) -> dict[str, Any]:
        counts = domains.expand_round(workspace, number, directory, persons, manual)
        if counts["unmatched"]:
            path, prefixes = workspace.annotations(number), ", ".join(counts["unmatched"])
            workspace.notice(f"{path}: no page of the pool is under {prefixes}")
        row = summary(workspace, number, counts, evidence)
        write_rows(directory / "round.parquet", [row], ROUND)
        return counts

    workspace.run(
        stage("expanded"),
        expand,
        settings={"manual": manual, "persons": sorted(persons.items())},
        inputs=["pool/parts", "pool/unique", stage("seed"), stage("model"), stage("recalled"), stage("domains")],
    )
    return next(read_rows(workspace.path(stage("expanded")) / "round.parquet"))


def persons_of(workspace: Workspace, last: int) -> dict[str, str]:
    """What a person decided by name in the annotations of rounds 1 to `last`: prefix -> accept, reject or auto."""
    decided: dict[str, str] = {}
    for number in range(1, last + 1):
        decided = domains.decisions_of(domains.read_annotations(workspace.annotations(number)), (), decided)
    return decided


def annotate(workspace: Workspace, settings: Settings, number: int) -> dict[str, str]:
    """Write the round's annotations.csv and return a person's decision of each prefix (see domains.py).

    Raises AnnotationWanted, in manual mode, while a proposed prefix is undecided.
    """
    path = workspace.annotations(number)
    proposed = list(read_rows(workspace.path(workspace.round(number, "domains")) / "prefixes.parquet"))
    earlier = persons_of(workspace, number - 1)
    if not workspace.frozen:
        domains.write_annotations(path, proposed, earlier)
    names = [row["prefix"] for row in proposed]
    persons = domains.decisions_of(domains.read_annotations(path), names, earlier)
    undecided = [name for name in names if name not in persons]
    if undecided and settings.domains.annotate == "manual":
        raise AnnotationWanted(
            f"Round {number} waits for a person: {len(undecided)} of {len(names)} URL prefixes are undecided.\n"
            f"  1. Open {path}\n"
            f"  2. Write accept, reject or auto into the column decision; "
            f"the line {domains.EVERY_BLANK} answers for all that stay blank.\n"
            f"  3. Type the same command again, such as: corpus iterate {number} -w {workspace.quoted}"
        )
    return persons


def summary(workspace: Workspace, number: int, expanded: Mapping[str, Any], evidence: bool) -> dict[str, Any]:
    """A round in one row (schema.ROUND), from the counts of its stages and the model's held-out scores."""

    def counts(name: str) -> Mapping[str, Any]:
        manifest = workspace.manifest(workspace.round(number, name))
        assert manifest is not None
        return manifest.counts

    model = workspace.path(workspace.round(number, "model"))
    recalled = counts("recalled")
    table = pq.read_table(model / "held_out.parquet").drop_columns("doc_id")
    held_out = {name: table[name].to_numpy().astype(np.float64) for name in table.column_names}
    positive, value = held_out.pop("positive") > 0, held_out["score"]
    estimated: dict[str, float] = {}
    if evidence:
        value = posterior_of_documents(workspace, number, **held_out)
        estimated = {
            "estimated_precision": recalled["likely"] / recalled["n_collected"],
            "estimated_recall": min(1.0, recalled["likely"] / counts("evidence")["n_sought"]),
        }
    precision, recall_ = precision_and_recall(positive, np.nan_to_num(value, nan=-1.0) >= recalled["cut_score"])
    return {
        "round": number,
        "n_seed": counts("seed")["n_positives"],
        "n_negatives": counts("seed")["n_negatives"],
        "held_out_ap": counts("model")["held_out_ap"],
        "held_out_precision": precision,
        "held_out_recall": recall_,
        "n_math_domains": counts("domains")["n_math_domains"],
        "model_digest": file_digest(model / MODEL),
        **{name: recalled[name] for name in ROUND.names if name in recalled},
        "n_accepted": expanded["n_accepted"],
        "n_expanded": expanded["n_expanded"],
        **estimated,
    }
