"""corpus.mathml: what MathJax, KaTeX, Temml, LaTeXML, Pandoc and Word write, read back as LaTeX."""

import random
import re
from collections import Counter

import pytest
from lxml import etree, html

from corpus import mathml

NAMESPACE = "http://www.w3.org/1998/Math/MathML"


def tex(inner: str, attributes: str = "") -> str | None:
    """What the converter makes of <math>inner</math> as an HTML parser reads it."""
    return mathml.to_tex(html.fromstring(f"<div><math {attributes}>{inner}</math></div>")[0])


LEAVES = {
    "<mi>x</mi>": "x",
    "<mi>α</mi><mi>x</mi>": r"\alpha x",
    "<mi>α</mi><mn>2</mn>": r"\alpha2",
    "<mi>ε</mi><mi>ϵ</mi><mi>φ</mi><mi>ϕ</mi>": r"\varepsilon\epsilon\varphi\phi",
    '<mi mathvariant="normal">d</mi><mi>x</mi>': r"\mathrm{d}x",
    '<mi mathvariant="normal">Γ</mi>': r"\Gamma",
    '<mi mathvariant="bold">v</mi>': r"\mathbf{v}",
    '<mi mathvariant="bold">α</mi>': r"\boldsymbol{\alpha}",
    '<mi mathvariant="double-struck">R</mi>': r"\mathbb{R}",
    '<mi mathvariant="script">L</mi>': r"\mathcal{L}",
    '<mi mathvariant="fraktur">g</mi>': r"\mathfrak{g}",
    '<mi mathvariant="sans-serif">T</mi>': r"\mathsf{T}",
    '<mi mathvariant="monospace">c</mi>': r"\mathtt{c}",
    '<mi mathvariant="bold-script">L</mi>': r"\boldsymbol{\mathcal{L}}",
    "<mi>ℝ</mi><mi>𝐱</mi><mi>𝒙</mi><mi>ℋ</mi><mi>𝔤</mi><mi>𝑑</mi>": (
        r"\mathbb{R}\mathbf{x}\boldsymbol{x}\mathcal{H}\mathfrak{g}d"
    ),
    "<mi>sin</mi><mi>x</mi>": r"\sin x",
    "<mi>lim\u2006sup</mi>": r"\limsup",
    "<mi>rank</mi><mi>A</mi>": r"\operatorname{rank}A",
    '<mi mathvariant="normal">const</mi>': r"\mathrm{const}",
    '<mi mathvariant="normal">argmax</mi><mo>\u2061</mo>': r"\operatorname{argmax}",
    '<mi mathvariant="normal">m</mi><mi mathvariant="normal">o</mi><mi mathvariant="normal">d</mi>': r"\mathrm{mod}",
    "<mi>скорость</mi>": r"\text{скорость}",
    "<mi>Δx</mi>": r"\Delta x",
    "<mi>α\ufe00</mi>": r"\alpha",
    "<mn>1,000</mn>": "1{,}000",
    "<mn>3.14</mn>": "3.14",
    "<mn>8,3</mn>": "8,3",
    "<mn>−1</mn>": "-1",
    "<mo>−</mo><mi>x</mi>": "-x",
    "<mi>a</mi><mo>≠</mo><mi>b</mi>": r"a\neq b",
    "<mi>a</mi><mo>=\u0338</mo><mi>b</mi>": r"a\neq b",
    "<mi>a</mi><mo>∉</mo><mi>b</mi>": r"a\notin b",
    "<mi>a</mi><mo>:=</mo><mi>b</mi>": "a:=b",
    "<mi>a</mi><mo>≤≥</mo><mi>b</mi>": r"a\leq\geq b",
    "<mi>a</mi><mo>mod</mo><mi>b</mi>": r"a\bmod b",
    '<mo mathvariant="normal">argmax</mo>': r"\operatorname{argmax}",
    "<mo>⋯</mo><mo>…</mo><mo>...</mo>": r"\cdots\ldots\ldots",
    "<mn>5</mn><mo>%</mo><mi>#</mi><mo>&amp;</mo><mi>$</mi><mi>_</mi><mo>{</mo><mo>}</mo>": r"5\%\#\&\$\_\{\}",
    "<mi>a</mi><mo>\u2062</mo><mi>b</mi><mo>\u2063</mo><mi>c</mi><mo>\u2064</mo>": "abc",
    "<mi>a</mi><mo>&amp;InvisibleTimes;</mo><mi>b</mi>": "ab",
    "<mo>∣</mo>": r"\mid",
    '<mi mathvariant="normal">∣</mi><mi>x</mi><mi mathvariant="normal">∣</mi>': "|x|",
    "<mn>90</mn><mo>°</mo>": r"90^\circ",
    "<mi>f</mi><mo>′</mo><mo>′</mo>": "f''",
    "<mtext>if&nbsp;</mtext><mi>x</mi>": r"\text{if }x",
    "<mtext>\n  50% of {a_b}\n</mtext>": r"\text{50\% of \{a\_b\}}",
    '<mtext mathvariant="bold">two</mtext><mtext>&nbsp;</mtext><mtext mathvariant="bold">words</mtext>': (
        r"\textbf{two words}"
    ),
    "<mtext>𝐛𝐨𝐥𝐝</mtext>": r"\textbf{bold}",
    '<mi>a</mi><mspace width="0.167em"/><mi>b</mi>': r"a\,b",
    '<mi>a</mi><mspace width="1em"/><mi>b</mi>': r"a\quad b",
    '<mi>a</mi><mspace width="thickmathspace"/><mi>b</mi>': r"a\;b",
    '<mi>a</mi><mspace width="-1em"/><mspace/><mi>b</mi>': "ab",
    "<mi>a</mi><mtext>&nbsp;</mtext>": "a\\ ",
    '<mi>sin</mi><mo>\u2061</mo><mspace width="0.167em"/><mi>x</mi>': r"\sin x",
    "<ms>a</ms>": r"\text{a}",
}


