"""Benchmarks out of a corpus: the stage of a workspace, and any Parquet files."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from corpus.allowed import read_allowed
from corpus.benchmarks import SUFFIXES, Benchmarks, load_benchmarks
from corpus.card import decontamination, found_of_benchmarks
from corpus.config import Decontam
from corpus.decontam import Index
from corpus.decontam_parts import decontaminate_part
from corpus.documents import check_ids, column_names, documents_of
from corpus.errors import InputError
from corpus.schema import BENCHMARK, CONTAMINATED_FILES
from corpus.sources import PARQUET, expand, stamps
from corpus.stages import FanOut, Report, Stages, build_files, build_parts, part, parts
from corpus.tables import count_rows, duck, read_rows, replacing, selected, sql_list, write_rows
from corpus.workspace import Workspace

LISTS = (".csv",)
ANSWERS = ("answer", "solution")  # what confirms a question, where the settings ask for it
SETS, FOUND, REPORT = "benchmarks.parquet", "contaminated.parquet", "report.md"


def remove_contaminated(
    workspace: Workspace, rule: Decontam, fan_out: FanOut, *, pages: str, unique: str, contaminated: str
) -> str:
    """Bring the stage `contaminated` over the stages `pages` and `unique` up to date; the stage with the texts.

    part-NNNNN.parquet is evidence; texts-NNNNN.parquet, where segments go, the pages without them.
    """
    sources, kept = parts(workspace.path(pages)), parts(workspace.path(unique), "kept")

    def build(directory: Path) -> Mapping[str, Any]:
        index = directory / ".index"  # built once, for all workers
        protected = build_index(rule, workspace.root, index, directory / SETS)
        task = partial(_rank, sources, kept, index, rule, _allow_lists(rule, workspace.root), directory)
        build_parts(fan_out, task, len(sources), directory)
        return {**counts_of(parts(directory), "page_id"), **protected}

    workspace.run(
        contaminated,
        build,
        settings=rule.model_dump(exclude={"benchmarks", "allow"}),
        inputs=[pages, unique],
        files=_files(rule, workspace.root),
    )
    return contaminated if rule.action == "segment" else pages


def build_index(rule: Decontam, base: Path, index: Path, sets: Path) -> dict[str, int]:
    """Write the index of the rule's benchmarks, and BENCHMARK: what is protected of each; counts of it."""
    files = [Path(path) for path in expand(rule.benchmarks, base, SUFFIXES).values()]
    others = [name for name in ANSWERS if name not in rule.columns] if rule.protect == "question_and_solution" else []
    load_benchmarks(files, rule.columns)  # each row has a question
    benchmarks = load_benchmarks(files, [*rule.columns, *others])
    made = Index.of(benchmarks, rule)
    made.save(index)
    rows = protection(made, benchmarks)
    write_rows(sets, rows, BENCHMARK)
    once = {row["benchmark"]: row for row in rows}.values()
    counts = Counter(dict.fromkeys(("n_benchmark_items", "n_texts", "n_empty"), 0))
    for row in once:
        counts.update(n_benchmark_items=row["n_items"], n_texts=row["n_texts"], n_empty=row["n_empty"])
    looked_for = np.any(list(made.protected().values()), axis=0)
    n_unprotected = int(np.count_nonzero(made.asked & ~looked_for & (made.texts.n_words > 0)))
    return {"n_benchmarks": len(once), **counts, "n_unprotected": n_unprotected}


def protection(index: Index, benchmarks: Benchmarks) -> list[dict[str, Any]]:
    """BENCHMARK: of each benchmark and rule, how many questions are looked for; by name."""
    n_items = Counter(item.benchmark for item in benchmarks.items)
    of = [index.texts.benchmarks[number] for number in index.texts.item]
    n_words = index.texts.n_words
    rows = []
    for rule, protected in sorted(index.protected().items()):
        counts: dict[str, Counter[str]] = {name: Counter() for name in benchmarks.n_rows}
        for text in np.flatnonzero(index.asked):
            kind = "protected" if protected[text] else "unprotected" if n_words[text] else "empty"
            counts[of[text]].update(("texts", kind))
        rows += [
            {
                "benchmark": name,
                "rule": rule,
                "n_rows": benchmarks.n_rows[name],
                "n_items": n_items[name],
                **{f"n_{kind}": count[kind] for kind in ("texts", "protected", "unprotected", "empty")},
            }
            for name, count in counts.items()
        ]
    return sorted(rows, key=lambda row: (row["benchmark"], row["rule"]))


def counts_of(evidence: Sequence[Path], key: str) -> dict[str, Any]:
    """Pages that went, lost a segment or were allowed to stay, and pages of which something went by benchmark."""
    what: dict[str, set[str]] = defaultdict(set)
    benchmarks: set[tuple[str, str]] = set()
    for path in evidence:
        for row in read_rows(path, [key, "benchmark", "allowed", "removed"]):
            what[row["removed"] or ("allowed" if row["allowed"] else "flagged")].add(row[key])
            if row["removed"]:
                benchmarks.add((row[key], row["benchmark"]))
    gone = what["page"]
    cut_ = what["segment"] - gone
    return {
        "n_contaminated": len(gone),
        "n_segments": len(cut_),
        "n_allowed": len(what["allowed"] - gone - cut_),
        "n_unconfirmed": len(what["flagged"] - gone - cut_ - what["allowed"]),
        "by_benchmark": dict(sorted(Counter(benchmark for _, benchmark in benchmarks).items())),
    }


