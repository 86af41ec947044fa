"""Domains and URL prefixes: how much of each was collected, what to expand to, and a person's say.

A domain is the registered domain (private suffixes count, so a user of a shared host is one).
Inside math domains, prefixes are proposed; `annotations.csv` asks a person, and the auto rule
answers where nobody did:

    accept a prefix of which at least `accept_share` was collected, reject the others;
    of nested prefixes the longest decides, and any line of a person goes before the rule.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.config import Domains
from corpus.errors import AnnotationError
from corpus.schema import DECISION, DOMAIN, EXPANDED, PREFIX
from corpus.tables import duck, read_rows, replacing, selected, sql_list, write_rows
from corpus.urls import prefixes
from corpus.workspace import Workspace

N_EXAMPLES = 3
COLUMNS = ("prefix", "decision", "note", "auto", "earlier", "n_pages", "n_collected", "share", "examples")
DECISIONS = ("accept", "reject", "auto")
EVERY_BLANK = "*"  # the line that answers for all lines left blank


def collected_shares(workspace: Workspace, number: int, directory: Path, settings: Domains) -> dict[str, Any]:
    """Write domains.parquet and prefixes.parquet of a round; returns n_domains, n_math_domains, n_prefixes.

    A domain is math if more than min_share of its pages was collected and it has min_pages.
    Source: DeepSeekMath (arXiv 2402.03300), section 2.1.
    """
    with duck(directory) as connection:
        _register(connection, workspace, number)
        connection.execute(
            f"""CREATE TABLE domains AS
                SELECT domain, count(*) AS n_pages, count(*) FILTER (collected) AS n_collected,
                       n_collected / n_pages AS share,
                       share > {settings.min_share} AND n_pages >= {settings.min_pages} AS math
                FROM pages GROUP BY domain"""
        )
        n_domains = write_rows(
            directory / "domains.parquet", selected(connection, "FROM domains ORDER BY share DESC, domain"), DOMAIN
        )
        pages = selected(
            connection,
            "SELECT url, domain, collected FROM pages SEMI JOIN (FROM domains WHERE math) USING (domain) ORDER BY url",
        )
        proposed = _propose(pages, settings)
        write_rows(directory / "prefixes.parquet", proposed, PREFIX)
        n_math = len(connection.execute("FROM domains WHERE math").fetchall())
    return {"n_domains": n_domains, "n_math_domains": n_math, "n_prefixes": len(proposed)}


def _propose(pages: Iterable[Mapping[str, Any]], settings: Domains) -> list[dict[str, Any]]:
    """Prefixes with enough pages, by name; one that holds the same pages as its parent is left out."""
    n_pages: Counter[str] = Counter()
    n_collected: Counter[str] = Counter()
    domain_of: dict[str, str] = {}
    examples: dict[str, list[tuple[bool, str]]] = defaultdict(list)
    for page in pages:
        for prefix in prefixes(page["url"], settings.prefix_depth):
            n_pages[prefix] += 1
            n_collected[prefix] += page["collected"]
            domain_of[prefix] = page["domain"]
            examples[prefix] = sorted([*examples[prefix], (page["collected"], page["url"])])[:N_EXAMPLES]
    return [
        {
            "prefix": prefix,
            "domain": domain_of[prefix],
            "depth": prefix.count("/"),
            "n_pages": n,
            "n_collected": n_collected[prefix],
            "share": n_collected[prefix] / n,
            "auto": "accept" if n_collected[prefix] >= settings.accept_share * n else "reject",
            "examples": [url for _, url in examples[prefix]],
        }
        for prefix, n in sorted(n_pages.items())
        if n >= settings.min_pages and n_pages.get(prefix.rpartition("/")[0]) != n
    ]


@dataclass(frozen=True)
class Line:
    """What a person wrote into one line of annotations.csv."""

    prefix: str
    decision: str  # accept, reject, auto, or empty
    note: str


def read_annotations(path: Path) -> list[Line]:
    """A person's lines; none where there is no file.

    Raises AnnotationError naming the line, what it says and what is allowed.
    """
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnnotationError(f"{path} is not CSV in UTF-8: {error}. {_WAY_OUT}") from error
    lines: dict[str, Line] = {}
    for number, row in enumerate(rows, start=2):
        if None in row or not {"prefix", "decision"} <= row.keys():
            raise AnnotationError(
                f"{path}, line {number}: columns {', '.join(COLUMNS)} are wanted, "
                f"{', '.join(str(name) for name in row)} were found. {_WAY_OUT}"
            )
        prefix, decision = (row["prefix"] or "").strip(), (row["decision"] or "").strip().lower()
        if decision and decision not in DECISIONS:
            raise AnnotationError(
                f"{path}, line {number}: decision {decision!r} for {prefix!r}; allowed: {', '.join(DECISIONS)} or none"
            )
        if prefix != EVERY_BLANK:
            host, slash, rest = prefix.removesuffix("*").rstrip("/").partition("/")
            if not host or " " in prefix or "://" in prefix or "*" in host + rest:
                raise AnnotationError(
                    f"{path}, line {number}: {prefix!r} is no prefix; it looks like example.org or example.org/math"
                )
            prefix = f"{host.lower()}{slash}{rest}"
        known = lines.get(prefix)
        if known and decision and known.decision and known.decision != decision:
            raise AnnotationError(f"{path}, line {number}: {prefix} is decided twice, {known.decision} and {decision}")
        if not known or decision:
            lines[prefix] = Line(prefix, decision, (row.get("note") or "").strip())
    return list(lines.values())


_WAY_OUT = (
    "Mend it (a spreadsheet saves it as CSV with commas, in UTF-8), or delete the file: it is written anew, "
    "without decisions."
)


def write_annotations(path: Path, proposed: Iterable[Mapping[str, Any]], earlier: Mapping[str, str]) -> None:
    """Write a round's annotations.csv with what is proposed now; every line a person decided stays.

    earlier: decisions that a person took in earlier rounds, shown beside the line.
    """
    mine = {line.prefix: line for line in read_annotations(path)}
    rows = [{"prefix": EVERY_BLANK, "note": "decides every line left blank: accept, reject or auto"}]
    rows += [
        {
            "prefix": row["prefix"],
            "auto": row["auto"],
            "earlier": earlier.get(row["prefix"], ""),
            "n_pages": row["n_pages"],
            "n_collected": row["n_collected"],
            "share": f"{row['share']:.3f}",
            "examples": " ".join(row["examples"]),
        }
        for row in sorted(proposed, key=lambda row: (-row["share"], -row["n_pages"], row["prefix"]))
    ]
    named = {row["prefix"] for row in rows}
    rows += [{"prefix": prefix} for prefix, line in sorted(mine.items()) if prefix not in named and line.decision]
    for row in rows:
        if line := mine.get(row["prefix"]):
            row |= {"decision": line.decision, "note": line.note}
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)


def decisions_of(lines: Iterable[Line], proposed: Iterable[str], earlier: Mapping[str, str]) -> dict[str, str]:
    """A person's decision of each prefix: this round's line, else an earlier round's, else the `*` line's."""
    said = {line.prefix: line.decision for line in lines if line.decision}
    rest = said.pop(EVERY_BLANK, "")
    decided = {prefix: rest for prefix in proposed if rest}
    return {**decided, **earlier, **said}


def decision_of(url: str, decisions: Mapping[str, str]) -> str | None:
    """The decision of the longest prefix that a canonical URL lies under; None where none is decided."""
    depth = max((prefix.count("/") for prefix in decisions), default=0)
    return next((decisions[prefix] for prefix in prefixes(url, depth)[::-1] if prefix in decisions), None)


def expand_round(
    workspace: Workspace, number: int, directory: Path, persons: Mapping[str, str], manual: bool
) -> dict[str, Any]:
    """Write decisions.parquet and expanded.parquet: the uncollected pages under accepted prefixes.

    persons: prefix -> accept, reject or auto (take what the rule proposes). manual: the rule decides
    nothing by itself. Returns n_accepted, n_expanded, and unmatched: prefixes of a person that no page is under.
    """
    proposed = {
        row["prefix"]: row["auto"]
        for row in read_rows(workspace.path(workspace.round(number, "domains")) / "prefixes.parquet")
    }
    # "auto" for a prefix that is not proposed (an earlier round's line, say) leaves its pages to the rule.
    by_person = {
        prefix: proposed[prefix] if said == "auto" else said
        for prefix, said in persons.items()
        if said != "auto" or prefix in proposed
    }
    by_rule = {} if manual else {prefix: auto for prefix, auto in proposed.items() if prefix not in by_person}
    decided = {**by_rule, **by_person}
    n_pages: Counter[str] = Counter()
    n_expanded: Counter[str] = Counter()

    def expanded() -> Iterator[dict[str, str]]:
        depth = max((prefix.count("/") for prefix in decided), default=0)
        hosts = sorted({prefix.partition("/")[0] for prefix in decided})
        with duck(directory) as connection:
            _register(connection, workspace, number)
            for page in selected(
                connection,
                "SELECT page_id, url, collected FROM pages WHERE list_contains(?::VARCHAR[], host) ORDER BY page_id",
                [hosts],
            ):
                under = prefixes(page["url"], depth)[::-1]
                prefix = next((p for voice in (by_person, by_rule) for p in under if p in voice), None)
                if prefix is None:
                    continue
                n_pages[prefix] += 1
                if not page["collected"] and decided[prefix] == "accept":
                    n_expanded[prefix] += 1
                    yield {"page_id": page["page_id"], "prefix": prefix}

    write_rows(directory / "expanded.parquet", expanded(), EXPANDED)
    decisions = [
        {
            "prefix": prefix,
            "decision": decision,
            "by": "person" if prefix in by_person else "auto",
            "n_pages": n_pages[prefix],
            "n_expanded": n_expanded[prefix],
        }
        for prefix, decision in sorted(decided.items())
    ]
    write_rows(directory / "decisions.parquet", decisions, DECISION)
    n_accepted = sum(decision == "accept" for decision in decided.values())
    unmatched = sorted(prefix for prefix in by_person if not n_pages[prefix] and prefix not in proposed)
    return {"n_accepted": n_accepted, "n_expanded": n_expanded.total(), "unmatched": unmatched}


def _register(connection: Any, workspace: Workspace, number: int) -> None:
    """A view `pages`: page_id, url, host, domain, and whether the round collected it."""
    recalled = workspace.path(workspace.round(number, "recalled")) / "recalled.parquet"
    connection.execute(
        f"""CREATE VIEW pages AS
            SELECT p.page_id, p.url, p.url_host_name AS host, p.url_host_registered_domain AS domain,
                   r.page_id IS NOT NULL AS collected
            FROM {workspace.pages()} p LEFT JOIN read_parquet({sql_list([recalled])}) r ON p.page_id = r.page_id"""
    )
