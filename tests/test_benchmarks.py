"""Benchmarks read, counted, fetched from a server on the loopback that is laid out like the hub, and added."""

import hashlib
import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_sources import Files, served
from typer.testing import CliRunner

from corpus import cli
from corpus import pull as pulling
from corpus.benchmarks import Benchmarks, Item, load_benchmarks
from corpus.config import Decontam
from corpus.coverage import Coverage, coverage
from corpus.decontam import Index
from corpus.errors import InputError
from corpus.pull import MANIFEST, PARTIAL, add, pull
from corpus.registry import GITHUB, HUB, SETS, Published
from corpus.text import ngrams, normalise, words

QUESTION = "A farmer has $12$ hens and each lays 3 eggs a day; how many eggs in a week?"
SHORT = "Solve \\(x^2 = 49\\)."
COMMIT = "c" * 40


def jsonl(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- read


def test_rows_name_their_benchmark_and_id_or_take_the_file_and_the_line(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "quiz.jsonl",
        {"benchmark": "gsm", "id": "t/0", "question": QUESTION},
        {"question": SHORT},
        {"benchmark": None, "id": 7, "question": None},
    )
    assert load_benchmarks([path]).items == (
        Item("gsm", "t/0", {"question": (QUESTION,)}),
        Item("quiz", "2", {"question": (SHORT,)}),
        Item("quiz", "7", {"question": ("",)}),
    )


def test_jsonl_and_parquet_say_the_same(tmp_path: Path) -> None:
    rows = [{"id": n, "question": f"{QUESTION} {n}"} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "quiz.parquet")
    assert load_benchmarks([tmp_path / "quiz.parquet"]) == load_benchmarks([str(jsonl(tmp_path / "quiz.jsonl", *rows))])


def test_rows_of_one_id_and_question_are_one_item(tmp_path: Path) -> None:
    row = {"id": "1", "question": QUESTION, "solution": "one way"}
    path = jsonl(tmp_path / "quiz.jsonl", row, row, row | {"solution": "another"})
    assert load_benchmarks([path, path], ("question", "solution")) == Benchmarks(
        (Item("quiz", "1", {"question": (QUESTION,), "solution": ("one way", "another")}),), {"quiz": 6}
    )


def test_questions_that_share_an_id_are_items_of_their_own(tmp_path: Path) -> None:
    questions = (("1#2", "a"), ("1", QUESTION), ("1", SHORT), ("1", "why"), ("1", SHORT), ("1#2", "b"))
    rows = [{"id": item_id, "question": question, "answer": "1"} for item_id, question in questions]
    path = jsonl(tmp_path / "quiz.jsonl", *rows)
    expected = [("1#2", "a"), ("1", QUESTION), ("1#3", SHORT), ("1#4", "why"), ("1#2#2", "b")]
    for columns in (("question",), ("question", "answer")):
        items = load_benchmarks([path], columns).items
        assert [(item.item_id, *item.texts["question"]) for item in items] == expected


def test_question_answer_and_solution_stay_apart(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "quiz.jsonl",
        {"question": SHORT, "answer": 7, "solution": QUESTION},
        {"question": "why", "solution": None},
    )
    assert [item.texts for item in load_benchmarks([path], ("question", "answer")).items] == [
        {"question": (SHORT,), "answer": ("7",)},
        {"question": ("why",)},
    ]
    assert [item.texts for item in load_benchmarks([path], ("solution",)).items] == [
        {"solution": (QUESTION,)},
        {"solution": ("",)},
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "no_question.jsonl",
            b'{"question": "a"}\n{"id": 1, "problem": "b"}\n',
            "line 2 has no 'question'; it has 'id', 'problem'",
        ),
        ("broken_line.jsonl", b'{"question": "a"}\n\n{"question": \n', "line 3 is not JSON"),
        ("latin1.jsonl", b'{"question": "a"}\n{"question": "caf\xe9"}\n', "line 2 is not UTF-8"),
        ("list.jsonl", b"[1, 2]\n", "line 1 holds no object"),
        ("null.jsonl", b"null\n", "line 1 holds no object"),
        ("question_is_a_list.jsonl", b'{"question": ["a"]}\n', "line 1: question is a list"),
        ("id_is_an_object.jsonl", b'{"question": "a", "id": {}}\n', "line 1: id is a dict"),
        ("nested.jsonl", b"[" * 100_000, "line 1 is not JSON"),
        ("empty.jsonl", b"\n \n", "has no rows"),
        ("not_parquet.parquet", b"PAR0", "is not Parquet"),
        ("other.csv", b"question\n", "is no benchmark file: .jsonl and .parquet are read"),
    ],
)
def test_a_file_that_cannot_protect_is_named_with_its_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load_benchmarks([tmp_path / name])
    assert name in str(caught.value)


