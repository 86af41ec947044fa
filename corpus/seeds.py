"""What a round draws for its classifier: positives and negatives, and the domains that are held out of both."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import xxhash

from corpus.annotations import decision_of
from corpus.config import Settings
from corpus.errors import StageError
from corpus.expansion import expanded_pages, withdrawn_pages
from corpus.given import line_of
from corpus.schema import DOCUMENT, SEED
from corpus.tables import duck, selected, sql_list, table_writer
from corpus.weighing import by_marks
from corpus.workspace import Workspace

MIN_SEED = 1_000  # documents of the seed that stay beside found pages, however few these are


def draw(
    workspace: Workspace, number: int, settings: Settings, directory: Path, persons: Mapping[str, str]
) -> dict[str, Any]:
    """Draw a round's positives and negatives (schema.DOCUMENT) into `directory`, in random order.

    Positives: the seed, and what earlier rounds expanded to, less what was withdrawn or a person has rejected
    since. A seed document whose page is in the pool has the pool's text: the crawl's style, not the source's.
    Negatives: the given ones, else random pool pages that are neither. A share of the domains of seed
    and negatives is held out: their documents are measured on, never trained on. What the round before
    collected is, by a setting, no negative to train on. Held-out negatives from the pool are drawn whatever is known of
    a page: they stand for the pool, and a measure that leaves out the likely errors would flatter.

    With scoring.evidence, what is likely by the round before (by the marks alone, in round 1) is no
    negative to train on either. From round 2 on it joins the positives, and of the seed as many documents as
    were found, at least MIN_SEED, stand beside it: the pool's own style is learnt.

    persons: prefix -> decision of a person, taken in earlier rounds.
    Returns n_positives, n_expanded, n_found, n_negatives, n_held_out_domains.
    Raises StageError where one class is empty.
    """
    seed = settings.classifier.random_seed
    with duck(directory) as connection:
        _register(connection, workspace, number, settings, persons)
        connection.execute(
            f"""CREATE TABLE positives AS
                SELECT * FROM (
                    SELECT doc_id, 'seed' AS source, false AS excluded, md5(doc_id || 'positive{seed}') AS draw
                    FROM given_positives
                    QUALIFY row_number() OVER (ORDER BY draw) <= (
                        SELECT CASE WHEN count(*) > 0 THEN greatest(count(*), {MIN_SEED})
                                    ELSE {settings.seed.max_docs} END FROM joined WHERE source = 'found')
                    UNION ALL SELECT doc_id, source, false, md5(doc_id || 'positive{seed}')
                    FROM joined ANTI JOIN given_positives USING (doc_id))
                ORDER BY draw, doc_id LIMIT {settings.seed.max_docs}"""
        )
        n_positives = _count(connection, "positives")
        table, source = "pages", "pool"
        if settings.negatives.paths:
            table, source = "given_negatives ANTI JOIN given_positives USING (doc_id)", "seed"
        n_negatives = round(settings.negatives.per_positive * n_positives)
        # Excluded ones come on top of the number, for the held-out domains among them.
        connection.execute(
            f"""CREATE TABLE negatives AS
                WITH drawn AS (
                    SELECT doc_id, '{source}' AS source, md5(doc_id || 'negative{seed}') AS draw,
                           doc_id IN (SELECT doc_id FROM excluded) AS excluded
                    FROM {table}),
                last AS (
                    SELECT count(*) AS n, max(draw || doc_id) AS place
                    FROM (FROM drawn WHERE NOT excluded ORDER BY draw, doc_id LIMIT {n_negatives}))
                SELECT drawn.* FROM drawn, last WHERE n < {n_negatives} OR draw || doc_id <= place"""
        )
        held_out: set[str] = set()
        for name, chosen in (("positives", "source = 'seed'"), ("negatives", "doc_id NOT IN (FROM known)")):
            rows = selected(connection, f"{_documents_of(name, 'held_by')} WHERE {chosen}")
            groups = Counter(row["held_by"] for row in rows)
            held_out |= choose_held_out(groups, settings.classifier.held_out, seed, already=held_out)
        counts = Counter[str]()
        for name in ("positives", "negatives"):
            with table_writer(directory / f"{name}.parquet", DOCUMENT) as writer:
                for row in selected(connection, _documents_of(name, "*") + " ORDER BY draw, doc_id"):
                    held = row["held_by"] in held_out
                    if (row["excluded"] and not held) or (row["source"] in ("expanded", "found") and held):
                        continue
                    if row["in_pool"]:
                        row["text"] = line_of(row["text"], settings)
                    if row["text"]:
                        writer.add({**row, "held_out": held})
                        counts.update([name, row["source"]])
    if not counts["positives"] or not counts["negatives"]:
        raise StageError(
            f"round {number}: {counts['positives']} positives and {counts['negatives']} negatives; a classifier needs "
            "both. Negatives are pool pages outside the seed: give a larger crawl, or files in negatives.paths."
        )
    return {
        "n_positives": counts["positives"],
        "n_expanded": counts["expanded"],
        "n_found": counts["found"],
        "n_negatives": counts["negatives"],
        "n_held_out_domains": len(held_out),
    }


def choose_held_out(groups: Counter[str], share: float, random_seed: int, already: set[str]) -> set[str]:
    """Domains that together hold about `share` of the documents, in a random order that the seed fixes.

    groups: documents of each domain; a document without one is a domain of its own. A domain that
    holds over half of all is never chosen, nor one that would make it more than twice the share, unless
    nothing is held out yet. `already`: domains that are held out in any case.
    """
    total = groups.total()
    chosen: set[str] = set()
    n_held = sum(n for group, n in groups.items() if group in already)
    for group in sorted(groups, key=lambda name: xxhash.xxh3_128_hexdigest(f"{random_seed}:held out:{name}")):
        if n_held >= share * total:
            break
        fits = not n_held or n_held + groups[group] <= 2 * share * total
        if group not in already and groups[group] <= total / 2 and fits:
            chosen.add(group)
            n_held += groups[group]
    return chosen


def _register(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    number: int,
    settings: Settings,
    persons: Mapping[str, str],
) -> None:
    """What a round may draw from, each with doc_id: pages, given_*, joined (with its source), known, excluded.

    known: the seed and what was expanded to; excluded: it and all else that is no negative to train on.
    """
    seed = workspace.path("seed")
    connection.execute(
        f"""CREATE VIEW pages AS
            SELECT page_id AS doc_id, url, url_host_registered_domain AS domain, text, n_formulas, n_commands
            FROM {workspace.pages()}"""
    )
    for name in ("positives", "negatives"):
        given = seed / f"{name}.parquet"
        source = f"read_parquet({sql_list([given])})" if given.exists() else "pages WHERE false"
        connection.execute(f"CREATE VIEW given_{name} AS SELECT {', '.join(SEED.names)} FROM {source}")
    earlier = [workspace.path(workspace.round(n, "expanded")) / "expanded.parquet" for n in range(1, number)]
    withdrawn = withdrawn_pages(workspace, number - 1)
    connection.execute(
        f"""CREATE TABLE expanded AS
            SELECT DISTINCT page_id AS doc_id FROM {expanded_pages(earlier)}
            WHERE "by" = 'person' OR page_id NOT IN (SELECT page_id FROM {withdrawn})"""
    )
    connection.execute(f"CREATE TABLE likely AS SELECT page_id AS doc_id FROM {_likely(workspace, number, settings)}")
    connection.execute(
        f"""CREATE TABLE joined AS
            SELECT doc_id, 'expanded' AS source FROM expanded
            UNION ALL SELECT doc_id, 'found' FROM likely ANTI JOIN expanded USING (doc_id) WHERE {number} > 1"""
    )
    if "reject" in persons.values():
        rows = selected(connection, "SELECT doc_id, url FROM pages SEMI JOIN joined USING (doc_id)")
        rejected = [row["doc_id"] for row in rows if decision_of(row["url"], persons) == "reject"]
        connection.execute("DELETE FROM joined WHERE list_contains(?::VARCHAR[], doc_id)", [rejected])
    before = workspace.path(workspace.round(number - 1, "recalled")) / "recalled.parquet"
    collected = [before] if number > 1 and settings.negatives.exclude_collected else []
    connection.execute(
        """CREATE VIEW known AS
           SELECT doc_id FROM given_positives UNION SELECT doc_id FROM joined WHERE source = 'expanded'"""
    )
    connection.execute(
        f"CREATE VIEW excluded AS SELECT page_id AS doc_id FROM {_ids(collected)} UNION FROM likely UNION FROM known"
    )


def _likely(workspace: Workspace, number: int, settings: Settings) -> str:
    """Table of the pages that are more likely than not what the seed shows, by what is known before the round."""
    if not settings.scoring.evidence:
        return _ids([])
    if number == 1:
        return f"{workspace.pages()} WHERE {by_marks(workspace)}"
    evidence = workspace.path(workspace.round(number - 1, "evidence")) / "evidence.parquet"
    return f"{_ids([evidence])} WHERE posterior >= 0.5"


def _ids(paths: Sequence[Path]) -> str:
    return f"read_parquet({sql_list(paths)})" if paths else "(SELECT '' AS page_id WHERE false)"


def _documents_of(name: str, columns: str) -> str:
    """Query for the drawn documents of one class, from the pool where they are there; held_by: what a hold-out takes
    whole."""
    drawn = "n.source, n.draw, n.excluded, coalesce(d.domain, d.doc_id) AS held_by"
    return f"""SELECT {columns} FROM (
        SELECT d.*, {drawn}, true AS in_pool FROM {name} n JOIN pages d USING (doc_id)
        UNION ALL
        SELECT d.*, {drawn}, false FROM {name} n JOIN given_{name} d USING (doc_id) ANTI JOIN pages USING (doc_id))"""


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0])
