"""Labels against workspaces written by hand, and against a reference that follows each page by itself."""

import json
import math
from collections.abc import Sequence
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import schema
from corpus.errors import InputError, WorkspaceError
from corpus.evaluate import Found, Measured, Round, evaluate
from corpus.urls import canonical_url, page_id
from corpus.workspace import Workspace

Chain = dict[str, str]  # removed page -> page kept in its place


def url(name: str) -> str:
    return f"http://{name}.example/"


def identifier(name: str) -> str:
    return page_id(canonical_url(url(name)))


def commit(workspace: Workspace, stage: str, tables: dict[str, tuple[pa.Schema, list[dict[str, Any]]]]) -> None:
    def build(directory: Path) -> dict[str, object]:
        for name, (columns, rows) in tables.items():
            pq.write_table(pa.Table.from_pylist(rows, schema=columns), directory / name)
        return {}

    workspace.run(stage, build, settings={"of": stage})


def removed(chain: Chain) -> tuple[pa.Schema, list[dict[str, Any]]]:
    rows = [{"page_id": identifier(a), "kept_id": identifier(b), "kind": "near"} for a, b in chain.items()]
    return schema.REMOVED, rows


def make(
    root: Path,
    *,
    kept: Sequence[str],
    pool_removed: Chain,
    rounds: Sequence[tuple[dict[str, float | None], Sequence[str]]],
    finish_removed: Chain | None = None,
    corpus: Sequence[str] | None = None,
) -> Workspace:
    """rounds: scores by page, and what was collected."""
    root.mkdir()
    (root / "corpus.toml").write_text("")
    workspace = Workspace(root)
    ids = [
        {"page_id": identifier(name), "warc_filename": "a.warc.gz", "warc_record_offset": i}
        for i, name in enumerate(kept)
    ]
    commit(workspace, "pool/parts", {"part-00000.parquet": (schema.PAGE, ids)})
    commit(
        workspace, "pool/unique", {"kept-00000.parquet": (schema.KEPT, ids), "removed.parquet": removed(pool_removed)}
    )
    for number, (scores, collected) in enumerate(rounds, 1):
        scored = [{"page_id": identifier(name), "score": score} for name, score in scores.items()]
        commit(workspace, f"rounds/{number:02d}/scores", {"part-00000.parquet": (schema.SCORE, scored)})
        recalled = [{"page_id": identifier(name)} for name in collected]
        commit(workspace, f"rounds/{number:02d}/recalled", {"recalled.parquet": (schema.RECALLED, recalled)})
    if corpus is not None:
        commit(workspace, "finish/unique", {"removed.parquet": removed(finish_removed or {})})
        shard = [{"page_id": identifier(name)} for name in corpus]
        commit(workspace, "corpus", {"shard-00000.parquet": (schema.SHARD, shard)})
    return workspace


def write_labels(path: Path, lines: Sequence[tuple[str, str]], gold: frozenset[str] = frozenset()) -> Path:
    rows = [{"url": url(name), "label": label, **({"gold": True} if name in gold else {})} for name, label in lines]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def selection(measured: Round) -> Found:
    """A round without its number and its ranking."""
    return Found(**{field.name: getattr(measured, field.name) for field in fields(Found)})


@pytest.fixture
def small(tmp_path: Path) -> Workspace:
    """d stands for e, and a for b by way of c; round 2 collected a, d and g, the corpus lost d to a and g for good."""
    scores: dict[str, float | None] = {"a": 0.9, "d": 0.5, "f": 0.5, "g": 0.4, "h": None}
    return make(
        tmp_path / "ws",
        kept="adfgh",
        pool_removed={"e": "d", "b": "c", "c": "a"},
        rounds=[(scores, ""), (scores, "adg")],
        finish_removed={"d": "a"},
        corpus="a",
    )


MATH, NOT = "math", "not_math"


def test_a_worked_example(small: Workspace, tmp_path: Path) -> None:
    # Kept page of each label: a, b -> a; e -> d; f; g; h; z is not in the pool.
    lines = [("a", MATH), ("b", MATH), ("e", MATH), ("f", NOT), ("g", NOT), ("h", MATH), ("z", MATH)]
    result = evaluate(small, [write_labels(tmp_path / "l.jsonl", lines)]).all
    assert result.labels == Measured(n_math=5, n_not_math=2, n_math_in_pool=4, n_not_math_in_pool=2)
    first, second = result.rounds
    # Steps: 0.9 (2 of 2 math), 0.5 (3 of 4), 0.4 (3 of 5), no score (4 of 6).
    assert second.average_precision == pytest.approx(2 / 4 * 1 + 1 / 4 * 3 / 4 + 0 + 1 / 4 * 4 / 6)
    assert selection(second) == Found(3, 1, 1, precision=3 / 4, recall=3 / 4, recall_of_all=3 / 5)
    assert selection(first) == Found(0, 0, 4, precision=None, recall=0.0, recall_of_all=0.0)
    assert first.average_precision == second.average_precision
    # g was collected and is not in the corpus; e stands there as d, which stands there as a.
    assert result.corpus == Found(3, 0, 1, precision=1.0, recall=3 / 4, recall_of_all=3 / 5)