@pytest.mark.parametrize(("source", "expected"), LEAVES.items())
def test_leaves_become_the_commands_that_draw_them(source: str, expected: str) -> None:
    assert tex(source) == expected


ELEMENTS = {
    "<mfrac><mi>a</mi><mrow><mi>b</mi><mo>+</mo><mn>1</mn></mrow></mfrac>": r"\frac{a}{b+1}",
    '<mfrac bevelled="true"><mi>a</mi><mi>b</mi></mfrac>': "a/b",
    '<mfrac linethickness="0"><mi>a</mi><mi>b</mi></mfrac>': r"{a\atop b}",
    '<mfrac linethickness="0.5px"><mi>a</mi><mi>b</mi></mfrac>': r"\frac{a}{b}",
    "<msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt>": r"\sqrt{x+1}",
    "<mroot><mi>x</mi><mn>3</mn></mroot>": r"\sqrt[3]{x}",
    "<mroot><mi>x</mi><mrow><mo>[</mo><mi>k</mi><mo>]</mo></mrow></mroot>": r"\sqrt[{[k]}]{x}",
    "<msup><mi>x</mi><mn>2</mn></msup>": "x^2",
    "<msup><mi>x</mi><mn>10</mn></msup>": "x^{10}",
    "<msup><mi>x</mi><mi>α</mi></msup><mi>y</mi>": r"x^\alpha y",
    "<msub><mi>x</mi><mo>max</mo></msub>": r"x_{\max}",
    "<msub><mi>x</mi><mo>…</mo></msub>": r"x_{\ldots}",
    "<msup><mn>10</mn><mn>2</mn></msup>": "10^2",
    "<msup><mrow><mi>a</mi><mi>b</mi></mrow><mn>2</mn></msup>": "{ab}^2",
    "<msup><msup><mi>x</mi><mn>2</mn></msup><mn>3</mn></msup>": "{x^2}^3",
    "<msup><mrow><mo>(</mo><mi>a</mi><mo>)</mo></mrow><mn>2</mn></msup>": "(a)^2",
    "<msup><mrow><mo>(</mo><mi>a</mi><mo>)</mo><mo>(</mo><mi>b</mi><mo>)</mo></mrow><mn>2</mn></msup>": "{(a)(b)}^2",
    "<msup><mrow><mo>(</mo><mi>a</mi><msup><mo>)</mo><mn>2</mn></msup></mrow><mn>3</mn></msup>": "{(a)^2}^3",
    "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>": "x_i^2",
    "<msup><mi>f</mi><mo>′</mo></msup>": "f'",
    "<msup><mi>f</mi><mo>″</mo></msup>": "f''",
    "<msup><mi>f</mi><mrow><mo>′</mo><mn>2</mn></mrow></msup>": "f'^2",
    "<msubsup><mi>f</mi><mi>i</mi><mo>′</mo></msubsup>": "f_i'",
    "<msup><mi>x</mi><mn>2</mn></msup><mo>′</mo>": "x^2{}'",
    "<msup><mn>90</mn><mo>∘</mo></msup>": r"90^\circ",
    "<msub><mrow></mrow><mn>2</mn></msub><msub><mi>F</mi><mn>1</mn></msub>": "{}_2F_1",
    "<mmultiscripts><mi>F</mi><mn>1</mn><none/><mprescripts/><mn>2</mn><none/></mmultiscripts>": "{}_2F_1",
    "<mmultiscripts><mi>R</mi><mi>i</mi><none/><none/><mi>j</mi></mmultiscripts>": "R_i{}^j",
    "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>": r"\sum_{i=1}^n",
    "<munder><mo>lim</mo><mrow><mi>x</mi><mo>→</mo><mn>0</mn></mrow></munder>": r"\lim_{x\to0}",
    "<munder><mi>argmin</mi><mi>θ</mi></munder>": r"\operatorname*{argmin}_\theta",
    "<munderover><mo>∫</mo><mn>0</mn><mn>1</mn></munderover>": r"\int\limits_0^1",
    "<munder><mo>∑</mo><mtable><mtr><mtd><mi>i</mi></mtd></mtr><mtr><mtd><mi>j</mi></mtd></mtr></mtable></munder>": (
        r"\sum_{\substack{i \\ j}}"
    ),
    '<mover><mi>x</mi><mo stretchy="false">^</mo></mover>': r"\hat{x}",
    '<mover><mi>x</mi><mo stretchy="true">^</mo></mover>': r"\widehat{x}",
    "<mover><mrow><mi>A</mi><mi>B</mi></mrow><mo>^</mo></mover>": r"\widehat{AB}",
    "<mover><mi>x</mi><mo>¯</mo></mover>": r"\bar{x}",
    '<mover><mi>x</mi><mo accent="false">¯</mo></mover>': r"\overline{x}",
    "<mover><mi>x</mi><mo>―</mo></mover>": r"\overline{x}",
    "<mover><mi>v</mi><mo>→</mo></mover>": r"\vec{v}",
    "<mover><mrow><mi>A</mi><mi>B</mi></mrow><mo>→</mo></mover>": r"\overrightarrow{AB}",
    "<mover><mi>a</mi><mo>\u0302</mo></mover><mover><mi>b</mi><mo>˙</mo></mover><mover><mi>c</mi><mo>¨</mo></mover>": (
        r"\hat{a}\dot{b}\ddot{c}"
    ),
    "<mover><mrow><mi>A</mi><mi>B</mi></mrow><mo>\u20d7</mo></mover>": r"\vec{AB}",
    "<munder><mi>x</mi><mo>_</mo></munder>": r"\underline{x}",
    "<munder><munder><mi>x</mi><mo>⏟</mo></munder><mi>n</mi></munder>": r"\underbrace{x}_n",
    "<mover><mover><mi>x</mi><mo>⏞</mo></mover><mi>n</mi></mover>": r"\overbrace{x}^n",
    "<mover><mo>=</mo><mo>?</mo></mover>": r"\overset{?}{=}",
    "<mover><mo>=</mo><mo>∼</mo></mover>": r"\overset{\sim}{=}",
    "<munder><mi>d</mi><mi>c</mi></munder>": r"\underset{c}{d}",
    "<munderover><mo>→</mo><mi>b</mi><mi>a</mi></munderover>": r"\xrightarrow[b]{a}",
    '<mover><mo>→</mo><mover><mi>a</mi><mspace width="3.5em"/></mover></mover>': r"\xrightarrow{a}",
    '<mover><mo stretchy="false">→</mo><mi>a</mi></mover>': r"\overset{a}{\to}",
    "<mfenced><mi>a</mi><mi>b</mi></mfenced>": "(a,b)",
    '<mfenced open="[" close=")" separators=";|"><mi>a</mi><mi>b</mi><mi>c</mi><mi>d</mi></mfenced>': "[a;b|c|d)",
    '<mfenced open="|" close="|"><mfrac><mi>a</mi><mi>b</mi></mfrac></mfenced>': r"\left|\frac{a}{b}\right|",
    '<menclose notation="box"><mi>x</mi></menclose>': r"\boxed{x}",
    '<menclose notation="updiagonalstrike"><mi>x</mi></menclose>': r"\cancel{x}",
    '<menclose notation="updiagonalstrike downdiagonalstrike"><mi>x</mi></menclose>': r"\xcancel{x}",
    '<menclose notation="longdiv"><mi>x</mi></menclose>': "x",
    "<mphantom><mi>x</mi></mphantom><mi>y</mi>": r"\phantom{x}y",
    '<maction selection="2"><mi>a</mi><mi>b</mi></maction>': "b",
    "<merror><mpadded><mi>a</mi></mpadded></merror>": "a",
    '<mstyle mathvariant="normal"><mi>t</mi><mi>h</mi></mstyle>': r"\mathrm{th}",
    '<mstyle mathvariant="bold"><mi>𝐱</mi></mstyle>': r"\mathbf{x}",
    "<glyph><mi>a</mi></glyph>": "a",
}


