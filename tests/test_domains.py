"""Domains and prefixes: shares, and what a round proposes to expand to."""

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpus.config import Domains
from corpus.domains import collected_shares
from corpus.schema import EVIDENCE, KEPT, PAGE, RECALLED
from corpus.stages import part
from corpus.tables import write_rows
from corpus.urls import canonical_url, host_name, page_id, registered_domain
from corpus.workspace import Workspace

PLAIN = {"confidence": 0}  # the paper's rule
TOKENS = 10  # of each page


def make_pool(root: Path, urls: Iterable[str], n_parts: int = 1) -> Workspace:
    """A workspace whose pool holds these URLs, in this order over its parts."""
    root.mkdir(exist_ok=True)
    (root / "corpus.toml").write_text("")
    workspace = Workspace(root)
    rows = []
    for offset, url in enumerate(map(canonical_url, urls)):
        row = {
            "page_id": page_id(url),
            "url": url,
            "url_host_name": host_name(url),
            "url_host_registered_domain": registered_domain(host_name(url)),
            "warc_filename": "a.warc.gz",
            "warc_record_offset": offset,
            "n_tokens": TOKENS,
        }
        rows.append(row)
    for stage, name, schema in (("pool/parts", "part", PAGE), ("pool/unique", "kept", KEPT)):
        workspace.path(stage).mkdir(parents=True)
        for rank in range(n_parts):
            found = ({c: row.get(c) for c in schema.names} for row in rows[rank::n_parts])
            write_rows(part(workspace.path(stage), rank, name), found, schema)
    return workspace


def collect(
    workspace: Workspace, number: int, urls: Iterable[str], posteriors: Mapping[str, float] | None = None
) -> None:
    """Let a round have collected these URLs; posteriors: of the others, if it has evidence."""
    ids = [page_id(canonical_url(url)) for url in urls]
    directory = workspace.path(workspace.round(number, "recalled"))
    directory.mkdir(parents=True)
    write_rows(directory / "recalled.parquet", ({"page_id": page} for page in ids), RECALLED)
    if posteriors is not None:
        directory = workspace.path(workspace.round(number, "evidence"))
        directory.mkdir(parents=True)
        weighed = [
            *({"page_id": page, "posterior": 0.9} for page in ids),
            *({"page_id": page_id(canonical_url(url)), "posterior": value} for url, value in posteriors.items()),
        ]
        rows = ({name: row.get(name) for name in EVIDENCE.names} for row in weighed)
        write_rows(directory / "evidence.parquet", rows, EVIDENCE)


def shares(workspace: Workspace, number: int = 1, evidence: bool = False, **settings: Any) -> dict[str, Any]:
    """Build stage domains of a round; its counts."""
    directory = workspace.path(workspace.round(number, "domains"))
    directory.mkdir(parents=True)
    return collected_shares(workspace, number, directory, Domains(**settings), evidence)


def table(workspace: Workspace, name: str, number: int = 1, stage: str = "domains") -> list[dict[str, Any]]:
    directory = workspace.path(workspace.round(number, stage))
    rows: list[dict[str, Any]] = pq.read_table(directory / f"{name}.parquet").to_pylist()
    return rows


def site(root: str, n_collected: int, n_pages: int) -> dict[str, bool]:
    """URL -> whether it is collected."""
    return {f"http://{root}/{n}.html": n < n_collected for n in range(n_pages)}


def built(root: Path, pages: Mapping[str, bool], **settings: Any) -> Workspace:
    """Round 1 up to its domains."""
    workspace = make_pool(root, pages)
    collect(workspace, 1, [url for url, wanted in pages.items() if wanted])
    shares(workspace, **settings)
    return workspace


def math_of(workspace: Workspace) -> dict[str, bool]:
    return {row["domain"]: row["math"] for row in table(workspace, "domains")}


def auto_of(workspace: Workspace) -> dict[str, str]:
    return {row["prefix"]: row["auto"] for row in table(workspace, "prefixes")}


def test_without_confidence_a_domain_is_math_above_the_share_and_not_at_it(tmp_path: Path) -> None:
    workspace = built(tmp_path, site("tenth.org", 1, 10) | site("above.org", 1, 9), **PLAIN)
    assert math_of(workspace) == {"above.org": True, "tenth.org": False}
    assert [row["lower_bound"] for row in table(workspace, "domains")] == [1 / 9, 0.1]


def test_few_pages_make_a_domain_math_only_where_luck_would_hardly_collect_as_many(tmp_path: Path) -> None:
    pages = site("one.org", 1, 1) | site("two.org", 2, 2) | site("half.org", 1, 2) | site("nine.org", 1, 9)
    workspace = built(tmp_path, pages | site("many.org", 20, 100) | site("none.org", 0, 3))
    assert math_of(workspace) == {
        "one.org": False,
        "two.org": True,
        "half.org": False,
        "nine.org": False,
        "many.org": True,
        "none.org": False,
    }
    bounds = {row["domain"]: round(row["lower_bound"], 3) for row in table(workspace, "domains")}
    assert (bounds["one.org"], bounds["two.org"], bounds["many.org"], bounds["none.org"]) == (0.05, 0.224, 0.137, 0)


