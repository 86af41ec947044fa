"""Decontamination: what each rule finds and flags wrongly, and what it costs beside stock datatrove.

Usage: python bench/decontam.py [--part NAME ...] [--shared DIR] [--stride N] [--write]

cost        the index of all sets of SHARED/benchmarks: time, size, memory; pages a CPU second of each rule and of
            datatrove's NGramsDecontFilter on the same pages.
embedded    each question in the middle of a real page: verbatim, reformatted and edited.
rephrased   rewrites of questions, against flags on pages that hold none: a curve.
collisions  pages and items that a crude rule paired, each read by a person: what the default says.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from duplicates import page_texts
from embedded import EDITS, page_with
from report import Table, write
from rich.console import Console

from corpus.benchmarks import Benchmarks, load_benchmarks
from corpus.config import Decontam
from corpus.decontam import Index
from corpus.text import words
from corpus.urls import canonical_url, page_id

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
VERDICTS = Path(__file__).with_name("collisions.csv")
RULES = ("deepseekmath", "qwen", "strict")
ENOUGH = 10  # words of a question that every rule but qwen's looks for
ROUNDS = 3
N_STOCK = 200  # pages of each set that the stock filter reads
SCORES = (15.0, 20.0, 24.0, 28.0, 35.0, 50.0)
HOSTS = (2_000, 20_000)  # characters of a page that questions are embedded in

console = Console()
Pages = dict[str, list[tuple[str, str]]]


def read_pages(shared: Path) -> Pages:
    """{set: (URL, text)} of real pages."""
    pages = {name: list(page_texts(shared / name)) for name in ("background", "crawl_dev")}
    with (shared / "negatives" / "negatives.jsonl").open(encoding="utf-8") as file:
        pages["negatives"] = [("", json.loads(line)["text"]) for line in file]
    return pages


def index_of(benchmarks: Benchmarks, **settings: Any) -> Index:
    return Index.of(benchmarks, Decontam(**settings))


def cost(benchmarks: Benchmarks, pages: Pages, arguments: argparse.Namespace) -> list[Table]:
    rows, indices = [], {}
    for rule in RULES:
        started = time.process_time()
        indices[rule] = index_of(benchmarks, rules=(rule,))
        seconds = time.process_time() - started
        indices[rule].probe("a page")  # compiles what the process below would compile, in more memory than it measures
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "index")
            indices[rule].save(path)
            started = time.process_time()
            Index.load(path)
            rows.append(
                [
                    rule,
                    f"{seconds:.1f}",
                    f"{path.stat().st_size / 1e6:,.0f}",
                    f"{time.process_time() - started:.2f}",
                    f"{peak_megabytes(rule, arguments.shared):,.0f}",
                ]
            )
    built = Table(
        "Index",
        f"All {len(benchmarks.items):,} items of {len(benchmarks.n_rows)} sets. Peak memory: of a process that reads "
        "them, builds the index and probes a page.",
        ["rule", "build, CPU s", "MB", "load, CPU s", "peak MB"],
        rows,
    )
    speeds = []
    stock = stock_filter(benchmarks)
    for name, each in pages.items():
        texts = [text for _, text in each]
        few = texts[:: max(1, len(texts) // N_STOCK)][:N_STOCK]
        theirs = seconds_a_page(stock, few, 1)
        for rule, index in indices.items():
            ours = seconds_a_page(index.probe, few, ROUNDS)
            speeds.append(
                [
                    f"{name}: {rule}",
                    f"{1e3 * ours:.3f}",
                    f"{1 / ours:,.0f}",
                    f"{1 / theirs:,.0f}",
                    f"{theirs / ours:.1f}",
                    f"{1e9 * ours / np.mean([len(text) for text in few]):.0f}",
                ]
            )
    note = (
        "Text in, evidence out, one core, CPU time in one process; ours best of "
        f"{ROUNDS}, stock once. Stock: datatrove's NGramsDecontFilter with its defaults (12 words, spaCy), its index "
        f"the 12-grams of the same questions. {N_STOCK} pages of each set."
    )
    columns = ["pages: rule", "ms a page", "pages a CPU s", "stock", "x stock", "ns a character"]
    return [built, Table("Probe", note, columns, speeds)]


def peak_megabytes(rule: str, shared: Path) -> float:
    """Of a process of its own, as this file is run with --peak."""
    command = [sys.executable, __file__, "--peak", rule, "--shared", str(shared)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def stock_filter(benchmarks: Benchmarks) -> Callable[[str], Any]:
    """datatrove's filter over an index of all questions, which its own indexer makes with lighteval alone."""
    from datatrove.data import Document
    from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter, NGramsDecontIndexer

    NGramsDecontIndexer._requires_dependencies = []
    indexer = NGramsDecontIndexer("unused", config=NGramsDecontConfig(find_query_ngrams=True))
    hashes = {
        value
        for item in benchmarks.items
        for text in item.texts["question"]
        for value in indexer.compute_hashes("", text)
    }
    with tempfile.TemporaryDirectory() as folder:
        np.array(sorted(hashes), np.uint64).tofile(Path(folder, "questions.index.hashes"))
        block = NGramsDecontFilter(folder)
        block.filter(Document(text="one two three", id="0"))  # reads the index
    return lambda text: block.filter(Document(text=text, id="0"))


