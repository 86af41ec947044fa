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
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import report
from rich.console import Console

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
    with out.open("wb") as file:
        for page in pages:
            if page["url"] not in left_out:
                with (shared / "crawl_dev" / page["warc"]).open("rb") as source:
                    source.seek(page["offset"])
                    file.write(source.read(page["length"]))
    return [out, *sorted((shared / "background").glob("*.warc.gz"))]


def seed_web(shared: Path, _: int) -> list[Path]:
    return [shared / "seed_web" / "seed_web.warc.gz"]


def lecture_notes(shared: Path, _: int) -> list[Path]:
    return [shared / "seed" / "seed_math.jsonl"]


def hundred(shared: Path, seed: int) -> list[Path]:
    out = WORK / f"hundred-{seed}.jsonl"
    lines = list(read_lines(shared / "seed_web" / "seed_web.jsonl"))
    chosen = random.Random(seed).sample(lines, N_SEED)
    out.write_text("".join(json.dumps(line) + "\n" for line in chosen), encoding="utf-8")
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


SETTINGS = {
    "web": Setting("web pages; random pages of the pool", seed_web),
    "outside": Setting("web pages; background pages only", seed_web, negatives=background),
    "notes": Setting("lecture notes in LaTeX; random pages of the pool", lecture_notes),
    "hundred": Setting("100 web pages; random pages of the pool", hundred),
    "rare": Setting("web pages; the pool, mathematics thinned to 1 %", seed_web, thinned),
}
POOL = "pool"  # the workspace that others are copied from


def read_lines(path: Path) -> Iterable[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def labels_of(shared: Path) -> dict[str, str]:
    return {row["url"]: row["label"] for name in CRAWLS for row in read_lines(shared / name / "labels.jsonl")}


def mine(name: str, seed: int, shared: Path, n_rounds: int) -> list[dict[str, Any]]:
    """Rounds of one workspace with their estimates and, under `all` and `gold`, what labels say of them."""
    setting, workspace = SETTINGS[name], WORK / f"{name}-{seed}"
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
    run([*corpus, "iterate", str(n_rounds), *place, "--config", str(path), "--quiet"])
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


def ingest_once(shared: Path) -> None:
    """The pool that most settings share, made once."""
    path = WORK / f"{POOL}.toml"
    files = json.dumps([str(file.resolve()) for file in whole(shared, 0)])
    path.write_text(f'preset = "sample"\npool.warcs = {files}\n', encoding="utf-8")
    run([sys.executable, "-m", "corpus", "ingest", "--workspace", str(WORK / POOL), "--config", str(path)])


def figures(row: dict[str, Any]) -> dict[str, float]:
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--only", nargs="+", choices=SETTINGS, default=list(SETTINGS))
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
    jobs = [(name, seed) for name in arguments.only for seed in range(1, arguments.random_seeds + 1)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        found = list(pool.map(lambda job: mine(*job, arguments.shared, arguments.rounds), jobs))
    cells: dict[str, list[list[str]]] = {}
    for name in arguments.only:
        of_name = [rows for (job, _), rows in zip(jobs, found, strict=True) if job == name]
        for number in range(arguments.rounds):
            each = [figures(rows[number]) for rows in of_name if len(rows) > number]
            shown = [spread([values[figure] for values in each]) for figure in each[0]]
            cells.setdefault(name, []).append([f"{number + 1}", *shown])
    tables = [
        report.Table(SETTINGS[name].title, "", ["round", *figures(found[0][0])], rows) for name, rows in cells.items()
    ]
    for table in tables:
        table.show(Console())
    if arguments.write:
        introduction = f"Mean, and the smallest and largest, of {arguments.random_seeds} random seeds."
        report.write("loop", introduction, tables, ROOT / "docs" / "evaluation.md")
    return 0


def spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    sys.exit(main())