@pytest.mark.parametrize(("source", "expected"), ELEMENTS.items())
def test_elements_become_the_commands_that_draw_them(source: str, expected: str) -> None:
    assert tex(source) == expected


FRACTION = "<mfrac><mi>a</mi><mi>b</mi></mfrac>"
BRACKETS = {
    f"<mo>(</mo>{FRACTION}<mo>)</mo>": r"\left(\frac{a}{b}\right)",
    f'<mo stretchy="false">(</mo>{FRACTION}<mo stretchy="false">)</mo>': r"(\frac{a}{b})",
    "<mo>(</mo><mi>a</mi><mo>)</mo>": "(a)",
    f"<mo>(</mo>{FRACTION}<msup><mo>)</mo><mn>2</mn></msup>": r"\left(\frac{a}{b}\right)^2",
    f"<mo>[</mo><mi>x</mi><mo>]</mo><mo>[</mo>{FRACTION}<mo>)</mo>": r"[x]\left[\frac{a}{b}\right)",
    f'<mrow>{FRACTION}<mo fence="true">∣</mo></mrow>': r"\left.\frac{a}{b}\right|",
    f"<mrow><mo>{{</mo>{FRACTION}</mrow>": r"\left\{\frac{a}{b}\right.",
    f"<mo>‖</mo>{FRACTION}<mo>‖</mo>": r"\left\|\frac{a}{b}\right\|",
    "<mo>|</mo><mi>x</mi><mo>|</mo><mo>+</mo><mo>|</mo><mi>y</mi><mo>|</mo>": "|x|+|y|",
    "<mo>⟨</mo><mi>x</mi><mo>⟩</mo><mo>⌊</mo><mi>y</mi><mo>⌋</mo>": r"\langle x\rangle\lfloor y\rfloor",
    "<mo>]</mo><mn>0</mn><mo>,</mo><mn>1</mn><mo>[</mo>": "]0,1[",
}


