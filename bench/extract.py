"""HTML to text: formulas kept, agreement with gold texts, noise and time, beside what a user would pick instead.

Reads extraction, background and crawl_dev of the folder SHARED, which is no part of the project. Everything but the
times is the same in every run. With --evaluation DIR, a checkout of github.com/adbar/trafilatura, trafilatura's own
evaluation is run too.

Peers that are on no package index are measured where a checkout is named. DIR/.venv/bin/python runs them where it is
there, because they want libraries of their time:

  openwebmath  github.com/keirp/OpenWebMath       resiliparse==0.14.9 tabulate numpy pyyaml lxml urllib3 py_asciimath
  megamath     github.com/LLM360/MegaMath         resiliparse==0.15.2 lxml
  magic-html   github.com/opendatalab/magic-html  what its requirements.txt names

lynx is measured where the program is installed.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from agreement import agreement
from cost import cost
from extractors import extractors
from kept import kept_formulas
from ordinary import identity, segments
from peer import PEERS
from report import Table, write
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("extraction", "background", "crawl_dev")
PARTS = ("kept", "agreement", "cost", "ordinary")
INTRODUCTION = """## Extraction

Written by `make bench`. Held out are sites of which nobody looked at single pages while the extractor was written:
of the re-rendered pages the books dsbook and fdm-book and colah's blog; of the pages with gold the hosts
gvsuoer.github.io, levi-heath.github.io, mc-stan.org, rafalab.github.io, patrickwalls.github.io,
alex-mcavoy.github.io, mathhelpforum.com, mathoverflow.net, www.lmfdb.org, terrytao.wordpress.com, and every page of
planetmath.org whose id has an even xxh64. Aggregates over all pages, these among them, had been seen in earlier
versions of the project.
"""


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    missing = [name for name in NEEDED if not (options.shared / name).is_dir()]
    if missing:
        print(
            f"{options.shared}: {', '.join(missing)} not found. The pages are no part of the project: nothing is "
            "measured without them. Name their folder: python bench/extract.py --shared DIR",
            file=sys.stderr,
        )
        return 1
    compared, absent = extractors(set(options.only), dict(options.peer))
    if not options.evaluation:
        absent.append("trafilatura's own evaluation: no checkout named (--evaluation DIR)")
    lines = [f"- {extractor.name}: {extractor.about}" for extractor in compared]
    lines += ["", "Not measured: " + "; ".join(absent) + "."] if absent else []
    console = Console(width=None if sys.stdout.isatty() else 240)
    console.print("\n".join(lines), markup=False, highlight=False)
    measures: dict[str, Callable[[], list[Table]]] = {
        "kept": lambda: kept_formulas(options.shared / "extraction", compared),
        "agreement": lambda: agreement(options.shared / "extraction", compared),
        "cost": lambda: cost(options.shared, compared),
        "ordinary": lambda: [
            *(segments(options.evaluation, compared) if options.evaluation else []),
            *identity(options.shared, options.evaluation),
        ],
    }
    tables = []
    for part in options.part or PARTS:
        for table in measures[part]():
            table.show(console)
            tables.append(table)
    if options.write:
        write("extract", "\n".join([INTRODUCTION, *lines]), tables)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/extract.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--shared", type=Path, default=ROOT.parent / "shared", metavar="DIR", help="the pages; default ../shared")
    add("--evaluation", type=_folder, metavar="DIR", help="a checkout of trafilatura, for its evaluation pages")
    add("--peer", type=_peer, action="append", default=[], metavar="NAME=DIR", help=f"a checkout of {', '.join(PEERS)}")
    add("--part", action="append", choices=PARTS, help="measure this part only; may be repeated")
    add("--only", action="append", default=[], metavar="EXTRACTOR", help="compare these only; may be repeated")
    add("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    if options.write and (options.part or options.only):
        parser.error("--write takes all parts and extractors; leave --part and --only out")
    return options


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return Path(text)


def _peer(text: str) -> tuple[str, Path]:
    name, _, folder = text.partition("=")
    if name not in PEERS or not folder:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=DIR with a NAME of {', '.join(PEERS)}")
    return name, _folder(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
