r"""A formula's tokens in one spelling, so that two ways to write it compare equal.

    tex_tokens(r"\dfrac12 x^{2}_1") == tex_tokens(r"\frac{1}{2}x_1^2")
    tex_tokens(r"\left(a\,\leq b\right)") == ["(", "a", r"\leq", "b", ")"]

What is read over, because it changes at most how a formula looks:

- space: blanks, `~`, `\,` `\;` `\quad` `\hspace{..}` `\phantom{..}`, and spaces inside \text;
- size and style: \left \right \middle (with the `.` of an invisible bracket), \big and kin,
  \displaystyle and kin, \limits, colours, \smash, \mathop, \mathrel and kin;
- what stands beside a formula: \label, \tag, \nonumber, \hline, options of `\\`;
- braces: an argument is the same with and without them (\frac12), others do nothing;
- the order of index and exponent; `x'` is `x^{\prime}`;
- a font over several letters is a font over each (\mathbf{AB}, \mathbf A\mathbf B); \mathrm of what
  is no letter is nothing; \sin, \operatorname{sin} and \mathrm{sin} are three upright letters;
  bold of what is no letter is \boldsymbol; \text and \mathrm differ;
- names of one command (\le \leq, \to \rightarrow, \dfrac \frac, all dots, `|` \mid \vert, \mathscr \mathcal,
  \varnothing \emptyset; the rest in tex_names.py);
- environments of one shape: align, split, eqnarray, alignat are aligned; equation is nothing; dcases is cases,
  smallmatrix matrix; bars and spaces in the columns of an array.

What remains must be equal: every letter, digit, operator, bracket, fraction, root, accent, script,
font, text, matrix and the places of `&` and `\\`.
"""

import re

from tex_names import (
    ALIASES,
    ARITIES,
    DROPPED,
    DROPPED_WITH_ARGUMENT,
    ENVIRONMENTS,
    FONT_SWITCHES,
    FONTLESS,
    FONTS,
    FUNCTIONS,
    INFIX,
    LENGTHS,
    NEGATED,
    SEVERAL,
    TRANSPARENT,
)

MAX_DEPTH = 150
_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|%[^\n]*\n?|\s+|.", re.S)
_MATH_IN_TEXT = re.compile(r"(?<!\\)\$|\\\(|\\\)")
_NO_TEXT = re.compile(r"\\(?:ref|label)\{[^}]*\}|\\[ ,;:!]|~")
_TEXT_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[^\s{}]")
_TYPED = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-"})


def tex_tokens(tex: str) -> list[str]:
    """Tokens in the one spelling that the module describes; linear in len(tex).

    A formula nested deeper than MAX_DEPTH groups and arguments gives its characters.
    """
    reader, out = _Reader(tex), []
    try:
        while reader.peek():
            out += reader.row(0, "}")
            reader.take()  # a closing brace that nothing opened
    except _TooDeep:
        return [char for char in tex if not char.isspace()]
    return out


class _TooDeep(ValueError):
    pass


