"""How many latents are usual for a site, and who may have fewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.errors import BadValue
from miscope_sae.params import INPUTS_A_LATENT
from miscope_sae.rows.distinct import fewer_distinct
from miscope_sae.seed_ranges import LATENT_RATIO

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["check_latents"]


def check_latents(family: str, latents: int, width: int, inputs: Tensor | None) -> None:
    """BadValue outside the usual range; fewer are taken where there are too few (N, ...) inputs for as many.

    inputs: None where they have no end.
    """
    least, most = (ratio * width for ratio in LATENT_RATIO)
    few = latents < least and inputs is not None and fewer_distinct(inputs, least * INPUTS_A_LATENT)
    if few or least <= latents <= most:
        return
    raise BadValue(
        f"{family} refuses latents={latents}: it is outside {least} to {most}; "
        "allow_out_of_range=true takes it all the same.",
        f"{LATENT_RATIO[0]} to {LATENT_RATIO[1]} times the width {width} are usual.",
        "Change it and try again; nothing was written.",
        field="latents",
    )
