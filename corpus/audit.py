"""An audit: pages of a round's ranking drawn for a person, or a model, to label.

Strata are stretches of the ranking, one after the other. Each holds about as much of what is unsure, by the
posterior and in tokens, as any other, and gives as many draws (Neyman's allocation with the posterior as a guess of
the spread); no page is taken for surer than LEAST, so that the head and the long tail, where missed pages hide, are
tested too. What was collected ends where a stratum does. Inside a stratum pages are ordered by domain and drawn at
even steps from a random start: every page has the same chance, and draws spread over the domains. A page that alone
holds as much as a draw stands for, one very long document, is drawn for sure.
"""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from corpus.audit_file import design_path, inert, write_audit, write_design
from corpus.errors import InputError
from corpus.ranking import Floats, Ranking, Whole, ranked
from corpus.tables import selected
from corpus.workspace import Workspace

LEAST = 0.02  # a posterior nearer to 0 or 1 is not trusted; tried: .01, .02, .03, .05
TOKENS = 0.8  # how much of the spread goes by a page's tokens, the rest being each page's alike; tried: .5, .8, 1
DRAWS = 16  # a stratum; tried: 10, 13, 16, 20
MIN_DRAWS = 30  # pages of an audit
WINDOW = 300  # characters of an excerpt's beginning and of its middle
LINE_CHARS = 60  # of a line that is taken for prose: menus are shorter


@dataclass(frozen=True)
class Stratum:
    """Ranks first + 1 to last, of which n_drawn were drawn beside those that are sure."""

    first: int
    last: int
    n_sure: int
    n_drawn: int

    @property
    def n_free(self) -> int:
        """Pages that are drawn by chance, each with n_drawn / n_free."""
        return self.last - self.first - self.n_sure


@dataclass(frozen=True)
class Design:
    strata: tuple[Stratum, ...]
    sure: Whole  # places in the ranking, from 0, of pages so long that each is drawn


def sample(
    workspace: Workspace, n_pages: int, number: int | None = None, path: Path | None = None, random_seed: int = 1
) -> dict[str, Any]:
    """Draw pages of a round into a CSV (audit_file.COLUMNS) with a design beside it.

    number: the last round without it. path: rounds/NN/audit.csv without it. The same arguments draw the same pages.
    Rows stand in random order: those that are labelled first are a sample too.
    Returns round, n_pages (drawn), n_strata, n_sure, n_domains, path, design.

    Raises InputError where one of the files is there: it may hold labels.
    """
    if n_pages < MIN_DRAWS:
        raise InputError(f"an audit of {n_pages} pages says next to nothing: draw {MIN_DRAWS} or more")
    with ranked(workspace, number) as (ranking, connection):
        path = path or workspace.annotations(ranking.round).with_name("audit.csv")
        _refuse(path)
        design = design_of(ranking, n_pages)
        strata = [
            {"stratum": number, "first": stratum.first, "last": stratum.last, "places": places}
            for number, (stratum, places) in enumerate(
                zip(design.strata, places_of(design.strata, random_seed), strict=True), start=1
            )
        ]
        connection.register("strata", pa.Table.from_pylist(strata))
        connection.register("sure", pa.table({"rank": design.sure + 1}))
        rows = list(
            selected(
                connection,
                f"""WITH placed AS (
                        SELECT r.*, s.stratum, s.places, sure.rank IS NOT NULL AS is_sure, row_number() OVER (
                            PARTITION BY s.stratum, is_sure ORDER BY domain, md5(r.page_id || $seed)) AS place
                        FROM ranked r JOIN strata s ON r.rank > s.first AND r.rank <= s.last
                        LEFT JOIN sure ON sure.rank = r.rank)
                    SELECT d.page_id, url, domain, title, text, value, stratum, rank, is_sure
                    FROM (SELECT * FROM placed WHERE is_sure OR list_contains(places, place)) d
                    JOIN {workspace.pages()} p ON p.page_id = d.page_id""",
                {"seed": str(random_seed)},
            )
        )
    rows.sort(key=lambda row: xxhash.xxh3_64_intdigest(f"{random_seed} {row['page_id']}"))
    write_design(
        design_path(path),
        {
            "round": ranking.round,
            "ranking": ranking.fingerprint,
            "random_seed": random_seed,
            "strata": [asdict(stratum) for stratum in design.strata],
            "pages": {row["page_id"]: "sure" if row["is_sure"] else row["stratum"] for row in rows},
        },
    )
    write_audit(
        path,
        [
            {
                **{name: row[name] for name in ("page_id", "url", "stratum")},
                "title": inert(row["title"] or ""),
                "excerpt": inert(excerpt(row["text"] or "")),
                "score": f"{row['value']:.4f}",
                "collected": "yes" if row["rank"] <= ranking.n_collected else "no",
            }
            for row in rows
        ],
    )
    return {
        "round": ranking.round,
        "n_pages": len(rows),
        "n_strata": len(design.strata),
        "n_sure": len(design.sure),
        "n_domains": len({row["domain"] for row in rows}),
        "path": str(path),
        "design": str(design_path(path)),
    }


