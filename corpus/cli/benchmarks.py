"""Verbs of benchmarks: what is there, fetching, and adding one's own."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from corpus import render
from corpus.cli.base import JsonOption, app, print_json, say
from corpus.progress import Progress

benchmarks = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(benchmarks, name="benchmarks")

THERE = {
    "n_rows": "rows",
    "n_items": "items",
    "n_texts": "texts",
    "n_ngram": "by run",
    "n_whole": "whole",
    "n_unprotected": "too short",
    "n_empty": "empty",
    "n_repeated": "repeated",
    "n_runs": "runs",
}

ToOption = Annotated[Path, typer.Option("--to", help="The folder of benchmarks; made where there is none.")]


@benchmarks.callback()
def root() -> None:
    """Fetch benchmarks, add one's own, and see what they protect.

    A folder of benchmarks holds a JSONL file a set, all of one form. It is
    what `decontam.benchmarks` in a corpus.toml names.

    Examples:

      corpus benchmarks list
      corpus benchmarks pull gsm8k math --to benchmarks
      corpus benchmarks add quiz.parquet --to benchmarks
      corpus benchmarks list benchmarks
    """


@benchmarks.command("list")
def list_sets(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="FOLDER|FILE...", help="JSONL or Parquet files, folders or globs.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="A column that is to be protected, instead of question. May be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is protected of each set, and the published sets that lack.

    By DeepSeekMath's rule: of a text of ten words or more any run of ten is
    looked for, one of three to nine words whole, a shorter one not at all.
    Chinese and Japanese: runs of 15 characters, five to 14 of them whole.

    Examples:

      corpus benchmarks list
      corpus benchmarks list benchmarks --column question --column solution
    """
    import pyarrow as pa

    from corpus.benchmarks import SUFFIXES, load_benchmarks
    from corpus.coverage import coverage
    from corpus.registry import SETS
    from corpus.sources import expand

    files = list(expand(paths or [], suffixes=SUFFIXES).values())
    there = [asdict(row) for row in coverage(load_benchmarks(files, column or ["question"]))]
    names = {row["benchmark"] for row in there}
    facts = ("n_rows", "licence", "repository", "revision")
    absent = [
        {"benchmark": name, **{fact: getattr(one, fact) for fact in facts}}
        for name, one in SETS.items()
        if name not in names
    ]
    if as_json:
        print_json({"there": there, "absent": absent})
        return
    if there:
        render.answer(pa.Table.from_pylist([_headed(row, THERE) for row in there]), "table", None)
        print()
    if absent:
        print("Published and not there; corpus benchmarks pull NAME --to FOLDER fetches a set:\n")
        render.answer(pa.Table.from_pylist([_headed(row, {"n_rows": "rows"}) for row in absent]), "table", None)


def _headed(row: dict[str, Any], headings: dict[str, str]) -> dict[str, Any]:
    return {headings.get(name, name): value for name, value in row.items()}


@benchmarks.command()
def pull(
    to: ToOption,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Sets, by the names of list; without names all of them."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch published sets to a folder: checked, resumed, in one form.

    What is there and whole is left. A checksum that is not known is taken
    from the first pull and holds for later ones: manifest.json in the folder
    has it. A set that cannot be fetched says why, the others go on, and the
    exit code is 1. HF_ENDPOINT and HF_TOKEN are honoured.

    Examples:

      corpus benchmarks pull --to benchmarks
      corpus benchmarks pull gsm8k math500 aime25 --to benchmarks
    """
    from corpus.pull import pull as pull_sets

    with Progress() as progress:
        rows = pull_sets(to, names or [], progress.report)
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            rows_there = f", {row['n_rows']:,} rows" if row["n_rows"] else ""
            print(f"{row['benchmark']}: {row['state']}{rows_there}")
    failed = [row["error"] for row in rows if row["error"]]
    for error in failed:
        say(error, "red")
    if failed:
        raise typer.Exit(1)


@benchmarks.command()
def add(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL or Parquet, an item a row.")],
    to: ToOption,
    name: Annotated[str | None, typer.Option(help="What to call it; without it, the file's name.")] = None,
    question: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of the question.")] = None,
    answer: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of the answer.")] = None,
    solution: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of the solution.")] = None,
    item_id: Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="The column of the item's id.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Add a file of one's own to a folder of benchmarks.

    Columns of the names question, answer, solution and id are taken where no
    other is named; only the question's has to be there. Lists become lines.

    Examples:

      corpus benchmarks add quiz.jsonl --to benchmarks
      corpus benchmarks add exam.parquet --to benchmarks --name exam24 \\
          --question prompt --answer label
    """
    from corpus.pull import add as add_file

    named = {"question": question, "answer": answer, "solution": solution, "id": item_id}
    entry = add_file(path, to, name, {role: column for role, column in named.items() if column is not None})
    if as_json:
        print_json(entry)
    else:
        print(f"{entry['benchmark']}: {entry['n_rows']:,} rows in {to / entry['benchmark']}.jsonl")