def test_a_prefix_is_accepted_from_the_share_on_where_it_passes_the_bound_of_a_math_domain(tmp_path: Path) -> None:
    pages = site("half.org", 5, 10) | site("less.org", 4, 10) | site("few.org", 1, 2) | site("a.few.org", 4, 5)
    by_bound = {"a.few.org": "accept", "few.org": "reject", "half.org": "accept", "less.org": "reject"}
    assert auto_of(built(tmp_path / "bound", pages)) == by_bound
    assert auto_of(built(tmp_path / "plain", pages, **PLAIN)) == by_bound | {"few.org": "accept"}


MIXED = site("mixed.org/math", 18, 20) | site("mixed.org/blog", 2, 40) | site("mixed.org/blog/tags", 0, 9)


def test_prefixes_of_a_math_domain_say_what_was_collected_under_each(tmp_path: Path) -> None:
    rows = table(built(tmp_path, MIXED), "prefixes")
    assert [(row["prefix"], row["domain"], row["depth"], row["n_collected"], row["n_pages"]) for row in rows] == [
        ("mixed.org", "mixed.org", 0, 2, 49),
        ("mixed.org/math", "mixed.org", 1, 18, 20),
    ]
    assert [row["auto"] for row in rows] == ["reject", "accept"]
    assert [row["share"] for row in rows] == [2 / 49, 0.9]
    assert rows[1]["examples"] == [f"http://mixed.org/math/{n}.html" for n in (18, 19, 0)]


def test_what_is_collected_to_the_last_page_has_nothing_to_add_and_is_not_proposed(tmp_path: Path) -> None:
    assert auto_of(built(tmp_path, site("all.org", 30, 30) | site("some.org", 29, 30))) == {"some.org": "accept"}


def test_prefix_depth_is_a_cap(tmp_path: Path) -> None:
    pages = site("deep.org/a/b/c", 29, 30) | site("deep.org/a/b/d", 1, 90)
    deep = {"deep.org": "reject", "deep.org/a/b/c": "accept"}
    assert auto_of(built(tmp_path / "deep", pages)) == deep
    assert auto_of(built(tmp_path / "shallow", pages, prefix_depth=2)) == {"deep.org": "reject"}


def test_users_of_a_host_are_domains_where_the_path_says_so(tmp_path: Path) -> None:
    pages = site("www.uni.edu", 0, 200) | site("www.uni.edu/news", 0, 100)
    for user in ("~ann", "@bob", "users/eve", "u/joe", "people/kim", "home/lee", "dept/~max"):
        pages |= site(f"www.uni.edu/{user}/papers", 9, 10)
    pages |= site("www.uni.edu/~zoe", 0, 5) | {"http://www.uni.edu/?q=/~ann/x": False, "http://www.uni.edu/~ann": False}
    workspace = built(tmp_path, pages)
    assert {name for name, math in math_of(workspace).items() if math} == {
        f"www.uni.edu/{user}" for user in ("~ann", "@bob", "users/eve", "u/joe", "people/kim", "home/lee", "dept/~max")
    }
    assert math_of(workspace)["www.uni.edu/~zoe"] is False
    sizes = {row["domain"]: row["n_pages"] for row in table(workspace, "domains")}
    assert sizes["uni.edu"] == 302  # the query names no user, and ~ann without a slash is a page
    assert auto_of(workspace)["www.uni.edu/~ann"] == "accept"


def test_prefix_depth_is_counted_from_the_directory_of_a_user(tmp_path: Path) -> None:
    pages = site("h.org/users/eve/math/a", 19, 20) | site("h.org/users/eve/blog/b", 1, 60)
    assert auto_of(built(tmp_path, pages, prefix_depth=1)) == {
        "h.org/users/eve": "reject",
        "h.org/users/eve/math": "accept",
    }


def test_where_the_first_segment_is_the_user_statistics_tell_the_users_apart(tmp_path: Path) -> None:
    pages: dict[str, bool] = {}
    for n in range(60):
        pages |= site(f"code.host.org/user{n}/project", 0, 10)
    for name in ("ann", "bob"):
        pages |= site(f"code.host.org/{name}/notes", 14, 15) | site(f"code.host.org/{name}/book", 14, 15)
    workspace = built(tmp_path, pages)
    assert math_of(workspace) == {"host.org": False}  # 56 of 660
    assert auto_of(workspace) == {"code.host.org/ann": "accept", "code.host.org/bob": "accept"}


