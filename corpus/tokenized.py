"""Tokenized exports: reading both formats back, and proof that nothing was lost.

    ds         shard-00000.ds (token ids), shard-00000.ds.index (where each document ends, in tokens)
    megatron   shard-00000.bin (token ids), shard-00000.idx (lengths and byte offsets)

Every document ends with the end-of-document token. `pipelines/export.py` writes the files.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash
from tokenizers import Tokenizer

from corpus.errors import WorkspaceError
from corpus.shards import corpus_shards, texts
from corpus.tokenizer import load_tokenizer

DESCRIPTION = "export.json"  # beside the manifest.json of the stage
N_EXAMPLES = 20
# A tokenizer that gives this back is taken to give every text back.
PROBE = "  Two  spaces,\ttab,\r\nlines\n\n; e\u0301 \ufb01 \u2211 \U0001d53d \u4e2d Caf\u00e9 x^{2} n't . , " + "".join(
    map(chr, range(32, 127))
)

# What a README shows: numpy reads document 7 of a shard.
LOADING = {
    "ds": """\
tokens = np.memmap("shard-00000.ds", dtype="<u2", mode="r")  # "dtype" in export.json: <u4 above 65,536 tokens
ends = np.fromfile("shard-00000.ds.index", dtype="<u8").astype(np.int64)
starts = np.concatenate([[0], ends[:-1]])
document = tokens[starts[7] : ends[7]]
""",
    "megatron": """\
