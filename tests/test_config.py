"""Settings: strict, explained, and the same after writing and reading."""

from pathlib import Path
from typing import Any

import pytest

from corpus.config import PRESETS, Settings, load_settings, parse_settings, write_settings
from corpus.errors import SettingsError


def parsed(raw: dict[str, Any], base: Path = Path("/data")) -> Settings:
    return parse_settings(raw, source="corpus.toml", base=base)


def test_defaults_are_the_papers_values() -> None:
    settings = parsed({})
    assert settings.seed.max_docs == 500_000
    assert settings.classifier.model_dump(include={"dim", "lr", "word_ngrams", "min_count", "epoch"}) == {
        "dim": 256,
        "lr": 0.1,
        "word_ngrams": 3,
        "min_count": 3,
        "epoch": 3,
    }
    assert settings.recall.budget(1) == 40_000_000_000
    assert settings.domains.min_share == 0.1
    assert settings.stop.already_collected == 0.98
    assert (settings.decontam.ngram, settings.decontam.min_ngram) == (10, 3)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"pol": {}}, "pol: unknown key .* allowed here: preset, pool"),
        ({"pool": {"warc": ["a"]}}, "pool.warc: unknown key .* allowed here: warcs, "),
        ({"classifier": {"dim": "12"}}, "classifier.dim: .*integer.*found '12'"),
        ({"classifier": {"dim": 1.5}}, "classifier.dim: .*integer.*found 1.5"),
        ({"unique": {"near": "yes"}}, "unique.near: .*boolean"),
        ({"unique": {"bands": 40, "rows": 8}}, "unique: bands x rows is 320, more than"),
        ({"pool": 3}, "pool: .*found 3"),
        ({"preset": "huge"}, "preset: .*'deepseekmath' or 'sample'"),
        ({"domains": {"annotate": "later"}}, "domains.annotate: .*'auto' or 'manual'"),
        ({"recall": {"keep_tokens": [5], "min_score": 0.5}}, "recall: give exactly one .*keep_tokens and min_score"),
        ({"recall": {"precision": 0.9}}, "recall.precision needs scoring.evidence = true.*recall.keep_tokens"),
        ({"preset": "sample", "scoring": {"evidence": False}}, "recall.precision needs scoring.evidence"),
        ({"recall": {"keep_tokens": []}}, "recall: give exactly one .*none"),
        ({"extract": {"format": "html"}}, "extract.format: .*'plain' or 'markdown'"),
        ({"decontam": {"min_ngram": 11}}, "decontam: min_ngram \\(11\\) must not exceed ngram \\(10\\)"),
    ],
)
def test_a_wrong_setting_names_key_finding_and_what_is_allowed(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=f"corpus.toml: {said}"):
        parsed(raw)


def test_every_wrong_key_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        parsed({"pool": {"a": 1}, "seed": {"b": 2}})
    assert len(str(raised.value).splitlines()) == 2


def test_own_values_go_before_the_presets() -> None:
    settings = parsed({"preset": "sample", "classifier": {"dim": 64}})
    assert settings.classifier.dim == 64
    assert settings.classifier.bucket == PRESETS["sample"]["classifier"]["bucket"]


def test_another_recall_rule_replaces_the_budget() -> None:
    recall = parsed({"preset": "sample", "recall": {"keep_share": 0.1}}).recall
    assert (recall.keep_tokens, recall.keep_share, recall.budget(1)) == ((), 0.1, None)


def test_a_budget_replaces_the_precision_of_the_preset() -> None:
    assert parsed({"preset": "sample"}).recall.precision == 0.9
    recall = parsed({"preset": "sample", "recall": {"keep_tokens": [5]}}).recall
    assert (recall.keep_tokens, recall.precision) == ((5,), None)


def test_the_last_budget_repeats() -> None:
    recall = parsed({"recall": {"keep_tokens": [10, 30]}}).recall
    assert [recall.budget(number) for number in (1, 2, 3)] == [10, 30, 30]


def test_relative_paths_are_taken_from_the_settings_file_and_addresses_stay() -> None:
    paths = parsed(
        {"seed": {"paths": ["seed.jsonl", "../x/*.gz", "/abs", "s3://bucket/key"]}}, Path("/data/ws")
    ).seed.paths
    assert paths == ("/data/ws/seed.jsonl", "/data/x/*.gz", "/abs", "s3://bucket/key")


@pytest.mark.parametrize(
    "raw", [{}, {"preset": "sample"}, {"recall": {"min_score": 0.5}}, {"pool": {"crawl": 'a"b\\c'}}]
)
def test_written_settings_read_back_equal(raw: dict[str, Any], tmp_path: Path) -> None:
    settings = parsed(raw)
    write_settings(tmp_path / "corpus.toml", settings)
    assert load_settings(tmp_path / "corpus.toml") == settings


def test_every_setting_is_written_with_its_meaning(tmp_path: Path) -> None:
    write_settings(tmp_path / "corpus.toml", parsed({}))
    lines = (tmp_path / "corpus.toml").read_text().splitlines()
    for name, info in Settings.model_fields.items():
        if name == "preset":
            continue
        assert info.annotation is not None
        for key, field in info.annotation.model_fields.items():
            assert field.description, f"{name}.{key} has no description"
            (at,) = [
                i
                for i, line in enumerate(lines)
                if line.lstrip("# ").startswith(f"{key} = ") and _section(lines, i) == name
            ]
            assert field.description in lines[at - 1]


def _section(lines: list[str], at: int) -> str:
    return next(line for line in reversed(lines[:at]) if line.startswith("[")).strip("[]")


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such settings file"):
        load_settings(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("a = = 1")
    with pytest.raises(SettingsError, match="broken.toml is not TOML"):
        load_settings(tmp_path / "broken.toml")


@pytest.mark.parametrize("code", ["EN", "english", ""])
def test_a_language_that_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(SettingsError, match=r"pool\.languages"):
        parse_settings({"pool": {"languages": [code]}}, source="x", base=Path())
