"""What tells one autoencoder from another: what it is built on, its width, how its inputs are scaled."""

from __future__ import annotations

import math
import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from miscope import Params
from miscope.errors import BadValue
from miscope_sae.warm_start import WARM_FIELDS, Direction

__all__ = [
    "INPUTS_A_LATENT",
    "STREAM",
    "AutoencoderParams",
    "Data",
    "KParams",
    "LatentParams",
    "Normalisation",
    "Positions",
    "latent_count",
]

INPUTS_A_LATENT = 4
"""Fewer distinct inputs than this for each latent, and latents can stand for single inputs."""

_DIGITS = 9
_LATENTS = re.compile(rf"^(?:[1-9][0-9]{{0,{_DIGITS - 1}}}|[0-9]{{1,{_DIGITS}}}(?:\.[0-9]{{1,{_DIGITS}}})?x)$")

Positions = Literal["answer", "all"]

Data = Literal["probe", "stream"]
STREAM: Data = "stream"

Normalisation = Literal["none", "constant_norm", "constant_norm_rescale", "layer_norm"]


class KParams(Params):
    """Of an architecture that keeps a number of latents."""

    k: Annotated[int, Field(ge=1)] = 8
    """Latents an input keeps at most."""


class LatentParams(Params):
    """How many latents, and the seed."""

    later: ClassVar[tuple[str, ...]] = ("positions", "data")
    """Fields that came later than the first autoencoders."""
    latents: Annotated[str, Field(pattern=_LATENTS.pattern, json_schema_extra={"slug": "m", "form": "512 or 8x"})] = (
        "8x"
    )
    """How many: '512', or '8x', so many times the width of the site."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the first weights and of which inputs are held out."""
    positions: Annotated[Positions, Field(json_schema_extra={"slug": "positions", "in_name": "changed"})] = "answer"
    """'answer': of each input the activation at its last position; 'all': one at each position. Held out are inputs,
    with all their positions."""
    data: Annotated[Data, Field(json_schema_extra={"slug": "data", "in_name": "changed"})] = "probe"
    """'probe': it is trained on the inputs of its source's probe, but for those held out; 'stream': on inputs that the
    source's family draws anew for each update. It is measured on those held out."""

    @field_validator("latents", mode="before")
    @classmethod
    def _count_as_text(cls, value: object) -> object:
        number = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_DIGITS
        text = str(value) if number else value
        if not isinstance(text, str) or not _LATENTS.fullmatch(text):
            raise ValueError("it says neither how many latents nor how many times the width")
        return text

    @model_serializer(mode="wrap")
    def _without_what_came_later(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        """At their defaults; so the digests of the first autoencoders stay what they were."""
        dumped: dict[str, object] = serialize(self)
        fields = type(self).model_fields
        return {
            name: value for name, value in dumped.items() if name not in self.later or value != fields[name].default
        }


class AutoencoderParams(LatentParams):
    """A checkpoint of another variant and a site, latents, and the seed."""

    later = ("positions", "data", "imported", *WARM_FIELDS)
    normalize_activations: Annotated[Normalisation, Field(json_schema_extra={"slug": "norm", "in_name": "changed"})] = (
        "constant_norm"
    )
    """'constant_norm' multiplies every input by one number, after which its mean norm is the square root of the width;
    'constant_norm_rescale' does so with each input by itself; 'layer_norm' centres each and divides by its standard
    deviation."""
    apply_b_dec_to_input: Annotated[bool, Field(json_schema_extra={"slug": "centred", "in_name": "changed"})] = True
    """Whether the decoder's bias is taken from the input before it is encoded."""
    warm: Annotated[Direction | None, Field(json_schema_extra={"in_name": "changed"})] = None
    """Whether it is one of a series in which each begins with the weights of the one before: 'forward' in the order of
    the checkpoints, 'backward' against it. The same latent is then the same index in all of them."""
    imported: Annotated[
        str | None, Field(pattern=r"^[0-9a-f]{12}$", json_schema_extra={"slug": "file", "in_name": "changed"})
    ] = None
    """First digits of the SHA-256 of the file its weights are from, as `miscope sae import` sets them; None: it is
    trained here."""
    step: Annotated[int, Field(ge=0)]
    """Of the checkpoint it is built on."""
    site: Annotated[str, Field(min_length=1, json_schema_extra={"slug": ""})]
    """Whose activations it reconstructs: 'blocks.0.mlp.hook_post'."""
    variant: Annotated[str, Field(min_length=1, json_schema_extra={"slug": "of"})]
    """Name of the variant it is built on: 'modadd.transformer/p113-seed999-dseed598'."""
    begins_with: Annotated[str | None, Field(json_schema_extra={"slug": "from", "in_name": "changed"})] = None
    """Of one that is warm: the name of the autoencoder whose weights it begins with."""
    begins_at: Annotated[int | None, Field(ge=0, json_schema_extra={"slug": "at", "in_name": "changed"})] = None
    """Of one that is warm: the step of that autoencoder's checkpoint."""

    @model_validator(mode="after")
    def _warm_or_not(self) -> Self:
        there = [name for name in WARM_FIELDS if getattr(self, name) is not None]
        if there and len(there) < len(WARM_FIELDS):
            raise ValueError(f"{', '.join(WARM_FIELDS)} are given together or not at all; here: {', '.join(there)}")
        return self


def latent_count(latents: str, width: int) -> int:
    """How many latents that is at a site of this width; BadValue for none."""
    count = math.floor(float(latents[:-1]) * width + 0.5) if latents.endswith("x") else int(latents)
    if not count:
        raise BadValue(
            f"latents={latents} is none at a site of {width} numbers.",
            "A latent is what an autoencoder is made of.",
            "Give more, such as 8x.",
            field="latents",
        )
    return count
