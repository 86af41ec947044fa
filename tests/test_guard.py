import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.errors import StageError
from corpus.guard import AHEAD_ITEMS, Failure, Guard

THIS = f"{__name__}:"


def double(n: int) -> int:
    print("noise on standard output")
    return 2 * n


def misbehave(what: str) -> object:
    """Runs in the child: what it does is its argument."""
    match what:
        case "hang in C":
            re.match(r"(a+)+$", "a" * 60 + "b")
        case "sleep":
            time.sleep(60)
        case "exit":
            os._exit(3)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "memory":
            return len(bytearray(1 << 30))
        case "raise":
            raise KeyError("a key")
        case "unpicklable":
            return lambda: None
        case "read stdin":
            return sys.stdin.read()
    return what


def size(payload: bytes) -> bytes:
    return payload


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("hang in C", "timeout"),
        ("sleep", "timeout"),
        ("exit", "crash"),
        ("segfault", "crash"),
        ("killed", "memory"),
        ("memory", "memory"),
        ("raise", "error: KeyError: 'a key'"),
    ],
)
def test_the_guilty_item_alone_fails_and_order_is_kept(what: str, reason: str) -> None:
    with Guard[str](THIS + "misbehave", seconds=0.5, megabytes=200) as guard:
        assert list(guard.map(["a", "b", what, "c", what, "d"])) == [
            "a",
            "b",
            Failure(reason),
            "c",
            Failure(reason),
            "d",
        ]


def test_a_result_that_cannot_be_sent_is_an_error_of_its_item() -> None:
    with Guard[str](THIS + "misbehave", seconds=5, megabytes=200) as guard:
        failed, fine = guard.map(["unpicklable", "a"])
    assert isinstance(failed, Failure) and failed.reason.startswith("error: ")
    assert fine == "a"


def test_prints_and_reads_do_not_touch_the_pipes() -> None:
    with Guard[int](THIS + "double", seconds=5, megabytes=200) as guard:
        assert list(guard.map(range(300))) == [2 * n for n in range(300)]
    with Guard[str](THIS + "misbehave", seconds=5, megabytes=200) as guard:
        assert list(guard.map(["read stdin"])) == [""]


def test_payloads_larger_than_every_pipe_pass_without_deadlock() -> None:
    payloads = [os.urandom(n) for n in (0, 1, 3_000_000, 70_000, 3_000_000, 3_000_000, 5)]
    with Guard[bytes](THIS + "size", seconds=20, megabytes=200) as guard:
        assert list(guard.map(payloads)) == payloads


def test_items_are_read_lazily_and_not_far_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for n in range(10_000):
            taken.append(n)
            yield n

    with Guard[int](THIS + "double", seconds=5, megabytes=200) as guard:
        results = guard.map(items())
        assert [next(results) for _ in range(3)] == [0, 2, 4]
        assert len(taken) <= AHEAD_ITEMS + 3


def test_a_map_left_early_does_not_leak_into_the_next() -> None:
    with Guard[int](THIS + "double", seconds=5, megabytes=200) as guard:
        first = guard.map(range(100))
        assert next(first) == 0
        first.close()  # type: ignore[attr-defined]
        assert list(guard.map([50])) == [100]


def test_an_error_of_the_items_iterator_reaches_the_caller() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("disk")

    with Guard[int](THIS + "double", seconds=5, megabytes=200) as guard, pytest.raises(OSError, match="disk"):
        list(guard.map(items()))


def test_a_function_that_cannot_be_imported_is_a_stage_error_that_names_it() -> None:
    with (
        pytest.raises(StageError, match=r"corpus\.guard:nothing"),
        Guard[int]("corpus.guard:nothing", seconds=1, megabytes=1),
    ):
        pass


def test_results_are_pickled_by_a_name_that_the_parent_knows() -> None:
    assert Failure.__module__ == "corpus.guard"
    assert pickle.loads(pickle.dumps(Failure("crash"))) == Failure("crash")


@pytest.mark.parametrize("what", ["idle", "hang in C"])
def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path, what: str) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time\n"
        f"sys.path[:0] = {[str(Path(__file__).parent.parent), str(Path(__file__).parent)]!r}\n"
        "from corpus.guard import Guard\n"
        f"with Guard('{Path(__file__).stem}:misbehave', seconds=1.5, megabytes=200) as guard:\n"
        "    print(guard._child.pid, flush=True)\n"
        f"    list(guard.map([{what!r}]))\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    deadline = time.monotonic() + 10
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(child)


def _is_running(process: int) -> bool:
    """Whether a process lives; a zombie that nobody waits for does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/status")
    return "State:\tZ" not in status.read_text() if status.exists() else True
