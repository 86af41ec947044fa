-- What did each accepted URL prefix gain the next round?
-- n_expanded pages under the prefix joined the seed after the round; n_gained of them were collected
-- by the round after it, with gained_tokens. Pages elsewhere that the grown seed helped to find are
-- not counted here. A last round has no round after it, so nothing is listed for it.
-- round: integer, default: all
-- limit: integer, default: 50
SELECT
    expanded.round,
    expanded.prefix,
    decisions.by,
    count(*) AS n_expanded,
    count(recalled.page_id) AS n_gained,
    coalesce(sum(recalled.n_tokens), 0)::BIGINT AS gained_tokens,
    count(recalled.page_id) / count(*) AS share_gained
FROM expanded
LEFT JOIN decisions ON decisions.round = expanded.round AND decisions.prefix = expanded.prefix
LEFT JOIN recalled ON recalled.round = expanded.round + 1 AND recalled.page_id = expanded.page_id
WHERE (expanded.round = $round OR $round IS NULL)
    AND expanded.round + 1 IN (SELECT round FROM recalled)
GROUP BY expanded.round, expanded.prefix, decisions.by
ORDER BY n_gained DESC, expanded.round, expanded.prefix, decisions.by
LIMIT $limit
