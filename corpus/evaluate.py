"""How much of the mathematics was found: the rounds and the corpus against labelled URLs.

A held-out score says how well a model knows its own seed. Only labels of the pool's own
pages say what a round found and what it missed.

A labelled page that dedup removed counts through the page that was kept in its place. Two
labelled pages with one kept page count twice: precision and recall are over pages as they
were labelled, so that they do not move when dedup is set otherwise. What was collected and
then lost (failed extraction, contaminated) is not in the corpus.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from corpus.errors import InputError, WorkspaceError
from corpus.metrics import Bin, Flags, average_precision, precision_and_recall, precision_at_recall, reliability
from corpus.query import connect
from corpus.urls import canonical_url, page_id
from corpus.workspace import Workspace

RECALL = 0.85
CLASSES = ("math", "not_math", "borderline")
Columns = dict[str, np.ndarray[Any, Any]]  # one entry a labelled page, by page_id

# Who stands for a page: itself where it was kept, else the end of a chain of kept_id. UNION drops
# rows that were seen before, so a chain that runs in a circle ends.
STANDS = """
CREATE TEMP TABLE {name} AS
WITH RECURSIVE chain(page_id, kept_id) AS (
    SELECT page_id, start_id FROM ({start})
    UNION
    SELECT chain.page_id, removed.kept_id
    FROM chain JOIN removed ON removed.page_id = chain.kept_id
    WHERE removed.stage = '{stage}'
)
SELECT page_id, arg_min(kept_id, (kept_id <> page_id, kept_id)) AS kept_id
FROM chain WHERE kept_id IN (SELECT page_id FROM {kept})
GROUP BY page_id
"""
MEASURED = """
SELECT
    labelled.positive,
    labelled.gold,
    stands.kept_id IS NOT NULL AS in_pool,
    in_corpus.kept_id IS NOT NULL AS in_corpus
