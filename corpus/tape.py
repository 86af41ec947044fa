"""The decompressed bytes of a WARC or ARC file: plain, gzip by members or whole, zstd."""

import re
import zlib
from collections import deque
from typing import BinaryIO

from fastwarc.stream_io import ZstdReader

GZIP = b"\x1f\x8b\x08"
ZSTD = (b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18")  # a frame; the dictionary that may come first
READ_BYTES = 65_536
INFLATE_BYTES = 16_384  # given to zlib at a time: no more than 17 MB come out (1,032:1)
WARC_LINE = rb"WARC/[01]\.\d+[ \t]*\r{0,2}\n"
ARC_LINE = (  # the URL-record of version 1 or 2
    rb"(?P<url>(?:filedesc|https?|ftp|dns):[^\r\n]{1,8000}) (?:[\d.]{7,15}|[\da-fA-F:]+) (?P<date>\d{8,18})"
    rb" (?P<type>[^ \r\n]*)(?: [^\r\n]{1,500})? (?P<length>-?\w{1,15})\r?\n"
)
START = re.compile(WARC_LINE + b"|" + ARC_LINE)
# Where one may start among other bytes: a record that was cut off and the next one may share a line.
NEXT_START = re.compile(WARC_LINE + rb"(?=(?i:WARC|Content)-)|\n(?=" + ARC_LINE + b")")
LONGEST_START = 9_000


class Tape:
    """The decompressed bytes of a file, read forward, `start` being the address of the first one held.

    `members` maps addresses where gzip members start to their file offsets, from the one that
    `start` lies in. `damage` says why no more bytes come: None at a proper end of the file.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.held = bytearray()
        self.start = 0
        self.members: deque[tuple[int, int]] = deque()
        self.damage: str | None = None
        self.file_offset = 0  # of the next byte that was not decompressed
        self._file: BinaryIO | ZstdReader = file
        self._input = file.read(READ_BYTES)
        self._inflater: zlib._Decompress | None = None
        self.gzipped = self._input.startswith(GZIP[:2])
        if self._input.startswith(ZSTD):
            file.seek(0)
            self._file, self._input = ZstdReader(file), b""

    def hold(self, n_bytes: int) -> int:
        """Hold `n_bytes` if the file has them; returns how many of them are held."""
        while len(self.held) < n_bytes and self._more():
            pass
        return min(n_bytes, len(self.held))

    def advance(self, n_bytes: int) -> None:
        del self.held[:n_bytes]
        self.start += n_bytes
        while len(self.members) > 1 and self.members[1][0] <= self.start:
            self.members.popleft()

    def member_at(self, address: int) -> int | None:
        """File offset of the gzip member that starts at `address`, None where none does."""
        return next((offset for at, offset in reversed(self.members) if at == address), None)

    def rewind(self, address: int) -> bool:
        """Back to an earlier address; only an uncompressed file can."""
        if self.gzipped or isinstance(self._file, ZstdReader):
            return False
        self._file.seek(address)
        self.held, self._input, self.start, self.file_offset = bytearray(), b"", address, address
        return True

    def recover(self) -> bool:
        """After corrupt data: on to the next gzip member that begins with a record; False where none does."""
        if isinstance(self._file, ZstdReader):
            return False
        address, base = self.start + len(self.held), self.members[-1][1] + 1 if self.members else 1
        self._file.seek(base)
        window = self._file.read(READ_BYTES)
        while window:
            found = window.find(GZIP)
            if found >= 0 and len(window) - found < READ_BYTES // 2 and (more := self._file.read(READ_BYTES)):
                window += more  # enough of the candidate to see its first line
            if found < 0:
                found = max(len(window) - len(GZIP) + 1, 1)
                more = self._file.read(READ_BYTES)
                base, window = base + found, (window[found:] + more if more else b"")
            elif START.match(_inflated_start(window[found : found + READ_BYTES // 2])):
                self.held, self._inflater, self.damage = bytearray(), None, None
                self.start, self.file_offset, self._input = address, base + found, window[found:]
                self.members.clear()
                self.gzipped = True
                return True
            else:
                base, window = base + found + 1, window[found + 1 :]
        return False

    def _more(self) -> bool:
        """Hold a few more bytes; False where the file ends or is corrupt."""
        if self.damage:
            return False
        if len(self._input) < len(GZIP):
            try:
                self._input += self._file.read(READ_BYTES)
            except OSError:
                if not isinstance(self._file, ZstdReader):
                    raise
                self.damage = "corrupt"
                return False
        if not self._input:
            self.damage = "incomplete" if self._inflater else None
            return False
        if not self.gzipped:
            self.held += self._input
            self.file_offset += len(self._input)
            self._input = b""
            return True
        return self._inflate()

    def _inflate(self) -> bool:
        if self._inflater is None:
            self.members.append((self.start + len(self.held), self.file_offset))
            if not self._input.startswith(GZIP):
                self.damage = "incomplete" if GZIP.startswith(self._input) else "corrupt"
                return False
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        given = self._input[:INFLATE_BYTES]
        try:
            self.held += self._inflater.decompress(given)
        except zlib.error:
            self.damage = "corrupt"
            return False
        n_used = len(given) - len(self._inflater.unused_data)
        self.file_offset += n_used
        self._input = self._input[n_used:]
        if self._inflater.eof:
            self._inflater = None
        return True


def _inflated_start(data: bytes) -> bytes:
    """What the first bytes of a gzip member come to, b"" where they are none."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, LONGEST_START)
    except zlib.error:
        return b""
