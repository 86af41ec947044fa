"""What a round costs: growth with the pool, memory, and scoring beside fastText's own C++.

Usage: python bench/rounds.py [--sizes N ...] [--write]

Pages are generated, a fiftieth of them with formulas, twenty a host; the pool is written as the ingest would have left
it, so that only the round is measured. Scoring is of pages of a workspace, the same lines and the same model:
`corpus.classify.Scorer` against `FastText::test`, which reads a file, predicts each line and counts, all in C++.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from dedup_sides import measured
from report import Table, write
from rich.console import Console

from corpus.classify import MODEL, Scorer
from corpus.config import load_settings
from corpus.iterate import iterate
from corpus.schema import KEPT, PAGE, REMOVED
from corpus.stages import part, parts
from corpus.tables import read_rows, write_rows
from corpus.text import classifier_bytes
from corpus.urls import page_id
from corpus.workspace import Workspace
from pipelines.fanout import fan_out_by
from pipelines.score import score

SIZES = (100_000, 300_000, 1_000_000)
PER_PART = 50_000
PER_HOST = 20
EVERY = 50  # of these pages one has formulas
N_SEED = 5_000
N_WORDS = 150  # of a page
VOCABULARY = 40_000
COMMANDS = ("alpha", "frac", "sum", "int", "beta", "leq", "infty", "partial", "sqrt", "lambda")
N_LINES = 4_000
ROUNDS = 7  # of the scoring, both ways in turn
MB = 1_000_000


def texts(first: int, count: int, mathematical: bool) -> Iterator[tuple[str, int, int]]:
    """(text, n_formulas, n_commands); what a page holds depends on its number alone."""
    random = np.random.default_rng([first, mathematical])
    ranks = (VOCABULARY ** random.random((count, N_WORDS))).astype(int)
    if mathematical:
        ranks[:, ::3] = ranks[:, ::3] % 400 + VOCABULARY
    for row in ranks:
        words = [f"w{rank}" for rank in row]
        n = int(random.integers(2, 40)) if mathematical else int(random.random() < 0.05)
        used = [COMMANDS[i] for i in random.integers(0, len(COMMANDS), n)]
        for place, command in enumerate(used):
            words[place * 3 % N_WORDS] += rf" \(\{command}{{x_{place}}}\)"
        yield " ".join(words), n, len(set(used))


def pages(rank: int, count: int) -> Iterator[dict[str, Any]]:
    empty = dict.fromkeys(PAGE.names)
    kinds = {kind: texts(rank, count, kind) for kind in (False, True)}
    for number in range(rank * PER_PART, rank * PER_PART + count):
        # Mathematics stands on every tenth host, a fifth of its pages.
        host = number // PER_HOST
        mathematical = host % 10 == 0 and number % 5 == 0
        text, n_formulas, n_commands = next(kinds[mathematical])
        url = f"http://www.h{host}.example/{number % 3}/{number}.html"
        yield {
            **empty,
            **{name: 0 for name in PAGE.names if name.startswith("formulas_")},
            "page_id": page_id(url),
            "url": url,
            "url_host_name": f"www.h{host}.example",
            "url_host_registered_domain": f"h{host}.example",
            "crawl": "generated",
            "warc_filename": f"{rank}.warc.gz",
            "warc_record_offset": number,
            "warc_record_length": 1,
            "content_digest": f"{number:032x}",
            "text": text,
            "n_chars": len(text),
            "n_tokens": len(text) // 4,
            "n_formulas": n_formulas,
            "n_commands": n_commands,
        }


def make(root: Path, size: int) -> None:
    """A workspace whose pool is there."""
    root.mkdir(parents=True)
    with (root / "seed.jsonl").open("w", encoding="utf-8") as file:
        for number, (text, _, _) in enumerate(texts(10**9, N_SEED, True)):
            file.write(json.dumps({"url": f"http://seed{number // 5}.example/{number}", "text": text}) + "\n")
    (root / "corpus.toml").write_text('preset = "sample"\nseed.paths = ["seed.jsonl"]\n', encoding="utf-8")
    workspace = Workspace(root)
    starts = range(0, size, PER_PART)

    def parts_of(directory: Path) -> dict[str, Any]:
        for rank, start in enumerate(starts):
            write_rows(part(directory, rank), pages(rank, min(PER_PART, size - start)), PAGE)
        return {"n_pages": size}

    def unique(directory: Path) -> dict[str, Any]:
        for rank in range(len(starts)):
            rows = read_rows(part(workspace.path("pool/parts"), rank), KEPT.names)
            write_rows(part(directory, rank, "kept"), rows, KEPT)
        write_rows(directory / "removed.parquet", [], REMOVED)
        return {"n_pages": size}

    workspace.run("pool/parts", parts_of, settings={})
    workspace.run("pool/unique", unique, settings={}, inputs=["pool/parts"])


def run_round(root: Path) -> None:
    workspace, settings = Workspace(root), load_settings(root / "corpus.toml")
    fan_out = fan_out_by(settings.run, workspace)
    (row,) = iterate(workspace, settings, 1, partial(score, fan_out=fan_out))
    print(json.dumps(row, default=str))


def growth(sizes: Sequence[int], work: Path) -> Table:
    rows: list[list[str]] = []
    before = (0, 0.0)
    for size in sizes:
        root = work / str(size)
        make(root, size)
        cost = measured([sys.executable, __file__, "--round", str(root)], work / f"{size}.log", one_core=False)
        exponent = np.log(cost.cpu_seconds / before[1]) / np.log(size / before[0]) if before[0] else np.nan
        before = size, cost.cpu_seconds
        row = next(read_rows(root / "rounds/01/expanded/round.parquet"))
        rows.append(
            [
                f"{size:,}",
                f"{row['n_collected']:,}",
                f"{cost.seconds:.0f}",
                f"{cost.cpu_seconds:.0f}",
                "-" if np.isnan(exponent) else f"{exponent:.2f}",
                f"{cost.peak_bytes / MB:,.0f}",
                f"{cost.peak_tree_bytes / MB:,.0f}",
            ]
        )
    note = (
        f"Seed, training, scoring, evidence, recall, domains and expansion of the first round, preset `sample`, "
        f"{N_SEED:,} seed documents, a page of {N_WORDS} words; exponent: of CPU time, from the row before."
    )
    columns = ["pages", "collected", "s", "CPU s", "exponent", "peak MB, one", "peak MB, all"]
    return Table("A round", note, columns, rows)


def scoring(root: Path, work: Path) -> Table:
    """The model of the first round of the workspace `root`, on lines of its pool."""
    model = Workspace(root).path("rounds/01/model") / MODEL
    rows = (row for path in parts(Workspace(root).path("pool/parts")) for row in read_rows(path, ["text"]))
    lines = [classifier_bytes(row["text"], 20_000) for row, _ in zip(rows, range(N_LINES), strict=False)]
    labelled = work / "lines.txt"
    labelled.write_bytes(b"".join(b"__label__math " + line + b"\n" for line in lines))
    scorer = Scorer(model)
    native = scorer._model.f
    seconds: dict[str, list[float]] = {"corpus": [], "fastText, C++": []}
    for _ in range(ROUNDS):
        for side, call in (
            ("corpus", lambda: scorer.score(lines)),
            ("fastText, C++", lambda: native.test(str(labelled), 2, 0.0)),
        ):
            start = time.process_time()
            call()
            seconds[side].append(time.process_time() - start)
    best = {side: min(values) for side, values in seconds.items()}
    shown = [
        [side, f"{len(lines) / value:,.0f}", f"{best['fastText, C++'] / value:.2f}"] for side, value in best.items()
    ]
    mean = sum(map(len, lines)) / len(lines)
    note = f"{len(lines):,} lines of {mean:,.0f} bytes on average, best of {ROUNDS}, CPU time, one thread."
    return Table("Scoring", note, ["side", "pages a CPU s", "ratio"], shown)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--workspace", type=Path, default=Path("work/sample"), help="whose pages are scored")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--round", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.round:
        run_round(arguments.round)
        return 0
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        tables = [growth(arguments.sizes, work), scoring(arguments.workspace, work)]
    for table in tables:
        table.show(Console())
    if arguments.write:
        write("rounds", "## A round", tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