FROM labelled LEFT JOIN stands USING (page_id) LEFT JOIN in_corpus USING (page_id)
ORDER BY labelled.page_id
"""
# A page is ranked by its posterior where there is one, else by its score. Both are in [0, 1]: -1 ranks a page
# without one last.
ROUND = """
SELECT coalesce(evidence.posterior, scores.score, -1)::DOUBLE AS score, recalled.page_id IS NOT NULL AS collected
FROM labelled
LEFT JOIN stands USING (page_id)
LEFT JOIN (SELECT * FROM scores WHERE round = $round) AS scores ON scores.page_id = stands.kept_id
LEFT JOIN (SELECT * FROM evidence WHERE round = $round) AS evidence ON evidence.page_id = stands.kept_id
LEFT JOIN (SELECT * FROM recalled WHERE round = $round) AS recalled ON recalled.page_id = stands.kept_id
ORDER BY labelled.page_id
"""


@dataclass(frozen=True)
class Labels:
    """What the label files hold. n_pages = n_math + n_not_math + n_borderline + n_other + n_conflicting."""

    n_lines: int
    n_invalid_urls: int  # lines whose URL is none: left out
    n_pages: int  # different pages, by canonical URL
    n_math: int
    n_not_math: int
    n_borderline: int  # left out
    n_other: int  # another label: left out
    n_conflicting: int  # labelled twice, differently: left out


@dataclass(frozen=True)
class Measured:
    """The labelled pages that numbers are over."""

    n_math: int
    n_not_math: int
    n_math_in_pool: int
    n_not_math_in_pool: int


@dataclass(frozen=True)
class Found:
    """A selection of pages against the labels; a share is None where it would be 0 / 0."""

    n_true: int  # math, selected
    n_false: int  # not_math, selected
    n_missed: int  # math, in the pool, not selected
    precision: float | None
    recall: float | None  # of the math pages of the pool
    recall_of_all: float | None  # of all math pages, in the pool or not


@dataclass(frozen=True)
class Round(Found):
    """What a round collected, and how well its scores rank the labelled pages of the pool."""

    round: int
    average_precision: float | None  # a page without a score ranks last; tied scores are one step
    precision_at_recall: float | None  # the best precision of a cut that finds RECALL of the math pages
    reliability: tuple[Bin, ...]  # of what pages are ranked by


@dataclass(frozen=True)
class Result:
    labels: Measured
    rounds: tuple[Round, ...]
    corpus: Found | None  # None where there is no corpus yet


@dataclass(frozen=True)
class Evaluation:
    labels: Labels
    all: Result
    gold: Result | None  # over the labels marked gold; None where none is

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def evaluate(workspace: Workspace, label_files: Sequence[Path]) -> Evaluation:
    """Measure every round that has collected, and the corpus where there is one.

    label_files: JSONL with `url`, `label` (math, not_math, borderline) and optionally `gold` (true
        or false). A page that several lines label alike is gold if one of them is.

    Raises InputError naming file and line of what is no label, WorkspaceError where no round has
    collected anything yet.
    """
    labels, table = _read_labels(label_files)
    with connect(workspace) as connection:
        stages = {row[0] for row in connection.execute("SELECT stage FROM stages").fetchall()}
        recalled = [stage for stage in stages if stage.endswith("/recalled") and workspace.is_current(stage)]
        numbers = sorted(int(stage.split("/")[1]) for stage in recalled)
        if not numbers:
            raise WorkspaceError(
                f"{workspace.root}: no round has collected pages yet. Type: corpus iterate 1 -w {workspace.quoted}"
            )
        connection.register("labelled", table)
        in_pool = "SELECT page_id, page_id AS start_id FROM labelled"
        connection.execute(STANDS.format(name="stands", start=in_pool, stage="pool", kept="pages"))
        kept = "SELECT page_id, kept_id AS start_id FROM stands"
        connection.execute(STANDS.format(name="in_corpus", start=kept, stage="finish", kept="corpus"))
        columns = _columns(connection, MEASURED)
        rounds = {number: _columns(connection, ROUND, number) for number in numbers}
    everything = np.ones(table.num_rows, dtype=np.bool_)
    has_corpus = "corpus" in stages
    return Evaluation(
        labels=labels,
        all=_result(everything, columns, rounds, has_corpus),
        gold=_result(columns["gold"], columns, rounds, has_corpus) if columns["gold"].any() else None,
    )


def _columns(connection: duckdb.DuckDBPyConnection, sql: str, number: int | None = None) -> Columns:
    table = connection.sql(sql, params=None if number is None else {"round": number}).to_arrow_table()
    return {name: table[name].to_numpy() for name in table.column_names}


def _result(chosen: Flags, columns: Columns, rounds: dict[int, Columns], has_corpus: bool) -> Result:
    """Numbers over the chosen labels."""
    positive, in_pool, in_corpus = (columns[name][chosen] for name in ("positive", "in_pool", "in_corpus"))
    found = []
    for number, columns_of_round in rounds.items():
        score, collected = (columns_of_round[name][chosen] for name in ("score", "collected"))
        ranked = positive[in_pool], score[in_pool]
        found.append(
            Round(
                **asdict(_found(positive, in_pool, collected)),
                round=number,
                average_precision=average_precision(*ranked),
                precision_at_recall=precision_at_recall(*ranked, RECALL),
                reliability=tuple(reliability(*ranked)),
            )
        )
    return Result(
        labels=Measured(
            n_math=int(positive.sum()),
            n_not_math=int((~positive).sum()),
            n_math_in_pool=int((positive & in_pool).sum()),
            n_not_math_in_pool=int((~positive & in_pool).sum()),
        ),
        rounds=tuple(found),
        corpus=_found(positive, in_pool, in_corpus) if has_corpus else None,
    )


def _found(positive: Flags, in_pool: Flags, selected: Flags) -> Found:
    precision, recall = precision_and_recall(positive[in_pool], selected[in_pool])
    return Found(
        n_true=int((positive & selected).sum()),
        n_false=int((~positive & selected).sum()),
        n_missed=int((positive & in_pool & ~selected).sum()),
        precision=precision,
        recall=recall,
        recall_of_all=precision_and_recall(positive, selected)[1],
    )


def _read_labels(paths: Sequence[Path]) -> tuple[Labels, pa.Table]:
    """Counts, and a table of the pages labelled math or not_math: page_id, positive, gold."""
    labels: dict[str, set[str]] = {}
    gold: set[str] = set()
    n_lines = n_invalid = 0
    for path in paths:
        for url, label, is_gold in _lines(path):
            n_lines += 1
            try:
                page = page_id(canonical_url(url))
            except ValueError:
                n_invalid += 1
                continue
            labels.setdefault(page, set()).add(label)
            if is_gold:
                gold.add(page)
    if not n_lines:
        raise InputError(
            f"{', '.join(map(str, paths)) or 'no file'}: holds no label. Give JSONL lines with url and label."
        )
    single = {page: next(iter(found)) for page, found in labels.items() if len(found) == 1}
    n = {name: sum(label == name for label in single.values()) for name in CLASSES}
    counts = Labels(
        n_lines=n_lines,
        n_invalid_urls=n_invalid,
        n_pages=len(labels),
        n_math=n["math"],
        n_not_math=n["not_math"],
        n_borderline=n["borderline"],
        n_other=len(single) - sum(n.values()),
        n_conflicting=len(labels) - len(single),
    )
    measured = sorted(page for page, label in single.items() if label in ("math", "not_math"))
    table = pa.table(
        {
            "page_id": pa.array(measured, pa.string()),
            "positive": pa.array([single[page] == "math" for page in measured], pa.bool_()),
            "gold": pa.array([page in gold for page in measured], pa.bool_()),
        }
    )
    return counts, table


def _lines(path: Path) -> Iterator[tuple[str, str, bool]]:
    """url, label, gold of each line; blank lines are passed over."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _label(line, f"{path}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}. Give a JSONL file with url and label.") from error


def _label(line: str, where: str) -> tuple[str, str, bool]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error}). Mend or delete the line.") from error
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("url", "label")):
        raise InputError(f"{where}: url or label is missing, or is no text. Mend or delete the line.")
    return row["url"], row["label"], row.get("gold") is True
