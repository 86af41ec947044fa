"""Build the sample: a crawl, a seed, a benchmark, and the truth about them.

DIR/crawl/SAMPLE-2026-00000.warc.gz ...   what a crawler would have written
    seed.parquet                          mathematics of other hosts, in OpenWebMath's schema
    benchmark.jsonl                       word problems, some of which pages of the crawl quote
    truth.parquet                         what was planted, a row a capture
    labels.jsonl                          url and label of every HTML page
    manifest.json                         counts, versions, digests; written last
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpus.errors import InputError
from corpus.tables import write_rows
from sample import benchmark, crawl, pages, plants, render
from sample.sites import SEED, SITES

N_FILES = 4

# seed.parquet: the columns of OpenWebMath, all strings there too.
SEED_SCHEMA = pa.schema(
    [
        ("url", pa.string()),
        ("text", pa.string()),  # TeX in $..$ and $$..$$
        ("date", pa.string()),
        ("metadata", pa.string()),  # JSON
    ]
)

# truth.parquet: one row a capture, in the order of planting.
TRUTH_SCHEMA = pa.schema(
    [
        ("url", pa.string()),  # as captured
        ("label", pa.string()),  # math, not_math or borderline; null for what is no page
        ("host", pa.string()),
        ("markup", pa.string()),  # how its site writes formulas; null for pages without a dress
        ("duplicate_of", pa.string()),  # canonical URL of the original
        ("duplicate_kind", pa.string()),  # exact, near, recapture or variant
        ("benchmark_id", pa.string()),
        ("contamination", pa.string()),  # verbatim, split (over markup) or numbers (changed)
        ("status", pa.int64()),
    ]
)


def build(
    directory: Path, *, share: float = 1.0, report: Callable[[str, int, int], None] | None = None
) -> dict[str, Any]:
    """Build the sample as `directory`, and return its manifest.

    share: of each section's pages, in (0, 1]; 1 takes under a minute and gives some 6,000 pages.
    report: called with (step, done, total) now and then.
    The directory appears when it is whole. Same package versions, same bytes.

    Raises InputError if `directory` exists and is not empty, or share is out of range.
    """
    if not 0 < share <= 1:
        raise InputError(f"share is {share}, not above 0 and at most 1: the sample keeps that share of its pages")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"{directory} exists and is not empty: delete it, or name another directory")
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = directory.with_name(f".{directory.name}.{os.getpid()}")
    try:
        manifest = _build(temporary, share, report or (lambda step, done, total: None))
        temporary.replace(directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return manifest


def _build(directory: Path, share: float, report: Callable[[str, int, int], None]) -> dict[str, Any]:
    pool, seed = pages.collect(share, report)
    planted = plants.plant(pool)
    (directory / "crawl").mkdir(parents=True)
    crawl.write(directory / "crawl", [one.capture for one in planted], N_FILES, report)
    write_rows(directory / "seed.parquet", map(_seed_row, seed), SEED_SCHEMA)
    write_rows(directory / "truth.parquet", (one.truth for one in planted), TRUTH_SCHEMA)
    _write_lines(directory / "benchmark.jsonl", benchmark.rows())
    labelled = {one.capture.url: one.label for one in planted if one.label is not None}
    _write_lines(directory / "labels.jsonl", ({"url": url, "label": label} for url, label in labelled.items()))
    manifest = {
        "crawl": crawl.CRAWL,
        "share": share,
        "python": platform.python_version(),
        "packages": _versions(),
        "n_captures": len(planted),
        "n_pages": len(pool),
        "n_hosts": len({one.truth["host"] for one in planted}),
        "n_seed": len(seed),
        "labels": _counts(one.label for one in planted),
        "duplicates": _counts(one.duplicate_kind for one in planted),
        "contaminations": _counts(one.contamination for one in planted),
        "sha256": {
            path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(directory.rglob("*"))
            if path.is_file()
        },
    }
    (directory / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def _seed_row(page: pages.Page) -> dict[str, str]:
    return {
        "url": page.url,
        "text": f"# {page.title}\n\n{render.to_text(page.blocks)}",
        "date": crawl.STARTED.strftime("%Y-%m-%d %H:%M:%S"),
        "metadata": json.dumps({"extraction_info": {"found_math": bool(render.formulas(page.blocks))}}),
    }


def _counts(values: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(value for value in values if value is not None).items()))


def _versions() -> dict[str, str]:
    """Versions of the installed packages whose documentation the sample may show."""
    tops = {prefix.split(".")[0] for site in (*SITES, *SEED) for section in site.sections for prefix in section.modules}
    owners = importlib.metadata.packages_distributions()
    names = {name for top in tops for name in owners.get(top, ())}
    return {name: importlib.metadata.version(name) for name in sorted(names)}


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