def test_gold_labels_are_measured_on_their_own_too(small: Workspace, tmp_path: Path) -> None:
    lines = [("a", MATH), ("f", NOT), ("g", NOT), ("h", MATH)]
    evaluation = evaluate(small, [write_labels(tmp_path / "l.jsonl", lines, gold=frozenset("gh"))])
    assert evaluation.gold is not None
    assert evaluation.gold.labels == Measured(1, 1, 1, 1)
    assert evaluation.gold.rounds[1].average_precision == 0.5
    assert selection(evaluation.gold.rounds[1]) == Found(0, 1, 1, precision=0.0, recall=0.0, recall_of_all=0.0)
    assert selection(evaluation.all.rounds[1]) == Found(1, 1, 1, precision=0.5, recall=0.5, recall_of_all=0.5)
    without = evaluate(small, [write_labels(tmp_path / "l.jsonl", lines)])
    assert without.gold is None
    assert without.all == evaluation.all


def test_labels_that_cannot_be_measured_are_counted_and_left_out(small: Workspace, tmp_path: Path) -> None:
    lines = [
        {"url": url("a"), "label": MATH},
        {"url": "HTTP://A.example:80/#top", "label": MATH},  # the same page, labelled alike
        {"url": url("d"), "label": MATH},
        {"url": url("d"), "label": NOT},  # conflicting
        {"url": url("f"), "label": "borderline"},
        {"url": url("g"), "label": "physics"},
        {"url": url("h"), "label": NOT},
        {"url": "mailto:x@example.org", "label": MATH},
    ]
    path = tmp_path / "l.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n")
    evaluation = evaluate(small, [path])
    assert evaluation.as_dict()["labels"] == {
        "n_lines": 8,
        "n_invalid_urls": 1,
        "n_pages": 5,
        "n_math": 1,
        "n_not_math": 1,
        "n_borderline": 1,
        "n_other": 1,
        "n_conflicting": 1,
    }
    assert (evaluation.all.labels.n_math, evaluation.all.labels.n_not_math) == (1, 1)
    assert selection(evaluation.all.rounds[1]) == Found(1, 0, 0, precision=1.0, recall=1.0, recall_of_all=1.0)


def test_labels_of_two_files_are_one_set(small: Workspace, tmp_path: Path) -> None:
    one = write_labels(tmp_path / "1.jsonl", [("a", MATH), ("f", NOT)])
    two = write_labels(tmp_path / "2.jsonl", [("a", NOT), ("g", NOT)])
    evaluation = evaluate(small, [one, two])
    assert evaluation.labels.n_conflicting == 1
    assert (evaluation.all.labels.n_math, evaluation.all.labels.n_not_math) == (0, 2)
    assert evaluation == evaluate(small, [two, one])


def test_without_labelled_math_there_is_no_recall_and_no_average_precision(small: Workspace, tmp_path: Path) -> None:
    result = evaluate(small, [write_labels(tmp_path / "l.jsonl", [("a", NOT), ("z", MATH)])]).all
    assert result.rounds[1].average_precision is None
    assert selection(result.rounds[1]) == Found(0, 1, 0, precision=0.0, recall=None, recall_of_all=0.0)


def test_the_dictionary_is_plain_json(small: Workspace, tmp_path: Path) -> None:
    evaluation = evaluate(small, [write_labels(tmp_path / "l.jsonl", [("a", MATH), ("f", NOT)], frozenset("a"))])
    assert json.loads(json.dumps(evaluation.as_dict(), allow_nan=False))["all"]["rounds"][1]["round"] == 2


def test_a_chain_that_runs_in_a_circle_ends_outside_the_pool(tmp_path: Path) -> None:
    workspace = make(tmp_path / "ws", kept="a", pool_removed={"x": "y", "y": "x", "a": "a"}, rounds=[({"a": 0.5}, "a")])
    result = evaluate(workspace, [write_labels(tmp_path / "l.jsonl", [("x", MATH), ("a", MATH)])]).all
    assert (result.labels.n_math, result.labels.n_math_in_pool) == (2, 1)
    assert selection(result.rounds[0]) == Found(1, 0, 0, precision=1.0, recall=1.0, recall_of_all=0.5)
    assert result.corpus is None


def test_a_kept_page_stands_for_itself_even_where_another_capture_of_it_was_removed(tmp_path: Path) -> None:
    workspace = make(
        tmp_path / "ws", kept="ab", pool_removed={"b": "a"}, rounds=[({"a": 0.5, "b": 0.4}, "a")], corpus="a"
    )
    result = evaluate(workspace, [write_labels(tmp_path / "l.jsonl", [("b", MATH)])]).all
    assert result.rounds[0].n_true == 0
    assert result.corpus is not None
    assert result.corpus.n_true == 0


