"""How well a ranking or a cut finds the positives: plain formulas over numpy arrays."""

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
    score = score.astype(np.float64)
    known = ~np.isnan(score)
    score[~known] = np.min(score[known]) - 1.0 if known.any() else 0.0
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    recall = hits[last_of_tie] / hits[-1]
    precision = hits[last_of_tie] / (last_of_tie + 1)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


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
