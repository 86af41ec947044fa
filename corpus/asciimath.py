r"""AsciiMath to LaTeX.

    sum_(i=1)^n i^3=((n(n+1))/2)^2      \sum_{i=1}^ni^3=\left(\frac{n(n+1)}{2}\right)^2
    [[a,b],[c,d]]                       \begin{bmatrix} a & b \\ c & d \end{bmatrix}

The grammar is read from left to right without going back:

    expression    (intermediate [/ intermediate])*
    intermediate  simple [_ simple] [^ simple]
    simple        constant | unary simple | binary simple simple | bracket expression bracket

A fraction, an index, an exponent and a command take off the brackets of what they are given.
Source: https://asciimath.org, its grammar and table of symbols.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from corpus.asciimath_symbols import (
    AROUND,
    BINARY,
    CLOSERS,
    CONSTANTS,
    LIMITS,
    OPENERS,
    OTHER_FUNCTIONS,
    SAME,
    TEX_FUNCTIONS,
    UNARY,
    WIDE,
    WORDS,
)
from corpus.mathml_symbols import SYMBOLS
from corpus.tex_pieces import NOTHING, ONE_TOKEN, TEXT_ESCAPES, Piece, environment, joined, row_of, scripted

MAX_DEPTH = 60  # brackets and commands within one another; deeper ones are written as they stand

_STRIPPED = frozenset({"()", "[]", r"\{\}", ""})
_ROWS = frozenset({"()", "[]"})  # brackets that may stand around the row of a matrix


def to_tex(source: str) -> str:
    r"""LaTeX of an AsciiMath expression, which stands without its backticks; "" where it is blank.

    Any text is read, in time linear in len(source); what is no symbol stands for itself, and an
    index or exponent that is missing is left out.
    """
    return str(_Parser(list(_token_pattern().finditer(source))).everything())


@cache
def _token_pattern() -> re.Pattern[str]:
    names = {*CONSTANTS, *WORDS, *SAME, *LIMITS, *TEX_FUNCTIONS, *OTHER_FUNCTIONS, *UNARY, *AROUND, *BINARY}
    names |= {*OPENERS, *CLOSERS, "|"}
    symbols = "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))
    brackets = "|".join(rf"\{opener}([^\{closer}]*)(?:\{closer}|\Z)" for opener, closer in ("()", "[]", "{}"))
    return re.compile(
        rf"""\s*(?:"([^"]*)(?:"|\Z)|(?:text|mbox)(?:{brackets})|(?P<number>\d+(?:\.\d+)?|\.\d+)"""
        rf"""|(?:\\(?=[A-Za-z]))?(?P<symbol>{symbols})|(?P<other>\S))"""
    )


@dataclass(frozen=True, slots=True)
class _Term:
    piece: Piece
    brackets: str | None = None  # around `inside`, as LaTeX: "()"; None where the term is in none
    inside: tuple["_Term", ...] = ()

    def bare(self) -> Piece:
        """The term without brackets, where they only group."""
        return _row(self.inside) if self.brackets in _STRIPPED else self.piece


def _row(terms: Sequence[_Term]) -> Piece:
    return row_of([term.piece for term in terms])


_NO_TERM = _Term(NOTHING)
_COMMA = Piece(",")


class _Parser:
    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.in_bars = False  # a bar closes what one has opened

    def symbol(self) -> str:
        """The symbol that stands next, "" if none does."""
        return (self.tokens[self.at]["symbol"] or self.tokens[self.at]["other"] or "") if self.more() else ""

    def more(self) -> bool:
        return self.at < len(self.tokens)

    def ends(self) -> bool:
        symbol = self.symbol()
        return not self.more() or symbol in CLOSERS or (symbol == "|" and self.in_bars)

    def everything(self) -> Piece:
        terms: list[_Term] = []
        while self.more():
            terms += self.expression(0)
            if self.more():  # a bracket that nothing opened
                terms.append(_Term(Piece(CLOSERS[self.symbol()], "close")))
                self.at += 1
        return _row(terms)

    def expression(self, depth: int) -> list[_Term]:
        terms: list[_Term] = []
        while not self.ends():
            above = self.intermediate(depth)
            if self.symbol() == "/":
                self.at += 1
                if (below := self.intermediate(depth)) is _NO_TERM:
                    terms.append(above)
                    above = _Term(Piece("/"))
                else:
                    above = _Term(Piece(f"\\frac{{{above.bare()}}}{{{below.bare()}}}", tall=True))
            terms.append(above)
        return terms

    def intermediate(self, depth: int) -> _Term:
        base = self.simple(depth)
        below = above = NOTHING
        while (mark := self.symbol()) in ("_", "^") and depth < MAX_DEPTH:
            if (below if mark == "_" else above).tex:
                break
            self.at += 1
            script = self.simple(depth + 1).bare()
            below, above = (script, above) if mark == "_" else (below, script)
        return _Term(scripted(base.piece, below, above)) if below.tex or above.tex else base

    def simple(self, depth: int) -> _Term:
        if self.ends() or depth > MAX_DEPTH:
            return _NO_TERM
        token, symbol = self.tokens[self.at], self.symbol()
        self.at += 1
        if symbol in OPENERS:
            return self.group(OPENERS[symbol], depth)
        if symbol == "|" and self.symbol() not in ("_", "^", ","):
            return self.bars(depth)
        if symbol in TEX_FUNCTIONS or symbol in OTHER_FUNCTIONS:
            return self.function(symbol, depth)
        if symbol in UNARY or symbol in AROUND:
            return _Term(_applied(symbol, self.simple(depth + 1).bare()))
        if symbol in BINARY:
            first = self.simple(depth + 1).bare()
            return _Term(_applied_to_two(symbol, first, self.simple(depth + 1).bare()))
        return _Term(_constant(token, symbol))

    def group(self, opener: str, depth: int) -> _Term:
        if depth >= MAX_DEPTH:
            return _Term(Piece(opener, "open"))
        inside = self.within(depth, in_bars=False)
        closer = ""
        if self.symbol() in CLOSERS:
            closer = CLOSERS[self.symbol()]
            self.at += 1
        return _grouped(opener, inside, closer)

    def within(self, depth: int, in_bars: bool) -> list[_Term]:
        outer, self.in_bars = self.in_bars, in_bars
        inside = self.expression(depth + 1)
        self.in_bars = outer
        return inside

    def bars(self, depth: int) -> _Term:
        """What stands between two bars; a bar that no other closes is a sign like any other."""
        if depth >= MAX_DEPTH:
            return _Term(Piece("|"))
        inside = self.within(depth, in_bars=True)
        if self.symbol() != "|":
            return _Term(row_of([Piece("|"), _row(inside)]))
        self.at += 1
        return _grouped("|", inside, "|")

    def function(self, name: str, depth: int) -> _Term:
        piece = (
            Piece(f"\\{name}")
            if name in TEX_FUNCTIONS
            else Piece(name, font="" if len(name) == 1 else r"\operatorname")
        )
        if self.ends() or self.symbol() in ("^", "_", "/", "|", ",") or (len(name) == 1 and self.symbol() != "("):
            return _Term(piece)
        argument = self.simple(depth + 1).piece
        return _Term(Piece(joined([piece, argument]), "fenced", tall=argument.tall))


