r"""The rule `strict`: benchmark questions verbatim, reformatted, edited, with other numbers or lightly reworded.

Two readings of a text, two ways to find a question. Loose: pairs of content tokens that stand near each other in
both, in any order; a window where enough rare ones gather is verified by what share of the question's weight can be
aligned, and of its numbers. Tight: a run of six words, then the alignment of all words, for questions that have few
words of content. A token weighs log2 of how few questions hold it, so boilerplate ("find the value of", number runs,
rows of a matrix) says little; Chinese tokens are counted among the Chinese questions.

Questions of fewer than MIN_WORDS words, and those that are nothing but layout and some numbers, have to be there
whole; those of fewer than FIRST are not looked for.

Numbers chosen on the even half of 440 rewrites of GSM8K questions and of 7,459 pages of three crawls, and measured on
the odd half; the sweep of the two thresholds stands in docs/benchmarks.md.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.benchmark_texts import Texts
from corpus.kernels import grams, windows
from corpus.kernels import strict as kernel
from corpus.kernels.lookup import run_hash
from corpus.kernels.words import HAN, NUMBER
from corpus.lookup import Numbers, Table
from corpus.ngram_rules import CELLS_PER_WORD, LEAST_CELLS, Matches
from corpus.strict_reading import Read, read
from corpus.text import Hashes, Words

MIN_WORDS, FIRST = 10, 3
REACH = 4  # content tokens that a pair spans, at most
MAX_PAIR_TEXTS = 30  # a pair of more questions is boilerplate
MAX_BITS = 12.0  # of the rarest token
FACTOR, EXTRA = 1.2, 5  # window: content tokens of the question * FACTOR + EXTRA
LEAST_WEIGHT = 40.0  # bits of supported tokens below which pairs say nothing
PRIOR = 4.0  # bits on either side of the share of numbers
SKIP, RUN_SKIP = 0.1, 0.25  # cost of a page's token between aligned ones, of its weight
UNKNOWN = 8.0  # its weight where no benchmark holds it
RUN, MAX_RUN_TEXTS = 6, 200
LEAST_BITS, NEARLY_ALL = 30.0, 0.9  # aligned, by runs; a question with fewer bits has to be there nearly whole

# Records, so that what is read together stands together in memory; TEXT is what a kernel counts for a question.
PAIR_POSTING = np.dtype([("text", np.int32), ("bits", np.float32)])
TEXT = np.dtype([("needed", np.float32), ("bits", np.float32), ("group", np.int32)])
RUN_POSTING = np.dtype([("text", np.int32), ("offset", np.int32)])


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Tokens of questions, known by their number from 1 on. weights: bits. tokens: of all questions, end to end."""

    table: Table
    weights: npt.NDArray[np.float64]
    is_number: npt.NDArray[np.bool_]
    tokens: Numbers
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, texts: list[Hashes], numbers: Hashes, chinese: npt.NDArray[np.bool_], han: Hashes, least: float
    ) -> "Vocabulary":
        """numbers, han: hashes that stand for numbers and for Chinese. chinese: of each text, whether it holds any."""
        every = np.concatenate([*texts, np.empty(0, np.uint64)])
        different = np.unique(every)
        table = Table.of(different)
        tokens = np.empty(len(every), np.int32)
        kernel.numbered(every, table.slots, tokens)
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        of = np.repeat(np.arange(len(texts)), np.diff(ends, prepend=0))
        n_texts = np.bincount(np.unique(np.stack([of, tokens]), axis=1)[1], minlength=len(different) + 1)
        among = np.where(np.isin(different, han), np.count_nonzero(chinese), len(texts))
        weights = np.clip(np.log2((among + 1) / np.maximum(1, n_texts[1:])), least, MAX_BITS)
        is_number = np.isin(different, numbers)
        return cls(table, np.append(0.0, weights), np.append(False, is_number), tokens, ends)

    @property
    def n_tokens(self) -> npt.NDArray[np.int64]:
        return np.diff(self.ends, prepend=0)

    def numbered(self, hashes: Hashes) -> Numbers:
        numbers = np.empty(len(hashes), np.int32)
        kernel.numbered(hashes, self.table.slots, numbers)
        return numbers


