"""The dataset card: README.md of a corpus, in the layout that the Hugging Face hub reads, and its numbers."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

# Meanings for a reader of the corpus; schema.SHARD has the types.
COLUMNS = {
    "page_id": "xxh3_128 of the canonical URL without its scheme, 32 hex digits; unique, and the order of the rows",
    "url": "canonical URL",
    "url_host_name": "host",
    "url_host_registered_domain": "registered domain, by the public suffix list",
    "title": "title of the page",
    "text": "the page's content, formulas as TeX",
    "n_chars": "characters of text",
    "n_tokens": "tokens of text, an estimate that needs no tokenizer",
    "language": "ISO 639-1 code; null where there is too little text to tell",
    "crawl": "Common Crawl's name of the crawl",
    "fetch_time": "when the page was captured, UTC",
    "warc_filename": "WARC file of the capture",
    "warc_record_offset": "bytes from the start of that file to the record",
    "warc_record_length": "bytes of the record as stored",
    "round": "the round whose model and budget collected the page",
    "first_round": "the earliest round that collected it",
    "score": "of that round's classifier, in [0, 1]",
    "model_digest": "xxh3_128 of that classifier's file",
    "n_formulas": "formulas in the page",
    "n_formulas_kept": "of these, found again in text",
    "extractor": "how the text was extracted, with version",
}

# What was looked for and found, a row a benchmark and rule. Counts alone: a share is a float.
DECONTAMINATION = """
    SELECT b.benchmark, b.rule, n_rows, n_items, n_protected, n_unprotected,
           count(DISTINCT item_id) AS n_items_seen,
           count(DISTINCT page_id) FILTER (removed = 'page') AS n_pages_dropped,
           count(DISTINCT page_id) FILTER (removed = 'segment') AS n_pages_cut,
           count(DISTINCT page_id) FILTER (allowed) AS n_pages_allowed
    FROM benchmarks b LEFT JOIN contaminated c ON c.benchmark = b.benchmark AND c.rule = b.rule
    GROUP BY ALL ORDER BY b.benchmark, b.rule
"""
TOP_DOMAINS = 20
SIZES = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]


def size_category(n_pages: int) -> str:
    """The hub's name of a size: n<1K, 1K<n<10K, ..., n>1T.

    >>> size_category(25_000)
    '10K<n<100K'
    """
    reached = sum(n_pages >= 1000 * 10**power for power in range(len(SIZES)))
    if reached == 0:
        return "n<1K"
    return f"{SIZES[reached - 1]}<n<{SIZES[reached]}" if reached < len(SIZES) else "n>1T"


def found_of_benchmarks(db: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """DECONTAMINATION of the views benchmarks and contaminated."""
    found = db.sql(DECONTAMINATION)
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def statistics_of(db: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What statistics.json and the card say, of the views shards, recalled and not_in_corpus.

    Integers and exact quantiles only: a float sum would depend on the order of threads.
    """

    def table(query: str) -> list[dict[str, Any]]:
        relation = db.sql(query)
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]

    def pages_by(column: str, order: str) -> list[dict[str, Any]]:
        return table(
            f"SELECT {column}, count(*) AS n_pages, sum(n_tokens)::BIGINT AS n_tokens"
            f" FROM shards GROUP BY {column} ORDER BY {order}"
        )

    totals = table("""
        SELECT count(*) AS n_pages, coalesce(sum(n_tokens), 0)::BIGINT AS n_tokens,
               coalesce(sum(n_chars), 0)::BIGINT AS n_chars,
               count(DISTINCT url_host_registered_domain) AS n_domains,
               coalesce(sum(n_formulas), 0)::BIGINT AS n_formulas,
               coalesce(sum(n_formulas_kept), 0)::BIGINT AS n_formulas_kept
        FROM shards""")[0]
    deciles = db.sql(f"SELECT quantile_disc(score, {[tenth / 10 for tenth in range(11)]}) FROM shards").fetchall()[0][0]
    by_pages = "n_pages DESC, {} NULLS LAST"
    domain = "url_host_registered_domain"
    return totals | {
        "n_recalled": db.sql("SELECT count(*) FROM recalled").fetchall()[0][0],
        "removed": table(
            "SELECT reason, count(*) AS n_pages FROM not_in_corpus GROUP BY reason ORDER BY n_pages DESC, reason"
        ),
        "contaminated_by_benchmark": table(
            "SELECT benchmark, count(*) AS n_pages FROM not_in_corpus WHERE benchmark IS NOT NULL"
            " GROUP BY benchmark ORDER BY benchmark"
        ),
        "decontamination": found_of_benchmarks(db),
        "score_deciles": [round(score, 6) for score in deciles or []],
        "by_language": pages_by("language", by_pages.format("language")),
        "by_crawl": pages_by("crawl", by_pages.format("crawl")),
        "by_first_round": pages_by("first_round", "first_round"),
        "top_domains": pages_by(domain, f"{by_pages.format(domain)} LIMIT {TOP_DOMAINS}"),
    }


