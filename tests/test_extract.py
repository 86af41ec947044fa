"""corpus.extract and corpus.formulas: what a page says, with its formulas, whatever it is made of."""

import logging
import re
import time

import pytest
import trafilatura

from corpus.cheap import cheap_text
from corpus.extract import careful_text
from corpus.formulas import take_formulas
from corpus.markup import read_image
from corpus.tex import Formula, find_tex, read_formula, without_definitions

PROSE = (
    "Every bounded sequence of real numbers has a convergent subsequence, and the proof halves an interval again "
    "and again, each time keeping a half that holds infinitely many members of the sequence."
)
KATEX = (
    '<span class="katex"><span class="katex-mathml"><math><semantics><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow>'
    '<annotation encoding="application/x-tex">x^2</annotation></semantics></math></span>'
    '<span class="katex-html" aria-hidden="true"><span class="mord">RENDERED</span></span></span>'
)
MATHML = (
    '<math{}><semantics><mi>RENDERED</mi><annotation encoding="application/x-tex">{}</annotation></semantics></math>'
)
MATHJAX = '<span class="MathJax_Preview">RENDERED</span><span class="MathJax"><i>RENDERED</i></span>'
MEDIAWIKI = (
    '<span class="mwe-math-element"><span class="mwe-math-mathml-inline" style="display: none;">'
    + MATHML.format("", r"{\displaystyle x^2}")
    + r'</span><img class="mwe-math-fallback-image-inline" alt="{\displaystyle x^2}" src="/svg/1"></span>'
)

# markup, the formula it shows
HIDDEN = {  # where the TeX is no visible text
    "script": (MATHJAX + '<script type="math/tex">x^2</script>', "$x^2$"),
    "display script": ('<script type="math/tex; mode=display">x<p y</script>', "$$x<p y$$"),
    "katex": (KATEX, "$x^2$"),
    "katex display": (f'<span class="katex-display">{KATEX}</span>', "$$x^2$$"),
    "mathml annotation": (MATHML.format("", "a&lt;b"), "$a<b$"),
    "mathml block": (MATHML.format(' display="block"', "x^2"), "$$x^2$$"),
    "mathml alttext": ('<math alttext="x^2"><mi>RENDERED</mi></math>', "$x^2$"),
    "mediawiki": (MEDIAWIKI, "$x^2$"),
    "wordpress": ('<img src="https://s0.wp.com/latex.php?latex=x%5E2&amp;bg=ffffff" alt="x^2" class="latex">', "$x^2$"),
    "wordpress without alt": ('<img src="https://s0.wp.com/latex.php?latex=a+%2B+b&amp;bg=ffffff">', "$a + b$"),
    "codecogs": (
        r'<img src="https://latex.codecogs.com/gif.latex?\inline&space;\dpi{120}&space;x^2&plus;1">',
        "$x^2+1$",
    ),
    "mimetex": (r'<img src="/cgi-bin/mimetex.cgi?\frac12">', r"$\frac12$"),
    "imgmath": ('<img class="math" src="_images/math/0a.png" alt="x^2">', "$x^2$"),
    "data-tex": ('<span data-tex="x^2"><svg></svg></span>', "$x^2$"),
}
VISIBLE = {  # where the page's own text has it
    "paren": (r"\(x^2\)", "$x^2$"),
    "bracket": (r"\[x^2\]", "$$x^2$$"),
    "dollar": ("$x^2$", "$x^2$"),
    "double dollar": ("$$x^2$$", "$$x^2$$"),
    "environment": (r"\begin{align*}x&amp;=1\end{align*}", r"$$\begin{align*}x&=1\end{align*}$$"),
    "sphinx": (r'<span class="math notranslate">\(x^2\)</span>', "$x^2$"),
    "pandoc": ('<span class="math inline">x^2</span>', "$x^2$"),
}


def page(markup: str) -> str:
    return (
        f"<!DOCTYPE html><html><head><title>T</title></head><body><article><p>{PROSE}</p>"
        f"<p>Before {markup} after. {PROSE}</p></article></body></html>"
    )


