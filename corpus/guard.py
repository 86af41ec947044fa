"""A function called in a process that may be killed, for C code that hangs, crashes or eats all memory.

Signal handlers of Python do not run inside C code (200,000 nested `<div>`s keep an HTML parser
busy for 25 s), and a daemonic pool worker may have no multiprocessing children. So each Guard
keeps one child, `python -m corpus.guard`, that reads arguments and writes results as
length-prefixed pickles, several under way at a time. A timer whose signal has no handler ends
the child wherever it hangs, whether its parent still lives or not.
"""

import contextlib
import errno
import fcntl
import importlib
import logging
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, Generic, TypeVar, cast

from corpus.errors import StageError

R = TypeVar("R")

AHEAD_ITEMS = 32  # under way at a time, so that neither process waits for the other
AHEAD_BYTES = 4_000_000  # the same in bytes of pickles; one larger item goes alone
START_SECONDS = 300  # for importing the function's module
PIPE_BYTES = 1 << 20  # asked of the kernel for each pipe, so that a page passes in one go
LENGTH = struct.Struct("<Q")
# What no item can cause, and every next one would meet: py3langid unpacks its model into a temporary file.
OF_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EIO)


@dataclass(frozen=True)
class Failure:
    """Why an item has no result: "timeout", "crash", "memory" or "error: Type: message"."""

    reason: str


class Guard(Generic[R]):
    """Calls of one function, each within `seconds` of wall time and all within `megabytes` of memory.

    function: "package.module:name", of one argument; argument and result are pickled.
    megabytes: address space beyond what the imports take (on Linux; not limited elsewhere).

    Raises StageError where the function cannot be imported, or where the machine fails it: a full disk, say.
    """

    def __init__(self, function: str, *, seconds: float, megabytes: int) -> None:
        # -P: the current directory may be a workspace, whose folder `corpus` is not this package.
        self._command = [sys.executable, "-P", "-m", "corpus.guard", function, str(seconds), str(megabytes)]
        self._function = function
        self._child: subprocess.Popen[bytes] | None = None
        self._received = bytearray()

    def __enter__(self) -> "Guard[R]":
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def map(self, items: Iterable[Any]) -> Iterator[R | Failure]:
        """Results in the order of items, lazily; a Failure for each item that broke a limit or raised.

        Reads at most AHEAD_ITEMS items or AHEAD_BYTES of them ahead. After a failure that
        ends the child a new one takes over the items that were not done.
        """
        if not self._child:
            self._start()
        upcoming = iter(items)
        under_way: deque[bytes] = deque()
        unsent: deque[memoryview] = deque()
        try:
            while True:
                while not under_way or (len(under_way) < AHEAD_ITEMS and sum(map(len, under_way)) < AHEAD_BYTES):
                    item = next(upcoming, self)
                    if item is self:
                        break
                    under_way.append(_framed(item))
                    unsent.append(memoryview(under_way[-1]))
                if not under_way:
                    return
                result = self._exchange(unsent)
                under_way.popleft()
                if isinstance(result, _MachineFailed):
                    raise StageError(
                        f"{self._function}: {result.reason}. Temporary files are made in {tempfile.gettempdir()} "
                        "(TMPDIR names another folder). Mend that and type the same command again."
                    )
                if isinstance(result, _Ended):
                    result = Failure(result.reason)
                    self._start()
                    unsent = deque(memoryview(frame) for frame in under_way)
                yield result
        finally:
            if under_way:  # the caller stopped early: the child still works on what nobody wants
                self._stop()

    def _start(self) -> None:
        """A fresh child in place of the last one, ready for its first item."""
        self._stop()
        path = os.pathsep.join(entry or os.curdir for entry in sys.path)
        self._child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": path},
        )
        os.set_blocking(_pipe(self._child.stdin).fileno(), False)
        _widen(_pipe(self._child.stdin), _pipe(self._child.stdout))
        self._received.clear()
        ready = self._exchange(deque())
        if ready is not None:
            self._stop()
            raise StageError(f"{self._function}: its process does not start: {ready}. Its standard error says more.")

    def _stop(self) -> None:
        if self._child:
            self._child.kill()
            self._child.wait()
            _pipe(self._child.stdin).close()
            _pipe(self._child.stdout).close()
            self._child = None

    def _exchange(self, unsent: deque[memoryview]) -> Any:
        """Send while the child takes, until one result is there; _Ended where the child is gone."""
        assert self._child
        stdin, stdout = _pipe(self._child.stdin), _pipe(self._child.stdout)
        waiting = select.poll()
        waiting.register(stdout, select.POLLIN)
        if unsent:
            waiting.register(stdin, select.POLLOUT)
        while (frame := self._received_frame()) is None:
            for descriptor, _ in waiting.poll():
                if descriptor == stdout.fileno():
                    piece = os.read(descriptor, PIPE_BYTES)
                    if not piece:
                        return _Ended(_reason(self._child.wait()))
                    self._received += piece
                else:
                    _write_some(descriptor, unsent)
                    if not unsent:
                        waiting.unregister(stdin)
        return pickle.loads(frame)

    def _received_frame(self) -> bytes | None:
        """The next whole frame of what was received, if there is one."""
        if len(self._received) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._received)[0]
        if len(self._received) < end:
            return None
        frame = bytes(self._received[LENGTH.size : end])
        del self._received[:end]
        return frame