def card_text(statistics: Mapping[str, Any], settings: Mapping[str, Any], evaluation: Mapping[str, float]) -> str:
    """Markdown of the card.

    statistics: as shards.write_shards returns them (statistics_of, and round, model_digest, n_shards).
    settings: the run's settings by section, shown as TOML; evaluation: held-out measures by name.
    """
    parts = [
        _front_matter(statistics),
        _what(statistics),
        "## How it was made\n\n"
        f"Round {statistics['round']} of an iterative search through Common Crawl (the DeepSeekMath loop, "
        "arXiv 2402.03300, section 2.1): a fastText classifier scores every page, the best are collected, pages of "
        "domains that were collected often join the next seed. The collected pages were extracted again with their "
        "formulas, near-deduplicated and decontaminated. "
        f"Classifier: `{statistics['model_digest']}`. Settings:\n\n```toml\n{_toml(settings)}```\n",
        "## Columns\n\n" + _table(("column", "meaning"), COLUMNS.items()),
        "## Statistics\n\n" + _statistics(statistics),
        "## What was removed\n\n" + _removed(statistics),
        "## Decontamination\n\n" + decontamination(statistics["decontamination"], settings.get("decontam", {})),
        "## Limitations\n\n" + _limitations(evaluation, settings.get("decontam", {})),
        "## Licence\n\n"
        "The pages belong to their sites and their authors: no licence to them is given here. Each row names its URL, "
        "so that a site's terms can be looked up and a page can be left out. Common Crawl's terms of use apply.\n",
    ]
    return "\n".join(parts)


def _front_matter(statistics: Mapping[str, Any]) -> str:
    lines = ["---", "pretty_name: Domain corpus from Common Crawl", "license: other"]
    languages = sorted(row["language"] for row in statistics["by_language"] if row["language"])
    if languages:
        # In quotes, because YAML reads Norwegian (no) as false.
        lines += ["language:", *(f'- "{language}"' for language in languages)]
    lines += ["task_categories:", "- text-generation", "size_categories:", f"- {size_category(statistics['n_pages'])}"]
    if statistics["n_shards"]:
        lines += [
            "configs:",
            "- config_name: default",
            "  data_files:",
            "  - split: train",
            "    path: shard-*.parquet",
        ]
    return "\n".join([*lines, "---", ""])


def _what(statistics: Mapping[str, Any]) -> str:
    title = "# Domain corpus from Common Crawl\n\n"
    if not statistics["n_pages"]:
        return title + f"This corpus is empty: none of {statistics['n_recalled']} collected pages remained.\n"
    return title + (
        f"{statistics['n_pages']:,} web pages, {statistics['n_tokens']:,} tokens (estimated), of "
        f"{statistics['n_domains']:,} domains, in {statistics['n_shards']:,} Parquet files. "
        "Every row can be traced to its WARC record, its round, its model and its score.\n"
    )


def _statistics(statistics: Mapping[str, Any]) -> str:
    totals = ["n_pages", "n_tokens", "n_chars", "n_domains", "n_formulas", "n_formulas_kept"]
    parts = [_table(("total", "value"), [(name, f"{statistics[name]:,}") for name in totals])]
    for title, key in [
        ("language", "by_language"),
        ("crawl", "by_crawl"),
        ("first_round", "by_first_round"),
        ("domain, the largest", "top_domains"),
    ]:
        if statistics[key]:
            rows = [
                [f"{value:,}" if isinstance(value, int) else value for value in row.values()] for row in statistics[key]
            ]
            parts.append(_table((title, "n_pages", "n_tokens"), rows))
    if statistics["score_deciles"]:
        deciles = [(f"{tenth * 10} %", f"{score:.4f}") for tenth, score in enumerate(statistics["score_deciles"])]
        parts.append(_table(("share of pages", "score up to"), deciles))
    return "\n".join(parts)


