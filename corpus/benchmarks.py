"""Benchmarks: their files read to items, whose texts stand by role.

A file is JSONL or Parquet. Its columns are roles: question, answer and solution in the common form, in which
`corpus.pull` keeps a set; a file of one's own may name others.
"""

import codecs
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpus import tables
from corpus.errors import InputError

ROLES = ("question", "answer", "solution")
SUFFIXES = (".jsonl", ".parquet")  # what a folder of benchmarks is searched for


@dataclass(frozen=True)
class Item:
    """A benchmark item. texts: by role, as they are written, without repeats; an absent text is "" or has no role."""

    benchmark: str
    item_id: str
    texts: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Benchmarks:
    """Items in the order of the files; (benchmark, item_id) is unique. n_rows: rows read of each benchmark."""

    items: tuple[Item, ...]
    n_rows: Mapping[str, int]


def load_benchmarks(paths: Sequence[Path | str], columns: Sequence[str] = ("question",)) -> Benchmarks:
    """Read the rows of .jsonl and .parquet files.

    A row may name its `benchmark` (else it is the file's stem) and its `id` (else it is the
    row's number in the file, from 1). Rows of one benchmark and id whose first of columns says
    the same are one item; another text under a known id is an item ID#2, ID#3 and so on. Roles
    are those of columns that each row has; null is an empty text.

    Raises InputError, naming the file and the line or row, where a file is missing, of
    another kind, not UTF-8, broken or without rows, or a row has none of columns.
    """
    texts: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
    keys: dict[tuple[str, str, str], tuple[str, str]] = {}
    n_others: Counter[tuple[str, str]] = Counter()
    n_rows: Counter[str] = Counter()
    for path in map(Path, paths):
        n_before = n_rows.total()
        for number, (place, row) in enumerate(rows_of(path), start=1):
            benchmark = _string(row.get("benchmark"), f"{place}: benchmark") or path.stem
            item_id = _string(row.get("id"), f"{place}: id") or str(number)
            n_rows[benchmark] += 1
            held = {column: _string(row[column], f"{place}: {column}") for column in columns if column in row}
            if not held:
                raise InputError(
                    f"{place} has no {' or '.join(map(repr, columns))}; "
                    f"it has {', '.join(map(repr, row)) or 'nothing'}. "
                    "Name the columns to protect (decontam.columns, --column), or what the question is called: "
                    "corpus benchmarks add FILE --question COLUMN --to FOLDER"
                )
            said = benchmark, item_id, held.get(columns[0], "")
            if said not in keys:
                key = benchmark, item_id
                while key in texts:  # files have shared an id among questions
                    n_others[benchmark, item_id] += 1
                    key = benchmark, f"{item_id}#{n_others[benchmark, item_id] + 1}"
                keys[said], texts[key] = key, {}
            for column, text in held.items():
                texts[keys[said]].setdefault(column, {})[text] = None
        if n_rows.total() == n_before:
            raise InputError(f"{path} has no rows; leave it out of decontam.benchmarks or name another file")
    items = tuple(Item(*key, {role: tuple(of) for role, of in found.items()}) for key, found in texts.items())
    return Benchmarks(items, dict(n_rows))


def rows_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place to name in an error, row) of a .jsonl or .parquet file; InputError as in `load_benchmarks`."""
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path} is no benchmark file: .jsonl and .parquet are read")
    try:
        if path.suffix == ".parquet":
            yield from ((f"{path}, row {number}", row) for number, row in enumerate(tables.read_rows(path), start=1))
            return
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is not Parquet: {error}") from None
    for number, line in enumerate(lines, start=1):
        place = f"{path}, line {number}"
        try:
            row = json.loads(line.decode("utf-8")) if line.strip() else None
        except UnicodeDecodeError as error:
            raise InputError(f"{place} is not UTF-8 (byte {error.start}); save the file as UTF-8") from None
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"{place} is not JSON: {error}; one object a line is expected") from None
        if isinstance(row, dict):
            yield place, row
        elif line.strip():
            raise InputError(f"{place} holds no object; one object a line is expected")


def _string(value: Any, place: str) -> str:
    """A text, or a number as text; null is empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise InputError(f"{place} is a {type(value).__name__}; a text, a number or null is expected")
    return "" if value is None else str(value)
