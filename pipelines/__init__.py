"""Where datatrove fans the functions of `corpus` out over parts: one file per stage."""
