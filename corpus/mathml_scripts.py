r"""Indices, exponents and accents of MathML to LaTeX, and what stands below and above."""

import re
from dataclasses import replace
from itertools import zip_longest

from lxml import etree

from corpus.mathml_symbols import ACCENTS, ACCENTS_BELOW, ARROWS
from corpus.tex_pieces import NOTHING, ONE_TOKEN, Piece, row_of, scripted

_ONE_LETTER = re.compile(rf"(?:{ONE_TOKEN.pattern})|\\[A-Za-z]+\{{(?:{ONE_TOKEN.pattern})\}}")
_BRACES = frozenset({r"\overbrace", r"\underbrace"})  # a label on them stands at their middle


def index(element: etree._Element, parts: list[Piece]) -> Piece:
    return scripted(parts[0], parts[1], NOTHING)


def exponent(element: etree._Element, parts: list[Piece]) -> Piece:
    return scripted(parts[0], NOTHING, parts[1])


def index_and_exponent(element: etree._Element, parts: list[Piece]) -> Piece:
    return scripted(parts[0], parts[1], parts[2])


def under(element: etree._Element, parts: list[Piece]) -> Piece:
    return _stacked(element, parts[0], parts[1], NOTHING)


def over(element: etree._Element, parts: list[Piece]) -> Piece:
    return _stacked(element, parts[0], NOTHING, parts[1])


def under_and_over(element: etree._Element, parts: list[Piece]) -> Piece:
    return _stacked(element, parts[0], parts[1], parts[2])


def _stacked(element: etree._Element, base: Piece, below: Piece, above: Piece) -> Piece:
    r"""`base` with something below and above: an accent, limits, an arrow with labels, \overset."""
    below, above = (NOTHING if piece.kind == "space" else piece for piece in (below, above))
    if base.kind not in ("limits", "arrow"):
        if below.sign in ACCENTS_BELOW:
            base, below = _accented(ACCENTS_BELOW[below.sign], base), NOTHING
        # A sign above a sign is a label, as in \overset{\sim}{=}, if the page does not say otherwise.
        if above.sign in ACCENTS and (base.sign in ("", "∇") or element.get("accent") == "true"):
            base, above = _accented(ACCENTS[above.sign][_is_wide(element, base, above.sign)], base), NOTHING
    if not below.tex and not above.tex:
        return base
    if base.kind == "limits":
        return scripted(base, below, above)
    if base.kind == "name":
        return scripted(Piece(f"\\operatorname*{{{base.tex}}}"), below, above)
    if base.kind == "integral":
        return scripted(replace(base, tex=base.tex + r"\limits"), below, above)
    if base.kind == "arrow":
        return Piece(f"{ARROWS[base.sign]}{f'[{below}]' if below.tex else ''}{{{above}}}")
    tex = str(base)
    if above.tex:
        tex = f"\\overset{{{above}}}{{{tex}}}"
    if below.tex:
        tex = f"\\underset{{{below}}}{{{tex}}}"
    return Piece(tex, tall=base.tall)


def _accented(command: str, base: Piece) -> Piece:
    return Piece(f"{command}{{{base}}}", "limits" if command in _BRACES else "atom", tall=base.tall)


def _is_wide(element: etree._Element, base: Piece, sign: str) -> bool:
    """Whether an accent stretches over its base. MathJax 2, Pandoc and Word mark a line, else drawn like a bar."""
    mark = element[-1]
    if mark.get("stretchy"):
        return bool(mark.get("stretchy") == "true")
    is_line = sign == "¯" and (mark.get("accent") is not None or element.get("accent") == "false")
    return is_line or _ONE_LETTER.fullmatch(str(base)) is None


def multiscripted(element: etree._Element, children: list[Piece]) -> Piece:
    """A base with pairs of index and exponent behind it and, after mprescripts, before it."""
    if not children:
        return NOTHING
    names = [str(child.tag) for child in element.iterchildren(etree.Element)]
    turn = next((i for i, name in enumerate(names) if name.lower().endswith("mprescripts")), len(names))
    behind, before = children[1:turn], children[turn + 1 :]
    base = children[0]
    for below, above in _pairs(behind):
        base = scripted(base if base.kind != "scripted" else Piece(f"{base}{{}}"), below, above)
    return row_of([*(scripted(NOTHING, below, above) for below, above in _pairs(before)), base])


def _pairs(scripts: list[Piece]) -> list[tuple[Piece, Piece]]:
    return list(zip_longest(scripts[::2], scripts[1::2], fillvalue=NOTHING))
