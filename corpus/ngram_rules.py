"""The published rules, which look for shared runs of words.

`deepseekmath` (arXiv 2402.03300, section 2.1): any run of 10 words that a benchmark text holds too; a text of 3 to 9
words must be in the page whole, a shorter one protects nothing.
`qwen` (arXiv 2409.12122): a shared run of 13 words, and more than 0.6 of the question's words in order in the window
of the page where it fits best.

Words are those of `text.cut` without operators, so delimiters, case and punctuation do not hide a match, and
f(n) = f(n-1) + ... is not ten words long. (With operators as words 395 of 4,389 pages of a real crawl fire, without
335, and 221 of these only for "1 2 3 ... 10", "a b c ... j" and an identity matrix: what the rule costs as it is
published.)

In a text that is mostly Chinese or Japanese a word is one character, and half as many more make a run: a Chinese word
has 1.62 characters on pages of a crawl and 1.29 in the questions of CMATH, Gaokao and MGSM-zh, and MGSM-zh 1.46 words
for one of the same question in GSM8K. From 12 characters on no run was shared by these sets and the Chinese pages of
three crawls, and 98.7 % of the questions have 15.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.benchmark_texts import Texts
from corpus.kernels import grams as kernel
from corpus.kernels.lookup import grouped
from corpus.lookup import Numbers, Table
from corpus.text import Hashes

# A run of words that more texts share is boilerplate: the page is flagged for the first of them all the same.
MAX_TEXTS = 64
QWEN_NGRAM, QWEN_SHARE = 13, 0.6
QWEN_WINDOWS = 4  # of a page that are compared with a question
CELLS_PER_WORD, LEAST_CELLS = 4_096, 4_000_000  # of alignments: what a page costs is bounded by its length


@dataclass(frozen=True, eq=False)
class Matches:
    """Texts found in a page, an entry each, and the words of the page they were found in.

    text: numbers. n_hits: different runs, seeds or pairs shared. overlap: share of the text's runs, or of its weight.
    alignment: score of the verified alignment, NaN where the rule has none. of, starts, stops: for each span, the
    entry and its words in the page. n_left_out: texts that were not looked at, because the page held too many.
    """

    text: npt.NDArray[np.int64]
    n_hits: npt.NDArray[np.int64]
    overlap: npt.NDArray[np.float64]
    alignment: npt.NDArray[np.float64]
    of: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    n_left_out: int = 0


def run_lengths(is_han: npt.NDArray[np.bool_], ngram: int, min_ngram: int) -> tuple[Numbers, Numbers]:
    """(shortest, longest) of each text: words that are looked for whole, and those of a run of a longer text."""
    half = is_han.astype(np.int32)  # half as many more
    return min_ngram + half * ((min_ngram + 1) // 2), ngram + half * (ngram // 2)


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs of words of texts: (text, offset in it, place in Texts.words) a posting, by hash of the run.

    lengths: of runs, longest last. length: of the runs of each text, 0 where it has none; n_different: how many.
    """

    table: Table
    text: Numbers
    offset: Numbers
    place: npt.NDArray[np.int64]
    lengths: Numbers
    length: Numbers
    n_different: Numbers

    @classmethod
    def of(cls, texts: Texts, ngram: int, min_ngram: int) -> "Runs":
        """Of each text its runs of `ngram` words; a shorter one of `min_ngram` words or more is one run."""
        n_words = texts.n_words
        shortest, longest = run_lengths(texts.is_han, ngram, min_ngram)
        length = np.where(n_words >= shortest, np.minimum(n_words, longest), 0)
        n_runs = int(np.maximum(0, np.where(length > 0, n_words - length + 1, 0)).sum())
        text, offset, place = kernel.text_runs(texts.ends, length, n_runs)
        hashes = np.empty(len(text), np.uint64)
        kernel.hash_runs(texts.words, place, length[text], hashes)
        order = np.lexsort((place, hashes))
        hashes, text, offset, place = hashes[order], text[order], offset[order], place[order]
        first = np.ones(len(order), np.bool_)  # a run that a text repeats is one
        first[1:] = (hashes[1:] != hashes[:-1]) | (text[1:] != text[:-1])
        lengths = np.unique(length[length > 0]).astype(np.int32)
        text = text[first]
        return cls(
            table=Table.of(hashes[first]),
            text=text,
            offset=offset[first],
            place=place[first],
            lengths=lengths,
            length=length.astype(np.int32),
            n_different=np.bincount(text, minlength=len(n_words)).astype(np.int32),
        )

    def shared(self, page: Hashes, texts: Texts) -> tuple[Numbers, Numbers, Numbers, int]:
        """(text, posting, position in the page) of each shared run, by text, and how many were passed by."""
        found = kernel.shared_runs(
            page, self.lengths, self.table.arrays(), self.place, self.text, texts.words, MAX_TEXTS
        )
        order = grouped(found[0])
        return found[0][order], found[1][order], found[2][order], int(found[3])


