"""The bytes of a WARC file as stored, and what they are compressed in: gzip members or zstd frames.

In most files a record has a member of its own, and its pointer says where that member starts. So
members are inflated one by one, and whoever reads them knows the file offset where each begins.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO, cast

from fastwarc.stream_io import ZstdReader
from isal import isal_zlib

InflateError = cast(type[Exception], isal_zlib.error)  # a class, which its stub declares an instance
GZIP = b"\x1f\x8b\x08"
ZSTD = b"\x28\xb5\x2f\xfd"
SKIPPABLE = b"\x2a\x4d\x18"  # behind a byte from 0x50 to 0x5f: a zstd frame of other things than data
DICTIONARY = b"\x5d" + SKIPPABLE  # the one that holds the file's dictionary
EMPTY_FRAME = ZSTD + b"\x20\x00\x01\x00\x00"  # of no content, in one raw block (RFC 8878, section 3.1.1)
MAX_DICTIONARY_BYTES = 1 << 24
READ_BYTES = 1 << 20
FIRST_BYTES = 2_048  # given to a gzip member first: most records are small, and what is not used was copied
INFLATE_BYTES = 16_384  # given later: no more than 17 MB come out (1,032:1)
ZSTD_BYTES = 16_384  # taken from a frame at a time: where it is damaged, so many are lost


class DamagedMember(Exception):
    """A member that breaks off. reason: "corrupt", or "incomplete" where the file ends inside."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stored:
    """The bytes of a file as stored, from `offset` on; `offset` is always that of the next one."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        file.seek(offset)
        self.offset = offset
        self._file = file
        self._block = b""
        self._at = 0

    def take(self, n_bytes: int) -> bytes:
        """The next bytes, fewer than `n_bytes` only at the file's end."""
        taken = self._block[self._at : self._at + n_bytes]
        while len(taken) < n_bytes and (more := self._file.read(READ_BYTES)):
            self._block, self._at = taken + more, 0
            taken = self._block[:n_bytes]
        self._at += len(taken)
        self.offset += len(taken)
        return taken

    def at_end(self) -> bool:
        if self._at == len(self._block):
            self._block, self._at = self._file.read(READ_BYTES), 0
        return not self._block

    def give_back(self, n_bytes: int) -> None:
        """Undo a part of the last `take`."""
        self._at -= n_bytes
        self.offset -= n_bytes


def plain_blocks(stored: Stored) -> Iterator[bytes]:
    """The rest of a file that is not compressed."""
    while block := stored.take(READ_BYTES):
        yield block


def gzip_member(stored: Stored) -> Iterator[bytes]:
    """One gzip member, inflated piece by piece. Raises DamagedMember behind the last piece that came out."""
    inflater = isal_zlib.decompressobj(isal_zlib.MAX_WBITS | 16)
    n_given = FIRST_BYTES
    while not inflater.eof:
        given = stored.take(n_given)
        if not given:
            raise DamagedMember("incomplete")
        try:
            piece = inflater.decompress(given)
        except InflateError:
            raise DamagedMember("corrupt") from None
        yield piece
        n_given = INFLATE_BYTES
    stored.give_back(len(inflater.unused_data))


def zstd_frame(stored: Stored, dictionary: bytes | None) -> Iterator[bytes]:
    """One zstd frame, decompressed piece by piece. Raises DamagedMember behind the last piece that came out."""
    frame = _Frame(stored)
    reader = ZstdReader(frame, dictionary=dictionary)
    while True:
        try:
            piece = reader.read(ZSTD_BYTES)
        except OSError:
            raise DamagedMember("incomplete" if frame.cut else "corrupt") from None
        if not piece:
            return
        yield piece


def skip_other_frames(stored: Stored) -> None:
    """Over the zstd frames that hold no data."""
    while True:
        head = stored.take(8)
        if head[1:4] != SKIPPABLE or head[0] >> 4 != 5:
            return stored.give_back(len(head))
        n_left = int.from_bytes(head[4:], "little")
        while n_left and (skipped := stored.take(min(n_left, READ_BYTES))):
            n_left -= len(skipped)


def zstd_dictionary(file: BinaryIO) -> bytes | None:
    """The dictionary that a .warc.zst file may begin with; None where it does not, or it is damaged.

    Source: https://iipc.github.io/warc-specifications/specifications/warc-zstd
    """
    file.seek(0)
    head = file.read(8)
    if head[:4] != DICTIONARY:
        return None
    content = file.read(min(int.from_bytes(head[4:], "little"), MAX_DICTIONARY_BYTES))
    try:
        ZstdReader(io.BytesIO(head + content + EMPTY_FRAME)).read()  # a reader that is given a damaged one panics
        return ZstdReader(io.BytesIO(content)).read() if content.startswith(ZSTD) else content
    except OSError:
        return None


def inflated_start(data: memoryview, max_bytes: int, dictionary: bytes | None) -> bytes:
    """What the first bytes of a member come to, b"" where they are none."""
    try:
        if data[: len(GZIP)] == GZIP:
            return isal_zlib.decompressobj(isal_zlib.MAX_WBITS | 16).decompress(data, max_bytes)
        return bytes(ZstdReader(io.BytesIO(data), dictionary=dictionary).read(max_bytes))
    except (InflateError, OSError):
        return b""


class _Frame(io.RawIOBase):
    """One zstd frame as a file of its own. cut: the file ends inside it.

    Source of the lengths: RFC 8878, section 3.1.1.
    """

    def __init__(self, stored: Stored) -> None:
        self.cut = False
        self._stored = stored
        self._parts = self._walk()
        self._part = b""
        self._position = 0

    def read(self, size: int = -1, /) -> bytes:
        self._part = self._part or next(self._parts, b"")
        given = self._part[:size]  # no more than was asked for: the reader's buffer is not larger
        self._part = self._part[size:]
        self._position += len(given)
        return given

    def tell(self) -> int:
        return self._position

    def _walk(self) -> Iterator[bytes]:
        """The header, every block, the checksum."""
        start = self._take(5)
        if self.cut:
            yield start
            return
        descriptor = start[4]
        single = descriptor >> 5 & 1
        n_size = (single, 2, 4, 8)[descriptor >> 6]
        yield start + self._take(1 - single + (0, 1, 2, 4)[descriptor & 3] + n_size)
        last = 0
        while not (last or self.cut):
            head = self._take(3)
            block = int.from_bytes(head, "little")
            last, repeated = block & 1, block >> 1 & 3 == 1
            yield head + self._take(1 if repeated else block >> 3)
        if descriptor >> 2 & 1:
            yield self._take(4)

    def _take(self, n_bytes: int) -> bytes:
        taken = self._stored.take(n_bytes)
        self.cut = self.cut or len(taken) < n_bytes
        return taken
