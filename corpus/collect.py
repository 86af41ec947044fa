"""Collected pages again, with care: each record is read at its pointer and its formulas are kept."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.charset import decode
from corpus.config import Pool
from corpus.errors import InputError
from corpus.extract import CarefulText, careful_text
from corpus.guard import Failure, Guard
from corpus.schema import EXTRACTED, FAILED
from corpus.tables import read_rows, table_writer
from corpus.text import estimate_tokens
from corpus.urls import canonical_url
from corpus.warc import read_record
from corpus.workspace import part

POINTER = ["page_id", "url", "warc_filename", "warc_record_offset", "warc_record_length", "fetch_time"]


def extract_part(
    source: str, pages: Path, kept: Path, recalled: Path, rank: int, directory: Path, limits: Pool
) -> None:
    """Extract the recalled pages of one pool part into part-NNNNN (schema.EXTRACTED) and failed-NNNNN.parquet.

    source: the WARC file that the part came from. A page that breaks the limits or leaves no text is
    a row of schema.FAILED.
    Raises InputError, naming source and offset, where a record is no longer there, or another page's.
    """
    offsets = {row["page_id"]: row["warc_record_offset"] for row in read_rows(kept)}
    wanted = (row["page_id"] for row in read_rows(recalled, ["page_id"]))  # of the whole pool: never held at once
    captures = {(page_id, offsets[page_id]) for page_id in wanted if page_id in offsets}
    sent: deque[dict[str, Any]] = deque()

    def records() -> Iterator[tuple[bytes, str | None, str]]:
        for row in read_rows(pages, POINTER):
            if (row["page_id"], row["warc_record_offset"]) in captures:
                offset = row["warc_record_offset"]
                found = read_record(source, offset, row["warc_record_length"], limits.max_page_bytes)
                if canonical_url(found.url) != row["url"]:
                    raise InputError(
                        f"{source}: {found.url} at offset {offset}, not {row['url']}. The file changed since it was "
                        "ingested: put the old one back, or ingest again."
                    )
                sent.append(row)
                yield found.payload, found.http_charset, row["url"]

    guard: Guard[CarefulText] = Guard(
        "corpus.collect:extract_record", seconds=limits.page_seconds, megabytes=limits.page_megabytes
    )
    with (
        table_writer(part(directory, rank), EXTRACTED) as extracted,
        table_writer(part(directory, rank, "failed"), FAILED) as failed,
        guard,
    ):
        for result in guard.map(records()):
            row = sent.popleft()
            if isinstance(result, Failure):
                reason = ":".join(result.reason.split(":")[:2])  # as in the pool: the message would make each another
                failed.add({"page_id": row["page_id"], "reason": reason})
            elif not result.text:
                failed.add({"page_id": row["page_id"], "reason": "no_text"})
            else:
                extracted.add(
                    {
                        **row,
                        "text": result.text,
                        "n_chars": len(result.text),
                        "n_tokens": estimate_tokens(result.text),
                        "n_formulas": result.n_formulas,
                        "n_formulas_kept": result.n_formulas_kept,
                        "extractor": result.extractor,
                    }
                )


def extract_record(record: tuple[bytes, str | None, str]) -> CarefulText:
    """(payload, charset by HTTP, URL) to text: what runs in the killable worker."""
    payload, http_charset, url = record
    return careful_text(decode(payload, http_charset)[0], url)
