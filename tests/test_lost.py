"""Formulas that extraction lost come back once, with their block, where they stood."""

import lxml.html
import pytest

from corpus.extract import careful_text
from corpus.formulas import Taken, take_text
from corpus.lost import MAX_BLOCK_CHARS, put_lost_back

PROSE = "The sequence of halved intervals closes in on a single number, as every student of analysis has seen. "


def restored(html: str, extracted: str) -> str:
    """extracted: letters stand for the formulas whose TeX they are."""
    taken = Taken("xt")
    tree = lxml.html.fromstring(f"<html><body>{html}</body></html>")
    take_text(tree, taken)
    for number, formula in enumerate(taken.formulas):
        extracted = extracted.replace(f"${formula.tex}$", taken.token(number))
    return taken.put_back(put_lost_back(extracted, tree, taken))


PAGE = "<h1>On $a$</h1><p>First $b$.</p><div>Lost $c$ <b>and</b> $d$</div><p>Then $e$.</p><p>Gone $f$</p>"


def test_a_lost_block_stands_behind_the_formula_before_it() -> None:
    assert restored(PAGE, "On $a$\nFirst $b$.\nThen $e$.") == (
        "On $a$\nFirst $b$.\nLost $c$ and $d$\nThen $e$.\nGone $f$"
    )


def test_what_was_lost_before_every_other_formula_stands_first() -> None:
    assert restored(PAGE, "First $b$.\nLost $c$ and $d$\nThen $e$.\nGone $f$").split("\n")[0] == "On $a$"


def test_nothing_is_put_back_where_nothing_was_lost() -> None:
    text = "On $a$\nFirst $b$.\n\nLost $c$ and $d$\nThen $e$.\nGone $f$"
    assert restored(PAGE, text) == text


def test_of_a_block_that_came_out_in_part_the_lost_formulas_alone_return() -> None:
    assert restored("<p>One $a$ and <q>two $b$</q></p><p>$c$</p>", "One $a$ and\n$c$") == "One $a$ and\n$b$\n$c$"


def test_of_a_long_block_the_formula_alone_returns() -> None:
    assert restored(f"<p>$a$</p><p>{'word ' * MAX_BLOCK_CHARS} $b$</p>", "$a$") == "$a$\n$b$"


def test_entries_of_menus_come_last() -> None:
    html = "<nav><ul><li>Menu $a$</li></ul></nav><p>Text $b$</p><p>More $c$</p>"
    assert restored(html, "Text $b$\nMore $c$") == "Text $b$\nMore $c$\nMenu $a$"


def test_a_table_is_not_broken_by_what_is_put_back() -> None:
    html = "<p>$a$</p><table><tr><td>$b$</td><td>$c$</td></tr><tr><td>$d$</td></tr></table><p>$e$</p>"
    assert restored(html, "$a$\n| $b$ |\n| $d$ |\n$e$") == "$a$\n| $b$ |\n| $d$ |\n$c$\n$e$"


def test_an_empty_text_gets_all_blocks_in_the_order_of_the_page() -> None:
    assert restored(PAGE, "") == "On $a$\nFirst $b$.\nLost $c$ and $d$\nThen $e$.\nGone $f$"


@pytest.mark.parametrize(
    "lost", ["<aside>Note $z$</aside>", "<footer>By $z$</footer>", "<div class=comments>$z$</div>"]
)
def test_a_page_keeps_every_formula_and_its_main_text(lost: str) -> None:
    kept = "".join(f"<p>{PROSE}$x_{n}$</p>" for n in range(9))
    careful = careful_text(f"<html><body><main>{kept}</main>{lost}</body></html>")
    assert (careful.n_formulas, careful.n_formulas_kept) == (10, 10)
    assert careful.text.count("halved intervals") == 9
    assert careful.text.count("$z$") == 1
