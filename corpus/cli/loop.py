"""Verbs of a workspace, from `init` to `evaluate`."""

import shlex
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from corpus import render
from corpus.cli.base import HERE, ConfigOption, JsonOption, WorkspaceOption, app, in_workspace, print_json, say
from corpus.config import PRESETS, parse_settings, write_settings
from corpus.errors import InputError, SettingsError
from corpus.progress import Progress
from corpus.workspace import Workspace


class TableFormat(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


class TokenFormat(StrEnum):
    ds = "ds"
    megatron = "megatron"


@app.command()
def init(
    workspace: WorkspaceOption = HERE,
    preset: Annotated[
        str,
        typer.Option(
            help=f"Defaults to start from: {' or '.join(PRESETS)} (the paper's values, or a small machine's)."
        ),
    ] = "deepseekmath",
    warcs: Annotated[
        list[str] | None, typer.Option(help="WARC files, folders, globs or URLs. May be repeated.")
    ] = None,
    seed: Annotated[
        list[str] | None, typer.Option(help="Seed documents: JSONL, Parquet or WARC. May be repeated.")
    ] = None,
    benchmarks: Annotated[
        list[str] | None, typer.Option(help="Benchmark files to keep out of the corpus. May be repeated.")
    ] = None,
) -> None:
    """Make a workspace: a directory with a corpus.toml.

    The file holds every setting with its meaning, default and source.

    Examples:

      corpus init -w WS --warcs 'crawl/*.warc.gz' --seed seed.parquet
      corpus init -w WS --preset sample --warcs crawl --seed good.jsonl
      corpus init -w WS --warcs 's3://bucket/*.warc.gz' \\
          --seed 'hf://datasets/open-web-math/open-web-math/data/*.parquet'
    """
    path = workspace / "corpus.toml"
    if path.exists():
        raise SettingsError(f"{path} is there already. Edit it, or name another workspace.")
    settings = parse_settings(
        {
            "preset": preset,
            "pool": {"warcs": warcs or []},
            "seed": {"paths": seed or []},
            "decontam": {"benchmarks": benchmarks or []},
        },
        source="corpus init",
        base=Path.cwd(),
    )
    workspace.mkdir(parents=True, exist_ok=True)
    write_settings(path, settings)
    print(f"{path} written. Next: look it through, then type: corpus iterate 1 -w {shlex.quote(str(workspace))}")


@app.command()
def sample(
    directory: Annotated[Path, typer.Argument(help="Where to build it; a finished one is left as it is.")],
) -> None:
    """Build the embedded sample crawl: documentation of installed packages.

    Some 6,000 pages on 50 hosts in WARC files, a seed, a small benchmark,
    and the planted truth: which pages are mathematics, duplicates,
    contaminated. Nothing is fetched.

    Example:

      corpus sample work/sample-crawl
    """
    from sample.build import build

    if (directory / "manifest.json").exists():
        print(f"{directory} holds a finished sample crawl")
        return
    with Progress() as progress:
        build(directory, report=progress.report)
    print(f"{directory} built. Next: corpus iterate 3 -w WS -c sample/corpus.toml")


@app.command()
def ingest(workspace: WorkspaceOption = HERE, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Read WARC files into the pool of unique pages.

    A record that is no page becomes a counted row with the reason.
    iterate does this by itself.

    Example:

      corpus ingest -w WS
    """
    from pipelines.fanout import fan_out_by
    from pipelines.ingest import ingest as ingest_pool

    with in_workspace(workspace, config) as (opened, settings):
        ingest_pool(opened, settings, fan_out_by(settings.run, opened))
    status(workspace, as_json)


@app.command()
def iterate(
    rounds: Annotated[int, typer.Argument(min=1, help="Bring this many rounds up to date, counted from the first.")],
    workspace: WorkspaceOption = HERE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no table of rounds.")] = False,
) -> None:
    """Run rounds: seed, train, score, recall, domains, annotate, expand.

    Ingests first where the pool is not up to date; skips rounds that are
    done. Ends early when a round collected almost only what the round
    before had (settings: stop.already_collected). With domains.annotate
    set to "manual" each round stops for a person: exit code 3, and what to
    do next.

    Examples:

      corpus iterate 3 -w WS
      corpus iterate 3 -w WS -c settings.toml
    """
    from corpus.iterate import iterate as run_rounds
    from corpus.iterate import why_last
    from pipelines.fanout import fan_out_by
    from pipelines.ingest import ingest as ingest_pool
    from pipelines.score import score

    with in_workspace(workspace, config) as (opened, settings):
        fan_out = fan_out_by(settings.run, opened)
        ingest_pool(opened, settings, fan_out)
        rows = run_rounds(opened, settings, rounds, partial(score, fan_out=fan_out))
    if as_json:
        print_json(rows)
        return
    if not quiet:
        render.rounds(rows)
    if why := why_last(rows[-1], settings.stop):
        print(f"Stopped after round {len(rows)}: {why}.")


@app.command()
def status(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """Show where a workspace stands: pool, rounds, corpus, exports.

    Example:

      corpus status -w WS
    """
    from corpus.status import status as status_of

    state = status_of(Workspace(workspace))
    if as_json:
        print_json(state)
    else:
        render.status(state)


@app.command()
def finish(
    workspace: WorkspaceOption = HERE,
    rounds: Annotated[
        int | None, typer.Option("--round", min=1, help="Of this round at most; without it, of the last one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make the corpus of the last round, ready to train on.

    Extracts the collected pages again with their formulas, removes
    duplicates and pages that hold benchmark texts, writes shards,
    statistics and a dataset card. The last round is the one that the
    stop rule ends with, if it holds.

    Examples:

      corpus finish -w WS
      corpus finish -w WS --round 2
    """
    from pipelines.collect import finish as finish_corpus
    from pipelines.fanout import fan_out_by

    with in_workspace(workspace) as (opened, settings):
        finish_corpus(opened, settings, fan_out_by(settings.run, opened), rounds)
    status(workspace, as_json)


@app.command()
def query(
    name: Annotated[
        str | None, typer.Argument(help="A named query, or SQL in quotes; without it the names are listed.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    output_format: Annotated[
        TableFormat | None,
        typer.Option("--format", "-f", help="How to print the answer; without it, by the end of FILE, else a table."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file; required for parquet.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--set", help="A query's parameter, as round=2. May be repeated.")
    ] = None,
    database: Annotated[
        Path | None, typer.Option(help="Write the views as a .duckdb file that the duckdb shell opens.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a workspace with DuckDB: a named query, or SQL over its views.

    Nothing is written to the workspace.

    Examples:

      corpus query
      corpus query rounds -w WS
      corpus query top_domains -w WS --set round=2 -f csv -o domains.csv
      corpus query "SELECT url, n_tokens FROM pages LIMIT 5" -w WS
    """
    from corpus.query import named_queries, run_query, write_database

    if database is not None:
        write_database(Workspace(workspace), database)
        print(f"{database} written. Next: duckdb {database}")
    elif name is None:
        render.query_names(named_queries())
    else:
        pairs = [text.partition("=") for text in parameter or []]
        if wrong := [text for text, (_, equals, _) in zip(parameter or [], pairs, strict=True) if not equals]:
            raise InputError(f"--set {wrong[0]}: a name and a value are wanted, as in --set round=2")
        table = run_query(Workspace(workspace), name, {key: value for key, _, value in pairs})
        if output_format is None:
            ends = output.suffix.removeprefix(".") if output else ""
            output_format = TableFormat(ends) if ends in set(TableFormat) else TableFormat.table
        render.answer(table, "json" if as_json else output_format.value, output)


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="Name of the export: its directory below exports/.")],
    workspace: WorkspaceOption = HERE,
    tokenizer: Annotated[str | None, typer.Option(help="A tokenizer.json, or a name on the Hugging Face hub.")] = None,
    train_tokenizer: Annotated[
        int | None,
        typer.Option(metavar="VOCAB", min=257, help="Train a byte-level BPE of this size on the corpus instead."),
    ] = None,
    output_format: Annotated[
        TokenFormat, typer.Option("--format", help="ds: datatrove's .ds; megatron: .bin and .idx.")
    ] = TokenFormat.ds,
    shard_tokens: Annotated[
        int, typer.Option(min=1, help="Tokens at which a shard is full; its last document may pass it.")
    ] = 100_000_000,
    seed: Annotated[int, typer.Option(help="Shuffles the documents.")] = 1,
    shuffle: Annotated[bool, typer.Option(help="Shuffle, or keep the order of the shards.")] = True,
    eos: Annotated[str | None, typer.Option(help="End-of-document token, where the tokenizer has several.")] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every document back and compare it with the corpus.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the corpus as tokenized shards for continued pretraining.

    With --verify and no tokenizer, an export that is there is read back.

    Examples:

      corpus export ds -w WS --train-tokenizer 8000
      corpus export meg -w WS --tokenizer tokenizer.json --format megatron
      corpus export ds -w WS --verify
    """
    from pipelines.export import export_corpus, verify_export
    from pipelines.fanout import fan_out_by

    with in_workspace(workspace) as (opened, settings):
        if tokenizer or train_tokenizer or not verify:
            made = export_corpus(
                opened,
                name,
                tokenizer=tokenizer,
                train_vocab=train_tokenizer,
                format=output_format.value,
                shard_tokens=shard_tokens,
                seed=seed,
                shuffle=shuffle,
                eos=eos,
                fan_out=fan_out_by(settings.run, opened),
            )
        result: dict[str, Any] = asdict(verify_export(opened, name)) if verify else made
    if as_json:
        print_json(result)
    else:
        render.pairs(result)
    if verify and result["n_mismatches"]:
        say(f"{name} does not hold the corpus: delete {opened.path(f'exports/{name}')} and export it again.", "red")
        raise typer.Exit(1)
    if train_tokenizer and not verify and result["vocabulary_size"] < train_tokenizer:
        say(f"The corpus yields {result['vocabulary_size']:,} tokens, of {train_tokenizer:,} asked for.", "bold")


@app.command()
def evaluate(
    labels: Annotated[list[Path], typer.Argument(help="JSONL files with url and label (math, not_math, borderline).")],
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Hold a workspace against labelled URLs: precision and recall.

    Average precision too, of each round and of the corpus, over all labels
    and over those marked gold. A page removed as a duplicate counts through
    the page that was kept in its place; labels other than math and not_math
    are left out.

    Example:

      corpus evaluate labels.jsonl -w WS
    """
    from corpus.evaluate import evaluate as evaluate_labels

    evaluation = evaluate_labels(Workspace(workspace), labels).as_dict()
    if as_json:
        print_json(evaluation)
    else:
        render.evaluation(evaluation)
