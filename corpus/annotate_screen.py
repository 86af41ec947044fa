"""What `corpus annotate` shows of a prefix, in a terminal of any width or as plain lines.

Titles, texts and addresses are pages' own: what a terminal would obey, or what hides and reorders, is taken out.
"""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from corpus.annotate import Asked, Example, Place
from corpus.annotations import plain

MAX_WIDTH = 100  # longer lines are hard to read
NARROW = 60
TALL = 50  # lines from which more examples and neighbours are shown
EXCERPT_LINES = 2
GOOD_LINE = 80  # characters of a line that is a paragraph rather than a menu's
KEYS = {
    "accept": "a  accept: its pages that were not collected join the next seed",
    "reject": "r  reject: none of its pages joins a seed, nor stays in one",
    "split": "d  deeper: be asked about the directories below it first, then about the rest",
    "skip": "s  skip: leave it for another time",
    "undo": "u  undo the last step, as often as you like",
    "more": "m  more examples, chosen at random",
    "help": "h  this help",
    "quit": "q  quit; so do Ctrl-D and Ctrl-C",
}
HELP = f"""{chr(10).join(KEYS.values())}

A decision answers for all pages under the prefix but those under a longer one that is decided, in this round and \
later ones. It is saved when its key is pressed, with your name and the time.

Accepting decides about the pages that are left. How many of them are wanted is the sum of their probabilities (of \
their scores, where the round has no evidence).

Any key goes back."""


def show(console: Console, asked: Asked, n_waiting: int) -> None:
    """All of a prefix; where it is longer than the terminal, the numbers stand at its end, which stays in sight."""
    width, tall = min(console.width, MAX_WIDTH), console.height >= TALL
    place = asked.place
    apart = f"; {place.n_pages - asked.n_pages:,} more are decided below" if place.n_pages > asked.n_pages else ""
    header = [
        Text(plain(place.prefix), "bold"),
        Text(f"{asked.n_pages:,} pages, {asked.n_collected:,} collected ({_share(asked)}){apart}"),
        Text(f"{asked.n_pages - asked.n_collected:,} left, about {asked.expected_new:,.1f} of them wanted"),
        Text(f"{f'the rule: {place.auto}' if place.auto else 'not proposed'}; {n_waiting - 1:,} more wait", "dim"),
        Text(),
    ]
    lines = [*_bars(console, asked, width), Text()]
    for level, examples in groupby(asked.examples, lambda example: example.level):
        lines.append(Text(level, "dim"))
        for example in list(examples)[: 2 if tall else 1]:
            lines += _example(console, example, place.prefix, width)
    parent = place.prefix.rpartition("/")[0]
    beside = f"beside it in {plain(parent)}" if parent else "other hosts of the domain"
    for title, cut, places in (
        ("below it", f"{place.prefix}/", asked.inside),
        (beside, f"{parent}/" if parent else "", asked.beside),
        ("above it", "", asked.above),
    ):
        lines += _table(title, cut, places, 6 if tall else 3, width)
    scrolls = console.is_terminal and len(header) + len(lines) + 2 > console.height
    for line in [*lines, *header] if scrolls else [*header, *lines]:
        console.print(line, overflow="fold" if line is header[0] else "ellipsis", no_wrap=line is not header[0])


def _bars(console: Console, asked: Asked, width: int) -> list[Text]:
    full, light = ("#", ".") if console.options.ascii_only else ("█", "░")
    most = max(map(sum, asked.histogram)) or 1
    room = max(width - 20, 10)
    lines = [Text.assemble((f"{asked.measure}  ", "dim"), (f"{full} collected  ", "green"), (f"{light} left", "cyan"))]
    for number, counts in enumerate(asked.histogram):
        high = len(asked.histogram) - number
        label = f"{(high - 1) / len(asked.histogram):.1f} to {high / len(asked.histogram):.1f}  "
        n_full, n_light = (-(-n * room // (most + 1)) for n in counts)  # one at least where there is a page
        lines.append(Text.assemble(label, (full * n_full, "green"), (light * n_light, "cyan"), f" {sum(counts):,}"))
    return lines


def _example(console: Console, example: Example, prefix: str, width: int) -> list[Text]:
    """Value, title, rest of the address, and a piece of text."""
    indent = "  " if width < NARROW else " " * 6
    kind = "collected" if example.collected else "not collected"
    address = plain(example.url).partition("://")[2].removeprefix(prefix)
    excerpt = Text(plain(paragraph(example.text))).wrap(console, width - len(indent))
    return [
        Text(f"  {plain(example.title) or '(no title)'}"),
        Text(f"{indent}{example.value:.2f}, {kind}: {address}", "green" if example.collected else "cyan"),
        *(Text(f"{indent}{line.plain.rstrip()}") for line in excerpt[:EXCERPT_LINES]),
        Text(),
    ]


def paragraph(text: str) -> str:
    """The first line that reads like a paragraph, else the longest."""
    lines = text.splitlines() or [""]
    return next((line for line in lines if len(line) >= GOOD_LINE), max(lines, key=len))


def _table(title: str, cut: str, places: Sequence[Place], n_rows: int, width: int) -> list[Text]:
    """The largest of some prefixes, each in a line: pages, share, decision."""
    if not places:
        return []
    shown = sorted(places, key=lambda place: (-place.n_pages, place.prefix))[:n_rows]
    more = f", the largest {n_rows} of {len(places)}" if len(places) > n_rows else ""
    room = max(width - 32, 12)
    lines = [Text(f"{title}{more}", "dim")]
    for place in shown:
        name = Text(f"  {plain(place.prefix).removeprefix(cut)}")
        name.truncate(room, overflow="ellipsis", pad=True)
        lines.append(Text.assemble(name, f"{place.n_pages:>8,} {_share(place):>5}  ", _decision(place)))
    return [*lines, Text()]


def _share(place: Place | Asked) -> str:
    return f"{place.n_collected / place.n_pages if place.n_pages else 0:.0%}"


def _decision(place: Place) -> tuple[str, str]:
    if place.said:
        return f"{place.said.decision} {plain(place.said.by)}", "green" if place.said.decision == "accept" else "red"
    return (f"rule: {place.auto}", "dim") if place.auto else ("", "")
