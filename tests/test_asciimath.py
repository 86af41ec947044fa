"""corpus.asciimath: the published syntax worked by hand, and text that is none."""

import random
import re

import pytest

from corpus.asciimath import to_tex
from corpus.asciimath_symbols import CONSTANTS, LIMITS, OTHER_FUNCTIONS, SAME, TEX_FUNCTIONS, UNARY

WORKED = {
    "sum_(i=1)^n i^3=((n(n+1))/2)^2": r"\sum_{i=1}^ni^3=\left(\frac{n(n+1)}{2}\right)^2",
    "x=(-b +- sqrt(b^2 - 4ac))/(2a)": r"x=\frac{-b\pm\sqrt{b^2-4ac}}{2a}",
    "int_0^oo e^(-x^2) dx": r"\int_0^\infty e^{-x^2}dx",
    "lim_(x->oo) 1/x = 0": r"\lim_{x\to\infty}\frac{1}{x}=0",
    "f'(x)=dy/dx": r"f'(x)=\frac{dy}{dx}",
    "f(x)/g(x)": r"\frac{f(x)}{g(x)}",
    "sin x/2": r"\frac{\sin x}{2}",
    "sin^2 x+cos^2x": r"\sin^2x+\cos^2x",
    "log_2(x) sech(x)": r"\log_2(x)\operatorname{sech}(x)",
    "sin x^2": r"\sin x^2",
    "(a/b)/(c)": r"\frac{\frac{a}{b}}{c}",
    "a/b/c": r"\frac{a}{b}/c",
    "(x+1)/[y]": r"\frac{x+1}{y}",
    "x_1^2 x^2_1 x_(ij)": r"x_1^2x_1^2x_{ij}",
    "x^2^3": r"x^2\wedge3",
    "x_{10} 3.14 .5": r"x_{10}3.14.5",
    "sqrt x root(3)(x) root([k])(x)": r"\sqrt{x}\sqrt[3]{x}\sqrt[{[k]}]{x}",
    "frac(a)(b) stackrel(?)= overset(a)(b) underset(a)(b)": (r"\frac{a}{b}\overset{?}{=}\overset{a}{b}\underset{a}{b}"),
    "hat x hat(ab) bar x bar(ab) vec v dot y ul(x)": (
        r"\hat{x}\widehat{ab}\bar{x}\overline{ab}\vec{v}\dot{y}\underline{x}"
    ),
    "ubrace(1+2)_(n) obrace(a)^b": r"\underbrace{1+2}_n\overbrace{a}^b",
    "bb(A) bbb(R) cc(L) fr(g) tt(x) sf(y)": r"\mathbf{A}\mathbb{R}\mathcal{L}\mathfrak{g}\mathtt{x}\mathsf{y}",
    "color(red)(x) class(a)(y)": "xy",
    "abs(x/y) norm(vec x) floor(x) ceil(x)": r"\left|\frac{x}{y}\right|\|\vec{x}\|\lfloor x\rfloor\lceil x\rceil",
    "|x|+|y/2|": r"|x|+\left|\frac{y}{2}\right|",
    "{x | x > 0}": r"\{x|x>0\}",
    "P(A|B)": "P(A|B)",
    "{:a/b:}|_(x=0)": r"\frac{a}{b}|_{x=0}",
    "(a,b] (: a, b :) <<x>> |__ x __|": r"(a,b]\langle a,b\rangle\langle x\rangle\lfloor x\rfloor",
    "[[a,b],[c,d]]": r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}",
    "((a,b),(c,d))": r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
    "|[a,b],[c,d]|": r"\begin{vmatrix} a & b \\ c & d \end{vmatrix}",
    "((n),(k))": r"\begin{pmatrix} n \\ k \end{pmatrix}",
    "{:[a,b],[c,d]:}": r"\begin{matrix} a & b \\ c & d \end{matrix}",
    "[[a,b,|,c],[d,e,|,f]]": r"\left[\begin{array}{cc|c} a & b & c \\ d & e & f \end{array}\right]",
    "{(1,2),(3,4)}": r"\{(1,2),(3,4)\}",
    "((a,b),(c))": "((a,b),(c))",
    'f(x)={(x, if x>0),(0,"else"):}': r"f(x)=\begin{cases} x & \text{ if }x>0 \\ 0 & \text{else} \end{cases}",
    "[[a text(,)],[b]]": r"\begin{bmatrix} a\text{,} \\ b \end{bmatrix}",
    '"50% of {a}" text(for all) n mbox[x]': r"\text{50\% of \{a\}for all}n\text{x}",
    r"\alpha alpha beta Gamma": r"\alpha\alpha\beta\Gamma",
    "AA x in RR EE y !in NN": r"\forall x\in\mathbb{R}\exists y\notin\mathbb{N}",
    "a != b <= c -> d => e <=> f": r"a\neq b\leq c\to d\Rightarrow e\Leftrightarrow f",
    "a xx b * c -: d ** e": r"a\times b\cdot c\div d*e",
    "not p and q or r": r"\neg p\text{ and }q\text{ or }r",
    "5% # & $ ~ ≤ π": r"5\%\#\&\$\sim\leq\pi",
    "x'' f prime": "x''f'",
    "a\\ b quad c": r"a\ b\quad c",
}


