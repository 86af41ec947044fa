"""Formulas that main-content extraction lost, back into its text, each with the block that it stood in."""

from collections.abc import Iterator

from lxml import etree
from lxml.html import HtmlElement

from corpus.formulas import BLOCKS, Taken

MAX_BLOCK_CHARS = 1_000  # of a longer block the formula alone comes back
_TEXTS = etree.XPath("//text()[contains(., $prefix)]")


def put_lost_back(extracted: str, tree: HtmlElement, taken: Taken) -> str:
    """`extracted` with a line for each block of `tree` whose formulas, still tokens, it lacks.

    The line stands behind the formula that stood before the block in the page, a table kept whole, or
    first of all; what lost its place in a menu comes last. Of a block that came out in part, or is
    longer than MAX_BLOCK_CHARS, only the formulas that were lost return.
    """
    present = set(taken.numbers(extracted))
    back: set[int] = set()
    first: list[str] = []
    last: list[str] = []
    behind: dict[int, list[str]] = {}
    whole: dict[HtmlElement, tuple[list[int], str]] = {}
    lines = first
    for number, block in _places(tree, taken):
        if number in present:
            lines = behind.setdefault(number, [])
        if number in present or number in back:
            continue
        if block not in whole:
            whole[block] = _whole(block, present, taken)
        numbers, shown = whole[block] if whole[block][0] else ([number], taken.token(number))
        back.update(numbers)
        (last if number in taken.in_menus else lines).append(shown)
    return "\n".join([*first, *_with_lines(extracted, behind, taken), *last])


def _whole(block: HtmlElement, present: set[int], taken: Taken) -> tuple[list[int], str]:
    """The formulas of a block and its text; none where only single ones of its formulas are to come back."""
    shown = " ".join(block.text_content().split())
    numbers = taken.numbers(shown)
    return ([], "") if len(shown) > MAX_BLOCK_CHARS or not present.isdisjoint(numbers) else (numbers, shown)


def _places(tree: HtmlElement, taken: Taken) -> Iterator[tuple[int, HtmlElement]]:
    """Formulas in the order of the page, and the nearest block around each."""
    for text in _TEXTS(tree, prefix=taken.prefix):
        block = text.getparent().getparent() if text.is_tail else text.getparent()
        while block.tag not in BLOCKS and block.getparent() is not None:
            block = block.getparent()
        for number in taken.numbers(text):
            yield number, block


def _with_lines(extracted: str, behind: dict[int, list[str]], taken: Taken) -> Iterator[str]:
    waiting: list[str] = []
    in_table = False
    for line in extracted.split("\n") if extracted else ():
        if waiting and not (in_table and line.startswith("|")):
            yield from waiting
            waiting = []
        yield line
        in_table = line.startswith("|")
        for number in taken.numbers(line):
            waiting += behind.pop(number, [])
    yield from waiting
