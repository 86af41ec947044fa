"""Duplicates: parts are signed, partitions of keys decide, a task each; then the parts are written without them.

    sign       a task a part        urls-, part- and bands-NNNNN.parquet, partitioned by key
    urls       a task a partition   captures of one URL that leave
    texts      a task a partition   one document a text, and those that leave for it
    pairs      a task a partition   texts that share a band                            \\
    sketches   a task a part        shingles of these                                   | again, while a crowd shrinks
    edges      a task a partition   pairs that are near duplicates                     /
    left       here                 who leaves, from the edges
    kept       a task a part        rows that stay

The tables between are deleted when the stage is whole.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import dedup
from corpus.candidates import PASSES, ROW_BITS, propose_pairs, same_texts, same_urls, succeeding, write_pairs
from corpus.comparison import WANTED, compare_pairs, sketch_part
from corpus.config import Boilerplate, Unique
from corpus.documents import check_ids, column_names, documents_of
from corpus.schema import KEPT, REMOVED, REMOVED_FILES
from corpus.signatures import MinHash, Signed, check_scheme, keep_signed, sign_part
from corpus.sources import PARQUET, expand, stamps
from corpus.stages import FanOut, Report, Stages, build_files, part, parts
from corpus.tables import count_rows, duck, replacing, sql_list, write_table
from corpus.workspace import Workspace
from pipelines.boilerplate import mark_boilerplate
from pipelines.fanout import here_if_few

OFF = Boilerplate(action="off")
SIGNATURES = "_signatures"  # below an output; readers of Parquet folders pass by what begins with a sign
WORK = "work"  # the tables between, below a stage that is being built
STEPS = ("urls", "texts", "exact", "pairs", "crowded", "wanted", "sketches", "edges")


def minhash_of(rule: Unique) -> MinHash:
    """The settings of a section that concern near duplicates."""
    return MinHash(**{name: getattr(rule, name) for name in MinHash.__dataclass_fields__ if name != "seed"})


def remove_duplicates(
    workspace: Workspace,
    rule: Unique,
    fan_out: FanOut,
    *,
    pages: str,
    signatures: str,
    unique: str,
    against: Sequence[str] = (),
) -> None:
    """Bring the stages `signatures` and `unique` over the stage `pages` up to date.

    against: Parquet files, folders or globs of corpora that the pages are not to repeat; they are signed in a stage
    of their own beside `unique`, once.
    """
    minhash = minhash_of(rule)
    sources = parts(workspace.path(pages))
    others = unique.replace("unique", "against")
    other_sources = [Path(source) for source in expand(against, workspace.root, PARQUET).values()]
    fan_out = here_if_few([*sources, *other_sources], fan_out)

    def sign(directory: Path) -> Mapping[str, Any]:
        sign_parts(sources, directory, minhash, rule.partitions, fan_out, directory)
        return {"n_pages": count_rows(sources)} | minhash.scheme()

    def find(directory: Path) -> Mapping[str, Any]:
        signed = [Signed(source, workspace.path(signatures), rank) for rank, source in enumerate(sources)]
        signed += [Signed(source, workspace.path(others), rank, True) for rank, source in enumerate(other_sources)]
        counts = find_duplicates(signed, directory, minhash, rule.partitions, fan_out, near=rule.near)
        left = directory / "left.parquet"
        build_files(
            fan_out, partial(_keep, sources, left, directory), len(sources), directory, _part(directory, "kept")
        )
        write_table(directory / "removed.parquet", dedup.removed(left), REMOVED)
        left.unlink()
        return {"n_pages": count_rows(parts(directory, "kept")), **counts}

    def sign_others(directory: Path) -> Mapping[str, Any]:
        sign_parts(other_sources, directory, minhash, rule.partitions, fan_out, directory)
        return {"n_pages": count_rows(other_sources)}

    settings = rule.model_dump(exclude={"near", "threshold", "against"})
    workspace.run(signatures, sign, settings=settings, inputs=[pages])
    if against:
        files = stamps(against, workspace.root, PARQUET)
        workspace.run(others, sign_others, settings=settings, files=files)
    inputs = [pages, signatures, *([others] if against else [])]
    workspace.run(unique, find, settings=rule.model_dump(exclude={"against"}), inputs=inputs)


def sign_parts(
    sources: Sequence[Path], directory: Path, minhash: MinHash, n_partitions: int, fan_out: FanOut, stage: Path
) -> None:
    """Sign files into `directory`, below that of a stage, each by its place among them."""
    directory.mkdir(exist_ok=True)
    task = partial(_sign, sources, directory, minhash, n_partitions)
    build_files(fan_out, task, len(sources), stage, _part(directory))


def find_duplicates(
    signed: Sequence[Signed], directory: Path, minhash: MinHash, n_partitions: int, fan_out: FanOut, *, near: bool
) -> dict[str, Any]:
    """Write left.parquet (dedup.LEFT) into a stage's directory; counts of what was compared and removed."""
    for each in signed:
        check_scheme(each, minhash, n_partitions)
    for step in STEPS:
        (directory / WORK / step).mkdir(parents=True, exist_ok=True)
    paths = partial(_paths, directory)
    numbers = range(n_partitions)
    build_files(fan_out, partial(_urls, signed, directory, n_partitions), n_partitions, directory, paths("urls"))
    build_files(fan_out, partial(_texts, signed, directory, n_partitions), n_partitions, directory, paths("exact"))
    urls, texts, exact = ([paths(step)(number) for number in numbers] for step in ("urls", "texts", "exact"))
    edges: list[Path] = []
    counts: Counter[str] = Counter(pages_crowded=0, pairs_compared=0)
    once = np.empty(0, np.uint64)  # texts that were in a crowd
    behind = again = np.empty((0, 2), np.uint64)
    standing: np.ndarray[Any, Any] | None = None
    for turn in range(PASSES if near else 0):
        near_path = partial(_paths, directory, turn=turn)
        propose = partial(_pairs, signed, directory, n_partitions, turn, standing)
        build_files(fan_out, propose, n_partitions, directory, near_path("crowded"))
        write_pairs(near_path("pairs")(n_partitions), again, n_partitions)
        wanted = _write_wanted(directory, turn, texts, n_partitions, len(signed))
        build_files(
            fan_out, partial(_sketch, signed, minhash, directory, turn), len(signed), directory, near_path("sketches")
        )
        compare = partial(_compare, minhash, directory, n_partitions, len(signed), turn)
        build_files(fan_out, compare, n_partitions, directory, near_path("edges"))
        found = [near_path("edges")(number) for number in numbers]
        edges += found
        compared = sum(int((pq.read_schema(path).metadata or {})[b"compared"]) for path in found)
        counts.update(pairs_compared=compared, texts_compared=wanted)
        crowd = np.unique(np.concatenate([np.load(near_path("crowded")(number)) for number in numbers]))
        if standing is None:
            once = crowd
        before, behind = behind, dedup.standing_behind(edges, texts, directory) if len(once) else behind
        left, again = np.setdiff1d(once, behind[:, 0]), succeeding(before, behind)
        # Not compared with all of their crowd: what is crowded still, and what stands again since that which it
        # stood behind left itself.
        open_ = left if standing is None else np.union1d(np.intersect1d(crowd, left), np.setdiff1d(left, standing))
        counts["pages_crowded"] = len(open_)
        if not len(open_) or not compared or (standing is not None and np.array_equal(left, standing)):
            break
        standing = left
    dedup.decide(urls, texts, exact, edges, directory / "left.parquet")
    _discard(directory / WORK)
    kinds = Counter(pq.read_table(directory / "left.parquet", columns=["kind"])["kind"].to_pylist())
    return {"removed": dict(sorted(kinds.items())), **counts}


