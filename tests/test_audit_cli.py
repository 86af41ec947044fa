"""The verbs audit and budget as their user sees them."""

import csv
import io
import json
from pathlib import Path

import pytest
from test_audit import N_COLLECTED, cells_of, make
from test_audit_estimate import labelled
from test_labeller import by_number, endpoint
from typer.testing import CliRunner

from corpus import cli
from corpus.audit_report import estimate
from corpus.budget import budget
from corpus.workspace import Workspace


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make(tmp_path / "ws")


def test_pages_are_drawn_labelled_by_an_endpoint_and_estimated(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    place = ["-w", workspace.root]
    assert json.loads(run("audit", "sample", "-n", 60, *place, "-o", path, "--json"))["n_pages"] == 60
    assert "may hold labels" in run("audit", "sample", "-n", 60, *place, "-o", path, code=1)
    with endpoint(by_number) as (url, _):
        assert "n_labelled  60" in run("audit", "label", path, "--endpoint", url, "--model", "m")
    assert {row["by"] for row in cells_of(path)} == {"m"}
    assert "round 1: 60 labels of 60 pages drawn" in run("audit", "estimate", path, *place)


def test_answers_that_are_no_label_end_with_exit_code_1(workspace: Workspace, tmp_path: Path) -> None:
    run("audit", "sample", "-n", 60, "-w", workspace.root, "-o", tmp_path / "a.csv")
    with endpoint(lambda n, _: (200, "well" if n == 1 else "math")) as (url, _):
        shown = run("audit", "label", tmp_path / "a.csv", "--endpoint", url, "--model", "m", code=1)
    assert "1 answers were none of the labels" in shown


def test_an_estimate_is_a_table_with_the_rounds_own_depth_marked_and_the_same_as_json(workspace: Workspace) -> None:
    path = labelled(
        workspace, label=lambda page: "unsure" if page < "p0020" else "math" if page < "p0100" else "not_math"
    )
    shown = run("audit", "estimate", path, "-w", workspace.root, "--precision", 0.5, "--pages", 77)
    own = next(line for line in shown.splitlines() if line.endswith("<- collected"))
    assert own.split()[0] == str(N_COLLECTED) and " to " in own
    assert any(line.startswith("77 ") or line.split()[:1] == ["77"] for line in shown.splitlines())
    assert "unsure as math" in shown and "unsure as not_math" in shown
    assert "precision 0.5 by tokens, low: " in shown
    told = json.loads(run("audit", "estimate", path, "-w", workspace.root, "--json"))
    assert told == json.loads(json.dumps(estimate(workspace, path)))


def test_the_budget_is_a_table_csv_and_json(workspace: Workspace) -> None:
    told = budget(workspace)
    shown = run("budget", "-w", workspace.root)
    assert len(shown.splitlines()) == len(told["depths"]) + 2
    assert [line.split()[0] for line in shown.splitlines() if line.endswith("<- collected")] == [str(N_COLLECTED)]
    assert json.loads(run("budget", "-w", workspace.root, "--json")) == told
    rows = list(
        csv.DictReader(io.StringIO(run("budget", "-w", workspace.root, "--csv", "--audit", labelled(workspace))))
    )
    assert [int(row["n_pages"]) for row in rows] == [row["n_pages"] for row in told["depths"]]
    assert all(float(row["pages_precision_low"]) <= float(row["pages_precision_estimate"]) for row in rows)
