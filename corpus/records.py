"""WARC and ARC framing: a file's bytes to records with their addresses, damage found, counted and stepped over.

Readers that exist stop at a damaged gzip member (warcio, quietly) or raise there (fastwarc),
and neither sees that a file ends too early. Here every byte belongs to a record or to a
`Damage`.
"""

import re
from collections.abc import Iterator
from itertools import dropwhile, islice
from typing import BinaryIO, NamedTuple

from corpus.fields import HEADER_END, Field
from corpus.members import READ_BYTES
from corpus.tape import LONGEST_START, NEXT_START, START, Tape

HEADER_BYTES = 65_536
WARC_HEADER = re.compile(rb"^WARC-(?:Type|Record-ID|Date):", re.MULTILINE)
CONTENT_LENGTH = Field("Content-Length")
LENGTH = re.compile(r"[0-9]{1,18}")
NOT_BLANK = re.compile(rb"[^\r\n]")


class Record(NamedTuple):
    """offset, length: bytes in the file as stored. Where a gzip member or zstd frame holds several
    records, they are bytes of the decompressed file instead. header: its lines in the form that
    `Field.of` reads. held[start:end]: the block, up to the limit, not copied. damage: None,
    "incomplete" (bytes are missing) or "length" (cut at the limit)."""

    offset: int
    length: int
    header: bytes
    held: bytes
    start: int
    end: int
    damage: str | None


class Damage(NamedTuple):
    """A place where no record could be read: `corrupt`, `incomplete`, `empty_file` or `not_warc`."""

    offset: int
    reason: str


class _Uncounted(Exception):
    """An offset is asked for that counts decompressed bytes, and nobody read what lies before."""


def read_frames(file: BinaryIO, max_block: int, start: int = 0) -> Iterator[Record | Damage]:
    """Every record of a WARC or ARC file, plain, gzip or zstd, and every place that is none, in file order.

    A record that ends where the next one begins, before its Content-Length says so, comes with
    damage "incomplete", and so does one inside which the file ends. After corrupt data reading
    goes on at the next record: in an uncompressed stretch the next line that starts one, in
    gzip and zstd the next member that does.

    start: offset of the one to begin with, as reading from the file's start gives it; the same
    follow. Where it counts bytes as stored, what lies before is not read. (Where members hold now
    one record, now several, a number may be the offset of two of them: the one as stored is meant.)
    """
    n_given = 0
    if start and (tape := _tape_from(file, start)):
        try:
            for frame in _frames(tape, max_block):
                yield frame
                n_given += 1
            return
        except _Uncounted:
            pass
    frames = _frames(Tape(file), max_block)
    if start:
        frames = dropwhile(lambda frame: frame.offset != start, frames)
    yield from islice(frames, n_given, None)


def _tape_from(file: BinaryIO, start: int) -> Tape | None:
    """A tape that begins at the record whose bytes, as stored, start there; None where none does for sure."""
    whole = Tape(file)
    sound = _at_start(whole) is not None
    tape = Tape(file, start)
    return tape if sound and tape.packed == whole.packed and _at_start(tape) and tape.address == start else None


def _frames(tape: Tape, max_block: int) -> Iterator[Record | Damage]:
    if not _at_start(tape):
        if not _is_damaged_warc(tape):
            empty = not tape.hold(1) and tape.damage != "corrupt"
            yield Damage(0, (tape.damage or "empty_file") if empty else "not_warc")
            return
        yield Damage(0, "corrupt")
    while (found := _at_start(tape)) or tape.hold(1) or (tape.damage and tape.member is not None):
        frame = _read_record(tape, found, max_block) if found else Damage(_offset(tape), _lost(tape))
        yield frame
        if isinstance(frame, Damage) and not _next_start(tape):
            return


