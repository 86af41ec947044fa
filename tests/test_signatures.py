"""Signatures: against datasketch and simulation, of any Parquet file, and hostile ones."""

import datetime
import math
from pathlib import Path
from typing import Any

import datasketch
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prose import brute_jaccard, changed, prose

from corpus import documents, signatures
from corpus.errors import InputError, SettingsError, WorkspaceError
from corpus.kernels.minhash import band_hashes, text_hash
from corpus.partitions import read_partition
from corpus.signatures import MinHash, Signed, check_scheme, keep_signed, partition_of, sign_part, sign_texts
from corpus.text import cut, shingle_hashes, shingles

SETTINGS = MinHash()
ODD_TEXTS = [
    "", " ... ", "one", "One!", "two words", "ratio " * 500, "素数は無限にある。" * 3, "ア・イ", "ｶﾞｷﾞ",
    "e\u0301tude of e\u0301t", "\u1112\u1161\u11ab글", r"\alpha-\beta \leq 1{,}000", "\ud800 lone",
    "\U0010ffff\U000e0100x", "İstanbul ẞ ﬁ ½", "\x00\x00a", "x" * 100_000, " ".join(prose(1)),
]  # fmt: skip


def lower_half(value: int) -> int:
    return value & 0xFFFFFFFF


def strings(texts: list[str]) -> pa.Array:
    return pa.array([text.encode("utf-8", "replace").decode() for text in texts], pa.large_string())


@pytest.mark.parametrize(("n_permutations", "seed"), [(120, 1), (256, 7)])
def test_minhash_values_are_those_of_datasketch(n_permutations: int, seed: int) -> None:
    settings = MinHash(permutations=n_permutations, seed=seed)
    n_words, _, values, _ = sign_texts(strings(ODD_TEXTS), settings)
    assert (n_words > 0).sum() == len(ODD_TEXTS) - 2
    for text, n, found in zip(ODD_TEXTS, n_words, values, strict=True):
        reference = datasketch.MinHash(n_permutations, seed, hashfunc=lower_half, scheme="affine32")
        reference.update_batch(shingle_hashes(cut(text).hashes, settings.ngram).tolist())
        if n:
            assert found.tolist() == reference.hashvalues.tolist(), text[:40]


def test_signing_reads_a_text_as_comparing_does() -> None:
    """The kernel of signing, and folding by Python where it cannot: the same words, so the same key."""
    n_words, keys, _, _ = sign_texts(strings(ODD_TEXTS), SETTINGS)
    for text, n, key in zip(ODD_TEXTS, n_words, keys, strict=True):
        hashes = cut(text).hashes
        assert n == len(hashes), text[:40]
        assert tuple(key.tolist()) == (text_hash(hashes) if n else (0, 0)), text[:40]


def test_the_share_of_equal_values_estimates_the_exact_jaccard() -> None:
    settings = MinHash(permutations=1_024, bands=1, rows=1)
    one = prose(21)
    others = [changed(one, n_changes) for n_changes in (0, 2, 6, 15, 40)]
    _, _, values, _ = sign_texts(strings([" ".join(text) for text in (one, *others)]), settings)
    for other, found in zip(others, values[1:], strict=True):
        exact = brute_jaccard(" ".join(one), " ".join(other))
        assert np.mean(found == values[0]) == pytest.approx(exact, abs=4 * 0.5 / math.sqrt(1_024))


def test_texts_share_a_band_where_all_its_values_are_equal_and_nowhere_else() -> None:
    settings = MinHash(permutations=60, bands=20, rows=3)
    one = prose(4)
    texts = [" ".join(changed(one, n)) for n in range(40)]
    _, _, values, bands = sign_texts(strings(texts), settings)
    grouped = values.reshape(len(texts), 20, 3)
    equal = (grouped[:, None] == grouped[None]).all(axis=3)
    assert ((bands[:, None] == bands[None]) == equal).all()
    assert 0.1 < equal.mean() < 0.9
    same_values = np.empty(2, np.uint64)
    band_hashes(np.ones(6, np.uint32), 3, same_values)
    assert same_values[0] != same_values[1]


