"""What a round collects: the pool ranked, and the best of it by one of four rules."""

from pathlib import Path
from typing import Any

from corpus.config import Recall
from corpus.errors import StageError
from corpus.schema import RECALLED
from corpus.stages import parts
from corpus.tables import duck, selected, sql_list, write_rows
from corpus.workspace import Workspace


def recall(workspace: Workspace, number: int, directory: Path, rule: Recall, evidence: bool = False) -> dict[str, Any]:
    """Rank the pool by score, or posterior with evidence, ties by page_id; keep the best by the rule; schema.RECALLED.

    A budget keeps the longest head of the ranking whose tokens fit into it, a precision the longest whose mean
    posterior is no less.
    Returns counts: n_pool, n_scored, n_collected, n_tokens, n_new, already_pages, already_tokens, cut_score,
    likely (sum of posteriors; null without evidence).
    Raises StageError where nothing is kept.
    """
    scores = workspace.path(workspace.round(number, "scores"))
    posteriors = workspace.path(workspace.round(number, "evidence")) / "evidence.parquet"
    value, weighed = (
        ("posterior", f"JOIN read_parquet({sql_list([posteriors])}) e USING (page_id)") if evidence else ("score", "")
    )
    condition, in_words = _rule_of(rule, number, value)
    earlier = [workspace.path(workspace.round(n, "recalled")) / "recalled.parquet" for n in range(1, number)]
    with duck(directory) as connection:
        connection.execute(
            f"""CREATE TABLE scored AS
                SELECT page_id, score, {"posterior" if evidence else "NULL::DOUBLE AS posterior"}, n_tokens
                FROM read_parquet({sql_list(parts(scores))}) s JOIN {workspace.pages()} p USING (page_id) {weighed}"""
        )
        past = (
            f"read_parquet({sql_list(earlier)})" if earlier else "(SELECT '' AS page_id, 0 AS first_round WHERE false)"
        )
        connection.execute(
            f"""CREATE TABLE recalled AS
                SELECT page_id, score, posterior, rank, n_tokens, p.first_round IS NULL AS new,
                       coalesce(p.first_round, {number}) AS first_round
                FROM (SELECT *, row_number() OVER ranking AS rank, sum(n_tokens) OVER ranking AS running,
                             sum(posterior::DECIMAL(13, 12)) OVER ranking AS likely
                      FROM scored WHERE score IS NOT NULL WINDOW ranking AS (ORDER BY {value} DESC, page_id))
                LEFT JOIN (SELECT page_id, min(first_round) AS first_round FROM {past} GROUP BY page_id) p
                     USING (page_id)
                WHERE {condition}"""
        )
        n_collected = write_rows(
            directory / "recalled.parquet", selected(connection, "FROM recalled ORDER BY rank"), RECALLED
        )
        counts = next(
            selected(
                connection,
                f"""SELECT (SELECT count(*) FROM scored) AS n_pool, (SELECT count(score) FROM scored) AS n_scored,
                           (SELECT max({value}) FROM scored) AS best,
                           count(*) AS n_collected, coalesce(sum(n_tokens), 0)::BIGINT AS n_tokens,
                           count(*) FILTER (new) AS n_new, min({value}) AS cut_score,
                           sum(posterior::DECIMAL(13, 12))::DOUBLE AS likely FROM recalled""",
            )
        )
        if not n_collected:
            raise StageError(
                f"round {number} collected nothing of {counts['n_pool']} pages, {counts['n_scored']} of them scored "
                f"(best {value} {counts['best']}): {in_words}. Either the pool holds nothing of what the seed shows, "
                f"or loosen [recall] in {workspace.settings_path}."
            )
        already = {"already_pages": None, "already_tokens": None}
        if earlier:
            already = next(
                selected(
                    connection,
                    f"""SELECT count(b.page_id) / count(*) AS already_pages,
                               coalesce(sum(n_tokens) FILTER (b.page_id IS NOT NULL), 0) / sum(n_tokens)
                               AS already_tokens
                        FROM recalled LEFT JOIN (SELECT page_id FROM read_parquet({sql_list(earlier[-1:])})) b
                        USING (page_id)""",
                )
            )
    return counts | already


def _rule_of(rule: Recall, number: int, value: str) -> tuple[str, str]:
    """The rule as a condition in SQL, and in words."""
    if rule.min_score is not None:
        return f"{value} >= {rule.min_score}", f"min_score is {rule.min_score}"
    if rule.precision is not None:
        return f"likely >= {rule.precision} * rank", f"precision is {rule.precision}"
    if rule.keep_share is not None:
        condition = f"rank <= {rule.keep_share} * (SELECT count(score) FROM scored)"
        return condition, f"keep_share is {rule.keep_share}"
    budget = rule.budget(number)
    return f"running <= {budget}", f"keep_tokens is {budget}, less than the best page has"
