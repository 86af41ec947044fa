"""Which captures say what another page already says: by URL, by text, by most of the text.

Three steps. A part is signed (`sign_part`): a hash of its normalised text and, for each
page, band hashes of a MinHash signature. `find_duplicates` decides over all parts:

url     one page captured more than once: the latest capture stays.
exact   pages of one normalised text: the first in keep order stays.
near    pages whose shingle sets have a Jaccard similarity of at least the threshold.
        Shared bands propose pairs; the two texts themselves decide.

Keep order: longest text, then earliest capture, then page_id. Near duplicates are found
greedily along it: a page goes only if a page that stays is similar enough, so every
removed page has a partner in what is left and no chain of small steps joins two
different pages. A cluster is a page that stays and those that stand behind it.

`write_kept` writes what remains of each part. Nothing depends on the order of the parts
or on how pages are spread over them.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import rensa
import xxhash

from corpus import schema, tables
from corpus.errors import SettingsError, WorkspaceError
from corpus.text import Hashes, shingle_hashes, words

Capture = tuple[str, str, int]
_CAPTURE = ("page_id", "warc_filename", "warc_record_offset")  # unique over all parts

# A band that very many pages share (a template, a notice) would pair each with each. A page is compared with the last
# MAX_RIVALS kept pages of each of its bands at most, the nearest in length, and in the end with the MAX_RIVALS of
# these that share most bands with it.
MAX_RIVALS = 64


@dataclass(frozen=True)
class MinHash:
    """How near duplicates are found.

    ngram: words in a shingle. The first bands * rows of the permutations are used. threshold: the
    Jaccard similarity from which a page is a near duplicate, in (0, 1].

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
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("ngram", "permutations", "bands", "rows"):
            if getattr(self, name) < 1:
                raise SettingsError(f"unique.{name} is {getattr(self, name)}; it must be at least 1")
        if self.bands * self.rows > self.permutations:
            raise SettingsError(
                f"unique.bands * unique.rows is {self.bands} * {self.rows} = {self.bands * self.rows}, more than "
                f"unique.permutations = {self.permutations}; use fewer bands or rows, or more permutations"
            )
        if not 0 < self.threshold <= 1:
            raise SettingsError(f"unique.threshold is {self.threshold}; a Jaccard similarity in (0, 1] is expected")
        if not 0 <= self.seed < 2**63:
            raise SettingsError(f"the seed of MinHash is {self.seed}; a number from 0 to 2**63 - 1 is expected")

    def probability(self, jaccard: float) -> float:
        """Chance that two pages of this similarity share a band: 1 - (1 - jaccard**rows)**bands."""
        return 1.0 - (1.0 - jaccard**self.rows) ** self.bands


def sign_part(pages: Path, kept: Path | None, out: Path, minhash: MinHash) -> None:
    """Write the signatures (schema.SIGNATURE) of a part of pages, in its order.

    pages: Parquet with the columns of schema.PAGE or schema.EXTRACTED.
    kept: schema.KEPT of that part; only its rows are signed. None: all rows.
    A page shorter than a shingle is one shingle; one without words has neither text hash nor bands.
    """
    key = schema.KEPT.names
    chosen = None if kept is None else {tuple(map(row.get, key)) for row in tables.read_rows(kept)}
    columns = [name for name in schema.SIGNATURE.names if name not in ("text_hash", "bands")]
    with tables.table_writer(out, schema.SIGNATURE) as writer, pq.ParquetFile(pages) as file:
        for batch in file.iter_batches(batch_size=tables.ROWS_PER_GROUP, columns=[*columns, "text"]):
            rows = [row for row in batch.to_pylist() if chosen is None or tuple(map(row.get, key)) in chosen]
            found = [words(row.pop("text") or "") for row in rows]
            bands = band_hashes([shingle_hashes(each, minhash.ngram) for each in found], minhash)
            for row, each, page_bands in zip(rows, found, bands, strict=True):
                row["text_hash"] = xxhash.xxh3_128_hexdigest(" ".join(each)) if each else None
                row["bands"] = page_bands if each else []
                writer.add(row)


def band_hashes(shingles: Sequence[Hashes], minhash: MinHash) -> list[list[int]]:
    """One hash a band for each page, from its shingle hashes; equal hashes mean the same band of equal rows."""
    if not shingles:
        return []
    ends = np.cumsum([0, *map(len, shingles)], dtype=np.uint64)
    signatures = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
        np.concatenate(shingles), ends, minhash.permutations, minhash.seed
    )
    used = np.array(signatures.to_rows(), dtype="<u4")[:, : minhash.bands * minhash.rows]
    banded = used.reshape(len(shingles), minhash.bands, minhash.rows)
    return [[xxhash.xxh3_64_intdigest(rows.tobytes(), seed=band) for band, rows in enumerate(page)] for page in banded]