def test_bands_are_shared_as_often_as_the_s_curve_says() -> None:
    n_pairs, shares = 400, []
    for n_changes in (3, 8, 14):
        pairs = [(prose(seed), changed(prose(seed), n_changes)) for seed in range(n_pairs)]
        _, _, _, bands = sign_texts(strings([" ".join(text) for pair in pairs for text in pair]), SETTINGS)
        proposed = (bands[::2] == bands[1::2]).any(axis=1)
        expected = [SETTINGS.probability(brute_jaccard(" ".join(a), " ".join(b))) for a, b in pairs]
        assert np.mean(proposed) == pytest.approx(np.mean(expected), abs=0.08)
        shares.append(np.mean(expected))
    assert shares[0] > 0.99 > shares[1] > shares[2]


def test_the_s_curve_is_as_worked_by_hand() -> None:
    assert MinHash(permutations=6, bands=2, rows=3).probability(0.5) == 1 - (1 - 0.125) ** 2
    assert SETTINGS.probability(0.0) == 0
    assert SETTINGS.probability(1.0) == 1
    assert SETTINGS.probability(0.8) > 0.99
    curve = SETTINGS.curve()
    assert [point["jaccard"] for point in curve] == [round(0.3 + n * 0.05, 2) for n in range(15)]
    assert curve[10] == {"jaccard": 0.8, "probability": round(1 - (1 - 0.8**6) ** 20, 6)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"permutations": 119}, "bands \\* rows is 20 \\* 6 = 120, more than permutations = 119"),
        ({"ngram": 0}, "ngram is 0"),
        ({"rows": 0}, "rows is 0"),
        ({"threshold": 0.0}, "threshold is 0.0"),
        ({"threshold": 1.5}, "threshold is 1.5"),
        ({"threshold": math.nan}, "threshold is nan"),
        ({"verify": "guess"}, "verify is 'guess'"),
        ({"seed": -1}, "seed of MinHash is -1"),
        ({"seed": 1 << 32}, "seed of MinHash is 4294967296"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        MinHash(**settings)


def test_chinese_and_japanese_texts_that_differ_in_a_character_share_most_shingles() -> None:
    text = "素数が無限に多く存在することは、古代ギリシアの数学者によって証明された。" * 2 + "".join(
        map(chr, range(0x4E00, 0x4E80))
    )
    other = text.replace(chr(0x4E40), chr(0x9000))
    assert brute_jaccard(text, other) == (len(shingles(text, 5)) - 5) / (len(shingles(text, 5)) + 5)
    _, _, values, _ = sign_texts(strings([text, other]), SETTINGS)
    assert np.mean(values[0] == values[1]) > 0.8


# --- what is read of a file


def signed(folder: Path, table: pa.Table | list[dict[str, Any]], settings: MinHash = SETTINGS, n: int = 3) -> Signed:
    """Write a Parquet file, sign it, and check that every row is in the partition of its key."""
    folder.mkdir(exist_ok=True)
    source = folder / "pages.parquet"
    pq.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pylist(table), source, row_group_size=7)
    assert sign_part(source, folder, 0, settings, n) == pq.read_metadata(source).num_rows
    return Signed(source, folder, 0)


def keyed(file: Path, n: int = 3) -> list[dict[str, Any]]:
    return sorted(
        (row for number in range(n) for table in read_partition([file], number) for row in table.to_pylist()),
        key=lambda row: row["row"],
    )


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"page_id": ["p", "q"], "id": ["a", "b"], "url": ["http://u/1", "http://u/2"]}, ["p", "q"]),
        ({"id": ["a", "b"], "url": ["http://u/1", "http://u/2"]}, ["a", "b"]),
        ({"id": [17, 4]}, ["17", "4"]),
        ({"id": pa.array(["x", "y"], pa.large_string())}, ["x", "y"]),
        ({"url": ["http://u/1", "http://u/2"]}, ["http://u/1", "http://u/2"]),
        ({"id": ["a", None], "url": ["http://u/1", "http://u/2"]}, ["a", "pages.parquet#1"]),
        ({}, ["pages.parquet#0", "pages.parquet#1"]),
    ],
)
def test_a_document_is_known_by_page_id_id_or_url_else_by_file_and_row(
    tmp_path: Path, columns: dict[str, Any], expected: list[str]
) -> None:
    assert [
        row["id"] for row in keyed(signed(tmp_path, pa.table({"text": ["one", "two"], **columns})).texts)
    ] == expected


NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([NOON, None], pa.timestamp("us", "UTC")), [NOON, None]),
        (pa.array([NOON, None], pa.timestamp("ns", "Asia/Tokyo")), [NOON, None]),
        (pa.array([NOON.replace(tzinfo=None), None], pa.timestamp("ms")), [NOON, None]),
        (pa.array([NOON.date(), None], pa.date32()), [NOON.replace(hour=0), None]),
        (["2026-01-02T12:00:00Z", "2026-01-02"], [NOON, NOON.replace(hour=0)]),
        (["2026-01-02 12:00:00.123456+00:00", "2026-13-45"], [NOON, None]),
        (["yesterday", ""], [None, None]),
        ([20260102, 5], [None, None]),
    ],
)
def test_dates_are_read_from_times_days_and_strings(tmp_path: Path, column: Any, expected: list[Any]) -> None:
    for name in ("fetch_time", "date", "timestamp"):
        rows = keyed(signed(tmp_path / name, pa.table({"text": ["one", "two"], name: column})).texts)
        assert [row["fetched"] for row in rows] == [date and date.timestamp() for date in expected]


def test_columns_that_hold_no_numbers_decide_nothing(tmp_path: Path) -> None:
    table = pa.table(
        {"text": ["one", "two"], "score": ["high", "low"], "n_formulas": ["many", ""], "n_formulas_kept": [1, 2]}
    )
    rows = keyed(signed(tmp_path, table).texts)
    assert [(row["score"], row["survival"]) for row in rows] == [(None, 1.0), (None, 1.0)]


def test_scores_and_the_share_of_formulas_kept_are_read(tmp_path: Path) -> None:
    table = pa.table(
        {"text": ["a", "b", "c"], "score": [1, None, 3], "n_formulas": [4, 0, None], "n_formulas_kept": [3, 0, None]}
    )
    rows = keyed(signed(tmp_path, table).texts)
    assert [(row["score"], row["survival"]) for row in rows] == [(1.0, 0.75), (None, 1.0), (3.0, 1.0)]


def test_two_spellings_of_a_url_have_one_key_and_what_is_none_has_no_key(tmp_path: Path) -> None:
    urls = ["http://Example.org:80/a#top", "https://example.org/a", "http://example.org/b", None, "http://[", ""]
    rows = keyed(signed(tmp_path, pa.table({"text": ["text"] * len(urls), "url": urls})).urls)
    key = {row["row"]: (row["high"], row["low"]) for row in rows}
    assert key[0] == key[1] != key[2]
    assert 3 not in key
    assert 4 not in key


def test_every_row_is_in_the_partition_of_its_key_and_texts_without_words_in_none(tmp_path: Path) -> None:
    rows = [{"url": f"http://h/{n}", "text": "..." if n % 10 == 0 else f"text {n}"} for n in range(60)]
    part = signed(tmp_path, rows, n=5)
    assert [row["row"] for row in keyed(part.texts, 5)] == [n for n in range(60) if n % 10]
    assert [row["row"] for row in keyed(part.urls, 5)] == list(range(60))
    assert {row["partition"] for row in keyed(part.urls, 5) if row["row"] % 10 == 0} == {-1}
    texts = {row["low"] for row in keyed(part.texts, 5)}
    for number in range(5):
        for file, name in ((part.texts, "low"), (part.urls, "low"), (part.bands, "band")):
            (table,) = read_partition([file], number)
            assert set(partition_of(table[name].to_numpy(), 5).tolist()) <= {number}
    bands = [row for number in range(5) for table in read_partition([part.bands], number) for row in table.to_pylist()]
    assert len(bands) == SETTINGS.bands * len(texts)
    assert {row["text"] for row in bands} == texts


def test_batches_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": str(n), "text": " ".join(prose(n, 20))} for n in range(50)]
    whole = signed(tmp_path / "whole", rows)
    monkeypatch.setattr(documents, "ROWS_PER_BATCH", 4)
    monkeypatch.setattr(signatures, "ROWS_PER_FLUSH", 9)
    flushed = signed(tmp_path / "flushed", rows)
    assert pq.read_metadata(flushed.texts).num_row_groups > 3
    assert keyed(flushed.texts) == keyed(whole.texts)
    assert signed(tmp_path / "again", rows).texts.read_bytes() == flushed.texts.read_bytes()


def test_minhash_values_are_stored_only_where_they_decide(tmp_path: Path) -> None:
    rows = [{"text": " ".join(prose(1))}]
    assert keyed(signed(tmp_path / "exact", rows).texts)[0]["values"] is None
    settings = MinHash(verify="signature")
    stored = np.frombuffer(keyed(signed(tmp_path / "estimated", rows, settings).texts)[0]["values"], np.uint32)
    assert stored.tolist() == sign_texts(strings([rows[0]["text"]]), settings)[2][0].tolist()


