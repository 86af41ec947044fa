"""Pages that hold benchmark texts: found by one or more rules, with the evidence, and what is done about them.

    ngram_rules  deepseekmath and qwen, the published rules: shared runs of words
    strict       ours: also reformatted, edited and lightly reworded questions

A page is cut into words once, for all rules. A hit found by hash is verified on the words themselves.
"""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.allowed import Allowed
from corpus.benchmark_texts import Texts, read_texts
from corpus.benchmarks import Benchmarks
from corpus.config import Decontam
from corpus.errors import InputError
from corpus.lookup import built, flat
from corpus.ngram_rules import DeepSeekMath, Matches, Qwen
from corpus.strict import MIN_WORDS, Scratch, Strict
from corpus.tables import replacing
from corpus.text import TEXT_VERSION, Words, cut

VERSION = 2  # of what an index holds
WORDS_PER_ROW, LEAST_ROWS = 10, 100  # of evidence a page and rule: enough for a page that is a whole benchmark
MAX_PASSES = 8  # of taking segments out, after which a page goes whole
EXCERPT, SHOWN = 300, 500  # characters of a match that are shown, and read for it


@dataclass(frozen=True)
class Hit:
    """A benchmark text in a page: the columns of schema.CONTAMINATED after page_id but for the last two."""

    benchmark: str
    item_id: str
    role: str
    rule: str
    page_text: str
    item_text: str
    position: int
    n_words: int
    n_hits: int
    overlap: float
    alignment: float | None
    n_left_out: int
    item: int = field(compare=False, repr=False, default=-1)  # number of the item
    spans: tuple[tuple[int, int], ...] = field(compare=False, repr=False, default=())  # characters of Words.folded


