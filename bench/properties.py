"""What holds of both texts of any page, and of the rows of any file: for the fuzzer and for the tests.

Each function takes an input and raises AssertionError where it breaks a property; any other exception does too.
"""

import gzip
import io
from itertools import pairwise
from pathlib import Path

from fastwarc.stream_io import ZstdWriter

from corpus import asciimath, language
from corpus.charset import CODECS, decode, utf8
from corpus.cheap import UNPRINTABLE, cheap_text
from corpus.extract import Format, careful_text, plain_text
from corpus.marks import marks_of
from corpus.page import Wanted, read_page
from corpus.payload import DECODERS, BadEncoding, HttpMessage, decode_body
from corpus.records import Damage, Record, read_frames
from corpus.tex import find_tex, without_definitions
from corpus.text import classifier_line
from corpus.warc import Dropped, Response, read_record, read_records

WANTED = Wanted(max_page_bytes=1_000_000, min_chars=0, languages=(), exclude_languages=())
URL = "http://example.org/page.html"


def is_shown(text: str | None) -> None:
    """Nothing that no text is made of reaches a shard."""
    found = UNPRINTABLE.search(text or "")
    assert found is None, f"{found[0]!r} at {found.start()}"


def keeps_cheap(html: bytes | str) -> None:
    cheap = cheap_text(html)
    is_shown(cheap.text)
    is_shown(cheap.title)
    assert "\n\n" not in cheap.text
    assert all(n > 0 for n in cheap.formulas.values())
    assert cheap_text(html) == cheap


def keeps_careful(html: str, format: Format) -> None:
    careful = careful_text(html, URL, format)
    is_shown(careful.text)
    assert 0 <= careful.n_formulas_kept <= careful.n_formulas == sum(careful.kinds.values())
    assert careful_text(html, URL, format) == careful


def keeps_pieces(data: bytes) -> None:
    """Of the functions that text is made by, on their own."""
    text = data.decode("utf-8", "surrogateescape")
    shown = without_definitions(text)
    end = 0
    for begin, after, formula in find_tex(shown):
        assert end <= begin < after <= len(shown)
        assert formula.tex and formula.tex == " ".join(formula.tex.split())
        end = after
    plain = plain_text(text)
    is_shown(plain.text)
    assert plain.n_formulas_kept == plain.n_formulas
    line = classifier_line(text)
    assert "\n" not in line and not line.isspace()
    code = language.identify(text)
    assert code is None or (code.isascii() and code.islower() and len(code) == 2)
    assert asciimath.to_tex(text) == asciimath.to_tex(text)
    assert marks_of(data) == marks_of(data)


def keeps_charset(data: bytes) -> None:
    label = data.partition(b"\n")[0][:30].decode("latin-1")
    for declared in (None, label):
        payload, name = utf8(data, declared)
        assert name in CODECS
        assert b"\0" not in payload
        assert decode(data, declared) == (payload.decode(), name)


def keeps_body(data: bytes, max_bytes: int = 200_000) -> None:
    """data: header lines, a blank line, a body."""
    header, _, body = data.partition(b"\n\n")
    with_encoding = [b"\nContent-Encoding: %s" % name.encode() for name in DECODERS]
    for lines in (header, *with_encoding, b"\nTransfer-Encoding: chunked"):
        try:
            decoded, damage = decode_body(HttpMessage(200, b"\n" + lines + b"\n", body), max_bytes)
        except BadEncoding:
            continue
        assert len(decoded) <= max_bytes
        assert damage in (None, "length", "incomplete")


def keeps_records(data: bytes, directory: Path) -> None:
    """data: a file as stored."""
    accounts_for(data)
    path = directory / "input"
    path.write_bytes(data)
    rows = list(read_records(str(path), WANTED.max_page_bytes))
    assert rows == list(read_records(str(path), WANTED.max_page_bytes))
    for row in rows:
        columns = read_page((row, WANTED))
        for value in () if isinstance(columns, Dropped) else columns.values():
            if isinstance(value, str):
                is_shown(value)
    pages = [row for row in rows if isinstance(row, Response)]
    for row in pages[:3]:
        again = read_record(str(path), row.offset, row.length, WANTED.max_page_bytes)
        assert again == row._replace(crawl=None), (again, row)
    for row in pages[-1:] if in_one_count(data) else ():
        begun = read_records(str(path), WANTED.max_page_bytes, row.offset, row.crawl)
        assert list(begun) == rows[rows.index(row) :]


def in_one_count(data: bytes) -> bool:
    """Whether each record begins where the one before ends, and none follows a damage: some offsets else count bytes
    as stored, others decompressed ones, and one number may be two places."""
    frames = list(read_frames(io.BytesIO(data), WANTED.max_page_bytes))
    sound = all(isinstance(frame, Record) for frame in frames)
    return sound and all(a.offset + a.length == b.offset for a, b in pairwise(frames) if isinstance(a, Record))


def accounts_for(data: bytes) -> None:
    """Every byte of a file that is not compressed belongs to a record or to what lies behind a damage."""
    frames = list(read_frames(io.BytesIO(data), WANTED.max_page_bytes))
    assert frames, "neither a record nor a damage"
    if data.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18")):
        return
    assert isinstance(frames[0], Damage) or not data[: frames[0].offset].strip(b"\r\n")
    for frame, following in pairwise(frames):
        end = frame.offset + frame.length if isinstance(frame, Record) else following.offset
        assert frame.offset <= end == following.offset, (frame[:2], following[:2])
    if isinstance(last := frames[-1], Record):
        assert last.offset + last.length == len(data), last[:2]


def gzipped(records: list[bytes]) -> bytes:
    return b"".join(gzip.compress(each, 1, mtime=0) for each in records)


def zstandard(records: list[bytes]) -> bytes:
    """A frame each."""

    class Pipe(io.BytesIO):
        def close(self) -> None: ...

    frames = []
    for each in records:
        pipe = Pipe()
        with ZstdWriter(pipe) as writer:
            writer.write(each)
        frames.append(pipe.getvalue())
    return b"".join(frames)


def split(data: bytes) -> list[bytes]:
    first, *others = data.split(b"WARC/1.0\r\n")
    return [piece for piece in (first, *(b"WARC/1.0\r\n" + other for other in others)) if piece]


def damaged(data: bytes, where: bytes) -> bytes:
    """`data` with one byte changed, or cut off there, as three bytes tell; sound where the first is even."""
    if not data or len(where) < 3 or where[0] % 2 == 0:
        return data
    at = int.from_bytes(where[:2], "big") * len(data) >> 16
    return data[:at] if where[2] == 0 else data[:at] + bytes([data[at] ^ where[2]]) + data[at + 1 :]
