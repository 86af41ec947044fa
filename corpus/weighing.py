"""The stages of the evidence: marks of seed and pool, once for all rounds; what a round's score adds to them."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import xxhash

from corpus.errors import InputError
from corpus.evidence import WORDS_WEIGHT, Counted, Floats, Marks, Words, learn_marks, posterior, weigh
from corpus.schema import EVIDENCE, MARKS
from corpus.stages import parts
from corpus.tables import ROWS_PER_GROUP, duck, read_rows, sql_list, write_rows, write_table
from corpus.urls import prefixes
from corpus.workspace import Workspace

PLACED = pa.schema(
    [
        ("page_id", pa.string()),
        ("n_formulas", pa.int32()),
        ("n_commands", pa.int32()),
        ("score", pa.float64()),
        ("place", pa.uint64()),
    ]
)
MIN_MARKED = 0.25  # share of the seed's documents; below it the absence of formulas would be what is learnt


def marks_of(workspace: Workspace) -> Marks:
    """What stage marks learnt."""
    row = next(read_rows(workspace.path("marks") / "marks.parquet"))
    return Marks(**{name: row[name] for name in ("formulas", "commands", "bias", "prevalence")})


def learn(workspace: Workspace, directory: Path) -> dict[str, Any]:
    """Stage marks: marks.parquet, one row (schema.MARKS). Documents of equal marks are counted, so any pool fits.

    A seed document whose page is in the pool has the pool's marks.

    Raises InputError where less than MIN_MARKED of the seed has formulas or TeX commands.
    """
    seed_file = workspace.path("seed") / "positives.parquet"
    with duck(directory) as connection:
        pool = _counted(connection, workspace.pages())
        seed = _counted(
            connection,
            f"""(SELECT coalesce(p.n_formulas, s.n_formulas) AS n_formulas,
                        coalesce(p.n_commands, s.n_commands) AS n_commands
                 FROM read_parquet({sql_list([seed_file])}) s
                 LEFT JOIN {workspace.pages()} p ON p.page_id = s.doc_id)""",
        )
    n_seed = float(seed.n_documents.sum())
    marked = float(seed.n_documents[(seed.n_formulas > 0) | (seed.n_commands > 0)].sum()) / n_seed
    if marked < MIN_MARKED:
        raise InputError(
            f"{marked:.0%} of the seed's {n_seed:.0f} documents hold formulas, so these tell nothing of what it shows. "
            f"Write evidence = false into [scoring] of {workspace.settings_path}, and a budget into [recall]."
        )
    row = {**asdict(learn_marks(seed, pool)), "n_seed": int(n_seed), "n_pool": int(pool.n_documents.sum())}
    write_rows(directory / "marks.parquet", [row], MARKS)
    return row


def _counted(connection: duckdb.DuckDBPyConnection, table: str) -> Counted:
    columns = connection.sql(
        f"SELECT n_formulas, n_commands, count(*) AS n_documents FROM {table} GROUP BY ALL ORDER BY ALL"
    ).fetchnumpy()
    return Counted(*(np.asarray(columns[name], np.float64) for name in ("n_formulas", "n_commands", "n_documents")))


def by_marks(workspace: Workspace) -> str:
    """Condition in SQL over pages: more likely than not what the seed shows, by the marks alone."""
    marks = marks_of(workspace)
    least = float(np.log((1 - marks.prevalence) / marks.prevalence))
    ratio = f"{marks.formulas} * ln(1 + n_formulas) + {marks.commands} * ln(1 + n_commands) + {marks.bias}"
    return f"{ratio} >= {least}"


def weigh_round(workspace: Workspace, number: int, directory: Path) -> dict[str, Any]:
    """Write evidence.parquet (schema.EVIDENCE), by page_id, from the round's scores.

    All pages are held in memory, as arrays and never as objects: some 400 bytes a page.
    Returns counts: n_pages, prevalence, n_sought (see evidence.weigh), slope, offset (of the words).
    """
    scores = parts(workspace.path(workspace.round(number, "scores")))
    with duck(directory) as connection:
        batches = connection.sql(
            f"""SELECT page_id, url, n_formulas, n_commands, score::DOUBLE AS score
                FROM read_parquet({sql_list(scores)}) JOIN {workspace.pages()} USING (page_id) ORDER BY page_id"""
        ).to_arrow_reader(ROWS_PER_GROUP)
        pages = pa.Table.from_batches(map(_placed, batches), PLACED)
    n_formulas, n_commands, score = (
        pages[name].to_numpy().astype(np.float64) for name in ("n_formulas", "n_commands", "score")
    )
    marks = marks_of(workspace).ratio(n_formulas, n_commands)
    found = weigh(marks, score, pages["place"].to_numpy())
    columns = (marks, found.word_ratio, found.place_ratio, found.posterior)
    table = pa.table([pages["page_id"], *(pa.array(each, from_pandas=True) for each in columns)], EVIDENCE.names)
    write_table(directory / "evidence.parquet", table, EVIDENCE)
    told = {"prevalence": found.prevalence, "n_sought": found.n_sought}
    return {"n_pages": len(pages), **told, **asdict(found.words)}


def _placed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Pages with their place, a number for host and first directory, instead of their URL."""
    places = [xxhash.xxh3_64_intdigest(prefixes(url, 1)[-1]) for url in batch["url"].to_pylist()]
    return batch.drop_columns(["url"]).append_column("place", pa.array(places, pa.uint64())).cast(PLACED)


def posterior_of_documents(
    workspace: Workspace, number: int, n_formulas: Floats, n_commands: Floats, score: Floats
) -> Floats:
    """Posterior of documents that stand nowhere in the pool: their marks and words in the light of a round."""
    manifest = workspace.manifest(workspace.round(number, "evidence"))
    assert manifest is not None
    words = Words(manifest.counts["slope"], manifest.counts["offset"])
    ratio = marks_of(workspace).ratio(n_formulas, n_commands) + WORDS_WEIGHT * words.ratio(score)
    return posterior(ratio, manifest.counts["prevalence"])
