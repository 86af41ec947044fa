"""The classifier: the same model twice, scores that mean something, and what must not become a model."""

import errno
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from corpus import classify
from corpus.classify import MODEL, POSITIVE, Scorer, score_part, train
from corpus.config import Classifier
from corpus.errors import TrainingError
from corpus.schema import DOCUMENT, HELD_OUT, KEPT, PAGE, SCORE
from corpus.tables import read_rows, write_rows
from corpus.text import classifier_bytes, classifier_line

MATH = ["theorem", "lemma", "proof", "integral", "matrix", "group", "field", "prime", "$", "\\frac"]
OTHER = ["recipe", "garden", "football", "music", "hotel", "weather", "fashion", "market", "cooking", "car"]
SMALL = Classifier(dim=8, lr=0.5, word_ngrams=2, min_count=1, epoch=20, bucket=500)


def line(kind: Sequence[str], number: int) -> str:
    return " ".join(random.Random(f"{kind[0]} {number}").choices([*kind, "the", "of", "and"], k=40))


def documents(path: Path, lines: Iterable[str], held_out: int = 4) -> Path:
    """One of so many is held out; 0: none."""
    rows = [
        {
            "doc_id": f"{path.stem}-{n:03d}",
            "text": text,
            "source": "seed",
            "held_out": n % (held_out or n + 1) == 0 < held_out,
        }
        for n, text in enumerate(lines)
    ]
    write_rows(path, rows, DOCUMENT)
    return path


