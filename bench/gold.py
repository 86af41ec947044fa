"""Pages with known formulas and texts, from SHARED/extraction, and how much of them an extractor's text holds.

HELD OUT, by site: nobody looked at single pages of these while the extractor was written, only at aggregates.
Aggregates over all pages, these among them, had been seen in earlier versions of the project.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import xxhash
from lxml import etree
from tex import prose

from corpus.text import words

HELD_OUT_BOOKS = ("dsbook__", "fdm-book__", "colah")  # of the re-rendered pages
HELD_OUT_HOSTS = (
    *("gvsuoer.github.io", "levi-heath.github.io", "mc-stan.org", "rafalab.github.io", "patrickwalls.github.io"),
    *("alex-mcavoy.github.io", "mathhelpforum.com", "mathoverflow.net", "www.lmfdb.org", "terrytao.wordpress.com"),
)
HALF_HELD_OUT = "planetmath.org"  # of its pages those whose id has an even xxh64

SPLITS: dict[str, Callable[[bool], bool]] = {  # by whether a page is held out
    "held out": lambda held_out: held_out,
    "development": lambda held_out: not held_out,
    "all": lambda held_out: True,
}

_FRONT_MATTER = re.compile(r"\A\s*(?:---\n.*?\n---\n|```json\n.*?\n```\n)", re.S)
_MARKDOWN_NOISE = re.compile(
    r"<!--.*?-->|\{\{.*?\}\}|\{%.*?%\}|!\[[^\]]*\]\([^)]*\)|(?<=\])\([^)]*\)|(?<=\])\{[^}]*\}|\{[#.:][^}\n]*\}"
    r"|^[ \t]*(?:```|~~~|:::)[^\n]*$|https?://\S+|</?[A-Za-z][^<>\n]*>",
    re.S | re.M,
)
_TEX_COMMENT = re.compile(r"(?<!\\)%.*")
_TEX_NOISE = re.compile(
    r"\\(?:begin|end|label|(?:eq|page|auto|c)?ref|cite\w*|includegraphics|usepackage|input|bibliography(?:style)?"
    r"|[hv]space|PM\w+)\*?\s*(?:\[[^\]]*\])?\s*\{[^}]*\}|\\[A-Za-z]+\*?|\\.|[{}~]",
    re.S,
)
_XML_NOISE = ("m", "me", "men", "md", "mdn", "idx", "notation", "latex-image", "latex-image-preamble", "docinfo", "cd")


@dataclass(frozen=True)
class GoldPage:
    kind: str  # how the gold was had: gold_kind
    url: str
    html: str
    formulas: list[str]
    words: Counter[str]  # of the gold text, without formulas; empty where only formulas are known
    held_out: bool


@dataclass(frozen=True)
class RenderedPage:
    kind: str  # markup kind; "none" has no formulas left
    html: str
    formulas: list[str]
    held_out: bool


@dataclass(frozen=True)
class WordScore:
    """How two bags of words agree: precision is the share of the extractor's words that the gold text holds."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def gold_pages(extraction: Path) -> list[GoldPage]:
    pages = []
    for line in (extraction / "pages.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        host = urlsplit(row["url"] or "").hostname
        even = xxhash.xxh64_intdigest(row["id"]) % 2 == 0
        gold = extraction / row["gold_file"] if row["gold_file"] else None
        pages.append(
            GoldPage(
                kind=row["gold_kind"],
                url=row["url"],
                html=(extraction / row["html_file"]).read_text(encoding="utf-8", errors="replace"),
                formulas=[formula["tex"] for formula in row["gold_formulas"]],
                words=prose_words(gold_prose(gold)) if gold else Counter(),
                held_out=host in HELD_OUT_HOSTS or (host == HALF_HELD_OUT and even),
            )
        )
    return pages


def rendered_pages(extraction: Path) -> list[RenderedPage]:
    """Every page once for each markup kind, in the file's order."""
    with pa.input_stream(str(extraction / "rerendered.jsonl.zst"), compression="zstd") as file:
        rows = [json.loads(line) for line in file.read().splitlines()]
    return [
        RenderedPage(
            row["kind"], row["html"], [tex for tex, _ in row["formulas"]], row["page"].startswith(HELD_OUT_BOOKS)
        )
        for row in rows
    ]


def gold_prose(path: Path) -> str:
    """What a gold file says, without formulas, markup and metadata. By its ending: LaTeX, PreTeXt or Markdown."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".tex":
        text = _TEX_COMMENT.sub("", text)
        return _TEX_NOISE.sub(" ", prose(text[max(0, text.find("\\begin{document}")) :]))
    if path.suffix in (".xml", ".ptx"):
        root = etree.fromstring(text.encode(), etree.XMLParser(recover=True, remove_comments=True, remove_pis=True))
        etree.strip_elements(root, *_XML_NOISE, with_tail=False)
        return " ".join(root.itertext())
    return _MARKDOWN_NOISE.sub(" ", prose(_FRONT_MATTER.sub("", text)))


def prose_words(text: str) -> Counter[str]:
    """The bag of words of a text by the project's own reading of words, its formulas and operators left out."""
    return Counter(words(prose(text), operators=False))


def word_score(gold: Counter[str], found: Counter[str]) -> WordScore:
    common = (gold & found).total()
    return WordScore(common / found.total() if found else 0.0, common / gold.total() if gold else 0.0)


def mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0