def _refuse(path: Path) -> None:
    if path.suffix != ".csv":
        raise InputError(f"{path}: an audit is a CSV. Name it {path.name}.csv")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}. Make it, or name another file.")
    for known in (path, design_path(path)):
        if known.exists():
            raise InputError(
                f"{known} is there, and may hold labels: it is not overwritten. Name another file with --output, or "
                f"label this one, then: corpus audit estimate {shlex.quote(str(path))}"
            )


def design_of(ranking: Ranking, n_pages: int) -> Design:
    """Stretches of the ranking, best first, and how many pages to draw of each; n_pages in all, or all pages."""
    guess = np.clip(ranking.value, LEAST, 1 - LEAST)
    size = 1 - TOKENS + TOKENS * ranking.n_tokens / max(float(np.mean(ranking.n_tokens)), 1.0)
    spread = np.sqrt(guess * (1 - guess)) * size
    sure = np.flatnonzero(spread * n_pages >= spread.sum())
    spread[sure] = 0.0
    is_sure = np.zeros(len(spread), np.int64)
    is_sure[sure] = 1
    sums = np.concatenate([[0.0], np.cumsum(spread)])
    n_pages = min(n_pages, len(spread)) - len(sure)
    ends: list[int] = []
    wanted: list[float] = []
    for first, last in ((0, ranking.n_collected), (ranking.n_collected, len(spread))):
        if first == last:
            continue
        share = (sums[last] - sums[first]) / max(sums[-1], np.finfo(np.float64).tiny)
        n = max(1, round(n_pages / DRAWS * share))
        inner = np.searchsorted(sums, sums[first] + (sums[last] - sums[first]) * np.arange(1, n) / n)
        found = sorted({int(end) for end in inner if first < end < last} | {last})
        ends += found
        wanted += [n_pages * share / len(found)] * len(found)
    firsts = [0, *ends[:-1]]
    n_sure = np.add.reduceat(is_sure, firsts)
    drawn = _whole(np.array(wanted), np.array(ends) - np.array(firsts) - n_sure, n_pages)
    rows = zip(firsts, ends, n_sure.tolist(), drawn.tolist(), strict=True)
    return Design(tuple(Stratum(*row) for row in rows), sure)


def _whole(wanted: Floats, sizes: Whole, n_pages: int) -> Whole:
    """Whole numbers of draws near `wanted`, one at least and none above its stratum's size; n_pages in all, or more
    where there are more strata."""
    drawn: Whole = np.minimum(sizes, np.maximum(1, np.floor(wanted))).astype(np.int64)
    while drawn.sum() < n_pages:
        lacking = np.where(drawn < sizes, wanted - drawn, -np.inf)
        drawn[int(np.argmax(lacking))] += 1
    return drawn


def places_of(strata: Sequence[Stratum], random_seed: int) -> list[list[int]]:
    """For each stratum the places, from 1, that are drawn of its other than sure pages in their order."""
    drawn = []
    for number, stratum in enumerate(strata, start=1):
        start = xxhash.xxh3_64_intdigest(f"{random_seed} {number}") / 2**64
        drawn.append([int((start + turn) * stratum.n_free / stratum.n_drawn) + 1 for turn in range(stratum.n_drawn)])
    return drawn


def excerpt(text: str) -> str:
    """What a person judges a page by: the beginning and the middle of its prose, in one line.

    Lines of some length, or with a formula, are prose; a page without any is shown as it is.
    """
    lines = text.split("\n")
    prose = " ".join(" ".join(line for line in lines if len(line) >= LINE_CHARS or "$" in line).split())
    shown = prose if len(prose) >= LINE_CHARS else " ".join(text.split())
    if len(shown) <= 2 * WINDOW:
        return shown
    middle = len(shown) // 2
    return f"{shown[:WINDOW]} [...] {shown[middle : middle + WINDOW]}"
