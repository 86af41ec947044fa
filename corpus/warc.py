"""WARC files to HTML pages with their pointers, and a reason for every record that is none."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple, TypeGuard

from corpus.charset import decode
from corpus.errors import InputError
from corpus.fields import Field
from corpus.payload import HTML_TYPES, UNKNOWN_TYPES, BadEncoding, content_type, decode_body, is_html, parse_http
from corpus.records import Damage, Record, read_frames
from corpus.sources import expand, open_source, read_range

__all__ = ["Dropped", "Response", "decode", "expand", "read_record", "read_records"]

MAX_BYTES = 10_000_000
FRAMING_BYTES = 1_000_000  # room for HTTP headers and chunk sizes in a block of MAX_BYTES
TEXT_TYPE = "text/plain"
WARC_TYPE, URL, DATE = Field("WARC-Type"), Field("WARC-Target-URI"), Field("WARC-Date")
BLOCK_TYPE, IDENTIFIED_TYPE = Field("Content-Type"), Field("WARC-Identified-Payload-Type")
KIND = re.compile("[a-z_-]{1,20}")
TRUNCATED, IS_PART_OF = Field("WARC-Truncated"), Field("isPartOf")


class Response(NamedTuple):
    """A page as captured: a response record with status 200 that holds HTML, or a WET file's plain text of one.

    offset, length: bytes of the record in the file as stored; where a gzip member or zstd frame
    holds several records, bytes of the decompressed file, and reading the record again costs
    reading up to there. content_type: as declared, or "text/plain" for a WET file's, whose text
    in UTF-8 is the payload. payload: de-chunked, content encoding removed. truncated: why the
    payload is not whole: WARC-Truncated, "incomplete" (file, chunks or encoding end too early)
    or "length" (cut at the limit).
    """

    url: str
    fetch_time: datetime | None
    crawl: str | None
    offset: int
    length: int
    content_type: str
    http_charset: str | None
    payload: bytes
    truncated: str | None
    status: int


class Dropped(NamedTuple):
    """A record, or a stretch of a file, that is no page. reason: a WARC-Type that is no response
    (warcinfo, request, metadata, revisit, resource, a conversion to no plain text ...), no_warc_type, bad_warc_type,
    not_http, bad_http, status_NNN, not_html, empty_body, bad_content_encoding, corrupt, incomplete, empty_file,
    not_warc."""

    offset: int
    url: str | None
    reason: str


class _Payload(NamedTuple):
    content_type: str
    charset: str | None
    payload: bytes
    damage: str | None


def read_records(
    source: str, max_bytes: int = MAX_BYTES, start: int = 0, crawl: str | None = None
) -> Iterator[Response | Dropped]:
    """Everything in a WARC, WET or ARC file, in file order: a page or the reason why not.

    source: a path, or a URL that fsspec opens. Memory is flat in the file's size. A page inside
    which the file breaks off is kept as "incomplete" where its HTTP headers and some of its
    body are there.

    start: offset of the one to begin with, as reading the whole file gave it: the same follow.
    crawl: the name that held there, until a warcinfo record says another.

    Raises InputError, naming source, where it cannot be opened or read, or nothing is at `start`.
    """
    frame: Record | Damage | None = None
    with open_source(source) as file:
        for frame in read_frames(file, max_bytes + FRAMING_BYTES, start):
            page = _page(frame, crawl, max_bytes)
            if isinstance(page, Dropped) and page.reason == "warcinfo" and isinstance(frame, Record):
                crawl = IS_PART_OF.of(b"\n" + frame.held[frame.start : frame.end]) or crawl
            yield page
    if start and frame is None:
        raise _changed(source, start, "no record starts there")


def read_record(source: str, offset: int, length: int, max_bytes: int = MAX_BYTES) -> Response:
    """The page of one record, read again at its pointer; its `crawl` is None.

    Raises InputError, naming source and offset, where no page is there (any more).
    """
    max_block = max_bytes + FRAMING_BYTES
    frame = next(read_frames(io.BytesIO(read_range(source, offset, length)), max_block), None)
    # Only the length tells a member at this offset from a record whose offset counts decompressed bytes,
    # and what these bytes as stored cut off looks as long as they are.
    if not _has_length(frame, length) or frame.damage == "incomplete":
        with open_source(source) as file:
            frame = next(read_frames(file, max_block, offset), None)
            if not _has_length(frame, length):
                others = (other for other in read_frames(file, max_block) if other.offset == offset)
                frame = next((other for other in others if _has_length(other, length)), frame)
    page = _page(frame, None, max_bytes) if frame else None
    if not isinstance(page, Response):
        raise _changed(source, offset, page.reason if page else "no record starts there")
    return page._replace(offset=offset, length=length)


def _has_length(frame: Record | Damage | None, length: int) -> TypeGuard[Record]:
    return isinstance(frame, Record) and frame.length == length


def _changed(source: str, offset: int, why: str) -> InputError:
    return InputError(
        f"{source}: no page at offset {offset} ({why}). The file changed since it was ingested: "
        "put the old one back, or ingest again."
    )


def _page(frame: Record | Damage, crawl: str | None, max_bytes: int) -> Response | Dropped:
    if isinstance(frame, Damage):
        return Dropped(frame.offset, None, frame.reason)
    found = _payload(frame, max_bytes)
    url = URL.of(frame.header).strip("<>")
    if isinstance(found, str):
        return Dropped(frame.offset, url or None, "incomplete" if frame.damage == "incomplete" else found)
    return Response(
        url=url,
        fetch_time=_time(DATE.of(frame.header)),
        crawl=crawl,
        offset=frame.offset,
        length=frame.length,
        content_type=found.content_type,
        http_charset=found.charset,
        payload=found.payload,
        truncated=TRUNCATED.of(frame.header) or frame.damage or found.damage,
        status=200,
    )


def _payload(frame: Record, max_bytes: int) -> _Payload | str:
    """The page that a record holds, or the reason why it holds none."""
    kind = WARC_TYPE.of(frame.header).lower()
    if kind == "conversion":
        return _plain_text(frame, max_bytes)
    if kind != "response":
        return kind if KIND.fullmatch(kind) else "bad_warc_type" if kind else "no_warc_type"
    message = parse_http(frame.held, frame.start, frame.end)
    if message is None:
        return "bad_http" if BLOCK_TYPE.of(frame.header).lower().startswith("application/http") else "not_http"
    if message.status != 200:
        return f"status_{message.status}"
    declared, charset = content_type(message)
    media_type = declared
    if declared in UNKNOWN_TYPES:
        media_type = IDENTIFIED_TYPE.of(frame.header).lower() or declared
    elif declared not in HTML_TYPES:
        return "not_html"
    try:
        payload, damage = decode_body(message, max_bytes)
    except BadEncoding:
        return "bad_content_encoding"
    if not payload or payload.isspace():
        return "empty_body"
    if not is_html(media_type, payload):
        return "not_html"
    return _Payload(declared, charset, payload, damage)


def _plain_text(frame: Record, max_bytes: int) -> _Payload | str:
    """The text of a page that a WET file holds."""
    if BLOCK_TYPE.of(frame.header).partition(";")[0].strip().lower() != TEXT_TYPE:
        return "conversion"
    text = frame.held[frame.start : min(frame.end, frame.start + max_bytes)]
    if not text or text.isspace():
        return "empty_body"
    return _Payload(TEXT_TYPE, "utf-8", text, "length" if frame.end - frame.start > max_bytes else None)


def _time(date: str) -> datetime | None:
    """WARC-Date (ISO 8601) or an ARC file's fourteen digits, in UTC to the second."""
    try:
        if date.isdecimal():
            return datetime.strptime(date[:14].ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        time = datetime.fromisoformat(date)
        return time.replace(tzinfo=time.tzinfo or UTC, microsecond=0).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