@pytest.mark.parametrize(("source", "expected"), BRACKETS.items())
def test_brackets_grow_where_the_page_lets_them_and_their_content_is_tall(source: str, expected: str) -> None:
    assert tex(source) == expected


def mtable(rows: list[list[str]], attributes: str = "") -> str:
    cells = ("".join(f"<mtd>{cell}</mtd>" for cell in row) for row in rows)
    return f"<mtable {attributes}>{''.join(f'<mtr>{row}</mtr>' for row in cells)}</mtable>"


SQUARE = mtable([["<mi>a</mi>", "<mi>b</mi>"], ["<mi>c</mi>", "<mi>d</mi>"]])
BODY = r"a & b \\ c & d"
CASES = mtable([["<mi>a</mi>", "<mi>b</mi>"], ["<mi>c</mi>", "<mi>d</mi>"]], 'columnalign="left left"')
RIGHT_LEFT = mtable([["<mi>a</mi>", "<mo>=</mo><mi>b</mi>"], ["", "<mo>=</mo><mi>c</mi>"]], 'columnalign="right left"')
TABLES = {
    SQUARE: rf"\begin{{matrix}} {BODY} \end{{matrix}}",
    f"<mo>(</mo>{SQUARE}<mo>)</mo>": rf"\begin{{pmatrix}} {BODY} \end{{pmatrix}}",
    f'<mfenced open="[" close="]">{SQUARE}</mfenced>': rf"\begin{{bmatrix}} {BODY} \end{{bmatrix}}",
    f"<mo>|</mo>{SQUARE}<mo>|</mo>": rf"\begin{{vmatrix}} {BODY} \end{{vmatrix}}",
    f"<mo>‖</mo>{SQUARE}<mo>‖</mo>": rf"\begin{{Vmatrix}} {BODY} \end{{Vmatrix}}",
    f"<mo>{{</mo>{SQUARE}<mo>}}</mo>": rf"\begin{{Bmatrix}} {BODY} \end{{Bmatrix}}",
    f"<msup><mrow><mo>[</mo>{SQUARE}<mo>]</mo></mrow><mi>T</mi></msup>": rf"\begin{{bmatrix}} {BODY} \end{{bmatrix}}^T",
    f"<mi>f</mi><mo>=</mo><mo>{{</mo>{CASES}": rf"f=\begin{{cases}} {BODY} \end{{cases}}",
    f'<mrow><mo>{{</mo>{CASES}<mo fence="true"></mo></mrow>': rf"\begin{{cases}} {BODY} \end{{cases}}",
    RIGHT_LEFT: r"\begin{aligned} a & =b \\ & =c \end{aligned}",
    f"<mo>{{</mo>{RIGHT_LEFT}": r"\left\{\begin{aligned} a & =b \\ & =c \end{aligned}\right.",
    mtable([["<mi>a</mi>"], ["<mi>b</mi>"]], 'displaystyle="true"'): r"\begin{gathered} a \\ b \end{gathered}",
    mtable([["<mi>a</mi>", "<mi>b</mi>"]], 'columnalign="left right"'): r"\begin{array}{lr} a & b \end{array}",
    mtable([["<mi>a</mi>", "<mi>b</mi>", "<mi>c</mi>"]], 'columnlines="none solid"'): (
        r"\begin{array}{cc|c} a & b & c \end{array}"
    ),
    mtable([["<mi>a</mi>"], ["<mi>b</mi>"]], 'rowlines="solid" frame="solid"'): (
        r"\begin{array}{|c|} \hline a \\ \hline b \\ \hline \end{array}"
    ),
    mtable([["<mi>a</mi>"], ["<mo>[</mo><mi>b</mi><mo>]</mo>"]]): r"\begin{matrix} a \\ {}[b] \end{matrix}",
    mtable([["<mi>a</mi>"]]): "a",
    '<mtable><mtr><mtd columnalign="right"><mi>a</mi></mtd><mtd columnalign="left"><mi>b</mi></mtd></mtr></mtable>': (
        r"\begin{aligned} a & b \end{aligned}"
    ),
    '<mtable><mtr><mtd class="tml-right"><mi>a</mi></mtd><mtd class="tml-left"><mi>b</mi></mtd></mtr></mtable>': (
        r"\begin{aligned} a & b \end{aligned}"
    ),
    '<mo>(</mo><mfrac linethickness="0px"><mi>n</mi><mi>k</mi></mfrac><mo>)</mo>': r"\binom{n}{k}",
}


