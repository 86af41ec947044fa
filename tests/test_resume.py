"""A run that is killed anywhere, and typed again, ends with the bytes of one that was not."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Crawl, digests, run_loop

from corpus.workspace import Workspace

COMMANDS = {
    "iterate": ["iterate", "2"],
    "finish": ["finish"],
    "export": ["export", "out", "--train-tokenizer", "300", "--shard-tokens", "4000"],
}
ROUND = ("seed", "model", "scores", "recalled", "domains", "expanded")
STAGES = [
    *((stage, "iterate") for stage in ("pool/parts", "pool/parts", "pool/signatures", "pool/unique", "seed")),
    *((f"rounds/{number:02d}/{stage}", "iterate") for number in (1, 2) for stage in ROUND),
    *((f"finish/{stage}", "finish") for stage in ("extracted", "extracted", "boilerplate", "signatures")),
    *((f"finish/{stage}", "finish") for stage in ("unique", "contaminated")),
    ("corpus", "finish"),
    ("exports/out", "export"),
    ("exports/out", "export"),
]
PATIENCE = 30.0  # seconds after which a wait has failed


def start(command: str, root: Path) -> subprocess.Popen[bytes]:
    """The command in a process group of its own, whose number is the process's."""
    return subprocess.Popen(
        [sys.executable, "-m", "corpus", *COMMANDS[command], "-w", str(root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def run(command: str, root: Path) -> None:
    process = start(command, root)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said.decode()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.002)


def alive_in_group(group: int) -> list[str]:
    """Commands of the processes of a group that still run; what only waits to be reaped does not."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, fields = path.read_text().rpartition(")")
            state, _, pgrp = fields.split()[:3]
            if int(pgrp) == group and state not in "ZX":
                found.append(f"{name}) {(path.parent / 'cmdline').read_text()}")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.fixture(scope="module")
def uninterrupted(tiny_crawl: Crawl, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that the three commands made without trouble; to be read only."""
    root = tmp_path_factory.mktemp("whole") / "workspace"
    tiny_crawl.settings_for(root)
    for command in COMMANDS:
        run(command, root)
    return root


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for orphans in /proc")
def test_a_run_killed_in_every_stage_leaves_no_process_and_ends_with_the_bytes_of_one_that_was_not(
    tiny_crawl: Crawl, uninterrupted: Path, tmp_path: Path
) -> None:
    root = tmp_path / "workspace"
    tiny_crawl.settings_for(root)
    draw = random.Random(20)
    n_killed = 0
    for stage, command in STAGES:
        n_killed += kill_in(stage, command, root, draw.uniform(0, 0.3))
    assert n_killed >= 20
    for command in COMMANDS:
        run(command, root)
    assert digests(root) == digests(uninterrupted)


def kill_in(stage: str, command: str, root: Path, seconds: float) -> bool:
    """Start the command and kill its main process some time after it began the stage, or when the stage is done."""
    final = root / stage
    if (final / "manifest.json").exists():  # a kill came late
        return False
    process = start(command, root)

    def begun() -> bool:
        assert process.poll() is None, (stage, process.stderr and process.stderr.read())
        return final.exists() or any(final.parent.glob(f".{final.name}.*"))

    try:
        wait_until(begun, f"{stage} never began")
        moment = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() > moment or final.exists(), "the clock stands")
        process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL
        wait_until(lambda: not alive_in_group(process.pid), f"left behind in {stage}: {alive_in_group(process.pid)}")
    finally:
        end_group(process)
    return True


def end_group(process: subprocess.Popen[bytes]) -> None:
    """What a failed test would leave."""
    if alive_in_group(process.pid):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)
    if process.stderr:
        process.stderr.close()


# --- what is built again, and what is not


