"""annotations.csv: what is read, what is written, who decides."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.annotations import (
    COLUMNS,
    EVERY_BLANK,
    Line,
    decide,
    decision_of,
    decisions_of,
    read_annotations,
    withdraw,
    write_annotations,
)
from corpus.errors import AnnotationError

PROPOSED = [
    {
        "prefix": "a.org",
        "auto": "accept",
        "n_pages": 4,
        "n_collected": 3,
        "share": 0.75,
        "examples": ["http://a.org/1"],
    },
    {"prefix": "b.org", "auto": "reject", "n_pages": 4, "n_collected": 1, "share": 0.25, "examples": []},
]


def test_a_persons_lines_survive_a_rerun_and_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "annotations.csv"
    write_annotations(path, PROPOSED, {})
    text = path.read_text().replace("b.org,,", "b.org,accept,mine") + "own.org/x/,reject,,,,,,,\n"
    path.write_text(text)
    write_annotations(path, PROPOSED[:1], {})  # b.org is proposed no longer
    lines = {line.prefix: line for line in read_annotations(path)}
    assert lines["b.org"] == Line("b.org", "accept", "mine")
    assert lines["own.org/x"].decision == "reject"
    before = path.read_bytes()
    write_annotations(path, PROPOSED[:1], {})
    assert path.read_bytes() == before


def test_the_star_line_answers_for_what_is_left_blank_only() -> None:
    lines = [Line(EVERY_BLANK, "auto", ""), Line("a.org", "reject", ""), Line("b.org", "", "")]
    assert decisions_of(lines, ["a.org", "b.org"], {}) == {"a.org": "reject", "b.org": "auto"}


def test_a_decision_of_an_earlier_round_holds_until_it_is_taken_again() -> None:
    earlier = {"a.org": "accept", "b.org": "accept"}
    assert decisions_of([Line("b.org", "reject", "")], ["a.org"], earlier) == {"a.org": "accept", "b.org": "reject"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prefix,decision\na.org,maybe\n", "line 2: decision 'maybe' for 'a.org'; allowed: accept, reject, auto"),
        ("prefix,decision\nhttp://a.org,accept\n", "line 2: 'http://a.org' is no prefix"),
        ("prefix,decision\n,accept\n", "line 2: '' is no prefix"),
        (
            "prefix,decision\na.org,accept\nb.org,\nA.org/,reject\n",
            "line 4: a.org is decided twice, accept in line 2 and reject here",
        ),
        ("prefix,decision\na.org/*/x,accept\n", "line 2: 'a.org/\\*/x' is no prefix"),
        ("prefix,decision\na.org/\x1b[2J,accept\n", r"line 2: 'a.org/\\x1b\[2J' is no prefix"),
        ("name,verdict\na.org,accept\n", "line 2: columns prefix, decision, .* are wanted, name, verdict were found"),
        ("prefix,decision\na.org,accept,1,2,3\n", "line 2: columns "),
        ('prefix,decision\n"a.org,accept\n', "is not CSV"),
    ],
)
def test_nonsense_names_the_line_what_it_says_and_what_is_allowed(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "annotations.csv"
    path.write_text(text)
    with pytest.raises(AnnotationError, match=said):
        read_annotations(path)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "annotations.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AnnotationError, match="annotations.csv is not CSV in UTF-8"):
        read_annotations(path)


def test_a_spreadsheets_byte_order_mark_and_capitals_are_read(tmp_path: Path) -> None:
    path = tmp_path / "annotations.csv"
    path.write_bytes("\ufeffprefix,decision\r\na.org,ACCEPT \r\n".encode())
    assert read_annotations(path) == [Line("a.org", "accept", "")]


def test_a_proposed_prefix_with_a_star_in_a_name_is_read(tmp_path: Path) -> None:
    path = tmp_path / "annotations.csv"
    write_annotations(path, [PROPOSED[0] | {"prefix": "a.org/*notes"}], {})
    assert [line.prefix for line in read_annotations(path)] == [EVERY_BLANK, "a.org/*notes"]


def test_the_longest_prefix_decides_where_a_parent_was_accepted_and_a_child_rejected() -> None:
    lines = [Line("a.org", "accept"), Line("a.org/blog", "reject"), Line(EVERY_BLANK, "reject")]
    decisions = decisions_of(lines, ["a.org", "a.org/blog", "b.org"], {})
    assert decisions == {"a.org": "accept", "a.org/blog": "reject", "b.org": "reject"}
    said = {
        url: decision_of(url, decisions) for url in ("http://a.org/blog/1", "http://a.org/notes/1", "http://c.org/")
    }
    assert list(said.values()) == ["reject", "accept", None]


OLD = """prefix,decision,note,auto,earlier,n_pages,n_collected,share,examples,mine
*,,every,,,,,,,
a.org,,,accept,,4,3,0.750,http://a.org/1,keep
b.org,reject,no,reject,,4,1,0.250,,
"""
ANN = Line("a.org", "accept", by="ann", at="2026-01-02T03:04:05Z", where="--accept")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file from before who and when were written, with a column that a person added."""
    path = tmp_path / "annotations.csv"
    path.write_text(OLD)
    return path


