-- Which pages hold which benchmark items, and how much alike are they?
-- One row a page, item, role and rule; a page that holds more than an item in ten words leaves some out (n_left_out).
-- page_text is the page's own wording, item_text the benchmark's, 300 characters of it (the view contaminated has all).
-- overlap: share of the item's n-grams, or of its weight, in the page; alignment: share of it that was aligned, null
-- for deepseekmath. removed: page, segment or nothing.
-- benchmark: text, default: all
-- limit: integer, default: 100
SELECT
    contaminated.page_id,
    pages.url,
    benchmark,
    item_id,
    role,
    rule,
    removed,
    allowed,
    overlap,
    alignment,
    position,
    page_text,
    left(item_text, 300) AS item_text,
    n_left_out
FROM contaminated LEFT JOIN pages ON pages.page_id = contaminated.page_id
WHERE benchmark = $benchmark OR $benchmark IS NULL
ORDER BY contaminated.page_id, rule, benchmark, item_id, role
LIMIT $limit
