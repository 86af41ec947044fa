"""The rule `strict`: its two readings by hand, its kernels against plain definitions, what it finds and passes by."""

import random
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from corpus.benchmarks import Benchmarks, Item
from corpus.config import Decontam
from corpus.decontam import Index
from corpus.kernels import lookup
from corpus.kernels import strict as kernel
from corpus.lookup import Table
from corpus.strict import RUN_SKIP, SKIP
from corpus.strict_reading import Read, read
from corpus.text import cut, words

SYLLABLES = ("ba", "ke", "lo", "mi", "nu", "pra", "sten", "tor", "vul", "zig")
WORDS = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]


def questions(n: int) -> list[str]:
    """Word problems that share their frame, as those of a benchmark do."""
    draw = random.Random(1)
    made = []
    for _ in range(n):
        name, other, one, two, three, verb, again = draw.sample(WORDS, 7)
        a, b = draw.randrange(3, 99), draw.randrange(3, 99)
        made.append(
            f"{name} {verb} {a} {one}s and a {two} from {other}. Then {other} {again} {b} {three}s for every {one}. "
            f"How many {three}s does {name} have in total after {draw.randrange(3, 99)} days?"
        )
    return made


QUESTIONS = questions(500)
CHINESE = [
    "小明有五个苹果,又买了三个梨,送给朋友两个,现在一共有几个水果?",
    "一列火车每小时行驶八十公里,从北京到上海需要多少小时才能到达?",
]


def index_of(*texts: str, **settings: float) -> Index:
    items = tuple(Item("b", str(number), {"question": (text,)}) for number, text in enumerate(texts))
    return Index.of(Benchmarks(items, {"b": len(texts)}), Decontam(rules=("strict",), **settings))


INDEX = index_of(*QUESTIONS, *CHINESE)


def found(page: str, index: Index = INDEX) -> list[str]:
    return [hit.item_id for hit in index.probe(page)]


def reading(text: str) -> Read:
    return read(cut(text).without_operators())


def hashes_of(*tokens: str) -> list[int]:
    return [int(cut(token).hashes[0]) for token in tokens]


def test_layout_is_no_word_and_an_environment_goes_with_its_columns() -> None:
    text = r"\begin{array}{cc} a & \overline{b} \\ \hline \sin x \end{array} begin"
    assert reading(text).plain.tolist() == hashes_of("a", "b", "sin", "x", "begin")


def test_content_is_stems_and_lone_numbers_without_function_words() -> None:
    read_ = reading("How many of the SIXTEEN wonderful ducks, α or x, are 7 and 3/4 of 1 2 3?")
    assert read_.content.tolist() == hashes_of("16", "wonde", "ducks", "α", "7")
    assert read_.content_at.tolist() == [4, 5, 6, 7, 11]


def test_content_of_chinese_is_pairs_of_characters() -> None:
    one, two, three = hashes_of("小", "明", "有")
    pairs = [lookup.run_hash(np.array(pair, np.uint64), 0, 2) for pair in ((one, two), (two, three))]
    assert reading("小明有 ok 五").content.tolist() == [*pairs, *hashes_of("ok")]


def test_a_question_is_found_verbatim_and_evidence_shows_both_sides() -> None:
    (hit,) = INDEX.probe(f"Some words before.\n{QUESTIONS[7]}\nAnd some behind, of another kind.")
    assert (hit.item_id, hit.rule, hit.item_text, hit.overlap, hit.alignment) == ("7", "strict", QUESTIONS[7], 1.0, 1.0)
    assert hit.page_text in QUESTIONS[7].lower()
    assert len(hit.page_text) > 0.8 * len(QUESTIONS[7])
    assert words(hit.page_text)[0] == words("Some words before. " + QUESTIONS[7])[hit.position]


@pytest.mark.parametrize("number", range(0, 500, 50))
def test_a_question_is_found_edited_in_each_way(number: int) -> None:
    question = QUESTIONS[number]
    parts = question.split()
    for place in (4, 12, 20):
        parts[place] = "something"
    sentences = question.split(". ")
    for edited in (" ".join(parts), ". ".join(sentences[::-1]), question.replace(" a ", " one wooden ")):
        assert str(number) in found(f"before {edited} behind")


