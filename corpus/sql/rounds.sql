-- How did the rounds go?
-- One row a round whose last stage is committed, oldest first. already_pages and already_tokens
-- say how far a round agrees with the one before: agreement, not quality. held_out_* are measured on
-- domains the model never saw, with _low and _high of a 95 % bootstrap interval over domains: precision with the
-- estimated prevalence (scoring.evidence; else as if half of the pool were sought), average precision with both
-- classes weighing alike; negatives drawn from the pool hold what is sought too, and lower it.
-- estimated_* need no labels (scoring.evidence); they are as good as the probabilities they are made of.
-- drift: why a round seems to leave its subject, or null.
SELECT * FROM rounds ORDER BY round
