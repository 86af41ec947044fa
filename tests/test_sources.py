"""Files by path, pattern, folder and URL; the URLs are of a server on the loopback."""

import bz2
import errno
import gzip
import lzma
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from corpus.errors import InputError
from corpus.sources import JSON_LINES, expand, open_source, open_unpacked, read_range, stamps


class Files(BaseHTTPRequestHandler):
    """Serves a folder: byte ranges, ETag, an index page of links; notes what was asked for."""

    root: Path
    asked: list[tuple[str, str, str | None]]
    cut: int | None = None  # bytes of a body after which the connection is closed

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        wanted = self.headers.get("Range")
        self.asked.append((self.command, self.path, wanted))
        path = self.root / self.path.strip("/")
        if not path.exists():
            return self.send(404, b"", with_body)
        if path.is_dir():
            links = "".join(f'<a href="{self.path.rstrip("/")}/{p.name}">{p.name}</a>' for p in path.iterdir())
            return self.send(200, links.encode(), with_body, {"Content-Type": "text/html"})
        data = path.read_bytes()
        headers = {"Accept-Ranges": "bytes", "ETag": f'"{len(data)}-{sum(data)}"'}
        if wanted and (found := re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)):
            first, last = int(found[1]), min(int(found[2] or len(data)), len(data) - 1)
            if first >= len(data):
                return self.send(416, b"", with_body)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            return self.send(206, data[first : last + 1], with_body, headers)
        return self.send(200, data, with_body, headers)

    def send(self, status: int, body: bytes, with_body: bool, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body if self.cut is None else body[: self.cut])

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(
    root: Path, cut: int | None = None, handler: type[Files] = Files
) -> Iterator[tuple[str, list[tuple[str, str, str | None]]]]:
    """The server's address, and what it was asked for."""
    handler = type("Handler", (handler,), {"root": root, "asked": [], "cut": cut})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", handler.asked
        finally:
            server.shutdown()
            thread.join()


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


# --- names


def test_a_pattern_is_a_path_a_glob_or_a_folder_and_relative_ones_count_from_the_base(tmp_path: Path) -> None:
    touch(tmp_path, "a.warc", "b.warc.gz", "sub/c.warc.gz", "sub/deep/d.arc", "sub/notes.txt", "sub/e.jsonl")
    at = str(tmp_path)
    assert expand(["a.warc"], tmp_path) == {"a.warc": f"{at}/a.warc"}
    assert expand([f"{at}/a.warc"], Path("/elsewhere")) == {"a.warc": f"{at}/a.warc"}
    assert list(expand(["*.warc*"], tmp_path)) == ["a.warc", "b.warc.gz"]
    assert list(expand(["**/*.gz"], tmp_path)) == ["b.warc.gz", "c.warc.gz"]
    assert list(expand(["sub"], tmp_path)) == ["c.warc.gz", "d.arc"]  # by the end of the name
    assert list(expand(["sub"], tmp_path, JSON_LINES)) == ["e.jsonl"]
    assert list(expand(["sub/notes.txt"], tmp_path)) == ["notes.txt"]  # what is named is taken
    assert list(expand(["a.warc", "*.warc", "."], tmp_path)) == ["a.warc", "b.warc.gz", "c.warc.gz", "d.arc"]  # once


def test_a_path_with_the_characters_of_a_pattern_is_a_path_where_it_exists(tmp_path: Path) -> None:
    touch(tmp_path, "a[1].warc", "a1.warc")
    assert list(expand(["a[1].warc"], tmp_path)) == ["a[1].warc"]


def test_names_are_the_shortest_that_tell_all_files_apart_and_do_not_depend_on_where_they_lie(tmp_path: Path) -> None:
    for root in ("here", "there/deeper"):
        touch(tmp_path / root, "1/x.warc", "2/x.warc", "2/y.warc")
        assert list(expand(["**/*.warc"], tmp_path / root)) == ["1/x.warc", "2/x.warc", "2/y.warc"]
    assert next(iter(expand(["**/*.warc"], tmp_path))) == "deeper/1/x.warc"


@pytest.mark.parametrize("pattern", ["gone.warc", "*.warc", "empty", "no/such/**"])
def test_a_pattern_that_matches_nothing_is_named(pattern: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=re.escape(f"{pattern}: no file matches")):
        expand([pattern], tmp_path)


def test_a_dangling_link_is_named_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "a.warc").symlink_to(tmp_path / "gone")
    with pytest.raises(InputError, match=r"a\.warc: cannot be read \(FileNotFoundError"):
        expand(["*.warc"], tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_the_right_to_read_is_named_before_any_work(tmp_path: Path) -> None:
    touch(tmp_path, "a.warc")
    (tmp_path / "a.warc").chmod(0)
    with pytest.raises(InputError, match=r"a\.warc: cannot be read \(PermissionError"):
        expand(["a.warc"], tmp_path)


def test_stamps_change_with_a_file_and_not_with_its_folder(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.warc", "one/b.warc")
    before = stamps(["one"], tmp_path)
    assert set(before) == {"a.warc", "b.warc"}
    (tmp_path / "one").rename(tmp_path / "two")
    assert stamps(["two"], tmp_path) == before
    (tmp_path / "two/a.warc").write_bytes(b"longer than before")
    after = stamps(["two"], tmp_path)
    assert after["a.warc"] != before["a.warc"] and after["b.warc"] == before["b.warc"]
    assert set(stamps(["two"], tmp_path, role="negative ")) == {"negative a.warc", "negative b.warc"}


# --- opening


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress),
                                              (".xz", lzma.compress)])  # fmt: skip