@dataclass(frozen=True, eq=False)
class Index:
    """Benchmark texts, ready to be found in pages; read-only, saved as arrays.

    asked: of each text, whether it is a question that a page is flagged for; the others only confirm it.
    confirmable: of each item, whether it has another text that a rule can look for.
    """

    texts: Texts
    asked: npt.NDArray[np.bool_]
    confirmable: npt.NDArray[np.bool_]
    deepseekmath: DeepSeekMath | None = None
    qwen: Qwen | None = None
    strict: Strict | None = None
    strict_others: Strict | None = None

    @classmethod
    def of(cls, benchmarks: Benchmarks, settings: Decontam = Decontam()) -> "Index":  # noqa: B008 - it is frozen
        """Read every text of `benchmarks` for the rules of the settings; questions are texts of settings.columns."""
        texts, found = read_texts(benchmarks)
        roles = np.array([texts.roles[number] in settings.columns for number in range(len(texts.roles))], np.bool_)
        asked = roles[texts.role]
        others = ~asked & (texts.n_words >= MIN_WORDS)
        thresholds = settings.min_score, settings.min_share
        rules = settings.rules
        return cls(
            texts,
            asked,
            np.bincount(texts.item[others], minlength=len(benchmarks.items)) > 0,
            DeepSeekMath.of(texts, settings.ngram, settings.min_ngram) if "deepseekmath" in rules else None,
            Qwen.of(texts) if "qwen" in rules else None,
            Strict.of(texts, found, asked, *thresholds) if "strict" in rules else None,
            Strict.of(texts, found, others, *thresholds) if "strict" in rules and others.any() else None,
        )

    def save(self, path: Path) -> None:
        """Write the index as one .npz without pickles; its bytes depend on the texts and settings alone."""
        arrays = dict(flat(self, "index"))
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, version=np.array([VERSION, TEXT_VERSION]), **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> "Index":
        """Raises InputError where the file is no index, or one of another version."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
                arrays = dict(content)
        except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is no index of benchmarks: {error}. Build it again from them.") from None
        made = arrays.get("version", np.array([0, 0])).tolist()
        if made != [VERSION, TEXT_VERSION]:
            raise InputError(
                f"{path} was built by another version ({made}, not {[VERSION, TEXT_VERSION]}): its hashes cannot be "
                "compared with those of a page. Build it again from the benchmarks."
            )
        try:
            return built(cls, arrays, "index")
        except KeyError as error:
            raise InputError(f"{path} is no whole index of benchmarks: it lacks {error}. Build it again.") from None

    def probe(self, text: str) -> list[Hit]:
        """Benchmark texts in a page, by rule, benchmark, item and role; linear in the text.

        An item with several texts of a role is reported for the one that most is found of. At most a hit for
        WORDS_PER_ROW words of the page and rule, or LEAST_ROWS; n_left_out counts the others.
        """
        words = cut(text).without_operators()
        if not len(words.hashes):
            return []
        return [hit for rule, matches in self._matches(words) for hit in self._hits(rule, matches, words)]

    def protected(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Of each rule and text, whether the rule looks for it."""
        rules: dict[str, npt.NDArray[np.bool_]] = {}
        if self.deepseekmath is not None:
            rules["deepseekmath"] = self.deepseekmath.runs.n_different > 0
        if self.qwen is not None:
            rules["qwen"] = self.qwen.runs.n_different > 0
        if self.strict is not None:
            rules["strict"] = np.zeros(len(self.asked), np.bool_)
            for each in (self.strict, self.strict_others):
                if each is not None:
                    rules["strict"][each.looked_for()] = True
        return rules

    def _matches(self, words: Words) -> Iterator[tuple[str, Matches]]:
        if self.deepseekmath is not None and (found := self.deepseekmath.probe(words.hashes, self.texts)) is not None:
            yield "deepseekmath", found
        if self.qwen is not None and (found := self.qwen.probe(words.hashes, self.texts)) is not None:
            yield "qwen", found
        if self.strict is not None and (found := self.strict.probe(words, self.texts, self._scratch)) is not None:
            yield "strict", found
            if self.strict_others is not None:
                others = self.strict_others.probe(words, self.texts, self._other_scratch)
                if others is not None:
                    yield "strict", others

    @cached_property
    def _scratch(self) -> Scratch:
        assert self.strict is not None
        return Scratch(self.strict)

    @cached_property
    def _other_scratch(self) -> Scratch:
        assert self.strict_others is not None
        return Scratch(self.strict_others)

    def _hits(self, rule: str, matches: Matches, words: Words) -> Iterator[Hit]:
        texts, text = self.texts, matches.text
        item, role = texts.item[text], texts.role[text]
        order = np.lexsort((text, -matches.overlap, role, item))
        first = np.ones(len(order), np.bool_)  # the best of each item and role
        first[1:] = np.diff(item[order]).astype(np.bool_) | np.diff(role[order]).astype(np.bool_)
        chosen = order[first].tolist()
        # Questions before what confirms them, so that none is left out for it.
        chosen.sort(key=lambda entry: not self.asked[text[entry]])
        most = max(LEAST_ROWS, len(words.hashes) // WORDS_PER_ROW)
        n_left_out = matches.n_left_out + max(0, len(chosen) - most)
        by_entry = np.argsort(matches.of, kind="stable")
        ends = np.cumsum(np.bincount(matches.of, minlength=len(text)))
        shown: list[Hit] = []
        for entry in chosen[:most]:
            spans = by_entry[ends[entry - 1] if entry else 0 : ends[entry]]
            starts, stops = matches.starts[spans], matches.stops[spans]
            position = int(starts.min())
            stop = int(stops[starts == position].max())
            at, behind = int(words.starts[position]), int(words.stops[stop - 1])
            alignment = float(matches.alignment[entry])
            shown.append(
                Hit(
                    benchmark=texts.benchmarks[item[entry]],
                    item_id=texts.item_ids[item[entry]],
                    role=texts.roles[role[entry]],
                    rule=rule,
                    page_text=excerpt(words, at, behind),
                    item_text=texts.excerpts[text[entry]],
                    position=position,
                    n_words=stop - position,
                    n_hits=int(matches.n_hits[entry]),
                    overlap=round(float(matches.overlap[entry]), 4),
                    alignment=None if np.isnan(alignment) else round(alignment, 4),
                    n_left_out=n_left_out,
                    item=int(item[entry]),
                    spans=tuple(zip(words.starts[starts].tolist(), words.stops[stops - 1].tolist(), strict=True)),
                )
            )
        yield from sorted(shown, key=lambda hit: (hit.benchmark, hit.item_id, hit.role))


def excerpt(words: Words, start: int, stop: int) -> str:
    """At most EXCERPT characters of a page's folded text, white space as one space."""
    shown = words.folded[start : min(stop, start + SHOWN)].tobytes().decode("utf-32-le", "replace")
    return " ".join(shown.split())[:EXCERPT]


@dataclass(frozen=True)
class Verdict:
    """What becomes of a page. rows: schema.CONTAMINATED after page_id; text: what is left, None where the page goes."""

    rows: Sequence[dict[str, Any]]
    text: str | None


def judge(text: str, index: Index, settings: Decontam, allowed: Allowed, *names: str | None) -> Verdict:
    """Probe a page, known by `names` to the allow list, and do what the settings say about it.

    Segments are the lines that hold a match; a page of which only such lines are there goes whole. What is left is
    probed again, so that no line of it is contaminated.
    """
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    left = text
    for turn in range(MAX_PASSES + 1):
        hits = _of_questions(index.probe(left), settings)
        free = [allowed.holds(hit.benchmark, hit.item_id, names) for hit in hits]
        goes = [
            leaves and not is_free and settings.action != "flag"
            for leaves, is_free in zip(_leaving(hits, index, settings), free, strict=True)
        ]
        for hit, is_free, gone in zip(hits, free, goes, strict=True):
            if turn == 0 or gone:
                key = (hit.rule, hit.benchmark, hit.item_id, hit.role)
                rows.setdefault(key, _row(hit, is_free, settings.action if gone else None))
        if not any(goes):
            return Verdict(list(rows.values()), left)
        cleaned = _without_lines(
            left, [span for hit, gone in zip(hits, goes, strict=True) if gone for span in hit.spans]
        )
        if settings.action == "page" or turn == MAX_PASSES or not cleaned.strip():
            break
        left = cleaned
    return Verdict([row | {"removed": row["removed"] and "page"} for row in rows.values()], None)


def _of_questions(hits: Sequence[Hit], settings: Decontam) -> list[Hit]:
    """Hits of items whose question is there: an answer or a solution alone says nothing."""
    found = {(hit.rule, hit.item) for hit in hits if hit.role in settings.columns}
    return [hit for hit in hits if (hit.rule, hit.item) in found]


def _leaving(hits: Sequence[Hit], index: Index, settings: Decontam) -> list[bool]:
    """Of each hit, whether the page is to go for it."""
    if settings.protect == "question":
        return [True] * len(hits)
    confirmed = {(hit.rule, hit.item) for hit in hits if hit.role not in settings.columns}
    return [(hit.rule, hit.item) in confirmed or not index.confirmable[hit.item] for hit in hits]


def _row(hit: Hit, is_allowed: bool, removed: str | None) -> dict[str, Any]:
    names = [name for name in Hit.__dataclass_fields__ if name not in ("item", "spans")]
    return {name: getattr(hit, name) for name in names} | {"allowed": is_allowed, "removed": removed}


def _without_lines(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """A text without the lines that spans of its folded characters touch; folding keeps ends of lines."""
    folded = cut(text).folded
    line_of = np.cumsum(folded == ord("\n"))
    gone = {line for start, stop in spans for line in range(int(line_of[start]), int(line_of[stop - 1]) + 1)}
    return "\n".join(line for number, line in enumerate(text.split("\n")) if number not in gone)