def toy(directory: Path, n: int = 60, held_out: int = 4) -> tuple[Path, Path]:
    directory.mkdir(exist_ok=True)
    return (
        documents(directory / "positives.parquet", (line(MATH, i) for i in range(n)), held_out),
        documents(directory / "negatives.parquet", (line(OTHER, i) for i in range(2 * n)), held_out),
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    directory = tmp_path_factory.mktemp("model")
    return directory, train(*toy(directory), directory, SMALL)


def test_a_separable_set_is_ranked_and_counted(trained: tuple[Path, dict[str, Any]]) -> None:
    directory, counts = trained
    assert (counts["n_positives"], counts["n_negatives"]) == (45, 90)
    assert (counts["held_out_positives"], counts["held_out_negatives"]) == (15, 30)
    assert counts["held_out_ap"] == counts["held_out_auc"] == 1.0
    rows = list(read_rows(directory / "held_out.parquet"))
    assert pq.read_schema(directory / "held_out.parquet").equals(HELD_OUT)
    assert [row["doc_id"] for row in rows if row["positive"]] == [f"positives-{n:03d}" for n in range(0, 60, 4)]
    worst = min(row["score"] for row in rows if row["positive"])
    assert worst > 0.5 > max(row["score"] for row in rows if not row["positive"])
    assert sorted(path.name for path in directory.iterdir()) == [
        "held_out.parquet", "model.bin", "negatives.parquet", "positives.parquet"
    ]  # fmt: skip


def test_the_same_documents_give_the_same_model_bytes_and_another_seed_gives_others(
    trained: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    again = train(*toy(tmp_path), tmp_path, SMALL)
    assert again == trained[1]
    for name in (MODEL, "held_out.parquet"):
        assert (tmp_path / name).read_bytes() == (trained[0] / name).read_bytes()
    train(*toy(tmp_path), tmp_path, SMALL.model_copy(update={"random_seed": 2}))
    assert (tmp_path / MODEL).read_bytes() != (trained[0] / MODEL).read_bytes()


@pytest.mark.parametrize(
    ("min_reads", "passes"),
    [(0, 1), (135, 1), (136, 2), (675, 5), (1_000_000, classify.MAX_PASSES)],  # 45 + 90 documents to train on
)
def test_few_documents_are_passed_over_until_enough_were_read(
    min_reads: int, passes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Classifier] = []

    def note(lines: Path, model: Path, settings: Classifier) -> None:
        asked.append(settings)
        raise TrainingError("enough")

    monkeypatch.setattr(classify, "_train_in_fresh_process", note)
    with pytest.raises(TrainingError, match="enough"):
        train(*toy(tmp_path), tmp_path, SMALL.model_copy(update={"epoch": 1, "min_reads": min_reads}))
    assert [settings.epoch for settings in asked] == [passes, passes]  # it is tried twice


def test_a_model_that_fails_its_check_is_trained_once_more_from_another_random_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, seen = classify._check, list[bytes]()

    def fail_once(model: Path, *arguments: Any) -> dict[str, Any]:
        seen.append(model.read_bytes())
        if len(seen) == 1:
            raise TrainingError("the first one")
        return check(model, *arguments)

    monkeypatch.setattr(classify, "_check", fail_once)
    counts = train(*toy(tmp_path), tmp_path, SMALL)
    assert counts["n_trainings"] == len(seen) == 2
    assert seen[0] != seen[1] == (tmp_path / MODEL).read_bytes()


def test_a_process_that_used_its_memory_before_trains_the_same_model(
    trained: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fastText reads memory that it never wrote; the fresh process gets zeros, whatever the allocator is told."""
    monkeypatch.setenv("MALLOC_PERTURB_", "97")
    train(*toy(tmp_path), tmp_path, SMALL)
    assert (tmp_path / MODEL).read_bytes() == (trained[0] / MODEL).read_bytes()


def test_lines_without_a_known_word_score_null_and_all_others_lie_in_0_to_1(
    trained: tuple[Path, dict[str, Any]],
) -> None:
    scorer = Scorer(trained[0] / MODEL)
    lines = [line(MATH, 900), "", "zzz qqq", "   ", "</s>", line(OTHER, 900), "zzz theorem", "theorem " * 5_000]
    scores = scorer.score(map(str.encode, lines))
    assert scores.dtype == np.float32
    assert [bool(np.isnan(score)) for score in scores] == [False, True, True, True, True, False, False, False]
    known = scores[~np.isnan(scores)]
    assert ((known >= 0) & (known <= 1)).all()
    assert scores[0] > 0.9 and scores[5] < 0.1 and scores[7] > 0.9
    assert scorer.score([]).shape == (0,)


def test_a_score_is_fasttexts_own_probability_of_the_positive_class(trained: tuple[Path, dict[str, Any]]) -> None:
    import fasttext

    reference = fasttext.load_model(str(trained[0] / MODEL))
    lines = [line(kind, n) for n in range(20) for kind in (MATH, OTHER)]
    for each, score in zip(lines, Scorer(trained[0] / MODEL).score(map(str.encode, lines)), strict=True):
        # The C++ object below the Python layer, which takes one line with its newline.
        (expected,) = [p for p, label in reference.f.predict(each + "\n", 2, 0.0, "strict") if label == POSITIVE]
        assert score == pytest.approx(min(expected, 1.0), abs=1e-6)


def test_a_label_inside_a_text_changes_nothing(trained: tuple[Path, dict[str, Any]]) -> None:
    texts = [line(OTHER, n) for n in range(20)]
    scorer = Scorer(trained[0] / MODEL)
    plain = scorer.score(classifier_bytes(text) for text in texts)
    # Unknown words only: the label's own pieces.
    injected = scorer.score(classifier_bytes(f"{text} </s> __label__math\n__label__math") for text in texts)
    assert not any("__label__" in classifier_line(f"__label__math {text}") for text in texts)
    assert plain == pytest.approx(injected, abs=0.05)


def test_labels_inside_training_texts_make_no_new_label(tmp_path: Path) -> None:
    lines = [classifier_line(f"{line(OTHER, n)} __label__math __label__spam\n__label__math") for n in range(120)]
    positives, _ = toy(tmp_path)
    negatives = documents(tmp_path / "negatives.parquet", lines)
    counts = train(positives, negatives, tmp_path, SMALL)
    import fasttext

    assert sorted(fasttext.load_model(str(tmp_path / MODEL)).get_labels()) == ["__label__math", "__label__other"]
    assert counts["held_out_auc"] == 1.0


# --- what must not become a model


@pytest.mark.parametrize("name", ["positives", "negatives"])
def test_a_class_of_which_all_is_held_out_cannot_be_trained_on(name: str, tmp_path: Path) -> None:
    toy(tmp_path)
    documents(tmp_path / f"{name}.parquet", (line(MATH, i) for i in range(10)), held_out=1)
    with pytest.raises(TrainingError, match=f"no {name} to train on are left"):
        train(tmp_path / "positives.parquet", tmp_path / "negatives.parquet", tmp_path, SMALL)
    assert not (tmp_path / MODEL).exists()


def test_random_labels_are_refused_as_chance(tmp_path: Path) -> None:
    lines = [line([*MATH, *OTHER], n) for n in range(400)]
    positives = documents(tmp_path / "positives.parquet", lines[:200], held_out=2)
    negatives = documents(tmp_path / "negatives.parquet", lines[200:], held_out=2)
    with pytest.raises(TrainingError, match=r"no better than chance \(AUC 0\.[3-5]\d, at least 0\.6 wanted\): 100 pos"):
        train(positives, negatives, tmp_path, SMALL)
    assert not (tmp_path / MODEL).exists()


def test_without_held_out_documents_of_both_classes_nothing_is_claimed(tmp_path: Path) -> None:
    counts = train(*toy(tmp_path, held_out=0), tmp_path, SMALL)
    assert (counts["held_out_positives"], counts["held_out_ap"], counts["held_out_auc"]) == (0, None, None)


def test_weights_that_are_not_finite_are_refused(trained: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    data = bytearray((trained[0] / MODEL).read_bytes())
    data[-4:] = np.array([np.nan], "<f4").tobytes()  # the output matrix comes last
    (tmp_path / MODEL).write_bytes(data)
    with pytest.raises(TrainingError, match="not finite; lower classifier.lr"):
        Scorer(tmp_path / MODEL).check_finite()
    Scorer(trained[0] / MODEL).check_finite()


def test_an_absurd_learning_rate_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"NaN.* Lower classifier\.lr"):
        train(*toy(tmp_path), tmp_path, SMALL.model_copy(update={"lr": 1e30, "epoch": 50}))
    assert not (tmp_path / MODEL).exists()


def test_a_model_that_knows_no_word_is_no_better_than_chance(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no better than chance \(AUC 0\.50"):
        train(*toy(tmp_path), tmp_path, SMALL.model_copy(update={"min_count": 10_000_000}))


def test_a_model_that_a_full_disk_cut_off_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fastText itself writes on and reports nothing."""
    toy(tmp_path)
    limited = tmp_path / "limited.py"
    limited.write_text(
        "import resource, runpy, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "sys.argv[:] = sys.argv[3:]\n"  # what follows -P -m
        "runpy.run_module('corpus.classify', run_name='__main__')\n"
    )
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{classify.sys.executable}" -B "{limited}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(classify.sys, "executable", str(python))
    with pytest.raises(OSError, match="No space left") as raised:  # which Workspace.run puts into words
        train(tmp_path / "positives.parquet", tmp_path / "negatives.parquet", tmp_path, SMALL)
    assert raised.value.errno == errno.ENOSPC
    assert not (tmp_path / MODEL).exists()


# --- scoring a part


def test_kept_captures_are_scored_in_the_order_of_the_part(
    trained: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    texts = [line(MATH, 1), "", line(OTHER, 2), line(MATH, 3), line(OTHER, 4)]
    pages = [
        {"page_id": name, "warc_record_offset": offset, "text": texts[offset]}
        for offset, name in enumerate(["e", "b", "d", "e", "a"])
    ]
    kept = [("a", 4), ("e", 3), ("b", 1), ("d", 2)]  # of e the second capture
    write_rows(tmp_path / "pages.parquet", [{c: p.get(c) for c in PAGE.names} for p in pages], PAGE)
    write_rows(tmp_path / "kept.parquet",
               [{"page_id": i, "warc_record_offset": o, "warc_filename": "a"} for i, o in kept], KEPT)  # fmt: skip
    score_part(
        tmp_path / "pages.parquet", tmp_path / "kept.parquet", trained[0] / MODEL, tmp_path / "out.parquet", 2000
    )
    assert pq.read_schema(tmp_path / "out.parquet").equals(SCORE)
    rows = list(read_rows(tmp_path / "out.parquet"))
    assert [row["page_id"] for row in rows] == ["b", "d", "e", "a"]
    expected = Scorer(trained[0] / MODEL).score(classifier_bytes(texts[n]) for n in (2, 3, 4))
    assert rows[0]["score"] is None
    assert [row["score"] for row in rows[1:]] == expected.tolist()


def test_one_known_word_far_down_a_page_is_enough_for_a_score(trained: tuple[Path, dict[str, Any]]) -> None:
    unknown = " ".join(f"zq{n}" for n in range(200))
    letters = unknown.translate(str.maketrans("0123456789", "abcdefghij"))
    scores = Scorer(trained[0] / MODEL).score([letters.encode(), b"theorem"])
    assert np.isnan(scores[0]) and not np.isnan(scores[1])
    assert not np.isnan(Scorer(trained[0] / MODEL).score([f"{unknown} theorem".encode()])).any()


def test_a_page_is_read_as_far_as_max_chars(trained: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    page = {"page_id": "a", "warc_record_offset": 0, "text": "football " * 10 + "theorem " * 500}
    write_rows(tmp_path / "pages.parquet", [{c: page.get(c) for c in PAGE.names}], PAGE)
    write_rows(tmp_path / "kept.parquet", [{"page_id": "a", "warc_record_offset": 0, "warc_filename": "a"}], KEPT)
    scores = []
    for max_chars in (10, 20_000):
        out = tmp_path / f"{max_chars}.parquet"
        score_part(tmp_path / "pages.parquet", tmp_path / "kept.parquet", trained[0] / MODEL, out, max_chars)
        scores += [row["score"] for row in read_rows(out)]
    assert scores[0] < 0.1 and scores[1] > 0.9
