"""The page on which runs are asked for: a form for any family, what it would run, and what became of it."""
