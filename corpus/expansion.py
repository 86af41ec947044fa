"""What a round expands to, and whether what the round before expanded to has kept its promise.

The uncollected pages under accepted prefixes join the next seed. The round that was trained with them is
then asked how many of them it collects:

    a prefix that the rule accepted is withdrawn unless more than `min_share` of its added pages were collected,
    the share that makes a domain math; its pages leave the seed, and the rule adds them no more.

A page that was trained on as a positive scores higher for it, so this errs in favour of an expansion: one that
fails has failed with that help, and one that passes may owe it to the site's style. To hold the pages out of
training would be to ask again the model that left them uncollected. A person's accept is never withdrawn: it is
only said that it does badly.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from corpus.config import Domains
from corpus.prefixes import Tally
from corpus.schema import CHECKED, DECISION, EXPANDED
from corpus.tables import duck, read_rows, selected, sql_list, write_rows, write_table
from corpus.urls import USER_DIRECTORY, prefixes
from corpus.workspace import Workspace

N_SHOWN = 5  # prefixes that a notice names


def pages_of(connection: duckdb.DuckDBPyConnection, workspace: Workspace, number: int, evidence: bool) -> None:
    """A view `pages`: page_id, url, host, root, domain, n_tokens, collected, posterior (null without evidence).

    root: where its prefixes begin: its host, or the directory of one user, which is its domain too.
    """
    recalled = workspace.path(workspace.round(number, "recalled")) / "recalled.parquet"
    weighed = workspace.path(workspace.round(number, "evidence")) / "evidence.parquet"
    posterior, joined = (
        ("coalesce(e.posterior, 0)", f"LEFT JOIN read_parquet({sql_list([weighed])}) e ON p.page_id = e.page_id")
        if evidence
        else ("NULL::DOUBLE", "")
    )
    connection.execute(
        f"""CREATE VIEW pages AS
            SELECT p.page_id, p.url, p.url_host_name AS host, regexp_extract(p.url, '{USER_DIRECTORY}', 1) AS user,
                   host || user AS root,
                   CASE WHEN user = '' THEN p.url_host_registered_domain ELSE root END AS domain,
                   p.n_tokens, r.page_id IS NOT NULL AS collected, {posterior} AS posterior
            FROM {workspace.pages()} p
            LEFT JOIN read_parquet({sql_list([recalled])}) r ON p.page_id = r.page_id {joined}"""
    )


def check_added(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, number: int, directory: Path, settings: Domains
) -> frozenset[str]:
    """Write checked.parquet and withdrawn.parquet of a round; returns the prefixes that it withdraws.

    connection: with the view `pages` of the round.
    """
    before = [workspace.path(workspace.round(number - 1, "expanded")) / "expanded.parquet"] if number > 1 else []
    connection.execute(f"CREATE VIEW added AS FROM {expanded_pages(before)}")
    table = connection.sql(
        """SELECT prefix, "by", count(*) AS n_added, count(*) FILTER (collected) AS n_confirmed,
                  coalesce(sum(n_tokens) FILTER (collected), 0) AS gained_tokens,
                  sum(posterior::DECIMAL(13, 12))::DOUBLE / n_added AS purity
           FROM added JOIN pages USING (page_id) GROUP BY prefix, "by" ORDER BY prefix, "by" """
    ).to_arrow_table()
    n_confirmed, n_added = (table[name].to_numpy().astype(np.float64) for name in ("n_confirmed", "n_added"))
    low = n_confirmed <= settings.min_share * n_added
    withdrawn = low & np.array([by == "auto" for by in table["by"].to_pylist()], np.bool_)
    for name, values in (("low", low), ("withdrawn", withdrawn)):
        table = table.append_column(name, pa.array(values))
    write_table(directory / "checked.parquet", table, CHECKED)
    connection.register("checked", table)
    pages = selected(
        connection, 'FROM added SEMI JOIN (FROM checked WHERE withdrawn) USING (prefix, "by") ORDER BY page_id, prefix'
    )
    write_rows(directory / "withdrawn.parquet", pages, EXPANDED)
    return frozenset(table["prefix"].filter(withdrawn).to_pylist())


def withdrawn_before(workspace: Workspace, number: int) -> frozenset[str]:
    """Prefixes that rounds before this one withdrew: the rule does not accept them again."""
    paths = [workspace.path(workspace.round(n, "domains")) / "checked.parquet" for n in range(2, number)]
    return frozenset(row["prefix"] for path in paths for row in read_rows(path) if row["withdrawn"])


def withdrawn_pages(workspace: Workspace, last: int) -> str:
    """Table in SQL of the pages that rounds up to `last` withdrew (schema.EXPANDED)."""
    return expanded_pages(
        [workspace.path(workspace.round(n, "domains")) / "withdrawn.parquet" for n in range(2, last + 1)]
    )


def expanded_pages(paths: Iterable[Path]) -> str:
    """Table in SQL of files of schema.EXPANDED, none among them."""
    found = sql_list(paths)
    columns = ", ".join(f'NULL::VARCHAR AS "{name}"' for name in EXPANDED.names)
    return f"read_parquet({found})" if found != "[]" else f"(SELECT {columns} WHERE false)"


def expand_round(
    workspace: Workspace,
    number: int,
    directory: Path,
    persons: Mapping[str, str],
    *,
    manual: bool = False,
    evidence: bool = False,
) -> dict[str, Any]:
    """Write decisions.parquet and expanded.parquet: the uncollected pages under accepted prefixes.

    persons: prefix -> accept, reject or auto (take what the rule proposes). manual: the rule decides
    nothing by itself. Returns n_accepted, n_expanded, n_withdrawn, and unmatched: prefixes of a person that no
    page is under.
    """
    domains = workspace.path(workspace.round(number, "domains"))
    proposed = {row["prefix"]: row["auto"] for row in read_rows(domains / "prefixes.parquet")}
    checked = {row["prefix"]: row for row in read_rows(domains / "checked.parquet")}
    # "auto" for a prefix that is not proposed (an earlier round's line, say) leaves its pages to the rule.
    by_person = {
        prefix: proposed[prefix] if said == "auto" else said
        for prefix, said in persons.items()
        if said != "auto" or prefix in proposed
    }
    by_rule = {} if manual else {prefix: auto for prefix, auto in proposed.items() if prefix not in by_person}
    decided = {**by_rule, **by_person}
    by = {prefix: "person" if persons.get(prefix) in ("accept", "reject") else "auto" for prefix in decided}
    tallies = {prefix: Tally() for prefix in decided}
    n_expanded: Counter[str] = Counter()

    def expanded() -> Iterator[dict[str, str]]:
        depth = max((prefix.count("/") for prefix in decided), default=0)
        hosts = sorted({prefix.partition("/")[0] for prefix in decided})
        with duck(directory) as connection:
            pages_of(connection, workspace, number, evidence)
            for page in selected(
                connection,
                f"""SELECT page_id, url, collected, posterior, n_tokens,
                           page_id IN (SELECT page_id FROM {withdrawn_pages(workspace, number)}) AS withdrawn
                    FROM pages WHERE list_contains(?::VARCHAR[], host) ORDER BY page_id""",
                [hosts],
            ):
                under = prefixes(page["url"], depth)[::-1]
                prefix = next((p for voice in (by_person, by_rule) for p in under if p in voice), None)
                if prefix is None:
                    continue
                tallies[prefix].add(page["url"], page["collected"], page["posterior"], page["n_tokens"])
                barred = page["collected"] or (page["withdrawn"] and by[prefix] == "auto")
                if decided[prefix] == "accept" and not barred:
                    n_expanded[prefix] += 1
                    yield {"page_id": page["page_id"], "prefix": prefix, "by": by[prefix]}

    write_rows(directory / "expanded.parquet", expanded(), EXPANDED)
    for prefix, row in checked.items():
        if row["withdrawn"] and prefix not in decided:  # and proposed no longer
            decided[prefix], by[prefix], tallies[prefix] = "withdrawn", "auto", Tally()
    decisions = (
        {
            "prefix": prefix,
            "decision": decision,
            "by": by[prefix],
            "n_pages": tallies[prefix].n_pages,
            "n_expanded": n_expanded[prefix],
            **tallies[prefix].expected(evidence),
            **{name: checked.get(prefix, {}).get(name) for name in ("n_added", "n_confirmed")},
        }
        for prefix, decision in sorted(decided.items())
    )
    write_rows(directory / "decisions.parquet", decisions, DECISION)
    return {
        "n_accepted": sum(decision == "accept" for decision in decided.values()),
        "n_expanded": n_expanded.total(),
        "n_withdrawn": sum(row["withdrawn"] for row in checked.values()),
        "unmatched": sorted(p for p in by_person if not tallies[p].n_pages and p not in proposed),
    }


def low_scores(workspace: Workspace, number: int) -> Iterator[str]:
    """What a person should know of the pages that the round before added: one line for rule and person each."""
    checked = read_rows(workspace.path(workspace.round(number, "domains")) / "checked.parquet")
    low = sorted((row for row in checked if row["low"]), key=lambda row: (-row["n_added"], row["prefix"]))
    for by, what in (("auto", "withdrawn"), ("person", "that a person accepted do badly")):
        said = [f"{row['prefix']} ({row['n_confirmed']} of {row['n_added']})" for row in low if row["by"] == by]
        if said:
            shown = ", ".join(said[:N_SHOWN]) + (", ..." if len(said) > N_SHOWN else "")
            yield (
                f"round {number}: prefixes {what}, too few of the pages that round {number - 1} added by them were "
                f"collected: {shown}. More: corpus query expansions -w {workspace.quoted}"
            )
