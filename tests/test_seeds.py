"""Seeds of every kind and from everywhere, and what a round draws of them."""

import gzip
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_sources import Files, served

from corpus.config import Settings, parse_settings
from corpus.errors import InputError, StageError
from corpus.given import gather
from corpus.schema import DOCUMENT, EXPANDED, KEPT, PAGE, RECALLED, SEED
from corpus.seeds import choose_held_out, draw
from corpus.stages import part
from corpus.tables import read_rows, write_rows
from corpus.text import classifier_line
from corpus.urls import canonical_url, host_name, page_id, registered_domain
from corpus.workspace import Workspace

TEXT = "Let G be a group and $x^\\prime$ an element of it. " * 6
OPEN_WEB_MATH = pa.schema([(name, pa.string()) for name in ("url", "text", "date", "metadata")])


def settings(**sections: Any) -> Settings:
    return parse_settings({"pool": {"min_chars": 20}, **sections}, source="test", base=Path())


def gathered(directory: Path, *patterns: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    out = directory / "positives.parquet"
    counts = gather(patterns, out, settings())
    assert pq.read_schema(out).equals(SEED)
    assert sorted(path.name for path in directory.glob(".*")) == []  # nothing is left lying about
    return counts, list(read_rows(out))


def documents(n: int) -> list[dict[str, str]]:
    return [{"url": f"http://www.s{i}.com/p", "text": f"{TEXT} {i}"} for i in range(n)]


def write_jsonl(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """With OpenWebMath's columns."""
    full = [{**row, "date": "2023-01-02 03:04:05", "metadata": '{"x": 1}'} for row in rows]
    pq.write_table(pa.Table.from_pylist(full, schema=OPEN_WEB_MATH), path)


def write_warc(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_bytes(b"".join(gzip.compress(response(row["url"], f"<p>{row['text']}"), mtime=0) for row in rows))


def response(url: str, html: str) -> bytes:
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}".encode()
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nContent-Type: application/http\r\n"
    return f"{head}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"


WRITERS: dict[str, Callable[[Path, Sequence[Mapping[str, Any]]], None]] = {
    "seed.jsonl": write_jsonl,
    "seed.jsonl.gz": write_jsonl,
    "seed.json": write_jsonl,
    "seed.parquet": write_parquet,
    "seed.warc.gz": write_warc,
}


# --- reading


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("remote", [False, True], ids=["file", "http"])
def test_every_kind_gives_the_same_documents_from_a_file_and_over_http(name: str, remote: bool, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "out").mkdir()
    WRITERS[name](tmp_path / "given" / name, documents(5))
    with served(tmp_path / "given") as (address, _):
        counts, rows = gathered(tmp_path / "out", f"{address}/{name}" if remote else str(tmp_path / "given" / name))
    assert counts == {"n_documents": 5, "n_duplicates": 0, "dropped": {}}
    assert [row["doc_id"] for row in rows] == sorted(page_id(canonical_url(d["url"])) for d in documents(5))
    assert {(row["n_formulas"], row["n_commands"]) for row in rows} == {(6, 1)}
    assert {(row["url"], row["domain"], row["text"]) for row in rows} == {
        (d["url"], f"s{i}.com", " ".join(classifier_line(d["text"]).split())) for i, d in enumerate(documents(5))
    }


class Hub(Files):
    """What HfFileSystem asks of a hub, for one data set `org/math`."""

    def answer(self, with_body: bool) -> None:
        split = urlsplit(unquote(self.path))
        path = split.path
        if found := re.fullmatch(r"/datasets/org/math/resolve/main/(.+)", path):
            self.path = found[1]
            super().answer(with_body)
            return
        self.asked.append((self.command, path, None))
        files = [
            {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": "1" * 40} for f in self.root.iterdir()
        ]
        if re.fullmatch(r"/api/datasets/org/math(/revision/main)?", path):
            self.as_json({"id": "org/math", "sha": "0" * 40, "siblings": []}, with_body)
        elif path.startswith("/api/datasets/org/math/tree/main"):
            self.as_json(files, with_body)
        elif path.startswith("/api/datasets/org/math/paths-info/"):
            size = int(self.headers.get("Content-Length") or 0)
            wanted = self.rfile.read(size).decode()
            self.as_json([file for file in files if str(file["path"]) in wanted], with_body)
        else:
            self.send(404, b"", with_body, {"X-Error-Code": "RepoNotFound"})

    def do_POST(self) -> None:
        self.answer(with_body=True)

    def as_json(self, value: object, with_body: bool) -> None:
        self.send(200, json.dumps(value).encode(), with_body, {"Content-Type": "application/json"})


GATHER = """
import json, sys
from pathlib import Path
from corpus.config import Settings
from corpus.given import gather
from corpus.sources import stamps
from corpus.given import KINDS
print(json.dumps([gather(sys.argv[2:], Path(sys.argv[1]), Settings()), stamps(sys.argv[2:], Path(), KINDS)]))
"""


def gather_from_hub(address: str, out: Path, *patterns: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the hub's address is read when its library is imported."""
    return subprocess.run(
        [sys.executable, "-c", GATHER, out, *patterns],
        env={"PATH": os.environ["PATH"], "HF_ENDPOINT": address, "HF_HOME": str(out.parent / "hub")},
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


def test_a_data_set_of_the_hub_is_read_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "out").mkdir()
    write_parquet(tmp_path / "given/train-0.parquet", documents(5)[:2])
    write_parquet(tmp_path / "given/train-1.parquet", documents(5)[2:])
    (tmp_path / "given/README.md").write_text("a data set")
    out = tmp_path / "out/positives.parquet"
    with served(tmp_path / "given", handler=Hub) as (address, asked):
        for pattern in ("train-*.parquet", "train-0.parquet"):
            done = gather_from_hub(address, out, f"hf://datasets/org/math/{pattern}")
            assert done.returncode == 0, done.stderr
            counts, stamps_ = json.loads(done.stdout)
            assert counts["n_documents"] == (5 if "*" in pattern else 2)
            assert all("size" in stamp and "blob_id" in stamp for stamp in stamps_.values())
        assert any(wanted for _, path, wanted in asked if path == "train-0.parquet")
        gone = gather_from_hub(address, out, "hf://datasets/org/other/x.parquet")
        assert gone.returncode == 1 and "InputError: hf://datasets/org/other/x.parquet: " in gone.stderr


def test_a_document_given_twice_stands_once_however_it_is_given(tmp_path: Path) -> None:
    rows = documents(3)
    rows[1]["url"] = "HTTP://WWW.S0.com:80/p#part"  # the first one's address
    write_jsonl(tmp_path / "a.jsonl", rows)
    write_parquet(tmp_path / "b.parquet", rows[2:])
    write_jsonl(tmp_path / "c.jsonl", [{"text": "no address " + TEXT}, {"text": "NO  address " + TEXT, "url": "?"}])
    counts, found = gathered(
        tmp_path, str(tmp_path / "a.jsonl"), str(tmp_path / "b.parquet"), str(tmp_path / "c.jsonl")
    )
    assert (counts["n_documents"], counts["n_duplicates"]) == (3, 3)
    assert sorted(str(row["domain"]) for row in found) == ["None", "s0.com", "s2.com"]


def test_the_order_of_files_and_rows_changes_nothing(tmp_path: Path) -> None:
    rows = [*documents(20), {"url": "http://s3.com/p", "text": "another text at an address that is known"}]
    outputs = []
    for number in range(2):
        directory = tmp_path / str(number)
        directory.mkdir()
        random.Random(number).shuffle(rows)
        write_jsonl(directory / "ab"[number], rows[:11])
        (directory / "ab"[number]).rename(directory / f"{'ab'[number]}.jsonl")
        write_jsonl(directory / f"{'ba'[number]}.jsonl", rows[11:])
        gather([str(directory / "*.jsonl")], directory / "out.parquet", settings())
        outputs.append((directory / "out.parquet").read_bytes())
    assert outputs[0] == outputs[1]


def test_texts_with_nothing_to_read_and_records_that_are_no_page_are_counted(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [*documents(1), {"text": ""}, {"text": " \n\x00"}])
    (tmp_path / "a.warc").write_bytes(response("http://x.example/", "<p>short"))
    counts, _ = gathered(tmp_path, str(tmp_path / "a.jsonl"), str(tmp_path / "a.warc"))
    assert counts == {"n_documents": 1, "n_duplicates": 0, "dropped": {"empty_text": 2, "too_short": 1}}


def test_a_blank_line_and_a_null_are_no_broken_lines(tmp_path: Path) -> None:
    lines = ["", json.dumps({"text": TEXT, "url": None}), "", json.dumps({"text": "x y", "url": 7}), ""]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert gathered(tmp_path, str(tmp_path / "a.jsonl"))[0]["n_documents"] == 2
    table = pa.table({"text": pa.array([TEXT, None]), "url": pa.array([None, "http://x.example/"], pa.string())})
    pq.write_table(table, tmp_path / "a.parquet")
    assert gathered(tmp_path, str(tmp_path / "a.parquet"))[0]["dropped"] == {"empty_text": 1}


BROKEN: dict[str, tuple[str, bytes, str]] = {
    "empty file": ("a.jsonl", b"", r"a\.jsonl: not one document to learn from \(they hold no rows\)"),
    "all texts empty": ("a.jsonl", b'{"text": ""}\n' * 3, r"not one document to learn from \(3 empty_text\)"),
    "broken line": ("a.jsonl", b'{"text": "x"}\n{"text": \n', r"a\.jsonl, line 2: not JSON"),
    "not UTF-8": ("a.jsonl", b'{"text": "x"}\n{"text": "\xff"}\n', r"a\.jsonl, line 2: not JSON"),
    "no object": ("a.jsonl", b'["text"]\n', r"a\.jsonl, line 1: an object with a text was expected"),
    "no text": ("a.jsonl", b'{"content": "x"}\n', r"a\.jsonl, line 1: an object with a text was expected"),
    "text is no string": ("a.jsonl", b'{"text": 1}\n', r"a\.jsonl, line 1: an object with a text was expected"),
    "deep": ("a.jsonl", b'{"text": ' + b"[" * 200_000, r"a\.jsonl, line 1: not JSON"),
    "truncated": ("a.jsonl.gz", gzip.compress(b'{"text": "x"}\n' * 99)[:-9], r"a\.jsonl\.gz: cannot be read"),
    "not gzip": ("a.jsonl.gz", b'{"text": "x"}\n', r"a\.jsonl\.gz: cannot be read"),
    "not Parquet": ("a.parquet", b"PAR1 but no more", r"a\.parquet is not a Parquet file"),
    "empty Parquet": ("a.parquet", b"", r"a\.parquet is not a Parquet file"),
    "unknown suffix": ("a.csv", b"text\nx\n", r"a\.csv: its name has none of the ends .*\.jsonl.*\.parquet.*\.warc"),
    "no WARC": ("a.warc", b"<html>", r"not one document to learn from \(1 not_warc\)"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_seed_that_cannot_be_used_is_named_with_the_reason(case: str, tmp_path: Path) -> None:
    name, data, message = BROKEN[case]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        gather([str(tmp_path / name)], tmp_path / "out.parquet", settings())


@pytest.mark.parametrize("table", [{"content": ["x"]}, {"text": [1]}, {"text": [["x"]]}], ids=str)
def test_a_parquet_file_without_a_column_of_texts_is_named(table: dict[str, Any], tmp_path: Path) -> None:
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet: "):
        gather([str(tmp_path / "a.parquet")], tmp_path / "out.parquet", settings())


def test_a_damaged_parquet_page_is_named(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", documents(2000))
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    data[100:1500] = bytes(1400)
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.parquet"):
        gather([str(tmp_path / "a.parquet")], tmp_path / "out.parquet", settings())


def test_a_seed_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "gone")
    for pattern in ("gone.jsonl", "link.jsonl", str(tmp_path)):
        with pytest.raises(InputError, match=re.escape(pattern)):
            gather([pattern], tmp_path / "out.parquet", settings())


# --- drawing


def make_workspace(
    root: Path, pool: Sequence[str], positives: Sequence[str] = (), negatives: Sequence[str] | None = None,
    n_parts: int = 1,
) -> Workspace:  # fmt: skip
    """Pool pages and given documents by URL; a given one without a slash has no URL."""
    (root / "corpus.toml").write_text("")
    workspace = Workspace(root)
    for stage, name, columns in (("pool/parts", "part", PAGE), ("pool/unique", "kept", KEPT)):
        workspace.path(stage).mkdir(parents=True)
        for rank in range(n_parts):
            rows = [
                {**identity(url), "page_id": identity(url)["doc_id"], "text": f"Text of {url}", "warc_filename": "a",
                 "url_host_registered_domain": identity(url)["domain"], "warc_record_offset": offset}
                for offset, url in enumerate(pool)
            ][rank::n_parts]  # fmt: skip
            write_rows(part(workspace.path(stage), rank, name), [{c: r.get(c) for c in columns.names} for r in rows],
                       columns)  # fmt: skip
    workspace.path("seed").mkdir()
    for name, urls in (("positives", positives), ("negatives", negatives)):
        if urls is not None:
            rows = [{**identity(url), "text": f"text of {url}"} for url in urls]
            write_rows(workspace.path("seed") / f"{name}.parquet", rows, SEED)
    return workspace


def identity(url: str) -> dict[str, str | None]:
    if "/" not in url:
        return {"doc_id": url, "url": None, "domain": None}
    url = canonical_url(url)
    return {"doc_id": page_id(url), "url": url, "domain": registered_domain(host_name(url))}


def add_round(
    workspace: Workspace,
    number: int,
    recalled: Sequence[str] = (),
    expanded: Sequence[str] = (),
    withdrawn: Sequence[str] = (),
    by: str = "auto",
) -> None:
    """A round before: what it collected, expanded to, and withdrew of what the one before it expanded to."""
    for stage, name, urls in (
        ("recalled", "recalled", recalled),
        ("expanded", "expanded", expanded),
        ("domains", "withdrawn", withdrawn),
    ):
        directory = workspace.path(workspace.round(number, stage))
        directory.mkdir(parents=True)
        columns = RECALLED if stage == "recalled" else EXPANDED
        rows = ({"page_id": identity(url)["doc_id"], "by": by} for url in urls)
        write_rows(directory / f"{name}.parquet", rows, columns)


def drawn(
    workspace: Workspace, number: int = 1, persons: Mapping[str, str] | None = None, **sections: Any
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    directory = workspace.path(workspace.round(number, "seed"))
    directory.mkdir(parents=True, exist_ok=True)
    counts = draw(workspace, number, settings(**sections), directory, persons or {})
    both = []
    for name in ("positives", "negatives"):
        assert pq.read_schema(directory / f"{name}.parquet").equals(DOCUMENT)
        both.append(list(read_rows(directory / f"{name}.parquet")))
        assert counts[f"n_{name}"] == len(both[-1])
    assert counts["n_expanded"] == sum(row["source"] == "expanded" for row in both[0])
    return both[0], both[1]


def names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [row["url"] or row["doc_id"] for row in rows]


POOL = [f"http://p{i}.example/{j}" for i in range(20) for j in range(3)]
GIVEN = [f"http://g{i}.example/" for i in range(20)]


def line(text: str) -> str:
    return " ".join(classifier_line(text).split())


def apart(rows: Sequence[Mapping[str, Any]], known: Sequence[str]) -> list[str]:
    """Negatives but for those that are known to be positives, which are held out, every one."""
    assert all(row["held_out"] for row in rows if row["url"] in known)
    return sorted(set(names(rows)) - set(known))


def test_negatives_to_train_on_are_pool_pages_that_are_no_positives(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, POOL, [*GIVEN, *POOL[:10]])
    positives, negatives = drawn(workspace, negatives={"per_positive": 100.0})
    assert sorted(names(positives)) == sorted([*GIVEN, *POOL[:10]])
    assert apart(negatives, POOL[:10]) == sorted(POOL[10:])
    assert {row["source"] for row in positives} == {"seed"} and {row["source"] for row in negatives} == {"pool"}
    assert all(row["text"] == line(f"Text of {row['url']}") for row in negatives)


def test_a_given_document_whose_page_is_in_the_pool_has_the_pools_text(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, POOL, [*GIVEN, *POOL[:4], "no-url"], [GIVEN[0], *POOL[30:40], "other"])
    both = drawn(workspace, negatives={"paths": ["n.jsonl"], "per_positive": 100.0})
    for rows, in_pool in zip(both, (POOL[:4], POOL[30:40]), strict=True):
        assert set(in_pool) < set(names(rows))
        for row in rows:
            name = row["url"] or row["doc_id"]
            assert row["text"] == (line(f"Text of {name}") if name in in_pool else f"text of {name}")
            assert row["source"] == "seed"


def test_held_out_negatives_of_the_pool_are_drawn_whatever_is_known_of_a_page(tmp_path: Path) -> None:
    """They stand for the pool: its share of what is sought, and the likely errors of an expansion."""
    workspace = make_workspace(tmp_path, POOL, [*GIVEN, *POOL[::3]])
    add_round(workspace, 1, expanded=POOL[1::3])
    positives, negatives = drawn(workspace, 2, negatives={"per_positive": 100.0}, classifier={"held_out": 0.3})
    held_out = {row["domain"] for row in negatives if row["held_out"]}
    assert held_out
    of_them = [url for url in POOL if identity(url)["domain"] in held_out]
    assert sorted(row["url"] for row in negatives if row["held_out"]) == sorted(of_them)
    assert {row["url"] for row in positives if row["held_out"]} >= {url for url in of_them if url in POOL[::3]}


def test_the_numbers_are_those_of_the_settings(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, POOL, GIVEN)
    positives, negatives = drawn(workspace, seed={"max_docs": 7}, negatives={"per_positive": 1.5})
    assert (len(positives), len(negatives)) == (7, 10)  # round(10.5), halves to the even


def test_a_draw_depends_on_its_seed_and_not_on_the_order_of_pool_or_seed(tmp_path: Path) -> None:
    def of(name: str, pool: Sequence[str], given: Sequence[str], n_parts: int, random_seed: int) -> list[bytes]:
        (tmp_path / name).mkdir()
        workspace = make_workspace(tmp_path / name, pool, given, n_parts=n_parts)
        drawn(workspace, classifier={"random_seed": random_seed}, seed={"max_docs": 10})
        directory = workspace.path("rounds/01/seed")
        return [(directory / f"{each}.parquet").read_bytes() for each in ("positives", "negatives")]

    first = of("a", POOL, GIVEN, 1, 1)
    assert of("b", POOL[::-1], GIVEN[::-1], 3, 1) == first
    other = of("c", POOL, GIVEN, 1, 2)
    assert other[0] != first[0] and other[1] != first[1]
    for name in ("positives", "negatives"):  # other documents, not only others held out
        one, two = (pq.read_table(tmp_path / f"{w}/rounds/01/seed/{name}.parquet")["doc_id"].to_pylist() for w in "ac")
        assert set(one) != set(two)


def test_what_was_expanded_to_joins_the_positives_once_and_is_no_negative_to_train_on(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, POOL, [*GIVEN, POOL[0]])
    add_round(workspace, 1, expanded=POOL[:3])
    add_round(workspace, 2, expanded=POOL[2:5])
    positives, negatives = drawn(workspace, 3, negatives={"per_positive": 100.0})
    held_out = {row["domain"] for row in [*positives, *negatives] if row["held_out"]}
    joined = [url for url in POOL[1:5] if identity(url)["domain"] not in held_out]
    assert joined
    assert sorted(names(positives)) == sorted([*GIVEN, POOL[0], *joined])
    assert {row["url"]: row["source"] for row in positives if row["url"] in POOL} == {
        POOL[0]: "seed", **dict.fromkeys(joined, "expanded")
    }  # fmt: skip
    text = next(row["text"] for row in positives if row["url"] == joined[0])
    assert text == line(f"Text of {joined[0]}")
    assert apart(negatives, POOL[:5]) == sorted(POOL[5:])


def test_what_was_withdrawn_leaves_the_seed_unless_a_person_brought_it_back(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, POOL, GIVEN)
    near = [POOL[n] for n in (1, 11, 12, 13)]
    add_round(workspace, 1, expanded=near)
    add_round(workspace, 2, expanded=[POOL[6]], withdrawn=near[1:])
    add_round(workspace, 3, expanded=near[3:], by="person")
    for number, joined in ((2, near), (3, [near[0], POOL[6]]), (4, [near[0], near[3], POOL[6]])):
        positives, negatives = drawn(workspace, number)
        held_out = {row["domain"] for row in [*positives, *negatives] if row["held_out"]}
        expected = {url for url in joined if identity(url)["domain"] not in held_out}
        assert {row["url"] for row in positives if row["source"] == "expanded"} == expected


def test_positives_that_were_not_drawn_are_not_trained_on_as_negatives_either(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, POOL, [*GIVEN, *POOL[:10]])
    add_round(workspace, 1, expanded=POOL[10:20])
    positives, negatives = drawn(workspace, 2, seed={"max_docs": 5}, negatives={"per_positive": 100.0})
    assert len(positives) <= 5
    assert apart(negatives, POOL[:20]) == sorted(POOL[20:])


def test_what_a_person_rejects_later_leaves_the_positives(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, POOL, GIVEN)
    add_round(workspace, 1, expanded=POOL[:6])  # of p0.example and p1.example
    sources = {}
    for said in ("accept", "reject"):
        positives, _ = drawn(workspace, 2, {"p0.example": said, "p1.example": "auto"})
        sources[said] = {url for url in names(positives) if url in POOL}
    assert sources["accept"] - sources["reject"] == set(POOL[:3])
    assert sources["reject"] <= set(POOL[3:6])


def test_expanded_pages_are_never_held_out_and_a_held_out_domain_is_not_expanded_to(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, POOL, GIVEN)
    add_round(workspace, 1, expanded=[url for url in POOL if url.endswith("/0")])
    positives, negatives = drawn(workspace, 2, negatives={"per_positive": 2.0}, classifier={"held_out": 0.4})
    expanded = [row for row in positives if row["source"] == "expanded"]
    assert expanded and not any(row["held_out"] for row in expanded)
    assert not {row["domain"] for row in expanded} & {row["domain"] for row in negatives if row["held_out"]}


@pytest.mark.parametrize("exclude", [True, False])
def test_what_the_round_before_collected_is_no_negative_unless_the_settings_say_so(
    exclude: bool, tmp_path: Path
) -> None:
    workspace = make_workspace(tmp_path, POOL, GIVEN)
    add_round(workspace, 1, recalled=POOL[:6])
    add_round(workspace, 2, recalled=POOL[3:33])
    _, negatives = drawn(
        workspace, 3, negatives={"per_positive": 100.0, "exclude_collected": exclude}, classifier={"held_out": 0.3}
    )
    held_out = [row["url"] for row in negatives if row["held_out"]]
    collected = [url for url in POOL[3:33] if url not in held_out]
    assert collected
    assert sorted(names(negatives)) == sorted(set(POOL) - set(collected) if exclude else POOL)


def test_held_out_negatives_keep_what_was_collected_before(tmp_path: Path) -> None:
    """A measure without the likely errors would flatter."""
    workspace = make_workspace(tmp_path, POOL, GIVEN)
    add_round(workspace, 1, recalled=POOL[:30])
    _, negatives = drawn(workspace, 2, negatives={"per_positive": 100.0}, classifier={"held_out": 0.5})
    held_out = {row["url"] for row in negatives if row["held_out"]}
    assert held_out & set(POOL[:30])
    assert not {row["url"] for row in negatives if not row["held_out"]} & set(POOL[:30])


def test_given_negatives_take_the_place_of_the_pool_and_lose_to_positives(tmp_path: Path) -> None:
    others = [f"http://n{i}.example/" for i in range(5)]
    workspace = make_workspace(tmp_path, POOL, GIVEN, [*others, GIVEN[0]])
    _, negatives = drawn(workspace, negatives={"paths": ["n.jsonl"], "per_positive": 100.0})
    assert sorted(names(negatives)) == others
    assert {row["source"] for row in negatives} == {"seed"}


def test_domains_are_held_out_whole_from_both_classes(tmp_path: Path) -> None:
    shared = [f"http://p{i}.example/given" for i in range(10)]  # domains of the pool too
    workspace = make_workspace(tmp_path, POOL, [*GIVEN, *shared, "no-url-1", "no-url-2"])
    positives, negatives = drawn(workspace, negatives={"per_positive": 2.0}, classifier={"held_out": 0.3})
    held, trained = (
        {row["domain"] or row["doc_id"] for row in [*positives, *negatives] if row["held_out"] is flag}
        for flag in (True, False)
    )
    assert held and trained and not held & trained
    for rows in (positives, negatives):
        assert 0.3 <= sum(row["held_out"] for row in rows) / len(rows) <= 0.6


@pytest.mark.parametrize(("pool", "given"), [(POOL, ["http://x.example/"]), (["http://x.example/"], GIVEN)])
def test_a_small_class_is_drawn_all_the_same(pool: list[str], given: list[str], tmp_path: Path) -> None:
    positives, negatives = drawn(make_workspace(tmp_path, pool, given))
    assert positives and negatives


def test_one_class_alone_is_an_error_that_says_what_to_give(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, POOL[:3], [*GIVEN, *POOL[:3]])
    with pytest.raises(StageError, match=r"round 1: 23 positives and 0 negatives; .* negatives\.paths"):
        drawn(workspace)


# --- held-out domains, by hand


def test_held_out_domains_reach_the_share_and_go_no_further() -> None:
    groups = Counter({f"d{i}": 10 for i in range(10)})
    for share, n_wanted in ((0.1, 1), (0.11, 2), (0.5, 5), (0.95, 10)):
        assert len(choose_held_out(groups, share, 1, set())) == n_wanted
    assert choose_held_out(groups, 0.3, 1, set()) > choose_held_out(groups, 0.2, 1, set())  # in one order
    assert len({frozenset(choose_held_out(groups, 0.3, seed, set())) for seed in range(10)}) > 5


def test_a_domain_with_over_half_of_all_is_never_held_out() -> None:
    groups = Counter({"big": 51, "a": 24, "b": 25})
    for seed in range(10):
        assert choose_held_out(groups, 0.9, seed, set()) == {"a", "b"}


def test_a_large_domain_is_passed_over_unless_nothing_else_is_there() -> None:
    groups = Counter({"large": 45, **{f"d{i}": 5 for i in range(11)}})
    assert any(sum(groups[d] for d in choose_held_out(groups, 0.1, seed, set())) == 10 for seed in range(10))
    for seed in range(10):
        chosen = choose_held_out(groups, 0.1, seed, set())
        assert chosen == {"large"} or "large" not in chosen
    assert choose_held_out(Counter({"a": 50, "b": 50}), 0.1, 1, set())


def test_half_is_not_over_half() -> None:
    assert "big" in choose_held_out(Counter({"big": 50, "a": 25, "b": 25}), 0.9, 1, set())  # half is not over half


def test_what_is_held_out_already_counts_and_is_not_chosen_again() -> None:
    groups = Counter({"a": 3, "b": 3, "c": 4})
    assert choose_held_out(groups, 0.3, 1, {"a", "elsewhere"}) == set()
    assert choose_held_out(groups, 0.4, 1, {"a"}) < {"b", "c"}
    assert choose_held_out(Counter(), 0.3, 1, {"a"}) == set()


def test_the_order_of_domains_does_not_matter() -> None:
    names_ = [f"d{i}" for i in range(30)]
    assert choose_held_out(Counter(names_), 0.4, 1, set()) == choose_held_out(Counter(names_[::-1]), 0.4, 1, set())