def test_a_host_that_passes_by_itself_is_proposed_though_its_domain_is_not_math(tmp_path: Path) -> None:
    pages = site("math.farm.org", 19, 20) | site("cars.farm.org", 0, 400)
    workspace = built(tmp_path, pages)
    assert math_of(workspace) == {"farm.org": False}
    assert auto_of(workspace) == {"math.farm.org": "accept"}


def test_a_host_of_a_math_domain_of_which_nothing_was_collected_is_not_proposed(tmp_path: Path) -> None:
    pages = site("www.some.org", 15, 20) | site("jobs.some.org", 0, 6) | site("one.some.org", 1, 30)
    assert auto_of(built(tmp_path, pages)) == {"www.some.org": "accept", "one.some.org": "reject"}


def test_an_exception_inside_a_proposed_prefix_is_proposed_with_it(tmp_path: Path) -> None:
    pages = site("hub.org", 0, 2000) | site("hub.org/ann", 58, 60) | site("hub.org/ann/forum", 0, 40)
    assert auto_of(built(tmp_path, pages)) == {"hub.org/ann": "accept", "hub.org/ann/forum": "reject"}


def test_gain_and_purity_are_the_expected_pages_among_the_uncollected(tmp_path: Path) -> None:
    pages = site("good.org", 18, 20) | site("poor.org", 18, 20)
    workspace = make_pool(tmp_path, pages)
    posteriors = {"http://good.org/18.html": 0.4, "http://good.org/19.html": 0.2, "http://poor.org/18.html": 0.1}
    collect(workspace, 1, [url for url, wanted in pages.items() if wanted], posteriors)
    shares(workspace, evidence=True)
    good, poor = table(workspace, "prefixes")
    assert (good["gain"], good["gain_tokens"], good["purity"]) == pytest.approx((0.6, 6.0, 0.3))
    assert (poor["gain"], poor["gain_tokens"], poor["purity"]) == pytest.approx((0.1, 1.0, 0.05))
    assert (good["auto"], poor["auto"]) == ("accept", "reject")  # poor.org: .05 is not above the share of a math domain


def test_without_evidence_gain_and_purity_are_unknown(tmp_path: Path) -> None:
    rows = table(built(tmp_path, site("good.org", 18, 20)), "prefixes")
    assert [(row["gain"], row["gain_tokens"], row["purity"], row["auto"]) for row in rows] == [
        (None, None, None, "accept")
    ]


def test_one_domain_with_nearly_all_pages_leaves_the_others_their_rule(tmp_path: Path) -> None:
    pages = site("huge.org/shop", 0, 900) | site("huge.org/math", 30, 31) | site("tiny.org", 19, 20)
    workspace = built(tmp_path, pages)
    assert math_of(workspace) == {"huge.org": False, "tiny.org": True}
    assert auto_of(workspace) == {"huge.org/math": "accept", "tiny.org": "accept"}


def test_pages_without_a_path_and_with_queries_lie_under_their_host(tmp_path: Path) -> None:
    pages = {f"http://q.org/?id={n}&path=/a/b/": n < 8 for n in range(9)} | {"http://q.org": False}
    rows = table(built(tmp_path, pages | {"http://q.org/view?x=/c/d": True}), "prefixes")
    assert [(row["prefix"], row["n_collected"], row["n_pages"]) for row in rows] == [("q.org", 9, 11)]


def test_a_pool_of_which_nothing_was_collected_proposes_nothing(tmp_path: Path) -> None:
    workspace = built(tmp_path, site("a.org", 0, 5))
    assert math_of(workspace) == {"a.org": False}
    assert auto_of(workspace) == {}


def test_the_same_bytes_come_out_for_any_order_of_pages_and_any_number_of_parts(tmp_path: Path) -> None:
    draw = random.Random(8)
    pages = [*MIXED, *site("b.org/~ann/x", 0, 30), *site("c.org", 0, 20), *site("www.c.org/y/z", 0, 20)]
    wanted: Sequence[str] = draw.sample(pages, 70)
    posteriors = {url: draw.random() for url in sorted({*pages} - {*wanted})}
    expected = None
    for n_parts in (1, 2, 5):
        draw.shuffle(pages)
        workspace = make_pool(tmp_path / str(n_parts), pages, n_parts)
        collect(workspace, 1, draw.sample(wanted, len(wanted)), posteriors)
        counts = shares(workspace, evidence=True)
        directory = workspace.path(workspace.round(1, "domains"))
        found = {path.name: path.read_bytes() for path in directory.iterdir()} | counts
        assert sorted(found) == [
            *("checked.parquet", "domains.parquet", "n_domains", "n_math_domains", "n_prefixes", "n_withdrawn"),
            *("prefixes.parquet", "withdrawn.parquet"),
        ]
        assert expected in (None, found)
        expected = found
