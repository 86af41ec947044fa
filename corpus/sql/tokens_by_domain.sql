-- Which registered domains is the corpus made of?
-- A domain is what someone registered, private suffixes (me.github.io) included. Tokens are estimates.
-- limit: integer, default: 50
SELECT
    url_host_registered_domain,
    count(*) AS n_pages,
    sum(n_tokens)::BIGINT AS n_tokens,
    sum(n_tokens) / sum(sum(n_tokens)) OVER () AS share_of_tokens,
    avg(score::DECIMAL(9, 6)) AS mean_score,
    sum(n_formulas)::BIGINT AS n_formulas
FROM corpus
GROUP BY url_host_registered_domain
ORDER BY n_tokens DESC, url_host_registered_domain NULLS LAST
LIMIT $limit
