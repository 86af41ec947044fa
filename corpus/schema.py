"""Arrow schemas of every table on disk.

Text stands once, in the pool; every later signal is a table of its own, joined
by `page_id`, never by row position. Column names follow Common Crawl's own index
table where it has a name for the thing.
"""

import pyarrow as pa

from corpus.markup import KINDS

TIMESTAMP = pa.timestamp("s", tz="UTC")

# pool/parts/part-NNNNN.parquet: one row a captured page, in the order of the WARC file.
# A page captured twice stands here twice, with one page_id; (page_id, warc_filename,
# warc_record_offset) is unique.
PAGE = pa.schema(
    [
        ("page_id", pa.string()),  # urls.page_id: xxh3_128 of the canonical URL without its scheme, 32 hex digits
        ("url", pa.string()),  # canonical URL
        ("url_host_name", pa.string()),
        ("url_host_registered_domain", pa.string()),  # by the public suffix list, private suffixes too
        ("crawl", pa.string()),  # isPartOf of the warcinfo record, else the settings' crawl name
        ("fetch_time", TIMESTAMP),  # WARC-Date; null where it is absent or unreadable
        ("warc_filename", pa.string()),  # shortest trailing path that is unique among the inputs
        ("warc_record_offset", pa.int64()),  # bytes from the start of the file
        ("warc_record_length", pa.int64()),  # bytes of the record as stored (compressed)
        ("content_digest", pa.string()),  # xxh3_128 of the decoded HTTP payload, hex
        ("content_charset", pa.string()),
        ("content_truncated", pa.string()),  # WARC-Truncated, or "incomplete" where bytes are missing; null: whole
        ("language", pa.string()),  # ISO 639-1; null where there is too little text to tell
        ("title", pa.string()),
        ("text", pa.string()),  # cheap text: all visible text, formulas as TeX where they are
        ("n_chars", pa.int64()),
        ("n_tokens", pa.int64()),  # estimate, see text.estimate_tokens
        ("n_commands", pa.int32()),  # different TeX commands in text
        ("n_formulas", pa.int32()),  # in text, and of these those of each kind of markup:
        *((f"formulas_{kind}", pa.int32()) for kind in KINDS),
    ]
)

# pool/parts/dropped-NNNNN.parquet: one row a record that did not become a page.
DROPPED = pa.schema(
    [
        ("warc_filename", pa.string()),
        ("warc_record_offset", pa.int64()),
        ("url", pa.string()),  # as the record has it; null where it has none
        ("reason", pa.string()),  # not_response, status_404, not_html, empty_body, corrupt, timeout, ...
    ]
)

# pool/unique/kept-NNNNN.parquet: what remains of each pool part; page_id is unique over all parts.
KEPT = pa.schema([("page_id", pa.string()), ("warc_filename", pa.string()), ("warc_record_offset", pa.int64())])

# pool/unique/removed.parquet and finish/unique/removed.parquet
REMOVED = pa.schema(
    [
        ("page_id", pa.string()),
        ("warc_filename", pa.string()),
        ("warc_record_offset", pa.int64()),
        ("kind", pa.string()),  # url, exact or near
        ("kept_id", pa.string()),  # the page that stands in its place
        ("jaccard", pa.float64()),  # with the kept page, on shingles; null for kind url
        ("cluster", pa.int64()),  # pages that any chain of duplicates connects share the number
    ]
)

# removed.parquet of `corpus dedup`, for files of one's own.
REMOVED_FILES = pa.schema(
    [
        ("id", pa.string()),  # page_id, id or url, as the file has it, else file#row
        ("kept_id", pa.string()),
        ("jaccard", pa.float64()),
        ("kind", pa.string()),
        ("cluster", pa.int64()),
    ]
)

# seed/positives.parquet and seed/negatives.parquet: the documents that a person gave.
SEED = pa.schema(
    [
        ("doc_id", pa.string()),  # page_id where there is a URL, else xxh3_128 of the text
        ("url", pa.string()),  # canonical; null where the source has none
        ("domain", pa.string()),  # registered domain; null where there is no URL
        ("text", pa.string()),  # what the classifier reads: text.classifier_line
        ("n_formulas", pa.int32()),  # of the document as it was given, as in the pool
        ("n_commands", pa.int32()),  # the same
    ]
)

# rounds/NN/seed/positives.parquet and negatives.parquet: drawn for one round, in random order.
DOCUMENT = pa.schema(
    [
        *SEED,
        ("source", pa.string()),  # seed, expanded, found (likely by the round before) or pool
        ("held_out", pa.bool_()),  # by domain: never trained on
    ]
)

