"""What a labelled audit says of a round: precision and recall where it cut, at other budgets, and for a wanted one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from corpus.audit import Stratum
from corpus.audit_estimate import Curve, curves
from corpus.audit_file import Row, read_audit, read_design
from corpus.errors import InputError
from corpus.ranking import Whole, ranked
from corpus.workspace import Workspace

STEPS = 20  # depths tried in each stratum for a wanted precision
NAMED = 10  # lines that an error names
KNOWN = {"math": True, "not_math": False}


class Audit:
    """A labelled audit beside the ranking that it was drawn of."""

    def __init__(self, workspace: Workspace, path: Path) -> None:
        """Raises InputError where the ranking is another now, or a line of the CSV is not of it."""
        design = read_design(path)
        self.rows = read_audit(path)
        self.strata = [Stratum(**stratum) for stratum in design["strata"]]
        with ranked(workspace, design["round"]) as (self.ranking, connection):
            if self.ranking.fingerprint != design["ranking"]:
                raise InputError(
                    f"{path}: round {design['round']} was ranked anew since these pages were drawn. Draw again, into "
                    f"another file: corpus audit sample --round {design['round']} -w {workspace.quoted}"
                )
            pages = list(design["pages"])
            self.sure = {page for page, stratum in design["pages"].items() if stratum == "sure"}
            found = connection.execute(
                "SELECT page_id, rank FROM ranked WHERE list_contains($pages, page_id)", {"pages": pages}
            )
            self.place = {page: rank - 1 for page, rank in found.fetchall()}
        for row in self.rows:
            if row.page_id not in self.place:
                raise InputError(
                    f"{path}, line {row.line}: page {row.page_id!r} was not drawn for this audit of round "
                    f"{self.ranking.round}. Delete the line; pages of one's own choice would bend the estimate."
                )
        self._check_strata(path)

    def _check_strata(self, path: Path) -> None:
        """Every stratum needs a label: nothing else tells of its pages."""
        drawn = [row for row in self.rows if row.page_id not in self.sure]
        for stratum in self.strata:
            inside = [row for row in drawn if stratum.first <= self.place[row.page_id] < stratum.last]
            if stratum.n_free and not any(row.label in KNOWN for row in inside):
                lines = ", ".join(str(row.line) for row in inside[:NAMED])
                wanted = f"label at least one of lines {lines}" if inside else "put its lines back"
                raise InputError(
                    f"{path}: no page of ranks {stratum.first + 1:,} to {stratum.last:,} is labelled math or not_math, "
                    f"so nothing is known of {stratum.last - stratum.first:,} pages: {wanted}"
                )

    def curves(self, depths: Whole, unsure: bool | None = None) -> dict[str, Curve]:
        """By pages and by tokens. unsure: what those rows are taken for; None: as if they had not been drawn."""
        labels = KNOWN | ({} if unsure is None else {"unsure": unsure})
        labelled = [row for row in self.rows if row.label in labels]
        place = np.array([self.place[row.page_id] for row in labelled], np.int64)
        positive = np.array([labels[row.label] for row in labelled], np.bool_)
        sure = np.array([row.page_id in self.sure for row in labelled], np.bool_)
        return curves(self.ranking, self.strata, place, positive, sure, depths)

    def described(self, depths: Whole) -> list[dict[str, Any]]:
        """A row a depth: what it holds, precision and recall by pages and by tokens."""
        told = self.curves(depths)
        return [
            {**self.ranking.describe(depth), **{by: _plain(found, number) for by, found in told.items()}}
            for number, depth in enumerate(depths)
        ]


def estimate(
    workspace: Workspace,
    path: Path,
    budgets: Sequence[int] = (),
    pages: Sequence[int] = (),
    precision: float | None = None,
) -> dict[str, Any]:
    """Precision and recall of a round's collection and along its ranking, from the audit `path`.

    budgets, pages: further depths, in tokens and in pages. precision: also look for the largest budget with it.
    Returns round, n_drawn, n_labelled, n_unlabelled, n_unsure, by (labels by who gave them), depths (rows of
    Audit.described), unsure_as (the round's own depth again, with unsure rows as math and as not_math) and budgets.

    Raises InputError naming the line or the stratum that cannot be used.
    """
    audit = Audit(workspace, path)
    ranking = audit.ranking
    wanted = {*(ranking.depth_of_tokens(budget) for budget in budgets), *pages}
    if beyond := [depth for depth in wanted if not 0 < depth <= len(ranking.value)]:
        raise InputError(f"a budget of {max(beyond):,} pages cannot be: the ranking has {len(ranking.value):,}")
    depths = np.array(sorted({*ranking.grid().tolist(), *wanted}), np.int64)
    counts = Counter(row.label for row in audit.rows)
    own = np.array([ranking.n_collected], np.int64)
    return {
        "round": ranking.round,
        "n_drawn": len(audit.place),
        "n_labelled": counts["math"] + counts["not_math"],
        "n_unsure": counts["unsure"],
        "n_unlabelled": len(audit.place) - counts.total() + counts[""],
        "by": dict(sorted(Counter(_who(row) for row in audit.rows if row.label).items())),
        "depths": audit.described(depths),
        "unsure_as": {
            label: {by: _plain(found, 0) for by, found in audit.curves(own, unsure=label == "math").items()}
            for label in ("math", "not_math")
        }
        if counts["unsure"]
        else {},
        "budgets": _budgets(audit, precision) if precision is not None else [],
    }


def _who(row: Row) -> str:
    return row.cells["by"].strip() or "a person"


def _plain(found: Curve, number: int) -> dict[str, Any]:
    return {name: asdict(value) for name, value in found.at(number).items()}


def _budgets(audit: Audit, precision: float) -> list[dict[str, Any]]:
    """The deepest depth with a precision, by its estimate and by its lower limit, in pages and in tokens.

    n_pages is 0 where no depth has it. Tried are STEPS depths in each stratum, and the round's own.
    """
    ranking = audit.ranking
    steps = [np.linspace(s.first, s.last, STEPS + 1).astype(np.int64)[1:] for s in audit.strata]
    depths = np.unique(np.concatenate([*steps, [ranking.n_collected]]))
    depths = depths[depths > 0]
    rows = []
    for by, found in audit.curves(depths).items():
        intervals = [found.at(number)["precision"] for number in range(len(depths))]
        for limit in ("estimate", "low"):
            good = [d for d, each in zip(depths.tolist(), intervals, strict=True) if getattr(each, limit) >= precision]
            told = ranking.describe(good[-1]) if good else {"n_pages": 0, "n_tokens": 0, "value": None}
            rows.append({"by": by, "limit": limit, "precision": precision} | told)
    return rows
