"""What the classifier learns from: the documents that a person gave, and what a round draws of them.

Seed and pool go through the same text function, so that the classifier learns the
subject and not the source.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from corpus.annotations import decision_of
from corpus.config import Pool, Settings
from corpus.errors import InputError, StageError
from corpus.expansion import expanded_pages, withdrawn_pages
from corpus.pool import ingest_part
from corpus.schema import DOCUMENT, SEED
from corpus.sources import JSON_LINES, PARQUET, WARCS, expand, open_unpacked
from corpus.stages import part
from corpus.tables import duck, read_rows, selected, sql_list, table_writer, write_rows
from corpus.tex import count_commands, count_tex, without_definitions
from corpus.text import classifier_line
from corpus.urls import canonical_url, host_name, page_id, registered_domain
from corpus.weighing import by_marks
from corpus.workspace import Workspace

KINDS = (*JSON_LINES, *PARQUET, *WARCS)
MIN_SEED = 1_000  # documents of the seed that stay beside found pages, however few these are
IN_FOLDERS = tuple(kind for kind in KINDS if not kind.startswith(".json.") and kind != ".json")  # those may be notes


def gather(patterns: Sequence[str], out: Path, settings: Settings) -> dict[str, Any]:
    """Read documents (JSONL, Parquet or WARC, told by the name's end) into schema.SEED, by doc_id.

    Returns counts: n_documents, n_duplicates, and dropped (reason -> count). A document given
    twice stands once.
    Raises InputError naming a file that cannot be read, has no text column, or holds a broken
    line, and when not one document is left.
    """
    dropped: Counter[str] = Counter()
    staged = out.with_name(f".{out.name}.staged")
    n_given = write_rows(staged, _documents(patterns, out.parent, settings, dropped), SEED)
    with duck(out.parent) as connection:
        rows = selected(
            connection,
            f"""SELECT {", ".join(SEED.names)} FROM read_parquet({sql_list([staged])})
                QUALIFY row_number() OVER (PARTITION BY doc_id ORDER BY text, url, n_formulas, n_commands) = 1
                ORDER BY doc_id""",
        )
        n_documents = write_rows(out, rows, SEED)
    staged.unlink()
    if not n_documents:
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(dropped.items())) or "they hold no rows"
        raise InputError(f"{', '.join(patterns)}: not one document to learn from ({reasons})")
    return {"n_documents": n_documents, "n_duplicates": n_given - n_documents, "dropped": dict(sorted(dropped.items()))}


def _documents(
    patterns: Sequence[str], scratch: Path, settings: Settings, dropped: Counter[str]
) -> Iterator[dict[str, Any]]:
    for name, source in expand(patterns, scratch, IN_FOLDERS).items():
        if source.lower().endswith(WARCS):
            rows = _from_warc(name, source, scratch, settings.pool, dropped)
        elif source.lower().endswith(PARQUET):
            rows = _from_parquet(source)
        elif source.lower().endswith(JSON_LINES):
            rows = _from_jsonl(source)
        else:
            raise InputError(f"{source}: its name has none of the ends that tell a seed's kind: {', '.join(KINDS)}")
        for row in rows:
            line = _line(row["text"] or "", settings)
            if line:
                yield {**_identity(row.get("url"), line), "text": line, **_marks(row)}
            else:
                dropped["empty_text"] += 1


def _line(text: str, settings: Settings) -> str:
    """What the classifier reads, with one space between words: a text laid out in other lines is the same document."""
    return " ".join(classifier_line(text, max_chars=settings.classifier.max_chars).split())


def _marks(row: Mapping[str, Any]) -> dict[str, int]:
    """n_formulas and n_commands: as they were found in a page, else in the text."""
    if "n_formulas" in row:
        return {name: row[name] for name in ("n_formulas", "n_commands")}
    text = row["text"]
    return {"n_formulas": count_tex(without_definitions(text)), "n_commands": count_commands(text)}


def _identity(url: str | None, line: str) -> dict[str, str | None]:
    try:
        canonical = canonical_url(url or "")
    except ValueError:
        return {"doc_id": xxhash.xxh3_128_hexdigest(line), "url": None, "domain": None}
    return {"doc_id": page_id(canonical), "url": canonical, "domain": registered_domain(host_name(canonical))}


def _from_warc(
    name: str, source: str, scratch: Path, limits: Pool, dropped: Counter[str]
) -> Iterator[Mapping[str, Any]]:
    directory = scratch / ".warc"
    directory.mkdir(exist_ok=True)
    ingest_part(source, name, 0, directory, limits)
    dropped.update(row["reason"] for row in read_rows(part(directory, 0, "dropped"), ["reason"]))
    yield from read_rows(part(directory, 0), ["url", "text", "n_formulas", "n_commands"])
    shutil.rmtree(directory)


def _from_parquet(source: str) -> Iterator[Mapping[str, Any]]:
    try:
        with open_unpacked(source) as file, pq.ParquetFile(file) as table:
            types = {column.name: column.type for column in table.schema_arrow}
            if not _is_text(types.get("text")):
                found = ", ".join(f"{name} ({type})" for name, type in types.items())
                raise InputError(f"{source}: no column text of strings; it has {found}")
            columns = [name for name in ("text", "url") if _is_text(types.get(name))]
            for batch in table.iter_batches(batch_size=1_000, columns=columns):
                yield from batch.to_pylist()
    except pa.ArrowInvalid as error:
        raise InputError(f"{source} is not a Parquet file: {error}") from error


def _is_text(type: pa.DataType | None) -> bool:
    if isinstance(type, pa.DictionaryType):
        type = type.value_type
    return type is not None and (pa.types.is_string(type) or pa.types.is_large_string(type))


def _from_jsonl(source: str) -> Iterator[Mapping[str, Any]]:
    with open_unpacked(source) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{source}, line {number}: not JSON ({error})") from error
            if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                raise InputError(f"{source}, line {number}: an object with a text was expected")
            url = row.get("url")
            yield {"text": row["text"], "url": url if isinstance(url, str) else None}


def draw(
    workspace: Workspace, number: int, settings: Settings, directory: Path, persons: Mapping[str, str]
) -> dict[str, Any]:
    """Draw a round's positives and negatives (schema.DOCUMENT) into `directory`, in random order.

    Positives: the seed, and what earlier rounds expanded to, less what was withdrawn or a person has rejected
    since.
    Negatives: the given ones, else random pool pages that are neither. A share of the domains of seed
    and negatives is held out: their documents are measured on, never trained on. What the round before
    collected is, by a setting, no negative to train on; among the held-out ones it stays, since a
    measure that leaves out the likely errors would flatter.

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
        table, source = ("given_negatives", "seed") if settings.negatives.paths else ("pages", "pool")
        # Excluded ones come on top of the number, for the held-out domains among them.
        connection.execute(
            f"""CREATE TABLE negatives AS
                SELECT * EXCLUDE (n_before) FROM (
                    SELECT *, count(*) FILTER (NOT excluded) OVER (ORDER BY draw, doc_id ROWS UNBOUNDED PRECEDING)
                              - (NOT excluded)::INT AS n_before
                    FROM (SELECT doc_id, '{source}' AS source, md5(doc_id || 'negative{seed}') AS draw,
                                 doc_id IN (SELECT doc_id FROM excluded) AS excluded
                          FROM {table} ANTI JOIN given_positives USING (doc_id)
                          ANTI JOIN (FROM joined WHERE source = 'expanded') USING (doc_id)))
                WHERE n_before < {round(settings.negatives.per_positive * n_positives)}"""
        )
        held_out: set[str] = set()
        for name, chosen in (("positives", "source = 'seed'"), ("negatives", "true")):
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
                    if row["source"] != "seed":
                        row["text"] = _line(row["text"], settings)
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
    """What a round may draw from, each with doc_id: pages, given_*, joined (with its source), excluded."""
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
    connection.execute(f"CREATE VIEW excluded AS SELECT page_id AS doc_id FROM {_ids(collected)} UNION FROM likely")


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
    """Query for the drawn documents of one class; held_by is what a hold-out takes whole."""
    given, pool = (
        f"""SELECT d.*, n.source, n.draw, n.excluded, coalesce(d.domain, d.doc_id) AS held_by
            FROM {name} n JOIN {documents} d USING (doc_id) WHERE (n.source = 'seed') = {is_seed}"""
        for documents, is_seed in ((f"given_{name}", "true"), ("pages", "false"))
    )
    return f"SELECT {columns} FROM ({given} UNION ALL {pool})"


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0])
