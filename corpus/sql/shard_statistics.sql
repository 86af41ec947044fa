-- What does each shard of the corpus hold?
-- As counted when the shard was written; digest is xxh3_128 of the file. Tokens are estimates.
SELECT * FROM shards ORDER BY shard
