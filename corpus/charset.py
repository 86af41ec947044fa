"""Bytes of a page to characters: what was declared, unless the bytes say otherwise."""

import codecs
import re
from collections.abc import Iterator

import charset_normalizer

# Encodings of the WHATWG standard that Python can decode, under the names of the standard.
CODECS = (
    {name: name for name in ("utf-8", "utf-16le", "utf-16be", "iso-2022-jp", "euc-jp", "koi8-r", "koi8-u", "gb18030")}
    | {"shift_jis": "cp932", "euc-kr": "cp949", "big5": "big5hkscs", "windows-874": "cp874", "ibm866": "cp866"}
    | {"macintosh": "mac-roman", "x-mac-cyrillic": "mac-cyrillic"}
    | {f"windows-{n}": f"cp{n}" for n in range(1250, 1259)}
    | {f"iso-8859-{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)}
)
# Labels of the standard that differ from the encoding's name. Source: https://encoding.spec.whatwg.org
ALIASES = {
    "utf-8": "utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
    "utf-16le": "utf-16 unicode ucs-2 iso-10646-ucs-2 csunicode unicodefeff",
    "utf-16be": "unicodefffe",
    "windows-1252": "latin1 latin-1 l1 iso-8859-1 iso8859-1 iso_8859-1 cp1252 x-cp1252 ascii us-ascii cp819 ibm819",
    "windows-1254": "iso-8859-9 iso8859-9 iso_8859-9 iso88599 latin5 l5 cp1254 x-cp1254",
    "windows-874": "iso-8859-11 iso8859-11 tis-620 dos-874",
    "iso-8859-2": "latin2 l2 iso8859-2 iso_8859-2 iso88592",
    "iso-8859-5": "cyrillic iso8859-5 iso_8859-5 iso88595",
    "iso-8859-6": "arabic iso8859-6 iso-8859-6-e iso-8859-6-i",
    "iso-8859-7": "greek greek8 iso8859-7 iso_8859-7 sun_eu_greek",
    "iso-8859-8": "hebrew logical visual iso8859-8 iso-8859-8-e iso-8859-8-i",
    "iso-8859-15": "l9 iso8859-15 iso_8859-15 iso885915",
    **{f"windows-{n}": f"cp{n} x-cp{n}" for n in (1250, 1251, 1253, 1255, 1256, 1257, 1258)},
    "gb18030": "gb2312 gbk x-gbk chinese gb_2312-80 gb_2312 csgb2312 cp936",
    "big5": "big5-hkscs big5hkscs cn-big5 x-x-big5 csbig5 cp950",
    "shift_jis": "shift-jis sjis x-sjis ms_kanji ms932 cp932 windows-31j csshiftjis",
    "euc-jp": "x-euc-jp cseucpkdfmtjapanese",
    "euc-kr": "ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean windows-949 cp949 cseuckr",
    "koi8-r": "koi koi8 koi8_r cskoi8r",
    "koi8-u": "koi8-ru",
    "macintosh": "mac x-mac-roman csmacintosh",
    "x-mac-cyrillic": "x-mac-ukrainian",
    "ibm866": "866 cp866 csibm866",
}
LABELS = {label: name for name, labels in ALIASES.items() for label in labels.split()}
BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16le", codecs.BOM_UTF16_BE: "utf-16be"}
DECLARED_WITHIN = 4_096  # bytes in which a meta element or XML prologue is looked for
DECLARATION = re.compile(
    rb"<meta\b[^>]{0,500}?\bcharset\s*=\s*[\"']?\s*([\w.:-]{1,40})|\A\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*[\"']([\w.:-]{1,40})",
    re.IGNORECASE,
)
BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
NOT_ASCII = re.compile(rb"[^\x00-\x7f]")
# A page is in an encoding when at most one in TOLERANCE of its characters beyond ASCII is
# wrong there: one stray byte in a page of accents is an accident, not another encoding.
TOLERANCE = 20
DETECT_BYTES = 8_192  # the detector costs 10 ms on so many, and seconds on a long page


def utf8(payload: bytes, http_charset: str | None) -> tuple[bytes, str]:
    """A page's characters as UTF-8 and the name (WHATWG) of the encoding that its bytes are in. Never raises.

    In this order: byte order mark; UTF-8 where the bytes are valid multi-byte UTF-8, whatever
    was declared; the HTTP header's charset; that of a meta element or XML prologue; UTF-8 with
    a few bad bytes; a detector; windows-1252. What was declared counts only where nearly all
    bytes decode. Bad bytes become U+FFFD, NUL and lone surrogates do not come out. Where
    nothing changes, the payload itself is returned.
    """
    name = _name_as_it_stands(payload, http_charset)
    if name is None:
        text, name = _decoded(payload, http_charset)
        payload = text.encode()  # no codec of CODECS lets a surrogate out, a test says
    return payload.replace(b"\0", b""), name


def decode(payload: bytes, http_charset: str | None) -> tuple[str, str]:
    """`utf8` as a string."""
    data, name = utf8(payload, http_charset)
    return data.decode(), name


def encoding_name(label: str | None) -> str | None:
    """The standard's name for a charset label, None for one that it does not have."""
    name = (label or "").strip(" \t\r\n\f\"'").lower()
    name = LABELS.get(name, name)
    return name if name in CODECS else None


def _name_as_it_stands(payload: bytes, http_charset: str | None) -> str | None:
    """The encoding of bytes that are valid UTF-8 and are meant to be read so, None of others."""
    if payload.startswith(tuple(BOMS)) or _utf16(payload):
        return None
    if payload.isascii():
        return None if b"\x1b" in payload else next(_declared(payload, http_charset), "utf-8")
    try:
        payload.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _decoded(payload: bytes, http_charset: str | None) -> tuple[str, str]:
    for bom, name in BOMS.items():
        if payload.startswith(bom):
            return payload[len(bom) :].decode(CODECS[name], "replace"), name
    if utf16 := _utf16(payload):
        return payload.decode(CODECS[utf16], "replace"), utf16
    utf8_text, n_wrong = _attempt(payload, "utf-8")
    if not n_wrong and not utf8_text.isascii():
        return utf8_text, "utf-8"
    for legacy in _declared(payload, http_charset):
        if legacy != "utf-8":
            text, n_wrong_here = _attempt(payload, legacy)
            if _fits(text, n_wrong_here):
                return text, legacy
    if _fits(utf8_text, n_wrong):
        return utf8_text, "utf-8"
    name = _detected(payload)
    return payload.decode(CODECS[name], "replace"), name


def _utf16(payload: bytes) -> str | None:
    """UTF-16 by the zeros that it writes ASCII with, None where they are missing."""
    start = payload[:1_000]
    zeros = start.count(0)
    if zeros <= 3 or zeros * 4 <= len(start):
        return None
    return "utf-16be" if start[::2].count(0) * 2 > zeros else "utf-16le"


def _declared(payload: bytes, http_charset: str | None) -> Iterator[str]:
    """What the HTTP header says, then the document; UTF-16 is not believed of bytes that are none."""
    if name := encoding_name(http_charset):
        yield "utf-8" if name.startswith("utf-16") else name
    found = DECLARATION.search(payload, 0, DECLARED_WITHIN)
    if found and (name := encoding_name((found[1] or found[2]).decode("ascii", "replace"))):
        yield "utf-8" if name.startswith("utf-16") else name


def _attempt(payload: bytes, name: str) -> tuple[str, int]:
    """Text, and how many characters were replaced; a character cut off by the payload's end is not wrong."""
    decoder = codecs.getincrementaldecoder(CODECS[name])
    try:
        return decoder("strict").decode(payload), 0
    except UnicodeDecodeError:
        text = decoder("replace").decode(payload)
        return text, text.count("\ufffd")


def _fits(text: str, n_wrong: int) -> bool:
    """Whether a text with so many replaced characters is in the encoding that it was decoded by."""
    if not n_wrong:
        return not text.isascii()
    return n_wrong * TOLERANCE <= sum(map(len, BEYOND_ASCII.findall(text)))


def _detected(payload: bytes) -> str:
    """The detector's word on the part of the page where its first characters beyond ASCII stand."""
    first = NOT_ASCII.search(payload)
    start = first.start() if first else 0
    best = charset_normalizer.from_bytes(payload[start : start + DETECT_BYTES], enable_fallback=False).best()
    return (encoding_name(best.encoding.replace("_", "-")) if best else None) or "windows-1252"
