-- Which domains gave a round the most pages?
-- Counts unique pages of the pool, before careful extraction and the corpus's own dedup.
-- math says that the lower bound of the share passed the setting; a large domain may give many pages and not pass.
-- round: integer, default: the last
-- limit: integer, default: 20
SELECT round, domain, n_pages, n_collected, share, lower_bound, math
FROM domains
WHERE round = coalesce($round, (SELECT max(round) FROM domains)) AND n_collected > 0
ORDER BY n_collected DESC, domain
LIMIT $limit
