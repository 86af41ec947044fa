"""WARC files to scored pages: this project against the stock datatrove chain and against isal gunzip alone.

Usage: python bench/ingest.py [--write] [WARC ...]

Without files: the sample crawl, and ../shared/crawl_dev where it is there. All sides score with the model of the
sample's first round (preset sample; make iterate ROUND=1) and run one after the other, pinned to one core. CPU seconds
of each with all its processes, the start of Python and what it imports taken off (a run over no files). The stock chain
reads one file of crawl_dev, the others all.
"""

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from report import Table, write
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "work" / "sample" / "rounds" / "01" / "model" / "model.bin"
CRAWLS = {"sample crawl": ROOT / "work" / "sample-crawl" / "crawl", "crawl_dev": ROOT.parent / "shared" / "crawl_dev"}
TIMES = 3  # rounds of each side but the stock chain; the fastest counts


def gunzip(files: list[str]) -> int:
    """What no reader of the files can do without. Returns 0 pages."""
    from isal import igzip

    for file in files:
        with igzip.open(file) as unpacked:
            while unpacked.read(1 << 20):
                pass
    return 0


def in_memory(files: list[str]) -> int:
    """Record, cheap text, line, score, in one process without a guard: the work that the stock chain does."""
    from corpus.charset import utf8
    from corpus.cheap import cheap_text
    from corpus.classify import Scorer
    from corpus.text import classifier_bytes
    from corpus.warc import Response, read_records

    cheap_text(b"")  # compiles the marks of formulas: a part of the start, which a run over no files has too
    lines = (
        classifier_bytes(cheap_text(utf8(record.payload, record.http_charset)[0]).text)
        for file in files
        for record in read_records(file)
        if isinstance(record, Response)
    )
    return len(Scorer(MODEL).score(lines))


def as_it_runs(files: list[str]) -> int:
    """The stages ingest and scores as a run does them: guarded child, language, URLs, digests, Parquet."""
    from corpus.classify import score_part
    from corpus.config import Pool
    from corpus.pool import ingest_part
    from corpus.schema import KEPT
    from corpus.stages import part
    from corpus.tables import read_rows, write_rows

    n_pages = 0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for rank, file in enumerate(files):
            ingest_part(file, Path(file).name, rank, directory, Pool(min_chars=0))
            kept, scores = part(directory, rank, "kept"), part(directory, rank, "scores")
            write_rows(kept, read_rows(part(directory, rank), KEPT.names), KEPT)
            score_part(part(directory, rank), kept, MODEL, scores, max_chars=20_000)
            n_pages += sum(1 for _ in read_rows(scores))
    return n_pages


def stock(files: list[str]) -> int:
    """datatrove's own WarcReader, Trafilatura and FastTextClassifierFilter. Returns pages read, as for ours."""
    import pylibmagic  # noqa: F401 - puts libmagic where python-magic finds it
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.filters import FastTextClassifierFilter
    from datatrove.pipeline.readers import WarcReader
    from loguru import logger

    logger.disable("datatrove")
    FastTextClassifierFilter._requires_dependencies = []  # it looks for a distribution of another name
    documents = None
    for file in files:
        documents = WarcReader(str(Path(file).parent), glob_pattern=Path(file).name).run(documents)
    n_read = itertools.count()
    counted = (document for document in documents or () if next(n_read) >= 0)
    extracted = Trafilatura(timeout=10).run(counted)
    for _ in FastTextClassifierFilter(str(MODEL), keep_labels=("math", 0.0)).run(extracted):
        pass
    return next(n_read)


