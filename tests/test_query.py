"""A small workspace written by hand; every expected row is counted from it by eye."""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import schema
from corpus.errors import InputError, WorkspaceError
from corpus.query import connect, named_queries, run_query, view_names, write_database
from corpus.workspace import Workspace

Rows = list[dict[str, Any]]


def commit(workspace: Workspace, stage: str, tables: dict[str, tuple[pa.Schema, Rows]], **counts: object) -> None:
    """Commit a stage of Parquet files; a column that a row lacks is null."""

    def build(directory: Path) -> dict[str, object]:
        for name, (columns, rows) in tables.items():
            table = [{column: row.get(column) for column in columns.names} for row in rows]
            pq.write_table(pa.Table.from_pylist(table, schema=columns), directory / name)
        return counts

    workspace.run(stage, build, settings={"of": stage})


def page(name: str, file: str, offset: int) -> dict[str, Any]:
    domain = f"{name[0]}.example"
    return {
        "page_id": name,
        "url": f"http://www.{domain}/{name}",
        "url_host_name": f"www.{domain}",
        "url_host_registered_domain": domain,
        "fetch_time": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        "warc_filename": file,
        "warc_record_offset": offset,
        "n_tokens": 10,
    }


def empty(root: Path) -> Workspace:
    root.mkdir(parents=True)
    (root / "corpus.toml").write_text("")
    return Workspace(root)


