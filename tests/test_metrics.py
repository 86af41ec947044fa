"""Metrics against worked examples and brute force."""

from itertools import product

import numpy as np
import pytest

from corpus.metrics import (
    area_under_roc,
    average_precision,
    precision_and_recall,
    precision_at_recall,
    reliability,
)


def test_average_precision_of_a_worked_example() -> None:
    # Positives at ranks 1 and 3: (1/1 + 2/3) / 2.
    assert average_precision(np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx(
        5 / 6
    )


def test_average_precision_agrees_with_every_threshold_in_turn() -> None:
    random = np.random.default_rng(1)
    positive = random.random(60) < 0.3
    score = random.integers(0, 12, 60) / 12  # with ties
    expected, recall_before = 0.0, 0.0
    for threshold in sorted(set(score), reverse=True):
        chosen = score >= threshold
        precision, recall = (positive & chosen).sum() / chosen.sum(), (positive & chosen).sum() / positive.sum()
        expected += (recall - recall_before) * precision
        recall_before = recall
    assert average_precision(positive, score) == pytest.approx(expected)


def test_a_page_without_a_score_ranks_last() -> None:
    assert average_precision(np.array([True, False]), np.array([np.nan, 0.0])) == pytest.approx(0.5)


def test_average_precision_of_nothing_positive_is_none() -> None:
    assert average_precision(np.array([False]), np.array([1.0])) is None


def test_area_under_roc_agrees_with_all_pairs() -> None:
    random = np.random.default_rng(2)
    positive = random.random(50) < 0.4
    score = random.integers(0, 10, 50) / 10
    pairs = list(product(score[positive], score[~positive]))
    expected = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)
    assert area_under_roc(positive, score) == pytest.approx(expected)
    assert area_under_roc(positive[positive], score[positive]) is None


def test_precision_and_recall_of_nothing_are_none() -> None:
    chosen, positive = np.array([True, True, False]), np.array([True, False, True])
    assert precision_and_recall(positive, chosen) == (0.5, 0.5)
    assert precision_and_recall(positive, np.zeros(3, bool)) == (None, 0.0)
    assert precision_and_recall(np.zeros(3, bool), chosen) == (0.0, None)


def test_precision_at_recall_is_the_best_of_all_cuts_that_find_enough() -> None:
    random = np.random.default_rng(3)
    positive, score = random.random(60) < 0.3, random.integers(0, 12, 60) / 12
    for wanted in (0.2, 0.5, 0.85, 1.0):
        cuts = [score >= threshold for threshold in set(score)]
        enough = [c for c in cuts if (positive & c).sum() >= wanted * positive.sum()]
        best = max((positive & c).sum() / c.sum() for c in enough)
        assert precision_at_recall(positive, score, wanted) == pytest.approx(best)
    assert precision_at_recall(np.zeros(60, bool), score, 0.5) is None


def test_reliability_counts_every_score_once_and_none_that_is_missing() -> None:
    score = np.array([0.0, 0.005, 0.01, 0.5, 0.99, 1.0, np.nan])
    positive = np.array([False, True, True, False, True, False, True])
    bins = {(b.low, b.high): (b.n, b.mean_score, b.share) for b in reliability(positive, score)}
    assert bins == {
        (0.0, 0.01): (2, pytest.approx(0.0025), 0.5),
        (0.01, 0.05): (1, pytest.approx(0.01), 1.0),
        (0.4, 0.6): (1, pytest.approx(0.5), 0.0),
        (0.99, 1.0): (2, pytest.approx(0.995), 0.5),
    }
