"""What a round expands to, and what becomes of it a round later."""

from pathlib import Path
from typing import Any

import pytest
from test_domains import MIXED, TOKENS, built, collect, make_pool, shares, site, table

from corpus.expansion import expand_round, low_scores
from corpus.workspace import Workspace


def expand(workspace: Workspace, persons: dict[str, str] | None = None, number: int = 1, **how: bool) -> dict[str, Any]:
    """Build stage expanded of a round; its counts."""
    directory = workspace.path(workspace.round(number, "expanded"))
    directory.mkdir(parents=True, exist_ok=True)
    return expand_round(workspace, number, directory, persons or {}, **how)


def expanded(workspace: Workspace, number: int = 1) -> set[str]:
    """Prefix and last path segment of the pages that a round expands to."""
    urls = {row["page_id"]: row["url"] for row in table_of_pool(workspace)}
    return {f"{row['prefix']}:{urls[row['page_id']].rpartition('/')[2]}" for row in joined(workspace, number)}


def table_of_pool(workspace: Workspace) -> list[dict[str, Any]]:
    return table(workspace, "part-00000", 1, "../../pool/parts")


def joined(workspace: Workspace, number: int = 1) -> list[dict[str, Any]]:
    return table(workspace, "expanded", number, "expanded")


def decisions(workspace: Workspace, number: int = 1) -> dict[str, dict[str, Any]]:
    return {row["prefix"]: row for row in table(workspace, "decisions", number, "expanded")}


def test_the_longest_prefix_decides_and_collected_pages_stay_out(tmp_path: Path) -> None:
    workspace = built(tmp_path, MIXED)
    counts = expand(workspace)
    assert expanded(workspace) == {"mixed.org/math:18.html", "mixed.org/math:19.html"}
    assert counts == {"n_accepted": 1, "n_expanded": 2, "n_withdrawn": 0, "unmatched": []}
    names = ("decision", "by", "n_pages", "n_expanded")
    assert {prefix: tuple(row[name] for name in names) for prefix, row in decisions(workspace).items()} == {
        "mixed.org": ("reject", "auto", 49, 0),
        "mixed.org/math": ("accept", "auto", 20, 2),
    }


def test_any_line_of_a_person_goes_before_the_rule(tmp_path: Path) -> None:
    workspace = built(tmp_path, MIXED | site("other.org", 0, 2))
    expand(workspace, {"mixed.org": "accept"})
    assert len(joined(workspace)) == 49
    expand(workspace, {"mixed.org": "reject"})
    assert expanded(workspace) == set()
    counts = expand(workspace, {"mixed.org/math": "auto", "other.org": "accept", "gone.org": "accept"})
    assert {name.partition(":")[0] for name in expanded(workspace)} == {"mixed.org/math", "other.org"}
    assert counts["unmatched"] == ["gone.org"]


def test_auto_of_a_person_is_the_rules_decision_and_counts_as_its(tmp_path: Path) -> None:
    workspace = built(tmp_path, MIXED)
    expand(workspace, {"mixed.org/math": "auto", "mixed.org": "reject"}, manual=True)
    assert {prefix: row["by"] for prefix, row in decisions(workspace).items()} == {
        "mixed.org": "person",
        "mixed.org/math": "auto",
    }
    assert {row["by"] for row in joined(workspace)} == {"auto"}


def test_auto_for_a_prefix_that_is_not_proposed_leaves_its_pages_to_the_rule(tmp_path: Path) -> None:
    workspace = built(tmp_path, site("a.org/x", 19, 20))
    expand(workspace, {"a.org/x": "auto"})
    assert expanded(workspace) == {"a.org:19.html"}  # a.org/x holds the same pages
    expand(workspace, {"a.org/x": "reject"})
    assert expanded(workspace) == set()


def test_the_rule_decides_nothing_in_manual_mode(tmp_path: Path) -> None:
    workspace = built(tmp_path, MIXED)
    expand(workspace, {"mixed.org/blog/tags": "accept"}, manual=True)
    assert expanded(workspace) == {f"mixed.org/blog/tags:{n}.html" for n in range(9)}


def test_decisions_tell_gain_and_purity_of_what_they_decide_a_persons_prefix_too(tmp_path: Path) -> None:
    pages = site("a.org", 19, 20) | site("b.org", 0, 4)
    workspace = make_pool(tmp_path, pages)
    posteriors = {"http://a.org/19.html": 0.3} | {f"http://b.org/{n}.html": 0.1 for n in range(4)}
    collect(workspace, 1, [url for url, wanted in pages.items() if wanted], posteriors)
    shares(workspace, evidence=True)
    expand(workspace, {"b.org": "accept"}, evidence=True)
    found = decisions(workspace)
    for prefix, gain, purity in (("a.org", 0.3, 0.3), ("b.org", 0.4, 0.1)):
        row = found[prefix]
        assert (row["gain"], row["gain_tokens"], row["purity"]) == pytest.approx((gain, gain * TOKENS, purity))
    expand(workspace, {"b.org": "accept"})
    assert {(row["gain"], row["purity"]) for row in decisions(workspace).values()} == {(None, None)}


# --- a round later

KEEPS = site("keeps.org", 20, 30)  # its other pages prove good
FAILS = site("fails.org", 40, 50)  # 1 of 10 is not above a tenth
PERSONS = site("person.org", 0, 10)
LATER = [url for url, wanted in (KEEPS | FAILS).items() if wanted] + [
    *(f"http://keeps.org/{n}.html" for n in range(20, 24)),
    "http://fails.org/40.html",
]
PLAIN = {"confidence": 0}