@pytest.mark.parametrize(("markup", "shown"), HIDDEN.values(), ids=HIDDEN)
def test_cheap_text_shows_hidden_tex_once(markup: str, shown: str) -> None:
    text = cheap_text(page(markup)).text
    assert f"Before {shown} after." in text
    assert "RENDERED" not in text


@pytest.mark.parametrize(("markup", "shown"), VISIBLE.values(), ids=VISIBLE)
def test_cheap_text_leaves_visible_tex_as_it_is(markup: str, shown: str) -> None:
    assert f"Before {re.sub('<[^>]*>', '', markup).replace('&amp;', '&')} after." in cheap_text(page(markup)).text


@pytest.mark.parametrize(("markup", "shown"), (HIDDEN | VISIBLE).values(), ids=HIDDEN | VISIBLE)
def test_careful_text_gives_every_kind_of_formula_back_as_tex(markup: str, shown: str) -> None:
    careful = careful_text(page(markup))
    assert f"Before {shown} after." in careful.text
    assert (careful.n_formulas, careful.n_formulas_kept) == (1, 1)
    assert "RENDERED" not in careful.text
    assert careful.extractor == f"trafilatura/{trafilatura.__version__}"


def test_cheap_text_breaks_lines_at_blocks_alone() -> None:
    html = (
        "<title> A &amp;\n B </title><p>one <b>t</b>wo\n three<div>four</div>five<br>six<table><tr><td>7<td>8</table>"
    )
    cheap = cheap_text(html)
    assert (cheap.title, cheap.text) == ("A & B", "one two three\nfour\nfive\nsix\n7\n8")


def test_cheap_text_hides_what_a_browser_hides() -> None:
    html = (
        "<body>a<script>S</script><style>S</style><template><p>S</p></template><iframe>S</iframe><!-- S -->"
        "<p>b<noscript><p>S</noscript> c</p>"
    )
    cheap = cheap_text(html)
    assert (cheap.title, cheap.text) == (None, "a\nb c")


def test_code_keeps_its_dollars_and_its_lines() -> None:
    code = "for f in $A $B; do\n    echo $f^2 \\(x\\)\ndone"
    careful = careful_text(page(f"x</p><pre><code>{code}</code></pre><p>Use <code>$x^2$</code> here"))
    assert code in careful.text
    assert careful.n_formulas == 0


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10 today.",
        "from $5-$10, or $3/$4",
        "US$5 million to US$7 million",
        "$20 million (about 15 million)$",
        "Set $HOME/bin:$PATH and $LD_LIBRARY:$x",
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
def test_find_tex_sees_no_formula_in(text: str) -> None:
    assert list(find_tex(text)) == []


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("the $n$th of all $x$s, $n$-th", ["$n$", "$x$", "$n$"]),
        ("设$n$为整数", ["$n$"]),
        ("costs $5 but $x_1+y$ is a sum", ["$x_1+y$"]),
        (r"10$\times$10", [r"$\times$"]),
        (r"a price of $\$5$.", [r"$\$5$"]),
        (r"\[ \begin{aligned} a \\[2pt] b \end{aligned} \]", [r"$$\begin{aligned} a \\[2pt] b \end{aligned}$$"]),
        ("$$a$$ $b$ \\(c\\)\\[d\\]", ["$$a$$", "$b$", "$c$", "$$d$$"]),
        (r"\begin{align}a\end{align*}\end{align}", [r"$$\begin{align}a\end{align*}\end{align}$$"]),
    ],
)
def test_find_tex_finds(text: str, formulas: list[str]) -> None:
    found = list(find_tex(text))
    assert [str(formula) for _, _, formula in found] == formulas
    assert all(
        formula.tex.split() == text[start:end].strip("$").split() or start < end for start, end, formula in found
    )


def test_find_tex_agrees_with_a_lazy_regular_expression_on_closed_delimiters() -> None:
    text = r"a \(x_1\) b \[y\] c $$z$$ d \(\alpha\) e $w$ " * 50
    expected = re.findall(r"\\\(.*?\\\)|\\\[.*?\\\]|\$\$.*?\$\$|\$.*?\$", text)
    assert [text[start:end] for start, end, _ in find_tex(text)] == expected


