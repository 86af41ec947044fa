"""The only normaliser and n-gram maker: what is compared, indexed, trained on and scored goes through here.

Two readings of one text. `cut` is for comparing: it forgets layout (case, TeX delimiters and spacing,
punctuation) and keeps what a text says. Numbers and operators stay: two exercises that differ in a sign are two
exercises to dedup; decontamination leaves the operators out. A text is walked once: the hashes of its words are
what the exact hash, the MinHash signature and the probe for benchmarks are made of.
`classifier_line` is for fastText: it keeps TeX commands and the marks of mathematics, which
are evidence, and forgets which of four delimiters a source writes around a formula.

In both, Han characters and kana are words of one character, since those scripts put
no spaces. Thai, Lao, Khmer and Burmese put none either and stay whole between spaces.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.alphabet import alphabet, fold
from corpus.kernels import minhash
from corpus.kernels import words as kernel
from corpus.kernels.line import line

Hashes = npt.NDArray[np.uint64]

MAX_CHARS = 20_000
# Byte-level BPE trained on 3,294 pages of a crawl, measured on 1,095 others: 3.32 bytes a token with a vocabulary of
# 32,000 and 3.56 with 100,000; 3.30 and 3.39 on pages with TeX. English prose alone is nearer 4.
BYTES_PER_TOKEN = 3.5
TEXT_VERSION = 2  # of what `cut` makes of a text: hashes of another version are not comparable


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of a text in order, each array of shape (n_words,).

    hashes: 64 bits, equal for equal words. kinds: kernels.words.WORD, NUMBER, HAN or OPERATOR.
    starts, stops: where they stand in folded, the text as code points with case and layout of characters folded away.
    """

    hashes: Hashes
    kinds: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int32]
    stops: npt.NDArray[np.int32]
    folded: npt.NDArray[np.uint32]

    def strings(self) -> list[str]:
        """The words as text: numbers without thousands separators, TeX commands as what they stand for."""
        shown, named = _string(self.folded), alphabet().commands
        found = []
        for start, stop, kind in zip(self.starts.tolist(), self.stops.tolist(), self.kinds.tolist(), strict=True):
            word = shown[start:stop]
            if word[0] == "\\":
                word = named[word[1:]]
            elif kind == kernel.NUMBER:
                word = "".join(char for char in word if char == "." or char.isdecimal())
            found.append(word)
        return found

    def without_operators(self) -> "Words":
        """The words that are no operators; all of them where there are none."""
        plain = self.kinds != kernel.OPERATOR
        return Words(self.hashes[plain], self.kinds[plain], self.starts[plain], self.stops[plain], self.folded)


def cut(text: str) -> Words:
    r"""The words of a text for comparing it with others.

    Compatibility characters are unfolded (NFKC), case is dropped, TeX delimiters, braces, sub- and superscript
    signs and layout commands vanish; a command that draws a symbol is that symbol (`\leq` is ≤, `\alpha` is α),
    `\frac` and its kin are the operator frac. Numbers are words, without thousands separators and apart from
    letters: 2x is two words. So are operators and symbols of mathematics. All other punctuation parts words;
    a hyphen in a word is punctuation, between others it is a minus.
    """
    data = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    folded, joins, classes, expansions, ends = tables()
    points = np.empty(kernel.size_of(data, folded, ends), np.uint32)
    size = kernel.fold(data, folded, joins, expansions, ends, points)
    if size < 0:
        points = np.frombuffer(fold(text).encode("utf-32-le", "replace"), np.uint32)
        points = np.where(points < len(classes), points, 0).astype(np.uint32)
        size = len(points)
    starts, stops = np.empty(size, np.int32), np.empty(size, np.int32)
    hashes, kinds = np.empty(size, np.uint64), np.empty(size, np.uint8)
    names, meant, kinds_of = commands()
    n = kernel.cut(points[:size], classes, names, meant, kinds_of, starts, stops, hashes, kinds)
    return Words(hashes[:n].copy(), kinds[:n].copy(), starts[:n].copy(), stops[:n].copy(), points[:size])


