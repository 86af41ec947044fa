"""Documentation of installed packages, read from their source files: nothing is imported or run.

Reading source rather than live objects keeps the sample the same on every run:
a default value appears as it was written, never as a repr with an address.
"""

import ast
import importlib.util
import re
import sys
import sysconfig
import warnings
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MIN_CHARS = 450  # of docstring; shorter ones share a page with their siblings
MAX_CHARS = 5_000  # longer ones are continued on further pages

_SKIPPED_DIRECTORIES = re.compile(r"(^|/)(_?tests?|testing|_?vendor|_vendored|externals?|benchmarks|idle_test)/")
_ADDRESS = re.compile(r"\s+at 0x[0-9a-fA-F]+|\b0x[0-9a-f]{8,}\b")
_MACHINE_PATH = re.compile(r"(?:/home|/Users|/root|/tmp|/usr|/var|[A-Z]:\\Users)[/\\][^\s'\"`,)]*")
_TEMPLATE_LINE = re.compile(r"(?m)^.*(?:%\(\w+\)s|\{\w+_(?:doc|params)\}).*\n?")
# "\frac" in a docstring that forgot its r prefix has become a form feed and "rac".
_LOST_ESCAPES = str.maketrans({"\x07": r"\a", "\x08": r"\b", "\x0b": r"\v", "\x0c": r"\f", "\x00": None, "\t": "    "})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Entry:
    """One page's worth of documentation: `text` is reStructuredText, more or less."""

    name: str  # mpmath.functions.zeta; unique
    signature: str  # zeta(s, a=1), or empty
    text: str


def order(name: str) -> int:
    """A shuffle that is the same everywhere: 32 bits of `name`."""
    return zlib.crc32(name.encode())


def modules(prefix: str) -> list[tuple[str, Path]]:
    """(module, source file) of each module at or below `prefix`, by name; empty where it is not installed."""
    top, *rest = prefix.split(".")
    root = _location(top)
    if root is None:
        return []
    base = root.joinpath(*rest)
    if base.with_suffix(".py").is_file():
        return [(prefix, base.with_suffix(".py"))]
    found = []
    for path in base.rglob("*.py"):
        inside = path.relative_to(root.parent).with_suffix("").as_posix()
        if not _SKIPPED_DIRECTORIES.search(inside + "/") and path.stem not in ("conftest", "setup", "__main__"):
            found.append((inside.replace("/", ".").removesuffix(".__init__"), path))
    return sorted(found)


def _location(top: str) -> Path | None:
    """Where top-level module `top` stands: its directory, or its file without the suffix."""
    if top in sys.stdlib_module_names:  # find_spec calls some of these "frozen"
        return Path(sysconfig.get_path("stdlib")) / top
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin.with_suffix("")


@cache
def entries(module: str, path: Path) -> tuple[Entry, ...]:
    """The entries of one source file, in its order; none where this Python cannot parse it."""
    try:
        with warnings.catch_warnings(action="ignore"):  # a "\\d" in somebody's source is not our warning
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return ()
    found = _grouped(module, "", clean(ast.get_docstring(tree) or ""), list(_members(tree.body)), module)
    return tuple(entry for whole in found for entry in _continued(whole))


Member = tuple[str, str, str, list[ast.stmt]]


def _members(body: list[ast.stmt]) -> Iterator[Member]:
    """(name, signature, docstring, inner statements) of what a module or class documents.

    Beside functions and classes: `name = "a long text"`, `{"topic": "a long text"}`
    and `add_newdoc("name", "text")`, the ways in which compiled functions are documented.
    """
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                arguments = ast.unparse(node.args)
                signature = f"{node.name}({arguments})" if len(arguments) < 120 else f"{node.name}(...)"
                yield node.name, signature, clean(ast.get_docstring(node) or ""), []
            case ast.ClassDef():
                yield node.name, f"class {node.name}", clean(ast.get_docstring(node) or ""), node.body
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))) if "\n" in text:
                yield name, f"{name}(...)", clean(text), []
            case ast.Assign(value=ast.Dict(keys=keys, values=values)):
                for key, value in zip(keys, values, strict=True):
                    match key, value:
                        case ast.Constant(value=str(name)), ast.Constant(value=str(text)) if "\n" in text:
                            yield name, "", clean(text), []
            case ast.Expr(value=ast.Call(args=[ast.Constant(value=str(name)), ast.Constant(value=str(text))])):
                yield name, "", clean(text), []


def _grouped(name: str, signature: str, text: str, members: list[Member], module: str) -> Iterator[Entry]:
    """An object's own page with its briefly documented members, then a page for each of the others."""
    brief = [f"{sign or member}\n{'-' * len(sign or member)}\n\n{doc}" for member, sign, doc, _ in members
             if doc and len(doc) < MIN_CHARS]  # fmt: skip
    whole = "\n\n".join(part for part in [text, *brief] if part)
    if len(whole) >= MIN_CHARS:
        yield Entry(name, signature, whole)
    for member, sign, doc, body in members:
        inner = list(_members(body))
        if inner:
            own = doc if len(doc) >= MIN_CHARS else ""
            yield from _grouped(f"{name}.{member}", sign, own, inner, module)
        elif len(doc) >= MIN_CHARS:
            yield Entry(f"{name}.{member}", sign, doc)


def _continued(entry: Entry) -> Iterator[Entry]:
    """The entry, or where it is long, its parts: cut before a paragraph that starts at the margin."""
    if len(entry.text) <= MAX_CHARS:
        yield entry
        return
    pieces: list[str] = [""]
    for paragraph in re.split(r"\n\s*\n(?=\S)", entry.text):
        if len(pieces[-1]) + len(paragraph) > MAX_CHARS * 2 // 3 and len(pieces[-1]) > MIN_CHARS:
            pieces.append("")
        pieces[-1] += paragraph + "\n\n"
    for number, piece in enumerate(pieces, start=1):
        if len(piece) >= MIN_CHARS:
            yield (
                entry if len(pieces) == 1 else Entry(f"{entry.name}.{number}", entry.signature, piece[: 3 * MAX_CHARS])
            )


def clean(text: str) -> str:
    """Docstring without what differs between machines, and without unfilled templates."""
    text = _TEMPLATE_LINE.sub("", text.translate(_LOST_ESCAPES))
    text = _MACHINE_PATH.sub("/path", _ADDRESS.sub("", text))
    lines = _CONTROL.sub("", text).split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return "\n".join([lines[0].strip(), *(line[margin:].rstrip() for line in lines[1:])]).strip()


class Novelty:
    """Remembers texts by a sample of their 8-word windows, and says whether a text is mostly new.

    Packages document aliases and siblings in the same words; such pages would be
    near duplicates that nobody planted.
    """

    def __init__(self, max_seen_share: float) -> None:
        self._seen: set[int] = set()
        self._max_seen_share = max_seen_share

    def add(self, text: str) -> bool:
        """Remember `text` and return True, or return False if too much of it was seen before."""
        windows = set(_sampled_windows(re.findall(r"\w+", text.lower())))
        if windows and len(windows & self._seen) > self._max_seen_share * len(windows):
            return False
        self._seen |= windows
        return True


def _sampled_windows(words: list[str]) -> Iterable[int]:
    for start in range(max(1, len(words) - 7)):
        window = zlib.crc32(" ".join(words[start : start + 8]).encode())
        if window % 4 == 0:
            yield window
