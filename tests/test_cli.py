"""The command line as its user sees it: streams, exit codes, help, and one public function a verb."""

import csv
import gzip
import io
import json
import os
import pty
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer
from test_sources import served
from typer.testing import CliRunner

from corpus import cli, evaluate
from corpus.config import load_settings, parse_settings, write_settings
from corpus.iterate import iterate
from corpus.query import named_queries, run_query
from corpus.status import status
from corpus.workspace import Workspace
from pipelines.collect import finish
from pipelines.export import export_corpus
from pipelines.ingest import ingest
from pipelines.score import score

VERBS: dict[str, Any] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
KINDS = {
    "math": "the of and a theorem lemma proof integral matrix vector group ring field prime sum limit series graph",
    "other": "the of and a recipe garden football music travel hotel weather fashion market cooking holiday car house",
}
SETTINGS = """
preset = "sample"
[pool]
warcs = ["*.warc.gz"]
[seed]
paths = ["seed.jsonl"]
[classifier]
epoch = 25
bucket = 1000
min_count = 1
[scoring]
evidence = false
[recall]
keep_tokens = [4000]
[domains]
confidence = 0
[run]
workers = 1
"""


def words(kind: str, key: str) -> str:
    return " ".join(random.Random(kind + key).choices(KINDS[kind].split(), k=80))


def response(url: str, body: str) -> bytes:
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}".encode()
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nContent-Type: application/http\r\n"
    return gzip.compress(f"{head}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n", mtime=0)


def make_crawl(directory: Path) -> Path:
    """Two WARC files of 8 hosts of mathematics and 16 others, a seed, labels and settings.toml."""
    directory.mkdir()
    urls = [(k, f"http://{k}{host}.example/{n}") for k, size in (("math", 8), ("other", 16)) for host in range(size)
            for n in range(4)]  # fmt: skip
    pages = [response(url, f"<title>{url}</title><p>{words(kind, url)}</p>") for kind, url in urls]
    for number in (0, 1):
        (directory / f"{number}.warc.gz").write_bytes(b"".join(pages[number::2]))
    seed = [{"url": f"http://seed{n}.example/", "text": words("math", f"seed {n}")} for n in range(40)]
    (directory / "seed.jsonl").write_text("\n".join(map(json.dumps, seed)))
    labels = [{"url": url, "label": "math" if kind == "math" else "not_math"} for kind, url in urls]
    (directory / "labels.jsonl").write_text("\n".join(map(json.dumps, labels)))
    (directory / "settings.toml").write_text(SETTINGS)
    return directory


def command(*arguments: object) -> list[str]:
    # -P: a workspace holds a folder `corpus`, and the current one would be searched first.
    return [sys.executable, "-P", "-m", "corpus", *map(str, arguments)]


def environment(columns: int = 100) -> dict[str, str]:
    """Nothing of whoever runs the tests, who may force colours or have a workspace of their own."""
    return {"PATH": os.environ["PATH"], "COLUMNS": str(columns), "LANG": "C.UTF-8", "TERM": "xterm"}


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(*arguments), env=environment(), cwd=cwd, capture_output=True, text=True, check=False, timeout=200
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_crawl(tmp_path_factory.mktemp("cli") / "crawl")


@pytest.fixture(scope="module")
def finished(crawl: Path) -> Path:
    """A workspace with two rounds, a corpus and an export, made by the command line alone."""
    root = crawl.parent / "ws"
    made = run("iterate", 2, "-w", root, "-c", crawl / "settings.toml")
    assert made.returncode == 0, made.stderr
    for verb in (["finish"], ["export", "ds", "--train-tokenizer", 300]):
        assert run(*verb, "-w", root).returncode == 0
    return root


# --- help


def paths_to_help() -> list[list[str]]:
    return [[], *([verb] for verb in VERBS)]


def help_of(verb: list[str], columns: int) -> str:
    shown = CliRunner().invoke(cli.app, [*verb, "--help"], env=environment(columns), terminal_width=columns)
    assert shown.exit_code == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout)


