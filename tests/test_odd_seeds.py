"""What a loop with evidence makes of poor seeds and lopsided pools."""

import random
from pathlib import Path

import pytest
from conftest import KITCHEN, sentences
from test_weighing import MANY_HELD_OUT, looped, mathematics, pages, rows, seed_of, settings_of, urls_of

from corpus import summary
from corpus.workspace import Workspace


def found(workspace: Workspace, number: int) -> tuple[float, float]:
    """(precision, recall) of a round; hosts of mathematics begin with an m."""
    urls = urls_of(workspace)
    collected = [urls[row["page_id"]] for row in rows(workspace, number, "recalled/recalled")]
    n_right = sum(url.startswith("http://m") for url in collected)
    return n_right / len(collected), n_right / sum(url.startswith("http://m") for url in urls.values())


def test_a_seed_of_which_half_is_noise_costs_no_recall_and_little_precision(tmp_path: Path) -> None:
    draw = random.Random(19)
    noise = [sentences(KITCHEN, draw, 8) for _ in range(30)]
    workspace, _ = looped(tmp_path, settings_of(tmp_path, pages(40, 160), [*seed_of(30), *noise], **MANY_HELD_OUT), 2)
    precision, recall = found(workspace, 2)
    assert recall == 1.0
    assert precision >= 0.8


def test_twenty_documents_are_seed_enough(tmp_path: Path) -> None:
    workspace, _ = looped(tmp_path, settings_of(tmp_path, pages(40, 160), seed_of(20), **MANY_HELD_OUT), 2)
    precision, recall = found(workspace, 2)
    assert recall == 1.0
    assert precision >= 0.8


def test_a_domain_of_nine_tenths_of_the_pages_is_not_taken_for_what_a_tenth_of_it_is(tmp_path: Path) -> None:
    """Its directories are places of their own; its few pages of mathematics are found among the others."""
    draw = random.Random(23)
    others = pages(8, 24)
    whole = [
        {
            "url": f"http://{'m' if n % 10 == 0 else 'k'}.giant.example/{n % 20}/{n}.html",
            "text": mathematics(draw) if n % 10 == 0 else sentences(KITCHEN, draw, 8),
        }
        for n in range(288)
    ]
    workspace, summaries = looped(tmp_path, settings_of(tmp_path, [*others, *whole], seed_of(30), **MANY_HELD_OUT), 2)
    precision, recall = found(workspace, 2)
    assert precision >= 0.85
    assert recall >= 0.95
    assert summaries[-1]["n_pool"] == 320


def test_a_round_that_drifts_says_so_and_with_the_setting_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "MAX_EXPANDED", -1.0)  # any round after the first has taken in too many
    for on_drift, n_rounds in ((False, 3), (True, 2)):
        root = tmp_path / str(on_drift)
        stop = {"on_drift": on_drift}
        _, told = looped(root, settings_of(root, pages(40, 160), seed_of(30), stop=stop, **MANY_HELD_OUT), 3)
        assert [bool(row["drift"]) for row in told] == [False, True, True][:n_rounds]
