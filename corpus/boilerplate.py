"""Boilerplate: lines that many pages of one host repeat, such as menus, licences and "log in to answer".

A line is known by a hash of its host and its words (text.cut): case, spacing and punctuation do not matter, and what
has no words is no line. A page counts a line once, and pages of a host with the same words are one page, so that
copies of a page make no boilerplate of it. A host stands among its lines with a key of its own, which each of its
pages has: that counts the pages.

    key_part          a part's lines, partitioned by key                        a task a part
    count_lines       lines on enough pages                                     a task a partition
    find_boilerplate  of these, those on a large enough share of the host's     once, over the repeated lines only
    mark_part         runs of such lines, counted or taken out                  a task a part
    list_lines        what was found, with examples                             once

Much that repeats is content: "Proof.", "(a)", `import numpy as np`. So what goes are runs of repeated lines that
together have enough words. A line that holds a formula stays, and so does one of a fenced block of code: a program
without its imports is another program. A page that would be left without words stays as it is.

Nothing depends on the order of the parts or on how pages are spread over them. In memory are the lines of one
partition, some 24 bytes each, and the keys that were found, 8 bytes each, mapped from a file.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from corpus.documents import column_names, ids, with_texts
from corpus.kernels import boilerplate as kernel
from corpus.partitions import partition_writer, read_partition
from corpus.schema import BOILERPLATE, BOILERPLATE_PAGE
from corpus.signatures import partition_of
from corpus.tables import ROWS_PER_GROUP, duck, replacing, sql_list, table_writer, write_table
from corpus.tex import OPENERS, find_tex
from corpus.text import cut
from corpus.urls import canonical_url, host_name

LINES_PER_FLUSH = 1 << 20  # whose keys are in memory
EXAMPLE_CHARS = 500
FENCES = ("```", "~~~")

LINE = pa.schema([("key", pa.uint64()), ("host", pa.uint64()), ("page", pa.uint64())])
COUNTED = pa.schema([("key", pa.uint64()), ("host", pa.uint64()), ("n_pages", pa.int64())])
FOUND = pa.schema([("key", pa.uint64()), ("n_pages", pa.int64()), ("n_host_pages", pa.int64())])
TAKEN = pa.schema([("key", pa.uint64()), ("host", pa.string()), ("line", pa.string()), ("n_chars", pa.int64())])


class Lines(NamedTuple):
    """The lines of a page, each array of shape (n_lines,): keys are 0 where a line has no words."""

    keys: npt.NDArray[np.uint64]
    n_words: npt.NDArray[np.int32]  # numbers and operators left out: "1." is no text
    page: np.uint64  # a hash of the host and all words


class Marked(NamedTuple):
    """The boilerplate of a page."""

    gone: list[tuple[int, str]]  # key and line, of those with words
    text: str  # without these lines; as it was where `whole`
    whole: bool  # nothing else on the page has words


def host_key(host: str) -> np.uint64:
    return np.uint64(xxhash.xxh3_64_intdigest(host))


def read_lines(text: str, host: str) -> Lines:
    """Keys of the lines of a text, parted by newlines."""
    words = cut(text)
    n_lines = text.count("\n") + 1
    keys, n_words = np.zeros(n_lines, np.uint64), np.zeros(n_lines, np.int32)
    page = kernel.key_lines(words.folded, words.starts, words.hashes, words.kinds, host_key(host), keys, n_words)
    return Lines(keys, n_words, np.uint64(page))


def key_part(source: Path, out: Path, n_partitions: int) -> None:
    """Write LINE of a Parquet file's pages: a row each different line of a page, and one for its host.

    source: columns text and url_host_name or url; a page without a host has no lines.
    Raises InputError where there is no text column.
    """
    pending: list[pa.Table] = [LINE.empty_table()]
    with partition_writer(out, LINE, n_partitions) as writer:

        def flush() -> None:
            rows = pa.concat_tables(pending)
            writer.write(rows, partition_of(rows["key"].to_numpy(), n_partitions))
            pending[1:] = []

        for batch in _batches(source):
            for text, host in zip(batch["text"].to_pylist(), _hosts(batch), strict=True):
                if text and host:
                    keys, _, page = read_lines(text, host)
                    if keys.any():
                        keys = np.append(np.unique(keys[keys > 0]), host_key(host))
                        pending.append(_table(LINE, keys, np.full_like(keys, keys[-1]), np.full_like(keys, page)))
            if sum(map(len, pending)) >= LINES_PER_FLUSH:
                flush()
        flush()


def count_lines(keyed: Sequence[Path], number: int, min_pages: int, out: Path) -> None:
    """Write COUNTED of one partition of all parts, by key: lines, and hosts, that at least min_pages pages have."""
    rows = pa.concat_tables(each.replace_schema_metadata() for each in read_partition(keyed, number))
    key, host, page = (rows[name].to_numpy() for name in LINE.names)
    order = np.lexsort((page, key))
    key, host, page = key[order], host[order], page[order]
    once = np.append(True, (key[1:] != key[:-1]) | (page[1:] != page[:-1]))[: len(key)]
    key, first, n_pages = np.unique(key[once], return_index=True, return_counts=True)
    often = n_pages >= min_pages
    write_table(out, _table(COUNTED, key[often], host[once][first[often]], n_pages[often]), COUNTED)


def find_boilerplate(counted: Sequence[Path], min_share: float, found: Path, keys: Path) -> int:
    """Write FOUND: lines on at least min_share of their host's pages, by key, and these keys as .npy; how many."""
    rows = pa.concat_tables(map(pq.read_table, counted))
    key, host, n_pages = (rows[name].to_numpy() for name in COUNTED.names)
    is_host = key == host
    order = np.argsort(key[is_host])
    hosts, totals = key[is_host][order], n_pages[is_host][order]
    key, host, n_pages = (column[~is_host] for column in (key, host, n_pages))
    n_host_pages = totals[np.searchsorted(hosts, host)]  # a host has all pages of its lines, so it was counted
    often = np.flatnonzero(n_pages / n_host_pages >= min_share)
    often = often[np.argsort(key[often])]
    write_table(found, _table(FOUND, key[often], n_pages[often], n_host_pages[often]), FOUND)
    with replacing(keys) as temporary, temporary.open("wb") as file:
        np.save(file, key[often])
    return len(often)