class _Reader:
    """Reads tokens from left to right. Each method leaves behind what it has read, and returns its spelling."""

    def __init__(self, tex: str) -> None:
        self.tokens = [token for token in _TOKEN.findall(tex) if not token.startswith("%")]
        self.at = 0

    def peek(self) -> str:
        """The next token that is no space, "" at the end."""
        while self.at < len(self.tokens) and (self.tokens[self.at].isspace() or self.tokens[self.at] == "~"):
            self.at += 1
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def between(self, closer: str) -> str:
        """The characters up to `closer` outside of inner braces, which is left behind too."""
        depth, start = 0, self.at
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token == closer and depth == 0:
                return "".join(self.tokens[start : self.at - 1])
            depth += (token == "{") - (token == "}")
        return "".join(self.tokens[start:])

    def raw_argument(self) -> str:
        token = self.take()
        return self.between("}") if token == "{" else token

    def option(self) -> str:
        """The characters of an argument in square brackets, "" where there is none."""
        if self.peek() != "[":
            return ""
        self.take()
        return self.between("]")

    def argument(self, depth: int) -> list[str]:
        return self.group(depth) if self.peek() == "{" else self.atom(depth)

    def group(self, depth: int) -> list[str]:
        self.take()
        inside = self.row(depth + 1, "}")
        if self.peek() == "}":
            self.take()
        return inside

    def row(self, depth: int, closer: str | None) -> list[str]:
        """Everything up to `closer`, an index before an exponent."""
        out: list[str] = []
        while (token := self.peek()) and token != closer:
            if token in INFIX:
                self.take()
                return [INFIX[token], "{", *out, "}", "{", *self.row(depth + 1, closer), "}"]
            if token in FONT_SWITCHES:
                self.take()
                return out + _in_font(FONT_SWITCHES[token], self.row(depth + 1, closer))
            out += self.atom(depth)
            out += self.scripts(depth)
        return out

    def scripts(self, depth: int) -> list[str]:
        found: dict[str, list[str]] = {"_": [], "^": []}
        while (mark := self.peek()) in ("_", "^", "'", "’", r"\limits", r"\nolimits", r"\sb", r"\sp"):
            self.take()
            mark = ALIASES.get(mark, mark)
            if mark in found:
                found[mark] += self.argument(depth + 1)
            elif mark in "'’":
                found["^"].append(r"\prime")
        return [token for mark, inside in found.items() if inside for token in (mark, "{", *inside, "}")]

    def atom(self, depth: int) -> list[str]:
        """One thing that scripts can stand at."""
        if depth > MAX_DEPTH:
            raise _TooDeep
        if (token := self.peek()) in ("", "^", "_", "'"):
            return []
        if token == "{":
            return self.group(depth)
        token = ALIASES.get(self.take(), token)
        if token in DROPPED:
            return []
        if token in (r"\left", r"\right", r"\middle"):
            if self.peek() == ".":
                self.take()
            return []
        if token in LENGTHS:
            while re.fullmatch(r"[-+.\d]|[a-z]", self.peek()):
                self.take()
            return []
        if token in DROPPED_WITH_ARGUMENT or token == r"\end":
            self.raw_argument()
            return []
        if token in TRANSPARENT:
            return self.argument(depth + 1)
        if token == r"\textcolor":
            self.raw_argument()
            return self.argument(depth + 1)
        if token == r"\\":
            self.option()
            return [token]
        return self.command(token, depth)

    def command(self, token: str, depth: int) -> list[str]:
        """What shows something: a letter or sign, or a command with its arguments."""
        if token in SEVERAL:
            return SEVERAL[token]
        if token in FUNCTIONS:
            return _in_font(r"\mathrm", list(FUNCTIONS[token]))
        if token == r"\not":
            inside = self.argument(depth + 1)
            return [NEGATED[inside[0]]] if len(inside) == 1 and inside[0] in NEGATED else [token, *inside]
        if token in FONTS:
            if token.startswith(r"\text"):
                return _text(token, self.raw_argument(), depth)
            return _in_font(token, self.argument(depth + 1))
        if token == r"\begin":
            return self.environment(depth)
        if token == r"\pmod":
            return ["(", *_in_font(r"\mathrm", list("mod")), *self.argument(depth + 1), ")"]
        out = [token]
        if token in (r"\sqrt", r"\xrightarrow", r"\xleftarrow") and (option := self.option()):
            out += ["[", *_Reader(option).row(depth + 1, None), "]"]
        for _ in range(ARITIES.get(token, 0)):
            out += ["{", *self.argument(depth + 1), "}"]
        return out

    def environment(self, depth: int) -> list[str]:
        name = self.raw_argument().strip().rstrip("*")
        columns = ""
        if name in ("alignat", "alignedat"):
            self.raw_argument()
        elif name in ("aligned", "gathered", "split"):
            self.option()
        elif name == "array":
            self.option()
            columns = re.sub(r"@\{[^}]*\}|[^lcr]", "", self.raw_argument())
        name = ENVIRONMENTS.get(name, name)
        body = self.row(depth + 1, r"\end")
        if self.take():
            self.raw_argument()
        while body and body[-1] == r"\\":
            body.pop()
        return [rf"\begin{{{name}}}{columns}", *body, rf"\end{{{name}}}"] if name else body


def _in_font(font: str, tokens: list[str]) -> list[str]:
    """A font over each of `tokens` that it changes and that has none yet."""
    out: list[str] = []
    for token in tokens:
        is_letter = len(token) == 1 and token.isascii() and token.isalpha()
        has_font = token in FONTS or (out and out[-1] in FONTS)
        if token in FONTLESS or token in ARITIES or has_font or (font == r"\mathrm" and not is_letter):
            out.append(token)
        elif font == r"\mathbf" and not is_letter and not token.isdigit():
            out += [r"\boldsymbol", token]
        elif font == r"\boldsymbol" and token.isdigit():
            out += [r"\mathbf", token]
        else:
            out += [font, token]
    return out


def _text(font: str, content: str, depth: int) -> list[str]:
    """Each character of a text in its font; formulas inside it are read as formulas."""
    out: list[str] = []
    for number, part in enumerate(_MATH_IN_TEXT.split(content)):
        if number % 2:
            out += _Reader(part).row(depth + 1, None)
        else:
            typed = _NO_TEXT.sub(" ", part).replace("``", '"').replace("''", '"').translate(_TYPED)
            out += [token for char in _TEXT_TOKEN.findall(typed) for token in (font, char)]
    return out
