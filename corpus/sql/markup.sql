-- In which markup are formulas written: in the pool, and in the pages that a round collected?
-- One row a kind of markup, the most formulas first. n_pages hold at least one formula of the kind, and
-- a page may count under several. Counted in cheap text, menus and all; text is TeX between delimiters.
-- round: integer, default: the last
WITH counted AS (
    SELECT page_id, kind[10:] AS kind, n
    FROM pages UNPIVOT (n FOR kind IN (COLUMNS('^formulas_')))
    WHERE n > 0
),
collected AS (
    SELECT page_id, true AS collected FROM recalled WHERE round = coalesce($round, (SELECT max(round) FROM recalled))
)
SELECT
    kind,
    count(*) AS n_pages,
    sum(n)::BIGINT AS n_formulas,
    sum(n) / sum(sum(n)) OVER () AS share_of_formulas,
    count(collected) AS n_pages_collected,
    coalesce(sum(n) FILTER (collected), 0)::BIGINT AS n_formulas_collected
FROM counted LEFT JOIN collected USING (page_id)
GROUP BY kind
ORDER BY n_formulas DESC, kind
