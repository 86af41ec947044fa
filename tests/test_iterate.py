"""What a round collects, when the loop stops, and how it waits for a person: worked by hand."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Crawl

from corpus import schema
from corpus.config import Recall, Settings, Stop
from corpus.errors import AnnotationWanted, InputError, StageError
from corpus.iterate import iterate, why_last
from corpus.recall import recall
from corpus.workspace import Workspace
from pipelines.fanout import fan_out_by
from pipelines.ingest import ingest
from pipelines.score import score


def ranked(root: Path, scores: Mapping[str, float | None], tokens: Mapping[str, int], number: int = 1) -> Workspace:
    """A workspace with these pages, and a round's scores of them."""
    root.mkdir(exist_ok=True)
    (root / "corpus.toml").write_text("")
    workspace = Workspace(root)
    pages = [
        {"page_id": page, "warc_filename": "a.warc.gz", "warc_record_offset": place, "n_tokens": tokens[page]}
        for place, page in enumerate(scores)
    ]
    write(workspace.path("pool/parts") / "part-00000.parquet", pages, schema.PAGE)
    write(workspace.path("pool/unique") / "kept-00000.parquet", pages, schema.KEPT)
    scored = [{"page_id": page, "score": value} for page, value in scores.items()]
    write(workspace.path(workspace.round(number, "scores")) / "part-00000.parquet", scored, schema.SCORE)
    return workspace


def write(path: Path, rows: Sequence[Mapping[str, Any]], columns: pa.Schema) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.Table.from_pylist([{name: row.get(name) for name in columns.names} for row in rows], columns), path
    )


def collect(
    workspace: Workspace, number: int = 1, evidence: bool = False, **rule: Any
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """(rows of recalled.parquet, counts); the rows become the round's."""
    directory = workspace.path(workspace.round(number, "recalled"))
    directory.mkdir(parents=True, exist_ok=True)
    counts = recall(workspace, number, directory, Recall(**({"keep_tokens": ()} | rule)), evidence)
    return pq.read_table(directory / "recalled.parquet").to_pylist(), counts


SCORES = {"a": 0.5, "b": 0.9, "c": None, "d": 0.7, "e": 0.1}
TOKENS = {"a": 40, "b": 10, "c": 5, "d": 30, "e": 1}


@pytest.mark.parametrize(
    ("budget", "pages"),
    [
        (10, "b"),
        (39, "b"),
        (40, "bd"),
        (79, "bd"),  # a would pass it; e would fit, but lies behind a
        (80, "bda"),
        (81, "bdae"),
        (1_000, "bdae"),
    ],
)
def test_a_budget_keeps_the_longest_head_of_the_ranking_that_fits(tmp_path: Path, budget: int, pages: str) -> None:
    rows, counts = collect(ranked(tmp_path, SCORES, TOKENS), keep_tokens=(budget,))
    assert "".join(row["page_id"] for row in rows) == pages
    assert [row["rank"] for row in rows] == list(range(1, len(pages) + 1))
    assert counts["n_tokens"] == sum(TOKENS[page] for page in pages)
    assert (counts["n_pool"], counts["n_scored"], counts["n_collected"]) == (5, 4, len(pages))
    assert counts["cut_score"] == pytest.approx(SCORES[pages[-1]])


@pytest.mark.parametrize(("share", "pages"), [(0.25, "b"), (0.49, "b"), (0.5, "bd"), (1.0, "bdae")])
def test_keep_share_is_of_the_scored_pages(tmp_path: Path, share: float, pages: str) -> None:
    rows, _ = collect(ranked(tmp_path, SCORES, TOKENS), keep_share=share)
    assert "".join(row["page_id"] for row in rows) == pages


@pytest.mark.parametrize(("least", "pages"), [(0.0, "bdae"), (0.5, "bda"), (0.6, "bd"), (0.75, "b")])
def test_min_score_is_included(tmp_path: Path, least: float, pages: str) -> None:
    rows, _ = collect(ranked(tmp_path, SCORES, TOKENS), min_score=least)
    assert "".join(row["page_id"] for row in rows) == pages


@pytest.mark.parametrize(
    ("wanted", "pages"),
    [(0.97, "d"), (0.93, "de"), (0.9, "dea"), (0.7, "dea"), (0.69, "deab")],  # means .98, .94, .9, .6975
)
def test_a_precision_keeps_the_longest_head_whose_mean_posterior_is_no_less(
    tmp_path: Path, wanted: float, pages: str
) -> None:
    workspace = ranked(tmp_path, SCORES, TOKENS)
    posteriors = {"a": 0.82, "b": 0.09, "c": None, "d": 0.98, "e": 0.9}
    directory = workspace.path(workspace.round(1, "evidence"))
    write(
        directory / "evidence.parquet",
        [{"page_id": page, "posterior": chance} for page, chance in posteriors.items()],
        schema.EVIDENCE,
    )
    rows, counts = collect(workspace, evidence=True, precision=wanted)
    assert "".join(row["page_id"] for row in rows) == pages
    assert counts["cut_score"] == posteriors[pages[-1]]
    assert counts["likely"] == pytest.approx(sum(row["posterior"] for row in rows))


@pytest.mark.parametrize("rule", [{"keep_tokens": (10**9,)}, {"keep_share": 1.0}, {"min_score": 0.0}])
def test_a_page_without_a_score_is_never_collected(tmp_path: Path, rule: dict[str, Any]) -> None:
    rows, _ = collect(ranked(tmp_path, SCORES, TOKENS), **rule)
    assert {row["page_id"] for row in rows} == {"a", "b", "d", "e"}


def test_equal_scores_are_ranked_by_page_id(tmp_path: Path) -> None:
    scores = dict.fromkeys("hcaegbdf", 0.5)
    rows, _ = collect(ranked(tmp_path, scores, dict.fromkeys(scores, 10)), keep_tokens=(45,))
    assert [row["page_id"] for row in rows] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({"keep_tokens": (9,)}, "keep_tokens is 9"),
        ({"keep_share": 0.2}, "keep_share is 0.2"),
        ({"min_score": 0.95}, "min_score is 0.95"),
    ],
)
def test_a_round_that_collects_nothing_is_an_error_that_names_the_rule(
    tmp_path: Path, rule: dict[str, Any], named: str
) -> None:
    with pytest.raises(StageError, match=named):
        collect(ranked(tmp_path, SCORES, TOKENS), **rule)


