"""How often language identifiers are right on pages of known language, and what they cost.

Usage: python bench/language.py [--shared DIR] [--lid lid.176.ftz] [--write]

A page's language is its site's, as the table of sources of crawl_dev has it, else that of the site's country
(example.pl is Polish). Peers are measured where they are installed: py3langid, resiliparse, gcld3 (from cld3-py),
eld; --lid names fastText's own model, which comes with packages that bring a second module `fasttext`.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pycld2
from report import Table, share, write
from rich.console import Console

from corpus.config import Pool
from corpus.language import READ_CHARS, identify
from corpus.pool import ingest_part
from corpus.tables import read_rows

ROUNDS = 3
MAX_PAGES = 15  # of a site
SHOWN = 12  # languages with a column of their own
COUNTRIES = {name: name for name in ("de", "fr", "pl", "it", "es", "ru", "hu", "nl", "fi", "no", "tr", "ro", "bg")} | {
    "sk": "sk", "hr": "hr", "lt": "lt", "lv": "lv", "vn": "vi", "th": "th", "id": "id", "pt": "pt", "br": "pt",
    "at": "de", "cz": "cs", "se": "sv", "dk": "da", "gr": "el", "jp": "ja", "cn": "zh", "tw": "zh", "kr": "ko",
    "si": "sl", "ee": "et", "ir": "fa", "il": "he", "mx": "es", "ar": "es", "cl": "es",
}  # fmt: skip
SAME = {"iw": "he", "jw": "jv", "nb": "no", "nn": "no", "bs": "hr", "sh": "hr"}
Identify = Callable[[str], str | None]
NOTE = (
    "Cheap text of {n} pages of 200 characters or more on {sites} sites, at most {per_site} a site, in {languages} "
    "languages. A page is left out ({left_out} are) where all identifiers agree on another language than its site's: "
    "sites have pages in other languages. Ours reads {chars} characters, chosen on these pages. "
    "CPU time, best of {rounds} rounds, the ratio is to ours."
)


def pages_of_known_language(shared: Path) -> list[tuple[str, str, str]]:
    """(language, site, text) of pages in crawl_dev and background."""
    sources = json.loads((shared / "crawl_dev" / "MANIFEST.json").read_text())["sources"]
    told = {row["domain"]: row["lang"] for row in sources if len(row.get("lang") or "") == 2}
    pages: list[tuple[str, str, str]] = []
    n_pages: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        for file in sorted(shared.glob("crawl_dev/*.warc.gz")) + sorted(shared.glob("background/*.warc.gz")):
            ingest_part(str(file), file.name, 0, Path(name), Pool())
            for row in read_rows(Path(name) / "part-00000.parquet"):
                site = row["url_host_registered_domain"]
                language = told.get(site) or COUNTRIES.get(site.rpartition(".")[2])
                n_pages[site] += language is not None
                if language and n_pages[site] <= MAX_PAGES:
                    pages.append((language, site, row["text"]))
    return pages


def identifiers(lid: Path | None) -> Iterator[tuple[str, Identify]]:
    """(name, function) of ours and of each peer that is at hand."""
    yield "corpus", identify
    yield (
        f"CLD2, its first word, {READ_CHARS}",
        lambda text: pycld2.detect(text[:READ_CHARS], isPlainText=True)[2][0][1],
    )
    if module := _installed("py3langid.langid"):
        classifier = module.LanguageIdentifier.from_model_file(module.MODEL_FILE)
        classifier.set_languages([code for code in classifier.labels if len(code) == 2])
        yield "py3langid, 1000", lambda text: classifier.classify(text[:1_000])[0]
        yield "py3langid, 250", lambda text: classifier.classify(text[:250])[0]
    if module := _installed("resiliparse.parse.lang"):
        yield "resiliparse, 1000", lambda text, detect=module.detect_fast: detect(text[:1_000])[0]
        yield "resiliparse, 4000", lambda text, detect=module.detect_fast: detect(text[:4_000])[0]
    if module := _installed("gcld3"):
        network = module.NNetLanguageIdentifier(0, 100_000)
        yield "CLD3, 1000", lambda text: network.FindLanguage(text=text[:1_000]).language
    if module := _installed("eld"):
        detector = module.LanguageDetector()
        yield "eld, 500", lambda text: detector.detect(text[:500]).language
    if lid:
        model = import_module("fasttext").load_model(str(lid)).f
        for n_chars in (500, 1_000):
            yield (
                f"lid.176.ftz, {n_chars}",
                lambda text, n=n_chars: model.predict(text[:n].replace("\n", " ") + "\n", 1, 0.0, "strict")[0][
                    1
                ].removeprefix("__label__"),
            )


def compare(pages: list[tuple[str, str, str]], compared: dict[str, Identify]) -> Table:
    """Share of pages whose language each one names, over all and by language, and time a page."""
    answers: dict[str, list[str]] = {}
    seconds = dict.fromkeys(compared, float("inf"))
    for _ in range(ROUNDS):
        for name, of in compared.items():
            start = time.process_time()
            found = [of(text) for _, _, text in pages]
            seconds[name] = min(seconds[name], time.process_time() - start)
            answers[name] = [SAME.get(code, code) for code in ((each or "").partition("-")[0] for each in found)]
    known = [language for language, _, _ in pages]
    kept = [n for n in range(len(pages)) if len({known[n]} | {answers[name][n] for name in compared}) != 2
            or any(answers[name][n] == known[n] for name in compared)]  # fmt: skip
    languages = [language for language, _ in Counter(known[n] for n in kept).most_common()]
    rows = []
    for name in compared:
        right = Counter(known[n] for n in kept if answers[name][n] == known[n])
        by_language = [share(right[language], sum(known[n] == language for n in kept)) for language in languages]
        mean = sum(map(float, by_language)) / len(by_language)
        time_a_page, ratio = seconds[name] / len(pages) * 1_000, seconds[name] / seconds["corpus"]
        rows.append([name, share(right.total(), len(kept)), f"{mean:.3f}", *by_language[:SHOWN],
                     f"{time_a_page:.3f}", f"{ratio:.1f}"])  # fmt: skip
    note = NOTE.format(
        n=len(kept), sites=len({pages[n][1] for n in kept}), per_site=MAX_PAGES, chars=READ_CHARS,
        languages=len(languages), left_out=len(pages) - len(kept), rounds=ROUNDS,
    )  # fmt: skip
    columns = ["identifier, characters", "all", "mean of languages", *languages[:SHOWN], "ms a page", "ratio"]
    return Table("Languages", note, columns, rows)


def _installed(name: str):
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--lid", type=Path)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    if not (options.shared / "crawl_dev").is_dir():
        parser.error(f"{options.shared / 'crawl_dev'} is not there: --shared names the folder of the measured data")
    table = compare(pages_of_known_language(options.shared), dict(identifiers(options.lid)))
    table.show(Console())
    if options.write:
        write("language", "Language identification: `python bench/language.py --write`.", [table])


if __name__ == "__main__":
    main()
