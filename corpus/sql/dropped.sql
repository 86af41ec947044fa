-- Why did records not become pages?
-- One row a reason, the most frequent first, with how many WARC files show it. example is the first
-- URL by name, as the record has it.
SELECT reason, count(*) AS n_records, count(DISTINCT warc_filename) AS n_files, min(url) AS example
FROM dropped
GROUP BY reason
ORDER BY n_records DESC, reason
