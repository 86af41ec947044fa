"""Verbs for files of one's own, outside of a workspace too."""

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from corpus import render
from corpus.cli.base import JsonOption, app, print_json, say
from corpus.errors import InputError
from corpus.progress import Progress


@app.command()
def extract(
    paths: Annotated[
        list[str], typer.Argument(metavar="FILE|URL|-...", help="Pages: files, folders, patterns, addresses, or -.")
    ],
    cheap: Annotated[bool, typer.Option("--cheap", help="All visible text, as the pool holds it.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Main content as Markdown instead of plain text.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each page.")] = False,
) -> None:
    """Show what the extractor makes of pages: text, formulas, and why.

    Main content with every formula as $TeX$ or $$TeX$$. Above the text of a
    page stand the formulas that were found and kept, their kinds of markup,
    and the path that was taken. A page that cannot be read is said so, the
    others go on, and the exit code is 1.

    Examples:

      corpus extract page.html

      corpus extract https://example.org/lemma --markdown

      curl -s https://example.org/ | corpus extract - --json

      corpus extract site/ --cheap --json > site.jsonl
    """
    from corpus.files import STDIN, extract_files

    if cheap and markdown:
        raise typer.BadParameter("cheap text has one form: leave out --cheap or --markdown")
    stdin = sys.stdin.buffer.read() if STDIN in paths else b""
    n_failed = 0
    for page in extract_files(paths, stdin, format="markdown" if markdown else "plain", cheap=cheap):
        n_failed += "error" in page
        if as_json:
            print(json.dumps(page, ensure_ascii=False), flush=True)
        else:
            render.extracted(page)
    if n_failed:
        say(f"{n_failed} of the pages could not be extracted; each says why.", "red")
        raise typer.Exit(1)


