"""Pages that hold benchmark texts: DeepSeekMath's published rule, with the evidence.

A page goes if any run of 10 words is also in a benchmark text. A benchmark text of 3 to
9 words must be in the page whole; a shorter one protects nothing and is counted as such.
Words are those of `text.words` without operators, so delimiters, case and punctuation do
not hide a match, and f(n) = f(n-1) + ... is not ten words long. (With operators as words
395 of 4,389 pages of a real crawl fire, without 335, and 221 of these only for "1 2 3 ...
10", "a b c ... j" and an identity matrix: what the rule costs as it is published.) A
Chinese word is one character.

The index finds runs by a 64-bit hash and then compares the words themselves: a hit is
always a real one. Source: DeepSeekMath (arXiv 2402.03300), section 2.1.
"""

import codecs
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus import schema, tables
from corpus.dedup import removed_captures
from corpus.errors import InputError
from corpus.text import Hashes, extended, normalise, words

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Item:
    """A benchmark item and its normalised texts."""

    benchmark: str
    item_id: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Benchmarks:
    """Items in the order of the files; (benchmark, item_id) is unique. n_rows: rows read of each benchmark."""

    items: tuple[Item, ...]
    n_rows: dict[str, int]


@dataclass(frozen=True)
class Coverage:
    """Items of a benchmark by what protects their longest text: the last four add up to n_items."""

    benchmark: str
    n_rows: int
    n_items: int  # rows of one id are one item
    n_ngram: int  # any run of `ngram` words
    n_whole: int  # the whole text
    n_unprotected: int  # too short
    n_empty: int


@dataclass(frozen=True)
class Hit:
    """A benchmark item in a page: the columns of schema.CONTAMINATED after page_id."""

    benchmark: str
    item_id: str
    rule: str  # ngram or whole
    ngram: str  # the first shared run of words
    position: int  # of its first word in text.words(page, operators=False)
    n_hits: int  # different runs shared with this item


def load_benchmarks(paths: Sequence[Path | str], text_columns: Sequence[str] = ("question",)) -> Benchmarks:
    """Read the rows of .jsonl and .parquet files.

    A row may name its `benchmark` (else it is the file's stem) and its `id` (else it is the
    row's number in the file, from 1). Rows of one benchmark and id are one item, whose
    texts are those of text_columns that each has; null is an empty text.

    Raises InputError, naming the file and the line or row, where a file is missing, of
    another kind, not UTF-8, broken or without rows, or a row has none of text_columns.
    """
    texts: dict[tuple[str, str], dict[str, None]] = {}
    n_rows: Counter[str] = Counter()
    for path in map(Path, paths):
        n_before = n_rows.total()
        for number, (place, row) in enumerate(_rows(path), start=1):
            benchmark = _string(row.get("benchmark"), f"{place}: benchmark") or path.stem
            item_id = _string(row.get("id"), f"{place}: id") or str(number)
            n_rows[benchmark] += 1
            item = texts.setdefault((benchmark, item_id), {})
            present = [column for column in text_columns if column in row]
            if not present:
                raise InputError(
                    f"{place} has no {' or '.join(map(repr, text_columns))}; "
                    f"it has {', '.join(map(repr, row)) or 'nothing'}. Name the columns to protect in decontam.columns"
                )
            for column in present:
                item[normalise(_string(row[column], f"{place}: {column}"), operators=False)] = None
        if n_rows.total() == n_before:
            raise InputError(f"{path} has no rows; leave it out of decontam.benchmarks or name another file")
    return Benchmarks(tuple(Item(*key, tuple(found)) for key, found in texts.items()), dict(n_rows))


def coverage(benchmarks: Benchmarks, ngram: int = 10, min_ngram: int = 3) -> list[Coverage]:
    """What the rule protects of each benchmark, by name."""
    counts: dict[str, Counter[str]] = {name: Counter(n_rows=n_rows) for name, n_rows in benchmarks.n_rows.items()}
    for item in benchmarks.items:
        longest = max(len(text.split()) for text in item.texts)
        protection = "ngram" if longest >= ngram else "whole" if longest >= min_ngram else "unprotected"
        counts[item.benchmark].update(n_items=1, **{f"n_{protection if longest else 'empty'}": 1})
    names = ("n_rows", "n_items", "n_ngram", "n_whole", "n_unprotected", "n_empty")
    return [Coverage(benchmark, *(count[name] for name in names)) for benchmark, count in sorted(counts.items())]


