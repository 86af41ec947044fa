import gzip
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpus.cheap import UNPRINTABLE
from corpus.config import Pool
from corpus.errors import InputError
from corpus.guard import Guard
from corpus.page import Wanted, read_page, read_pages
from corpus.pool import ingest_part
from corpus.schema import DROPPED, PAGE
from corpus.tables import TableWriter
from corpus.warc import Dropped, Response

LIMITS = Pool(crawl="CRAWL-X", min_chars=20, max_page_bytes=100_000, page_seconds=20.0, page_megabytes=1_000)
ENGLISH = "The sum of the angles of a triangle in the plane is equal to two right angles. " * 3
GERMAN = "Die Summe der Winkel eines Dreiecks in der Ebene ist gleich zwei rechten Winkeln. " * 3


def response(url: str, html: str, status: int = 200) -> bytes:
    block = f"HTTP/1.1 {status} X\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}".encode(
        "utf-8", "surrogatepass"
    )
    return (
        (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n"
            f"Content-Type: application/http\r\nContent-Length: {len(block)}\r\n\r\n"
        ).encode()
        + block
        + b"\r\n\r\n"
    )


def info(crawl: str) -> bytes:
    block = f"isPartOf: {crawl}\r\n"
    return f"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: {len(block)}\r\n\r\n{block}\r\n\r\n".encode()


