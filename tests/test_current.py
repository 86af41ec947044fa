"""Which stage a changed setting, file or output leaves behind: asked of a finished workspace without building."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import Crawl, run_loop

from corpus.config import Settings
from corpus.errors import WorkspaceError
from corpus.workspace import Workspace
from pipelines import collect
from pipelines.fanout import fan_out_by

# Section, key, another value, and the first stage that is not what the settings say. None: no result depends on it.
CHANGES: list[tuple[str, str, Any, str | None]] = [
    ("pool", "crawl", "OTHER", "pool/parts"),
    ("pool", "min_chars", 100, "pool/parts"),
    ("pool", "languages", ["en"], "pool/parts"),
    ("pool", "exclude_languages", ["de"], "pool/parts"),
    ("pool", "max_page_bytes", 9_999_999, "pool/parts"),
    ("pool", "page_seconds", 60.0, "pool/parts"),
    ("pool", "page_megabytes", 3_000, "pool/parts"),
    ("unique", "near", False, "pool/unique"),
    ("unique", "ngram", 4, "pool/signatures"),
    ("unique", "permutations", 128, "pool/signatures"),
    ("unique", "bands", 19, "pool/signatures"),
    ("unique", "rows", 5, "pool/signatures"),
    ("unique", "threshold", 0.9, "pool/unique"),
    ("unique", "verify", "signature", "pool/signatures"),
    ("unique", "partitions", 3, "pool/signatures"),
    ("seed", "max_docs", 4_999, "rounds/01/seed"),
    ("negatives", "per_positive", 1.5, "rounds/01/seed"),
    ("negatives", "exclude_collected", False, "rounds/01/seed"),
    ("classifier", "dim", 8, "rounds/01/model"),
    ("classifier", "lr", 0.3, "rounds/01/model"),
    ("classifier", "word_ngrams", 1, "rounds/01/model"),
    ("classifier", "min_count", 2, "rounds/01/model"),
    ("classifier", "epoch", 24, "rounds/01/model"),
    ("classifier", "min_reads", 1_000, "rounds/01/model"),
    ("classifier", "bucket", 100_000, "rounds/01/model"),
    ("classifier", "max_chars", 1_000, "seed"),
    ("classifier", "threads", 2, "rounds/01/model"),
    ("classifier", "held_out", 0.3, "rounds/01/seed"),
    ("classifier", "random_seed", 2, "rounds/01/seed"),
    ("recall", "keep_tokens", [6_000], "rounds/01/recalled"),
    ("recall", "keep_tokens", [7_000, 6_000], "rounds/02/recalled"),
    ("domains", "min_share", 0.2, "rounds/01/domains"),
    ("domains", "confidence", 0.9, "rounds/01/domains"),
    ("domains", "prefix_depth", 1, "rounds/01/domains"),
    ("domains", "accept_share", 0.6, "rounds/01/domains"),
    ("stop", "already_collected", 0.99, "corpus"),
    ("extract", "format", "markdown", "finish/extracted"),
    ("boilerplate", "action", "remove", "finish/boilerplate"),
    ("boilerplate", "min_pages", 9, "finish/boilerplate"),
    ("boilerplate", "min_share", 0.3, "finish/boilerplate"),
    ("boilerplate", "min_words", 9, "finish/boilerplate"),
    ("boilerplate", "partitions", 3, "finish/boilerplate"),
    ("dedup", "near", False, "finish/unique"),
    ("dedup", "ngram", 4, "finish/signatures"),
    ("dedup", "permutations", 128, "finish/signatures"),
    ("dedup", "bands", 19, "finish/signatures"),
    ("dedup", "rows", 5, "finish/signatures"),
    ("dedup", "threshold", 0.9, "finish/unique"),
    ("dedup", "verify", "signature", "finish/signatures"),
    ("dedup", "partitions", 3, "finish/signatures"),
    ("decontam", "columns", ["answer"], "finish/contaminated"),
    ("decontam", "rules", ["deepseekmath", "strict"], "finish/contaminated"),
    ("decontam", "action", "segment", "finish/contaminated"),
    ("decontam", "protect", "question_and_solution", "finish/contaminated"),
    ("decontam", "min_score", 20.0, "finish/contaminated"),
    ("decontam", "min_share", 0.7, "finish/contaminated"),
    ("decontam", "ngram", 9, "finish/contaminated"),
    ("decontam", "min_ngram", 4, "finish/contaminated"),
    ("shards", "shard_megabytes", 2, "corpus"),
    ("run", "workers", 1, None),
    ("run", "task_gigabytes", 5, None),
    ("run", "slurm_time", "1:00:00", None),
]


@pytest.fixture(scope="module")
def built(tiny_crawl: Crawl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crawl, Path]]:
    """Two rounds and a corpus, of a copy of the crawl that tests may touch."""
    directory = tmp_path_factory.mktemp("current")
    shutil.copytree(tiny_crawl.directory, directory / "crawl")
    crawl = replace(tiny_crawl, directory=directory / "crawl")
    run_loop(directory / "ws", crawl.settings_for(directory / "ws"), 2)
    yield crawl, directory / "ws"


def out_of_date(root: Path, settings: Settings) -> str | None:
    """The first stage that is not up to date and why, or None."""
    workspace = Workspace(root, frozen=True)
    try:
        collect.finish(workspace, settings, fan_out_by(settings.run, workspace))
    except WorkspaceError as error:
        return str(error)
    return None


def test_every_setting_is_tried_here() -> None:
    tried = {(section, key) for section, key, _, _ in CHANGES}
    elsewhere = {
        *((section, key) for section, key in (("pool", "warcs"), ("seed", "paths"), ("negatives", "paths"))),
        *(("recall", key) for key in ("keep_share", "min_score", "precision")),
        ("scoring", "evidence"),
        ("dedup", "against"),
        *(("decontam", key) for key in ("benchmarks", "allow")),
        ("domains", "annotate"),
        ("stop", "on_drift"),
        *(("run", key) for key in ("executor", "ray_address", "slurm_partition")),
    }
    all_keys = {
        (section, key)
        for section, info in Settings.model_fields.items()
        if section != "preset" and info.annotation is not None
        for key in info.annotation.model_fields
    }
    assert tried | elsewhere == all_keys


def test_nothing_is_out_of_date_after_a_run(built: tuple[Crawl, Path]) -> None:
    crawl, root = built
    assert out_of_date(root, crawl.settings_for(root)) is None


def test_evidence_asks_for_a_stage_that_a_loop_without_it_never_built(
    built: tuple[Crawl, Path], tmp_path: Path
) -> None:
    crawl, root = built
    said = out_of_date(root, crawl.settings_for(tmp_path, scoring={"evidence": True}))
    assert said is not None
    assert said.startswith("marks is not up to date: it was never built")


@pytest.mark.parametrize(("section", "key", "value", "stage"), CHANGES)
def test_a_changed_setting_leaves_a_stage_behind(
    section: str, key: str, value: object, stage: str | None, built: tuple[Crawl, Path], tmp_path: Path
) -> None:
    crawl, root = built
    assert getattr(getattr(crawl.settings_for(tmp_path), section), key) != value
    said = out_of_date(root, crawl.settings_for(tmp_path, **{section: {key: value}}))
    if stage is None:
        assert said is None
    else:
        assert said is not None
        assert said.startswith(f"{stage} is not up to date: setting changed: ")
        assert "corpus iterate 2" in said


@pytest.mark.parametrize(
    ("pattern", "stage"),
    [("crawl/*.warc.gz", "pool/parts"), ("seed.jsonl", "seed"), ("benchmark.jsonl", "finish/contaminated")],
)
def test_a_changed_file_leaves_a_stage_behind(pattern: str, stage: str, built: tuple[Crawl, Path]) -> None:
    crawl, root = built
    file = sorted(crawl.directory.glob(pattern))[0]
    content, times = file.read_bytes(), (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    try:
        file.write_bytes(content + b"\n")
        said = out_of_date(root, crawl.settings_for(root))
    finally:
        file.write_bytes(content)
        os.utime(file, ns=times)
    assert said is not None
    assert said.startswith(f"{stage} is not up to date: file changed: {file.name}")


def test_every_stage_reads_what_its_manifest_says(built: tuple[Crawl, Path]) -> None:
    """A stage that forgot an input would keep the result of an older one."""
    _, root = built
    workspace = Workspace(root)

    def inputs(stage: str) -> set[str]:
        manifest = workspace.manifest(stage)
        assert manifest is not None
        return set(manifest.inputs)

    pool = {"pool/parts", "pool/unique"}
    assert inputs("pool/unique") == {"pool/parts", "pool/signatures"}
    assert inputs("rounds/02/seed") == {*pool, "seed", "rounds/01/expanded"}
    assert inputs("rounds/02/model") == {"rounds/02/seed"}
    assert inputs("rounds/02/scores") == {*pool, "rounds/02/model"}
    assert inputs("rounds/02/recalled") == {*pool, "rounds/02/scores", "rounds/01/recalled"}
    assert inputs("rounds/02/domains") == {*pool, "rounds/02/recalled", "rounds/01/expanded"}
    assert inputs("rounds/02/expanded") == {
        *pool,
        *(f"rounds/02/{s}" for s in ("seed", "model", "recalled", "domains")),
    }
    assert inputs("finish/extracted") == {*pool, "rounds/02/recalled"}
    assert inputs("finish/contaminated") == {"finish/extracted", "finish/unique"}
    assert inputs("corpus") == {
        *pool,
        *(f"rounds/02/{stage}" for stage in ("recalled", "expanded")),
        *(f"finish/{stage}" for stage in ("extracted", "unique", "contaminated")),
    }


def test_finish_refuses_a_round_that_was_damaged_and_does_not_fall_back_on_the_one_before(
    built: tuple[Crawl, Path], tmp_path: Path
) -> None:
    crawl, root = built
    shutil.copytree(root, tmp_path / "ws")
    settings = crawl.settings_for(tmp_path / "ws")
    recalled = tmp_path / "ws/rounds/02/recalled/recalled.parquet"
    recalled.write_bytes(recalled.read_bytes()[:-1] + b"x")
    workspace = Workspace(tmp_path / "ws")
    with pytest.raises(WorkspaceError, match=r"rounds/02/recalled is not up to date: .*was edited.*corpus iterate 2"):
        collect.finish(workspace, settings, fan_out_by(settings.run, workspace))
    collect.finish(workspace, settings, fan_out_by(settings.run, workspace), 1)
    manifest = workspace.manifest("finish/extracted")
    assert manifest is not None
    assert manifest.counts["round"] == 1


def test_a_run_says_what_it_builds_again_and_nothing_else(tiny_crawl: Crawl, tmp_path: Path) -> None:
    tiny_crawl.settings_for(tmp_path / "ws")
    run = partial(subprocess.run, capture_output=True, text=True, check=True)
    command = [sys.executable, "-m", "corpus", "iterate", "1", "-w", str(tmp_path / "ws")]
    first = run(command).stderr
    assert first
    for line in first.splitlines():  # workers add nothing of their own
        assert re.fullmatch(r"[a-z0-9/]+(: (done, [\d.]+ s|\d+ of \d+))?", line), line
    (tmp_path / "ws/rounds/01/recalled/recalled.parquet").unlink()
    assert "recalled.parquet is gone; it is built again" in run(command).stderr
