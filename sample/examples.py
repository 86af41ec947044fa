"""Interactive examples as displayed formulas: `>>> gamma(5)` and `24` become \\Gamma(5) = 24.

A reference shows what a program prints; the same lines in an article are worked
examples of mathematics. What is not plain arithmetic, functions and brackets stays code.
"""

import ast
import warnings

_PROGRAMMING = {"len", "type", "str", "repr", "id", "next", "True", "False", "None", "isinstance", "print", "dict"}

MAX_TEX = 220  # characters; longer outputs are dumps, not formulas

_BINARY: dict[type[ast.operator], str] = {ast.Add: " + ", ast.Sub: " - ", ast.Mult: r" \cdot ", ast.Mod: r" \bmod "}
_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: " = ", ast.NotEq: r" \neq ", ast.Lt: " < ", ast.LtE: r" \leq ", ast.Gt: " > ", ast.GtE: r" \geq ",
}  # fmt: skip
_CONTROL_WORDS = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "lambda", "mu", "nu", "xi", "pi", "rho",
    "sigma", "tau", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Lambda", "Sigma", "Phi", "Psi", "Omega",
    "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "exp", "log", "ln", "gcd", "max", "min",
    "det", "dim", "arg", "deg",
}  # fmt: skip
_RENAMED = {"oo": r"\infty", "inf": r"\infty", "I": "i", "E": "e", "gamma": r"\Gamma", "binomial": r"\operatorname{C}"}


class _NotMathematics(Exception):
    """The expression holds strings, attributes or other programming."""


def worked_examples(code: str) -> list[str]:
    """TeX `input = output` of each one-line example in an interactive session."""
    found = []
    lines = code.split("\n")
    for line, output, following in zip(lines, [*lines[1:], ""], [*lines[2:], "", ""], strict=False):
        if line.startswith(">>> ") and output.strip() and not output.startswith((">>>", "...")):
            if following.strip() and not following.startswith(">>>"):
                continue  # output of several lines: a picture or a table
            try:
                tex = f"{_tex(line[4:])} = {_tex(output)}"
            except (SyntaxError, ValueError, _NotMathematics, RecursionError):
                continue
            if len(tex) <= MAX_TEX:
                found.append(tex)
    return found


def _tex(source: str) -> str:
    with warnings.catch_warnings(action="ignore"):  # as for the source that the example stands in
        return _node(ast.parse(source.strip(), mode="eval").body)


def _node(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=int() | float() | complex() as number) if not isinstance(number, bool):
            return ast.unparse(node).replace("j", "i")
        case ast.Name(id=name):
            return _name(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"-{_grouped(operand)}"
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            return rf"\frac{{{_node(left)}}}{{{_node(right)}}}"
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            return f"{_grouped(left)}^{{{_node(right)}}}"
        case ast.BinOp(op=ast.Mult() | ast.Mod() as operator, left=left, right=right):
            return f"{_grouped(left)}{_BINARY[type(operator)]}{_grouped(right)}"
        case ast.BinOp(op=ast.Add() | ast.Sub() as operator, left=left, right=right):
            return f"{_node(left)}{_BINARY[type(operator)]}{_node(right)}"
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _COMPARED:
            return f"{_node(left)}{_COMPARED[type(operator)]}{_node(right)}"
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument], keywords=[]):
            return rf"\sqrt{{{_node(argument)}}}"
        case ast.Call(func=ast.Name(id="Matrix" | "array"), args=[ast.List(elts=rows)], keywords=[]):
            entries = r" \\ ".join(map(_matrix_row, rows))
            return rf"\begin{{pmatrix}} {entries} \end{{pmatrix}}"
        case ast.Call(func=ast.Name(id="list" | "sorted" | "tuple"), args=[argument], keywords=[]):
            return _node(argument)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if arguments:
            return f"{_name(name)}({_joined(arguments)})"
        case ast.Tuple(elts=elements):
            return f"({_joined(elements)})"
        case ast.List(elts=elements):
            return f"[{_joined(elements)}]"
        case ast.Set(elts=elements):
            return rf"\{{{_joined(elements)}\}}"
    raise _NotMathematics


def _matrix_row(row: ast.expr) -> str:
    return " & ".join(map(_node, row.elts)) if isinstance(row, ast.List) else _node(row)


def _joined(nodes: list[ast.expr]) -> str:
    return ", ".join(map(_node, nodes))


def _grouped(node: ast.expr) -> str:
    inner = _node(node)
    return f"({inner})" if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Compare) else inner


def _name(name: str) -> str:
    if name in _PROGRAMMING:
        raise _NotMathematics
    stem = name.lstrip("_").rstrip("0123456789").rstrip("_")
    index = name.lstrip("_")[len(stem) :].lstrip("_")
    if stem in _RENAMED:
        written = _RENAMED[stem]
    elif stem in _CONTROL_WORDS:
        written = f"\\{stem}"
    else:
        written = stem if len(stem) == 1 else rf"\operatorname{{{stem}}}".replace("_", r"\_")
    return f"{written}_{{{index}}}" if index else written
