"""The sample crawl holds what its truth table says, and is the same on every build."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from corpus.errors import InputError
from corpus.tables import read_rows
from sample import benchmark, docs, render
from sample.build import build
from sample.examples import worked_examples
from sample.markup import WRITERS
from sample.plants import served
from sample.sites import SEED, SITES

SHARE = 0.04
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sample") / "small"
    build(directory, share=SHARE)
    return directory


@pytest.fixture(scope="module")
def truth(sample: Path) -> list[dict[str, Any]]:
    return list(read_rows(sample / "truth.parquet"))


@pytest.fixture(scope="module")
def responses(sample: Path) -> list[dict[str, Any]]:
    """One dict a response record; body is decoded, and empty where the record is truncated."""
    found = []
    for path in sorted((sample / "crawl").iterdir()):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests=True):
                if record.rec_type == "response":
                    headers = record.http_headers
                    truncated = record.rec_headers.get_header("WARC-Truncated")
                    found.append(
                        {
                            "url": record.rec_headers.get_header("WARC-Target-URI"),
                            "date": record.rec_headers.get_header("WARC-Date"),
                            "status": int(headers.get_statuscode()),
                            "content_type": headers.get_header("Content-Type", ""),
                            "encoding": headers.get_header("Content-Encoding"),
                            "transfer": headers.get_header("Transfer-Encoding"),
                            "body": b"" if truncated else record.content_stream().read(),
                            "truncated": truncated,
                        }
                    )
    return found


def words(body: bytes) -> list[str]:
    html = body.decode("utf-8", "replace")
    return re.findall(r"\w+", re.sub(r"<[^>]*>", " ", html).lower())


def shingles(body: bytes) -> set[tuple[str, ...]]:
    found = words(body)
    return {tuple(found[at : at + 5]) for at in range(len(found) - 4)}


def test_two_processes_with_other_hash_seed_locale_time_zone_and_directory_write_the_same_bytes(
    sample: Path, tmp_path: Path
) -> None:
    code = f"from pathlib import Path; from sample.build import build; build(Path('again'), share={SHARE})"
    environment = {
        **os.environ, "PYTHONHASHSEED": "12345", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=environment, check=True)
    first = {path.relative_to(sample): path.read_bytes() for path in sample.rglob("*") if path.is_file()}
    again = tmp_path / "again"
    assert {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()} == first


def test_importing_the_sample_imports_no_documented_package() -> None:
    code = (
        "import sys, sample.build\n"
        "print([name for name in ('sympy', 'scipy', 'mpmath', 'networkx', 'rich') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_every_capture_has_its_row_of_truth_and_no_row_lacks_a_capture(
    truth: list[dict[str, Any]], responses: list[dict[str, Any]]
) -> None:
    assert Counter((row["url"], row["status"]) for row in truth) == Counter((r["url"], r["status"]) for r in responses)


def test_every_record_is_a_gzip_member_of_its_own(sample: Path) -> None:
    path = sample / "crawl" / "SAMPLE-2026-00001.warc.gz"
    kinds = []
    with path.open("rb") as file:
        records = ArchiveIterator(file)
        for record in records:
            record.content_stream().read()
            kinds.append((records.get_record_offset(), records.get_record_length(), record.rec_type))
    whole = path.read_bytes()
    assert [kind for _, _, kind in kinds[:4]] == ["warcinfo", "request", "response", "metadata"]
    assert sum(length for _, length, _ in kinds) == len(whole)
    for offset, length, kind in kinds[:40]:
        assert gzip.decompress(whole[offset : offset + length]).startswith(b"WARC/1.0\r\n")
        assert f"WARC-Type: {kind}".encode() in gzip.decompress(whole[offset : offset + length])


def test_the_warcinfo_record_names_the_crawl_and_every_date_is_planted(sample: Path) -> None:
    for path in sorted((sample / "crawl").iterdir()):
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                assert record.rec_headers.get_header("WARC-Date").startswith("2026-0")
                if record.rec_type == "warcinfo":
                    assert b"isPartOf: SAMPLE-2026" in record.content_stream().read()


def test_the_crawl_holds_what_crawls_hold(responses: list[dict[str, Any]]) -> None:
    statuses = Counter(response["status"] for response in responses)
    assert statuses[301] > 10
    assert statuses[404] > 10
    types = {response["content_type"] for response in responses}
    assert {"image/png", "application/pdf", "text/html", "text/html; charset=euc-jp"} <= types
    assert {"text/html; charset=utf-8", "text/html; charset=iso-8859-1", "text/html; charset=shift-jis"} & types
    assert sum(response["encoding"] == "gzip" for response in responses) > 10
    assert sum(response["transfer"] == "chunked" for response in responses) > 10
    assert sum(response["truncated"] == "length" for response in responses) == 1


def test_pages_decode_in_the_charset_they_declare(responses: list[dict[str, Any]]) -> None:
    for response in responses:
        if response["status"] == 200 and "html" in response["content_type"] and not response["truncated"]:
            declared = re.search(rb"charset=\"?([\w-]+)", response["content_type"].encode() + response["body"])
            assert declared is not None
            response["body"].decode(declared[1].decode())


@pytest.mark.parametrize("meta", ['<meta charset="utf-8">', '<META CONTENT="text/html; charset=utf-8">'])
def test_whatever_the_charset_a_page_says_it_and_keeps_its_letters(meta: str) -> None:
    charsets = set()
    for number in range(60):
        capture = served(f"https://page{number}.example/", f"{meta}<p>M\u00f6bius \u2264</p>")
        headers = dict(capture.headers)
        body = capture.body
        if "Transfer-Encoding" in headers:
            body = body.split(b"\r\n", 1)[1].removesuffix(b"\r\n0\r\n\r\n")
        if "Content-Encoding" in headers:
            body = gzip.decompress(body)
        said = re.search(rb"charset=\"?([\w-]+)", body)
        assert said is not None
        assert headers["Content-Type"] in ("text/html", f"text/html; charset={said[1].decode()}")
        assert "M\u00f6bius" in body.decode(said[1].decode())
        charsets.add(said[1])
    assert charsets == {b"utf-8", b"iso-8859-1", b"windows-1252"}


def test_mathematics_is_a_small_part_and_stands_on_mixed_hosts_too(truth: list[dict[str, Any]]) -> None:
    pages = [row for row in truth if row["markup"] and row["duplicate_kind"] is None]
    labels = Counter(row["label"] for row in pages)
    assert 0.10 < labels["math"] / len(pages) < 0.30
    assert labels["not_math"] > len(pages) / 2
    of_host: dict[str, set[str]] = {}
    for row in pages:
        of_host.setdefault(row["host"], set()).add(row["label"])
    assert len(of_host) >= 40
    assert sum({"math", "not_math"} <= labels for labels in of_host.values()) >= 3
    assert sum(labels == {"not_math"} for labels in of_host.values()) >= 15


def test_labels_cover_every_html_page_once(sample: Path, truth: list[dict[str, Any]]) -> None:
    labels = [json.loads(line) for line in (sample / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["url"]: row["label"] for row in labels} == {r["url"]: r["label"] for r in truth if r["label"]}
    assert len({row["url"] for row in labels}) == len(labels)


def test_planted_duplicates_are_what_their_kind_says(
    truth: list[dict[str, Any]], responses: list[dict[str, Any]]
) -> None:
    first: dict[str, dict[str, Any]] = {}
    for response in sorted(responses, key=lambda response: response["date"]):
        first.setdefault(response["url"], response)
    last = {response["url"]: response for response in sorted(responses, key=lambda response: response["date"])}
    kinds: Counter[str] = Counter()
    for row in truth:
        kind = row["duplicate_kind"]
        if kind is None:
            continue
        kinds[kind] += 1
        original, copy = first[row["duplicate_of"]], last[row["url"]]
        if kind in ("exact", "variant"):
            assert copy["body"] == original["body"]
            assert copy["url"] != original["url"]
        if kind == "near":
            one, other = shingles(original["body"]), shingles(copy["body"])
            assert 0.9 < len(one & other) / len(one | other) < 1
        if kind == "recapture":
            assert copy["url"] == original["url"]
            assert copy["date"] > original["date"]
            assert copy["body"] != original["body"]
    assert min(kinds[kind] for kind in ("exact", "near", "recapture", "variant")) >= 3


def test_unplanted_pages_are_no_near_duplicates(truth: list[dict[str, Any]], responses: list[dict[str, Any]]) -> None:
    captures = Counter(response["url"] for response in responses)
    singles = {row["url"] for row in truth if row["markup"] and row["duplicate_kind"] is None}
    sets = [shingles(r["body"]) for r in responses if r["url"] in singles and captures[r["url"]] == 1 and r["body"]]
    assert len(sets) > 100
    assert max(len(one & other) / len(one | other) for at, one in enumerate(sets) for other in sets[:at]) < 0.6


def test_questions_stand_on_their_pages_as_the_truth_says(
    truth: list[dict[str, Any]], responses: list[dict[str, Any]]
) -> None:
    questions = {row["id"]: row["question"] for row in benchmark.rows()}
    bodies = {response["url"]: response["body"] for response in responses}
    found: Counter[str] = Counter()
    for row in truth:
        if row["contamination"] is None or not bodies[row["url"]]:
            continue
        found[row["contamination"]] += 1
        body, question = bodies[row["url"]].decode("utf-8", "replace"), questions[row["benchmark_id"]]
        spaced = " ".join(words(body.encode()))
        whole = " ".join(re.findall(r"\w+", question.lower()))
        assert (whole in spaced) == (row["contamination"] != "numbers")
        if row["contamination"] == "split":
            assert question not in body
    assert min(found[kind] for kind in ("verbatim", "split", "numbers")) >= 8


def test_the_benchmark_has_long_questions_and_short_ones_and_no_two_alike() -> None:
    lengths = [len(question.split()) for question, _ in benchmark.QUESTIONS]
    assert len(set(benchmark.QUESTIONS)) == len(lengths) == 40
    assert sum(15 <= length <= 60 for length in lengths) >= 30
    assert sum(3 <= length <= 9 for length in lengths) >= 5
    assert min(lengths) >= 3


def test_seed_pages_are_of_other_hosts_and_their_text_is_not_in_the_pool(
    sample: Path, truth: list[dict[str, Any]], responses: list[dict[str, Any]]
) -> None:
    seed = list(read_rows(sample / "seed.parquet"))
    assert list(seed[0]) == ["url", "text", "date", "metadata"]
    assert all(isinstance(json.loads(row["metadata"]), dict) for row in seed)
    assert sum("$" in row["text"] for row in seed) > len(seed) / 2
    hosts = {row["host"] for row in truth}
    assert not hosts & {row["url"].split("/")[2] for row in seed}
    pool = set()
    for response in responses:
        found = words(response["body"])
        pool |= {tuple(found[at : at + 12]) for at in range(len(found) - 11)}
    for row in seed:
        found = re.findall(r"\w+", row["text"].lower())
        runs = [tuple(found[at : at + 12]) for at in range(len(found) - 11)]
        assert sum(run in pool for run in runs) < 0.5 * len(runs)


def test_no_path_or_address_of_this_machine_is_in_the_pages(responses: list[dict[str, Any]]) -> None:
    for response in responses:
        assert str(ROOT).encode() not in response["body"]
        assert sys.prefix.encode() not in response["body"]
        assert not re.search(rb" at 0x[0-9a-f]{6}", response["body"])


def test_the_manifest_counts_and_digests_what_is_there(sample: Path, truth: list[dict[str, Any]]) -> None:
    manifest = json.loads((sample / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["n_captures"] == len(truth)
    assert manifest["labels"] == Counter(row["label"] for row in truth if row["label"])
    files = {path.relative_to(sample).as_posix() for path in sample.rglob("*") if path.is_file()}
    assert set(manifest["sha256"]) == files - {"manifest.json"}


def test_a_directory_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="not empty"):
        build(tmp_path, share=0.01)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_a_share_outside_its_range_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(InputError, match="share"):
        build(tmp_path / "sample", share=share)


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def stop(step: str, done: int, total: int) -> None:
        if step == "crawl":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "sample", share=0.001, report=stop)
    assert list(tmp_path.iterdir()) == []


def test_hosts_are_distinct_and_end_in_the_reserved_domain() -> None:
    hosts = [site.host for site in (*SITES, *SEED)]
    assert len(set(hosts)) == len(hosts) >= 50
    assert all(host.endswith(".example") for host in hosts)
    assert {site.markup for site in SITES} == set(WRITERS)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("mathjax", r"\(x^2 &lt; 1\)"),
        ("script", '<script type="math/tex">x^2 < 1</script>'),
        ("dollars", "$x^2 &lt; 1$"),
        ("mathml", "<msup><mi>x</mi><mn>2</mn></msup><mo>&lt;</mo><mn>1</mn>"),
        ("katex", '<annotation encoding="application/x-tex">x^2 &lt; 1</annotation>'),
        ("wordpress", "latex=x%5E2%20%3C%201&amp;bg"),
    ],
)
def test_a_formula_is_written_in_its_markup(markup: Any, expected: str) -> None:
    assert expected in WRITERS[markup]("x^2 < 1", False)


@pytest.mark.parametrize("tex", ["", "}", "{", "^", "_", "x^", r"\frac", r"\frac{1", r"\\", "}}}{{{", "a" * 500, "\\"])
def test_broken_tex_is_written_all_the_same(tex: str) -> None:
    for write in WRITERS.values():
        assert isinstance(write(tex, True), str)


def test_a_docstring_becomes_headings_lists_tables_code_and_formulas() -> None:
    text = (
        "First :math:`a_1` & ``b``.\n\nNotes\n-----\n.. math:: x = \\frac{1}{2}\n\n* one\n* two\n\n"
        "n : int\n    Its *size*.\n\n>>> f(1)\n2\n"
    )
    html = render.to_html(render.parse(text, mathematical=True), WRITERS["mathjax"])
    assert html == (
        "<p>First \\(a_1\\) &amp; <code>b</code>.</p>\n<h2>Notes</h2>\n<p>\\[x = \\frac{1}{2}\\]</p>\n"
        "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"
        "<table>\n<tr><th>n</th><td>int Its <em>size</em>.</td></tr>\n</table>\n"
        "<pre><code>&gt;&gt;&gt; f(1)\n2</code></pre>"
    )


@pytest.mark.parametrize(
    "text", [".. math:: x", ".. math::\n\n    x", ".. math ::\n    x", ".. math::\n    :label: e\n\n    x"]
)
def test_a_displayed_formula_is_found_in_every_spelling_of_its_directive(text: str) -> None:
    assert render.parse(text, mathematical=True) == [render.Block("formula", "x")]


def test_a_dollar_is_money_outside_mathematics() -> None:
    text = "It costs $5 today and $7 tomorrow."
    assert render.formulas(render.parse(text, mathematical=False)) == []
    assert render.formulas(render.parse("Let $x+1$ be.", mathematical=True)) == ["x+1"]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "::", ".. math::", ":math:`", "```", "===", "- ", "*", "`<>`_", "$" * 999]
)
def test_odd_docstrings_are_rendered_all_the_same(text: str) -> None:
    for mathematical in (True, False):
        blocks = render.parse(text, mathematical)
        assert isinstance(render.to_html(render.prose(blocks), WRITERS["katex"]), str)


def test_an_interactive_session_becomes_formulas_worked_by_hand() -> None:
    code = ">>> gamma(5)\n24\n>>> a**2 + x_1/2\n3*pi\n>>> f('text')\n1\n>>> m\n[1 2]\n[3 4]\n>>> len(x)\n3"
    assert worked_examples(code) == [r"\Gamma(5) = 24", r"a^{2} + \frac{x_{1}}{2} = 3 \cdot \pi"]


def test_addresses_paths_and_templates_are_cleaned_out_of_docstrings() -> None:
    text = "A <object at 0x7f3a2b1c9d10> in /home/me/x.py.\n    %(before)s\n    A form\x0ceed."
    cleaned = docs.clean(text)
    assert cleaned == "A <object> in /path\nA form\\feed."


def test_source_that_does_not_parse_or_is_not_there_gives_no_entries(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    assert docs.entries("broken", tmp_path / "broken.py") == ()
    assert docs.entries("absent", tmp_path / "absent.py") == ()
    assert docs.modules("a_package_that_nobody_has") == []


def test_a_questionable_escape_in_a_source_file_does_not_hide_it(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(f'"""Matches \\d. {"words " * 100}"""\n')
    assert [entry.name for entry in docs.entries("m", tmp_path / "m.py")] == ["m"]


def test_brief_members_share_a_page_and_long_ones_have_their_own(tmp_path: Path) -> None:
    long = "word " * 120
    (tmp_path / "m.py").write_text(f'"""Top."""\ndef a(x, y=1):\n    "{"brief " * 73}"\ndef b():\n    "{long}"\n')
    found = docs.entries("m", tmp_path / "m.py")
    assert [entry.name for entry in found] == ["m", "m.b"]
    assert "a(x, y=1)\n---------" in found[0].text


def test_long_documentation_is_continued_on_further_pages(tmp_path: Path) -> None:
    paragraphs = "\n\n".join(f"Paragraph {n} " + "says this " * 60 for n in range(30))
    (tmp_path / "m.py").write_text(f'"""{paragraphs}"""\n')
    found = docs.entries("m", tmp_path / "m.py")
    assert [entry.name for entry in found] == [f"m.{n}" for n in range(1, len(found) + 1)]
    assert max(len(entry.text) for entry in found) <= docs.MAX_CHARS
    assert sum(entry.text.count("Paragraph") for entry in found) == 30


def test_a_text_that_was_mostly_seen_is_not_novel() -> None:
    novelty = docs.Novelty(0.25)
    text = " ".join(f"w{n}" for n in range(200))
    assert novelty.add(text)
    assert not novelty.add(text + " and a few more words at the end")
    assert novelty.add(" ".join(f"v{n}" for n in range(200)))


def test_reading_a_capture_again_gives_the_page_that_was_planted(sample: Path) -> None:
    path = sample / "crawl" / "SAMPLE-2026-00000.warc.gz"
    with path.open("rb") as file:
        records = ArchiveIterator(file)
        for record in records:
            if record.rec_type == "response" and record.http_headers.get_statuscode() == "200":
                body = record.content_stream().read()
                offset, length = records.get_record_offset(), records.get_record_length()
                break
    again = next(iter(ArchiveIterator(io.BytesIO(path.read_bytes()[offset : offset + length]))))
    assert again.content_stream().read() == body
