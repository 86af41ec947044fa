"""What a round's held-out domains say of it: ranking, precision and recall with intervals, and reliability.

Held-out documents are seed of domains that no model trained on, and negatives of others. (Where evidence ranks them,
the three weights of the marks come from the whole seed, theirs too.) Negatives drawn from the pool hold what is sought
too, as many as its prevalence says, so precision is formed from three shares and not from counts: of the seed above
the cut (recall), of the negatives above it, and the prevalence.

Intervals are of a bootstrap over domains: pages of one domain err together. Where all draws agree (all of the seed
above the cut, or one domain alone) they show no spread, which is not to say that there is none: no interval then.
Source: Field and Welsh, Bootstrapping clustered data (JRSS B, 2007).
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.metrics import BIN_EDGES, in_bin

Floats = NDArray[np.float64]

N_DRAWS = 400  # of the bootstrap
LEVEL = 0.95  # of its intervals
RANDOM_SEED = 1


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Documents of one model's held-out domains, one entry each.

    positive: of the seed. value: what pages are ranked by, NaN for none. domain: a number for each.
    share: prevalence in the pool; None where nothing estimates it, and both classes then weigh the same.
    outside: whether the negatives are given ones, that hold nothing of what is sought.
    """

    positive: NDArray[np.bool_]
    value: Floats
    domain: NDArray[np.int64]
    share: float | None
    outside: bool

    def measures(self, cut: float) -> dict[str, float | None]:
        """held_out_ap, held_out_precision and held_out_recall at the cut, each with _low and _high.

        Average precision weighs both classes alike. None where a class is empty.
        """
        names = [f"held_out_{name}{end}" for name in ("ap", "precision", "recall") for end in ("", "_low", "_high")]
        if self.positive.all() or not self.positive.any():
            return dict.fromkeys(names)
        above = np.nan_to_num(self.value, nan=-1.0) >= cut
        ranked = self._ranked()

        def statistics(weight: Floats) -> tuple[float, float, float]:
            recall, of_others = self._shares(above, weight)
            return self._average_precision(ranked, weight), self._precision(recall, of_others), recall

        each = np.array([statistics(weight) for weight in self._draws()]).T
        return dict(zip(names, (value for values in each for value in _interval(values)), strict=True))

    def reliability(self) -> list[dict[str, Any]]:
        """Rows (schema.RELIABILITY), a bin of metrics.BIN_EDGES each: probabilities against frequencies.

        frequency: by how much more common the bin is among the seed than in the pool, times the prevalence.
        It holds as far as the seed is a fair draw of what is sought.
        """
        edges = list(itertools.pairwise(BIN_EDGES))
        bins = [in_bin(self.value, low, high) for low, high in edges]
        found = np.array([[self._precision(*self._shares(each, weight)) for each in bins] for weight in self._draws()])
        rows = []
        for (low, high), inside, frequencies in zip(edges, bins, found.T, strict=True):
            others = inside & ~self.positive
            if not inside.any():
                continue
            frequency, lowest, highest = _interval(frequencies)
            rows.append(
                {
                    "low": low,
                    "high": high,
                    "n_seed": int((inside & self.positive).sum()),
                    "n_others": int(others.sum()),
                    "mean_posterior": float(self.value[others if others.any() else inside].mean()),
                    "frequency": frequency,
                    "frequency_low": lowest,
                    "frequency_high": highest,
                }
            )
        return rows

    def _draws(self) -> Iterator[Floats]:
        """Weights of documents: all ones, then a draw of as many domains as there are, N_DRAWS times."""
        random = np.random.default_rng(RANDOM_SEED)
        names, group = np.unique(self.domain, return_inverse=True)
        yield np.ones(len(group))
        for _ in range(N_DRAWS):
            yield random.multinomial(len(names), np.full(len(names), 1 / len(names))).astype(np.float64)[group]

    def _shares(self, chosen: NDArray[np.bool_], weight: Floats) -> tuple[float, float]:
        """Shares of the seed and of the others that are chosen; NaN where a draw has none of them."""
        sides = (self.positive, ~self.positive)
        found = [(float(np.sum(weight[side & chosen])), float(np.sum(weight[side]))) for side in sides]
        of_seed, of_others = (part / whole if whole else np.nan for part, whole in found)
        return of_seed, of_others

    def _precision(self, of_seed: float, of_others: float) -> float:
        """Share of what is sought among pages that are these shares of seed and negatives; NaN where it is unknown.

        Of negatives from the pool some are what is sought, so where none was chosen there is nothing to go by.
        """
        share = 0.5 if self.share is None else self.share
        right = share * of_seed
        in_pool = self.share is not None and not self.outside
        if in_pool:
            return min(right / of_others, 1.0) if of_others else np.nan
        wrong = (1 - share) * of_others
        return right / (right + wrong) if right + wrong > 0 else np.nan

    def _ranked(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Documents from the highest value on, and the last of each run of equal values."""
        value = np.nan_to_num(self.value, nan=-1.0)
        order = np.argsort(-value, kind="stable")
        return order, np.append(np.flatnonzero(np.diff(value[order])), len(order) - 1)

    def _average_precision(self, ranked: tuple[NDArray[np.int64], NDArray[np.int64]], weight: Floats) -> float:
        order, ends = ranked
        sides = [np.cumsum(weight[order] * side[order])[ends] for side in (self.positive, ~self.positive)]
        if not all(side[-1] for side in sides):
            return np.nan
        true, false = (side / side[-1] for side in sides)
        seen = true + false > 0
        return float(np.sum(np.diff(true, prepend=0.0)[seen] * true[seen] / (true + false)[seen]))


def _interval(values: Floats) -> tuple[float | None, float | None, float | None]:
    """(value, low, high): the first one is the estimate, the others are draws; those that are NaN are left out."""
    value, draws = values[0], values[1:][~np.isnan(values[1:])]
    if np.isnan(value):
        return None, None, None
    if not len(draws) or draws.min() == draws.max():
        return float(value), None, None
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(value), float(low), float(high)
