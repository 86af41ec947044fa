"""Items read and worked on in a process that may be killed, for C code that hangs, crashes or eats all memory.

Signal handlers of Python do not run inside C code (200,000 nested `<div>`s keep an HTML parser
busy for 25 s), and a daemonic pool worker may have no multiprocessing children. So a Guard keeps
one child, `python -m corpus.guarded`, which reads the items itself and sends nothing but results,
many at a time: no page crosses a pipe as HTML or waits for one. A timer whose signal has no handler
ends the child wherever it hangs. The number of the item at work stands in memory that both
processes see, so that the parent knows which one it was.
"""

import contextlib
import io
import mmap
import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from corpus.errors import StageError

R = TypeVar("R")

LENGTH = struct.Struct("<Q")
NUMBER = struct.Struct("<q")  # of the item at work, or what is done in its place:
STARTING, WAITING, READING = -3, -2, -1
# Its own timer, the kernel's out-of-memory killer; anything else is a crash.
DEATHS = {-signal.SIGALRM: "timeout", -signal.SIGKILL: "memory"}


@dataclass(frozen=True)
class Failure:
    """Why an item has no result: "timeout", "crash", "memory" or "error: Type: message"."""

    reason: str
    name: Any  # of the item


class Guard(Generic[R]):
    """Two functions in a child process: `read` yields items, `work` makes a result of each within limits.

    read: "package.module:name" of a function that yields (name, start, item), the same ones each time.
    Called with start=None it yields all, with an item's start those from that item on; an item where
    reading cannot begin has the start None. work: the same of a function of one item. Arguments, names,
    starts and results are pickled, items are not.
    seconds: wall time of work on one item; reading is not timed, since a network may stall.
    megabytes: address space beyond what the imports take (on Linux; not limited elsewhere).

    The child starts with the first results that are asked for, and serves until the Guard is forgotten.
    """

    def __init__(self, read: str, work: str, seconds: float, megabytes: int) -> None:
        self._command = [read, work, str(seconds), str(megabytes)]
        self._child: _Child | None = None

    def results(self, *arguments: Any) -> Iterator[R | Failure]:
        """The result of each item of read(*arguments), in order; a Failure where it broke a limit or raised.

        After a failure that ends the child, a new one goes on with the items that have no result yet.

        Raises what `read` raises; StageError where a function cannot be imported, where the machine fails
        it (a full disk, say), and where the child ends while it reads.
        """
        task = Task(arguments, Path.cwd())
        while True:
            n_before = task.n_done
            child, self._child = self._child, None
            if child and child.owner != os.getpid():  # of the process that this one was forked from
                child.end.detach()
                child = None
            child = child or _Child(self._command)
            try:
                child.send(task)
                while message := child.receive():
                    results = pickle.Unpickler(io.BytesIO(message.results))
                    for _ in range(message.n_results):
                        yield results.load()
                    task = task.after(message)
                    if message.error:
                        raise message.error
                    if message.is_last:
                        self._child = child
                        return
            except BaseException:  # also of a caller who wants no more: the child is at work for nobody
                child.end()
                raise
            number, reason = child.death()
            if number >= 0:
                task.failed[number] = reason
            elif number == STARTING or (number == READING and task.n_done == n_before):
                doing = "started" if number == STARTING else "read"
                raise StageError(
                    f"{self._command[0]}: its process ended while it {doing} ({reason}). Its standard error says more."
                )


@lru_cache(maxsize=1)
def kept_guard(read: str, work: str, seconds: float, megabytes: int) -> Guard[Any]:
    """The Guard of this process, kept from one call to the next: a worker makes many parts in a row."""
    return Guard(read, work, seconds, megabytes)


@dataclass(frozen=True)
class Message:
    """From the child: pickled results, and the last of their items where reading can begin: (number, start)."""

    results: bytes = b""
    n_results: int = 0
    begin: tuple[int, Any] | None = None
    is_last: bool = False
    error: Exception | None = None


@dataclass(frozen=True)
class Task:
    """To the child: results of read(*arguments) after the first n_done, without work on items that failed before."""

    arguments: tuple[Any, ...]
    directory: Path  # that relative paths start from
    n_done: int = 0
    begin: tuple[int, Any] = (0, None)  # (number, start) of the item to read from
    failed: dict[int, str] = field(default_factory=dict)  # item -> reason

    def after(self, message: Message) -> "Task":
        return replace(self, n_done=self.n_done + message.n_results, begin=message.begin or self.begin)


class _Child:
    """The process, its pipes, and the memory that is shared with it."""

    def __init__(self, command: list[str]) -> None:
        path = os.pathsep.join(entry or os.curdir for entry in sys.path)
        with tempfile.TemporaryFile() as file:
            file.write(NUMBER.pack(STARTING))
            file.flush()
            self._memory = mmap.mmap(file.fileno(), NUMBER.size)
            # -P: the current directory may be a workspace, whose folder `corpus` is not this package.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "corpus.guarded", *command, str(file.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[file.fileno()],
                env={**os.environ, "PYTHONPATH": path},
            )
        self.owner = os.getpid()
        self.end = weakref.finalize(self, _end, self._process)

    def send(self, task: Task) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has died: that is noticed when nothing comes back
            send(_pipe(self._process.stdin), task)

    def receive(self) -> Message | None:
        """The next message, None where the child is dead."""
        message: Message | None = received(_pipe(self._process.stdout))
        return message

    def death(self) -> tuple[int, str]:
        """What a dead child was at (an item's number, STARTING, WAITING or READING), and why it died."""
        code = self._process.wait()
        self.end()
        return NUMBER.unpack_from(self._memory)[0], DEATHS.get(code, "crash")


def send(pipe: IO[bytes], message: object) -> None:
    pickled = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    pipe.write(LENGTH.pack(len(pickled)))
    pipe.write(pickled)
    pipe.flush()


def received(pipe: IO[bytes]) -> Any:
    """The next message, None where the other process closed the pipe or died, be it in the midst of one."""
    header = pipe.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    n_bytes = LENGTH.unpack(header)[0]
    pickled = pipe.read(n_bytes)
    return pickle.loads(pickled) if len(pickled) == n_bytes else None


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(BrokenPipeError):  # bytes of a task that nobody read
            _pipe(pipe).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe
    return pipe
