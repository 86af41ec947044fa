"""URLs: one spelling a page, its identifier, its domain and its prefixes."""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import idna
import tldextract
import xxhash

DEFAULT_PORTS = {"http": 80, "https": 443}
TRACKING = re.compile(
    r"utm_\w*|[gdy]clid|gclsrc|gbraid|wbraid|fbclid|msclkid|twclid|igshid|mc_[ce]id|_ga|_gl"
    r"|jsessionid|phpsessid|aspsessionid\w*|cfid|cftoken|oscsid|zenid",
    re.IGNORECASE,
)
# `sid` is a session where its value looks random, and a plain key ("sid=12") where it does not.
RANDOM_SID = re.compile(r"(?:s|sid|session_?id)=(?=[a-z]*\d)[0-9a-z]{24,}", re.IGNORECASE)
PATH_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;]*|/\([SAF]\(\w+\)\)(?=/)", re.IGNORECASE)
MAX_HOST = 253
HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})|%|[^!-~]|[\"<>`{}|\\^]")
# Most URLs are as they are to be: plain path segments that no dot begins, no query, port or escape.
PLAIN = re.compile(r"https?://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)/(?:[A-Za-z0-9_~,:@=+/-]|(?<=[A-Za-z0-9_~-])\.)*")
# The directory of one user of a shared host: /~user/, /@user/ anywhere, /users/user/ and its like at the root. Group 1
# is its path. DuckDB (RE2) and re read it alike.
USER_DIRECTORY = r"^https?://[^/?]+((?:/[^/?]+)*?/[~@][^/?]+|/(?:users?|u|people|homes?|members?)/[^/?]+)/"
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def canonical_url(url: str) -> str:
    """The spelling under which a page is known, whatever link led to it.

    Scheme and host in lower case, IDNA in punycode; user, default port, fragment, empty
    query, tracking parameters and session ids dropped; dot segments resolved;
    percent-encoding in upper case, of what needs it only; query order kept.
    `HTTP://Example.org:80/a/../b?utm_source=x&q=1#top` is `http://example.org/b?q=1`.
    The scheme stays, so that the URL is one that was fetched; `page_id` ignores it.
    canonical_url(canonical_url(u)) == canonical_url(u).

    Raises ValueError for what is no http or https URL.
    Source: RFC 3986, section 6; backslashes, tabs and newlines as in the WHATWG URL standard.
    """
    plain = PLAIN.fullmatch(url)
    if plain and len(plain[1]) <= MAX_HOST:
        return url
    scheme, _, rest = url.strip("".join(map(chr, range(33)))).partition(":")
    if scheme.lower() not in DEFAULT_PORTS or not rest.startswith(("//", "/\\", "\\")):
        raise ValueError(f"no http or https URL: {url[:200]!r}")
    hierarchy, mark, query = rest.partition("#")[0].partition("?")
    parts = urlsplit(f"{scheme}:{hierarchy.replace(chr(92), '/')}{mark}{query}")
    host = _host(parts, url)
    port = f":{parts.port}" if parts.port not in (None, DEFAULT_PORTS[parts.scheme]) else ""
    path = _without_dots(PATH_SESSION.sub("", _escaped(parts.path)))
    kept = [pair for pair in _escaped(parts.query).split("&") if pair and not _is_noise(pair)]
    return f"{parts.scheme}://{host}{port}{path}" + ("?" + "&".join(kept) if kept else "")


def page_id(canonical: str) -> str:
    """xxh3_128 of a canonical URL without its scheme, 32 hex digits: http and https are one page."""
    return xxhash.xxh3_128_hexdigest(canonical.partition("://")[2])


def host_name(url: str) -> str:
    """Host of a canonical URL, without port: `https://example.org:8080/a` gives `example.org`."""
    plain = PLAIN.fullmatch(url)
    return plain[1] if plain else urlsplit(url).hostname or ""


@lru_cache(maxsize=65_536)
def registered_domain(host: str) -> str:
    """The name under the public suffix that someone registered, private suffixes too.

    `a.b.example.co.uk` gives `example.co.uk`, `me.github.io` itself. An IP address, a suffix
    and a host without a known suffix are their own domains. Source: the public suffix list
    that tldextract bundles; nothing is fetched.
    """
    return _suffixes().extract_str(host).top_domain_under_public_suffix or host


def prefixes(url: str, depth: int) -> list[str]:
    """The prefixes that a canonical URL lies under, shortest first, up to `depth` directories.

    `https://example.org/a/b/page` gives `example.org`, `example.org/a`, `example.org/a/b`:
    the last segment is the page, unless the path ends in a slash.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    directories = [segment for segment in parts.path.split("/")[:-1] if segment][:depth]
    return ["/".join([host, *directories[:n]]) for n in range(len(directories) + 1)]


@lru_cache(maxsize=1)
def _suffixes() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def _host(parts: SplitResult, url: str) -> str:
    """Host in lower case and punycode, an IPv6 address in brackets; ValueError where there is none."""
    host = parts.hostname or ""
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host)}]"
    host = re.sub(r"%([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), host)
    if not host.isascii():
        host = idna.encode(host, uts46=True).decode("ascii")
    host = host.rstrip(".")
    if not HOST.fullmatch(host) or len(host) > MAX_HOST:
        raise ValueError(f"no host name in URL: {url[:200]!r}")
    return host


def _escaped(text: str) -> str:
    """Percent-encoding in one spelling: unreserved characters plain, the others in upper-case hex of UTF-8."""
    return ESCAPE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    if found[1]:
        character = chr(int(found[1], 16))
        return character if character in UNRESERVED else found[0].upper()
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


def _without_dots(path: str) -> str:
    """`path` with `.` and `..` resolved (RFC 3986, section 5.2.4), from the root."""
    segments = path.split("/")[1:] or [""]
    resolved: list[str] = []
    for segment in segments:
        if segment == "..":
            del resolved[-1:]
        elif segment != ".":
            resolved.append(segment)
    if segments[-1] in (".", ".."):
        resolved.append("")
    return "/" + "/".join(resolved)


def _is_noise(pair: str) -> bool:
    return bool(TRACKING.fullmatch(pair.partition("=")[0]) or RANDOM_SID.fullmatch(pair))