def find_duplicates(
    parts: Sequence[Path],
    signatures: Sequence[Path],
    minhash: MinHash,
    *,
    near: bool = True,
    scratch: Path | None = None,
) -> pa.Table:
    """What leaves the parts and in favour of what: schema.REMOVED, by page_id, warc_filename, warc_record_offset.

    parts: the files that were signed; only the texts of proposed near duplicates are read.
    signatures: what `sign_part` wrote of them, with the same MinHash.
    near: False stops after url and exact.
    scratch: where shingles and what DuckDB spills are put meanwhile; None: the system's folder.

    kept_id is always a page that stays: where the page in whose favour a capture left is
    itself a near duplicate, the capture stands behind the same page as it does (an exact
    duplicate turns into a near one then). cluster numbers the kept pages, from 0 in the
    order of their ids. Jaccard similarities are exact, on 64-bit hashes of shingles.

    The table's metadata counts pages_compared, pairs_compared and pages_crowded (pages that
    share a band with more kept pages than they were compared with, see MAX_RIVALS).

    Raises WorkspaceError if a signature's page is in no part.
    """
    counts = dict.fromkeys(("pages_compared", "pairs_compared", "pages_crowded"), 0)
    read = {"signatures": [str(path) for path in signatures]}
    with tempfile.TemporaryDirectory(prefix=".dedup-", dir=scratch) as directory, duckdb.connect() as database:
        database.execute("SET temp_directory = ?", [directory])
        database.execute(_CAPTURES, read)
        database.execute(_PAGES)
        behind: list[dict[str, str | float]] = []
        if near:
            database.execute(_CANDIDATES, read)
            shingles = _shingles_on_disk(Path(directory) / "shingles.u64", parts, database, minhash.ngram)
            behind = list(_near_duplicates(database, shingles, minhash.threshold, counts))
        database.register("behind", pa.Table.from_pylist(behind, schema=_BEHIND))
        removed = database.sql(_REMOVED).to_arrow_table().cast(schema.REMOVED)
    return removed.replace_schema_metadata({name: str(count) for name, count in counts.items()})


def write_kept(part: Path, removed: Path | pa.Table, out: Path) -> None:
    """Write the rows of a part that were not removed (schema.KEPT), in its order.

    removed: schema.REMOVED over all parts, as a table or its file.
    """
    gone = removed_captures(part, removed)
    rows = (row for row in tables.read_rows(part, list(_CAPTURE)) if tuple(map(row.get, _CAPTURE)) not in gone)
    tables.write_rows(out, ({name: row[name] for name in schema.KEPT.names} for row in rows), schema.KEPT)


def removed_captures(part: Path, removed: Path | pa.Table) -> set[Capture]:
    """The rows of schema.REMOVED that may concern a part: those of its WARC files."""
    filenames = pc.unique(pq.read_table(part, columns=["warc_filename"])["warc_filename"])
    ours = pc.field("warc_filename").isin(filenames)
    if isinstance(removed, Path):
        return set(_captures(pq.read_table(removed, columns=list(_CAPTURE), filters=ours)))
    return set(_captures(removed.filter(ours)))


def _captures(table: pa.Table) -> Iterator[Capture]:
    return zip(*(table[name].to_pylist() for name in _CAPTURE), strict=True)


_BEHIND = pa.schema([("page_id", pa.string()), ("kept_id", pa.string()), ("jaccard", pa.float64())])

# Capture 1 is the one that stays for its page_id.
_CAPTURES = """CREATE TABLE captures AS
SELECT * EXCLUDE (bands), row_number() OVER (
    PARTITION BY page_id ORDER BY fetch_time DESC NULLS LAST, n_chars DESC, warc_filename, warc_record_offset
) AS capture
FROM read_parquet($signatures)"""

# exact_id is the page that stays for its text.
_PAGES = """CREATE TABLE pages AS
SELECT * EXCLUDE (text_hash, capture), if(text_hash IS NULL, page_id, first_value(page_id) OVER (
    PARTITION BY text_hash ORDER BY n_chars DESC, fetch_time ASC NULLS LAST, page_id
)) AS exact_id
FROM captures WHERE capture = 1"""

# Pages that share a band with another, numbered in keep order from 0, with the bands that they share.
_CANDIDATES = """CREATE TABLE candidates AS
WITH banded AS (
    SELECT page_id, unnest(bands) AS band
    FROM read_parquet($signatures) JOIN pages USING (page_id, warc_filename, warc_record_offset)
    WHERE exact_id = page_id
), proposed AS (
    SELECT page_id, list(band) AS bands FROM banded
    WHERE band IN (SELECT band FROM banded GROUP BY band HAVING count(*) > 1) GROUP BY page_id
)
SELECT page_id, warc_filename, warc_record_offset, bands,
       row_number() OVER (ORDER BY n_chars DESC, fetch_time ASC NULLS LAST, page_id) - 1 AS place
FROM proposed JOIN pages USING (page_id)"""

