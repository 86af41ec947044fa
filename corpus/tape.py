"""The decompressed bytes of a WARC or ARC file: plain, gzip by members or whole, zstd by frames or whole."""

import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from corpus.members import (
    DICTIONARY,
    GZIP,
    READ_BYTES,
    ZSTD,
    DamagedMember,
    Stored,
    gzip_member,
    inflated_start,
    plain_blocks,
    skip_other_frames,
    zstd_dictionary,
    zstd_frame,
)

WARC_LINE = rb"WARC/[01]\.\d+[ \t]*\r{0,2}\n"
ARC_LINE = (  # the URL-record of version 1 or 2
    rb"(?P<url>(?:filedesc|https?|ftp|dns):[^\r\n]{1,8000}) (?:[\d.]{7,15}|[\da-fA-F:]+) (?P<date>\d{8,18})"
    rb" (?P<type>[^ \r\n]*)(?: [^\r\n]{1,500})? (?P<length>-?\w{1,15})\r?\n"
)
START = re.compile(WARC_LINE + b"|" + ARC_LINE)
# Where one may start among other bytes: a record that was cut off and the next one may share a line.
NEXT_START = re.compile(WARC_LINE + rb"(?=(?i:WARC|Content)-)|\n(?=" + ARC_LINE + b")")
LONGEST_START = 9_000
MEMBER_START = re.compile(re.escape(GZIP) + b"|" + re.escape(ZSTD))
CANDIDATE_BYTES = 1 << 18  # of a member, to see its first line: a zstd block is up to 128 KB


class Tape:
    """The decompressed bytes of a file, read forward: `held` from index `at` on, `address` that of `held[at]`.

    Addresses count decompressed bytes; in an uncompressed file they are file offsets.
    counted: they count from the file's start, not from a member in its middle.
    members: (address, file offset) of each gzip member or zstd frame, from the one that `held[at]` lies in.
    packed: the file is in members. damage: why no more bytes come, None at a proper end of the file.
    """

    def __init__(self, file: BinaryIO, offset: int = 0) -> None:
        self.held = b""
        self.at = 0
        self.address = offset
        self.members: deque[tuple[int, int]] = deque()
        self.damage: str | None = None
        self._file = file
        self._dictionary = zstd_dictionary(file)
        self._open_at(offset)
        self.counted = offset == 0 or not self.packed

    @property
    def offset(self) -> int:
        """Of the next byte as stored."""
        return self._stored.offset

    @property
    def member(self) -> int | None:
        """File offset of the member that starts at `address`, None where none does."""
        return self.members[0][1] if self.members and self.members[0][0] == self.address else None

    def hold(self, n_bytes: int) -> int:
        """Hold `n_bytes` if the file has them; returns how many of them are held."""
        n_held = len(self.held) - self.at
        if n_held >= n_bytes:
            return n_bytes
        # What is held is copied: where that is much, as much again comes of it, or small members cost the square.
        n_wanted = max(n_bytes, 2 * n_held) if n_held > READ_BYTES else n_bytes
        pieces = []
        self._end = self.address + n_held
        while self._end - self.address < n_wanted and (piece := self._next_piece()) is not None:
            if piece:
                pieces.append(piece)
                self._end += len(piece)
        if pieces:
            if n_held:
                pieces.insert(0, self.held[self.at :])
            self.held, self.at = b"".join(pieces), 0
        self._forget_members()
        return min(n_bytes, len(self.held) - self.at)

    def advance(self, n_bytes: int) -> None:
        self.at += n_bytes
        self.address += n_bytes
        self._forget_members()

    def _forget_members(self) -> None:
        while len(self.members) > 1 and self.members[1][0] <= self.address:
            self.members.popleft()

    def rewind(self, address: int) -> None:
        """Back to an earlier address of an uncompressed file."""
        self.held, self.at, self.address = b"", 0, address
        self._open_at(address)

    def recover(self) -> bool:
        """After corrupt data: on to the next member that begins with a record; False where none does."""
        base = self.members[-1][1] + 1 if self.members else 1
        self._file.seek(base)
        window, at = self._file.read(READ_BYTES), 0
        while True:
            found = MEMBER_START.search(window, at)
            keep = found.start() if found else max(at, len(window) - len(ZSTD) + 1)
            if len(window) - keep < CANDIDATE_BYTES and (more := self._file.read(READ_BYTES)):
                base, window, at = base + keep, window[keep:] + more, 0
            elif not found:
                return False
            elif START.match(
                inflated_start(memoryview(window)[keep:][:CANDIDATE_BYTES], LONGEST_START, self._dictionary)
            ):
                self.address += len(self.held) - self.at + 1  # what is lost counts as a byte: addresses stay apart
                self.held, self.at, self.damage = b"", 0, None
                self.members.clear()
                self._open_at(base + keep)
                return True
            else:
                at = keep + 1

    def _open_at(self, offset: int) -> None:
        """Go on at a file offset, as what stands there says."""
        self._stored = Stored(self._file, offset)
        start = self._stored.take(4)
        self._stored.give_back(len(start))
        self._zstd = start in (ZSTD, DICTIONARY)
        self.packed = self._zstd or start.startswith(GZIP[:2])
        self._pieces: Iterator[bytes] | None = None if self.packed else plain_blocks(self._stored)

    def _next_piece(self) -> bytes | None:
        """What the file goes on with, b"" at the end of a member; None where the file ends or is corrupt."""
        if self.damage:
            return None
        if self._pieces is None:
            if self._zstd:
                skip_other_frames(self._stored)
            if self._stored.at_end():
                return None
            self.members.append((self._end, self._stored.offset))
            self._pieces = zstd_frame(self._stored, self._dictionary) if self._zstd else gzip_member(self._stored)
        try:
            piece = next(self._pieces, None)
        except DamagedMember as damaged:
            self.damage = damaged.reason
            return None
        if piece is None and self.packed:
            self._pieces = None
            return b""
        return piece
