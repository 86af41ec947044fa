"""Duplicates: worked by hand, against exact Jaccard of all pairs and against datasketch, and hostile."""

import datetime
import functools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasketch import MinHash as OtherMinHash

from corpus import dedup, schema, tables
from corpus.dedup import MinHash, find_duplicates, removed_captures, sign_part, write_kept
from corpus.errors import SettingsError, WorkspaceError
from corpus.text import shingle_hashes, shingles, words

SETTINGS = MinHash()


def page(
    page_id: str, text: str | None, day: int | None = 1, file: str = "a.warc.gz", offset: int = 0
) -> dict[str, Any]:
    fetched = day and datetime.datetime(2026, 1, day, tzinfo=datetime.UTC)
    where = {"page_id": page_id, "fetch_time": fetched, "warc_filename": file, "warc_record_offset": offset}
    return {**where, "text": text, "n_chars": len(text or "")}


def parts_of(folder: Path, *parts: list[dict[str, Any]]) -> tuple[list[Path], list[Path]]:
    """Write and sign parts; the paths of both."""
    folder.mkdir(exist_ok=True)
    pages = [folder / f"part-{number}.parquet" for number in range(len(parts))]
    signatures = [folder / f"signature-{number}.parquet" for number in range(len(parts))]
    for rows, part, signature in zip(parts, pages, signatures, strict=True):
        tables.write_rows(part, rows, schema.PAGE)
        sign_part(part, None, signature, SETTINGS)
    return pages, signatures


def removed(folder: Path, *parts: list[dict[str, Any]], **options: Any) -> list[tuple[Any, ...]]:
    table = find_duplicates(*parts_of(folder, *parts), SETTINGS, **options)
    assert table.schema.equals(schema.REMOVED)
    return [tuple(row.values()) for row in table.to_pylist()]


def prose(seed: int, n_words: int = 300) -> list[str]:
    return random.Random(seed).choices([f"{a}{b}" for a in "bcdfghklmnp" for b in "aeiou"], k=n_words)


def changed(text: list[str], n_changes: int, seed: int = 0) -> list[str]:
    """A copy with n_changes of its words replaced by words that `prose` never has."""
    edited = text.copy()
    for place in random.Random(seed).sample(range(len(text)), n_changes):
        edited[place] = "".join("qrstvwxyzj"[int(digit)] for digit in f"{place:03}{seed}")
    return edited


def test_the_latest_capture_of_a_page_stays(tmp_path: Path) -> None:
    a, b = "first text of the page", "second text of the page here"
    rows = [page("p", a, 1, offset=1), page("p", b, 3, offset=2), page("p", a, None, offset=3), page("q", "other")]
    assert removed(tmp_path, rows) == [("p", "a.warc.gz", offset, "url", "p", None, 0) for offset in (1, 3)]


def test_captures_of_one_second_are_ordered_by_length_then_place(tmp_path: Path) -> None:
    rows = [
        page("p", "short", file="a"),
        page("p", "longest", file="c", offset=7),
        page("p", "longest", file="b", offset=9),
    ]
    assert [row[1] for row in removed(tmp_path, rows)] == ["a", "c"]


def test_equal_text_is_removed_in_favour_of_the_longest_then_earliest_then_first_id(tmp_path: Path) -> None:
    rows = [page("d", "Some text."), page("c", "some text", 1), page("b", "SOME text.", 2), page("a", "some, text", 2)]
    assert removed(tmp_path, rows) == [(page_id, "a.warc.gz", 0, "exact", "d", 1.0, 0) for page_id in "abc"]


def test_pages_without_words_are_no_duplicates_of_each_other(tmp_path: Path) -> None:
    rows = [page("a", ""), page("b", None), page("c", " ... "), page("d", "!")]
    assert removed(tmp_path, rows) == []
    for row in tables.read_rows(tmp_path / "signature-0.parquet"):
        assert (row["text_hash"], row["bands"]) == (None, [])