_REMOVED = """
SELECT page_id, warc_filename, warc_record_offset,
       CASE WHEN capture > 1 THEN 'url' WHEN behind.kept_id IS NULL THEN 'exact' ELSE 'near' END AS kind,
       coalesce(behind.kept_id, exact_id) AS kept_id,
       CASE WHEN capture = 1 THEN coalesce(jaccard, 1) END AS jaccard,
       dense_rank() OVER (ORDER BY coalesce(behind.kept_id, exact_id)) - 1 AS cluster
FROM captures JOIN (SELECT page_id, exact_id FROM pages) USING (page_id)
LEFT JOIN (SELECT page_id AS exact_id, kept_id, jaccard FROM behind) AS behind USING (exact_id)
WHERE capture > 1 OR page_id <> coalesce(behind.kept_id, exact_id)
ORDER BY page_id, warc_filename, warc_record_offset"""


def _near_duplicates(
    database: duckdb.DuckDBPyConnection, shingles: Sequence[Hashes], threshold: float, counts: dict[str, int]
) -> Iterator[dict[str, str | float]]:
    """_BEHIND of the candidates that leave: kept_id is the most similar page that stays."""
    standing: dict[int, list[int]] = {}  # band: places of the pages that stay, in keep order
    page_ids: list[str] = []
    reader = database.sql("SELECT page_id, bands FROM candidates ORDER BY place").to_arrow_reader(1_000)
    for row in (row for batch in reader for row in batch.to_pylist()):
        place = len(page_ids)
        page_ids.append(row["page_id"])
        crowds = [standing.setdefault(band, []) for band in row["bands"]]
        shared = Counter(rival for crowd in crowds for rival in crowd[-MAX_RIVALS:])
        rivals = sorted(shared, key=lambda rival: (-shared[rival], rival))[:MAX_RIVALS]
        best, kept = max(((jaccard(shingles[place], shingles[rival]), -rival) for rival in rivals), default=(0.0, 0))
        counts["pages_compared"] += bool(rivals)
        counts["pairs_compared"] += len(rivals)
        counts["pages_crowded"] += len(shared) > MAX_RIVALS or any(len(crowd) > MAX_RIVALS for crowd in crowds)
        if best >= threshold:
            yield {"page_id": row["page_id"], "kept_id": page_ids[-kept], "jaccard": best}
        else:
            for crowd in crowds:
                crowd.append(place)


def jaccard(one: Hashes, other: Hashes) -> float:
    """Size of the intersection over that of the union, of two sorted arrays without repeats, not both empty."""
    n_common = len(np.intersect1d(one, other, assume_unique=True))
    return n_common / (len(one) + len(other) - n_common)


def _shingles_on_disk(
    path: Path, parts: Sequence[Path], database: duckdb.DuckDBPyConnection, ngram: int
) -> list[Hashes]:
    """Shingle hashes of each candidate, by place: views of a file, so that memory holds only what is compared."""
    found = database.sql("SELECT * EXCLUDE (bands) FROM candidates").fetchall()
    place_of: dict[Capture, int] = {(page_id, name, offset): place for page_id, name, offset, place in found}
    spans = np.zeros((len(place_of), 2), dtype=np.int64)
    n_written = 0
    with path.open("wb") as file:
        for part in parts:
            for place, text in _texts(part, place_of):
                hashes = shingle_hashes(words(text), ngram)
                file.write(hashes.tobytes())
                spans[place] = n_written, n_written + len(hashes)
                n_written += len(hashes)
    for (page_id, name, offset), place in place_of.items():
        if spans[place, 1] == 0:
            raise WorkspaceError(f"page {page_id} ({name} at {offset}) is signed but in no part; sign the parts again")
    flat = np.memmap(path, dtype=np.uint64, mode="r").view(np.ndarray) if n_written else np.empty(0, dtype=np.uint64)
    return [flat[start:end] for start, end in spans]


def _texts(part: Path, place_of: Mapping[Capture, int]) -> Iterator[tuple[int, str]]:
    """Place and text of the candidates in a part; row groups without any are not read."""
    with pq.ParquetFile(part) as file:
        for group in range(file.num_row_groups):
            places = [place_of.get(capture) for capture in _captures(file.read_row_group(group, list(_CAPTURE)))]
            if any(place is not None for place in places):
                texts = file.read_row_group(group, ["text"])["text"]
                yield from ((place, texts[row].as_py()) for row, place in enumerate(places) if place is not None)
