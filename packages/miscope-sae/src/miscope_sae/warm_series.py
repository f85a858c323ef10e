"""Autoencoders of several checkpoints, each of which begins with the weights of the one before (Xu et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from miscope.errors import BadValue
from miscope.validation import checked_variant, split_fields
from miscope_sae.training import RESAMPLED_SHARE
from miscope_sae.warm_start import DIRECTIONS, WARM_FIELDS

if TYPE_CHECKING:
    from miscope import Variant
    from miscope.workspace import Workspace
    from miscope_sae.autoencoder_family import AutoencoderFamily
    from miscope_sae.training import SparseTraining

__all__ = ["in_direction", "later_steps", "warm_series"]

_SHARE = 10
"""The first makes so many times the updates of each later one."""


def in_direction(family: AutoencoderFamily, warm: object, steps: Sequence[int]) -> list[int]:
    """The checkpoints in the order in which a series goes through them; in that given where none is warm.

    Raises BadValue for another direction, for an architecture of which one is of all checkpoints, and for one alone.
    """
    if warm is None:
        return list(steps)
    if warm not in DIRECTIONS:
        raise BadValue(f"No series goes {warm!r}.", f"It goes {' or '.join(DIRECTIONS)}.", "Choose one of the two.")
    if WARM_FIELDS[0] not in family.params.model_fields:
        raise BadValue(
            f"One {family.name} is of all checkpoints together.",
            "There is none before it whose weights it could begin with.",
            "Leave warm out, or choose another architecture.",
        )
    if len(steps) < 2:
        raise BadValue(
            f"A warm series is of two checkpoints at least, and this is {len(steps)}.",
            "Each begins with the weights of the one before.",
            "Name several:  step='all'  or  step='every:100'",
        )
    return sorted(steps, reverse=warm == "backward")


def later_steps(given: object) -> int | None:
    """How many updates all but the first of a series make, as somebody says it; None where nobody does."""
    if given is not None and (type(given) is not int or given < 1):
        raise BadValue(
            f"A warm series does not take warm_steps={given!r}.", "It is a number of updates.", "Give one from 1 up."
        )
    return given


def warm_series(
    workspace: Workspace, first: Variant, steps: Sequence[int], values: Mapping[str, Any], updates: int | None
) -> list[Variant]:
    """The first, which begins with weights that are drawn, and one for each of these steps of its source, in order.

    values: the fields of all of them. updates: of each but the first; None: a tenth of that one's. They
    need not be stored yet: the digest of each has that of the one before.
    """
    family: Any = workspace.plugins.family(first.family)
    training: Any = first.training
    of_length = family.length_fields(updates or max(1, training.steps // _SHARE))
    fields = {**values, **_later_fields(of_length, training)}
    series = [first]
    for step in steps:
        before = series[-1]
        assert before.training is not None
        begun = {"begins_with": before.name, "begins_at": before.training.steps}
        variant = checked_variant(family, *split_fields(family, {**fields, "step": step, **begun}))
        series.append(_placed(workspace, family, variant, before))
    return series


def _later_fields(of_length: Mapping[str, Any], first: SparseTraining) -> dict[str, object]:
    """The training fields of each but the first of a series, in place of those that the first has.

    of_length: those that depend on a length. The learning rate goes the same way in fewer updates. The penalty counts
    whole at once, since no latent has to learn first; latents are drawn anew only where that would come to pass.
    """
    steps = of_length["steps"]

    def shorter(length: int) -> int:
        return length * steps // first.steps

    over = None if first.lr_schedule_steps is None else max(1, shorter(first.lr_schedule_steps))
    every = first.resample_steps
    return {
        **of_length,
        "warmup_steps": shorter(first.warmup_steps),
        "lr_schedule_steps": over,
        "lr_decay_steps": shorter(first.lr_decay_steps),
        "sparsity_warmup_steps": 0,
        "dead_window_steps": min(first.dead_window_steps, of_length["dead_window_steps"]),
        "resample_steps": None if every is None or every >= RESAMPLED_SHARE * (over or steps) else every,
        # A tenth of the usual number of updates is below its usual range, and meant.
        "allow_out_of_range": True,
    }


def _placed(workspace: Workspace, family: AutoencoderFamily, variant: Variant, before: Variant) -> Variant:
    """With the digests of what it is built on, of which the one before may not be there yet."""
    store = workspace.store
    names = [source.variant for source in family.sources(variant.params)]
    parents = [before.digest if name == before.name else store.variant_record(name).digest for name in names]
    placed = store.placed(replace(variant, parents=tuple(parents)))
    store.refuse_another(placed)
    return placed
