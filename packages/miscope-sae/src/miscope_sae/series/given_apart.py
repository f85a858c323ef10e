"""What is given apart from an autoencoder's fields: what it is built on, and which architecture it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from miscope.errors import BadValue

__all__ = ["APART", "refuse_apart"]

_STEP = ("--step STEP", "step=STEP")
APART: Mapping[str, tuple[str, str]] = {
    "variant": ("VARIANT, the first word", "the first argument"),
    "site": ("--site SITE", "the second argument"),
    "step": _STEP,
    "source_steps": _STEP,
    "architecture": ("--architecture NAME", "architecture=NAME"),
    "imported": ("miscope sae import FOLDER", "miscope_sae.imported"),
    "preset": ("--preset NAME", "preset=NAME"),
}
"""Name -> how it is given on the command line, and in Python."""


def refuse_apart(fields: Collection[str]) -> None:
    """BadValue where one of these names is among the fields."""
    for name, (typed, written) in APART.items():
        if name in fields:
            raise BadValue(
                f"{name!r} is not given among the fields of an architecture.",
                "It says what an autoencoder is built on, or which architecture it is.",
                f"Give it as {typed}; in Python as {written}.",
                field=name,
            )
