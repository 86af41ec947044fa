"""Pages that a person names, files and addresses, to text: what `corpus extract` shows."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from corpus.charset import decode
from corpus.cheap import cheap_text
from corpus.config import Pool
from corpus.errors import InputError
from corpus.extract import Format, careful_text
from corpus.guard import Failure, kept_guard
from corpus.payload import BINARY_START
from corpus.sources import expand, open_unpacked

HTML = (".html", ".htm", ".xhtml", ".html.gz")
STDIN = "-"
CONTROLS = bytes([*range(1, 9), *range(14, 32)])
MAX_CONTROLS = 20  # in the first thousand bytes
CHEAP = "cheap"  # in the place of an extraction format


class Page(NamedTuple):
    path: str
    payload: bytes | str  # str: why there is none


def extract_files(
    paths: Sequence[str],
    stdin: bytes = b"",
    *,
    format: Format = "plain",
    cheap: bool = False,
    limits: Pool | None = None,
) -> Iterator[dict[str, Any]]:
    """A row for each page, in the order of `paths`: a file, a folder or pattern of them, an address, or STDIN.

    path, text, n_formulas, n_kept (of them, in the text), kinds (formulas by markup.KINDS), extractor (the path
    that was taken) and why; or path and error, where a page cannot be read or breaks the limits of settings.Pool.
    stdin: what STDIN stands for. cheap: the pool's text.

    Raises InputError, naming a path that matches nothing.
    """
    limits = limits or Pool()
    named = [name for path in paths for name in ([path] if path == STDIN else _matching(path))]
    guard = kept_guard(
        "corpus.files:read_files", "corpus.files:extract_page", limits.page_seconds, limits.page_megabytes
    )
    for row in guard.results(named, stdin, limits.max_page_bytes, CHEAP if cheap else format):
        yield {"path": row.name, "error": row.reason} if isinstance(row, Failure) else row


def read_files(
    names: Sequence[str], stdin: bytes, max_bytes: int, format: str, start: int | None
) -> Iterator[tuple[str, int, tuple[Page, str]]]:
    """Pages as guard.Guard reads items."""
    for number in range(start or 0, len(names)):
        name = names[number]
        payload: bytes | str
        try:
            if name == STDIN:
                payload = stdin[:max_bytes]
            else:
                with open_unpacked(name) as file:
                    payload = _read(file, max_bytes)
        except InputError as error:
            payload = str(error)
        yield name, number, (Page(name, payload), format)


def _read(file: IO[bytes], max_bytes: int) -> bytes:
    """At most max_bytes: a stream gives what has arrived, not what was asked for."""
    pieces: list[bytes] = []
    while max_bytes > 0 and (piece := file.read(max_bytes)):
        pieces.append(piece)
        max_bytes -= len(piece)
    return b"".join(pieces)


def extract_page(item: tuple[Page, str]) -> dict[str, Any]:
    page, format = item
    if isinstance(page.payload, str):
        return {"path": page.path, "error": page.payload}
    if BINARY_START.match(page.payload) or _n_controls(page.payload[:1_000]) > MAX_CONTROLS:
        return {"path": page.path, "error": "not a HTML page: its first bytes are those of a binary format"}
    html = decode(page.payload, None)[0]
    if format == CHEAP:
        cheap = cheap_text(html)
        n_formulas = sum(cheap.formulas.values())
        return _row(
            page.path, cheap.text, n_formulas, n_formulas, cheap.formulas, CHEAP, "all visible text was asked for"
        )
    url = page.path if "://" in page.path else None
    careful = careful_text(html, url, "markdown" if format == "markdown" else "plain")
    counts = careful.n_formulas, careful.n_formulas_kept
    return _row(page.path, careful.text, *counts, careful.kinds, careful.extractor, careful.why)


def _n_controls(beginning: bytes) -> int:
    """Control characters that no text has; UTF-16 has NUL and most others in its letters."""
    return 0 if b"\0" in beginning else len(beginning) - len(beginning.translate(None, CONTROLS))


def _row(
    path: str, text: str, n_formulas: int, n_kept: int, kinds: Mapping[str, int], extractor: str, why: str
) -> dict[str, Any]:
    return {
        "path": path,
        "text": text,
        "n_formulas": n_formulas,
        "n_kept": n_kept,
        "kinds": dict(kinds),
        "extractor": extractor,
        "why": why,
    }


def _matching(path: str) -> list[str]:
    """The pages that a path names. An address without a pattern is asked for when its turn comes."""
    if ("://" in path and "*" not in path) or Path(path).is_file():
        return [path]
    return sorted(expand([path], suffixes=HTML).values())
