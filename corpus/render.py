"""Results as tables for people; the command line prints nothing but through here or as JSON."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from corpus.errors import InputError
from corpus.tables import replacing

# Heading, and the column of schema.ROUND under it.
ROUND_COLUMNS = (
    ("round", "round"),
    ("pool", "n_pool"),
    ("seed", "n_seed"),
    ("collected", "n_collected"),
    ("tokens", "n_tokens"),
    ("new", "n_new"),
    ("already", "already_pages"),
    ("by tokens", "already_tokens"),
    ("precision~", "estimated_precision"),
    ("recall~", "estimated_recall"),
    ("math domains", "n_math_domains"),
    ("expanded", "n_expanded"),
)
RANKING = ("average_precision", "precision_at_recall")
SHARES = ("already", "by tokens", "precision~", "recall~")
HELD_OUT = ("held_out_ap", "held_out_precision", "held_out_recall")
HELD_OUT_NOTE = (
    "  with 95 % intervals. AP weighs seed and random pages alike, which hold what is sought too and so lower it;\n"
    "  precision and recall are at the round's cut."
)
NO_PREVALENCE_NOTE = (
    "  Without scoring.evidence nothing says how rare it is: precision is as if half of the pool were sought."
)
ESTIMATED_NOTE = (
    "~ estimated without labels: the mean probability of what was collected; its sum, of what formulas and words,\n"
    "  by how far they find the same pages, say there is. Pages that neither shows are in no count."
)


def rounds(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a round; rows of schema.ROUND."""
    estimated = any(row["estimated_precision"] is not None for row in rows)
    columns = [column for column in ROUND_COLUMNS if estimated or not column[1].startswith("estimated_")]
    table = _table([heading for heading, _ in columns])
    for row in rows:
        table.add_row(*(_cell(row[column], share=heading in SHARES) for heading, column in columns))
    _print(table)
    if estimated:
        print(ESTIMATED_NOTE)
    _held_out(rows)
    for row in rows:
        if row["drift"]:
            print(f"round {row['round']} drifts: {row['drift']}")


def _held_out(rows: Sequence[Mapping[str, Any]]) -> None:
    print("\nOn domains that were held out of training,")
    print(HELD_OUT_NOTE)
    if any(row["prevalence"] is None for row in rows):
        print(NO_PREVALENCE_NOTE)
    table = _table(["round", "AP", "precision", "recall"])
    for row in rows:
        table.add_row(str(row["round"]), *(_with_interval(row, name) for name in HELD_OUT))
    _print(table)


def _with_interval(row: Mapping[str, Any], name: str) -> str:
    value, low, high = (_cell(row[f"{name}{end}"], share=True) for end in ("", "_low", "_high"))
    return value if low == "-" else f"{value} ({low} to {high})"


def extracted(page: Mapping[str, Any]) -> None:
    """A page of `files.extract_files`: what was found in it, then its text."""
    print(f"==> {page['path']}")
    if "error" in page:
        print(f"error      {page['error']}\n")
        return
    kinds = f" ({_counts(page['kinds'])})" if page["kinds"] else ""
    print(f"formulas   {page['n_kept']:,} of {page['n_formulas']:,} kept{kinds}")
    print(f"extractor  {page['extractor']}: {page['why']}\n")
    print(f"{page['text']}\n")


def curve(settings: Mapping[str, Any], points: Sequence[Mapping[str, float]]) -> None:
    """The S-curve of the settings of a MinHash, with a bar a line."""
    print("{bands} bands of {rows} rows, {ngram} words a shingle: chance that a pair is proposed".format(**settings))
    table = _table(["Jaccard", "proposed"])
    table.add_column()
    for point in points:
        mark = "  <- threshold" if point["jaccard"] <= settings["threshold"] < point["jaccard"] + 0.05 else ""
        table.add_row(
            f"{point['jaccard']:.2f}", f"{point['probability']:.2%}", "#" * round(40 * point["probability"]) + mark
        )
    _print(table)
    print(
        "A proposed pair is removed only if its similarity, compared, reaches the threshold: the curve is what may\n"
        "be missed, not what may be wrong."
    )


def pair(found: Mapping[str, Any]) -> None:
    """A removed document beside the one that was kept, as `pairs.shown_pair` has it."""
    print(f"removed  {found['id']}")
    print(f"kept     {found['kept_id']}")
    similarity = "" if found["jaccard"] is None else f", Jaccard {found['jaccard']:.3f} on shingles of {found['ngram']}"
    print(f"kind     {found['kind']}{similarity}\n")
    for sign, line in found["lines"]:
        print(f"{sign} {line}")


