"""Cheap text: all visible text of a page, which the pool, the seed and the classifier read.

Main-content heuristics cost the classifier accuracy (AUC .961 against .996) and twenty times the time.
Two fifths of the time is lexbor's parsing. Line breaks are put into the source, by array operations on its
tags, because a step of Python for each element of the tree would double the time.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from selectolax.lexbor import LexborHTMLParser

from corpus.markup import show_formulas
from corpus.tex import Formula, count_tex, without_definitions

# fmt: off
_BLOCKS = (
    "p", "div", "li", "ul", "ol", "dl", "dt", "dd", "tr", "td", "th", "table", "caption", "h1", "h2", "h3", "h4",
    "h5", "h6", "br", "hr", "section", "article", "header", "footer", "main", "nav", "aside", "blockquote", "pre",
    "figure", "figcaption", "form", "fieldset", "option", "details", "summary", "address",
)
# fmt: on
_INVISIBLE = ("script", "style", "noscript", "template", "iframe", "noembed", "noframes")
_NAME_ENDS = b"> \t\n\f\r/"
_OPENING, _END, _CLOSING, _BREAK, _DECLARATION = b"<>/\f!"
_BLOCK = 128  # in _TAGS; 1 << n is _INVISIBLE[n]
# Elements inside each other; browsers build 512. Parsing is quadratic in them: 25 s for 200,000. 2 of 7,711 pages of
# three crawls have more tags open than this, the void ones counted.
MAX_DEPTH = 4_000
_VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
_ALONE = ("html", "head", "body", "title", "textarea")  # not nested, and needed to read what is in them
# What never is text: controls, lone surrogates, non-characters, and marks that reorder or hide what stands by them.
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffc"
    "\ufffe\uffff\U000e0000-\U000e007f]"
)
_SHOWN = re.compile("\x02[^\x03]*\x03")


@dataclass(frozen=True, slots=True)
class CheapText:
    title: str | None
    text: str  # a line a block element, white space collapsed
    formulas: dict[str, int]  # how many of each kind that occurs, see markup.KINDS


def cheap_text(html: bytes | str) -> CheapText:
    """All visible text of a page, formulas that sit in scripts, MathML or images as $TeX$.

    html: bytes are UTF-8. TeX between delimiters stays as the page has it. About 0.9 ms a page of 77 kB.
    """
    source, invisible = _broken(html if isinstance(html, bytes) else html.encode("utf-8", "replace"))
    page = LexborHTMLParser(source, scripting=True)
    body, title = page.body, page.css_first("title")
    formulas: Counter[str] = Counter()

    def write(formula: Formula, kind: str) -> str:
        formulas[kind] += 1
        return f"\x02{formula}\x03"  # told apart from the page's own TeX, until controls are taken out

    text = ""
    if body is not None:
        show_formulas(page, source, write)
        for element in body.css(invisible) if invisible else ():
            element.decompose()
        text = body.text()
    if "$" in text or "\\" in text:
        text = without_definitions(text)
        if n_in_text := count_tex(_SHOWN.sub(" ", text) if formulas else text):
            formulas["text"] = n_in_text
    return CheapText(_lines(title.text()).replace("\n", " ") or None if title else None, _lines(text), formulas)


def _lines(text: str) -> str:
    """`text` without UNPRINTABLE, a line for each form feed in it, no blank line."""
    lines = []
    for line in text.split("\f"):
        if line and (line := line.strip()):
            if "  " in line or not line.isprintable():
                line = " ".join(line.split())
                if not line.isprintable():
                    line = UNPRINTABLE.sub("", line)
            lines.append(line)
    return "\n".join(lines)


def _broken(html: bytes) -> tuple[bytes, str]:
    """`html` with a form feed, which is white space wherever it stands, before every tag of a block.

    And a selector of the invisible elements that it may hold. Where elements nest deeper than
    MAX_DEPTH, opening tags become comments (`<!iv>`), so that all text stands side by side.
    """
    source = np.frombuffer(html, np.uint8)
    (at,) = (source[:-4] == _OPENING).nonzero()
    closing = source[at + 1] == _CLOSING
    names = at + 1 + closing
    letters = source & 31
    keys = letters[names].astype(np.int16)
    for n in (1, 2):
        keys <<= 5
        keys |= letters[names + n]
    tags = _TAGS[keys]
    seen = int(np.bitwise_or.reduce(tags, initial=0))
    invisible = ",".join(name for n, name in enumerate(_INVISIBLE) if seen >> n & 1)
    if len(at) > MAX_DEPTH:
        nests = np.char.isalpha(source[names].view("S1")) & ~np.isin(keys, _keys(_VOID))
        if np.cumsum(np.where(closing, -1, 1) * nests).max() > MAX_DEPTH:
            source = source.copy()
            is_hidden = tags & (_BLOCK - 1) > 0
            source[names[nests & ~closing & ~is_hidden & ~np.isin(keys, _keys(_ALONE))]] = _DECLARATION

    is_break = tags == _BLOCK
    # Nothing stands between two blocks' tags that touch.
    is_break[1:] &= ~(is_break[:-1] & (source[at[1:] - 1] == _END))
    breaks = at[is_break]
    breaks += np.arange(len(breaks))
    broken = np.full(len(source) + len(breaks), _BREAK, np.uint8)
    from_source = np.ones(len(broken), np.bool_)
    from_source[breaks] = False
    broken[from_source] = source
    return broken.tobytes(), invisible


def _tag_table() -> npt.NDArray[np.uint8]:
    """_BLOCK or 1 << n for _INVISIBLE[n] at the keys of their names."""
    table = np.zeros(1 << 15, np.uint8)
    table[_keys(_BLOCKS)] = _BLOCK
    for n, name in enumerate(_INVISIBLE):
        table[_keys((name,))] = 1 << n
    return table


def _keys(names: Iterable[str]) -> list[int]:
    """The first three characters of tags of these names, five bits each.

    A name that begins like another (picture like p, head like header) shares its key: a break too many,
    or a selector that finds nothing.
    """
    return [
        (ord(name[0]) & 31) << 10 | (second & 31) << 5 | third & 31
        for name in names
        for second in name[1:2].encode() or _NAME_ENDS
        for third in name[2:3].encode() or (_NAME_ENDS if name[1:] else bytes(range(32)))
    ]


_TAGS = _tag_table()
