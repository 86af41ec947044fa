"""`corpus decontaminate`: any Parquet files in, what holds no benchmark question out, with the evidence."""

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from corpus.cli import app
from corpus.config import Decontam, Run
from corpus.errors import InputError
from corpus.schema import BENCHMARK, CONTAMINATED_FILES
from pipelines.decontam import decontaminate
from pipelines.fanout import fan_out_by

QUESTION = "A farmer has 12 hens and each of them lays 3 eggs a day; how many eggs are there in a week?"
CLEAN = "Hens lay eggs, and farmers sell them on the market in the town behind the hills."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of different columns, and a benchmark."""
    (tmp_path / "in").mkdir()
    one = {"id": ["a", "b", "c"], "text": [CLEAN, f"{CLEAN}\n{QUESTION}\n{CLEAN}", None], "n": [1, 2, 3]}
    two = {"url": ["https://x.example/1", "https://x.example/2"], "text": [QUESTION, ""]}
    pq.write_table(pa.table(one), tmp_path / "in" / "a.parquet")
    pq.write_table(pa.table(two), tmp_path / "in" / "b.parquet")
    rows = [{"id": "q", "question": QUESTION}, {"id": "e", "question": ""}, {"id": "s", "question": "Two words"}]
    (tmp_path / "eggs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def run(folder: Path, output: str = "out", workers: int = 1, **settings: Any) -> dict[str, Any]:
    return decontaminate(
        [str(folder / "in")],
        folder / output,
        Decontam(**{"benchmarks": (str(folder / "eggs.jsonl"),), **settings}),
        fan_out_for=lambda stages: fan_out_by(Run(workers=workers), stages),
    )


def rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def test_rows_that_stay_keep_their_schema_and_the_others_are_named_with_the_evidence(folder: Path) -> None:
    counts = run(folder)
    out = folder / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "benchmarks.parquet",
        "contaminated.parquet",
        "manifest.json",
        "part-00000.parquet",
        "part-00001.parquet",
        "report.md",
    ]
    assert [row["id"] for row in rows(out / "part-00000.parquet")] == ["a", "c"]
    assert rows(out / "part-00001.parquet") == [{"url": "https://x.example/2", "text": ""}]
    assert pq.read_schema(out / "part-00000.parquet").equals(pq.read_schema(folder / "in" / "a.parquet"))
    assert pq.read_schema(out / "contaminated.parquet").equals(CONTAMINATED_FILES)
    evidence = rows(out / "contaminated.parquet")
    found = [(row["id"], row["benchmark"], row["item_id"], row["rule"], row["removed"]) for row in evidence]
    assert found == [("b", "eggs", "q", "strict", "page"), ("https://x.example/1", "eggs", "q", "strict", "page")]
    assert (counts["n_documents"], counts["n_kept"], counts["n_contaminated"]) == (5, 3, 2)
    assert counts["by_benchmark"] == {"eggs": 2}


def test_what_is_too_short_to_be_looked_for_is_counted(folder: Path) -> None:
    counts = run(folder, rules=("deepseekmath", "strict"))
    assert (counts["n_benchmark_items"], counts["n_empty"], counts["n_unprotected"]) == (3, 1, 1)
    table = pq.read_table(folder / "out" / "benchmarks.parquet")
    assert table.schema.equals(BENCHMARK)
    assert table.to_pylist() == [
        dict(zip(BENCHMARK.names, ("eggs", rule, 3, 3, 3, 1, 1, 1), strict=True)) for rule in ("deepseekmath", "strict")
    ]


def test_segments_leave_the_other_lines(folder: Path) -> None:
    counts = run(folder, action="segment")
    assert rows(folder / "out" / "part-00000.parquet")[1] == {"id": "b", "text": f"{CLEAN}\n{CLEAN}", "n": 2}
    assert (counts["n_contaminated"], counts["n_segments"], counts["n_kept"]) == (1, 1, 4)


def test_an_allowed_document_stays_and_the_list_survives_reruns(folder: Path) -> None:
    allow = folder / "allow.csv"
    allow.write_text("id,url,benchmark,item_id,who,when,why\nb,,eggs,,me,2026-01-01,quoted in a review\n")
    counts = run(folder, allow=(str(allow),))
    assert (counts["n_contaminated"], counts["n_allowed"], counts["n_kept"]) == (1, 1, 4)
    assert run(folder, allow=(str(allow),)) == counts
    allow.write_text(allow.read_text() + ",https://x.example/1,,,me,,\n")
    with pytest.raises(InputError, match="other settings or files"):
        run(folder, allow=(str(allow),))
    assert run(folder, "more", allow=(str(allow),))["n_kept"] == 5


def test_the_result_is_the_same_whatever_the_workers(folder: Path) -> None:
    run(folder, "one", workers=1, rules=("deepseekmath", "qwen", "strict"))
    run(folder, "two", workers=2, rules=("deepseekmath", "qwen", "strict"))
    for path in (folder / "one").glob("*.parquet"):
        assert path.read_bytes() == (folder / "two" / path.name).read_bytes()


def test_the_evidence_is_the_same_however_the_documents_are_spread(folder: Path) -> None:
    documents = [{"id": str(n), "text": f"{CLEAN} {QUESTION if n % 3 else ''} {n}"} for n in range(40)]
    (folder / "in" / "a.parquet").unlink()
    (folder / "in" / "b.parquet").unlink()
    made = []
    for number, n_files in enumerate((1, 2, 7)):
        random.Random(number).shuffle(documents)
        for path in (folder / "in").iterdir():
            path.unlink()
        for n in range(n_files):
            pq.write_table(pa.Table.from_pylist(documents[n::n_files]), folder / "in" / f"{n}.parquet")
        counts = run(folder, str(n_files), rules=("deepseekmath", "qwen", "strict"))
        made.append([(folder / str(n_files) / name).read_bytes() for name in ("contaminated.parquet", "report.md")])
        assert counts["n_contaminated"] == 26
    assert made[0] == made[1] == made[2]


def test_the_report_says_what_was_looked_for_and_found_of_each_benchmark(folder: Path) -> None:
    run(folder, rules=("deepseekmath", "strict"))
    report = (folder / "out" / "report.md").read_text()
    assert report.startswith("# Decontamination\n\nOf 5 documents, 2 were dropped. Pages were dropped where")
    assert "\n| eggs | strict | 3 | 1 | 1 | 1 | 33.33 % | 2 |\n" in report


def test_what_is_protected_is_a_setting(folder: Path) -> None:
    (folder / "eggs.jsonl").write_text(json.dumps({"problem": QUESTION}) + "\n")
    with pytest.raises(InputError, match=r"has no 'question'; it has 'problem'\. Name the columns .*--column"):
        run(folder)
    options = ["--benchmarks", str(folder / "eggs.jsonl"), "--column", "problem", "--json"]
    result = CliRunner().invoke(app, ["decontaminate", str(folder / "in"), *options, "-o", str(folder / "out")])
    assert json.loads(result.stdout)["n_contaminated"] == 2
    assert {row["role"] for row in rows(folder / "out" / "contaminated.parquet")} == {"problem"}


def test_what_an_earlier_call_wrote_is_read_without_its_evidence(folder: Path) -> None:
    run(folder, "first")
    counts = decontaminate(
        [str(folder / "first")],
        folder / "second",
        Decontam(benchmarks=(str(folder / "eggs.jsonl"),), rules=("qwen",)),
        fan_out_for=lambda stages: fan_out_by(Run(workers=1), stages),
    )
    assert (counts["n_documents"], counts["sources"]) == (3, ["part-00000.parquet", "part-00001.parquet"])


def test_a_result_inside_of_the_input_is_refused(folder: Path) -> None:
    for output in ("in/clean", "in"):
        with pytest.raises(InputError, match=rf"{output} lies inside the input .*/in: .* Name another directory"):
            run(folder, output)
    assert sorted(path.name for path in (folder / "in").iterdir()) == ["a.parquet", "b.parquet"]


def test_text_that_is_no_utf_8_is_read_with_replaced_bytes(folder: Path) -> None:
    texts = pa.array([f"caf\xe9\n{QUESTION}".encode("latin-1"), b"caf\xe9"], pa.large_binary())
    broken = pa.Array.from_buffers(pa.large_string(), 2, texts.buffers())
    pq.write_table(pa.table({"id": ["a", "b"], "text": broken}), folder / "in" / "a.parquet")
    run(folder, action="segment")
    assert rows(folder / "out" / "part-00000.parquet") == [
        {"id": "a", "text": "caf\ufffd"},
        {"id": "b", "text": "caf\ufffd"},
    ]


def test_documents_of_one_url_are_counted_one_by_one(folder: Path) -> None:
    table = {"url": ["https://x.example/1"] * 3, "text": [CLEAN, QUESTION, f"{QUESTION} Really?"]}
    pq.write_table(pa.table(table), folder / "in" / "b.parquet")
    counts = run(folder)
    assert (counts["n_documents"], counts["n_kept"], counts["n_contaminated"]) == (6, 3, 3)


def test_files_of_one_name_are_told_apart_in_the_evidence(folder: Path) -> None:
    for name in ("x", "y"):
        (folder / "in" / name).mkdir()
        pq.write_table(pa.table({"text": [CLEAN, QUESTION]}), folder / "in" / name / "part.parquet")
    run(folder)
    evidence = rows(folder / "out" / "contaminated.parquet")
    assert {"x/part.parquet#1", "y/part.parquet#1"} <= {row["id"] for row in evidence}


def test_a_damaged_file_is_named_in_a_line_and_leaves_nothing(folder: Path) -> None:
    table = pa.table({"id": [str(n) for n in range(4_000)], "text": [f"{CLEAN} {n}" for n in range(4_000)]})
    for column in ("id", "text"):
        path = folder / "in" / "c.parquet"
        pq.write_table(table, path, compression="none", use_dictionary=False)
        place = pq.read_metadata(path).row_group(0).column(table.column_names.index(column)).data_page_offset
        content = bytearray(path.read_bytes())
        content[place : place + 40] = b"\xff" * 40
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"^.*/c\.parquet is damaged: .*$"):
            run(folder)
        assert not (folder / "out").exists()


def test_a_finished_run_is_only_read_and_other_settings_are_refused(folder: Path) -> None:
    counts = run(folder)
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "out").iterdir()}
    assert run(folder) == counts
    assert {path.name: path.stat().st_mtime_ns for path in (folder / "out").iterdir()} == before
    with pytest.raises(InputError, match="other settings or files"):
        run(folder, rules=("qwen",))


def test_bad_input_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match="no benchmarks are named"):
        run(folder, benchmarks=())
    (folder / "some").mkdir()
    (folder / "some" / "file").write_text("")
    with pytest.raises(InputError, match="is there already"):
        run(folder, "some")
    for column, message in (
        ({"body": ["x"]}, "no column text"),
        ({"id": ["a"], "text": ["x"]}, "id 'a' is not unique"),
        ({"id": [7, 7], "text": ["x", "y"]}, "id '7' is not unique"),
        ({"id": [["a"]], "text": ["x"]}, "column id holds list"),
    ):
        pq.write_table(pa.table(column), folder / "in" / "c.parquet")
        with pytest.raises(InputError, match=message):
            run(folder)


def test_the_command_line_says_what_the_function_returns(folder: Path) -> None:
    files = [str(folder / "in"), "--benchmarks", str(folder / "eggs.jsonl"), "-o", str(folder / "o")]
    result = CliRunner().invoke(app, ["decontaminate", *files, "--rule", "deepseekmath", "--rule", "strict", "--json"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed["n_kept"] == 3
    assert run(folder, "o2", rules=("deepseekmath", "strict")) == {k: v for k, v in printed.items() if k != "output"}
