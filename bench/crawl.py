"""Ordinary pages without formulas, from the labelled crawls in SHARED."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import xxhash

from corpus.warc import Response, decode, read_records


@dataclass(frozen=True)
class WebPage:
    url: str
    html: str


def ordinary_pages(crawl: Path, n_pages: int) -> list[WebPage]:
    """At most n_pages pages of a crawl that are labelled not_math and hold no formula by its own table, drawn by a
    hash of their URLs. crawl: a folder of pages.jsonl, labels.jsonl and WARC files."""
    not_math = {row["url"] for row in _rows(crawl / "labels.jsonl") if row["label"] == "not_math"}
    plain = {
        (row["warc"], row["offset"]): row["url"]
        for row in _rows(crawl / "pages.jsonl")
        if row["url"] in not_math and row.get("formulas") in (0, {}) and not row.get("truncated")
    }
    drawn = sorted(plain, key=lambda place: (xxhash.xxh64_intdigest(plain[place]), place))[:n_pages]
    pages = {}
    for warc in sorted({name for name, _ in drawn}):
        wanted = {offset for name, offset in drawn if name == warc}
        for record in read_records(str(crawl / warc)):
            if isinstance(record, Response) and record.offset in wanted:
                html, _ = decode(record.payload, record.http_charset)
                pages[warc, record.offset] = WebPage(record.url, html)
    return [pages[place] for place in drawn if place in pages]


def _rows(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