def _discard(directory: Path) -> None:
    """Delete a directory, if it is there; a call that is taken up again finds all of it or nothing."""
    leftover = directory.with_name(f".{directory.name}")
    shutil.rmtree(leftover, ignore_errors=True)
    if directory.exists():
        shutil.rmtree(directory.rename(leftover))


def _paths(directory: Path, step: str, turn: int = 0) -> Callable[[int], Path]:
    """Path of a step's file by rank; the one of each task that is written last says that the task is done."""
    suffix = {"crowded": "npy", "sketches": "spans.parquet"}.get(step, "parquet")
    return lambda rank: directory / WORK / step / f"{turn}-{rank:05d}.{suffix}"


def _part(directory: Path, name: str = "part") -> Callable[[int], Path]:
    return lambda rank: part(directory, rank, name)


def _sign(sources: Sequence[Path], directory: Path, minhash: MinHash, n_partitions: int, rank: int) -> None:
    sign_part(sources[rank], directory, rank, minhash, n_partitions)


def _urls(signed: Sequence[Signed], directory: Path, n_partitions: int, rank: int) -> None:
    same_urls(signed, rank, n_partitions, _paths(directory, "urls")(rank))


def _texts(signed: Sequence[Signed], directory: Path, n_partitions: int, rank: int) -> None:
    urls = [_paths(directory, "urls")(number) for number in range(n_partitions)]
    same_texts(signed, urls, rank, _paths(directory, "texts")(rank), _paths(directory, "exact")(rank))


