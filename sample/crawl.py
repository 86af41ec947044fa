"""WARC files as a crawler writes them: a gzip member a record, request, response and metadata."""

import hashlib
import io
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

CRAWL = "SAMPLE-2026"
STARTED = datetime(2026, 1, 12, 6, 0, tzinfo=UTC)  # planted: the sample's bytes do not depend on today

_SOFTWARE = "sample-crawler/1.0"
_REASONS = {200: "OK", 301: "Moved Permanently", 404: "Not Found"}


@dataclass(frozen=True)
class Capture:
    """One answer of a server. body: as it came over the wire, encoded and chunked as the headers say."""

    url: str
    date: datetime
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: str | None = None  # WARC-Truncated: length, time, ...


def fetched(seconds: int) -> datetime:
    """Planted time: `seconds` after the crawl began."""
    return STARTED + timedelta(seconds=seconds)


def chunked(body: bytes, size: int = 4096) -> bytes:
    """HTTP/1.1 chunked transfer coding of `body`."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def write(directory: Path, captures: list[Capture], n_files: int, report: Callable[[str, int, int], None]) -> None:
    """Write captures, by date, in turn into n_files files SAMPLE-2026-NNNNN.warc.gz."""
    ordered = sorted(captures, key=lambda capture: (capture.date, capture.url))
    done = 0
    for number in range(n_files):
        name = f"{CRAWL}-{number:05}.warc.gz"
        with (directory / name).open("wb") as file:
            writer = WARCWriter(file, gzip=True, warc_version="1.0")
            writer.write_record(_warcinfo(writer, name))
            for capture in ordered[number::n_files]:
                if done % 250 == 0:
                    report("crawl", done, len(ordered))
                done += 1
                for record in _records(writer, capture):
                    writer.write_record(record)


def _warcinfo(writer: WARCWriter, name: str) -> ArcWarcRecord:
    info = {"software": _SOFTWARE, "isPartOf": CRAWL, "format": "WARC File Format 1.0", "robots": "obey"}
    record = writer.create_warcinfo_record(name, info)
    record.rec_headers.replace_header("WARC-Date", _stamp(STARTED))
    record.rec_headers.replace_header("WARC-Record-ID", _record_id("warcinfo", name))
    return record


def _records(writer: WARCWriter, capture: Capture) -> Iterator[ArcWarcRecord]:
    split = urlsplit(capture.url)
    target = (split.path or "/") + (f"?{split.query}" if split.query else "")
    response_id = _record_id("response", capture.url, _stamp(capture.date))
    common = {"WARC-Date": _stamp(capture.date)}
    # TEST-NET-2: addresses that belong to no one.
    address = f"198.51.100.{1 + int(hashlib.sha1((split.hostname or '').encode()).hexdigest(), 16) % 254}"
    asked = StatusAndHeaders(
        f"GET {target} HTTP/1.1",
        [("Host", split.netloc), ("User-Agent", _SOFTWARE), ("Accept-Encoding", "gzip"), ("Connection", "close")],
        is_http_request=True,
    )
    yield writer.create_warc_record(
        capture.url, "request", payload=io.BytesIO(b""), length=0, http_headers=asked,
        warc_headers_dict={**common, "WARC-Record-ID": _record_id("request", capture.url, _stamp(capture.date)),
                           "WARC-Concurrent-To": response_id, "WARC-IP-Address": address},
    )  # fmt: skip
    cut = {"WARC-Truncated": capture.truncated} if capture.truncated else {}
    answered = StatusAndHeaders(
        f"{capture.status} {_REASONS[capture.status]}", list(capture.headers), protocol="HTTP/1.1"
    )
    yield writer.create_warc_record(
        capture.url, "response", payload=io.BytesIO(capture.body), length=len(capture.body), http_headers=answered,
        warc_headers_dict={**common, "WARC-Record-ID": response_id, "WARC-IP-Address": address, **cut},
    )  # fmt: skip
    facts = f"fetchTimeMs: {20 + len(capture.body) % 400}\r\n".encode()
    yield writer.create_warc_record(
        capture.url, "metadata", payload=io.BytesIO(facts), length=len(facts),
        warc_content_type="application/warc-fields",
        warc_headers_dict={**common, "WARC-Record-ID": _record_id("metadata", capture.url, _stamp(capture.date)),
                           "WARC-Refers-To": response_id},
    )  # fmt: skip


def _stamp(date: datetime) -> str:
    return date.strftime("%Y-%m-%dT%H:%M:%SZ")


def _record_id(*parts: str) -> str:
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ' '.join((CRAWL, *parts)))}>"