def test_the_budget_of_a_round_is_its_own_and_the_last_one_repeats() -> None:
    rule = Recall(keep_tokens=(10, 40))
    assert [rule.budget(number) for number in (1, 2, 3, 4)] == [10, 40, 40, 40]


def test_a_later_round_tells_what_is_new_since_when_and_how_much_it_had_before(tmp_path: Path) -> None:
    workspace = ranked(tmp_path, SCORES, TOKENS)
    _, counts = collect(workspace, keep_tokens=(40,))  # b, d
    assert (counts["n_new"], counts["already_pages"], counts["already_tokens"]) == (2, None, None)
    ranked(tmp_path, {"a": 0.9, "b": 0.2, "c": None, "d": 0.8, "e": 0.1}, TOKENS, number=2)
    rows, counts = collect(workspace, 2, keep_tokens=(70,))
    assert [(row["page_id"], row["new"], row["first_round"]) for row in rows] == [("a", True, 2), ("d", False, 1)]
    assert (counts["n_new"], counts["already_pages"]) == (1, 0.5)
    assert counts["already_tokens"] == pytest.approx(30 / 70)
    # b is not new, but the round before did not have it.
    ranked(tmp_path, {"a": 0.9, "b": 0.8, "c": None, "d": 0.2, "e": 0.1}, TOKENS, number=3)
    rows, counts = collect(workspace, 3, keep_tokens=(50,))
    assert [(row["page_id"], row["new"], row["first_round"]) for row in rows] == [("a", False, 2), ("b", False, 1)]
    assert (counts["n_new"], counts["already_pages"], counts["already_tokens"]) == (0, 0.5, 0.8)


@pytest.mark.parametrize(
    ("pages", "tokens", "converged"),
    [(0.98, 0.98, True), (1.0, 0.99, True), (0.9799, 1.0, False), (1.0, 0.9799, False), (None, None, False)],
)
def test_the_loop_has_converged_at_98_percent_of_pages_and_of_tokens(
    pages: float | None, tokens: float | None, converged: bool
) -> None:
    row = {"already_pages": pages, "already_tokens": tokens, "drift": "it left"}
    assert bool(why_last(row, Stop())) is converged
    assert why_last(row, Stop(on_drift=True)) == why_last({**row, "already_pages": 0.1}, Stop(on_drift=True))
    assert re.search("it left.*corpus finish --round", str(why_last(row, Stop(on_drift=True))))


# --- the loop on a small crawl


def looped(crawl: Crawl, root: Path, n_rounds: int, **changes: Any) -> tuple[Workspace, list[dict[str, Any]]]:
    settings: Settings = crawl.settings_for(root, **({"run": {"workers": 1}} | changes))
    workspace = Workspace(root)
    fan_out = fan_out_by(settings.run, workspace)
    ingest(workspace, settings, fan_out)
    return workspace, iterate(workspace, settings, n_rounds, partial(score, fan_out=fan_out))


