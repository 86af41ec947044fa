"""What bench/extract.py compares formulas and texts by."""

import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).resolve().parent.parent / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch):
    """Imports a module of bench/, whose folder is on the path of its scripts only."""
    monkeypatch.syspath_prepend(str(BENCH))

    def module(name: str) -> ModuleType:
        return import_module(name)

    return module


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"a $x$, $$y$$, \(z\), \[w\].", ["x", "y", "z", "w"]),
        ("It costs $5 or $6; $x_1$ is free.", ["x_1"]),
        (r"$\text{for $x$}$ and $y$", [r"\text{for $x$}", "y"]),
        ("a $b$5 in $c$", ["c"]),
        (r"\$5 and \\$x$", ["x"]),
        (r"\begin{align*}a&=b\\[2pt]c&=d\end{align*} $x$", [r"\begin{align*}a&=b\\[2pt]c&=d\end{align*}", "x"]),
        (r"unclosed \( and \[ and $$ and $x$", ["x"]),
        ("", []),
    ],
)
def test_a_formula_is_what_stands_between_delimiters(bench, text, expected):
    assert bench("tex").formulas(text) == expected


def test_prose_is_the_text_without_its_formulas(bench):
    assert bench("tex").prose("Let $x$ be \\[y\\] so").split() == ["Let", "be", "so"]


@pytest.mark.parametrize(
    "tex",
    ["x^2", " x ^2\n", r"\(x^2\)", "$$x^2$$", r"{\displaystyle x^2}", r"$$\begin{equation*} x^2 \end{equation*}$$"],
)
def test_verbatim_reads_over_space_and_what_stands_around_a_formula_only(bench, tex):
    tex_module = bench("tex")
    assert tex_module.verbatim(tex) == "x^2" != tex_module.verbatim("x^{2}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\dfrac12 x^{2}_1", r"\frac{1}{2}x_1^2"),
        (r"\left(a\,\leq b\right)", r"(a \le b)"),
        (r"f'(x)", r"f^{\prime}(x)"),
        (r"\operatorname{rank} \mathbf{AB}", r"\mathrm{rank}\mathbf A\mathbf{B}"),
        (r"a \over b", r"\frac{a}{b}"),
        (r"\begin{align}a&=b\\\end{align}", r"\begin{aligned} a & = b \end{aligned}"),
        (r"{\bf x} \text{if  $y$}", r"\mathbf{x}\text{if}y"),
        (r"x \bmod 2 \label{eq}", r"x \mathrm{mod} 2"),
    ],
)
def test_formulas_that_differ_in_looks_only_have_the_same_tokens(bench, one, other):
    tokens = bench("tex_tokens").tex_tokens
    assert tokens(one) == tokens(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x_1", "x^1"),
        ("x_{12}", "x_12"),
        (r"\frac{a}{b}", r"\frac{b}{a}"),
        (r"\mathbf x", "x"),
        (r"\sqrt[3]{x}", r"\sqrt{x}"),
        (r"a \\ b", "a b"),
        (r"\begin{pmatrix}a\end{pmatrix}", r"\begin{bmatrix}a\end{bmatrix}"),
        (r"\hat x", r"\bar x"),
    ],
)
def test_formulas_that_differ_in_meaning_have_other_tokens(bench, one, other):
    tokens = bench("tex_tokens").tex_tokens
    assert tokens(one) != tokens(other)


@pytest.mark.parametrize(
    "tex", ["{" * 10_000, "}" * 10_000, "x_" * 10_000, r"\frac" * 10_000, r"\begin{a}" * 10_000, "\\", r"\text{$"],
    ids=lambda tex: tex[:9],
)  # fmt: skip
def test_broken_tex_has_tokens_too(bench, tex):
    assert isinstance(bench("tex_tokens").tex_tokens(tex), list)


def test_a_formula_counts_as_often_as_it_stands_in_both_lists(bench):
    assert bench("tex").matched(["x", "x", "y"], ["x", "x", "x", "z"]) == 2


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (
            "a.md",
            "---\ntitle: no\n---\n# Big *idea*\n\nSee [this](http://no.no) <b>now</b> $x$.\n```python\n1 + y\n```\n",
        ),
        ("a.tex", "no\n\\begin{document} % no\n\\section{Big \\emph{idea}} See \\ref{no} this now 1+y \\[x\\] {\\em}"),
        ("a.xml", "<s><!-- no --><title>Big idea</title><p>See this <idx>no</idx> now <m>x</m> 1 + y</p></s>"),
    ],
)
def test_gold_texts_are_read_without_markup_metadata_and_formulas(bench, tmp_path, name, source):
    (tmp_path / name).write_text(source, encoding="utf-8")
    gold = bench("gold")
    expected = Counter(["big", "idea", "see", "this", "now", "1", "y"])
    assert gold.prose_words(gold.gold_prose(tmp_path / name)) == expected


def test_word_score_by_hand(bench):
    score = bench("gold").word_score(Counter("aabc"), Counter("aad"))
    assert (score.precision, score.recall) == (2 / 3, 2 / 4)
    assert score.f1 == pytest.approx(4 / 7)
    assert bench("gold").word_score(Counter("a"), Counter()).f1 == 0


def test_a_part_of_the_page_is_replaced_and_the_rest_stays(bench, tmp_path):
    report = bench("report")
    page = tmp_path / "benchmarks.md"
    page.write_text("# Mine\n\n<!-- other -->\nkept\n<!-- end -->\n", encoding="utf-8")
    table = report.Table("Title", "Note.", ["a", "b"], [["x", "1"]])
    report.write("extract", "First.", [table], page)
    report.write("extract", "Second \\1.", [table], page)
    assert page.read_text(encoding="utf-8") == (
        "# Mine\n\n<!-- other -->\nkept\n<!-- end -->\n\n"
        "<!-- extract -->\nSecond \\1.\n\n### Title\n\nNote.\n\n| a | b |\n| --- | ---: |\n| x | 1 |\n<!-- end -->\n"
    )


def test_a_missing_folder_of_pages_is_named_with_the_way_out(tmp_path):
    command = [sys.executable, str(BENCH / "extract.py"), "--shared", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}: extraction, background, crawl_dev not found.")
    assert "--shared DIR" in done.stderr
