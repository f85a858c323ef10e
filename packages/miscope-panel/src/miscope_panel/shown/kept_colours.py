"""Colours of variants that are shown together, where they are others than their order in an address would give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from miscope.figures.figure_style import OKABE_ITO, variant_colours

__all__ = ["KEPT", "read_colours", "write_colours"]

KEPT = ("variants", "colours")
"""What an address calls them: 'variants:colours=2.0.1', a place in the palette for each variant."""

_OTHER = "-"
"""Of a colour that is none of the palette."""


def read_colours(names: Sequence[str], text: str) -> dict[str, str]:
    """The colours that variants have, in this order; what the text does not say their order decides."""
    kept: dict[str, str] = {}
    for name, place in zip(names, text.split("."), strict=False):
        colour = OKABE_ITO[int(place)] if place.isdecimal() and int(place) < len(OKABE_ITO) else ""
        if colour and colour not in kept.values():
            kept[name] = colour
    return variant_colours(names, kept)


def write_colours(names: Sequence[str], before: Mapping[str, str]) -> str | None:
    """The same as a text, with colours kept that some had before; None where their order gives them."""
    colours = variant_colours(names, before)
    if colours == variant_colours(names):
        return None
    return ".".join(str(OKABE_ITO.index(each)) if each in OKABE_ITO else _OTHER for each in colours.values())
