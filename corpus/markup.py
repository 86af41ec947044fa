"""Where a web page keeps formulas that are no text: scripts, MathML, images, attributes."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote, unquote_plus

from selectolax.lexbor import LexborHTMLParser, LexborNode

from corpus.tex import Formula, read_formula

TEX_CLASSES = frozenset({"math", "math-container", "math-tex", "arithmatex", "tex", "latex"})  # TeX is their text
RENDERED_CLASSES = frozenset({"MathJax", "MathJax_Display", "MathJax_Preview", "MathJax_SVG", "MathJax_CHTML"})
WRAPPER_CLASS = re.compile(r"(?:^|\s)(?:katex|mwe-math|MathJax)")  # of what stands around MathML and its rendered copy
IMAGE_CLASS = re.compile(r"(?:^|\s)(?:(?:math|tex|latex)(?!\S)|mwe-math-fallback|ql-img-)")
IMAGE_SOURCE = re.compile(r"latex\.php\?|codecogs\.com/|/(?:mathtex|mimetex)\.cgi\?|images/math/|[?&]cht=tx&", re.I)
IMAGE_MARKS = ("math", "latex", 'tex"', "tex.cgi", "cht=tx", "ql-img")  # a page without any has no such image
IMAGE_QUERY = re.compile(r"[?&](?:latex|chl)=([^&]*)|codecogs\.com/[^?]*\?(.+)|tex\.cgi\?(.+)", re.I | re.S)
IMAGE_STYLE = re.compile(r"(?:\\(?:inline|dpi\s*\{\d+\}|(?:bg|fn)_\w+|small|large|huge)(?![A-Za-z])\s*)+", re.I)


def read_image(attributes: Mapping[str, str | None]) -> Formula | None:
    """The formula that an image shows, by its class or address; None for any other image.

    The alternative text is preferred; codecogs, mimetex and WordPress carry TeX in the address too.
    """
    source, classes = attributes.get("data-src") or attributes.get("src") or "", attributes.get("class") or ""
    by_address = IMAGE_SOURCE.search(source)
    if not by_address and not IMAGE_CLASS.search(classes):
        return None
    display = "-display" in classes
    tex = attributes.get("alt") or ""
    if by_address and (query := IMAGE_QUERY.search(source)) and (not tex.strip() or "codecogs" in source):
        decoded = unquote_plus if query[1] else unquote  # of a form's field a plus is a space
        tex = decoded(query[1] or query[2] or query[3] or "").replace("&space;", " ").replace("&plus;", "+")
    style = IMAGE_STYLE.match(tex.strip())
    return read_formula(tex.strip()[style.end() :] if style else tex, display)


def show_formulas(page: LexborHTMLParser, html: bytes, write: Callable[[Formula, str], str]) -> None:
    """Turn formulas that are no text into text, and drop their rendered copies.

    page: the parsed `html`, changed in place. write: what stands for a formula of a kind (script,
    mathml, attribute or image).
    """
    if b"math/tex" in html:
        for copy in page.css(",".join(f".{name}" for name in sorted(RENDERED_CLASSES))):
            copy.decompose()
        for script in page.css('script[type^="math/tex"]'):
            display = "mode=display" in (script.attributes.get("type") or "")
            _show(script, read_formula(script.text(), display), "script", write)
    if b"application/x-tex" in html or b"alttext" in html:
        for math in page.css("math"):
            annotation = math.css_first('annotation[encoding="application/x-tex"]')
            source = annotation.text() if annotation else math.attributes.get("alttext")
            outer, display = math, math.attributes.get("display") == "block"
            while (parent := outer.parent) is not None and WRAPPER_CLASS.search(_class(parent)):
                outer, display = parent, display or "-display" in _class(parent)
            _show(outer, read_formula(source or "", display), "mathml", write)
    if b"data-tex" in html:
        for node in page.css("[data-tex]"):
            _show(node, read_formula(node.attributes.get("data-tex") or ""), "attribute", write)
    if any(mark.encode() in html for mark in IMAGE_MARKS):
        for image in page.css("img"):
            _show(image, read_image(image.attributes), "image", write)


def _class(node: LexborNode) -> str:
    return node.attributes.get("class") or ""


def _show(node: LexborNode, formula: Formula | None, kind: str, write: Callable[[Formula, str], str]) -> None:
    if formula is not None:
        node.replace_with(write(formula, kind))
