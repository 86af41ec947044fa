import gzip
import io
import random
from email import message_from_bytes
from pathlib import Path

import pytest
from fastwarc.stream_io import ZstdWriter, zstd_train_dictionary_from_samples
from warcio.archiveiterator import ArchiveIterator

from corpus import tape
from corpus.charset import CODECS, decode, utf8
from corpus.errors import InputError
from corpus.fields import Field
from corpus.members import DamagedMember, Stored, gzip_member, zstd_frame
from corpus.records import Record, read_frames
from corpus.warc import Dropped, Response, read_record, read_records


def record(kind: str, block: bytes, url: str = "", headers: bytes = b"") -> bytes:
    return (
        b"WARC/1.0\r\nWARC-Type: %s\r\n" % kind.encode()
        + (b"WARC-Target-URI: %s\r\n" % url.encode() if url else b"")
        + headers
        + b"WARC-Date: 2026-01-02T03:04:05Z\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n" % (len(block), block)
    )


def page(n: int, size: int = 300) -> bytes:
    noise = bytes(random.Random(n).choices(b"abcdefghijklmnopqrstuvwxyz ", k=size))
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    return record("response", http + b"<p>page %d " % n + noise, f"http://example.org/{n}")


def info(crawl: str) -> bytes:
    return record("warcinfo", f"software: by hand\r\nisPartOf: {crawl}\r\n".encode())


REQUEST = record("request", b"GET /1 HTTP/1.1\r\n\r\n", "http://example.org/1")
RECORDS = [info("CRAWL-1"), page(0), REQUEST, page(1), info("CRAWL-2"), page(2)]
WHOLE = b"".join(RECORDS)
DICTIONARY = zstd_train_dictionary_from_samples([page(n) for n in range(200)], 2_000)
NOTE = b"\x5a\x2a\x4d\x18\x05\0\0\0hello"  # a skippable frame


def arc(kind: str, url: str, block: bytes) -> bytes:
    return f"{url} 1.2.3.4 20260102030405 {kind} {len(block)}\n".encode() + block + b"\n"


