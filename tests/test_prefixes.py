"""Lower bounds of shares, and the prefixes that tell collected pages from others."""

import math
import random
from collections.abc import Mapping
from itertools import product

import numpy as np
import pytest

from corpus.prefixes import Tally, lower_bound, telling_prefixes

SURE = 0.95


def bound(n_collected: int, n_pages: int, confidence: float = SURE) -> float:
    return float(lower_bound(np.array([n_collected], float), np.array([n_pages], float), confidence)[0])


@pytest.mark.parametrize(("n", "confidence"), [*product((1, 2, 5, 40, 300), (0.5, 0.9, 0.95, 0.99))])
def test_a_share_of_the_lower_bound_gives_as_many_pages_with_the_chance_that_is_left(n: int, confidence: float) -> None:
    for k in range(1, n + 1):
        share = bound(k, n, confidence)
        tail = math.fsum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1))
        assert tail == pytest.approx(1 - confidence)


def test_nothing_collected_bounds_nothing_and_without_confidence_the_share_is_its_own_bound() -> None:
    assert bound(0, 7) == 0
    assert bound(3, 7, confidence=0) == 3 / 7
    assert bound(1, 1, confidence=0) == 1


def telling(
    counts: Mapping[str, tuple[int, int]], root: str = "h.org", confidence: float = SURE
) -> dict[str, tuple[int, int]]:
    """Prefix -> (collected, pages), of directories given alike."""
    tallies = {name: Tally(n, k) for name, (k, n) in counts.items()}
    found = telling_prefixes(tallies, root, confidence)
    assert sum(tally.n_pages for tally in found.values()) == sum(n for _, n in counts.values())
    return {name: (tally.n_collected, tally.n_pages) for name, tally in found.items()}


@pytest.mark.parametrize("share", [0, 1, 4, 9, 10])
def test_a_site_of_one_kind_is_one_prefix_however_many_directories_it_has(share: int) -> None:
    counts = {f"h.org/{a}/{b}": (share, 10) for a in range(8) for b in range(8)}
    assert telling(counts) == {"h.org": (64 * share, 640)}


def test_a_directory_that_differs_is_the_exception_and_the_site_stands_for_the_others() -> None:
    site = {f"h.org/{n}": (0, 10) for n in range(20)}
    assert telling(site | {"h.org/math": (10, 10)}) == {"h.org": (0, 200), "h.org/math": (10, 10)}
    site = {f"h.org/{n}": (10, 10) for n in range(20)}
    assert telling(site | {"h.org/jobs": (0, 10)}) == {"h.org": (200, 200), "h.org/jobs": (0, 10)}


def test_depth_follows_from_where_the_share_splits() -> None:
    deep = {"h.org/a/b/c": (30, 30), "h.org/a/b/d": (0, 30), "h.org/a/e": (0, 40), "h.org/f": (0, 40)}
    assert telling(deep) == {"h.org": (0, 110), "h.org/a/b/c": (30, 30)}
    shallow = {"h.org/a/b/c": (30, 30), "h.org/a/b/d": (30, 30), "h.org/a/e": (38, 40), "h.org/f": (0, 140)}
    assert telling(shallow) == {"h.org": (0, 140), "h.org/a": (98, 100)}


def test_exceptions_are_found_below_a_directory_that_is_none() -> None:
    counts = {"h.org": (40, 80), "h.org/a/b": (20, 20), "h.org/a/c": (0, 20)}
    assert telling(counts) == counts


def test_an_exception_may_have_an_exception() -> None:
    counts = {"h.org": (0, 90), "h.org/math": (60, 60), "h.org/math/forum": (1, 40), "h.org/math/x": (20, 20)}
    assert telling(counts) == {"h.org": (0, 90), "h.org/math": (80, 80), "h.org/math/forum": (1, 40)}


def test_a_prefix_that_only_led_to_an_exception_below_it_is_dropped_again() -> None:
    counts = {"h.org": (0, 300), "h.org/docs": (0, 40), "h.org/docs/math": (30, 30)}
    assert telling(counts) == {"h.org": (0, 340), "h.org/docs/math": (30, 30)}


