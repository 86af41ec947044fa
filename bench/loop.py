"""The loop on a real, labelled crawl, from several seeds and pools: how well it ranks and what it collects.

Usage: python bench/loop.py SHARED [--only NAME ...] [--random-seeds N] [--rounds N] [--write]

SHARED holds crawl_dev, background, seed_web and seed (see docs/evaluation.md); it is no part of the project.
Workspaces are work/loop/NAME-N; one that is there already and current is not mined again. A mean is followed by
the smallest and the largest value of all random seeds; each draws other samples, other held-out domains, another
fastText, and in `hundred` and `rare` another seed or pool. --write: into docs/evaluation.md.
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import report
from rich.console import Console
from rich.progress import track

NOTE = (
    "Means over random seeds; of the last round in brackets the smallest and the largest. Each seed draws other "
    "samples, other held-out domains and another fastText, and where the title says so another seed or pool. Gold: of "
    "the labels that were read. P at R .85: the best precision of a cut that finds .85 of the labelled mathematics."
)
ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "work" / "loop"
CRAWLS = ("crawl_dev", "background")
SHARE = 0.01  # of mathematics in the thinned pool
N_SEED = 100
Make = Callable[[Path, int], list[Path]]  # (SHARED, random seed) -> files


def whole(shared: Path, _: int) -> list[Path]:
    return sorted(path for name in CRAWLS for path in (shared / name).glob("*.warc.gz"))


def thinned(shared: Path, seed: int) -> list[Path]:
    """The pool with so few random math pages that they are SHARE of it: records are copied as they are."""
    labels, pages = labels_of(shared), list(read_lines(shared / "crawl_dev" / "pages.jsonl"))
    math = sorted(page["url"] for page in pages if labels.get(page["url"]) == "math")
    n_others = len(pages) - len(math) + sum(1 for _ in read_lines(shared / "background" / "pages.jsonl"))
    kept = set(random.Random(seed).sample(math, round(SHARE * n_others / (1 - SHARE))))
    left_out = set(math) - kept
    out = WORK / f"thinned-{seed}.warc.gz"
    copy_records(shared / "crawl_dev", [page for page in pages if page["url"] not in left_out], out)
    return [out, *sorted((shared / "background").glob("*.warc.gz"))]


def copy_records(folder: Path, pages: Sequence[dict[str, Any]], out: Path) -> None:
    """pages: rows that say where a record lies in the WARC files of `folder`."""
    with out.open("wb") as file:
        for page in pages:
            with (folder / page["warc"]).open("rb") as source:
                source.seek(page["offset"])
                file.write(source.read(page["length"]))


def seed_web(shared: Path, _: int) -> list[Path]:
    return [shared / "seed_web" / "seed_web.warc.gz"]


def lecture_notes(shared: Path, _: int) -> list[Path]:
    return [shared / "seed" / "seed_math.jsonl"]


def hundred(shared: Path, seed: int) -> list[Path]:
    out = WORK / f"hundred-{seed}.warc.gz"
    pages = list(read_lines(shared / "seed_web" / "seed_web.jsonl"))
    copy_records(shared / "seed_web", random.Random(seed).sample(pages, N_SEED), out)
    return [out]


def background(shared: Path, _: int) -> list[Path]:
    return sorted((shared / "background").glob("*.warc.gz"))


@dataclass(frozen=True)
class Setting:
    title: str
    seed: Make
    pool: Make = whole
    negatives: Make | None = None
    lines: tuple[str, ...] = ()  # of TOML, after the preset
    constants: tuple[tuple[str, float], ...] = ()  # of corpus.evidence, other than they are


WEB = "web pages; random pages of the pool"
SETTINGS = {
    "web": Setting(WEB, seed_web),
    "outside": Setting("web pages; background pages only", seed_web, negatives=background),
    "notes": Setting("lecture notes in LaTeX; random pages of the pool", lecture_notes),
    "hundred": Setting("100 web pages; random pages of the pool", hundred),
    "rare": Setting("web pages; the pool, mathematics thinned to 1 %", seed_web, thinned),
}
ABLATIONS = {
    "recipe": Setting(
        "recipe as published, 4,800,000 tokens a round",
        seed_web,
        lines=(
            *("scoring.evidence = false", "recall.keep_tokens = [4_800_000]"),
            *("classifier.lr = 0.1", "negatives.per_positive = 1.0", "domains.confidence = 0"),
        ),
    ),
    "marks": Setting("marks alone", seed_web, constants=(("WORDS_WEIGHT", 0.0), ("PLACE_WEIGHT", 0.0))),
    "no-words": Setting("without words", seed_web, constants=(("WORDS_WEIGHT", 0.0),)),
    "no-place": Setting("without place", seed_web, constants=(("PLACE_WEIGHT", 0.0),)),
    "words-whole": Setting("words at 1 instead of .5", seed_web, constants=(("WORDS_WEIGHT", 1.0),)),
    "not-cleaned": Setting(
        "marks learnt once, against a pool that holds what is sought", seed_web, constants=(("CLEANINGS", 0),)
    ),
    "no-expansion": Setting("without expansion", seed_web, lines=("domains.min_share = 1.0",)),
}
POOL = "pool"  # the workspace that others are copied from


def read_lines(path: Path) -> Iterable[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def labels_of(shared: Path) -> dict[str, str]:
    return {row["url"]: row["label"] for name in CRAWLS for row in read_lines(shared / name / "labels.jsonl")}


def mine(name: str, seed: int, shared: Path, n_rounds: int) -> list[dict[str, Any]]:
    """Rounds of one workspace with their estimates and, under `all` and `gold`, what labels say of them."""
    setting, workspace = (SETTINGS | ABLATIONS)[name], WORK / f"{name}-{seed}"
    files = {"pool.warcs": setting.pool(shared, seed), "seed.paths": setting.seed(shared, seed)}
    if setting.negatives:
        files["negatives.paths"] = setting.negatives(shared, seed)
    settings = [
        'preset = "sample"',
        *(f"{key} = {json.dumps([str(path.resolve()) for path in paths])}" for key, paths in files.items()),
        f"classifier.random_seed = {seed}",
        "stop.already_collected = 1.0",
        "run.workers = 1",
        *setting.lines,
    ]
    path = WORK / f"{name}-{seed}.toml"
    path.write_text("\n".join(settings) + "\n", encoding="utf-8")
    if not workspace.exists() and setting.pool is whole and (WORK / POOL).exists():
        shutil.copytree(WORK / POOL, workspace)
    corpus, place = [sys.executable, "-m", "corpus"], ["--workspace", str(workspace)]
    changed = [sys.executable, __file__, "--changed", json.dumps(dict(setting.constants))]
    run(
        [
            *(changed if setting.constants else corpus),
            "iterate",
            str(n_rounds),
            *place,
            "--config",
            str(path),
            "--quiet",
        ]
    )
    labels = [str(shared / crawl / "labels.jsonl") for crawl in CRAWLS]
    found = json.loads(run([*corpus, "evaluate", *labels, *place, "--json"]))
    rows: list[dict[str, Any]] = json.loads(run([*corpus, "query", "rounds", *place, "--json"]))[:n_rounds]
    for row, of_all, gold in zip(rows, found["all"]["rounds"], found["gold"]["rounds"], strict=False):
        row |= {"all": of_all, "gold": gold}
    return rows


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{done.stderr}")
    return done.stdout


def with_constants(changed: dict[str, float], arguments: list[str]) -> None:
    """The command line with other constants of corpus.evidence."""
    from corpus import evidence, weighing
    from corpus.cli import app

    for module in (evidence, weighing):
        for name, value in changed.items():
            if hasattr(module, name):
                setattr(module, name, value)
    app(arguments)


def ingest_once(shared: Path) -> None:
    """The pool that most settings share, made once."""
    path = WORK / f"{POOL}.toml"
    files = json.dumps([str(file.resolve()) for file in whole(shared, 0)])
    path.write_text(f'preset = "sample"\npool.warcs = {files}\n', encoding="utf-8")
    run([sys.executable, "-m", "corpus", "ingest", "--workspace", str(WORK / POOL), "--config", str(path)])


def figures(row: dict[str, Any]) -> dict[str, float | None]:
    """What the tables show of a round."""
    return {
        "AP": row["all"]["average_precision"],
        "gold AP": row["gold"]["average_precision"],
        "precision": row["all"]["precision"],
        "recall": row["all"]["recall"],
        "gold precision": row["gold"]["precision"],
        "gold recall": row["gold"]["recall"],
        "P at R .85": row["all"]["precision_at_recall"],
        "estimated precision": row["estimated_precision"],
        "estimated recall": row["estimated_recall"],
    }


def main() -> int:
    if sys.argv[1:2] == ["--changed"]:
        with_constants(json.loads(sys.argv[2]), sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--only", nargs="+", choices=SETTINGS | ABLATIONS, default=[*SETTINGS, *ABLATIONS])
    parser.add_argument("--ablation-seeds", type=int, default=2)
    parser.add_argument("--random-seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if not (arguments.shared / "crawl_dev").is_dir():
        print(f"{arguments.shared}: crawl_dev not found; without the labelled crawl nothing is measured")
        return 1
    WORK.mkdir(parents=True, exist_ok=True)
    ingest_once(arguments.shared)
    jobs = [
        (name, seed)
        for name in arguments.only
        for seed in range(1, (arguments.random_seeds if name in SETTINGS else arguments.ablation_seeds) + 1)
    ]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        runs = pool.map(lambda job: mine(*job, arguments.shared, arguments.rounds), jobs)
        found = list(track(runs, "rounds", len(jobs), console=Console(stderr=True)))
    rounds_of: dict[str, list[list[dict[str, Any]]]] = {}
    for (name, _), rows in zip(jobs, found, strict=True):
        rounds_of.setdefault(name, []).append(rows)
    tables = [by_round(name, rows) for name, rows in rounds_of.items() if name in SETTINGS]
    if parts := {name: rows for name, rows in rounds_of.items() if name in ABLATIONS}:
        tables.append(last_rounds({"web": rounds_of["web"], **parts} if "web" in rounds_of else parts))
    for table in tables:
        table.show(Console(width=200))
    if arguments.write:
        report.write("loop", NOTE, tables, ROOT / "docs" / "evaluation.md")
    return 0


def by_round(name: str, runs: list[list[dict[str, Any]]]) -> report.Table:
    """A setting: means over the random seeds, of the last round with the spread. A run that has converged stays."""
    n_rounds, rows = max(map(len, runs)), []
    for number in range(n_rounds):
        each = [figures(run[min(number, len(run) - 1)]) for run in runs]
        is_last = number + 1 == n_rounds
        rows.append([f"{number + 1}", *(spread([values[figure] for values in each], is_last) for figure in each[0])])
    return report.Table(f"{SETTINGS[name].title}, {len(runs)} random seeds", "", ["round", *figures(runs[0][0])], rows)


def last_rounds(rounds_of: dict[str, list[list[dict[str, Any]]]]) -> report.Table:
    """What each part is worth: the last round of each ablation beside the whole."""
    rows = []
    for name, runs in rounds_of.items():
        each = [figures(run[-1]) for run in runs]
        title = (SETTINGS | ABLATIONS)[name].title if name in ABLATIONS else "all parts"
        rows.append([f"{title} ({len(runs)})", *(spread([values[figure] for values in each]) for figure in each[0])])
    some = next(iter(rounds_of.values()))
    return report.Table(
        f"What each part is worth: {WEB}", "In brackets: random seeds.", ["", *figures(some[0][0])], rows
    )


def spread(values: list[float | None], with_range: bool = False) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    mean = f"{statistics.mean(known):.3f}"
    return f"{mean} ({min(known):.3f} to {max(known):.3f})" if with_range and len(known) > 1 else mean


if __name__ == "__main__":
    sys.exit(main())
