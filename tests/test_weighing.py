"""Rounds that rank by evidence, on small crawls of pages with and without formulas."""

import json
import random
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import CLASSIFIER, KITCHEN, MATHEMATICS, digests, sentences
from test_seeds import write_warc

from corpus import render
from corpus.config import Settings, parse_settings, write_settings
from corpus.errors import InputError, StageError, TrainingError
from corpus.evidence import PLACE_WEIGHT, WORDS_WEIGHT, log_odds
from corpus.iterate import iterate
from corpus.query import run_query
from corpus.status import status
from corpus.workspace import Workspace
from pipelines.fanout import fan_out_by
from pipelines.ingest import ingest
from pipelines.score import score

COMMANDS = ("alpha", "frac", "sum", "int", "beta", "to", "leq", "infty", "partial", "sqrt")
Row = dict[str, Any]


def mathematics(draw: random.Random) -> str:
    formulas = [
        rf"\(\{draw.choice(COMMANDS)}{{x}} + \{draw.choice(COMMANDS)}{{y}}_{n}\)" for n in range(draw.randint(4, 30))
    ]
    return sentences(MATHEMATICS, draw, 8) + " " + " ".join(formulas)


def kitchen(draw: random.Random) -> str:
    return sentences(KITCHEN, draw, 8) + (r" Half a spoon: \(x\)." if draw.random() < 0.1 else "")


def pages(n_math: int, n_other: int) -> list[dict[str, str]]:
    """Eight pages a host."""
    draw = random.Random(11)
    texts = [mathematics(draw) for _ in range(n_math)] + [kitchen(draw) for _ in range(n_other)]
    kinds = ["m"] * n_math + ["k"] * n_other
    return [
        {"url": f"http://{kind}{n // 8}.example/notes/{n}.html", "text": text}
        for n, (kind, text) in enumerate(zip(kinds, texts, strict=True))
    ]


def settings_of(
    root: Path, crawl: Sequence[dict[str, str]], seed: Sequence[str], **changes: dict[str, Any]
) -> Settings:
    root.mkdir(parents=True, exist_ok=True)
    for number in range(2):
        write_warc(root / f"crawl-{number}.warc.gz", crawl[number::2])
    rows = [{"url": f"http://seed{n}.example/", "text": text} for n, text in enumerate(seed)]
    (root / "seed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    raw: dict[str, dict[str, Any]] = {
        "pool": {"warcs": [str(root / "crawl-*.warc.gz")]},
        "seed": {"paths": [str(root / "seed.jsonl")]},
        "unique": {"near": False},
        "classifier": CLASSIFIER | {"min_count": 1, "epoch": 25, "held_out": 0.2},
        "stop": {"already_collected": 1.0},
        "run": {"workers": 1},
    }
    for name, values in changes.items():
        raw[name] = raw.get(name, {}) | values
    settings = parse_settings({"preset": "sample", **raw}, source="a test", base=root)
    write_settings(root / "corpus.toml", settings)
    return settings


# So many that hosts of mathematics are among them.
MANY_HELD_OUT = {"classifier": {"held_out": 0.4}}


def looped(root: Path, settings: Settings, n_rounds: int) -> tuple[Workspace, list[Row]]:
    workspace = Workspace(root)
    fan_out = fan_out_by(settings.run, workspace)
    ingest(workspace, settings, fan_out)
    return workspace, iterate(workspace, settings, n_rounds, partial(score, fan_out=fan_out))


def seed_of(n: int) -> list[str]:
    draw = random.Random(13)
    return [mathematics(draw) for _ in range(n)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[Row]]:
    """Two rounds over 40 pages of mathematics and 160 others."""
    root = tmp_path_factory.mktemp("evidence")
    return looped(root, settings_of(root, pages(40, 160), seed_of(30), **MANY_HELD_OUT), 2)


def rows(workspace: Workspace, number: int, table: str) -> list[Row]:
    found: list[Row] = pq.read_table(workspace.root / "rounds" / f"{number:02d}" / f"{table}.parquet").to_pylist()
    return found


def urls_of(workspace: Workspace) -> dict[str, str]:
    pool = [pq.read_table(path).to_pylist() for path in sorted((workspace.root / "pool/parts").glob("part-*"))]
    return {row["page_id"]: row["url"] for part in pool for row in part}


def test_the_mathematics_is_collected_and_little_else(built: tuple[Workspace, list[Row]]) -> None:
    workspace, summaries = built
    urls = urls_of(workspace)
    for number in (1, 2):
        collected = [urls[row["page_id"]] for row in rows(workspace, number, "recalled/recalled")]
        found = sum(url.startswith("http://m") for url in collected)
        assert found == 40
        assert found / len(collected) >= 0.85
    assert [row["round"] for row in summaries] == [1, 2]