# rounds/NN/model/held_out.parquet
HELD_OUT = pa.schema(
    [
        ("doc_id", pa.string()),
        ("domain", pa.string()),  # of documents without one the doc_id
        ("positive", pa.bool_()),
        ("score", pa.float32()),
        ("n_formulas", pa.int32()),
        ("n_commands", pa.int32()),
    ]
)

# rounds/NN/scores/part-NNNNN.parquet: one row a unique page of that pool part.
SCORE = pa.schema([("page_id", pa.string()), ("score", pa.float32())])  # in [0, 1]; null: nothing to score

# marks/marks.parquet: one row. With scoring.evidence only, as is EVIDENCE.
MARKS = pa.schema(
    [
        ("formulas", pa.float64()),  # log-likelihood ratio = formulas * ln(1 + n_formulas)
        ("commands", pa.float64()),  # + commands * ln(1 + n_commands)
        ("bias", pa.float64()),  # + bias
        ("prevalence", pa.float64()),  # of the seed's kind in the pool, by marks alone
        ("n_seed", pa.int64()),  # documents
        ("n_pool", pa.int64()),  # unique pages
    ]
)

# rounds/NN/evidence/evidence.parquet: one row a unique page, by page_id. Log-likelihood ratios, natural logarithm.
EVIDENCE = pa.schema(
    [
        ("page_id", pa.string()),
        ("marks", pa.float64()),  # formulas and TeX commands
        ("words", pa.float64()),  # the score; null where there is none, as are the columns that follow
        ("place", pa.float64()),  # the other pages of its host and first directory
        ("posterior", pa.float64()),  # probability, of the weighted sum
    ]
)

# rounds/NN/recalled/recalled.parquet: what the round collected, best first.
RECALLED = pa.schema(
    [
        ("page_id", pa.string()),
        ("score", pa.float32()),
        ("posterior", pa.float64()),  # what it is ranked by with scoring.evidence; else null, and it is by score
        ("rank", pa.int64()),  # from 1
        ("n_tokens", pa.int64()),
        ("new", pa.bool_()),  # no earlier round collected it
        ("first_round", pa.int32()),  # the earliest round that collected it
    ]
)

# rounds/NN/domains/domains.parquet
DOMAIN = pa.schema(
    [
        ("domain", pa.string()),  # registered domain, or the directory of one user of a shared host
        ("n_pages", pa.int64()),
        ("n_collected", pa.int64()),
        ("share", pa.float64()),  # n_collected / n_pages
        ("lower_bound", pa.float64()),  # of the share, with the confidence of the settings
        ("math", pa.bool_()),  # lower_bound above the setting
    ]
)

# rounds/NN/domains/prefixes.parquet: URL prefixes that tell collected pages from others. All numbers are of the pages
# under the prefix and under no longer one.
PREFIX = pa.schema(
    [
        ("prefix", pa.string()),  # host, or host/first/second, without scheme
        ("domain", pa.string()),  # as in DOMAIN
        ("depth", pa.int32()),  # path segments
        ("n_pages", pa.int64()),
        ("n_collected", pa.int64()),
        ("share", pa.float64()),
        ("lower_bound", pa.float64()),
        ("gain", pa.float64()),  # expected wanted pages among the uncollected; null without scoring.evidence,
        ("gain_tokens", pa.float64()),  # as are their tokens
        ("purity", pa.float64()),  # and gain / uncollected pages; null also where there are none of these
        ("auto", pa.string()),  # accept, reject or withdrawn, by the stated rule
        ("examples", pa.list_(pa.string())),  # up to 3 URLs, uncollected ones first
    ]
)

# rounds/NN/domains/checked.parquet: what became of the pages that the round before added.
CHECKED = pa.schema(
    [
        ("prefix", pa.string()),
        ("by", pa.string()),  # auto or person, as in DECISION
        ("n_added", pa.int64()),  # pages
        ("n_confirmed", pa.int64()),  # of these, collected by this round
        ("gained_tokens", pa.int64()),  # of the confirmed
        ("purity", pa.float64()),  # their mean posterior now; null without scoring.evidence
        ("low", pa.bool_()),  # the share confirmed is not above that of a math domain
        ("withdrawn", pa.bool_()),  # low, and accepted by the rule
    ]
)

# rounds/NN/expanded/decisions.parquet: what was decided of each prefix, by whom.
DECISION = pa.schema(
    [
        ("prefix", pa.string()),
        ("decision", pa.string()),  # accept, reject, or withdrawn in this round or an earlier one
        ("by", pa.string()),  # auto or person
        ("n_pages", pa.int64()),  # pool pages under it and under no longer decided prefix
        ("n_expanded", pa.int64()),  # of these, pages that join the next seed
        ("gain", pa.float64()),  # of these, the uncollected ones: as in PREFIX
        ("gain_tokens", pa.float64()),
        ("purity", pa.float64()),
        ("n_added", pa.int64()),  # as in CHECKED; null where the round before added nothing by it
        ("n_confirmed", pa.int64()),
    ]
)