def seconds_a_page(probe: Callable[[str], Any], texts: list[str], times: int) -> float:
    probe(texts[0])
    best = float("inf")
    for _ in range(times):
        started = time.process_time()
        for text in texts:
            probe(text)
        best = min(best, time.process_time() - started)
    return best / len(texts)


def embedded(benchmarks: Benchmarks, pages: Pages, arguments: argparse.Namespace) -> list[Table]:
    index = index_of(benchmarks, rules=RULES)
    draw = random.Random(1)
    hosts = [text for _, text in pages["crawl_dev"] if HOSTS[0] < len(text) < HOSTS[1]]
    clean = [host for host in draw.sample(hosts, min(len(hosts), 500)) if not index.probe(host)]
    questions = [
        (item, text)
        for item in benchmarks.items
        for text in item.texts["question"]
        if len(words(text, operators=False)) >= ENOUGH
    ]
    found: dict[str, Counter[str]] = defaultdict(Counter)
    by_words: dict[str, Counter[int]] = defaultdict(Counter)
    for name, edit in EDITS.items():
        console.print(f"embedded: {name} ...")
        for item, text in questions[:: 1 if name == "verbatim" else arguments.stride]:
            inserted = edit(text, draw)
            if name == "numbers swapped" and inserted == text:
                continue
            hits = {
                hit.rule
                for hit in index.probe(page_with(draw.choice(clean), inserted))
                if (hit.benchmark, hit.item_id) == (item.benchmark, item.item_id)
            }
            found[name].update(hits)
            found[name]["n"] += 1
            n_words = len(words(text, operators=False))
            length = max(least for least in (10, 13, 20, 40) if n_words >= least)
            by_words[name][length] += "strict" in hits
            by_words[f"{name}, all"][length] += 1
    rows = [
        [name, f"{count['n']:,}", *(f"{100 * count[rule] / count['n']:.2f}" for rule in RULES)]
        for name, count in found.items()
    ]
    lengths = [
        [name, *(f"{100 * by_words[name][n] / max(1, by_words[f'{name}, all'][n]):.1f}" for n in (10, 13, 20, 40))]
        for name in found
    ]
    note = (
        f"Questions of {ENOUGH} words and more, each in the middle of a page of crawl_dev that has no hit of its own; "
        f"edits on every {arguments.stride}th. Per cent of which the question itself is named. deepseekmath looks for "
        "15 characters of a Chinese text; qwen asks for a run of 13 words."
    )
    return [
        Table("Embedded questions found", note, ["as", "questions", *RULES], rows),
        Table("By words of the question, strict", "", ["as", "10 to 12", "13 to 19", "20 to 39", "40 on"], lengths),
    ]


