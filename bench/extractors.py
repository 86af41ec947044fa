"""The extractors that bench/extract.py compares: ours, and what a user would pick instead.

All of them leave comments of readers out where they know that switch, as trafilatura's own evaluation does.
"""

import json
import logging
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import trafilatura
from peer import PEERS

from corpus.cheap import cheap_text
from corpus.extract import careful_text

BASELINE = "trafilatura"

# A page's text and the CPU seconds that it took; None where the extractor fails.
Run = Callable[[str, str | None], tuple[str | None, float]]


@dataclass(frozen=True)
class Extractor:
    name: str
    about: str  # version and settings
    run: Run  # of a page's HTML and URL


def extractors(only: set[str], folders: dict[str, Path]) -> tuple[list[Extractor], list[str]]:
    """Those that run here, ours first, and a line for each that does not.

    only: names to take, all where it is empty. folders: checkouts of the peers that are on no package index.
    """
    logging.disable()  # peers warn of every odd page
    makers: dict[str, Callable[[], Extractor]] = {
        "corpus": lambda: _called("corpus", "careful_text", lambda html, url: careful_text(html, url).text),
        "cheap": lambda: _called("cheap", "cheap_text: all visible text", lambda html, _: cheap_text(html).text),
        BASELINE: lambda: _trafilatura(BASELINE, "default"),
        "traf. recall": lambda: _trafilatura("traf. recall", "favor_recall", favor_recall=True),
        "traf. precision": lambda: _trafilatura(
            "traf. precision", "favor_precision, as datatrove's default", favor_precision=True
        ),
        "resiliparse": lambda: _resiliparse("resiliparse", "main content", main_content=True),
        "resiliparse all": lambda: _resiliparse("resiliparse all", "all text", main_content=False),
        "justext": _justext,
        "lynx": _lynx,
        **{name: lambda name=name: _peer(name, folders.get(name)) for name in PEERS},
    }
    found, absent = [], []
    for name, make in makers.items():
        if only and name not in only:
            continue
        try:
            found.append(make())
        except (ImportError, FileNotFoundError) as error:
            absent.append(f"{name}: {error}")
    return found, absent


def _called(name: str, about: str, extract: Callable[[str, str | None], str | None]) -> Extractor:
    """An extractor that is a function in this process."""

    def run(html: str, url: str | None) -> tuple[str | None, float]:
        started = time.process_time()
        try:
            text = extract(html, url) or ""
        except Exception:
            text = None
        return text, time.process_time() - started

    return Extractor(name, about, run)


def _trafilatura(name: str, settings: str, **switches: bool) -> Extractor:
    def extract(html: str, url: str | None) -> str | None:
        return trafilatura.extract(html, url=url, include_comments=False, **switches)

    return _called(name, f"trafilatura {version('trafilatura')}, {settings}", extract)


def _resiliparse(name: str, settings: str, main_content: bool) -> Extractor:
    plain_text = import_module("resiliparse.extract.html2text").extract_plain_text
    about = f"resiliparse {version('resiliparse')}, {settings}, alternative texts"
    return _called(name, about, lambda html, _: plain_text(html, main_content=main_content, alt_texts=True))


def _justext() -> Extractor:
    justext = import_module("justext")
    stoplist = frozenset().union(*map(justext.get_stoplist, justext.get_stoplists()))

    def extract(html: str, _: str | None) -> str:
        return "\n".join(part.text for part in justext.justext(html.encode(), stoplist) if not part.is_boilerplate)

    return _called("justext", f"justext {version('justext')}, the stop words of all its languages", extract)


def _lynx() -> Extractor:
    program = shutil.which("lynx")
    if program is None:
        raise FileNotFoundError("the program is not installed")
    about = subprocess.run([program, "-version"], capture_output=True, text=True, check=True).stdout.split(" (")[0]
    command = [program, "-dump", "-stdin", "-nolist", "-force_html", "-width=1024"]
    command += ["-assume_charset=utf-8", "-display_charset=utf-8"]

    def run(html: str, _: str | None) -> tuple[str | None, float]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, input=html.encode(), capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return (done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None), seconds

    return Extractor("lynx", f"{about.removeprefix('Lynx Version ')}, -dump, a program of its own", run)


def _peer(name: str, folder: Path | None) -> Extractor:
    """An extractor of a repository: bench/peer.py under the checkout's own Python, or this one."""
    if folder is None:
        raise FileNotFoundError(f"no checkout named (--peer {name}=DIR)")
    own = folder.resolve() / ".venv" / "bin" / "python"
    command = [
        str(own) if own.exists() else sys.executable,
        str(Path(__file__).with_name("peer.py")),
        name,
        str(folder),
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    requests, answers = process.stdin, process.stdout
    if not (about := answers.readline().strip()):
        raise ImportError(f"{' '.join(command)} does not start; run it to see why")

    def run(html: str, url: str | None) -> tuple[str | None, float]:
        print(json.dumps({"html": html, "url": url}), file=requests, flush=True)
        answer = json.loads(answers.readline())
        return answer["text"], answer["seconds"]

    return Extractor(name, about, run)
