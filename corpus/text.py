"""The only normaliser and n-gram maker: what is compared, indexed, trained on and scored goes through here.

Two readings of one text. `words` is for comparing: it forgets layout (case, TeX
delimiters and spacing, punctuation) and keeps what a text says. Numbers and operators
stay: two exercises that differ in a sign are two exercises to dedup. Decontamination
leaves the operators out, see decontam.
`classifier_line` is for fastText: it keeps TeX commands and the marks of mathematics, which
are evidence, and forgets which of four delimiters a source writes around a formula.

In both, Han characters and kana are words of one character, since those scripts put
no spaces. Thai, Lao, Khmer and Burmese put none either and stay whole between spaces.
"""

import math
import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xxhash

Hashes = npt.NDArray[np.uint64]

MAX_CHARS = 20_000
# Byte-level BPE trained on 3,294 pages of a crawl, measured on 1,095 others: 3.32 bytes a token with a vocabulary of
# 32,000 and 3.56 with 100,000; 3.30 and 3.39 on pages with TeX. English prose alone is nearer 4.
BYTES_PER_TOKEN = 3.5

_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Vowel signs and accents are no letters to `re`; a word of Hindi or pointed Hebrew would fall apart at each.
_MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
_LETTER = rf"[^\W\d_{_UNSPACED}]"
_LETTERS = rf"(?:[a-z]+|{_LETTER})(?:{_LETTER}|[{_MARKS}])*"  # [a-z]+ alone would do for English, and is fast
_NUMBER = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)*"
# Rulers (-----, =====, ***) and the // of an address say nothing. A hyphen at a word of two or more letters is
# spelling (well-known, x-axis, 9-kilometer), elsewhere it is a minus.
_RULED = "|".join(rf"\{sign}(?!\{sign})(?<!\{sign}\{sign})" for sign in "=*/")
_MINUS = r"(?<![^\W\d_]{2})-(?![-]|[^\W\d_]{2})(?<!--)"
_SYMBOLS = "[+<>%\u00ac\u00b1\u00d7\u00f7\u2190-\u22ff\u27c0-\u27ef\u2980-\u2aff]"
_WORD = re.compile(f"{_LETTERS}|{_NUMBER}|[{_UNSPACED}]|{_MINUS}|{_RULED}|{_SYMBOLS}")
_PLAIN_WORD = re.compile(f"{_LETTERS}|{_NUMBER}|[{_UNSPACED}]")

# Soft hyphens, zero-width characters and direction marks stand inside words and are never seen.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe00-\ufe0f\ufeff]")
_DASHES = "\u2010\u2011\u2012\u2013\u2212"

_TEX_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|,?\\[!,])(?=\d{3}(?!\d))")  # 1{,}000, 1,\!000 and 1\,000
_TEX_LAYOUT = re.compile(
    r"\\(?:q?quad|[hv]space|(?:no)?limits|left|right|middle|[bB]igg?[lrm]?|(?:display|text|script)style"
    r"|math(?:rm|bf|it|sf|tt|bb|cal|normal)|text(?:rm|bf|it|sf|tt|normal)?|mbox|operatorname)(?![A-Za-z])"
)
_TEX_FRACTION = re.compile(r"\\[dtc]frac(?![A-Za-z])")


def words(text: str, operators: bool = True) -> list[str]:
    r"""Words of a text for comparing it with others, in order.

    Compatibility characters are unfolded (NFKC), case is dropped, TeX delimiters,
    braces, sub- and superscript signs and layout commands vanish, `\frac` reads `frac`.
    Numbers are words, without thousands separators and apart from letters: 2x is two
    words. So are operators and symbols of mathematics, unless operators is False. All other
    punctuation parts words.

    words("Let $x^{2}-1,000 = 2y$.") == words("let \\(x^2 - 1000=2 y\\)")
                                     == ["let", "x", "2", "-", "1000", "=", "2", "y"]
    """
    if "\\" in text or "{,}" in text:
        text = _TEX_THOUSANDS.sub(",", text)
        text = _TEX_FRACTION.sub(r"\\frac", _TEX_LAYOUT.sub(" ", text))
    found = (_WORD if operators else _PLAIN_WORD).findall(_folded(text))
    # Only a number's separators can hold a comma.
    return [word.replace(",", "") if "," in word else word for word in found]


def normalise(text: str, operators: bool = True) -> str:
    """`words` with one space between them; normalise(normalise(t)) == normalise(t)."""
    return " ".join(words(text, operators))


def ngrams(words: Sequence[str], n: int) -> list[str]:
    """The runs of n words, joined by spaces, in order; none where there are fewer than n words."""
    return [" ".join(words[start : start + n]) for start in range(len(words) - n + 1)]


def shingles(text: str, n: int) -> set[str]:
    """The set of n-grams by which two texts are compared; a shorter text is one shingle, an empty one has none."""
    found = words(text)
    return set(ngrams(found, min(n, len(found)))) if found else set()


def shingle_hashes(words: Sequence[str], n: int) -> Hashes:
    """The shingles of `words` as 64-bit hashes, shape (n_shingles,), sorted and unique.

    Two different shingles share a hash with probability 2**-64.
    """
    if not words:
        return np.empty(0, dtype=np.uint64)
    each = np.fromiter(map(xxhash.xxh3_64_intdigest, words), dtype=np.uint64, count=len(words))
    return np.unique(rolled(each, min(n, len(words))))


