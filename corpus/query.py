"""DuckDB over a workspace: a view for each table on disk, and named queries beside them.

The views read the committed Parquet files where they lie. What has not been built yet
is an empty view with the right columns, so that a query never depends on progress.

    stages                                        each stage's manifest: settings, inputs, counts (JSON)
    captures dropped pages removed                the pool; pages are the unique ones, removed has a stage
    marks                                         what formulas say of a page: one row
    positives negatives held_out scores evidence  rounds, each row with its `round`
    recalled domains prefixes checked decisions expanded
    rounds reliability
    extracted failed contaminated benchmarks      the collected pages on their way into the corpus
    boilerplate boilerplate_pages                 lines that their hosts repeat, and how much of a page these are
    corpus shards not_in_corpus exports           what came out

A named query is a file of corpus/sql: its name is the question in short. The header holds
the question, its caveats, and one line a parameter (`-- round: integer, default: the last`):
a default is a number, or says in words what the query makes of null.
"""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

import duckdb
import pyarrow as pa

from corpus import schema
from corpus.errors import InputError, WorkspaceError
from corpus.stages import MANIFEST
from corpus.tables import replacing
from corpus.workspace import Workspace

# View -> schema and files below the workspace. [0-9]* and not *: no temporary directory matches.
TABLES = {
    "captures": (schema.PAGE, "pool/parts/part-*.parquet"),
    "dropped": (schema.DROPPED, "pool/parts/dropped-*.parquet"),
    "positives": (schema.DOCUMENT, "rounds/[0-9]*/seed/positives.parquet"),
    "negatives": (schema.DOCUMENT, "rounds/[0-9]*/seed/negatives.parquet"),
    "held_out": (schema.HELD_OUT, "rounds/[0-9]*/model/held_out.parquet"),
    "scores": (schema.SCORE, "rounds/[0-9]*/scores/part-*.parquet"),
    "marks": (schema.MARKS, "marks/marks.parquet"),
    "evidence": (schema.EVIDENCE, "rounds/[0-9]*/evidence/evidence.parquet"),
    "recalled": (schema.RECALLED, "rounds/[0-9]*/recalled/recalled.parquet"),
    "domains": (schema.DOMAIN, "rounds/[0-9]*/domains/domains.parquet"),
    "prefixes": (schema.PREFIX, "rounds/[0-9]*/domains/prefixes.parquet"),
    "checked": (schema.CHECKED, "rounds/[0-9]*/domains/checked.parquet"),
    "decisions": (schema.DECISION, "rounds/[0-9]*/expanded/decisions.parquet"),
    "expanded": (schema.EXPANDED, "rounds/[0-9]*/expanded/expanded.parquet"),
    "rounds": (schema.ROUND, "rounds/[0-9]*/expanded/round.parquet"),
    "reliability": (schema.RELIABILITY, "rounds/[0-9]*/expanded/reliability.parquet"),
    "extracted": (schema.EXTRACTED, "finish/extracted/part-*.parquet"),
    "boilerplate": (schema.BOILERPLATE, "finish/boilerplate/boilerplate.parquet"),
    "boilerplate_pages": (schema.BOILERPLATE_PAGE, "finish/boilerplate/pages-*.parquet"),
    "failed": (schema.FAILED, "finish/extracted/failed-*.parquet"),
    "contaminated": (schema.CONTAMINATED, "finish/contaminated/part-*.parquet"),
    "benchmarks": (schema.BENCHMARK, "finish/contaminated/benchmarks.parquet"),
    "corpus": (schema.SHARD, "corpus/shard-*.parquet"),
    "shards": (schema.SHARD_STATISTICS, "corpus/shards.parquet"),
    "not_in_corpus": (schema.NOT_IN_CORPUS, "corpus/removed.parquet"),
}
MANIFESTS = ("pool/*", "seed", "marks", "rounds/[0-9]*/*", "finish/*", "corpus", "exports/*")
STAGE_COLUMNS = {
    "stage": "VARCHAR",
    "fingerprint": "VARCHAR",
    "finished": "TIMESTAMP WITH TIME ZONE",
    "seconds": "DOUBLE",
    "n_outputs": "BIGINT",
    "bytes": "BIGINT",
    "settings": "JSON",
    "inputs": "JSON",
    "counts": "JSON",
}
SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.list_(pa.string()): "VARCHAR[]",
    schema.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
}
ROUND = r"regexp_extract(filename, '.*/rounds/(\d+)/', 1)::INTEGER AS round"  # greedy: the last such folder
PARAMETER = re.compile(r"(\w+): (integer|text), default: (.+)")
Value = str | int | None


@dataclass(frozen=True)
class Parameter:
    type: str  # integer or text
    default: str  # a value, or in words what null means


@dataclass(frozen=True)
class NamedQuery:
    title: str  # the question it answers
    caveats: str
    sql: str
    parameters: Mapping[str, Parameter]


