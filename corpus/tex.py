r"""TeX in running text: what a formula is, where one starts and ends, and what only looks like one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_TEX_CHARS = 10_000  # longer stretches between two delimiters are prose between two strays
MAX_INLINE_CHARS = 1_000  # the same for single dollars
MAX_NESTED = 4  # dollars inside the braces of one inline formula: $\text{if $x$ and $y$}$

DELIMITERS = (("$$", "$$", True), ("\\[", "\\]", True), ("\\(", "\\)", False), ("$", "$", False))
_INLINE = ("$", "\\(")
_CLOSERS = {opener: closer for opener, closer, _ in DELIMITERS}
_ENVIRONMENTS = "equation|align|alignat|gather|multline|eqnarray|displaymath|flalign|math|IEEEeqnarray|dmath|CD|tikzcd"
_OPENER = re.compile(rf"\\\\|\\\$|\\[(\[]|\\begin\s?\{{(?P<env>(?:{_ENVIRONMENTS})\*?)\}}|\$\$?")
OPENERS = ("$", "\\(", "\\[", "\\begin")  # a text without any of them holds no TeX that find_tex finds

# A caret needs a base, or a group after it: ^foo$|^bar$ are regular expressions.
_COMMAND = re.compile(r"\\[A-Za-z{}]")
_NAMED_COMMAND = re.compile(r"\\[A-Za-z]+")
_SURELY_TEX = re.compile(
    r"\\[A-Za-z{}]|[A-Za-z0-9)}\]'|]\^(?![A-Za-z]{2})|\^[{\\]|(?<![A-Za-z])[A-Za-z]_(?![A-Za-z]{3})|_\{"
)
_PROSE = re.compile(r"[A-Za-z]{3,}[^A-Za-z].*?[A-Za-z]{3}|[A-Za-z]{8}|^\d[\d,.]*\s*[A-Za-z]{2}", re.S)
_CODE = re.compile(r"\((?:[\"'#.]|(?:document|window|this|function|event)\b)|\{[\w.]{3,}\}")  # jQuery, ${name}
_SUFFIX = re.compile(r"(?:th|st|nd|rd|s)?(?![A-Za-z0-9_])", re.ASCII)  # "the $n$th", "all $x$s"
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")  # within a line
_CDATA = re.compile(r"%?\s*(?:<!\[CDATA\[|\]\]>)")  # kramdown hides TeX from XML parsers so
# Of macros: they show nothing.
_DEFINITION = re.compile(
    r"\\(?P<command>(?:re)?newcommand|providecommand|newenvironment|DeclareMathOperator|definecolor|require|let|g?def)"
    r"(?![A-Za-z])"
)
# What follows a command: g a group, n a macro's name in a group or without, o options in brackets, m a macro,
# x a macro or character, with or without =, p parameters and a group.
_ARGUMENTS = {"require": "g", "definecolor": "ggg", "newenvironment": "gogg", "DeclareMathOperator": "ng"}
_ARGUMENTS |= {"let": "mx", "def": "mp", "gdef": "mp"}
_ARGUMENT = {
    "g": re.compile(r"\s*\{"),
    "n": re.compile(r"\*?\s*(?:\{|\\(?:[A-Za-z@]+|.))"),
    "o": re.compile(r"\s*\["),
    "m": re.compile(r"\s*\\(?:[A-Za-z@]+|.)"),
    "x": re.compile(r"\s*=?\s*(?:\\(?:[A-Za-z@]+|.)|\S)"),
    "p": re.compile(r"[^{}]*\{"),
}
_BLANK = re.compile(r"(?:\s|%[^\n]*(?:\n|\Z))*")
_BRACKET = re.compile(r"\\.|[][{}]", re.S)
_CLOSING = {"\\(": "\\)", "\\[": "\\]", "$$": "$$", "$": "$"}


@dataclass(frozen=True, slots=True)
class Formula:
    tex: str  # without delimiters
    display: bool

    def __str__(self) -> str:
        return f"$${self.tex}$$" if self.display else f"${self.tex}$"


def read_formula(source: str, display: bool = False) -> Formula | None:
    r"""The formula that `source` writes, with or without delimiters; None where it is blank or only defines macros.

    read_formula(r"\(x^2\)") == Formula("x^2", False). MediaWiki's {\displaystyle ..} is taken off, and
    so are comments that end with a line.
    """
    if "CDATA" in source:
        source = _CDATA.sub("", source)
    if "%" in source and "\n" in source:
        *lines, last = source.split("\n")
        source = "\n".join([*(_COMMENT.sub(r"\1", line) for line in lines), last])
    tex = source.strip()
    for opener, closer, shown in DELIMITERS:
        if tex.startswith(opener) and tex.endswith(closer) and len(tex) >= len(opener) + len(closer):
            tex, display = tex[len(opener) : -len(closer)], display or shown
            break
    if tex.startswith("{\\displaystyle ") and tex.endswith("}"):
        tex = tex[len("{\\displaystyle ") : -1]
    # A blank line ends a formula in TeX, and a line break inside one means nothing.
    tex = " ".join(tex.split())
    return Formula(tex, display) if tex and not _only_defines(tex) else None


def find_tex(text: str) -> Iterator[tuple[int, int, Formula]]:
    r"""Formulas between delimiters in running text: (start, end, formula), from left to right.

    Delimiters are $..$, $$..$$, \(..\), \[..\] and \begin{equation} and its kin. A single dollar
    opens a formula only where the text up to the next one reads like one: prices and shell
    variables do not. Linear in len(text): the next place of each closer is looked up once.
    """
    for start, end, source, display in _spans(text):
        formula = read_formula(source, display)
        if formula is not None:
            yield start, end, formula


def count_tex(text: str) -> int:
    """How many formulas stand between delimiters: those of find_tex, not read (a few that are blank once read too)."""
    return sum(1 for _ in _spans(text))


def count_commands(text: str) -> int:
    r"""Number of different TeX commands: "\alpha + \alpha \to \beta" has 3."""
    return len(set(_NAMED_COMMAND.findall(text)))


def _spans(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """(start, end, source, display) of what stands between delimiters and may be a formula."""
    next_closer: dict[str, int] = {}

    def find_closer(closer: str, position: int) -> int:
        end = next_closer.get(closer, -1)
        if end < position:
            end = text.find(closer, position)
            while closer == "$" and end > 0 and text[end - 1] == "\\":
                end = text.find(closer, end + 1)
            end = next_closer[closer] = len(text) if end < 0 else end
        return end

    position = 0
    while opener := _OPENER.search(text, position):
        mark, position = opener.group(), opener.end()
        if mark in ("\\\\", "\\$"):
            continue
        closer = f"\\end{{{opener['env']}}}" if opener["env"] else _CLOSERS[mark]
        end = find_closer(closer, position)
        longest = MAX_INLINE_CHARS if mark == "$" else MAX_TEX_CHARS
        if end == len(text) or end - position > longest:
            continue
        if mark == "$" and _open_braces(text, position, end):
            end = _outer_dollar(text, position, end)
            if end < 0:
                continue
        tex, after = text[position:end], end + len(closer)
        if mark == "$" and not reads_like_tex(tex, text[opener.start() - 1 : opener.start()], text[after : after + 4]):
            continue
        if "\n\n" in tex:
            continue
        shows = tex.lstrip()
        if shows and not _only_defines(shows):
            yield opener.start(), after, text[opener.start() : after] if opener["env"] else tex, mark not in _INLINE
        elif mark == "$":
            continue
        position = after  # past a preamble of macros, too, whose bodies hold TeX


def _outer_dollar(text: str, start: int, inner: int) -> int:
    """The dollar that closes a formula with dollars in its braces, the first at `inner`; -1 where there is none."""
    end = inner
    for _ in range(MAX_NESTED):
        end = text.find("$", end + 1, start + MAX_INLINE_CHARS)
        if end < 0 or not _open_braces(text, start, end):
            return end
    return -1


def _open_braces(text: str, start: int, end: int) -> bool:
    r"""More opened than closed in text[start:end]; \{ and \} are signs, not groups."""
    opened = text.count("{", start, end) - text.count("\\{", start, end)
    return opened > text.count("}", start, end) - text.count("\\}", start, end)


def reads_like_tex(tex: str, before: str = "", after: str = "") -> bool:
    """Whether what stands between two single dollars is a formula; before, after: the text around them."""
    if not tex or tex.isspace() or _CODE.match(tex):
        return False
    if tex[-1].isspace() and not tex[0].isspace():  # the second dollar opens something: a price, a variable
        return _COMMAND.search(tex) is not None and not after[:1].isdigit()
    if _SURELY_TEX.search(tex):
        return True
    if tex[0].isspace() or tex[-1].isspace() or (before.isascii() and before.isalnum()):
        return False
    return _SUFFIX.match(after) is not None and _PROSE.search(tex) is None


def without_definitions(text: str) -> str:
    r"""`text` without the preambles of macros that pages carry between delimiters.

    They show nothing, and an empty page that carries one reads like mathematics to a classifier.
    `a \( \newcommand{\lt}{<} \) b` gives `a  b`.
    """
    kept, start, position = [], 0, 0
    while definition := _DEFINITION.search(text, position):
        inside, position = definition.start(), definition.end()
        while inside > start and text[inside - 1].isspace():
            inside -= 1
        opener = next((mark for mark in _CLOSING if text.endswith(mark, start, inside)), None)
        if opener is None:
            continue
        end = text.find(_CLOSING[opener], position)
        if end < 0:
            break
        if opener == "$" and _open_braces(text, inside, end):
            end = _outer_dollar(text, inside, end)
        if end >= 0 and _only_defines(text[inside:end]):
            kept.append(text[start : inside - len(opener)])
            start = position = end + len(opener)
    return "".join([*kept, text[start:]])


def _only_defines(tex: str) -> bool:
    r"""Whether TeX is nothing but definitions and comments: \require{cancel} is, \require{cancel} x is not."""
    if not tex.startswith(("\\", "%")) and not tex[:1].isspace():
        return False
    position = 0
    while (blank := _BLANK.match(tex, position)) and (command := _DEFINITION.match(tex, blank.end())):
        position = command.end()
        for kind in _ARGUMENTS.get(command["command"], "noog"):
            if argument := _ARGUMENT[kind].match(tex, position):
                position = argument.end()
                if argument[0].endswith(("{", "[")):
                    position = _group_end(tex, position)
    return position > 0 and (blank is None or blank.end() == len(tex))


def _group_end(tex: str, position: int) -> int:
    """Behind the brace or bracket that closes what was opened before `position`; the end where none does."""
    opened = 1
    for bracket in _BRACKET.finditer(tex, position):
        opened += {"{": 1, "[": 1, "}": -1, "]": -1}.get(bracket[0], 0)
        if not opened:
            return bracket.end()
    return len(tex)