def build(root: Path) -> Workspace:
    """Seven captures of six pages: a was captured twice, at the same offset of two files; e is near d."""
    workspace = empty(root)
    a, b = "a.warc.gz", "b.warc.gz"
    dropped = [{"warc_filename": a, "reason": reason} for reason in ("not_html", "status_404", "not_html")]
    commit(
        workspace,
        "pool/parts",
        {
            "part-00000.parquet": (
                schema.PAGE,
                [
                    page("a", a, 0) | {"formulas_text": 2, "formulas_script": 1, "formulas_image": 0},
                    page("b", a, 100) | {"formulas_text": 4},
                    page("c", a, 200) | {"formulas_image": 3},
                ],
            ),
            "part-00001.parquet": (schema.PAGE, [page(n, b, i * 100) for i, n in enumerate("adef")]),
            "dropped-00000.parquet": (schema.DROPPED, dropped),
            "dropped-00001.parquet": (schema.DROPPED, []),
        },
        pages=7,
    )
    kept = [[("a", 0), ("b", 100), ("c", 200)], [("d", 100), ("f", 300)]]
    removed = [
        {"page_id": "a", "warc_filename": b, "warc_record_offset": 0, "kind": "url", "kept_id": "a", "cluster": 0},
        {"page_id": "e", "warc_filename": b, "kind": "near", "kept_id": "d", "jaccard": 0.9, "cluster": 1},
    ]
    tables = {
        f"kept-{rank:05d}.parquet": (
            schema.KEPT,
            [page(name, (a, b)[rank], offset) for name, offset in rows],
        )
        for rank, rows in enumerate(kept)
    }
    commit(workspace, "pool/unique", {**tables, "removed.parquet": (schema.REMOVED, removed)})
    scores = {1: [("a", 0.95), ("b", 0.35), ("c", 0.34)], 2: [("a", 1.0), ("b", 0.8), ("c", 0.7)]}
    more = {1: [("d", 0.3), ("f", None)], 2: [("d", 0.6), ("f", 0.1)]}
    for number, names in {1: "ab", 2: "abcd"}.items():
        tables = {
            f"part-{rank:05d}.parquet": (schema.SCORE, [{"page_id": n, "score": s} for n, s in rows])
            for rank, rows in enumerate((scores[number], more[number]))
        }
        commit(workspace, f"rounds/{number:02d}/scores", tables)
        recalled = [{"page_id": n, "score": 0.5, "rank": i, "n_tokens": 10} for i, n in enumerate(names, 1)]
        commit(
            workspace, f"rounds/{number:02d}/recalled", {"recalled.parquet": (schema.RECALLED, recalled)}, collected=2
        )
        expanded = [{"page_id": n, "prefix": "p", "by": "person"} for n in "cf"]
        decisions = [
            {"prefix": "p", "decision": "accept", "by": "person", "n_expanded": 2, "gain": 0.5, "purity": 0.25},
            {"prefix": "q", "decision": "reject", "by": "auto", "n_expanded": 0},
        ]
        commit(
            workspace,
            f"rounds/{number:02d}/expanded",
            {
                "expanded.parquet": (schema.EXPANDED, expanded),
                "decisions.parquet": (schema.DECISION, decisions),
                "round.parquet": (schema.ROUND, [{"round": number, "n_collected": len(names)}]),
            },
        )
        domains = [{"domain": f"{n}.example", "n_pages": 1, "n_collected": 1, "math": True} for n in names]
        checked = [{"prefix": "p", "by": "person", "n_added": 2, "n_confirmed": 1, "gained_tokens": 10, "low": False}]
        prefixes = [
            {"prefix": name, "n_pages": 5, "n_collected": 3, "gain": gain, "auto": "accept"}
            for name, gain in (("none", None), ("some", 0.1), ("most", 0.5))
        ]
        found = {
            "domains.parquet": (schema.DOMAIN, domains),
            "prefixes.parquet": (schema.PREFIX, prefixes),
            "checked.parquet": (schema.CHECKED, checked if number > 1 else []),
        }
        commit(workspace, f"rounds/{number:02d}/domains", found)
    commit(
        workspace,
        "finish/extracted",
        {
            "part-00000.parquet": (schema.EXTRACTED, [{"page_id": n} for n in "abc"]),
            "failed-00000.parquet": (schema.FAILED, [{"page_id": "d", "reason": "no_text"}]),
        },
    )
    near = [{"page_id": "b", "kind": "near", "kept_id": "a", "jaccard": 0.85, "cluster": 0}]
    commit(workspace, "finish/unique", {"removed.parquet": (schema.REMOVED, near)})
    found = {
        "page_id": "c",
        "benchmark": "gsm",
        "rule": "strict",
        "removed": "page",
        "allowed": False,
        "page_text": "n",
    }
    hits = [{**found, "item_id": item} for item in "12"]
    allowed = {"page_id": "a", "item_id": "2", "removed": None, "allowed": True}
    sets = [
        {"benchmark": name, "rule": "strict", "n_items": n, "n_unprotected": 1} for name, n in (("gsm", 4), ("math", 5))
    ]
    contaminated = {
        "part-00000.parquet": (schema.CONTAMINATED, [*hits, found | allowed]),
        "benchmarks.parquet": (schema.BENCHMARK, sets),
    }
    commit(workspace, "finish/contaminated", contaminated)
    shard = [{**page("a", a, 0), "round": 2, "score": 0.5, "language": "en", "n_formulas": 3}]
    commit(
        workspace,
        "corpus",
        {
            "shard-00000.parquet": (schema.SHARD, shard),
            "shards.parquet": (schema.SHARD_STATISTICS, [{"shard": "shard-00000.parquet", "n_pages": 1}]),
            "removed.parquet": (schema.NOT_IN_CORPUS, [{"page_id": "b", "reason": "duplicate", "kept_id": "a"}]),
        },
    )
    commit(workspace, "exports/gpt2", {}, tokens=123, documents=1)
    return workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return build(tmp_path_factory.mktemp("query") / "ws")


def rows(workspace: Workspace, query: str, **parameters: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in run_query(workspace, query, parameters).to_pylist()]


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


# --- views


def test_pages_are_the_kept_captures_even_where_two_files_hold_a_page_at_one_offset(workspace: Workspace) -> None:
    assert rows(workspace, "SELECT page_id, warc_filename FROM pages ORDER BY ALL") == [
        ("a", "a.warc.gz"),
        ("b", "a.warc.gz"),
        ("c", "a.warc.gz"),
        ("d", "b.warc.gz"),
        ("f", "b.warc.gz"),
    ]
    assert rows(workspace, "SELECT count(*) FROM captures") == [(7,)]


def test_a_view_has_the_same_columns_before_and_after_its_stage_ran(workspace: Workspace, tmp_path: Path) -> None:
    with connect(empty(tmp_path / "ws")) as fresh, connect(workspace) as built:
        for name in view_names():
            before = fresh.sql(f"SELECT * FROM {name}").to_arrow_table()
            assert before.num_rows == 0, name
            assert before.schema == built.sql(f"SELECT * FROM {name}").to_arrow_table().schema, name


