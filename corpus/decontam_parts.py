"""A Parquet file without what the benchmarks forbid, and the evidence."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import schema
from corpus.allowed import Allowed
from corpus.config import Decontam
from corpus.decontam import Index, judge
from corpus.documents import batches, column_names, ids, with_texts
from corpus.tables import read_rows, replacing, table_writer

_KEYS = schema.KEPT.names  # page_id and where the capture is


def decontaminate_part(
    source: Path,
    index: Index,
    settings: Decontam,
    allowed: Allowed,
    evidence: Path,
    out: Path | None,
    kept: Path | None = None,
    file_name: str | None = None,
) -> tuple[int, int]:
    """Write the evidence of a file's documents, in its order, and before it the rows that stay, if `out` is given.

    source: Parquet with `text` and, where it has them, page_id, id and url.
    evidence: schema.CONTAMINATED with `kept`, else schema.CONTAMINATED_FILES.
    kept: schema.KEPT of the part after dedup, whose pages alone are looked at; the others pass.
    file_name: what a document without page_id, id and url is known by, with its row; without it, the source's name.
    Returns (documents looked at, documents that go whole).

    Raises InputError where the source cannot be read, or has no texts.
    """
    columns = column_names(source)
    needed = [name for name in (*_KEYS, "id", "url", "text") if name in columns]
    stays = None if kept is None else {tuple(map(row.get, _KEYS)) for row in read_rows(kept)}
    name, shape = ("id", schema.CONTAMINATED_FILES) if kept is None else ("page_id", schema.CONTAMINATED)
    n_read = n_looked_at = n_gone = 0
    with (
        table_writer(evidence, shape) as found,
        _rows_out(out, pq.read_schema(source)) if out is not None else nullcontext() as rows_out,
    ):
        for batch in batches(source, None if out is not None else needed):
            texts = batch["text"].to_pylist()
            left, keep = list(texts), [True] * len(texts)
            documents = ids(batch, n_read, file_name or source.name).to_pylist()
            names = [batch[column].to_pylist() for column in ("page_id", "url") if column in columns]
            keys = zip(*(batch[key].to_pylist() for key in _KEYS), strict=True) if stays is not None else None
            looked_at = [True] * len(texts) if keys is None or stays is None else [key in stays for key in keys]
            for row in (row for row, looked in enumerate(looked_at) if looked and texts[row]):
                verdict = judge(texts[row], index, settings, allowed, documents[row], *(each[row] for each in names))
                for line in verdict.rows:
                    found.add({name: documents[row], **line})
                keep[row] = verdict.text is not None
                left[row] = verdict.text if keep[row] else texts[row]
            n_read += len(texts)
            n_looked_at += looked_at.count(True)
            n_gone += keep.count(False)
            if rows_out is not None:
                changed = batch if left == texts else with_texts(batch, left)
                rows_out.write_table(changed.filter(pa.array(keep)))
    return n_looked_at, n_gone


@contextmanager
def _rows_out(path: Path, columns: pa.Schema) -> Iterator[Any]:
    with replacing(path) as temporary, pq.ParquetWriter(temporary, columns, compression="zstd") as writer:
        yield writer
