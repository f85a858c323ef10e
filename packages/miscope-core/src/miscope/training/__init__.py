"""Training: from weights to the next weights, and what it leaves behind."""
