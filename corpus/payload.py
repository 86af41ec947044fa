"""An HTTP response as stored to the bytes of its page."""

import io
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import brotli
from fastwarc.stream_io import ZstdReader
from isal import isal_zlib

from corpus.fields import HEADER_END, Field
from corpus.members import GZIP, InflateError

HTML_TYPES = ("text/html", "application/xhtml+xml")
UNKNOWN_TYPES = ("", "*/*", "unknown/unknown", "application/unknown", "application/x-unknown-content-type")
TRANSFER_ENCODING, CONTENT_ENCODING, CONTENT_TYPE = map(
    Field, ("Transfer-Encoding", "Content-Encoding", "Content-Type")
)
STATUS_LINE = re.compile(rb"(?:HTTP/\d(?:\.\d+)?|ICY)[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,500})?\r?\n")
CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';,]+)", re.IGNORECASE)
# Source: https://mimesniff.spec.whatwg.org, table of section 7.1
HTML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\x0c\r ]*<(?:!--|(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title"
    rb"|b|body|br|p)[\t\n\x0c\r >])",
    re.IGNORECASE,
)
BINARY_START = re.compile(
    rb"%PDF-|\x89PNG|GIF8[79]a|\xff\xd8\xff|PK\x03\x04|\x1f\x8b\x08|RIFF....WEBP|OggS|ID3|wOF[F2]"
)
DECODE_BYTES = 16_384  # compressed bytes given to zlib at a time
PIECE_BYTES = 1 << 20  # decoded bytes taken from a decoder at a time: a bomb is noticed before it goes off


class BadEncoding(ValueError):
    """A body that its Content-Encoding does not decode."""


class HttpMessage(NamedTuple):
    """status; header: its lines, for `Field.of`; body as stored."""

    status: int
    header: bytes
    body: bytes


def parse_http(held: bytes, start: int, end: int) -> HttpMessage | None:
    """The response that a record's block, held[start:end], is; None where it does not begin with a status line."""
    found = STATUS_LINE.match(held, start, end)
    if not found:
        return None
    blank = HEADER_END.search(held, start, end)
    n_header, body = blank.span() if blank else (end, end)
    return HttpMessage(int(found[1]), held[start:n_header], held[body:end])


def decode_body(message: HttpMessage, max_bytes: int) -> tuple[bytes, str | None]:
    """The page's bytes, de-chunked and decoded, and why they are not all there.

    At most `max_bytes` come out ("length" where more would); what a body that breaks off
    gave until there is kept ("incomplete"). A body that is not encoded as its headers say,
    as crawlers store it, is taken as it is.

    Raises BadEncoding where not one byte can be decoded, or the encoding has no name we know.
    """
    body, damage = message.body, None
    if "chunked" in TRANSFER_ENCODING.of(message.header).lower():
        body, damage = _dechunked(body)
    for name in reversed(CONTENT_ENCODING.of(message.header).lower().split(",")):
        name = name.strip()
        if name in DECODERS and body and not _is_plain(name, body):
            body, reason = _decoded(DECODERS[name](body), max_bytes)
            damage = damage or reason
        elif name in ("compress", "x-compress"):
            raise BadEncoding(f"Content-Encoding {name!r} has no decoder")
    if len(body) > max_bytes:
        return body[:max_bytes], "length"
    return body, damage


def content_type(message: HttpMessage) -> tuple[str, str | None]:
    """Content-Type without parameters, "" without one, and the charset that it declares."""
    declared = CONTENT_TYPE.of(message.header)
    charset = CHARSET.search(declared)
    return declared.partition(";")[0].strip().lower(), charset[1] if charset else None


def is_html(declared: str, payload: bytes) -> bool:
    """Whether a payload is a HTML page: by its media type, or by its first bytes where that says nothing.

    A payload with the signature of a binary format is none, whatever was declared.
    """
    if BINARY_START.match(payload):
        return False
    return declared in HTML_TYPES or (declared in UNKNOWN_TYPES and HTML_START.match(payload) is not None)


def _is_plain(name: str, body: bytes) -> bool:
    """Whether a body that claims to be encoded visibly is not."""
    if name in ("gzip", "x-gzip"):
        return not body.startswith(GZIP[:2])
    return HTML_START.match(body) is not None


def _dechunked(body: bytes) -> tuple[bytes, str | None]:
    """The data of the chunks. A body without a first chunk size is not chunked; behind a wrong later one
    the rest is taken as it is."""
    parts: list[bytes] = []
    at = 0
    while found := CHUNK_SIZE.match(body, at):
        size = int(found[1], 16)
        if not size:
            return b"".join(parts), None
        parts.append(body[found.end() : found.end() + size])
        at = found.end() + size
        at += 2 if body.startswith(b"\r\n", at) else 1 if body.startswith(b"\n", at) else 0
    rest = body[at:]
    return b"".join([*parts, rest]), "incomplete" if parts and not rest else None


def _decoded(pieces: Iterator[bytes], max_bytes: int) -> tuple[bytes, str | None]:
    kept: list[bytes] = []
    n_bytes = 0
    damage = None
    try:
        for piece in pieces:
            kept.append(piece)
            n_bytes += len(piece)
            if n_bytes > max_bytes:
                return b"".join(kept)[:max_bytes], "length"
    except EOFError:
        damage = "incomplete"
    except (InflateError, brotli.error, OSError) as error:
        damage = "incomplete"
        if not n_bytes:
            raise BadEncoding(str(error)) from error
    return b"".join(kept), damage


def _inflated(body: bytes, window_bits: int) -> Iterator[bytes]:
    """gzip members one after the other, or one zlib or raw stream; EOFError where it breaks off."""
    at = 0
    while at < len(body):
        inflater = isal_zlib.decompressobj(window_bits)
        while not inflater.eof:
            given = body[at : at + DECODE_BYTES]
            yield inflater.decompress(given, PIECE_BYTES)
            n_used = len(given) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
            if not given and not inflater.eof:
                raise EOFError
            at += n_used
        if window_bits <= isal_zlib.MAX_WBITS or not body.startswith(GZIP[:2], at):
            return


def _deflated(body: bytes) -> Iterator[bytes]:
    """What servers call deflate: a zlib stream (RFC 9110), or a raw one where its first bytes are no zlib header."""
    zlib_header = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflated(body, isal_zlib.MAX_WBITS if zlib_header else -isal_zlib.MAX_WBITS)


def _unbrotlied(body: bytes) -> Iterator[bytes]:
    decompressor = brotli.Decompressor()
    yield decompressor.process(body, output_buffer_limit=PIECE_BYTES)
    while not decompressor.is_finished():
        if decompressor.can_accept_more_data():
            raise EOFError
        yield decompressor.process(b"", output_buffer_limit=PIECE_BYTES)


def _unzstd(body: bytes) -> Iterator[bytes]:
    reader = ZstdReader(io.BytesIO(body))
    while piece := reader.read(PIECE_BYTES):
        yield piece


DECODERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": lambda body: _inflated(body, isal_zlib.MAX_WBITS | 16),
    "x-gzip": lambda body: _inflated(body, isal_zlib.MAX_WBITS | 16),
    "deflate": _deflated,
    "br": _unbrotlied,
    "zstd": _unzstd,
}
