"""Which URL prefixes of a site tell its collected pages from the others.

A site's directories form a tree. Pages of one prefix are taken to be collected at one unknown rate, and a
prefix is named below another only where two rates describe the pages better than one, by more than it costs
to name it: the shortest description. So a site of one kind is one prefix, a directory (or a user of a shared
host) that differs stands by itself, and depth follows from the pages; the deepest is a cap.

    k collected pages of n:  ln (n + 1) + ln C(n, k) nats, a uniform prior over rates
    naming one of m:         ln m - ln (1 - confidence) nats

So the odds that a directory differs have to be m / (1 - confidence): a hundred thousand small directories are
not named for the luck of some.
Source: minimum description length, Rissanen (Annals of Statistics 1983); trees by it, Quinlan and Rivest
(Information and Computation 1989).
"""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammaln

Floats = NDArray[np.float64]

N_EXAMPLES = 3


@dataclass
class Tally:
    """Pages of a directory or a prefix; n_likely and tokens_likely are expected, of the uncollected ones."""

    n_pages: int = 0
    n_collected: int = 0
    n_likely: float = 0.0
    tokens_likely: float = 0.0
    examples: list[tuple[bool, str]] = field(default_factory=list)  # collected and URL, the first by order

    def add(self, url: str, collected: bool, posterior: float | None, n_tokens: int) -> None:
        self.n_pages += 1
        self.n_collected += collected
        if posterior and not collected:
            self.n_likely += posterior
            self.tokens_likely += posterior * n_tokens
        if len(self.examples) < N_EXAMPLES:
            self.examples.append((collected, url))

    def expected(self, evidence: bool) -> dict[str, float | None]:
        """gain, gain_tokens and purity of the uncollected pages (schema.PREFIX); null without evidence."""
        n_rest = self.n_pages - self.n_collected
        return {
            "gain": self.n_likely if evidence else None,
            "gain_tokens": self.tokens_likely if evidence else None,
            "purity": self.n_likely / n_rest if evidence and n_rest else None,
        }

    def merge(self, other: "Tally") -> None:
        self.n_pages += other.n_pages
        self.n_collected += other.n_collected
        self.n_likely += other.n_likely
        self.tokens_likely += other.tokens_likely
        self.examples = sorted([*self.examples, *other.examples])[:N_EXAMPLES]


def lower_bound(n_collected: Floats, n_pages: Floats, confidence: float) -> Floats:
    """The least share that a count allows, one-sided (Clopper and Pearson, Biometrika 1934).

    A true share of the bound would give as many pages with a chance of 1 - confidence: exact at every size,
    where Wilson's bound (.12 for 1 of 2 at .95) passes a domain of two pages too easily. Without confidence
    (0) it is the share itself.

    2 of 2, 1 of 2, 20 of 100 at .95: .224, .025, .137.
    """
    share = n_collected / n_pages
    if not confidence:
        return share
    bound = betaincinv(np.maximum(n_collected, 1), n_pages - n_collected + 1, 1 - confidence)
    return np.where(n_collected > 0, bound, 0.0)


def telling_prefixes(tallies: Mapping[str, Tally], root: str, confidence: float) -> dict[str, Tally]:
    """Prefix -> its pages, those under a longer prefix of the answer left out; the root is always there.

    tallies: pages that lie in each directory itself, by prefix; each is the root or lies below it.
    """
    below, children = _tree(tallies, root)
    named = {root: 0.0}  # prefix -> what naming it cost
    waiting = [root]
    while waiting:
        found = _exceptions(waiting.pop(), below, children, confidence)
        named |= found
        waiting += found
    kept = {prefix: Tally() for prefix in named}
    for directory in sorted(tallies):
        kept[nearest(directory, named)].merge(tallies[directory])
    for prefix in sorted(named, key=lambda name: (-name.count("/"), name))[:-1]:  # all but the root, deepest first
        parent = nearest(prefix.rpartition("/")[0], kept)
        if _gain(kept[prefix], kept[parent]) <= named[prefix]:
            kept[parent].merge(kept.pop(prefix))
    return kept