def test_other_numbers_are_found_by_their_words() -> None:
    question = QUESTIONS[3]
    for number in {word for word in words(question) if word.isdigit()}:
        question = question.replace(number, str(int(number) + 100))
    assert "3" in found(question)


@pytest.mark.parametrize("number", [0, 1])
def test_chinese_questions_are_found_with_a_word_changed(number: int) -> None:
    assert str(500 + number) in found(f"题目 {CHINESE[number]} 完")
    assert str(500 + number) in found(CHINESE[number].replace("一共", "总计").replace("小时才", "时间"))


def test_what_all_questions_share_flags_nothing() -> None:
    frame = "How many does he have in total after 5 days? Then for every one of them 1 2 3 4 5 6 7 8 9 10 a b c d e f."
    assert found(frame * 5) == []
    assert found(" ".join(WORDS[::7])) == []


def test_half_of_a_question_is_not_enough() -> None:
    assert found(QUESTIONS[11].split(". ")[0]) == []


def test_a_question_of_fewer_than_ten_words_has_to_be_there_whole() -> None:
    short = "Compute the wronskian of $y^2$ and 17"
    index = index_of(*QUESTIONS, short, "two words", "Compute the wronskian")
    (hit, shorter) = index.probe("Now compute the Wronskian of y^2, and 17.")
    assert (hit.item_id, hit.page_text, hit.overlap, hit.position) == (
        "500",
        "compute the wronskian of y^2, and 17",
        1.0,
        1,
    )
    assert (shorter.item_id, shorter.n_words) == ("502", 3)
    assert found("Now compute the Wronskian of y^3, and 17.", index) == ["502"]
    assert found("compute the two words", index) == []
    assert index.protected()["strict"].tolist() == [*[True] * 501, False, True]


def test_a_question_that_is_little_but_layout_has_to_be_there_whole() -> None:
    matrix = "\\begin{pmatrix} 3 & -4 \\\\ 1 & -1 \\end{pmatrix}^{2016} = \\begin{pmatrix} a \\end{pmatrix}"
    index = index_of(*QUESTIONS, f"Compute {matrix}")
    assert found(f"Now compute \\({matrix}\\)", index) == ["500"]
    assert found(f"Now compute \\({matrix.replace('4', '5')}\\)", index) == []


def test_questions_of_the_same_words_are_all_reported() -> None:
    index = index_of(*QUESTIONS, QUESTIONS[0].upper())
    assert found(QUESTIONS[0], index) == ["0", "500"]


def test_the_thresholds_are_settings() -> None:
    reworded = " and ".join(QUESTIONS[5].replace("every", "the old").split(". ")[1::-1])
    assert found(reworded, index_of(*QUESTIONS, min_score=10.0)) == ["5"]
    assert found(reworded, index_of(*QUESTIONS, min_score=1000.0, min_share=0.99)) == []
    assert found(QUESTIONS[5], index_of(*QUESTIONS, min_score=1000.0, min_share=0.99)) == ["5"]


def test_what_was_probed_before_changes_nothing() -> None:
    pages = [" ".join(QUESTIONS[n : n + 9]) for n in range(0, 180, 9)]
    alone = [index_of(*QUESTIONS).probe(page) for page in pages[:3]]
    for page in pages:
        INDEX.probe(page)
    assert list(map(index_of(*QUESTIONS).probe, pages[:3])) == alone
    assert [INDEX.probe(page) for page in pages] == [INDEX.probe(page) for page in pages[::-1]][::-1]


def test_the_order_of_the_benchmark_changes_nothing_but_numbers() -> None:
    turned = index_of(*QUESTIONS[::-1])
    for number in range(0, 500, 60):
        page = f"{QUESTIONS[number]} {QUESTIONS[number - 1]}"
        texts = {hit.item_text: (hit.overlap, hit.alignment, hit.position) for hit in INDEX.probe(page)}
        assert texts == {hit.item_text: (hit.overlap, hit.alignment, hit.position) for hit in turned.probe(page)}


