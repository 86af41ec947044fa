"""Do an audit's intervals hold the truth? Audits drawn again and again from pages that are labelled already.

Usage: python bench/audit.py SHARED [WORKSPACE]

SHARED holds crawl_dev and background with their labels (see docs/evaluation.md). WORKSPACE, work/evaluate without it,
is what `make evaluate` made of them. The population is the pool's pages that are labelled math or not_math, ranked as
each round ranked them. Each audit is drawn and estimated by the functions that the command line calls; of every
number printed: how often the 95 % interval held the truth, and how wide it was on average.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from report import Table

from corpus.audit import Design, design_of, places_of
from corpus.audit_estimate import curves, weights
from corpus.ranking import Ranking, ranked
from corpus.urls import canonical_url, page_id
from corpus.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
N_AUDITS = 200
SIZES = (400, 200)
DEPTHS = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0)  # of the pages that the round collected


def labels_of(paths: Sequence[Path]) -> dict[str, bool]:
    """page_id -> is mathematics, of pages that are labelled math or not_math, and not both."""
    said: dict[str, set[str]] = {}
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            try:
                said.setdefault(page_id(canonical_url(row["url"])), set()).add(row["label"])
            except ValueError:
                continue
    return {page: label == {"math"} for page, label in said.items() if label in ({"math"}, {"not_math"})}


def population(
    workspace: Workspace, number: int, labels: dict[str, bool]
) -> tuple[Ranking, list[tuple[str, str]], Any]:
    """A round's ranking of the labelled pages alone; (domain, page_id) and label of each."""
    with ranked(workspace, number) as (ranking, connection):
        pages = connection.execute("SELECT page_id, domain FROM ranked ORDER BY rank").fetchall()
    kept = np.array([page in labels for page, _ in pages])
    some = replace(
        ranking,
        value=ranking.value[kept],
        n_tokens=ranking.n_tokens[kept],
        n_collected=int(kept[: ranking.n_collected].sum()),
    )
    known = [(domain, page) for page, domain in pages if page in labels]
    return some, known, np.array([labels[page] for _, page in known])


def drawn(design: Design, pages: Sequence[tuple[str, str]], random_seed: int) -> Any:
    """Places in the ranking of one audit's pages, as corpus.audit draws them."""
    sure = set(design.sure.tolist())
    found = [*sure]
    for stratum, places in zip(design.strata, places_of(design.strata, random_seed), strict=True):

        def order(place: int) -> tuple[str, str]:
            domain, page = pages[place]
            return domain, hashlib.md5(f"{page}{random_seed}".encode()).hexdigest()

        ordered = sorted((place for place in range(stratum.first, stratum.last) if place not in sure), key=order)
        found += [ordered[place - 1] for place in places]
    return np.sort(np.array(found))


def simulate(ranking: Ranking, pages: Sequence[tuple[str, str]], positive: Any, n_pages: int, n_audits: int) -> Table:
    depths = np.unique([min(round(ranking.n_collected * share), len(positive)) for share in DEPTHS])
    design = design_of(ranking, n_pages)
    audits = [drawn(design, pages, seed) for seed in range(1, n_audits + 1)]
    found = [
        curves(ranking, design.strata, places, positive[places], np.isin(places, design.sure), depths)
        for places in audits
    ]
    cells: dict[str, list[str]] = {}
    for by, weight in weights(ranking).items():
        hits = np.cumsum(weight * positive)[depths - 1]
        truths = {"precision": hits / np.cumsum(weight)[depths - 1], "recall": hits / np.sum(weight * positive)}
        for name, truth in truths.items():
            intervals = [[one[by].at(number)[name] for number in range(len(depths))] for one in found]
            cells[f"{name} by {by}"] = [
                f"{true:.3f}: {np.mean([each.low <= true <= each.high for each in column]):.3f} / "
                f"{np.mean([each.high - each.low for each in column]):.3f}"
                for true, column in zip(truth, zip(*intervals, strict=True), strict=True)
            ]
    rows = [
        [f"{depth:,}{' (cut)' if depth == ranking.n_collected else ''}", *(column[row] for column in cells.values())]
        for row, depth in enumerate(depths)
    ]
    return Table(
        f"Round {ranking.round}, {n_pages} pages a draw: {len(design.strata)} strata, {len(design.sure)} sure pages",
        f"Truth: covered / mean width, of {n_audits} audits of {len(positive):,} pages.",
        ["pages", *cells],
        rows,
    )


def main(shared: Path, root: Path) -> int:
    labels = labels_of([shared / name / "labels.jsonl" for name in ("crawl_dev", "background")])
    workspace = Workspace(root)
    for number in range(1, workspace.rounds_done("recalled") + 1):
        ranking, pages, positive = population(workspace, number, labels)
        for n_pages in SIZES:
            print(simulate(ranking, pages, positive, n_pages, N_AUDITS).markdown(), flush=True)
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else ROOT / "work" / "evaluate"))
