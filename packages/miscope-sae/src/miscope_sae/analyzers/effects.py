"""What single latents do: the loss of the network without what each of them writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, final

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Options, Snapshot
from miscope.analyzer import Count, Whole
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.model import at_answer
from miscope_sae.analyzers.spliced import spliced_source
from miscope_sae.measuring.splicing import losses
from miscope_sae.rows.probe_parts import ALL, SOURCE_TEST, SOURCE_TRAIN, parts_of
from miscope_sae.sites import LATENTS, RECONSTRUCTED

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["EFFECTS", "EffectOptions"]

_PARTS = (ALL, SOURCE_TRAIN, SOURCE_TEST)
_TAKEN = ("loss", "null")
_BATCH = 1024
"""Inputs in one forward pass."""


class EffectOptions(Options):
    """How many latents are ablated, and how the null is drawn."""

    latents: Count = 512
    """The most used so many, of those that are active at some input."""
    seed: Whole = 0
    """Of the random directions."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Ablated:
    """Some of the pairs of an input and a latent that is active there."""

    row: Tensor
    """(n,) which inputs."""
    which: Tensor
    """(n,) places of the latents among those that are ablated."""
    written: Tensor
    """(n, d) what the latent adds to the reconstruction, in the space of the activations."""


def effects(snapshot: Snapshot[EffectOptions]) -> Arrays:
    """Change of the source's loss when what one latent writes is taken from its activation at the answer position.

    The rest of the activation stays, the error of the reconstruction too: x - z_i w_i, where the latent is active.
    What it writes is how far the reconstruction changes without it, whatever the decoder. Beside it as large a step at
    the same inputs in a direction drawn for the latent, uniform on the sphere. Of the means over all inputs, and over
    those that the source was trained on and not. A latent that is never active changes nothing.
    """
    source = spliced_source(snapshot)
    labels = source.probe.labels
    assert labels is not None
    counted = labels >= 0
    inside = {name: torch.from_numpy(part) & counted for name, part in parts_of(snapshot.probe).items()}
    inside = {name: part for name, part in inside.items() if name in _PARTS and bool(part.any())}
    active = snapshot.activations[LATENTS].flatten(1) > 0
    density = active.double().mean(0)
    alive = int((density > 0).sum())
    if not alive:
        raise DoesNotApply("none of its latents is active at any input")
    chosen = density.argsort(descending=True, stable=True)[: min(alive, snapshot.options.latents)]
    x = source.activations().flatten(1)
    # Where there is no right answer any will do: it counts nowhere.
    loss = partial(losses, source, labels.clamp(min=0))
    clean = torch.cat([loss(rows, x[rows]) for rows in torch.arange(len(x)).split(_BATCH)])
    directions = _directions(len(chosen), x.shape[1], snapshot.options.seed)
    sums = {f"{part}/{what}": torch.zeros(len(chosen), dtype=torch.float64) for part in inside for what in _TAKEN}
    for some in _ablated(snapshot, chosen, active[:, chosen] & counted[:, None]):
        by_chance = some.written.norm(dim=1, keepdim=True) * directions[some.which]
        for what, taken in zip(_TAKEN, (some.written, by_chance), strict=True):
            change = loss(some.row, x[some.row] - taken) - clean[some.row]
            for part, rows in inside.items():
                sums[f"{part}/{what}"].index_add_(0, some.which, change * rows[some.row])
    unknown = torch.zeros_like(density).masked_fill(density > 0, torch.nan)
    return {
        "density": density.numpy(),
        "alive": np.array(alive),
        "ablated": np.array(len(chosen)),
        **{
            name: unknown.index_copy(0, chosen, total / inside[name.partition("/")[0]].sum()).numpy()
            for name, total in sums.items()
        },
        **{f"{part}/clean": np.array(float(clean[rows].mean())) for part, rows in inside.items()},
    }


def _directions(count: int, width: int, seed: int) -> Tensor:
    drawn = torch.randn(count, width, generator=torch.Generator().manual_seed(seed))
    return drawn / drawn.norm(dim=1, keepdim=True)


def _ablated(snapshot: Snapshot[EffectOptions], chosen: Tensor, active: Tensor) -> Iterator[_Ablated]:
    """All pairs, in parts. active: (N, number chosen) bool."""
    assert snapshot.model is not None
    run, inputs = partial(snapshot.model.answers, snapshot.weights), snapshot.probe.inputs.float()
    for row, which in (pairs.unbind(1) for pairs in active.nonzero().split(_BATCH)):
        # Both on the same way, so that what is left of their difference is not rounding.
        whole, without = (
            run(inputs[row], [RECONSTRUCTED], hooks=[(LATENTS, partial(_times, factor, chosen[which]))])[RECONSTRUCTED]
            for factor in (1.0, 0.0)
        )
        yield _Ablated(row=row, which=which, written=(whole - without).flatten(1))


def _times(factor: float, latent: Tensor, values: Tensor) -> Tensor:
    """Latents at the answer position of n inputs, of each of which one, (n,), is multiplied."""
    values = values.clone()
    place = at_answer(LATENTS, values)
    factors = torch.ones(len(place), place[0].numel(), dtype=place.dtype)
    factors[torch.arange(len(place)), latent] = factor
    place.mul_(factors.reshape(place.shape))
    return values


def effects_observed(seen: ObservedArtifact) -> list[Observation]:
    """The latent without which the loss rises most, and how many do more than any random direction."""
    arrays = seen.arrays
    part, which = (
        (SOURCE_TEST, "inputs that it was not trained on") if f"{SOURCE_TEST}/loss" in arrays else (ALL, "all inputs")
    )
    change, null = arrays[f"{part}/loss"], float(np.nanmax(arrays[f"{part}/null"]))
    most, more = int(np.nanargmax(change)), int((change > null).sum())
    text = (
        f"At {seen.at(seen.step or 0)} the network's loss on {which} rises most without latent {most}, "
        f"by {change[most]:.3g} nats from {float(arrays[f'{part}/clean']):.3g}; as large a step in a random direction "
        f"adds {null:.3g} at most, which {more:,} of {int(arrays['ablated']):,} latents exceed."
    )
    return [Observation(text=text, value=float(change[most]))]


_MEAN = "(m,) change of the source's mean loss in nats"

EFFECTS = Analyzer(
    name="sae.effects",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=effects,
    observe=effects_observed,
    needs=Needs(sites=(LATENTS, RECONSTRUCTED), weights=("*",), model=True, sources=True),
    opt_in=True,
    options=EffectOptions,
    question="Which latents does the network need, and more on inputs that it was not trained on than on the others?",
    formula="effect_i = mean over inputs of CE(x - z_i w_i) - CE(x)",
    source="Ablation of single latents: Bricken et al. 2023, Towards Monosemanticity; Marks et al. 2024, 2403.19647",
    outputs={
        "density": "(m,) share of all inputs at which each latent is active",
        "alive": "() latents that are active at some input",
        "ablated": "() those of them that were ablated, the most used",
        "PART/loss": f"{_MEAN} without what the latent writes; PART is all, and source_train, source_test, of what it "
        "is built on, where that is known; 0 of latents that are never active, NaN of those that were not ablated",
        "PART/null": f"{_MEAN} with a step as large at the same inputs in a random direction",
        "PART/clean": "() its mean loss as it is",
    },
)