def test_a_decision_is_written_with_who_and_when_and_all_else_stays(old: Path) -> None:
    assert read_annotations(old)[2] == Line("b.org", "reject", "no")
    new = Line("c.org/x", "reject", "off", "bob", "2026-01-02T03:04:06Z")
    assert decide(old, [ANN, new], {}) == [ANN, new]
    with old.open(newline="") as file:
        rows = {row["prefix"]: row for row in csv.DictReader(file)}
    assert list(rows["a.org"]) == [*COLUMNS, "mine"]
    assert list(rows["a.org"].values()) == [
        *(
            "a.org",
            "accept",
            "",
            "ann",
            "2026-01-02T03:04:05Z",
            "accept",
            "",
            "4",
            "3",
            "0.750",
            "",
            "",
            "http://a.org/1",
        ),
        "keep",
    ]
    assert (rows["b.org"]["decision"], rows["b.org"]["note"], rows["b.org"]["by"]) == ("reject", "no", "")
    assert read_annotations(old)[3] == new
    write_annotations(old, PROPOSED, {})  # as `iterate` does
    assert {ANN, new} <= set(read_annotations(old))


def test_what_is_decided_so_already_keeps_who_decided_it_and_the_same_bytes(old: Path) -> None:
    decide(old, [ANN], {})
    before = old.read_bytes()
    assert decide(old, [Line("a.org", "accept", by="bob"), Line("b.org", "reject")], {}) == []
    assert old.read_bytes() == before


@pytest.mark.parametrize(
    ("said", "standing", "words"),
    [
        (
            [ANN, Line("b.org", "accept", where="sheet.csv, line 7")],
            {},
            r"sheet.csv, line 7: accept for b.org, but .*annotations.csv, line 4: reject. Settle which; --replace",
        ),
        (
            [ANN],
            {"a.org": Line("a.org", "reject", "", "eve\x1b[1m", "then", "01/annotations.csv, line 2")},
            r"--accept: accept for a.org, but 01/annotations.csv, line 2: reject \(eve\[1m, then\)",
        ),
        (
            [ANN, Line("a.org", "reject", where="--reject")],
            {},
            "a.org is decided twice, by --accept and by --reject. Leave one",
        ),
    ],
)
def test_a_contradiction_names_both_places_and_nothing_is_written(
    said: list[Line], standing: dict[str, Line], words: str, old: Path
) -> None:
    with pytest.raises(AnnotationError, match=words):
        decide(old, said, standing)
    assert old.read_text() == OLD


def test_with_replace_the_present_decision_gives_way(old: Path) -> None:
    line = Line("b.org", "accept", by="ann")
    assert decide(old, [line], {}, replace=True) == [line]
    assert Line("b.org", "accept", "no", "ann") in read_annotations(old)


def test_what_is_withdrawn_leaves_the_bytes_that_were_there_before(old: Path) -> None:
    write_annotations(old, PROPOSED, {})
    before = old.read_bytes()
    new = Line("c.org", "accept", by="ann")
    decide(old, [ANN, new], {})
    assert withdraw(old, new) and withdraw(old, ANN)
    assert old.read_bytes() == before


def test_what_somebody_decided_anew_is_not_withdrawn(old: Path) -> None:
    decide(old, [ANN], {})
    decide(old, [Line("a.org", "reject", by="bob")], {}, replace=True)
    before = old.read_bytes()
    assert not withdraw(old, ANN)
    assert old.read_bytes() == before


def test_a_file_that_could_not_be_replaced_is_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        decide(old, [ANN], {})
    assert old.read_text() == OLD
    assert sorted(path.name for path in old.parent.iterdir()) == [".annotations.csv.lock", "annotations.csv"]


ANNOTATOR = """
import sys
from pathlib import Path
from corpus.annotations import Line, decide
for number in range(60):
    decide(Path(sys.argv[1]), [Line(f"{sys.argv[2]}.org/{number}", "accept")], {})
"""


def test_annotators_at_the_same_time_lose_no_line_of_each_other(old: Path) -> None:
    commands = [[sys.executable, "-c", ANNOTATOR, str(old), name] for name in ("ann", "bob", "eve")]
    running = [subprocess.Popen(command) for command in commands]
    assert [process.wait(timeout=100) for process in running] == [0, 0, 0]
    accepted = {line.prefix for line in read_annotations(old) if line.decision == "accept"}
    assert accepted == {f"{name}.org/{number}" for name in ("ann", "bob", "eve") for number in range(60)}
