"""What makes documents comparable: keys of their URLs and texts, and MinHash bands, partitioned by key.

A part is signed once; every later step reads its signatures, and texts only of what may be a near duplicate.
"""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from corpus.alphabet import fold
from corpus.documents import batches, column_names, ids
from corpus.errors import SettingsError, WorkspaceError
from corpus.kernels import minhash as kernel
from corpus.partitions import COUNT, partition_writer
from corpus.stages import part
from corpus.text import TEXT_VERSION, commands, tables
from corpus.urls import canonical_url, page_id

SCHEME = "affine32"  # of datasketch 2: the same permutations, the same values
METADATA = b"corpus.minhash"
ROWS_PER_FLUSH = 65_536  # whose keys are in memory

# What tells one document from another and which of two stays, a row a document. part-*: by its text, no row where
# it has no words; urls-*: by its URL, no row where it has none.
KEYED = pa.schema(
    [
        ("high", pa.uint64()),  # 128 bits of the sequence of words, or of the canonical URL
        ("low", pa.uint64()),
        ("row", pa.int64()),  # in the file that was signed
        ("id", pa.string()),
        ("survival", pa.float32()),  # share of its formulas that its text kept; 1 where it has none, or nobody knows
        ("score", pa.float32()),
        ("n_chars", pa.int64()),
        ("fetched", pa.int64()),  # seconds since 1970
        ("filename", pa.string()),  # of its WARC file
        ("offset", pa.int64()),  # of its record
        ("values", pa.binary()),  # MinHash values, uint32; null unless they are what pages are compared by
        ("partition", pa.int64()),  # of its text's key; -1 where it has no words
    ]
)
BAND = pa.schema([("band", pa.uint64()), ("text", pa.uint64()), ("n_chars", pa.int32())])  # text: low of the key


