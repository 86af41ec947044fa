"""A person's walk through what waits, and the pages that are shown of it."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from corpus.annotate import Walk
from corpus.annotate_screen import paragraph
from corpus.annotations import plain, read_annotations, write_annotations
from corpus.places import Places, read_places, titles_and_texts, without_pages
from corpus.schema import EVIDENCE, KEPT, PAGE, PREFIX, RECALLED, SCORE
from corpus.stages import part
from corpus.tables import write_rows
from corpus.urls import host_name, page_id, prefixes, registered_domain
from corpus.workspace import Workspace

# URL: posterior, and whether the round collected it.
PAGES = {
    "http://math.org/": (0.3, False),
    "http://math.org/notes/1": (0.9, True),
    "http://math.org/notes/2": (0.9, True),
    "http://math.org/notes/3": (0.9, False),
    "http://math.org/notes/4": (0.5, False),
    "http://math.org/blog/1": (0.1, False),
    "http://math.org/blog/2": (0.1, False),
    "http://math.org/blog/3": (None, False),
    "http://www.shop.org/a/1": (0.2, False),
    "http://www.shop.org/a/2": (0.2, False),
    "http://www.shop.org/~ann/x/1": (0.8, True),
    "http://old.shop.org/1": (0.0, False),
    "http://elsewhere.net/1": (1.0, False),
}
PROPOSED = {"math.org": "reject", "math.org/notes": "accept", "www.shop.org": "reject"}


def make_round(
    root: Path,
    pages: Mapping[str, tuple[float | None, bool]] = PAGES,
    proposed: Mapping[str, str] = PROPOSED,
    evidence: bool = True,
    texts: Mapping[str, tuple[str, str]] | None = None,
) -> Workspace:
    """A workspace whose first round waits for a person. texts: URL to title and text."""
    root.mkdir(exist_ok=True)
    (root / "corpus.toml").write_text("")
    workspace = Workspace(root)
    rows: list[dict[str, Any]] = [
        {
            "page_id": page_id(url),
            "url": url,
            "url_host_name": host_name(url),
            "url_host_registered_domain": registered_domain(host_name(url)),
            "warc_filename": "a.warc.gz",
            "warc_record_offset": offset,
            "title": (texts or {}).get(url, (f"Title of {url}", ""))[0],
            "text": (texts or {}).get(url, ("", f"Menu\n{url} {'says what it says ' * 8}\nMore"))[1],
            "score": value,
            "posterior": value,
            "collected": collected,
        }
        for offset, (url, (value, collected)) in enumerate(pages.items())
    ]

    def build(stage: str, name: str, schema: Any, stage_rows: list[dict[str, Any]], *inputs: str) -> None:
        def write(directory: Path) -> dict[str, Any]:
            write_rows(directory / name, ({c: row.get(c) for c in schema.names} for row in stage_rows), schema)
            return {}

        workspace.run(stage, write, settings={}, inputs=inputs)

    build("pool/parts", part(Path(), 0).name, PAGE, rows)
    build("pool/unique", part(Path(), 0, "kept").name, KEPT, rows, "pool/parts")
    build("rounds/01/scores", part(Path(), 0).name, SCORE, rows, "pool/unique")
    build("rounds/01/evidence", "evidence.parquet", EVIDENCE, rows, "rounds/01/scores")
    ranked = "rounds/01/evidence" if evidence else "rounds/01/scores"
    build("rounds/01/recalled", "recalled.parquet", RECALLED, [row for row in rows if row["collected"]], ranked)
    lines = [
        {
            "prefix": prefix,
            "domain": registered_domain(prefix.partition("/")[0]),
            "n_pages": 4,
            "n_collected": 2,
            "share": 0.5,
            "auto": auto,
            "examples": [],
        }
        for prefix, auto in proposed.items()
    ]
    build("rounds/01/domains", "prefixes.parquet", PREFIX, lines, "rounds/01/recalled")
    write_annotations(workspace.annotations(1), lines, {})
    return workspace


def walk_of(workspace: Workspace, by: str = "ann") -> Walk:
    return Walk(workspace, 1, by, now=lambda: "2026-01-02T03:04:05Z")


def decisions(workspace: Workspace) -> dict[str, str]:
    return {line.prefix: line.decision for line in read_annotations(workspace.annotations(1)) if line.decision}


# --- the walk


def test_what_waits_comes_best_first_by_its_own_new_pages_and_behind_what_lies_under_it(tmp_path: Path) -> None:
    rows = walk_of(make_round(tmp_path)).rows()
    assert [(row["prefix"], row["expected_new"]) for row in rows] == [
        ("math.org/notes", 1.4),
        ("math.org", 0.5),
        ("www.shop.org", 0.4),
    ]
    pages = PAGES | {f"http://math.org/{n}": (0.9, False) for n in range(9)}
    proposed = {"math.org": "reject", "math.org/blog": "reject", "math.org/notes": "reject", "www.shop.org": "reject"}
    walk = walk_of(make_round(tmp_path / "deep", pages, proposed))
    assert walk.queue == ["math.org/notes", "math.org/blog", "math.org", "www.shop.org"]


def test_a_round_without_evidence_goes_by_its_scores(tmp_path: Path) -> None:
    walk = walk_of(make_round(tmp_path, evidence=False))
    assert walk.asked("math.org/notes").measure == "score"
    assert walk_of(make_round(tmp_path / "evidence")).asked("math.org").measure == "probability"
    assert walk.queue == ["math.org/notes", "math.org", "www.shop.org"]


def test_what_is_shown_is_of_the_pages_that_the_decision_answers_for(tmp_path: Path) -> None:
    walk = walk_of(make_round(tmp_path))
    before = walk.asked("math.org")
    assert (before.n_pages, before.n_collected, before.expected_new) == (8, 2, pytest.approx(1.9))
    assert before.histogram == [(2, 1), (0, 0), (0, 1), (0, 1), (0, 3)]
    assert {example.level for example in before.examples} == {"high", "middle", "low"}
    assert [example.collected for example in before.examples if example.level == "high"] == [False, True]
    walk.decide("math.org/notes", "accept")
    after = walk.asked("math.org")
    assert (after.n_pages, after.n_collected, after.expected_new) == (4, 0, pytest.approx(0.5))
    assert after.histogram == [(0, 0), (0, 0), (0, 0), (0, 1), (0, 3)]
    shown = {(place.prefix, place.n_pages, place.said and place.said.decision) for place in after.inside}
    assert shown == {("math.org/notes", 4, "accept"), ("math.org/blog", 3, None)}
    assert [place.prefix for place in walk.asked("www.shop.org").beside] == ["old.shop.org"]
    assert [place.prefix for place in walk.asked("math.org/blog").above] == ["math.org"]


def test_more_examples_are_others_and_come_round_again(tmp_path: Path) -> None:
    pages = {f"http://math.org/{n}": (0.9, False) for n in range(4)}
    walk = walk_of(make_round(tmp_path, pages, {"math.org": "accept"}))
    urls = [{example.url for example in walk.asked("math.org", page).examples} for page in range(3)]
    assert urls[0] | urls[1] == pages.keys() and urls[2] == urls[0]


def test_a_split_asks_about_the_directories_below_first_proposed_or_not(tmp_path: Path) -> None:
    walk = walk_of(make_round(tmp_path))
    walk.split("math.org")
    assert walk.queue == ["math.org/notes", "math.org/blog", "math.org", "www.shop.org"]
    walk.decide("math.org/blog", "reject")
    assert walk.queue == ["math.org/notes", "math.org", "www.shop.org"]
    walk.split("www.shop.org")
    assert walk.queue[:3] == ["www.shop.org/a", "www.shop.org/~ann", "www.shop.org"]
    queue = walk.queue
    assert "nothing undecided lies deeper" in walk.split("www.shop.org/a")
    assert walk.queue == queue


def test_a_split_passes_a_directory_that_holds_all_the_pages(tmp_path: Path) -> None:
    pages = {f"http://math.org/a/b/{name}/1": (0.5, False) for name in "xy"}
    walk = walk_of(make_round(tmp_path, pages, {"math.org": "reject"}))
    walk.split("math.org")
    assert walk.queue == ["math.org/a/b/x", "math.org/a/b/y", "math.org"]


def test_undo_takes_back_decisions_skips_and_splits_one_by_one(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    walk = walk_of(workspace)
    queue, before = walk.queue, workspace.annotations(1).read_bytes()
    walk.decide("math.org/notes", "accept")
    walk.skip("math.org")
    walk.split("www.shop.org")
    walk.decide("www.shop.org/a", "reject")
    assert decisions(workspace) == {"math.org/notes": "accept", "www.shop.org/a": "reject"} and walk.n_decided == 2
    for _ in range(4):
        walk.undo()
    assert walk.undo() == "nothing to undo"
    assert (walk.queue, workspace.annotations(1).read_bytes(), walk.n_decided) == (queue, before, 0)


def test_what_another_decides_meanwhile_waits_no_longer_and_the_first_decision_stands(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    ann, bob = walk_of(workspace), walk_of(workspace, "bob")
    assert ann.queue == bob.queue
    ann.decide("math.org/notes", "accept")
    assert bob.decide("math.org/notes", "reject") == "math.org/notes: accept, as ann decided meanwhile"
    bob.decide("math.org", "reject")
    assert ann.queue == bob.queue == ["www.shop.org"]
    assert decisions(workspace) == {"math.org/notes": "accept", "math.org": "reject"}


def test_decisions_of_earlier_rounds_do_not_wait_and_the_star_line_is_told(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    walk_of(workspace).decide("math.org", "reject")
    (tmp_path / "rounds/02").mkdir()
    for source, target in (("rounds/01", "rounds/02"),):
        for stage in ("recalled", "domains", "scores", "evidence"):
            (tmp_path / target / stage).symlink_to(tmp_path / source / stage)
    workspace.annotations(2).write_text("prefix,decision\n*,auto\nmath.org,\n")
    walk = Walk(workspace, 2, "ann")
    assert walk.queue == ["math.org/notes", "www.shop.org"] and walk.rest == "auto"


# --- places


def test_pages_under_a_prefix_are_those_whose_url_lies_under_it(tmp_path: Path) -> None:
    """Against the plain way, on directories whose names sort around the slash."""
    draw = random.Random(3)
    names = ["a", "a-b", "a.b", "a0", "b", "~a", "a~"]
    urls = {
        f"http://{draw.choice(names[:1])}.org/{'/'.join(draw.choices(names, k=draw.randrange(4)))}" for _ in range(200)
    }
    pages = {url: (0.5, draw.random() < 0.5) for url in sorted(urls)}
    places = read_places(make_round(tmp_path, pages), 1, {"a.org"})
    every = {prefix for url in urls for prefix in prefixes(url, 9)}
    for prefix in every:
        under = [url for url in urls if prefix in prefixes(url, 9)]
        assert sorted(places.urls[places.under(prefix)]) == sorted(under)
        deeper = {p for url in under for p in prefixes(url, 9) if p.count("/") == prefix.count("/") + 1}
        assert places.inside(prefix) == sorted(deeper)
        decided = sorted(draw.sample(sorted(every), 5))
        is_open = [not any(p in decided for p in prefixes(url, 9) if len(p) > len(prefix))
                   for url in places.urls[places.under(prefix)]]  # fmt: skip
        assert places.open(prefix, decided).tolist() == is_open


def test_prefixes_without_pages_are_named(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    wanted = ["math.org", "math.org/blog", "math.org/blog/1", "none.org", "elsewhere.net"]
    assert without_pages(workspace, wanted) == ["math.org/blog/1", "none.org"]
    empty = read_places(workspace, 1, {"none.org"})
    assert isinstance(empty, Places) and empty.urls == [] and empty.under("none.org") == slice(0, 0)


def test_texts_are_those_of_their_pages_in_whatever_part_and_one_of_two_captures(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    first, second, third = (page_id(url) for url in ("http://math.org/notes/4", "http://shop.org/", "http://math.org/"))
    later = [{"page_id": second, "title": None, "text": "x" * 9_000}, {"page_id": third, "title": "later", "text": ""}]
    path = part(workspace.path("pool/parts"), 1)
    write_rows(path, ({name: row.get(name) for name in PAGE.names} for row in later), PAGE)
    found = titles_and_texts(workspace, [first, second, third])
    assert {page: title for page, (title, _) in found.items()} == {
        first: "Title of http://math.org/notes/4",
        second: "",
        third: "Title of http://math.org/",
    }
    assert found[first][1].startswith("Menu\nhttp://math.org/notes/4 says") and found[second][1] == "x" * 6_000


# --- what a page can do to a terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;evil\x07 a\x1b[31mb", "]0;evil a[31mb"),
        ("a\x9b31mb\x85c\x00", "a31mb c"),
        ("a\u202eb\u2066c\ufeffd\u200be\xad", "abcde"),
        ("a\r\n\t b\u2028c\xa0d", "a b c d"),
        ("\ud800\U000e0041\ue000x", "x"),
        ("∫ 数学 é", "∫ 数学 é"),
    ],
)
def test_text_of_pages_is_one_line_of_printable_characters(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_an_excerpt_is_the_first_paragraph_else_the_longest_line() -> None:
    long = "A sequence converges. " * 5
    assert paragraph(f"Menu\nHome of all\n{long}\n{long * 2}") == long
    assert paragraph("Menu\nHome of all\nBack") == "Home of all"
    assert paragraph("") == ""
