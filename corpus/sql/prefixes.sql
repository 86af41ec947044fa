-- Which URL prefixes does a round propose, and what would they add?
-- Numbers are of the pages under a prefix and under no longer one. lower_bound: of the share, with the confidence of
-- the settings; auto goes by it. gain: expected wanted pages among the uncollected ones, purity: their mean
-- probability; both null without scoring.evidence. They are what the round believes, and it left these pages out.
-- round: integer, default: the last
-- limit: integer, default: 50
SELECT round, prefix, n_pages, n_collected, share, lower_bound, gain, gain_tokens, purity, auto
FROM prefixes
WHERE round = coalesce($round, (SELECT max(round) FROM prefixes))
ORDER BY gain DESC NULLS LAST, lower_bound DESC, prefix
LIMIT $limit