def words(text: str, operators: bool = True) -> list[str]:
    r"""Words of a text as strings, in order, see `cut`; without its operators on request.

    words("Let $x^{2}-1,000 = 2y$.") == words("let \\(x^2 - 1000=2 y\\)")
                                     == ["let", "x", "2", "-", "1000", "=", "2", "y"]
    """
    found = cut(text)
    return (found if operators else found.without_operators()).strings()


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


def shingle_hashes(hashes: Hashes, n: int) -> Hashes:
    """The shingles of a text as 64-bit hashes, shape (n_shingles,), sorted and unique, from its word hashes.

    Two different shingles share a hash with probability 2**-64.
    """
    if len(hashes) == 0:
        return np.empty(0, dtype=np.uint64)
    runs = np.sort(minhash.rolled(hashes, min(n, len(hashes))))
    first = np.ones(len(runs), np.bool_)
    np.not_equal(runs[1:], runs[:-1], out=first[1:])
    return runs[first]


def estimate_tokens(text: str) -> int:
    """LLM tokens of a text, estimated from its length in UTF-8 bytes; 0 only where it is empty."""
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


# First bytes of mathematical alphanumerics, of ligatures and of full-width forms, which NFKC makes plain letters of.
_NOT_STYLED = bytes(byte for byte in range(256) if byte not in b"\xef\xf0")
_STYLED = (b"\xf0\x9d", b"\xef\xac", b"\xef\xbc", b"\xef\xbd")


def classifier_line(text: str, max_chars: int = MAX_CHARS) -> str:
    r"""What fastText reads of a text, in training and in scoring: one line of words, "" where nothing is left.

    The first max_chars characters are read. Lower case; TeX commands are words (`\frac`), and so are
    the marks and symbols of mathematics; other punctuation parts words. `$..$`, `$$..$$`, `\(..\)` and
    `\[..\]` all read `$ .. $`; the dollar of a price reads `¤`. No word can be a label or an end of line to
    fastText: underscores and `<` stand alone.

    Chosen on a labelled crawl, one round, mean of five seeds, average precision over all labels and over gold
    ones: .933 and .866. All digits as zeros .915 and .839; brackets, * / - & as words too .926 and .870; all
    punctuation .875 and .843; 8,000 characters instead of 20,000, with zeros, .867 and .806.

    0.06 ms a page, two thirds of it for case and NFKC, where word by word takes 0.9.

    classifier_line("So \\(x_1^{2}\\) costs $19.99!!").split() == "so $ x _ 1 ^ 2 $ costs ¤ 19 99".split()
    """
    return classifier_bytes(text, max_chars).decode()


def classifier_bytes(text: str, max_chars: int = MAX_CHARS) -> bytes:
    """`classifier_line` in UTF-8."""
    data = text[:max_chars].lower().encode("utf-8", "ignore")
    styled = data.translate(None, _NOT_STYLED)
    if styled and any(lead in data for lead in _STYLED):
        data = unicodedata.normalize("NFKC", data.decode()).lower().encode()
    data = line(data)
    return b"" if data.isspace() else data


@cache
def tables() -> tuple[npt.NDArray[Any], ...]:
    """The alphabet as kernels take it: folded, joins, classes, expansions, ends."""
    known = alphabet()
    return known.folded, known.joins, known.classes, known.expansions, known.ends


@cache
def commands() -> tuple[npt.NDArray[Any], ...]:
    """TeX commands that are no words of their letters, as kernels take them: names, values and kinds, by name."""
    rows = []
    for name, meant in alphabet().commands.items():
        is_letter = len(meant) == 1 and meant.isalnum()
        kind = kernel.LAYOUT if not meant else kernel.WORD if is_letter else kernel.OPERATOR
        rows.append((_hash(name), _hash(meant), kind))
    names, values, kinds = zip(*sorted(rows), strict=True)
    return np.array(names, np.uint64), np.array(values, np.uint64), np.array(kinds, np.uint8)


def _hash(word: str) -> int:
    """The hash that `cut` gives a word of letters, or a symbol."""
    points = np.array([ord(char) for char in word], np.uint32)
    return int(kernel.hashed(points, 0, len(points)))


def _string(points: npt.NDArray[np.uint32]) -> str:
    return points.tobytes().decode("utf-32-le")
