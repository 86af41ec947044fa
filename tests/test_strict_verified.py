"""Questions of `strict` verified in a page: what is present, runs and their windows, scores, bounds of the cost."""

import random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from corpus.kernels import grams
from corpus.kernels import strict as kernel
from corpus.lookup import Table
from corpus.strict import RUN_POSTING

SIZE = 20
QUESTION = list(range(1, SIZE + 1))
SLACK = SIZE // 4 + 3  # words on either side of the window that a question's runs point to


def as_numbers(tokens: list[int]) -> npt.NDArray[np.int32]:
    return np.array(tokens, np.int32)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_present_agrees_with_its_definition_and_leaves_zeros(seed: int) -> None:
    draw = random.Random(seed)
    weights = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    is_number = np.array([False, *draw.choices((True, False), k=6)])
    seen = np.zeros(7, np.uint8)
    for _ in range(20):
        text, window = draw.choices(range(1, 7), k=draw.randint(1, 8)), draw.choices(range(7), k=draw.randint(0, 6))
        numbers = {token for token in text if is_number[token]}
        assert kernel.present(as_numbers(text), as_numbers(window), weights, is_number, seen) == (
            sum(weights[token] for token in text),
            sum(weights[token] for token in text if token in window),
            sum(weights[token] for token in numbers),
            sum(weights[token] for token in numbers if token in window),
        )
        assert not seen.any()


def test_runs_of_a_page_are_those_of_texts_without_unknown_tokens() -> None:
    draw = random.Random(4)
    text = draw.choices(range(1, 4), k=15)
    hashes = np.empty(13, np.uint64)
    grams.hash_runs(as_numbers(text), np.arange(13), np.full(13, 3, np.int32), hashes)
    order = np.argsort(hashes, kind="stable")
    postings = np.array([(7, offset) for offset in order], RUN_POSTING)
    page = draw.choices(range(4), k=60)
    found = kernel.page_runs(as_numbers(page), 3, Table.of(hashes[order]).arrays(), postings)
    assert sorted(zip(*map(np.ndarray.tolist, found), strict=True)) == sorted(
        (7, place, place - offset)
        for place in range(58)
        for offset in range(13)
        if page[place : place + 3] == text[offset : offset + 3]
    )


def verified_runs(page: list[int], least: float = 0.5, cells: int = 10**6, copies: int = 1) -> tuple[Any, int]:
    """Rows for copies of QUESTION, whose runs of six words are told by hand."""
    found = [
        (text, place, place - offset)
        for text in range(copies)
        for place in range(len(page) - 5)
        for offset in range(SIZE - 5)
        if page[place : place + 6] == QUESTION[offset : offset + 6]
    ]
    texts, places, diagonals = (as_numbers(list(column)) for column in zip(*found, strict=True))
    tokens, ends = as_numbers(QUESTION * copies), np.arange(1, copies + 1) * SIZE
    weights, is_number = np.append(0.0, np.ones(SIZE)), np.zeros(SIZE + 1, np.bool_)
    rows, n_left_out = kernel.verify_runs(
        texts, places, diagonals, as_numbers(page), tokens, ends, weights, is_number, 0.0, 8.0, least, cells,
        np.zeros(SIZE + 1, np.uint8),
    )  # fmt: skip
    return rows.tolist(), n_left_out


@pytest.mark.parametrize("n_lost", [0, 1])
def test_the_window_of_runs_reaches_as_far_as_its_slack_on_both_sides(n_lost: int) -> None:
    """The last run of those that stand together says where the question would begin."""
    page = [0] * 40 + QUESTION[:8] + [0] * (SLACK + n_lost) + QUESTION[8:] + [0] * 40
    share = 1 - n_lost / SIZE
    row = [0, 40 + n_lost, 40 + SLACK + n_lost + SIZE, 10, share, share, SIZE - n_lost]
    assert verified_runs(page) == ([row], 0)
    page = [0] * 40 + QUESTION[:12] + [0] * (SLACK - 1 + n_lost) + QUESTION[12:16] + [0] + QUESTION[16:] + [0] * 40
    row = [0, 40, 40 + SLACK + SIZE, 7, share, share, SIZE - n_lost]
    assert verified_runs(page) == ([row], 0)


