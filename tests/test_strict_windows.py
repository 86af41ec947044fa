"""The loose way of `strict`: pairs of a page, by texts, and the window of each, against plain definitions."""

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from corpus.kernels import windows
from corpus.kernels.lookup import pair_hash
from corpus.lookup import Table
from corpus.strict import PAIR_POSTING, TEXT

REACH, N_TOKENS, N_TEXTS = 4, 12, 5
WEIGHTS = np.array([0.0, *range(1, N_TOKENS + 1)])


def index_of(draw: random.Random) -> tuple[dict[tuple[int, int], list[tuple[int, float]]], Table, npt.NDArray[np.void]]:
    """Some pairs with (text, bits) postings; bits are whole numbers, so that sums are exact."""
    held: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for one in range(1, N_TOKENS + 1):
        for other in range(one + 1, N_TOKENS + 1):
            texts = draw.sample(range(N_TEXTS), draw.choice((0, 0, 1, 2, N_TEXTS)))
            if texts:
                held[one, other] = [(text, float(draw.randint(1, 9))) for text in sorted(texts)]
    by_hash = sorted((int(pair_hash(*pair)), posting) for pair, postings in held.items() for posting in postings)
    hashes = np.array([value for value, _ in by_hash], np.uint64)
    return held, Table.of(hashes), np.array([posting for _, posting in by_hash], PAIR_POSTING)


def events_of(
    page: list[int], held: dict[tuple[int, int], list[tuple[int, float]]], text: int
) -> list[tuple[int, ...]]:
    """(place, other place, bits) of the pairs of a page that a text holds, in order."""
    found: list[tuple[int, ...]] = []
    for i, one in enumerate(page):
        for j in range(i + 1, min(i + REACH + 1, len(page))):
            bits = dict(held.get((min(one, page[j]), max(one, page[j])), ())).get(text)
            if bits is not None and one and page[j]:
                found.append((i, j, int(bits)))
    return found


def naive_window(page: list[int], events: list[tuple[int, ...]], span: int) -> tuple[float, ...]:
    """(first place, last place, bits, pairs, weight of tokens) of the first window with most bits of unlike pairs."""
    best: tuple[float, ...] = (0, 0, 0, 0, 0)
    for last in range(len(events)):
        low = next(x for x in range(last + 1) if events[last][0] - events[x][0] <= span)
        window = events[low : last + 1]
        pairs = {(min(page[i], page[j]), max(page[i], page[j])): bits for i, j, bits in window}
        tokens = {token for pair in pairs for token in pair}
        if sum(pairs.values()) > best[2]:
            weight = sum(WEIGHTS[token] for token in tokens)
            best = window[0][0], window[-1][0], sum(pairs.values()), len(pairs), weight
    return best


def texts_of(needed: npt.ArrayLike) -> npt.NDArray[np.void]:
    texts = np.zeros(N_TEXTS, TEXT)
    texts["needed"] = needed
    return texts


def test_pairs_of_a_text_stand_near_each_other_and_are_not_both_numbers() -> None:
    tokens, ends = np.array([1, 2, 2, 3, 4, 1, 3, 2], np.int32), np.array([6, 6, 8])
    is_number = np.array([False, False, True, True, False])
    hashes, texts = windows.text_pairs(tokens, ends, is_number, 2)
    pairs = [(1, 2), (1, 2), (2, 4), (3, 4), (3, 1), (4, 1)]
    assert hashes.tolist() == [pair_hash(*pair) for pair in pairs]
    assert texts.tolist() == [0] * 6


def test_a_key_knows_the_same_before_and_behind_it() -> None:
    keys = random.Random(1).choices(range(0, 8_000, 100), k=400)
    before, behind = windows.repeats(np.array(keys))
    for place, key in enumerate(keys):
        same = [other for other in range(len(keys)) if keys[other] == key]
        assert before[place] == max((other for other in same if other < place), default=-1)
        assert behind[place] == min((other for other in same if other > place), default=len(keys))


@pytest.mark.parametrize("seed", range(40))
def test_windows_agree_with_their_definition_and_leave_zeros(seed: int) -> None:
    draw = random.Random(seed)
    held, table, postings = index_of(draw)
    needed = draw.choices((0.5, 20.0, 45.0, np.inf), k=N_TEXTS)
    spans = np.array(draw.choices((5, 9, 30), k=N_TEXTS), np.int32)
    texts, seen = texts_of(needed), np.zeros(len(WEIGHTS), np.uint8)
    for n_tokens in (0, 1, 8, 40, 200):  # one scratch for all pages
        page = draw.choices(range(N_TOKENS + 1), k=n_tokens)
        least = draw.choice((0.0, 40.0, 75.0))
        rows = windows.best_windows(
            np.array(page, np.int32), REACH, table.arrays(), postings, texts, spans, WEIGHTS, least, seen
        )
        expected = {}
        for text in range(N_TEXTS):
            *window, weight = naive_window(page, events_of(page, held, text), int(spans[text]))
            if window[2] >= needed[text] and weight >= least:
                expected[text] = window
        assert {int(row[0]): row[1:].tolist() for row in rows} == expected
        assert texts.tolist() == texts_of(needed).tolist()
        assert not seen.any()


def test_a_page_is_grouped_by_the_texts_that_it_may_hold_alone() -> None:
    draw = random.Random(9)
    held, table, postings = index_of(draw)
    page = draw.choices(range(N_TOKENS + 1), k=60)
    ones, others, firsts, lasts = windows.page_pairs(np.array(page, np.int32), REACH, table.arrays())
    bits_of = Counter({text: sum(bits for *_, bits in events_of(page, held, text)) for text in range(N_TEXTS)})
    ranked = [text for text, _ in bits_of.most_common()]
    needed = np.full(N_TEXTS, np.inf)
    needed[ranked[:3]] = [bits_of[text] for text in ranked[:3]]  # reached by the last pair
    needed[ranked[2]] += 1
    texts, ends, pairs, bits = windows.by_texts(firsts, lasts, postings, texts_of(needed))
    assert sorted(texts) == sorted(ranked[:2])
    for text, (begin, end) in zip(texts, pairwise([0, *ends[: len(texts)]]), strict=True):
        stands = zip(ones[pairs[begin:end]], others[pairs[begin:end]], bits[begin:end], strict=True)
        assert list(stands) == events_of(page, held, text)
