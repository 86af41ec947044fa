"""How likely a page is what the seed shows: evidence from its marks, its words and its place, without labels.

    marks   formulas and TeX commands, seed against pool
    words   the fastText score, as a likelihood ratio
    place   what the other pages of its directory look like

Each is a log-likelihood ratio. Their weighted sum and the prevalence in the pool give the posterior.

The pool holds what is sought, so it is no sample of negatives: pages of posterior one half and more
are left out and the marks are learnt again. Hosts are groups here and never features, so nothing is
learnt of a site by its name.

Source: positive and unlabelled examples, Elkan and Noto (KDD 2008); prevalence, Saerens, Latinne and
Decaestecker (Neural Computation 2002); scores to probabilities, Platt (1999). The weights were chosen on a
labelled crawl: `docs/evaluation.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLEANINGS = 4  # times that the marks are learnt again; 1, 2 and 8 rank the same
MARKS_RIDGE = 1 / 0.3 / 1000  # both classes weigh 1 and columns are standardised; a thirtieth ranked worse
WORDS_RIDGE = 0.01  # only keeps a separable fit finite
WORDS_WEIGHT = 0.5  # words and marks are not independent: 1 counts what they share twice
PLACE_WEIGHT = 0.3
PLACE_PAGES = 2.0  # pages of the pool's mean in each place
LEAST = 1e-6  # no probability is nearer to 0 or 1
MAX_RATIO = 30.0  # of a log-likelihood ratio; e ** 30 is 1e13
LEAST_SCORE = 1e-5  # fastText adds as much to each probability


@dataclass(frozen=True)
class Marks:
    """Log-likelihood ratio of a document's marks: linear in log(1 + n_formulas) and log(1 + n_commands)."""

    formulas: float
    commands: float
    bias: float
    prevalence: float  # of the seed's kind in the pool, by the marks alone

    def ratio(self, n_formulas: Floats, n_commands: Floats) -> Floats:
        return self.formulas * np.log1p(n_formulas) + self.commands * np.log1p(n_commands) + self.bias


@dataclass(frozen=True)
class Words:
    """Log-likelihood ratio of a score: linear in its log-odds."""

    slope: float
    offset: float

    def ratio(self, score: Floats) -> Floats:
        return self.slope * log_odds(score, LEAST_SCORE) + self.offset


@dataclass(frozen=True)
class Weighed:
    """What the pool's pages and the evidence say; arrays of one entry a page, NaN where it has no score."""

    words: Words
    word_ratio: Floats
    place_ratio: Floats
    posterior: Floats
    prevalence: float
    n_sought: float  # pages of the seed's kind in the pool, by capture and recapture


@dataclass(frozen=True)
class Counted:
    """Documents of the same marks, counted: arrays of one length."""

    n_formulas: Floats
    n_commands: Floats
    n_documents: Floats


def learn_marks(seed: Counted, pool: Counted) -> Marks:
    """Learn what the seed's marks have and the pool's have not, the pool's own share of it left out.

    Both classes weigh the same, so the log-odds of the fit are a log-likelihood ratio. A pool in which
    no page looks unlike the seed is learnt from as it was before the last of them was left out.
    """
    ratio_of = Marks(0.0, 0.0, 0.0, 0.5)
    negative = np.ones(len(pool.n_documents), np.bool_)
    for turn in range(1 + CLEANINGS):
        if not negative.any():
            break
        fitted = _balanced(seed, pool, negative)
        ratio = Marks(*fitted, 0.5).ratio(pool.n_formulas, pool.n_commands)
        share = prevalence(ratio, pool.n_documents) if turn else 0.5
        ratio_of = Marks(*fitted, share)
        negative = posterior(ratio, share) < 0.5
    return ratio_of


