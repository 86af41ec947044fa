import random

import pytest

from corpus.urls import canonical_url, host_name, page_id, prefixes, registered_domain


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://Example.ORG:80/a/../b?utm_source=x&q=1#top", "http://example.org/b?q=1"),
        ("https://example.org", "https://example.org/"),
        ("https://example.org:443/?", "https://example.org/"),
        ("https://example.org:8443/", "https://example.org:8443/"),
        ("https://user:secret@example.org./x", "https://example.org/x"),
        ("https://bücher.example/é", "https://xn--bcher-kva.example/%C3%A9"),
        ("https://example.org/%7euser/%c3%a9%2f", "https://example.org/~user/%C3%A9%2F"),
        ("https://example.org/100%/a b", "https://example.org/100%25/a%20b"),
        ("https://example.org/a/%2e%2e/b/./c/..", "https://example.org/b/"),
        ("https://example.org/../../x", "https://example.org/x"),
        ("https://example.org/?b=2&a=1", "https://example.org/?b=2&a=1"),
        ("https://example.org/?gclid=1&fbclid=2&UTM_x=3", "https://example.org/"),
        ("https://example.org/?a=1&&b", "https://example.org/?a=1&b"),
        ("https://example.org/a;jsessionid=0A1B?x=1", "https://example.org/a?x=1"),
        ("https://example.org/(S(abc123))/a", "https://example.org/a"),
        ("https://example.org/?PHPSESSID=q&sid=0123456789abcdef0123456789abcdef&p=2", "https://example.org/?p=2"),
        ("https://example.org/?sid=12", "https://example.org/?sid=12"),
        ("https:\\\\example.org\\a", "https://example.org/a"),
        ("  https://example.org/a\n", "https://example.org/a"),
        ("https://[2001:DB8::0:1]:443/", "https://[2001:db8::1]/"),
        ("https://example.org/a?x=\\b#c?d", "https://example.org/a?x=%5Cb"),
        ("https://example.org/\ud800", "https://example.org/%3F"),
    ],
)
def test_urls_worked_by_hand(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    "url",
    [
        *["", "example.org/a", "mailto:a@example.org", "ftp://example.org/", "dns:example.org", "http://", "http:///a"],
        *[
            "https://exa mple.org/",
            "https://example.org:port/",
            "https://example.org:99999/",
            "https://[::1/",
            "http:a",
        ],
        *[
            "https://" + "a." * 200 + "org/",
            "https://a..b/",
            "https://\u2028/",
            "https://%00/",
            "https://\u200b-\u0301/",
        ],
    ],
)
def test_what_is_no_web_url_raises_value_error(url: str) -> None:
    with pytest.raises(ValueError):
        canonical_url(url)


def test_canonical_is_a_fixed_point_and_ascii_on_random_urls() -> None:
    rng = random.Random(0)
    alphabet = [
        "a",
        "B",
        "/",
        ".",
        "..",
        "%",
        "%2e",
        "%2F",
        "%e9",
        "é",
        " ",
        "?",
        "&",
        "=",
        "#",
        ";",
        "sid",
        "utm_a",
        "\\",
        "\t",
    ]
    for _ in range(10_000):
        url = "http://h.example/" + "".join(rng.choices(alphabet, k=rng.randrange(12)))
        once = canonical_url(url)
        assert canonical_url(once) == once
        assert "#" in url or canonical_url(url.strip() + "#x") == once  # plain without a fragment, not plain with one
        assert host_name(once) == "h.example"
        assert once.isascii() and " " not in once and "#" not in once


def test_http_and_https_are_one_page_and_paths_are_not() -> None:
    assert page_id("http://example.org/a") == page_id("https://example.org/a")
    assert page_id("http://example.org/a") != page_id("http://example.org/A")
    assert len(page_id("http://example.org/a")) == 32


def test_host_name_has_no_port() -> None:
    assert host_name("https://example.org:8080/a") == "example.org"


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.example.co.uk", "example.co.uk"),
        ("example.org", "example.org"),
        ("x.me.github.io", "me.github.io"),
        ("github.io", "github.io"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("192.168.0.1", "192.168.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("www.xn--bcher-kva.de", "xn--bcher-kva.de"),
    ],
)
def test_registered_domains_worked_by_hand(host: str, domain: str) -> None:
    assert registered_domain(host) == domain


def test_prefixes_are_directories_up_to_depth() -> None:
    assert prefixes("https://example.org/a/b/page?x=/y/", 2) == ["example.org", "example.org/a", "example.org/a/b"]
    assert prefixes("https://example.org/a/b/page", 1) == ["example.org", "example.org/a"]
    assert prefixes("https://example.org/a/", 3) == ["example.org", "example.org/a"]
    assert prefixes("https://example.org/page", 3) == ["example.org"]
    assert prefixes("https://example.org:81//a//b", 3) == ["example.org", "example.org/a"]
    assert prefixes("https://example.org/a/b/", 0) == ["example.org"]