@pytest.mark.parametrize(("source", "expected"), TABLES.items())
def test_tables_become_the_environment_that_their_brackets_and_columns_say(source: str, expected: str) -> None:
    assert tex(source) == expected


@pytest.mark.parametrize(
    "row",
    [
        "<mlabeledtr><mtd><mtext>(1)</mtext></mtd><mtd><mi>a</mi></mtd></mlabeledtr>",
        '<mtr><mtd class ="mtr-glue"></mtd><mtd><mi>a</mi></mtd><mtd class ="mtr-glue"></mtd>'
        '<mtd class ="mml-eqn-num"><mtext>(1)</mtext></mtd></mtr>',
        '<mtr><mtd width="50%"></mtd><mtd><mi>a</mi></mtd><mtd width="50%"></mtd><mtd><mtext>(1)</mtext></mtd></mtr>',
        '<mtr><mtd style="width:50%;"></mtd><mtd><mi>a</mi></mtd>'
        '<mtd style="width:50%;"><mtext>(1)</mtext></mtd></mtr>',
    ],
    ids=["mathjax", "katex align", "katex equation", "temml"],
)
def test_the_number_of_an_equation_does_not_glue_to_it(row: str) -> None:
    assert tex(f"<mtable>{row}</mtable>") == "a"


QUADRATIC = r"x=\frac{-b\pm\sqrt{b^2-4ac}}{2a}"
ROOT = "<msup><mi>b</mi><mn>2</mn></msup><mo>−</mo><mn>4</mn><mi>a</mi><mi>c</mi>"
TOOLS = {
    "mathjax 3": (
        "<mi>x</mi><mo>=</mo><mfrac><mrow><mo>&#x2212;</mo><mi>b</mi><mo>&#xB1;</mo><msqrt>"
        f"{ROOT}</msqrt></mrow><mrow><mn>2</mn><mi>a</mi></mrow></mfrac>"
    ),
    "mathjax 2": (
        '<mi>x</mi><mo>=</mo><mrow class="MJX-TeXAtom-ORD"><mfrac><mrow><mo>&#x2212;<!-- − --></mo><mi>b</mi>'
        f"<mo>&#x00B1;<!-- ± --></mo><msqrt>{ROOT}</msqrt></mrow><mrow><mn>2</mn><mi>a</mi></mrow></mfrac></mrow>"
    ),
    "katex": (
        "<semantics><mrow><mi>x</mi><mo>=</mo><mfrac><mrow><mo>−</mo><mi>b</mi><mo>±</mo><msqrt><mrow>"
        f"{ROOT}</mrow></msqrt></mrow><mrow><mn>2</mn><mi>a</mi></mrow></mfrac></mrow>"
        '<annotation encoding="application/x-tex">not looked at</annotation></semantics>'
    ),
    "temml": (
        '<mrow><mi>x</mi><mo>=</mo><mfrac><mrow><mo form="prefix" stretchy="false">−</mo><mi>b</mi><mo>±</mo>'
        f'<msqrt><mrow>{ROOT}<mspace width="0pt" height="0.5em"></mspace></mrow></msqrt></mrow>'
        "<mrow><mn>2</mn><mi>a</mi></mrow></mfrac></mrow>"
    ),
    "latexml": (
        "<mrow><mi>x</mi><mo>=</mo><mfrac><mrow><mrow><mo>−</mo><mi>b</mi></mrow><mo>±</mo><msqrt><mrow>"
        "<msup><mi>b</mi><mn>2</mn></msup><mo>−</mo><mrow><mn>4</mn><mo>\u2062</mo><mi>a</mi><mo>\u2062</mo>"
        "<mi>c</mi></mrow></mrow></msqrt></mrow><mrow><mn>2</mn><mo>\u2062</mo><mi>a</mi></mrow></mfrac></mrow>"
    ),
    "word": (
        "<mml:mi>x</mml:mi><mml:mo>=</mml:mo><mml:mfrac><mml:mrow><mml:mo>−</mml:mo><mml:mi>b</mml:mi>"
        "<mml:mo>±</mml:mo><mml:msqrt><mml:msup><mml:mrow><mml:mi>b</mml:mi></mml:mrow><mml:mrow>"
        "<mml:mn>2</mml:mn></mml:mrow></mml:msup><mml:mo>-</mml:mo><mml:mn>4</mml:mn><mml:mi>a</mml:mi>"
        "<mml:mi>c</mml:mi></mml:msqrt></mml:mrow><mml:mrow><mml:mn>2</mml:mn><mml:mi>a</mml:mi></mml:mrow></mml:mfrac>"
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_one_formula_is_the_same_whichever_tool_wrote_it(tool: str) -> None:
    assert tex(TOOLS[tool]) == QUADRATIC


def test_html_and_xml_parsers_and_prefixes_give_the_same() -> None:
    inner = TOOLS["latexml"]
    plain = etree.fromstring(f'<math xmlns="{NAMESPACE}">{inner}</math>')
    prefixed = re.sub(r"<(/?)", r"<\1m:", inner)
    in_xml = etree.fromstring(f'<m:math xmlns:m="{NAMESPACE}">{prefixed}</m:math>')
    in_html = html.fromstring(f"<div><m:math>{prefixed}</m:math></div>")[0]
    assert [mathml.to_tex(math) for math in (plain, in_xml, in_html)] == [QUADRATIC] * 3


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<mrow><mi></mi><mo>\u2062</mo></mrow>",
        '<mspace width="2em"/><mtext>&nbsp;</mtext>',
        "<apply><plus/><ci>x</ci><cn>1</cn></apply>",
        '<semantics><annotation encoding="application/x-tex">x</annotation></semantics>',
        "<semantics><annotation-xml><mi>x</mi></annotation-xml></semantics>",
        "<!-- x -->",
    ],
    ids=["empty", "invisible", "spaces", "content", "annotation", "annotation in xml", "comment"],
)
def test_nothing_to_see_is_none(inner: str) -> None:
    assert tex(inner) is None