def test_every_verb_argument_and_option_has_a_help_text() -> None:
    own = {"extract", "dedup", "decontaminate", "benchmarks"}
    loop = {"init", "sample", "ingest", "iterate", "annotate", "status", "finish", "query", "export", "evaluate"}
    audits = {"audit", "budget"}
    assert set(VERBS) == own | loop | audits
    for name, verb in VERBS.items():
        assert verb.help and verb.help.strip(), name
        assert {parameter.name for parameter in verb.params if not (parameter.help or "").strip()} == set(), name


@pytest.mark.parametrize("verb", paths_to_help(), ids=" ".join)
@pytest.mark.parametrize("columns", [80, 120])
def test_help_shows_each_line_as_it_was_written_and_an_example(verb: list[str], columns: int) -> None:
    shown = [line.strip() for line in help_of(verb, columns).splitlines()]
    written = (VERBS[verb[0]].help if verb else cli.root.__doc__).splitlines()
    assert [line.strip() for line in written if line.strip() not in shown] == []
    examples = [line for line in shown if line.startswith("corpus ")]
    assert examples and all(line.startswith(" ".join(["corpus", *verb])) for line in examples)


def test_examples_of_the_help_are_commands_that_parse() -> None:
    queries: list[str] = []
    for name, verb in VERBS.items():
        lines = f"{verb.help}\n{cli.root.__doc__}".replace("\\\n", " ").splitlines()
        for line in lines:
            if line.strip().startswith(f"corpus {name}"):
                context = verb.make_context(name, shlex.split(line)[2:])
                queries += [context.params["name"]] if name == "query" else []
    assert {query for query in queries if query and " " not in query} <= set(named_queries())


def test_the_main_help_names_every_verb_and_exit_code() -> None:
    shown = help_of([], 80)
    for code in ("0   done", "1   failed", "2   wrong", "3   waiting", "4   workspace in use", "130 interrupted"):
        assert f"\n   {code}" in shown
    for verb in VERBS:
        assert re.search(rf"^│ {verb} ", shown, re.MULTILINE)


def test_without_a_verb_the_help_is_shown() -> None:
    done = run()
    assert "Mine a domain corpus" in done.stdout + done.stderr


# --- init and settings


