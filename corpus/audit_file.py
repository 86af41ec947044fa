"""The files of an audit: FILE.csv, which a person fills in, and FILE.json, how its pages were drawn.

The CSV may be sorted, filtered, given columns or half filled in a spreadsheet: rows are known by page_id, and all that
an estimate needs of the design stands in the JSON.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import InputError
from corpus.tables import replacing

LABELS = ("math", "not_math", "unsure")
COLUMNS = ("label", "by", "note", "url", "title", "excerpt", "page_id", "stratum", "score", "collected")
NEEDED = ("label", "by", "page_id")
DESIGN = {"round": int, "ranking": str, "strata": list, "pages": dict}
STRATUM = {"first", "last", "n_sure", "n_drawn"}
FORMULA_STARTS = ("=", "+", "-", "@", "\t")  # what a spreadsheet would compute


@dataclass(frozen=True)
class Row:
    """A line of the CSV. label: one of LABELS, or "" where nobody has said yet."""

    line: int
    cells: Mapping[str, str]
    label: str

    @property
    def page_id(self) -> str:
        return self.cells["page_id"].strip()


def design_path(path: Path) -> Path:
    """Where the design of an audit's CSV lies."""
    return path.with_suffix(".json")


def write_design(path: Path, design: Mapping[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(design, indent=1) + "\n", encoding="utf-8")


def read_design(path: Path) -> dict[str, Any]:
    """The design of the audit `path`; InputError where it is lost or none."""
    file = design_path(path)
    try:
        design: dict[str, Any] = json.loads(file.read_bytes())
        if not _is_design(design):
            raise ValueError("round, ranking, strata or pages are not there, or not as they were written")
    except FileNotFoundError:
        raise InputError(
            f"{file} is not there: it says how the pages of {path.name} were drawn. Put it back beside it, under "
            "the same name."
        ) from None
    except ValueError as error:
        raise InputError(f"{file} is no design of an audit ({error}). Draw anew: corpus audit sample") from None
    return design


def _is_design(design: Any) -> bool:
    return (
        isinstance(design, dict)
        and all(isinstance(design.get(name), kind) for name, kind in DESIGN.items())
        and all(isinstance(stratum, dict) and stratum.keys() == STRATUM for stratum in design["strata"])
    )


def write_audit(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the CSV: COLUMNS, then what columns a person added."""
    rows = list(rows)
    columns = [*COLUMNS, *(name for name in (rows[0] if rows else ()) if name not in COLUMNS)]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def inert(text: str) -> str:
    """A page's text as a cell that no spreadsheet computes."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def read_audit(path: Path) -> list[Row]:
    """The lines of an audit; a spelling such as "Not math" is read as not_math.

    Raises InputError, naming the line, for a label that is none, a page twice, and columns that are missing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = csv.DictReader(io.StringIO(text), strict=True)
        numbered = [(table.line_num, cells) for cells in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}. Save it as CSV with commas, in UTF-8.") from error
    rows: dict[str, Row] = {}
    for line, cells in numbered:
        if None in cells or None in cells.values() or not set(NEEDED) <= cells.keys():
            raise InputError(
                f"{path}, line {line}: columns {', '.join(NEEDED)} are wanted, "
                f"{', '.join(map(str, cells))} were found. Save it as CSV with commas, in UTF-8."
            )
        label = "_".join(cells["label"].lower().replace("_", " ").replace("-", " ").split())
        if label and label not in LABELS:
            raise InputError(f"{path}, line {line}: label {cells['label']!r}; allowed: {', '.join(LABELS)} or none")
        row = Row(line, cells, label)
        if row.page_id in rows:
            raise InputError(f"{path}, line {line}: page {row.page_id} stands on line {rows[row.page_id].line} too")
        rows[row.page_id] = row
    return list(rows.values())
