r"""What AsciiMath calls the signs of mathematics, and what LaTeX calls them.

Source: the table of symbols of https://asciimath.org, and the names of LaTeX that it takes too.
"""

# fmt: off
CONSTANTS = {
    # operators
    "*": r"\cdot", "**": "*", "***": r"\star", "//": "/", "\\\\": r"\backslash", "setminus": r"\setminus",
    "xx": r"\times", "|><": r"\ltimes", "><|": r"\rtimes", "|><|": r"\bowtie", "-:": r"\div", "divide": r"\div",
    "@": r"\circ",
    "o+": r"\oplus", "ox": r"\otimes", "o.": r"\odot", "^^": r"\wedge", "vv": r"\vee", "nn": r"\cap", "uu": r"\cup",
    # relations
    "!=": r"\neq", "<=": r"\leq", ">=": r"\geq", "lt": "<", "gt": ">", "lt=": r"\leq", "gt=": r"\geq",
    "mlt": r"\ll", "mgt": r"\gg", "-<": r"\prec", "-lt": r"\prec", ">-": r"\succ", "-<=": r"\preceq",
    ">-=": r"\succeq", "in": r"\in", "!in": r"\notin", "sub": r"\subset", "sup": r"\supset", "sube": r"\subseteq",
    "supe": r"\supseteq", "-=": r"\equiv", "~=": r"\cong", "~~": r"\approx", "~": r"\sim", "prop": r"\propto",
    # logic
    "not": r"\neg", "=>": r"\Rightarrow", "<=>": r"\Leftrightarrow", "iff": r"\Leftrightarrow", "AA": r"\forall",
    "EE": r"\exists", "_|_": r"\bot", "TT": r"\top", "|--": r"\vdash", "|==": r"\models",
    # arrows
    "uarr": r"\uparrow", "darr": r"\downarrow", "->": r"\to", ">->": r"\rightarrowtail",
    "->>": r"\twoheadrightarrow", "twoheadrightarrowtail": "⤖", ">->>": "⤖", "|->": r"\mapsto", "larr": r"\leftarrow",
    "rarr": r"\rightarrow", "harr": r"\leftrightarrow", "rArr": r"\Rightarrow", "lArr": r"\Leftarrow",
    "hArr": r"\Leftrightarrow",
    # others
    "del": r"\partial", "grad": r"\nabla", "+-": r"\pm", "-+": r"\mp", "O/": r"\emptyset", "oo": r"\infty",
    ":.": r"\therefore", ":'": r"\because", "...": r"\ldots", "|...|": r"|\ldots|", "|cdots|": r"|\cdots|",
    "\\ ": r"\ ", "/_": r"\angle", "/_\\": r"\triangle", "diamond": r"\diamond", "CC": r"\mathbb{C}",
    "NN": r"\mathbb{N}", "QQ": r"\mathbb{Q}", "RR": r"\mathbb{R}", "ZZ": r"\mathbb{Z}", "'": "'", "prime": "'",
    "dx": "dx", "dy": "dy", "dz": "dz", "dt": "dt", "mod": r"\bmod",
}
WORDS = {"and": " and ", "or": " or ", "if": " if "}
# Written with a backslash in front, and nothing else.
SAME = frozenset({
    "alpha", "beta", "gamma", "Gamma", "delta", "Delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "Theta",
    "vartheta", "iota", "kappa", "lambda", "Lambda", "mu", "nu", "xi", "Xi", "pi", "Pi", "rho", "sigma", "Sigma",
    "tau", "upsilon", "phi", "Phi", "varphi", "chi", "psi", "Psi", "omega", "Omega", "cdot", "ast", "star",
    "backslash", "ltimes", "rtimes", "bowtie", "div", "circ", "oplus", "otimes", "odot", "wedge", "vee",
    "cap", "cup", "times", "ne", "neq", "le", "leq", "ge", "geq", "ll", "gg", "prec", "succ", "preceq", "succeq",
    "notin", "subset", "supset", "subseteq", "supseteq", "equiv", "cong", "approx", "sim", "propto", "neg",
    "implies", "forall", "exists", "bot", "top", "vdash", "models", "uparrow", "downarrow", "to", "rightarrow",
    "rightarrowtail", "twoheadrightarrow", "mapsto", "leftarrow", "leftrightarrow",
    "Rightarrow", "Leftarrow", "Leftrightarrow", "partial", "nabla", "pm", "mp", "emptyset", "infty", "aleph",
    "therefore", "because", "ldots", "cdots", "vdots", "ddots", "quad", "qquad", "angle", "frown", "triangle",
    "square",
})
LIMITS = {
    "sum": r"\sum", "prod": r"\prod", "^^^": r"\bigwedge", "bigwedge": r"\bigwedge", "vvv": r"\bigvee",
    "bigvee": r"\bigvee", "nnn": r"\bigcap", "bigcap": r"\bigcap", "uuu": r"\bigcup", "bigcup": r"\bigcup",
    "lim": r"\lim", "Lim": r"\operatorname{Lim}", "min": r"\min", "max": r"\max", "int": r"\int", "oint": r"\oint",
}
TEX_FUNCTIONS = frozenset({
    "sin", "cos", "tan", "sinh", "cosh", "tanh", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "coth", "exp",
    "log", "ln", "det", "dim", "gcd",
})
OTHER_FUNCTIONS = frozenset({
    "f", "g", "sech", "csch", "lcm", "lub", "glb", "Sin", "Cos", "Tan", "Arcsin", "Arccos", "Arctan", "Sinh",
    "Cosh", "Tanh", "Cot", "Sec", "Csc", "Log", "Ln",
})
UNARY = {
    "sqrt": r"\sqrt", "hat": r"\hat", "bar": r"\bar", "overline": r"\overline", "vec": r"\vec", "tilde": r"\tilde",
    "dot": r"\dot", "ddot": r"\ddot", "ul": r"\underline", "underline": r"\underline", "ubrace": r"\underbrace",
    "underbrace": r"\underbrace", "obrace": r"\overbrace", "overbrace": r"\overbrace", "overarc": r"\overset{\frown}",
    "overparen": r"\overset{\frown}", "cancel": r"\cancel", "bb": r"\mathbf", "mathbf": r"\mathbf", "bbb": r"\mathbb",
    "mathbb": r"\mathbb", "cc": r"\mathcal", "mathcal": r"\mathcal", "tt": r"\mathtt", "mathtt": r"\mathtt",
    "fr": r"\mathfrak", "mathfrak": r"\mathfrak", "sf": r"\mathsf", "mathsf": r"\mathsf",
}
WIDE = {r"\hat": r"\widehat", r"\bar": r"\overline", r"\vec": r"\overrightarrow", r"\tilde": r"\widetilde"}
AROUND = {
    "abs": ("|", "|"), "Abs": ("|", "|"), "norm": (r"\|", r"\|"), "floor": (r"\lfloor", r"\rfloor"),
    "ceil": (r"\lceil", r"\rceil"),
}
BINARY = frozenset({"frac", "root", "stackrel", "overset", "underset", "color", "class", "id"})
OPENERS = {
    "(": "(", "[": "[", "{": r"\{", "(:": r"\langle", "langle": r"\langle", "<<": r"\langle", "{:": "", "|:": "|",
    "|__": r"\lfloor", "lfloor": r"\lfloor", "|~": r"\lceil", "lceiling": r"\lceil", "left(": "(", "left[": "[",
}
CLOSERS = {
    ")": ")", "]": "]", "}": r"\}", ":)": r"\rangle", "rangle": r"\rangle", ">>": r"\rangle", ":}": "", ":|": "|",
    "__|": r"\rfloor", "rfloor": r"\rfloor", "~|": r"\rceil", "rceiling": r"\rceil", "right)": ")", "right]": "]",
}
# fmt: on
