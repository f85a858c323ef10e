"""Numbers that several instruments are made of."""
