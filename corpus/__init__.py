"""Mine a domain corpus out of Common Crawl: plain functions on one part of the data.

`pipelines/` fans them out over the parts of a crawl; nothing in here imports
datatrove. The order in which data passes the rooms: warc, extract, dedup,
classify, domains, iterate, decontam, shards, query.
"""

__version__ = "0.1.0"
