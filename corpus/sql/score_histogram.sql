-- How are the scores of each round spread, and where does the cut fall?
-- Twenty bins of 0.05 a round; a bin holds its lower bound, and 1.0 falls into the last. Pages
-- without a score (nothing to read) stand in a bin of their own, null. Scores of two rounds come
-- from two models: compare shapes, not values.
-- round: integer, default: all
SELECT
    scores.round,
    CASE WHEN scores.score IS NOT NULL THEN least(floor(scores.score * 20)::INTEGER, 19) / 20 END AS bin,
    count(*) AS n_pages,
    count(recalled.page_id) AS n_collected
FROM scores LEFT JOIN recalled ON recalled.round = scores.round AND recalled.page_id = scores.page_id
WHERE scores.round = $round OR $round IS NULL
GROUP BY ALL
ORDER BY round, bin NULLS FIRST
