import gzip
import random
import re
import tracemalloc
import zlib
from datetime import UTC, datetime
from pathlib import Path

import brotli
import pytest
from fastwarc.stream_io import ZstdWriter
from warcio.archiveiterator import ArchiveIterator

from corpus.charset import CODECS
from corpus.errors import InputError
from corpus.warc import Dropped, Response, decode, expand, read_record, read_records

HTML = b"Content-Type: text/html; charset=utf-8\r\n"


def record(kind: str, block: bytes, url: str | None = None, headers: bytes = b"", length: int | None = None) -> bytes:
    target = f"WARC-Target-URI: {url}\r\n".encode() if url else b""
    mime = b"Content-Type: application/http\r\n" if block.startswith(b"HTTP") else b""
    length = len(block) if length is None else length
    return (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n".encode()
        + target
        + mime
        + headers
        + f"Content-Length: {length}\r\n\r\n".encode()
        + block
        + b"\r\n\r\n"
    )


def page(n: int, size: int = 400, http: bytes = HTML) -> bytes:
    noise = "".join(random.Random(n).choices("abcdefghijklmnopqrstuvwxyz ", k=size)).encode()
    body = b"<html><p>page %d " % n + noise
    return record("response", b"HTTP/1.1 200 OK\r\n" + http + b"\r\n" + body, f"http://example.org/{n}")


def html_record(body: bytes, http: bytes = HTML, **more: bytes) -> bytes:
    return record("response", b"HTTP/1.1 200 OK\r\n" + http + b"\r\n" + body, "http://example.org/", **more)


def zstandard(body: bytes) -> bytes:
    packed: list[bytes] = []

    class Pipe:
        def write(self, data: bytes) -> int:
            packed.append(bytes(data))
            return len(data)

        def flush(self) -> None: ...

        def close(self) -> None: ...

    with ZstdWriter(Pipe()) as writer:
        writer.write(body)
    return b"".join(packed)


INFO = record("warcinfo", b"software: by hand\r\nisPartOf: CRAWL-1\r\n")
RECORDS = [INFO, record("request", b"GET / HTTP/1.1\r\n\r\n", "http://example.org/0"), *map(page, range(5))]


def members(records: list[bytes]) -> bytes:
    return b"".join(gzip.compress(each, mtime=0) for each in records)