@dataclass(frozen=True)
class MinHash:
    """How near duplicates are found.

    ngram: words in a shingle. The first bands * rows of the permutations make bands. threshold: the
    Jaccard similarity from which a page is a near duplicate, in (0, 1]. verify: what decides it, "exact" the
    two sets of shingles, "signature" the share of equal MinHash values, off by 1 / (2 * sqrt(permutations)).

    The defaults were chosen on real pages: copies are 1,591 pages of Jaccard 0.8 and more to
    their source, 387 of them under 0.85; pairs are those proposed among 900 pages, 257 of
    which reach 0.8.

        bands x rows   S-curve at 0.8   copies found   under 0.85   pairs
           16 x 8          94.7 %          99.6 %        98.7 %      388
           18 x 7          98.6 %          99.9 %        99.7 %      426
           20 x 6          99.8 %           100 %         100 %      474
           25 x 5         100.0 %           100 %         100 %      635

    Raises SettingsError where the numbers contradict each other.
    """

    ngram: int = 5
    permutations: int = 120
    bands: int = 20
    rows: int = 6
    threshold: float = 0.8
    verify: str = "exact"
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("ngram", "permutations", "bands", "rows"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.bands * self.rows > self.permutations:
            raise SettingsError(
                f"bands * rows is {self.bands} * {self.rows} = {self.bands * self.rows}, more than "
                f"permutations = {self.permutations}; use fewer bands or rows, or more permutations"
            )
        if not 0 < self.threshold <= 1:
            raise SettingsError(f"threshold is {self.threshold}; a Jaccard similarity in (0, 1] is expected")
        if self.verify not in ("exact", "signature"):
            raise SettingsError(f'verify is {self.verify!r}; "exact" or "signature" is expected')
        if not 0 <= self.seed < 2**32:
            raise SettingsError(f"the seed of MinHash is {self.seed}; a number from 0 to 2**32 - 1 is expected")

    def probability(self, jaccard: float) -> float:
        """Chance that two pages of this similarity share a band: 1 - (1 - jaccard**rows)**bands."""
        return float(1.0 - (1.0 - jaccard**self.rows) ** self.bands)

    def curve(self) -> list[dict[str, float]]:
        """`probability` at Jaccard 0.3, 0.35 .. 1."""
        steps = [n / 20 for n in range(6, 21)]
        return [{"jaccard": step, "probability": round(self.probability(step), 6)} for step in steps]

    def scheme(self) -> dict[str, Any]:
        """What signatures that can be compared have in common."""
        settings = asdict(self)
        del settings["threshold"]
        return {"scheme": SCHEME, "text": TEXT_VERSION, **settings}

    def permutation(self) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
        """a and b of h -> a * h + b modulo 2**32, a odd, as datasketch draws them."""
        draw = np.random.RandomState(self.seed)
        a = draw.randint(0, 1 << 31, self.permutations, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
        return a, draw.randint(0, 1 << 32, self.permutations, dtype=np.uint32)


@dataclass(frozen=True)
class Signed:
    """A signed part: the file, where its signatures are, and their number there."""

    source: Path
    directory: Path
    rank: int
    fixed: bool = False  # of a corpus that stays as it is: its documents are never removed

    @property
    def texts(self) -> Path:
        return part(self.directory, self.rank)

    @property
    def urls(self) -> Path:
        return part(self.directory, self.rank, "urls")

    @property
    def bands(self) -> Path:
        return part(self.directory, self.rank, "bands")


def partition_of(key: npt.NDArray[np.uint64], n_partitions: int) -> npt.NDArray[np.int64]:
    """Partition of a 64-bit hash, by its upper half."""
    return ((key >> np.uint64(32)) % np.uint64(n_partitions)).astype(np.int64)


def sign_part(source: Path, directory: Path, rank: int, minhash: MinHash, n_partitions: int) -> int:
    """Write urls-, bands- and, when they are whole, part-NNNNN.parquet of a Parquet file; returns its rows.

    source: any columns with a `text`; used where they are there: page_id, id, url, fetch_time, date, timestamp,
    score, n_formulas, n_formulas_kept, warc_filename, warc_record_offset. A document is known by the first of
    page_id, id and url, else by the file and its row. One shorter than a shingle is one shingle.

    Raises InputError where there is no text column.
    """
    signed = Signed(source, directory, rank)
    metadata = {METADATA: json.dumps(minhash.scheme()).encode()}
    n_rows = 0
    with (
        partition_writer(signed.texts, KEYED, n_partitions, metadata) as texts,  # the first opened is the last renamed
        partition_writer(signed.urls, KEYED, n_partitions, metadata) as urls,
        partition_writer(signed.bands, BAND, n_partitions, metadata) as bands,
    ):
        for keyed, url_keys, band_rows in _flushes(source, minhash, n_partitions):
            n_rows += len(keyed)
            partition = keyed["partition"].to_numpy()
            has_words = partition >= 0
            texts.write(keyed.filter(pa.array(has_words)), partition[has_words])
            has_url = url_keys[:, 2] > 0
            by_url = keyed.set_column(0, "high", pa.array(url_keys[:, 0])).set_column(
                1, "low", pa.array(url_keys[:, 1])
            )
            urls.write(by_url.filter(pa.array(has_url)), partition_of(url_keys[has_url, 1], n_partitions))
            bands.write(band_rows, partition_of(band_rows["band"].to_numpy(), n_partitions))
    return n_rows


def check_scheme(signed: Signed, minhash: MinHash, n_partitions: int) -> None:
    """Raises WorkspaceError where signatures are missing, or were made by another scheme or for other partitions."""
    for path in (signed.texts, signed.urls, signed.bands):
        if not path.is_file():
            raise WorkspaceError(f"{path} is gone: sign {signed.source} again")
    metadata = pq.read_schema(signed.texts).metadata or {}
    made = json.loads(metadata.get(METADATA, b"{}")) | {"partitions": int(metadata.get(COUNT, 0))}
    wanted = minhash.scheme() | {"partitions": n_partitions}
    if made != wanted:
        differing = sorted(name for name in made.keys() | wanted.keys() if made.get(name) != wanted.get(name))
        raise WorkspaceError(
            f"{signed.texts} was signed with other settings ("
            + ", ".join(f"{name} {made.get(name)!r}, not {wanted.get(name)!r}" for name in differing)
            + f"): signatures of two schemes cannot be compared. Sign {signed.source} again."
        )


def _flushes(
    source: Path, minhash: MinHash, n_partitions: int
) -> Iterator[tuple[pa.Table, npt.NDArray[np.uint64], pa.Table]]:
    """Rows in KEYED by text, their URL keys (n, 3: high, low, whether there is a URL), and their bands."""
    pending: list[tuple[pa.Table, npt.NDArray[np.uint64], pa.Table]] = []
    n_pending = n_rows = 0
    for batch in documents(source):
        pending.append(_signed_batch(batch, n_rows, source.name, minhash, n_partitions))
        n_rows += len(batch)
        n_pending += len(batch)
        if n_pending >= ROWS_PER_FLUSH:
            yield _joined(pending)
            pending, n_pending = [], 0
    if pending or not n_rows:
        yield _joined(pending)


def _joined(
    pending: list[tuple[pa.Table, npt.NDArray[np.uint64], pa.Table]],
) -> tuple[pa.Table, npt.NDArray[np.uint64], pa.Table]:
    empty = (KEYED.empty_table(), np.empty((0, 3), np.uint64), BAND.empty_table())
    keyed, url_keys, bands = zip(*(pending or [empty]), strict=True)
    return pa.concat_tables(keyed), np.concatenate(url_keys), pa.concat_tables(bands)


_WANTED = (
    "page_id", "id", "url", "text", "fetch_time", "date", "timestamp", "score", "n_formulas", "n_formulas_kept",
    "warc_filename", "warc_record_offset",
)  # fmt: skip


def documents(source: Path) -> Iterator[pa.Table]:
    """Batches of a Parquet file with the columns that signing reads; InputError where it has no text, or is none."""
    yield from batches(source, [name for name in _WANTED if name in column_names(source)])


def _signed_batch(
    batch: pa.Table, first_row: int, file_name: str, minhash: MinHash, n_partitions: int
) -> tuple[pa.Table, npt.NDArray[np.uint64], pa.Table]:
    n = len(batch)
    text = pc.fill_null(batch["text"].cast(pa.large_string()), "")
    n_words, keys, values, bands = sign_texts(text, minhash)
    has_words = n_words > 0
    n_chars = pc.utf8_length(text).to_numpy()
    partition = np.where(has_words, partition_of(keys[:, 1], n_partitions), -1)
    columns: dict[str, Any] = {
        "high": keys[:, 0],
        "low": keys[:, 1],
        "row": np.arange(first_row, first_row + n),
        "id": ids(batch, first_row, file_name),
        "survival": _survival(batch),
        "score": _column(batch, "score", pa.float32()),
        "n_chars": n_chars,
        "fetched": _seconds(batch),
        "filename": _column(batch, "warc_filename", pa.string()),
        "offset": _column(batch, "warc_record_offset", pa.int64()),
        "values": pa.array([row.tobytes() for row in values], pa.binary()) if minhash.verify == "signature" else None,
        "partition": partition,
    }
    arrays = [pa.nulls(n, KEYED.field(name).type) if value is None else value for name, value in columns.items()]
    keyed = pa.table(
        [each if isinstance(each, pa.Array | pa.ChunkedArray) else pa.array(each) for each in arrays],
        names=list(columns),
    ).cast(KEYED)
    shown = np.flatnonzero(has_words)
    band_rows = pa.table(
        [
            pa.array(bands[shown].ravel()),
            pa.array(np.repeat(keys[shown, 1], minhash.bands)),
            pa.array(np.repeat(n_chars[shown], minhash.bands).astype(np.int32)),
        ],
        schema=BAND,
    )
    return keyed, _url_keys(batch), band_rows


def sign_texts(
    text: pa.ChunkedArray | pa.Array, minhash: MinHash
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64], npt.NDArray[np.uint32], npt.NDArray[np.uint64]]:
    """Number of words, text keys (n, 2), MinHash values (n, permutations) and band hashes (n, bands) of texts.

    What has no words has zeros.
    """
    found: tuple[npt.NDArray[Any], ...] = _sign(text, minhash)
    if len(again := np.flatnonzero(found[0] < 0)):  # accents as characters of their own: folded as Python has it
        folded = pa.array([fold(text[int(row)].as_py()) for row in again], pa.large_string())
        for whole, rows in zip(found, _sign(folded, minhash, joins=False), strict=True):
            whole[again] = rows
    n_words, keys, values, bands = found
    return n_words, keys, values, bands


def _sign(text: pa.ChunkedArray | pa.Array, minhash: MinHash, joins: bool = True) -> Any:
    joined = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    n = len(joined)
    _, offsets, data = joined.buffers()
    at = np.frombuffer(offsets, np.int64)[joined.offset :][: n + 1] if n else np.zeros(1, np.int64)
    content = np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
    known = tables()
    if not joins:
        known = (known[0], np.zeros_like(known[1]), *known[2:])
    n_words = np.zeros(n, np.int32)
    keys = np.zeros((n, 2), np.uint64)
    values = np.zeros((n, minhash.permutations), np.uint32)
    bands = np.zeros((n, minhash.bands), np.uint64)
    a, b = minhash.permutation()
    kernel.sign(content, at, known, commands(), minhash.ngram, a, b, minhash.rows, n_words, keys, values, bands)
    return n_words, keys, values, bands


def _url_keys(batch: pa.Table) -> npt.NDArray[np.uint64]:
    keys = np.zeros((len(batch), 3), np.uint64)
    name = next((name for name in ("page_id", "url") if name in batch.column_names), None)
    if name is None:
        return keys
    for row, value in enumerate(batch[name].cast(pa.string()).to_pylist()):
        if value is None:
            continue
        if name == "url":
            try:
                value = page_id(canonical_url(value))
            except ValueError:
                continue
        key = xxhash.xxh3_128_intdigest(value)
        keys[row] = key >> 64, key & 0xFFFFFFFFFFFFFFFF, 1
    return keys


def _survival(batch: pa.Table) -> npt.NDArray[np.float32]:
    columns = [_column(batch, name, pa.int64()) for name in ("n_formulas", "n_formulas_kept")]
    if any(column is None for column in columns):
        return np.ones(len(batch), np.float32)
    found, kept = (pc.fill_null(column, 0).to_numpy() for column in columns)
    return np.where(found > 0, kept / np.maximum(found, 1), 1.0).astype(np.float32)


def _column(batch: pa.Table, name: str, kind: pa.DataType) -> pa.ChunkedArray | None:
    """A column as strings or numbers; None where there is none, or it holds something else."""
    if name not in batch.column_names:
        return None
    held = batch[name].type
    fits = _is_number(held) if _is_number(kind) else pa.types.is_string(held) or pa.types.is_large_string(held)
    return batch[name].cast(kind, safe=False) if fits else None


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d)?")


