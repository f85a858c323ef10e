"""Autoencoders of several checkpoints, each of which begins with the weights of the one before (Xu et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.errors import BadValue
from miscope.store.sources import with_parents
from miscope.validation import checked_variant, split_fields
from miscope_sae.training import RESAMPLED_SHARE
from miscope_sae.warm_start import DIRECTIONS, WARM_FIELDS

if TYPE_CHECKING:
    from miscope import Variant
    from miscope.workspace import Workspace
    from miscope_sae.autoencoder_family import AutoencoderFamily
    from miscope_sae.training import SparseTraining

__all__ = ["LaterTrainings", "in_direction", "later_trainings", "warm_series"]

_KEPT = ("checkpoints", "evaluate_every")
"""Fields that say what is kept of a training: as somebody asks for them they are of each."""


@final
@dataclass(frozen=True, kw_only=True)
class LaterTrainings:
    """What is asked of all but the first of a series."""

    updates: int | None
    """How many each makes; None: the share of the first's that is enough for its architecture."""
    kept: Mapping[str, object]
    """What says which checkpoints and metrics are kept, where somebody said it; what lies beyond the end is not."""


def in_direction(family: AutoencoderFamily, warm: object, steps: Sequence[int]) -> list[int]:
    """The checkpoints in the order in which a series goes through them; in that given where none is warm.

    Raises BadValue for another direction, for an architecture of which one is of all checkpoints, and for one alone.
    """
    if warm is None:
        return list(steps)
    if warm not in DIRECTIONS:
        raise BadValue(
            f"No series goes {warm!r}.",
            f"It goes {' or '.join(DIRECTIONS)}.",
            "Give --warm, with --backward for the second; in Python warm='forward' or warm='backward'.",
        )
    if WARM_FIELDS[0] not in family.params.model_fields:
        raise BadValue(
            f"One {family.name} is of all checkpoints together.",
            "There is none before it whose weights it could begin with.",
            "Leave --warm out, or choose another architecture; in Python leave warm=... out.",
        )
    if len(steps) < 2:
        raise BadValue(
            f"A warm series is of two checkpoints at least, and this is {len(steps)}.",
            "Each begins with the weights of the one before.",
            "Name several: --step all or --step every:100; in Python step='all'.",
        )
    return sorted(steps, reverse=warm == "backward")


def later_trainings(warm: object, updates: object, given: Mapping[str, Any]) -> LaterTrainings:
    """What somebody who gives these fields asks of all but the first of a series.

    updates: how many each is to make; None where nobody says so. Raises BadValue where that is no number of updates, or
    where nothing is warm.
    """
    if updates is not None and warm is None:
        raise BadValue(
            "A number of later updates is of a warm series.",
            "Each of these is trained by itself, and its length is steps.",
            "Leave --warm-steps out, or give --warm too; in Python warm_steps=... and warm='forward'.",
        )
    if updates is not None and (type(updates) is not int or updates < 1):
        raise BadValue(
            f"A warm series does not take {updates!r} updates.",
            "It is how many all but the first make, 1 or more.",
            "Give --warm-steps N; in Python warm_steps=N.",
        )
    return LaterTrainings(updates=updates, kept={name: given[name] for name in _KEPT if name in given})


def warm_series(
    workspace: Workspace, first: Variant, steps: Sequence[int], values: Mapping[str, Any], later: LaterTrainings
) -> list[Variant]:
    """The first, which begins with weights that are drawn, and one for each of these steps of its source, in order.

    values: the fields of all of them. None need be stored yet: the digest of each has that of the one before.
    """
    family: Any = workspace.plugins.family(first.family)
    training: Any = first.training
    of_length = family.length_fields(later.updates or max(1, round(family.later_share * training.steps)))
    fields = {**values, **_later_fields(of_length, training), **later.kept}
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
        # A share of the usual number of updates is below its usual range, and meant.
        "allow_out_of_range": True,
    }


def _placed(workspace: Workspace, family: AutoencoderFamily, variant: Variant, before: Variant) -> Variant:
    """With the digests of what it is built on, of which the one before may not be there yet."""
    store = workspace.store
    placed = store.placed(with_parents(store, family, variant, unwritten={before.name: before}))
    store.refuse_another(placed)
    return placed