# rounds/NN/expanded/expanded.parquet; rounds/NN/domains/withdrawn.parquet: pages of the round before that left again.
EXPANDED = pa.schema([("page_id", pa.string()), ("prefix", pa.string()), ("by", pa.string())])

# rounds/NN/expanded/round.parquet: the round in one row.
ROUND = pa.schema(
    [
        ("round", pa.int32()),
        ("n_pool", pa.int64()),  # unique pages
        ("n_scored", pa.int64()),  # of these, with a score
        ("n_seed", pa.int64()),  # positives, held-out ones too
        ("n_negatives", pa.int64()),
        ("cut_score", pa.float32()),  # score of the last page collected, or its posterior with scoring.evidence
        ("n_collected", pa.int64()),
        ("n_tokens", pa.int64()),  # of the collected pages, estimated
        ("n_new", pa.int64()),  # collected pages that no earlier round collected
        ("already_pages", pa.float64()),  # share of the collection that the round before collected too, by pages
        ("already_tokens", pa.float64()),  # the same by tokens; both null in round 1
        # On held-out domains; low and high: of a 95 % interval by a bootstrap over domains, null where all its draws
        # agree. See held_out.py.
        ("held_out_ap", pa.float64()),  # average precision, both classes weighing alike
        ("held_out_ap_low", pa.float64()),
        ("held_out_ap_high", pa.float64()),
        ("held_out_precision", pa.float64()),  # at cut_score
        ("held_out_precision_low", pa.float64()),
        ("held_out_precision_high", pa.float64()),
        ("held_out_recall", pa.float64()),  # at cut_score
        ("held_out_recall_low", pa.float64()),
        ("held_out_recall_high", pa.float64()),
        ("estimated_precision", pa.float64()),  # mean posterior of what was collected; null without scoring.evidence
        ("estimated_recall", pa.float64()),  # its sum, of what capture and recapture of marks and words say there is
        ("prevalence", pa.float64()),  # of what is sought in the pool, estimated; null without scoring.evidence,
        ("contamination", pa.float64()),  # as is the mean posterior of pool pages that were trained on as negatives
        ("n_math_domains", pa.int64()),
        ("n_accepted", pa.int64()),  # URL prefixes
        ("n_expanded", pa.int64()),  # uncollected pages under them: they join the next seed
        ("n_withdrawn", pa.int64()),  # URL prefixes whose pages, added by the round before, leave the seed again
        ("model_digest", pa.string()),  # xxh3_128 of model.bin
        ("drift", pa.string()),  # why it seems to leave its subject; null where it does not
    ]
)

# rounds/NN/expanded/reliability.parquet, with scoring.evidence: a row a bin of posteriors of held-out documents.
RELIABILITY = pa.schema(
    [
        ("low", pa.float64()),  # the bin is [low, high)
        ("high", pa.float64()),
        ("n_seed", pa.int64()),
        ("n_others", pa.int64()),  # negatives of the round, which may hold what is sought
        ("mean_posterior", pa.float64()),  # of the others, or of the seed where there is no other
        # Of what is sought in the bin, estimated without labels; null without others from the pool. See held_out.py.
        ("frequency", pa.float64()),
        ("frequency_low", pa.float64()),  # of a 95 % interval, null where all its draws agree
        ("frequency_high", pa.float64()),
    ]
)

# finish/extracted/part-NNNNN.parquet: one row a recalled page, text by careful extraction.
EXTRACTED = pa.schema(
    [
        ("page_id", pa.string()),
        ("url", pa.string()),
        ("score", pa.float32()),  # of the last round: of duplicates, the one with the higher stays
        ("warc_filename", pa.string()),
        ("warc_record_offset", pa.int64()),
        ("fetch_time", TIMESTAMP),
        ("text", pa.string()),
        ("n_chars", pa.int64()),
        ("n_tokens", pa.int64()),
        ("n_formulas", pa.int32()),  # formulas in the page, its menus and footers apart
        ("n_formulas_kept", pa.int32()),  # of these, found again in text
        ("extractor", pa.string()),  # the path that was taken, with version: trafilatura-fast/2.3.1
    ]
)

# finish/extracted/failed-NNNNN.parquet: recalled pages without a text, with the reason.
FAILED = pa.schema([("page_id", pa.string()), ("reason", pa.string())])

# finish/boilerplate/pages-NNNNN.parquet: one row a page of finish/extracted. part-NNNNN.parquet beside it, where
# boilerplate is removed, is EXTRACTED with the texts that are left.
BOILERPLATE_PAGE = pa.schema(
    [
        ("page_id", pa.string()),
        ("n_boilerplate_lines", pa.int64()),  # lines with words that its host repeats
        ("n_boilerplate_chars", pa.int64()),
        ("whole", pa.bool_()),  # it holds nothing else: its text stays as it is
    ]
)

