"""corpus.language: the language of a text, offline and the same each time."""

import pytest

from corpus.language import READ_CHARS, identify


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "Every bounded sequence of real numbers has a convergent subsequence."),
        ("de", "Jede beschränkte Folge reeller Zahlen besitzt eine konvergente Teilfolge."),
        ("fr", "Toute suite bornée de nombres réels admet une sous-suite convergente."),
        ("es", "Toda sucesión acotada de números reales tiene una subsucesión convergente."),
        ("ru", "Из всякой ограниченной последовательности можно выделить сходящуюся подпоследовательность."),
        ("zh", "任何有界的实数数列都包含一个收敛的子数列，这就是波尔查诺定理。"),
        ("ja", "有界な実数列は必ず収束する部分列を持つことが知られています。"),
    ],
)
def test_names_the_language_of_a_sentence(code: str, text: str) -> None:
    assert identify(text) == code


@pytest.mark.parametrize("text", ["", " \n", "12345 67890 + 3 = 8 " * 40, "nineteen letters xyz"])
def test_says_nothing_of_fewer_than_twenty_letters(text: str) -> None:
    assert identify(text) is None


def test_twenty_letters_are_enough() -> None:
    assert identify("the cat and the dog sat on") == "en"


def test_reads_only_the_beginning() -> None:
    beginning = ("Every bounded sequence has a convergent subsequence. " * 40)[:READ_CHARS]
    assert identify(beginning + "Каждая последовательность. " * 1_000) == "en"
    assert identify(" " * READ_CHARS + "Every bounded sequence has a convergent subsequence.") is None


def test_formulas_beside_prose_do_not_change_the_answer() -> None:
    assert (
        identify(r"Sei $\varepsilon > 0$ und $x \in \mathbb{R}$, dann gibt es ein $\delta$ mit dieser Eigenschaft.")
        == "de"
    )


MENU = (
    "Home\nAbout\nPosts\nTalks\nProjects\nArchive\nCategories\nSearch\nLog in\nShare this page on Twitter or Facebook\n"
)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "es",
            "Toda sucesión acotada de números reales tiene una subsucesión convergente, y así lo demostró Bolzano. "
            "Basta con partir el intervalo por la mitad y quedarse con la parte que contiene infinitos términos.",
        ),
        ("zh", "任何有界的实数数列都包含一个收敛的子数列，这就是波尔查诺定理。"),
    ],
)
def test_a_menu_in_english_does_not_make_a_page_english(code: str, sentence: str) -> None:
    assert identify(MENU + sentence) == code


def test_a_word_of_another_language_leaves_a_page_english() -> None:
    assert identify("Bolzano called it a Zwischenwertsatz. " + "Every bounded sequence has a limit point. " * 5) == "en"


@pytest.mark.parametrize("code", ["he", "no", "sr"])
def test_names_are_those_of_iso_639_1(code: str) -> None:
    sentence = {
        "he": "לכל סדרה חסומה של מספרים ממשיים יש תת סדרה מתכנסת",
        "no": "Enhver begrenset følge av reelle tall har en konvergent delfølge, og det er lett å vise.",
        "sr": "Сваки ограничен низ реалних бројева има конвергентан подниз, што није тешко доказати.",
    }[code]
    assert identify(sentence) == code


def test_answers_in_two_letters_even_for_a_dialect() -> None:
    assert identify("我哋今日喺香港食咗好多嘢，佢话唔知点解咁样，真系好好味㗎，听日再嚟食过啦。") == "zh"


@pytest.mark.parametrize("text", ["\x00" * 50 + "a" * 30, "\ud800" * 100, "ab\ud800" * 30, "\u0301" * 5_000])
def test_answers_hostile_text_with_a_code_or_nothing(text: str) -> None:
    code = identify(text)
    assert code is None or (len(code) == 2 and code.islower())
