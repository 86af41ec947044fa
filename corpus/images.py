"""Formulas that are shown as images: the TeX is the alternative text, or a part of the address."""

import re
from collections.abc import Mapping
from urllib.parse import unquote, unquote_plus

from corpus.tex import Formula, read_formula

_CLASS = re.compile(
    r"(?:^|\s)(?:(?:math|tex|latex|latexcenter|texrender|ee_img|equation_image)(?!\S)|mwe-math-fallback|ql-img-)"
)
_SOURCE = re.compile(
    r"latex\.php\?|/equation_images/|codecogs\.com/|/(?:mathtex|mimetex)\.cgi\?|images/math/|[?&]cht=tx&|"
    r"/equation\?tex=|/render/math\?|/math/render/|latex\.artofproblemsolving\.com|quicklatex\.com|i\.upmath\.me|tex\.s2cms|math\.now\.sh",
    re.I,
)
_QUERY = re.compile(  # the TeX of an address: in a form's field, or all that follows
    r"[?&](?:latex|chl|tex|math|from)=([^&]*)|codecogs\.com/[^?]*\?(.+)|tex\.cgi\?(.+)|/(?:svg|png)/([^?]+)$",
    re.I | re.S,
)
_STYLE = re.compile(
    r"(?:\\(?:inline|dpi\s*\{\d+\}|(?:bg|fn)_\w+|(?:tiny|small|large|huge|normalsize)(?![A-Za-z]))\s*)+", re.I
)
_NAMED = re.compile(r"^(?:LaTeX|TeX|Equation|Formula):\s+")  # Canvas writes "LaTeX: x^2"
_WHOLE = re.compile(r"\$[^$]+\$|\$\$[^$]+\$\$|\\\(.+\\\)|\\\[.+\\\]", re.S)
_COMMAND = re.compile(r"\\[A-Za-z]+|\\.")
_WORD = re.compile(r"[A-Za-z]{4}|[A-Za-z]{2,3}\s+[A-Za-z]{2}")
_SENTENCE = re.compile(r"[A-Za-z]+(?:\s+[A-Za-z']+){2,}[.!]?")
_NAMES = re.compile(r"\\(?:begin|end|text\w*|operatorname\*?|math(?:rm|bf|it|sf|tt)|mbox)\s*\{[^{}]*\}")
_INDEX = re.compile(r"\w\s*[_^]\s*[\w{\\]")
_GROUP = re.compile(
    r"\\[A-Za-z]+\s*[{^_]|[}\s]\\[A-Za-z]+[\s}]|^\\[A-Za-z]+$|\\(?:[gl]eq?|neq?|approx|equiv|sim|in|to|mapsto|subset(?:eq)?|cup"
    r"|cap|times|cdot|pm|infty|partial|nabla|sum|prod|int|forall|exists|(?:var)?(?:epsilon|phi|theta|rho)|alpha|beta|gamma"
    r"|delta|lambda|mu|pi|sigma|omega)(?![A-Za-z])"
)
_PATH = re.compile(r"[A-Za-z]:\\|\\\\")  # of a Windows file


def read_image(attributes: Mapping[str, str | None]) -> Formula | None:
    """The formula that an image shows, by its class, its address or an alternative text in TeX; else None.

    The alternative text is preferred; codecogs, mimetex, WordPress and others carry TeX in the address too.
    """
    source, classes = attributes.get("data-src") or attributes.get("src") or "", attributes.get("class") or ""
    by_address = _SOURCE.search(source)
    tex = (attributes.get("data-equation-content") or attributes.get("alt") or "").strip()
    if not by_address and not _CLASS.search(classes):
        return read_formula(tex) if _is_tex(tex) else None
    tex = _NAMED.sub("", tex)
    if (
        by_address
        and (query := _QUERY.search(source))
        and (not tex or "codecogs" in source or _SENTENCE.fullmatch(tex))
    ):
        decoded = unquote_plus if query[1] else unquote  # of a form's field a plus is a space
        tex = decoded(next(filter(None, query.groups()), "")).replace("&space;", " ").replace("&plus;", "+")
        tex = tex.strip()
    style = _STYLE.match(tex)
    display = "-display" in classes or "displayed" in classes or "latexcenter" in classes
    return read_formula(tex[style.end() :] if style else tex, display)


def _is_tex(alt: str) -> bool:
    r"""Whether an alternative text is TeX and no caption: \frac{a}{b} or x^2+y^2, not a path or a sentence."""
    if not any(sign in alt for sign in "\\^$") or _PATH.match(alt):
        return False  # a file's name
    if _WHOLE.fullmatch(alt):
        return True
    bare = _COMMAND.sub(" ", _NAMES.sub(" ", alt))
    return not _WORD.search(bare) and (_GROUP.search(alt) is not None or _INDEX.search(alt) is not None)
