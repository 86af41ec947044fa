-- How did the rounds go?
-- One row a round whose last stage is committed, oldest first. already_pages and already_tokens
-- say how far a round agrees with the one before: agreement, not quality. held_out_* are measured
-- on domains the model never saw, but those came from the seed and the negatives, not from the pool.
-- estimated_* need no labels (scoring.evidence); they are as good as the probabilities they are made of.
SELECT * FROM rounds ORDER BY round