def ingested(
    directory: Path, records: list[bytes], limits: Pool = LIMITS
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    source = directory / "a.warc.gz"
    source.write_bytes(b"".join(gzip.compress(each, mtime=0) for each in records))
    ingest_part(str(source), "a.warc.gz", 7, directory / "parts", limits)
    pages = pq.read_table(directory / "parts/part-00007.parquet")
    dropped = pq.read_table(directory / "parts/dropped-00007.parquet")
    assert pages.schema.names == PAGE.names and dropped.schema.names == DROPPED.names
    return pages.to_pylist(), dropped.to_pylist()


def test_every_record_is_a_row_of_one_table_in_file_order(tmp_path: Path) -> None:
    records = [
        response("http://example.org/a?utm_source=x", f"<title>A</title><p>{ENGLISH}"),
        response("http://example.org/b", "<p>gone", status=404),
        response("http://example.org/c", "<p>short"),
        response("urn:no-web-url", f"<p>{ENGLISH}"),
        response("HTTPS://www.Example.org/d", f"<p>{GERMAN}"),
        b"no record",
    ]
    pages, dropped = ingested(tmp_path, records)
    assert [row["url"] for row in pages] == ["http://example.org/a", "https://www.example.org/d"]
    assert [row["reason"] for row in dropped] == ["status_404", "too_short", "bad_url", "corrupt"]
    assert [row["url"] for row in dropped] == ["http://example.org/b", "http://example.org/c", "urn:no-web-url", None]
    offsets = [len(b"".join(gzip.compress(each, mtime=0) for each in records[:n])) for n in range(7)]
    assert [row["warc_record_offset"] for row in pages] == [offsets[0], offsets[4]]
    assert [row["warc_record_offset"] for row in dropped] == [offsets[n] for n in (1, 2, 3, 5)]
    first = pages[0]
    assert first["warc_record_length"] == offsets[1]
    assert (first["title"], first["text"].split("\n")[-1], first["language"]) == ("A", ENGLISH.strip(), "en")
    assert (first["url_host_registered_domain"], first["crawl"]) == ("example.org", "CRAWL-X")
    assert (first["content_charset"], first["content_truncated"]) == ("utf-8", None)
    assert first["n_chars"] == len(first["text"]) and first["n_tokens"] > 0
    assert (first["n_formulas"], first["formulas_text"]) == (0, 0)
    assert len(first["content_digest"]) == len(first["page_id"]) == 32


@pytest.mark.parametrize(
    ("languages", "exclude", "kept"),
    [
        ((), (), ["en", "de", None]),
        (("de",), (), ["de"]),
        (("de", "unknown"), (), ["de", None]),
        ((), ("en",), ["de", None]),
        ((), ("en", "unknown"), ["de"]),
        (("de", "en"), ("en",), ["de"]),
    ],
)
def test_languages_are_kept_and_dropped_by_name(
    languages: tuple[str, ...], exclude: tuple[str, ...], kept: list[str | None], tmp_path: Path
) -> None:
    texts = {"en": ENGLISH, "de": GERMAN, None: "1 + 2 = 3; " * 9}
    records = [response(f"http://example.org/{name}", f"<p>{text}") for name, text in texts.items()]
    limits = LIMITS.model_copy(update={"languages": languages, "exclude_languages": exclude})
    pages, dropped = ingested(tmp_path, records, limits)
    assert [row["language"] for row in pages] == kept
    assert [row["reason"] for row in dropped] == [f"language_{name or 'unknown'}" for name in texts if name not in kept]


def read_or_hang(item: tuple[Response | Dropped, Wanted]) -> dict[str, Any] | Dropped:
    """In the child: read_page, but in C code for ever on one page."""
    if (item[0].url or "").endswith("hostile"):
        re.match(r"(a+)+$", "a" * 60 + "b")
    return read_page(item)


def test_pages_beside_one_that_hangs_are_those_of_a_plain_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [response(f"http://example.org/{n}", f"<p>Page {n}. {ENGLISH}") for n in range(8)]
    hostile = response("http://example.org/hostile", f"<p>{ENGLISH}")
    records = [info("FIRST"), *records[:3], hostile, records[3], info("SECOND"), *records[4:], hostile]
    plain, _ = ingested(tmp_path, [record for record in records if record is not hostile])
    monkeypatch.setattr(
        "corpus.pool.kept_guard", lambda read, work, *limits: Guard(read, f"{__name__}:read_or_hang", *limits)
    )
    pages, dropped = ingested(tmp_path, records, LIMITS.model_copy(update={"page_seconds": 0.5}))
    assert [row["crawl"] for row in pages] == ["FIRST"] * 4 + ["SECOND"] * 4
    assert [without_offset(row) for row in pages] == [without_offset(row) for row in plain]
    assert [row["reason"] for row in dropped] == ["warcinfo", "timeout", "warcinfo", "timeout"]
    assert {row["url"] for row in dropped} == {None, "http://example.org/hostile"}


def without_offset(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "warc_record_offset"}


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    records = [response(f"http://example.org/{n}", f"<p>{ENGLISH} {n}") for n in range(50)]
    ingested(tmp_path, records)
    first = [(tmp_path / f"parts/{name}-00007.parquet").read_bytes() for name in ("part", "dropped")]
    ingested(tmp_path, records)
    assert [(tmp_path / f"parts/{name}-00007.parquet").read_bytes() for name in ("part", "dropped")] == first


def test_an_unreadable_source_raises_and_leaves_no_part(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.warc"):
        ingest_part(str(tmp_path / "gone.warc"), "gone.warc", 0, tmp_path / "parts", LIMITS)
    assert list((tmp_path / "parts").iterdir()) == []


def test_the_part_is_named_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk while the dropped records are written must not leave a part that looks complete."""
    (tmp_path / "a.warc").write_bytes(response("http://example.org/a", f"<p>{ENGLISH}"))

    close = TableWriter.close

    def full(self: TableWriter) -> None:
        close(self)
        if self._schema is DROPPED:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(TableWriter, "close", full)
    with pytest.raises(OSError, match="No space left"):
        ingest_part(str(tmp_path / "a.warc"), "a.warc", 0, tmp_path / "parts", LIMITS)
    assert list((tmp_path / "parts").iterdir()) == []


def test_what_reorders_hides_or_ends_text_reaches_no_column(tmp_path: Path) -> None:
    bad = "&#0;&#xD800;&#x202E;\0\x07\x1b\x9b\u202e\u2066\u200f\ufffe"
    records = [
        response("http://example.org/\u202ea", f"<title>T{bad}</title><p>{ENGLISH}{bad}"),
        response("http://example.org/b", f"<title>\ud800</title><p>{ENGLISH}\udfff{bad}"),
        response("http://example.org/\u202e\x1b", "<p>short"),
    ]
    pages, dropped = ingested(tmp_path, records)
    assert [row["url"] for row in pages] == ["http://example.org/%E2%80%AEa", "http://example.org/b"]
    assert [row["url"] for row in dropped] == ["http://example.org/"]
    assert pages[0]["title"].strip("\ufffd") == "T"
    assert pages[0]["text"].strip("\ufffd ").endswith(ENGLISH.strip())
    for row in pages + dropped:
        assert not [value for value in row.values() if isinstance(value, str) and UNPRINTABLE.search(value)]


def test_reading_from_any_page_on_gives_what_reading_all_gives_from_there(tmp_path: Path) -> None:
    records = [info("FIRST"), response("http://example.org/a", "<p>a"), response("http://example.org/b", "", 404)]
    records += [b"no record", info("SECOND"), *(response(f"http://example.org/{n}", "<p>n") for n in range(3))]
    for packed in (True, False):
        source = tmp_path / ("a.warc.gz" if packed else "a.warc")
        source.write_bytes(b"".join(gzip.compress(each, mtime=0) if packed else each for each in records))
        wanted = Wanted(1_000, 0, (), ())
        everything = list(read_pages(str(source), wanted, None))
        starts = [start for _, start, _ in everything]
        assert sum(start is not None for start in starts) == 4
        for number, start in enumerate(starts):
            if start is not None:
                assert list(read_pages(str(source), wanted, start)) == everything[number:]


def test_formulas_are_counted_by_markup(tmp_path: Path) -> None:
    page = response(
        "http://example.org/a",
        f"<p>{ENGLISH} $x^2$ and \\(y_1\\)<script type='math/tex'>z^3</script><img class=latex alt='w^4' src=w.png>",
    )
    pages, _ = ingested(tmp_path, [page, response("http://example.org/b", f"<p>{ENGLISH}")])
    assert {name: value for name, value in pages[0].items() if "formulas" in name and value} == {
        "n_formulas": 4, "formulas_text": 2, "formulas_script": 1, "formulas_image": 1,
    }  # fmt: skip
    assert {value for name, value in pages[1].items() if "formulas" in name} == {0}


def test_a_wet_file_is_a_pool_of_its_texts(tmp_path: Path) -> None:
    text = f"  Title of it\r\n\n{ENGLISH}\u202e\n<b>no markup</b> and $x^2 + 1$ \\(y\\)\0\n"
    record = (
        "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://example.org/a\r\n"
        "WARC-Date: 2026-01-02T03:04:05Z\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(text.encode())}\r\n\r\n{text}\r\n\r\n"
    )
    (page,), _ = ingested(tmp_path, [record.encode()])
    assert page["text"] == f"Title of it\n{ENGLISH.strip()}\n<b>no markup</b> and $x^2 + 1$ \\(y\\)"
    assert (page["title"], page["content_charset"], page["language"]) == (None, "utf-8", "en")
    assert (page["n_formulas"], page["formulas_text"]) == (2, 2)
