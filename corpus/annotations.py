"""A person's say: `annotations.csv` of a round, a line a URL prefix.

The longest prefix that is decided answers for a page; the line `*` answers for the prefixes left blank; a
decision of an earlier round holds until it is taken again. Who decided and when is written down and has no effect.
"""

import csv
import fcntl
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus.errors import AnnotationError
from corpus.tables import replacing
from corpus.urls import prefixes

COLUMNS = (
    *("prefix", "decision", "note", "by", "at"),
    *("auto", "earlier", "n_pages", "n_collected", "share", "gain", "purity", "examples"),
)
SAID = ("decision", "note", "by", "at")  # the columns that are a person's; the others are written anew each time
DECISIONS = ("accept", "reject", "auto")
EVERY_BLANK = "*"  # the line that answers for all lines left blank


@dataclass(frozen=True)
class Line:
    """What a person says of a prefix: a line of annotations.csv, or of a sheet, or words of a command."""

    prefix: str
    decision: str  # accept, reject, auto, or empty
    note: str = ""
    by: str = ""  # a name
    at: str = ""  # UTC, ISO 8601, to the second
    where: str = field(default="", compare=False)  # that it stands: a file and its line


def read_annotations(path: Path) -> list[Line]:
    """A person's lines, one a prefix; none where there is no file.

    Raises AnnotationError naming the line, what it says and what is allowed.
    """
    return _lines(path, _rows(path))