def written(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def read(path: Path, data: bytes, **limits: int) -> tuple[list[Response], list[Dropped]]:
    everything = list(read_records(written(path, data), **limits))
    return [r for r in everything if isinstance(r, Response)], [r for r in everything if isinstance(r, Dropped)]


def one(path: Path, data: bytes) -> Response | Dropped:
    (only,) = read_records(written(path, data))
    return only


FORMATS = {
    "record by record": members(RECORDS),
    "gzip as a whole": gzip.compress(b"".join(RECORDS), mtime=0),
    "two records a member": members([b"".join(RECORDS[:2]), b"".join(RECORDS[2:4]), b"".join(RECORDS[4:])]),
    "members across records": members([(whole := b"".join(RECORDS))[:700], whole[700:1500], whole[1500:]]),
    "plain": b"".join(RECORDS),
    "line feeds only": b"".join(RECORDS).replace(b"\r\n\r\nWARC", b"\nWARC"),
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_of_file_gives_the_same_pages_and_each_can_be_read_again(tmp_path: Path, form: str) -> None:
    pages, dropped = read(tmp_path / "a", FORMATS[form])
    assert [p.url for p in pages] == [f"http://example.org/{n}" for n in range(5)]
    assert [d.reason for d in dropped] == ["warcinfo", "request"]
    assert len({p.offset for p in pages}) == 5
    for p in pages:
        assert (p.crawl, p.status, p.content_type, p.http_charset) == ("CRAWL-1", 200, "text/html", "utf-8")
        assert p.fetch_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert p.truncated is None
        again = read_record(str(tmp_path / "a"), p.offset, p.length)
        assert again._replace(crawl="CRAWL-1") == p


def test_offsets_and_payloads_agree_with_warcio(tmp_path: Path) -> None:
    for name, data in (("a.warc.gz", members(RECORDS)), ("a.warc", b"".join(RECORDS))):
        pages, _ = read(tmp_path / name, data)
        expected = []
        with (tmp_path / name).open("rb") as file:
            for each in (iterator := ArchiveIterator(file)):
                if each.rec_type == "response":
                    payload, offset = each.content_stream().read(), iterator.get_record_offset()
                    # warcio does not count the blank line behind an uncompressed record.
                    length = iterator.get_record_length() + (0 if name.endswith(".gz") else 4)
                    expected.append((offset, length, payload))
        assert [(p.offset, p.length, p.payload) for p in pages] == expected


def test_zstd_files_are_read(tmp_path: Path) -> None:
    pages, dropped = read(tmp_path / "a.warc.zst", b"".join(map(zstandard, RECORDS)))
    assert len(pages) == 5 and len(dropped) == 2
    assert read_record(str(tmp_path / "a.warc.zst"), pages[3].offset, pages[3].length).payload == pages[3].payload


def test_arc_files_are_read(tmp_path: Path) -> None:
    info = b"1 0 Someone\nURL IP-address Archive-date Content-type Archive-length\n"
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>one"
    header = b"http://example.org/a b 1.2.3.4 20140216050221 text/html %d\n"
    records = [
        b"filedesc://x.arc 0.0.0.0 20140216050221 text/plain %d\n" % len(info) + info + b"\n",
        header % len(http) + http + b"\n",
        b"http://example.org/bad 1.2.3.4 20140216050221 text/html -1\n\n",
        b"dns:example.org 1.2.3.4 20140216050221 text/dns 3\nabc\n",
        header % len(http) + http + b"\n",
    ]
    for data in (b"".join(records), members(records)):
        pages, dropped = read(tmp_path / "a.arc", data)
        assert [(p.url, p.payload) for p in pages] == [("http://example.org/a b", b"<p>one")] * 2
        assert pages[0].fetch_time == datetime(2014, 2, 16, 5, 2, 21, tzinfo=UTC)
        assert [d.reason for d in dropped] == ["warcinfo", "corrupt", "not_http"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty_file"),
        (gzip.compress(b""), "empty_file"),
        (bytes(range(256)) * 40, "not_warc"),
        (b"<!doctype html><p>\nWARC/1.0\r\n", "not_warc"),
        (b"org,example)/ 20140101 {}\n", "not_warc"),
        (gzip.compress(b"org,example)/ 20140101 {}\n"), "not_warc"),
        (b"PK\x03\x04" + members(RECORDS), "not_warc"),
        (b"\x1f\x8b\x08" + bytes(range(256)), "not_warc"),
    ],
)
def test_what_is_no_warc_file_is_one_row_that_says_so(tmp_path: Path, data: bytes, reason: str) -> None:
    assert one(tmp_path / "a", data) == Dropped(0, None, reason)


def test_a_file_without_responses_is_told_apart_from_no_warc_file(tmp_path: Path) -> None:
    pages, dropped = read(tmp_path / "a", INFO + record("conversion", b"text", "http://example.org/"))
    assert not pages
    assert [(d.reason, d.url) for d in dropped] == [("warcinfo", None), ("conversion", "http://example.org/")]


def test_a_file_cut_anywhere_keeps_what_lies_before_the_cut(tmp_path: Path) -> None:
    for parts in ([gzip.compress(r, mtime=0) for r in RECORDS], RECORDS):
        data, ends = b"".join(parts), [len(b"".join(parts[: n + 1])) for n in range(len(parts))]
        for cut in range(1, len(data), 13):
            pages, dropped = read(tmp_path / "a", data[:cut])
            n_whole = sum(end <= cut for end in ends)
            whole = [p for p in pages if p.truncated is None]
            # Of an uncompressed record the blank line behind it may be cut off unseen.
            assert max(n_whole - 2, 0) <= len(whole) <= max(n_whole - 2, 0) + (parts is RECORDS)
            assert len(pages) - len(whole) + sum(d.reason in ("incomplete", "not_warc") for d in dropped) <= 1
            if cut not in ends and parts is not RECORDS:
                assert len(pages) - len(whole) + sum(d.reason in ("incomplete", "not_warc") for d in dropped) == 1


def test_a_page_inside_which_the_file_ends_is_kept_as_incomplete(tmp_path: Path) -> None:
    for data in (members(RECORDS), b"".join(RECORDS)):
        pages, _ = read(tmp_path / "a", data[:-60])
        assert [p.truncated for p in pages] == [None] * 4 + ["incomplete"]
        assert pages[-1].payload.startswith(b"<html><p>page 4")
        assert read_record(str(tmp_path / "a"), pages[-1].offset, pages[-1].length).payload == pages[-1].payload


def test_one_corrupt_byte_costs_no_more_than_its_own_record(tmp_path: Path) -> None:
    parts = [gzip.compress(each, mtime=0) for each in RECORDS]
    data = b"".join(parts)
    intact, _ = read(tmp_path / "a", data)
    for at in range(0, len(data), 11):
        broken = bytearray(data)
        broken[at] ^= 0x55
        pages, dropped = read(tmp_path / "a", bytes(broken))
        own = next(n for n in range(len(parts)) if at < len(b"".join(parts[: n + 1])))
        others = [p for n, p in enumerate(intact, 2) if n != own]
        crawl = None if own == 0 and "warcinfo" not in [d.reason for d in dropped] else "CRAWL-1"
        expected = {p._replace(crawl=crawl) for p in others}
        assert expected <= set(pages), f"byte {at}"
        for p in (
            set(pages) - expected
        ):  # its own page, where the byte does not matter, or what the file's end left of it
            assert p.truncated == "incomplete" or p.payload in [whole.payload for whole in intact], f"byte {at}"
        counted = len(pages) + len([d for d in dropped if d.reason not in ("corrupt", "incomplete")])
        assert counted >= len(RECORDS) - 1
        assert counted == len(RECORDS) or {"corrupt", "incomplete"} & {d.reason for d in dropped}


def test_reading_goes_on_behind_garbage_between_members(tmp_path: Path) -> None:
    parts = [gzip.compress(each, mtime=0) for each in RECORDS]
    garbage = b"\x1f\x8b\x08 not a member" + bytes(range(256)) * 1_000
    pages, dropped = read(tmp_path / "a", b"".join(parts[:4]) + garbage + b"".join(parts[4:]) + b"\0" * 512)
    assert len(pages) == 5
    ends = len(b"".join(parts[:4])), len(b"".join(parts)) + len(garbage)
    assert [(d.offset, d.reason) for d in dropped[2:]] == [(end, "corrupt") for end in ends]


def test_a_record_cut_off_by_the_next_one_on_the_same_line_is_incomplete(tmp_path: Path) -> None:
    pages, dropped = read(tmp_path / "a", RECORDS[2][:-50] + b"".join(RECORDS[3:]))
    assert [(p.url[-1], p.truncated) for p in pages] == [("0", "incomplete"), *((n, None) for n in "1234")]
    assert not dropped and pages[0].payload == RECORDS[2].partition(b"utf-8\r\n\r\n")[2][:-50]


def test_garbage_in_an_uncompressed_file_is_one_row(tmp_path: Path) -> None:
    garbage = random.Random(0).randbytes(300_000)
    pages, dropped = read(tmp_path / "a", RECORDS[2] + garbage + RECORDS[3])
    assert [p.url[-1] for p in pages] == ["0", "1"]
    assert [(d.offset, d.reason) for d in dropped] == [(len(RECORDS[2]), "corrupt")]


@pytest.mark.parametrize("change", [-100, +100, +100_000, +20_000_000])
def test_a_wrong_content_length_costs_no_other_record(tmp_path: Path, change: int) -> None:
    length = int(re.findall(rb"Content-Length: (\d+)", RECORDS[3])[0])
    wrong = RECORDS[3].replace(b"Content-Length: %d" % length, b"Content-Length: %d" % (length + change))
    for data in (b"".join([*RECORDS[:3], wrong, *RECORDS[4:]]), members([*RECORDS[:3], wrong, *RECORDS[4:]])):
        pages, dropped = read(tmp_path / "a", data)
        assert [p.url[-1] for p in pages] == ["0", "1", "2", "3", "4"]
        told = [p.truncated for p in pages if p.truncated] + [d.reason for d in dropped if d.reason == "corrupt"]
        assert told


@pytest.mark.parametrize("length", [b"", b"-5", b"many"])
def test_a_record_without_a_length_is_corrupt_and_the_next_is_read(tmp_path: Path, length: bytes) -> None:
    wrong = re.sub(rb"Content-Length: \d+", b"Content-Length: " + length, RECORDS[3])
    for data in (b"".join([INFO, wrong, page(9)]), members([INFO, wrong, page(9)])):
        pages, dropped = read(tmp_path / "a", data)
        assert [p.url for p in pages] == ["http://example.org/9"]
        assert [d.reason for d in dropped] == ["warcinfo", "corrupt"]


def deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


BODY = b"<html><p>" + b"formula " * 300
CHUNKED = b"%x\r\n%s\r\n3;name=value\r\nabc\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    ("headers", "body", "payload", "truncated"),
    [
        (b"Content-Encoding: gzip\r\n", gzip.compress(BODY), BODY, None),
        (b"Content-Encoding: x-gzip\r\n", gzip.compress(BODY)[:-20], BODY[:100], "incomplete"),
        (b"Content-Encoding: gzip\r\n", gzip.compress(BODY) + b"tail", BODY, None),
        (b"Content-Encoding: gzip\r\n", BODY, BODY, None),
        (b"Content-Encoding: deflate\r\n", zlib.compress(BODY), BODY, None),
        (b"Content-Encoding: deflate\r\n", deflated(BODY), BODY, None),
        (b"Content-Encoding: br\r\n", brotli.compress(BODY), BODY, None),
        (b"Content-Encoding: br\r\n", BODY, BODY, None),
        (b"Content-Encoding: zstd\r\n", zstandard(BODY), BODY, None),
        (b"Content-Encoding: gzip, br\r\n", brotli.compress(gzip.compress(BODY)), BODY, None),
        (b"Content-Encoding: identity\r\n", BODY, BODY, None),
        (b"Transfer-Encoding: chunked\r\n", CHUNKED, BODY + b"abc", None),
        (b"Transfer-Encoding: chunked\r\n", BODY, BODY, None),
        (b"Transfer-Encoding: chunked\r\n", CHUNKED[:1000], BODY[: 1000 - 5], "incomplete"),
        (b"Transfer-Encoding: chunked\r\n", b"3\r\n<p>\r\nnot a size\r\n", b"<p>not a size\r\n", None),
        (
            b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n",
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(gzip.compress(BODY)), gzip.compress(BODY)),
            BODY,
            None,
        ),
    ],
)
def test_transfer_and_content_encodings_are_removed(
    tmp_path: Path, headers: bytes, body: bytes, payload: bytes, truncated: str | None
) -> None:
    got = one(tmp_path / "a", html_record(body, HTML + headers))
    assert isinstance(got, Response)
    assert got.payload.startswith(payload) if truncated else got.payload == payload
    assert got.truncated == truncated


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"zstd", b"deflate", b"compress"])
def test_a_body_that_does_not_decode_is_dropped_with_its_reason(tmp_path: Path, encoding: bytes) -> None:
    body = b"\x1f\x8b\xff\xff" + bytes(range(256))
    got = one(tmp_path / "a", html_record(body, HTML + b"Content-Encoding: " + encoding + b"\r\n"))
    assert got == Dropped(0, "http://example.org/", "bad_content_encoding")


