"""Verbs of precision at depth: draw pages, have them labelled, estimate; and the budget curve."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer

from corpus import render
from corpus.cli.base import HERE, JsonOption, WorkspaceOption, app, print_json, say
from corpus.progress import Progress
from corpus.workspace import Workspace

audit = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(audit, name="audit")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE.csv", help="What `corpus audit sample` wrote.")]
RoundOption = Annotated[int | None, typer.Option("--round", min=1, help="Of this round; without it, of the last one.")]


@audit.callback()
def root() -> None:
    """Measure precision and recall at any depth by labelling some pages.

    Pages are drawn by a stratified design from all scored pages, collected
    or not; a person or a model labels them; the estimates have confidence
    intervals that follow from the design.

    Examples:

      corpus audit sample -n 400 -w WS --output audit.csv
      corpus audit label audit.csv --endpoint http://localhost:8000/v1 \\
          --model NAME
      corpus audit estimate audit.csv -w WS --precision 0.9
    """


@audit.command()
def sample(
    workspace: WorkspaceOption = HERE,
    n_pages: Annotated[int, typer.Option("-n", min=30, help="Pages to draw.")] = 400,
    number: RoundOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.csv", help="Without it, audit.csv of the round.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed draws other pages.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Draw pages of a round into a CSV that a person fills in.

    Write math, not_math or unsure into the column label. The CSV may be
    sorted or half filled; FILE.json beside it holds the design and has to
    stay there. A file that is there is never overwritten.

    Examples:

      corpus audit sample -n 400 -w WS
      corpus audit sample -n 200 -w WS --round 2 --output round2.csv
    """
    from corpus.audit import sample as draw

    drawn = draw(Workspace(workspace), n_pages, number, output, seed)
    print_json(drawn) if as_json else render.pairs(drawn)


