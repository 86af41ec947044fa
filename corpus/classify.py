"""The fastText classifier: train, check, score.

Traps this room keeps shut (measured, see docs/design.md): with fewer than ten
threads fastText initialises only a tenth of a matrix for each, so training in a
process that has used its memory before gives NaN or nonsense: every model is trained
in a fresh process whose allocations are zeroed. Text without a known word still gets
the model's bias, above one half: it is scored null.
"""

import errno
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus.config import Classifier
from corpus.errors import TrainingError
from corpus.metrics import area_under_roc, average_precision
from corpus.schema import HELD_OUT, SCORE
from corpus.tables import read_rows, replacing, write_rows
from corpus.text import classifier_bytes

POSITIVE, NEGATIVE = "__label__math", "__label__other"
MODEL = "model.bin"
# glibc fills new memory with the complement of this byte: zeros.
ZEROED = {"MALLOC_PERTURB_": "255"}
MIN_AUC = 0.6  # on held-out domains; a model below it has learnt nothing
MUCH = 1_000_000_000  # bytes of models that a person is told of before they are taken
MAX_PASSES = 50  # that classifier.min_reads asks for, at most
PAGES_PER_WRITE = 512
FIRST_BYTES = 100


def train(positives: Path, negatives: Path, directory: Path, settings: Classifier) -> dict[str, Any]:
    """Train on both tables (schema.DOCUMENT) less what is held out; write model.bin and held_out.parquet.

    Returns counts: n_positives, n_negatives, n_trainings, held_out_positives, held_out_negatives, held_out_ap,
    held_out_auc.
    Raises TrainingError when fastText fails, when weights are not finite, or when the model ranks
    held-out documents no better than chance: twice, from another random seed the second time.
    """
    lines = directory / ".train.txt"
    counts = {"n_positives": 0, "n_negatives": 0}
    with lines.open("w", encoding="utf-8") as file:
        for document, label, count in _alternate(positives, negatives):
            if not document["held_out"]:
                file.write(f"{label} {document['text']}\n")
                counts[count] += 1
    for count, n in counts.items():
        if not n:
            raise TrainingError(
                f"no {count[2:]} to train on are left once a share of domains is held out: give more"
                + (", in negatives.paths where the pool holds nothing else than the seed" if count[2] == "n" else "")
            )
    passes = max(settings.epoch, min(math.ceil(settings.min_reads / sum(counts.values())), MAX_PASSES))
    for n_trainings in (1, 2):
        again = {"epoch": passes, "random_seed": settings.random_seed + n_trainings - 1}
        try:
            with replacing(directory / MODEL) as model:
                _train_in_fresh_process(lines, model, settings.model_copy(update=again))
                checked = _check(model, positives, negatives, directory, settings)
            break
        except TrainingError:
            if n_trainings == 2:
                raise
    lines.unlink()
    return {**counts, "n_trainings": n_trainings, **checked}


def model_bytes(settings: Classifier) -> int:
    """Memory of a model but for its words, before it is trained."""
    return 4 * settings.dim * settings.bucket


