"""Fuzz the extractor or the reader: random bytes, guided by which lines of the project they reach.

Usage: python bench/fuzz.py extractor|reader --seconds N [--seeds DIR] [--found DIR]

Every input must keep the properties of properties.py, within 10 s of CPU time and 2 GB. One that does not is written
to --found, the first of its kind only, and the search goes on. atheris (Apache-2.0, with libFuzzer inside) is
installed by hand, `pip install atheris`: it has no wheel for every system.
"""

import argparse
import gc
import importlib.util
import mmap
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType

import xxhash
from properties import (
    damaged,
    gzipped,
    keeps_body,
    keeps_careful,
    keeps_charset,
    keeps_cheap,
    keeps_pieces,
    keeps_records,
    split,
    zstandard,
)

from corpus.charset import decode

SECONDS = 10  # of CPU time that one input may take
MEGABYTES = 2_000  # that it may add to the address space
MAX_BYTES = 100_000  # of an input
N_NUMBER = 8  # bytes in which the length of the input at work is kept
HTML = rb"""
<html> <body> <head> <title> <p> </p> <div> </div> <span> <b> <i> <em> <br> <pre> <code> <table> <tr> <td> <ul> <li>
<a_href="#x"> <article> <figure> <nav> <footer> <section> <h1> <sub> </sub> <sup> </sup> <script> </script>
<script_type="math/tex"> <script_type="math/asciimath"> <script_type="math/mml"> <style> <noscript> <template> <svg>
<iframe> <textarea> <!-- --> <![CDATA[ ]]> <math> </math> <math_alttext="x^2"> <mrow> </mrow> <mi> </mi> <mo> </mo>
<mn> <mfrac> </mfrac> <msup> </msup> <msub> <msubsup> <munderover> <mtable> <mtr> <mtd> </mtd> <mfenced> <mtext>
<semantics> <annotation_encoding="application/x-tex"> </annotation> <mmultiscripts> <mprescripts/> <none/> <msqrt>
<mroot> <mover> <munder> <mspace> <mpadded> <menclose> <mstyle> <merror> &#x2061; &#x200e; &#0; &#xd800;
<span_class="math"> <span_class="katex"> <span_class="katex-html"> <mjx-container> <img_alt="$x^2$">
<img_class="latex" <img_src="https://latex.codecogs.com/gif.latex?x" data-tex="x" data-mathml="&lt;math&gt;"
class="MathJax_Preview" <math-field> &amp; &lt; &nbsp; &#36; $ $$ \( \) \[ \] \begin{align} \end{align}
\newcommand{\x} \frac{a}{b} {\displaystyle x_{1}^{2} ` AM_CHTML \left( \right)
""".split()
WARC = rb"""
WARC/1.0 WARC/1.1 WARC-Type: WARC-Date: WARC-Target-URI: Content-Length: Content-Type: response warcinfo request
revisit conversion text/html text/plain application/http HTTP/1.1_200_OK Transfer-Encoding:_chunked
Content-Encoding: gzip deflate br zstd charset= <meta_charset= utf-16 shift_jis iso-2022-jp isPartOf: filedesc://
http:// WARC-Truncated:
""".split()


def extractor(data: bytes, directory: Path) -> None:
    """The first byte says what is tried on the others."""
    number, html = (data[0] - ord("0")) % 5, data[1:]
    if number == 0:
        keeps_cheap(html)
    elif number == 1:
        keeps_careful(decode(html, None)[0], "plain")
    elif number == 2:
        keeps_careful(decode(html, None)[0], "markdown")
    elif number == 3:
        keeps_pieces(html)
    else:
        keeps_careful(f"<p>Some words before <math>{decode(html, None)[0]}</math> and after.</p>", "plain")


def reader(data: bytes, directory: Path) -> None:
    """The first byte says what is tried on the others, and for a packed file the next three where it is damaged."""
    number, rest = (data[0] - ord("1")) % 7, data[1:]
    if number == 0:
        keeps_records(rest, directory)
    elif number == 1:
        keeps_records(damaged(gzipped(split(rest[3:])), rest[:3]), directory)
    elif number == 2:
        keeps_records(damaged(zstandard(split(rest[3:])), rest[:3]), directory)
    elif number == 3:
        keeps_records(damaged(gzipped([rest[3:]]), rest[:3]), directory)
    elif number == 4:
        keeps_body(rest)
    elif number == 5:
        keeps_body(b"Content-Encoding: gzip\n\n" + damaged(gzipped([rest[3:]]), rest[:3]))
    else:
        keeps_charset(rest)


# Each with the first bytes of its seeds.
TARGETS: dict[str, tuple[Callable[[bytes, Path], None], list[bytes]]] = {
    "extractor": (extractor, [b"0", b"1", b"2", b"3", b"4"]),
    "reader": (reader, [b"1", b"2   ", b"3   ", b"4   ", b"5", b"6   ", b"7"]),
}


