"""reStructuredText, as docstrings write it, to HTML or to plain text with TeX.

A light reading, made for speed: what it does not know stays a paragraph.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from textwrap import dedent
from typing import Literal

from sample.examples import worked_examples

Formula = Callable[[str, bool], str]  # (TeX, displayed) -> markup
Kind = Literal["heading", "paragraph", "code", "formula", "items", "fields"]

_UNDERLINE = re.compile(r"([=\-~^\"'#*+`.])\1{2,}\s*$")
_BULLET = re.compile(r"(?:[-*+•]|\(?\d{1,2}[.)]|#\.|\.\. \[[^\]]+\])\s+(?=\S)")
_FIELD = re.compile(r"(?::(?:param|type|arg|raises?|returns?|rtype)\s*([^:]*):|(\*{0,2}[\w, *.\"']{1,60}) : )\s*(.*)")
_DIRECTIVE = re.compile(r"\.\. ([\w-]+(?::[\w-]+)?) ?::\s*(.*)")
_DROPPED = ("version", "deprecated", "index", "currentmodule", "module", "auto", "toctree", "only", "testsetup",
            "rubric", "legacy", "literalinclude", "graphviz", "raw", "image", "figure", "contents")  # fmt: skip
_CODE = ("code", "sourcecode", "plot", "parsed-literal", "doctest", "testcode", "ipython", "jupyter")
_API = ("parameters", "returns", "yields", "raises", "see also", "other parameters", "attributes", "methods",
        "warns", "keywords", "options", "arguments", "input", "output", "return", "parameters:")  # fmt: skip
_INLINE = re.compile(
    r":math:`(?P<role_math>[^`]+)`|(?P<code>``.+?``)|:[\w:+-]+:`(?P<role>[^`]+)`"
    r"|`(?P<label>[^`<]+?)\s*<(?P<target>[^`>]+)>`_{0,2}|`(?P<ref>[^`\n]+)`_{0,2}"
    r"|\*\*(?P<strong>[^*\n]+)\*\*(?!\*)|(?<![\w*])\*(?P<em>[^*\s][^*\n]*)\*(?![\w*])|\[(?P<cite>\d{1,2})\]_"
    r"|(?P<bare_code>\bhttps?://[^\s<>`]+)",
    re.DOTALL,
)
_DOLLARS = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$(?! )([^$]{1,300}?)(?<![\\ ])\$(?![\d$])", re.DOTALL)
_QUOTED = re.compile(r"(?<![:`\w])`([^`\n]+)`(?![`_])")
_EXPRESSION = re.compile(r"[A-Za-z]$|(?=.*[=<>^+*/_|()-])(?:\s|\d|[=<>^+*/_|(){},.:!\\-]|\b[A-Za-z]\b|\\[a-z]+)+$")


@dataclass(frozen=True)
class Block:
    """text for heading, paragraph, code and formula; pairs of (term, text) for fields; ("", text) for items."""

    kind: Kind
    text: str = ""
    pairs: tuple[tuple[str, str], ...] = ()


def parse(text: str, mathematical: bool) -> list[Block]:
    """Blocks of a docstring. mathematical: $..$ and `x^2` are formulas there; otherwise a dollar is a dollar."""
    if mathematical:
        text = _QUOTED.sub(_quoted_expression, text)
        text = _DOLLARS.sub(lambda m: f"\n\n.. math:: {_flat(m[1])}\n\n" if m[1] else f":math:`{_flat(m[2])}`", text)
    blocks: list[Block] = []
    lines = text.split("\n")
    row = 0
    while row < len(lines):
        line = lines[row]
        if not line.strip():
            row += 1
        elif directive := _DIRECTIVE.match(line):
            body, row = _indented(lines, row + 1)
            blocks += _directive(directive[1], directive[2], body)
        elif line.startswith("```"):
            end = next((n for n in range(row + 1, len(lines)) if lines[n].startswith("```")), len(lines))
            blocks.append(Block("code", "\n".join(lines[row + 1 : end])))
            row = end + 1
        elif line.lstrip().startswith((">>>", "In [")):
            body, row = _until_blank(lines, row)
            blocks.append(Block("code", dedent("\n".join(body))))
        elif row + 1 < len(lines) and _UNDERLINE.match(lines[row + 1]) and not line.startswith(("==", "--", " ")):
            blocks.append(Block("heading", line.strip().strip("`*")))
            row += 2
        elif line.startswith(("===", "+--", "---")):
            body, row = _until_blank(lines, row)
            if len(body) > 2:
                blocks.append(Block("code", "\n".join(body)))
        elif _FIELD.match(line) or _BULLET.match(line):
            row = _listed(lines, row, blocks)
        elif line.startswith(".. "):
            _, row = _indented(lines, row + 1)
        elif line.startswith(" "):
            body, row = _indented(lines, row)
            literal = blocks and blocks[-1].text.endswith("::") and blocks[-1].kind == "paragraph"
            inner = dedent("\n".join(body)).strip("\n")
            blocks += [Block("code", inner)] if literal else parse(inner, False)
        else:
            body, row = _until_blank(lines, row)
            blocks.append(Block("paragraph", "\n".join(part.strip() for part in body)))
    return blocks


def prose(blocks: list[Block]) -> list[Block]:
    """Blocks as an article would have them: no lists of parameters, no listings.

    An interactive session becomes the formulas that it works out.
    """
    kept: list[Block] = []
    in_api = False
    for block in blocks:
        if block.kind == "heading":
            in_api = block.text.lower() in _API
        if in_api or block.kind == "fields":
            continue
        if block.kind == "code":
            kept += [Block("formula", tex) for tex in worked_examples(block.text)]
            continue
        kept.append(block)
    return [b for b, following in zip(kept, [*kept[1:], None], strict=False)
            if b.kind != "heading" or (following is not None and following.kind != "heading")]  # fmt: skip


def to_html(blocks: list[Block], formula: Formula) -> str:
    parts = []
    for block in blocks:
        match block.kind:
            case "heading":
                parts.append(f"<h2>{_inline(block.text, formula)}</h2>")
            case "paragraph":
                text = block.text[:-1] if block.text.endswith("::") else block.text
                parts.append(f"<p>{_inline(text, formula)}</p>")
            case "code":
                parts.append(f"<pre><code>{escape(block.text, quote=False)}</code></pre>")
            case "formula":
                parts.append(f"<p>{formula(block.text, True)}</p>")
            case "items":
                items = "".join(f"<li>{_inline(text, formula)}</li>\n" for _, text in block.pairs)
                parts.append(f"<ul>\n{items}</ul>")
            case "fields":
                rows = "".join(
                    f"<tr><th>{escape(term)}</th><td>{_inline(text, formula)}</td></tr>\n" for term, text in block.pairs
                )
                parts.append(f"<table>\n{rows}</table>")
    return "\n".join(parts)


def to_text(blocks: list[Block]) -> str:
    """Plain text with $..$ and $$..$$, a blank line between blocks: the form of OpenWebMath's documents."""
    html = to_html(blocks, lambda tex, displayed: escape(f"$${tex}$$" if displayed else f"${tex}$", quote=False))
    text = re.sub(r"</(?:p|h2|pre|ul|table)>", "\n", re.sub(r"<li>", "- ", html.replace("</th>", ": ")))
    text = re.sub(r"<[^<>]+>", "", text)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def formulas(blocks: list[Block]) -> list[str]:
    """TeX of every formula, in reading order."""
    found: list[str] = []

    def collect(tex: str, displayed: bool) -> str:
        found.append(tex)
        return ""

    to_html(blocks, collect)
    return found