BROKEN = {
    "<msup><mi>x</mi></msup>": "x",
    "<mfrac><mi>x</mi></mfrac>": r"\frac{x}{}",
    "<msup><mi>x</mi><mn>2</mn><mi>y</mi></msup>": "x^2y",
    "<mmultiscripts></mmultiscripts><mi>x</mi>": "x",
    "<mtable><mtd><mi>a</mi></mtd><mi>b</mi></mtable>": r"\begin{matrix} a \\ b \end{matrix}",
    "<mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr>": r"a\quad b",
    "<mtext>where <b>a</b> is</mtext>": r"\text{where a is}",
    "<mtext>a <mi>x</mi> b</mtext>": r"\text{a}x\text{b}",
    "<mi>x<mi>y</mi></mi>": "xy",
    '<maction selection="9"><mi>a</mi></maction>': "a",
    '<mspace width="wide"/><mi>a</mi>': "a",
    "<mo>)</mo><mi>a</mi><mo>(</mo>": ")a(",
}


@pytest.mark.parametrize(("source", "expected"), BROKEN.items())
def test_broken_markup_keeps_what_is_there(source: str, expected: str) -> None:
    assert tex(source) == expected


# fmt: off
LAYOUT = [
    "mrow", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts",
    "mtable", "mtr", "mtd", "mfenced", "menclose", "mphantom", "mstyle", "mpadded", "semantics", "mlabeledtr",
    "maction",
]
# fmt: on


