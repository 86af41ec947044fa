import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError, StageError
from corpus.guard import Failure, Guard, kept_guard
from corpus.guarded import BATCH_BYTES

THIS = f"{__name__}:"
SHARED = ["one object in several results"]


def numbered(items: list[Any], start: int | None) -> Iterator[tuple[str, int, Any]]:
    """In the child: each item by its place, where reading can begin."""
    for number in range(start or 0, len(items)):
        yield f"item {number}", number, items[number]


def without_places(items: list[Any], start: None) -> Iterator[tuple[str, None, Any]]:
    """As `numbered`, but reading can begin at the first alone."""
    yield from ((name, None, item) for name, _, item in numbered(items, start))


def ending(items: list[Any], how: str, start: int | None) -> Iterator[tuple[str, int, Any]]:
    """Reading that ends badly behind the items."""
    yield from numbered(items, start)
    match how:
        case "input":
            raise InputError("a.warc: cannot be read")
        case "disk":
            raise OSError(5, "Input/output error", "a.warc")
        case "strange":
            raise Strange(1, 2)
        case "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        case "slow":
            time.sleep(0.8)
        case "hangs":
            time.sleep(60)


class Strange(Exception):
    """An exception that pickles and cannot be made again."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def misbehave(what: Any) -> object:
    """In the child: does what its item says, and returns it."""
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
        case "full disk":
            raise OSError(28, "No space left on device")
        case "unpicklable":
            return [SHARED, lambda: None]
        case "shared":
            return SHARED
        case "read stdin":
            return sys.stdin.read()
        case "print":
            print("noise on standard output")
        case ("log", path):
            with Path(path).open("a") as log:
                log.write("x")
        case "process":
            return os.getpid()
    return what


def results(items: list[Any], read: str = "numbered", seconds: float = 20.0) -> list[Any]:
    return list(Guard[Any](THIS + read, THIS + "misbehave", seconds, 200).results(items))


@pytest.mark.parametrize("read", ["numbered", "without_places"])
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
def test_the_guilty_item_alone_fails_and_order_is_kept(what: str, reason: str, read: str) -> None:
    expected = ["a", "b", Failure(reason, "item 2"), "c", Failure(reason, "item 4"), "d"]
    assert results(["a", "b", what, "c", what, "d"], read, seconds=0.5) == expected


def test_a_failure_costs_its_item_one_attempt_and_none_to_what_was_received(tmp_path: Path) -> None:
    logs = [tmp_path / name for name in "abc"]
    items: list[Any] = [("log", str(logs[0])), "x" * BATCH_BYTES, ("log", str(logs[1])), "exit", ("log", str(logs[2]))]
    assert results(items)[3] == Failure("crash", "item 3")
    # The first was sent with the long one behind it; the second waited for its batch when the child died.
    assert [len(log.read_text()) for log in logs] == [1, 2, 1]


def test_many_failures_do_not_repeat_the_work_before_them(tmp_path: Path) -> None:
    log = tmp_path / "log"
    items = [each for _ in range(4) for each in (("log", str(log)), "exit")]
    assert results(items)[1::2] == [Failure("crash", f"item {n}") for n in (1, 3, 5, 7)]
    assert len(log.read_text()) == 8  # each one twice: before its neighbour's death, and once more


def test_a_result_that_cannot_be_sent_is_an_error_of_its_item_and_spoils_no_other() -> None:
    before, failed, *after = results(["a", "unpicklable", "shared", "a"])
    assert isinstance(failed, Failure) and failed.reason.startswith("error: ")
    assert [before, *after] == ["a", SHARED, "a"]


def test_prints_and_reads_of_standard_input_do_not_touch_the_pipes() -> None:
    assert results(["print", "read stdin", "a"]) == ["print", "", "a"]


def test_results_of_any_size_pass_and_batches_do_not_show() -> None:
    items = [os.urandom(n) for n in (0, 1, 3_000_000, 70_000, BATCH_BYTES - 100, 100, 3_000_000, 5)]
    assert results(items) == items
    assert results([{"column": n} for n in range(2_000)]) == [{"column": n} for n in range(2_000)]


def test_a_slow_read_is_no_timeout() -> None:
    guard = Guard[Any](THIS + "ending", THIS + "misbehave", 0.4, 200)
    assert list(guard.results(["a"], "slow")) == ["a"]


def test_what_reading_raises_reaches_the_caller_after_the_results_before_it() -> None:
    guard = Guard[Any](THIS + "ending", THIS + "misbehave", 20.0, 200)
    for how, error, says in (
        ("input", InputError, "a.warc: cannot be read"),
        ("disk", OSError, "[Errno 5] Input/output error: 'a.warc'"),
        ("strange", StageError, "Strange: 1 and 2"),
    ):
        received = guard.results(["process", "b"], how)
        process, second = next(received), next(received)
        assert is_running(process) and second == "b"
        with pytest.raises(error) as raised:
            next(received)
        assert str(raised.value) == says
        assert not is_running(process)  # though the error, and with it the frame that held the child, is kept


def test_a_child_that_ends_while_it_reads_is_a_stage_error() -> None:
    guard = Guard[Any](THIS + "ending", THIS + "misbehave", 20.0, 200)
    with pytest.raises(StageError, match=r"test_guard:ending: its process ended while it read \(memory\)"):
        list(guard.results(["a", "b"], "dies"))


def test_a_full_disk_is_a_stage_error_that_says_where_to_look() -> None:
    with pytest.raises(StageError, match=r"test_guard:misbehave: .*No space left on device.*TMPDIR"):
        results(["a", "full disk", "b"])


@pytest.mark.parametrize("functions", [("corpus.guard:nothing", "corpus.guard:Guard"), ("no.module:read", "os:stat")])
def test_a_function_that_cannot_be_imported_is_a_stage_error_that_names_it(functions: tuple[str, str]) -> None:
    with pytest.raises(StageError, match=re.escape(functions[0]) + ".* does not start"):
        list(Guard[Any](*functions, 1.0, 1).results())


def test_one_child_serves_call_after_call_and_another_after_its_death() -> None:
    guard = Guard[Any](THIS + "numbered", THIS + "misbehave", 20.0, 200)
    first, second = (next(guard.results(["process"])) for _ in range(2))
    assert first != second  # the first call was left before its end: that child was at work for nobody
    (third,), (fourth,) = (list(guard.results(["process"])) for _ in range(2))
    assert third == fourth
    os.kill(fourth, signal.SIGKILL)
    (fifth,) = guard.results(["process"])
    assert fifth != fourth
    del guard
    assert not is_running(fifth)


def test_relative_paths_start_from_where_the_caller_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard[Any](THIS + "numbered", THIS + "misbehave", 20.0, 200)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        list(guard.results([("log", "here")]))
    assert sorted(tmp_path.rglob("here")) == [tmp_path / "a/here", tmp_path / "b/here"]


def test_a_process_keeps_one_guard() -> None:
    kept = partial(kept_guard, THIS + "numbered", THIS + "misbehave")
    guard = kept(20.0, 200)
    assert kept(20.0, 200) is guard
    (process,) = guard.results(["process"])
    del guard
    assert is_running(process)
    kept(10.0, 200)
    assert not is_running(process)
    kept_guard.cache_clear()


def test_results_are_pickled_by_a_name_that_the_parent_knows() -> None:
    assert Failure.__module__ == "corpus.guard"
    assert pickle.loads(pickle.dumps(Failure("crash", 1))) == Failure("crash", 1)


@pytest.mark.parametrize("doing", ["waits", "works", "reads", "sends"])
def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path, doing: str) -> None:
    then = {"works": "['sleep'], ''", "reads": "[], 'hangs'", "sends": "['x' * 3_000_000] * 9, ''"}.get(doing, "[], ''")
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time\n"
        f"sys.path[:0] = {[str(Path(__file__).parent.parent), str(Path(__file__).parent)]!r}\n"
        "from corpus.guard import Guard\n"
        f"guard = Guard('{Path(__file__).stem}:ending', '{Path(__file__).stem}:misbehave', 60.0, 200)\n"
        "print(*guard.results(['process'], ''), flush=True)\n"
        f"for _ in guard.results({then}):\n"
        "    time.sleep(60)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        time.sleep(0.3)
        assert is_running(child)
        parent.kill()
    deadline = time.monotonic() + 10
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(process: int) -> bool:
    """Whether a process lives; a zombie that nobody waits for does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/status")
    return "State:\tZ" not in status.read_text() if status.exists() else True


FORKED = """
import os, sys
from corpus.guard import kept_guard
guard = kept_guard(sys.argv[1] + ":numbered", sys.argv[1] + ":doubled", 5, 200)
assert list(guard.results([1, 2])) == [2, 4]
child = os.fork()
assert list(guard.results(list(range(2_000)))) == [2 * n for n in range(2_000)]
if not child:
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("done")
"""


def doubled(number: int) -> int:
    return 2 * number


def test_a_process_that_was_forked_takes_a_child_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, __name__],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout == "done\n", done.stderr
