"""Attention heads by name and colour: 'L1H2' is head 2 of layer 1, everywhere."""

from __future__ import annotations

import re

from miscope.figures.figure_style import OKABE_ITO

__all__ = ["head_colour", "head_dash", "head_name", "layer_of"]

_DASHES = ("solid", "dash", "dot", "dashdot")


def layer_of(site: str) -> int:
    """The first number in a site's or a role's name: 1 of 'blocks.1.attn.hook_pattern'."""
    layer = re.search(r"\.(\d+)\.", f".{site}.")
    return int(layer.group(1)) if layer else 0


def head_name(site: str, head: int) -> str:
    """'L1H2'."""
    return f"L{layer_of(site)}H{head}"


def head_colour(head: int) -> str:
    """The head's colour within its layer."""
    return OKABE_ITO[head % len(OKABE_ITO)]


def head_dash(site: str) -> str:
    """How lines of the site's layer are drawn, so that heads of two layers with one number stay apart."""
    return _DASHES[layer_of(site) % len(_DASHES)]
