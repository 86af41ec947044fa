"""Progress on standard error: bars in a terminal; elsewhere a line a stage, and one in between where it takes long."""

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """A context whose `report` is a workspace.Report: (stage, done, total), total 0 while it is unknown."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._console = console
        self._bars: Bars | None = None
        if console.is_terminal:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self._bars = Bars(*columns, console=console)
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    def report(self, stage: str, done: int, total: int) -> None:
        self._started.setdefault(stage, time.monotonic())
        if self._bars:
            task = self._tasks.get(stage)
            if task is None:
                task = self._tasks[stage] = self._bars.add_task(stage, total=None)
            self._bars.update(task, completed=done, total=total or None)
        elif total and done == total:
            self._line(f"{stage}: done, {time.monotonic() - self._started[stage]:.1f} s")
        elif time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._line(f"{stage}: {done} of {total}" if total else stage)

    def notice(self, text: str) -> None:
        """A line that is always shown."""
        self._line(text)

    def _line(self, text: str) -> None:
        self._last_line = time.monotonic()
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
