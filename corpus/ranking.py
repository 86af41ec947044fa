"""The pool as a round ranked it: what `corpus audit` draws from and `corpus budget` looks along.

A depth is a number of pages from the top of the ranking. What a round collects is such a head, so any other budget
is another depth of the same ranking.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from corpus.errors import WorkspaceError
from corpus.stages import parts
from corpus.tables import duck, sql_list
from corpus.workspace import Workspace

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

GRID = (0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0)  # of the tokens that the round collected

# Pages without a score are never collected and are left out, as in recall.py.
RANKED = """
CREATE TABLE ranked AS
SELECT page_id, domain, n_tokens, value, row_number() OVER (ORDER BY value DESC, page_id) AS rank
FROM (
    SELECT v.page_id, p.url_host_registered_domain AS domain, p.n_tokens, v.{value}::DOUBLE AS value
    FROM read_parquet({files}) v JOIN {pages} p ON p.page_id = v.page_id
    WHERE v.{value} IS NOT NULL
)
"""


@dataclass(frozen=True)
class Ranking:
    """Scored pages of a round, best first; some 20 bytes a page."""

    round: int
    evidence: bool  # value is a posterior; else a score
    value: Floats
    n_tokens: Floats
    n_collected: int  # the round's own depth
    fingerprint: str  # of the stage that value comes from

    def depth_of_tokens(self, n_tokens: float) -> int:
        """Pages of the longest head that fits into a budget of tokens."""
        return int(np.searchsorted(np.cumsum(self.n_tokens), n_tokens, side="right"))

    def grid(self) -> Whole:
        """Depths that show the curve on both sides of the round's own, which is one of them; the last is all pages."""
        collected = float(self.n_tokens[: self.n_collected].sum())
        depths = {self.depth_of_tokens(share * collected) for share in GRID}
        return np.array(sorted((depths | {self.n_collected, len(self.value)}) - {0}))

    def describe(self, depth: int) -> dict[str, Any]:
        """A depth in pages and tokens, and the value of its last page."""
        return {
            "n_pages": int(depth),
            "n_tokens": int(self.n_tokens[:depth].sum()),
            "value": float(self.value[depth - 1]),
            "collected": bool(depth == self.n_collected),
        }


def ranked_by(workspace: Workspace, number: int) -> tuple[str, str, list[Path]]:
    """What a round that has collected ranks pages by: posterior or score, the stage that gives it, and its files."""
    recalled = workspace.manifest(workspace.round(number, "recalled"))
    weighed, scored = (workspace.round(number, stage) for stage in ("evidence", "scores"))
    if recalled is not None and weighed in recalled.inputs:
        return "posterior", weighed, [workspace.path(weighed) / "evidence.parquet"]
    return "score", scored, parts(workspace.path(scored))


@contextmanager
def ranked(workspace: Workspace, number: int | None = None) -> Iterator[tuple[Ranking, duckdb.DuckDBPyConnection]]:
    """A round's ranking, and while the block runs a connection whose table `ranked` holds it by page_id.

    number: the last round without it.
    Raises WorkspaceError where the round has not collected, or is not up to date.
    """
    last = workspace.rounds_done("recalled")
    if not last:
        raise WorkspaceError(
            f"{workspace.root}: no round has collected pages yet. Type: corpus iterate 1 -w {workspace.quoted}"
        )
    number = number or last
    recalled = workspace.manifest(workspace.round(number, "recalled")) if number <= last else None
    if recalled is None:
        raise WorkspaceError(
            f"{workspace.root}: round {number} has not collected, or is not up to date. "
            f"Type: corpus iterate {number} -w {workspace.quoted}"
        )
    value, stage, files = ranked_by(workspace, number)
    with TemporaryDirectory() as spill, duck(Path(spill)) as connection:
        connection.execute(RANKED.format(value=value, files=sql_list(files), pages=workspace.pages()))
        columns = connection.sql("SELECT value, n_tokens FROM ranked ORDER BY rank").fetchnumpy()
        ranking = Ranking(
            round=number,
            evidence=value == "posterior",
            value=np.asarray(columns["value"], np.float64),
            n_tokens=np.asarray(columns["n_tokens"], np.float64),
            n_collected=recalled.counts["n_collected"],
            fingerprint=workspace.fingerprint(stage),
        )
        yield ranking, connection