def test_a_page_shorter_than_a_shingle_is_one_shingle(tmp_path: Path) -> None:
    _, (signature,) = parts_of(tmp_path, [page("a", "two words"), page("b", "one")])
    assert [len(row["bands"]) for row in tables.read_rows(signature)] == [SETTINGS.bands, SETTINGS.bands]


def test_a_near_duplicate_goes_with_its_exact_jaccard(tmp_path: Path) -> None:
    one = prose(1)
    near = " ".join(changed(one, 3))
    ((*_, kind, kept_id, jaccard, cluster),) = removed(tmp_path, [page("a", near), page("b", " ".join(one) + " and")])
    expected = brute_jaccard(near, " ".join(one) + " and")
    assert (kind, cluster) == ("near", 0)
    assert kept_id in "ab"
    assert jaccard == pytest.approx(expected, abs=1e-12)
    assert 0.8 <= expected < 1


def test_near_dedup_can_be_left_out(tmp_path: Path) -> None:
    one = prose(1)
    rows = [page("a", " ".join(one)), page("b", " ".join(one) + " end"), page("c", " ".join(one).upper())]
    assert [row[3] for row in removed(tmp_path, rows, near=False)] == ["exact"]


def test_a_chain_of_small_steps_does_not_join_its_ends(tmp_path: Path) -> None:
    # 0 ~ 1 ~ 2 ~ 3 with about 0.88 a step, 0.78 over two: 1 goes for 0, 2 has no partner left but stays for 3.
    steps = [prose(5, 400)]
    for number in range(3):
        fresh = [f"yy{'abc'[number]}{'w' * n}" for n in range(25)]
        steps.append(steps[-1][25:-1] + fresh)
    rows = [page(str(number), " ".join(text)) for number, text in enumerate(steps)]
    rows = [{**row, "n_chars": 1_000 - number} for number, row in enumerate(rows)]
    neighbours = [brute_jaccard(rows[n]["text"], rows[n + 1]["text"]) for n in range(3)]
    seconds = [brute_jaccard(rows[n]["text"], rows[n + 2]["text"]) for n in range(2)]
    assert min(neighbours) >= 0.8 > max(seconds)
    assert [(row[0], row[4]) for row in removed(tmp_path, rows)] == [("1", "0"), ("3", "2")]


def test_what_stood_behind_a_removed_page_stands_behind_the_page_that_stays(tmp_path: Path) -> None:
    one = prose(7)
    near = " ".join(changed(one, 2))
    rows = [
        page("kept", " ".join([*one, *["tail"] * 3]), 1),
        page("near", near, 1),
        page("copy", near.upper(), 5),
        page("copy", "an older capture", 2, offset=9),
    ]
    got = [(row[0], *row[2:5], row[6]) for row in removed(tmp_path, rows)]
    assert got == [("copy", 0, "near", "kept", 0), ("copy", 9, "url", "kept", 0), ("near", 0, "near", "kept", 0)]


shingle_set = functools.cache(lambda text: shingles(text, SETTINGS.ngram))


def brute_jaccard(one: str, other: str) -> float:
    a, b = shingle_set(one), shingle_set(other)
    return len(a & b) / len(a | b)


def crowd(n_sources: int = 60, seed: int = 3) -> list[dict[str, Any]]:
    """Pages of unrelated prose, each with variants of it that differ in 0 to 30 words."""
    draw = random.Random(seed)
    rows = []
    for source in range(n_sources):
        text = prose(1_000 + source, draw.randint(150, 400))
        for variant in range(draw.randint(1, 5)):
            edited = changed(text, draw.choice([0, 1, 2, 4, 6, 9, 30]), seed=variant)
            rows.append(page(f"{source:03}-{variant}", " ".join(edited), draw.randint(1, 28), offset=len(rows)))
    draw.shuffle(rows)
    return rows


