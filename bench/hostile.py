"""What hostile pages cost in the guarded child, and what the guard costs good pages.

Usage: python bench/hostile.py [--shared DIR] [--write]

Takes a quarter of an hour.
"""

import argparse
import gc
import math
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from hostile_pages import PAGES
from report import Table, write
from rich.console import Console

from corpus.cheap import cheap_text
from corpus.config import Pool
from corpus.extract import careful_text
from corpus.guard import Failure, Guard
from corpus.page import Wanted, read_page, read_pages

ROOT = Path(__file__).resolve().parent.parent
SIZES = (1_000_000, 3_000_000, 10_000_000)  # bytes of a page
TEXTS: dict[str, Callable[[str], object]] = {"cheap": cheap_text, "careful": careful_text}
SHOWN = (  # of PAGES
    "words", "$", "$ in braces", "$$", "\\(", "\\[", "\\begin{equation}", "\\newcommand", "` with AsciiMath", "<div>",
    "<div> and an index", "<b>", "<sub>", "<sub>2</sub>", "<p>", "<p>$x$", "<p>$x$ and words", "<li>", "<td>", "<a>",
    "<footer>$x$", "&amp;", "&", "<", "<!--", "<script>", "<script math>", "<math>", "<mrow>", "<mi>", "<math><mi>",
    "<img alt=$>", "<img class=tex>", "<span class=math>", "<span MathJax_Preview>", "quotes", "<p ", "attributes",
    "attributes of many names", "a word", "control characters", "bidi marks",
)  # fmt: skip
PATIENCE = 3  # times page_seconds, of wall time: on a busy machine a page must get its share of CPU time
NOTE = (
    "One piece of markup repeated up to the length of the page, behind a sound formula, in a fresh guarded child with "
    f"the default limits ({Pool().page_seconds:.0f} s, here of CPU time, and {Pool().page_megabytes} MB of address "
    "space). CPU seconds, or the reason for which the page becomes a counted row. MB: the largest resident size of the "
    "child, its imports included, on the largest page that gave a text. Exponent: of the growth between the two "
    "largest that gave one, where the larger took 0.1 s; 1 is linear. Two libraries compare all with all: lexbor the "
    "attributes of one element, trafilatura the cells of one row and the inline elements of one paragraph."
)
GUARD_NOTE = (
    "Record, characters, cheap text, language and URL of every record (page.read_pages, page.read_page), in a Guard's "
    "child and in this process, in turns. CPU ms a record of all processes, best of 3; the start of the child is told "
    "apart by reading the files once and three times."
)


class Cost(NamedTuple):
    seconds: float
    megabytes: int


def read_page_of(name: str, n_bytes: int, text: str, start: int | None) -> Iterator[tuple[str, int, tuple[str, str]]]:
    """One page as guard.Guard reads items."""
    yield name, 0, (PAGES[name].page(n_bytes), text)


def measured(item: tuple[str, str]) -> Cost:
    page, text = item
    TEXTS[text](PAGES["words"].page(500))
    start = time.process_time()
    TEXTS[text](page)
    return Cost(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)


def costs(name: str, text: str) -> list[str]:
    """Cells of one page: by size, MB, exponent."""
    limits, cells, known = Pool(), [], []
    for n_bytes in SIZES:
        seconds = PATIENCE * limits.page_seconds
        guard: Guard[Cost] = Guard("hostile:read_page_of", "hostile:measured", seconds, limits.page_megabytes)
        (row,) = guard.results(name, n_bytes, text)
        if isinstance(row, Failure):
            cells.append(row.reason)
        elif row.seconds > limits.page_seconds:
            cells.append("timeout")
        else:
            cells.append(f"{row.seconds:.2f}")
            known.append((n_bytes, row))
    exponent = "-"
    if len(known) > 1 and known[-1][1].seconds >= 0.1:
        (fewer, short), (more, long) = known[-2:]
        exponent = f"{math.log(long.seconds / max(short.seconds, 0.001)) / math.log(more / fewer):.1f}"
    return [*cells, str(known[-1][1].megabytes) if known else "-", exponent]


def hostile_pages() -> Table:
    sizes = [f"{n_bytes // 1_000_000} MB" for n_bytes in SIZES]
    columns = ["page", *(f"{text}, {column}" for text in TEXTS for column in (*sizes, "MB", "exponent"))]
    rows = []
    for name in SHOWN:
        rows.append([f"`` {name} ``", *(cell for text in TEXTS for cell in costs(name, text))])
        print(*rows[-1], sep="\t", flush=True)
    return Table("Hostile pages", NOTE, columns, rows)


def cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    gc.collect()  # a Guard that is forgotten ends its child
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def in_process(files: list[str], wanted: Wanted) -> int:
    return sum(1 for file in files for _, _, item in read_pages(file, wanted, None) if read_page(item))


def guarded(files: list[str], wanted: Wanted) -> int:
    limits = Pool()
    guard: Guard[object] = Guard(
        "corpus.page:read_pages", "corpus.page:read_page", limits.page_seconds, limits.page_megabytes
    )
    return sum(1 for file in files for _ in guard.results(file, wanted))


def guard_overhead(crawls: dict[str, list[str]]) -> Table:
    limits = Pool()
    wanted = Wanted(*(getattr(limits, name) for name in Wanted._fields))
    rows = []
    for name, files in crawls.items():
        n_records = in_process(files, wanted)  # pays for imports, tables and the disk
        seconds: dict[str, float] = {}
        for _ in range(3):
            for side, run, times in (("alone", in_process, 1), ("once", guarded, 1), ("thrice", guarded, 3)):
                before = cpu_seconds()
                run(files * times, wanted)
                seconds[side] = min(seconds.get(side, math.inf), cpu_seconds() - before)
        each = (seconds["thrice"] - seconds["once"]) / 2
        start = max(seconds["once"] - each, 0)
        milliseconds = [f"{1_000 * cost / n_records:.3f}" for cost in (seconds["alone"], each)]
        rows.append([name, str(n_records), *milliseconds, f"{each / seconds['alone']:.2f}", f"{start:.2f}"])
    columns = ["crawl", "records", "ms a record, in process", "guarded", "ratio", "s to start"]
    return Table("The guard on good pages", GUARD_NOTE, columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", metavar="DIR", help="default ../shared")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    folders = {"sample crawl": ROOT / "work" / "sample-crawl" / "crawl", "crawl_dev": options.shared / "crawl_dev"}
    crawls = {name: [str(path) for path in sorted(folder.glob("*.warc.gz"))] for name, folder in folders.items()}
    crawls["crawl_dev"] = crawls["crawl_dev"][:1]
    tables = [guard_overhead({name: files for name, files in crawls.items() if files}), hostile_pages()]
    for table in tables:
        table.show(Console())
    if options.write:
        write("hostile", "Pages made to break extractors: `python bench/hostile.py --write`.", tables)


if __name__ == "__main__":
    main()