def rephrased(benchmarks: Benchmarks, pages: Pages, arguments: argparse.Namespace) -> list[Table]:
    with (arguments.shared / "contamination" / "rephrased_dev.jsonl").open(encoding="utf-8") as file:
        rewrites = [json.loads(line) for line in file]
    questions = [item for item in benchmarks.items if item.item_id.startswith("gsm8k/test/")]
    draw = random.Random(2)
    hosts = [text for _, text in pages["crawl_dev"] if HOSTS[0] < len(text) < HOSTS[1]]
    inserted = [page_with(draw.choice(hosts), row["rephrased"] or "") for row in rewrites]
    settings = [{"rules": (rule,)} for rule in RULES[:2]] + [{"rules": ("strict",), "min_score": s} for s in SCORES]
    rows = []
    for each in settings:
        console.print(f"rephrased: {each} ...")
        index = index_of(benchmarks, **each)
        caught = [
            any(hit.item_id == questions[row["row"]].item_id for hit in index.probe(page))
            for row, page in zip(rewrites, inserted, strict=True)
        ]
        flags = {name: sum(bool(index.probe(text)) for _, text in pages[name]) for name in pages}
        n_clean = len(pages["background"]) + len(pages["negatives"])
        n_wrong = flags["background"] + flags["negatives"]
        rows.append(
            [
                f"{each['rules'][0]}{', ' + str(each['min_score']) if 'min_score' in each else ''}",
                f"{100 * np.mean(caught[::2]):.1f}",
                f"{100 * np.mean(caught[1::2]):.1f}",
                f"{n_wrong} ({100 * n_wrong / n_clean:.2f} %)",
                f"{flags['crawl_dev']} ({100 * flags['crawl_dev'] / len(pages['crawl_dev']):.2f} %)",
            ]
        )
    note = (
        f"{len(rewrites)} rewrites of GSM8K questions in the middle of pages of crawl_dev (thresholds were chosen on "
        f"the even ones), and pages flagged of {n_clean:,} of background and negatives and of "
        f"{len(pages['crawl_dev']):,} of crawl_dev, where mathematics is taught: flags there hold real leaks."
    )
    columns = ["rule, min_score", "caught, even %", "caught, odd %", "flags, clean pages", "flags, crawl_dev"]
    return [Table("Rewrites caught against flags", note, columns, rows)]


def collisions(benchmarks: Benchmarks, pages: Pages, arguments: argparse.Namespace) -> list[Table]:
    index = index_of(benchmarks)
    rows, n_agree = [], 0
    with VERDICTS.open(encoding="utf-8", newline="") as file:
        verdicts = list(csv.DictReader(file))
    wanted = {row["page_id"] for row in verdicts}
    text_of: dict[str, str] = {}
    for url, text in pages["crawl_dev"]:
        with suppress(ValueError):  # an address without a host
            if (identifier := page_id(canonical_url(url))) in wanted:
                text_of[identifier] = text
    for row in verdicts:
        # The list knows ids alone, which files have shared among questions: any of them counts.
        hits = index.probe(text_of.get(row["page_id"], ""))
        flagged = row["item_id"] in {hit.item_id.partition("#")[0] for hit in hits}
        n_agree += flagged == (row["verdict"] == "leak")
        rows.append([row["page_id"][:8], row["item_id"], row["verdict"], "flagged" if flagged else "-", row["why"]])
    note = f"The default agrees with the reading in {n_agree} of {len(verdicts)}."
    columns = ["page", "item", "read as", "default", "what stands there"]
    return [Table("Overlaps of crawl_dev, read one by one", note, columns, rows)]


PARTS = {"cost": cost, "embedded": embedded, "rephrased": rephrased, "collisions": collisions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS), help="only these")
    parser.add_argument("--stride", type=int, default=5, metavar="N", help="edit every Nth question; 5 by default")
    parser.add_argument("--shared", type=Path, default=SHARED, metavar="DIR", help="benchmarks and real pages")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md; all parts")
    parser.add_argument("--peak", choices=RULES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write and set(arguments.part) != set(PARTS):
        parser.error("--write replaces the tables of all parts: leave --part out")
    if not (arguments.shared / "benchmarks").is_dir():
        sys.exit(f"{arguments.shared} has no benchmarks: --shared DIR names another place")
    benchmarks = load_benchmarks(sorted((arguments.shared / "benchmarks").glob("*.jsonl")))
    if arguments.peak:
        index_of(benchmarks, rules=(arguments.peak,)).probe("a page")
        # Not ru_maxrss, which a process inherits from the one that started it.
        status = Path("/proc/self/status").read_text()
        print(int(status.partition("VmHWM:")[2].split()[0]) / 1e3)
        return
    pages = read_pages(arguments.shared)
    tables = []
    for part in arguments.part:
        made = PARTS[part](benchmarks, pages, arguments)
        for table in made:
            table.show(console)
        tables += made
    if arguments.write:
        write("decontam", "Decontamination: `python bench/decontam.py --write`.", tables)


if __name__ == "__main__":
    main()