def test_users_of_a_shared_host_are_told_apart_by_what_was_collected_of_them() -> None:
    users = {f"hub.org/user{n}/{repository}": (0, 6) for n in range(50) for repository in "ab"}
    users |= {f"hub.org/{name}/{repository}": (6, 6) for name in ("ann", "bob") for repository in "ab"}
    assert telling(users, "hub.org") == {"hub.org": (0, 600), "hub.org/ann": (12, 12), "hub.org/bob": (12, 12)}


def test_of_two_kinds_of_users_only_one_kind_is_named() -> None:
    users = {f"hub.org/user{n}": (20 * (n % 2), 20) for n in range(20)} | {"hub.org": (0, 4)}
    found = telling(users, "hub.org")
    assert found.pop("hub.org") == (0, 204)
    assert found == {f"hub.org/user{n}": (20, 20) for n in range(1, 20, 2)}


def test_few_pages_are_no_exception_whatever_they_are() -> None:
    counts = {"h.org": (40, 80), "h.org/a": (3, 3), "h.org/b": (0, 3)}
    assert telling(counts) == {"h.org": (43, 86)}


def test_of_a_hundred_thousand_small_directories_none_is_named_for_its_luck() -> None:
    draw = random.Random(5)
    counts = {f"h.org/{n}": (sum(draw.random() < 0.3 for _ in range(5)), 5) for n in range(100_000)}
    assert sum(k == 5 for k, _ in counts.values()) > 200
    found = telling(counts | {"h.org/math": (30, 31), "h.org/math/a/b": (9, 9), "h.org/other": (0, 90)})
    assert found.keys() == {"h.org", "h.org/math", "h.org/other"}
    assert found["h.org/math"] == (39, 40)


def test_less_confidence_names_more() -> None:
    counts = {"h.org": (2, 20), "h.org/a": (3, 4)}
    assert telling(counts) == {"h.org": (5, 24)}
    assert telling(counts, confidence=0.5) == counts


def test_the_root_is_there_where_all_pages_left_it_and_may_be_a_directory() -> None:
    assert telling({"h.org/~ann/x": (5, 5), "h.org/~ann/y": (0, 9)}, "h.org/~ann").keys() >= {"h.org/~ann"}
    assert telling({"h.org": (1, 2)}) == {"h.org": (1, 2)}
    assert telling({"h.org/a/b": (1, 2)}) == {"h.org": (1, 2)}


def test_the_answer_does_not_depend_on_the_order_of_directories() -> None:
    draw = random.Random(3)
    counts = [(f"h.org/{a}/{b}", (draw.choice((0, 0, 4, 9)), 9)) for a in range(12) for b in range(6)]
    expected = telling(dict(counts))
    assert len(expected) > 3
    for _ in range(5):
        draw.shuffle(counts)
        assert telling(dict(counts)) == expected


def test_no_nested_choice_describes_a_small_site_in_less_than_the_answer_plus_a_name() -> None:
    """Against all sets of prefixes of a tree of seven directories."""
    draw = random.Random(17)
    names = ["h/a", "h/b", "h/a/c", "h/a/d", "h/b/e", "h/b/f"]
    level = {name: math.log(2 / (1 - SURE)) for name in names}

    def length(counts: Mapping[str, tuple[int, int]], named: list[str]) -> float:
        groups = {name: [0, 0] for name in ["h", *named]}
        for directory, (k, n) in counts.items():
            owner = max((g for g in groups if f"{directory}/".startswith(f"{g}/")), key=len)
            groups[owner][0] += k
            groups[owner][1] += n
        return sum(math.log((n + 1) * math.comb(n, k)) for k, n in groups.values()) + sum(level[p] for p in named)

    for _ in range(150):
        counts = {}
        for name in ["h", *names]:
            n = draw.choice((0, 3, 20, 60))
            counts[name] = (sum(draw.random() < draw.choice((0.05, 0.5, 0.95)) for _ in range(n)), n)
        best = min(
            length(counts, [p for p, chosen in zip(names, bits, strict=True) if chosen])
            for bits in product((0, 1), repeat=len(names))
        )
        found = [name for name in telling(counts, "h") if name != "h"]
        assert length(counts, found) <= best + max(level.values())
