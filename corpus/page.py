"""A record of a crawl to a row of the pool: what runs in the killable child, which loads neither Arrow nor settings."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import xxhash

from corpus import language
from corpus.charset import utf8
from corpus.cheap import UNPRINTABLE, CheapText, cheap_text
from corpus.markup import KINDS
from corpus.tex import count_commands, count_tex, without_definitions
from corpus.text import estimate_tokens
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
    if record.content_type == "text/plain":
        page, charset = _plain_text(record.payload.decode("utf-8", "replace")), "utf-8"
    else:
        html, charset = utf8(record.payload, record.http_charset)
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
        "crawl": record.crawl and UNPRINTABLE.sub("", record.crawl),
        "fetch_time": record.fetch_time,
        "warc_record_offset": record.offset,
        "warc_record_length": record.length,
        "content_digest": xxhash.xxh3_128_hexdigest(record.payload),
        "content_charset": charset,
        "content_truncated": record.truncated and UNPRINTABLE.sub("", record.truncated),
        "language": code,
        "title": page.title,
        "text": page.text,
        "n_chars": len(page.text),
        "n_tokens": estimate_tokens(page.text),
        "n_commands": count_commands(page.text),
        "n_formulas": sum(page.formulas.values()),
        **{f"formulas_{kind}": page.formulas.get(kind, 0) for kind in KINDS},
    }


def _plain_text(text: str) -> CheapText:
    """The text of a WET file, which has lines already, by the rules of cheap text."""
    lines = (" ".join(UNPRINTABLE.sub("", line).split()) for line in without_definitions(text).splitlines())
    shown = "\n".join(line for line in lines if line)
    n_formulas = count_tex(shown)
    return CheapText(None, shown, {"text": n_formulas} if n_formulas else {})
