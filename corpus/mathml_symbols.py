r"""What the characters of mathematics are called in LaTeX.

Characters of Unicode on the left, commands of LaTeX with amssymb on the right; a character that
is in no table stands for itself. Letters of another alphabet (bold, script) are not listed: Unicode
derives them from plain ones, see `letter`. Source: the Unicode names of the characters, and for the
choice among commands for one character what MathJax 3, KaTeX and LaTeXML draw for each.
"""

import re
import unicodedata

# fmt: off
SYMBOLS = {
    # what LaTeX reads as markup
    "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_", "{": r"\{", "}": r"\}", "\\": r"\backslash",
    "~": r"\sim", "^": r"\wedge",
    # what another character of ASCII stands for
    "−": "-", "‐": "-", "‑": "-", "–": "-", "—": "-", "∗": "*", "∕": "/", "⁄": "/", "∶": ":", "≔": ":=", "⩵": "==",
    "\u2018": "`", "\u2019": "'", "ǀ": "|", "＜": "<", "＞": ">", "＝": "=", "＋": "+",
    # Greek
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ϵ": r"\epsilon",
    "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "ϑ": r"\vartheta", "ι": r"\iota", "κ": r"\kappa", "ϰ": r"\varkappa",
    "λ": r"\lambda", "μ": r"\mu", "µ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "ο": "o", "π": r"\pi", "ϖ": r"\varpi",
    "ρ": r"\rho", "ϱ": r"\varrho", "σ": r"\sigma", "ς": r"\varsigma", "τ": r"\tau", "υ": r"\upsilon",
    "φ": r"\varphi", "ϕ": r"\phi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega", "ϝ": r"\digamma",
    "Α": "A", "Β": "B", "Γ": r"\Gamma", "Δ": r"\Delta", "∆": r"\Delta", "Ε": "E", "Ζ": "Z", "Η": "H",
    "Θ": r"\Theta", "ϴ": r"\Theta", "Ι": "I", "Κ": "K", "Λ": r"\Lambda", "Μ": "M", "Ν": "N", "Ξ": r"\Xi", "Ο": "O",
    "Π": r"\Pi", "Ρ": "P", "Σ": r"\Sigma", "Τ": "T", "Υ": r"\Upsilon", "ϒ": r"\Upsilon", "Φ": r"\Phi", "Χ": "X",
    "Ψ": r"\Psi", "Ω": r"\Omega",
    # letters with a meaning
    "ℓ": r"\ell", "℘": r"\wp", "ℜ": r"\Re", "ℑ": r"\Im", "ℏ": r"\hbar", "ħ": r"\hbar", "ℵ": r"\aleph", "ℶ": r"\beth",
    "ℷ": r"\gimel", "ℸ": r"\daleth", "ı": r"\imath", "ȷ": r"\jmath", "𝚤": r"\imath", "𝚥": r"\jmath", "℧": r"\mho",
    "ð": r"\eth", "Å": r"\mathrm{\AA}", "℩": r"\iota", "∂": r"\partial", "∇": r"\nabla", "∞": r"\infty",
    "∅": r"\emptyset", "⌀": r"\varnothing", "∀": r"\forall", "∃": r"\exists", "∄": r"\nexists", "¬": r"\neg",
    "∁": r"\complement",
    "⊤": r"\top", "∠": r"\angle", "∡": r"\measuredangle", "∢": r"\sphericalangle", "△": r"\triangle",
    "▵": r"\triangle", "▽": r"\triangledown", "▿": r"\triangledown", "□": r"\square", "◻": r"\square", "▫": r"\square",
    "■": r"\blacksquare", "◼": r"\blacksquare", "▪": r"\blacksquare", "∎": r"\blacksquare", "◊": r"\lozenge",
    "⧫": r"\blacklozenge", "★": r"\bigstar", "♣": r"\clubsuit", "♢": r"\diamondsuit", "♡": r"\heartsuit",
    "♠": r"\spadesuit", "♭": r"\flat", "♮": r"\natural", "♯": r"\sharp", "✓": r"\checkmark", "§": r"\S", "¶": r"\P",
    "£": r"\pounds", "©": r"\copyright", "†": r"\dagger", "‡": r"\ddagger", "°": r"^\circ", "′": "'", "″": "''",
    "‴": "'''", "⁗": "''''", "‵": r"\backprime", "…": r"\ldots", "⋯": r"\cdots", "⋮": r"\vdots", "⋱": r"\ddots",
    "∴": r"\therefore", "∵": r"\because", "ⅆ": "d", "ⅇ": "e", "ⅈ": "i", "ⅉ": "j",
    # binary operators
    "±": r"\pm", "∓": r"\mp", "×": r"\times", "÷": r"\div", "⋅": r"\cdot", "·": r"\cdot", "∙": r"\bullet",
    "•": r"\bullet", "∘": r"\circ", "◦": r"\circ", "⋆": r"\star", "⋄": r"\diamond", "⊕": r"\oplus", "⊖": r"\ominus",
    "⊗": r"\otimes", "⊘": r"\oslash", "⊙": r"\odot", "⊚": r"\circledcirc", "⊛": r"\circledast", "⊝": r"\circleddash",
    "⊞": r"\boxplus", "⊟": r"\boxminus", "⊠": r"\boxtimes", "⊡": r"\boxdot", "∖": r"\setminus", "∩": r"\cap",
    "∪": r"\cup", "⊓": r"\sqcap", "⊔": r"\sqcup", "⊎": r"\uplus", "∧": r"\wedge", "∨": r"\vee", "⊻": r"\veebar",
    "≀": r"\wr", "⨿": r"\amalg", "⋉": r"\ltimes", "⋊": r"\rtimes", "⋋": r"\leftthreetimes", "⋌": r"\rightthreetimes",
    "⋎": r"\curlyvee", "⋏": r"\curlywedge", "⋒": r"\Cap", "⋓": r"\Cup", "∔": r"\dotplus", "⊺": r"\intercal",
    "⋇": r"\divideontimes", "◯": r"\bigcirc", "◃": r"\triangleleft", "▹": r"\triangleright", "⟂": r"\perp",
    # relations
    "≠": r"\neq", "≤": r"\leq", "≥": r"\geq", "⩽": r"\leqslant", "⩾": r"\geqslant", "≪": r"\ll", "≫": r"\gg",
    "⋘": r"\lll", "⋙": r"\ggg", "≦": r"\leqq", "≧": r"\geqq", "≨": r"\lneqq", "≩": r"\gneqq", "⪇": r"\lneq",
    "⪈": r"\gneq", "≲": r"\lesssim", "≳": r"\gtrsim", "⪅": r"\lessapprox", "⪆": r"\gtrapprox", "≶": r"\lessgtr",
    "≷": r"\gtrless", "⋚": r"\lesseqgtr", "⋛": r"\gtreqless", "≡": r"\equiv", "∼": r"\sim", "≃": r"\simeq",
    "≈": r"\approx", "≊": r"\approxeq", "≅": r"\cong", "≐": r"\doteq", "≑": r"\doteqdot", "≜": r"\triangleq",
    "≏": r"\bumpeq", "≎": r"\Bumpeq", "≗": r"\circeq", "≖": r"\eqcirc", "≍": r"\asymp", "∝": r"\propto",
    "∽": r"\backsim", "≺": r"\prec", "≻": r"\succ", "⪯": r"\preceq", "⪰": r"\succeq", "≼": r"\preccurlyeq",
    "≽": r"\succcurlyeq", "≾": r"\precsim", "≿": r"\succsim", "∈": r"\in", "∋": r"\ni", "∊": r"\in", "∍": r"\ni",
    "∉": r"\notin", "⊂": r"\subset", "⊃": r"\supset", "⊆": r"\subseteq", "⊇": r"\supseteq", "⊊": r"\subsetneq",
    "⊋": r"\supsetneq", "⫅": r"\subseteqq", "⫆": r"\supseteqq", "⋐": r"\Subset", "⋑": r"\Supset", "⊏": r"\sqsubset",
    "⊐": r"\sqsupset", "⊑": r"\sqsubseteq", "⊒": r"\sqsupseteq", "⊢": r"\vdash", "⊣": r"\dashv", "⊨": r"\models",
    "⊩": r"\Vdash", "⊪": r"\Vvdash", "⊥": r"\perp", "∣": r"\mid", "∤": r"\nmid", "∥": r"\parallel",
    "∦": r"\nparallel", "⋈": r"\bowtie", "⌣": r"\smile", "⌢": r"\frown", "⊲": r"\vartriangleleft",
    "⊳": r"\vartriangleright", "⊴": r"\trianglelefteq", "⊵": r"\trianglerighteq", "⋔": r"\pitchfork",
    "≁": r"\nsim", "≇": r"\ncong", "≮": r"\nless", "≯": r"\ngtr", "≰": r"\nleq", "≱": r"\ngeq", "⊀": r"\nprec",
    "⊁": r"\nsucc", "⊄": r"\not\subset", "⊅": r"\not\supset", "⊈": r"\nsubseteq", "⊉": r"\nsupseteq",
    "≢": r"\not\equiv", "≉": r"\not\approx", "≄": r"\not\simeq", "∌": r"\not\ni", "⊬": r"\nvdash", "⊭": r"\nvDash",
    "\u0338": r"\not", "⧸": r"\not", "⋪": r"\ntriangleleft", "⋫": r"\ntriangleright",
    # arrows
    "→": r"\to", "←": r"\leftarrow", "↔": r"\leftrightarrow", "⇒": r"\Rightarrow", "⇐": r"\Leftarrow",
    "⇔": r"\Leftrightarrow", "⟶": r"\longrightarrow", "⟵": r"\longleftarrow", "⟷": r"\longleftrightarrow",
    "⟹": r"\implies", "⟸": r"\impliedby", "⟺": r"\iff", "↦": r"\mapsto", "⟼": r"\longmapsto", "↑": r"\uparrow",
    "↓": r"\downarrow", "↕": r"\updownarrow", "⇑": r"\Uparrow", "⇓": r"\Downarrow", "⇕": r"\Updownarrow",
    "↗": r"\nearrow", "↘": r"\searrow", "↖": r"\nwarrow", "↙": r"\swarrow", "↪": r"\hookrightarrow",
    "↩": r"\hookleftarrow", "↠": r"\twoheadrightarrow", "↞": r"\twoheadleftarrow", "↣": r"\rightarrowtail",
    "↢": r"\leftarrowtail", "⇝": r"\rightsquigarrow", "↝": r"\rightsquigarrow", "⇌": r"\rightleftharpoons",
    "⇋": r"\leftrightharpoons", "⇀": r"\rightharpoonup", "⇁": r"\rightharpoondown", "↼": r"\leftharpoonup",
    "↽": r"\leftharpoondown", "⇄": r"\rightleftarrows", "⇆": r"\leftrightarrows", "⇉": r"\rightrightarrows",
    "⇇": r"\leftleftarrows", "⇈": r"\upuparrows", "⇊": r"\downdownarrows", "⇛": r"\Rrightarrow", "⇚": r"\Lleftarrow",
    "↾": r"\upharpoonright", "↿": r"\upharpoonleft", "↺": r"\circlearrowleft", "↻": r"\circlearrowright",
    "↶": r"\curvearrowleft", "↷": r"\curvearrowright", "↛": r"\nrightarrow", "↚": r"\nleftarrow",
    "⇏": r"\nRightarrow", "⇍": r"\nLeftarrow", "⊸": r"\multimap", "⇢": r"\dashrightarrow",
    # operators that are drawn large
    "∑": r"\sum", "∏": r"\prod", "∐": r"\coprod", "∫": r"\int", "∬": r"\iint", "∭": r"\iiint", "⨌": r"\iiiint",
    "∮": r"\oint", "∯": r"\oiint", "∰": r"\oiiint", "⋃": r"\bigcup", "⋂": r"\bigcap", "⨆": r"\bigsqcup",
    "⋁": r"\bigvee", "⋀": r"\bigwedge", "⨁": r"\bigoplus", "⨂": r"\bigotimes", "⨀": r"\bigodot", "⨄": r"\biguplus",
    "√": r"\surd",
    # brackets
    "⟨": r"\langle", "⟩": r"\rangle", "〈": r"\langle", "〉": r"\rangle",
    "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "‖": r"\|", "⟦": r"[\![", "⟧": r"]\!]",
    "⟮": r"\lgroup", "⟯": r"\rgroup", "⎰": r"\lmoustache", "⎱": r"\rmoustache", "⌜": r"\ulcorner", "⌝": r"\urcorner",
    "⌞": r"\llcorner", "⌟": r"\lrcorner",
}
# Commands that TeX takes as an index without braces; \max and \ldots, which stand for more than a sign, it does not.
SCRIPT_COMMANDS = frozenset(
    {tex for char, tex in SYMBOLS.items() if char.isalpha() and tex[0] == "\\" and tex[1:].isalpha()}
    | {r"\infty", r"\circ", r"\top", r"\perp", r"\dagger", r"\star", r"\pm"}
)
OPENERS = frozenset("([{⟨〈⌊⌈⟮⎰⌜⌞")
CLOSERS = frozenset(")]}⟩〉⌋⌉⟯⎱⌝⌟")
BARS = {"|": "|", "∣": "|", "‖": r"\|", "∥": r"\|"}  # open and close alike; a relation where they do neither
ARROWS = {  # that stretch under a label
    "→": r"\xrightarrow", "⟶": r"\xrightarrow", "←": r"\xleftarrow", "⟵": r"\xleftarrow", "↔": r"\xleftrightarrow",
    "⟷": r"\xleftrightarrow", "⇒": r"\xRightarrow", "⇐": r"\xLeftarrow", "⇔": r"\xLeftrightarrow",
    "↦": r"\xmapsto", "↪": r"\xhookrightarrow", "↩": r"\xhookleftarrow", "⇀": r"\xrightharpoonup",
    "↼": r"\xleftharpoonup", "⇌": r"\xrightleftharpoons", "↠": r"\xtwoheadrightarrow",
}
INTEGRALS = frozenset("∫∬∭⨌∮∯∰")
WITH_LIMITS = frozenset("∑∏∐⋃⋂⨆⋁⋀⨁⨂⨀⨄")

