"""Pages drawn for an audit, and the files that a person fills in."""

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import schema
from corpus.audit import DRAWS, design_of, excerpt, places_of, sample
from corpus.audit_file import read_audit
from corpus.errors import InputError, WorkspaceError
from corpus.ranking import Ranking, ranked
from corpus.workspace import Workspace

N_PAGES, N_COLLECTED = 600, 120


def ranking(n_pages: int, n_collected: int, tokens: Sequence[int] = (100,)) -> Ranking:
    value = 1 / (1 + np.exp((np.arange(n_pages) - n_collected) / (n_pages / 40)))
    return Ranking(1, True, value, np.resize(np.array(tokens, np.float64), n_pages), n_collected, "f")


def commit(workspace: Workspace, stage: str, name: str, rows: Any, columns: pa.Schema, **counts: Any) -> None:
    def build(directory: Path) -> Mapping[str, Any]:
        table = pa.Table.from_pylist([{key: row.get(key) for key in columns.names} for row in rows], columns)
        pq.write_table(table, directory / name)
        return counts

    inputs = {"recalled": ("scores", "evidence")}.get(stage.split("/")[-1], ())
    read = [f"{stage.rsplit('/', 1)[0]}/{name}" for name in inputs]
    workspace.run(
        stage, build, settings={"rows": str(rows)}, inputs=[name for name in read if workspace.manifest(name)]
    )


def make(
    root: Path,
    n_pages: int = N_PAGES,
    n_collected: int = N_COLLECTED,
    evidence: bool = True,
    scale: float = 1,
    long: int | None = None,
) -> Workspace:
    """A round over pages p0000, p0001, ... ranked in this order, on ten domains in turn, and one without a score."""
    root.mkdir(exist_ok=True)
    (root / "corpus.toml").write_text("")
    workspace = Workspace(root)
    chance = ranking(n_pages, n_collected).value * scale
    pages = [
        {
            "page_id": f"p{n:04}",
            "url": f"http://d{n % 10}.example/{n}",
            "url_host_registered_domain": f"d{n % 10}.example",
            "title": "=1+1" if n % 2 else f"Page {n}",
            "text": f"Menu\nPage {n} says something that is long enough to be taken for prose by a reader.\nFoot",
            "n_tokens": 90_000 if n == long else 100 + n % 7,
            "warc_filename": "a.warc.gz",
            "warc_record_offset": n,
        }
        for n in range(n_pages + 1)
    ]
    commit(workspace, "pool/parts", "part-00000.parquet", pages, schema.PAGE)
    commit(workspace, "pool/unique", "kept-00000.parquet", pages, schema.KEPT)
    ids = [page["page_id"] for page in pages]
    scores = [{"page_id": page, "score": float(c)} for page, c in zip(ids, chance, strict=False)]
    commit(workspace, "rounds/01/scores", "part-00000.parquet", [*scores, {"page_id": ids[-1]}], schema.SCORE)
    if evidence:
        rows = [{"page_id": page, "posterior": float(c)} for page, c in zip(ids, chance, strict=False)]
        count = {"n_sought": float(chance.sum())}
        commit(workspace, "rounds/01/evidence", "evidence.parquet", rows, schema.EVIDENCE, **count)
    collect(workspace, n_collected)
    return workspace


def collect(workspace: Workspace, n_pages: int) -> None:
    """Let round 1 have collected so many pages of its ranking."""
    collected = [{"page_id": f"p{n:04}"} for n in range(n_pages)]
    commit(workspace, "rounds/01/recalled", "recalled.parquet", collected, schema.RECALLED, n_collected=n_pages)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make(tmp_path / "ws")


