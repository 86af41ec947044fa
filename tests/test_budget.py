"""Budget curves: from posteriors, from an audit, and where a round has neither."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from test_audit import N_COLLECTED, N_PAGES, commit, make, ranking
from test_audit_estimate import labelled

from corpus import schema
from corpus.audit_report import estimate
from corpus.budget import budget
from corpus.errors import InputError
from corpus.ranking import ranked
from corpus.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make(tmp_path / "ws")


def test_the_curve_follows_from_the_posteriors(workspace: Workspace) -> None:
    told = budget(workspace)
    chance, tokens = ranking(N_PAGES, N_COLLECTED).value, 100 + np.arange(N_PAGES) % 7
    assert told["evidence"] and [row["n_pages"] for row in told["depths"] if row["collected"]] == [N_COLLECTED]
    for row in told["depths"]:
        depth = row["n_pages"]
        assert row["n_tokens"] == tokens[:depth].sum()
        assert row["precision"] == pytest.approx(chance[:depth].mean())
        assert row["precision_tokens"] == pytest.approx(np.average(chance[:depth], weights=tokens[:depth]))
        assert row["recall"] == pytest.approx(chance[:depth].sum() / chance.sum())
        assert row["margin"] == row["value"] == pytest.approx(chance[depth - 1])
    assert told["depths"][-1]["n_pages"] == N_PAGES


def test_a_budget_holds_the_longest_head_that_fits(workspace: Workspace) -> None:
    with ranked(workspace) as (found, _):
        pass
    depths: Sequence[int] = [found.depth_of_tokens(n) for n in (0, 99, 100, 200, 201, 302, 303, 10**9)]
    assert depths == [0, 0, 1, 1, 2, 2, 3, N_PAGES]


def test_an_audit_adds_its_own_estimates_at_the_same_depths(workspace: Workspace) -> None:
    path = labelled(workspace)
    audited = {row["n_pages"]: row for row in estimate(workspace, path)["depths"]}
    rows = budget(workspace, audit=path)["depths"]
    assert rows and all(row["pages"] == audited[row["n_pages"]]["pages"] for row in rows)
    assert all(row["precision"] is not None for row in rows)


def test_without_evidence_only_the_share_of_the_held_out_seed_is_told(tmp_path: Path) -> None:
    workspace = make(tmp_path / "ws", evidence=False)
    chance = ranking(N_PAGES, N_COLLECTED).value
    held_out = [{"doc_id": str(n), "positive": True, "score": float(chance[n])} for n in (0, 50, 500)]
    held_out += [{"doc_id": "none", "positive": True}, {"doc_id": "not", "positive": False, "score": 1.0}]
    commit(workspace, "rounds/01/model", "held_out.parquet", held_out, schema.HELD_OUT)
    told = budget(workspace)
    assert not told["evidence"] and "precision" not in told["depths"][0]
    shares = {row["n_pages"]: row["seed_found"] for row in told["depths"]}
    assert shares[N_COLLECTED] == pytest.approx(2 / 4) and shares[N_PAGES] == pytest.approx(3 / 4)
    assert "precision" in budget(workspace, audit=labelled(workspace))["depths"][0]["pages"]


def test_an_audit_of_another_round_is_refused(workspace: Workspace) -> None:
    path = labelled(workspace)
    for stage, name, columns in (
        ("scores", "part-00000.parquet", schema.SCORE),
        ("model", "held_out.parquet", schema.HELD_OUT),
        ("recalled", "recalled.parquet", schema.RECALLED),
    ):
        commit(workspace, f"rounds/02/{stage}", name, [{"page_id": "p0001", "score": 0.5}], columns, n_collected=1)
    with pytest.raises(InputError, match="is an audit of round 1: type corpus budget --round 1"):
        budget(workspace, audit=path)
