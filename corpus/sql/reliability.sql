-- Are the probabilities frequencies?
-- One row a bin of posteriors of a round's held-out documents (scoring.evidence). frequency: how often a page in the
-- bin is what the seed shows, estimated without labels as prevalence times share of the held-out seed in the bin over
-- share of the held-out negatives; low and high of a 95 % bootstrap interval over domains, null where all draws agree
-- (0 without seed in the bin says little). It holds as far as the seed is a fair draw of what is sought; against
-- labels: `corpus evaluate`. The place of a page is left out here.
-- round: integer, default: the last
SELECT low, high, n_seed, n_others, mean_posterior, frequency, frequency_low, frequency_high
FROM reliability
WHERE round = coalesce($round, (SELECT max(round) FROM reliability))
ORDER BY low
