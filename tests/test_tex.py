"""corpus.tex: where a formula starts and ends in running text, and what only looks like one."""

import re

import pytest

from corpus.tex import Formula, count_commands, find_tex, read_formula, reads_like_tex, without_definitions


def found(text: str) -> list[str]:
    return [str(formula) for _, _, formula in find_tex(text)]


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10 today.",
        "from $5-$10, or $3/$4",
        "US$5 million to US$7 million",
        "$20 million (about 15 million)$",
        "costs $5 for 10^6 bytes and $7 for more",
        "Set $HOME/bin:$PATH and $LD_LIBRARY:$x",
        "echo $a_b $c_d and ${name}/${other}",
        "$this->a_b = $x",
        '$("#a_b").show(); $(".c").hide()',
        "$(document).ready(function() { $('#x_1').css('a^b') })",
        "the patterns ^foo$|^bar$ and ^a$",
        "five dollars: $5",
        r"an escaped \$x^2\$ sign",
        "$$$$ and $ $",
        r"\(unclosed and $open",
        "a $" + "x^2 + " * 300 + "y$",
        "\\[" + "x^2 + " * 3_000 + "\\]",
        "from $ 5 $ on",
        "$x^2\n\nand y^2$",
        r"a line break \\[2pt] and \\(3pt\)",
    ],
)
def test_what_only_looks_like_tex_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("the $n$th of all $x$s, $n$-th", ["$n$", "$x$", "$n$"]),
        ("设$n$为整数", ["$n$"]),
        ("the triangle $ABC$ and $|x|^2$", ["$ABC$", "$|x|^2$"]),
        ("costs $5 but $x_1+y$ is a sum", ["$x_1+y$"]),
        (r"10$\times$10, 4$^\circ$", [r"$\times$", r"$^\circ$"]),
        (r"a price of $\$5$.", [r"$\$5$"]),
        (r"$ \alpha $ and $\alpha $here", [r"$\alpha$", r"$\alpha$"]),
        (r"\[ \begin{aligned} a \\[2pt] b \end{aligned} \]", [r"$$\begin{aligned} a \\[2pt] b \end{aligned}$$"]),
        ("$$a$$ $b$ \\(c\\)\\[d\\]", ["$$a$$", "$b$", "$c$", "$$d$$"]),
        (r"\begin{align}a\end{align*}\end{align}", [r"$$\begin{align}a\end{align*}\end{align}$$"]),
        (r"$f = \text{id if $x$ or $y$}$ and $z$", [r"$f = \text{id if $x$ or $y$}$", "$z$"]),
        (r"$\{x\}$ and $\{$ or $y$", [r"$\{x\}$", r"$\{$", "$y$"]),
        (r"\[x \label{a} \tag{1.2}\]", [r"$$x \label{a} \tag{1.2}$$"]),
    ],
)
def test_find_tex_finds(text: str, formulas: list[str]) -> None:
    assert found(text) == formulas


def test_find_tex_agrees_with_a_lazy_regular_expression_on_closed_delimiters() -> None:
    text = r"a \(x_1\) b \[y\] c $$z$$ d \(\alpha\) e $w$ " * 50
    expected = re.findall(r"\\\(.*?\\\)|\\\[.*?\\\]|\$\$.*?\$\$|\$.*?\$", text)
    assert [text[start:end] for start, end, _ in find_tex(text)] == expected


def test_read_formula_takes_delimiters_off_and_knows_a_blank() -> None:
    assert read_formula(" \\[ a\n + b \\] ") == Formula("a + b", display=True)
    assert [read_formula(blank) for blank in ("", " ", "$$", "$ $", "\\(\\)", r"\newcommand{\R}{R}")] == [None] * 6


def test_commands_are_counted_once_each_by_their_whole_name() -> None:
    assert count_commands(r"$\alpha + \alpha \to \Alpha_1 \\ \{ \toto$, and \alpha again") == 4
    assert count_commands("no TeX, 5\\6") == 0


def test_comments_end_with_their_line() -> None:
    assert read_formula("a % first\n+ b \\% c \\\\% last\n d") == Formula("a + b \\% c \\\\ d", False)
    assert read_formula("50%") == Formula("50%", False)
    assert read_formula("% <![CDATA[\na < b %]]>") == Formula("a < b", False)


@pytest.mark.parametrize("text", ["x", "x^2", r"\alpha", "a+b", "f(x)"])
def test_short_signs_read_like_tex(text: str) -> None:
    assert reads_like_tex(text)


def test_an_unclosed_preamble_and_a_formula_that_mentions_definitions_stay() -> None:
    assert without_definitions(r"a \( \newcommand{\lt}{<} \) b") == "a  b"
    assert without_definitions(r"a \( \def\x{1} b") == r"a \( \def\x{1} b"
    assert without_definitions(r"\(x \def\)") == r"\(x \def\)"
    assert without_definitions(r"\(\definition\)") == r"\(\definition\)"


HOSTILE = {
    "dollars": "$ " * 1_000_000,
    "variables": "$x " * 600_000,
    "brackets": "\\[" * 1_000_000,
    "brackets closed at the end": "\\[" * 1_000_000 + "\\]",
    "environments": "\\begin{align}" * 150_000,
    "escaped": "$" + "\\$" * 900_000,
    "braces": "${" * 600_000,
    "comments": "$" + "%" * 900 + "$" + "\\\\" * 900_000,
    "preambles": r"\( \def\x " * 200_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_two_megabytes_of_open_delimiters_hold_next_to_nothing(text: str) -> None:
    assert len(list(find_tex(text))) <= 1
    assert without_definitions(text) == text


@pytest.mark.parametrize(
    ("tex", "shows"),
    [
        (r"\require{cancel}", False),
        (r"\require{cancel} \frac{\cancel{x}y}{x}", True),
        (r"\require{AMScd}\begin{CD}a\end{CD}", True),
        (r"\let\eps\varepsilon \eps > 0", True),
        (r"\let\eps=\varepsilon", False),
        (r"\def\R{\mathbb R} f:\R", True),
        (r"\def\a#1#2{x #1}", False),
        ("\\newcommand{\\lt}{<} \\newcommand\\gt{>}\n% c\n\\DeclareMathOperator*{\\argmax}{arg\\,max}", False),
        (r"\renewcommand{\ab}[2][x]{a{b}c}", False),
        (r"\definecolor{a}{rgb}{1,0,0}", False),
    ],
)
def test_a_formula_may_begin_with_definitions_and_a_preamble_holds_nothing_else(tex: str, shows: bool) -> None:
    assert (read_formula(tex) is not None) is shows
    assert len(list(find_tex(f"a $${tex}$$ b"))) == shows
    assert (without_definitions(f"a $${tex}$$ b") == f"a $${tex}$$ b") is shows
    assert (without_definitions(f"a ${tex}$ b") == f"a ${tex}$ b") is shows


def test_a_preamble_between_single_dollars_may_hold_dollars_in_braces() -> None:
    assert without_definitions(r"a $\def\x{\text{if $y$}}$ b $z$") == "a  b $z$"
