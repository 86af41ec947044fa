-- Which hosts score high on pages that the round did not collect?
-- Hosts by the score mass just under the cut: candidates for a larger budget or for a person's
-- annotation. A high score is the model's opinion, not a label; look at the example first.
-- round: integer, default: the last
-- limit: integer, default: 50
WITH scored AS (
    SELECT page_id, score FROM scores WHERE round = coalesce($round, (SELECT max(round) FROM recalled))
),
missed AS (
    SELECT page_id, score FROM scored
    WHERE page_id NOT IN (
        SELECT page_id FROM recalled WHERE round = coalesce($round, (SELECT max(round) FROM recalled))
    ) AND score IS NOT NULL
)
SELECT
    url_host_name,
    url_host_registered_domain,
    count(*) AS n_missed,
    sum(score::DECIMAL(9, 6))::DOUBLE AS missed_score,
    max(score) AS max_score,
    arg_max(url, (score, url)) AS example
FROM missed JOIN pages USING (page_id)
GROUP BY url_host_name, url_host_registered_domain
ORDER BY missed_score DESC, url_host_name
LIMIT $limit