def random_math(rng: random.Random, depth: int) -> etree._Element:
    """A random tree whose leaves are letters, with brackets, attributes and child counts as they come."""
    if depth == 0 or rng.random() < 0.2:
        element = etree.Element(rng.choice(["mi", "mn", "mo", "mtext"]))
        element.text = rng.choice(["x", "y", "z", "(", ")", "|", "{", "∑", "→", "′", "^", "¯", "=", "1"])
        return element
    element = etree.Element(rng.choice(LAYOUT))
    if element.tag == "mfrac" and rng.random() < 0.5:
        element.set("linethickness", "0")
    if rng.random() < 0.2:
        element.set("mathvariant", rng.choice(["bold", "normal", "script"]))
    for _ in range(rng.randrange(5)):
        element.append(random_math(rng, depth - 1))
    return element


def test_random_trees_give_balanced_latex_that_holds_every_letter() -> None:
    rng = random.Random(0)
    for _ in range(2000):
        math = etree.Element("math")
        math.append(random_math(rng, 5))
        for hidden in list(math.iter("mlabeledtr", "maction")):  # they show only a part of what they hold
            hidden.tag = "mrow"
        written = mathml.to_tex(math) or ""
        bare = re.sub(r"\\[{}\\]", "", written)
        depths = [bare[:end].count("{") - bare[:end].count("}") for end in range(len(bare) + 1)]
        assert min(depths) == depths[-1] == 0, written
        grown = Counter(re.findall(r"\\(left|right)(?![A-Za-z])", written))
        assert grown["left"] == grown["right"], written
        letters = Counter(re.sub(r"\\(?:begin|end)\{\w+\}(?:\{[lcr|]+\})?|\\[A-Za-z]+", "", written))
        expected = Counter(element.text for element in math.iter("mi", "mn", "mo", "mtext"))
        assert {sign: letters[sign] for sign in "xyz1"} == {sign: expected[sign] for sign in "xyz1"}, written


def nested(name: str, depth: int) -> etree._Element:
    elements = [etree.Element("math")]
    for _ in range(depth):
        elements.append(etree.SubElement(elements[-1], name))
    etree.SubElement(elements[-1], "mi").text = "x"
    while len(elements) > 1:  # freed in another order, each would look for its root
        elements.pop()
    return elements[0]


@pytest.mark.parametrize("name", ["mrow", "mi", "mover"])
def test_a_hundred_thousand_nested_elements_are_read(name: str) -> None:
    assert mathml.to_tex(nested(name, 100_000)) == "x"


@pytest.mark.parametrize("name", ["msqrt", "mfenced"])
def test_nesting_that_is_too_long_to_write_is_none(name: str) -> None:
    assert mathml.to_tex(nested(name, 100_000)) is None


def test_a_formula_as_long_as_a_book_is_none_and_one_at_the_limit_is_whole() -> None:
    limit = mathml.MAX_CHARS
    assert tex("<mi>x</mi>" * limit) == "x" * limit
    assert tex("<mi>x</mi>" * (limit + 1)) is None
    assert tex(f"<mrow>{'<mi>x</mi>' * (limit + 1)}</mrow><mi>y</mi>") is None