@pytest.mark.parametrize(("source", "expected"), WORKED.items())
def test_the_published_syntax_becomes_the_latex_that_draws_it(source: str, expected: str) -> None:
    assert to_tex(source) == expected


def test_every_symbol_is_read_whole_alone_and_between_letters() -> None:
    for name, tex in [*CONSTANTS.items(), *LIMITS.items(), *((name, f"\\{name}") for name in SAME)]:
        assert to_tex(name) == tex, name
        assert to_tex(f"x {name} 1").replace(" ", "") == f"x{tex}1".replace(" ", ""), name
    for name in TEX_FUNCTIONS:
        assert to_tex(f"{name}(x)") == f"\\{name}(x)"
    for name in OTHER_FUNCTIONS - {"f", "g"}:
        assert to_tex(f"{name}(x)") == f"\\operatorname{{{name}}}(x)"
    for name, tex in UNARY.items():
        assert to_tex(f"{name}(x)") == to_tex(f"{name} x") == f"{tex}{{x}}", name


BROKEN = {
    "": "",
    " \n": "",
    "(((": "(((",
    ")))": ")))",
    "(a": "(a",
    "a]": "a]",
    "|x": "|x",
    "/": "/",
    "a/": "a/",
    "a^": "a",
    "_ ^": r"\_",
    "sqrt": r"\sqrt{}",
    "frac(a)": r"\frac{a}{}",
    '"unclosed': r"\text{unclosed}",
    "text(unclosed": r"\text{unclosed}",
    "\\": r"\backslash",
    "{:": "",
    "\ud800é": "\ud800é",
}


@pytest.mark.parametrize(("source", "expected"), BROKEN.items())
def test_text_that_is_no_asciimath_stands_for_itself(source: str, expected: str) -> None:
    assert to_tex(source) == expected


@pytest.mark.parametrize(
    "unit",
    ["(", "|", "sqrt ", "text(", '"', "a/", "x^", "[[", "sin ", "|(", "a_b^", "{:", "\\", "frac", "hat(", "((a),("],
)
def test_ten_thousand_repetitions_do_no_harm(unit: str) -> None:
    assert len(to_tex(unit * 10_000)) <= 10 * len(unit) * 10_000


def test_random_text_gives_balanced_latex_that_holds_every_letter() -> None:
    rng = random.Random(0)
    units = [
        *CONSTANTS,
        *LIMITS,
        *UNARY,
        *"xyz123()[]{}|,/^_\"' ",
        "text(",
        "[[x,y],[z,x]]",
        "frac",
        "root",
        "sin",
        ":}",
    ]
    for _ in range(3000):
        source = "".join(f"{rng.choice(units)} " for _ in range(rng.randrange(30)))
        written = to_tex(source)
        bare = re.sub(r"\\[{}\\]", "", written)
        depths = [bare[:end].count("{") - bare[:end].count("}") for end in range(len(bare) + 1)]
        assert min(depths) == depths[-1] == 0, source
        grown = re.findall(r"\\(left|right)(?![A-Za-z])", written)
        assert grown.count("left") == grown.count("right"), source
        digits = re.sub(r"\D", "", source)
        if not re.search(r"[\^_]|root|\[\[", source):  # they put one thing before another
            assert re.sub(r"\D", "", written) == digits, source