def cells_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rewrite(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


# --- the design


def test_strata_follow_each_other_and_one_ends_where_the_round_cut() -> None:
    strata = design_of(ranking(2_000, 300), 400).strata
    assert [stratum.first for stratum in strata] == [0, *(stratum.last for stratum in strata[:-1])]
    assert strata[-1].last == 2_000 and 300 in {stratum.last for stratum in strata}
    assert sum(stratum.n_drawn for stratum in strata) == 400
    assert {stratum.n_drawn for stratum in strata} <= set(range(DRAWS - 4, DRAWS + 5))


def test_more_is_drawn_where_the_posterior_is_unsure_and_where_the_tokens_are_and_something_everywhere() -> None:
    def drawn(of: Ranking, first: int, last: int) -> float:
        """Draws in a stretch, each stratum's spread evenly over it."""
        return sum(
            s.n_drawn * max(0, min(last, s.last) - max(first, s.first)) / (s.last - s.first)
            for s in design_of(of, 400).strata
        )

    even = ranking(4_000, 2_000)
    assert drawn(even, 1_900, 2_100) > 2 * drawn(even, 0, 200)
    assert min(drawn(even, first, first + 200) for first in range(0, 4_000, 200)) > 5
    heavy = Ranking(1, True, even.value, np.where(np.arange(4_000) < 1_000, 1_000.0, 100.0), 2_000, "f")
    assert drawn(heavy, 0, 1_000) > 2 * drawn(even, 0, 1_000)


def test_a_page_that_holds_more_tokens_than_a_draw_stands_for_is_drawn_for_sure() -> None:
    tokens = np.full(2_000, 100)
    tokens[[7, 310, 1_900]] = 100_000
    design = design_of(ranking(2_000, 300, tokens=tokens.tolist()), 100)
    assert design.sure.tolist() == [7, 310, 1_900]
    assert sum(stratum.n_drawn for stratum in design.strata) == 97
    assert [s.n_sure for s in design.strata if any(s.first <= place < s.last for place in (7, 310, 1_900))] == [1, 1, 1]


def test_the_rest_is_drawn_of_too_where_long_pages_take_nearly_all_draws() -> None:
    value, tokens = np.repeat([0.5, 0.0], [27, 1_973]), np.repeat([1e6, 1.0], [27, 1_973])
    design = design_of(Ranking(1, True, value, tokens, 10, "f"), 30)
    assert design.sure.tolist() == list(range(27))
    assert [(s.first, s.last, s.n_drawn) for s in design.strata] == [(0, 10, 0), (10, 2_000, 3)]


@pytest.mark.parametrize(("n_pages", "n_collected"), [(40, 5), (40, 40), (400, 1), (401, 400), (1_000, 999)])
def test_a_pool_of_any_size_is_drawn_whole_or_as_often_as_asked(n_pages: int, n_collected: int) -> None:
    design = design_of(ranking(n_pages, n_collected), 400)
    assert sum(stratum.n_drawn for stratum in design.strata) + len(design.sure) == min(400, n_pages)
    assert all(min(1, stratum.n_free) <= stratum.n_drawn <= stratum.n_free for stratum in design.strata)


def test_every_page_of_a_stratum_is_drawn_as_often_as_any_other() -> None:
    strata = design_of(ranking(500, 100), 60).strata
    drawn: Counter[tuple[int, int]] = Counter()
    for seed in range(3_000):
        for number, places in enumerate(places_of(strata, seed)):
            assert len(set(places)) == len(places)
            drawn.update((number, place) for place in places)
    for number, stratum in enumerate(strata):
        share = np.array([drawn[number, place] for place in range(1, stratum.n_free + 1)]) / 3_000
        chance = stratum.n_drawn / stratum.n_free
        assert np.abs(share - chance).max() < 5 * np.sqrt(chance * (1 - chance) / 3_000) + 1e-9
    assert sum(drawn.values()) == 60 * 3_000


# --- the draw


def test_the_files_hold_the_design_and_pages_that_spread_over_the_domains(workspace: Workspace) -> None:
    told = sample(workspace, 100)
    rows, design = cells_of(Path(told["path"])), json.loads(Path(told["design"]).read_text())
    assert told["path"] == str(workspace.root / "rounds/01/audit.csv") and told["n_pages"] == len(rows) == 100
    by_domain = Counter(row["url"].split("/")[2] for row in rows)
    in_stratum = Counter((row["stratum"], row["url"].split("/")[2]) for row in rows)
    assert len(by_domain) == 10 and max(in_stratum.values()) <= 2  # of 13 to 15 draws
    assert design["pages"] == {row["page_id"]: int(row["stratum"]) for row in rows}
    for row in rows:
        stratum, rank = design["strata"][int(row["stratum"]) - 1], int(row["page_id"][1:]) + 1
        assert stratum["first"] < rank <= stratum["last"]
        assert row["collected"] == ("yes" if rank <= N_COLLECTED else "no")
        assert row["excerpt"].startswith(f"Page {rank - 1} says") and "Menu" not in row["excerpt"]
        assert row["label"] == row["by"] == row["note"] == ""
    drawn = Counter(int(row["stratum"]) for row in rows)
    assert drawn == {n: stratum["n_drawn"] for n, stratum in enumerate(design["strata"], start=1)}


def test_a_sure_page_is_drawn_whatever_the_seed_and_the_design_says_so(tmp_path: Path) -> None:
    workspace = make(tmp_path / "ws", long=333)
    for seed in range(3):
        told = sample(workspace, 60, path=tmp_path / f"{seed}.csv", random_seed=seed)
        pages = json.loads(Path(told["design"]).read_text())["pages"]
        assert (told["n_sure"], told["n_pages"], pages["p0333"]) == (1, 60, "sure")


def test_the_same_seed_draws_the_same_bytes_and_another_one_other_pages(workspace: Workspace, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        sample(workspace, 60, path=tmp_path / f"{name}.csv", random_seed=seed)
    a, b, c = ((tmp_path / f"{name}.csv").read_bytes() for name in "abc")
    assert a == b != c
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    places = [int(row["page_id"][1:]) for row in cells_of(tmp_path / "a.csv")]
    assert places != sorted(places)  # those labelled first are no special ones


def test_without_evidence_pages_are_drawn_by_score_and_what_has_no_score_is_left_out(tmp_path: Path) -> None:
    workspace = make(tmp_path / "ws", evidence=False)
    with ranked(workspace) as (found, connection):
        assert not found.evidence and len(found.value) == N_PAGES
        assert connection.execute("SELECT page_id FROM ranked WHERE rank = 2").fetchall() == [("p0001",)]
    assert sample(workspace, 600)["n_pages"] == N_PAGES


def test_a_file_that_is_there_is_never_overwritten(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("labels")
    with pytest.raises(InputError, match="mine.csv is there, and may hold labels.*--output"):
        sample(workspace, 60, path=path)
    assert path.read_text() == "labels"
    path.rename(tmp_path / "mine.json")
    with pytest.raises(InputError, match="mine.json is there"):
        sample(workspace, 60, path=path)
    with pytest.raises(InputError, match="an audit is a CSV"):
        sample(workspace, 60, path=tmp_path / "mine.xlsx")
    with pytest.raises(InputError, match="there is no folder"):
        sample(workspace, 60, path=tmp_path / "gone" / "mine.csv")
    with pytest.raises(InputError, match="draw 30 or more"):
        sample(workspace, 29)


def test_a_round_that_has_not_collected_is_said_so(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="round 2 has not collected.*corpus iterate 2"):
        sample(workspace, 60, number=2)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "corpus.toml").write_text("")
    with pytest.raises(WorkspaceError, match="no round has collected"):
        sample(Workspace(tmp_path / "empty"), 60)


def test_a_title_that_a_spreadsheet_would_compute_is_quoted(workspace: Workspace) -> None:
    titles = {row["title"] for row in cells_of(Path(sample(workspace, 60)["path"]))}
    assert "'=1+1" in titles and "=1+1" not in titles


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Home\nAbout\n" + "a b " * 20, ("a b " * 20).strip()),
        ("Home\nlet $x$ be\nAbout", "Home let $x$ be About"),
        ("", ""),
        ("Home\n" + "x" * 1_000, "x" * 300 + " [...] " + "x" * 300),
    ],
    ids=["menus are left out", "a short page is shown whole", "no text", "beginning and middle"],
)
def test_an_excerpt_is_the_beginning_and_the_middle_of_the_prose(text: str, shown: str) -> None:
    assert excerpt(text) == shown