def test_every_page_has_its_evidence_and_the_posterior_is_that_of_the_sum(built: tuple[Workspace, list[Row]]) -> None:
    workspace, _ = built
    evidence = rows(workspace, 1, "evidence/evidence")
    assert [row["page_id"] for row in evidence] == sorted(urls_of(workspace))
    prior = log_odds(_array(workspace.manifest("rounds/01/evidence").counts["prevalence"]))[0]  # type: ignore[union-attr]
    for row in evidence:
        ratio = row["marks"] + WORDS_WEIGHT * row["words"] + PLACE_WEIGHT * row["place"]
        if abs(ratio) < 13:
            assert log_odds(_array(row["posterior"]), 0)[0] == pytest.approx(prior + ratio, abs=1e-6)


def _array(value: float) -> Any:
    return np.array([value])


def test_pages_stand_in_the_light_of_their_host_and_directory(built: tuple[Workspace, list[Row]]) -> None:
    workspace, _ = built
    urls = urls_of(workspace)
    for row in rows(workspace, 1, "evidence/evidence"):
        assert (row["place"] > 0) is urls[row["page_id"]].startswith("http://m")


def test_a_round_keeps_the_longest_head_whose_mean_posterior_is_the_wanted_precision(
    built: tuple[Workspace, list[Row]],
) -> None:
    workspace, summaries = built
    for number in (1, 2):
        evidence = rows(workspace, number, "evidence/evidence")
        ranked = sorted(evidence, key=lambda row: (-row["posterior"], row["page_id"]))
        total, head = 0.0, 0
        for rank, row in enumerate(ranked, start=1):
            total += row["posterior"]
            if total / rank >= 0.9:
                head = rank
        recalled = rows(workspace, number, "recalled/recalled")
        assert [row["page_id"] for row in recalled] == [row["page_id"] for row in ranked[:head]]
        assert [row["posterior"] for row in recalled] == [row["posterior"] for row in ranked[:head]]
        said = summaries[number - 1]
        assert said["estimated_precision"] == pytest.approx(sum(row["posterior"] for row in recalled) / head)
        assert said["estimated_precision"] >= 0.9
        assert 0.8 <= said["estimated_recall"] <= 1
        assert said["cut_score"] == pytest.approx(recalled[-1]["posterior"])


def test_likely_pages_are_no_negatives_to_train_on_and_stay_among_the_held_out(
    built: tuple[Workspace, list[Row]],
) -> None:
    workspace, _ = built
    for number in (1, 2):
        negatives = rows(workspace, number, "seed/negatives")
        trained = [row["url"] for row in negatives if not row["held_out"]]
        assert trained
        assert not [url for url in trained if url.startswith("http://m")]
        assert [row for row in negatives if row["held_out"] and row["url"].startswith("http://m")]


def test_what_random_negatives_hold_of_what_is_sought_is_told_before_and_after_the_likely_ones_leave(
    built: tuple[Workspace, list[Row]],
) -> None:
    workspace, summaries = built
    for number, said in enumerate(summaries, start=1):
        posterior = {row["page_id"]: row["posterior"] for row in rows(workspace, number, "evidence/evidence")}
        trained = [row["doc_id"] for row in rows(workspace, number, "seed/negatives") if not row["held_out"]]
        assert said["contamination"] == pytest.approx(np.mean([posterior[page] for page in trained]))
        assert said["contamination"] < 0.05 < said["prevalence"]
        assert said["prevalence"] == pytest.approx(0.2, abs=0.06)  # 40 of 200 pages


def test_likely_pages_of_a_round_are_positives_of_the_next(built: tuple[Workspace, list[Row]]) -> None:
    workspace, _ = built
    likely = {row["page_id"] for row in rows(workspace, 1, "evidence/evidence") if row["posterior"] >= 0.5}
    joined = [row for row in rows(workspace, 2, "seed/positives") if row["source"] == "found"]
    assert joined
    assert {row["doc_id"] for row in joined} <= likely
    assert not any(row["held_out"] for row in joined)
    held = {row["domain"] for row in rows(workspace, 2, "seed/negatives") if row["held_out"]}
    assert {row["domain"] for row in rows(workspace, 2, "seed/positives") if not row["held_out"]}.isdisjoint(held)
    assert not [row for row in rows(workspace, 1, "seed/positives") if row["source"] == "found"]


def test_evidence_is_a_view_and_its_estimates_are_told(built: tuple[Workspace, list[Row]]) -> None:
    workspace, _ = built
    counted = run_query(workspace, "SELECT round, count(posterior) AS n FROM evidence GROUP BY round ORDER BY round")
    assert counted.to_pylist() == [{"round": 1, "n": 200}, {"round": 2, "n": 200}]
    assert run_query(workspace, "SELECT n_seed, n_pool FROM marks").to_pylist() == [{"n_seed": 30, "n_pool": 200}]
    told = status(workspace)
    assert told["stale"] == []
    assert told["rounds"][0]["estimated_precision"] >= 0.9