def mark_page(text: str, host: str, known: npt.NDArray[np.uint64], min_words: int) -> Marked:
    """Find the runs of known lines (keys, sorted) that have min_words words together.

    Lines without words belong to the run that is around them.
    """
    keys, n_words, _ = read_lines(text, host)
    places = np.searchsorted(known, keys)
    is_known = places < len(known)
    is_known[is_known] = known[places[is_known]] == keys[is_known]
    if int(n_words[is_known].sum()) < min_words:
        return Marked([], text, False)
    lines = text.split("\n")
    states = np.where(keys == 0, kernel.BLANK, np.where(is_known, kernel.KNOWN, kernel.STAYS))
    marked = kernel.runs(states, n_words, min_words)
    if marked.any():  # only then is it worth looking for formulas
        states[_protected(text, lines)] = kernel.STAYS
        marked = kernel.runs(states, n_words, min_words)
    gone = [(int(keys[line]), lines[line]) for line in np.flatnonzero(marked & (keys > 0))]
    whole = 0 < len(gone) == np.count_nonzero(keys)
    return Marked(gone, _without(lines, marked) if gone and not whole else text, whole)


def mark_part(source: Path, keys: Path, min_words: int, pages: Path, taken: Path, texts: Path | None = None) -> None:
    """Write BOILERPLATE_PAGE of a file's pages, TAKEN of the lines that go, and to `texts` its rows without them.

    keys: of find_boilerplate. `texts` has the schema of the file, and its rows in order; n_chars and n_tokens are
    counted again where they counted the text. `pages` is there only when all is written.
    """
    known = np.load(keys, mmap_mode="r")
    lines: dict[int, tuple[str, str, int]] = {}
    n_rows = 0
    with ExitStack() as files:
        counted = files.enter_context(table_writer(pages, BOILERPLATE_PAGE))
        writer = None
        if texts:
            temporary = files.enter_context(replacing(texts))
            writer = files.enter_context(pq.ParquetWriter(temporary, pq.read_schema(source), compression="zstd"))
        for batch in _batches(source, whole=writer is not None):
            kept = batch["text"].to_pylist()
            documents = ids(batch, n_rows, source.name).to_pylist()
            for row, (document, text, host) in enumerate(zip(documents, list(kept), _hosts(batch), strict=True)):
                found = mark_page(text, host, known, min_words) if text and host else Marked([], "", False)
                kept[row] = found.text or text
                counts = len(found.gone), sum(len(line) for _, line in found.gone), found.whole
                counted.add(dict(zip(BOILERPLATE_PAGE.names, (document, *counts), strict=True)))
                for key, line in found.gone if not found.whole else ():
                    _, example, n_chars = lines.get(key, ("", line, 0))
                    lines[key] = host, min(example, line[:EXAMPLE_CHARS]), n_chars + len(line)
            n_rows += len(batch)
            if writer:
                writer.write_table(with_texts(batch, kept))
        columns = zip(*((key, *lines[key]) for key in lines), strict=True) if lines else [[]] * 4
        write_table(taken, _table(TAKEN, *columns), TAKEN)


