"""Domains and URL prefixes: how much of each was collected, and which are proposed to expand to.

A domain is the registered domain (private suffixes count, so a user of a shared host is one), or the
directory of one user where a path says so (`host/~user`, `host/users/user`). It is math if the lower bound
of its share is above `min_share`. Of every domain that pages were collected of, the prefixes are found that
tell these from the others (prefixes.py); those of math domains are proposed, of others those that pass the
bound by themselves, where they have pages left to add. A person is asked (annotations.py), and the auto
rule answers where nobody did:

    accept a prefix that passes the bound of a math domain, of which at least `accept_share` was collected, and
    whose other pages are expected to pass `min_share` themselves, where there is evidence; reject the others,
    and what was withdrawn (expansion.py); of nested prefixes the longest decides, and any line of a person
    goes before the rule.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.config import Domains
from corpus.expansion import check_added, pages_of, withdrawn_before
from corpus.prefixes import Tally, lower_bound, nearest, telling_prefixes
from corpus.schema import DOMAIN, PREFIX
from corpus.tables import duck, selected, write_rows, write_table
from corpus.urls import prefixes
from corpus.workspace import Workspace


def collected_shares(
    workspace: Workspace, number: int, directory: Path, settings: Domains, evidence: bool = False
) -> dict[str, Any]:
    """Write domains.parquet and prefixes.parquet of a round, and checked.parquet and withdrawn.parquet (expansion.py).

    Time is linear in pages, but for sorting them; the directories of one host are held in memory at a time.
    Returns n_domains, n_math_domains, n_prefixes, n_withdrawn.
    Source: DeepSeekMath (arXiv 2402.03300), section 2.1.
    """
    withdrawn = withdrawn_before(workspace, number)
    with duck(directory) as connection:
        pages_of(connection, workspace, number, evidence)
        now = check_added(connection, workspace, number, directory, settings)
        domains = _domains(connection, settings)
        write_table(directory / "domains.parquet", domains, DOMAIN)
        connection.register("domains", domains)
        rows = _proposed(connection, settings, evidence, withdrawn | now)
        n_prefixes = write_rows(directory / "prefixes.parquet", rows, PREFIX)
    return {
        "n_domains": domains.num_rows,
        "n_math_domains": pc.sum(domains["math"]).as_py() or 0,
        "n_prefixes": n_prefixes,
        "n_withdrawn": len(now),
    }


def _domains(connection: duckdb.DuckDBPyConnection, settings: Domains) -> pa.Table:
    """schema.DOMAIN, best first."""
    table = connection.sql(
        """SELECT domain, count(*) AS n_pages, count(*) FILTER (collected) AS n_collected,
                  n_collected / n_pages AS share
           FROM pages GROUP BY domain ORDER BY share DESC, domain"""
    ).to_arrow_table()
    n_collected, n_pages = (table[name].to_numpy().astype(np.float64) for name in ("n_collected", "n_pages"))
    bound = lower_bound(n_collected, n_pages, settings.confidence)
    math = bound > settings.min_share
    return table.append_column("lower_bound", pa.array(bound)).append_column("math", pa.array(math))


def _proposed(
    connection: duckdb.DuckDBPyConnection, settings: Domains, evidence: bool, withdrawn: frozenset[str]
) -> Iterator[dict[str, Any]]:
    """Rows of schema.PREFIX, by domain, then prefix."""
    pages = selected(
        connection,
        """SELECT domain, root, math, url, collected, posterior, p.n_tokens
           FROM pages p JOIN domains d USING (domain) WHERE d.n_collected > 0
           ORDER BY domain, root, collected, url""",
    )
    for (domain, root, math), group in groupby(pages, lambda page: (page["domain"], page["root"], page["math"])):
        tallies = _tallies(group, root.count("/") + settings.prefix_depth)
        found = telling_prefixes(tallies, root, settings.confidence)
        proposed: set[str] = set()
        for prefix, tally in sorted(found.items()):
            if tally.n_collected < tally.n_pages:
                row = _row(prefix, domain, tally, settings, evidence)
                passes = row["lower_bound"] > settings.min_share or (math and tally.n_collected)
                if passes or nearest(prefix, proposed):
                    proposed.add(prefix)
                    yield row | ({"auto": "withdrawn"} if prefix in withdrawn else {})


def _row(prefix: str, domain: str, tally: Tally, settings: Domains, evidence: bool) -> dict[str, Any]:
    """A row of schema.PREFIX, with the rule's answer."""
    n_collected, n_pages = np.array([tally.n_collected, tally.n_pages], np.float64)[:, np.newaxis]
    bound = float(lower_bound(n_collected, n_pages, settings.confidence)[0])
    expected = tally.expected(evidence)
    purity = expected["purity"]
    share = tally.n_collected / tally.n_pages
    enough = bound > settings.min_share and share >= settings.accept_share
    accepted = enough and (purity is None or purity > settings.min_share)
    return {
        "prefix": prefix,
        "domain": domain,
        "depth": prefix.count("/"),
        "n_pages": tally.n_pages,
        "n_collected": tally.n_collected,
        "share": share,
        "lower_bound": bound,
        **expected,
        "auto": "accept" if accepted else "reject",
        "examples": [url for _, url in tally.examples],
    }


def _tallies(pages: Iterable[Mapping[str, Any]], depth: int) -> dict[str, Tally]:
    """The pages of each directory, those below the deepest in it."""
    tallies: dict[str, Tally] = {}
    for page in pages:
        directory = prefixes(page["url"], depth)[-1]
        if directory not in tallies:
            tallies[directory] = Tally()
        tallies[directory].add(page["url"], page["collected"], page["posterior"], page["n_tokens"])
    return tallies
