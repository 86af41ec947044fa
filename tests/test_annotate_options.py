"""`corpus annotate` without a terminal: lines of standard input, options, sheets; and the loop that waits for it."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Crawl
from test_annotate import decisions, make_round, walk_of
from test_iterate import looped
from typer.testing import CliRunner, Result

from corpus import cli
from corpus.annotate import round_to_annotate
from corpus.annotations import Line, read_annotations
from corpus.errors import AnnotationWanted, WorkspaceError
from corpus.workspace import Workspace


def run(*arguments: object, typed: str | None = None) -> Result:
    result = CliRunner().invoke(cli.app, ["annotate", *map(str, arguments)], input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_lines_of_standard_input_are_keys(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    done = run("-w", tmp_path, "--as", "ann", typed="accept\n\nU\na\nskip\nsplit\nr\nhelp\nmore\nquit\n")
    assert done.exit_code == 0 and "\x1b" not in done.stdout
    assert decisions(workspace) == {"math.org/notes": "accept", "www.shop.org/a": "reject"}
    assert {line.by for line in read_annotations(workspace.annotations(1)) if line.decision} == {"ann"}
    assert "2 decided and saved in" in done.stdout and f"Next: corpus iterate 1 -w {tmp_path}" in done.stdout


def test_the_end_of_standard_input_leaves_all_saved(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    assert run("-w", tmp_path, typed="accept").exit_code == 0
    assert decisions(workspace) == {"math.org/notes": "accept"}
    done = run("-w", tmp_path, typed="r\nr\nr\n")
    assert done.exit_code == 0 and "Nothing else waits" in done.stdout
    assert "Nothing waits in round 1" in run("-w", tmp_path, "--list").stdout


def test_a_line_that_is_no_key_is_named_and_what_stands_before_it_is_saved(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    done = run("-w", tmp_path, typed="accept\nrejct\naccept\n")
    assert done.exit_code == 1
    assert "standard input, line 2: 'rejct' is none of accept, reject, split," in done.stderr
    assert decisions(workspace) == {"math.org/notes": "accept"}


def test_list_prints_what_waits_as_a_table_or_json(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    rows = json.loads(run("-w", tmp_path, "--list", "--json").stdout)
    assert rows == walk_of(workspace).rows()
    table = run("-w", tmp_path, "--list").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["prefix", *(row["prefix"] for row in rows)]
    assert json.loads(run("-w", tmp_path, "--json").stdout) == rows


def test_options_decide_and_prefixes_without_pages_are_kept_and_named_once(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    done = run(
        "-w", tmp_path, "--as", "ann", "--accept", "math.org/", "--accept", "Gone.org", "--reject", "math.org/blog"
    )
    assert done.exit_code == 0 and "3 decided, 0 were so already" in done.stdout
    assert done.stderr == "Kept, though no page of the pool is under gone.org\n"
    assert decisions(workspace) == {"math.org": "accept", "gone.org": "accept", "math.org/blog": "reject"}
    lines = [line for line in read_annotations(workspace.annotations(1)) if line.decision]
    assert {line.by for line in lines} == {"ann"}
    assert all(len(line.at) == 20 and line.at.endswith("Z") for line in lines)
    assert run("-w", tmp_path, "--reject", "*").stderr == "" and walk_of(workspace).rest == "reject"
    again = json.loads(run("-w", tmp_path, "--accept", "math.org", "--json").stdout)
    assert (again["n_decided"], again["n_already"], again["unmatched"]) == (0, 1, [])


def test_options_that_contradict_are_an_error_with_the_way_out(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    run("-w", tmp_path, "--as", "ann", "--accept", "math.org")
    done = run("-w", tmp_path, "--reject", "math.org", "--reject", "www.shop.org")
    assert done.exit_code == 1 and "annotations.csv, line 3: accept (ann, " in done.stderr
    assert decisions(workspace) == {"math.org": "accept"}
    assert run("-w", tmp_path, "--reject", "math.org", "--replace").exit_code == 0
    assert decisions(workspace) == {"math.org": "reject"}


def test_an_import_takes_decided_lines_only_with_who_and_when(tmp_path: Path) -> None:
    other, mine = make_round(tmp_path / "other"), make_round(tmp_path / "mine")
    walk_of(other, "bob").decide("math.org", "reject")
    with other.annotations(1).open("a", newline="") as file:
        csv.writer(file).writerow(["far.org", "accept"])
    text = other.annotations(1).read_text().replace("*,,", "*,reject,")
    other.annotations(1).write_text(text)
    done = run("-w", tmp_path / "mine", "--as", "ann", "--import", other.annotations(1))
    assert done.exit_code == 0 and done.stderr == "Kept, though no page of the pool is under far.org\n"
    lines = {line.prefix: line for line in read_annotations(mine.annotations(1)) if line.decision}
    assert lines["math.org"] == Line("math.org", "reject", "", "bob", "2026-01-02T03:04:05Z")
    assert (lines["far.org"].by, lines.keys()) == ("ann", {"math.org", "far.org"})
    before = mine.annotations(1).read_bytes()
    run("-w", tmp_path / "mine", "--import", other.annotations(1))
    assert mine.annotations(1).read_bytes() == before


def test_an_import_that_contradicts_names_both_lines(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    walk_of(workspace).decide("math.org/notes", "accept")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("prefix,decision\nnew.org,accept\nmath.org/notes,reject\n")
    done = run("-w", tmp_path, "--import", sheet)
    said = " ".join(done.stderr.split())
    assert done.exit_code == 1
    assert f"{sheet}, line 3: reject for math.org/notes, but {workspace.annotations(1)}, line " in said
    assert ": accept (ann, 2026-01-02T03:04:05Z)." in said
    assert decisions(workspace) == {"math.org/notes": "accept"}
    assert run("-w", tmp_path, "--import", sheet, "--replace").exit_code == 0
    assert decisions(workspace) == {"math.org/notes": "reject", "new.org": "accept"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--import", "gone.csv"], "gone.csv: no such file"),
        (["--accept", "http://math.org"], "--accept: 'http://math.org' is no prefix"),
        (["--as", "\x1b[1m", "--accept", "math.org"], "Add --as NAME"),
        (["--round", "2", "--list"], "round 2 has proposed no prefixes"),
    ],
)
def test_what_cannot_be_done_is_one_line_that_says_why(arguments: list[str], words: str, tmp_path: Path) -> None:
    make_round(tmp_path)
    done = run("-w", tmp_path, *arguments)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert words in done.stderr


def test_a_workspace_without_a_round_says_which_command_makes_one(tmp_path: Path) -> None:
    (tmp_path / "corpus.toml").write_text("")
    with pytest.raises(WorkspaceError, match=f"no round has proposed.* Type: corpus iterate 1 -w {tmp_path}"):
        round_to_annotate(Workspace(tmp_path), None)


# --- with the loop


def test_the_loop_waits_for_annotate_and_does_not_care_who_decided_or_when(tiny_crawl: Crawl, tmp_path: Path) -> None:
    crawl = replace(tiny_crawl, base={name: keys for name, keys in tiny_crawl.base.items() if name != "domains"})
    manual = {"domains": {"annotate": "manual"}}
    with pytest.raises(AnnotationWanted, match=f"Type: corpus annotate --round 1 -w {tmp_path}\n"):
        looped(crawl, tmp_path, 1, **manual)
    n_waiting = len(json.loads(run("-w", tmp_path, "--list", "--json").stdout))
    assert run("-w", tmp_path, "--as", "ann", typed="accept\n" * n_waiting).exit_code == 0
    workspace, _ = looped(crawl, tmp_path, 1, **manual)
    made = workspace.manifest("rounds/01/expanded")
    path = workspace.annotations(1)
    path.write_text(path.read_text().replace(",ann,2", ",bob,1"))
    looped(crawl, tmp_path, 1, **manual)
    assert "bob" in path.read_text()
    assert made is not None and workspace.manifest("rounds/01/expanded") == made
