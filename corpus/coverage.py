"""What DeepSeekMath's rule protects of benchmarks."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from corpus.benchmark_texts import read_texts
from corpus.benchmarks import Benchmarks
from corpus.ngram_rules import run_lengths
from corpus.text import Hashes, shingle_hashes


@dataclass(frozen=True)
class Coverage:
    """What the rule protects of a benchmark: n_ngram to n_empty add up to n_texts.

    A run is `ngram` words; in a Chinese or Japanese text half as many more characters, see `ngram_rules`.
    """

    benchmark: str
    n_rows: int
    n_items: int
    n_texts: int
    n_ngram: int  # texts of which any run is looked for
    n_whole: int  # texts that are looked for whole
    n_unprotected: int  # texts that are too short
    n_empty: int
    n_repeated: int  # texts whose words an earlier text of the benchmark has
    n_runs: int  # different runs


def coverage(benchmarks: Benchmarks, ngram: int = 10, min_ngram: int = 3) -> list[Coverage]:
    """What the rule protects of each benchmark, by name; words are those of text.cut without operators."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in benchmarks.n_rows}
    runs: dict[str, list[Hashes]] = {name: [] for name in counts}
    seen: set[tuple[str, bytes]] = set()
    for item in benchmarks.items:
        counts[item.benchmark]["n_items"] += 1
    texts, found = read_texts(benchmarks)
    shortest, longest = run_lengths(texts.is_han, ngram, min_ngram)
    for number, words in enumerate(found):
        benchmark, n = benchmarks.items[texts.item[number]].benchmark, len(words.hashes)
        least, run = int(shortest[number]), int(longest[number])
        protection = "ngram" if n >= run else "whole" if n >= least else "unprotected" if n else "empty"
        key = benchmark, words.hashes.tobytes()
        counts[benchmark].update({"n_texts": 1, f"n_{protection}": 1, "n_repeated": int(n > 0 and key in seen)})
        seen.add(key)
        if n >= run:
            runs[benchmark].append(shingle_hashes(words.hashes, run))
    names = ("n_items", "n_texts", "n_ngram", "n_whole", "n_unprotected", "n_empty", "n_repeated")
    return [
        Coverage(
            benchmark=benchmark,
            n_rows=benchmarks.n_rows[benchmark],
            n_runs=len(np.unique(np.concatenate([*runs[benchmark], np.empty(0, np.uint64)]))),
            **{name: count[name] for name in names},
        )
        for benchmark, count in sorted(counts.items())
    ]