def test_removals_agree_with_the_exact_jaccard_of_all_pairs(tmp_path: Path) -> None:
    rows = crowd()
    text = {row["page_id"]: row["text"] for row in rows}
    kept: list[str] = []
    for row in sorted(rows, key=lambda row: (-row["n_chars"], row["fetch_time"], row["page_id"])):
        if all(brute_jaccard(row["text"], text[other]) < SETTINGS.threshold for other in kept):
            kept.append(row["page_id"])
    expected = set(text) - set(kept)
    got = removed(tmp_path, rows)
    assert {row[0] for row in got} == expected
    assert len(expected) > 40
    assert {row[4] for row in got} <= set(kept)
    for page_id, _, _, _, kept_id, jaccard, _ in got:
        assert jaccard == pytest.approx(brute_jaccard(text[page_id], text[kept_id]), abs=1e-12)
        assert jaccard >= SETTINGS.threshold
    assert len({(row[4], row[6]) for row in got}) == len({row[6] for row in got})


def test_the_result_does_not_depend_on_the_parts(tmp_path: Path) -> None:
    rows = crowd(30)
    one = removed(tmp_path / "one", rows)
    many = removed(tmp_path / "many", rows[40:], [], rows[7:40], rows[:7])
    assert one == many
    pages, signatures = parts_of(tmp_path / "order", rows[:9], rows[9:])
    backwards = find_duplicates(pages[::-1], signatures[::-1], SETTINGS)
    assert [tuple(row.values()) for row in backwards.to_pylist()] == one


def test_kept_rows_are_the_others_in_the_order_of_the_part(tmp_path: Path) -> None:
    c = [page("c", "old", 1, offset=5), page("c", "new", 2, offset=6)]
    rows = [page("b", "same"), page("a", "same"), *c, page("d", "")]
    (part,), signatures = parts_of(tmp_path, rows)
    table = find_duplicates([part], signatures, SETTINGS)
    file, from_file, from_table = (tmp_path / name for name in ("removed", "from_file", "from_table"))
    tables.write_table(file, table, schema.REMOVED)
    write_kept(part, table, from_table)
    write_kept(part, file, from_file)
    kept = [(row["page_id"], row["warc_record_offset"]) for row in tables.read_rows(from_file)]
    assert kept == [("a", 0), ("c", 6), ("d", 0)]
    assert pq.read_schema(from_table).equals(schema.KEPT)
    assert from_table.read_bytes() == from_file.read_bytes()
    assert removed_captures(part, table) == {("b", "a.warc.gz", 0), ("c", "a.warc.gz", 5)}
    elsewhere = pa.Table.from_pylist([page("a", None, file="b.warc.gz")])
    assert removed_captures(part, elsewhere) == set()


def test_only_kept_rows_are_signed(tmp_path: Path) -> None:
    part, kept, out = tmp_path / "part.parquet", tmp_path / "kept.parquet", tmp_path / "signature.parquet"
    tables.write_rows(part, [page("a", "one"), page("b", "two"), page("b", "three", offset=3)], schema.PAGE)
    tables.write_rows(kept, [page("b", None, offset=3)], schema.KEPT)
    sign_part(part, kept, out, SETTINGS)
    assert [(row["page_id"], row["warc_record_offset"]) for row in tables.read_rows(out)] == [("b", 3)]
    assert pq.read_schema(out).names == schema.SIGNATURE.names


def test_signing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    (part,), (signature,) = parts_of(tmp_path, crowd(5))
    sign_part(part, None, tmp_path / "again.parquet", SETTINGS)
    assert (tmp_path / "again.parquet").read_bytes() == signature.read_bytes()


def test_a_crowded_band_costs_a_bounded_number_of_comparisons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dedup, "MAX_RIVALS", 4)
    shared = prose(9, 200)  # a template: every page shares bands with every other, at about 0.65
    rows = [page(f"{n:03}", " ".join(shared + prose(5_000 + n, 50)), offset=n) for n in range(60)]
    table = find_duplicates(*parts_of(tmp_path, rows), SETTINGS)
    counts = {name.decode(): int(count) for name, count in table.schema.metadata.items()}
    assert len(table) == 0
    assert counts["pairs_compared"] <= 4 * len(rows)
    assert counts["pages_crowded"] > 0


