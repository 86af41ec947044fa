r"""The leaves of MathML (mi, mn, mo, mtext, ms, mspace) to LaTeX.

<mi>α</mi> \alpha     <mi mathvariant="bold">x</mi> \mathbf{x}     <mi>sin</mi> \sin     <mo>≤</mo> \leq
"""

import html
import re
import unicodedata
from dataclasses import replace

from lxml import etree

from corpus.mathml_symbols import (
    ARROWS,
    BARS,
    CLOSERS,
    FUNCTIONS,
    FUNCTIONS_WITH_LIMITS,
    INTEGRALS,
    OPENERS,
    SYMBOLS,
    WITH_LIMITS,
    letter,
    styles,
)
from corpus.tex_pieces import NOTHING, TEXT_ESCAPES, Kind, Piece, joined

_TEXT_FONTS = {"bold": r"\textbf", "italic": r"\textit", "monospace": r"\texttt", "sans-serif": r"\textsf"}
# fmt: off
_SPACES = {
    "\u2003": r"\quad", "\u2001": r"\quad", "\u2002": r"\enspace", "\u2000": r"\enspace", "\u2004": r"\;",
    "\u2005": r"\:", "\u205f": r"\:", "\u2006": r"\,", "\u2009": r"\,", "\u202f": r"\,", "\u200a": r"\,",
}
_NAMED_WIDTHS = {  # em; MathML 3, section 3.1.8
    "veryverythinmathspace": 1 / 18, "verythinmathspace": 2 / 18, "thinmathspace": 3 / 18, "mediummathspace": 4 / 18,
    "thickmathspace": 5 / 18, "verythickmathspace": 6 / 18, "veryverythickmathspace": 7 / 18,
}
# fmt: on
_WORDS = {"\\": r"\setminus", "mod": r"\bmod", "...": r"\ldots", "⋅⋅⋅": r"\cdots"}
_SIDES: dict[str, Kind] = {"prefix": "open", "postfix": "close", "OPEN": "open", "CLOSE": "close"}
_UNITS = {"em": 1.0, "ex": 0.43, "px": 0.06, "pt": 0.1, "mu": 1 / 18, "cm": 2.8, "mm": 0.28, "in": 7.2}  # in em
_WHITESPACE = re.compile(r"\s+")
_GROUPING_COMMA = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_VARIATION = re.compile("[\ufe00-\ufe0f]")
_APPLICATION = "\u2061"
_NEGATIVE = "\u2063"  # KaTeX's sign of a space that goes back
_WIDTH = re.compile(r"\s*([+-]?\d*\.?\d+)\s*([a-z]+)\s*")
_SPACE_SIZES = ((0.2, r"\,"), (0.25, r"\:"), (0.4, r"\;"), (0.8, r"\ "), (1.5, r"\quad"))  # up to so many em


def token_text(element: etree._Element) -> str:
    """The text of a token element, composed, without invisible characters; whitespace collapsed.

    Named characters that an HTML parser left alone (&ApplyFunction;) are read here.
    """
    return " ".join(_visible(_raw(element)).split())


def _raw(element: etree._Element) -> str:
    text = "".join(element.itertext())
    return html.unescape(text) if "&" in text else text


def _visible(text: str) -> str:
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", _VARIATION.sub("", text))
    return "".join(char for char in composed if unicodedata.category(char) != "Cf")


def _letters(text: str, variant: str | None) -> list[Piece]:
    """A piece for each character of `text`; its own alphabet goes before the variant of its element."""
    pieces = []
    for char in text:
        base, own = letter(char)
        tex, commands = SYMBOLS.get(base, base), styles(own or variant, base)
        for command in reversed(commands[1:]):
            tex = f"{command}{{{tex}}}"
        pieces.append(Piece(r"\," if tex == " " else tex, font=commands[0] if commands else ""))
    return pieces


def _together(pieces: list[Piece]) -> Piece:
    return pieces[0] if len(pieces) == 1 else Piece(joined(pieces), "row")


def identifier(element: etree._Element) -> Piece:
    """An mi: a letter, the name of a function, or a word."""
    text, variant = token_text(element), element.get("mathvariant")
    if text in BARS:
        return Piece(BARS[text])
    if len(text) < 2:
        return _together(_letters(text, variant)) if text else NOTHING
    return _name(text, variant, _is_applied(element)) or _together(_letters(text, variant))