def test_a_bomb_is_cut_at_the_limit(tmp_path: Path) -> None:
    zeros = b"<p>" + b"a" * 60_000_000
    bombs = [
        html_record(gzip.compress(zeros), HTML + b"Content-Encoding: gzip\r\n"),
        html_record(brotli.compress(zeros, quality=1), HTML + b"Content-Encoding: br\r\n"),
        html_record(zstandard(zeros), HTML + b"Content-Encoding: zstd\r\n"),
    ]
    (tmp_path / "a").write_bytes(members([*bombs, page(1)]))
    tracemalloc.start()
    pages = [r for r in read_records(str(tmp_path / "a"), max_bytes=100_000) if isinstance(r, Response)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(len(p.payload), p.truncated) for p in pages[:3]] == [(100_000, "length")] * 3
    assert [p.url for p in pages[3:]] == ["http://example.org/1"]
    assert peak < 12_000_000


def test_a_record_over_the_limit_is_cut_and_the_next_is_read(tmp_path: Path) -> None:
    pages, dropped = read(tmp_path / "a", members([html_record(b"<p>" + b"a" * 9_000_000), page(1)]), max_bytes=100_000)
    assert [(len(p.payload), p.truncated) for p in pages] == [(100_000, "length"), (len(pages[1].payload), None)]
    assert not dropped