def test_read_formula_takes_delimiters_off_and_knows_a_blank() -> None:
    assert read_formula(" \\[ a\n + b \\] ") == Formula("a + b", display=True)
    assert [read_formula(blank) for blank in ("", " ", "$$", "$ $", "\\(\\)", r"\newcommand{\R}{R}")] == [None] * 6


def test_a_picture_is_no_formula() -> None:
    assert read_image({"src": "/img/texas.png", "alt": "A map", "class": "wp-image mathilda"}) is None
    assert read_image({"src": "/x.png", "class": "latex", "alt": None}) is None


def test_prose_in_an_element_of_a_math_class_is_no_formula() -> None:
    careful = careful_text(page('<span class="math">Department of Mathematics</span>'))
    assert "Before Department of Mathematics after." in careful.text
    assert careful.n_formulas == 0


def test_text_without_formulas_is_what_trafilatura_says() -> None:
    bodies = [
        f"<article><h1>H</h1><p>{PROSE}</p><ul><li>one</li><li>two</li></ul></article>",
        f"<div class=post><div>{PROSE}</div><table><tr><td>a</td><td>b</td></tr></table></div>",
        f"<nav><a href=/>Home</a></nav><main><p>{PROSE}<p>It costs $5 and $10.</main><footer>Imprint</footer>",
        f"<article><p>{PROSE}</p></article><article><p>{PROSE.upper()}</p></article>",
    ]
    for body in bodies:
        html = f"<!DOCTYPE html><html><head><title>T</title></head><body>{body}</body></html>"
        careful = careful_text(html)
        assert careful.text == trafilatura.extract(html, include_comments=False)
        assert careful.n_formulas == 0


def test_formulas_of_theorems_in_articles_figures_and_bare_divs_come_out() -> None:
    blocks = "".join(
        f"<article class=theorem><div>Theorem {n}: $x_{n}$ is{f' not {n}' * 9}.<ul><li>$y_{n}$</li></ul>tail $z_{n}$"
        f"</div></article><figure>\\[w_{n}\\]</figure>"
        for n in range(5)
    )
    careful = careful_text(f"<html><body><main><p>{PROSE}</p>{blocks}</main></body></html>")
    assert careful.n_formulas == 20
    assert careful.n_formulas_kept >= 19
    assert careful.extractor.startswith("trafilatura")


def test_a_page_whose_formulas_get_lost_falls_back_to_all_its_text() -> None:
    menu = "".join(f"<li><a href=/{n}>Chapter on \\(x_{n}\\)</a></li>" for n in range(9))
    careful = careful_text(f"<html><body><nav><ul>{menu}</ul></nav><article><p>{PROSE}</p></article></body></html>")
    assert careful.extractor.startswith("all-text/")
    assert careful.n_formulas == careful.n_formulas_kept == 9
    assert "Chapter on $x_3$" in careful.text
    assert PROSE in careful.text


def test_a_formula_that_comes_out_twice_is_not_counted_as_kept() -> None:
    tree = trafilatura.load_html(page("$x$ and $y$"))
    taken = take_formulas(tree, page("$x$ and $y$"))
    first, second = (f"{taken.prefix}{number}z" for number in range(2))
    assert taken.put_back(f"{first} {second} {first}") == ("$x$ $y$ $x$", 1)


def test_a_page_cannot_foresee_its_tokens() -> None:
    tree = trafilatura.load_html(page("$x$"))
    word = take_formulas(tree, page("$x$")).prefix + "0z"
    careful = careful_text(page(f"{word} and $x$"))
    assert f"Before {word} and $x$ after." in careful.text


def test_a_token_that_the_page_holds_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.formulas.xxhash.xxh3_64_hexdigest", lambda _, seed: str(seed) * 16)
    taken = "x" + "0" * 16 + "n0z"
    careful = careful_text(page(f"{taken} and $y$"))
    assert f"Before {taken} and $y$ after." in careful.text
    assert careful.n_formulas_kept == 1