def test_near_duplicates_of_one_page_do_not_crowd_a_band(tmp_path: Path) -> None:
    text = prose(11, 500)
    rows = [page(f"{n:03}", " ".join([*text, "tail" + "x" * n]), offset=n) for n in range(200)]
    table = find_duplicates(*parts_of(tmp_path, rows), SETTINGS)
    assert len(table) == 199
    assert table.schema.metadata[b"pairs_compared"] == b"199"
    assert table.schema.metadata[b"pages_crowded"] == b"0"


def test_no_pages_give_an_empty_table(tmp_path: Path) -> None:
    assert removed(tmp_path, []) == []


def test_a_signed_page_that_is_in_no_part_is_named(tmp_path: Path) -> None:
    rows = [page("a", " ".join(prose(1))), page("b", " ".join(prose(1)) + " end")]
    _, signatures = parts_of(tmp_path, rows)
    with pytest.raises(WorkspaceError, match="page b .* is signed but in no part"):
        find_duplicates(parts_of(tmp_path / "other", rows[:1])[0], signatures, SETTINGS)


def estimated(one: str, other: str) -> float:
    """Share of bands in common with one row a band: the share of equal MinHash values."""
    flat = MinHash(permutations=512, bands=512, rows=1)
    bands = dedup.band_hashes([shingle_hashes(words(text), flat.ngram) for text in (one, other)], flat)
    return float(np.mean(np.array(bands[0]) == np.array(bands[1])))


@pytest.mark.parametrize("n_changes", [0, 2, 6, 15, 40])
def test_minhash_agrees_with_datasketch_and_with_exact_jaccard(n_changes: int) -> None:
    one, other = " ".join(prose(21)), " ".join(changed(prose(21), n_changes))
    reference = []
    for text in (one, other):
        reference.append(OtherMinHash(num_perm=512, seed=1))
        reference[-1].update_batch([shingle.encode() for shingle in shingles(text, 5)])
    exact = brute_jaccard(one, other)
    assert estimated(one, other) == pytest.approx(exact, abs=0.09)  # 4 standard deviations of 512 values
    assert estimated(one, other) == pytest.approx(reference[0].jaccard(reference[1]), abs=0.12)


def test_bands_are_shared_as_often_as_the_s_curve_says() -> None:
    n_pairs, shares = 400, []
    for n_changes in (3, 8, 14):
        pairs = [(prose(seed), changed(prose(seed), n_changes)) for seed in range(n_pairs)]
        bands = dedup.band_hashes([shingle_hashes(text, 5) for pair in pairs for text in pair], SETTINGS)
        proposed = [bool(set(bands[n]) & set(bands[n + 1])) for n in range(0, 2 * n_pairs, 2)]
        expected = [SETTINGS.probability(brute_jaccard(" ".join(a), " ".join(b))) for a, b in pairs]
        assert np.mean(proposed) == pytest.approx(np.mean(expected), abs=0.08)
        shares.append(np.mean(expected))
    assert shares[0] > 0.99 > shares[1] > shares[2]


def test_the_s_curve_is_as_worked_by_hand() -> None:
    assert MinHash(permutations=6, bands=2, rows=3).probability(0.5) == 1 - (1 - 0.125) ** 2
    assert SETTINGS.probability(0.0) == 0
    assert SETTINGS.probability(1.0) == 1
    assert SETTINGS.probability(0.8) > 0.99


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"permutations": 119}, "unique.bands \\* unique.rows is 20 \\* 6 = 120, more than unique.permutations = 119"),
        ({"ngram": 0}, "unique.ngram is 0"),
        ({"rows": 0}, "unique.rows is 0"),
        ({"threshold": 0.0}, "unique.threshold is 0.0"),
        ({"threshold": 1.5}, "unique.threshold is 1.5"),
        ({"seed": -1}, "seed of MinHash is -1"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        MinHash(**settings)