def _pairs(signed: Sequence[Signed], directory: Path, n_partitions: int, turn: int, standing: Any, rank: int) -> None:
    pairs, crowded = _paths(directory, "pairs", turn)(rank), _paths(directory, "crowded", turn)(rank)
    propose_pairs(signed, rank, n_partitions, pairs, crowded, standing)


def _write_wanted(directory: Path, turn: int, texts: Sequence[Path], n_partitions: int, n_parts: int) -> int:
    """Write comparison.WANTED for each part: rows whose text is in a pair; how many in all."""
    pairs = [_paths(directory, "pairs", turn)(number) for number in range(n_partitions + 1)]
    with duck(directory) as database:
        rows = database.sql(f"""
            SELECT text, document, "values" FROM read_parquet({sql_list(texts)})
            WHERE text IN (SELECT unnest([one, other]) FROM read_parquet({sql_list(pairs)})) ORDER BY document
        """).to_arrow_table()
    document = rows["document"].to_numpy()
    ends = np.searchsorted(document, np.arange(n_parts + 1, dtype=np.int64) << ROW_BITS)
    row = pc.bit_wise_and(rows["document"], (1 << ROW_BITS) - 1)
    table = pa.table([rows["text"], row, rows["values"]], schema=WANTED)
    for rank in range(n_parts):
        with replacing(_paths(directory, "wanted", turn)(rank)) as temporary:
            pq.write_table(table.slice(ends[rank], ends[rank + 1] - ends[rank]), temporary, compression="none")
    return len(rows)


def _sketch(signed: Sequence[Signed], minhash: MinHash, directory: Path, turn: int, rank: int) -> None:
    spans = _paths(directory, "sketches", turn)(rank)
    wanted = _paths(directory, "wanted", turn)(rank)
    sketch_part(signed[rank], wanted, minhash, spans.with_suffix("").with_suffix(".u64"), spans)


def _compare(minhash: MinHash, directory: Path, n_partitions: int, n_parts: int, turn: int, rank: int) -> None:
    pairs = [_paths(directory, "pairs", turn)(number) for number in range(n_partitions + 1)]
    spans = [_paths(directory, "sketches", turn)(number) for number in range(n_parts)]
    sketches = [path.with_suffix("").with_suffix(".u64") for path in spans]
    compare_pairs(pairs, sketches, spans, rank, minhash, _paths(directory, "edges", turn)(rank))


def _keep(sources: Sequence[Path], left: Path, directory: Path, rank: int) -> None:
    dedup.write_kept(sources[rank], left, rank, part(directory, rank, "kept"), KEPT)