@dataclass(frozen=True, eq=False)
class DeepSeekMath:
    runs: Runs

    @classmethod
    def of(cls, texts: Texts, ngram: int, min_ngram: int) -> "DeepSeekMath":
        return cls(Runs.of(texts, ngram, min_ngram))

    def probe(self, page: Hashes, texts: Texts) -> Matches | None:
        """None where the page has no hit; linear in its words."""
        text, posting, position, n_passed = self.runs.shared(page, texts)
        if len(text) == 0:
            return None
        found, of = np.unique(text, return_inverse=True)
        different = np.unique(np.stack([of, posting]), axis=1)[0]
        n_hits = np.bincount(different, minlength=len(found))
        return Matches(
            text=found.astype(np.int64),
            n_hits=n_hits,
            overlap=n_hits / self.runs.n_different[found],
            alignment=np.full(len(found), np.nan),
            of=of.astype(np.int64),
            starts=position.astype(np.int64),
            stops=(position + self.runs.length[text]).astype(np.int64),
            n_left_out=n_passed,
        )


@dataclass(frozen=True, eq=False)
class Qwen:
    runs: Runs

    @classmethod
    def of(cls, texts: Texts) -> "Qwen":
        return cls(Runs.of(texts, QWEN_NGRAM, QWEN_NGRAM))

    def probe(self, page: Hashes, texts: Texts) -> Matches | None:
        """None where the page has no hit; texts are compared until the page's share of cells is spent."""
        text, posting, position, n_passed = self.runs.shared(page, texts)
        if len(text) == 0:
            return None
        begins = np.flatnonzero(np.diff(text, prepend=-1))
        cells = CELLS_PER_WORD * len(page) + LEAST_CELLS
        rows: list[tuple[int, int, float, float, int, int]] = []
        for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(text)], strict=True):
            number = int(text[begin])
            stop = int(texts.ends[number])
            question = texts.words[stop - int(texts.n_words[number]) : stop]
            # Windows of the question's length where most of its runs stand as they do in the question.
            diagonals, n_on = np.unique(position[begin:end] - self.runs.offset[posting[begin:end]], return_counts=True)
            tried = diagonals[np.argsort(-n_on, kind="stable")[:QWEN_WINDOWS]].tolist()
            if cells < len(tried) * len(question) ** 2:
                n_passed += 1
                continue
            cells -= len(tried) * len(question) ** 2
            n_common, start = max(
                (int(kernel.common_subsequence(question, page[at : at + len(question)])), -at)
                for at in (max(0, diagonal) for diagonal in tried)
            )
            share, start = n_common / len(question), -start
            if share > QWEN_SHARE:
                n_hits = len(np.unique(posting[begin:end]))
                overlap = n_hits / int(self.runs.n_different[number])
                rows.append((number, n_hits, overlap, share, start, min(len(page), start + len(question))))
        if not rows:
            return None
        numbers, n_hits_of, overlaps, shares, starts, stops = map(np.array, zip(*rows, strict=True))
        return Matches(numbers, n_hits_of, overlaps, shares, np.arange(len(rows)), starts, stops, n_passed)
