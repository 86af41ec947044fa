"""Precision and recall at any depth of a ranking, from the labelled pages of a stratified draw.

Each stratum's share of mathematics gets a posterior: a Bayesian bootstrap (Rubin, Annals of Statistics 1981) of its
labelled pages by their weight, where one page more, at the probability that the ranking gives with half its log-odds,
stands for what no draw has shown. (A score is no probability: it is calibrated on the labels first.) A few labels
tell less of a spread than their number says, so they count for LOSS fewer. Pages that were not drawn follow from it
with their own chance, and pages that were are known. Where a depth lies inside a stratum, its share is spread over
the stratum as the ranking's log-odds are, shifted to fit and times a slope that nobody knows, one of SLOPES.
Precision and recall are ratios of such draws; their 95 % interval is widened to whole thousandths.

Chosen by simulation (`bench/audit.py`, `docs/audit.md`): Jeffreys' half in each stratum put a hundred false hits into
the long tail and its recall interval never held the truth; one page at the plain posterior missed what hides
there; a share that is even within its stratum missed the truth just below the cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.audit import LEAST, Stratum
from corpus.evidence import fit_logistic, log_odds
from corpus.ranking import Floats, Ranking, Whole

N_DRAWS = 1_000  # a multiple of the number of slopes
LOSS = 4  # labelled pages; tried: 0, 2, 3, 4
TRUST_POSTERIOR = 0.5  # in the log-odds of a page that no draw has shown; tried: .4, .45, .5, 1
TRUST_CALIBRATED = 0.8  # the same where labels have calibrated a score; tried: .5, .8, 1
RIDGE = 0.001  # only keeps a separable fit finite
SLOPES = (0.0, 0.5, 1.0, 2.0, 4.0)  # 0: the ranking says nothing within a stratum
SHIFTS = np.linspace(-60.0, 60.0, 241)  # of log-odds
GROUPS = 200  # of consecutive pages, alike for what happens inside a stratum
NEAR = 1e-9  # a stratum's mean posterior is no nearer to 0 or 1


@dataclass(frozen=True)
class Interval:
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Precision and recall at depths, in N_DRAWS draws: arrays of shape (depths, draws)."""

    precision: Floats
    recall: Floats

    def at(self, number: int) -> dict[str, Interval]:
        return {name: interval(getattr(self, name)[number]) for name in ("precision", "recall")}