tokens = np.memmap("shard-00000.bin", dtype="<u2", mode="r")  # "dtype" in export.json: <i4 above 65,536 tokens
n = int(np.fromfile("shard-00000.idx", dtype="<u8", count=1, offset=18)[0])
starts = np.fromfile("shard-00000.idx", dtype="<i8", count=n, offset=34 + 4 * n) // tokens.itemsize
document = tokens[starts[7] : starts[7] + np.fromfile("shard-00000.idx", dtype="<i4", count=n, offset=34)[7]]
""",
}


@dataclass(frozen=True)
class Verification:
    """What reading an export back found; it is right when n_mismatches is 0."""

    n_documents: int
    n_tokens: int
    n_mismatches: int
    mismatches: tuple[str, ...]  # the first of them, in words
    exact: bool  # False: the tokenizer changes texts, so they were compared with decode(encode(text))


def token_bytes(vocabulary: int) -> int:
    """Bytes of a stored id: 2 up to 65,536 tokens, else 4."""
    return 2 if vocabulary <= 1 << 16 else 4


def dtype_of(layout: str, vocabulary: int) -> str:
    """How numpy reads the ids; Megatron knows no unsigned 32-bit ids."""
    if token_bytes(vocabulary) == 2:
        return "<u2"
    return "<u4" if layout == "ds" else "<i4"


def read_ds(path: Path, dtype: str) -> Iterator[npt.NDArray[Any]]:
    """Token ids of each document of a .ds file, with its end-of-document token."""
    ends = np.fromfile(path.with_name(f"{path.name}.index"), dtype="<u8").astype(np.int64)
    yield from _documents(path, dtype, np.concatenate([np.zeros(1, np.int64), ends])[:-1], ends)


def read_megatron(path: Path, dtype: str) -> Iterator[npt.NDArray[Any]]:
    """Token ids of each document of a .bin file, by the .idx beside it.

    Layout, little-endian: 9 bytes of magic, version u64, dtype code u8 (4: int32, 8: uint16), n u64, n + 1 u64,
    n lengths i32, n byte offsets i64, n + 1 document indices i64. Source: Megatron-LM,
    megatron/core/datasets/indexed_dataset.py.
    Raises WorkspaceError if the header is another.
    """
    index = path.with_suffix(".idx")
    data = index.read_bytes()
    n = int.from_bytes(data[18:26], "little")
    code = {"<u2": 8, "<i4": 4}[dtype]
    header = b"MMIDIDX\x00\x00" + (1).to_bytes(8, "little") + bytes([code])
    if data[:18] != header or len(data) != 42 + 20 * n or int.from_bytes(data[26:34], "little") != n + 1:
        raise WorkspaceError(f"{index} is not a whole Megatron index of {dtype} ids: export again")
    if not np.array_equal(np.frombuffer(data, "<i8", n + 1, 34 + 12 * n), np.arange(n + 1)):
        raise WorkspaceError(f"{index} does not hold one sequence a document: export again")
    lengths = np.frombuffer(data, "<i4", n, 34).astype(np.int64)
    starts = np.frombuffer(data, "<i8", n, 34 + 4 * n) // np.dtype(dtype).itemsize
    yield from _documents(path, dtype, starts, starts + lengths)


def _documents(
    path: Path, dtype: str, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> Iterator[npt.NDArray[Any]]:
    size = path.stat().st_size
    if size != (int(ends[-1]) if len(ends) else 0) * np.dtype(dtype).itemsize:
        raise WorkspaceError(f"{path} has {size} bytes, its index says otherwise: export again")
    tokens = np.memmap(path, dtype=dtype, mode="r") if size else np.empty(0, dtype)
    for start, end in zip(starts, ends, strict=True):
        yield np.asarray(tokens[start:end])


def verify(export_dir: Path, corpus_dir: Path) -> Verification:
    """Read every document of an export back, decode it, and match it with the corpus one to one.

    Right is: each page's text is the text of one document of its own, which ends with its
    only end-of-document token. A document with a wrong text counts once. Texts are matched
    by their xxh3_128, 16 bytes of memory each.
    Raises WorkspaceError if a file of the export is missing, or is not what its index says.
    """
    path = export_dir / DESCRIPTION
    if not path.exists():
        raise WorkspaceError(f"{export_dir} is not a whole export: it has no {DESCRIPTION}; export again")
    export: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    tokenizer = load_tokenizer(export_dir / "tokenizer.json")
    read = {"ds": read_ds, "megatron": read_megatron}[export["format"]]
    eos = export["eos"]["id"]
    exact = _round_trip(tokenizer, PROBE) == PROBE
    documents, pages, n_tokens = _Digests(), _Digests(), 0
    ill_ended: list[str] = []
    for shard in export["shards"]:
        for file in shard["files"]:
            if not (export_dir / file).exists():
                raise WorkspaceError(f"{export_dir / file} is gone, but {DESCRIPTION} lists it: export again")
        for number, ids in enumerate(read(export_dir / shard["files"][0], export["dtype"])):
            n_tokens += len(ids)
            if np.flatnonzero(ids == eos).tolist() != [len(ids) - 1]:
                name = f"document {number} of {shard['files'][0]}"
                ill_ended.append(f"{name} does not end with its only {export['eos']['token']}")
            documents.add(tokenizer.decode(ids[:-1].tolist(), skip_special_tokens=False))
        documents.end(shard["files"][0])
    for path in corpus_shards(corpus_dir):
        for text in texts(path):
            pages.add(text if exact else _round_trip(tokenizer, text))
        pages.end(path.name)
    surplus = _unmatched(documents.values(), pages.values())
    missing = _unmatched(pages.values(), documents.values())
    named = [f"page {pages.place(row)} has no document" for row in missing[:N_EXAMPLES].tolist()]
    named += [f"document {documents.place(row)} is no page of the corpus" for row in surplus[:N_EXAMPLES].tolist()]
    return Verification(
        n_documents=len(documents.values()),
        n_tokens=n_tokens,
        n_mismatches=len(ill_ended) + max(len(surplus), len(missing)),
        mismatches=(*ill_ended[:N_EXAMPLES], *named),
        exact=exact,
    )


def _round_trip(tokenizer: Tokenizer, text: str) -> str:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    decoded: str = tokenizer.decode(ids, skip_special_tokens=False)
    return decoded


class _Digests:
    """Digests of texts in files: state, because both sides of a match are streams over many files."""

    def __init__(self) -> None:
        self._digests = bytearray()
        self._ends: list[tuple[int, str]] = []

    def add(self, text: str) -> None:
        self._digests += xxhash.xxh3_128_digest(text.encode("utf-8", "surrogatepass"))

    def end(self, name: str) -> None:
        self._ends.append((len(self._digests) // 16, name))

    def values(self) -> npt.NDArray[Any]:
        return np.frombuffer(bytes(self._digests), dtype="S16")

    def place(self, row: int) -> str:
        """Where a text stands: its number in its file, from 0."""
        start = 0
        for end, name in self._ends:
            if row < end:
                return f"{row - start} of {name}"
            start = end
        raise IndexError(row)


def _unmatched(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Rows of `ours` beyond as many equal ones as `theirs` has.

    >>> _unmatched(np.array([b"a", b"b", b"a"]), np.array([b"a", b"c"])).tolist()
    [1, 2]
    """
    order = np.argsort(ours, kind="stable")
    ours, theirs = ours[order], np.sort(theirs)
    occurrence = np.arange(len(ours)) - np.searchsorted(ours, ours)
    available = np.searchsorted(theirs, ours, side="right") - np.searchsorted(theirs, ours, side="left")
    return np.sort(order[occurrence >= available])
