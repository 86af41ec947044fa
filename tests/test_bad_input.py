"""Damage of every kind, through the command line: a counted row, or one message that says what to do."""

import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_cli import environment, make_crawl, response, run, words

SECONDS = 2  # page_seconds of the hostile crawl
TABLE = (
    "<table>" + "<tr><td>7 <b>x</b></td><td><a href=x>y</a></td></tr>" * 40_000
)  # cheap text 0.4 s, careful text 5 s
# A tree is built where mathematics may be: lexbor compares each attribute with each, 15 s.
ATTRIBUTES = "<math></math><p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">"


def record(kind: str, url: str, block: bytes, mime: str = "application/http") -> bytes:
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nContent-Type: {mime}\r\n"
    return gzip.compress(f"{head}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n", 1, mtime=0)


def answer(url: str, body: bytes, content_type: str = "text/html; charset=utf-8") -> bytes:
    return record("response", url, f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n".encode() + body)


def good(name: str, n: int) -> bytes:
    url = f"http://{name}.example/{n}"
    return response(url, f"<title>{url}</title><p>{words('other', url)}</p>")


def hostile_files() -> dict[str, bytes]:
    html = {name: f"<p>{words('other', name)}</p>".encode() for name in ("a", "b", "c")}
    whole = b"".join(good("truncated", n) for n in range(4))
    corrupt = [good("corrupt", n) for n in range(4)]
    corrupt[1] = corrupt[1][:40] + bytes(40) + corrupt[1][80:]
    large = " ".join(random.Random(1).choices(words("other", "large").split(), k=1_700_000)).encode()[:10_000_000]
    return {
        "truncated.warc.gz": whole[:-30],
        "corrupt.warc.gz": b"".join(corrupt),
        "empty.warc.gz": b"",
        "photo.warc.gz": b"\xff\xd8\xff\xe0 no WARC at all" * 50,
        "page.warc": b"<html><body>not a WARC file either</body></html>",
        "text.warc.wet.gz": b"",  # not matched: of another kind by its name
        "wet.warc.gz": record("conversion", "http://wet.example/", b"plain text of a page", "text/plain")
        + record("conversion", "http://wat.example/", b"{}", "application/json"),
        "bodies.warc.gz": b"".join(
            [
                answer("http://zero.example/", b""),
                answer("http://blank.example/", b" \r\n\t"),
                answer("http://charset.example/latin", "Größe ".encode("latin-1") + html["a"]),
                answer("http://charset.example/klingon", html["b"], "text/html; charset=klingon"),
                answer("http://charset.example/utf-16", html["c"], "text/html; charset=utf-16"),
                answer("http://large.example/", b"<title>large</title><p>" + large),
                answer("http://nested.example/", b"<div>" * 200_000 + html["a"]),
                answer("http://attributes.example/", ATTRIBUTES.encode() + html["b"]),
                answer("http://table.example/", TABLE.encode()),
                good("bodies", 1),
            ]
        ),
    }


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_crawl(tmp_path_factory.mktemp("bad") / "crawl")


@pytest.fixture(scope="module")
def ingested(crawl: Path) -> Path:
    """A workspace with a sound pool, to be copied."""
    root = crawl.parent / "ingested"
    done = run("ingest", "-w", root, "-c", crawl / "settings.toml")
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that went from ingest to finish over the hostile crawl and a sound one; all pages are collected."""
    crawl = make_crawl(tmp_path_factory.mktemp("hostile") / "crawl")
    for name, data in hostile_files().items():
        (crawl / name).write_bytes(data)
    settings = (crawl / "settings.toml").read_text()
    settings = settings.replace("keep_tokens = [4000]", "keep_share = 1.0").replace(
        'warcs = ["*.warc.gz"]', f'warcs = ["*.warc.gz", "page.warc"]\npage_seconds = {SECONDS}'
    )
    (crawl / "settings.toml").write_text(settings)
    root = crawl.parent / "ws"
    for verb in (["iterate", 1, "-c", crawl / "settings.toml"], ["finish"]):
        done = run(*verb, "-w", root)
        assert done.returncode == 0, done.stderr
    return root


def rows(root: Path, sql: str) -> list[dict[str, Any]]:
    done = run("query", sql, "-w", root, "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


# --- counted rows


def test_every_damage_of_a_file_is_a_counted_row_and_its_neighbours_are_pages(hostile: Path) -> None:
    dropped = {
        (row["warc_filename"], row["url"], row["reason"])
        for row in rows(hostile, "SELECT warc_filename, url, reason FROM dropped")
    }
    assert dropped == {
        ("corrupt.warc.gz", None, "corrupt"),
        ("empty.warc.gz", None, "empty_file"),
        ("photo.warc.gz", None, "not_warc"),
        ("page.warc", None, "not_warc"),
        ("wet.warc.gz", "http://wet.example/", "too_short"),
        ("wet.warc.gz", "http://wat.example/", "conversion"),
        ("bodies.warc.gz", "http://zero.example/", "empty_body"),
        ("bodies.warc.gz", "http://blank.example/", "empty_body"),
        ("bodies.warc.gz", "http://attributes.example/", "timeout"),
    }
    pages = {row["url"]: row for row in rows(hostile, "SELECT url, text, content_truncated FROM captures")}
    assert {url for url in pages if "://corrupt" in url} == {f"http://corrupt.example/{n}" for n in (0, 2, 3)}
    assert {url: pages[url]["content_truncated"] for url in pages if "://truncated" in url} == {
        "http://truncated.example/0": None,
        "http://truncated.example/1": None,
        "http://truncated.example/2": None,
        "http://truncated.example/3": "incomplete",
    }
    assert {"http://bodies.example/1", "http://table.example/", "http://nested.example/"} <= pages.keys()
    assert len(pages["http://large.example/"]["text"]) > 9_900_000
    assert "Größe" in pages["http://charset.example/latin"]["text"]
    for name in ("klingon", "utf-16"):
        assert re.search(r"\b(music|garden|hotel)\b", pages[f"http://charset.example/{name}"]["text"])


def test_the_same_is_told_by_status(hostile: Path) -> None:
    shown = run("status", "-w", hostile).stdout
    counts = "conversion 1, corrupt 1, empty_body 2, empty_file 1, not_warc 2, timeout 1, too_short 1"
    assert f"records that are no page: {counts}" in shown
    assert "failed: timeout 1" in shown


def test_a_collected_page_that_hangs_careful_extraction_is_a_counted_row_and_the_corpus_is_made(hostile: Path) -> None:
    (failed,) = rows(hostile, "SELECT url, reason FROM failed JOIN pages USING (page_id)")
    assert failed == {"url": "http://table.example/", "reason": "timeout"}
    (left_out,) = rows(hostile, "SELECT reason FROM not_in_corpus WHERE url = 'http://table.example/'")
    assert left_out["reason"] == "timeout"
    assert {"http://bodies.example/1", "http://large.example/"} <= {
        row["url"] for row in rows(hostile, "SELECT url FROM corpus")
    }


# --- messages


def failing(root: Path, *verb: object, code: int = 1) -> str:
    """What a verb that fails says, on standard error alone."""
    done = run(*verb, "-w", root)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    return done.stderr.removesuffix("\n").splitlines()[-1]


def workspace(root: Path, ingested: Path, crawl: Path, *changes: tuple[str, str]) -> Path:
    """A copy of the ingested workspace whose settings were changed."""
    shutil.copytree(ingested, root, dirs_exist_ok=True)
    text = (crawl / "settings.toml").read_text().replace('["', f'["{crawl}/')
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (root / "corpus.toml").write_text(text)
    return root


def test_a_file_that_cannot_be_read_is_named_before_any_work(crawl: Path, tmp_path: Path) -> None:
    (tmp_path / "dangling.warc.gz").symlink_to("gone")
    (tmp_path / "folder.warc.gz").mkdir()
    shutil.copy(crawl / "0.warc.gz", tmp_path / "locked.warc.gz")
    (tmp_path / "locked.warc.gz").chmod(0)
    for name, reason in (
        ("dangling.warc.gz", ""),  # in words that differ with the version of Python
        ("folder.warc.gz", "no file matches"),
        ("gone.warc.gz", "no file matches"),
        *([("locked.warc.gz", "cannot be read (PermissionError")] if os.geteuid() else []),
    ):
        (tmp_path / "corpus.toml").write_text(f'[pool]\nwarcs = ["{name}"]\n')
        said = failing(tmp_path, "ingest")
        assert f"{tmp_path}/{name}: {reason}" in said
        assert not (tmp_path / "pool").exists()


def test_a_workspace_that_names_no_crawl_or_no_seed_says_which_setting(
    ingested: Path, crawl: Path, tmp_path: Path
) -> None:
    (tmp_path / "corpus.toml").write_text("")
    assert "corpus.toml: pool.warcs is empty" in failing(tmp_path, "ingest")
    root = workspace(tmp_path / "ws", ingested, crawl, ("[seed]\npaths", "[negatives]\npaths"))
    assert "corpus.toml: seed.paths is empty" in failing(root, "iterate", 1)
    assert "no round is complete. Type: corpus iterate 1" in failing(root, "finish")
    assert "the corpus is not up to date. Type: corpus finish" in failing(root, "export", "x", "--train-tokenizer", 300)


def test_a_crawl_without_a_page_is_refused_with_the_reasons(tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(hostile_files()["wet.warc.gz"])
    (tmp_path / "b.warc.gz").write_bytes(b"")
    (tmp_path / "corpus.toml").write_text('[pool]\nwarcs = ["*.warc.gz"]\n')
    said = failing(tmp_path, "ingest")
    assert "not one page in 2 files: 1 too_short, 1 conversion, 1 empty_file. Are they WARC files of HTML pages" in said


SEEDS = {
    "empty": ("s.jsonl", "", "s.jsonl: not one document to learn from (they hold no rows)"),
    "empty texts": ("s.jsonl", '{"text": " "}\n', "not one document to learn from (1 empty_text)"),
    "broken": ("s.jsonl", '{"text": "x"}\n{"te', "s.jsonl, line 2: not JSON"),
    "no text": ("s.jsonl", '{"body": "x"}\n', "s.jsonl, line 1: an object with a text was expected"),
    "no kind": ("s.txt", "theorem", "s.txt: its name has none of the ends"),
    "no Parquet": ("s.parquet", "theorem", "s.parquet is not a Parquet file"),
}


@pytest.mark.parametrize("case", SEEDS)
def test_a_seed_that_is_no_use_is_named_with_the_reason(case: str, ingested: Path, crawl: Path, tmp_path: Path) -> None:
    name, text, message = SEEDS[case]
    root = workspace(tmp_path, ingested, crawl, (str(crawl / "seed.jsonl"), str(tmp_path / name)))
    (tmp_path / name).write_text(text)
    assert f"{tmp_path}/{name}" in (said := failing(root, "iterate", 1)) and message in said


def test_a_pool_that_is_all_seed_leaves_one_class(ingested: Path, crawl: Path, tmp_path: Path) -> None:
    root = workspace(tmp_path, ingested, crawl, (str(crawl / "seed.jsonl"), str(crawl / "*.warc.gz")))
    said = failing(root, "iterate", 1)
    assert (
        "no negatives to train on are left" in said
        and "negatives.paths where the pool holds nothing else than the seed" in said
    )


def test_a_seed_of_no_subject_is_refused_as_chance(ingested: Path, crawl: Path, tmp_path: Path) -> None:
    root = workspace(tmp_path, ingested, crawl, (str(crawl / "seed.jsonl"), str(tmp_path / "s.jsonl")))
    seed = [
        {"url": f"http://s{n}.example/", "text": words(["math", "other", "other"][n % 3], f"s{n}")} for n in range(90)
    ]
    (tmp_path / "s.jsonl").write_text("\n".join(map(json.dumps, seed)))
    said = failing(root, "iterate", 1)
    assert "no better than chance" in said and "Is the seed of one subject" in said


def test_a_round_that_collects_nothing_says_how_to_loosen_it(ingested: Path, crawl: Path, tmp_path: Path) -> None:
    root = workspace(tmp_path, ingested, crawl, ("[4000]", "[1]"))
    said = failing(root, "iterate", 1)
    assert "round 1 collected nothing of 96 pages, 96 of them scored" in said
    assert "keep_tokens is 1, less than the best page has" in said and f"loosen [recall] in {root}/corpus.toml" in said


ANNOTATIONS = {
    "binary": (b"\xff\xfe\x00prefix", "is not CSV in UTF-8"),
    "prose": (b"accept everything, please\nall of it\n", "line 2: columns prefix, decision"),
    "unknown decision": (
        b"prefix,decision\nx.example,maybe\n",
        "line 2: decision 'maybe' for 'x.example'; allowed: acc",
    ),
}


def test_nonsense_in_annotations_is_named_by_line_and_kept(ingested: Path, crawl: Path, tmp_path: Path) -> None:
    root = workspace(tmp_path, ingested, crawl)
    path = root / "rounds/01/annotations.csv"
    path.parent.mkdir(parents=True)
    for data, message in ANNOTATIONS.values():
        path.write_bytes(data)
        said = failing(root, "iterate", 1)
        assert str(path) in said and message in said
        assert path.read_bytes() == data  # a person's work is not overwritten
    path.unlink()
    assert run("iterate", 1, "-w", root).returncode == 0


BENCHMARKS = {
    "missing column": ("b.jsonl", '{"question": "q"}\n{"prompt": "q"}\n', "line 2 has no 'question'; it has 'prompt'"),
    "broken": ("b.jsonl", '{"question": "q"}\n{"ques', "line 2"),
    "gone": ("gone/*.jsonl", None, "gone/*.jsonl: no file matches"),
}


def test_benchmarks_that_cannot_be_read_are_named_and_empty_questions_are_counted(
    ingested: Path, crawl: Path, tmp_path: Path
) -> None:
    root = workspace(tmp_path, ingested, crawl)
    assert run("iterate", 1, "-w", root).returncode == 0
    settings = (root / "corpus.toml").read_text()
    for name, text, message in BENCHMARKS.values():
        if text is not None:
            (root / name).write_text(text)
        (root / "corpus.toml").write_text(f'{settings}[decontam]\nbenchmarks = ["{name}"]\n')
        said = failing(root, "finish")
        assert f"{root}/{name}" in said and message in said
    (root / "b.jsonl").write_text(
        '{"question": ""}\n{"question": null}\n{"question": "Two words"}\n{"question": "?"}\n'
    )
    (root / "corpus.toml").write_text(f'{settings}[decontam]\nbenchmarks = ["b.jsonl"]\n')
    assert run("finish", "-w", root).returncode == 0
    counts = json.loads(run("status", "-w", root, "--json").stdout)["corpus"]["contaminated"]
    assert (counts["n_benchmark_items"], counts["n_empty"], counts["n_unprotected"]) == (4, 3, 1)
    assert counts["n_contaminated"] == 0


@pytest.mark.parametrize("named", ["pattern", "path"])
def test_a_warc_file_that_vanished_since_the_rounds_is_named_at_finish(named: str, crawl: Path, tmp_path: Path) -> None:
    shutil.copytree(crawl, tmp_path / "crawl")
    settings = (crawl / "settings.toml").read_text()
    if named == "path":
        settings = settings.replace('"*.warc.gz"', '"0.warc.gz", "1.warc.gz"')
    (tmp_path / "crawl/settings.toml").write_text(settings)
    root = tmp_path / "ws"
    assert run("iterate", 1, "-w", root, "-c", tmp_path / "crawl/settings.toml").returncode == 0
    (tmp_path / "crawl/1.warc.gz").rename(tmp_path / "away")
    said = failing(root, "finish")
    assert "1.warc.gz" in said
    assert ("file gone: 1.warc.gz" if named == "pattern" else "no file matches") in said
    shutil.copy(tmp_path / "away", tmp_path / "crawl/2.warc.gz")  # as many files, of other names
    if named == "pattern":
        assert "file gone: 1.warc.gz; file new: 2.warc.gz" in failing(root, "finish")
    (tmp_path / "away").rename(tmp_path / "crawl/1.warc.gz")
    (tmp_path / "crawl/2.warc.gz").unlink()
    assert run("finish", "-w", root).returncode == 0


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv[1:2] = []
runpy.run_module("corpus", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("verb", "limit", "message"),
    [
        (["ingest"], 8_000, "pool/parts: .*File too large while writing below .*Free some space"),
        (["iterate", "1"], 2_000, "seed: .*File too large while writing below .*Free some space"),
        (["iterate", "1"], 400_000, "rounds/01/model: No space left on device.*Free some space"),
    ],
)
def test_a_disk_without_space_is_one_message_and_the_same_command_goes_on(
    verb: list[str], limit: int, message: str, ingested: Path, crawl: Path, tmp_path: Path
) -> None:
    """A limit on the size of a file stands in for it: writing fails in the same places."""
    changes = (("workers = 1", "workers = 2"), ("bucket = 1000", "bucket = 20000"))
    root = workspace(tmp_path / "ws", ingested, crawl, *changes)
    if verb == ["ingest"]:
        shutil.rmtree(root / "pool")
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIMITED, str(limit), *verb, "-w", str(root)],
        env=environment() | {"PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback (most recent" not in done.stderr
    assert re.search(message, done.stderr.splitlines()[-1])
    assert not (root / "rounds/01/model").exists()
    assert run(*verb, "-w", root).returncode == 0
