"""Files that a person names, by path, pattern, directory or URL, and how to open them."""

import bz2
import glob
import gzip
import io
import lzma
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast

import fsspec

from corpus.errors import InputError

# What a directory is searched for. WET files are named by a pattern: beside WARC files they hold each page once more.
WARCS = (".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz")
WETS = (".warc.wet", ".warc.wet.gz")  # texts of pages; in a folder that holds the pages too they are left out
JSON_LINES = (".jsonl", ".json", ".jsonl.gz", ".json.gz", ".jsonl.bz2", ".jsonl.xz")
PARQUET = (".parquet",)
PACKED: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
REMOTE_BLOCK_BYTES = 4 << 20
# fsspec's file systems raise what their libraries raise: aiohttp's ClientPayloadError, say, is no OSError. A missing
# library is an ImportError, an unknown scheme a ValueError.
UNREADABLE = Exception


def expand(patterns: Sequence[str], base: Path = Path(), suffixes: tuple[str, ...] = WARCS) -> dict[str, str]:
    """{warc_filename: path or URL} of every file that the patterns name, sorted by name.

    A pattern is a path (a relative one counts from `base`), a glob (`**` too), a directory
    (searched through, for files with one of `suffixes`) or a URL that fsspec opens, with a
    glob or directory in it where its file system can list. warc_filename is the shortest
    trailing path, of as many components for each file, that tells them all apart.

    Raises InputError, naming the pattern, where it matches nothing or a file cannot be read.
    """
    found = {file for pattern in patterns for file in _matches(pattern, base, suffixes)}
    parts = {file: PurePosixPath(file.partition("://")[2] or file).parts for file in found}
    for n_parts in range(1, max(map(len, parts.values()), default=0) + 1):
        names = {"/".join(own[-n_parts:]).replace("//", "/"): file for file, own in parts.items()}
        if len(names) == len(found):
            return dict(sorted(names.items()))
    return {file: file for file in sorted(found)}


@contextmanager
def open_source(source: str) -> Iterator[BinaryIO]:
    """A file or URL opened for reading forward; InputError, naming it, where it cannot be opened or read."""
    try:
        if "://" in source:
            opened: Any = fsspec.open(source, "rb", block_size=REMOTE_BLOCK_BYTES, cache_type="readahead").open()
        else:
            opened = Path(source).open("rb")  # noqa: SIM115 - closed below, where its own errors differ from these
    except UNREADABLE as error:
        raise _unreadable(source, error) from error
    with opened:
        yield cast(BinaryIO, _Readable(opened, source))


@contextmanager
def open_unpacked(source: str) -> Iterator[IO[bytes]]:
    """Like `open_source`, decompressed by the name's end: .gz, .bz2, .xz."""
    with open_source(source) as packed:
        try:
            opened = next((kind for suffix, kind in PACKED.items() if source.endswith(suffix)), None)
            yield opened(packed) if opened else packed
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise _unreadable(source, error) from error


def stamps(patterns: Sequence[str], base: Path, suffixes: tuple[str, ...] = WARCS, role: str = "") -> dict[str, str]:
    """What tells one version of a file from another, by name: size and time, or what a remote store has.

    Names are those of `expand`, so that a folder that moved keeps its stamps. `role` sets apart
    files that serve another end.
    """
    return {f"{role}{name}": _stamp(source) for name, source in expand(patterns, base, suffixes).items()}


def read_range(source: str, offset: int, length: int) -> bytes:
    """`length` bytes from `offset`, fewer where the file ends before; one range request of a URL."""
    if "://" not in source:
        with open_source(source) as file:
            file.seek(offset)
            return file.read(length)
    try:
        system, path = fsspec.core.url_to_fs(source)
        return bytes(system.cat_file(path, start=offset, end=offset + length))
    except UNREADABLE as error:
        raise _unreadable(source, error) from error


class _Readable(io.RawIOBase):
    """A file whose errors name it: a disk or network that fails half-way is an InputError too."""

    def __init__(self, file: Any, source: str) -> None:
        self._file, self._source = file, source

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def read(self, size: int = -1, /) -> bytes:
        try:
            return bytes(self._file.read(size))
        except UNREADABLE as error:
            raise _unreadable(self._source, error) from error

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return int(self._file.seek(offset, whence))


def _matches(pattern: str, base: Path, suffixes: tuple[str, ...]) -> list[str]:
    files = (
        _remote_matches(pattern, suffixes)
        if "://" in pattern
        else _local_matches(str(base.absolute() / pattern), suffixes)
    )
    if not files:
        raise InputError(f"{pattern}: no file matches. Correct the path, relative to {base}, or the pattern.")
    return files


def _local_matches(pattern: str, suffixes: tuple[str, ...]) -> list[str]:
    root = Path(pattern).anchor
    named = [Path(pattern)] if Path(pattern).exists() else Path(root).glob(pattern.removeprefix(root))
    files: list[str] = []
    for path in named:
        if path.is_dir():
            within = [file for file in path.rglob("*") if file.is_file()]
            fitting = [str(file) for file in within if file.name.endswith(suffixes)]
            files += fitting or [str(file) for file in within if suffixes == WARCS and file.name.endswith(WETS)]
        else:
            files.append(str(path))
    for file in files:
        with open_source(file):
            pass
    return files


def _remote_matches(pattern: str, suffixes: tuple[str, ...]) -> list[str]:
    try:
        system, path = fsspec.core.url_to_fs(pattern)
        if glob.has_magic(path):
            named = [name for name in system.glob(path) if not system.isdir(name)]
        elif system.isdir(path) and not path.endswith(suffixes):
            named = [name for name in system.find(path) if name.endswith(suffixes)]
        elif system.exists(path):
            return [pattern]
        else:
            named = []
    except UNREADABLE as error:
        raise _unreadable(pattern, error) from error
    return [str(system.unstrip_protocol(name)) for name in named]


def _unreadable(source: str, error: BaseException) -> InputError:
    return InputError(
        f"{source}: cannot be read ({type(error).__name__}: {error}). "
        + ('pip install "corpus[s3]"' if "s3fs" in str(error) else "Check the path and the rights on it.")
    )


def _stamp(source: str) -> str:
    if "://" not in source:
        stat = Path(source).stat()
        return f"{stat.st_size} bytes, {stat.st_mtime_ns} ns"
    try:
        system, path = fsspec.core.url_to_fs(source)
        info = system.info(path)
    except UNREADABLE as error:
        raise _unreadable(source, error) from error
    known = {key: info[key] for key in ("size", "ETag", "etag", "mtime", "LastModified", "blob_id") if info.get(key)}
    return ", ".join(f"{key} {value}" for key, value in sorted(known.items())) or "unknown"