def test_status_tells_that_evidence_was_lost(built: tuple[Workspace, list[Row]], tmp_path: Path) -> None:
    shutil.copytree(built[0].root, tmp_path / "copy")
    for lost in ("marks/marks.parquet", "rounds/02/evidence/evidence.parquet"):
        (tmp_path / "copy" / lost).unlink()
    assert {"marks", "rounds/02/evidence"} <= set(status(Workspace(tmp_path / "copy"))["stale"])


def test_evidence_of_which_a_round_makes_no_use_any_more_is_not_told_of_as_stale(
    built: tuple[Workspace, list[Row]], tmp_path: Path
) -> None:
    shutil.copytree(built[0].root, tmp_path, dirs_exist_ok=True)
    settings = settings_of(
        tmp_path, pages(40, 160), seed_of(30), scoring={"evidence": False}, recall={"keep_share": 0.2}
    )
    workspace, _ = looped(tmp_path, settings, 2)
    assert workspace.manifest("rounds/02/evidence") is not None
    assert status(workspace)["stale"] == []


def test_the_bytes_are_the_same_with_two_workers(built: tuple[Workspace, list[Row]], tmp_path: Path) -> None:
    settings = settings_of(tmp_path, pages(40, 160), seed_of(30), run={"workers": 2}, **MANY_HELD_OUT)
    workspace, _ = looped(tmp_path, settings, 2)
    again, first = digests(workspace.root), digests(built[0].root)
    assert {k: v for k, v in again.items() if not k.startswith("crawl")} == {
        k: v for k, v in first.items() if not k.startswith("crawl")
    }


def test_without_evidence_the_recipe_is_the_papers(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path, pages(16, 64), seed_of(12), scoring={"evidence": False}, recall={"keep_share": 0.2}
    )
    workspace, (row,) = looped(tmp_path, settings, 1)
    assert not (tmp_path / "marks").exists() and not (tmp_path / "rounds/01/evidence").exists()
    recalled = rows(workspace, 1, "recalled/recalled")
    assert {page["posterior"] for page in recalled} == {None}
    assert [page["score"] for page in recalled] == sorted((page["score"] for page in recalled), reverse=True)
    assert row["estimated_precision"] is row["estimated_recall"] is None
    assert row["prevalence"] is row["contamination"] is None


def test_a_precision_without_a_prevalence_is_not_shown_for_one_of_the_pool(
    built: tuple[Workspace, list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    _, summaries = built
    note = "precision is as if half of the pool were sought"
    for prevalence, is_said in ((0.2, False), (None, True)):
        render.rounds([{**summaries[0], "prevalence": prevalence}])
        assert (note in capsys.readouterr().out) is is_said


def test_a_pool_without_mathematics_ends_in_an_error_that_says_so(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, pages(0, 160), seed_of(30))
    with pytest.raises(StageError, match=r"collected nothing of 160 pages.*the pool holds nothing of what the seed"):
        looped(tmp_path, settings, 1)


def test_of_a_pool_of_nothing_but_mathematics_all_that_has_formulas_is_collected(tmp_path: Path) -> None:
    draw = random.Random(17)
    bare = [{"url": f"http://b{n // 4}.example/{n}", "text": sentences(MATHEMATICS, draw, 8)} for n in range(16)]
    workspace, _ = looped(tmp_path, settings_of(tmp_path, pages(80, 0) + bare, seed_of(30)), 1)
    urls = urls_of(workspace)
    collected = {urls[row["page_id"]] for row in rows(workspace, 1, "recalled/recalled")}
    assert {page["url"] for page in pages(80, 0)} <= collected


def test_a_pool_without_one_page_unlike_the_seed_asks_for_negatives(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no negatives to train on are left.*negatives\.paths"):
        looped(tmp_path, settings_of(tmp_path, pages(48, 0), seed_of(30)), 1)


def test_a_seed_without_formulas_is_refused_with_the_setting_to_change(tmp_path: Path) -> None:
    draw = random.Random(1)
    settings = settings_of(tmp_path, pages(8, 40), [kitchen(draw).split(" Half")[0] for _ in range(12)])
    with pytest.raises(InputError, match=r"0% of the seed's 12 documents hold formulas.*evidence = false"):
        looped(tmp_path, settings, 1)


def test_a_seed_whose_pages_are_in_the_pool_is_known_by_the_marks_that_they_have_there(tmp_path: Path) -> None:
    crawl = pages(24, 80)
    settings = settings_of(tmp_path, crawl, [])
    given = [{"url": page["url"], "text": sentences(MATHEMATICS, random.Random(3), 8)} for page in crawl[:12]]
    (tmp_path / "seed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given))
    workspace, _ = looped(tmp_path, settings, 0)
    assert {row["n_formulas"] for row in pq.read_table(tmp_path / "seed/positives.parquet").to_pylist()} == {0}
    (marks,) = pq.read_table(workspace.root / "marks/marks.parquet").to_pylist()
    assert marks["n_seed"] == 12 and marks["formulas"] > 0