@pytest.mark.parametrize("name", ["missing.jsonl", "missing.parquet"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"{name} cannot be read"):
        load_benchmarks([tmp_path / name])


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "bom.jsonl").write_bytes(b'\xef\xbb\xbf{"question": "one two three"}\n')
    assert load_benchmarks([tmp_path / "bom.jsonl"]).items[0].texts == {"question": ("one two three",)}


# --- counted


def test_coverage_counts_texts_by_what_protects_them(tmp_path: Path) -> None:
    texts = (QUESTION, SHORT, "1 + 1 = x", "why", "", None, "solve $x^{2}=49$")
    first = jsonl(tmp_path / "a.jsonl", *({"question": text} for text in texts))
    second = jsonl(tmp_path / "z.jsonl", {"question": QUESTION, "answer": 252})
    n_runs = len(words(QUESTION, operators=False)) - 9
    assert coverage(load_benchmarks([second, first])) == [
        Coverage("a", 7, 7, 7, 1, 3, 1, 2, n_repeated=1, n_runs=n_runs),
        Coverage("z", 1, 1, 1, 1, 0, 0, 0, n_repeated=0, n_runs=n_runs),
    ]
    assert coverage(load_benchmarks([second], ("question", "answer"))) == [
        Coverage("z", 1, 1, 2, 1, 0, 1, 0, n_repeated=0, n_runs=n_runs)
    ]
    assert coverage(load_benchmarks([second]), ngram=99)[0].n_whole == 1


def test_coverage_agrees_with_sets_of_strings() -> None:
    draw = random.Random(6)
    texts = [" ".join(draw.choices(["a", "b", "2", "+"], k=draw.randint(0, 20))) for _ in range(400)]
    found = coverage(Benchmarks(tuple(Item("b", str(n), {"question": (t,)}) for n, t in enumerate(texts)), {"b": 400}))
    cut = [normalise(text, operators=False).split() for text in texts]
    assert found[0].n_runs == len({run for text in cut for run in ngrams(text, 10)}) > 300
    lengths = [len(text) for text in cut]
    assert (found[0].n_ngram, found[0].n_whole, found[0].n_unprotected, found[0].n_empty) == (
        sum(n >= 10 for n in lengths),
        sum(3 <= n < 10 for n in lengths),
        sum(0 < n < 3 for n in lengths),
        lengths.count(0),
    )
    assert found[0].n_repeated == len(lengths) - lengths.count(0) - len({tuple(text) for text in cut if text})


def test_coverage_of_chinese_counts_the_characters_that_the_rule_counts() -> None:
    texts = ["小明有五个苹果又买了三个一共有几"[:n] for n in (15, 14, 5, 4)] + ["one two three four"]
    held = Benchmarks(tuple(Item("b", str(n), {"question": (text,)}) for n, text in enumerate(texts)), {"b": 5})
    (found,) = coverage(held)
    assert (found.n_ngram, found.n_whole, found.n_unprotected, found.n_runs) == (1, 3, 1, 1)
    looked_for = Index.of(held, Decontam(rules=("deepseekmath",))).protected()["deepseekmath"]
    assert looked_for.tolist() == [True, True, True, False, True]


# --- the registry


@pytest.mark.parametrize("one", SETS.values(), ids=lambda one: one.name)
def test_an_entry_of_the_registry_says_all_that_it_takes_to_fetch_the_set(one: Published) -> None:
    assert re.fullmatch(r"[\w-]+", one.name)
    assert re.fullmatch(rf"({HUB}|{GITHUB})[\w.-]+/[\w.-]+", one.repository)
    assert one.is_pinned or (one.revision == "main" and all(sha256 is None for _, sha256 in one.files))
    assert one.files and all(Path(file).suffix in (".jsonl", ".json", ".parquet", ".tsv") for file, _ in one.files)
    assert all(sha256 is None or re.fullmatch("[0-9a-f]{64}", sha256) for _, sha256 in one.files)
    assert "question" in one.columns and set(one.columns) <= {"id", "question", "answer", "solution"}
    assert one.licence and (one.n_rows is None or one.n_rows > 0)