def _at_start(tape: Tape) -> re.Match[bytes] | None:
    """The first line of a record, where the tape stands at one, blank lines before it passed over."""
    found = START.match(tape.held, tape.at) if tape.hold(1) else None
    while not found and tape.hold(LONGEST_START):
        if tape.held[tape.at] not in b"\r\n":
            return START.match(tape.held, tape.at)
        _skip_newlines(tape)
    return found


def _is_damaged_warc(tape: Tape) -> bool:
    """Whether a file that does not begin with a record holds some all the same; if so, the tape is at the first.

    A member with a record tells, or header lines of a record whose first line is damaged.
    A zip of WARC files (WACZ) is no WARC file.
    """
    if tape.held.startswith(b"PK\x03\x04", tape.at) or (tape.packed and tape.damage != "corrupt"):
        return False
    return _next_start(tape) if WARC_HEADER.search(tape.held, tape.at, tape.at + 1_000) else tape.recover()


def _read_record(tape: Tape, found: re.Match[bytes], max_block: int) -> Record | Damage:
    """The record at the start of the tape, and the tape moved behind it."""
    address, member = tape.address, tape.member
    n_header = len(found[0]) if found["url"] else _header_length(tape)
    if n_header is None:
        damage = Damage(_offset(tape), _lost(tape))
        tape.advance(len(found[0]))
        return damage
    header = _arc_header(found) if found["url"] else tape.held[tape.at : tape.at + n_header]
    length = CONTENT_LENGTH.of(header)
    if not LENGTH.fullmatch(length):
        damage = Damage(_offset(tape), "corrupt")
        tape.advance(n_header)
        return damage
    n_record = n_header + int(length)
    n_wanted = min(n_record, n_header + max_block)
    tape.hold(n_wanted)
    n_own = _before_next_start(tape, n_header, n_wanted)
    n_got = min(n_own, len(tape.held) - tape.at)
    if n_got < n_own and tape.damage == "corrupt":
        damage = Damage(_offset(tape), "corrupt")
        tape.advance(n_got)
        return damage
    held, start, end = tape.held, tape.at + n_header, tape.at + n_got
    state = "incomplete" if n_got < n_wanted else "length" if n_wanted < n_record else None
    tape.advance(n_got)
    if state == "length" and not _pass_over(tape, n_record - n_wanted) and not tape.packed:
        tape.rewind(address + n_header)
    if tape.hold(1) and tape.member is None:
        _skip_newlines(tape)
    # A damaged member may run on behind its record, even to the end of the file: where members
    # follow, the file was not cut. Damage behind a next record is not this one's.
    in_own_member = not tape.members or tape.members[-1][0] <= address
    if in_own_member and not _at_start(tape) and (tape.damage == "corrupt" or (tape.damage and tape.recover())):
        return Damage(_counted(tape, address) if member is None else member, "corrupt")
    next_member = tape.member
    if next_member is None and not tape.hold(1):
        state = state or tape.damage
        next_member = tape.offset
    if member is None or next_member is None:
        return Record(_counted(tape, address), tape.address - address, header, held, start, end, state)
    return Record(member, next_member - member, header, held, start, end, state)


def _before_next_start(tape: Tape, n_header: int, n_wanted: int) -> int:
    """How many of the bytes that a record claims lie before the next record: all, if it is sound.

    A member that begins with a record ends the one before. In an uncompressed stretch the
    first line of a record does, but only where nothing fits behind the claimed length.
    """
    n_before = _member_within(tape, 1, n_wanted)
    if n_before is not None:
        return n_before
    if tape.member is not None:
        return n_wanted
    n_behind = tape.hold(n_wanted + 4) - n_wanted
    end = tape.at + n_wanted
    if n_behind >= 0 and (not tape.held[end : end + 4].strip(b"\r\n") or START.match(tape.held, end)):
        return n_wanted
    return next(_starts_within(tape, n_header, n_wanted), n_wanted)


