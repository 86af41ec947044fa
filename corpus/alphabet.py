r"""What each character is to `text.words`: tables over code points, from Python's own Unicode data.

A character is folded (NFKC, case, dashes to a hyphen, invisible ones to nothing) and then has a class.
Folding goes character by character, which is all of NFKC but for characters that join with those before
them (accents as characters of their own, Hangul jamo): they have the class JOINS until folded.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from corpus.mathml_symbols import SYMBOLS

LIMIT = 0x32400  # code points from here on are tags, private or not assigned: they part words
OTHER, LETTER, GREEK, DIGIT, UNSPACED, MARK, SYMBOL, RULED = range(8)  # classes of folded characters

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe00-\ufe0f\ufeff]+")
_FOLDED = dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-") | dict.fromkeys("\u2044\u2215", "/")
# Han characters and kana are words of one character, since those scripts put no spaces.
_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Vowel signs and accents are no letters to Python; a word of Hindi or pointed Hebrew would fall apart at each.
_MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
_GREEK = "\u0370-\u03ff\u1f00-\u1fff"
_SYMBOLS = "+<>%\u00ac\u00b1\u00d7\u00f7\u2190-\u22ff\u27c0-\u27ef\u2980-\u2aff"

# Commands that lay out what stands by them and say nothing themselves.
_LAYOUT = """quad qquad hspace vspace limits nolimits left right middle big bigl bigr bigm bigg biggl biggr biggm
displaystyle textstyle scriptstyle mathrm mathbf mathit mathsf mathtt mathbb mathcal mathnormal text textrm textbf
textit textsf texttt textnormal mbox operatorname"""
_FRACTIONS = "frac dfrac tfrac cfrac"
_ALIASES = {"le": "≤", "ge": "≥", "ne": "≠", "to": "→", "gets": "←", "implies": "⇒", "iff": "⇔", "land": "∧",
            "lor": "∨", "lnot": "¬", "sqrt": "√", "longrightarrow": "→", "longleftarrow": "←", "longmapsto": "↦",
            "iint": "∫", "iiint": "∫"}  # fmt: skip


@dataclass(frozen=True)
class Alphabet:
    """Tables by code point, shape (LIMIT,), and the TeX commands that are not words of their own letters.

    folded: the code point, or -1 - n for the n-th of `expansions`. joins: whether NFKC may compose the character
    with one before it. classes: of folded characters. expansions: code points, from ends[n] to ends[n + 1].
    commands: name -> what stands for it, a word or "" for a command of layout.
    """

    folded: npt.NDArray[np.int32]
    joins: npt.NDArray[np.bool_]
    classes: npt.NDArray[np.uint8]
    expansions: npt.NDArray[np.uint32]
    ends: npt.NDArray[np.int32]
    commands: dict[str, str]


def fold(text: str) -> str:
    """Case, compatibility characters and invisible ones folded away, in any text; fold(fold(t)) == fold(t)."""
    if text.isascii():
        return text.lower()
    shown = _INVISIBLE.sub("", text)
    shown = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
    for char, form in _FOLDED.items():  # each a search; str.translate asks a dictionary for every character
        shown = shown.replace(char, form)
    return shown


@cache
def alphabet() -> Alphabet:
    """The tables; 0.2 s for the first call of a process."""
    points = [chr(point) for point in range(LIMIT)]
    points[0xD800:0xE000] = [""] * 0x800  # surrogates are no characters
    forms = fold("\0".join(points)).split("\0")
    forms = ["\0", *forms[2:]]  # chr(0) is between the first two of them
    expanded = {point: form for point, form in enumerate(forms) if len(form) != 1}
    folded = np.array([ord(form) if len(form) == 1 else 0 for form in forms], np.int32)
    folded[list(expanded)] = -1 - np.arange(len(expanded))
    joins = np.zeros(LIMIT, np.bool_)
    joins[0x1160:0x1200] = True  # Hangul vowels and finals
    for point in points:
        if point and unicodedata.combining(point):
            joins[ord(point)] = True
        pair = unicodedata.decomposition(point).split() if point else []
        if len(pair) == 2 and not pair[0].startswith("<"):
            joins[int(pair[1], 16)] = True
    # Half-width sound marks and compatibility jamo become such characters.
    joins |= np.array([form[:1] != "" and ord(form[0]) < LIMIT and bool(joins[ord(form[0])]) for form in forms])
    classes = _classes(points)
    words: dict[str, str] = {}
    for char, command in [*((char, f"\\{name}") for name, char in _ALIASES.items()), *SYMBOLS.items()]:
        name, form = command[1:].lower(), fold(char)
        if len(name) > 1 and name.isalpha() and not words.get(name):
            words[name] = form if len(form) == 1 and classes[ord(form)] else ""
    return Alphabet(
        folded=folded,
        joins=joins,
        classes=classes,
        expansions=np.array([ord(char) for form in expanded.values() for char in form], np.uint32),
        ends=np.cumsum([0, *map(len, expanded.values())], dtype=np.int32),
        commands=words | dict.fromkeys(_LAYOUT.split(), "") | dict.fromkeys(_FRACTIONS.split(), "frac"),
    )


def _classes(points: list[str]) -> npt.NDArray[np.uint8]:
    classes = np.array([LETTER if char.isalnum() else OTHER for char in points], np.uint8)
    classes[[char.isdecimal() for char in points]] = DIGIT
    for kind, ranges in ((GREEK, _GREEK), (UNSPACED, _UNSPACED), (MARK, _MARKS)):
        for point in _points(ranges):
            if kind == MARK:
                classes[point] = MARK if classes[point] == OTHER else classes[point]
            elif classes[point] == LETTER:
                classes[point] = kind
    classes[list(_points(_SYMBOLS))] = SYMBOL
    classes[[ord(sign) for sign in "=*/"]] = RULED
    return classes


def _points(ranges: str) -> list[int]:
    """Code points of the characters and ranges a-b of a character class, below LIMIT."""
    found: list[int] = []
    rest = ranges
    while rest:
        last = rest[2] if rest[1:2] == "-" else rest[0]
        found += range(ord(rest[0]), min(ord(last) + 1, LIMIT))
        rest = rest[3 if rest[1:2] == "-" else 1 :]
    return found