def _constant(token: re.Match[str], symbol: str) -> Piece:
    if not symbol:
        quoted = next((group for group in token.groups()[:4] if group is not None), None)
        return Piece(token["number"]) if quoted is None else Piece(quoted.translate(TEXT_ESCAPES), font=r"\text")
    if symbol in WORDS:
        return Piece(WORDS[symbol], font=r"\text")
    if symbol in LIMITS:
        return Piece(LIMITS[symbol], "limits", tall=symbol not in ("lim", "Lim", "min", "max"))
    if symbol in SAME:
        return Piece(f"\\{symbol}")
    return Piece(CONSTANTS.get(symbol) or SYMBOLS.get(symbol, symbol))


def _applied(command: str, argument: Piece) -> Piece:
    if command in AROUND:
        opener, closer = AROUND[command]
        return row_of([Piece(opener, "open", stretchy=True), argument, Piece(closer, "close", stretchy=True)])
    tex = UNARY[command]
    if not ONE_TOKEN.fullmatch(str(argument)):
        tex = WIDE.get(tex, tex)
    return Piece(f"{tex}{{{argument}}}", tall=argument.tall)


def _applied_to_two(command: str, first: Piece, second: Piece) -> Piece:
    if command == "frac":
        return Piece(f"\\frac{{{first}}}{{{second}}}", tall=True)
    if command == "root":
        return Piece(f"\\sqrt[{f'{{{first}}}' if ']' in first.tex else first}]{{{second}}}", tall=second.tall)
    if command in ("stackrel", "overset", "underset"):
        return Piece(f"\\{'underset' if command == 'underset' else 'overset'}{{{first}}}{{{second}}}", tall=second.tall)
    return second  # a colour, a class or a name, and what has it


def _grouped(opener: str, inside: list[_Term], closer: str) -> _Term:
    content = [_matrix(inside)] if _is_matrix(inside, closer) else [term.piece for term in inside]
    piece = row_of(
        [Piece(opener, "open", stretchy=True), *content, Piece(closer, "close", stretchy=True)],
    )
    return _Term(piece, opener + closer, tuple(inside))


def _is_matrix(terms: list[_Term], closer: str) -> bool:
    """Whether `terms` are rows in brackets with commas between, each of as many cells; a set of tuples is none."""
    rows, commas = terms[::2], terms[1::2]
    if len(terms) % 2 == 0 or closer == r"\}" or rows[0].brackets not in _ROWS:
        return False
    widths = {sum(map(_is_comma, row.inside)) for row in rows}
    return (
        all(row.brackets == rows[0].brackets for row in rows)
        and all(map(_is_comma, commas))
        and len(widths) == 1
        and (len(rows) > 1 or widths != {0})
    )


def _is_comma(term: _Term) -> bool:
    return term.piece == _COMMA


def _matrix(terms: list[_Term]) -> Piece:
    """A matrix; a column of bars is a line between its neighbours."""
    rows = [_cells(row.inside) for row in terms[::2]]
    bars = [all(cell == "|" for cell in column) for column in zip(*rows, strict=True)]
    body = r" \\ ".join(" & ".join(cell for cell, is_bar in zip(row, bars, strict=True) if not is_bar) for row in rows)
    if any(bars):
        return environment("array", body, f"{{{''.join('|' if is_bar else 'c' for is_bar in bars)}}}")
    return replace(environment("matrix", body), kind="table", cells=(body,), columns="c" * len(bars))


def _cells(terms: Sequence[_Term]) -> list[str]:
    cells: list[list[_Term]] = [[]]
    for term in terms:
        if _is_comma(term):
            cells.append([])
        else:
            cells[-1].append(term)
    return [str(_row(cell)) for cell in cells]
