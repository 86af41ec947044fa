"""Held-out measures against worked examples, and against what was planted."""

import numpy as np
import pytest

from corpus.held_out import HeldOut
from corpus.summary import drift


def planted(n_seed: int, n_pool: int, share: float, random_seed: int, domains: int = 40) -> HeldOut:
    """Seed and a pool of which `share` is like the seed; the value is the true posterior in the pool."""
    random = np.random.default_rng(random_seed)
    like = np.append(np.ones(n_seed, bool), random.random(n_pool) < share)
    score = random.normal(np.where(like, 1.0, -1.0), 1.0)
    odds = share / (1 - share) * np.exp(2 * score)  # ratio of the two densities
    return HeldOut(
        positive=np.append(np.ones(n_seed, bool), np.zeros(n_pool, bool)),
        value=odds / (1 + odds),
        domain=random.integers(0, domains, n_seed + n_pool),
        share=share,
        outside=False,
    )


def test_precision_recall_and_average_precision_of_a_worked_example() -> None:
    held = HeldOut(
        positive=np.array([True, True, False, False, False]),
        value=np.array([0.9, 0.2, 0.8, 0.1, np.nan]),
        domain=np.arange(5),
        share=None,
        outside=False,
    )
    found = held.measures(0.5)
    assert found["held_out_recall"] == 0.5
    assert found["held_out_precision"] == pytest.approx(0.5 / (0.5 + 1 / 3))
    # Cuts at .9 and at .2: precision 1, then 1 / (1 + 1/3), each for half of the seed.
    assert found["held_out_ap"] == pytest.approx((1 + 0.75) / 2)


def test_what_the_pool_holds_of_the_kind_sought_is_no_error() -> None:
    held = planted(4_000, 40_000, 0.1, 1)
    found = held.measures(0.5)
    right = 0.1 * float((held.value[held.positive] >= 0.5).mean())
    truth = right / float((held.value[~held.positive] >= 0.5).mean())
    assert found["held_out_precision"] == pytest.approx(truth)
    assert found["held_out_precision_low"] < truth < found["held_out_precision_high"]  # type: ignore[operator]


def test_given_negatives_are_errors_all_of_them() -> None:
    held = HeldOut(
        positive=np.array([True, True, False, False]),
        value=np.array([0.9, 0.9, 0.9, 0.1]),
        domain=np.arange(4),
        share=0.5,
        outside=True,
    )
    assert held.measures(0.5)["held_out_precision"] == pytest.approx(1 / 1.5)


def test_frequencies_agree_with_probabilities_that_are_true() -> None:
    rows = [row for row in planted(10_000, 50_000, 0.2, 2).reliability() if row["n_others"] >= 500]
    assert len(rows) >= 6
    for row in rows:
        assert row["frequency"] == pytest.approx(row["mean_posterior"], abs=0.06)


def test_frequencies_show_probabilities_that_are_too_high() -> None:
    true = planted(10_000, 50_000, 0.2, 3)
    boastful = HeldOut(true.positive, np.sqrt(true.value), true.domain, 0.2, False)
    middle = [row for row in boastful.reliability() if 0.2 <= row["low"] < 0.8]
    assert len(middle) == 3
    assert all(row["frequency_high"] < row["mean_posterior"] for row in middle)


def test_domains_are_drawn_whole() -> None:
    """Five domains of a hundred pages each err together: as wide an interval as of five pages."""
    positive = np.tile([True, False], 5)
    value, domain = np.repeat([0.9, 0.9, 0.1, 0.9, 0.1], 2), np.repeat(np.arange(5), 2)
    few = HeldOut(positive, value, domain, None, False).measures(0.5)
    many = HeldOut(*(np.repeat(each, 100) for each in (positive, value, domain)), None, False).measures(0.5)
    assert few == many
    assert few["held_out_recall"] == 0.6
    assert few["held_out_recall_low"] < 0.3 < 0.9 < few["held_out_recall_high"]  # type: ignore[operator]


def test_draws_that_all_agree_show_no_spread_and_give_no_interval() -> None:
    positive = np.tile([True, False], 8)
    found = HeldOut(positive, np.where(positive, 0.9, 0.1), np.arange(16), 0.2, True).measures(0.5)
    assert (found["held_out_recall"], found["held_out_recall_low"], found["held_out_recall_high"]) == (1.0, None, None)
    of_one_domain = HeldOut(positive, np.linspace(0, 1, 16), np.zeros(16, np.int64), 0.2, False).measures(0.5)
    values = {name: value for name, value in of_one_domain.items() if value is not None}
    assert sorted(values) == ["held_out_ap", "held_out_precision", "held_out_recall"]


def test_precision_is_unknown_where_no_page_of_the_pool_was_chosen() -> None:
    """Given negatives are errors all of them, so none of them chosen is no error; the pool holds what is sought."""
    positive = np.tile([True, False], 8)
    value = np.where(positive, 0.9, 0.1)
    for outside, precision in ((False, None), (True, 1.0)):
        assert HeldOut(positive, value, np.arange(16), 0.2, outside).measures(0.5)["held_out_precision"] == precision
    rows = {row["low"]: row for row in HeldOut(positive, value, np.arange(16), 0.2, False).reliability()}
    assert [(row["n_seed"], row["n_others"], row["frequency"]) for row in rows.values()] == [(0, 8, 0.0), (8, 0, None)]
    assert {row["frequency_low"] for row in rows.values()} == {None}


def test_without_a_class_nothing_is_measured() -> None:
    held = HeldOut(np.ones(3, bool), np.ones(3), np.arange(3), 0.1, False)
    assert set(held.measures(0.5).values()) == {None}


def row(precision: float, low: float, high: float, n_collected: int = 100) -> dict[str, float]:
    return {
        "held_out_precision": precision,
        "held_out_precision_low": low,
        "held_out_precision_high": high,
        "n_collected": n_collected,
    }


def test_a_round_drifts_when_held_out_precision_falls_by_more_than_its_interval() -> None:
    assert drift(row(0.6, 0.5, 0.7), row(0.9, 0.8, 0.95), 0) == (
        "held-out precision fell from 0.90 to 0.60, by more than its interval"
    )
    assert drift(row(0.6, 0.5, 0.81), row(0.9, 0.8, 0.95), 0) is None
    assert drift(row(0.95, 0.9, 1.0), row(0.6, 0.5, 0.7), 0) is None
    nothing = {"held_out_precision": None, "held_out_precision_low": None, "held_out_precision_high": None}
    assert drift(nothing, row(0.9, 0.8, 0.95), 0) is None


def test_where_draws_showed_no_spread_a_fall_is_held_against_the_value() -> None:
    sure = row(1.0, 1.0, 1.0) | {"held_out_precision_low": None, "held_out_precision_high": None}
    assert drift(row(0.63, 0.5, 0.8), sure, 0)
    assert drift(sure, row(0.63, 0.5, 0.8), 0) is None
    assert drift(row(0.97, 0.9, 1.0), sure, 0) is None


def test_a_round_drifts_when_prefixes_flood_its_seed() -> None:
    before = row(0.9, 0.8, 1.0, n_collected=100)
    assert drift(row(0.9, 0.8, 1.0), before, 50) is None
    assert drift(row(0.9, 0.8, 1.0), before, 51) == (
        "its seed took in 51 uncollected pages of prefixes; 100 were collected"
    )
