"""WARC files to a pool of unique pages: one task a file, then one a part."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from corpus.config import Pool, Settings, Unique
from corpus.dedup import MinHash, find_duplicates, sign_part, write_kept
from corpus.errors import InputError, StageError
from corpus.pool import ingest_part
from corpus.schema import REMOVED
from corpus.sources import expand, stamps
from corpus.tables import read_rows, write_table
from corpus.workspace import FanOut, Workspace, build_parts, part, parts


def ingest(workspace: Workspace, settings: Settings, fan_out: FanOut) -> None:
    """Bring pool/parts, pool/signatures and pool/unique up to date.

    Raises InputError where no WARC file is named or one cannot be read, StageError where not one page is in them.
    """
    if not settings.pool.warcs:
        raise InputError(f"{workspace.settings_path}: pool.warcs is empty. Name WARC files, folders or globs.")
    sources = expand(settings.pool.warcs, workspace.root)

    def build(directory: Path) -> dict[str, Any]:
        task = partial(ingest_rank, list(sources.items()), settings.pool, directory)
        build_parts(fan_out, task, len(sources), directory)
        dropped: Counter[str] = Counter()
        for path in parts(directory, "dropped"):
            dropped.update(row["reason"] for row in read_rows(path, ["reason"]))
        n_pages = count_rows(parts(directory))
        if not n_pages:
            reasons = ", ".join(f"{n} {reason}" for reason, n in dropped.most_common()) or "no records"
            raise StageError(
                f"not one page in {len(sources)} files: {reasons}. Are they WARC files of HTML pages, and do "
                "pool.languages and pool.min_chars let them in?"
            )
        truncated: Counter[str] = Counter()
        for path in parts(directory):
            truncated.update(filter(None, (row["content_truncated"] for row in read_rows(path, ["content_truncated"]))))
        return {
            "n_files": len(sources),
            "n_pages": n_pages,
            "dropped": dict(sorted(dropped.items())),
            "truncated": dict(sorted(truncated.items())),
        }

    workspace.run(
        "pool/parts",
        build,
        settings=settings.pool.model_dump(exclude={"warcs"}),
        files=stamps(settings.pool.warcs, workspace.root),
    )
    remove_duplicates(
        workspace, settings.unique, fan_out, pages="pool/parts", signatures="pool/signatures", unique="pool/unique"
    )


def ingest_rank(sources: Sequence[tuple[str, str]], limits: Pool, directory: Path, rank: int) -> None:
    """One WARC file to one pool part."""
    name, source = sources[rank]
    ingest_part(source, name, rank, directory, limits)


def remove_duplicates(
    workspace: Workspace, rule: Unique, fan_out: FanOut, *, pages: str, signatures: str, unique: str
) -> None:
    """Bring the stages `signatures` and `unique` over the stage `pages` up to date."""
    minhash = MinHash(**rule.model_dump(exclude={"near"}))
    sources = workspace.path(pages)

    def sign(directory: Path) -> Mapping[str, Any]:
        build_parts(fan_out, partial(sign_rank, sources, minhash, directory), len(parts(sources)), directory)
        return {"n_pages": count_rows(parts(directory))}

    def find(directory: Path) -> Mapping[str, Any]:
        signed = parts(workspace.path(signatures))
        removed = find_duplicates(parts(sources), signed, minhash, near=rule.near, scratch=directory)
        write_table(directory / "removed.parquet", removed, REMOVED)
        for rank, source in enumerate(parts(sources)):
            write_kept(source, removed, part(directory, rank, "kept"))
        kinds = Counter(removed["kind"].to_pylist())
        return {"n_pages": count_rows(parts(directory, "kept")), "removed": dict(sorted(kinds.items()))}

    workspace.run(signatures, sign, settings=rule.model_dump(exclude={"near", "threshold"}), inputs=[pages])
    workspace.run(unique, find, settings=rule.model_dump(), inputs=[pages, signatures])


def sign_rank(pages: Path, minhash: MinHash, directory: Path, rank: int) -> None:
    """Signatures of one part."""
    sign_part(part(pages, rank), None, part(directory, rank), minhash)


def count_rows(paths: Sequence[Path]) -> int:
    """Rows of Parquet files, from their footers."""
    return sum(pq.read_metadata(path).num_rows for path in paths)
