"""Benchmark texts in pages: worked by hand, against a naive scan of all n-grams, and hostile."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import decontam, schema, tables
from corpus.decontam import Benchmarks, Coverage, Hit, Index, Item, coverage, decontaminate_part, load_benchmarks
from corpus.errors import InputError
from corpus.text import ngrams, normalise, words

QUESTION = "A farmer has $12$ hens and each lays 3 eggs a day; how many eggs in a week?"
SHORT = "Solve \\(x^2 = 49\\)."


def jsonl(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def index_of(*texts: str, **options: int) -> Index:
    return Index(
        Benchmarks(tuple(Item("b", str(n), (normalise(text, operators=False),)) for n, text in enumerate(texts)), {}),
        **options,
    )


def test_a_question_in_the_middle_of_a_page_is_found_whatever_its_delimiters() -> None:
    page = "Exercises.\nA farmer has \\(12\\) hens, and EACH lays 3 eggs a day. How many eggs in a week?\nAnswer"
    assert index_of("unrelated words only", QUESTION).probe(page) == [
        Hit("b", "1", "ngram", "a farmer has 12 hens and each lays 3 eggs", 1, 9)
    ]


def test_ten_words_are_enough_and_nine_are_not() -> None:
    found = words(QUESTION, operators=False)
    index = index_of(QUESTION)
    assert index.probe("x " + " ".join(found[3:13]) + " y")[0].ngram == " ".join(found[3:13])
    assert index.probe("x " + " ".join(found[3:12]) + " y") == []


def test_a_short_text_must_be_there_whole() -> None:
    index = index_of(SHORT)
    assert index.probe("Please solve x^2=49 now") == [Hit("b", "0", "whole", "solve x 2 49", 1, 1)]
    assert index.probe("Please solve x^2=48 now") == []
    assert index.probe("Please x^2=49 now") == []


def test_a_short_text_is_not_looked_for_in_pieces_of_a_long_one() -> None:
    assert index_of(QUESTION).probe("A farmer has 12 hens") == []


def test_words_that_touch_across_two_benchmark_texts_are_no_run() -> None:
    index = index_of("one two three four five six seven", "eight nine ten eleven twelve thirteen")
    assert index.probe("three four five six seven eight nine ten eleven twelve") == []


def test_texts_under_three_words_protect_nothing() -> None:
    assert index_of("two words", "", "one").probe("two words one") == []


def test_chinese_is_compared_by_character() -> None:
    index = index_of("小明有五个苹果,又买了三个,一共有几个?")
    (hit,) = index.probe("题目：小明有五个苹果，又买了三个。")
    assert (hit.rule, hit.position, hit.ngram) == ("ngram", 2, "小 明 有 五 个 苹 果 又 买 了")


def test_an_empty_index_and_an_empty_page_have_no_hits() -> None:
    assert Index(load_benchmarks([])).probe(QUESTION) == []
    assert index_of(QUESTION, SHORT).probe("") == []
    assert index_of(QUESTION, SHORT).probe("?!") == []


def test_runs_that_share_only_a_hash_are_no_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decontam, "extended", lambda runs, each, length: np.zeros(len(each) - length + 1, np.uint64))
    index = index_of(QUESTION, SHORT)
    assert index.probe("ten other words that have nothing to do with the farmer and his hens") == []
    assert [hit.item_id for hit in index.probe(QUESTION)] == ["0"]


def naive(texts: list[str], page: str) -> list[Hit]:
    """The rule by sets of strings."""
    found = words(page, operators=False)
    hits = []
    for number, text in enumerate(texts):
        length = min(10, len(words(text, operators=False)))
        runs = set(ngrams(words(text, operators=False), length)) if length >= 3 else set()
        at = [place for place, run in enumerate(ngrams(found, length)) if run in runs] if runs else []
        if at:
            run = ngrams(found, length)[at[0]]
            n_hits = len(runs & set(ngrams(found, length)))
            hits.append(Hit("b", str(number), "ngram" if length == 10 else "whole", run, at[0], n_hits))
    return sorted(hits, key=lambda hit: hit.item_id)


def test_probing_agrees_with_a_naive_scan() -> None:
    draw = random.Random(4)
    texts = [" ".join(draw.choices("abc", k=draw.randint(0, 16))) for _ in range(150)]
    index = index_of(*texts)
    n_hits = 0
    for _ in range(60):
        page = " ".join(draw.choices("abcd", weights=[4, 4, 4, 1], k=draw.randint(0, 150)))
        page += " " + draw.choice(texts)
        assert index.probe(page) == naive(texts, page)
        n_hits += len(naive(texts, page))
    assert n_hits > 500


def test_every_question_embedded_in_a_page_is_found() -> None:
    draw = random.Random(5)
    vocabulary = [f"{a}{b}" for a in "bcdfgh" for b in "aeiou"] + ["1,000", "$x^2$", r"\frac{1}{2}", "=", "-3", "十"]
    texts = [" ".join(["is", "it", "so", *draw.choices(vocabulary, k=draw.randint(0, 40))]) for _ in range(300)]
    index = index_of(*texts)
    for number, text in enumerate(texts):
        page = " ".join(draw.choices(vocabulary, k=30)) + f"\n{text}\n" + " ".join(draw.choices(vocabulary, k=30))
        assert str(number) in {hit.item_id for hit in index.probe(page)}, text


def test_a_page_that_is_a_whole_benchmark_gives_one_hit_an_item() -> None:
    texts = [f"how many apples does person {n} have in all after buying {n} more apples today" for n in range(2_000)]
    hits = index_of(*texts).probe("\n".join(texts * 3))
    assert len(hits) == 2_000
    assert len({hit.item_id for hit in hits}) == 2_000


def test_lengths_of_runs_are_settings() -> None:
    index = index_of("one two three four five", "six seven", ngram=4, min_ngram=2)
    assert [hit.rule for hit in index.probe("zero one two three four, six seven")] == ["ngram", "whole"]
    assert index.probe("one two three five") == []


def test_rows_name_their_benchmark_and_id_or_take_the_file_and_the_line(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "quiz.jsonl",
        {"benchmark": "gsm", "id": "t/0", "question": QUESTION},
        {"question": SHORT},
        {"benchmark": None, "id": 7, "question": None},
    )
    assert load_benchmarks([path]).items == (
        Item("gsm", "t/0", (normalise(QUESTION, operators=False),)),
        Item("quiz", "2", ("solve x 2 49",)),
        Item("quiz", "7", ("",)),
    )


def test_jsonl_and_parquet_say_the_same(tmp_path: Path) -> None:
    rows = [{"id": n, "question": f"{QUESTION} {n}"} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "quiz.parquet")
    assert load_benchmarks([tmp_path / "quiz.parquet"]) == load_benchmarks([str(jsonl(tmp_path / "quiz.jsonl", *rows))])


def test_rows_of_one_id_are_one_item(tmp_path: Path) -> None:
    row = {"id": "1", "question": QUESTION}
    path = jsonl(tmp_path / "quiz.jsonl", row, row, {"id": "1", "question": SHORT})
    benchmarks = load_benchmarks([path, path])
    assert benchmarks == Benchmarks(
        (Item("quiz", "1", (normalise(QUESTION, operators=False), "solve x 2 49")),), {"quiz": 6}
    )
    hits = Index(benchmarks).probe(f"{SHORT} {QUESTION}")
    assert [(hit.rule, hit.position) for hit in hits] == [("ngram", 4)]


def test_other_columns_are_read_when_named(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "quiz.jsonl", {"question": SHORT, "answer": 7, "solution": QUESTION})
    assert load_benchmarks([path], ("question", "answer")).items[0].texts == ("solve x 2 49", "7")
    assert Index(load_benchmarks([path])).probe(QUESTION) == []
    assert len(Index(load_benchmarks([path], ("question", "solution"))).probe(QUESTION)) == 1


def test_coverage_counts_items_by_what_protects_them(tmp_path: Path) -> None:
    first = jsonl(
        tmp_path / "a.jsonl", *({"question": text} for text in (QUESTION, SHORT, "1 + 1 = x", "why", "", None))
    )
    second = jsonl(tmp_path / "z.jsonl", {"question": QUESTION})
    assert coverage(load_benchmarks([second, first])) == [
        Coverage("a", 6, 6, 1, 2, 1, 2),
        Coverage("z", 1, 1, 1, 0, 0, 0),
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
    assert load_benchmarks([tmp_path / "bom.jsonl"]).items[0].texts == ("one two three",)


def extracted(page_id: str, text: str | None, offset: int = 0) -> dict[str, Any]:
    return {"page_id": page_id, "warc_filename": "a", "warc_record_offset": offset, "text": text}


def test_a_part_gives_evidence_of_the_pages_that_are_still_there(tmp_path: Path) -> None:
    part, out = tmp_path / "part.parquet", tmp_path / "contaminated.parquet"
    pages = [
        extracted("a", QUESTION),
        extracted("b", f"Try: {QUESTION} {SHORT}"),
        extracted("c", "clean"),
        extracted("d", None),
    ]
    tables.write_rows(part, pages, schema.EXTRACTED)
    gone = pa.Table.from_pylist([{**extracted("a", None), "kind": "near", "kept_id": "b"}])
    assert decontaminate_part(part, gone, index_of(QUESTION, SHORT), out) == (3, 1)
    assert pq.read_schema(out).equals(schema.CONTAMINATED)
    assert [tuple(row.values()) for row in tables.read_rows(out)] == [
        ("b", "b", "0", "ngram", "a farmer has 12 hens and each lays 3 eggs", 1, 9),
        ("b", "b", "1", "whole", "solve x 2 49", 19, 1),
    ]
    assert decontaminate_part(part, None, index_of(QUESTION), out) == (4, 2)


def test_a_removed_capture_does_not_hide_the_one_that_stays(tmp_path: Path) -> None:
    part, out = tmp_path / "part.parquet", tmp_path / "contaminated.parquet"
    tables.write_rows(part, [extracted("a", QUESTION, 0), extracted("a", QUESTION, 9)], schema.EXTRACTED)
    gone = pa.Table.from_pylist([extracted("a", None, 0)])
    assert decontaminate_part(part, gone, index_of(QUESTION), out) == (1, 1)


def test_the_same_part_gives_the_same_bytes(tmp_path: Path) -> None:
    part = tmp_path / "part.parquet"
    tables.write_rows(part, [extracted("a", f"{SHORT} {QUESTION}")], schema.EXTRACTED)
    for name in ("one", "two"):
        decontaminate_part(part, None, index_of(QUESTION, SHORT, QUESTION), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