def steps(files: list[str]) -> dict[str, float]:
    """Milliseconds a page of each step, one after the other over all pages of `files` held in memory."""
    from corpus import language
    from corpus.charset import utf8
    from corpus.cheap import cheap_text
    from corpus.classify import Scorer
    from corpus.text import classifier_bytes
    from corpus.warc import Response, read_records

    scorer = Scorer(MODEL)
    seconds: dict[str, float] = {}

    def timed(step: str, work: Any) -> Any:
        start = time.process_time()
        made = work()
        seconds[step] = seconds.get(step, 0.0) + time.process_time() - start
        return made

    n_pages = 0
    for file in files:
        records = timed("read records", lambda file=file: [r for r in read_records(file) if isinstance(r, Response)])
        pages = timed("decode", lambda records=records: [utf8(r.payload, r.http_charset)[0] for r in records])
        texts = timed("cheap text", lambda pages=pages: [cheap_text(page).text for page in pages])
        timed("language", lambda texts=texts: [language.identify(text) for text in texts])
        lines = timed("line", lambda texts=texts: [classifier_bytes(text) for text in texts])
        timed("score", lambda lines=lines: scorer.score(lines))
        n_pages += len(records)
    return {step: 1_000 * spent / n_pages for step, spent in seconds.items()}


SIDES = {"gunzip": gunzip, "in_memory": in_memory, "as_it_runs": as_it_runs, "stock": stock, "steps": steps}


def measured(side: str, files: list[str]) -> tuple[Any, float]:
    """What a side returns, run in a process of its own on one core, and its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    core = {min(os.sched_getaffinity(0))}
    command = [sys.executable, __file__, "--side", side, *files]
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, core),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout.splitlines()[-1]), seconds


def fastest(side: str, files: list[str], times: int = TIMES) -> tuple[int, float]:
    """Pages of a side, and its CPU seconds without those of a run over no files."""
    n_pages, seconds = min((measured(side, files) for _ in range(times)), key=lambda run: run[1])
    return n_pages, seconds - min(measured(side, [])[1] for _ in range(times))


def rows_of(name: str, files: list[str], stock_files: list[str]) -> list[list[str]]:
    n_pages, ours = fastest("in_memory", files)
    n_kept, whole = fastest("as_it_runs", files)
    _, unpacking = fastest("gunzip", files)
    n_stock, theirs = fastest("stock", stock_files, times=1)
    sides = [
        ("isal gunzip alone", unpacking / n_pages),
        ("corpus: read, cheap text, line, score", ours / n_pages),
        ("corpus: the stages as they run", whole / n_kept),
        ("stock datatrove chain", theirs / n_stock),
    ]
    return [
        [
            f"{name}: {side}",
            f"{1_000 * each:.3f}",
            f"{1 / each:,.0f}",
            f"{theirs / n_stock / each:.1f}",
            f"{each / (unpacking / n_pages):.1f}",
        ]
        for side, each in sides
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="WARC", help="WARC files of one crawl")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    arguments = parser.parse_args()
    if not MODEL.exists():
        sys.exit(f"{MODEL} is missing: it is the model that all sides score with. Type: make iterate ROUND=1")
    console = Console()
    crawls = {"given files": arguments.files} if arguments.files else {}
    for name, folder in CRAWLS.items() if not crawls else ():
        if files := sorted(map(str, folder.glob("*.warc.gz"))):
            crawls[name] = files
        else:
            console.print(f"{folder} is absent: nothing is measured on {name}.")
    rows: list[list[str]] = []
    parts: dict[str, dict[str, float]] = {}
    for name, files in crawls.items():
        console.print(f"{name}: {len(files)} files ...")
        rows += rows_of(name, files, files if name == "sample crawl" else files[:1])
        parts[name] = min((measured("steps", files)[0] for _ in range(TIMES)), key=lambda times: sum(times.values()))
    tables = [
        Table(
            "WARC files to scored pages",
            "One core, CPU time of all processes. The stages as they run add the guarded child, language, URLs, "
            "digests and Parquet. Stock: WarcReader, Trafilatura, FastTextClassifierFilter, run once, over one file of "
            "crawl_dev; the others are run three times over all files, and the fastest counts. Per page read.",
            ["side", "ms a page", "pages a second", "x stock chain", "times gunzip"],
            rows,
        ),
        Table(
            "Steps of a page",
            "Milliseconds a page, each step over all pages before the next.",
            ["step", *parts],
            [[step, *(f"{times[step]:.3f}" for times in parts.values())] for step in next(iter(parts.values()))],
        ),
    ]
    for table in tables:
        table.show(console)
    if arguments.write:
        write("ingest", "WARC files to scored pages: `python bench/ingest.py --write`.", tables)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        print(json.dumps(SIDES[sys.argv[2]](sys.argv[3:])))
    else:
        main()