ARC_RECORDS = [
    arc("text/plain", "filedesc://x.arc", b"1 0 Someone\nURL IP-address Archive-date Content-type Archive-length\n"),
    *(
        arc("text/html", f"http://example.org/{n}", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>%d" % n * 9)
        for n in range(4)
    ),
]


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def zst(data: bytes, dictionary: bytes | None = None, packed: bool = False) -> bytes:
    """A zstd frame; behind a dictionary frame where there is a dictionary."""

    class Pipe(io.BytesIO):
        def close(self) -> None: ...

    pipe = Pipe()
    with ZstdWriter(pipe, dictionary=dictionary, compress_dictionary_frame=packed) as writer:
        writer.write(data)
    return pipe.getvalue()


def dictionary_frame(packed: bool) -> bytes:
    start = zst(b"", DICTIONARY, packed)
    return start[: 8 + int.from_bytes(start[4:8], "little")]


def with_dictionary(packed: bool) -> list[bytes]:
    frame = dictionary_frame(packed)
    frames = [zst(each, DICTIONARY, packed).removeprefix(frame) for each in RECORDS]
    return [frame + frames[0], *frames[1:]]


def parts(cuts: list[int]) -> list[bytes]:
    return [WHOLE[start:end] for start, end in zip([0, *cuts], [*cuts, len(WHOLE)], strict=True)]


FORMS = {
    "gzip": [gz(each) for each in RECORDS],
    "zstd": [zst(each) for each in RECORDS],
    "zstd with a dictionary": with_dictionary(False),
    "zstd with a packed dictionary": with_dictionary(True),
    "zstd with other frames": [zst(each) + NOTE for each in RECORDS],
    "plain": RECORDS,
    "gzip ARC": [gz(each) for each in ARC_RECORDS],
    "plain ARC": ARC_RECORDS,
}
SHARED = {
    "gzip as a whole": gz(WHOLE),
    "zstd as a whole": zst(WHOLE),
    "gzip members across records": b"".join(map(gz, parts([500, 900, 1_400]))),
    "zstd frames across records": b"".join(map(zst, parts([500, 900, 1_400]))),
    "gzip members that begin with blank lines": b"".join(map(gz, parts([len(RECORDS[0]) - 2, len(WHOLE) - 4]))),
    "a gzip member of two records among others": b"".join(
        map(gz, [RECORDS[0], RECORDS[1], RECORDS[2] + RECORDS[3], RECORDS[4], RECORDS[5]])
    ),
}
FILES = {name: b"".join(form) for name, form in FORMS.items()} | SHARED


def read(path: Path, data: bytes) -> list[Response | Dropped]:
    path.write_bytes(data)
    return list(read_records(str(path)))


@pytest.mark.parametrize("form", FORMS)
def test_every_record_of_a_file_by_members_stands_where_its_member_does(tmp_path: Path, form: str) -> None:
    members = FORMS[form]
    starts = [len(b"".join(members[:n])) for n in range(len(members))]
    if "dictionary" in form:
        starts[0] = len(dictionary_frame("packed" in form))
    rows = read(tmp_path / "a", FILES[form])
    assert [row.offset for row in rows] == starts
    ends = [*starts[1:], len(FILES[form])]
    for row, end in zip(rows, ends, strict=True):
        if isinstance(row, Response):
            assert row.offset + row.length == end
            assert read_record(str(tmp_path / "a"), row.offset, row.length) == row._replace(crawl=None)


@pytest.mark.parametrize("form", SHARED)
def test_records_that_share_members_have_offsets_in_what_comes_out(tmp_path: Path, form: str) -> None:
    rows = read(tmp_path / "a", FILES[form])
    plain = read(tmp_path / "b", WHOLE)
    shared = range(2, 4) if "among" in form else range(len(rows))  # by number of the record
    assert [rows[n].offset for n in shared] == [plain[n].offset for n in shared]
    assert [row[-3:] for row in rows if isinstance(row, Response)] == [
        row[-3:] for row in plain if isinstance(row, Response)
    ]
    for row in rows:
        if isinstance(row, Response):
            assert read_record(str(tmp_path / "a"), row.offset, row.length) == row._replace(crawl=None)


def test_offsets_of_every_record_agree_with_warcio(tmp_path: Path) -> None:
    for name, form in (("a.warc.gz", "gzip"), ("a.warc", "plain"), ("a.arc.gz", "gzip ARC")):
        rows = read(tmp_path / name, FILES[form])
        with (tmp_path / name).open("rb") as file:
            iterator = ArchiveIterator(file)
            assert [row.offset for row in rows] == [iterator.get_record_offset() for _ in iterator]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n", [1, 3])
def test_a_corrupt_record_is_counted_where_it_stands_and_the_rest_is_read(tmp_path: Path, form: str, n: int) -> None:
    members = list(FORMS[form])
    intact = read(tmp_path / "a", FILES[form])
    start = 0 if "plain" in form else len(members[n]) // 2
    garbage = random.Random(n).randbytes(len(members[n]) - start - 1)
    members[n] = members[n][:start] + garbage + members[n][-1:]
    rows = read(tmp_path / "a", b"".join(members))
    assert rows == [*intact[:n], Dropped(intact[n].offset, None, "corrupt"), *intact[n + 1 :]]


@pytest.mark.parametrize("form", FILES)
def test_a_file_that_breaks_off_says_so_once_and_keeps_what_lies_before(tmp_path: Path, form: str) -> None:
    # Behind the last record's own bytes some files have others.
    n_behind = {"zstd with other frames": len(NOTE), "gzip members that begin with blank lines": len(gz(b"\r\n" * 2))}
    data, intact = FILES[form], read(tmp_path / "a", FILES[form])
    data = data[: len(data) - n_behind.get(form, 0)]
    for n_lost in range(6, 60, 9):
        rows = read(tmp_path / "a", data[:-n_lost])
        told = [row for row in rows if "incomplete" in row]
        assert len(told) == 1 and told == rows[-1:]
        assert [row[:5] for row in rows[:-1]] == [row[:5] for row in intact[: len(rows) - 1]]


@pytest.mark.parametrize("form", ["zstd", "zstd with a dictionary", "zstd with a packed dictionary"])
def test_a_damaged_zstd_dictionary_or_header_is_no_crash(tmp_path: Path, form: str) -> None:
    for at in range(250):
        broken = bytearray(FILES[form])
        broken[at] ^= 0x55
        assert read(tmp_path / "a", bytes(broken))


WET = record("conversion", "Der Satz des Pythagoras: a² + b² = c²\n".encode(), "http://e.org/", b"Content-Type: %s\r\n")


def test_texts_of_wet_files_are_pages(tmp_path: Path) -> None:
    for pack in (bytes, gz, zst):
        rows = read(tmp_path / "a", pack(info("CRAWL-1")) + pack(WET % b"text/plain; charset=UTF-8"))
        assert rows[0] == Dropped(0, None, "warcinfo")
        text = rows[1]
        assert isinstance(text, Response)
        assert (text.url, text.crawl, text.status, text.truncated) == ("http://e.org/", "CRAWL-1", 200, None)
        assert (text.content_type, text.http_charset) == ("text/plain", "utf-8")
        assert text.payload.decode() == "Der Satz des Pythagoras: a² + b² = c²\n"
        assert read_record(str(tmp_path / "a"), text.offset, text.length).payload == text.payload
        (tmp_path / "a").write_bytes(pack(WET % b"text/plain"))
        (cut,) = read_records(str(tmp_path / "a"), max_bytes=9)
        assert isinstance(cut, Response) and (cut.payload, cut.truncated) == (b"Der Satz ", "length")


def test_other_conversions_empty_texts_and_wat_records_are_no_pages(tmp_path: Path) -> None:
    json = record("metadata", b'{"Container": {}}', "http://e.org/", b"Content-Type: application/json\r\n")
    empty = record("conversion", b" \n", "http://e.org/", b"Content-Type: text/plain\r\n")
    rows = read(tmp_path / "a", WET % b"image/png" + json + empty)
    assert [row.reason for row in rows if isinstance(row, Dropped)] == ["conversion", "metadata", "empty_body"]


def damaged(data: bytes) -> bytes:
    broken = bytearray(data)
    broken[len(broken) * 2 // 5] ^= 0x55
    return bytes(broken)


BEGUN = FILES | {f"{name}, damaged": damaged(data) for name, data in FILES.items()}
BEGUN["plain, a gzip member among the records"] = RECORDS[0] + gz(page(7)) + b"".join(RECORDS[1:])


@pytest.mark.parametrize("form", BEGUN)
def test_reading_can_begin_at_every_record_and_goes_on_as_it_would_have(tmp_path: Path, form: str) -> None:
    rows = read(tmp_path / "a", BEGUN[form])
    crawl = None
    for n, row in enumerate(rows):
        if isinstance(row, Response):
            crawl = row.crawl
        if row.offset in [earlier.offset for earlier in rows[:n]]:
            continue
        at_once = list(read_records(str(tmp_path / "a"), start=row.offset, crawl=crawl))
        assert [each._replace(crawl=None) if isinstance(each, Response) else each for each in at_once] == [
            each._replace(crawl=None) if isinstance(each, Response) else each for each in rows[n:]
        ]
        if isinstance(row, Response):
            assert at_once == rows[n:]


@pytest.mark.parametrize("form", ["gzip", "zstd", "plain", "gzip ARC", "plain ARC"])
def test_what_lies_before_a_record_of_its_own_member_is_not_read(form: str) -> None:
    first, *members = FORMS[form]
    start = len(first + members[0])
    whole = list(read_frames(io.BytesIO(FILES[form]), 10**6))
    other = first + bytes(len(members[0])) + b"".join(members[1:])  # the second one is lost
    assert [frame[:2] for frame in read_frames(io.BytesIO(other), 10**6, start)] == [frame[:2] for frame in whole[2:]]


def test_reading_from_where_no_record_starts_is_an_error_that_names_the_place(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / "a.warc").write_bytes(data)
        for start in (3, 10**12):
            with pytest.raises(InputError, match=rf"a\.warc.*offset {start}\b"):
                list(read_records(str(tmp_path / "a.warc"), start=start)), name


def test_mutated_files_never_raise_and_every_row_has_a_place(tmp_path: Path) -> None:
    rng = random.Random(0)
    for _ in range(600):
        form = rng.choice(list(FILES))
        data = bytearray(FILES[form])
        for _ in range(rng.choice((1, 1, 3))):
            at = rng.randrange(len(data))
            n_gone = rng.choice((0, 1, 1, 30, 300))
            new = rng.choice((b"", rng.randbytes(3), b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", NOTE, b"WARC/1.0\r\n"))
            data[at : at + n_gone] = new
        rows = read(tmp_path / "a", bytes(data) or b"x")
        assert rows and all(row.offset >= 0 for row in rows)


@pytest.mark.parametrize("pack", [bytes, gz])
def test_records_that_claim_more_than_they_have_are_not_copied_again_and_again(
    tmp_path: Path, pack: type[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    n_records, header = 2_000, b"WARC/1.0\r\nWARC-Type: request\r\nX: %s\r\nContent-Length: 100000000\r\n\r\n"
    claims = header % (b"x" * 2_000)
    n_copied = 0
    hold = tape.Tape.hold

    def counted(self: tape.Tape, n_bytes: int) -> int:
        nonlocal n_copied
        held = self.held
        n_held = hold(self, n_bytes)
        n_copied += len(self.held) * (self.held is not held)
        return n_held

    monkeypatch.setattr(tape.Tape, "hold", counted)
    (tmp_path / "a").write_bytes(pack(claims) * n_records)
    rows = list(read_records(str(tmp_path / "a"), max_bytes=100_000))
    assert [row[-1] for row in rows] == ["incomplete"] * n_records
    assert n_copied < 12 * n_records * len(claims)


def test_a_length_of_thousands_of_digits_is_corrupt(tmp_path: Path) -> None:
    digits = record("request", b"").replace(b"Length: 0", b"Length: " + b"9" * 5_000)
    assert read(tmp_path / "a", digits + page(1))[0] == Dropped(0, None, "corrupt")


def test_members_come_out_whole_however_they_lie_in_the_file() -> None:
    rng = random.Random(0)
    for pack, member in ((gz, gzip_member), (zst, lambda stored: zstd_frame(stored, None))):
        contents = [rng.randbytes(rng.choice((0, 1, 100, 3_000, 20_000, 200_000))) + b"a" * 5_000 for _ in range(20)]
        stored = Stored(io.BytesIO(b"garbage" + b"".join(map(pack, contents)) + b"rest"), 7)
        for content in contents:
            assert b"".join(member(stored)) == content
        assert stored.take(100) == b"rest" and stored.at_end()
        for cut in (1, 9, 50, 1_000):
            whole = pack(contents[3])
            with pytest.raises(DamagedMember) as caught:
                b"".join(member(Stored(io.BytesIO(whole[:-cut]), 0)))
            assert caught.value.reason == "incomplete"


def test_fields_agree_with_an_email_parser() -> None:
    lines = (
        b"A: 1\r\nwarc-type:  response \r\nX-Empty:\r\nFolded: one\r\n  two\r\n\tthree\r\n"
        b"WARC-Type: later\r\nNot-A: 2\r\nContent-Type: text/html; charset=x\r\n\r\n"
    )
    expected = message_from_bytes(lines)
    for name in ("A", "WARC-Type", "X-Empty", "Content-Type", "Missing", "Not-A", "Type"):
        assert Field(name).of(b"WARC/1.0\r\n" + lines) == expected.get(name, "").strip(), name
    assert Field("Folded").of(b"\n" + lines) == "one two three"
    assert Field("Charset").of(b"HTTP/1.1 200 OK\nCharset : \xff\n") == "\ufffd"


def test_blocks_are_not_copied_out_of_what_is_held() -> None:
    frames = [frame for frame in read_frames(io.BytesIO(FILES["gzip"]), 10**6) if isinstance(frame, Record)]
    assert [len(frame.held) for frame in frames] == [len(each) for each in RECORDS]
    for frame, whole in zip(frames, RECORDS, strict=True):
        assert frame.header + frame.held[frame.start : frame.end] + b"\r\n\r\n" == whole


@pytest.mark.parametrize("text", ["plain ascii", "é € 𝐱 日本", "été " * 50, ""])
def test_valid_utf8_is_handed_on_as_it_is(text: str) -> None:
    payload = text.encode()
    for label in ("utf-8", None, "no-such-charset"):
        data, name = utf8(payload, label)
        assert data is payload and name == "utf-8"


def test_utf8_and_decode_agree_on_bytes_of_every_kind() -> None:
    rng = random.Random(1)
    for label in [*CODECS, None, "", "\ud800", "utf-7"]:
        for size in (0, 1, 3, 50, 500):
            for prefix in (b"", b"\xff\xfe", b"\xef\xbb\xbf", b"<meta charset=koi8-r>", b"\xd8\x00" * 5, b"\x1b$B"):
                for noise in (rng.randbytes(size), "é\0".encode() * size, b"a" * size + b"\xc3"):
                    data, name = utf8(prefix + noise, label)
                    assert (data.decode("utf-8", "strict"), name) == decode(prefix + noise, label)
                    assert b"\0" not in data and name in CODECS


def test_utf16_is_not_believed_of_ascii_bytes() -> None:
    assert utf8(b"<p>one", "utf-16") == (b"<p>one", "utf-8")
    assert utf8(b"<meta charset=utf-16le><p>one", None)[1] == "utf-8"
