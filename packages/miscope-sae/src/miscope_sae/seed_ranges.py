"""The ranges of hyperparameters that a training keeps unless it is told otherwise."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LATENT_RATIO", "RANGES", "out_of_range"]

RANGES: Mapping[str, tuple[float, float]] = {
    "l1_alpha": (1e-4, 0.1),
    "l0_alpha": (1e-6, 1e3),
    "learning_rate": (1e-5, 1e-3),
    "batch_size": (512, 16_384),
    "steps": (1_000, 1_000_000),
    "dead_neuron_threshold": (0.0, 1e-6),
}
"""Field -> least and largest value, both allowed."""

LATENT_RATIO = (2, 32)
"""Latents over the width of the site, both allowed."""


def out_of_range(values: Mapping[str, object]) -> dict[str, str]:
    """Field -> '0.2 is outside 0.0001 to 0.1', of each value that lies outside."""
    found = {}
    for name, (least, most) in RANGES.items():
        value = values.get(name)
        if isinstance(value, int | float) and not least <= value <= most:
            found[name] = f"{value} is outside {least} to {most}"
    return found
