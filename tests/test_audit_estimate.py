"""Estimates from audits, against the truth of simulated ones; files that are half filled, or wrong."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_audit import N_COLLECTED, N_PAGES, cells_of, collect, make, ranking, rewrite

from corpus.audit import Stratum, design_of, sample
from corpus.audit_estimate import Interval, curves, interval, weights
from corpus.audit_report import estimate
from corpus.errors import InputError
from corpus.ranking import Ranking
from corpus.workspace import Workspace


def truth(page: str) -> bool:
    """The first 100 pages but every tenth; then every fortieth."""
    number = int(page[1:])
    return number % 10 != 0 if number < 100 else number % 40 == 0


def labelled(workspace: Workspace, n_pages: int = 300, label: Callable[[str], str] | None = None) -> Path:
    path = Path(sample(workspace, n_pages, path=workspace.root / "a.csv")["path"])
    named = label or (lambda page: "math" if truth(page) else "not_math")
    rewrite(path, [{**row, "label": named(row["page_id"])} for row in cells_of(path)])
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make(tmp_path / "ws")


# --- the statistics


def flat(value: list[float], n_tokens: list[float], n_collected: int = 1, evidence: bool = True) -> Ranking:
    return Ranking(1, evidence, np.array(value), np.array(n_tokens), n_collected, "f")


def test_a_pool_that_is_labelled_whole_is_known_exactly() -> None:
    positive = np.array([True, True, False, True, False, False])
    strata = [Stratum(0, 3, 0, 3), Stratum(3, 6, 1, 2)]
    pool = flat([0.9, 0.8, 0.7, 0.3, 0.2, 0.1], [1.0, 2, 3, 4, 5, 6])
    found = curves(pool, strata, np.arange(6), positive, np.arange(6) == 5, np.array([1, 3, 4, 6]))
    assert found["tokens"].precision[:, 0].tolist() == pytest.approx([1, 3 / 6, 7 / 10, 7 / 21])
    assert found["tokens"].recall[:, 0].tolist() == pytest.approx([1 / 7, 3 / 7, 1, 1])
    assert found["pages"].recall[:, 0].tolist() == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert np.ptp(found["tokens"].precision, axis=1).max() == pytest.approx(0)


def test_limits_are_rounded_outwards_to_thousandths() -> None:
    assert interval(np.linspace(0.12341, 0.12359, 100)) == Interval(pytest.approx(0.1235), 0.123, 0.124)


@pytest.mark.parametrize("evidence", [True, False])
def test_intervals_hold_the_truth_in_nearly_all_draws_though_the_posterior_is_wrong(evidence: bool) -> None:
    """Missed pages that no posterior tells of hide in the tail, and pages of the head are wrong."""
    pool = replace(ranking(3_000, 400, tokens=(50, 100, 400)), evidence=evidence)
    random = np.random.default_rng(3)
    positive = random.random(3_000) < np.clip(pool.value, 0.006, 0.96)
    design = design_of(pool, 300)
    depths = np.array([200, 380, 400, 450, 800])
    held: dict[tuple[str, str], Any] = {}
    width = 0.0
    for _ in range(60):
        drawn = [s.first + random.permutation(s.last - s.first)[: s.n_drawn] for s in design.strata]
        place = np.concatenate(drawn)
        found = curves(pool, design.strata, place, positive[place], np.isin(place, design.sure), depths)
        for by, weight in weights(pool).items():
            hits = np.cumsum(weight * positive)
            true = {"precision": (hits / np.cumsum(weight))[depths - 1], "recall": (hits / hits[-1])[depths - 1]}
            for number in range(len(depths)):
                for name, each in found[by].at(number).items():
                    counts = held.setdefault((by, name), np.zeros(len(depths)))
                    counts[number] += each.low <= true[name][number] <= each.high
                    width += each.high - each.low
    assert len(held) == 4 and min(counts.min() for counts in held.values()) >= 0.85 * 60
    assert np.mean(list(held.values())) >= 0.93 * 60
    assert width / (60 * 4 * len(depths)) < 0.15  # not by being empty talk


@pytest.mark.parametrize("evidence", [True, False])
def test_labels_outweigh_a_ranking_that_says_the_contrary(evidence: bool) -> None:
    pool = flat([0.99] * 1_000 + [0.01] * 1_000, [1.0] * 2_000, 1_000, evidence)
    place, strata = np.arange(0, 2_000, 10), [Stratum(0, 1_000, 0, 100), Stratum(1_000, 2_000, 0, 100)]
    found = curves(pool, strata, place, place >= 1_000, place < 0, np.array([1_000]))["pages"].at(0)
    assert found["precision"].high < 0.1 and found["recall"].high < 0.1


def test_a_sure_page_counts_for_itself_alone() -> None:
    """One long page is mathematics; of the others, drawn by chance, none is."""
    pool = flat([0.5] * 1_000, [10_000.0] + [10.0] * 999, 1_000)
    place = np.array([0, *range(1, 1_000, 10)])
    found = curves(pool, [Stratum(0, 1_000, 1, 100)], place, place == 0, place == 0, np.array([1_000]))
    assert found["pages"].at(0)["precision"].high < 0.05
    assert found["tokens"].at(0)["precision"].low >= 0.5 and found["tokens"].at(0)["precision"].high < 0.53


# --- the report


def test_estimates_lie_near_the_truth_and_the_rounds_own_depth_is_marked(workspace: Workspace) -> None:
    told = estimate(workspace, labelled(workspace))
    own = next(row for row in told["depths"] if row["collected"])
    assert own["n_pages"] == N_COLLECTED and (told["n_labelled"], told["n_unlabelled"]) == (300, 0)
    pages = [truth(f"p{n:04}") for n in range(N_PAGES)]
    precision, recall = sum(pages[:N_COLLECTED]) / N_COLLECTED, sum(pages[:N_COLLECTED]) / sum(pages)
    for by in ("pages", "tokens"):
        assert own[by]["precision"]["low"] <= precision <= own[by]["precision"]["high"]
        assert own[by]["recall"]["low"] <= recall <= own[by]["recall"]["high"]
    last = told["depths"][-1]
    assert last["n_pages"] == N_PAGES and last["pages"]["recall"]["estimate"] == pytest.approx(1)
    assert estimate(workspace, workspace.root / "a.csv") == told


def test_any_budget_of_pages_or_tokens_gets_its_row(workspace: Workspace) -> None:
    told = estimate(workspace, labelled(workspace), budgets=[20_000], pages=[77])
    rows = {row["n_pages"]: row for row in told["depths"]}
    assert 77 in rows
    assert any(row["n_tokens"] <= 20_000 < row["n_tokens"] + 107 for row in rows.values())
    with pytest.raises(InputError, match="a budget of 601 pages cannot be: the ranking has 600"):
        estimate(workspace, workspace.root / "a.csv", pages=[601])


def test_the_largest_budget_of_a_wanted_precision_is_found_by_estimate_and_by_its_lower_limit(
    workspace: Workspace,
) -> None:
    path = labelled(workspace)
    budgets = {(row["by"], row["limit"]): row for row in estimate(workspace, path, precision=0.8)["budgets"]}
    assert set(budgets) == {(by, limit) for by in ("pages", "tokens") for limit in ("estimate", "low")}
    assert 95 <= budgets["pages", "estimate"]["n_pages"] <= 125
    assert 0 < budgets["pages", "low"]["n_pages"] < budgets["pages", "estimate"]["n_pages"]
    depth = budgets["pages", "estimate"]["n_pages"]
    row = next(row for row in estimate(workspace, path, pages=[depth])["depths"] if row["n_pages"] == depth)
    assert row["pages"]["precision"]["estimate"] == pytest.approx(0.8, abs=0.03)
    assert {row["n_pages"] for row in estimate(workspace, path, precision=1.0)["budgets"]} == {0}


def test_blank_and_deleted_rows_count_as_not_drawn(workspace: Workspace) -> None:
    path = labelled(workspace)
    rows = cells_of(path)
    rewrite(path, [{**row, "label": row["label"] if n % 3 else ""} for n, row in enumerate(rows[:250])])
    told = estimate(workspace, path)
    assert (told["n_drawn"], told["n_labelled"], told["n_unlabelled"]) == (300, 166, 134)
    own = next(row for row in told["depths"] if row["collected"])
    assert own["pages"]["precision"]["low"] < 0.76 < own["pages"]["precision"]["high"]


def test_unsure_rows_count_as_not_drawn_and_both_ways_of_taking_them_are_told(workspace: Workspace) -> None:
    path = labelled(
        workspace, label=lambda page: "unsure" if int(page[1:]) % 7 == 0 else "math" if truth(page) else "not_math"
    )
    told = estimate(workspace, path)
    assert told["n_unsure"] > 20 and told["n_labelled"] + told["n_unsure"] == 300 and told["n_unlabelled"] == 0
    own = next(row for row in told["depths"] if row["collected"])["pages"]["precision"]["estimate"]
    taken = {label: told["unsure_as"][label]["pages"]["precision"]["estimate"] for label in ("math", "not_math")}
    assert taken["not_math"] < own < taken["math"]


def test_who_labelled_is_counted(workspace: Workspace) -> None:
    path = labelled(workspace)
    rewrite(path, [{**row, "by": "a-model" if n < 100 else ""} for n, row in enumerate(cells_of(path))])
    assert estimate(workspace, path)["by"] == {"a person": 200, "a-model": 100}


def test_a_stratum_without_a_label_is_refused_with_the_lines_to_fill(workspace: Workspace) -> None:
    path = labelled(workspace)
    rows = [{**row, "label": "" if row["stratum"] == "5" else row["label"]} for row in cells_of(path)]
    rewrite(path, rows)
    lines = [number for number, row in enumerate(rows, start=2) if row["stratum"] == "5"]
    with pytest.raises(
        InputError, match=f"no page of ranks .* is labelled.*: label at least one of lines {lines[0]}, {lines[1]}"
    ):
        estimate(workspace, path)
    rewrite(path, [{**row, "label": row["label"] or "unsure"} for row in rows])
    with pytest.raises(InputError, match=f"label at least one of lines {lines[0]}, {lines[1]}"):
        estimate(workspace, path)
    rewrite(path, [row for row in rows if row["stratum"] != "5"])
    with pytest.raises(InputError, match="put its lines back"):
        estimate(workspace, path)


def changed(path: Path, line: int, **cells: str) -> None:
    rows = cells_of(path)
    rows[line - 2] |= cells
    rewrite(path, rows)


def test_a_page_that_was_not_drawn_is_named_by_its_line(workspace: Workspace) -> None:
    path = labelled(workspace, 60)
    drawn = {row["page_id"] for row in cells_of(path)}
    for page in (min({f"p{n:04}" for n in range(N_PAGES)} - drawn), "nowhere"):
        changed(path, 9, page_id=page)
        with pytest.raises(InputError, match=f"line 9: page '{page}' was not drawn for this audit of round 1"):
            estimate(workspace, path)


def test_a_round_that_was_ranked_anew_needs_a_new_audit(workspace: Workspace) -> None:
    path = labelled(workspace)
    make(workspace.root, scale=0.5)
    with pytest.raises(InputError, match="round 1 was ranked anew.*corpus audit sample --round 1"):
        estimate(workspace, path)


def test_an_audit_outlives_another_cut_of_the_same_ranking(workspace: Workspace) -> None:
    path = labelled(workspace)
    collect(workspace, 90)
    own = next(row for row in estimate(workspace, path)["depths"] if row["collected"])
    assert own["n_pages"] == 90 and own["pages"]["precision"]["low"] < 0.9 < own["pages"]["precision"]["high"]


WRONG_STRATA = '{"round": 1, "ranking": "x", "strata": [{"first": 0}], "pages": {}}'


@pytest.mark.parametrize(
    "broken",
    [None, "[1]", "{", '{"round": 1}', '{"round": "1", "ranking": "x", "strata": [], "pages": {}}', WRONG_STRATA],
)
def test_a_design_that_is_lost_or_none_is_said_so(workspace: Workspace, broken: str | None) -> None:
    path = labelled(workspace, 60)
    design: Any = path.with_suffix(".json")
    design.unlink() if broken is None else design.write_text(broken)
    with pytest.raises(InputError, match="is not there: it says how" if broken is None else "is no design of an audit"):
        estimate(workspace, path)