def test_a_table_of_rounds_says_which_round_a_row_is_of(workspace: Workspace) -> None:
    query = "SELECT round, count(*) FROM recalled GROUP BY round ORDER BY round"
    assert rows(workspace, query) == [(1, 2), (2, 4)]


def test_removed_says_whether_the_pool_or_the_finish_removed_a_page(workspace: Workspace) -> None:
    query = "SELECT stage, page_id, kept_id FROM removed ORDER BY ALL"
    assert rows(workspace, query) == [("finish", "b", "a"), ("pool", "a", "a"), ("pool", "e", "d")]


def test_stages_and_exports_show_what_the_manifests_counted(workspace: Workspace) -> None:
    query = "SELECT n_outputs, counts->>'pages', settings->>'of' FROM stages WHERE stage = 'pool/parts'"
    assert rows(workspace, query) == [(4, "7", "pool/parts")]
    assert rows(workspace, "SELECT name, counts->>'tokens' FROM exports") == [("gpt2", "123")]
    assert rows(workspace, "SELECT count(*) FROM stages") == [(15,)]


def test_times_are_utc_whatever_the_time_zone_of_the_machine(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    table = run_query(workspace, "SELECT min(fetch_time) AS t FROM pages")
    assert table.to_pylist() == [{"t": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)}]
    assert table.schema.field("t").type.tz == "UTC"


def test_what_is_not_committed_is_not_read(tmp_path: Path) -> None:
    workspace = build(tmp_path / "ws")
    for stage in ("rounds/01/recalled", "exports/gpt2"):
        committed = workspace.path(stage)
        committed.rename(committed.with_name(f".{committed.name}.0123456789ab"))
    assert rows(workspace, "SELECT DISTINCT round FROM recalled") == [(2,)]
    assert rows(workspace, "SELECT * FROM exports") == []
    assert rows(workspace, "SELECT stage FROM stages WHERE stage LIKE '%recalled'") == [("rounds/02/recalled",)]


def test_a_path_with_quotes_and_glob_characters_is_taken_literally(tmp_path: Path) -> None:
    workspace = build(tmp_path / "rounds" / "07" / 'it\'s [a]*?{b} %"ws"')
    assert rows(workspace, "SELECT count(*) FROM pages") == [(5,)]
    assert rows(workspace, "SELECT DISTINCT round FROM scores ORDER BY round") == [(1,), (2,)]
    write_database(workspace, tmp_path / "it's.duckdb")
    with duckdb.connect(str(tmp_path / "it's.duckdb")) as connection:
        assert connection.execute("SELECT count(*) FROM pages").fetchall() == [(5,)]


def test_a_workspace_is_found_by_a_relative_path_and_by_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path / "ws")
    (tmp_path / "link").symlink_to(tmp_path / "ws")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for root in ("../ws", "../link", "../here/../ws"):
        assert rows(Workspace(Path(root)), "SELECT count(*) FROM pages") == [(5,)]


def test_a_file_that_is_no_parquet_is_an_error_that_names_its_table(tmp_path: Path) -> None:
    workspace = build(tmp_path / "ws")
    (workspace.path("pool/unique") / "removed.parquet").write_bytes(b"not parquet")
    with pytest.raises(WorkspaceError, match="the table removed cannot be read"):
        connect(workspace)