def seeds() -> Iterator[bytes]:
    """Pages and files to begin with, before the first byte."""
    yield b" ".join(HTML).replace(b"_", b" ")
    yield b"<article><p>Let $x_1^2$ be \\(a+b\\), and \\[\\frac{1}{2}\\].</p><p>More, a<sup>2</sup></p></article>"
    yield b"<html><p>AsciiMath `sum_(i=1)^n i^3=((n(n+1))/2)^2`</p><script>AM_CHTML</script>"
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>a page of words, \\(x^2\\)</p>"
    lines = b"WARC/1.0\r\nWARC-Type: %s\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
    kinds = {b"warcinfo": b"isPartOf: C\r\n", b"response": http, b"request": b"GET / HTTP/1.1\r\n\r\n"}
    yield b"".join(lines % (kind, len(block), block) for kind, block in (*kinds.items(), (b"response", http)))
    yield b"http://a.example/ 1.2.3.4 20260102030405 text/html %d\n%s\n" % (len(http), http)
    yield b"Content-Type: text/html; charset=utf-8\n\n5\r\nhello\r\n0\r\n\r\n"
    yield '<meta charset="shift_jis"><p>日本語のページ</p>'.encode("shift_jis")


def fuzz(target: str, seconds: float, more_seeds: Path | None, found: Path) -> None:
    """Run children until `seconds` have passed: each ends with its time, or with an input that ends the interpreter."""
    _, beginnings = TARGETS[target]
    found.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as directory:
        corpus, at_work, words = (Path(directory, name) for name in ("corpus", "at-work", "words"))
        corpus.mkdir()
        at_work.write_bytes(bytes(N_NUMBER + MAX_BYTES))
        files = [path.read_bytes() for path in sorted(more_seeds.iterdir())] if more_seeds else []
        for number, data in enumerate([*seeds(), *files]):
            for beginning in beginnings:
                (corpus / f"{number}-{beginning[:1].decode()}").write_bytes((beginning + data)[:MAX_BYTES])
        tokens = [token.replace(b"_", b" ") for token in (*HTML, *WARC)]
        words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n' for token in tokens))
        while (left := int(end - time.monotonic())) > 0:
            command = [sys.executable, __file__, target, "--child", directory, "--found", str(found)]
            code = subprocess.run([*command, "--seconds", str(left)], check=False).returncode
            if code:
                held = at_work.read_bytes()
                n_bytes = int.from_bytes(held[:N_NUMBER], "big")
                reason = signal.Signals(-code).name if code < 0 else f"exit-{code}"
                keep(found, target, reason, held[N_NUMBER:][:n_bytes])


def keep(found: Path, target: str, reason: str, data: bytes) -> None:
    print(f"{target}: {reason}, {len(data)} bytes", flush=True)
    (found / f"{target}-{reason}-{xxhash.xxh32_hexdigest(data)}").write_bytes(data)


def child(target: str, seconds: int, directory: Path, found: Path) -> None:
    """libFuzzer's loop. The input at work stands in a file, for whatever ends this process."""
    import atheris

    function, _ = TARGETS[target]
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and (thing.__module__ or "").startswith("corpus."):
            atheris.instrument_func(thing)
    broken: set[str] = set()
    with (directory / "at-work").open("r+b") as file:
        at_work = mmap.mmap(file.fileno(), 0)
    n_pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = n_pages * resource.getpagesize() + (MEGABYTES << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    def attempt(data: bytes) -> None:
        if not data:
            return
        at_work[: N_NUMBER + len(data)] = len(data).to_bytes(N_NUMBER, "big") + data
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # no handler: it ends the process, also inside C code
        try:
            function(data, directory)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in frames if Path(frame.filename).parent.name == "corpus"]
            place = (ours or frames)[-1]
            reason = f"{type(error).__name__}-{Path(place.filename).stem}.{place.lineno}"
            if reason not in broken:
                broken.add(reason)
                traceback.print_exception(error)
                keep(found, target, reason, data)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    options = {
        "max_total_time": seconds,
        "max_len": MAX_BYTES,
        "dict": directory / "words",
        "rss_limit_mb": 0,  # the limit above holds
        "artifact_prefix": f"{found}/",
        "print_final_stats": 1,
    }
    arguments = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(directory / "corpus")], attempt)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=1_800)
    parser.add_argument("--seeds", type=Path, help="folder of pages or WARC files to begin with")
    parser.add_argument(
        "--found", type=Path, default=Path("fuzz-found"), help="folder for inputs that break a property"
    )
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.target, chosen.seconds, chosen.child, chosen.found)
    elif importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install atheris (its wheels: CPython 3.11 to 3.13 on Linux)")
    else:
        fuzz(chosen.target, chosen.seconds, chosen.seeds, chosen.found.resolve())


if __name__ == "__main__":
    main()
