"""Checkpoints and losses made elsewhere, taken into a workspace."""
