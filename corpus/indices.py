"""Sub- and superscripts in HTML: x<sup>2</sup> reads x^2 where the base reads like mathematics."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

_ITALIC = frozenset(("i", "em", "var"))
_NOTE = re.compile(r"note|cite|ref|fn", re.I)
_GREEK = "\u0391-\u03c9"
_SCRIPT = re.compile(rf"[\w+\-\u2212\u2013*/=,.()'\u2032\u221e\u2026 {_GREEK}]{{1,12}}")
_WORD = re.compile(r"[^\W\d_]{3,}")
_INTEGER = re.compile(r"[+\-\u2212\u2013]?\d{1,3}")
# Ordinals, abbreviations and marks: 1st, XXe, Mme, n with an o, Dr; TM, SM, R.
_LETTERS = re.compile("st|nd|rd|th|[eno]?re?|e|os?|as?|me|le|r|ra|d[or]|t[eo]|ve|ch|tm|sm|R|TM|SM|MD|MC")
_VARIABLE = re.compile(rf"(?:^|[^\w.&])(\d{{0,3}})([A-Za-z{_GREEK}])'?$|[_^](?:\w|\{{[^{{}}]{{1,14}}\}})$")
_GROUP = re.compile(r"\(([^()]{1,24})\)$|\[([^\[\]]{1,24})\]$")
_OPERATOR = re.compile(r"[+\-\u2212*/=^_]")
_POWER = re.compile(r"(?:^|[^\w.,])(?:10|2|e)$")


def show_indices(page: LexborHTMLParser) -> int:
    r"""Write sub- and superscripts of formulas as _ and ^, in place; how many there were.

    The base is a variable (x, 2x, an italic letter), a group with an operator, or ten or two with
    a power. What stays as the page has it: ordinals (1st), footnote marks, trade marks, units
    (25 m2), chemistry (H2O). `a<sub>ij</sub>` gives `a_{ij}`.
    """
    n_shown = 0
    for node in page.css("sub,sup"):
        script, base = _plain_text(node), node.prev
        if not script or base is None or not _SCRIPT.fullmatch(script) or _WORD.search(script):
            continue
        parent = node.parent
        if parent is None or parent.tag == "a" or _NOTE.search(node.attributes.get("class") or ""):
            continue
        italic = base.tag in _ITALIC
        before = _plain_text(base) if italic else base.text() if base.is_text_node else ""
        above = node.tag == "sup"
        if before and _reads_like_base(before[-40:], script, italic, above):
            node.replace_with(("^" if above else "_") + (script if len(script) == 1 else f"{{{script}}}"))
            n_shown += 1
    return n_shown


def _plain_text(node: LexborNode) -> str:
    """The text of an element that holds text alone, or in one more element that is no link; else blank."""
    inside = node.first_child
    if inside is not None and inside.next is None and inside.tag in _ITALIC:
        inside = inside.first_child
    if inside is None or inside.next is not None or not inside.is_text_node:
        return ""
    return inside.text().strip()


def _reads_like_base(before: str, script: str, italic: bool, above: bool) -> bool:
    if _LETTERS.fullmatch(script):
        return False
    integer = _INTEGER.fullmatch(script) is not None
    if italic:
        return len(before) == 1 and before.isalpha()
    if group := _GROUP.search(before):
        inside = group[1] or group[2]
        return _OPERATOR.search(inside) is not None and not _WORD.search(inside) and not inside.strip().isdigit()
    if above and _POWER.search(before) and (not integer or before.endswith("10")):
        return True
    variable = _VARIABLE.search(before)
    if variable is None:
        return False
    letter = variable[2]
    if letter is None:  # another index
        return True
    if letter.isupper() and letter.isascii() and integer:
        return False  # O2, B12; a note on a Plan B
    if above and letter in "ms" and integer:
        return False  # square metres, per second
    return not (above and letter in "aI" and integer)
