"""WARC files to HTML pages with their pointers, and a reason for every record that is none."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from corpus.charset import decode
from corpus.errors import InputError
from corpus.payload import (
    HTML_TYPES,
    UNKNOWN_TYPES,
    BadEncoding,
    content_type,
    decode_body,
    http_charset,
    is_html,
    parse_http,
)
from corpus.records import Damage, Record, read_frames
from corpus.sources import expand, open_source, read_range

__all__ = ["Dropped", "Response", "decode", "expand", "read_record", "read_records"]

MAX_BYTES = 10_000_000
FRAMING_BYTES = 1_000_000  # room for HTTP headers and chunk sizes in a block of MAX_BYTES


@dataclass(frozen=True)
class Response:
    """A HTML page as captured: a response record with status 200.

    offset, length: bytes of the record in the file as stored; where a gzip file is compressed
    as a whole (or is zstd), bytes of the decompressed file, and reading the record again
    costs reading up to there. payload: de-chunked, content encoding removed. truncated: why the
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


@dataclass(frozen=True)
class Dropped:
    """A record, or a stretch of a file, that is no page. reason: a WARC-Type that is no response
    (warcinfo, request, metadata, conversion, revisit, resource ...), not_http, bad_http,
    status_NNN, not_html, empty_body, bad_content_encoding, corrupt, incomplete, empty_file, not_warc."""

    offset: int
    url: str | None
    reason: str


def read_records(source: str, max_bytes: int = MAX_BYTES) -> Iterator[Response | Dropped]:
    """Everything in a WARC or ARC file, in file order: a page or the reason why not.

    source: a path, or a URL that fsspec opens. Memory is flat in the file's size. A page inside
    which the file breaks off is kept as "incomplete" where its HTTP headers and some of its
    body are there.

    Raises InputError, naming source, where it cannot be opened or read.
    """
    crawl: str | None = None
    with open_source(source) as file:
        for frame in read_frames(file, max_bytes + FRAMING_BYTES):
            if isinstance(frame, Record) and frame.headers.get("warc-type") == "warcinfo":
                crawl = _is_part_of(frame.block) or crawl
            yield _page(frame, crawl, max_bytes)


def read_record(source: str, offset: int, length: int, max_bytes: int = MAX_BYTES) -> Response:
    """The page of one record, read again at its pointer; its `crawl` is None.

    Raises InputError, naming source and offset, where no page is there (any more).
    """
    frame = next(read_frames(io.BytesIO(read_range(source, offset, length)), max_bytes + FRAMING_BYTES), None)
    if not isinstance(frame, Record):
        with open_source(source) as file:
            frame = next(read_frames(file, max_bytes + FRAMING_BYTES, skip=offset), None)
    page = _page(frame, None, max_bytes) if isinstance(frame, Record) else None
    if not isinstance(page, Response):
        why = page.reason if page else "no record starts there"
        raise InputError(
            f"{source}: no page at offset {offset} ({why}). The file changed since it was ingested: "
            "put the old one back, or ingest again."
        )
    return Response(**{**page.__dict__, "offset": offset, "length": length})


def _page(frame: Record | Damage, crawl: str | None, max_bytes: int) -> Response | Dropped:
    if isinstance(frame, Damage):
        return Dropped(frame.offset, None, frame.reason)
    url = frame.headers.get("warc-target-uri", "").strip("<>") or None

    def dropped(reason: str) -> Dropped:
        return Dropped(frame.offset, url, "incomplete" if frame.damage == "incomplete" else reason)

    kind = frame.headers.get("warc-type", "").lower()
    if kind != "response":
        return dropped(kind or "no_warc_type")
    message = parse_http(frame.block)
    if message is None:
        is_http = frame.headers.get("content-type", "").lower().startswith("application/http")
        return dropped("bad_http" if is_http else "not_http")
    if message.status != 200:
        return dropped(f"status_{message.status}")
    declared = content_type(message)
    identified = frame.headers.get("warc-identified-payload-type", "").lower()
    if declared not in HTML_TYPES + UNKNOWN_TYPES:
        return dropped("not_html")
    try:
        payload, damage = decode_body(message, max_bytes)
    except BadEncoding:
        return dropped("bad_content_encoding")
    if not payload or payload.isspace():
        return dropped("empty_body")
    if not is_html(declared, identified, payload):
        return dropped("not_html")
    return Response(
        url=url or "",
        fetch_time=_time(frame.headers.get("warc-date", "")),
        crawl=crawl,
        offset=frame.offset,
        length=frame.length,
        content_type=declared,
        http_charset=http_charset(message),
        payload=payload,
        truncated=frame.headers.get("warc-truncated") or frame.damage or damage,
        status=message.status,
    )


def _is_part_of(block: bytes) -> str | None:
    """The crawl's name in a warcinfo record."""
    for line in block.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "ispartof":
            return value.strip() or None
    return None


def _time(date: str) -> datetime | None:
    """WARC-Date (ISO 8601) or an ARC file's fourteen digits, in UTC to the second."""
    try:
        if date.isdecimal():
            return datetime.strptime(date[:14].ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        time = datetime.fromisoformat(date)
        return time.replace(tzinfo=time.tzinfo or UTC, microsecond=0).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
