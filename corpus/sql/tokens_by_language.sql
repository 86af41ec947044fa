-- Which languages is the corpus written in?
-- language is a guess from the text, null where there was too little of it. Tokens are estimates.
SELECT
    language,
    count(*) AS n_pages,
    sum(n_tokens)::BIGINT AS n_tokens,
    sum(n_tokens) / sum(sum(n_tokens)) OVER () AS share_of_tokens,
    avg(score::DECIMAL(9, 6)) AS mean_score,
    sum(n_formulas)::BIGINT AS n_formulas
FROM corpus
GROUP BY language
ORDER BY n_tokens DESC, language NULLS LAST
