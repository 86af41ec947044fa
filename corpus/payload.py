"""An HTTP response as stored to the bytes of its page."""

import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import brotli
from fastwarc.stream_io import ZstdReader

HTML_TYPES = ("text/html", "application/xhtml+xml")
UNKNOWN_TYPES = ("", "*/*", "unknown/unknown", "application/unknown", "application/x-unknown-content-type")
HEADER_END = re.compile(rb"\r{0,2}\n\r{0,2}\n")
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


@dataclass(frozen=True)
class HttpMessage:
    """status; headers by lower-case name, the first of each; body as stored."""

    status: int
    headers: dict[str, str]
    body: bytes


def parse_http(block: bytes) -> HttpMessage | None:
    """The response that a record's block holds, None where it does not begin with a status line."""
    found = STATUS_LINE.match(block)
    if not found:
        return None
    end = HEADER_END.search(block)
    lines = block[: end.start() if end else len(block)].decode("utf-8", "replace").splitlines()[1:]
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    return HttpMessage(int(found[1]), headers, block[end.end() :] if end else b"")


def decode_body(message: HttpMessage, max_bytes: int) -> tuple[bytes, str | None]:
    """The page's bytes, de-chunked and decoded, and why they are not all there.

    At most `max_bytes` come out ("length" where more would); what a body that breaks off
    gave until there is kept ("incomplete"). A body that is not encoded as its headers say,
    as crawlers store it, is taken as it is.

    Raises BadEncoding where not one byte can be decoded, or the encoding has no name we know.
    """
    body, damage = message.body, None
    if "chunked" in message.headers.get("transfer-encoding", "").lower():
        body, damage = _dechunked(body)
    names = [name.strip().lower() for name in message.headers.get("content-encoding", "").split(",")]
    for name in reversed(names):
        if name in DECODERS and body and not _is_plain(name, body):
            body, reason = _decoded(DECODERS[name](body), max_bytes)
            damage = damage or reason
        elif name in ("compress", "x-compress"):
            raise BadEncoding(f"Content-Encoding {name!r} has no decoder")
    if len(body) > max_bytes:
        return body[:max_bytes], "length"
    return body, damage


def http_charset(message: HttpMessage) -> str | None:
    found = CHARSET.search(message.headers.get("content-type", ""))
    return found[1] if found else None


def content_type(message: HttpMessage) -> str:
    return message.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_html(declared: str, identified: str, payload: bytes) -> bool:
    """Whether a payload is a HTML page: by the header, what the crawler identified, or its first bytes.

    declared: Content-Type without parameters; identified: WARC-Identified-Payload-Type or "".
    A payload with the signature of a binary format is none, whatever was declared.
    """
    if BINARY_START.match(payload):
        return False
    if declared not in UNKNOWN_TYPES:
        return declared in HTML_TYPES
    return identified in HTML_TYPES if identified else HTML_START.match(payload) is not None


def _is_plain(name: str, body: bytes) -> bool:
    """Whether a body that claims to be encoded visibly is not."""
    if name in ("gzip", "x-gzip"):
        return not body.startswith(b"\x1f\x8b")
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
    except (zlib.error, brotli.error, OSError) as error:
        damage = "incomplete"
        if not n_bytes:
            raise BadEncoding(str(error)) from error
    return b"".join(kept), damage


def _inflated(body: bytes, window_bits: int) -> Iterator[bytes]:
    """gzip members one after the other, or one zlib or raw stream; EOFError where it breaks off."""
    while body:
        inflater = zlib.decompressobj(window_bits)
        rest = body
        while not inflater.eof:
            yield inflater.decompress(rest[:DECODE_BYTES], PIECE_BYTES)
            n_used = len(rest[:DECODE_BYTES]) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
            if not n_used and not inflater.eof and not rest:
                raise EOFError
            rest = rest[n_used:]
        body = rest if window_bits > zlib.MAX_WBITS and rest.startswith(b"\x1f\x8b") else b""


def _deflated(body: bytes) -> Iterator[bytes]:
    """What servers call deflate: a zlib stream (RFC 9110), or a raw one where its first bytes are no zlib header."""
    zlib_header = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflated(body, zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)


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
    "gzip": lambda body: _inflated(body, zlib.MAX_WBITS | 16),
    "x-gzip": lambda body: _inflated(body, zlib.MAX_WBITS | 16),
    "deflate": _deflated,
    "br": _unbrotlied,
    "zstd": _unzstd,
}