def test_before_the_first_collection_there_is_nothing_to_evaluate(tmp_path: Path) -> None:
    workspace = make(tmp_path / "ws", kept="a", pool_removed={}, rounds=[])
    with pytest.raises(WorkspaceError, match="no round has collected pages yet"):
        evaluate(workspace, [write_labels(tmp_path / "l.jsonl", [("a", MATH)])])


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "3", '{"url": "http://a.example/"}', '{"label": "math"}', '{"url": 1, "label": "math"}', "[" * 100_000],
)
def test_a_broken_label_is_an_error_that_names_file_and_line(line: str, small: Workspace, tmp_path: Path) -> None:
    path = write_labels(tmp_path / "labels.jsonl", [("a", MATH)])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match=r"labels\.jsonl, line 2: "):
        evaluate(small, [path])


def test_a_label_file_that_is_missing_empty_or_binary_is_an_error(small: Workspace, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl cannot be read"):
        evaluate(small, [tmp_path / "none.jsonl"])
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(InputError, match=r"empty\.jsonl: holds no label"):
        evaluate(small, [tmp_path / "empty.jsonl"])
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"binary\.jsonl cannot be read"):
        evaluate(small, [tmp_path / "binary.jsonl"])


# --- agreement with a reference that is slow and obvious


def follow(name: str, chain: Chain, ends: set[str]) -> str | None:
    while name not in ends:
        if name not in chain:
            return None
        name = chain[name]
    return name


def stepwise(pairs: list[tuple[float, bool]]) -> float | None:
    """Average precision by walking down the distinct scores."""
    total = sum(positive for _, positive in pairs)
    if not total:
        return None
    seen = hits = 0
    area = 0.0
    for _, step in groupby(sorted(pairs, key=lambda pair: -pair[0]), key=lambda pair: pair[0]):
        flags = [positive for _, positive in step]
        seen, hits = seen + len(flags), hits + sum(flags)
        area += sum(flags) / total * hits / seen
    return area


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_following_every_page_by_hand(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    names = [f"p{i}" for i in range(60)]
    order = list(random.permutation(names))
    kept = sorted(order[:30])
    # Each removed page points at one before it: chains, and some that end nowhere.
    pool_chain = {order[i]: order[int(random.integers(0, i))] for i in range(30, 55)}
    scores = {name: None if random.random() < 0.2 else float(random.integers(0, 5)) / 4 for name in kept}
    first = sorted(random.choice(kept, 10, replace=False))
    collected = sorted(random.choice(kept, 15, replace=False))
    corpus = collected[:6]
    finish_chain = {name: collected[int(random.integers(0, i + 6))] for i, name in enumerate(collected[6:12])}
    workspace = make(
        tmp_path / "ws",
        kept=kept,
        pool_removed=pool_chain,
        rounds=[(dict.fromkeys(kept, 0.5), first), (scores, collected)],
        finish_removed=finish_chain,
        corpus=corpus,
    )
    labels = {name: MATH if random.random() < 0.4 else NOT for name in random.choice(names, 40, replace=False)}
    stands = {name: follow(name, pool_chain, set(kept)) for name in labels}
    in_pool = {name: page for name, page in stands.items() if page is not None}
    ranked = [
        (-math.inf if (score := scores[page]) is None else score, labels[name] == MATH)
        for name, page in in_pool.items()
    ]

    def found(selected: set[str]) -> Found:
        hits = sum(labels[name] == MATH for name in selected)
        total = sum(labels[name] == MATH for name in in_pool)
        everywhere = sum(label == MATH for label in labels.values())
        return Found(
            n_true=hits,
            n_false=len(selected) - hits,
            n_missed=total - hits,
            precision=hits / len(selected) if selected else None,
            recall=hits / total if total else None,
            recall_of_all=hits / everywhere,
        )

    result = evaluate(workspace, [write_labels(tmp_path / "l.jsonl", list(labels.items()))]).all
    assert [measured.round for measured in result.rounds] == [1, 2]
    assert result.rounds[0].average_precision == pytest.approx(stepwise([(0.5, positive) for _, positive in ranked]))
    assert result.rounds[1].average_precision == pytest.approx(stepwise(ranked))
    for measured, pages in zip(result.rounds, (first, collected), strict=True):
        assert selection(measured) == found({name for name, page in in_pool.items() if page in pages})
    ends = {name for name, page in in_pool.items() if follow(page, finish_chain, set(corpus)) is not None}
    assert result.corpus == found(ends)
    assert (result.labels.n_math_in_pool, result.labels.n_not_math_in_pool) == (
        sum(positive for _, positive in ranked),
        sum(not positive for _, positive in ranked),
    )