class Index:
    """Benchmark texts, ready to be found in pages. Read-only; rebuilt in each worker.

    A word is its number in the benchmarks' vocabulary and a page's other words are all 0,
    which no benchmark text holds. All texts stand end to end in one array of word numbers.
    An entry is a run of words that is looked for: its hash, where it stands in that array,
    and its item. Entries are sorted by (length, hash); one run of one item is one entry.
    """

    def __init__(self, benchmarks: Benchmarks, ngram: int = 10, min_ngram: int = 3) -> None:
        self.items = benchmarks.items
        self._ngram, self._min_ngram = ngram, min_ngram
        self._vocabulary: dict[str, int] = {}
        numbers: list[int] = []
        ends, item_of = [0], []
        for number, item in enumerate(self.items):
            for text in item.texts:
                numbers.extend(self._vocabulary.setdefault(word, len(self._vocabulary) + 1) for word in text.split())
                ends.append(len(numbers))
                item_of.append(number)
        self._numbers = np.array(numbers, dtype=np.int32)
        lengths = np.diff(ends)
        text_of = np.repeat(np.arange(len(lengths)), lengths)
        self._entries: dict[int, _Entries] = {}
        for length, hashes in _runs(self._numbers, min_ngram, ngram):
            starts = np.arange(len(hashes))
            wanted = text_of[starts] == text_of[starts + length - 1]
            if length < ngram:
                wanted &= lengths[text_of[starts]] == length
            starts = starts[wanted]
            if len(starts):
                self._entries[length] = _Entries.of(hashes[starts], starts, np.array(item_of)[text_of[starts]])

    def probe(self, text: str) -> list[Hit]:
        """Benchmark items in a page, one Hit each, by benchmark and item_id; linear in the text.

        An item with several texts is reported for the longest runs that were found.
        """
        found = words(text, operators=False)
        numbers = np.fromiter((self._vocabulary.get(word, 0) for word in found), dtype=np.int32, count=len(found))
        hits: dict[int, Hit] = {}
        for length, hashes in _runs(numbers, self._min_ngram, self._ngram):
            if length not in self._entries:
                continue
            positions, starts, items = self._entries[length].matches(hashes)
            if len(positions) == 0:
                continue
            same = (
                numbers[positions[:, None] + np.arange(length)] == self._numbers[starts[:, None] + np.arange(length)]
            ).all(axis=1)
            positions, items = positions[same], items[same]
            order = np.lexsort((positions, items))
            of_items, firsts, n_hits = np.unique(items[order], return_index=True, return_counts=True)
            for number, position, n in zip(of_items, positions[order][firsts], n_hits, strict=True):
                item = self.items[number]
                hits[int(number)] = Hit(
                    item.benchmark,
                    item.item_id,
                    "ngram" if length == self._ngram else "whole",
                    " ".join(found[position : position + length]),
                    int(position),
                    int(n),
                )
        return sorted(hits.values(), key=lambda hit: (hit.benchmark, hit.item_id))


@dataclass(frozen=True)
class _Entries:
    """Entries of one length, by hash: three arrays of one shape, and a bit for each hash to pass most pages by."""

    hashes: Hashes
    starts: Positions
    items: Positions
    seen: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, hashes: Hashes, starts: Positions, items: Positions) -> "_Entries":
        order = np.lexsort((starts, items, hashes))
        hashes, starts, items = hashes[order], starts[order], items[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (hashes[1:] != hashes[:-1]) | (items[1:] != items[:-1])
        seen = np.zeros(1 << (16 * len(order)).bit_length(), dtype=bool)
        seen[cls._slot(hashes, seen)] = True
        return cls(hashes[first], starts[first], items[first], seen)

    def matches(self, hashes: Hashes) -> tuple[Positions, Positions, Positions]:
        """Pairs of equal hashes: position of the hash's first occurrence, start and item of the entry.

        A hash is matched once however often it occurs, so no more pairs come out than there are entries.
        """
        possible = np.flatnonzero(self.seen[self._slot(hashes, self.seen)])
        if len(possible) == 0:
            return possible, possible, possible
        distinct, first = np.unique(hashes[possible], return_index=True)
        low = np.searchsorted(self.hashes, distinct, side="left")
        n_entries = np.searchsorted(self.hashes, distinct, side="right") - low
        offsets = np.cumsum(n_entries) - n_entries
        entries = np.repeat(low - offsets, n_entries) + np.arange(n_entries.sum())
        return np.repeat(possible[first], n_entries), self.starts[entries], self.items[entries]

    @staticmethod
    def _slot(hashes: Hashes, seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
        return (hashes >> np.uint64(32)) & np.uint64(len(seen) - 1)


def _runs(numbers: npt.NDArray[np.int32], shortest: int, longest: int) -> Iterator[tuple[int, Hashes]]:
    """(length, hashes of all runs of that many words), from shortest to longest, as far as the words go."""
    # The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): spreads small numbers over 64 bits, one to one.
    each = numbers.astype(np.uint64)
    each = (each ^ (each >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    each = (each ^ (each >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    runs = each = each ^ (each >> np.uint64(31))
    for length in range(1, min(longest, len(each)) + 1):
        runs = extended(runs, each, length) if length > 1 else each
        if length >= shortest:
            yield length, runs


def decontaminate_part(extracted: Path, removed: Path | pa.Table | None, index: Index, out: Path) -> tuple[int, int]:
    """Write the evidence (schema.CONTAMINATED) of a part's pages, in its order, by benchmark and item_id in a page.

    extracted: Parquet with page_id, warc_filename, warc_record_offset and text.
    removed: schema.REMOVED of the near dedup before, whose pages are not looked at; None: look at all.
    Returns (pages looked at, pages with a hit).
    """
    gone = removed_captures(extracted, removed) if removed is not None else set()
    n_pages = n_contaminated = 0
    with tables.table_writer(out, schema.CONTAMINATED) as writer:
        for row in tables.read_rows(extracted, ["page_id", "warc_filename", "warc_record_offset", "text"]):
            if (row["page_id"], row["warc_filename"], row["warc_record_offset"]) in gone:
                continue
            hits = index.probe(row["text"] or "")
            n_pages += 1
            n_contaminated += bool(hits)
            for hit in hits:
                writer.add({"page_id": row["page_id"], **asdict(hit)})
    return n_pages, n_contaminated


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place to name in an error, row) of a benchmark file."""
    if path.suffix not in (".jsonl", ".parquet"):
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
