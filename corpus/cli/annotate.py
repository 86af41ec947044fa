"""The verb `annotate`: what a person says of the URL prefixes that wait."""

import getpass
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from corpus import render
from corpus.cli.base import HERE, JsonOption, WorkspaceOption, app, print_json, say
from corpus.errors import InputError
from corpus.workspace import Workspace

NAMED = 10  # prefixes in a line; the rest is counted


@app.command()
def annotate(
    workspace: WorkspaceOption = HERE,
    number: Annotated[
        int | None, typer.Option("--round", min=1, help="Of this round; without it, of the last one.")
    ] = None,
    accept: Annotated[list[str] | None, typer.Option(help="Accept this URL prefix. May be repeated.")] = None,
    reject: Annotated[list[str] | None, typer.Option(help="Reject this URL prefix. May be repeated.")] = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--import", help="Take the decisions of this CSV file: prefix, decision, and note, by, at."),
    ] = None,
    overrule: Annotated[
        bool, typer.Option("--replace", help="A decision that contradicts a present one replaces it.")
    ] = False,
    by: Annotated[str | None, typer.Option("--as", help="Your name; without it, that of your account.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Print what waits, best first, and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Decide which URL prefixes hold what you look for, by single keys.

    Shows what waits, best first: counts, scores, examples, neighbours.
    Each decision is saved at once in the round's annotations.csv, with
    who and when; several people may annotate at the same time. Where
    standard input is no terminal, each line is a word: accept, reject,
    split, skip, undo, more, help or quit.

    Examples:

      corpus annotate -w WS
      corpus annotate -w WS --list --json
      corpus annotate -w WS --accept example.org/math --reject example.org
      corpus annotate -w WS --import OTHER/rounds/03/annotations.csv
    """
    from corpus.annotate import Walk, decide_all, decided_lines, round_to_annotate, utc_now
    from corpus.annotations import Line, normal_prefix

    opened = Workspace(workspace)
    number = round_to_annotate(opened, number)
    if accept or reject or sheet:
        who, now = name_of(by), utc_now()
        lines = [
            Line(normal_prefix(prefix, option), option.removeprefix("--"), by=who, at=now, where=option)
            for option, prefixes in (("--accept", accept), ("--reject", reject))
            for prefix in prefixes or ()
        ]
        lines += decided_lines(sheet, who, now) if sheet else []
        made = decide_all(opened, number, lines, overrule)
        if as_json:
            print_json(made)
        else:
            print(f"{made['path']}: {made['n_decided']:,} decided, {made['n_already']:,} were so already")
        if missing := made["unmatched"]:
            more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
            say(f"Kept, though no page of the pool is under {', '.join(missing[:NAMED])}{more}", "bold")
    elif as_json:
        print_json(Walk(opened, number, by="").rows())
    elif listed:
        waiting = Walk(opened, number, by="").rows()
        if rows := [{name: value for name, value in row.items() if name != "examples"} for row in waiting]:
            render.answer(pa.Table.from_pylist(rows), "table", None)
        else:
            print(f"Nothing waits in round {number}")
    else:
        from corpus.cli.walking import walk

        walk(Walk(opened, number, name_of(by)), f"corpus iterate {number} -w {opened.quoted}")


def name_of(by: str | None) -> str:
    """Raises InputError for a name that cannot be written down, and where the system has none."""
    try:
        name = (getpass.getuser() if by is None else by).strip()
    except (OSError, KeyError):
        name = ""
    if not name or not name.isprintable():
        raise InputError("Who decides? Your account has no name, or one that cannot be printed. Add --as NAME")
    return name
