r"""Presentation MathML to LaTeX.

    <msup><mi>x</mi><mrow><mn>2</mn><mi>α</mi></mrow></msup>                x^{2\alpha}
    <mrow><mo>(</mo><mfrac linethickness="0">..</mfrac><mo>)</mo></mrow>    \binom{n}{k}

It reads what MathJax, KaTeX, Temml, LaTeXML, Pandoc, MediaWiki and Word write, from an HTML or an
XML parser. The tree is walked once, without recursion, and from the leaves up: an element is
written when its children are LaTeX. A `Piece` carries what its parent must know of it, such as
whether it takes an exponent without braces.

Source: MathML 3, https://www.w3.org/TR/MathML3/, chapter 3.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from lxml import etree

from corpus.mathml_scripts import (
    exponent,
    index,
    index_and_exponent,
    multiscripted,
    over,
    under,
    under_and_over,
)
from corpus.mathml_symbols import BARS, SYMBOLS, styles
from corpus.mathml_tables import cell, labeled_line, line, table
from corpus.mathml_tokens import identifier, number, operator, space, text
from corpus.tex_pieces import NOTHING, Piece, as_base, row_of

MAX_CHARS = 20_000  # a longer formula is none; what a nested one costs is bounded by it too

_SKIPPED = frozenset({"annotation", "annotation-xml", "script", "style"})
_BLANK = re.compile(r"(?:\\[,:; ]|\\q?quad(?![A-Za-z])|\\enspace(?![A-Za-z])|\\\\|[\s{}])*")
_LETTERS = re.compile(r"[A-Za-z0-9]+|\\[A-Za-z]+")
_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_LINE = re.compile(r"0(?![.\d]*[1-9])|\.0*(?![.\d])")
_NOTATIONS = {
    "box": r"\boxed",
    "roundedbox": r"\boxed",
    "updiagonalstrike": r"\cancel",
    "downdiagonalstrike": r"\bcancel",
    "xstrike": r"\xcancel",
    "top": r"\overline",
    "bottom": r"\underline",
    "radical": r"\sqrt",
}


def to_tex(math: etree._Element) -> str | None:
    r"""LaTeX of a math element, without delimiters; None where nothing is left of it.

    `math` is what lxml makes of <math> in HTML (prefixes such as m: are read over) or in XML.
    Annotations are not looked at, content MathML without presentation gives None, and so does a
    formula of more than MAX_CHARS characters. Any nesting is read, in time linear in the tree.
    """
    levels: list[list[Piece]] = [[]]
    is_too_long = False
    walk = etree.iterwalk(math, events=("start", "end"))
    for event, element in walk:
        if is_too_long:
            continue  # to the end: lxml frees a deep tree whose walk was broken off in quadratic time
        name = _local_name(element)
        if event == "start":
            levels.append([])
            if name in _SKIPPED:
                walk.skip_subtree()
            continue
        piece = _WRITERS.get(name, _row)(element, levels.pop())
        is_too_long = len(piece.tex) > MAX_CHARS
        levels[-1].append(piece)
    if is_too_long:
        return None
    tex = str(levels[0][0])
    return None if _BLANK.fullmatch(tex) else tex


def _local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


# Elements. A writer gets its element and what its children became.


def _row(element: etree._Element, children: list[Piece]) -> Piece:
    """An mrow, and any element that is not known; a border is how Temml draws a box."""
    piece = row_of(children)
    return Piece(f"\\boxed{{{piece}}}") if "border:" in (element.get("style") or "") and piece.tex else piece


def _styled(element: etree._Element, children: list[Piece]) -> Piece:
    """An mstyle; its variant holds for letters in it that have none of their own."""
    variant = element.get("mathvariant")
    return row_of([_in_variant(child, variant) for child in children] if variant else children)


def _in_variant(piece: Piece, variant: str) -> Piece:
    if piece.font or piece.kind not in ("atom", "row") or not _LETTERS.fullmatch(piece.tex):
        return piece
    commands = styles(variant, piece.tex)
    return replace(piece, font=commands[0], kind="atom") if commands else piece


def _fraction(element: etree._Element, parts: list[Piece]) -> Piece:
    above, below = str(parts[0]), str(parts[1])
    if _NO_LINE.match(element.get("linethickness") or ""):
        return Piece(f"{{{above}\\atop {below}}}", "atop", tall=True, cells=(above, below))
    if element.get("bevelled") == "true":
        return Piece(f"{as_base(parts[0])}/{as_base(parts[1])}", "row")
    return Piece(f"\\frac{{{above}}}{{{below}}}", tall=True)


def _root(element: etree._Element, parts: list[Piece]) -> Piece:
    index = str(parts[1])
    return Piece(f"\\sqrt[{f'{{{index}}}' if ']' in index else index}]{{{parts[0]}}}", tall=parts[0].tall)


def _square_root(element: etree._Element, children: list[Piece]) -> Piece:
    content = row_of(children)
    return Piece(f"\\sqrt{{{content}}}", tall=content.tall)


def _fenced(element: etree._Element, children: list[Piece]) -> Piece:
    """An mfenced: brackets and separators stand in its attributes."""
    opener, closer = (element.get(side, default).strip() for side, default in (("open", "("), ("close", ")")))
    separators = "".join(element.get("separators", ",").split())
    content: list[Piece] = []
    for i, child in enumerate(children):
        if i and separators:
            content.append(_plain(separators[min(i, len(separators)) - 1]))
        content.append(child)
    inner = row_of(content)
    return row_of(
        [
            *([replace(_plain(opener), kind="open", stretchy=True)] if opener else []),
            *([inner] if inner.kind in ("table", "atop") else content),
            *([replace(_plain(closer), kind="close", stretchy=True)] if closer else []),
        ]
    )


def _plain(sign: str) -> Piece:
    return Piece(BARS.get(sign) or "".join(SYMBOLS.get(char, char) for char in sign))


def _enclosed(element: etree._Element, children: list[Piece]) -> Piece:
    content = row_of(children)
    notations = set((element.get("notation") or "longdiv").split())
    if notations >= {"top", "bottom", "left", "right"}:
        notations = {"box"}
    if notations >= {"updiagonalstrike", "downdiagonalstrike"}:
        notations = {"xstrike"}
    command = next((_NOTATIONS[notation] for notation in sorted(notations) if notation in _NOTATIONS), None)
    return Piece(f"{command}{{{content}}}", tall=content.tall) if command and content.tex else content


def _phantom(element: etree._Element, children: list[Piece]) -> Piece:
    content = row_of(children)
    return Piece(f"\\phantom{{{content}}}") if content.tex else NOTHING


def _selected(element: etree._Element, children: list[Piece]) -> Piece:
    """An maction: one of its children is shown."""
    selection = element.get("selection", "1")
    chosen = int(selection) - 1 if selection.isdecimal() else 0
    return children[chosen] if 0 <= chosen < len(children) else row_of(children)


_Writer = Callable[[etree._Element, list[Piece]], Piece]


def _leaf(write: Callable[[etree._Element], Piece]) -> _Writer:
    """A token element. Where a page put elements into it, its texts and they are a row."""

    def write_leaf(element: etree._Element, children: list[Piece]) -> Piece:
        if not any(child.tex for child in children):
            return write(element)
        pieces = [_leaf_of(write, element.text)]
        for child, piece in zip(element.iterchildren(etree.Element), children, strict=True):
            pieces += piece, _leaf_of(write, child.tail)
        return row_of(pieces)

    return write_leaf


def _leaf_of(write: Callable[[etree._Element], Piece], content: str | None) -> Piece:
    leaf = etree.Element("mtext")
    leaf.text = _NOT_XML.sub("", content or "")  # an HTML parser lets through what a tree refuses
    return write(leaf)


def _parts(n: int, write: _Writer) -> _Writer:
    """An element of `n` children: missing ones are empty, further ones stand behind it."""

    def write_parts(element: etree._Element, children: list[Piece]) -> Piece:
        piece = write(element, [*children, *[NOTHING] * n][:n])
        return row_of([piece, *children[n:]]) if len(children) > n else piece

    return write_parts


_WRITERS: dict[str, _Writer] = {
    "mi": _leaf(identifier),
    "mn": _leaf(number),
    "mo": _leaf(operator),
    "mtext": _leaf(text),
    "ms": _leaf(text),
    "mspace": _leaf(space),
    "mstyle": _styled,
    "mfrac": _parts(2, _fraction),
    "msqrt": _square_root,
    "mroot": _parts(2, _root),
    "msub": _parts(2, index),
    "msup": _parts(2, exponent),
    "msubsup": _parts(3, index_and_exponent),
    "munder": _parts(2, under),
    "mover": _parts(2, over),
    "munderover": _parts(3, under_and_over),
    "mmultiscripts": multiscripted,
    "mfenced": _fenced,
    "menclose": _enclosed,
    "mphantom": _phantom,
    "maction": _selected,
    "mtable": table,
    "mtr": line,
    "mlabeledtr": labeled_line,
    "mtd": cell,
}
