-- Which pages had the most duplicates, and of what kind?
-- One row a cluster of the pool and of the collected text, the largest first: the page that was kept
-- and what it stands for. url: other captures of one URL; exact: the same text; near: similar text,
-- verified by Jaccard (min_jaccard is the least alike). n_removed leaves the kept page out.
-- stage: text, default: both
-- limit: integer, default: 50
SELECT
    removed.stage,
    removed.cluster,
    removed.kept_id,
    pages.url AS kept_url,
    count(*) AS n_removed,
    count(*) FILTER (kind = 'url') AS n_url,
    count(*) FILTER (kind = 'exact') AS n_exact,
    count(*) FILTER (kind = 'near') AS n_near,
    min(jaccard) AS min_jaccard
FROM removed LEFT JOIN pages ON pages.page_id = removed.kept_id
WHERE removed.stage = $stage OR $stage IS NULL
GROUP BY removed.stage, removed.cluster, removed.kept_id, pages.url
ORDER BY n_removed DESC, removed.stage, removed.cluster, removed.kept_id
LIMIT $limit
