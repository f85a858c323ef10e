"""Runs that were asked for: the queue, who works through it, and what becomes of each."""