@dataclass(frozen=True, eq=False)
class Strict:
    """Questions as `strict` looks for them; questions of the same words are one, from first[n] on in `texts`.

    content, pairs: the loose reading and its pairs. needed: bits of pairs without which a question cannot reach the
    threshold. spans: tokens of its window. plain, runs: the tight reading and its runs.
    starts: the first words of texts that have to be there whole; whole: the text of each posting.
    """

    texts: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    content: Vocabulary
    pairs: Table
    pair_postings: npt.NDArray[np.void]
    needed: npt.NDArray[np.float32]
    spans: Numbers
    plain: Vocabulary
    runs: Table
    run_postings: npt.NDArray[np.void]
    starts: Table
    whole: npt.NDArray[np.int64]
    min_score: float
    min_share: float

    @classmethod
    def of(
        cls, texts: Texts, found: list[Words], wanted: npt.NDArray[np.bool_], min_score: float, min_share: float
    ) -> "Strict":
        """found: the words without operators of all texts; wanted: which of them are looked for."""
        texts_of: dict[bytes, list[int]] = {}
        readings: list[Read] = []
        numbers, han, chinese, whole = [], [], [], []
        for number, words in enumerate(found):
            if not wanted[number]:
                continue
            each = read(words)
            if len(words.hashes) < MIN_WORDS or len(each.plain) < RUN:
                if len(words.hashes) >= FIRST:
                    whole.append(number)
                continue
            same = texts_of.setdefault(each.plain.tobytes(), [])
            same.append(number)
            if len(same) == 1:
                readings.append(each)
                kinds = words.kinds[each.plain_at]
                numbers.append(each.plain[kinds == NUMBER])
                han += [each.plain[kinds == HAN], each.content[words.kinds[each.content_at] == HAN]]
                chinese.append(bool(len(han[-2])))
        none = np.empty(0, np.uint64)
        known = np.unique(np.concatenate([*numbers, none])), np.array(chinese, np.bool_)
        all_han = np.unique(np.concatenate([*han, none]))
        content = Vocabulary.of([each.content for each in readings], *known, all_han, 0.0)
        plain = Vocabulary.of([each.plain for each in readings], *known, all_han, 0.5)
        sizes = [len(texts) for texts in texts_of.values()]
        pairs, pair_postings = _pairs(content, known[1])
        runs, run_postings = _runs(plain)
        of_starts = np.array([run_hash(found[number].hashes, 0, FIRST) for number in whole], np.uint64)
        by_start = np.argsort(of_starts, kind="stable")
        return cls(
            texts=np.array([text for texts in texts_of.values() for text in texts], np.int64),
            first=np.cumsum([0, *sizes], dtype=np.int64),
            content=content,
            pairs=pairs,
            pair_postings=pair_postings,
            needed=_needed(content, min_score),
            spans=(FACTOR * content.n_tokens).astype(np.int32) + EXTRA,
            plain=plain,
            runs=runs,
            run_postings=run_postings,
            starts=Table.of(of_starts[by_start]),
            whole=np.array(whole, np.int64)[by_start],
            min_score=min_score,
            min_share=min_share,
        )

    def looked_for(self) -> npt.NDArray[np.int64]:
        """Numbers of the texts that can be found."""
        return np.append(self.texts, self.whole)

    def probe(self, words: Words, texts: Texts, scratch: "Scratch") -> Matches | None:
        """None where the page has no hit; linear in its words."""
        page = read(words)
        cells = CELLS_PER_WORD * len(page.plain) + LEAST_CELLS
        loose, n_passed = self._by_pairs(self.content.numbered(page.content), cells, scratch)
        tight, n_also_passed = self._by_runs(self.plain.numbered(page.plain), cells, scratch)
        whole, at = grams.whole_texts(
            words.hashes, FIRST, self.starts.arrays(), self.whole, texts.words, texts.ends
        )  # fmt: skip
        if not len(loose) and not len(tight) and not len(whole):
            return None
        # A question that both ways found is told by its pairs.
        tight = tight[~np.isin(tight[:, 0], loose[:, 0])]
        begins = np.append(page.content_at[loose[:, 1].astype(int)], page.plain_at[tight[:, 1].astype(int)])
        stops = np.append(page.content_at[loose[:, 2].astype(int) - 1], page.plain_at[tight[:, 2].astype(int) - 1]) + 1
        rows = np.concatenate([loose, tight])
        question = rows[:, 0].astype(np.int64)
        n_texts = self.first[question + 1] - self.first[question]
        each = np.repeat(np.arange(len(rows)), n_texts)
        offsets = np.arange(len(each)) - np.repeat(np.cumsum(n_texts) - n_texts, n_texts)
        ones = np.ones(len(whole))
        return Matches(
            text=np.append(self.texts[self.first[question[each]] + offsets], whole).astype(np.int64),
            n_hits=np.append(rows[each, 3], ones).astype(np.int64),
            overlap=np.append(rows[each, 4], ones),
            alignment=np.append(rows[each, 5], ones),
            of=np.arange(len(each) + len(whole)),
            starts=np.append(begins[each], at).astype(np.int64),
            stops=np.append(stops[each], at + texts.n_words[whole]).astype(np.int64),
            n_left_out=n_passed + n_also_passed,
        )

    def _by_pairs(self, page: Numbers, cells: int, scratch: "Scratch") -> tuple[npt.NDArray[np.float64], int]:
        content = self.content
        candidates = windows.best_windows(
            page, REACH, self.pairs.arrays(), self.pair_postings, scratch.texts, self.spans, content.weights,
            LEAST_WEIGHT, scratch.content_seen,
        )  # fmt: skip
        if not len(candidates):
            return np.empty((0, 7)), 0
        rows, n_left_out = kernel.verify_windows(
            candidates, page, content.tokens, content.ends, content.weights, content.is_number,
            SKIP, UNKNOWN, PRIOR, self.min_score, cells, scratch.content_seen,
        )  # fmt: skip
        return rows, n_left_out

    def _by_runs(self, page: Numbers, cells: int, scratch: "Scratch") -> tuple[npt.NDArray[np.float64], int]:
        plain = self.plain
        found, places, diagonals = kernel.page_runs(page, RUN, self.runs.arrays(), self.run_postings)
        if not len(found):
            return np.empty((0, 7)), 0
        rows, n_left_out = kernel.verify_runs(
            found, places, diagonals, page, plain.tokens, plain.ends, plain.weights, plain.is_number,
            RUN_SKIP, UNKNOWN, self.min_share, cells, scratch.plain_seen,
        )  # fmt: skip
        return rows[(rows[:, 6] >= LEAST_BITS) | (rows[:, 5] >= NEARLY_ALL)], n_left_out


