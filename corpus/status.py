"""Where a workspace stands: every number from the manifests of its stages and the rows of its rounds."""

from typing import Any

from corpus.ranking import ranked_by
from corpus.tables import read_rows
from corpus.workspace import Workspace

PRODUCTION = ("seed", "pool/parts", "pool/signatures", "pool/unique", "marks")
ROUND = ("seed", "model", "scores", "evidence", "recalled", "domains", "expanded")
FINISH = (
    *(f"finish/{stage}" for stage in ("extracted", "boilerplate", "signatures", "unique", "contaminated")),
    "corpus",
)


def status(workspace: Workspace) -> dict[str, Any]:
    """pool, rounds, corpus and exports as far as they are built; `stale` names stages that no longer hold.

    A stage is stale when an output is lost or edited, or when a stage it read was built anew since;
    the command that built it builds it again. A round that waits, or broke off, is not in `rounds`.
    """
    built = _built(workspace)
    exports = sorted(path.parent.name for path in (workspace.root / "exports").glob("[!.]*/manifest.json"))
    return {
        "workspace": str(workspace.root),
        "pool": _pool(workspace) if "pool/unique" in built else None,
        "rounds": [
            next(read_rows(workspace.path(name) / "round.parquet"))
            for name in built
            if name.endswith("/expanded") and workspace.is_current(name)
        ],
        "corpus": _corpus(workspace) if "corpus" in built else None,
        "exports": [{"name": name, **_counts(workspace, f"exports/{name}")} for name in exports],
        "stale": [
            name for name in [*built, *(f"exports/{name}" for name in exports)] if not workspace.is_current(name)
        ],
    }


def _built(workspace: Workspace) -> list[str]:
    """Committed stages, in the order of production; not marks and evidence that no round makes use of any more."""
    numbers = sorted(int(path.name) for path in (workspace.root / "rounds").glob("[0-9][0-9]"))
    rounds = [workspace.round(number, stage) for number in numbers for stage in ROUND]
    weighed = [number for number in numbers if ranked_by(workspace, number)[0] == "posterior"]
    unused = {workspace.round(number, "evidence") for number in numbers if number not in weighed}
    unused |= set() if weighed else {"marks"}
    return [
        name for name in (*PRODUCTION, *rounds, *FINISH) if name not in unused and workspace.manifest(name) is not None
    ]


def _counts(workspace: Workspace, stage: str) -> dict[str, Any]:
    manifest = workspace.manifest(stage)
    return dict(manifest.counts) if manifest else {}


def _pool(workspace: Workspace) -> dict[str, Any]:
    ingested, unique = _counts(workspace, "pool/parts"), _counts(workspace, "pool/unique")
    return {
        "n_files": ingested.get("n_files"),
        "n_captures": ingested.get("n_pages"),
        "dropped": ingested.get("dropped"),
        "truncated": ingested.get("truncated"),
        "removed": unique.get("removed"),
        "n_pages": unique.get("n_pages"),
    }


def _corpus(workspace: Workspace) -> dict[str, Any]:
    return {
        "directory": str(workspace.path("corpus")),
        "round": _counts(workspace, "finish/extracted").get("round"),
        "extracted": _counts(workspace, "finish/extracted"),
        "duplicates": _counts(workspace, "finish/unique").get("removed"),
        "contaminated": _counts(workspace, "finish/contaminated"),
        **_counts(workspace, "corpus"),
    }
