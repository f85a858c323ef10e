"""Activations whose features are known, and trials on them."""
