"""Metrics that a foreign file keeps together in one dict, brought to its top."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["HISTORY_KEYS", "flat"]

HISTORY_KEYS = ("history", "metrics", "logs", "losses", "loss")

_PARTS = {"train": "train_losses", "test": "test_losses", "val": "val_losses"}
"""What a dict of losses calls them."""


def flat(header: Mapping[Any, Any], words: Collection[str]) -> dict[Any, Any]:
    """The header with the dicts of metrics opened: {'losses': {'train': [...]}}, {'history': {'train_loss': [...]}}.

    words: the names of metrics to bring up; one that the header has already stays as it is.
    """
    opened: dict[Any, Any] = {}
    for key, held in header.items():
        if key not in HISTORY_KEYS or not isinstance(held, Mapping) or not any(isinstance(name, str) for name in held):
            opened[key] = held
            continue
        named = {_PARTS.get(name, name) if "loss" in key else name: values for name, values in held.items()}
        opened |= {name: values for name, values in named.items() if name in words and name not in header}
    return opened