def naive_alignment(one: list[int], other: list[int], weights: list[float], skip: float, unknown: float) -> float:
    """Over all common subsequences the most weight, less the price of what lies between its tokens."""
    best = 0.0
    for size in range(1, min(len(one), len(other)) + 1):
        for places in combinations(range(len(other)), size):
            for chosen in combinations(one, size):
                if all(token and other[place] == token for token, place in zip(chosen, places, strict=True)):
                    between = set(range(places[0], places[-1])) - set(places)
                    price = sum(weights[other[place]] if other[place] else unknown for place in between)
                    best = max(best, sum(weights[token] for token in chosen) - skip * price)
    return best


def test_the_alignment_agrees_with_its_definition() -> None:
    draw = random.Random(3)
    weights = [0.0, 1.0, 2.5, 4.0]
    for _ in range(200):
        one = draw.choices(range(1, 4), k=draw.randint(1, 5))
        other = draw.choices(range(4), k=draw.randint(0, 7))
        for skip in (SKIP, RUN_SKIP):
            bits, start, stop = kernel.aligned(
                np.array(one, np.int32), np.array(other, np.int32), np.array(weights), skip, 8.0
            )
            assert bits == pytest.approx(naive_alignment(one, other, weights, skip, 8.0))
            if bits:
                assert other[start] in one and other[stop - 1] in one


def test_a_table_holds_what_it_was_made_of_and_nothing_else() -> None:
    draw = np.random.default_rng(2)
    hashes = np.sort(draw.integers(0, 2**63, 3_000).astype(np.uint64).repeat(draw.integers(1, 4, 3_000)))
    table = Table.of(hashes)
    for key in np.unique(hashes)[::50]:
        first, last = lookup.find(key, table.slots)
        assert (hashes[first:last] == key).all() and last - first == np.count_nonzero(hashes == key)
    others = draw.integers(2**63, 2**64, 2_000, dtype=np.uint64)
    assert all(lookup.find(key, table.slots) == (-1, -1) for key in others)
    mixed = np.concatenate([others, hashes])
    firsts, lasts, places = np.empty(len(mixed), np.int64), np.empty(len(mixed), np.int64), np.arange(len(mixed))
    assert lookup.known(mixed, len(mixed), places, table.arrays(), firsts, lasts) == len(hashes)
    assert places[: len(hashes)].tolist() == list(range(len(others), len(others) + len(hashes)))


def test_rolled_runs_are_those_that_are_hashed_one_by_one() -> None:
    values = np.random.default_rng(1).integers(0, 2**63, 30).astype(np.uint64)
    for n in (1, 2, 6, 30, 31):
        out = np.empty(30, np.uint64)
        count = lookup.run_hashes(values, n, out)
        assert out[:count].tolist() == [lookup.run_hash(values, start, n) for start in range(max(0, 31 - n))]


def test_alignments_of_a_page_end_where_its_length_allows_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of many questions costs no more than its length: what is not verified is counted."""
    monkeypatch.setattr("corpus.strict.LEAST_CELLS", 3_000)
    monkeypatch.setattr("corpus.strict.CELLS_PER_WORD", 0)
    page = " ".join(QUESTIONS[:50])
    hits = INDEX.probe(page)
    assert 0 < len(hits) < 20
    assert hits[0].n_left_out >= 30


def test_a_hit_that_rests_on_a_hash_alone_is_none() -> None:
    """Pairs that all hash to those of one question do not make a page that question."""
    strict = INDEX.strict
    assert strict is not None
    pairs, runs = strict.pair_postings.copy(), strict.run_postings.copy()
    pairs["text"], runs["text"] = 0, 0
    lying = replace(strict, pair_postings=pairs, run_postings=runs)
    assert replace(INDEX, strict=lying).probe(QUESTIONS[9]) == []
