r"""Pieces of LaTeX, and how they are put together: in a row, in brackets that grow, with an index or exponent."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Literal

from corpus.mathml_symbols import SCRIPT_COMMANDS

Kind = Literal[
    "atom",  # takes an exponent as it is
    "row",  # several atoms
    "fenced",  # a row in brackets that match; takes an exponent as it is
    "scripted",  # has an exponent or index at its end
    "limits",  # a large operator, or a function whose index stands below it
    "integral",
    "name",  # a function in upright letters whose index stands beside it
    "arrow",  # stretches under a label
    "open",
    "close",
    "bar",
    "space",
    "application",  # the invisible sign between a function and its argument
    "atop",  # a fraction without a line; `cells` holds its two halves
    "table",  # `cells` holds its body, `columns` their alignment
    "line",  # of a table: `cells`, and in `columns` the alignment of each, "?" if not said
    "cell",
    "glue",  # a cell that centres an equation beside its number
]


@dataclass(frozen=True, slots=True)
class Piece:
    """LaTeX of one element, and what the elements around it must know."""

    tex: str
    kind: Kind = "atom"
    font: str = ""  # a command around tex; neighbours in one font share it
    tall: bool = False  # brackets around it grow
    stretchy: bool = False  # a bracket that may grow
    cells: tuple[str, ...] = ()
    columns: str = ""
    sign: str = ""  # the character of an mo

    def __str__(self) -> str:
        if not self.font or not self.tex:
            return self.tex
        return r"\ " if self.font == r"\text" and self.tex.isspace() else f"{self.font}{{{self.tex}}}"


NOTHING = Piece("")

_COMMAND_AT_END = re.compile(r"\\[A-Za-z]+\Z")
_LONGEST_COMMAND = 40  # characters
ONE_TOKEN = re.compile(r"\\?[^\\{}]|\\[A-Za-z]+")
_ONE_CHARACTER = re.compile(r"[^\\{}]|\\[^A-Za-z]")
TEXT_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "#": r"\#", "&": r"\&", "_": r"\_",
        "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    }
)  # fmt: skip
_SCRIPT = re.compile("[_^']")
_MATRICES = {
    ("(", ")"): "pmatrix",
    ("[", "]"): "bmatrix",
    (r"\{", r"\}"): "Bmatrix",
    ("|", "|"): "vmatrix",
    (r"\|", r"\|"): "Vmatrix",
}


def joined(pieces: Iterable[Piece]) -> str:
    """`pieces` in a row: neighbours of one font share it, a command and a letter are kept apart."""
    runs: list[list[Piece]] = []
    for piece in pieces:
        if not piece.tex:
            continue
        last = runs[-1][-1] if runs else NOTHING
        blank = piece.font == r"\text" and piece.tex.isspace() and last.font.startswith(r"\text")
        if piece.font and (blank or piece.font == last.font):
            runs[-1].append(replace(piece, font=last.font))
        else:
            runs.append([piece])
    written: list[str] = []
    takes_script = True
    for run in runs:
        tex = str(run[0] if len(run) == 1 else replace(run[0], tex=_apart([piece.tex for piece in run])))
        if tex[0] in "^'" and not takes_script:
            written.append("{}")
        written.append(tex)
        takes_script = run[0].kind in ("atom", "fenced", "close")
    return _apart(written)


def _apart(written: list[str]) -> str:
    parts = written[:1]
    for left, right in pairwise(written):
        if right[0].isalpha() and left[-1].isalpha() and _COMMAND_AT_END.search(left, len(left) - _LONGEST_COMMAND):
            parts.append(" ")
        parts.append(right)
    return "".join(parts)


def row_of(pieces: Sequence[Piece]) -> Piece:
    """`pieces` side by side; one alone stays what it is."""
    row: list[Piece] = []
    applied = False
    for piece in pieces:
        if piece.tex and not (applied and piece.kind == "space"):  # TeX puts the space behind a function
            row.append(piece)
        applied = piece.kind == "application"
    if len(row) < 2:
        return row[0] if row else NOTHING
    tall_before = list(accumulate((piece.tall for piece in row), initial=0))
    partners = _partners(row)
    is_fenced = partners.get(0) == len(row) - 1 and not _SCRIPT.search(row[-1].tex)
    for start, end in partners.items():
        if end == start + 2 and (whole := _in_brackets(row[start].tex, row[start + 1], row[end].tex)):
            row[start : end + 1] = whole, NOTHING, NOTHING
        elif row[start].stretchy and row[end].stretchy and tall_before[end] > tall_before[start + 1]:
            row[start], row[end] = _grown("left", row[start]), _grown("right", row[end])
    row = [piece for piece in _with_lone_brackets(row, partners, tall=tall_before[-1] > 0) if piece.tex]
    if len(row) == 1:
        return row[0]
    return Piece(joined(row), "fenced" if is_fenced else "row", tall=tall_before[-1] > 0)


def _partners(row: Sequence[Piece]) -> dict[int, int]:
    """Where the brackets that open in a row close. Bars are a pair where they are two, at its ends."""
    partners: dict[int, int] = {}
    opened: list[int] = []
    for i, piece in enumerate(row):
        if piece.kind == "open":
            opened.append(i)
        elif piece.kind == "close" and opened:
            partners[opened.pop()] = i
    bars = [i for i, piece in enumerate(row) if piece.kind == "bar"]
    return {**partners, 0: len(row) - 1} if bars == [0, len(row) - 1] else partners


def _with_lone_brackets(row: list[Piece], partners: dict[int, int], tall: bool) -> list[Piece]:
    r"""`row` with \left. and \right. for the partner that a bracket at one of its ends lacks."""
    closed = set(partners.values())
    for i, (piece, content) in enumerate(pairwise(row)):
        if i not in partners and piece.tex == r"\{" and i + 2 == len(row) and (cases := _as_cases(content)):
            return [*row[:i], cases]
    if not tall:
        return row
    first, last = row[0], row[-1]
    if first.stretchy and first.kind in ("open", "bar") and 0 not in partners:
        return [_grown("left", first), *row[1:], Piece(r"\right.")]
    if last.stretchy and last.kind in ("close", "bar") and len(row) - 1 not in closed:
        return [Piece(r"\left."), *row[:-1], _grown("right", last)]
    return row


def _grown(side: str, bracket: Piece) -> Piece:
    return Piece(f"\\{side}{bracket.tex}", bracket.kind)


def _in_brackets(opener: str, content: Piece, closer: str) -> Piece | None:
    """A matrix or a binomial coefficient; None where these brackets make nothing of `content`."""
    if content.kind == "atop" and (opener, closer) == ("(", ")"):
        return Piece(r"\binom{{{}}}{{{}}}".format(*content.cells), tall=True)
    name = _MATRICES.get((opener, closer))
    if content.kind != "table" or name is None or set(content.columns) != {"c"}:
        return None
    return environment(name, content.cells[0])


def _as_cases(content: Piece) -> Piece | None:
    if content.kind != "table" or content.columns not in ("l", "ll", "c", "cc"):
        return None
    return environment("cases", content.cells[0])


def environment(name: str, body: str, argument: str = "") -> Piece:
    return Piece(f"\\begin{{{name}}}{argument} {body} \\end{{{name}}}", tall=True)


def as_base(piece: Piece) -> str:
    """`piece` as it stands before an exponent."""
    return f"{{{piece}}}" if piece.kind in ("row", "scripted", "space") or not piece.tex else str(piece)


def _argument(piece: Piece) -> str:
    """`piece` as it stands behind ^ or _."""
    if piece.kind == "table" and set(piece.columns) == {"c"} and "&" not in piece.cells[0]:
        return f"{{\\substack{{{piece.cells[0]}}}}}"
    tex = str(piece)
    return tex if tex in SCRIPT_COMMANDS or _ONE_CHARACTER.fullmatch(tex) else f"{{{tex}}}"


def scripted(base: Piece, below: Piece, above: Piece) -> Piece:
    r"""`base` with index and exponent: x_1^2, f'', {}_2."""
    script = f"_{_argument(below)}" if below.tex else ""
    if above.tex:
        primes = "" if above.font else above.tex[: len(above.tex) - len(above.tex.lstrip("'"))]
        rest = replace(above, tex=above.tex[len(primes) :].removeprefix("^"))
        script += primes + (f"^{_argument(rest)}" if rest.tex else "")
    if not script:
        return base
    # A bracket that grows stays one: what stands beside it belongs to \right.
    kind = base.kind if base.kind == "close" and base.stretchy else "scripted"
    return Piece(as_base(base) + script, kind, tall=base.tall, stretchy=base.stretchy)
