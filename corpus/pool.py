"""One WARC file to one part of the pool: its pages with cheap text, and why each other record is none."""

from pathlib import Path

from corpus.cheap import UNPRINTABLE
from corpus.config import Pool
from corpus.guard import Failure, kept_guard
from corpus.page import Wanted
from corpus.schema import DROPPED, PAGE
from corpus.tables import table_writer
from corpus.warc import Dropped


def ingest_part(source: str, warc_filename: str, rank: int, directory: Path, limits: Pool) -> None:
    """Write part-NNNNN.parquet (PAGE) and dropped-NNNNN.parquet (DROPPED) of one WARC file.

    Rows stand in file order, and every record is a row of one of the two. The part is renamed
    last: where it exists, both are complete. Reading and parsing is done in a child process, in which
    a page that takes too long or too much memory is left out.

    Raises InputError, naming source, where it cannot be read; a full disk is an OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    guard = kept_guard("corpus.page:read_pages", "corpus.page:read_page", limits.page_seconds, limits.page_megabytes)
    wanted = Wanted(*(getattr(limits, name) for name in Wanted._fields))
    with (
        table_writer(directory / f"part-{rank:05d}.parquet", PAGE) as part,
        table_writer(directory / f"dropped-{rank:05d}.parquet", DROPPED) as dropped,
    ):
        for row in guard.results(source, wanted):
            if isinstance(row, Failure):
                # An error's message would make every reason another.
                offset, url = row.name
                row = Dropped(offset, url or None, ":".join(row.reason.split(":")[:2]))
            if isinstance(row, Dropped):
                dropped.add(
                    {
                        "warc_filename": warc_filename,
                        "warc_record_offset": row.offset,
                        "url": row.url and UNPRINTABLE.sub("", row.url),
                        "reason": row.reason,
                    }
                )
            else:
                row["crawl"] = row["crawl"] or limits.crawl
                row["warc_filename"] = warc_filename
                part.add(row)
