"""A person's walk through the URL prefixes that wait: best first, each decision written at once.

Best is what most new pages of the kind sought are expected under: the sum of the round's probabilities (of its
scores, where it has no evidence) over the pages that it did not collect. A decision answers for all pages under the
prefix but those under a longer one that is decided; so a prefix is asked about after the ones that lie under it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.annotations import EVERY_BLANK, Line, decide, read_annotations, withdraw
from corpus.errors import AnnotationError, InputError, WorkspaceError
from corpus.places import read_places, titles_and_texts, without_pages
from corpus.tables import read_rows
from corpus.workspace import Workspace

LEVELS = (("high", 0.8, np.inf), ("middle", 0.2, 0.8), ("low", -np.inf, 0.2))
BINS = 5  # of the histogram; levels begin where bins do


def utc_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Example:
    level: str
    value: float
    collected: bool
    url: str
    title: str
    text: str


@dataclass(frozen=True)
class Place:
    """A prefix in a line: `said` is a person's decision and name, `auto` the rule's where it was proposed."""

    prefix: str
    n_pages: int
    n_collected: int
    said: Line | None
    auto: str


@dataclass(frozen=True)
class Asked:
    """What a person sees of the prefix that is asked about: all but `place` of pages that the decision answers for."""

    place: Place
    n_pages: int
    n_collected: int
    expected_new: float  # of the others
    measure: str
    histogram: list[tuple[int, int]]  # collected and other pages in fifths of the measure, best first
    examples: list[Example]
    inside: list[Place]
    beside: list[Place]
    above: list[Place]


class Walk:
    """The prefixes of a round that wait for a person, and what one does with them.

    A method that acts returns what it did, in words. Skipping and splitting last as long as the walk.
    """

    def __init__(self, workspace: Workspace, number: int, by: str, now: Callable[[], str] = utc_now) -> None:
        self.path = workspace.annotations(number)
        self._workspace, self._by, self._now = workspace, by, now
        prefixes = workspace.path(workspace.round(number, "domains")) / "prefixes.parquet"
        self.proposed = {row["prefix"]: row for row in read_rows(prefixes)}
        self._earlier = standing(workspace, number)
        self._places = read_places(workspace, number, {prefix.partition("/")[0] for prefix in self.proposed})
        self._queue = self._best_first(self.proposed)
        self._past: list[tuple[list[str], Line | None]] = []

    @property
    def n_decided(self) -> int:
        return sum(line is not None for _, line in self._past)

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def rest(self) -> str:
        """What the line `*` answers for proposed prefixes left blank; empty where nothing."""
        return next((line.decision for line in read_annotations(self.path) if line.prefix == EVERY_BLANK), "")

    @property
    def queue(self) -> list[str]:
        """What waits now, as others may have decided too."""
        decided = self.decided()
        self._queue = [prefix for prefix in self._queue if prefix not in decided]
        return self._queue

    def decided(self) -> dict[str, Line]:
        """What persons decided by name, in this round and before."""
        lines = {line.prefix: line for line in read_annotations(self.path) if line.decision}
        return {prefix: line for prefix, line in {**self._earlier, **lines}.items() if prefix != EVERY_BLANK}

    def decide(self, prefix: str, decision: str) -> str:
        before = self._queue
        line = Line(prefix, decision, by=self._by, at=self._now(), where="you")
        with suppress(AnnotationError):
            if decide(self.path, [line], self._earlier):
                self._past.append((before, line))
                return f"{prefix}: {decision}, saved"
        other = self.decided()[prefix]
        return f"{prefix}: {other.decision}, as {other.by or 'somebody'} decided meanwhile"

    def skip(self, prefix: str) -> str:
        self._past.append((self._queue, None))
        self._queue = [other for other in self._queue if other != prefix]
        return f"{prefix}: left for another time"

    def split(self, prefix: str) -> str:
        inside = self._best_first(self._places.parts_of(prefix))
        if not inside:
            return f"{prefix}: nothing undecided lies deeper"
        self._past.append((self._queue, None))
        self._queue = [*inside, prefix, *(other for other in self._queue if other not in {prefix, *inside})]
        return f"{prefix}: first the {len(inside)} below it, then the rest of it"

    def undo(self) -> str:
        if not self._past:
            return "nothing to undo"
        queue, line = self._past.pop()
        if line is not None and not withdraw(self.path, line):
            return f"{line.prefix}: decided anew meanwhile, and left so"
        self._queue = queue
        return f"{line.prefix}: {line.decision} withdrawn" if line else "one step back"

    def asked(self, prefix: str, page: int = 0) -> Asked:
        """What there is to know of a prefix; page: of the examples, from 0 on and round again."""
        decided, places = self.decided(), self._places
        under = places.under(prefix)
        pages = np.arange(under.start, under.stop)[places.open(prefix, sorted(decided))]
        value, collected = places.value[pages], places.collected[pages]
        return Asked(
            place=self._place(prefix, decided),
            n_pages=len(pages),
            n_collected=int(collected.sum()),
            expected_new=float(value[~collected].sum()),
            measure=places.measure,
            histogram=_histogram(value, collected),
            examples=self._examples(pages, page),
            inside=[self._place(other, decided) for other in places.inside(prefix)],
            beside=[self._place(other, decided) for other in places.beside(prefix)],
            above=[self._place(other, decided) for other in _above(prefix)],
        )

    def rows(self) -> list[dict[str, Any]]:
        """What waits, best first, as a table."""
        named = sorted(self.decided().keys() | self.proposed.keys())
        return [
            {
                **{name: self.proposed[prefix][name] for name in ("prefix", "n_pages", "n_collected", "share")},
                "expected_new": round(self._expected(prefix, named), 2),
                "auto": self.proposed[prefix]["auto"],
                "examples": self.proposed[prefix]["examples"],
            }
            for prefix in self.queue
        ]

    def _best_first(self, prefixes: Iterable[str]) -> list[str]:
        """The undecided ones by expected new pages of their own, each behind those that lie under it."""
        decided = self.decided()
        named = sorted(decided.keys() | self.proposed.keys())
        best = {prefix: self._expected(prefix, named) for prefix in prefixes if prefix not in decided}
        order = sorted(best, key=lambda prefix: (-best[prefix], prefix))
        below: dict[str, list[str]] = {prefix: [] for prefix in order}
        for prefix in order:
            for other in _above(prefix):
                if other in below:
                    below[other].append(prefix)
        ordered: dict[str, None] = {}

        def add(prefix: str) -> None:
            if prefix not in ordered:
                for other in below[prefix]:
                    add(other)
                ordered[prefix] = None

        for prefix in order:
            add(prefix)
        return list(ordered)

    def _expected(self, prefix: str, named: Sequence[str]) -> float:
        """New pages under a prefix and under no longer one of `named`, which is sorted."""
        pages = self._places.under(prefix)
        new = self._places.open(prefix, named) & ~self._places.collected[pages]
        return float(self._places.value[pages][new].sum())

    def _place(self, prefix: str, decided: Mapping[str, Line]) -> Place:
        collected = self._places.collected[self._places.under(prefix)]
        auto = self.proposed[prefix]["auto"] if prefix in self.proposed else ""
        return Place(prefix, len(collected), int(collected.sum()), decided.get(prefix), auto)

    def _examples(self, pages: NDArray[np.int64], page: int) -> list[Example]:
        """Of each level two pages at random, those first that were not collected: page_id is a hash."""
        places = self._places
        chosen: list[tuple[str, int]] = []
        for level, least, below in LEVELS:
            found = [i for i in pages if least <= places.value[i] < below]
            found.sort(key=lambda i: (places.collected[i], places.page_ids[i]))
            start = 2 * page % len(found) if found else 0
            chosen += [(level, i) for i in found[start : start + 2]]
        texts = titles_and_texts(self._workspace, [places.page_ids[i] for _, i in chosen])
        return [
            Example(
                level, float(places.value[i]), bool(places.collected[i]), places.urls[i], *texts[places.page_ids[i]]
            )
            for level, i in chosen
        ]


def _histogram(value: NDArray[np.float64], collected: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.linspace(0, 1, BINS + 1)
    counts = [np.histogram(value[mask].clip(0, 1), edges)[0] for mask in (collected, ~collected)]
    return [(int(a), int(b)) for a, b in zip(*counts, strict=True)][::-1]


def _above(prefix: str) -> list[str]:
    """`a.org/x/y` lies under `a.org` and `a.org/x`."""
    segments = prefix.split("/")
    return ["/".join(segments[:n]) for n in range(1, len(segments))]


def round_to_annotate(workspace: Workspace, number: int | None) -> int:
    """The round that a person says something of: the last one that proposed prefixes, or an earlier one by its number.

    Raises WorkspaceError where there is none.
    """
    last = workspace.rounds_done("domains")
    if not last or (number or 1) > last:
        lacks = f"round {number} has proposed no prefixes" if number else "no round has proposed prefixes"
        raise WorkspaceError(
            f"{workspace.root}: {lacks}, as things are now. Type: corpus iterate {number or 1} -w {workspace.quoted}"
        )
    return number or last


def standing(workspace: Workspace, number: int) -> dict[str, Line]:
    """A person's lines of the rounds before, by prefix, of which the last holds."""
    return {
        line.prefix: line
        for earlier in range(1, number)
        for line in read_annotations(workspace.annotations(earlier))
        if line.decision and line.prefix != EVERY_BLANK
    }


def decide_all(workspace: Workspace, number: int, lines: Sequence[Line], overrule: bool) -> dict[str, Any]:
    """Write decisions into a round's annotations; returns path, n_decided, n_already and unmatched prefixes.

    Raises AnnotationError, and writes nothing, where one contradicts what is decided (see annotations.decide).
    """
    path = workspace.annotations(number)
    written = decide(path, lines, standing(workspace, number), overrule)
    return {
        "path": str(path),
        "n_decided": len(written),
        "n_already": len(lines) - len(written),
        "unmatched": without_pages(workspace, {line.prefix for line in lines} - {EVERY_BLANK}),
    }


def decided_lines(sheet: Path, by: str, at: str) -> list[Line]:
    """The decisions of a sheet that somebody shared, or of another workspace's annotations.csv.

    Its line `*` is left out: it answers for the blanks of that sheet. by, at: where the sheet names neither.
    Raises InputError where there is no such file.
    """
    if not sheet.is_file():
        raise InputError(f"{sheet}: no such file. Name a CSV file with the columns prefix and decision.")
    return [
        replace(line, by=line.by or by, at=line.at or at)
        for line in read_annotations(sheet)
        if line.decision and line.prefix != EVERY_BLANK
    ]
