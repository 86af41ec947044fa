"""`corpus annotate` in a terminal: the real command at a pseudo-terminal, a key at a time."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.cells import cell_len
from test_annotate import PAGES, decisions, make_round

from corpus.annotations import read_annotations

PROMPT = re.compile(r"\[q\]uit\S*\s*$")
STYLES = re.compile(r"\x1b\[[0-9;]*m")
CLEAR = "\x1b[2J\x1b[H"
CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """A process at a pseudo-terminal, from the side of whoever sits there."""

    def __init__(self, descriptor: int, process: "subprocess.Popen[bytes]") -> None:
        self.descriptor, self.process = descriptor, process

    def screen(self) -> str:
        """What is written until the prompt stands there, or the process ends."""
        shown = b""
        while not PROMPT.search(STYLES.sub("", shown.decode(errors="ignore"))):
            assert select.select([self.descriptor], [], [], 60)[0], shown
            try:
                piece = os.read(self.descriptor, 65_536)
            except OSError:  # Linux's end of a terminal that nobody has open
                break
            if not piece:
                break
            shown += piece
        return shown.decode().replace("\r\n", "\n")

    def press(self, key: str) -> str:
        os.write(self.descriptor, key.encode())
        return self.screen()

    def end(self) -> int:
        return self.process.wait(timeout=60)


# Ctrl-C goes to the process whose controlling terminal this is; whoever runs the tests may ignore it.
AT_ITS_TERMINAL = """
import fcntl, signal, termios, corpus.cli
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
corpus.cli.main()
"""


@contextmanager
def terminal(root: Path, *arguments: str, columns: int = 80, lines: int = 60, **more: str) -> Iterator[Terminal]:
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", "LOGNAME": "ann", **more}
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", AT_ITS_TERMINAL, "annotate", "-w", str(root), *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(mine, process)
    finally:
        process.kill()
        process.wait()
        os.close(mine)


def headed(screen: str) -> str:
    """The prefix that the last screen asks about: it begins it."""
    return STYLES.sub("", screen.rpartition(CLEAR)[2]).split("\n")[0]


def test_each_key_is_saved_at_once_and_a_kill_between_keys_loses_nothing(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    with terminal(tmp_path) as seat:
        assert headed(seat.screen()) == "math.org/notes"
        shown = seat.press("a")
        assert headed(shown) == "math.org" and "math.org/notes: accept, saved" in shown
        assert decisions(workspace) == {"math.org/notes": "accept"}
        seat.press("r")
        seat.process.kill()
        assert seat.end() == -9
    assert decisions(workspace) == {"math.org/notes": "accept", "math.org": "reject"}
    assert {line.by for line in read_annotations(workspace.annotations(1)) if line.decision} == {"ann"}
    with terminal(tmp_path) as seat:
        assert headed(seat.screen()) == "www.shop.org"


def test_every_key_does_what_the_prompt_says(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    with terminal(tmp_path) as seat:
        seat.screen()
        assert headed(seat.press("s")) == "math.org"
        shown = seat.press("d")
        assert headed(shown) == "math.org/notes" and "first the 2 below it" in shown
        shown = seat.press("s")
        assert headed(shown) == "math.org/blog"
        assert all(words in shown for words in ("not proposed", "beside it in math.org", "above it"))
        assert headed(seat.press("u")) == "math.org/notes"
        assert headed(seat.press("u")) == "math.org"
        assert headed(seat.press("m")) == "math.org"
        os.write(seat.descriptor, b"h")
        assert headed(seat.press("x")) == "math.org"  # any key leaves the help
        assert "no such key" in seat.press("x")
        last = seat.press("q")
        assert seat.end() == 0
    assert "Nothing decided" in last and f"Next: corpus iterate 1 -w {tmp_path}" in last
    assert decisions(workspace) == {}


def test_the_last_decision_of_all_can_be_taken_back(tmp_path: Path) -> None:
    workspace = make_round(tmp_path, proposed={"math.org": "accept"})
    with terminal(tmp_path) as seat:
        seat.screen()
        os.write(seat.descriptor, b"r")
        assert headed(seat.press("u")) == "math.org"
        os.write(seat.descriptor, b"a")
        last = seat.press("q")
        assert seat.end() == 0
    assert "math.org: accept, saved. Nothing else waits" in last and "1 decided and saved" in last
    assert decisions(workspace) == {"math.org": "accept"}


def test_keys_that_are_typed_ahead_count_and_arrows_do_nothing(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    with terminal(tmp_path) as seat:
        os.write(seat.descriptor, b"r")
        while "math.org/notes: reject, saved" not in seat.screen():  # one screen or two at once
            pass
        for key in ("\x1b[A", "\x1b[D", "\x1bOA", "\x1ba", "\x1b[1;5r"):
            os.write(seat.descriptor, key.encode())
        seat.press("a")
    assert decisions(workspace) == {"math.org/notes": "reject", "math.org": "accept"}


@pytest.mark.parametrize(("key", "code", "said"), [(CTRL_C, 130, "Interrupted."), (CTRL_D, 0, "1 decided and saved")])
def test_ctrl_c_and_ctrl_d_leave_all_saved_and_the_terminal_as_it_was(
    key: str, code: int, said: str, tmp_path: Path
) -> None:
    workspace = make_round(tmp_path)
    with terminal(tmp_path) as seat:
        before = termios.tcgetattr(seat.descriptor)
        seat.screen()
        assert termios.tcgetattr(seat.descriptor) != before
        seat.press("a")
        shown = seat.press(key)
        assert seat.end() == code
        assert termios.tcgetattr(seat.descriptor) == before
    assert said in shown and "Traceback" not in shown
    assert decisions(workspace) == {"math.org/notes": "accept"}


def test_two_annotators_at_once_lose_no_decision_and_see_each_others(tmp_path: Path) -> None:
    workspace = make_round(tmp_path)
    with terminal(tmp_path) as ann, terminal(tmp_path, "--as", "bob") as bob:
        assert headed(ann.screen()) == headed(bob.screen()) == "math.org/notes"
        assert headed(ann.press("a")) == "math.org"
        shown = bob.press("r")
        assert headed(shown) == "math.org" and "math.org/notes: accept, as ann decided meanwhile" in shown
        assert headed(bob.press("r")) == "www.shop.org"
        assert "math.org: reject, as bob decided meanwhile" in ann.press("r")
        assert "math.org/notes: accept withdrawn" in ann.press("u")
    lines = read_annotations(workspace.annotations(1))
    said = {line.prefix: (line.decision, line.by) for line in lines if line.decision}
    assert said == {"math.org": ("reject", "bob")}


EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil \x1b[?1049h\r\nnext"
LONG = "数学の定理" * 60


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_pages_command_nothing(columns: int, tmp_path: Path) -> None:
    long = "http://math.org/" + "a-directory-with-a-long-name/" * 5
    pages = {**PAGES, long: (0.9, False)}
    texts = {
        "http://math.org/notes/3": (EVIL, f"{'word ' * 20}{EVIL.partition('next')[0].strip()}"),
        "http://math.org/notes/4": (LONG, LONG),
        long: ("", f"{'x' * 500}\x1b[31m"),
    }
    make_round(tmp_path, pages, {"math.org/notes": "accept", long.partition("//")[2].strip("/"): "accept"}, texts=texts)
    with terminal(tmp_path, columns=columns, NO_COLOR="1") as seat:
        screens = [seat.screen(), seat.press("a"), seat.press("q")]
    assert "owned" in screens[0] and "evil" in screens[0] and "数学" in screens[0] and "a-directory" in screens[1]
    for screen in screens[:2]:
        assert screen.startswith(CLEAR)
        left = STYLES.sub("", screen.removeprefix(CLEAR))
        assert all(character.isprintable() or character == "\n" for character in left)
        assert max(map(cell_len, left.split("\n"))) <= columns
    assert long.partition("//")[2].strip("/") in STYLES.sub("", screens[1]).replace("\n", "")  # no name is cut
    codes = {code for screen in screens for code in re.findall(r"\x1b\[([0-9;]*)m", screen)}
    assert codes <= {"0", "1", "2"}  # bold and dim; no colour


def test_on_a_short_terminal_the_numbers_stand_by_the_prompt(tmp_path: Path) -> None:
    make_round(tmp_path)
    with terminal(tmp_path, lines=24) as seat:
        shown = STYLES.sub("", seat.screen()).split("\n")
    last = next(number for number, line in enumerate(shown) if line == "math.org/notes")
    assert len(shown) - last <= 7 and shown[last + 1] == "4 pages, 2 collected (50%)"
