"""The loop: seed, train, score, recall, domains, expand; and when to stop.

    marks                what formulas say of a page (with scoring.evidence, as is rounds/NN/evidence)
    rounds/NN/seed       positives and negatives drawn for the round
              model      model.bin and its scores on held-out domains
              scores     a score for every page of the pool
              evidence   the score, formulas and place together: a probability
              recalled   the best pages, up to the budget
              domains    math domains and URL prefixes
              expanded   what was decided of the prefixes; pages that join the next seed

Source: DeepSeekMath (arXiv 2402.03300), section 2.1.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from corpus import annotations, domains, expansion
from corpus.classify import MUCH, model_bytes, train
from corpus.config import Settings, Stop
from corpus.errors import AnnotationWanted, InputError
from corpus.given import IN_FOLDERS, gather
from corpus.recall import recall
from corpus.seeds import draw
from corpus.sources import stamps
from corpus.summary import row_of, write_summary
from corpus.tables import read_rows
from corpus.weighing import learn, weigh_round
from corpus.workspace import Workspace

# Brings rounds/NN/scores up to date, wherever the work is done: pipelines/score.py.
ScoreRound = Callable[[Workspace, Settings, int], None]


def iterate(workspace: Workspace, settings: Settings, n_rounds: int, score: ScoreRound) -> list[dict[str, Any]]:
    """Bring rounds 1 to n_rounds up to date; the pool must be. Returns their rows (schema.ROUND).

    Ends early, with fewer rows than n_rounds, when a stop rule holds (see `why_last`).
    Raises AnnotationWanted where a round waits for a person.
    """
    gather_seed(workspace, settings)
    if settings.scoring.evidence:
        workspace.run("marks", lambda d: learn(workspace, d), settings={}, inputs=["pool/parts", "pool/unique", "seed"])
    rows: list[dict[str, Any]] = []
    for number in range(1, n_rounds + 1):
        rows.append(run_round(workspace, settings, number, score))
        if why_last(rows[-1], settings.stop):
            break
    return rows


def why_last(row: Mapping[str, Any], stop: Stop) -> str | None:
    """Why the loop ends with a round: it collected what the one before had, by pages and tokens alike, or drifts."""
    if stop.on_drift and row["drift"]:
        return f"it drifts: {row['drift']} (stop.on_drift). `corpus finish --round N` takes an earlier one"
    shares = (row["already_pages"], row["already_tokens"])
    if any(share is None or share < stop.already_collected for share in shares):
        return None
    return (
        f"{shares[0]:.1%} of its pages and {shares[1]:.1%} of its tokens were collected in the round before "
        f"(stop.already_collected is {stop.already_collected:.0%})"
    )


def gather_seed(workspace: Workspace, settings: Settings) -> None:
    """Stage seed: the documents that a person gave, read once for all rounds."""
    if not settings.seed.paths:
        raise InputError(
            f"{workspace.settings_path}: seed.paths is empty. Name JSONL, Parquet or WARC files of pages "
            "of the kind you want to find."
        )

    def build(directory: Path) -> dict[str, Any]:
        counts = {"positives": gather(settings.seed.paths, directory / "positives.parquet", settings)}
        if settings.negatives.paths:
            counts["negatives"] = gather(settings.negatives.paths, directory / "negatives.parquet", settings)
        return counts

    workspace.run(
        "seed",
        build,
        settings={
            "max_chars": settings.classifier.max_chars,
            "pages": settings.pool.model_dump(exclude={"warcs", "crawl"}),
        },
        files=stamps(settings.seed.paths, workspace.root, IN_FOLDERS)
        | stamps(settings.negatives.paths, workspace.root, IN_FOLDERS, role="negative "),
    )


def run_round(workspace: Workspace, settings: Settings, number: int, score: ScoreRound) -> dict[str, Any]:
    """Bring one round up to date, the ones before it must be; returns its row (schema.ROUND)."""

    def stage(name: str, of: int = number) -> str:
        return workspace.round(of, name)

    earlier = range(1, number)
    evidence = settings.scoring.evidence
    persons_before = persons_of(workspace, number - 1)
    workspace.run(
        stage("seed"),
        lambda directory: draw(workspace, number, settings, directory, persons_before),
        settings={
            "persons": sorted(persons_before.items()),
            "max_docs": settings.seed.max_docs,
            "max_chars": settings.classifier.max_chars,
            "held_out": settings.classifier.held_out,
            "random_seed": settings.classifier.random_seed,
            "per_positive": settings.negatives.per_positive,
            "outside_negatives": bool(settings.negatives.paths),
            "exclude_collected": settings.negatives.exclude_collected,
            "evidence": evidence,
        },
        inputs=[
            *("pool/parts", "pool/unique", "seed"),
            *(stage("expanded", n) for n in earlier),
            *(stage("domains", n) for n in earlier[1:]),
            *([stage("evidence", number - 1) if number > 1 else "marks"] if evidence else []),
        ],
    )
    seed = workspace.path(stage("seed"))

    def learn_model(directory: Path) -> dict[str, Any]:
        if (memory := model_bytes(settings.classifier)) >= MUCH:
            workspace.notice(f"training takes {memory / 1e9:.1f} GB and more, scoring as much for each worker")
        return train(seed / "positives.parquet", seed / "negatives.parquet", directory, settings.classifier)

    workspace.run(
        stage("model"),
        learn_model,
        settings=settings.classifier.model_dump(exclude={"max_chars", "held_out"}),
        inputs=[stage("seed")],
    )
    score(workspace, settings, number)
    if evidence:
        workspace.run(
            stage("evidence"),
            lambda directory: weigh_round(workspace, number, directory),
            settings={},
            inputs=["pool/parts", "pool/unique", "marks", stage("scores")],
        )
    workspace.run(
        stage("recalled"),
        lambda directory: recall(workspace, number, directory, settings.recall, evidence),
        settings={
            "keep_share": settings.recall.keep_share,
            "min_score": settings.recall.min_score,
            "keep_tokens": settings.recall.budget(number),
            "precision": settings.recall.precision,
        },
        inputs=[
            *("pool/parts", "pool/unique", stage("scores")),
            *([stage("evidence")] if evidence else []),
            *(stage("recalled", n) for n in earlier),
        ],
    )
    workspace.run(
        stage("domains"),
        lambda directory: domains.collected_shares(workspace, number, directory, settings.domains, evidence),
        settings=settings.domains.model_dump(exclude={"annotate"}),
        inputs=[
            *("pool/parts", "pool/unique", stage("recalled")),
            *([stage("evidence")] if evidence else []),
            *(stage("domains", n) for n in earlier[1:]),
            *(stage("expanded", n) for n in earlier[-1:]),
        ],
    )
    persons = annotate(workspace, settings, number)
    manual = settings.domains.annotate == "manual"

    def expand(directory: Path) -> dict[str, Any]:
        counts = expansion.expand_round(workspace, number, directory, persons, manual=manual, evidence=evidence)
        if counts["unmatched"]:
            path, prefixes = workspace.annotations(number), ", ".join(counts["unmatched"])
            workspace.notice(f"{path}: no page of the pool is under {prefixes}")
        for text in expansion.low_scores(workspace, number):
            workspace.notice(text)
        write_summary(workspace, number, directory, counts, evidence, bool(settings.negatives.paths))
        return counts

    workspace.run(
        stage("expanded"),
        expand,
        settings={"manual": manual, "persons": sorted(persons.items())},
        inputs=[
            *("pool/parts", "pool/unique", stage("seed"), stage("model"), stage("recalled")),
            *(stage("domains", n) for n in [*earlier[1:], number]),
            *([stage("evidence")] if evidence else []),
        ],
    )
    row = row_of(workspace, number)
    if row["drift"]:
        workspace.notice(f"round {number} drifts: {row['drift']}")
    return row


def persons_of(workspace: Workspace, last: int) -> dict[str, str]:
    """What a person decided by name in the annotations of rounds 1 to `last`: prefix -> accept, reject or auto."""
    decided: dict[str, str] = {}
    for number in range(1, last + 1):
        decided = annotations.decisions_of(annotations.read_annotations(workspace.annotations(number)), (), decided)
    return decided


def annotate(workspace: Workspace, settings: Settings, number: int) -> dict[str, str]:
    """Write the round's annotations.csv and return a person's decision of each prefix (see annotations.py).

    Raises AnnotationWanted, in manual mode, while a proposed prefix is undecided.
    """
    path = workspace.annotations(number)
    proposed = list(read_rows(workspace.path(workspace.round(number, "domains")) / "prefixes.parquet"))
    earlier = persons_of(workspace, number - 1)
    if not workspace.frozen:
        annotations.write_annotations(path, proposed, earlier)
    names = [row["prefix"] for row in proposed]
    persons = annotations.decisions_of(annotations.read_annotations(path), names, earlier)
    undecided = [name for name in names if name not in persons]
    if undecided and settings.domains.annotate == "manual":
        raise AnnotationWanted(
            f"Round {number} waits for a person: {len(undecided)} of {len(names)} URL prefixes are undecided.\n"
            f"  1. Type: corpus annotate --round {number} -w {workspace.quoted}\n"
            f"     Or open {path} and write accept, reject or auto\n"
            f"     into the column decision; the line {annotations.EVERY_BLANK} answers for all that stay blank.\n"
            f"  2. Type the same command again, such as: corpus iterate {number} -w {workspace.quoted}"
        )
    return persons