def test_a_member_with_a_wrong_checksum_is_corrupt(tmp_path: Path) -> None:
    broken = bytearray(gzip.compress(RECORDS[2]))
    broken[-8] ^= 1
    pages, dropped = read(tmp_path / "a", bytes(broken) + gzip.compress(RECORDS[3]))
    assert [p.url[-1] for p in pages] == ["1"]
    assert dropped == [Dropped(0, None, "corrupt")]


def test_a_content_encoding_that_goes_wrong_half_way_keeps_the_first_half(tmp_path: Path) -> None:
    body = b"<p>" + random.Random(0).randbytes(200_000).hex().encode()
    packed = bytearray(gzip.compress(body))
    packed[len(packed) // 2 :] = random.Random(1).randbytes(len(packed) - len(packed) // 2)
    got = one(tmp_path / "a", html_record(bytes(packed), HTML + b"Content-Encoding: gzip\r\n"))
    assert isinstance(got, Response) and got.truncated == "incomplete"
    assert body.startswith(got.payload[:100_000]) and len(got.payload) > 100_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (record("response", b"HTTP/1.1 404 Not Found\r\n\r\nx", "http://e.org/"), "status_404"),
        (record("response", b"HTTP/1.1 301 Moved\r\n\r\n", "http://e.org/"), "status_301"),
        (record("response", b"HTTP is what this is not", "http://e.org/"), "bad_http"),
        (record("response", b"20260101\nexample.org. A", "dns:e.org"), "not_http"),
        (html_record(b" \r\n"), "empty_body"),
        (html_record(b""), "empty_body"),
        (html_record(b"%PDF-1.7"), "not_html"),
        (html_record(b"<p>", b"Content-Type: text/plain\r\n"), "not_html"),
        (html_record(b"{}", b""), "not_html"),
        (record("revisit", b"", "http://e.org/"), "revisit"),
        (record("", b"", "http://e.org/"), "no_warc_type"),
    ],
)
def test_every_other_record_is_dropped_with_its_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    got = one(tmp_path / "a", data)
    assert isinstance(got, Dropped) and got.reason == reason


