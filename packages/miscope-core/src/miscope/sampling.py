"""Seeds of what is drawn anew at each update."""

from __future__ import annotations

import hashlib

__all__ = ["seed_of_draw"]


def seed_of_draw(seed: int, step: int, what: str = "inputs") -> int:
    """The seed of a generator for what is drawn at a step: the same at every call, another one at every other step.

    It is none of the small numbers that a family seeds its weights or its probe with. what: several draws of one step
    are apart from each other.
    """
    digest = hashlib.sha256(f"{what} drawn by seed {seed}".encode()).digest()
    # PyTorch's generator of the CPU takes 32 bits of a seed, so what tells steps apart lies there.
    return (int.from_bytes(digest[:8], "big") + step) % 2**63