@dataclass(frozen=True)
class _Ended:
    reason: str


@dataclass(frozen=True)
class _MachineFailed:
    reason: str


def serve(function: str, seconds: float, megabytes: int) -> None:
    """What the child does: call `function` on every item of standard input, until that is closed."""
    items, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # whatever prints to standard output must not get among the results
    logging.disable(logging.ERROR)  # a library's remarks on a bad page; what counts comes back as a result
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, by closing the pipe
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    signal.setitimer(signal.ITIMER_REAL, START_SECONDS)
    try:
        call = _imported(function)
    except Exception as error:
        _send(results, _framed(f"{type(error).__name__}: {error}"))
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_memory(megabytes << 20)
    signal.setitimer(signal.ITIMER_REAL, 0)
    _send(results, _framed(None))
    while header := items.read(LENGTH.size):
        frame = items.read(LENGTH.unpack(header)[0])
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            result = _framed(call(pickle.loads(frame)))
        except MemoryError:
            result = _framed(Failure("memory"))
        except Exception as error:
            if isinstance(error, OSError) and error.errno in OF_MACHINE:
                _send(results, _framed(_MachineFailed(str(error))))
                return
            result = _framed(Failure(f"error: {type(error).__name__}: {str(error)[:200]}"))
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(results, result)


def _imported(function: str) -> Callable[[Any], Any]:
    module, _, name = function.partition(":")
    return cast(Callable[[Any], Any], getattr(importlib.import_module(module), name))


def _limit_memory(n_bytes: int) -> None:
    """Let the address space grow by so much from now on."""
    with contextlib.suppress(FileNotFoundError):  # only Linux tells its size
        n_pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = n_pages * resource.getpagesize() + n_bytes
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _framed(item: object) -> bytes:
    pickled = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(pickled)) + pickled


def _send(pipe: BinaryIO, frame: bytes) -> None:
    pipe.write(frame)
    pipe.flush()


def _write_some(descriptor: int, unsent: deque[memoryview]) -> None:
    """Move from `unsent` into a pipe what it takes now; a pipe that nobody reads any more takes all."""
    try:
        n_bytes = os.write(descriptor, unsent[0])
    except BrokenPipeError:
        unsent.clear()
        return
    if n_bytes == len(unsent[0]):
        unsent.popleft()
    else:
        unsent[0] = unsent[0][n_bytes:]


def _widen(*pipes: IO[bytes]) -> None:
    with contextlib.suppress(OSError, AttributeError):  # Linux only, and not beyond a user's quota
        for pipe in pipes:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe
    return pipe


def _reason(return_code: int) -> str:
    """Why a child ended: its own timer, the kernel's out-of-memory killer, or else a crash."""
    return {-signal.SIGALRM: "timeout", -signal.SIGKILL: "memory"}.get(return_code, "crash")


if __name__ == "__main__":
    # By its own name, so that results are pickled as corpus.guard.Failure, not __main__.Failure.
    from corpus.guard import serve as serve_child

    serve_child(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