def rolled(each: Hashes, n: int) -> Hashes:
    """Hash of every run of n hashes, shape (len(each) - n + 1,); len(each) >= n >= 1.

    A polynomial modulo 2**64, so the hash of n + 1 extends that of n (see `extended`).
    """
    runs = each.copy()
    for length in range(2, n + 1):
        runs = extended(runs, each, length)
    return runs


def extended(runs: Hashes, each: Hashes, length: int) -> Hashes:
    """Hashes of the runs of `length` hashes, from those of length - 1: one fewer."""
    return runs[: len(each) - length + 1] * np.uint64(0x9E3779B97F4A7C15) + each[length - 1 :]


def estimate_tokens(text: str) -> int:
    """LLM tokens of a text, estimated from its length in UTF-8 bytes; 0 only where it is empty."""
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


# One byte for each byte: what is no letter, digit, command or sign of mathematics parts words.
_SIGNS = b"$^_=+<>|"
_READ = bytes(byte if byte > 127 or chr(byte).isalnum() or byte in _SIGNS + b"\\" else 32 for byte in range(256))
_SPACED_SIGNS = [(bytes([sign]), b" %c " % sign) for sign in _SIGNS]
_PUNCTUATION = (
    re.compile(rb"\xe2(?:\x80[\x80-\xbf]|\x81[\x80-\xaf])"),  # U+2000 to U+206F: spaces, dashes, quotes, invisible
    re.compile(rb"\xc2[\x80-\xa1\xab\xad\xb7\xbb\xbf]"),  # C1 controls, no-break space, guillemets
)
_MATHEMATICAL = re.compile(rb"\xe2[\x86-\xab][\x80-\xbf]")  # arrows, operators, shapes: words of their own
_UNSPACED_BYTES = re.compile(rb"([\xe3-\xe9][\x80-\xbf]{2})")  # kana and Han characters, U+3000 to U+9FFF
_NOT_UNSPACED = bytes(byte for byte in range(256) if not 0xE3 <= byte <= 0xE9)
# First bytes of mathematical alphanumerics, of ligatures and of full-width forms, which NFKC makes plain letters of.
_NOT_STYLED = bytes(byte for byte in range(256) if byte not in b"\xef\xf0")
_STYLED = (b"\xf0\x9d", b"\xef\xac", b"\xef\xbc", b"\xef\xbd")
_PRICE = re.compile(rb"\\?\$(?=\d[\d.,]*(?:[^\w$\\^=+<>|{}-]|$))(?!\d[\d.,]*\s+[$\\^=+<>|{}])")


def classifier_line(text: str, max_chars: int = MAX_CHARS) -> str:
    r"""What fastText reads of a text, in training and in scoring: one line of words, "" where nothing is left.

    The first max_chars characters are read. Lower case; TeX commands are words (`\frac`), and so are
    the marks and symbols of mathematics; other punctuation parts words. `$..$`, `$$..$$`, `\(..\)` and
    `\[..\]` all read `$ .. $`; the dollar of a price reads `¤`. No word can be a label or an end of line to
    fastText: underscores and `<` stand alone.

    Chosen on a labelled crawl, one round, mean of five seeds, average precision over all labels and over gold
    ones: .933 and .866. All digits as zeros .915 and .839; brackets, * / - & as words too .926 and .870; all
    punctuation .875 and .843; 8,000 characters instead of 20,000, with zeros, .867 and .806.

    All of it works on the bytes of UTF-8, some microseconds a page each: 0.1 ms where word by word takes 0.9.

    classifier_line("So \\(x_1^{2}\\) costs $19.99!!").split() == "so $ x _ 1 ^ 2 $ costs ¤ 19 99".split()
    """
    data = text[:max_chars].lower().encode("utf-8", "ignore")
    styled = data.translate(None, _NOT_STYLED)
    if styled and any(lead in data for lead in _STYLED):
        data = unicodedata.normalize("NFKC", data.decode()).lower().encode()
    if not data.isascii():
        for punctuation in _PUNCTUATION:
            data = punctuation.sub(b" ", data)
        data = _MATHEMATICAL.sub(rb" \g<0> ", data)
    if b"$" in data:
        data = _PRICE.sub("¤ ".encode(), data)
    if b"\\" in data:
        data = data.replace(b"\\\\", b" ")
        for delimiter in (b"\\(", b"\\)", b"\\[", b"\\]"):
            data = data.replace(delimiter, b"$")
        data = data.replace(b"\\", b" \\")
    data = data.replace(b"$$", b"$").translate(_READ)
    for sign, spaced in _SPACED_SIGNS:
        data = data.replace(sign, spaced)
    if data.translate(None, _NOT_UNSPACED):
        data = b" ".join(_UNSPACED_BYTES.split(data))
    return "" if data.isspace() else data.decode()


def _folded(text: str) -> str:
    """Case, compatibility characters and invisible ones folded away."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold())
    for dash in _DASHES:
        text = text.replace(dash, "-")
    return text.replace("\u2044", "/").replace("\u2215", "/")  # NFKC writes one half as 1\u20442