def _files(rule: Decontam, base: Path) -> dict[str, str]:
    files = stamps(rule.benchmarks, base, SUFFIXES)
    return files | stamps(rule.allow, base, LISTS, "allow ") if rule.allow else files


def _allow_lists(rule: Decontam, base: Path) -> list[Path]:
    lists = [Path(path) for path in expand(rule.allow, base, LISTS).values()]
    read_allowed(lists)  # raises before any worker starts
    return lists


def _rank(
    sources: Sequence[Path], kept: Sequence[Path], index: Path, rule: Decontam, lists: Sequence[Path], directory: Path,
    rank: int,
) -> None:  # fmt: skip
    """The evidence of one part, and its texts before."""
    texts = part(directory, rank, "texts") if rule.action == "segment" else None
    decontaminate_part(
        sources[rank], Index.load(index), rule, read_allowed(lists), part(directory, rank), texts, kept[rank]
    )


def decontaminate(
    inputs: Sequence[str],
    output: Path,
    rule: Decontam,
    *,
    fan_out_for: Callable[[Stages], FanOut],
    report: Report = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Write the documents of Parquet files that hold no benchmark text, and the evidence, into a new directory.

    inputs: files, folders or globs with a `text`; a document is known by page_id, id or url, else by file and row.
    output: part-NNNNN.parquet, a file for each input with its schema; contaminated.parquet (CONTAMINATED_FILES), the
    same however the documents are spread over files; benchmarks.parquet (BENCHMARK); report.md; manifest.json. It
    appears whole, under its name; a killed call of the same arguments goes on where it was, a finished one is only
    read.

    Returns counts. Raises InputError for what cannot be read, ids that are not unique, and where `output` is something
    else or lies in a folder of inputs.
    """
    here = Path.cwd()
    for folder in inputs:
        if output.resolve().is_relative_to(Path(folder).resolve()):
            raise InputError(f"{output} lies inside the input {folder}: it would be read too. Name another directory.")
    inputs = [documents_of(pattern) for pattern in inputs]
    sources = expand(inputs, here, PARQUET)
    if not rule.benchmarks:
        raise InputError("no benchmarks are named: nothing can be found. Type: corpus benchmarks list")
    stages = Stages(output.absolute().parent, report)
    name = output.absolute().name
    settings = rule.model_dump(exclude={"benchmarks", "allow"})
    files = stamps(inputs, here, PARQUET, "input ") | _files(rule, here)
    stages.check_own(output, settings, files)
    paths = list(map(Path, sources.values()))
    for path in paths:
        column_names(path)  # raises where it is no table of texts

    def build(directory: Path) -> Mapping[str, Any]:
        check_ids(paths, directory)
        index = directory / ".index"
        protected = build_index(rule, here, index, directory / SETS)
        task = partial(_file, sources, index, rule, _allow_lists(rule, here), directory)
        evidence = partial(part, directory, name="evidence")
        build_files(fan_out_for(stages), task, len(paths), directory, evidence)
        found = [evidence(rank) for rank in range(len(paths))]
        n_documents, n_kept = count_rows(paths), count_rows(parts(directory))
        counts = {
            "n_documents": n_documents,
            "n_kept": n_kept,
            **counts_of(found, "id"),
            "n_contaminated": n_documents - n_kept,  # of one URL there may be several
            **protected,
            "sources": list(sources),
        }
        _write_report(found, directory, rule, f"Of {n_documents:,} documents, {n_documents - n_kept:,} were dropped.")
        for path in found:
            path.unlink()
        return counts

    return dict(stages.run(name, build, settings=settings, files=files).counts)


def _write_report(found: Sequence[Path], directory: Path, rule: Decontam, title: str) -> None:
    """FOUND, the evidence of all files by document, and REPORT, what was found of each benchmark."""
    with duck(directory) as database:
        rows = selected(database, f"SELECT * FROM read_parquet({sql_list(found)}) ORDER BY ALL")
        write_rows(directory / FOUND, rows, CONTAMINATED_FILES)
        for view, columns, name in (("benchmarks", "*", SETS), ("contaminated", "*, id AS page_id", FOUND)):
            source = f"read_parquet({sql_list([directory / name])})"
            database.execute(f"CREATE VIEW {view} AS SELECT {columns} FROM {source}")
        text = decontamination(found_of_benchmarks(database), rule.model_dump())
    with replacing(directory / REPORT) as temporary:
        temporary.write_text(f"# Decontamination\n\n{title} {text}", encoding="utf-8")


def _file(
    sources: Mapping[str, str], index: Path, rule: Decontam, lists: Sequence[Path], directory: Path, rank: int
) -> None:
    """The rows of one file that stay, and behind them the evidence: it says that the task is done."""
    name, source = list(sources.items())[rank]
    decontaminate_part(
        Path(source), Index.load(index), rule, read_allowed(lists), part(directory, rank, "evidence"),
        part(directory, rank), file_name=name,
    )  # fmt: skip
