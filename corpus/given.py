"""The documents that a person gave, seed and negatives, as the classifier reads them.

They and the pool go through the same text function, so that the classifier learns the subject and not the source.
Where a document's page is in the pool, a round takes the text and the marks that it has there (seeds.py, weighing.py).
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from corpus.config import Pool, Settings
from corpus.errors import InputError
from corpus.pool import ingest_part
from corpus.schema import SEED
from corpus.sources import JSON_LINES, PARQUET, WARCS, expand, open_unpacked
from corpus.stages import part
from corpus.tables import duck, read_rows, selected, sql_list, write_rows
from corpus.tex import count_commands, count_tex, without_definitions
from corpus.text import classifier_line
from corpus.urls import canonical_url, host_name, page_id, registered_domain

KINDS = (*JSON_LINES, *PARQUET, *WARCS)
IN_FOLDERS = tuple(kind for kind in KINDS if not kind.startswith(".json.") and kind != ".json")  # those may be notes


def gather(patterns: Sequence[str], out: Path, settings: Settings) -> dict[str, Any]:
    """Read documents (JSONL, Parquet or WARC, told by the name's end) into schema.SEED, by doc_id.

    Returns counts: n_documents, n_duplicates, and dropped (reason -> count). A document given
    twice stands once.
    Raises InputError naming a file that cannot be read, has no text column, or holds a broken
    line, and when not one document is left.
    """
    dropped: Counter[str] = Counter()
    staged = out.with_name(f".{out.name}.staged")
    n_given = write_rows(staged, _documents(patterns, out.parent, settings, dropped), SEED)
    with duck(out.parent) as connection:
        rows = selected(
            connection,
            f"""SELECT {", ".join(SEED.names)} FROM read_parquet({sql_list([staged])})
                QUALIFY row_number() OVER (PARTITION BY doc_id ORDER BY text, url, n_formulas, n_commands) = 1
                ORDER BY doc_id""",
        )
        n_documents = write_rows(out, rows, SEED)
    staged.unlink()
    if not n_documents:
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(dropped.items())) or "they hold no rows"
        raise InputError(f"{', '.join(patterns)}: not one document to learn from ({reasons})")
    return {"n_documents": n_documents, "n_duplicates": n_given - n_documents, "dropped": dict(sorted(dropped.items()))}


def _documents(
    patterns: Sequence[str], scratch: Path, settings: Settings, dropped: Counter[str]
) -> Iterator[dict[str, Any]]:
    for name, source in expand(patterns, scratch, IN_FOLDERS).items():
        if source.lower().endswith(WARCS):
            rows = _from_warc(name, source, scratch, settings.pool, dropped)
        elif source.lower().endswith(PARQUET):
            rows = _from_parquet(source)
        elif source.lower().endswith(JSON_LINES):
            rows = _from_jsonl(source)
        else:
            raise InputError(f"{source}: its name has none of the ends that tell a seed's kind: {', '.join(KINDS)}")
        for row in rows:
            line = line_of(row["text"] or "", settings)
            if line:
                yield {**_identity(row.get("url"), line), "text": line, **_marks(row)}
            else:
                dropped["empty_text"] += 1


def line_of(text: str, settings: Settings) -> str:
    """What the classifier reads, with one space between words: a text laid out in other lines is the same document."""
    return " ".join(classifier_line(text, max_chars=settings.classifier.max_chars).split())


def _marks(row: Mapping[str, Any]) -> dict[str, int]:
    """n_formulas and n_commands: as they were found in a page, else in the text."""
    if "n_formulas" in row:
        return {name: row[name] for name in ("n_formulas", "n_commands")}
    text = row["text"]
    return {"n_formulas": count_tex(without_definitions(text)), "n_commands": count_commands(text)}


def _identity(url: str | None, line: str) -> dict[str, str | None]:
    try:
        canonical = canonical_url(url or "")
    except ValueError:
        return {"doc_id": xxhash.xxh3_128_hexdigest(line), "url": None, "domain": None}
    return {"doc_id": page_id(canonical), "url": canonical, "domain": registered_domain(host_name(canonical))}


def _from_warc(
    name: str, source: str, scratch: Path, limits: Pool, dropped: Counter[str]
) -> Iterator[Mapping[str, Any]]:
    directory = scratch / ".warc"
    directory.mkdir(exist_ok=True)
    ingest_part(source, name, 0, directory, limits)
    dropped.update(row["reason"] for row in read_rows(part(directory, 0, "dropped"), ["reason"]))
    yield from read_rows(part(directory, 0), ["url", "text", "n_formulas", "n_commands"])
    shutil.rmtree(directory)


def _from_parquet(source: str) -> Iterator[Mapping[str, Any]]:
    try:
        with open_unpacked(source) as file, pq.ParquetFile(file) as table:
            types = {column.name: column.type for column in table.schema_arrow}
            if not _is_text(types.get("text")):
                found = ", ".join(f"{name} ({type})" for name, type in types.items())
                raise InputError(f"{source}: no column text of strings; it has {found}")
            columns = [name for name in ("text", "url") if _is_text(types.get(name))]
            for batch in table.iter_batches(batch_size=1_000, columns=columns):
                yield from batch.to_pylist()
    except pa.ArrowInvalid as error:
        raise InputError(f"{source} is not a Parquet file: {error}") from error


def _is_text(type: pa.DataType | None) -> bool:
    if isinstance(type, pa.DictionaryType):
        type = type.value_type
    return type is not None and (pa.types.is_string(type) or pa.types.is_large_string(type))


def _from_jsonl(source: str) -> Iterator[Mapping[str, Any]]:
    with open_unpacked(source) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{source}, line {number}: not JSON ({error})") from error
            if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                raise InputError(f"{source}, line {number}: an object with a text was expected")
            url = row.get("url")
            yield {"text": row["text"], "url": url if isinstance(url, str) else None}