# --- fetched

ROWS = [{"problem": f"{QUESTION} And in {n} weeks?", "answer": 252 * n, "uid": f"q{n}"} for n in range(2_000)]
COLUMNS = {"id": ("uid",), "question": ("problem",), "answer": ("answer",)}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def quiz(tmp_path: Path) -> Published:
    """A set of the hub, and its file where `hub` serves it."""
    file = jsonl(tmp_path / f"hub/datasets/org/quiz/resolve/{COMMIT}/data/test.jsonl", *ROWS)
    return Published("quiz", HUB + "org/quiz", COMMIT, (("data/test.jsonl", sha256(file)),), COLUMNS, "MIT", len(ROWS))


@contextmanager
def hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int | None = None, handler: type[Files] = Files
) -> Iterator[list[tuple[str, str, str | None]]]:
    """What the hub and GitHub are asked for: (method, path, Range)."""
    with served(tmp_path / "hub", cut, handler) as (address, asked):
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("HF_TOKEN", "of-a-test")
        monkeypatch.setattr(pulling, "GITHUB_FILES", f"{address}/")
        yield asked


def pulled(tmp_path: Path, *sets: Published) -> list[dict[str, Any]]:
    return pull(tmp_path / "to", sets={one.name: one for one in sets})


def test_a_set_is_fetched_from_the_hub_at_its_revision_and_brought_to_the_common_form(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    with hub(tmp_path, monkeypatch) as asked:
        rows = pull(tmp_path / "to", ["quiz"], lambda *progress: seen.append(progress), {"quiz": quiz})
    assert rows == [{"benchmark": "quiz", "state": "pulled", "n_rows": 2_000, "error": None}]
    assert asked == [("GET", f"/datasets/org/quiz/resolve/{COMMIT}/data/test.jsonl", None)]
    assert rows_of(tmp_path / "to/quiz.jsonl")[7] == {
        "benchmark": "quiz",
        "id": "q7",
        "question": f"{QUESTION} And in 7 weeks?",
        "answer": "1764",
    }
    size = (tmp_path / f"hub/datasets/org/quiz/resolve/{COMMIT}/data/test.jsonl").stat().st_size
    assert seen[-1] == ("quiz test.jsonl", size, size) and len(seen) > 1
    assert list((tmp_path / "to" / PARTIAL).iterdir()) == []
    assert coverage(load_benchmarks([tmp_path / "to/quiz.jsonl"]))[0].n_items == 2_000


def test_what_is_there_and_whole_is_left_and_what_was_changed_is_fetched_again(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "to/quiz.jsonl"
    with hub(tmp_path, monkeypatch) as asked:
        pulled(tmp_path, quiz)
        before = path.read_bytes(), (tmp_path / "to" / MANIFEST).read_bytes()
        assert [row["state"] for row in pulled(tmp_path, quiz)] == ["there"]
        assert len(asked) == 1
        path.write_bytes(before[0][:-9])
        assert [row["state"] for row in pulled(tmp_path, quiz)] == ["pulled"]
        assert (path.read_bytes(), (tmp_path / "to" / MANIFEST).read_bytes()) == before
        path.unlink()
        assert [row["state"] for row in pulled(tmp_path, quiz)] == ["pulled"]
        other = replace(quiz, columns={"question": ("problem",)})
        assert [row["state"] for row in pulled(tmp_path, other)] == ["pulled"]
    assert set(rows_of(path)[0]) == {"benchmark", "id", "question"}


def test_a_file_that_was_cut_off_is_gone_on_with_where_it_ended(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(tmp_path, monkeypatch, cut=100_000):
        (row,) = pulled(tmp_path, quiz)
        assert row["state"] == "failed"
        assert re.match(r"quiz: data/test.jsonl of .*org/quiz at c{40} cannot be fetched .*goes on where", row["error"])
        assert not (tmp_path / "to/quiz.jsonl").exists()
    with hub(tmp_path, monkeypatch) as asked:
        assert [row["state"] for row in pulled(tmp_path, quiz)] == ["pulled"]
    assert [wanted for _, _, wanted in asked] == ["bytes=100000-"]
    assert len(rows_of(tmp_path / "to/quiz.jsonl")) == 2_000


class NoRanges(Files):
    def answer(self, with_body: bool) -> None:
        del self.headers["Range"]
        super().answer(with_body)


def test_a_server_without_ranges_sends_a_cut_file_anew(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(tmp_path, monkeypatch, cut=100_000):
        pulled(tmp_path, quiz)
    seen: list[tuple[str, int, int]] = []
    with hub(tmp_path, monkeypatch, handler=NoRanges):
        (row,) = pull(tmp_path / "to", report=lambda *progress: seen.append(progress), sets={"quiz": quiz})
    assert row["error"] is None
    assert seen[-1][1] == seen[-1][2] == sum(len(json.dumps(row, ensure_ascii=False).encode()) + 1 for row in ROWS)


def test_the_beginning_of_what_a_branch_had_is_not_gone_on_with(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    jsonl(tmp_path / "hub/datasets/org/quiz/resolve/main/data/test.jsonl", *ROWS)
    branch = replace(quiz, revision="main", files=(("data/test.jsonl", None),))
    with hub(tmp_path, monkeypatch, cut=100_000):
        pulled(tmp_path, branch)
    with hub(tmp_path, monkeypatch) as asked:
        assert [row["error"] for row in pulled(tmp_path, branch)] == [None]
    assert [wanted for _, _, wanted in asked] == [None]


def test_a_whole_file_whose_conversion_was_interrupted_is_no_error(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (tmp_path / f"hub/datasets/org/quiz/resolve/{COMMIT}/data/test.jsonl").read_bytes()
    part = tmp_path / "to" / PARTIAL / f"quiz-{COMMIT[:12]}-0.jsonl"
    for known, n_asked in ((quiz.files[0][1], 0), (None, 2)):
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(whole)
        with hub(tmp_path, monkeypatch) as asked:
            (row,) = pulled(tmp_path, replace(quiz, files=(("data/test.jsonl", known),)))
            assert (row["error"], len(asked)) == (None, n_asked)
        (tmp_path / "to" / MANIFEST).unlink()
        (tmp_path / "to/quiz.jsonl").unlink()


def test_a_wrong_checksum_is_named_and_nothing_of_the_file_is_kept(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(quiz, files=(("data/test.jsonl", "0" * 64),))
    with hub(tmp_path, monkeypatch):
        (row,) = pulled(tmp_path, wrong)
        assert row["error"].startswith(f"quiz: data/test.jsonl of {HUB}org/quiz at {COMMIT} has the SHA-256 ")
        assert f"{quiz.files[0][1]}, {'0' * 64} is expected" in row["error"]
        assert [path.name for path in (tmp_path / "to").rglob("*")] == [PARTIAL]
        assert [row["error"] for row in pulled(tmp_path, quiz)] == [None]


def test_an_unknown_checksum_is_taken_from_the_first_pull_and_holds_for_later_ones(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = replace(quiz, files=(("data/test.jsonl", None),), n_rows=None)
    entry = lambda: json.loads((tmp_path / "to" / MANIFEST).read_text())["quiz"]  # noqa: E731
    with hub(tmp_path, monkeypatch):
        pulled(tmp_path, unknown)
        assert entry() == {
            "repository": HUB + "org/quiz",
            "revision": COMMIT,
            "files": {"data/test.jsonl": quiz.files[0][1]},
            "columns": {"id": ["uid"], "question": ["problem"], "answer": ["answer"]},
            "n_rows": 2_000,
            "sha256": sha256(tmp_path / "to/quiz.jsonl"),
        }
        (tmp_path / "to/quiz.jsonl").unlink()
        file = jsonl(tmp_path / f"hub/datasets/org/quiz/resolve/{COMMIT}/data/test.jsonl", *ROWS[1:])
        (row,) = pulled(tmp_path, unknown)
        assert f"{sha256(file)}, {quiz.files[0][1]} is expected" in row["error"]
        newer = replace(unknown, revision="d" * 40)  # what another revision had says nothing of this one
        jsonl(tmp_path / f"hub/datasets/org/quiz/resolve/{newer.revision}/data/test.jsonl", *ROWS[1:])
        assert [row["n_rows"] for row in pulled(tmp_path, newer)] == [1_999]
        assert entry()["revision"] == newer.revision


def test_another_number_of_rows_than_expected_is_an_error(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(tmp_path, monkeypatch):
        (row,) = pulled(tmp_path, replace(quiz, n_rows=2_001))
    assert row["error"] == f"quiz: 2,000 rows were found in {HUB}org/quiz, 2,001 are expected"
    assert not (tmp_path / "to/quiz.jsonl").exists()


class Gated(Files):
    def answer(self, with_body: bool) -> None:
        if self.path.startswith("/datasets/org/gated/"):
            self.send(403, b"", with_body, {"X-Error-Message": "Access to dataset org/gated is restricted."})
        else:
            super().answer(with_body)


def test_sets_that_are_gated_or_gone_say_so_and_the_others_go_on(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated, gone = (replace(quiz, name=name, repository=f"{HUB}org/{name}") for name in ("gated", "gone"))
    with hub(tmp_path, monkeypatch, handler=Gated):
        rows = pulled(tmp_path, gated, gone, quiz)
    assert [row["state"] for row in rows] == ["failed", "failed", "pulled"]
    place = f"gated: data/test.jsonl of {HUB}org/gated at {COMMIT}: 403 Access to dataset org/gated is restricted."
    assert rows[0]["error"].startswith(place) and "set HF_TOKEN" in rows[0]["error"]
    assert rows[1]["error"] == f"gone: data/test.jsonl of {HUB}org/gone at {COMMIT}: 404 Not Found"


def test_a_server_that_is_not_there_is_said_to_be_so(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    (row,) = pulled(tmp_path, quiz)
    assert "cannot be fetched (ConnectError: " in row["error"]
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    (row,) = pulled(tmp_path, quiz)
    assert "cannot be fetched (OfflineModeIsEnabled: " in row["error"]


class Tokens(Files):
    def answer(self, with_body: bool) -> None:
        self.asked.append(("token", self.path, self.headers.get("Authorization")))
        super().answer(with_body)


def test_a_token_goes_to_the_hub_and_not_to_github(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    jsonl(tmp_path / f"hub/org/code/{COMMIT}/a%20folder/test.jsonl", *ROWS)  # as the path of an address
    files = (("a folder/test.jsonl", quiz.files[0][1]),)
    code = replace(quiz, name="code", repository=GITHUB + "org/code", files=files)
    with hub(tmp_path, monkeypatch, handler=Tokens) as asked:
        assert [row["error"] for row in pulled(tmp_path, quiz, code)] == [None, None]
    assert [token for what, _, token in asked if what == "token"] == ["Bearer of-a-test", None]
    assert asked[-1][:2] == ("GET", f"/org/code/{COMMIT}/a%20folder/test.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "columns", "expected"),
    [
        ("t.tsv", 'Is "1\t2"?\t5,600\nWhy\t\n', {"question": ("0",), "answer": ("1",)},
         [{"question": 'Is "1', "answer": '2"?'}, {"question": "Why", "answer": ""}]),
        ("t.json", '[{"Q": "a?", "A": [1, 2.5]}, {"Q": "b?", "A": true}]', {"question": ("Q",), "answer": ("A",)},
         [{"question": "a?", "answer": "1\n2.5"}, {"question": "b?", "answer": "True"}]),
        ("t.json", '{"7": {"Q": "a?", "options": {"A": "x", "B": null, "C": "z"}}}', {"question": ("Q", "options")},
         [{"question": "a?\nx\n\nz"}]),
        ("t.jsonl", '{"Body": "b.", "Q": "q?", "o": {"s": "so"}}\n{"Body": null, "Q": "q?", "o": null}\n',
         {"question": ("Body", "Q"), "solution": ("o.s",), "answer": ("none",)},
         [{"question": "b.\nq?", "solution": "so"}, {"question": "q?", "solution": ""}]),
    ],
)  # fmt: skip
def test_published_files_of_each_kind_give_the_common_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    name: str, content: str, columns: dict[str, tuple[str, ...]], expected: list[dict[str, str]],
) -> None:  # fmt: skip
    (tmp_path / f"hub/org/code/{COMMIT}").mkdir(parents=True)
    (tmp_path / f"hub/org/code/{COMMIT}/{name}").write_text(content, encoding="utf-8")
    with hub(tmp_path, monkeypatch):
        rows = pulled(tmp_path, Published("t", GITHUB + "org/code", COMMIT, ((name, None),), columns, "MIT", None))
    assert [row["error"] for row in rows] == [None]
    found = rows_of(tmp_path / "to/t.jsonl")
    assert found == [{"benchmark": "t", "id": str(n), **row} for n, row in enumerate(expected, start=1)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.json", b"[{", "is not JSON"),
        ("t.json", b"[1]", "row 1 is no object"),
        ("t.json", b"1", "row 1 is no object"),
        ("t.tsv", b"caf\xe9\t1\n", "is not UTF-8"),
        ("t.jsonl", b'{"text": 1}\n', "line 1 has no '0'; it has 'text'"),
        ("t.jsonl", b"", "t has no rows"),
    ],
)
def test_a_published_file_that_is_none_is_a_failure_of_its_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, message: str
) -> None:
    (tmp_path / f"hub/org/code/{COMMIT}").mkdir(parents=True)
    (tmp_path / f"hub/org/code/{COMMIT}/{name}").write_bytes(content)
    one = Published("t", GITHUB + "org/code", COMMIT, ((name, None),), {"question": ("0",)}, "MIT", None)
    with hub(tmp_path, monkeypatch):
        (row,) = pulled(tmp_path, one)
    assert row["state"] == "failed" and message in row["error"]


def test_the_items_of_several_files_keep_apart(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("en", "zh"):
        jsonl(tmp_path / f"hub/datasets/org/quiz/resolve/{COMMIT}/{name}.jsonl", {"problem": name, "answer": 1})
    both = replace(quiz, files=(("en.jsonl", None), ("zh.jsonl", None)), n_rows=2)
    with hub(tmp_path, monkeypatch):
        pulled(tmp_path, both)
    assert [row["id"] for row in rows_of(tmp_path / "to/quiz.jsonl")] == ["en/1", "zh/1"]


def test_a_name_that_no_set_has_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="called 'gsm9k'; known are .*gsm8k, .*math500"):
        pull(tmp_path, ["gsm8k", "gsm9k"])


def test_a_file_of_the_name_that_was_not_pulled_is_not_written_over(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = jsonl(tmp_path / "to/quiz.jsonl", {"question": QUESTION})
    with hub(tmp_path, monkeypatch) as asked:
        (row,) = pulled(tmp_path, quiz)
        assert "was not pulled; move it away" in row["error"] and asked == []
    assert rows_of(mine) == [{"question": QUESTION}]


def test_a_manifest_that_is_none_is_named(tmp_path: Path, quiz: Published) -> None:
    (tmp_path / "to").mkdir()
    for content in ("[1]", "{", '{"quiz": {}}', '{"quiz": 1}'):
        (tmp_path / "to" / MANIFEST).write_text(content)
        (row,) = pulled(tmp_path, quiz)
        assert "manifest.json is no manifest of benchmarks" in row["error"], content


# --- added


def test_a_file_of_ones_own_is_added_under_its_columns(tmp_path: Path) -> None:
    pq.write_table(
        pa.Table.from_pylist([{"prompt": ["Is it?", "So?"], "answer": 3, "key": "k"}]), tmp_path / "exam.parquet"
    )
    entry = add(tmp_path / "exam.parquet", tmp_path / "to", "exam24", {"question": "prompt", "id": "key"})
    assert rows_of(tmp_path / "to/exam24.jsonl") == [
        {"benchmark": "exam24", "id": "k", "question": "Is it?\nSo?", "answer": "3"}
    ]
    assert (entry["benchmark"], entry["n_rows"], entry["file"]) == ("exam24", 1, "exam.parquet")
    assert load_benchmarks([tmp_path / "to/exam24.jsonl"]).n_rows == {"exam24": 1}


def test_a_file_added_again_replaces_itself_and_no_other_source(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, to = jsonl(tmp_path / "own.jsonl", {"question": QUESTION}), tmp_path / "to"
    add(own, to)
    jsonl(own, {"question": QUESTION}, {"question": SHORT, "solution": "7"})
    assert add(own, to)["n_rows"] == 2
    assert rows_of(to / "own.jsonl")[1] == {"benchmark": "own", "id": "2", "question": SHORT, "solution": "7"}
    with pytest.raises(InputError, match="has a benchmark 'own' of another source.*--name"):
        add(jsonl(tmp_path / "other.jsonl", {"question": SHORT}), to, "own")
    with hub(tmp_path, monkeypatch):
        pulled(tmp_path, quiz)
    with pytest.raises(InputError, match="has a benchmark 'quiz' of another source"):
        add(own, to, "quiz")
    assert sorted(json.loads((to / MANIFEST).read_text())) == ["own", "quiz"]


@pytest.mark.parametrize(
    ("rows", "columns", "name", "message"),
    [
        ([{"prompt": "q"}], {}, None, "line 1 has no 'question'; it has 'prompt'. Name the column"),
        ([{"question": "q"}], {"answer": "key"}, None, "own.jsonl has no column 'key'; it has 'question'"),
        ([{"question": "q"}, {"answer": "a"}], {}, None, "line 2 has no 'question'"),
        ([], {}, None, "own has no rows"),
        ([{"question": "q"}], {}, "../own", "'../own' is no name of a benchmark"),
        ([{"question": "q"}], {}, "sub/own", "'sub/own' is no name of a benchmark"),
    ],
)
def test_a_file_that_cannot_be_added_is_named_and_leaves_nothing(
    tmp_path: Path, rows: list[Any], columns: dict[str, str], name: str | None, message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        add(jsonl(tmp_path / "own.jsonl", *rows), tmp_path / "to", name, columns)
    assert list((tmp_path / "to").glob("*")) == []


# --- as a command


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.app, ["benchmarks", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_list_shows_what_is_there_and_what_lacks(tmp_path: Path) -> None:
    jsonl(tmp_path / "gsm8k.jsonl", {"question": QUESTION, "solution": "one"}, {"question": "why"})
    code, out, _ = run("list", tmp_path)
    assert code == 0
    heading, there = (re.split(r"\s{2,}", line.strip()) for line in out.splitlines()[:2])
    assert dict(zip(heading, there, strict=True)) == {
        "benchmark": "gsm8k", "rows": "2", "items": "2", "texts": "2", "by run": "1", "whole": "0",
        "too short": "1", "empty": "0", "repeated": "0", "runs": "9",
    }  # fmt: skip
    assert f"5,000  {SETS['math'].licence}" in re.sub(r"\s{2,}", "  ", out)
    assert SETS["math"].revision in out and SETS["gsm8k"].repository not in out
    code, out, _ = run("list", tmp_path, "--column", "solution", "--column", "question", "--json")
    answer = json.loads(out)
    assert [row["n_unprotected"] for row in answer["there"]] == [2]
    assert {row["benchmark"] for row in answer["absent"]} == set(SETS) - {"gsm8k"}
    assert len(json.loads(run("list", "--json")[1])["absent"]) == len(SETS)


def test_pull_ends_with_1_where_a_set_failed_and_says_which(
    tmp_path: Path, quiz: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, one in (("quiz", quiz), ("gone", replace(quiz, name="gone", repository=HUB + "org/gone"))):
        monkeypatch.setitem(SETS, name, one)  # type: ignore[misc]
    with hub(tmp_path, monkeypatch):
        code, out, err = run("pull", "quiz", "gone", "--to", tmp_path / "to")
        assert (code, out) == (1, "quiz: pulled, 2,000 rows\ngone: failed\n")
        assert "gone: data/test.jsonl of" in err and "404 Not Found" in err
        code, out, _ = run("pull", "quiz", "--to", tmp_path / "to", "--json")
    assert (code, json.loads(out)[0]["state"]) == (0, "there")


def test_add_takes_the_columns_that_are_named(tmp_path: Path) -> None:
    own = jsonl(tmp_path / "own.jsonl", {"prompt": QUESTION, "label": "7", "steps": "s", "key": "k"})
    options = ("--question", "prompt", "--answer", "label", "--solution", "steps", "--id", "key", "--name", "x")
    code, out, _ = run("add", own, "--to", tmp_path / "to", *options)
    assert (code, out) == (0, f"x: 1 rows in {tmp_path}/to/x.jsonl\n")
    assert rows_of(tmp_path / "to/x.jsonl") == [
        {"benchmark": "x", "id": "k", "question": QUESTION, "answer": "7", "solution": "s"}
    ]
    code, _, err = run("add", own, "--to", tmp_path / "to")
    assert code == 1 and "has no 'question'" in err


@pytest.mark.parametrize("verb", ["list", "pull", "add"])
def test_help_of_each_verb_shows_its_lines_as_written(verb: str) -> None:
    shown = CliRunner().invoke(cli.app, ["benchmarks", verb, "--help"], terminal_width=80).stdout
    lines = {line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()}
    written = {"list": cli.benchmarks.list_sets, "pull": cli.benchmarks.pull, "add": cli.benchmarks.add}[verb]
    assert {line.strip() for line in (written.__doc__ or "").splitlines()} - lines == set()
