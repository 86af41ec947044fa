r"""Formulas in the text that an extractor wrote, and when two of them are the same.

Independent of the extractor under test: only delimiters are looked at, never whether a formula reads like one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tex_tokens import tex_tokens

MAX_CHARS = 10_000  # between two delimiters; what is longer are two strays
_CLOSERS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}
_ENVIRONMENTS = "equation|align|alignat|gather|multline|eqnarray|displaymath|flalign|math"
_OPENER = re.compile(rf"\\begin\{{(?P<env>(?:{_ENVIRONMENTS})\*?)\}}|\\[\[(]|\\.|\$\$|\$", re.S)
_MARK = re.compile(r"\\[\[\]()]|\\.|\$\$|\$|[{}]", re.S)
_WRAPPERS = (
    *((opener, closer) for opener, closer in _CLOSERS.items()),
    *((f"\\begin{{{name}}}", f"\\end{{{name}}}") for name in ("equation", "equation*", "displaymath", "math")),
    ("{\\displaystyle", "}"),
    ("\\displaystyle", ""),
    ("\\textstyle", ""),
)


def formulas(text: str) -> list[str]:
    r"""What stands between delimiters in `text`, in order: $..$, $$..$$, \(..\), \[..\] and display environments.

    A dollar inside braces closes nothing ("$\text{for $x$}$" is one formula). A single dollar opens none where
    a space follows it or stands before the closing one, or a digit follows that (pandoc's rule for prices).
    formulas("It costs $5 or $6; $x_1$ and \\(y\\).") == ["x_1", "y"]
    """
    return [tex for _, _, tex in _find(text)]


def prose(text: str) -> str:
    """`text` without its formulas: prose("Let $x$ be") == "Let   be"."""
    pieces, start = [], 0
    for begin, end, _ in _find(text):
        pieces.append(text[start:begin])
        start = end
    return " ".join([*pieces, text[start:]])


def _find(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, TeX) of each formula; start and end take the delimiters in."""
    position = 0
    while opener := _OPENER.search(text, position):
        mark, position = opener.group(), opener.end()
        if opener["env"]:
            closer = f"\\end{{{opener['env']}}}"
            end = text.find(closer, position, position + MAX_CHARS)
            if end >= 0:
                position = end + len(closer)
                yield opener.start(), position, text[opener.start() : position]
        elif mark in _CLOSERS and (end := _end(text, position, mark)) is not None:
            yield opener.start(), end + len(mark), text[position:end]
            position = end + len(mark)


def _end(text: str, start: int, mark: str) -> int | None:
    """Where the formula that `mark` opens before `start` ends; None where it is none."""
    depth, closer = 0, _CLOSERS[mark]
    if mark == "$" and text[start : start + 1].isspace():
        return None
    for found in _MARK.finditer(text, start, start + MAX_CHARS):
        sign = found.group()
        if sign == closer and depth <= 0:
            if mark == "$" and (text[found.start() - 1].isspace() or text[found.end() : found.end() + 1].isdigit()):
                return None
            return found.start() if found.start() > start else None
        depth += (sign == "{") - (sign == "}")
        if depth <= 0 and sign in ("$", "$$"):
            return None
    return None


def verbatim(tex: str) -> str:
    r"""A key that formulas share which differ in white space and in how they are set: see `_inside`.

    verbatim("\\( x ^2 \\)") == verbatim("{\\displaystyle x^2}") == "x^2".
    """
    return "".join(_inside(tex).split())


def by_tokens(tex: str) -> str:
    """A key that formulas share which differ at most in looks (see tex_tokens.py): as much of TeX as MathML carries."""
    return " ".join(tex_tokens(_inside(tex)))


def _inside(tex: str) -> str:
    """`tex` without what stands around all of it: delimiters, an equation environment, a style."""
    tex = tex.strip()
    for opener, closer in _WRAPPERS:  # in order: an environment may stand between delimiters
        if len(tex) > len(opener) + len(closer) and tex.startswith(opener) and tex.endswith(closer):
            tex = tex[len(opener) : len(tex) - len(closer)].strip()
    return tex


def matched(known: Iterable[str], found: Iterable[str]) -> int:
    """How many formulas two lists of keys have in common, each counted as often as it stands in both."""
    return (Counter(known) & Counter(found)).total()
