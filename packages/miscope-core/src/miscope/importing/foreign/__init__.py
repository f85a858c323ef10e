"""Checkpoint files made elsewhere: what they hold, and of which steps; nothing in them is executed."""