def _alternate(positives: Path, negatives: Path) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Documents of both classes in turn: fastText reads in order, and a class in one block is forgotten."""
    sides = [
        (((row, POSITIVE, "n_positives") for row in read_rows(positives)), pq.read_metadata(positives).num_rows),
        (((row, NEGATIVE, "n_negatives") for row in read_rows(negatives)), pq.read_metadata(negatives).num_rows),
    ]
    drawn = [0, 0]
    for _ in range(sides[0][1] + sides[1][1]):
        # The side that is further behind its share goes next.
        side = 0 if drawn[0] * max(sides[1][1], 1) <= drawn[1] * max(sides[0][1], 1) else 1
        if drawn[side] == sides[side][1]:
            side = 1 - side
        drawn[side] += 1
        yield next(sides[side][0])


def _train_in_fresh_process(lines: Path, model: Path, settings: Classifier) -> None:
    arguments = {
        "input": str(lines),
        "dim": settings.dim,
        "lr": settings.lr,
        "wordNgrams": settings.word_ngrams,
        "minCount": settings.min_count,
        "epoch": settings.epoch,
        "bucket": settings.bucket,
        "thread": settings.threads,
        "seed": settings.random_seed,
        "verbose": 0,
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "corpus.classify", json.dumps(arguments), str(model)],  # -P: see guard.Guard
        env={**os.environ, **ZEROED, "PYTHONPATH": os.pathsep.join(entry or os.curdir for entry in sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        why = said[-1] if said else f"exit code {done.returncode}"
        if f"[Errno {errno.ENOSPC}]" in why:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(model))
        raise TrainingError(f"fastText failed: {why}" + (" Lower classifier.lr." if "NaN" in why else ""))


def _check(model: Path, positives: Path, negatives: Path, directory: Path, settings: Classifier) -> dict[str, Any]:
    scorer = Scorer(model)
    scorer.check_finite()
    rows: list[dict[str, Any]] = []
    for path, positive in ((positives, True), (negatives, False)):
        documents = [row for row in read_rows(path) if row["held_out"]]
        scores = scorer.score(row["text"].encode() for row in documents)
        rows += [
            {**row, "domain": row["domain"] or row["doc_id"], "positive": positive, "score": _null(score)}
            for row, score in zip(documents, scores, strict=True)
        ]
    write_rows(directory / "held_out.parquet", rows, HELD_OUT)
    flags = np.array([row["positive"] for row in rows], dtype=np.bool_)
    values = np.array([-1.0 if row["score"] is None else row["score"] for row in rows])
    auc = area_under_roc(flags, values)
    if auc is not None and auc < MIN_AUC:
        raise TrainingError(
            f"the model ranks held-out domains no better than chance (AUC {auc:.2f}, at least {MIN_AUC} wanted): "
            f"{int(flags.sum())} positives and {int((~flags).sum())} negatives. Is the seed of one subject, "
            "and are the negatives of others? Few documents need a larger classifier.lr or classifier.epoch."
        )
    return {
        "held_out_positives": int(flags.sum()),
        "held_out_negatives": int((~flags).sum()),
        "held_out_ap": average_precision(flags, values),
        "held_out_auc": auc,
    }


class Scorer:
    """A loaded model. Holds the file in memory once: about 4 bytes x dim x (buckets + words)."""

    def __init__(self, path: Path) -> None:
        import fasttext

        fasttext.FastText.eprint = lambda *_: None  # it warns of its own API on every load
        self._model = fasttext.load_model(str(path))
        self._words = frozenset(word.encode() for word in self._model.get_words()) - {b"</s>"}

    def check_finite(self) -> None:
        """Raises TrainingError where a weight is NaN or infinite."""
        for matrix in (self._model.get_input_matrix(), self._model.get_output_matrix()):
            if not np.isfinite(matrix).all():
                raise TrainingError("the trained model holds weights that are not finite; lower classifier.lr")

    def score(self, lines: Iterable[bytes]) -> NDArray[np.float32]:
        """Probability of the positive class of each line (see text.classifier_bytes); NaN where no word is known."""
        return np.array([self._score(line) if self._knows(line) else np.nan for line in lines], np.float32)

    def _score(self, line: bytes) -> float:
        # The C++ object below the Python layer, which would copy each line three times.
        (first, label), (second, _) = self._model.f.predict(line + b"\n", 2, 0.0, "strict")
        return min(float(first if label == POSITIVE else second), 1.0)

    def _knows(self, line: bytes) -> bool:
        first = line[:FIRST_BYTES].split()[:-1]  # the last one may be cut; a known word is nearly always among them
        return not self._words.isdisjoint(first) or not self._words.isdisjoint(line.split())


def score_part(pages: Path, kept: Path, model: Path, out: Path, max_chars: int) -> None:
    """Score the kept pages of one pool part into schema.SCORE, in the part's order."""
    scorer = Scorer(model)
    wanted = {(row["page_id"], row["warc_record_offset"]) for row in read_rows(kept)}
    rows = (
        row
        for row in read_rows(pages, ["page_id", "warc_record_offset", "text"])
        if (row["page_id"], row["warc_record_offset"]) in wanted
    )
    write_rows(out, _scored(scorer, rows, max_chars), SCORE)


def _scored(scorer: Scorer, rows: Iterator[dict[str, Any]], max_chars: int) -> Iterator[dict[str, Any]]:
    while batch := list(islice(rows, PAGES_PER_WRITE)):
        scores = scorer.score(classifier_bytes(row["text"], max_chars) for row in batch)
        for row, score in zip(batch, scores, strict=True):
            yield {"page_id": row["page_id"], "score": _null(score)}


def _null(score: np.float32) -> float | None:
    return None if np.isnan(score) else float(score)


def main(arguments: Sequence[str]) -> None:
    """Train in this process: the arguments of fasttext.train_supervised as JSON, and the model's path."""
    import fasttext

    parameters, path = arguments
    model = fasttext.train_supervised(**json.loads(parameters))
    model.save_model(path)
    # fastText does not notice a full disk. The output matrix comes last in its file.
    end = np.ascontiguousarray(model.get_output_matrix(), dtype="<f4").tobytes()
    with Path(path).open("rb") as file:
        file.seek(-min(len(end), Path(path).stat().st_size), os.SEEK_END)
        if file.read() != end:
            raise OSError(errno.ENOSPC, "the model is not whole", path)


if __name__ == "__main__":
    main(sys.argv[1:])
