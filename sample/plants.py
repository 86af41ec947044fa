"""What a crawl holds beside pages, planted where the truth table can say so.

Duplicates of every kind, benchmark questions, redirects, missing pages, files that
are no pages, charsets, encodings and a truncated record.
"""

import gzip
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from urllib.parse import urlsplit

from sample import benchmark, docs
from sample.crawl import Capture, chunked, fetched
from sample.pages import Page, dress, front
from sample.sites import MIRRORS, SITES

MIN_WORDS_NEAR = 320  # so that one edit leaves a Jaccard similarity above 0.9 on 5-shingles
RECAPTURED_AFTER = 9 * 86_400  # seconds
CRAWL_SECONDS = 8 * 86_400  # first captures are spread over this long

_JAPANESE = (
    "<html><head><title>{title}</title></head><body><h1>{title}</h1><p>"
    + "このページは見本のために書かれた短い文章です。春になると川のそばの道を歩き、古い橋の上で魚をながめます。" * 6
    + "</p><p>夏の朝は市場でトマトときゅうりを買い、昼には友だちと冷たいうどんを食べます。</p></body></html>"
)


@dataclass(frozen=True)
class Planted:
    """A capture and the truth about it; the columns are those of truth.parquet."""

    capture: Capture
    label: str | None  # null for what is no page
    markup: str | None = None
    duplicate_of: str | None = None
    duplicate_kind: str | None = None
    benchmark_id: str | None = None
    contamination: str | None = None

    @property
    def truth(self) -> dict[str, str | int | None]:
        return {
            "url": self.capture.url,
            "label": self.label,
            "host": (urlsplit(self.capture.url).hostname or "").lower(),
            "markup": self.markup,
            "duplicate_of": self.duplicate_of,
            "duplicate_kind": self.duplicate_kind,
            "benchmark_id": self.benchmark_id,
            "contamination": self.contamination,
            "status": self.capture.status,
        }


