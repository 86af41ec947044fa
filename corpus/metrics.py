"""How well a ranking or a cut finds the positives: plain formulas over numpy arrays."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Scores = NDArray[np.floating[Any]]


def average_precision(positive: Flags, score: Scores) -> float | None:
    """Area under the precision-recall steps; NaN scores rank last, tied scores count as one step.

    positive, score: one entry an item. None where nothing is positive.
    Example: positives at ranks 1 and 3 of 4 give (1/1 + 2/3) / 2 = 0.833.
    """
    if not positive.any():
        return None
    precision, recall = _curve(positive, score)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def precision_at_recall(positive: Flags, score: Scores, recall: float) -> float | None:
    """The best precision of a cut that finds at least this share of the positives; None where nothing is positive."""
    if not positive.any():
        return None
    precisions, recalls = _curve(positive, score)
    return float(precisions[recalls >= recall].max())


def _curve(positive: Flags, score: Scores) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(precision, recall) of each cut between scores, from the highest score on."""
    score = score.astype(np.float64)
    known = ~np.isnan(score)
    score[~known] = np.min(score[known]) - 1.0 if known.any() else 0.0
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    return hits[last_of_tie] / (last_of_tie + 1), hits[last_of_tie] / hits[-1]


@dataclass(frozen=True)
class Bin:
    """Items whose score lies in [low, high), the last bin's in [low, high]: what scores promise and what is true."""

    low: float
    high: float
    n: int
    mean_score: float
    share: float  # that is positive


BIN_EDGES = (0.0, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99, 1.0)


def in_bin(score: Scores, low: float, high: float) -> Flags:
    """Scores in [low, high), or in [low, 1] for the last bin; NaN is in none."""
    inside: Flags = (score >= low) & ((score < high) | ((score == 1.0) & (high == 1.0)))
    return inside


def reliability(positive: Flags, score: Scores) -> list[Bin]:
    """Probabilities against frequencies, in bins that are narrow where probabilities are sure; empty bins left out.

    score: in [0, 1]; NaN belongs to no bin.
    """
    bins = []
    for low, high in itertools.pairwise(BIN_EDGES):
        inside = in_bin(score, low, high)
        if n := int(inside.sum()):
            bins.append(Bin(low, high, n, float(score[inside].mean()), float(positive[inside].mean())))
    return bins


def area_under_roc(positive: Flags, score: Scores) -> float | None:
    """Probability that a random positive outscores a random negative, ties counting half (Mann-Whitney).

    None where one of the classes is empty.
    """
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return None
    negatives = np.sort(score[~positive])
    below = np.searchsorted(negatives, score[positive], side="left")
    up_to = np.searchsorted(negatives, score[positive], side="right")
    return float((below + up_to).sum() / 2 / n_positive / n_negative)


def precision_and_recall(positive: Flags, chosen: Flags) -> tuple[float | None, float | None]:
    """Of the chosen, the share that is positive; of the positive, the share that was chosen. None for 0 / 0."""
    hits = int((positive & chosen).sum())
    n_chosen, n_positive = int(chosen.sum()), int(positive.sum())
    return (hits / n_chosen if n_chosen else None, hits / n_positive if n_positive else None)
