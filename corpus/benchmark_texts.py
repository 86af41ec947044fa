"""The texts of benchmarks as the index of every rule reads them: words once, item and role of each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.benchmarks import Benchmarks
from corpus.kernels.words import HAN
from corpus.lookup import Numbers, Strings
from corpus.text import Hashes, Words, cut

ITEM_CHARS = 2_000  # of a text that evidence shows; of 34,769 questions 7 are longer


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts of benchmarks, each of one item and in one role.

    benchmarks, item_ids: of the items. item, role: of each text, numbers of an item and of `roles`. excerpts: each
    text, at most ITEM_CHARS of it. words: hashes of the words without operators of all texts, end to end; a text's
    end at ends. is_han: of each text, whether most of its words are Chinese or Japanese characters.
    """

    benchmarks: Strings
    item_ids: Strings
    roles: Strings
    item: Numbers
    role: Numbers
    excerpts: Strings
    words: Hashes
    ends: npt.NDArray[np.int64]
    is_han: npt.NDArray[np.bool_]

    @property
    def n_words(self) -> npt.NDArray[np.int64]:
        return np.diff(self.ends, prepend=0)


def read_texts(benchmarks: Benchmarks) -> tuple[Texts, list[Words]]:
    """All texts of benchmarks, and their words without operators."""
    rows = [
        (number, role, text)
        for number, item in enumerate(benchmarks.items)
        for role, texts in item.texts.items()
        for text in texts
    ]
    roles = sorted({role for _, role, _ in rows})
    found = [cut(text).without_operators() for _, _, text in rows]
    return (
        Texts(
            benchmarks=Strings.of([item.benchmark for item in benchmarks.items]),
            item_ids=Strings.of([item.item_id for item in benchmarks.items]),
            roles=Strings.of(roles),
            item=np.array([number for number, _, _ in rows], np.int32),
            role=np.array([roles.index(role) for _, role, _ in rows], np.int32),
            excerpts=Strings.of([" ".join(text.split())[:ITEM_CHARS] for _, _, text in rows]),
            words=np.concatenate([each.hashes for each in found] or [np.empty(0, np.uint64)]),
            ends=np.cumsum([len(each.hashes) for each in found], dtype=np.int64),
            is_han=np.array([2 * np.count_nonzero(each.kinds == HAN) > len(each.kinds) for each in found], np.bool_),
        ),
        found,
    )