def plant(pages: list[Page]) -> list[Planted]:
    """Every capture of the crawl: the pages as served, and everything else. Roles never overlap on a page."""
    shuffled = sorted(pages, key=lambda page: docs.order("role " + page.url))
    exercises = _exercises(shuffled)
    planted: list[Planted] = []
    dressed: dict[str, tuple[Page, str]] = {}
    for page, html in dress(pages, {url: markup for url, (markup, _, _) in exercises.items()}):
        _, item, kind = exercises.get(page.url, ("", None, None))
        planted.append(Planted(served(page.url, html), page.label, page.site.markup, None, None, item, kind))
        dressed[page.url] = (page, html)
    free = [dressed[page.url] for page in shuffled if page.url not in exercises]
    share = max(3, len(free) // 50)
    planted += _mirrored(free[:share])
    planted += _recaptured(free[share : 2 * share])
    planted += _varied(free[2 * share : 2 * share + max(4, share // 3)])
    planted += _reprinted(free[3 * share : -1], share)
    planted += _beside_pages(pages)
    cut = free[-1][0].url
    return [_truncated(one) if one.capture.url == cut else one for one in planted]


def _exercises(pages: list[Page]) -> dict[str, tuple[str, str, str]]:
    """url -> (HTML to add, benchmark id, kind): each question on one page, on mathematical ones first."""
    hosts = sorted(pages, key=lambda page: page.label != "math")
    found = {}
    for number, (page, row) in enumerate(zip(hosts, benchmark.rows(), strict=False)):
        question = row["question"]
        kind = ("verbatim", "split", "numbers")[number % 3]
        if kind == "numbers" and not re.search(r"\d", question):
            kind = "verbatim"
        if kind == "split":
            words = [escape(word, quote=False) for word in question.split()]
            third = max(1, len(words) // 3)
            body = (f"<p>{' '.join(words[:third])}</p><p>{' '.join(words[third:-third])}<br>"
                    f"<em>{words[-third]}</em> {' '.join(words[len(words) - third + 1:])}</p>")  # fmt: skip
        elif kind == "numbers":
            body = f"<p>{escape(re.sub(r'[0-9]+', lambda m: str(int(m[0]) + 7), question), quote=False)}</p>"
        else:
            body = f"<p>{escape(question, quote=False)}</p>"
        found[page.url] = (f"<h2>Exercise of the week</h2>\n{body}\n", row["id"], kind)
    return found


def served(url: str, html: str) -> Capture:
    """The page as its server sends it: a charset and codings that depend on the address alone."""
    number = docs.order("served " + url)
    declared, charset = "text/html; charset=utf-8", "utf-8"
    if number % 13 == 0:
        declared, charset = "text/html; charset=iso-8859-1", "iso-8859-1"
    elif number % 13 == 1:
        declared, charset = "text/html", "windows-1252"
    elif number % 13 == 2:
        declared = "text/html"
    html = html.replace("charset=utf-8", f"charset={charset}").replace('charset="utf-8"', f'charset="{charset}"')
    body = html.encode(charset, "xmlcharrefreplace")
    headers = [("Content-Type", declared), ("Server", ("nginx", "Apache", "lighttpd")[number % 3])]
    if number % 5 == 0:
        headers.append(("Content-Encoding", "gzip"))
        body = gzip.compress(body, 6, mtime=0)
    if number % 7 == 0:
        headers.append(("Transfer-Encoding", "chunked"))
        body = chunked(body)
    else:
        headers.append(("Content-Length", str(len(body))))
    return Capture(url, fetched(number % CRAWL_SECONDS), 200, tuple(headers), body)


def _mirrored(originals: list[tuple[Page, str]]) -> Iterator[Planted]:
    """The same bytes on another host."""
    for number, (page, html) in enumerate(originals):
        url = f"https://{MIRRORS[number % len(MIRRORS)]}/{page.site.host}{page.path}"
        capture = replace(served(page.url, html), url=url)
        yield Planted(capture, page.label, page.site.markup, page.url, "exact")


def _recaptured(originals: list[tuple[Page, str]]) -> Iterator[Planted]:
    """The same address days later, with a sentence that was not there."""
    for page, html in originals:
        first = served(page.url, html)
        later = served(page.url, _edited(html))
        capture = replace(
            later, date=first.date.fromtimestamp(first.date.timestamp() + RECAPTURED_AFTER, first.date.tzinfo)
        )
        yield Planted(capture, page.label, page.site.markup, page.url, "recapture")


def _varied(originals: list[tuple[Page, str]]) -> Iterator[Planted]:
    """The same page under other spellings of its address."""
    for number, (page, html) in enumerate(originals):
        scheme, _, rest = page.url.partition("://")
        host, _, path = rest.partition("/")
        port = 443 if scheme == "https" else 80
        url = (
            f"{page.url}?utm_source=newsletter&utm_medium=email",
            f"{page.url}#section-2",
            f"{scheme}://{host}:{port}/{path}",
            f"{scheme}://{host.upper()}/{path}",
        )[number % 4]
        capture = replace(served(page.url, html), url=url, date=fetched(CRAWL_SECONDS + number))
        yield Planted(capture, page.label, page.site.markup, page.url, "variant")


def _reprinted(candidates: list[tuple[Page, str]], wanted: int) -> Iterator[Planted]:
    """A page for printing: all of the text and one sentence more, under another path of the host."""
    for page, html in candidates:
        if wanted and len(re.findall(r"\w+", re.sub(r"<[^>]*>", " ", html))) >= MIN_WORDS_NEAR:
            wanted -= 1
            url = page.url.replace(page.site.host, f"{page.site.host}/print", 1)
            yield Planted(served(url, _edited(html)), page.label, page.site.markup, page.url, "near")


def _edited(html: str) -> str:
    """One sentence more at the end of the last paragraph of some length."""
    at = max(html.rfind("</p>", 0, len(html) * 3 // 4), html.find("</p>"))
    return f"{html[:at]} Printed from our pages.{html[at:]}"


def _truncated(planted: Planted) -> Planted:
    """The record as a crawler leaves it that gave up half-way."""
    capture = planted.capture
    return replace(planted, capture=replace(capture, body=capture.body[: len(capture.body) // 2], truncated="length"))


def _beside_pages(pages: list[Page]) -> Iterator[Planted]:
    """Front pages, moved and missing pages, an image and a document a host, and two pages in Japanese."""
    for number, site in enumerate(SITES):
        own = [page for page in pages if page.site is site]
        if not own:
            continue
        root = own[0].url.partition("://")[0] + f"://{site.host}"
        yield Planted(served(f"{root}/", front(site, own)), "not_math")
        moved = (("Location", own[0].url), ("Content-Length", "0"))
        gone = b"<html><body><h1>Not Found</h1></body></html>"
        html_type = ("Content-Type", "text/html")
        when = fetched(CRAWL_SECONDS + 100 + number)
        yield Planted(Capture(f"{root}/old/{number}.html", when, 301, moved, b""), None)
        yield Planted(Capture(f"{root}/missing/{number}.html", when, 404, (html_type,), gone), None)
        if number % 10 == 0:
            yield Planted(Capture(f"{root}/logo.png", when, 200, (("Content-Type", "image/png"),), _png()), None)
            yield Planted(Capture(f"{root}/paper.pdf", when, 200, (("Content-Type", "application/pdf"),), _pdf()), None)
    for charset, title in (("euc_jp", "川の道"), ("shift_jis", "市場の朝")):
        name = charset.replace("_jp", "-jp")
        html_type = ("Content-Type", f"text/html; charset={name}")
        body = _JAPANESE.format(title=title).encode(charset)
        url = f"http://{'kawa' if charset == 'euc_jp' else 'ichiba'}.example/index.html"
        yield Planted(Capture(url, fetched(CRAWL_SECONDS), 200, (html_type,), body), "not_math")


def _png() -> bytes:
    """An image of one grey pixel."""

    def part(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = part(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + part(b"IDAT", zlib.compress(b"\x00\x80")) + part(b"IEND", b"")


def _pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