# --- the CSV that comes back


def test_a_csv_that_a_spreadsheet_saved_is_read_whatever_its_order_and_columns(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = Path(sample(workspace, 60)["path"])
    rows = sorted(cells_of(path), key=lambda row: row["url"])
    rows[0]["label"], rows[1]["label"], rows[2]["label"] = "Math ", "Not math", "UNSURE"
    rewrite(path, [{**row, "mine": "1"} for row in rows])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    read = read_audit(path)
    assert [row.label for row in read[:4]] == ["math", "not_math", "unsure", ""]
    assert [row.page_id for row in read] == [row["page_id"] for row in rows]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label,by,page_id\nmath,,a\nmaybe,,b\n", "line 3: label 'maybe'; allowed: math, not_math, unsure or none"),
        ("label,by,page_id\nmath,,a\nmath,,a\n", "line 3: page a stands on line 2 too"),
        ("label;by;page_id\nmath;;a\n", "line 2: columns label, by, page_id are wanted"),
        ("label,by,page_id\nmath,,a,,\n", "line 2: columns label, by, page_id are wanted"),
        ("label,by,page_id\nmath\n", "line 2: columns label, by, page_id are wanted"),
        ('label,by,page_id\n"math,,a\n', "cannot be read"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        read_audit(tmp_path / "a.csv")