class Built:
    """A workspace of one round and its corpus, built once; remembers what each stage's manifest said."""

    def __init__(self, crawl: Crawl, root: Path) -> None:
        self.crawl, self.root = crawl, root
        self.build()
        self.files, self.manifests = digests(root), self.stages()

    def build(self, **changes: dict[str, Any]) -> None:
        settings = self.crawl.settings_for(self.root, **({"run": {"workers": 1}} | changes))
        run_loop(self.root, settings, 1)

    def stages(self) -> dict[str, int]:
        return {
            path.parent.relative_to(self.root).as_posix(): path.stat().st_mtime_ns
            for path in self.root.rglob("manifest.json")
        }

    def rebuilt(self) -> set[str]:
        """Stages whose manifest is not the remembered one; remembers them as they are now."""
        before, self.manifests = self.manifests, self.stages()
        assert before.keys() == self.manifests.keys()
        return {stage for stage, time_ns in self.manifests.items() if before[stage] != time_ns}


@pytest.fixture(scope="module")
def module_built(tiny_crawl: Crawl, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tiny_crawl, tmp_path_factory.mktemp("built") / "workspace")


@pytest.fixture
def built(module_built: Built) -> Iterator[Built]:
    """The workspace as it was first built: what a test changed is built back."""
    module_built.build()
    module_built.rebuilt()
    yield module_built


FINISH = {
    *(f"finish/{stage}" for stage in ("extracted", "boilerplate", "signatures", "unique", "contaminated")),
    "corpus",
}
AFTER_SCORES = {f"rounds/01/{stage}" for stage in ("recalled", "domains", "expanded")} | FINISH


def test_the_same_command_again_builds_nothing(built: Built) -> None:
    built.build()
    assert built.rebuilt() == set()
    assert digests(built.root) == built.files


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"decontam": {"ngram": 8}}, {"finish/contaminated", "corpus"}),
        ({"recall": {"keep_tokens": [5_000]}}, AFTER_SCORES),
        ({"boilerplate": {"min_pages": 9}}, {"finish/boilerplate", "corpus"}),
        ({"boilerplate": {"action": "remove"}}, FINISH - {"finish/extracted"}),
        ({"dedup": {"threshold": 0.5}}, {"finish/unique", "finish/contaminated", "corpus"}),
        ({"domains": {"confidence": 0.9}}, {"rounds/01/domains", "rounds/01/expanded", "corpus"}),
        ({"shards": {"shard_megabytes": 2}}, {"corpus"}),
        ({"run": {"workers": 2}}, set()),
    ],
    ids=lambda value: next(iter(value), "none") if isinstance(value, dict) else "",
)
def test_a_changed_setting_builds_what_depends_on_it_again_and_nothing_else(
    built: Built, changes: dict[str, Any], expected: set[str]
) -> None:
    built.build(**changes)
    assert built.rebuilt() == expected
    built.build()
    assert digests(built.root) == built.files


@pytest.mark.parametrize(
    ("damaged", "edit"),
    [
        ("pool/parts/part-00001.parquet", False),
        ("pool/parts/part-00001.parquet", True),
        ("rounds/01/model/model.bin", False),
        ("rounds/01/scores/part-00000.parquet", True),
        ("finish/extracted/part-00002.parquet", False),
        ("corpus/shard-00000.parquet", True),
    ],
)
def test_a_lost_or_edited_file_is_noticed_and_built_again_to_the_same_bytes(
    built: Built, damaged: str, edit: bool
) -> None:
    path, stage = built.root / damaged, damaged.rpartition("/")[0]
    if edit:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    else:
        path.unlink()
    assert not Workspace(built.root).is_current(stage)
    built.build()
    assert built.rebuilt() == {stage}
    assert digests(built.root) == built.files
    assert Workspace(built.root).is_current("corpus")


def test_a_second_run_at_once_ends_with_code_4_and_names_the_first(tiny_crawl: Crawl, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    tiny_crawl.settings_for(root)
    first = start("iterate", root)
    try:
        wait_until(lambda: (root / "pool").exists(), "the first run never began")
        second = start("iterate", root)
        _, said = second.communicate(timeout=PATIENCE)
        assert second.returncode == 4, said.decode()
        assert f"process {first.pid} " in said.decode()
        assert "iterate 2" in said.decode()
    finally:
        first.kill()
        first.wait(PATIENCE)
        wait_until(lambda: not alive_in_group(first.pid), "the first run left processes")
        end_group(first)
