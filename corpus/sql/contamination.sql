-- Which benchmarks were found in the collected pages?
-- One row a benchmark and rule. A page may hit several items and benchmarks, so n_pages does not add
-- up to the pages dropped. ngram: a shared n-gram; whole: a short text found whole. Only verbatim
-- overlap is found: reworded questions are not.
SELECT
    benchmark,
    rule,
    count(DISTINCT page_id) AS n_pages,
    count(DISTINCT item_id) AS n_items,
    sum(n_hits)::BIGINT AS n_hits,
    min(ngram) AS example
FROM contaminated
GROUP BY benchmark, rule
ORDER BY n_pages DESC, benchmark, rule
