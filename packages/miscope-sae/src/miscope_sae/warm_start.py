"""Trainings that begin with the last weights of another autoencoder: that of the checkpoint before, or behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from miscope import Source
from miscope.errors import BadValue

if TYPE_CHECKING:
    from torch import Tensor

    from miscope import SourceCheckpoint, Variant

__all__ = [
    "DIRECTIONS",
    "LENGTHS",
    "WARM_FIELDS",
    "Direction",
    "begins_with",
    "from_drawn_weights",
    "weights_begun_with",
]

Direction: TypeAlias = Literal["forward", "backward"]
DIRECTIONS: tuple[str, ...] = get_args(Direction)
"""From the first checkpoint to the last, or from the last to the first."""
WARM_FIELDS = ("warm", "begins_with", "begins_at")
"""Parameters of an autoencoder that begins so: all of them are given, or none."""
LENGTHS = (
    "warmup_steps",
    "lr_schedule_steps",
    "lr_decay_steps",
    "sparsity_warmup_steps",
    "dead_window_steps",
    "resample_steps",
)
"""What makes weights others and differs between the first of a warm series, which is trained longer, and the rest."""


def begins_with(params: Any) -> tuple[Source, ...]:
    """The checkpoint whose weights it begins with; () where these are drawn."""
    name = getattr(params, "begins_with", None)
    return () if name is None else (Source(variant=name, step=params.begins_at),)


def weights_begun_with(source: SourceCheckpoint, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Copies of its weights, by role. Raises BadValue where they are not of these shapes."""
    there = {role: tuple(weight.shape) for role, weight in source.weights.items()}
    if there != dict(shapes):
        raise BadValue(
            f"No autoencoder of these sizes begins with the {source.source}.",
            f"Its weights are {_written(there)}; wanted are {_written(shapes)}.",
            "Name one of the same architecture, site and number of latents.",
        )
    return {role: source.weights[role].clone() for role in shapes}


def from_drawn_weights(variant: Variant) -> Variant:
    """A training of the same name, sizes and length that begins with weights that are drawn; itself if it does.

    To find out what it takes before there is what it begins with: it goes by the name of the one that it stands for, so
    what is there of that counts as its own. Not to be trained.
    """
    if not begins_with(variant.params):
        return variant
    params = variant.params.model_copy(update=dict.fromkeys(WARM_FIELDS[1:]))
    return replace(variant, params=params, parents=variant.parents[:-1], stored_as=variant.slug)


def _written(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{role} {'x'.join(map(str, shape))}" for role, shape in sorted(shapes.items()))
