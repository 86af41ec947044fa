"""The published rules and the index: worked by hand, against naive scans, and hostile."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from corpus import schema, tables
from corpus.allowed import Allowed, read_allowed
from corpus.benchmarks import Benchmarks, Item
from corpus.config import Decontam
from corpus.decontam import LEAST_ROWS, WORDS_PER_ROW, Hit, Index, judge
from corpus.decontam_parts import decontaminate_part
from corpus.errors import InputError
from corpus.kernels import grams
from corpus.lookup import Table
from corpus.text import cut, ngrams, words
from corpus.urls import canonical_url, page_id

QUESTION = "A farmer has $12$ hens and each lays 3 eggs a day; how many eggs in a week?"
SHORT = "Solve \\(x^2 = 49\\)."
SOLUTION = "Every day there are 12 times 3 eggs, which is 36, and in a week 7 times as many, so 252 eggs."
CHINESE = "小明有五个苹果,又买了三个,一共有几个苹果?"
PUBLISHED = Decontam(rules=("deepseekmath",))
SEGMENTS = Decontam(rules=("deepseekmath",), action="segment")


def benchmarks_of(*texts: str) -> Benchmarks:
    items = (Item("b", str(number), {"question": (text,)}) for number, text in enumerate(texts))
    return Benchmarks(tuple(items), {"b": len(texts)})


def index_of(*texts: str, **settings: Any) -> Index:
    return Index.of(benchmarks_of(*texts), Decontam(**{"rules": ("deepseekmath",), **settings}))


def found(index: Index, page: str) -> list[str]:
    return [hit.item_id for hit in index.probe(page)]


def test_a_question_in_the_middle_of_a_page_is_found_whatever_its_delimiters() -> None:
    page = "Exercises.\nA farmer has \\(12\\) hens, and EACH lays 3 eggs a day. How many eggs in a week?\nAnswer"
    (hit,) = index_of("unrelated words only", QUESTION).probe(page)
    assert hit == Hit(
        benchmark="b",
        item_id="1",
        role="question",
        rule="deepseekmath",
        page_text="a farmer has \\(12\\) hens, and each lays 3 eggs",
        item_text=QUESTION,
        position=1,
        n_words=10,
        n_hits=9,
        overlap=1.0,
        alignment=None,
        n_left_out=0,
    )


def test_ten_words_are_enough_and_nine_are_not() -> None:
    question = words(QUESTION, operators=False)
    index = index_of(QUESTION)
    assert index.probe("x " + " ".join(question[3:13]) + " y")[0].page_text == " ".join(question[3:13])
    assert index.probe("x " + " ".join(question[3:12]) + " y") == []


def test_a_short_text_must_be_there_whole() -> None:
    index = index_of(SHORT)
    (hit,) = index.probe("Please solve x^2=49 now")
    assert (hit.page_text, hit.position, hit.n_words, hit.n_hits, hit.overlap) == ("solve x^2=49", 1, 4, 1, 1.0)
    assert index.probe("Please solve x^2=48 now") == []
    assert index.probe("Please x^2=49 now") == []


def test_a_short_text_is_not_looked_for_in_pieces_of_a_long_one() -> None:
    assert index_of(QUESTION).probe("A farmer has 12 hens") == []


def test_words_that_touch_across_two_benchmark_texts_are_no_run() -> None:
    index = index_of("one two three four five six seven", "eight nine ten eleven twelve thirteen")
    assert index.probe("three four five six seven eight nine ten eleven twelve") == []


def test_texts_under_three_words_protect_nothing() -> None:
    index = index_of("two words", "", "one", SHORT)
    assert index.probe("two words one") == []
    assert index.protected()["deepseekmath"].tolist() == [False, False, False, True]


def test_a_run_of_chinese_is_half_as_many_characters_longer() -> None:
    characters = words(CHINESE)
    index = index_of(CHINESE)
    (hit,) = index.probe("题目：" + "".join(characters[2:17]))
    assert (hit.position, hit.n_words, hit.page_text) == (2, 15, "".join(characters[2:17]))
    assert index.probe("题目：" + "".join(characters[2:16])) == []


def test_an_empty_index_and_an_empty_page_have_no_hits() -> None:
    settings = Decontam(rules=("deepseekmath", "qwen", "strict"))
    assert Index.of(Benchmarks((), {}), settings).probe(QUESTION) == []
    index = Index.of(benchmarks_of(QUESTION, SHORT), settings)
    assert index.probe("") == []
    assert index.probe("?!") == []
    assert index.probe("+ = -") == []


def test_runs_that_share_only_a_hash_are_no_hit() -> None:
    index = index_of(QUESTION)
    assert index.deepseekmath is not None
    page = cut("ten other words that have nothing to do with the farmer").without_operators().hashes
    hashes = np.empty(len(page), np.uint64)
    grams.hash_runs(page, np.array([0]), np.array([10]), hashes)
    runs = index.deepseekmath.runs
    lying = replace(runs, table=Table.of(hashes[:1]))
    assert lying.shared(page, index.texts)[0].tolist() == []
    assert runs.shared(index.texts.words, index.texts)[0].tolist() == [0] * 9


def naive(texts: list[str], page: str) -> list[tuple[str, int, int, float]]:
    """deepseekmath by sets of strings: (item, position, different runs, share of the text's)."""
    of_page = words(page, operators=False)
    hits = []
    for number, text in enumerate(texts):
        length = min(10, len(words(text, operators=False)))
        runs = set(ngrams(words(text, operators=False), length)) if length >= 3 else set()
        at = [place for place, run in enumerate(ngrams(of_page, length)) if run in runs] if runs else []
        if at:
            n_hits = len(runs & set(ngrams(of_page, length)))
            hits.append((str(number), at[0], n_hits, round(n_hits / len(runs), 4)))
    return sorted(hits)


def test_probing_agrees_with_a_naive_scan() -> None:
    draw = random.Random(4)
    texts = [" ".join(draw.choices("abc", k=draw.randint(0, 16))) for _ in range(LEAST_ROWS)]
    index = index_of(*texts)
    n_hits = 0
    for _ in range(60):
        page = " ".join(draw.choices("abcd", weights=[4, 4, 4, 1], k=draw.randint(0, 150)))
        page += " " + draw.choice(texts)
        expected = naive(texts, page)
        assert [(hit.item_id, hit.position, hit.n_hits, hit.overlap) for hit in index.probe(page)] == expected
        n_hits += len(expected)
    assert n_hits > 300


def test_every_question_embedded_in_a_page_is_found() -> None:
    draw = random.Random(5)
    vocabulary = [f"{a}{b}" for a in "bcdfgh" for b in "aeiou"] + ["1,000", "$x^2$", r"\frac{1}{2}", "=", "-3", "十"]
    texts = [" ".join(["is", "it", "so", *draw.choices(vocabulary, k=draw.randint(0, 40))]) for _ in range(300)]
    index = index_of(*texts)
    for number, text in enumerate(texts):
        page = " ".join(draw.choices(vocabulary, k=30)) + f"\n{text}\n" + " ".join(draw.choices(vocabulary, k=30))
        assert str(number) in found(index, page), text


def test_a_run_that_a_text_repeats_is_one() -> None:
    text = "one two three four five six seven eight nine ten " * 2  # eleven runs, the last is the first again
    (hit,) = index_of(text).probe(text)
    assert (hit.n_hits, hit.overlap) == (10, 1.0)


def test_lengths_of_runs_are_settings() -> None:
    index = index_of("one two three four five", "six seven", ngram=4, min_ngram=2)
    assert [hit.n_words for hit in index.probe("zero one two three four, six seven")] == [4, 2]
    assert index.probe("one two three five") == []


def test_qwen_asks_for_thirteen_words_and_six_tenths_of_the_question_in_order() -> None:
    question = "alpha beta gamma delta one two three four five six seven eight nine ten eleven twelve thirteen"
    parts = question.split()  # 17 words
    index = index_of(question, rules=("qwen",))
    (hit,) = index.probe("x x " + " ".join(parts[4:]))
    assert (hit.alignment, hit.overlap, hit.n_hits) == (round(13 / 17, 4), 0.2, 1)
    assert index.probe("x x " + " ".join(parts[5:])) == []  # twelve words
    longer = " ".join([*"abcdefghi", *parts[4:]])  # 13 of 22 words are .59
    assert index_of(longer, rules=("qwen",)).probe(" ".join(parts[4:])) == []
    assert index_of("too short for the rule", rules=("qwen",)).protected()["qwen"].tolist() == [False]


def naive_subsequence(one: list[int], other: list[int]) -> int:
    if not one or not other:
        return 0
    if one[0] == other[0]:
        return 1 + naive_subsequence(one[1:], other[1:])
    return max(naive_subsequence(one[1:], other), naive_subsequence(one, other[1:]))


def test_the_common_subsequence_agrees_with_its_definition() -> None:
    draw = random.Random(6)
    for _ in range(100):
        one, other = (draw.choices(range(3), k=draw.randint(0, 8)) for _ in range(2))
        made = grams.common_subsequence(np.array(one, np.uint64), np.array(other, np.uint64))
        assert made == naive_subsequence(one, other)


def test_qwen_takes_the_best_of_the_windows_where_runs_of_the_question_stand() -> None:
    question = [f"w{n}" for n in range(40)]
    edited = question[:13] + [word if n % 5 else "other" for n, word in enumerate(question[13:])]
    title = question[:13] + ["filler"] * 60
    (hit,) = index_of(" ".join(question), rules=("qwen",)).probe(" ".join(title + edited))
    assert hit.alignment == pytest.approx(34 / 40)


@pytest.mark.parametrize("rule", ["deepseekmath", "qwen", "strict"])
def test_a_page_that_is_a_whole_benchmark_names_each_of_its_items(rule: str) -> None:
    draw = random.Random(7)
    texts = [" ".join(f"word{draw.randrange(5_000)}" for _ in range(15)) for _ in range(2 * LEAST_ROWS)]
    hits = index_of(*texts, rules=(rule,)).probe("\n".join(texts))
    assert sorted(int(hit.item_id) for hit in hits) == list(range(2 * LEAST_ROWS))
    assert {hit.n_left_out for hit in hits} == {0}


def test_a_page_names_no_more_items_than_its_length_allows_and_says_so() -> None:
    index = index_of(*[QUESTION] * 5 * LEAST_ROWS, rules=("strict",))
    short, long = f"x {QUESTION}", QUESTION + " other" * 2 * LEAST_ROWS * WORDS_PER_ROW
    for page, most in ((short, LEAST_ROWS), (long, len(words(long, operators=False)) // WORDS_PER_ROW)):
        hits = index.probe(page)
        assert len(hits) == most
        assert {hit.n_left_out for hit in hits} == {5 * LEAST_ROWS - most}


@pytest.mark.parametrize("rule", ["deepseekmath", "qwen", "strict"])
def test_a_run_that_every_question_holds_costs_no_more_than_the_first_of_them(rule: str) -> None:
    common = "find the value of the sum of all of the numbers that are in the list of"
    index = index_of(*(f"{common} number{n}" for n in range(3_000)), rules=(rule,))
    for matches in dict(index._matches(cut(common * 50).without_operators())).values():
        assert len(matches.starts) <= 64 * 50 * 16


def test_an_item_of_several_texts_is_reported_once_a_role_for_the_text_that_most_is_found_of() -> None:
    texts = {"question": (SHORT, QUESTION), "solution": ("one two three four",)}
    settings = Decontam(rules=("deepseekmath",), protect="question_and_solution")
    index = Index.of(Benchmarks((Item("b", "0", texts),), {"b": 1}), settings)
    hits = index.probe(f"{SHORT} {' '.join(QUESTION.split()[:12])} one two three four")
    assert [(hit.role, hit.item_text, hit.overlap) for hit in hits] == [
        ("question", SHORT, 1.0),
        ("solution", "one two three four", 1.0),
    ]


def test_an_index_that_was_saved_finds_the_same(tmp_path: Path) -> None:
    settings = Decontam(rules=("deepseekmath", "qwen", "strict"))
    index = Index.of(benchmarks_of(QUESTION, SHORT, CHINESE), settings)
    index.save(tmp_path / "one")
    Index.of(benchmarks_of(QUESTION, SHORT, CHINESE), settings).save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    page = f"{SHORT} so {QUESTION} and {CHINESE}"
    assert len(index.probe(page)) >= 5
    assert Index.load(tmp_path / "one").probe(page) == index.probe(page)


@pytest.mark.parametrize("content", [b"", b"no index", b"PK\x03\x04"])
def test_a_file_that_is_no_index_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(content)
    with pytest.raises(InputError, match="index is no index of benchmarks"):
        Index.load(tmp_path / "index")


def test_an_index_that_lacks_a_piece_is_named(tmp_path: Path) -> None:
    index_of(QUESTION).save(tmp_path / "index")
    with np.load(tmp_path / "index") as held:
        arrays = {name: held[name] for name in held if name != "index.asked"}
    with (tmp_path / "index").open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(InputError, match=r"index is no whole index of benchmarks: it lacks 'index\.asked'"):
        Index.load(tmp_path / "index")


def test_evidence_shows_the_whole_question_even_if_it_is_long() -> None:
    question = f"{QUESTION} " * 8 + "and so on until the last of the hens of the farmer has left the farm"
    (hit,) = index_of(question).probe("until the last of the hens of the farmer has left the farm")
    assert hit.item_text == question
    assert hit.page_text in hit.item_text


def test_an_index_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index_of(QUESTION).save(tmp_path / "index")
    monkeypatch.setattr("corpus.decontam.TEXT_VERSION", 99)
    with pytest.raises(InputError, match="built by another version"):
        Index.load(tmp_path / "index")


def test_only_the_lines_that_match_go_where_segments_go() -> None:
    page = f"Intro one.\n\nﬁrst: {QUESTION}\nSecond paragraph.\n{SHORT}\nEnd."
    verdict = judge(page, index_of(QUESTION, SHORT), SEGMENTS, Allowed())
    assert verdict.text == "Intro one.\n\nSecond paragraph.\nEnd."
    assert [row["removed"] for row in verdict.rows] == ["segment", "segment"]


def test_a_page_that_is_only_flagged_stays_whole_with_its_evidence() -> None:
    page = f"Intro one.\n{QUESTION}\nEnd."
    verdict = judge(page, index_of(QUESTION), SEGMENTS.model_copy(update={"action": "flag"}), Allowed())
    assert verdict.text == page
    assert [(row["removed"], row["item_id"]) for row in verdict.rows] == [(None, "0")]


def test_a_page_of_which_nothing_would_stay_goes_whole() -> None:
    verdict = judge(f"\n{QUESTION}\n ", index_of(QUESTION), SEGMENTS, Allowed())
    assert verdict.text is None
    assert [row["removed"] for row in verdict.rows] == ["page"]


def test_what_segments_leave_holds_no_match() -> None:
    """The lines around one that went may hold a run between them."""
    first, second = " ".join(QUESTION.split()[:9]), " ".join(QUESTION.split()[9:])  # neither has ten words
    index = index_of(QUESTION)
    verdict = judge(f"a\n{first}\n{QUESTION}\n{second}\nb", index, SEGMENTS, Allowed())
    assert verdict.text is not None and index.probe(verdict.text) == []


def test_a_question_goes_only_with_its_solution_where_that_is_asked_for() -> None:
    items = (
        Item("b", "long", {"question": (QUESTION,), "solution": (SOLUTION,), "answer": ("252",)}),
        Item("b", "bare", {"question": ("one two three four five six seven eight nine ten",), "answer": ("11",)}),
    )
    both = Decontam(rules=("deepseekmath", "strict"), protect="question_and_solution")
    index = Index.of(Benchmarks(items, {"b": 2}), both)

    def removed(page: str) -> set[str | None]:
        return {row["removed"] for row in judge(page, index, both, Allowed()).rows}

    assert removed(f"{QUESTION} Think!") == {None}
    assert removed(f"{SOLUTION}") == set()  # an item is seen where its question is
    assert removed(f"{QUESTION} {SOLUTION}") == {"page"}
    # An item whose answers are too short to be looked for goes for its question.
    assert removed("so one two three four five six seven eight nine ten") == {"page"}


def test_an_allowed_page_stays_and_is_counted_as_such(tmp_path: Path) -> None:
    url = "https://Example.org/page?b=1"
    (tmp_path / "allow.csv").write_text(
        "url,page_id,benchmark,item_id,who,when,why\n"
        f"{url},,b,0,me,2026-01-01,an exercise of its own\n"
        ",abc,b,,me,,\n"
        ",def,,,,,\n"
    )
    allowed = read_allowed([tmp_path / "allow.csv"])
    index = index_of(QUESTION, SHORT)

    def kept(page: str, *names: str) -> bool:
        verdict = judge(page, index, PUBLISHED, allowed, *names)
        assert [row["allowed"] for row in verdict.rows].count(True) >= (verdict.text is not None)
        return verdict.text is not None

    assert kept(QUESTION, url)
    assert kept(QUESTION, page_id(canonical_url(url)))
    assert not kept(f"{QUESTION} {SHORT}", url)
    assert kept(f"{QUESTION} {SHORT}", "abc")
    assert kept(f"{QUESTION} {SHORT}", "nobody", "def")
    assert not kept(QUESTION, "other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("page_id,benchmark\na,b\n", "has no column item_id"),
        ("benchmark,item_id,who,when,why\nb,1,,,\n", "has no column page_id or id or url"),
        ("page_id,benchmark,item_id,who,when,why\n,b,1,,,\n", "line 2 names no page"),
        ("page_id,benchmark,item_id,who,when,why\na,,1,,,\n", "line 2 names item 1 of no benchmark"),
        ("url,benchmark,item_id,who,when,why\nno url,b,,,,\n", "no url is no URL"),
    ],
)
def test_an_allow_list_that_says_nothing_is_named_by_its_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "allow.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_allowed([tmp_path / "allow.csv"])


def extracted(identifier: str, text: str | None, offset: int = 0) -> dict[str, Any]:
    return {"page_id": identifier, "warc_filename": "a", "warc_record_offset": offset, "text": text}


def part_of(tmp_path: Path, pages: list[dict[str, Any]], kept: list[dict[str, Any]]) -> tuple[Path, Path]:
    tables.write_rows(tmp_path / "part.parquet", pages, schema.EXTRACTED)
    tables.write_rows(tmp_path / "kept.parquet", kept, schema.KEPT)
    return tmp_path / "part.parquet", tmp_path / "kept.parquet"


def test_a_part_gives_evidence_of_the_pages_that_are_still_there(tmp_path: Path) -> None:
    pages = [
        extracted("a", QUESTION),
        extracted("b", f"Try: {QUESTION} {SHORT}"),
        extracted("c", "clean"),
        extracted("d", None),
    ]
    part, kept = part_of(tmp_path, pages, pages[1:])
    out = tmp_path / "contaminated.parquet"
    assert decontaminate_part(part, index_of(QUESTION, SHORT), PUBLISHED, Allowed(), out, None, kept) == (3, 1)
    assert pq.read_schema(out).equals(schema.CONTAMINATED)
    assert [(row["page_id"], row["item_id"], row["position"], row["removed"]) for row in tables.read_rows(out)] == [
        ("b", "0", 1, "page"),
        ("b", "1", 19, "page"),
    ]


def test_a_removed_capture_does_not_hide_the_one_that_stays(tmp_path: Path) -> None:
    pages = [extracted("a", QUESTION, 0), extracted("a", QUESTION, 9)]
    part, kept = part_of(tmp_path, pages, pages[1:])
    out = tmp_path / "contaminated.parquet"
    assert decontaminate_part(part, index_of(QUESTION), PUBLISHED, Allowed(), out, None, kept) == (1, 1)


def test_texts_without_segments_keep_their_place_and_their_counts(tmp_path: Path) -> None:
    text = f"First.\n{QUESTION}\nLast."
    pages = [extracted("a", "clean") | {"n_chars": 5}, extracted("b", text) | {"n_chars": len(text)}]
    part, kept = part_of(tmp_path, pages, pages)
    out, texts = tmp_path / "contaminated.parquet", tmp_path / "texts.parquet"
    decontaminate_part(part, index_of(QUESTION), SEGMENTS, Allowed(), out, texts, kept)
    assert pq.read_schema(texts).names == schema.EXTRACTED.names
    rows = [(row["page_id"], row["text"], row["n_chars"]) for row in tables.read_rows(texts)]
    assert rows == [("a", "clean", 5), ("b", "First.\nLast.", 12)]


def test_the_same_part_gives_the_same_bytes_whatever_was_probed_before(tmp_path: Path) -> None:
    pages = [extracted(str(n), f"{SHORT} {QUESTION} {CHINESE} page {n}") for n in range(5)]
    part, kept = part_of(tmp_path, pages, pages)
    settings = Decontam(rules=("deepseekmath", "qwen", "strict"))
    index = Index.of(benchmarks_of(QUESTION, SHORT, QUESTION, CHINESE), settings)
    for name in ("one", "two"):
        decontaminate_part(part, index, settings, Allowed(), tmp_path / name, None, kept)
        index.probe(f"{QUESTION} " * 50)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
