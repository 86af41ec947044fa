r"""The tables of MathML to LaTeX: matrices, cases, aligned equations, arrays.

A table is written by how its columns stand: centred ones are a matrix, right and left in turn are
equations aligned at a sign, others an array. Brackets around it turn a matrix into its kin, see
`tex_pieces`.
"""

import re
from dataclasses import replace
from itertools import takewhile

from lxml import etree

from corpus.tex_pieces import NOTHING, Piece, environment, row_of

_ALIGNED = re.compile("(?:rl)+r?|r")
_ALIGNING = frozenset({"tml-left", "tml-right"})


def cell(element: etree._Element, children: list[Piece]) -> Piece:
    classes = set((element.get("class") or "").split())
    align = element.get("columnalign") or next((name[4:] for name in sorted(classes & _ALIGNING)), "?")
    glue = "mtr-glue" in classes or "50%" in (element.get("width") or element.get("style") or "")
    return Piece(str(row_of(children)), "glue" if glue else "cell", columns=align.strip()[:1])


def line(element: etree._Element, children: list[Piece]) -> Piece:
    """An mtr, without the number of an equation that stands between glue and the edge."""
    if children and children[0].kind == "glue":
        children = list(takewhile(lambda child: child.kind != "glue", children[1:]))
    cells = tuple(str(child) for child in children)
    return Piece(
        r"\quad ".join(cells), "line", cells=cells, columns="".join(child.columns or "?" for child in children)
    )


def labeled_line(element: etree._Element, children: list[Piece]) -> Piece:
    """An mlabeledtr: its first cell is the number of the equation."""
    return line(element, children[1:])


def table(element: etree._Element, children: list[Piece]) -> Piece:
    r"""An mtable: as its columns are aligned, a matrix, aligned equations or an array."""
    lines = [child if child.kind == "line" else line(element, [child]) for child in children]
    lines = [line for line in lines if any(line.cells)]
    if not lines:
        return NOTHING
    columns = _columns(element, lines)
    if len(lines) == len(columns) == 1:
        return Piece(lines[0].tex, "row", tall=True)
    rules = [rule != "none" for rule in (element.get("rowlines") or "").split()]
    bars = [bar != "none" for bar in (element.get("columnlines") or "").split()]
    framed = element.get("frame") not in (None, "none")
    written: list[str] = []
    for i, (first, *rest) in enumerate(line.cells for line in lines):
        if i:
            written += r" \\ ", r"\hline " if rules and rules[min(i, len(rules)) - 1] else ""
            written.append("{}" if first[:1] in ("[", "*") else "")  # behind \\ they would be its argument
        written.append(" & ".join([first, *rest]).lstrip())
    body = "".join([r"\hline ", *written, r" \\ \hline"] if framed else written)
    if any(bars) or any(rules) or framed:
        inner = "".join(
            f"|{column}" if i and bars and bars[min(i, len(bars)) - 1] else column for i, column in enumerate(columns)
        )
        return environment("array", body, f"{{{f'|{inner}|' if framed else inner}}}")
    if _ALIGNED.fullmatch(columns):
        return environment("aligned", body)
    if set(columns) == {"c"}:
        name = "gathered" if columns == "c" and element.get("displaystyle") == "true" else "matrix"
        return replace(environment(name, body), kind="table", cells=(body,), columns=columns)
    return replace(environment("array", body, f"{{{columns}}}"), kind="table", cells=(body,), columns=columns)


def _columns(element: etree._Element, lines: list[Piece]) -> str:
    """A letter (l, c, r) for each column: what its first cell says, else the table."""
    said = [word[0] for word in (element.get("columnalign") or "center").split()] or ["c"]
    widest = max(lines, key=lambda line: len(line.cells)).columns
    letters = (own if own in "lcr" else said[min(i, len(said) - 1)] for i, own in enumerate(widest))
    return "".join(letter if letter in "lcr" else "c" for letter in letters)