def _member_within(tape: Tape, first: int, end: int) -> int | None:
    """The first of the bytes ahead, from `first` to before `end`, where a member begins with a record."""
    if not tape.members or tape.members[-1][0] < tape.address + first:
        return None
    tape.hold(end + LONGEST_START)
    for address, _ in tape.members:
        n_before = address - tape.address
        if n_before >= end:
            return None
        if n_before >= first and START.match(tape.held, tape.at + n_before):
            return n_before
    return None


def _pass_over(tape: Tape, n_bytes: int) -> bool:
    """Leave out so many bytes; False where the file or the member ends before them."""
    while n_bytes:
        n_held = tape.hold(min(n_bytes, READ_BYTES))
        n_before = _member_within(tape, 0, n_held)
        if n_before is not None:
            tape.advance(n_before)
            return True
        if not n_held:
            return False
        tape.advance(n_held)
        n_bytes -= n_held
    return True


def _next_start(tape: Tape) -> bool:
    """From damage on to the next record; False where none follows."""
    while True:
        n_held = len(tape.held) - tape.at
        members = (address - tape.address for address, _ in tape.members if address >= tape.address)
        lines = islice(_starts_within(tape, 0, n_held), 1)
        n_before = min((n for n in (*members, *lines) if START.match(tape.held, tape.at + n)), default=None)
        if n_before is not None:
            tape.advance(n_before)
            return True
        tape.advance(max(n_held - LONGEST_START, 0))
        n_held = len(tape.held) - tape.at
        if tape.hold(n_held + READ_BYTES) == n_held:
            tape.advance(n_held)
            return tape.damage is not None and tape.recover()


def _starts_within(tape: Tape, first: int, end: int) -> Iterator[int]:
    """Where records start by their first line, among the bytes at hand from `first` to before `end`."""
    for found in NEXT_START.finditer(tape.held, tape.at + first, tape.at + end):
        yield (found.end() if found[0] == b"\n" else found.start()) - tape.at


def _skip_newlines(tape: Tape) -> None:
    """The newlines at hand, up to the next member."""
    while True:
        n_own = tape.members[1][0] - tape.address if len(tape.members) > 1 else len(tape.held)
        other = NOT_BLANK.search(tape.held, tape.at, tape.at + n_own)
        n_newlines = (other.start() if other else min(tape.at + n_own, len(tape.held))) - tape.at
        tape.advance(n_newlines)
        if not n_newlines or not tape.hold(1) or tape.member is not None:
            return


def _offset(tape: Tape) -> int:
    member = tape.member
    return _counted(tape, tape.address) if member is None else member


def _counted(tape: Tape, address: int) -> int:
    if not tape.counted:
        raise _Uncounted
    return address


def _lost(tape: Tape) -> str:
    """Why the bytes at hand are no record: the file ends inside its first lines, or they are corrupt."""
    return (
        "incomplete"
        if tape.damage != "corrupt"
        and tape.hold(HEADER_BYTES) < HEADER_BYTES
        and (START.match(tape.held, tape.at) or b"WARC/".startswith(tape.held[tape.at : tape.at + 5]))
        else "corrupt"
    )


def _header_length(tape: Tape) -> int | None:
    """Bytes up to and with the blank line that ends a WARC header, None where there is no such line."""
    while not (end := HEADER_END.search(tape.held, tape.at, tape.at + HEADER_BYTES)):
        n_held = len(tape.held) - tape.at
        if n_held >= HEADER_BYTES or tape.hold(n_held + 1) == n_held:
            return None
    return end.end() - tape.at


def _arc_header(found: re.Match[bytes]) -> bytes:
    """The URL-record of an ARC file as the header of a WARC record."""
    url, date, mime, length = found["url"], found["date"], found["type"], found["length"]
    kind = b"warcinfo" if url.startswith(b"filedesc:") else b"response"
    block = b"application/http" if url.startswith(b"http") else mime
    return b"\nWARC-Type: %s\nWARC-Target-URI: %s\nWARC-Date: %s\nContent-Type: %s\nContent-Length: %s\n" % (
        kind,
        url,
        date,
        block,
        length,
    )