def _seconds(batch: pa.Table) -> pa.Array | None:
    """Date of capture in seconds since 1970, of the first column that may tell; null where it cannot be read."""
    name = next((name for name in ("fetch_time", "date", "timestamp") if name in batch.column_names), None)
    if name is None:
        return None
    column = batch[name].combine_chunks()
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        zone = getattr(column.type, "tz", None)
        return column.cast(pa.timestamp("s", tz=zone), safe=False).cast(pa.int64())
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    return pa.array([_parsed(value) for value in column.to_pylist()], pa.int64())


def _parsed(value: str | None) -> int | None:
    found = _DATE.match(value or "")
    try:
        return int(datetime.fromisoformat(found[0]).replace(tzinfo=UTC).timestamp()) if found else None
    except ValueError:
        return None


def keep_signed(signed: Signed, gone: npt.NDArray[np.int64], directory: Path) -> None:
    """Write the signatures of a part's file without some of its rows.

    gone: these rows, sorted. Bands of texts that are no longer there are left: nothing is found for them.
    """
    out = Signed(signed.source, directory, signed.rank)
    shutil.copyfile(signed.bands, out.bands)
    for source, target in ((signed.urls, out.urls), (signed.texts, out.texts)):
        metadata = pq.read_schema(source).metadata
        n_partitions = int(metadata[COUNT])
        with pq.ParquetFile(source) as file, partition_writer(target, KEYED, n_partitions, metadata) as writer:
            for first in range(0, file.num_row_groups, n_partitions):
                groups = [file.read_row_group(first + number) for number in range(n_partitions)]
                partition = np.repeat(np.arange(n_partitions), [len(group) for group in groups])
                table = pa.concat_tables(groups)
                rows = table["row"].to_numpy()
                at = np.searchsorted(gone, rows)
                stays = ~np.isin(rows, gone)
                table = table.set_column(2, "row", pa.array(rows - at)).filter(pa.array(stays))
                writer.write(table.cast(KEYED), partition[stays])
