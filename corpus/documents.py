"""Documents in Parquet files: their columns, what each is known by, and another text in place of its own."""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.errors import InputError
from corpus.stages import MANIFEST
from corpus.tables import duck, sql_list
from corpus.text import estimate_tokens

ROWS_PER_BATCH = 1_024
NAMES = ("page_id", "id", "url")  # what a document is known by: the first of these that there is


def documents_of(pattern: str) -> str:
    """A pattern for the documents alone of a directory that `corpus` wrote; else the pattern itself."""
    folder = Path(pattern)
    if (folder / MANIFEST).is_file():
        for name in ("part-*.parquet", "shard-*.parquet"):
            if any(folder.glob(name)):
                return str(Path(glob.escape(pattern)) / name)
    return pattern


def column_names(source: Path) -> list[str]:
    """Columns of a Parquet file; InputError where it is none, has no texts, or names that cannot be told."""
    try:
        columns = pq.read_schema(source)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{source} cannot be read as Parquet: {_line(error)}") from None
    if "text" not in columns.names:
        raise InputError(f"{source} has no column text; it has {', '.join(columns.names)}")
    kind = columns.field("text").type
    if not _is_string(kind):
        raise InputError(f"{source}: column text holds {kind}, not strings")
    for field in columns:
        if field.name in NAMES and pa.types.is_nested(field.type):
            raise InputError(f"{source}: column {field.name} holds {field.type}, not strings or numbers")
    return list(columns.names)


def batches(source: Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Rows of a Parquet file, ROWS_PER_BATCH at a time; InputError where it is damaged.

    Other writers store any bytes as strings: what is no UTF-8 in a text or a name is replaced.
    """
    try:
        with pq.ParquetFile(source) as file:
            for batch in file.iter_batches(ROWS_PER_BATCH, columns=columns):
                yield _decoded(pa.Table.from_batches([batch]))
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{source} is damaged: {_line(error)}") from None


def _decoded(batch: pa.Table) -> pa.Table:
    for place, field in enumerate(batch.schema):
        if field.name not in ("text", *NAMES) or not _is_string(field.type):
            continue
        try:
            batch.column(place).validate(full=True)
        except pa.ArrowInvalid:
            binary = pa.large_binary() if pa.types.is_large_string(field.type) else pa.binary()
            held = batch.column(place).cast(binary).to_pylist()
            readable = [None if value is None else value.decode("utf-8", "replace") for value in held]
            batch = batch.set_column(place, field, pa.array(readable, field.type))
    return batch


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _line(error: Exception) -> str:
    """What an error says, as one line."""
    return " ".join(str(error).split())


def ids(batch: pa.Table, first_row: int, file_name: str) -> pa.Array:
    """What a document is known by: page_id, id or url, and where that is null the file and the row in it."""
    for name in NAMES:
        if name in batch.column_names:
            column = batch[name].cast(pa.string()).combine_chunks()
            if not column.null_count:
                return column
            break
    else:
        column = pa.nulls(len(batch), pa.string())
    return pc.coalesce(column, pa.array([f"{file_name}#{first_row + n}" for n in range(len(batch))]))


def check_ids(sources: Sequence[Path], directory: Path) -> None:
    """Raises InputError where two documents have one id, which evidence could not tell apart, or a file is damaged."""
    names = {source: column_names(source) for source in sources}
    with_ids = [source for source in sources if "id" in names[source] and "page_id" not in names[source]]
    if not with_ids:
        return
    try:
        with duck(directory) as database:
            rows = database.sql(f"""
                SELECT id, min(corpus_file), max(corpus_file)
                FROM read_parquet({sql_list(with_ids)}, filename = 'corpus_file', union_by_name = true)
                WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 1
            """).fetchall()
    except duckdb.Error:  # it does not name the file
        for source in with_ids:
            for _ in batches(source, ["id"]):
                pass
        raise
    for value, one, other in rows:
        raise InputError(
            f"id {value!r} is not unique ({one}{'' if one == other else f' and {other}'}): evidence names documents "
            "by it. Make ids unique, or leave the column out: rows are then known by url, or file and row."
        )


def with_texts(batch: pa.Table, kept: Sequence[str | None]) -> pa.Table:
    """The rows with other texts; n_chars and n_tokens follow where they counted the old ones."""
    before = batch["text"].to_pylist()
    changed = [row for row, (old, new) in enumerate(zip(before, kept, strict=True)) if old != new]
    columns: dict[str, list[Any]] = {"text": list(kept)}
    for name, count in (("n_chars", len), ("n_tokens", estimate_tokens)):
        if name in batch.column_names and changed:
            values = columns[name] = batch[name].to_pylist()
            for row in changed:
                if values[row] == count(before[row]):
                    values[row] = count(kept[row] or "")
    for name, values in columns.items():
        place = batch.schema.get_field_index(name)
        field = batch.schema.field(place)
        batch = batch.set_column(place, field, pa.array(values, field.type))
    return batch