FUNCTIONS = frozenset({
    "arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "det", "dim", "exp", "gcd", "hom",
    "inf", "injlim", "ker", "lg", "lim", "liminf", "limsup", "ln", "log", "max", "min", "Pr", "projlim", "sec", "sin",
    "sinh", "sup", "tan", "tanh",
})
FUNCTIONS_WITH_LIMITS = frozenset({
    "det", "gcd", "inf", "injlim", "lim", "liminf", "limsup", "max", "min", "Pr", "projlim", "sup",
})

ACCENTS = {  # above a single letter, above more
    "^": (r"\hat", r"\widehat"), "ˆ": (r"\hat", r"\widehat"), "\u0302": (r"\hat", r"\widehat"),
    "~": (r"\tilde", r"\widetilde"), "˜": (r"\tilde", r"\widetilde"), "\u0303": (r"\tilde", r"\widetilde"),
    "∼": (r"\tilde", r"\widetilde"), "¯": (r"\bar", r"\overline"), "ˉ": (r"\bar", r"\bar"),
    "\u0304": (r"\bar", r"\overline"), "‾": (r"\bar", r"\overline"), "―": (r"\overline", r"\overline"),
    "_": (r"\overline", r"\overline"), "\u0305": (r"\overline", r"\overline"), "\u0332": (r"\overline", r"\overline"),
    "─": (r"\overline", r"\overline"), "→": (r"\vec", r"\overrightarrow"),
    "⟶": (r"\vec", r"\overrightarrow"), "\u20d7": (r"\vec", r"\vec"),
    "⇀": (r"\vec", r"\overrightarrow"), "←": (r"\overleftarrow", r"\overleftarrow"),
    "⟵": (r"\overleftarrow", r"\overleftarrow"), "\u20d6": (r"\overleftarrow", r"\overleftarrow"),
    "↔": (r"\overleftrightarrow", r"\overleftrightarrow"), "\u20e1": (r"\overleftrightarrow", r"\overleftrightarrow"),
    "˙": (r"\dot", r"\dot"), ".": (r"\dot", r"\dot"), "\u0307": (r"\dot", r"\dot"), "¨": (r"\ddot", r"\ddot"),
    "..": (r"\ddot", r"\ddot"), "˙˙": (r"\ddot", r"\ddot"), "\u0308": (r"\ddot", r"\ddot"),
    "\u20db": (r"\dddot", r"\dddot"), "...": (r"\dddot", r"\dddot"), "˙˙˙": (r"\dddot", r"\dddot"),
    "ˇ": (r"\check", r"\widecheck"), "\u030c": (r"\check", r"\widecheck"), "˘": (r"\breve", r"\breve"),
    "\u0306": (r"\breve", r"\breve"), "´": (r"\acute", r"\acute"), "ˊ": (r"\acute", r"\acute"),
    "\u0301": (r"\acute", r"\acute"), "`": (r"\grave", r"\grave"), "ˋ": (r"\grave", r"\grave"),
    "\u0300": (r"\grave", r"\grave"), "˚": (r"\mathring", r"\mathring"), "\u030a": (r"\mathring", r"\mathring"),
    "⏞": (r"\overbrace", r"\overbrace"), "︷": (r"\overbrace", r"\overbrace"),
}
ACCENTS_BELOW = {
    "_": r"\underline", "¯": r"\underline", "ˉ": r"\underline", "‾": r"\underline", "―": r"\underline",
    "\u0332": r"\underline", "\u0331": r"\underline", "\u0305": r"\underline", "─": r"\underline",
    "⏟": r"\underbrace", "︸": r"\underbrace", "→": r"\underrightarrow", "←": r"\underleftarrow",
    "↔": r"\underleftrightarrow",
}

