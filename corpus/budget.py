"""Budget curves: what a round would keep at other budgets, without training again.

With evidence, precision is the mean posterior of what is kept, recall its sum out of what capture and recapture say
there is (see evidence.weigh), and the margin the posterior of the last page. Without it a score is no probability: the
share of the held-out seed that scores as high is all that is known, and an audit tells the rest.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from corpus.audit_report import Audit
from corpus.errors import InputError
from corpus.ranking import Floats, Ranking, ranked
from corpus.workspace import Workspace


def budget(workspace: Workspace, number: int | None = None, audit: Path | None = None) -> dict[str, Any]:
    """Returns round, evidence, and depths: a row each with n_pages, n_tokens, value, collected (the round's own), and

    precision, precision_tokens, recall and margin with evidence, seed_found without; null where they are unknown;
    pages and tokens, as audit_report has them, with an audit.

    Raises InputError where the audit is of another round.
    """
    with ranked(workspace, number) as (ranking, _):
        pass
    depths = ranking.grid()
    known = _by_posterior(workspace, ranking) if ranking.evidence else _by_seed(workspace, ranking)
    rows = [
        {**ranking.describe(depth), **{name: float(values[depth - 1]) for name, values in known.items()}}
        for depth in depths
    ]
    if audit is not None:
        audited = Audit(workspace, audit)
        if audited.ranking.round != ranking.round:
            raise InputError(
                f"{audit} is an audit of round {audited.ranking.round}: type corpus budget --round "
                f"{audited.ranking.round}, or draw pages of round {ranking.round}"
            )
        rows = [row | told for row, told in zip(rows, audited.described(depths), strict=True)]
    return {"round": ranking.round, "evidence": ranking.evidence, "depths": rows}


def _by_posterior(workspace: Workspace, ranking: Ranking) -> dict[str, Floats]:
    """Each at every depth."""
    manifest = workspace.manifest(workspace.round(ranking.round, "evidence"))
    assert manifest is not None
    likely = np.cumsum(ranking.value)
    return {
        "precision": likely / np.arange(1, len(likely) + 1),
        "precision_tokens": np.cumsum(ranking.value * ranking.n_tokens) / np.cumsum(ranking.n_tokens),
        "recall": np.minimum(1.0, likely / max(manifest.counts["n_sought"], 1.0)),
        "margin": ranking.value,
    }


def _by_seed(workspace: Workspace, ranking: Ranking) -> dict[str, Floats]:
    table = pq.read_table(workspace.path(workspace.round(ranking.round, "model")) / "held_out.parquet")
    seed = table.filter(table["positive"])["score"].to_numpy().astype(np.float64)
    ordered = np.sort(seed[~np.isnan(seed)])
    return {"seed_found": (len(ordered) - np.searchsorted(ordered, ranking.value)) / max(len(seed), 1)}
