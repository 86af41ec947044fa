"""Tables of a bench: printed, and written into docs/benchmarks.md between markers.

Each bench owns one part of that file, from `<!-- NAME -->` to `<!-- end -->`; what stands around the parts is
written by hand and stays.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table as RichTable

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
END = "<!-- end -->"


@dataclass(frozen=True)
class Table:
    """A title, a paragraph on what was measured and how, and cells as shown; the first column names the row."""

    title: str
    note: str
    columns: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        rule = ["---"] + ["---:"] * (len(self.columns) - 1)
        lines = ["| " + " | ".join(cells) + " |" for cells in (self.columns, rule, *self.rows)]
        note = [self.note, ""] if self.note else []
        return "\n".join([f"### {self.title}", "", *note, *lines, ""])

    def show(self, console: Console) -> None:
        table = RichTable(title=self.title, title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        console.print(Markdown(self.note))
        console.print()


def share(part: float, whole: float) -> str:
    """`part / whole` to three decimals, "-" where there is nothing to share."""
    return f"{part / whole:.3f}" if whole else "-"


def write(name: str, introduction: str, tables: list[Table], page: Path = PAGE) -> None:
    """Put the part `name` into `page`: in its old place, or at the end where it is new."""
    text = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
    body = "\n".join([introduction, "", *(table.markdown() for table in tables)])
    part = f"<!-- {name} -->\n{body}{END}\n"
    old = re.compile(rf"<!-- {re.escape(name)} -->\n.*?{END}\n", re.DOTALL)
    text = old.sub(lambda _: part, text) if old.search(text) else f"{text.rstrip()}\n\n{part}"
    page.write_text(text, encoding="utf-8")
