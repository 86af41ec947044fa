"""A record of a crawl to a row of the pool: what runs in the killable child, which loads neither Arrow nor settings."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import xxhash

from corpus import language
from corpus.charset import decode
from corpus.cheap import cheap_text
from corpus.urls import canonical_url, host_name, page_id, registered_domain
from corpus.warc import Dropped, Response, read_records


class Wanted(NamedTuple):
    """Which pages become rows; the names are those of the settings in section pool."""

    max_page_bytes: int
    min_chars: int
    languages: tuple[str, ...]
    exclude_languages: tuple[str, ...]


def read_pages(
    source: str, wanted: Wanted, start: tuple[int, str | None] | None
) -> Iterator[tuple[tuple[int, str], tuple[int, str | None] | None, tuple[Response | Dropped, Wanted]]]:
    """Every record of a WARC file as guard.Guard reads items: named by offset and URL, begun from (offset, crawl).

    Only where a page is, for a record that is none does not tell which crawl's name holds there.
    Raises InputError, naming source, where it cannot be read.
    """
    for record in read_records(source, wanted.max_page_bytes, *(start or ())):
        begin = (record.offset, record.crawl) if isinstance(record, Response) else None
        yield (record.offset, record.url or ""), begin, (record, wanted)


def read_page(item: tuple[Response | Dropped, Wanted]) -> dict[str, Any] | Dropped:
    """Columns of PAGE that the record tells, or why it is no page that is wanted."""
    record, wanted = item
    if isinstance(record, Dropped):
        return record
    try:
        url = canonical_url(record.url)
    except ValueError:
        return Dropped(record.offset, record.url or None, "bad_url")
    html, charset = decode(record.payload, record.http_charset)
    page = cheap_text(html)
    if len(page.text) < wanted.min_chars:
        return Dropped(record.offset, record.url, "too_short")
    code = language.identify(page.text)
    name = code or language.UNKNOWN
    if (wanted.languages and name not in wanted.languages) or name in wanted.exclude_languages:
        return Dropped(record.offset, record.url, f"language_{name}")
    host = host_name(url)
    return {
        "page_id": page_id(url),
        "url": url,
        "url_host_name": host,
        "url_host_registered_domain": registered_domain(host),
        "crawl": record.crawl,
        "fetch_time": record.fetch_time,
        "warc_record_offset": record.offset,
        "warc_record_length": record.length,
        "content_digest": xxhash.xxh3_128_hexdigest(record.payload),
        "content_charset": charset,
        "content_truncated": record.truncated,
        "language": code,
        "title": page.title,
        "text": page.text,
        "n_chars": len(page.text),
    }