def _rows(path: Path) -> list[dict[str, str]]:
    """The file as it stands; the first row is line 2."""
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
        return list(csv.DictReader(io.StringIO(text), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnnotationError(f"{path} is not CSV in UTF-8: {error}. {_WAY_OUT}") from error


def _lines(path: Path, rows: Iterable[Mapping[Any, Any]]) -> list[Line]:
    lines: dict[str, Line] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{path}, line {number}"
        if None in row or not {"prefix", "decision"} <= row.keys():
            raise AnnotationError(
                f"{where}: columns {', '.join(COLUMNS)} are wanted, "
                f"{plain(', '.join(map(str, row)))} were found. {_WAY_OUT}"
            )
        prefix = normal_prefix(row["prefix"] or "", where)
        decision, note, by, at = ((row.get(column) or "").strip() for column in SAID)
        decision = decision.lower()
        if decision and decision not in DECISIONS:
            raise AnnotationError(
                f"{where}: decision {decision!r} for {prefix!r}; allowed: {', '.join(DECISIONS)} or none"
            )
        known = lines.get(prefix)
        if known and decision and known.decision and known.decision != decision:
            raise AnnotationError(
                f"{where}: {prefix} is decided twice, {known.decision} in {known.where.rpartition(', ')[2]} and "
                f"{decision} here. Leave one."
            )
        if not known or (decision and not known.decision):
            lines[prefix] = Line(prefix, decision, note, by, at, where)
    return list(lines.values())


_WAY_OUT = (
    "Mend it (a spreadsheet saves it as CSV with commas, in UTF-8). An annotations.csv may be deleted: it is written "
    "anew, without decisions."
)


def normal_prefix(prefix: str, where: str) -> str:
    """`Example.org/math/*` is example.org/math. Raises AnnotationError, naming where it stands, for what is none."""
    prefix = prefix.strip()
    if prefix == EVERY_BLANK:
        return prefix
    host, slash, rest = prefix.removesuffix("*").rstrip("/").partition("/")
    letters = prefix.isprintable() and " " not in prefix
    if not host or not letters or "://" in prefix or "*" in host or "*" in rest.split("/"):
        raise AnnotationError(f"{where}: {prefix!r} is no prefix; it looks like example.org or example.org/math")
    return f"{host.lower()}{slash}{rest}"


def write_annotations(path: Path, proposed: Iterable[Mapping[str, Any]], earlier: Mapping[str, str]) -> None:
    """Write a round's annotations.csv with what is proposed now; every line a person decided stays.

    earlier: decisions that a person took in earlier rounds, shown beside the line.
    """
    rows = [{"prefix": EVERY_BLANK, "note": "decides every line left blank: accept, reject or auto"}]
    rows += [
        {
            "prefix": row["prefix"],
            "auto": row["auto"],
            "earlier": earlier.get(row["prefix"], ""),
            "n_pages": row["n_pages"],
            "n_collected": row["n_collected"],
            "share": f"{row['share']:.3f}",
            "gain": _number(row.get("gain"), 1),
            "purity": _number(row.get("purity"), 3),
            "examples": " ".join(row["examples"]),
        }
        for row in sorted(proposed, key=lambda row: (-row["share"], -row["n_pages"], row["prefix"]))
    ]
    named = {row["prefix"] for row in rows}
    with _alone(path):
        mine = {line.prefix: line for line in read_annotations(path)}
        rows += [{"prefix": prefix} for prefix, line in sorted(mine.items()) if prefix not in named and line.decision]
        for row in rows:
            if line := mine.get(row["prefix"]):
                row |= {column: getattr(line, column) for column in SAID}
        _write(path, rows)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def decide(path: Path, said: Iterable[Line], standing: Mapping[str, Line], replace: bool = False) -> list[Line]:
    """Write decisions into annotations.csv, all or none; returns the lines that it did not hold already.

    The file is read again first, and nobody else writes meanwhile: lines of other annotators stay.
    standing: decisions that hold where the file has none, those of earlier rounds.

    Raises AnnotationError, naming both places, where a prefix is decided otherwise there or twice here;
    with `replace` the present decision gives way.
    """
    with _alone(path):
        rows = _rows(path)
        present = {**standing, **{line.prefix: line for line in _lines(path, rows) if line.decision}}
        new: dict[str, Line] = {}
        for line in said:
            known, other = present.get(line.prefix), new.setdefault(line.prefix, line)
            if other.decision != line.decision:
                raise AnnotationError(
                    f"{line.prefix} is decided twice, by {other.where} and by {line.where}. Leave one."
                )
            if known and known.decision == line.decision:
                del new[line.prefix]
            elif known and not replace:
                raise AnnotationError(
                    f"{line.where}: {line.decision} for {line.prefix}, but {known.where}: {known.decision}"
                    f"{_signed(known)}. Settle which; --replace lets the new one hold."
                )
        if new:
            _write(path, _with(rows, new))
    return list(new.values())


def withdraw(path: Path, line: Line) -> bool:
    """Blank a decision that `decide` wrote; False, and nothing done, where the file has another by now."""
    with _alone(path):
        rows = _rows(path)
        if line not in _lines(path, rows):
            return False
        rows = _with(rows, {line.prefix: Line(line.prefix, "")})
        _write(path, [row for row in rows if row["prefix"] != line.prefix or len([*filter(None, row.values())]) > 1])
    return True


def _with(rows: Iterable[Mapping[str, str]], lines: Mapping[str, Line]) -> list[dict[str, str]]:
    """The rows of a file with what `lines` say, prefixes that it lacks at its end; a note stays where none is given."""
    said = {
        prefix: {column: getattr(line, column) for column in SAID if column != "note" or line.note}
        for prefix, line in lines.items()
    }
    merged = [{**row, **said.get(normal_prefix(row["prefix"], ""), {})} for row in rows]
    named = {normal_prefix(row["prefix"], "") for row in merged}
    return merged + [{"prefix": prefix, **cells} for prefix, cells in said.items() if prefix not in named]


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    own = [column for column in rows[0] if column not in COLUMNS] if rows else []  # columns that a person added
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, *own], restval="")
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait for whoever rewrites the file at the moment, and keep others waiting: for milliseconds, by a POSIX lock."""
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _signed(line: Line) -> str:
    words = ", ".join(word for word in (line.by, line.at) if word)
    return f" ({plain(words)})" if words else ""


def plain(text: str) -> str:
    """One line of printable characters: no escape sequence, no control, nothing that hides or reorders text."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def decisions_of(lines: Iterable[Line], proposed: Iterable[str], earlier: Mapping[str, str]) -> dict[str, str]:
    """A person's decision of each prefix: this round's line, else an earlier round's, else the `*` line's."""
    said = {line.prefix: line.decision for line in lines if line.decision}
    rest = said.pop(EVERY_BLANK, "")
    decided = {prefix: rest for prefix in proposed if rest}
    return {**decided, **earlier, **said}


def decision_of(url: str, decisions: Mapping[str, str]) -> str | None:
    """The decision of the longest prefix that a canonical URL lies under; None where none is decided."""
    depth = max((prefix.count("/") for prefix in decisions), default=0)
    return next((decisions[prefix] for prefix in prefixes(url, depth)[::-1] if prefix in decisions), None)