def _balanced(seed: Counted, pool: Counted, negative: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Weights of log(1 + n_formulas) and log(1 + n_commands), and the bias."""
    columns = [
        np.log1p(np.concatenate([getattr(seed, name), getattr(pool, name)[negative]]))
        for name in ("n_formulas", "n_commands")
    ]
    sides = (seed.n_documents, pool.n_documents[negative])
    weight = np.concatenate([side / side.sum() for side in sides])
    positive = np.repeat([1.0, 0.0], [len(side) for side in sides])
    centres = [float(np.sum(weight * column)) / 2 for column in columns]
    spreads = [
        float(np.sqrt(np.sum(weight * (column - centre) ** 2) / 2)) or 1.0
        for column, centre in zip(columns, centres, strict=True)
    ]
    standard = [(c - centre) / spread for c, centre, spread in zip(columns, centres, spreads, strict=True)]
    *slopes, bias = fit_logistic(standard, positive, weight, MARKS_RIDGE)
    formulas, commands = (slope / spread for slope, spread in zip(slopes, spreads, strict=True))
    return formulas, commands, bias - formulas * centres[0] - commands * centres[1]


def fit_logistic(columns: Sequence[Floats], positive: Floats, weight: Floats, ridge: float) -> list[float]:
    """Logistic regression by Newton's method: a slope for each column, then the bias.

    positive: chance of the class, in [0, 1]; weight: of each row. Minimises the weighted log-loss plus
    ridge / 2 times the sum of squared slopes. Sums are numpy's own, not a threaded library's, so that
    the bytes of the answer do not depend on the number of cores.
    """
    design = [*columns, np.ones(len(positive))]
    penalty = np.array([ridge] * len(columns) + [0.0])
    found = np.zeros(len(design))

    def loss(at: Floats) -> float:
        line = _line(design, at)
        return float(np.sum(weight * (np.logaddexp(0, line) - positive * line)) + np.sum(penalty * at**2) / 2)

    best = loss(found)
    for _ in range(100):
        chance = _sigmoid(_line(design, found))
        slope = weight * (chance - positive)
        gradient = np.array([np.sum(column * slope) for column in design]) + penalty * found
        curve = weight * chance * (1 - chance)
        hessian = np.array([[np.sum(a * b * curve) for b in design] for a in design]) + np.diag(penalty + 1e-12)
        step = np.linalg.solve(hessian, gradient)
        while (now := loss(found - step)) > best and np.abs(step).max() > 1e-9:
            step = step / 2
        if now >= best:
            break
        found, best = found - step, now
    return [float(value) for value in found]


def _line(design: Sequence[Floats], at: Floats) -> Floats:
    line: Floats = np.sum([column * value for column, value in zip(design, at, strict=True)], axis=0)
    return line


def prevalence(ratio: Floats, weight: Floats | None = None) -> float:
    """Share of positives among pages with these log-likelihood ratios, by expectation maximisation.

    Each turn takes the mean posterior for the next prior, so pages none of which are likely end near LEAST.
    """
    if not len(ratio):
        return LEAST
    odds = np.exp(np.clip(ratio, -MAX_RATIO, MAX_RATIO))
    weight = np.ones(len(ratio)) if weight is None else weight
    total, share = float(np.sum(weight)), 0.1
    for _ in range(200):
        before, share = share, float(np.sum(weight * (share * odds / (share * odds + 1 - share)))) / total
        if abs(share - before) < 1e-9:
            break
    return min(max(share, LEAST), 1 - LEAST)


def posterior(ratio: Floats, share: float) -> Floats:
    """Probability from a log-likelihood ratio and the prior share."""
    odds = share * np.exp(np.clip(ratio, -MAX_RATIO, MAX_RATIO))
    return odds / (odds + 1 - share)


def learn_words(score: Floats, likely: Floats) -> Words:
    """What a score says, from posteriors that were formed without it; likely: in [0, 1], one a score."""
    log_odds_of = log_odds(score, LEAST_SCORE)
    spread = float(np.std(log_odds_of)) or 1.0
    likely = np.clip(likely, LEAST, 1 - LEAST)
    slope, bias = fit_logistic([log_odds_of / spread], likely, np.ones(len(score)), WORDS_RIDGE)
    prior = float(np.mean(likely))
    return Words(slope / spread, bias - float(np.log(prior / (1 - prior))))


def place_ratio(likely: Floats, place: NDArray[np.uint64]) -> Floats:
    """Log-odds of the mean posterior of the other pages of a page's place, above those of the whole pool.

    PLACE_PAGES pages of the pool's mean stand in each place, so a page that is alone there gets 0.

    place_ratio of [.9, .9, .1, .1] in places a a b b: log-odds of (.9 + 2 * .5) / 3 and of (.1 + 2 * .5) / 3.
    """
    _, group = np.unique(place, return_inverse=True)
    mean = float(np.mean(likely))
    sums, sizes = np.bincount(group, likely)[group], np.bincount(group)[group]
    others = (sums - likely + PLACE_PAGES * mean) / (sizes - 1 + PLACE_PAGES)
    ratio: Floats = log_odds(others) - log_odds(np.array([mean]))
    return ratio


def weigh(marks: Floats, score: Floats, place: NDArray[np.uint64]) -> Weighed:
    """All evidence of a round together.

    marks: log-likelihood ratio by the marks; score: of fastText, NaN where the page has none; place: a number
    for each place. Words are measured against posteriors of marks and place, so that they are not asked of themselves.

    n_sought: what marks find alone times what words find alone, over what both find (with Chapman's
    correction): the two err apart, as the estimate wants it, only as far as words and formulas do.
    """
    read = ~np.isnan(score)
    word_ratio, place_, chance = (np.full(len(score), np.nan) for _ in range(3))
    if not read.any():
        return Weighed(Words(0.0, 0.0), word_ratio, place_, chance, LEAST, 0.0)
    marks, score, place = marks[read], score[read], place[read]

    def likely(ratio: Floats) -> Floats:
        return posterior(ratio, prevalence(ratio))

    first = likely(marks + PLACE_WEIGHT * place_ratio(likely(marks), place))
    words = learn_words(score, first)
    of_words = words.ratio(score)
    view = marks + WORDS_WEIGHT * of_words
    of_place = place_ratio(likely(view), place)
    whole = view + PLACE_WEIGHT * of_place
    share = prevalence(whole)
    word_ratio[read], place_[read], chance[read] = of_words, of_place, posterior(whole, share)

    needed = -log_odds(np.array([np.mean(first)]))[0]
    by_marks, by_words = marks > needed, of_words > needed
    n_both = int(np.sum(by_marks & by_words))
    n_sought = float((np.sum(by_marks) + 1) * (np.sum(by_words) + 1) / (n_both + 1) - 1)
    return Weighed(words, word_ratio, place_, chance, share, n_sought)


def log_odds(chance: Floats, least: float = LEAST) -> Floats:
    """log(p / (1 - p)), both no less than `least`."""
    odds: Floats = np.log(np.maximum(chance, least)) - np.log(np.maximum(1 - chance, least))
    return odds


def _sigmoid(line: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(line, -50, 50)))