def status(state: Mapping[str, Any]) -> None:
    """What `status.status` tells."""
    print(f"workspace  {state['workspace']}")
    if pool := state["pool"]:
        print(
            f"pool       {pool['n_pages']:,} unique pages of {pool['n_captures']:,} captured in {pool['n_files']} files"
        )
        print(f"           duplicates removed: {_counts(pool['removed'])}")
        print(f"           records that are no page: {_counts(pool['dropped'])}")
        if pool["truncated"]:
            print(f"           pages that are cut off: {_counts(pool['truncated'])}")
    else:
        print("pool       not built. Type: corpus ingest")
    if state["rounds"]:
        print()
        rounds(state["rounds"])
    if corpus := state["corpus"]:
        extracted, contaminated = corpus["extracted"], corpus["contaminated"]
        print()
        print(f"extracted  {extracted['n_pages']:,} pages; failed: {_counts(extracted['failed'])}")
        print(f"dedup      removed: {_counts(corpus['duplicates'])}")
        of_lines = f" and lines of {contaminated['n_segments']:,}" if contaminated["n_segments"] else ""
        print(f"decontam   removed: {contaminated['n_contaminated']:,} pages{of_lines}, by benchmark: ", end="")
        print(f"{_counts(contaminated['by_benchmark'])}")
        print(f"           benchmark items looked for: {contaminated['n_benchmark_items']:,}")
        print(f"corpus     of round {corpus['round']}: {corpus['n_pages']:,} pages, ", end="")
        print(f"{corpus['n_tokens']:,} tokens (estimated)")
        print(f"           {corpus['n_shards']:,} shards in {corpus['directory']}")
    for export in state["exports"]:
        print(f"export     {export['name']}: {export['n_documents']:,} documents, {export['n_tokens']:,} tokens")
    for stage in state["stale"]:
        print(f"stale      {stage}: built from what is no longer there; the command that built it builds it again")


def query_names(queries: Mapping[str, Any]) -> None:
    """Named queries and the questions that they answer."""
    table = _table(["query", "answers"], right=False)
    for name, named in queries.items():
        table.add_row(name, named.title)
    _print(table)
    print('corpus query NAME, or SQL over the views: corpus query "SELECT domain, share FROM domains"')


def answer(table: pa.Table, output_format: str, output: Path | None) -> None:
    """A query's answer as table, csv, json or parquet, to standard output or a file.

    Raises InputError where there is no folder for the file, and for Parquet without one.
    """
    if output is not None and not output.parent.is_dir():
        raise InputError(f"{output}: there is no folder {output.parent}. Make it, or name another file.")
    if output_format == "parquet":
        if output is None:
            raise InputError("--format parquet needs --output FILE")
        with replacing(output) as temporary:
            pq.write_table(table, temporary, compression="zstd")
        return
    rows = table.to_pylist()
    if output_format == "table":
        shown = _table(table.column_names)
        for row in rows:
            shown.add_row(*(_cell(value) for value in row.values()))
        if output is None:
            _print(shown)
            return
        text = _plain(shown)
    elif output_format == "json":
        text = json.dumps(rows, indent=1, default=str) + "\n"
    else:
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows([table.column_names, *(row.values() for row in rows)])
        text = lines.getvalue()
    if output is None:
        print(text, end="")
    else:
        with replacing(output) as temporary:
            temporary.write_text(text, encoding="utf-8")


def evaluation(result: Mapping[str, Any]) -> None:
    """What `evaluate.evaluate` found."""
    for title, subset in (("all labels", result["all"]), ("gold labels", result["gold"])):
        if subset is None:
            continue
        labels = subset["labels"]
        print(f"{title}: {_counts(labels)}")
        table = _table(["round", "AP", "P at R .85", "precision", "recall", "true", "false", "missed"])
        for row in [*subset["rounds"], subset["corpus"]]:
            if row is not None:
                table.add_row(
                    str(row.get("round", "corpus")),
                    *(_cell(row.get(name), share=True) for name in (*RANKING, "precision", "recall")),
                    *(_cell(row.get(name)) for name in ("n_true", "n_false", "n_missed")),
                )
        _print(table)
    _reliability(result["all"]["rounds"][-1])


def _reliability(last: Mapping[str, Any]) -> None:
    print(f"reliability of round {last['round']}: what pages are ranked by, against the share of labels that say math")
    table = _table(["from", "to", "pages", "mean", "share"])
    for row in last["reliability"]:
        table.add_row(
            *(_cell(row[name]) for name in ("low", "high", "n")),
            *(_cell(row[name], share=True) for name in ("mean_score", "share")),
        )
    _print(table)


def pairs(result: Mapping[str, Any]) -> None:
    """A flat result, a line a name."""
    width = max(map(len, result), default=0)
    for name, value in result.items():
        print(f"{name:<{width}}  {_cell(value)}")


def _table(headings: Iterable[str], right: bool = True) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    return table


def _print(table: Table) -> None:
    if Console().is_terminal:
        Console().print(table)
    else:
        print(_plain(table), end="")


def _plain(table: Table) -> str:
    """A table outside a terminal: it has no width, so no cell is folded."""
    text = io.StringIO()
    Console(file=text, width=10_000, color_system=None).print(table)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _cell(value: object, share: bool = False) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return str(value).lower()
        case float() if share:
            return f"{value:.3f}"
        case float():
            return f"{value:,.4g}"
        case int():
            return f"{value:,}"
        case _:
            return str(value)


def _counts(counts: Mapping[str, int] | None) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items()) if counts else "none"