def _is_applied(element: etree._Element) -> bool:
    follower = element.getnext()
    return follower is not None and (follower.text or "").strip() == _APPLICATION


def _name(text: str, variant: str | None, applied: bool) -> Piece | None:
    """A word of several letters as a function or in a font; None where it is no word."""
    bases, variants = zip(*(letter(char) for char in text), strict=True)
    word, variant = "".join(bases), variants[0] or variant
    if word.replace(" ", "") in FUNCTIONS and variant in (None, "normal"):
        name = word.replace(" ", "")
        return Piece(f"\\{name}", "limits" if name in FUNCTIONS_WITH_LIMITS else "atom")
    if not word.replace(" ", "").isalnum() or any(char in SYMBOLS for char in word):
        return None
    if not word.isascii():
        return Piece(word, font=r"\text")
    word = word.replace(" ", r"\,")
    if variant is None or (variant == "normal" and applied):
        return Piece(word, "name", font=r"\operatorname") if not word.isdigit() else Piece(word)
    if variant == "italic":
        return Piece(word, font=r"\mathit")
    commands = styles(variant, word[0])
    for command in reversed(commands[1:]):
        word = f"{command}{{{word}}}"
    return Piece(word, "name", font=commands[0] if commands else "")


def number(element: etree._Element) -> Piece:
    """An mn: one atom. Braces keep TeX from putting space behind a comma that groups digits."""
    digits = _letters(token_text(element), element.get("mathvariant"))
    if not digits:
        return NOTHING
    piece = _together(digits)
    return replace(piece, tex=_GROUPING_COMMA.sub("{,}", piece.tex), kind="atom")


def operator(element: etree._Element) -> Piece:
    """An mo: a bracket, a large operator, an arrow, a relation, or the name of a function."""
    sign = token_text(element)
    if not sign:
        return Piece("", "application") if _APPLICATION in _raw(element) else NOTHING
    return replace(_signed(element, sign), sign=sign)


def _signed(element: etree._Element, sign: str) -> Piece:
    if sign in _WORDS:
        return Piece(_WORDS[sign])
    if len(sign) > 1:
        word = _name(sign, element.get("mathvariant"), applied=True) if sign[0].isalpha() else None
        return word or _together(_letters(sign, None))
    tex, stretchy = SYMBOLS.get(sign, sign), element.get("stretchy") != "false"
    if sign in BARS:
        side = _SIDES.get(element.get("form") or element.get("data-mjx-texclass") or "", "bar")
        is_fence = sign in "|‖" or element.get("fence") == "true" or side != "bar"
        return Piece(BARS[sign] if is_fence else tex, side, stretchy=stretchy and is_fence)
    if sign in OPENERS or sign in CLOSERS:
        return Piece(tex, "open" if sign in OPENERS else "close", stretchy=stretchy)
    if sign in WITH_LIMITS or sign in INTEGRALS:
        return Piece(tex, "limits" if sign in WITH_LIMITS else "integral", tall=True)
    if sign in ARROWS and stretchy:
        return Piece(tex, "arrow")
    return _letters(sign, element.get("mathvariant"))[0]


def text(element: etree._Element) -> Piece:
    r"""An mtext: \text, with the spaces that it keeps at its ends; a space where it holds nothing else."""
    raw = _raw(element).strip(" \t\r\n")
    if not raw or (raw.isspace() and _NEGATIVE in raw):
        return NOTHING
    shown = _visible(raw)
    if shown.isspace() and "\xa0" not in shown:
        return Piece("".join(_SPACES.get(char, "") for char in shown), "space")
    letters = [letter(char) for char in _WHITESPACE.sub(" ", shown)]
    variant = next((own for char, own in letters if own), element.get("mathvariant") or "")
    written = "".join(base for base, _ in letters).translate(TEXT_ESCAPES)
    return Piece(written, font=_TEXT_FONTS.get(variant, r"\text"))


def space(element: etree._Element) -> Piece:
    """An mspace, by its width; one that goes back, or has no width, is nothing."""
    if element.get("linebreak") == "newline":
        return Piece("\\\\ ", "space")
    width = element.get("width") or ""
    found = _WIDTH.fullmatch(width)
    em = float(found[1]) * _UNITS.get(found[2], 0.0) if found else _NAMED_WIDTHS.get(width.strip(), 0.0)
    if em <= 0.05:
        return NOTHING
    return Piece(next((tex for size, tex in _SPACE_SIZES if em < size), r"\qquad"), "space")