@app.command()
def dedup(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="INPUT...", help="Parquet files, folders or globs, with a column text."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A new directory for the result.")] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(help="A corpus that stays as it is: drop what it has already. May be repeated."),
    ] = None,
    threshold: Annotated[float, typer.Option(help="Jaccard similarity of near duplicates.")] = 0.8,
    near: Annotated[bool, typer.Option(help="Remove near duplicates, or those of URL and text alone.")] = True,
    verify: Annotated[
        str, typer.Option(help="What decides a proposed pair: exact (shingles) or signature (an estimate).")
    ] = "exact",
    ngram: Annotated[int, typer.Option(help="Words a shingle.")] = 5,
    permutations: Annotated[int, typer.Option(help="MinHash values a document.")] = 120,
    bands: Annotated[int, typer.Option(help="LSH bands.")] = 20,
    rows: Annotated[int, typer.Option(help="MinHash values a band.")] = 6,
    boilerplate: Annotated[
        Literal["off", "count", "remove"],
        typer.Option(help="Lines that the pages of a host repeat: leave, list, or also take out before comparing."),
    ] = "off",
    partitions: Annotated[int, typer.Option(min=1, help="Tasks over the bands; more need less memory each.")] = 16,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show which duplicates these settings find, and do nothing.")
    ] = False,
    show: Annotated[
        str | None, typer.Option(metavar="ID", help="Show a removed document beside the one kept for it.")
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="With --show: a page of this workspace.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Remove duplicates from any Parquet files: by URL, text and MinHash.

    Columns beside text are used where they are there: page_id, id or url
    (what a document is known by; of one URL the latest stays), fetch_time or
    date, score, n_formulas and n_formulas_kept. Of duplicates stays: the
    largest share of formulas kept, the highest score, the longest, the
    earliest, the first id. Every near duplicate is verified against a
    document that stays.

    OUTPUT gets part-NNNNN.parquet, the rows that stay of each input;
    removed.parquet (id, kept_id, jaccard, kind, cluster); manifest.json. It
    can be named in a later --against without being signed again. With
    --boilerplate also boilerplate.parquet: menus and notices that a host
    (by url_host_name or url) has on ten pages and a fifth of all, at least.

    Examples:

      corpus dedup crawl/ --output unique
      corpus dedup new.parquet -o more --against unique --against owm/
      corpus dedup crawl/ -o clean --boilerplate remove
      corpus dedup --explain --threshold 0.7 --bands 25 --rows 5
      corpus dedup crawl/ -o unique --show PAGE_ID
      corpus dedup -w WS --show PAGE_ID
    """
    from corpus.signatures import MinHash

    minhash = MinHash(ngram, permutations, bands, rows, threshold, verify)
    if explain:
        curve = minhash.curve()
        print_json(curve) if as_json else render.curve(asdict(minhash), curve)
        return
    if show is not None:
        from corpus.pairs import shown_pair

        pair = shown_pair(show, workspace=workspace, inputs=inputs or [], output=output, ngram=ngram)
        print_json(pair) if as_json else render.pair(pair)
        return
    if not inputs or output is None:
        raise InputError("name Parquet files and a new directory: corpus dedup INPUT... --output DIR")
    from corpus.config import Boilerplate, Run
    from pipelines.dedup import deduplicate
    from pipelines.fanout import fan_out_by

    with Progress() as progress:
        counts = deduplicate(
            inputs,
            output,
            minhash,
            against=against or [],
            near=near,
            boilerplate=Boilerplate(action=boilerplate, partitions=partitions),
            n_partitions=partitions,
            fan_out_for=lambda stages: fan_out_by(Run(workers=workers), stages),
            report=progress.report,
        )
    result = {"output": str(output), **counts}
    print_json(result) if as_json else render.pairs(result)


class Rule(StrEnum):  # typer takes no list of literals
    deepseekmath = "deepseekmath"
    qwen = "qwen"
    strict = "strict"


@app.command()
def decontaminate(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Parquet files, folders or globs.")],
    benchmarks: Annotated[
        list[str], typer.Option(metavar="DIR|FILE", help="JSONL or Parquet files, folders or globs. May be repeated.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="A new directory for the result.")],
    rule: Annotated[
        list[Rule] | None,
        typer.Option(help="What finds a question; strict without it. May be repeated."),
    ] = None,
    action: Annotated[
        Literal["page", "segment", "flag"],
        typer.Option(help="Drop the document, only the lines that match, or nothing: the evidence is written."),
    ] = "page",
    column: Annotated[
        list[str] | None,
        typer.Option(help="A column that is to be protected, instead of question. May be repeated."),
    ] = None,
    protect: Annotated[
        Literal["question", "question_and_solution"],
        typer.Option(help="What has to be there: the question, or also its answer or solution."),
    ] = "question",
    allow: Annotated[
        list[str] | None, typer.Option(metavar="CSV", help="Documents that stay in spite of a match.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Remove documents that hold benchmark questions from Parquet files.

    Rules: deepseekmath drops for any shared run of ten words; qwen for one of
    thirteen, where more than 0.6 of the question is there in order; strict
    also finds questions that were reformatted, edited, given other numbers or
    reworded lightly, and passes by what many questions share.

    OUTPUT gets part-NNNNN.parquet, the rows that stay of each input, with
    its columns; contaminated.parquet, the evidence: document, benchmark,
    item, rule, both texts, position, overlap and alignment; report.md, what
    was found of each benchmark, to publish; benchmarks.parquet, what is
    looked for and what is too short; manifest.json. A document is known by
    page_id, id or url, else by file and row.

    An allow list is a CSV with id or url, benchmark, item_id, who, when and
    why; without item_id it holds for the benchmark, without that for all.

    Examples:

      corpus decontaminate crawl/ --benchmarks sets/ --output clean
      corpus decontaminate crawl/ --benchmarks sets/gsm8k.jsonl \\
          --rule deepseekmath --rule strict --action segment -o clean
      corpus decontaminate crawl/ --benchmarks sets/ --allow read.csv -o out
    """
    from corpus.config import Decontam, Run
    from pipelines.decontam import decontaminate as decontaminate_files
    from pipelines.fanout import fan_out_by

    settings = Decontam(
        benchmarks=tuple(benchmarks),
        rules=tuple(dict.fromkeys(each.value for each in rule or [Rule.strict])),
        columns=tuple(column or ["question"]),
        action=action,
        protect=protect,
        allow=tuple(allow or []),
    )
    with Progress() as progress:
        counts = decontaminate_files(
            inputs,
            output,
            settings,
            fan_out_for=lambda stages: fan_out_by(Run(workers=workers), stages),
            report=progress.report,
        )
    result = {"output": str(output), **counts}
    print_json(result) if as_json else render.pairs(result)
