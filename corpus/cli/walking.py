"""A walk through what waits: keys of a terminal, or lines, to the methods of `annotate.Walk`."""

import os
import re
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from corpus.annotate import Walk
from corpus.annotate_screen import HELP, KEYS, show
from corpus.annotations import plain
from corpus.errors import InputError

PROMPT = "[a]ccept [r]eject [d]eeper [s]kip [u]ndo [m]ore [h]elp [q]uit"
WORDS = {line[0]: word for word, line in KEYS.items()} | {"?": "help", "\x04": "quit"}  # Ctrl-D
PLAIN_WIDTH = 80  # where output is no terminal
NO_KEY = re.compile(r"\x1b(\[[0-9;]*.|O.|.)?")  # what an arrow or function key sends at once, with letters in it


def walk(walked: Walk, then: str) -> None:
    """Ask until nothing waits or the person wants no more; then: what to type next."""
    console = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    in_terminal = console.is_terminal and sys.stdin.isatty()
    told, page = f"The line * answers {walked.rest} for what is left blank." if walked.rest else "", 0
    with pressed(sys.stdin.isatty()) as words:
        while (queue := walked.queue) or (in_terminal and _undone(walked, told, console, words)):
            if not queue:
                continue
            prefix = queue[0]
            if in_terminal:
                console.clear()
            show(console, walked.asked(prefix, page), len(queue))
            if told:
                console.print(plain(told), style="bold")
            console.print(PROMPT, style="dim")
            word = next(words)
            page = page + 1 if word == "more" else 0
            match word:
                case "quit":
                    break
                case "accept" | "reject":
                    told = walked.decide(prefix, word)
                case "split":
                    told = walked.split(prefix)
                case "skip":
                    told = walked.skip(prefix)
                case "undo":
                    told = walked.undo()
                case "help":
                    if in_terminal:
                        console.clear()
                    console.print(HELP)
                    told = ""
                    if in_terminal and next(words) == "quit":
                        break
                case "more":
                    told = ""
                case _:
                    told = "no such key; h shows what there is"
    for line in (
        f"{walked.n_decided:,} decided and saved in {walked.path}" if walked.n_decided else "Nothing decided",
        f"{len(walked.queue):,} left of those that wait" if walked.queue else "Nothing else waits",
        f"Next: {then}",
    ):
        console.print(line, soft_wrap=True)


def _undone(walked: Walk, told: str, console: Console, words: Iterator[str]) -> bool:
    """Whether the person takes back the last step of all, where there was one."""
    if not walked.can_undo:
        return False
    console.print(f"{plain(told)}. Nothing else waits: u takes it back, any other key ends.", style="bold")
    if next(words) != "undo":
        return False
    walked.undo()
    return True


@contextmanager
def pressed(terminal: bool) -> Iterator[Iterator[str]]:
    """Words of KEYS as they are typed; the end of input is "quit", an unknown key is empty."""
    if not terminal:
        yield _typed_lines()
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSANOW)  # what was typed ahead is kept
    try:
        yield _typed_keys(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


def _typed_keys(descriptor: int) -> Iterator[str]:
    while typed := os.read(descriptor, 64).decode(errors="replace"):
        for key in NO_KEY.sub("", typed):
            yield WORDS.get(key, "")
    while True:
        yield "quit"


def _typed_lines() -> Iterator[str]:
    for number, line in enumerate(sys.stdin, start=1):
        word = line.strip().lower()
        word = WORDS.get(word, word)
        if word and word not in KEYS:
            raise InputError(
                f"standard input, line {number}: {word!r} is none of {', '.join(KEYS)}. What stands before it is saved."
            )
        if word:
            yield word
    while True:
        yield "quit"