def test_a_file_is_unpacked_by_the_end_of_its_name(suffix: str, pack: object, tmp_path: Path) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack(b"one\ntwo\n"))  # type: ignore[operator]
    with open_unpacked(str(path)) as file:
        assert list(file) == [b"one\n", b"two\n"]


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
@pytest.mark.parametrize("damage", ["truncated", "other"])
def test_a_packed_file_that_cannot_be_unpacked_is_named(suffix: str, pack: object, damage: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    data = pack(os.urandom(1000))  # type: ignore[operator]
    path.write_bytes(data[:500] if damage == "truncated" else b"no packed data")
    with pytest.raises(InputError, match=re.escape(f"{path}: cannot be read")), open_unpacked(str(path)) as file:
        file.read()


def test_a_disk_that_fails_half_way_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def read(self, size: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

        def __enter__(self) -> "Failing":
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(Path, "open", lambda *_: Failing())
    with (
        pytest.raises(InputError, match=r"/a\.warc: cannot be read \(OSError.*Input/output error"),
        open_source("/a.warc") as file,
    ):
        file.read(10)


def test_a_range_ends_where_the_file_does(tmp_path: Path) -> None:
    touch(tmp_path, "0123456789")
    assert read_range(f"{tmp_path}/0123456789", 2, 3) == b"234"
    assert read_range(f"{tmp_path}/0123456789", 8, 30) == b"89"
    assert read_range(f"{tmp_path}/0123456789", 20, 1) == b""
    with pytest.raises(InputError, match=r"gone: cannot be read"):
        read_range(f"{tmp_path}/gone", 0, 1)


# --- URLs


def test_urls_are_read_forward_and_by_range(tmp_path: Path) -> None:
    (tmp_path / "a.warc").write_bytes(bytes(range(256)) * 100)
    with served(tmp_path) as (address, asked):
        url = f"{address}/a.warc"
        assert expand([url]) == {"a.warc": url}
        with open_source(url) as file:
            assert file.read(5) == bytes(range(5))
            assert file.read() == (bytes(range(256)) * 100)[5:]
        asked.clear()
        assert read_range(url, 256 + 7, 3) == bytes([7, 8, 9])
        assert [(verb, wanted) for verb, _, wanted in asked] == [("GET", "bytes=263-265")]


def test_a_packed_url_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    with served(tmp_path) as (address, _), open_unpacked(f"{address}/a.jsonl.gz") as file:
        assert list(file) == [b"one\n", b"two\n"]


def test_an_index_page_is_searched_by_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "crawl/a.warc.gz", "crawl/b.warc.gz", "crawl/c.txt")
    with served(tmp_path) as (address, _):
        assert expand([f"{address}/crawl/*.warc.gz"]) == {
            name: f"{address}/crawl/{name}" for name in ("a.warc.gz", "b.warc.gz")
        }


def test_the_stamp_of_a_url_is_its_size_and_etag(tmp_path: Path) -> None:
    touch(tmp_path, "a.warc")
    with served(tmp_path) as (address, _):
        first = stamps([f"{address}/a.warc"], Path())
        assert "size 6" in first["a.warc"] and "ETag" in first["a.warc"]
        assert stamps([f"{address}/a.warc"], Path()) == first
        (tmp_path / "a.warc").write_bytes(b"a.warb")
        assert stamps([f"{address}/a.warc"], Path()) != first


def test_a_url_that_is_not_there_is_named(tmp_path: Path) -> None:
    with served(tmp_path) as (address, _):
        url = f"{address}/gone.warc"
        with pytest.raises(InputError, match=re.escape(f"{url}: no file matches")):
            expand([url])
        for read in (lambda: read_range(url, 0, 1), lambda: open_source(url).__enter__()):
            with pytest.raises(InputError, match=re.escape(f"{url}: cannot be read (FileNotFoundError")):
                read()
    for read in (lambda: read_range(url, 0, 1), lambda: open_source(url).__enter__()):  # nobody listens any more
        with pytest.raises(InputError, match=re.escape(f"{url}: cannot be read (")):
            read()


def test_a_connection_that_breaks_half_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.warc").write_bytes(bytes(50_000))
    with served(tmp_path, cut=1_000) as (address, _):
        url = f"{address}/a.warc"
        with pytest.raises(InputError, match=re.escape(f"{url}: cannot be read (")), open_source(url) as file:
            while file.read(10_000):
                pass
        with pytest.raises(InputError, match=re.escape(f"{url}: cannot be read (")):
            read_range(url, 0, 20_000)


def test_an_unknown_scheme_is_named() -> None:
    for read in (
        lambda url: expand([url]),
        lambda url: read_range(url, 0, 1),
        lambda url: open_source(url).__enter__(),
    ):
        with pytest.raises(InputError, match=r"gopher://x/a\.warc: cannot be read \(ValueError: Protocol not known"):
            read("gopher://x/a.warc")