def test_runs_of_a_question_stand_best_where_most_of_them_are() -> None:
    page = QUESTION[:8] + [0] * 60 + QUESTION[2:] + [0] * 60 + QUESTION[:8]
    ((_, start, stop, hits, _, aligned, _),), _ = verified_runs(page)
    assert (start, stop, hits, aligned) == (68, 86, 13, 0.9)


def test_a_question_aligned_by_the_least_share_counts_and_one_below_does_not() -> None:
    page = [*QUESTION[:13], 0, 0, 0]
    assert len(verified_runs(page, least=0.65)[0]) == 1
    assert len(verified_runs(page, least=0.7)[0]) == 0


def test_cells_of_a_page_are_spent_by_each_alignment_of_runs() -> None:
    page = [0] * 40 + QUESTION + [0] * 40
    cells = SIZE * (SIZE + 2 * SLACK)
    for copies, budget, n_found in ((2, 2 * cells, 2), (2, 2 * cells - 1, 1), (3, cells, 1), (1, cells - 1, 0)):
        rows, n_left_out = verified_runs(page, cells=budget, copies=copies)
        assert (len(rows), n_left_out) == (n_found, copies - n_found)


def verified_windows(page: list[int], windows: list[list[float]], least: float, cells: int = 10**6) -> tuple[Any, int]:
    """Rows for windows of QUESTION, of which the last two tokens are numbers."""
    weights, is_number = np.append(0.0, np.ones(SIZE)), np.arange(SIZE + 1) > SIZE - 2
    rows, n_left_out = kernel.verify_windows(
        np.array(windows), as_numbers(page), as_numbers(QUESTION), np.array([SIZE]), weights, is_number, 0.0, 8.0, 4.0,
        least, cells, np.zeros(SIZE + 1, np.uint8),
    )  # fmt: skip
    return rows.tolist(), n_left_out


def test_a_window_scores_by_its_pairs_its_alignment_and_its_numbers() -> None:
    page = [0] * 40 + QUESTION[1:-1] + [0] * 40
    score = 50 * 0.25 * 0.9  # a number of two, each of a bit: (1 + 4) / (2 + 8) = 1 / 2
    assert verified_windows(page, [[0, 40, 57, 50, 9]], score - 0.01) == (
        [[0, 40, 58, 9, 0.9, 0.9, pytest.approx(score)]],
        0,
    )
    assert verified_windows(page, [[0, 40, 57, 50, 9]], score + 0.01) == ([], 0)


def test_a_window_of_pairs_is_looked_at_with_its_slack_on_both_sides() -> None:
    """Seven places before the first pair, and twelve behind where the last one begins."""
    page = [0] * 20 + [1, 2] + [0] * 6 + QUESTION[2:18] + [0] * 10 + [19, 20] + [0] * 20
    ((_, start, stop, _, present, _, _),), _ = verified_windows(page, [[0, 28, 43, 100, 9]], 1.0)
    assert (start, stop, present) == (21, 55, 0.9)  # all but the first and the last


def test_cells_of_a_page_are_spent_by_each_alignment_of_windows() -> None:
    page = [0] * 40 + QUESTION + [0] * 40
    windows = [[0.0, 40, 59, 100, 9]] * 3
    n_window = SIZE + 2 * (SIZE // 4 + 2) + 4  # five behind where the last pair begins
    for budget, n_found in ((3, 3), (2, 2), (1, 1)):
        rows, n_left_out = verified_windows(page, windows, 1.0, cells=budget * SIZE * n_window)
        assert (len(rows), n_left_out) == (n_found, 3 - n_found)
        assert len(verified_windows(page, windows, 1.0, cells=budget * SIZE * n_window - 1)[0]) == n_found - 1
