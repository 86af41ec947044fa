"""Words for comparing and lines for fastText: worked by hand, by brute force, and on hostile texts."""

import itertools
import random
import time

import numpy as np
import pytest

from corpus.text import classifier_line, estimate_tokens, ngrams, normalise, rolled, shingle_hashes, shingles, words

HOSTILE_ALPHABET = "ab12 .,-=*/+\\{}$^_'()[]\n\t\x00é²½①ﬁ中あ़ा\u0301ß\u2212\u2013\u200b\u00ad\ud800\U0001d465𠀀İ"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Let $x^{2}-1,000 = 2y$.", "let x 2 - 1000 = 2 y"),
        (r"let \(x^2 - 1{,}000=2 y\)", "let x 2 - 1000 = 2 y"),
        (r"\[ 1,\!000\,\mathrm{km} \]", "1000 km"),
        (r"\dfrac12 \left(\frac{1}{2}\right)\quad\text{if}", "frac 12 frac 1 2 if"),
        ("f(1, 2) and 1,2,3 and 3.14. Then 0.5", "f 1 2 and 1 2 3 and 3.14 then 0.5"),
        ("Janet’s CAFÉ – ﬁne", "janet s café - fine"),
        (
            "a well-known x-axis, 9-kilometer walk, x-1 and 3 - 5",
            "a well known x axis 9 kilometer walk x - 1 and 3 - 5",
        ),
        ("=====\n-----\n*** // a = b", "a = b"),
        ("con\u00adtent zero\u200bwidth", "content zerowidth"),
        ("它是3个。あり", "它 是 3 个 あ り"),
        ("हिन्दी में", "हिन्दी में"),
        ("½ of 𝑥 ≤ ∞, 50%", "1 / 2 of x ≤ ∞ 50 %"),
        ("_ . ! \x00 \ud800", ""),
        ("", ""),
    ],
)
def test_normalised_text_is_as_worked_by_hand(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_a_sign_or_a_number_tells_two_exercises_apart() -> None:
    assert len({normalise(f"Solve x {sign} 1 = {number}") for sign in "+-*/<" for number in (2, 3)}) == 10


def test_operators_are_left_out_on_request() -> None:
    assert words("2x + 1 ≤ -3 * y, 50%", operators=False) == ["2", "x", "1", "3", "y", "50"]


def test_normalising_twice_changes_nothing() -> None:
    draw = random.Random(1)
    for _ in range(5_000):
        text = "".join(draw.choices(HOSTILE_ALPHABET, k=14))
        assert normalise(normalise(text)) == normalise(text), repr(text)


def test_ngrams_are_the_runs_of_n_words() -> None:
    assert ngrams(["a", "b", "c"], 2) == ["a b", "b c"]
    assert ngrams(["a", "b", "c"], 3) == ["a b c"]
    assert ngrams(["a", "b", "c"], 4) == []


def test_a_short_text_is_one_shingle_and_an_empty_one_has_none() -> None:
    assert shingles("One two. One two!", 2) == {"one two", "two one"}
    assert shingles("one two", 5) == {"one two"}
    assert shingles("...", 5) == set()
    assert len(shingle_hashes(["one", "two"], 5)) == 1
    assert len(shingle_hashes([], 5)) == 0


def test_shingle_hashes_are_as_many_as_shingles_and_agree_between_texts() -> None:
    draw = random.Random(2)
    texts = [" ".join(draw.choices("abcd", k=200)) for _ in range(20)]
    for one, other in itertools.pairwise(texts):
        hashes = [shingle_hashes(words(text), 4) for text in (one, other)]
        assert [len(each) for each in hashes] == [len(shingles(one, 4)), len(shingles(other, 4))]
        assert len(np.intersect1d(*hashes)) == len(shingles(one, 4) & shingles(other, 4))


def test_a_rolled_hash_depends_on_order_and_on_the_run_alone() -> None:
    each = np.array([3, 5, 7, 3, 5, 7, 5, 3], dtype=np.uint64)
    runs = rolled(each, 3)
    assert len(runs) == 6
    assert runs[0] == runs[3]
    assert len(set(runs.tolist())) == 5


@pytest.mark.parametrize("formula", ["$x_1^{2}$", "$$x_1^{2}$$", r"\(x_1^2\)", r"\[x_1^{2}\]"])
def test_the_classifier_reads_every_delimiter_alike(formula: str) -> None:
    assert " ".join(classifier_line(f"So {formula} holds.").split()) == "so $ x _ 1 ^ 2 $ holds"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs $19.99, or $5!!", "it costs ¤ 19 99 or ¤ 5"),
        ("$2x+1$ and \\$7", "$ 2x + 1 $ and ¤ 7"),
        ("In 2019, 1,234.5 of 7", "in 2019 1 234 5 of 7"),
        (r"\frac{1}{2}\\[2pt] a\,b", r"\frac 1 2 2pt a \ b"),
        ("x|y < z", "x | y < z"),
        ("don't\n\n  stop......“now” « oui »", "don t stop now oui"),
        ("a∈B≤c →d", "a ∈ b ≤ c → d"),
        ("𝑥 ＡＢ ﬁn CAFÉ Ω", "x ab fin café ω"),
        ("它是3个かな", "它 是 3 个 か な"),
        ("a\u00a0b\u2009c\u200bd\u2028e\x85f", "a b c d e f"),
        ("\x00 \ud800\n\x7f", ""),
        ("", ""),
    ],
)
def test_classifier_line_is_as_worked_by_hand(text: str, expected: str) -> None:
    assert " ".join(classifier_line(text).split()) == expected


def test_no_page_can_inject_a_label_or_an_end_of_line() -> None:
    line = classifier_line("__label__math </s> x\ny\r\u2028z \x0b\x0c\x85 __label__math")
    assert not {"__label__math", "</s>"} & set(line.split(" "))
    assert len(line.splitlines()) == 1


def test_classifier_line_reads_the_first_characters_alone() -> None:
    assert classifier_line("one two three", max_chars=7) == "one two"
    assert len(classifier_line("x" * 30_000)) == 20_000


def test_classifier_line_takes_any_text_apart_into_words_that_utf8_can_write() -> None:
    draw = random.Random(3)
    for _ in range(5_000):
        line = classifier_line("".join(draw.choices(HOSTILE_ALPHABET + "\uffff\u3000\uff21$", k=14)))
        assert line == line.lower()
        assert line.encode().decode() == line
        assert not set(line) & set(".,;:!?()[]{}'\"\n\t\x00\x85\u2028")


@pytest.mark.parametrize(
    "unit", ["\\", "$1", "$1 ", "$", "a", "1,", "-", "{", "1,234", "\u0301", "1", "=a", r"\left", r"1\,000", "中", " "]
)
def test_time_is_linear_in_a_hostile_text(unit: str) -> None:
    started = time.perf_counter()
    normalise(unit * 200_000)
    classifier_line(unit * 200_000)
    assert time.perf_counter() - started < 5  # under 0.2 s here; quadratic would be minutes


def test_tokens_are_estimated_from_bytes() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("a") == 1
    assert estimate_tokens("a" * 35) == 10
    assert estimate_tokens("中" * 35) == 30
    assert estimate_tokens("\ud800") == 1
