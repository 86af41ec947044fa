"""Score every unique page of the pool with a round's model: one task a part."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from corpus.classify import MODEL, MUCH, score_part
from corpus.config import Settings
from corpus.stages import FanOut, build_parts, part, parts
from corpus.tables import count_rows
from corpus.workspace import Workspace


def score(workspace: Workspace, settings: Settings, number: int, fan_out: FanOut) -> None:
    """Bring rounds/NN/scores up to date."""
    pool, unique = workspace.path("pool/parts"), workspace.path("pool/unique")
    model = workspace.path(workspace.round(number, "model")) / MODEL

    def build(directory: Path) -> Mapping[str, Any]:
        n_workers = min(settings.run.workers or os.cpu_count() or 1, len(parts(pool)))
        if (memory := n_workers * model.stat().st_size) >= MUCH:
            workspace.notice(
                f"scoring takes {memory / 1e9:.1f} GB: each of {n_workers} workers holds the model "
                f"({model.stat().st_size / 1e9:.1f} GB); fewer: run.workers"
            )
        task = partial(score_rank, pool, unique, model, directory, settings.classifier.max_chars)
        build_parts(fan_out, task, len(parts(pool)), directory)
        return {"n_pages": count_rows(parts(directory))}

    workspace.run(
        workspace.round(number, "scores"),
        build,
        settings={"max_chars": settings.classifier.max_chars},
        inputs=["pool/parts", "pool/unique", workspace.round(number, "model")],
    )


def score_rank(pool: Path, unique: Path, model: Path, directory: Path, max_chars: int, rank: int) -> None:
    """Scores of one part."""
    score_part(part(pool, rank), part(unique, rank, "kept"), model, part(directory, rank), max_chars)