class Scratch:
    """What the kernels count in, of one process: zeros that they leave as zeros."""

    def __init__(self, strict: Strict) -> None:
        self.texts = np.zeros(len(strict.needed), TEXT)
        self.texts["needed"] = strict.needed
        self.content_seen = np.zeros(len(strict.content.weights), np.uint8)
        self.plain_seen = np.zeros(len(strict.plain.weights), np.uint8)


def _needed(content: Vocabulary, min_score: float) -> npt.NDArray[np.float32]:
    """Pair bits below which a question cannot reach min_score: all of it aligned, all of its numbers there."""
    needed = np.empty(len(content.ends), np.float32)
    for number, (end, n) in enumerate(zip(content.ends.tolist(), content.n_tokens.tolist(), strict=True)):
        different = np.unique(content.tokens[end - n : end])
        weights = content.weights[different]
        bits = weights[content.is_number[different]].sum()
        reachable = min_score * ((bits + 2 * PRIOR) / (bits + PRIOR)) ** 2
        needed[number] = reachable if weights.sum() >= LEAST_WEIGHT else np.inf
    return needed


def _pairs(content: Vocabulary, chinese: npt.NDArray[np.bool_]) -> tuple[Table, npt.NDArray[np.void]]:
    """Pairs and their postings."""
    hashes, question = windows.text_pairs(content.tokens, content.ends, content.is_number, REACH)
    order = np.lexsort((question, hashes))
    hashes, question = hashes[order], question[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (hashes[1:] != hashes[:-1]) | (question[1:] != question[:-1])
    hashes, question = hashes[first], question[first]
    n_texts = _n_equal(hashes)
    rare = n_texts <= MAX_PAIR_TEXTS
    hashes, question, n_texts = hashes[rare], question[rare], n_texts[rare]
    among = np.where(chinese[question], np.count_nonzero(chinese), len(chinese))
    postings = np.empty(len(question), PAIR_POSTING)
    postings["text"], postings["bits"] = question, np.maximum(0, np.log2((among + 1) / n_texts))
    return Table.of(hashes), postings


def _runs(plain: Vocabulary) -> tuple[Table, npt.NDArray[np.void]]:
    """Runs and their postings."""
    lengths = np.where(plain.n_tokens >= RUN, RUN, 0)
    n_runs = int(np.maximum(0, plain.n_tokens - RUN + 1).sum())
    question, offset, place = grams.text_runs(plain.ends, lengths, n_runs)
    hashes = np.empty(len(place), np.uint64)
    grams.hash_runs(plain.tokens, place, lengths[question], hashes)
    order = np.lexsort((offset, question, hashes))
    hashes, question, offset = hashes[order], question[order], offset[order]
    rare = _n_equal(hashes) <= MAX_RUN_TEXTS
    postings = np.empty(np.count_nonzero(rare), RUN_POSTING)
    postings["text"], postings["offset"] = question[rare], offset[rare]
    return Table.of(hashes[rare]), postings


def _n_equal(hashes: Hashes) -> npt.NDArray[np.int64]:
    """Of each of sorted hashes, how many there are of it."""
    begins = np.flatnonzero(np.diff(hashes, prepend=~hashes[:1]))
    n_of = np.diff(begins, append=len(hashes))
    return np.repeat(n_of, n_of)
