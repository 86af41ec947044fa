"""Evidence without labels: worked by hand, held against brute force, and in pools of one thing alone."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from corpus.evidence import (
    LEAST,
    Counted,
    Floats,
    Marks,
    Weighed,
    Words,
    fit_logistic,
    learn_marks,
    learn_words,
    log_odds,
    place_ratio,
    posterior,
    prevalence,
    weigh,
)


def array(*values: float) -> Floats:
    return np.array(values, np.float64)


def odds(chance: float) -> float:
    return math.log(chance / (1 - chance))


# --- logistic regression


def test_a_bias_alone_is_the_log_odds_of_the_weighted_share() -> None:
    assert fit_logistic([], array(1, 0, 1), array(2, 1, 1), 0.0) == pytest.approx([math.log(3)])


def test_of_a_yes_and_no_column_the_slope_is_the_log_of_the_odds_ratio() -> None:
    column, positive = array(0, 0, 1, 1), array(0, 1, 0, 1)
    slope, bias = fit_logistic([column], positive, array(9, 1, 2, 6), 0.0)
    assert (bias, slope) == pytest.approx((math.log(1 / 9), math.log(3) + math.log(9)))


def test_the_ridge_holds_what_separates_perfectly() -> None:
    (slope, bias) = fit_logistic([array(-1, 1)], array(0, 1), array(1, 1), 0.1)
    # The gradient is nought: 0.1 * slope = 2 * (1 - sigmoid(slope)).
    assert bias == pytest.approx(0, abs=1e-6)
    assert 0.1 * slope == pytest.approx(2 / (1 + math.exp(slope)))


def test_no_other_line_has_less_loss() -> None:
    draw = np.random.default_rng(1)
    columns = [draw.normal(size=300) for _ in range(2)]
    positive, weight = draw.random(300), draw.random(300)
    found = np.array(fit_logistic(columns, positive, weight, 2.0))

    def loss(at: Floats) -> float:
        total = float(at[0] ** 2 + at[1] ** 2)
        for row in range(300):
            line = at[0] * columns[0][row] + at[1] * columns[1][row] + at[2]
            total += weight[row] * (math.log1p(math.exp(line)) - positive[row] * line)
        return total

    steps = [array(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]
    assert min(steps, key=lambda step: loss(found + 0.01 * step)) == pytest.approx([0, 0, 0])


# --- prevalence and posterior


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
def test_the_prevalence_is_the_share_that_explains_how_often_a_mark_is_seen(share: float) -> None:
    # Of positives 80 % have the mark, of the others 20 %: it is seen on .2 + .6 * share of the pages.
    seen = 0.2 + 0.6 * share
    assert prevalence(array(math.log(4), -math.log(4)), array(seen, 1 - seen)) == pytest.approx(share, abs=1e-3)


def test_pages_that_all_speak_against_it_leave_a_prevalence_of_next_to_nothing() -> None:
    assert prevalence(np.full(100, -3.0)) == LEAST
    assert prevalence(np.full(100, 3.0)) == 1 - LEAST
    assert prevalence(array()) == LEAST


def test_a_posterior_is_prior_odds_times_the_likelihood_ratio() -> None:
    assert posterior(array(0, math.log(9), -math.log(9)), 0.1) == pytest.approx(array(0.1, 0.5, 0.1 / 8.2))
    assert np.isfinite(posterior(array(-1e9, 1e9), 0.5)).all()


# --- marks

SEED = Counted(array(0, 5, 40), array(0, 3, 20), array(1, 5, 14))


def pool(n_math: int, n_other: int) -> Counted:
    return Counted(array(0, 1, 5, 40), array(0, 0, 3, 20), array(n_other, n_other / 10, n_math / 3, n_math))


def test_counted_documents_are_learnt_from_as_if_each_stood_by_itself() -> None:
    counted = pool(30, 200)

    def single(side: Counted) -> Counted:
        n = side.n_documents.astype(int)
        columns = [np.repeat(column, n) for column in (side.n_formulas, side.n_commands)]
        return Counted(*columns, np.ones(n.sum()))

    one, other = learn_marks(SEED, counted), learn_marks(single(SEED), single(counted))
    assert [getattr(one, n) for n in vars(one)] == pytest.approx([getattr(other, n) for n in vars(one)], rel=1e-6)


def test_marks_are_learnt_as_if_the_pool_did_not_hold_what_is_sought() -> None:
    clean, mixed = (learn_marks(SEED, pool(n, 200)) for n in (0, 100))
    at = (array(0, 5, 40), array(0, 3, 20))
    assert mixed.ratio(*at) == pytest.approx(clean.ratio(*at), abs=0.5)
    assert mixed.prevalence == pytest.approx(133 / 353, abs=0.1)


def test_the_ratio_of_marks_is_linear_in_the_logs_of_counts() -> None:
    ratio = Marks(2.0, 3.0, -1.0, 0.5).ratio(array(0, math.e - 1), array(0, math.e**2 - 1))
    assert ratio == pytest.approx(array(-1, 2 + 6 - 1))


def test_marks_say_nothing_of_a_pool_that_is_the_seed_again() -> None:
    same = Counted(array(40), array(20), array(10))
    assert learn_marks(same, same).ratio(array(0, 40), array(0, 20)) == pytest.approx([0, 0])


# --- words


def test_words_are_scaled_to_what_marks_and_place_say() -> None:
    score = np.linspace(0.01, 0.99, 99)
    likely = posterior(2 * log_odds(score) + 1, 0.5)
    found = learn_words(score, likely)
    assert found.slope == pytest.approx(2, rel=1e-2)
    assert found.offset == pytest.approx(1 - odds(float(likely.mean())), abs=1e-2)


def test_a_score_that_says_nothing_weighs_nothing() -> None:
    same = learn_words(np.full(4, 0.7), array(0.9, 0.1, 0.9, 0.1)).ratio(array(0.7))
    assert same == pytest.approx([0], abs=1e-6)


def test_words_alone_are_a_line_over_the_log_odds_of_the_score() -> None:
    assert Words(2.0, 1.0).ratio(array(0.5, 0.9)) == pytest.approx([1, 2 * math.log(9) + 1])
    assert Words(1.0, 0.0).ratio(array(0, 1)) == pytest.approx([-11.51, 11.51], abs=0.01)


# --- place


def test_a_place_is_worth_the_posteriors_of_its_other_pages() -> None:
    found = place_ratio(array(0.9, 0.9, 0.1, 0.1, 0.5), np.array([7, 7, 8, 8, 9], np.uint64))
    high, low = odds(1.9 / 3), odds(1.1 / 3)  # one other page, and two of the pool's mean of one half
    assert found == pytest.approx([high, high, low, low, 0])


def test_places_agree_with_going_through_all_pairs_of_pages() -> None:
    draw = np.random.default_rng(2)
    likely, place = draw.random(200), draw.integers(0, 30, 200).astype(np.uint64)
    mean = sum(likely) / 200
    for page, ratio in enumerate(place_ratio(likely, place)):
        others = [likely[o] for o in range(200) if place[o] == place[page] and o != page]
        assert ratio == pytest.approx(odds((sum(others) + 2 * mean) / (len(others) + 2)) - odds(mean))


# --- all together

MARKS = Marks(2.0, 2.0, -5.0, 0.1)


def weighed(n_math: int, n_other: int, place_of: Callable[[int], int] = lambda page: page // 10) -> Weighed:
    """Pages of mathematics, then others; scores that overlap, ten pages a place."""
    draw = np.random.default_rng(3)
    formulas = np.concatenate([draw.poisson(20, n_math), draw.poisson(0.2, n_other)]).astype(np.float64)
    commands = np.concatenate([draw.poisson(8, n_math), draw.poisson(0.05, n_other)]).astype(np.float64)
    score = 1 / (1 + np.exp(-np.concatenate([draw.normal(2, 1.5, n_math), draw.normal(-2, 1.5, n_other)])))
    place = np.array([place_of(page) for page in range(n_math + n_other)], np.uint64)
    return weigh(MARKS.ratio(formulas, commands), score, place)


def test_what_is_sought_is_told_from_the_rest_and_counted() -> None:
    found = weighed(100, 900)
    assert found.posterior[:100].min() > 0.8
    assert found.posterior[100:].max() < 0.2
    assert found.prevalence == pytest.approx(0.1, abs=0.01)
    assert found.n_sought == pytest.approx(100, abs=20)


def test_a_pool_without_it_gets_next_to_no_posterior() -> None:
    found = weighed(0, 1_000)
    assert found.posterior.sum() < 1
    assert found.posterior.max() < 0.5


def test_a_pool_of_nothing_else_is_taken_whole() -> None:
    assert weighed(1_000, 0).posterior.min() > 0.9


def test_one_place_of_nine_tenths_of_the_pages_drowns_nothing() -> None:
    found = weighed(50, 950, place_of=lambda page: 0 if page >= 100 else 1 + page // 10)
    assert found.posterior[:50].min() > 0.5 > found.posterior[50:].max()


def test_a_page_without_a_score_has_no_posterior_and_moves_no_other() -> None:
    marks, score = array(3, -2, 2, -3, 5), array(0.9, 0.1, 0.8, 0.2, math.nan)
    place = np.array([1, 2, 1, 2, 1], np.uint64)
    found, without = weigh(marks, score, place), weigh(marks[:4], score[:4], place[:4])
    assert np.isnan([found.posterior[4], found.word_ratio[4], found.place_ratio[4]]).all()
    assert found.posterior[:4].tolist() == without.posterior.tolist()


@pytest.mark.parametrize("n", [0, 3])
def test_a_pool_without_a_score_has_no_posterior_at_all(n: int) -> None:
    found = weigh(np.zeros(n), np.full(n, math.nan), np.zeros(n, np.uint64))
    assert np.isnan(found.posterior).all()
    assert (found.n_sought, found.prevalence) == (0, LEAST)


def test_what_is_sought_is_counted_by_how_far_marks_and_words_find_the_same() -> None:
    # Four pages by both, two by the marks alone, one by the words alone: 7 * 6 / 5 - 1.
    marks = array(*[6] * 6, *[-6] * 14)
    score = array(*[0.99] * 4, *[0.01] * 2, 0.99, *[0.01] * 13)
    assert weigh(marks, score, np.arange(20, dtype=np.uint64)).n_sought == pytest.approx(7 * 6 / 5 - 1)