def test_a_file_without_rows_is_signed(tmp_path: Path) -> None:
    part = signed(tmp_path, pa.schema([("text", pa.string()), ("id", pa.string())]).empty_table())
    check_scheme(part, SETTINGS, 3)
    assert keyed(part.texts) == keyed(part.urls) == []


def test_signatures_without_some_rows_are_those_of_a_file_without_them(tmp_path: Path) -> None:
    rows = [{"id": str(n), "url": f"http://h/{n}", "text": f"text of {n % 7}" if n % 4 else ""} for n in range(40)]
    gone = np.array([0, 3, 4, 17, 39])
    keep_signed(signed(tmp_path / "all", rows), gone, tmp_path)
    left = Signed(tmp_path, tmp_path, 0)
    expected = signed(tmp_path / "left", [row for n, row in enumerate(rows) if n not in gone])
    assert keyed(left.texts) == keyed(expected.texts)
    assert keyed(left.urls) == keyed(expected.urls)
    check_scheme(left, SETTINGS, 3)


# --- what cannot be read or compared


@pytest.mark.parametrize("name", ["ngram", "permutations", "bands", "rows", "verify", "seed"])
def test_signatures_of_another_scheme_are_refused(tmp_path: Path, name: str) -> None:
    part = signed(tmp_path, [{"text": "one"}])
    other = {"ngram": 4, "permutations": 128, "bands": 19, "rows": 5, "verify": "signature", "seed": 2}[name]
    with pytest.raises(WorkspaceError, match=f"other settings .*{name} .*, not {other!r}.*cannot be compared"):
        check_scheme(part, MinHash(**{name: other}), 3)
    check_scheme(part, MinHash(threshold=0.5), 3)


def test_signatures_of_another_reading_of_texts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = signed(tmp_path, [{"text": "one"}])
    monkeypatch.setattr(signatures, "TEXT_VERSION", 1_000)
    with pytest.raises(WorkspaceError, match="text .*, not 1000"):
        check_scheme(part, SETTINGS, 3)


def test_signatures_for_another_number_of_partitions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="partitions 3, not 4"):
        check_scheme(signed(tmp_path, [{"text": "one"}]), SETTINGS, 4)


@pytest.mark.parametrize("name", ["urls", "texts", "bands"])
def test_a_lost_signature_is_named(tmp_path: Path, name: str) -> None:
    part = signed(tmp_path, [{"text": "one"}])
    lost: Path = getattr(part, name)
    lost.unlink()
    with pytest.raises(WorkspaceError, match=f"{lost.name} is gone: sign .*pages.parquet again"):
        check_scheme(part, SETTINGS, 3)


def refused(tmp_path: Path, source: Path, message: str) -> None:
    with pytest.raises(InputError, match=f"{source.name}.*{message}"):
        sign_part(source, tmp_path, 0, SETTINGS, 3)
    assert list(tmp_path.iterdir()) == [source]


def test_a_file_without_texts_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"content": ["one"], "id": ["a"]}), tmp_path / "file.parquet")
    refused(tmp_path, tmp_path / "file.parquet", "has no column text; it has content, id")


def test_a_column_text_without_strings_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [[1, 2]]}), tmp_path / "file.parquet")
    refused(tmp_path, tmp_path / "file.parquet", "column text holds list")


@pytest.mark.parametrize("data", [b"", b"PAR1", b"text\nnot Parquet\n", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file.parquet").write_bytes(data)
    refused(tmp_path, tmp_path / "file.parquet", "cannot be read as Parquet")


def test_a_damaged_file_is_refused_and_leaves_no_signatures(tmp_path: Path) -> None:
    source = tmp_path / "file.parquet"
    pq.write_table(pa.table({"text": [" ".join(prose(n)) for n in range(200)]}), source, compression="zstd")
    data = bytearray(source.read_bytes())
    data[1_000:3_000] = bytes(2_000)
    source.write_bytes(bytes(data))
    refused(tmp_path, source, "is damaged")


def test_bytes_that_are_no_utf8_are_read_like_other_bad_characters(tmp_path: Path) -> None:
    data = pa.array([b"caf\xe9 noir", b"\xff\xfe\xf0", b"good"], pa.binary())
    table = pa.table({"text": pa.Array.from_buffers(pa.string(), 3, data.buffers())})
    part = signed(tmp_path, table)
    assert [row["row"] for row in keyed(part.texts)] == [0, 2]
    assert keyed(part.texts)[0]["low"] == text_hash(cut("caf\ufffd noir").hashes)[1]
