"""What the child of a Guard does: it reads items, works on each within limits, and sends the results.

Usage: python -m corpus.guarded READ WORK SECONDS MEGABYTES DESCRIPTOR, as guard.Guard starts it; tasks come
in by standard input, messages go out by standard output, and the file of the descriptor is the shared memory.
"""

import contextlib
import errno
import importlib
import io
import logging
import mmap
import os
import pickle
import queue
import resource
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from corpus.errors import StageError
from corpus.guard import NUMBER, READING, WAITING, Failure, Message, Task, received, send

BATCH_BYTES = 1 << 18  # of pickled results, sent at once
START_SECONDS = 300  # for importing the functions' modules
# What no item can cause, and every next one would meet.
OF_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EIO)


def serve(read: str, work: str, seconds: float, megabytes: int, memory: mmap.mmap) -> None:
    """What the child does, until its parent closes standard input or is gone."""
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_take_tasks, args=(os.fdopen(os.dup(0), "rb"), tasks), daemon=True).start()
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # whatever prints to standard output must not get among the results
    logging.disable(logging.ERROR)  # a library's remarks on a bad page; what counts comes back as a result
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, by closing the pipe
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    signal.setitimer(signal.ITIMER_REAL, START_SECONDS)
    try:
        functions = _imported(read), _imported(work)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        send(results, Message(error=StageError(f"{read}, {work}: their process does not start: {why}")))
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_memory(megabytes << 20)
    signal.setitimer(signal.ITIMER_REAL, 0)
    while True:
        NUMBER.pack_into(memory, 0, WAITING)
        answer = _Answer(tasks.get(), results, memory)
        NUMBER.pack_into(memory, 0, READING)
        try:
            answer.work(*functions, seconds)
            NUMBER.pack_into(memory, 0, WAITING)  # before the parent knows: a death from now on costs nothing
            answer.send(is_last=True)
        except Exception as error:
            answer.send(error=_sendable(error))


class _Answer:
    """Results of one task on their way to the parent; those of a batch share a memo: the keys of dicts go once."""

    def __init__(self, task: Task, pipe: BinaryIO, memory: mmap.mmap) -> None:
        self._task, self._pipe, self._memory = task, pipe, memory
        self._begin: tuple[int, Any] | None
        self._empty()

    def work(
        self, read: Callable[..., Iterator[tuple[Any, Any, Any]]], work: Callable[[Any], Any], seconds: float
    ) -> None:
        """Raises what `read` raises, and StageError where the machine is at fault."""
        task = self._task
        first, begin = task.begin
        os.chdir(task.directory)
        for number, (name, start, item) in enumerate(read(*task.arguments, start=begin), first):
            if number < task.n_done:
                continue
            reason = task.failed.get(number)
            if reason is None:
                NUMBER.pack_into(self._memory, 0, number)
                signal.setitimer(signal.ITIMER_REAL, seconds)
                reason = self._attempt(work, item)
                signal.setitimer(signal.ITIMER_REAL, 0)
                NUMBER.pack_into(self._memory, 0, READING)
            if reason is not None:
                self.send()  # what is whole: a result that could not be pickled has left its traces in the memo
                self._add(Failure(reason, name))
            if start is not None:
                self._begin = number, start
            if self._n_bytes >= BATCH_BYTES:
                self.send()

    def send(self, is_last: bool = False, error: Exception | None = None) -> None:
        """Send the results so far, and go on with an empty batch."""
        results = self._buffer.getvalue()[: self._n_bytes]
        try:
            send(self._pipe, Message(results, self._n_results, self._begin, is_last, error))
        except BrokenPipeError:
            os._exit(0)  # the parent is gone
        self._empty()

    def _empty(self) -> None:
        self._buffer = io.BytesIO()
        self._pickler = pickle.Pickler(self._buffer, pickle.HIGHEST_PROTOCOL)
        self._n_results = self._n_bytes = 0
        self._begin = None

    def _add(self, result: object) -> None:
        self._pickler.dump(result)
        self._n_results, self._n_bytes = self._n_results + 1, self._buffer.tell()

    def _attempt(self, work: Callable[[Any], Any], item: object) -> str | None:
        """Add the item's result, or say why there is none."""
        try:
            self._add(work(item))
        except MemoryError:
            return "memory"
        except Exception as error:
            if isinstance(error, OSError) and error.errno in OF_MACHINE:
                raise StageError(
                    f"{work.__module__}:{work.__qualname__}: {error}. Temporary files are made in "
                    f"{tempfile.gettempdir()} (TMPDIR names another folder). Mend that and type the same command again."
                ) from error
            return f"error: {type(error).__name__}: {str(error)[:200]}"
        return None


def _take_tasks(pipe: BinaryIO, tasks: "queue.SimpleQueue[Task]") -> None:
    """Hand tasks over as they come; when the parent closes the pipe or is killed, end at once, whatever is at work."""
    while task := received(pipe):
        tasks.put(task)
    os._exit(0)


def _sendable(error: Exception) -> Exception:
    """`error` with its traceback as a note, or one in its words where it does not survive being pickled."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        return cast(Exception, pickle.loads(pickle.dumps(error)))
    except Exception:
        return StageError(f"{type(error).__name__}: {error}")


def _imported(function: str) -> Callable[..., Any]:
    module, _, name = function.partition(":")
    return cast(Callable[..., Any], getattr(importlib.import_module(module), name))


def _limit_memory(n_bytes: int) -> None:
    """Let the address space grow by so much from now on."""
    with contextlib.suppress(FileNotFoundError):  # only Linux tells its size
        n_pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = n_pages * resource.getpagesize() + n_bytes
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


if __name__ == "__main__":
    read, work, seconds, megabytes, descriptor = sys.argv[1:]
    serve(read, work, float(seconds), int(megabytes), mmap.mmap(int(descriptor), NUMBER.size))