def interval(draws: Floats) -> Interval:
    """Mean of draws, and the 2.5 % and 97.5 % quantiles, outwards to whole thousandths."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(float(np.mean(draws)), float(np.floor(low * 1_000) / 1_000), float(np.ceil(high * 1_000) / 1_000))


def curves(
    ranking: Ranking,
    strata: Sequence[Stratum],
    place: Whole,
    positive: NDArray[np.bool_],
    sure: NDArray[np.bool_],
    depths: Whole,
) -> dict[str, Curve]:
    """What labels say of precision and recall at `depths`, by pages and by tokens.

    place: of the labelled pages in the ranking, from 0; positive: their labels; sure: they were not drawn by chance.
    Every stratum with pages that are drawn by chance has such a label.
    """
    chance, trust = ranking.value, TRUST_POSTERIOR
    if not ranking.evidence:
        chance, trust = _calibrated(ranking.value, strata, place, positive, sure), TRUST_CALIBRATED
    return {
        by: _curve(chance, trust, weight, strata, place, positive, sure, depths)
        for by, weight in weights(ranking).items()
    }


def weights(ranking: Ranking) -> dict[str, Floats]:
    return {"pages": np.ones(len(ranking.value)), "tokens": ranking.n_tokens}


def _calibrated(
    score: Floats, strata: Sequence[Stratum], place: Whole, positive: NDArray[np.bool_], sure: NDArray[np.bool_]
) -> Floats:
    """Scores as probabilities: logistic in their log-odds, each label for as many pages as it stands for."""
    stands_for = np.ones(len(place))
    for stratum in strata:
        drawn = (place >= stratum.first) & (place < stratum.last) & ~sure
        stands_for[drawn] = stratum.n_free / max(int(drawn.sum()), 1)
    odds = log_odds(score)
    odds = odds / (float(np.std(odds)) or 1.0)
    slope, bias = fit_logistic([odds[place]], positive.astype(np.float64), stands_for / stands_for.sum(), RIDGE)
    return 1 / (1 + np.exp(-np.clip(slope * odds + bias, -30, 30)))


def _curve(
    chance: Floats,
    trust: float,
    weight: Floats,
    strata: Sequence[Stratum],
    place: Whole,
    positive: NDArray[np.bool_],
    sure: NDArray[np.bool_],
    depths: Whole,
) -> Curve:
    """chance: of each page of the ranking to be positive, as far as it is trusted; weight: 1, or the page's tokens."""
    random = np.random.default_rng(1)
    hits = np.zeros((len(depths), N_DRAWS))
    total = np.zeros(N_DRAWS)
    for stratum in strata:
        first, last = stratum.first, stratum.last
        inside = (place >= first) & (place < last)
        own, labels, free = place[inside], positive[inside], ~sure[inside]
        unknown = weight[first:last].copy()
        unknown[own - first] = 0.0
        mean_chance = float(np.average(chance[first:last], weights=weight[first:last]))
        odds = trust * float(log_odds(np.array([mean_chance]), NEAR)[0])
        guess = float(np.clip(1 / (1 + np.exp(-odds)), LEAST, 1 - LEAST))
        share = _shares(random, weight[own[free]], labels[free], guess, float(np.mean(weight[first:last])))
        share = _of_unknown(random, share, unknown)
        known = weight[own] * labels
        whole = known.sum() + unknown.sum() * share
        total += whole
        hits[depths >= last] += whole
        cut = np.flatnonzero((depths > first) & (depths < last))
        rates = _spread(share, chance[first:last], weight[first:last], depths[cut] - first)
        for row, depth, rate in zip(cut, depths[cut], rates, strict=True):
            hits[row] += known[own < depth].sum() + unknown[: depth - first].sum() * rate
    kept = np.cumsum(weight)[depths - 1]
    return Curve(hits / kept[:, None], hits / np.maximum(total, np.finfo(np.float64).tiny))


def _shares(
    random: np.random.Generator, weight: Floats, positive: NDArray[np.bool_], guess: float, mean_weight: float
) -> Floats:
    """Draws of a stratum's share of positives; guess: of a page that no draw has shown."""
    n = len(weight)
    drawn = weight * random.standard_gamma(max(n - LOSS, 1) / max(n, 1), (N_DRAWS, n))
    yes, no = (mean_weight * random.standard_gamma(part, N_DRAWS) for part in (guess, 1 - guess))
    shares: Floats = ((drawn * positive).sum(axis=1) + yes) / (drawn.sum(axis=1) + yes + no)
    return shares


def _of_unknown(random: np.random.Generator, share: Floats, unknown: Floats) -> Floats:
    """Draws of the share among the pages without a label, which are finitely many: a beta of the same spread."""
    squares = float(np.sum(unknown**2))
    if not squares:
        return share
    n = max(float(unknown.sum()) ** 2 / squares - 1, NEAR)
    return random.beta(np.maximum(share * n, NEAR), np.maximum((1 - share) * n, NEAR))


def _spread(share: Floats, chance: Floats, weight: Floats, depths: Whole) -> list[Floats]:
    """For depths inside a stratum, the share above each: draws of a stratum's share spread along its ranking."""
    if not len(depths):
        return []
    edges = np.unique(np.concatenate([np.linspace(0, len(chance), GROUPS + 1).astype(np.int64), depths]))
    mass = np.add.reduceat(weight, edges[:-1])
    place = np.add.reduceat(weight * log_odds(chance), edges[:-1]) / mass
    rates = [np.empty(len(share)) for _ in depths]
    for number, slope in enumerate(SLOPES):
        draws = slice(number, None, len(SLOPES))
        fitted = 1 / (1 + np.exp(-(slope * place[:, None] + SHIFTS)))
        above = np.cumsum(mass[:, None] * fitted, axis=0) / np.cumsum(mass)[:, None]
        for rate, row in zip(rates, np.searchsorted(edges, depths) - 1, strict=True):
            rate[draws] = np.interp(share[draws], above[-1], above[row])
    return rates
