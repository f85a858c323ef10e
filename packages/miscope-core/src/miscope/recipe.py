"""Digests: what is stale is what is absent, because the old digest is no longer asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

__all__ = ["digest", "recipe"]


def digest(value: object) -> str:
    """Sixteen hexadecimal digits of a JSON-able value, independent of dictionary order."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def recipe(
    analyzer: Mapping[str, object],
    *,
    variant: str,
    probe: str | None,
    upstream: Mapping[str, str],
    steps: Sequence[int] | None = None,
) -> str:
    """Digest of everything an artifact's numbers depend on.

    analyzer: its name, version and options. variant, probe: digests. upstream: recipe by name of what it reads.
    steps: the checkpoints spanned, for an artifact over the whole of training.
    """
    return digest(
        {
            "analyzer": dict(analyzer),
            "variant": variant,
            "probe": probe,
            "upstream": dict(upstream),
            "steps": None if steps is None else list(steps),
        }
    )
