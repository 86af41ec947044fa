-- Which domains did a round collect from that no earlier round had collected from?
-- A page is a unique page of the pool. A domain may have been a math domain or not; few pages at a
-- low mean_score are the usual sign of drift.
-- round: integer, default: the last
-- limit: integer, default: 50
WITH collected AS (
    SELECT recalled.round, url_host_registered_domain, recalled.n_tokens, recalled.score
    FROM recalled JOIN pages USING (page_id)
)
SELECT
    min(round) AS round,
    url_host_registered_domain,
    count(*) FILTER (round = first) AS n_pages,
    sum(n_tokens) FILTER (round = first)::BIGINT AS n_tokens,
    avg(score::DECIMAL(9, 6)) FILTER (round = first) AS mean_score
FROM (SELECT *, min(round) OVER (PARTITION BY url_host_registered_domain) AS first FROM collected)
GROUP BY url_host_registered_domain
HAVING min(round) = coalesce($round, (SELECT max(round) FROM recalled))
ORDER BY n_pages DESC, url_host_registered_domain
LIMIT $limit
