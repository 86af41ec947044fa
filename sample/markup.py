"""How a web page writes a formula: one function (TeX, displayed) -> HTML for each markup language."""

import re
from collections.abc import Callable
from html import escape
from typing import Literal
from urllib.parse import quote

Markup = Literal["mathjax", "script", "katex", "mathml", "wordpress", "dollars"]

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|[A-Za-z]|\S")
_SYMBOL = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ",
    "Delta": "Δ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "sum": "∑", "prod": "∏",
    "int": "∫", "infty": "∞", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "neq": "≠", "ne": "≠", "in": "∈",
    "to": "→", "rightarrow": "→", "cdot": "⋅", "times": "×", "pm": "±", "ldots": "…", "cdots": "⋯", "dots": "…",
    "partial": "∂", "nabla": "∇", "subset": "⊂", "cup": "∪", "cap": "∩", "equiv": "≡", "approx": "≈", "sim": "∼",
    "forall": "∀", "exists": "∃", "mid": "∣", "lfloor": "⌊", "rfloor": "⌋", "ell": "ℓ", "circ": "∘",
}  # fmt: skip
_INVISIBLE = ("left", "right", "mathrm", "text", "operatorname", "mathbf", "mathbb", "displaystyle", "begin", "end",
              "big", "Big", "bigg", "Bigg", "quad", "qquad", "limits", "rm", "mathcal", "textrm", "label")  # fmt: skip


def mathjax(tex: str, displayed: bool) -> str:
    tex = escape(tex, quote=False)
    return f"\\[{tex}\\]" if displayed else f"\\({tex}\\)"


def script(tex: str, displayed: bool) -> str:
    mode = "; mode=display" if displayed else ""
    return f'<script type="math/tex{mode}">{tex.replace("</", "< /")}</script>'


def katex(tex: str, displayed: bool) -> str:
    drawn = f'<span class="katex-html" aria-hidden="true"><span class="base">{_drawn(tex)}</span></span>'
    formula = f'<span class="katex"><span class="katex-mathml">{_math(tex, False)}</span>{drawn}</span>'
    return f'<span class="katex-display">{formula}</span>' if displayed else formula


def mathml(tex: str, displayed: bool) -> str:
    return _math(tex, displayed)


def wordpress(tex: str, displayed: bool) -> str:
    tex = f"\\displaystyle {tex}" if displayed else tex
    image = f"https://images.blogs.example/latex.php?latex={quote(tex, safe='')}&amp;bg=ffffff&amp;fg=333333&amp;s=0"
    return f'<img src="{image}" alt="{escape(tex)}" title="{escape(tex)}" class="latex" />'


def dollars(tex: str, displayed: bool) -> str:
    tex = escape(tex, quote=False)
    return f"$${tex}$$" if displayed else f"${tex}$"


WRITERS: dict[Markup, Callable[[str, bool], str]] = {
    "mathjax": mathjax,
    "script": script,
    "katex": katex,
    "mathml": mathml,
    "wordpress": wordpress,
    "dollars": dollars,
}


def _math(tex: str, displayed: bool) -> str:
    display = ' display="block"' if displayed else ""
    annotation = f'<annotation encoding="application/x-tex">{escape(tex, quote=False)}</annotation>'
    return (
        f'<math xmlns="http://www.w3.org/1998/Math/MathML"{display}><semantics>'
        f"<mrow>{_row(_TOKEN.findall(tex))}</mrow>{annotation}</semantics></math>"
    )


def _drawn(tex: str) -> str:
    """The visible half of KaTeX, roughly: glyphs without structure."""
    glyphs = []
    for token in _TOKEN.findall(tex):
        name = token.removeprefix("\\")
        if token not in "{}^_&" and name not in _INVISIBLE:
            kind = "mord" if name.isalnum() else "mbin"
            glyphs.append(f'<span class="{kind}">{escape(_SYMBOL.get(name, name), quote=False)}</span>')
    return "".join(glyphs)


def _row(tokens: list[str]) -> str:
    """Presentation MathML of TeX tokens; the list is consumed up to the brace that closes it."""
    nodes: list[str] = []
    while tokens:
        token = tokens.pop(0)
        if token == "}":
            break
        if token[1:] in _INVISIBLE:
            nodes += [f"<mi>{word}</mi>"] if (word := _word(tokens)) else []
        elif token in "^_" and nodes:
            base, tag = nodes.pop(), "msup" if token == "^" else "msub"
            nodes.append(f"<{tag}>{base}{_one(tokens)}</{tag}>")
        else:
            nodes.append(_node(token, tokens))
    return "".join(nodes)


def _one(tokens: list[str]) -> str:
    """The next argument: a braced group or a single token."""
    return _node(tokens.pop(0), tokens) if tokens and tokens[0] != "}" else "<mrow></mrow>"


def _word(tokens: list[str]) -> str:
    """Consume a braced word, as after \\operatorname; empty, and nothing consumed, where there is none."""
    end = tokens.index("}") if tokens[:1] == ["{"] and "}" in tokens else 0
    inner = tokens[1:end]
    if not inner or not all(token.isalnum() for token in inner):
        return ""
    del tokens[: end + 1]
    return "".join(inner)


def _node(token: str, tokens: list[str]) -> str:
    name = token.removeprefix("\\") or token
    if token == "{":
        return f"<mrow>{_row(tokens)}</mrow>"
    if token == "\\sqrt":
        return f"<msqrt>{_one(tokens)}</msqrt>"
    if token in ("\\frac", "\\dfrac", "\\tfrac", "\\binom"):
        return f"<mfrac>{_one(tokens)}{_one(tokens)}</mfrac>"
    if name in _INVISIBLE:
        return f"<mi>{_word(tokens)}</mi>"
    if name[0].isdigit():
        return f"<mn>{name}</mn>"
    if name.isalpha():
        return f"<mi>{_SYMBOL.get(name, name)}</mi>"
    return f"<mo>{escape(name, quote=False)}</mo>"