def named_queries() -> dict[str, NamedQuery]:
    """Every query of corpus/sql, by name."""
    files = sorted(resources.files("corpus").joinpath("sql").iterdir(), key=lambda file: file.name)
    return {file.name[:-4]: _named_query(file.read_text("utf-8")) for file in files if file.name.endswith(".sql")}


def connect(workspace: Workspace) -> duckdb.DuckDBPyConnection:
    """A connection in memory with the views of a workspace; times are shown in UTC.

    It reaches no file outside the workspace, no network, no extension, and its settings are
    locked. DuckDB knows no directory that may be read and not written, so whoever holds the
    connection could still COPY into the workspace: SQL of others goes through `run_query`.

    Raises WorkspaceError where a file cannot be read as its table.
    """
    connection = duckdb.connect()
    try:
        _create_views(connection, workspace)
        # Patterns are checked as they stand, so their escaped spelling has to be allowed as well.
        roots = sorted({f"{workspace.root}/", f"{_escape(workspace.root)}/"})
        spill = Path(tempfile.gettempdir()) / f"corpus-query-{os.getpid()}"  # the default is the current directory
        for setting in (
            "TimeZone = 'UTC'",
            f"temp_directory = {_literal(str(spill))}",
            f"allowed_directories = [{', '.join(map(_literal, roots))}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
    except BaseException:
        connection.close()
        raise
    return connection


def run_query(workspace: Workspace, name_or_sql: str, parameters: Mapping[str, str] | None = None) -> pa.Table:
    """The answer of a named query (one word), or of SQL over the views: one SELECT that writes nothing.

    parameters: values of `$name` in the SQL, as text; DuckDB casts them where it compares them.

    Raises InputError for an unknown name, a statement that is not one plain query, a parameter
    that the query does not take or that is no integer, and for what DuckDB says of the SQL.
    """
    text = name_or_sql.strip()
    given: Mapping[str, Value] = parameters or {}
    if text and not re.search(r"\s", text):
        text, given = _named(text, given)
    connection = connect(workspace)
    try:
        return _answer(connection, text, given)
    except duckdb.Error as error:
        raise InputError(f"DuckDB: {error}\nViews: {', '.join(view_names())}") from error
    finally:
        connection.close()


def view_names() -> list[str]:
    """Every view, by name."""
    return sorted([*TABLES, "pages", "removed", "stages", "exports"])


def write_database(workspace: Workspace, path: Path) -> None:
    """Write a DuckDB file with the views, for the duckdb shell: it holds no rows, only where they are.

    The file knows the workspace by its absolute path, and `stages`, `exports` and what is empty as
    they are now: write it again after a new stage. Raises InputError where `path` holds anything
    but a DuckDB database that nobody has open.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}. Make it, or name another file.")
    if path.exists() and not (path.is_file() and _is_database(path)):
        raise InputError(f"{path} is no DuckDB database, and is not overwritten. Name another file, or delete it.")
    if path.with_name(f"{path.name}.wal").exists():
        raise InputError(f"{path} is open in another program, or was left by one ({path.name}.wal). Close it first.")
    with replacing(path) as temporary:
        try:
            with duckdb.connect(str(temporary)) as connection:
                _create_views(connection, workspace)
        except duckdb.Error as error:
            raise InputError(f"{path} cannot be written: {error}") from error


def _named(name: str, given: Mapping[str, Value]) -> tuple[str, Mapping[str, Value]]:
    """SQL of a named query, and what is bound to each of its parameters."""
    queries = named_queries()
    if name not in queries:
        raise InputError(
            f"no query is called {name!r}. There are: {', '.join(queries)}. "
            'Or give SQL over the views, in quotes: "SELECT count(*) FROM pages"'
        )
    query = queries[name]
    _check_names(name, set(query.parameters), given)
    return query.sql, {key: _value(key, parameter, given.get(key)) for key, parameter in query.parameters.items()}


def _answer(connection: duckdb.DuckDBPyConnection, text: str, parameters: Mapping[str, Value]) -> pa.Table:
    statements = connection.extract_statements(text)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InputError("a query is one SELECT, and nothing else: it cannot change anything. Found: " + text[:200])
    _check_names("the SQL", statements[0].named_parameters, parameters)
    # A SELECT may still write, by a WITH clause that holds COPY or INSERT. DuckDB takes these at
    # the top level only: what binds as a subquery reads.
    connection.execute(f"EXPLAIN SELECT * FROM (\n{text.rstrip(';')}\n)", parameters or None)
    return connection.sql(text, params=parameters or None).to_arrow_table()


def _check_names(what: str, known: set[str], given: Mapping[str, object]) -> None:
    if unknown := sorted(set(given) - known):
        raise InputError(f"{what} has no parameter {', '.join(unknown)}: it takes {', '.join(sorted(known)) or 'none'}")


def _value(name: str, parameter: Parameter, given: Value) -> Value:
    """What is bound to a parameter; null where its default is said in words."""
    text = parameter.default if given is None else str(given)
    if parameter.type == "integer" and re.fullmatch(r"[+-]?[0-9]+", text):
        return int(text)
    if given is not None and parameter.type == "integer":
        raise InputError(f"parameter {name} must be an integer, not {text!r} (default: {parameter.default})")
    return given


def _named_query(text: str) -> NamedQuery:
    lines = text.splitlines()
    size = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    title, *rest = [line.removeprefix("--").strip() for line in lines[:size]]
    found = {line: PARAMETER.fullmatch(line) for line in rest}
    return NamedQuery(
        title=title,
        caveats="\n".join(line for line, parameter in found.items() if parameter is None),
        sql="\n".join(lines[size:]),
        parameters={match[1]: Parameter(match[2], match[3]) for match in found.values() if match},
    )


def _create_views(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    for name, sql in _views(workspace).items():
        try:
            connection.execute(f"CREATE VIEW {name} AS {sql}")
        except duckdb.Error as error:
            raise WorkspaceError(
                f"{workspace.root}: the table {name} cannot be read: {error}. "
                "Delete the stage that holds the file; the next run builds it again."
            ) from error


def _views(workspace: Workspace) -> dict[str, str]:
    """SQL of each view; none refers to another."""
    root, views = workspace.root, {}
    for name, (columns, pattern) in TABLES.items():
        in_round = pattern.startswith("rounds/") and "round" not in columns.names
        patterns = _of_current_rounds(workspace, pattern) if pattern.startswith("rounds/") else [pattern]
        views[name] = _read(root, columns, patterns, ROUND if in_round else None)
    kept = _read(root, schema.KEPT, ["pool/unique/kept-*.parquet"])
    views["pages"] = f"SELECT * FROM ({views['captures']}) SEMI JOIN ({kept}) USING ({', '.join(schema.KEPT.names)})"
    views["removed"] = " UNION ALL ".join(
        _read(root, schema.REMOVED, [f"{stage}/unique/removed.parquet"], f"'{stage}' AS stage")
        for stage in ("pool", "finish")
    )
    views["stages"] = _stages(workspace)
    exports = f"({views['stages']}) WHERE stage LIKE 'exports/%'"
    views["exports"] = f"SELECT stage[9:] AS name, * EXCLUDE (stage) FROM {exports}"
    return views


def _of_current_rounds(workspace: Workspace, pattern: str) -> list[str]:
    """A pattern of a round's stage, for each round where the stage is current: what older settings left stays out."""
    _, every, stage, files = pattern.split("/")
    numbers = sorted(int(path.name) for path in workspace.root.glob(f"rounds/{every}"))
    stages = [workspace.round(number, stage) for number in numbers]
    return [f"{name}/{files}" for name in stages if workspace.is_current(name)]


def _read(root: Path, columns: pa.Schema, patterns: list[str], extra: str | None = None) -> str:
    """SELECT of a table's columns, after `extra`; empty where no file matches."""
    found = [pattern for pattern in patterns if any(root.glob(pattern))]
    if found:
        globs = ", ".join(_literal(f"{_escape(root)}/{pattern}") for pattern in found)
        source = f"read_parquet([{globs}], filename = true)"
        names = [f'"{name}"' for name in columns.names]  # some are keywords
    else:
        source = "(SELECT '' AS filename) WHERE false"
        names = [f'NULL::{SQL_TYPES[column.type]} AS "{column.name}"' for column in columns]
    return f"SELECT {', '.join([extra, *names] if extra else names)} FROM {source}"


def _stages(workspace: Workspace) -> str:
    """SELECT of the manifests as they are now."""
    rows = []
    for path in sorted(file for pattern in MANIFESTS for file in workspace.root.glob(f"{pattern}/{MANIFEST}")):
        stage = path.parent.relative_to(workspace.root).as_posix()
        if "/." not in stage and (manifest := workspace.manifest(stage)):
            sizes = [output.bytes for output in manifest.outputs.values()]
            row = {**asdict(manifest), "stage": stage, "n_outputs": len(sizes), "bytes": sum(sizes)}
            rows.append({name: row[name] for name in STAGE_COLUMNS})
    table = f"SELECT unnest(from_json({_literal(rows)}, {_literal([STAGE_COLUMNS])})) AS manifest"
    return f"SELECT unnest(manifest) FROM ({table})"


def _literal(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text.replace("'", "''") + "'"


def _escape(path: Path) -> str:
    """A path whose own characters mean nothing in a glob pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _is_database(path: Path) -> bool:
    """A DuckDB file has the bytes DUCK after its checksum."""
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"
