"""Ordinary pages: trafilatura's own evaluation by segments, and where ours differs from trafilatura."""

import json
from collections import Counter
from pathlib import Path

import trafilatura
from crawl import WebPage, ordinary_pages
from extractors import Extractor
from report import Table, share

from corpus.charset import decode
from corpus.extract import careful_text

N_IDENTITY = 500  # pages of a crawl
SEGMENTS_NOTE = (
    "The pages of trafilatura's own evaluation (github.com/adbar/trafilatura, tests/evaldata.json), each with segments "
    "that belong to its main text and segments that do not, and its metric: a wanted segment in the text is a true "
    "positive, an unwanted one a false positive; white space is one space. Comments are left out by all that can. "
    "Time: CPU milliseconds a page, one round."
)
IDENTITY_NOTE = (
    "careful_text beside `trafilatura.extract(html, url=url, include_comments=False)`. Pages of the two crawls are "
    f"labelled not_math and hold no formula by the crawl's own table, {N_IDENTITY} of each at most, drawn by hash. "
    "Where trafilatura finds no text at all, careful_text falls back to another extractor."
)


def evaluation_pages(checkout: Path) -> list[tuple[WebPage, list[str], list[str]]]:
    """Each page of trafilatura's evaluation with its wanted and its unwanted segments, by file name."""
    tests = checkout / "tests"
    rows = json.loads((tests / "evaldata.json").read_text(encoding="utf-8"))
    pages = []
    for url, row in sorted(rows.items()):
        for folder in ("cache", "eval"):
            if (tests / folder / row["file"]).is_file():
                html, _ = decode((tests / folder / row["file"]).read_bytes(), None)
                pages.append((WebPage(url, html), row["with"], row["without"]))
                break
    return pages


def segments(checkout: Path, compared: list[Extractor]) -> list[Table]:
    pages = evaluation_pages(checkout)
    counts: dict[str, Counter[str]] = {extractor.name: Counter() for extractor in compared}
    seconds = dict.fromkeys(counts, 0.0)
    for page, wanted, unwanted in pages:
        for extractor in compared:
            text, took = extractor.run(page.html, page.url)
            seconds[extractor.name] += took
            shown, count = " ".join((text or "").split()), counts[extractor.name]
            hits = sum(" ".join(segment.split()) in shown for segment in wanted)
            noise = sum(" ".join(segment.split()) in shown for segment in unwanted)
            count.update(tp=hits, fn=len(wanted) - hits, fp=noise, failed=text is None)
    rows = [
        [
            name,
            share(count["tp"], count["tp"] + count["fp"]),
            share(count["tp"], count["tp"] + count["fn"]),
            share(2 * count["tp"], 2 * count["tp"] + count["fp"] + count["fn"]),
            f"{seconds[name] / len(pages) * 1_000:.1f}",
            str(count["failed"]),
        ]
        for name, count in counts.items()
    ]
    columns = ["extractor", "precision", "recall", "F1", "ms", "failed"]
    return [Table(f"Ordinary pages: trafilatura's own evaluation ({len(pages)} pages)", SEGMENTS_NOTE, columns, rows)]


def identity(shared: Path, checkout: Path | None) -> list[Table]:
    sets = {
        "background": ordinary_pages(shared / "background", N_IDENTITY),
        "crawl_dev, not_math": ordinary_pages(shared / "crawl_dev", N_IDENTITY),
    }
    if checkout:
        sets["trafilatura's evaluation"] = [page for page, _, _ in evaluation_pages(checkout)]
    rows = [[name, *_identical(pages)] for name, pages in sets.items()]
    columns = ["set", "pages", "identical", "share", "trafilatura has none", "share where it has", "formulas found"]
    return [Table("The very text of trafilatura", IDENTITY_NOTE, columns, rows)]


def _identical(pages: list[WebPage]) -> list[str]:
    same = empty = with_formulas = 0
    for page in pages:
        ours = careful_text(page.html, page.url)
        theirs = trafilatura.extract(page.html, url=page.url, include_comments=False) or ""
        same += ours.text == theirs
        empty += not theirs and ours.text != theirs
        with_formulas += ours.n_formulas > 0
    n_pages = len(pages)
    return [
        *(str(n_pages), str(same), share(same, n_pages)),
        *(str(empty), share(same, n_pages - empty), str(with_formulas)),
    ]
