-- Which crawls did the corpus come from?
-- A page that several crawls hold counts for the capture that was kept. Tokens are estimates.
SELECT
    crawl,
    count(*) AS n_pages,
    sum(n_tokens)::BIGINT AS n_tokens,
    sum(n_tokens) / sum(sum(n_tokens)) OVER () AS share_of_tokens,
    avg(score::DECIMAL(9, 6)) AS mean_score,
    sum(n_formulas)::BIGINT AS n_formulas
FROM corpus
GROUP BY crawl
ORDER BY n_tokens DESC, crawl NULLS LAST
