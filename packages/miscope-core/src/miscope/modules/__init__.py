"""Any PyTorch module as a variant: its weights, sites and probe by name."""