def _removed(statistics: Mapping[str, Any]) -> str:
    text = (
        f"Of {statistics['n_recalled']:,} collected pages, {statistics['n_pages']:,} are in the shards. The "
        "others stand in `removed.parquet`, with the evidence: the page kept in a duplicate's place and their "
        "similarity, the benchmark item and the text that a contaminated page shares with it, or why "
        "extraction failed.\n"
    )
    if statistics["removed"]:
        text += "\n" + _table(("reason", "n_pages"), [row.values() for row in statistics["removed"]])
    return text


RULES = {
    "deepseekmath": "a run of {ngram} normalised words that a benchmark text holds too, or a text of {min_ngram} words "
    "and more whole (arXiv 2402.03300; in Chinese a run is half as many characters longer)",
    "qwen": "a shared run of 13 words, and more than 0.6 of the question's words in order in one window (arXiv "
    "2409.12122)",
    "strict": "rare words of a question near each other, or a run of six words of it, and an alignment of the whole "
    "question (evidence of {min_score} bits, or {min_share} of its weight): finds edited and lightly reworded "
    "questions",
}


def decontamination(rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> str:
    """What was looked for, by which rules, what was found of each benchmark, and what became of it.

    rows: of DECONTAMINATION. settings: of the section decontam.
    """
    if not rows:
        return "No benchmark was looked for: questions of any may be in the corpus.\n"
    what = {
        "segment": "The lines of a page were dropped",
        "flag": "Pages were kept and are listed",
    }.get(settings.get("action", "page"), "Pages were dropped")
    where = " and its answer or solution" if settings.get("protect") == "question_and_solution" else ""
    protected = " or ".join(settings.get("columns", ["question"]))
    text = f"{what} where one of these rules found a {protected}{where}; each match is verified word by word.\n\n"
    text += "".join(f"- `{rule}`: {RULES[rule].format(**settings)}.\n" for rule in settings.get("rules", ()))
    text += (
        "\nitems seen: items of the set whose question was found in a page, also where it stays; too short: questions "
        "that the rule cannot look for.\n\n"
    )
    columns = ("benchmark", "rule", "rows", "looked for", "too short", "items seen", "share", "pages dropped")
    shown = [
        (
            row["benchmark"],
            row["rule"],
            f"{row['n_rows']:,}",
            f"{row['n_protected']:,}",
            f"{row['n_unprotected']:,}",
            f"{row['n_items_seen']:,}",
            f"{100 * row['n_items_seen'] / max(1, row['n_items']):.2f} %",
            f"{row['n_pages_dropped']:,}",
        )
        for row in rows
    ]
    text += _table(columns, shown)
    allowed, cut = (sum(row[name] for row in rows) for name in ("n_pages_allowed", "n_pages_cut"))
    if cut:
        text += f"\nLines were taken out of pages {cut:,} times (a page counts once a benchmark and rule).\n"
    if allowed:
        text += f"\nPages were read and allowed to stay {allowed:,} times (a page counts once a benchmark and rule).\n"
    return text


def _limitations(evaluation: Mapping[str, float], decontam: Mapping[str, Any]) -> str:
    reworded = "Freely" if "strict" in decontam.get("rules", ()) else "Even lightly"
    text = (
        "- Pages were chosen by a classifier and read by nobody: some are of another subject, and pages of the "
        "subject are missing.\n"
        f"- {reworded} reworded benchmark questions, and translated ones, pass decontamination.\n"
        "- Extraction loses some formulas and keeps some boilerplate; `n_formulas_kept / n_formulas` tells where.\n"
        "- Personal data and offensive text were not filtered.\n"
    )
    if not evaluation:
        return text + "- Precision and recall on held-out domains were not measured.\n"
    rows = [(name, f"{value:.4f}") for name, value in evaluation.items()]
    return text + "\nMeasured on domains held out of training:\n\n" + _table(("measure", "value"), rows)


def _table(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = [["unknown" if cell is None else str(cell).replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _toml(settings: Mapping[str, Any]) -> str:
    """Plain values first, then one [section] each; a None is left out, as TOML has none."""
    plain = {key: value for key, value in settings.items() if not isinstance(value, Mapping) and value is not None}
    text = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in plain.items())
    for key, value in settings.items():
        if isinstance(value, Mapping):
            text += f"\n[{key}]\n{_toml(value)}"
    return text
