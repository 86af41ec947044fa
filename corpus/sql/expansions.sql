-- What did each expansion promise, and what became of it?
-- One row a prefix whose uncollected pages joined the seed after a round. n_confirmed of them, with gained_tokens,
-- were collected by the round after it, which was trained with them and so flatters them; null after the last round.
-- gain and purity: what the round expected of them; checked_purity: their mean probability a round later.
-- low: too few were collected; withdrawn: so they left the seed. A person's accept is low and stays.
-- round: integer, default: all
-- limit: integer, default: 50
SELECT
    decisions.round,
    decisions.prefix,
    decisions.by,
    decisions.n_expanded,
    decisions.gain,
    decisions.purity,
    checked.n_confirmed,
    checked.n_confirmed / checked.n_added AS share_confirmed,
    checked.gained_tokens,
    checked.purity AS checked_purity,
    checked.low,
    checked.withdrawn
FROM decisions
LEFT JOIN checked
    ON checked.round = decisions.round + 1 AND checked.prefix = decisions.prefix AND checked.by = decisions.by
WHERE decisions.n_expanded > 0 AND (decisions.round = $round OR $round IS NULL)
ORDER BY decisions.round, decisions.n_expanded DESC, decisions.prefix
LIMIT $limit