def test_the_loop_ends_early_when_a_round_found_what_the_one_before_had(tiny_crawl: Crawl, tmp_path: Path) -> None:
    everything = {"recall": {"keep_tokens": [1_000_000]}, "negatives": {"exclude_collected": False}}
    workspace, rows = looped(tiny_crawl, tmp_path, 4, **everything)
    assert [(row["round"], row["already_pages"]) for row in rows] == [(1, None), (2, 1.0)]
    assert workspace.rounds_done() == 2
    assert not workspace.path("rounds/03").exists()


def test_a_loop_that_still_finds_other_pages_runs_all_its_rounds(tiny_crawl: Crawl, tmp_path: Path) -> None:
    budgets = {"keep_tokens": [2_000, 5_000, 9_000]}
    _, rows = looped(tiny_crawl, tmp_path, 3, recall=budgets, stop={"already_collected": 0.98})
    assert [row["round"] for row in rows] == [1, 2, 3]
    assert all(row["n_new"] > 0 for row in rows)


def test_a_loop_without_a_seed_names_the_setting(tiny_crawl: Crawl, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="seed.paths is empty"):
        looped(tiny_crawl, tmp_path, 1, seed={"paths": []})


MANUAL = {"domains": {"confidence": 0.5, "annotate": "manual"}}


def lines_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {row["prefix"]: row for row in csv.DictReader(file)}


def decide(path: Path, decisions: Mapping[str, str]) -> None:
    rows = lines_of(path)
    for prefix, decision in decisions.items():
        rows[prefix]["decision"] = decision
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows["*"]))
        writer.writeheader()
        writer.writerows(rows.values())


def test_a_round_waits_for_a_person_and_goes_on_when_the_file_is_filled(tiny_crawl: Crawl, tmp_path: Path) -> None:
    path = tmp_path / "rounds" / "01" / "annotations.csv"
    with pytest.raises(AnnotationWanted) as wanted:
        looped(tiny_crawl, tmp_path, 2, **MANUAL)
    assert str(path) in str(wanted.value)
    assert f"corpus iterate 1 -w {tmp_path}" in str(wanted.value)
    assert wanted.value.exit_code == 3
    workspace = Workspace(tmp_path)
    assert workspace.rounds_done() == 0
    assert workspace.is_current("rounds/01/domains")

    decide(path, {"*": "reject"})
    with pytest.raises(AnnotationWanted, match="Round 2 waits"):
        looped(tiny_crawl, tmp_path, 2, **MANUAL)
    assert workspace.rounds_done() == 1
    assert decisions_of(workspace, 1) == dict.fromkeys(lines_of(path).keys() - {"*"}, ("reject", "person"))

    decide(workspace.annotations(2), {"*": "auto"})
    _, rows = looped(tiny_crawl, tmp_path, 2, **MANUAL)
    assert [row["round"] for row in rows] == [1, 2]


def decisions_of(workspace: Workspace, number: int) -> dict[str, tuple[str, str]]:
    table = pq.read_table(workspace.path(workspace.round(number, "expanded")) / "decisions.parquet")
    return {row["prefix"]: (row["decision"], row["by"]) for row in table.to_pylist()}


def test_a_persons_line_wins_over_the_rule_and_survives_reruns(tiny_crawl: Crawl, tmp_path: Path) -> None:
    workspace, _ = looped(tiny_crawl, tmp_path, 1)
    path = workspace.annotations(1)
    by_rule = decisions_of(workspace, 1)
    assert {by for _, by in by_rule.values()} == {"auto"}
    accepted = min(prefix for prefix, (decision, _) in by_rule.items() if decision == "accept")
    decide(path, {accepted: "reject"})
    looped(tiny_crawl, tmp_path, 1)
    assert decisions_of(workspace, 1) == by_rule | {accepted: ("reject", "person")}

    looped(tiny_crawl, tmp_path, 1, recall={"keep_tokens": [5_000]})  # every stage from here on is built again
    assert lines_of(path)[accepted]["decision"] == "reject"
    assert decisions_of(workspace, 1)[accepted] == ("reject", "person")


def test_the_command_line_ends_with_code_3_while_a_round_waits_and_with_0_afterwards(
    tiny_crawl: Crawl, tmp_path: Path
) -> None:
    tiny_crawl.settings_for(tmp_path, **MANUAL)
    command = [sys.executable, "-m", "corpus", "iterate", "1", "-w", str(tmp_path)]
    environment = {**os.environ, "COLUMNS": "80"}
    waiting = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    path = tmp_path / "rounds" / "01" / "annotations.csv"
    assert waiting.returncode == 3, waiting.stderr
    assert str(path) in waiting.stderr
    assert f"corpus iterate 1 -w {tmp_path}" in waiting.stderr
    decide(path, {"*": "auto"})
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