def list_lines(taken: Sequence[Path], found: Path, out: Path) -> int:
    """Write schema.BOILERPLATE, by host, n_pages descending and line; how many lines."""
    with duck(out.parent) as database:
        rows = database.sql(f"""
            SELECT any_value(host) AS host, any_value(n_pages) AS n_pages, any_value(n_host_pages) AS n_host_pages,
                   min(line) AS line, sum(n_chars)::BIGINT AS n_chars
            FROM read_parquet({sql_list(taken)}) taken JOIN read_parquet({sql_list([found])}) found USING (key)
            GROUP BY key ORDER BY host, n_pages DESC, line, key
        """).to_arrow_table()
    write_table(out, rows, BOILERPLATE)
    return len(rows)


def _batches(source: Path, whole: bool = False) -> Iterator[pa.Table]:
    names = column_names(source)
    wanted = [name for name in names if whole or name in ("page_id", "id", "url", "url_host_name", "text")]
    with pq.ParquetFile(source) as file:
        for batch in file.iter_batches(ROWS_PER_GROUP, columns=wanted):
            yield pa.Table.from_batches([batch])


def _hosts(batch: pa.Table) -> list[str]:
    """Host of each page, by the column that knows it; "" where there is none."""
    if "url_host_name" in batch.column_names:
        return [host or "" for host in batch["url_host_name"].to_pylist()]
    if "url" in batch.column_names:
        return [_host(url or "") for url in batch["url"].to_pylist()]
    return [""] * len(batch)


def _host(url: str) -> str:
    try:
        return host_name(canonical_url(url))
    except ValueError:
        return ""


def _protected(text: str, lines: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Lines that hold a formula or are of a fenced block; an open fence goes on to the end."""
    stays = np.zeros(len(lines), np.bool_)
    if any(opener in text for opener in OPENERS):
        ends = np.fromiter(accumulate(len(line) + 1 for line in lines), np.int64)
        spans = np.array([(start, stop - 1) for start, stop, _ in find_tex(text)], np.int64).reshape(-1, 2)
        for first, last in np.searchsorted(ends, spans, "right"):
            stays[first : last + 1] = True
    if any(fence in text for fence in FENCES):
        fences = np.array([line.lstrip().startswith(FENCES) for line in lines])
        stays |= fences | (fences.cumsum() % 2 == 1)
    return stays


def _without(lines: Sequence[str], marked: npt.NDArray[np.bool_]) -> str:
    """The lines that are not marked; blank ones that only they kept apart are not doubled."""
    kept: list[str] = []
    after_gone = False
    for line, gone in zip(lines, marked.tolist(), strict=True):
        is_blank = not line.strip()
        if gone or (after_gone and is_blank and not (kept and kept[-1].strip())):
            after_gone = True
            continue
        kept.append(line)
        after_gone &= is_blank
    return "\n".join(kept).strip("\n")


def _table(schema: pa.Schema, *columns: Any) -> pa.Table:
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)], schema=schema)
