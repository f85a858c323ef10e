"""Architectures, one a file, and the arithmetic that their latents need."""