@audit.command()
def label(
    path: FileArgument,
    endpoint: Annotated[str, typer.Option(metavar="URL", help="An OpenAI-compatible API, up to /v1.")],
    model: Annotated[str, typer.Option(metavar="NAME", help="The model's name there.")],
    key_env: Annotated[
        str | None, typer.Option(metavar="VARIABLE", help="Environment variable that holds the key.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Have a model behind a chat endpoint label the rows that are blank.

    Each label is saved as it comes, with the model's name in the column by;
    ended early, the same command goes on. URL, title and excerpt of the
    pages are sent to the endpoint. Answers that are no label are counted,
    their rows stay blank, and the exit code is 1.

    Example:

      corpus audit label audit.csv --endpoint http://localhost:8000/v1 \\
          --model NAME --key-env API_KEY
    """
    from corpus.labeller import label_audit

    with Progress() as progress:
        result = label_audit(path, endpoint, model, key_env, progress.report)
    print_json(result) if as_json else render.pairs(
        {name: result[name] for name in ("n_blank", "n_labelled", "n_wrong")} | result["labels"]
    )
    if result["n_wrong"]:
        say(f"{result['n_wrong']} answers were none of the labels: these rows are blank. Label them by hand.", "red")
        raise typer.Exit(1)


@audit.command()
def estimate(
    path: FileArgument,
    workspace: WorkspaceOption = HERE,
    tokens: Annotated[list[int] | None, typer.Option(min=1, help="A further budget in tokens. Repeatable.")] = None,
    pages: Annotated[list[int] | None, typer.Option(min=1, help="A further budget in pages. Repeatable.")] = None,
    precision: Annotated[
        float | None, typer.Option(min=0, max=1, help="Also look for the largest budget with this precision.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Estimate precision and recall from a labelled audit.

    Of what the round collected and along a grid of other budgets, by pages
    and by tokens, with 95 % intervals. A blank row counts as not drawn, and
    so does unsure; what the round's own line would be if every unsure page
    were math, or none, is shown too.

    Examples:

      corpus audit estimate audit.csv -w WS
      corpus audit estimate audit.csv -w WS --precision 0.9 --tokens 5000000
    """
    from corpus.audit_report import estimate as estimate_audit

    result = estimate_audit(Workspace(workspace), path, tokens or [], pages or [], precision)
    if as_json:
        print_json(result)
        return
    by = ", ".join(f"{name} {n:,}" for name, n in result["by"].items())
    print(
        f"round {result['round']}: {result['n_labelled']:,} labels of {result['n_drawn']:,} pages drawn "
        f"({result['n_unsure']:,} unsure and {result['n_unlabelled']:,} blank count as not drawn); by {by}"
    )
    own = next(row for row in result["depths"] if row["collected"])
    for label, told in result["unsure_as"].items():
        result["depths"].append(own | told | {"note": f"unsure as {label}"})
    _print([_depth(row) | _audited(row, "pages") | _audited(row, "tokens") | _note(row) for row in result["depths"]])
    for row in result["budgets"]:
        print(
            f"precision {row['precision']:g} by {row['by']}, {row['limit']}: {row['n_pages']:,} pages, "
            f"{row['n_tokens']:,} tokens"
        )


@app.command()
def budget(
    workspace: WorkspaceOption = HERE,
    number: RoundOption = None,
    audited: Annotated[
        Path | None, typer.Option("--audit", metavar="FILE.csv", help="Add what this labelled audit says.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the result as CSV.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show tokens kept against estimated precision and recall.

    What a round would hold at other budgets, without training again; its own
    is marked. margin is the probability of the last page kept: what a
    slightly larger budget would add. Without scoring.evidence a score is no
    probability, and only the share of the held-out seed is shown that
    scores as high; an audit says more.

    Examples:

      corpus budget -w WS
      corpus budget -w WS --round 2 --audit audit.csv --csv
    """
    from corpus.budget import budget as budget_of

    result = budget_of(Workspace(workspace), number, audited)
    if as_json:
        print_json(result)
        return
    if as_csv:
        rows = [_flat(row) for row in result["depths"]]
        render.answer(pa.Table.from_pylist(rows), "csv", None)
        return
    headings = ("precision", "by tokens", "recall", "margin") if result["evidence"] else ("seed found",)
    names = ("precision", "precision_tokens", "recall", "margin") if result["evidence"] else ("seed_found",)
    _print(
        [
            _depth(row)
            | {f"{heading}~": f"{row[name]:.3f}" for heading, name in zip(headings, names, strict=True)}
            | (_audited(row, "pages") if audited else {})
            | _note(row)
            for row in result["depths"]
        ]
    )
    if result["evidence"]:
        print("~ estimated without labels, from the probabilities of the pages.")
    else:
        print(
            "~ of the held-out seed. This round has no evidence (scoring.evidence), so its scores say nothing of "
            "precision.\n  Label some pages: corpus audit sample, then corpus budget --audit FILE.csv"
        )


def _depth(row: Mapping[str, Any]) -> dict[str, str]:
    return {"pages": f"{row['n_pages']:,}", "tokens": f"{row['n_tokens']:,}", "score": f"{row['value']:.4f}"}


def _note(row: Mapping[str, Any]) -> dict[str, str]:
    return {"": row.get("note") or ("<- collected" if row["collected"] else "")}


def _audited(row: Mapping[str, Any], by: str) -> dict[str, str]:
    return {f"{name} by {by}": _interval(row[by][name]) for name in ("precision", "recall")}


def _interval(value: Mapping[str, float]) -> str:
    return f"{value['estimate']:.3f} ({value['low']:.3f} to {value['high']:.3f})"


def _flat(row: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Nested names joined: pages_precision_low."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        flat |= _flat(value, f"{start}{name}_") if isinstance(value, Mapping) else {f"{start}{name}": value}
    return flat


def _print(rows: list[dict[str, str]]) -> None:
    render.answer(pa.Table.from_pylist(rows), "table", None)