# --- what SQL may do


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{ws}/evil.parquet'",
        "COPY (SELECT 1) TO '{ws}/pool/parts/part-00000.parquet'",
        "WITH x AS (COPY (SELECT 1) TO '{ws}/evil.csv') SELECT * FROM x",
        "WITH x AS MATERIALIZED (COPY (SELECT 1) TO '{ws}/evil.csv') SELECT 1",
        "SELECT * FROM query('WITH x AS (COPY (SELECT 1) TO ''{ws}/evil.csv'') SELECT 1')",
        "SELECT 1 AS one) ; COPY (SELECT 1) TO '{ws}/evil.csv'; SELECT * FROM (SELECT 1 AS two",
        "SELECT 1; COPY (SELECT 1) TO '{ws}/evil.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{ws}/evil.csv'",
        "EXPORT DATABASE '{ws}/evil'",
        "CREATE TABLE evil AS SELECT 1",
        "CREATE OR REPLACE VIEW pages AS SELECT 1",
        "DROP VIEW pages",
        "ATTACH '{ws}/evil.duckdb' AS evil",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "PRAGMA enable_profiling",
        "CALL enable_logging(storage = 'file', storage_path = '{ws}/evil')",
        "SELECT * FROM enable_logging(storage = 'file', storage_path = '{ws}/evil')",
        "SELECT * FROM read_text('{outside}')",
        "SELECT * FROM '{outside}'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
        "SELECT * FROM outside",
    ],
)
def test_sql_that_would_change_something_or_look_elsewhere_is_refused(
    sql: str, workspace: Workspace, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("a\n1\n")
    before = snapshot(workspace.root)
    with pytest.raises(InputError):
        run_query(workspace, sql.format(ws=workspace.root, outside=outside))
    assert snapshot(workspace.root) == before
    assert list(tmp_path.iterdir()) == [outside]


@pytest.mark.parametrize("sql", ["DROP VIEW pages", "PRAGMA version", "SELECT 1; SELECT 2", ""])
def test_what_is_not_one_query_is_told_so(sql: str, workspace: Workspace) -> None:
    with pytest.raises(InputError, match="a query is one SELECT"):
        run_query(workspace, f"{sql} ")


def test_a_query_that_spills_writes_nothing_into_the_current_directory(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with connect(workspace) as connection:
        (spill,) = connection.execute("SELECT current_setting('temp_directory')").fetchone() or ("",)
    assert Path(spill).is_absolute()
    assert not Path(spill).is_relative_to(tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "FROM pages SELECT page_id WHERE page_id = 'a'",
        "WITH x AS (SELECT 'a' AS page_id) SELECT page_id FROM x",
        "SELECT page_id FROM pages WHERE page_id = 'a' -- a remark",
        "  SELECT page_id\nFROM pages WHERE page_id = 'a' ;  ",
        "VALUES ('a')",
    ],
)
def test_any_plain_query_is_answered(sql: str, workspace: Workspace) -> None:
    assert rows(workspace, sql) == [("a",)]


def test_parameters_of_own_sql_are_cast_where_they_are_compared(workspace: Workspace) -> None:
    assert rows(workspace, "SELECT count(*) FROM recalled WHERE round = $round", round="2") == [(4,)]
    with pytest.raises(InputError, match="round"):
        rows(workspace, "SELECT count(*) FROM recalled WHERE round = $round")
    with pytest.raises(InputError, match="no parameter limit: it takes round"):
        rows(workspace, "SELECT count(*) FROM recalled WHERE round = $round", limit="2")


@pytest.mark.parametrize("sql", ["SELECT FROM WHERE", "SELECT nothing FROM pages", "SELECT * FROM page", "", " -- x"])
def test_wrong_sql_is_an_input_error(sql: str, workspace: Workspace) -> None:
    with pytest.raises(InputError):
        run_query(workspace, sql)


def test_an_sql_error_lists_the_views(workspace: Workspace) -> None:
    with pytest.raises(InputError, match=r"(?s)page does not exist.*Views: .*captures, .*, stages"):
        run_query(workspace, "SELECT * FROM page")


# --- named queries


def test_every_named_query_has_a_question_and_answers_before_and_after_the_work(
    workspace: Workspace, tmp_path: Path
) -> None:
    fresh = empty(tmp_path / "ws")
    for name, query in named_queries().items():
        assert query.title.endswith("?"), name
        assert query.caveats, name
        assert "$" not in query.sql or query.parameters, name
        assert run_query(fresh, name).schema == run_query(workspace, name).schema, name


def test_an_unknown_name_lists_the_queries_and_shows_how_to_give_sql(workspace: Workspace) -> None:
    with pytest.raises(InputError, match=r"no query is called 'funel'.*funnel.*SELECT count"):
        run_query(workspace, "funel")


def test_a_named_query_refuses_parameters_it_does_not_take(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="rounds has no parameter round: it takes none"):
        rows(workspace, "rounds", round="1")
    with pytest.raises(InputError, match="parameter round must be an integer, not 'one'"):
        rows(workspace, "funnel", round="one")


def test_the_funnel_tells_where_every_record_went(workspace: Workspace) -> None:
    assert rows(workspace, "funnel") == [
        ("records", 10, 0, ""),
        ("pages", 7, 3, "not_html 2, status_404 1"),
        ("unique", 5, 2, "near duplicate 1, url duplicate 1"),
        ("collected", 4, 1, "not collected 1"),
        ("extracted", 3, 1, "no_text 1"),
        ("deduplicated", 2, 1, "near duplicate 1"),
        ("clean", 1, 1, "contaminated 1"),
        ("in corpus", 1, 0, ""),
    ]
    assert rows(workspace, "funnel", round="1")[3] == ("collected", 2, 3, "not collected 3")


def test_queries_by_round_take_the_last_round_unless_told(workspace: Workspace) -> None:
    assert [row[:2] for row in rows(workspace, "top_domains", limit="3")] == [
        (2, "a.example"),
        (2, "b.example"),
        (2, "c.example"),
    ]
    assert [row[1] for row in rows(workspace, "top_domains", round="1")] == ["a.example", "b.example"]


def test_new_domains_are_those_no_earlier_round_collected_from(workspace: Workspace) -> None:
    assert rows(workspace, "new_domains") == [(2, "c.example", 1, 10, 0.5), (2, "d.example", 1, 10, 0.5)]
    assert [row[1] for row in rows(workspace, "new_domains", round="1")] == ["a.example", "b.example"]


def test_a_bin_of_the_histogram_holds_its_lower_bound_and_the_last_one_also_one(workspace: Workspace) -> None:
    assert rows(workspace, "score_histogram") == [
        (1, None, 1, 0),
        (1, 0.3, 2, 0),
        (1, 0.35, 1, 1),
        (1, 0.95, 1, 1),
        (2, 0.1, 1, 0),
        (2, 0.6, 1, 1),
        (2, 0.7, 1, 1),
        (2, 0.8, 1, 1),
        (2, 0.95, 1, 1),
    ]


def test_an_expansion_shows_what_it_promised_and_what_the_next_round_collected_of_it(workspace: Workspace) -> None:
    assert rows(workspace, "expansions") == [
        (1, "p", "person", 2, 0.5, 0.25, 1, 0.5, 10, None, False, None),
        (2, "p", "person", 2, 0.5, 0.25, None, None, None, None, None, None),
    ]


def test_prefixes_come_with_the_largest_gain_first_and_unknown_ones_last(workspace: Workspace) -> None:
    assert [row[:2] for row in rows(workspace, "prefixes")] == [(2, "most"), (2, "some"), (2, "none")]


def test_duplicates_show_the_page_that_stands_for_a_cluster(workspace: Workspace) -> None:
    assert rows(workspace, "duplicates", stage="pool") == [
        ("pool", 0, "a", "http://www.a.example/a", 1, 1, 0, 0, None),
        ("pool", 1, "d", "http://www.d.example/d", 1, 0, 0, 1, 0.9),
    ]
    assert len(rows(workspace, "duplicates")) == 3


def test_contamination_counts_items_and_pages_of_each_benchmark_once(workspace: Workspace) -> None:
    assert rows(workspace, "contamination") == [
        ("gsm", "strict", 4, 1, 2, 0.5, 2, 1, 1),
        ("math", "strict", 5, 1, 0, 0.0, 0, 0, 0),
    ]


def test_contaminated_pages_are_shown_with_their_evidence(workspace: Workspace) -> None:
    found = rows(workspace, "contaminated_pages", benchmark="gsm")
    assert [(page, url, item, removed, text) for page, url, _, item, _, _, removed, *_, text, _, _ in found] == [
        ("a", "http://www.a.example/a", "2", None, "n"),
        ("c", "http://www.c.example/c", "1", "page", "n"),
        ("c", "http://www.c.example/c", "2", "page", "n"),
    ]
    assert rows(workspace, "contaminated_pages", benchmark="math") == []


def test_markup_counts_formulas_by_kind_in_the_pool_and_in_a_round(workspace: Workspace) -> None:
    assert rows(workspace, "markup", round="1") == [
        ("text", 2, 6, 0.6, 2, 6),
        ("image", 1, 3, 0.3, 0, 0),
        ("script", 1, 1, 0.1, 1, 1),
    ]
    assert rows(workspace, "markup")[1] == ("image", 1, 3, 0.3, 1, 3)


def test_hosts_missed_are_those_of_uncollected_pages_by_score(workspace: Workspace) -> None:
    missed = [(row[0], row[2], row[3]) for row in rows(workspace, "math_hosts_missed", round="1")]
    assert missed == [("www.c.example", 1, 0.34), ("www.d.example", 1, 0.3)]


def test_tokens_by_language_agrees_with_counting_rows(tmp_path: Path) -> None:
    workspace = empty(tmp_path / "ws")
    random = np.random.default_rng(7)
    shards: dict[str, tuple[pa.Schema, Rows]] = {}
    pages, tokens, scores = defaultdict[str | None, int](int), defaultdict[str | None, int](int), defaultdict(list)
    for number in range(3):
        names = [("en", "de", None)[i] for i in random.integers(0, 3, 200)]
        documents = [
            {"page_id": str(i), "language": name, "n_tokens": int(n), "score": float(s), "n_formulas": 1}
            for i, (name, n, s) in enumerate(zip(names, random.integers(1, 99, 200), random.random(200), strict=True))
        ]
        shards[f"shard-{number:05d}.parquet"] = (schema.SHARD, documents)
        for row in documents:
            pages[row["language"]] += 1
            tokens[row["language"]] += row["n_tokens"]
            scores[row["language"]].append(row["score"])
    commit(workspace, "corpus", shards)
    order = sorted(tokens, key=lambda name: -tokens[name])
    answer = run_query(workspace, "tokens_by_language").to_pylist()
    assert [(row["language"], row["n_pages"], row["n_tokens"]) for row in answer] == [
        (name, pages[name], tokens[name]) for name in order
    ]
    for row in answer:
        assert row["share_of_tokens"] == pytest.approx(row["n_tokens"] / sum(tokens.values()))
        assert row["mean_score"] == pytest.approx(np.mean(scores[row["language"]]), abs=1e-6)
    assert run_query(workspace, "tokens_by_language").equals(run_query(workspace, "tokens_by_language"))


# --- a database for the shell


def test_the_database_opens_without_the_project_and_shows_the_views(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "corpus.duckdb"
    before = snapshot(workspace.root)
    write_database(workspace, path)
    write_database(workspace, path)  # over one of its own
    assert snapshot(workspace.root) == before
    assert list(tmp_path.iterdir()) == [path]
    with duckdb.connect(str(path), read_only=True) as connection, connect(workspace) as built:
        for name in view_names():
            count = f"SELECT count(*) FROM {name}"
            assert connection.execute(count).fetchall() == built.execute(count).fetchall(), name


def test_a_file_that_is_no_database_is_not_overwritten(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes, longer than a header")
    with pytest.raises(InputError, match="no DuckDB database"):
        write_database(workspace, path)
    assert path.read_text() == "my notes, longer than a header"
    with pytest.raises(InputError, match="no DuckDB database"):
        write_database(workspace, tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        write_database(workspace, tmp_path / "none" / "x.duckdb")


def test_a_database_that_somebody_left_open_is_not_replaced(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "corpus.duckdb"
    write_database(workspace, path)
    (tmp_path / "corpus.duckdb.wal").write_bytes(b"")
    with pytest.raises(InputError, match=r"corpus\.duckdb\.wal"):
        write_database(workspace, path)


def test_a_failed_write_leaves_the_old_database_and_no_temporary_file(tmp_path: Path) -> None:
    workspace = build(tmp_path / "ws")
    path = tmp_path / "corpus.duckdb"
    write_database(workspace, path)
    old = path.read_bytes()
    (workspace.path("corpus") / "shards.parquet").write_bytes(b"not parquet")
    with pytest.raises(WorkspaceError, match="the table shards"):
        write_database(workspace, path)
    assert path.read_bytes() == old
    assert sorted(tmp_path.iterdir()) == [path, workspace.root]