def _directive(name: str, argument: str, body: list[str]) -> list[Block]:
    inner = dedent("\n".join(body)).strip("\n")
    if name == "math":
        whole = "\n".join(part for part in (argument, inner) if part)
        kept = re.sub(r"(?m)^:\w+:.*\n?", "", whole)
        return [Block("formula", _flat(tex)) for tex in re.split(r"\n\s*\n", kept) if tex.strip()]
    if name.startswith(_DROPPED):
        return []
    if name.startswith(_CODE):
        code = re.sub(r"(?m)^:[\w-]+:.*\n?", "", inner).strip("\n")
        return [Block("code", code)] if code else []
    return parse(f"{argument}\n{inner}".strip("\n"), False)


def _listed(lines: list[str], row: int, blocks: list[Block]) -> int:
    """Read one list item or field at `row` into `blocks`, joining the list before it; returns the next row."""
    field = _FIELD.match(lines[row])
    body, following = _indented(lines, row + 1)
    if field:
        term, first = (field[1] or field[2] or "result").strip(), field[3]
    else:
        term, first = "", _BULLET.sub("", lines[row], count=1)
    kind: Kind = "fields" if field else "items"
    text = " ".join(part.strip() for part in [first, *body] if part.strip() and not part.strip().startswith(".. v"))
    text = re.sub(r"\.\. math::\s*", "", text)
    if blocks and blocks[-1].kind == kind:
        blocks[-1] = Block(kind, pairs=(*blocks[-1].pairs, (term, text)))
    else:
        blocks.append(Block(kind, pairs=((term, text),)))
    return following


def _indented(lines: list[str], row: int) -> tuple[list[str], int]:
    """The indented lines from `row` on, blank ones between them too, and the row after them."""
    end = row
    for number in range(row, len(lines)):
        if lines[number].startswith(" "):
            end = number + 1
        elif lines[number].strip():
            break
    return lines[row:end], end


def _until_blank(lines: list[str], row: int) -> tuple[list[str], int]:
    end = next((n for n in range(row, len(lines)) if not lines[n].strip()), len(lines))
    return lines[row:end], end


def _quoted_expression(match: re.Match[str]) -> str:
    if not _EXPRESSION.match(match[1]):
        return match[0]
    return f":math:`{match[1].replace('**', '^').replace('*', ' ')}`"


def _flat(tex: str) -> str:
    return " ".join(tex.split())


def _inline(text: str, formula: Formula) -> str:
    """Escape `text`, and mark up what its roles, quotes and stars mean."""
    parts, at = [], 0
    for match in _INLINE.finditer(text):
        parts.append(escape(text[at : match.start()], quote=False))
        parts.append(_marked(match, formula))
        at = match.end()
    return "".join([*parts, escape(text[at:], quote=False)])


def _marked(match: re.Match[str], formula: Formula) -> str:
    kind, content = match.lastgroup, match[match.lastgroup or 0]
    if kind == "role_math":
        return formula(_flat(content), False)
    if kind == "code":
        return f"<code>{escape(content.strip('`'), quote=False)}</code>"
    if kind == "target":
        return f'<a href="{escape(content)}">{escape(match["label"], quote=False)}</a>'
    if kind in ("strong", "em"):
        return f"<{kind}>{escape(content, quote=False)}</{kind}>"
    if kind == "cite":
        return f"[{content}]"
    if kind == "bare_code":
        return f'<a href="{escape(content)}">{escape(content, quote=False)}</a>'
    return f"<code>{escape(content.lstrip('~'), quote=False)}</code>"
