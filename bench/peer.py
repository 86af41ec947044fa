"""One extractor in a process of its own, with the Python and the libraries that it wants.

Usage: python bench/peer.py NAME DIR

Prints one line on the extractor. Then it reads a JSON object a line (html, url) and answers each with one (text,
seconds): the page's text, null where the extractor fails, and the CPU time that it took. What the extractor itself
prints goes to standard error. Standard library only, because the interpreter is the peer's.
"""

import contextlib
import importlib
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Extract = Callable[[str, str], str]

# The likeliest value of each choice in OpenWebMath's configs/randomized_all.yaml.
OPENWEBMATH: dict[str, Any] = {
    "markdown_headings": True,
    "markdown_code": True,
    "boilerplate_config": {"enable": True, "ratio_threshold": 0.18, "absolute_threshold": 10, "end_threshold": 15},
    "remove_buttons": True,
    "remove_image_figures": True,
    "remove_link_clusters": True,
    "table_config": {"min_rows": 2, "min_cols": 3, "format": "plain"},
    "remove_chinese": True,
    "remove_edit_buttons": True,
    "extract_latex": True,
}


def openwebmath(folder: Path) -> Extract:
    """text_extract, the likeliest of its random settings"""
    sys.path.append(str(folder / "text_extraction"))
    extract_text = importlib.import_module("text_extract.extract").extract_text

    def extract(html: str, url: str) -> str:
        found = extract_text(html, OPENWEBMATH, fast=True)
        return found[0] if found else ""

    return extract


def megamath(folder: Path) -> Extract:
    """first stage, without turning tables into a random format"""
    sys.path.append(str(folder / "web_pipeline"))
    improved = importlib.import_module("utils.latex_parsing").improve_latex_content_parsing
    plain_text = importlib.import_module("resiliparse.extract.html2text").extract_plain_text

    def extract(html: str, url: str) -> str:
        text: str = plain_text(improved(html), alt_texts=False, links=False, preserve_formatting=True)
        return text

    return extract


def magic_html(folder: Path) -> Extract:
    """article mode, text of its HTML"""
    sys.path.append(str(folder))
    extractor = importlib.import_module("magic_html").GeneralExtractor()
    fromstring = importlib.import_module("lxml.html").fromstring

    def extract(html: str, url: str) -> str:
        content = extractor.extract(html, base_url=url)["html"]
        return " ".join(fromstring(content).xpath("//text()")) if content.strip() else ""

    return extract


PEERS: dict[str, Callable[[Path], Extract]] = {
    "openwebmath": openwebmath,
    "megamath": megamath,
    "magic-html": magic_html,
}


def main(name: str, folder: Path) -> None:
    answers, logged = sys.stdout, sys.stderr
    with contextlib.redirect_stdout(logged):
        logging.disable()
        extract = PEERS[name](folder)
        print(PEERS[name].__doc__, file=answers, flush=True)
        for line in sys.stdin:
            page = json.loads(line)
            started = time.process_time()
            try:
                text = extract(page["html"], page["url"] or "") or ""
            except Exception:
                text = None
            seconds = time.process_time() - started
            print(json.dumps({"text": text, "seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in PEERS:
        sys.exit(__doc__)
    main(sys.argv[1], Path(sys.argv[2]))
