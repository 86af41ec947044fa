"""Wherever the work is done the bytes are the same, and what goes wrong there is said here."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from operator import getitem
from pathlib import Path

import pytest
from conftest import Crawl, digests, run_loop

from corpus.config import Run
from corpus.errors import CorpusError, InputError, SettingsError, StageError
from corpus.workspace import Workspace
from pipelines.fanout import fan_out_by


@pytest.fixture(scope="module")
def one_worker(tiny_crawl: Crawl, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return files_of(tiny_crawl, tmp_path_factory.mktemp("one") / "workspace", {"workers": 1})


def files_of(crawl: Crawl, root: Path, run: dict[str, object], directory: Path | None = None) -> dict[str, str]:
    warcs = [str(path) for path in sorted(((directory or crawl.directory) / "crawl").iterdir())]
    settings = crawl.settings_for(root, run=run, pool={"warcs": warcs[::-1] if directory else warcs})
    run_loop(root, settings, 1)
    files = digests(root)
    assert any(name.startswith("corpus/shard-") for name in files)
    return files


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ray on this machine, with two processors."""
    ray = pytest.importorskip("ray")
    short = tmp_path_factory.mktemp("r")  # Ray's sockets lie below it, and a socket's path has 107 characters
    monkeypatch.setenv("TMPDIR", str(short))
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what Ray will do by itself, and warns of
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=100 << 20,
        _memory=16 << 30,  # only counted, against run.task_gigabytes
        _temp_dir=str(short),
        _node_ip_address="127.0.0.1",
    )
    yield
    ray.shutdown()


def of_ray(test: Callable[..., None]) -> Callable[..., None]:
    """What datatrove's use of Ray and Ray itself warn of; as an error in datatrove's thread it would end in a hang."""
    for warning in (
        "ignore:placement_group:DeprecationWarning",  # datatrove names placement groups in the old way
        "ignore::ResourceWarning",  # Ray leaves pipes of its processes to the garbage collector
        "ignore::pytest.PytestUnraisableExceptionWarning",  # the same, said there
    ):
        test = pytest.mark.filterwarnings(warning)(test)
    return pytest.mark.timeout(120)(test)


def test_two_workers_make_the_bytes_of_one(tiny_crawl: Crawl, one_worker: dict[str, str], tmp_path: Path) -> None:
    assert files_of(tiny_crawl, tmp_path / "workspace", {"workers": 2}) == one_worker


@of_ray
def test_a_ray_cluster_makes_the_bytes_of_one_worker(
    tiny_crawl: Crawl, one_worker: dict[str, str], tmp_path: Path, cluster: None
) -> None:
    run = {"executor": "ray", "workers": 2, "task_gigabytes": 1}
    assert files_of(tiny_crawl, tmp_path / "workspace", run) == one_worker


def test_the_order_and_the_place_of_the_files_change_no_byte(
    tiny_crawl: Crawl, one_worker: dict[str, str], tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(tiny_crawl.directory, moved)
    assert files_of(tiny_crawl, tmp_path / "workspace", {"workers": 1}, moved) == one_worker


# --- what goes wrong


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "corpus.toml").write_text("")
    return Workspace(tmp_path)


def directory_of(workspace: Workspace) -> Path:
    directory = workspace.path("pool") / ".parts.0123456789ab"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def mark(directory: Path, rank: int) -> None:
    (directory / f"done-{rank}").write_text(str(os.getpid()))


def refuse(rank: int) -> None:
    raise InputError(f"file {rank} is not there")


def die(directory: Path, rank: int) -> None:
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    mark(directory, rank)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_runs_once_for_each_rank_that_is_asked_for(workspace: Workspace, workers: int) -> None:
    directory = directory_of(workspace)
    fan_out_by(Run(workers=workers), workspace)(partial(mark, directory), [3, 5, 8], directory)
    marks = {path.name: int(path.read_text()) for path in directory.glob("done-*")}
    assert marks.keys() == {"done-3", "done-5", "done-8"}
    assert (set(marks.values()) == {os.getpid()}) == (workers == 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failed_task_is_told_with_its_stage_part_and_log(workspace: Workspace, workers: int) -> None:
    check_failure(workspace, Run(workers=workers))


@of_ray
def test_a_task_that_failed_on_a_ray_cluster_is_told_with_its_stage_part_and_log(
    workspace: Workspace, cluster: None
) -> None:
    check_failure(workspace, Run(executor="ray", workers=2, task_gigabytes=1))


def check_failure(workspace: Workspace, run: Run) -> None:
    directory = directory_of(workspace)
    with pytest.raises(StageError, match="pool/parts: part 2 failed: KeyError: 2") as caught:
        fan_out_by(run, workspace)(partial(getitem, {4: "four", 6: "six"}), [2, 4, 6], directory)
    log = Path(str(caught.value).partition("Traceback: ")[2].partition(". The same")[0])
    assert "line" in log.read_text()
    assert "KeyError: 2" in log.read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_for_the_user_arrives_as_it_was_raised(workspace: Workspace, workers: int) -> None:
    with pytest.raises(InputError, match=r"^file 4 is not there$"):
        fan_out_by(Run(workers=workers), workspace)(refuse, [4], directory_of(workspace))


@pytest.mark.timeout(60)  # a pool that waits for the dead would wait for ever
def test_a_killed_worker_ends_the_run_and_the_same_call_takes_up_what_is_missing(workspace: Workspace) -> None:
    directory = directory_of(workspace)
    run = fan_out_by(Run(workers=2), workspace)
    with pytest.raises(StageError, match="pool/parts: parts .* did not finish .*killed.*Logs: "):
        run(partial(die, directory), [0, 1, 2, 3], directory)
    assert not (directory / "done-1").exists()
    missing = [rank for rank in range(4) if not (directory / f"done-{rank}").exists()]
    run(partial(mark, directory), missing, directory)
    assert len(list(directory.glob("done-*"))) == 4


def test_slurm_without_a_partition_is_a_wrong_setting(workspace: Workspace) -> None:
    with pytest.raises(SettingsError, match="run.slurm_partition"):
        fan_out_by(Run(executor="slurm"), workspace)(refuse, [0], directory_of(workspace))


def test_ray_that_is_not_installed_is_a_wrong_setting_that_says_how_to_install_it(workspace: Workspace) -> None:
    code = """
import sys
sys.modules["ray"] = None  # an import of it fails as that of a missing module does
from pathlib import Path
from corpus.config import Run
from corpus.errors import SettingsError
from corpus.workspace import Workspace
from pipelines.fanout import fan_out_by
root = Path(sys.argv[1])
try:
    fan_out_by(Run(executor="ray"), Workspace(root))(print, [0], root / "pool" / ".parts.0123")
except SettingsError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code, str(workspace.root)], capture_output=True, text=True, check=True)
    assert 'pip install "corpus[ray]"' in done.stdout


def test_no_task_is_no_work(workspace: Workspace) -> None:
    directory = directory_of(workspace)
    fan_out_by(Run(executor="slurm"), workspace)(refuse, [], directory)
    assert not list(directory.iterdir())


def test_every_error_survives_the_way_between_processes() -> None:
    kinds = [CorpusError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        again = pickle.loads(pickle.dumps(kind("what, where")))
        assert (type(again), str(again)) == (kind, "what, where")