@pytest.mark.parametrize(
    ("http", "warc"),
    [
        (b"", b""),
        (b"Content-Type: application/xhtml+xml\r\n", b""),
        (b"Content-Type: TEXT/HTML\r\n", b""),
        (b"content-type:text/html\n", b""),
        (b"Content-Type: */*\r\n", b"WARC-Identified-Payload-Type: text/html\r\n"),
        (b"X: \xff\xfe\r\n", b""),
    ],
)
def test_html_is_known_by_header_by_the_crawler_or_by_its_first_bytes(tmp_path: Path, http: bytes, warc: bytes) -> None:
    assert isinstance(one(tmp_path / "a", html_record(b"<!DOCTYPE html><p>x", http, headers=warc)), Response)


def test_warc_truncated_is_handed_on_and_bad_dates_are_none(tmp_path: Path) -> None:
    data = html_record(b"<p>x", headers=b"WARC-Truncated: disconnect\r\n").replace(
        b"2026-01-02T03:04:05Z", b"yesterday"
    )
    got = one(tmp_path / "a", data)
    assert isinstance(got, Response)
    assert (got.truncated, got.fetch_time) == ("disconnect", None)


def test_a_record_that_is_gone_is_an_input_error_that_names_file_and_offset(tmp_path: Path) -> None:
    source = written(tmp_path / "a.warc.gz", members(RECORDS))
    for offset in (0, 7, 10**9):
        with pytest.raises(InputError, match=rf"a\.warc\.gz.*offset {offset}\b"):
            read_record(source, offset, 100)
    with pytest.raises(InputError, match="gone"):
        read_record(str(tmp_path / "gone"), 0, 1)
    with pytest.raises(InputError, match="gone"):
        next(read_records(str(tmp_path / "gone")))


