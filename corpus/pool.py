"""One WARC file to one part of the pool: its pages with cheap text, and why each other record is none."""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xxhash

from corpus import language
from corpus.charset import decode
from corpus.cheap import cheap_text
from corpus.config import Pool
from corpus.guard import Failure, Guard
from corpus.schema import DROPPED, PAGE
from corpus.tables import TableWriter, table_writer
from corpus.text import estimate_tokens
from corpus.urls import canonical_url, host_name, page_id, registered_domain
from corpus.warc import Dropped, Response, read_records


@dataclass(frozen=True)
class PageText:
    """What the columns of PAGE say of a payload; the names are theirs."""

    content_digest: str
    content_charset: str
    language: str | None
    title: str | None
    text: str
    n_chars: int
    n_tokens: int


def ingest_part(source: str, warc_filename: str, rank: int, directory: Path, limits: Pool) -> None:
    """Write part-NNNNN.parquet (PAGE) and dropped-NNNNN.parquet (DROPPED) of one WARC file.

    Rows stand in file order, and every record is a row of one of the two. The part is renamed
    last: where it exists, both are complete. Pages are parsed in a child process that is
    killed when one takes too long.

    Raises InputError, naming source, where it cannot be read; a full disk is an OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    waiting: deque[Response | Dropped] = deque()

    def payloads() -> Iterator[tuple[bytes, str | None]]:
        for record in read_records(source, limits.max_page_bytes):
            waiting.append(record)
            if isinstance(record, Response):
                yield record.payload, record.http_charset

    with (
        table_writer(directory / f"part-{rank:05d}.parquet", PAGE) as part,
        table_writer(directory / f"dropped-{rank:05d}.parquet", DROPPED) as dropped,
        Guard[PageText]("corpus.pool:read_page", seconds=limits.page_seconds, megabytes=limits.page_megabytes) as guard,
    ):
        for page in guard.map(payloads()):
            _write_dropped(waiting, warc_filename, dropped)
            response = waiting.popleft()
            assert isinstance(response, Response)
            row = _row(response, page, warc_filename, limits)
            if isinstance(row, str):
                waiting.appendleft(Dropped(response.offset, response.url or None, row))
            else:
                part.add(row)
        _write_dropped(waiting, warc_filename, dropped)


def read_page(page: tuple[bytes, str | None]) -> PageText:
    """A payload and its HTTP charset to text and what is told from it. Runs under a Guard."""
    payload, http_charset = page
    html, charset = decode(payload, http_charset)
    cheap = cheap_text(html)
    return PageText(
        content_digest=xxhash.xxh3_128_hexdigest(payload),
        content_charset=charset,
        language=language.identify(cheap.text),
        title=cheap.title,
        text=cheap.text,
        n_chars=len(cheap.text),
        n_tokens=estimate_tokens(cheap.text),
    )


def _row(response: Response, page: PageText | Failure, warc_filename: str, limits: Pool) -> dict[str, Any] | str:
    """The page's row, or the reason why it has none."""
    if isinstance(page, Failure):
        return ":".join(page.reason.split(":")[:2])  # an error's message would make every reason another
    if page.n_chars < limits.min_chars:
        return "too_short"
    if limits.languages and page.language not in limits.languages:
        return f"language_{page.language or 'unknown'}"
    try:
        url = canonical_url(response.url)
    except ValueError:
        return "bad_url"
    host = host_name(url)
    return {
        "page_id": page_id(url),
        "url": url,
        "url_host_name": host,
        "url_host_registered_domain": registered_domain(host),
        "crawl": response.crawl or limits.crawl,
        "fetch_time": response.fetch_time,
        "warc_filename": warc_filename,
        "warc_record_offset": response.offset,
        "warc_record_length": response.length,
        "content_truncated": response.truncated,
        **asdict(page),
    }


def _write_dropped(waiting: deque[Response | Dropped], warc_filename: str, dropped: TableWriter) -> None:
    """Write the dropped records that wait before the next response."""
    while waiting and isinstance(record := waiting[0], Dropped):
        waiting.popleft()
        dropped.add(
            {
                "warc_filename": warc_filename,
                "warc_record_offset": record.offset,
                "url": record.url,
                "reason": record.reason,
            }
        )
