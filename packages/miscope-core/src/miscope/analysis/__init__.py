"""Instruments over checkpoints: what is to be computed, what each is given, what it returned."""