def _tree(tallies: Mapping[str, Tally], root: str) -> tuple[dict[str, tuple[int, int]], dict[str, list[str]]]:
    """(prefix -> collected pages and pages under it, prefix -> directories right below it)."""
    below: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    children: dict[str, set[str]] = defaultdict(set)
    for directory, tally in tallies.items():
        while True:
            below[directory][0] += tally.n_collected
            below[directory][1] += tally.n_pages
            if directory == root:
                break
            parent = directory.rpartition("/")[0]
            children[parent].add(directory)
            directory = parent
    counts = {prefix: (n_collected, n_pages) for prefix, (n_collected, n_pages) in below.items()}
    return counts, {parent: sorted(names) for parent, names in children.items()}


def _exceptions(
    prefix: str, below: Mapping[str, tuple[int, int]], children: Mapping[str, Sequence[str]], confidence: float
) -> dict[str, float]:
    """Prefixes below `prefix`, none below another of them, that differ from the rest of it, and their cost.

    Directories of one level are looked at together, then what lies below those that were not named.
    """
    rest = below[prefix]
    level = list(children.get(prefix, ()))
    found: dict[str, float] = {}
    while level and 0 < rest[0] < rest[1]:  # pages that are all alike need no exception
        cost = float(np.log(len(level) / (1 - confidence)))
        counts = np.array([below[name] for name in level], np.float64)
        apart = _apart(counts[:, 0], counts[:, 1], np.array(rest, np.float64), cost)
        found |= {name: cost for name, differs in zip(level, apart, strict=True) if differs}
        for n_collected, n_pages in counts[apart].astype(int).tolist():
            rest = (rest[0] - n_collected, rest[1] - n_pages)
        level = [
            child for name, differs in zip(level, apart, strict=True) if not differs for child in children.get(name, ())
        ]
    return found


def _apart(n_collected: Floats, n_pages: Floats, whole: Floats, cost: float) -> NDArray[np.bool_]:
    """Which parts of a whole are named, of the ways to begin with those above or below its share the shorter one.

    whole: collected pages and pages of all, the parts among them. Parts on one side that leave make the others
    of that side stand out more, so each side is gone through until none is left.
    """
    best, shortest = np.zeros(len(n_pages), np.bool_), float(_cost(whole[0], whole[1]))
    for sides in ((1, -1), (-1, 1)):
        apart, rest = np.zeros(len(n_pages), np.bool_), whole
        for side in sides:
            while True:
                collected, pages = np.where(apart, 0, n_collected), np.where(apart, 0, n_pages)
                over = side * (collected * rest[1] - pages * rest[0]) > 0
                one = _cost(rest[0], rest[1])
                two = _cost(collected, pages) + _cost(rest[0] - collected, rest[1] - pages)
                more = over & (one - two > cost)
                if not more.any():
                    break
                apart = apart | more
                rest = whole - np.array([n_collected[apart].sum(), n_pages[apart].sum()])
        length = float(np.sum(_cost(n_collected, n_pages)[apart] + cost) + _cost(rest[0], rest[1]))
        if length < shortest:
            best, shortest = apart, length
    return best


def _gain(one: Tally, other: Tally) -> float:
    """What is saved by describing two groups of pages apart."""
    collected = np.array([one.n_collected, other.n_collected, one.n_collected + other.n_collected], np.float64)
    pages = np.array([one.n_pages, other.n_pages, one.n_pages + other.n_pages], np.float64)
    first, second, together = _cost(collected, pages)
    return float(together - first - second)


def _cost(n_collected: Floats, n_pages: Floats) -> Floats:
    """Nats that say which pages were collected, at a rate that is not known."""
    cost: Floats = gammaln(n_pages + 2) - gammaln(n_collected + 1) - gammaln(n_pages - n_collected + 1)
    return cost


def nearest(directory: str, named: Container[str]) -> str:
    """The longest of the named prefixes that a directory lies under, itself included; empty where there is none."""
    while directory and directory not in named:
        directory = directory.rpartition("/")[0]
    return directory
