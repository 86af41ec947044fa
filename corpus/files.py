"""Outside files, local or anything that fsspec opens: their stamps and their bytes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import fsspec

from corpus.errors import InputError
from corpus.sources import expand


@contextmanager
def open_file(source: str) -> Iterator[IO[bytes]]:
    """The decompressed bytes of a path or URL (.gz, .bz2, .xz by name).

    Raises InputError, naming it, where it cannot be read.
    """
    try:
        with fsspec.open(source, "rb", compression=None if source.endswith(".parquet") else "infer") as file:
            yield file
    except (OSError, EOFError) as error:
        raise InputError(f"{source}: cannot be read ({error})") from error


def stamps(patterns: Sequence[str], base: Path, role: str = "") -> dict[str, str]:
    """What tells a version of each file from another, by name: size and time, or what a remote store has.

    Names are those of `expand`, so that a moved folder keeps its stamps. `role` sets apart files
    that serve another end.
    """
    return {f"{role}:{name}" if role else name: _stamp(source) for name, source in expand(patterns, base).items()}


def _stamp(source: str) -> str:
    if "://" not in source:
        stat = Path(source).stat()
        return f"{stat.st_size} bytes, {stat.st_mtime_ns} ns"
    filesystem, path = fsspec.url_to_fs(source)
    info: dict[str, Any] = filesystem.info(path)
    known = {
        key: str(info[key]) for key in ("size", "ETag", "etag", "mtime", "LastModified", "blob_id") if info.get(key)
    }
    return ", ".join(f"{key} {value}" for key, value in sorted(known.items())) or "unknown"