def second_round(root: Path) -> Workspace:
    """Two rounds, in the first of which the rule expands to keeps.org and fails.org, and a person to person.org."""
    workspace = built(root, KEEPS | FAILS | PERSONS, **PLAIN)
    expand(workspace, {"person.org": "accept"})
    collect(workspace, 2, LATER)
    shares(workspace, 2, **PLAIN)
    return workspace


def test_an_expansion_is_withdrawn_when_too_few_of_its_pages_are_collected_a_round_later(tmp_path: Path) -> None:
    workspace = second_round(tmp_path)
    assert [
        (
            row["prefix"],
            row["by"],
            row["n_added"],
            row["n_confirmed"],
            row["gained_tokens"],
            row["low"],
            row["withdrawn"],
        )
        for row in table(workspace, "checked", 2)
    ] == [
        ("fails.org", "auto", 10, 1, TOKENS, True, True),
        ("keeps.org", "auto", 10, 4, 4 * TOKENS, False, False),
        ("person.org", "person", 10, 0, 0, True, False),
    ]
    assert {row["prefix"] for row in table(workspace, "withdrawn", 2)} == {"fails.org"}
    assert {row["page_id"] for row in table(workspace, "withdrawn", 2)} == {
        row["page_id"] for row in joined(workspace) if row["prefix"] == "fails.org"
    }


def test_a_withdrawn_prefix_is_a_decision_with_its_figures_and_adds_nothing(tmp_path: Path) -> None:
    workspace = second_round(tmp_path)
    counts = expand(workspace, {"person.org": "accept"}, 2)
    found = decisions(workspace, 2)
    assert (found["fails.org"]["decision"], found["fails.org"]["n_added"], found["fails.org"]["n_confirmed"]) == (
        "withdrawn",
        10,
        1,
    )
    assert (found["keeps.org"]["decision"], found["keeps.org"]["n_confirmed"]) == ("accept", 4)
    assert {row["prefix"] for row in joined(workspace, 2)} == {"keeps.org", "person.org"}
    assert (counts["n_withdrawn"], counts["n_accepted"]) == (1, 2)


def test_what_was_withdrawn_stays_out_in_later_rounds(tmp_path: Path) -> None:
    workspace = second_round(tmp_path)
    expand(workspace, number=2)
    collect(workspace, 3, [*LATER, "http://keeps.org/24.html"])
    shares(workspace, 3, **PLAIN)
    assert {row["prefix"]: row["auto"] for row in table(workspace, "prefixes", 3)}["fails.org"] == "withdrawn"
    expand(workspace, number=3)
    assert {row["prefix"] for row in joined(workspace, 3)} == {"keeps.org"}


def test_pages_that_were_withdrawn_are_added_by_no_other_prefix_of_the_rule(tmp_path: Path) -> None:
    half = site("deep.org/a", 40, 50)
    workspace = built(tmp_path, half | site("deep.org/b", 20, 25), **PLAIN)
    expand(workspace)
    assert {row["prefix"] for row in joined(workspace)} == {"deep.org"}
    collect(workspace, 2, [url for url, wanted in half.items() if wanted])
    shares(workspace, 2, **PLAIN)
    expand(workspace, number=2)
    assert {prefix: (row["decision"], row["n_expanded"]) for prefix, row in decisions(workspace, 2).items()} == {
        "deep.org": ("withdrawn", 0),
        "deep.org/a": ("accept", 0),
    }


def test_a_person_brings_back_what_was_withdrawn(tmp_path: Path) -> None:
    workspace = second_round(tmp_path)
    expand(workspace, {"fails.org": "accept"}, 2)
    rows = [row for row in joined(workspace, 2) if row["prefix"] == "fails.org"]
    assert len(rows) == 9
    assert {row["by"] for row in rows} == {"person"}


def test_auto_of_a_person_does_not_bring_back_what_was_withdrawn(tmp_path: Path) -> None:
    workspace = second_round(tmp_path)
    expand(workspace, {"fails.org": "auto"}, 2)
    assert "fails.org" not in {row["prefix"] for row in joined(workspace, 2)}


def test_a_withdrawn_prefix_that_is_proposed_no_longer_is_told_all_the_same(tmp_path: Path) -> None:
    workspace = built(tmp_path, FAILS, **PLAIN)
    expand(workspace)
    collect(workspace, 2, ["http://fails.org/0.html"])
    shares(workspace, 2)
    assert table(workspace, "prefixes", 2) == []
    expand(workspace, number=2)
    row = decisions(workspace, 2)["fails.org"]
    assert (row["decision"], row["by"], row["n_added"], row["n_confirmed"]) == ("withdrawn", "auto", 10, 0)


def test_what_does_badly_is_said_of_the_rules_and_of_a_persons_prefixes(tmp_path: Path) -> None:
    withdrawn, persons = low_scores(second_round(tmp_path), 2)
    assert "round 2: prefixes withdrawn" in withdrawn and "fails.org (1 of 10)" in withdrawn
    assert "that a person accepted do badly" in persons and "person.org (0 of 10)" in persons
    assert list(low_scores(Workspace(tmp_path), 1)) == []


def test_the_first_round_has_nothing_to_check(tmp_path: Path) -> None:
    workspace = built(tmp_path, KEEPS)
    assert table(workspace, "checked") == table(workspace, "withdrawn") == []
