"""`corpus extract`: pages that a person names, by path, pattern, address or standard input."""

import gzip
import json
import subprocess
from pathlib import Path

import pytest
from test_cli import command, environment
from test_sources import served

from corpus import files
from corpus.config import Pool
from corpus.errors import InputError
from corpus.files import extract_files

PROSE = "Every bounded sequence of real numbers has a convergent subsequence, as one sees by halving intervals. "
HTML = f"<title>T</title><main><h1>Head</h1><p>{PROSE}Let \\(x^2\\) and <math><mi>y</mi></math>.</p><p>{PROSE}</main>"


def run(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("extract", *arguments), env=environment(), input=stdin, capture_output=True, text=True, timeout=100
    )


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(HTML)
    return path


def test_a_row_tells_text_formulas_kinds_and_the_path_that_was_taken(page: Path) -> None:
    (row,) = extract_files([str(page)])
    assert (row["path"], row["n_formulas"], row["n_kept"]) == (str(page), 2, 2)
    assert "Let $x^2$ and $y$." in row["text"]
    assert row["kinds"] == {"text": 1, "mathml_bare": 1}
    assert row["extractor"].startswith("trafilatura-fast/")
    assert row["why"] == "trafilatura-fast kept 2 of 2 formulas"


def test_cheap_text_and_markdown_are_asked_for(page: Path) -> None:
    (cheap,) = extract_files([str(page)], cheap=True)
    assert "Let \\(x^2\\) and $y$." in cheap["text"]
    assert (cheap["extractor"], cheap["kinds"]) == ("cheap", {"mathml_bare": 1, "text": 1})
    (markdown,) = extract_files([str(page)], format="markdown")
    assert markdown["text"].startswith("# Head")


def test_pages_come_in_the_order_in_which_they_were_named(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    for name in ("b.htm", "a.html", "c.txt"):
        (folder / name).write_text(HTML)
    (folder / "d.html.gz").write_bytes(gzip.compress(HTML.encode()))
    rows = list(extract_files([str(page), str(folder), "-", str(folder / "*.txt")], HTML.encode()))
    names = ["page.html", "a.html", "b.htm", "d.html.gz", "-", "c.txt"]
    assert [Path(row["path"]).name for row in rows] == names
    assert len({row["text"] for row in rows}) == 1


def test_a_page_that_cannot_be_read_says_why_and_the_others_go_on(page: Path, tmp_path: Path) -> None:
    (tmp_path / "image.html").write_bytes(b"\x89PNG\r\n" + bytes(100))
    (tmp_path / "cut.html.gz").write_bytes(gzip.compress(HTML.encode() * 50)[:40])
    gone = "http://127.0.0.1:9/gone"
    rows = list(extract_files([str(tmp_path / "image.html"), gone, str(tmp_path / "cut.html.gz"), str(page)]))
    assert "binary" in rows[0]["error"]
    assert gone in rows[1]["error"]
    assert "cut.html.gz" in rows[2]["error"]
    assert rows[3]["n_kept"] == 2


def test_a_page_that_takes_too_long_is_a_row_of_its_own(page: Path, tmp_path: Path) -> None:
    (tmp_path / "slow.html").write_text("<p>word word word</p>" * 200_000)  # some seconds
    limits = Pool(page_seconds=1)
    rows = list(extract_files([str(tmp_path / "slow.html"), str(page)], limits=limits))
    assert rows[0] == {"path": str(tmp_path / "slow.html"), "error": "timeout"}
    assert rows[1]["n_kept"] == 2


def test_a_path_that_names_nothing_is_an_error_before_any_page(page: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.html: no file matches"):
        list(extract_files([str(page), str(tmp_path / "gone.html")]))


def test_an_address_is_read(page: Path) -> None:
    with served(page.parent) as (address, _):
        (row,) = extract_files([f"{address}/page.html"])
    assert (row["path"], row["n_kept"]) == (f"{address}/page.html", 2)


def test_the_verb_prints_a_page_for_people_and_a_line_of_json_for_scripts(page: Path) -> None:
    shown = run(page)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(
        f"==> {page}\nformulas   2 of 2 kept (text 1, mathml_bare 1)\nextractor  trafilatura-fast/"
    )
    lines = run("-", page, "--json", stdin=HTML).stdout.splitlines()
    assert [json.loads(line)["path"] for line in lines] == ["-", str(page)]
    assert set(json.loads(lines[0])) == {"path", "text", "n_formulas", "n_kept", "kinds", "extractor", "why"}


def test_the_verb_fails_where_a_page_does_and_still_prints_the_others(page: Path, tmp_path: Path) -> None:
    (tmp_path / "image.html").write_bytes(b"\x89PNG\r\n")
    done = run(tmp_path / "image.html", page, "--json")
    assert done.returncode == 1
    assert [("error" in json.loads(line)) for line in done.stdout.splitlines()] == [True, False]
    assert "1 of the pages could not be extracted" in done.stderr
    assert run(page, "--cheap", "--markdown").returncode == 2


def test_a_page_that_arrives_in_pieces_is_read_to_its_end(page: Path) -> None:
    """Without Content-Length a read gives what is there."""
    data = page.read_bytes()
    pieces = [data[:100], data[100:101], data[101:], b""]

    class Stream:
        def read(self, _: int) -> bytes:
            return pieces.pop(0)

    assert files._read(Stream(), 10_000) == data  # type: ignore[arg-type]
    pieces[:] = [data[:100], data[100:], b""]
    assert len(files._read(Stream(), 150)) >= 150  # type: ignore[arg-type]


def test_random_bytes_are_no_page(tmp_path: Path) -> None:
    path = tmp_path / "noise.html"
    path.write_bytes(bytes(range(1, 256)) * 10)
    (row,) = extract_files([str(path)])
    assert "binary" in row["error"]
