import gzip
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.config import Pool
from corpus.errors import InputError
from corpus.pool import ingest_part
from corpus.schema import DROPPED, PAGE
from corpus.tables import TableWriter

LIMITS = Pool(crawl="CRAWL-X", min_chars=20, max_page_bytes=100_000, page_seconds=20.0, page_megabytes=1_000)
ENGLISH = "The sum of the angles of a triangle in the plane is equal to two right angles. " * 3
GERMAN = "Die Summe der Winkel eines Dreiecks in der Ebene ist gleich zwei rechten Winkeln. " * 3


def response(url: str, html: str, status: int = 200) -> bytes:
    block = f"HTTP/1.1 {status} X\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}".encode()
    return (
        (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n"
            f"Content-Type: application/http\r\nContent-Length: {len(block)}\r\n\r\n"
        ).encode()
        + block
        + b"\r\n\r\n"
    )


def ingested(directory: Path, records: list[bytes], limits: Pool = LIMITS) -> tuple[list[dict], list[dict]]:  # type: ignore[type-arg]
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
    assert len(first["content_digest"]) == len(first["page_id"]) == 32


def test_other_languages_are_dropped_by_name(tmp_path: Path) -> None:
    records = [response("http://example.org/a", f"<p>{ENGLISH}"), response("http://example.org/b", f"<p>{GERMAN}")]
    limits = Pool(min_chars=20, languages=("de",))
    pages, dropped = ingested(tmp_path, records, limits)
    assert [row["language"] for row in pages] == ["de"]
    assert [row["reason"] for row in dropped] == ["language_en"]


def test_a_page_that_hangs_the_parser_is_dropped_and_the_rest_goes_on(tmp_path: Path) -> None:
    hostile = "<div>" * 200_000
    records = [response(f"http://example.org/{n}", f"<p>{ENGLISH}") for n in range(3)]
    records.insert(1, response("http://example.org/hostile", hostile + ENGLISH))
    pages, dropped = ingested(
        tmp_path, records, Pool(min_chars=20, max_page_bytes=2_000_000, page_seconds=2.0, page_megabytes=1_000)
    )
    assert [row["url"][-1] for row in pages] == ["0", "1", "2"]
    assert [(row["url"], row["reason"]) for row in dropped] == [("http://example.org/hostile", "timeout")]


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


def test_surrogates_and_nul_in_a_page_do_not_reach_the_table(tmp_path: Path) -> None:
    pages, _ = ingested(
        tmp_path, [response("http://example.org/a", f"<title>&#xD800;&#0;</title><p>{ENGLISH}&#xDFFF;\0")]
    )
    assert pages[0]["text"].startswith(ENGLISH.strip())
    assert "\0" not in pages[0]["text"] + (pages[0]["title"] or "")
