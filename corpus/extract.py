"""Careful text, for what was recalled: the main content of a page, with its formulas as TeX."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Literal

import numpy as np
import trafilatura
from lxml import etree
from lxml.html import HtmlElement
from selectolax.lexbor import LexborHTMLParser

from corpus.cheap import MAX_DEPTH as LEXBOR_DEPTH
from corpus.cheap import UNPRINTABLE, cheap_text
from corpus.formulas import Taken, absent_word, take_text
from corpus.indices import show_indices
from corpus.lost import put_lost_back
from corpus.marks import marks_of
from corpus.markup import show_formulas
from corpus.tex import find_tex, without_definitions

MIN_KEPT = 0.7  # share of a page's formulas below which another extractor is tried
MAX_DEPTH = 250  # libxml2 drops all that follows the 256th level of nested elements
Format = Literal["plain", "markdown"]
_MODES = (  # of trafilatura: name, fast, favor_recall; a page without formulas begins with the second, its default
    ("trafilatura-fast", True, False),
    ("trafilatura", False, False),
    ("trafilatura-recall", True, True),
)
_VOID = tuple(first << 8 | second for first, second in (b"br", b"im", b"hr"))  # what names of void elements begin with
_OUTPUT = {"plain": "txt", "markdown": "markdown"}  # as trafilatura names them
# Of backslashes and dollars, in the source of a page. Patterns that begin with one character, which are found fast.
_TEX_MARKS = (re.compile(rb"\\(?:[(\[]|begin)"), re.compile(rb"&(?:#(?:36|92|x24|x5c)|dollar|bsol);", re.I))


@dataclass(frozen=True, slots=True)
class CarefulText:
    text: str  # blank where the page holds none
    n_formulas: int  # formulas of the page whose TeX is known
    n_formulas_kept: int  # of these, found once in text
    kinds: Mapping[str, int]  # n_formulas by kind, in the order of markup.KINDS
    extractor: str  # the path that was taken, with its version
    why: str  # this path was taken


def careful_text(html: str, url: str | None = None, format: Format = "plain") -> CarefulText:
    """The main content of a page, with every formula whose TeX is known as $TeX$ or $$TeX$$.

    Formulas travel through trafilatura as words. Where fewer than MIN_KEPT of them come out, or no
    text at all, its next mode is tried (_MODES), then all visible text ("all-text"); those of menus,
    contents and footers do not count for that. What was lost still comes back with its block, see
    lost.py. The text of a page without formulas is trafilatura's own.

    Fast before default, because that takes a fifth less time, with the same word F1 of .809 against the
    gold texts of bench/extract.py. Recall mode last: trafilatura alone has .687 in it, .711 by default
    (106 of these texts, formulas as words).
    """
    try:
        data = html.encode()
    except UnicodeEncodeError:  # a lone surrogate, at which libxml2 would end the page
        data = html.encode("utf-8", "replace")
        html = data.decode()
    page, taken = _without_formulas(html, data)
    if page is None:
        return _all_text(html, "elements nest deeper than the 256 levels that libxml2 reads")
    kinds = taken.count()
    n_formulas = sum(kinds.values())
    n_wanted = n_formulas - len(taken.in_menus)
    tried: list[str] = []
    for name, fast, favor_recall in _MODES[0 if n_formulas else 1 :]:
        extracted = trafilatura.extract(
            page,
            url=url,
            fast=fast,
            favor_recall=favor_recall,
            include_comments=False,
            output_format=_OUTPUT[format],
        )
        extracted = extracted or ""
        n_kept = taken.n_kept(extracted, in_menus=False)
        tried.append(f"{name} kept {n_kept} of {n_wanted} formulas" if extracted else f"{name} found no text")
        if extracted and n_kept >= MIN_KEPT * n_wanted:
            extractor = _named(name, "trafilatura")
            break
    else:
        if not taken.formulas:
            return _all_text(html, "; ".join(tried))
        visible = page if isinstance(page, str) else etree.tostring(page, encoding="unicode", method="html")
        extracted = cheap_text(visible).text
        extractor = _named("all-text", "selectolax")
    n_kept = taken.n_kept(extracted)
    if n_kept < n_formulas and not isinstance(page, str):
        extracted = put_lost_back(extracted, page, taken)
        n_before, n_kept = n_kept, taken.n_kept(extracted)
        tried.append(f"{n_kept - n_before} lost ones were put back")
    text = UNPRINTABLE.sub("", taken.put_back(extracted))
    return CarefulText(text, n_formulas, n_kept, kinds, extractor, "; ".join(tried))


def plain_text(text: str) -> CarefulText:
    """A text that another extractor wrote, of a WET file: lines without markup, TeX between delimiters as $TeX$."""
    shown, n_formulas = _with_dollars(UNPRINTABLE.sub("", without_definitions(text)).strip())
    kinds = {"text": n_formulas} if n_formulas else {}
    return CarefulText(shown, n_formulas, n_formulas, kinds, "plain-text", "the record holds a text, not HTML")


def _all_text(html: str, why: str) -> CarefulText:
    cheap = cheap_text(html)
    n_formulas = sum(cheap.formulas.values())
    shown, _ = _with_dollars(cheap.text)
    return CarefulText(shown, n_formulas, n_formulas, cheap.formulas, _named("all-text", "selectolax"), why)


def _with_dollars(text: str) -> tuple[str, int]:
    """`text` with $..$ and $$..$$ for the delimiters that it has, and how many formulas those hold."""
    pieces: list[str] = []
    start = n_formulas = 0
    for begin, end, formula in find_tex(text):
        pieces += text[start:begin], str(formula)
        start, n_formulas = end, n_formulas + 1
    return "".join([*pieces, text[start:]]), n_formulas


def _without_formulas(html: str, data: bytes) -> tuple[str | HtmlElement | None, Taken]:
    """The page with a token for each formula; as it is where there are none; None where it is nested too deeply.

    data: `html` as UTF-8. What every page costs is a few passes over it.
    """
    marks, holds_tex = marks_of(data), _may_hold_tex(data)
    if not (marks or b"<su" in data or holds_tex or _depth(data) > MAX_DEPTH):
        return html, Taken("")
    source, taken = html, Taken(absent_word(data))
    if marks or b"<su" in data:
        if data.count(b"<") > LEXBOR_DEPTH and _depth(data) > LEXBOR_DEPTH:
            return None, taken
        page = LexborHTMLParser(data, scripting=True)
        if show_formulas(page, data, taken.take) + show_indices(page):
            source = page.html or ""
    if not (taken.formulas or holds_tex or _depth(data) > MAX_DEPTH):
        return source, taken
    tree = trafilatura.load_html(source)
    if tree is None:
        return source, taken
    if _was_cut():
        return None, taken
    if taken.formulas or holds_tex:
        take_text(tree, taken)
    return tree, taken


def _may_hold_tex(html: bytes) -> bool:
    """Whether TeX between delimiters may stand outside of the scripts of a page; nearly every script has dollars."""
    first, *others = html.split(b"<script")
    shown = b"".join([first, *(other.partition(b"</script")[2] for other in others)])
    return shown.count(b"$") > 1 or any(mark.search(shown) for mark in _TEX_MARKS)


def _depth(html: bytes) -> int:
    """A bound on the levels of nested elements: opening tags less closing ones, most void elements left out."""
    source = np.frombuffer(html, np.uint8)
    (tags,) = (source[:-4] == ord("<")).nonzero()
    first, second = source[tags + 1], source[tags + 2] | 32
    letters = first.astype(np.uint16) << 8 | second
    steps = np.where(first == ord("/"), -1, (first >= ord("A")) & ~np.isin(letters | 32 << 8, _VOID))
    return int(steps.cumsum().max(initial=0))


def _was_cut() -> bool:
    """Whether libxml2 gave up in the page that was parsed last."""
    error = trafilatura.utils.HTML_PARSER.error_log.last_error
    return error is not None and error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT


@cache
def _named(extractor: str, distribution: str) -> str:
    return f"{extractor}/{version(distribution)}"
