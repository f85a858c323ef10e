"""A training loop of somebody's own, recorded."""