def test_names_are_the_shortest_trailing_paths_that_tell_files_apart(tmp_path: Path) -> None:
    for name in ("x/warc/a.warc.gz", "y/warc/a.warc.gz", "y/warc/b.warc", "y/notes.txt", "y/c.warc.wet.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert list(expand(["y/warc/*"], tmp_path)) == ["a.warc.gz", "b.warc"]
    assert expand(["x", str(tmp_path / "y")], tmp_path) == {
        f"{n}": str(tmp_path / n) for n in ("x/warc/a.warc.gz", "y/warc/a.warc.gz", "y/warc/b.warc")
    }
    assert list(expand(["y/warc/b.warc", "y/*/b.warc", "**/b.warc"], tmp_path)) == ["b.warc"]
    assert list(expand(["y/c.warc.wet.gz"], tmp_path)) == ["c.warc.wet.gz"]
    for pattern in ("z/*.warc", "gone.warc", "nowhere://x/a.warc"):
        with pytest.raises(InputError, match=re.escape(pattern)):
            expand([pattern], tmp_path)


def test_urls_that_fsspec_opens_are_read_like_files(tmp_path: Path) -> None:
    written(tmp_path / "a.warc.gz", members(RECORDS))
    found = expand([f"file://{tmp_path}/*.warc.gz"], Path("/nowhere"))
    assert list(found) == ["a.warc.gz"]
    source = found["a.warc.gz"]
    assert source.startswith("file://")
    pages = [r for r in read_records(source) if isinstance(r, Response)]
    assert len(pages) == 5
    assert read_record(source, pages[2].offset, pages[2].length).payload == pages[2].payload


RUSSIAN = "Теорема Пифагора утверждает, что квадрат гипотенузы равен сумме квадратов катетов. " * 3


@pytest.mark.parametrize(
    ("payload", "http_charset", "text", "charset"),
    [
        (b"plain", None, "plain", "utf-8"),
        ("\ufeffé".encode(), "latin1", "é", "utf-8"),
        ("\ufeffé".encode("utf-16-le"), "utf-8", "é", "utf-16le"),
        ("<p>abc é".encode("utf-16-be"), None, "<p>abc é", "utf-16be"),
        ("“é” €".encode("cp1252"), "ISO-8859-1", "“é” €", "windows-1252"),
        ("“é” €".encode(), "iso-8859-1", "“é” €", "utf-8"),
        (("é" * 30).encode(), "latin1", "é" * 30, "utf-8"),
        (RUSSIAN.encode("cp1251"), "utf-8", RUSSIAN, "windows-1251"),
        (RUSSIAN.encode("koi8-r"), None, RUSSIAN, "koi8-r"),
        ("中文页面".encode("gb18030"), "gb2312", "中文页面", "gb18030"),
        ("日本語①".encode("cp932"), "Shift_JIS", "日本語①", "shift_jis"),
        ("한국어".encode("cp949"), "ks_c_5601-1987", "한국어", "euc-kr"),
        ("日本".encode("iso-2022-jp"), "iso-2022-jp", "日本", "iso-2022-jp"),
        (
            b'<meta charset="windows-1251">' + "мир".encode("cp1251"),
            None,
            '<meta charset="windows-1251">мир',
            "windows-1251",
        ),
        (
            b"<?xml version='1.0' encoding='koi8-r'?>" + "мир".encode("koi8-r"),
            None,
            "<?xml version='1.0' encoding='koi8-r'?>мир",
            "koi8-r",
        ),
        (b'<meta charset="utf-16">' + "é".encode(), None, '<meta charset="utf-16">é', "utf-8"),
        ("é".encode() * 50 + b"\xff", None, "é" * 50 + "\ufffd", "utf-8"),
        ("été".encode()[:-1], "utf-8", "ét", "utf-8"),
        (b"a\0b", None, "ab", "utf-8"),
        (b"caf\xe9", "no-such-charset", "café", "windows-1252"),
        (b"", "utf-8", "", "utf-8"),
    ],
)
def test_charsets_worked_by_hand(payload: bytes, http_charset: str | None, text: str, charset: str) -> None:
    assert decode(payload, http_charset) == (text, charset)


def test_decode_never_raises_and_gives_no_nul_and_no_surrogate() -> None:
    rng = random.Random(0)
    for label in [*CODECS, None, "", "\ud800", "utf-7", "rot13", "idna"]:
        for size in (0, 1, 3, 50, 2_000):
            for prefix in (b"", b"\xff\xfe", b"\xfe\xff", b"<meta charset=utf-16>", b"\xd8\x00" * 5, b"\x1b$B"):
                text, name = decode(prefix + rng.randbytes(size), label)
                text.encode()
                assert "\0" not in text and name in CODECS
    every_pair = bytes(byte for n in range(65_536) for byte in (n >> 8, n & 255))
    for codec in CODECS.values():
        every_pair.decode(codec, "replace").encode()