# A variant of MathML, or of a Unicode name, to the commands that write it, the outer one first.
_VARIANTS = {
    "normal": (r"\mathrm",), "bold": (r"\mathbf",), "italic": (), "bold-italic": (r"\boldsymbol",),
    "double-struck": (r"\mathbb",), "script": (r"\mathcal",), "bold-script": (r"\boldsymbol", r"\mathcal"),
    "fraktur": (r"\mathfrak",), "black-letter": (r"\mathfrak",), "bold-fraktur": (r"\boldsymbol", r"\mathfrak"),
    "sans-serif": (r"\mathsf",), "sans-serif-italic": (r"\mathsf",), "bold-sans-serif": (r"\boldsymbol", r"\mathsf"),
    "sans-serif-bold": (r"\boldsymbol", r"\mathsf"), "sans-serif-bold-italic": (r"\boldsymbol", r"\mathsf"),
    "monospace": (r"\mathtt",), "-tex-calligraphic": (r"\mathcal",), "-tex-mathit": (r"\mathit",),
    "-tex-bold-calligraphic": (r"\boldsymbol", r"\mathcal"),
}
# fmt: on
_ALPHABET = re.compile(
    r"(?:MATHEMATICAL )?([A-Z -]+?) (?:CAPITAL|SMALL|DIGIT|NABLA|PARTIAL|EPSILON|THETA|KAPPA|PHI|RHO|PI) ?"
)


def letter(char: str) -> tuple[str, str]:
    """A character of a mathematical alphabet as a plain one and its variant; any other with variant "".

    letter("𝐱") == ("x", "bold"); letter("ℝ") == ("R", "double-struck"); letter("x") == ("x", "").
    """
    if char.isascii() or char in SYMBOLS or not (derived := unicodedata.decomposition(char)).startswith("<font>"):
        return char, ""
    alphabet = _ALPHABET.match(unicodedata.name(char))
    return chr(int(derived.split()[1], 16)), alphabet[1].lower().replace(" ", "-") if alphabet else ""


def styles(variant: str | None, base: str) -> tuple[str, ...]:
    r"""Commands that write `base`, plain characters, in a variant of MathML: the outer one first.

    Upright and bold letters of TeX are Latin: \mathbf of any other does nothing, \boldsymbol does.
    """
    commands = _VARIANTS.get(variant or "", ())
    if not (base.isascii() and base.isalnum()):
        return () if variant == "normal" else (r"\boldsymbol",) if variant == "bold" else commands
    return () if variant == "normal" and base.isdigit() else commands