def test_init_writes_every_setting_with_its_meaning_and_refuses_to_overwrite(tmp_path: Path) -> None:
    done = run("init", "-w", tmp_path / "ws", "--warcs", "a.warc.gz", "--seed", "s.jsonl", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    path = tmp_path / "ws" / "corpus.toml"
    assert str(path) in done.stdout and "corpus iterate 1" in done.stdout
    text = path.read_text()
    settings = load_settings(path)
    assert settings.pool.warcs == (str(tmp_path / "a.warc.gz"),)  # as it was typed, from where it was typed
    for section in ("pool", "seed", "classifier", "recall", "domains", "decontam", "run"):
        for key in getattr(settings, section).model_fields_set | set(type(getattr(settings, section)).model_fields):
            assert re.search(rf"^(# )?{key} = ", text, re.MULTILINE), key
    path.write_text("# mine\n")
    again = run("init", "-w", tmp_path / "ws")
    assert again.returncode == 2 and "is there already" in again.stderr
    assert path.read_text() == "# mine\n"


def test_wrong_usage_and_wrong_settings_exit_with_2(tmp_path: Path, crawl: Path) -> None:
    assert run("iterate", "many").returncode == 2
    assert run("iterate", 0).returncode == 2
    assert run("no-such-verb").returncode == 2
    assert run("init", "-w", tmp_path / "ws", "--preset", "paper").returncode == 2
    (tmp_path / "corpus.toml").write_text("[pool]\nwarc = []\n")
    done = run("ingest", "-w", tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert "pool.warc: unknown key" in done.stderr and "warcs" in done.stderr
    done = run("iterate", 1, "-w", tmp_path / "new", "-c", tmp_path / "gone.toml")
    assert done.returncode == 2 and "no such settings file" in done.stderr
    assert not (tmp_path / "new").exists()


# --- exit codes and one-line errors


@pytest.mark.parametrize("verb", [["ingest"], ["iterate", "1"], ["status"], ["finish"], ["query", "rounds"],
                                  ["export", "x", "--train-tokenizer", "300"], ["evaluate", "labels.jsonl"],
                                  ["query", "--database", "x.duckdb"]], ids=" ".join)  # fmt: skip
def test_a_directory_that_is_no_workspace_is_named_with_the_way_out(verb: list[str], tmp_path: Path) -> None:
    done = run(*verb, "-w", tmp_path / "gone", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "gone is no workspace: it holds no corpus.toml. Make one: corpus init -w" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_status_of_a_fresh_workspace_says_what_to_do_next(tmp_path: Path) -> None:
    run("init", "-w", tmp_path)
    done = run("status", "-w", tmp_path)
    assert done.returncode == 0
    assert "not built. Type: corpus ingest" in done.stdout
    assert json.loads(run("status", "-w", tmp_path, "--json").stdout)["pool"] is None


def test_a_manual_round_waits_with_3_and_goes_on_once_a_person_has_decided(crawl: Path, tmp_path: Path) -> None:
    settings = (crawl / "settings.toml").read_text()
    settings = settings.replace("[domains]", '[domains]\nannotate = "manual"').replace('["', f'["{crawl}/')
    (tmp_path / "settings.toml").write_text(settings)
    waiting = run("iterate", 1, "-w", tmp_path / "ws", "-c", tmp_path / "settings.toml")
    assert (waiting.returncode, waiting.stdout) == (3, "")
    path = tmp_path / "ws/rounds/01/annotations.csv"
    assert "Round 1 waits for a person" in waiting.stderr and str(path) in waiting.stderr
    path.write_text(path.read_text().replace("*,,", "*,auto,", 1))
    done = run("iterate", 1, "-w", tmp_path / "ws", "--json")
    assert done.returncode == 0 and len(json.loads(done.stdout)) == 1


def test_a_workspace_in_use_exits_with_4_and_names_the_holder(tmp_path: Path) -> None:
    run("init", "-w", tmp_path)
    with Workspace(tmp_path).lock():
        done = run("ingest", "-w", tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert f"in use by process {os.getpid()} on " in done.stderr


def test_an_error_of_the_file_system_is_one_line_that_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("init", "-w", tmp_path / "file" / "ws")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert f"{tmp_path}/file" in done.stderr and "Not a directory" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where it likes")
def test_a_read_only_workspace_is_one_line_that_names_it(tmp_path: Path) -> None:
    run("init", "-w", tmp_path / "ws")
    (tmp_path / "ws").chmod(0o555)
    done = run("ingest", "-w", tmp_path / "ws")
    (tmp_path / "ws").chmod(0o755)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "Permission denied" in done.stderr and str(tmp_path / "ws") in done.stderr


def test_an_unexpected_error_of_the_file_system_in_a_stage_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(30, "Read-only file system", str(tmp_path / "ws/.lock"))

    write_settings(tmp_path / "corpus.toml", load_settings_of(""))
    monkeypatch.setattr(Workspace, "lock", read_only)
    done = CliRunner().invoke(cli.app, ["ingest", "-w", str(tmp_path)])
    assert done.exit_code == 1
    assert "ws/.lock: Read-only file system. Check the path" in done.stderr


def load_settings_of(text: str) -> Any:
    return parse_settings({}, source="test", base=Path())


# --- interruption


def test_ctrl_c_says_that_the_same_command_goes_on_and_it_does(crawl: Path, tmp_path: Path) -> None:
    """Interrupted inside a worker, the whole group at once as a terminal does it."""
    directory = tmp_path / "hanging"
    shutil.copytree(crawl, directory)
    hostile = response("http://hostile.example/", "<div>" * 200_000)
    with (directory / "0.warc.gz").open("ab") as file:
        file.write(hostile)
    settings = (directory / "settings.toml").read_text().replace("workers = 1", "workers = 2")
    (directory / "settings.toml").write_text(settings + "[unique]\nnear = false\n")
    root = tmp_path / "ws"
    with subprocess.Popen(
        command("ingest", "-w", root, "-c", directory / "settings.toml"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        second = re.compile(r"part-00001\.parquet$")  # the other file is done, this worker hangs for 10 s
        wait_for(lambda: any(second.search(p.name) for p in root.glob("pool/.parts.*/part-*")), process)
        os.killpg(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert error.splitlines()[-1] == "Interrupted. The same command takes up where it was."
    assert "Traceback" not in error and error.count("\n") == 1
    (directory / "0.warc.gz").write_bytes((directory / "0.warc.gz").read_bytes().removesuffix(hostile))
    assert run("ingest", "-w", root).returncode == 0


def wait_for(condition: Any, process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        signal.sigtimedwait([], 0.02)


def test_ctrl_c_before_any_work_is_one_line_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.warc")
    assert run("init", "-w", tmp_path / "ws", "--warcs", "a.warc", cwd=tmp_path).returncode == 0
    with (
        subprocess.Popen(
            command("ingest", "-w", tmp_path / "ws"),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        (tmp_path / "a.warc").open("wb"),
    ):  # fmt: skip - the pipe opens when it is opened for reading
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert error == "Interrupted. The same command takes up where it was.\n"


def test_a_reader_that_has_seen_enough_is_no_error(finished: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command("query", "SELECT range FROM range(200000)", "-w", finished, "-f", "csv"),
        env=environment(), stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 141  # as of a program that SIGPIPE ended


# --- progress


def test_stages_are_plain_lines_on_standard_error_where_it_is_no_terminal(crawl: Path, tmp_path: Path) -> None:
    done = run("ingest", "-w", tmp_path / "ws", "-c", crawl / "settings.toml")
    lines = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["pool/parts", "pool/signatures", "pool/unique"]
    assert all(re.fullmatch(r"\S+: done, \d+\.\d s", line) for line in lines)
    assert "96 unique pages of 96" in done.stdout


def test_stages_are_bars_in_a_terminal(crawl: Path, tmp_path: Path) -> None:
    terminal, standard_error = pty.openpty()
    with subprocess.Popen(
        command("ingest", "-w", tmp_path / "ws", "-c", crawl / "settings.toml"),
        env=environment(), stdout=subprocess.DEVNULL, stderr=standard_error,
    ) as process:  # fmt: skip
        os.close(standard_error)
        shown = b"".join(read_until_closed(terminal)).decode()
    os.close(terminal)
    assert process.returncode == 0
    assert "━" in shown and "pool/unique" in shown
    assert "done," not in shown


def read_until_closed(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(terminal, 65_536)
        except OSError:  # Linux's end of a terminal that nobody has open
            return
        if not piece:
            return
        yield piece


# --- results


def test_json_is_all_that_standard_output_holds(finished: Path, crawl: Path) -> None:
    (state,) = [json.loads(run("status", "-w", finished, "--json").stdout)]
    assert state == status(Workspace(finished))
    assert state["corpus"]["n_pages"] == json.loads(run("finish", "-w", finished, "--json").stdout)["corpus"]["n_pages"]
    rows = json.loads(run("iterate", 2, "-w", finished, "--json").stdout)
    assert rows == state["rounds"] and [row["round"] for row in rows] == [1, 2]
    exported = json.loads(run("export", "ds", "-w", finished, "--train-tokenizer", 300, "--json").stdout)
    assert exported["n_documents"] == state["corpus"]["n_pages"]
    verified = run("export", "ds", "-w", finished, "--verify", "--json")
    assert verified.returncode == 0 and json.loads(verified.stdout)["n_mismatches"] == 0
    assert json.loads(run("ingest", "-w", finished, "--json").stdout) == state
    labels = crawl / "labels.jsonl"
    found = json.loads(run("evaluate", labels, "-w", finished, "--json").stdout)
    assert found == json.loads(json.dumps(evaluate.evaluate(Workspace(finished), [labels]).as_dict()))


def test_a_second_run_does_nothing_and_says_nothing_but_the_result(finished: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*.parquet")}
    done = run("iterate", 2, "-w", finished)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[:3] == ["round", "pool", "seed"]
    assert run("iterate", 2, "-w", finished, "--quiet").stdout == ""
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*.parquet")} == before


def test_an_answer_is_a_table_csv_json_or_parquet(finished: Path, tmp_path: Path) -> None:
    sql = "SELECT url, n_tokens FROM pages ORDER BY url LIMIT 3"
    rows = run_query(Workspace(finished), sql).to_pylist()
    assert len(rows) == 3
    table = run("query", sql, "-w", finished).stdout.splitlines()
    assert table[0].split() == ["url", "n_tokens"]
    assert [line.split() for line in table[1:]] == [[row["url"], str(row["n_tokens"])] for row in rows]
    printed = run("query", sql, "-w", finished, "-f", "csv").stdout
    assert list(csv.DictReader(io.StringIO(printed))) == [{k: str(v) for k, v in row.items()} for row in rows]
    assert json.loads(run("query", sql, "-w", finished, "--json").stdout) == rows
    assert json.loads(run("query", sql, "-w", finished, "-f", "json").stdout) == rows
    for ending in ("csv", "json", "parquet"):
        done = run("query", sql, "-w", finished, "-f", ending, "-o", tmp_path / f"out.{ending}")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out.csv").read_text() == printed
    assert json.loads((tmp_path / "out.json").read_text()) == rows
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == rows
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["SELECT 1 AS x", "-f", "parquet"], "needs --output"),
        (["SELECT 1 AS x", "-f", "csv", "-o", "no/such/folder/x.csv"], "there is no folder no/such/folder"),
        (
            ["no_such_query"],
            "no query is called 'no_such_query'. There are: boilerplate, contaminated_pages, contamination",
        ),
        (["SELECT nothing FROM pages"], "DuckDB: "),
        (["DROP VIEW pages"], "one SELECT"),
        (["rounds", "--set", "round"], "--set round: a name and a value are wanted"),
        (["top_domains", "--set", "round=two"], "must be an integer"),
        (["rounds", "--set", "color=red"], "has no parameter color"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(arguments: list[str], words: str, finished: Path) -> None:
    done = run("query", *arguments, "-w", finished)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr


def test_query_without_a_name_lists_the_questions_without_a_workspace(tmp_path: Path) -> None:
    done = run("query", cwd=tmp_path)
    assert done.returncode == 0
    for name, query in named_queries().items():
        assert re.search(rf"^{name} +{re.escape(query.title)}$", done.stdout, re.MULTILINE)


def test_database_is_a_file_that_duckdb_opens(finished: Path, tmp_path: Path) -> None:
    import duckdb

    done = run("query", "-w", finished, "--database", tmp_path / "x.duckdb")
    assert done.returncode == 0 and f"duckdb {tmp_path / 'x.duckdb'}" in done.stdout
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.sql("SELECT count(*) FROM pages").fetchall() == [(96,)]


def test_a_parameter_of_a_query_is_set(finished: Path) -> None:
    asked = partial(run, "query", "top_domains", "-w", finished, "--json", "--set", "limit=2")
    first, last = (json.loads(asked("--set", f"round={number}").stdout) for number in (1, 2))
    assert {row["round"] for row in first} == {1} and {row["round"] for row in last} == {2}
    assert len(first) == len(last) == 2
    assert json.loads(asked().stdout) == last


def test_evaluate_shows_rounds_and_corpus(finished: Path, crawl: Path) -> None:
    done = run("evaluate", crawl / "labels.jsonl", "-w", finished)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("all labels: ") and "math 32" in lines[0]
    assert lines[1].split() == ["round", "AP", "P", "at", "R", ".85", "precision", "recall", "true", "false", "missed"]
    assert [line.split()[0] for line in lines[2:5]] == ["1", "2", "corpus"]
    assert float(lines[2].split()[1]) > 0.9


def test_status_shows_pool_rounds_corpus_and_exports(finished: Path) -> None:
    shown = run("status", "-w", finished).stdout
    for words in ("96 unique pages of 96 captured in 2 files", "math domains", "tokens (estimated)", "export     ds: "):
        assert words in shown


def test_the_workspace_may_come_from_the_environment_and_is_here_otherwise(finished: Path, tmp_path: Path) -> None:
    for more, cwd in (({"CORPUS_WORKSPACE": str(finished)}, tmp_path), ({}, finished)):
        done = subprocess.run(
            command("status", "--json"), env=environment() | more, cwd=cwd, capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)["workspace"] == str(finished)


def test_all_verbs_run_in_the_directory_of_a_workspace_that_holds_a_corpus(finished: Path, tmp_path: Path) -> None:
    """Processes that a verb starts must not take the stage `corpus` there for the package."""
    shutil.copytree(finished, tmp_path / "ws")
    settings = (tmp_path / "ws/corpus.toml").read_text()
    (tmp_path / "ws/corpus.toml").write_text(
        settings.replace("epoch = 25", "epoch = 26").replace("[pool]", "[pool]\nmin_chars = 100")
    )
    for verb in (["iterate", 1], ["finish", "--round", 1]):
        done = run(*verb, cwd=tmp_path / "ws")
        assert done.returncode == 0, done.stderr
        assert "pool/parts: done" in done.stderr or "finish/extracted: done" in done.stderr


def test_a_crawl_over_http_gives_the_same_corpus_and_finish_reads_records_alone(
    finished: Path, crawl: Path, tmp_path: Path
) -> None:
    settings = (crawl / "settings.toml").read_text().replace("workers = 1", "workers = 2")
    with served(crawl) as (address, asked):
        (tmp_path / "settings.toml").write_text(settings.replace('["', f'["{address}/'))
        assert run("iterate", 2, "-w", tmp_path / "ws", "-c", tmp_path / "settings.toml").returncode == 0
        asked.clear()
        assert run("finish", "-w", tmp_path / "ws").returncode == 0
        size = (crawl / "0.warc.gz").stat().st_size
    wanted = [wanted for verb, path, wanted in asked if verb == "GET" and path.endswith(".warc.gz")]
    lengths = [int(last) - int(first) + 1 for first, last in (re.findall(r"\d+", each or "0-0") for each in wanted)]
    assert len(lengths) >= 31 and max(lengths) < size / 10
    mine, theirs = (pq.read_table(sorted(root.glob("corpus/shard-*"))[0]) for root in (tmp_path / "ws", finished))
    assert mine.equals(theirs)


def test_library_calls_make_the_same_corpus_as_the_command_line(finished: Path, crawl: Path, tmp_path: Path) -> None:
    """Each verb is one public function of the workspace and its settings."""

    def fan_out(task: Any, ranks: Any, directory: Path) -> None:
        for rank in ranks:
            task(rank)

    settings = load_settings(crawl / "settings.toml")
    write_settings(tmp_path / "corpus.toml", settings)
    workspace, reference = Workspace(tmp_path), Workspace(finished)
    ingest(workspace, settings, fan_out)
    rows = iterate(workspace, settings, 2, partial(score, fan_out=fan_out))
    finish(workspace, settings, fan_out)
    given: dict[str, Any] = {"tokenizer": None, "train_vocab": 300, "format": "ds", "shard_tokens": 100_000_000}
    made = export_corpus(workspace, "ds", **given, seed=1, shuffle=True, eos=None, fan_out=fan_out)
    assert rows == status(reference)["rounds"]
    for stage in ("pool/unique", "rounds/02/model", "corpus", "exports/ds"):
        mine, theirs = workspace.manifest(stage), reference.manifest(stage)
        assert mine and theirs and mine.fingerprint == theirs.fingerprint
        assert {n: o.digest for n, o in mine.outputs.items()} == {n: o.digest for n, o in theirs.outputs.items()}
    assert made == dict(theirs.counts)
