"""A removed document and the one kept for it, side by side."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.comparison import jaccard
from corpus.documents import ids
from corpus.errors import InputError
from corpus.signatures import documents
from corpus.sources import PARQUET, expand
from corpus.stages import parts
from corpus.text import cut, shingle_hashes
from corpus.workspace import Workspace

MAX_LINES = 2_000  # of each text that are laid side by side


def shown_pair(
    document: str, *, workspace: Path | None, inputs: Sequence[str], output: Path | None, ngram: int
) -> dict[str, Any]:
    """What became of a document: id, kept_id, kind, jaccard (measured again), ngram, and lines.

    workspace: look in its corpus, then in its pool; else in `output`, which was made of `inputs`.
    lines: (sign, line) of a comparison: " " in both, "-" removed alone, "+" kept alone.

    Raises InputError where the document was not removed, or a text is not where it was.
    """
    places = _places(workspace, inputs, output)
    found = [
        (row, sources)
        for removed, sources, name in places
        for row in pq.read_table(removed, filters=pc.field(name) == document).to_pylist()
    ]
    if not found:
        raise InputError(f"{document} was not removed as a duplicate there. corpus query duplicates lists what was.")
    row, sources = found[0]
    texts = _texts(sources, {document, row["kept_id"]})
    if missing := {document, row["kept_id"]} - texts.keys():
        raise InputError(f"{', '.join(sorted(missing))} is in none of the files. With --output, name the inputs too.")
    # Of one URL both captures have one id: the last one read stands for both.
    one, other = texts[document], texts[row["kept_id"]]
    sets = [shingle_hashes(cut(text).hashes, ngram) for text in (one, other)]
    left, right = (text.splitlines()[:MAX_LINES] for text in (one, other))
    return {
        "id": document,
        "kept_id": row["kept_id"],
        "kind": row["kind"],
        "jaccard": jaccard(*sets) if all(map(len, sets)) else None,
        "ngram": ngram,
        "lines": _side_by_side(left, right),
    }


def _side_by_side(left: Sequence[str], right: Sequence[str]) -> list[tuple[str, str]]:
    """By whole lines: difflib.ndiff compares those that differ each with each, an hour for 2,000 of them."""
    lines: list[tuple[str, str]] = []
    for kind, start, stop, begin, end in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += [(" ", line) for line in left[start:stop]]
        else:
            lines += [("-", line) for line in left[start:stop]] + [("+", line) for line in right[begin:end]]
    return lines


def _places(workspace: Path | None, inputs: Sequence[str], output: Path | None) -> list[tuple[Path, list[Path], str]]:
    """(table of what was removed, files of the texts, column of ids), where to look first."""
    if workspace is not None:
        opened = Workspace(workspace)
        # What was signed are texts without boilerplate, where there are such.
        finish = "finish/boilerplate" if parts(opened.path("finish/boilerplate")) else "finish/extracted"
        stages = (("finish/unique", finish), ("pool/unique", "pool/parts"))
        found = [(opened.path(unique) / "removed.parquet", parts(opened.path(of)), "page_id") for unique, of in stages]
        return [place for place in found if place[0].is_file()]
    if output is None or not (output / "removed.parquet").is_file():
        raise InputError("name a workspace (-w WS), or what was deduplicated: corpus dedup INPUT... -o DIR --show ID")
    sources = [Path(source) for source in expand(inputs, Path.cwd(), PARQUET).values()] if inputs else []
    return [(output / "removed.parquet", [*sources, *parts(output)], "id")]


def _texts(sources: Sequence[Path], wanted: set[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for source in sources:
        first = 0
        for batch in documents(source):
            for row, found in enumerate(ids(batch, first, source.name).to_pylist()):
                if found in wanted:
                    texts[found] = batch["text"][row].as_py() or ""
            first += len(batch)
        if texts.keys() >= wanted:
            break
    return texts