def test_the_same_page_gives_the_same_text() -> None:
    html = page("".join(markup for markup, _ in (HIDDEN | VISIBLE).values()))
    assert careful_text(html) == careful_text(html)
    assert cheap_text(html) == cheap_text(html)


@pytest.mark.parametrize(
    "html", ["", " \n", "<html><script>var x = '$y$'</script></html>", "<frameset><frame></frameset>"]
)
def test_a_page_without_text_gives_a_blank(html: str) -> None:
    assert cheap_text(html).text == ""
    careful = careful_text(html)
    assert (careful.text, careful.n_formulas) == ("", 0)


HOSTILE = {
    "dollars": "$ " * 1_000_000,
    "variables": "$x " * 600_000,
    "brackets": "\\[" * 1_000_000,
    "brackets closed at the end": "\\[" * 1_000_000 + "\\]",
    "environments": "\\begin{align}" * 150_000,
    "escaped": "$" + "\\$" * 900_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_two_megabytes_of_open_delimiters_take_linear_time(text: str) -> None:
    started = time.process_time()
    assert len(list(find_tex(text))) <= 1
    cheap_text(f"<p>{text}")
    assert time.process_time() - started < 5


@pytest.mark.parametrize("opening", ["<div>", "<span>", "<span class=katex>", "<article>", "<b>", "<table><tr><td>"])
def test_five_thousand_nested_elements_are_read(opening: str) -> None:
    html = "<html><body>" + opening * 5_000 + "deep $x^2$ end"
    assert "deep $x^2$ end" in cheap_text(html).text
    assert "deep $x^2$ end" in careful_text(html).text


@pytest.mark.parametrize(
    "html",
    [
        page("a\x00b \x01 &#0; &#1; &#xD800; \ud800 \x0b\x0c\r &#12; $x\x00^2 &#1;$ \x7f\x85"),
        page('<img src="https://latex.codecogs.com/gif.latex?x%00%01%ED%A0%80">'),
        page('<script type="math/tex">a\x00\ud800b</script><math alttext="&#1;\x02x">'),
        "\x00\ud800",
    ],
)
def test_nul_control_characters_and_surrogates_never_come_out(html: str) -> None:
    for text in (cheap_text(html).text, careful_text(html).text):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", text)


def test_entities_are_read() -> None:
    html = page("&lt;b&gt; &amp; &euro; &#36;x^2&#36; &notanentity;")
    assert "Before <b> & € $x^2$" in cheap_text(html).text
    assert careful_text(html).n_formulas == 1


@pytest.fixture(autouse=True)
def quiet_trafilatura() -> None:
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


PREAMBLE = (
    r"\( \newcommand{\lt}{<} \definecolor{shade}{gray}{0.9} \newcommand{\fill}[1]{\colorbox{$\displaystyle #1$}} \)"
)


@pytest.mark.parametrize("preamble", [PREAMBLE, r"$$\DeclareMathOperator{\tr}{tr}$$", r"\[\let\Pr\relax\]"])
def test_a_preamble_of_macros_is_no_content(preamble: str) -> None:
    html = f"<body><div>{preamble}</div><p>Let \\(x \\lt 2\\) hold, and so does the rest of it.</p></body>"
    assert cheap_text(html).text == "Let \\(x \\lt 2\\) hold, and so does the rest of it."
    assert careful_text(html).text == "Let $x \\lt 2$ hold, and so does the rest of it."


def test_an_unclosed_preamble_and_a_formula_that_mentions_definitions_stay() -> None:
    assert without_definitions(r"a \( \def\x{1} b") == r"a \( \def\x{1} b"
    assert without_definitions(r"\(x \def\)") == r"\(x \def\)"
    assert without_definitions(r"\(\definition\)") == r"\(\definition\)"


def test_two_megabytes_of_unclosed_preambles_are_scanned_in_linear_time() -> None:
    text = r"\( \def\x " * 200_000
    assert without_definitions(text) == text