# finish/boilerplate/boilerplate.parquet, and boilerplate.parquet of `corpus dedup`: one row a line that was found.
BOILERPLATE = pa.schema(
    [
        ("host", pa.string()),
        ("n_pages", pa.int64()),  # pages of the host that have the line; pages of the same words are one
        ("n_host_pages", pa.int64()),
        ("line", pa.string()),  # its first spelling, at most 500 characters of it
        ("n_chars", pa.int64()),  # of all its occurrences that go; those that stay have too little beside them
    ]
)

# finish/contaminated/part-NNNNN.parquet: evidence, one row a page, benchmark item, role and rule.
CONTAMINATED = pa.schema(
    [
        ("page_id", pa.string()),
        ("benchmark", pa.string()),
        ("item_id", pa.string()),
        ("role", pa.string()),  # of the text that was found: the column it comes from
        ("rule", pa.string()),  # deepseekmath, qwen or strict
        ("page_text", pa.string()),  # what matched, as the page has it but in lower case; at most 300 characters
        ("item_text", pa.string()),  # how the benchmark's text begins; at most 2,000 characters
        ("position", pa.int64()),  # of the first matched word among text.words(text, operators=False)
        ("n_words", pa.int64()),  # from there on, in the first stretch that matched
        ("n_hits", pa.int64()),  # different runs of words shared; strict: pairs or runs that led to it
        ("overlap", pa.float64()),  # share of the text's runs, or of its weight (strict), that is in the page
        ("alignment", pa.float64()),  # share of the text that was aligned; null for deepseekmath
        ("n_left_out", pa.int64()),  # texts found by the rule in this page that have no row, or were not verified
        ("allowed", pa.bool_()),  # it stays: the allow list has it
        ("removed", pa.string()),  # what went for it: page or segment; null: nothing
    ]
)
# contaminated.parquet of `corpus decontaminate`: the same by id, as the file has it.
CONTAMINATED_FILES = CONTAMINATED.set(0, pa.field("id", pa.string()))

# finish/contaminated/benchmarks.parquet: what each rule looks for, one row a benchmark and rule.
BENCHMARK = pa.schema(
    [
        ("benchmark", pa.string()),
        ("rule", pa.string()),
        ("n_rows", pa.int64()),
        ("n_items", pa.int64()),  # rows of one id and question are one item
        ("n_texts", pa.int64()),  # questions
        ("n_protected", pa.int64()),  # of these, looked for
        ("n_unprotected", pa.int64()),  # too short for the rule
        ("n_empty", pa.int64()),
    ]
)

# corpus/shard-NNNNN.parquet
SHARD = pa.schema(
    [
        ("page_id", pa.string()),
        ("url", pa.string()),
        ("url_host_name", pa.string()),
        ("url_host_registered_domain", pa.string()),
        ("title", pa.string()),
        ("text", pa.string()),
        ("n_chars", pa.int64()),
        ("n_tokens", pa.int64()),
        ("language", pa.string()),
        ("crawl", pa.string()),
        ("fetch_time", TIMESTAMP),
        ("warc_filename", pa.string()),
        ("warc_record_offset", pa.int64()),
        ("warc_record_length", pa.int64()),
        ("round", pa.int32()),  # whose model and budget collected it
        ("first_round", pa.int32()),
        ("score", pa.float32()),
        ("model_digest", pa.string()),  # xxh3_128 of model.bin
        ("n_formulas", pa.int32()),
        ("n_formulas_kept", pa.int32()),
        ("extractor", pa.string()),
    ]
)

# corpus/removed.parquet: recalled pages that are not in the shards, with the evidence.
NOT_IN_CORPUS = pa.schema(
    [
        ("page_id", pa.string()),
        ("url", pa.string()),
        ("reason", pa.string()),  # duplicate, contaminated, or why extraction failed
        ("kept_id", pa.string()),  # duplicate: the page kept in its place
        ("jaccard", pa.float64()),
        ("benchmark", pa.string()),  # contaminated: the first item by name, all in finish/contaminated
        ("item_id", pa.string()),
        ("page_text", pa.string()),
    ]
)

# corpus/shards.parquet: one row a shard.
SHARD_STATISTICS = pa.schema(
    [
        ("shard", pa.string()),
        ("n_pages", pa.int64()),
        ("n_tokens", pa.int64()),
        ("n_chars", pa.int64()),
        ("bytes", pa.int64()),
        ("n_domains", pa.int64()),
        ("min_score", pa.float32()),
        ("mean_score", pa.float64()),
        ("n_formulas", pa.int64()),
        ("digest", pa.string()),  # xxh3_128 of the file
    ]
)