def deduplicate(
    inputs: Sequence[str],
    output: Path,
    minhash: MinHash,
    *,
    against: Sequence[str] = (),
    near: bool = True,
    boilerplate: Boilerplate = OFF,
    n_partitions: int,
    fan_out_for: Callable[[Stages], FanOut],
    report: Report = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Write the documents of Parquet files that no other one repeats, and the evidence, into a new directory.

    inputs: files, folders or globs; columns as `sign_part` reads them. against: the same, of corpora that stay as
    they are; a directory that this function wrote is not signed again. boilerplate: what becomes of lines that the
    pages of a host repeat, by url_host_name or url; where they are removed, it is the rest of a text that is compared
    and kept. Texts of `against` are compared as they are.
    output: part-NNNNN.parquet, a file for each input with its schema; removed.parquet (REMOVED_FILES);
    boilerplate.parquet (BOILERPLATE), unless that is off; _signatures, for a later `against`; manifest.json. It
    appears whole, under its name; a killed call of the same arguments goes on where it was, a finished one is only
    read.

    Returns counts. Raises InputError for what cannot be read, ids that are not unique, and where `output` is
    something else, WorkspaceError where `against` was signed with other settings.
    """
    inputs = [documents_of(pattern) for pattern in inputs]
    sources = expand(inputs, Path.cwd(), PARQUET)
    corpora = [_corpus(pattern, minhash, n_partitions) for pattern in against]
    stages = Stages(output.absolute().parent, report)
    name = output.absolute().name
    settings = {"near": near, "partitions": n_partitions, "threshold": minhash.threshold} | minhash.scheme()
    settings |= {"boilerplate": boilerplate.model_dump()}
    files = stamps(inputs, Path.cwd(), PARQUET, "input ") | stamps(against, Path.cwd(), PARQUET, "against ")
    stages.check_own(output, settings, files)
    every = [*map(Path, sources.values()), *(path for each in corpora for path in each.sources)]
    for path in every:
        column_names(path)  # raises where it is no table of texts
    fan_out = here_if_few(every, fan_out_for(stages))

    def build(directory: Path) -> Mapping[str, Any]:
        new = [Path(source) for source in sources.values()]
        check_ids(new, directory)
        counts: dict[str, Any] = {}
        scratch = directory / "boilerplate"
        if boilerplate.action != "off":
            # By its own name: a document without an id is known by it.
            kept = [scratch / f"{rank:05d}" / source.name for rank, source in enumerate(new)]
            texts = kept if boilerplate.action == "remove" else []
            counts["boilerplate"] = mark_boilerplate(new, directory, boilerplate, fan_out, scratch, texts)
            new = texts or new
        sign_parts(new, directory / "signatures", minhash, n_partitions, fan_out, directory)
        signed = [Signed(source, directory / "signatures", rank) for rank, source in enumerate(new)]
        for number, corpus in enumerate(corpora):
            if not corpus.signatures:
                made = directory / f"against-{number}"
                sign_parts(corpus.sources, made, minhash, n_partitions, fan_out, directory)
            where = corpus.signatures or made
            signed += [Signed(source, where, rank, fixed=True) for rank, source in enumerate(corpus.sources)]
        counts |= find_duplicates(signed, directory, minhash, n_partitions, fan_out, near=near)
        left = directory / "left.parquet"
        (directory / SIGNATURES).mkdir(exist_ok=True)
        build_files(fan_out, partial(_write_output, signed, left, directory), len(new), directory, _part(directory))
        write_table(directory / "removed.parquet", pq.read_table(left), REMOVED_FILES)
        left.unlink()
        for step in ("signatures", "boilerplate", *(f"against-{number}" for number in range(len(corpora)))):
            _discard(directory / step)
        n_documents, n_kept = count_rows(map(Path, sources.values())), count_rows(parts(directory))
        return {"n_documents": n_documents, "n_kept": n_kept, **counts, "sources": list(sources)}

    return dict(stages.run(name, build, settings=settings, files=files).counts)


@dataclass(frozen=True)
class _Corpus:
    """Files that stay as they are, and where they were signed, if that can be used."""

    sources: Sequence[Path]
    signatures: Path | None


def _corpus(pattern: str, minhash: MinHash, n_partitions: int) -> _Corpus:
    signatures = Path(pattern) / SIGNATURES
    if not signatures.is_dir():
        return _Corpus([Path(source) for source in expand([pattern], Path.cwd(), PARQUET).values()], None)
    sources = parts(Path(pattern))
    for rank, source in enumerate(sources):
        check_scheme(Signed(source, signatures, rank), minhash, n_partitions)
    return _Corpus(sources, signatures)


def _write_output(signed: Sequence[Signed], left: Path, directory: Path, rank: int) -> None:
    """The rows of one input that stay, and their signatures before: the part says that the task is done."""
    keep_signed(signed[rank], dedup.rows_left(left, rank), directory / SIGNATURES)
    dedup.write_kept(signed[rank].source, left, rank, part(directory, rank))
