"""An autoencoder as its training left it, among others: its network, its last weights, what it is built on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

from miscope import Trajectory
from miscope.errors import DoesNotApply
from miscope.forward import activations
from miscope.lazily import torch
from miscope_sae.sites import LATENTS, RECONSTRUCTED

if TYPE_CHECKING:
    from torch import Tensor

    from miscope import Model, Probe, Source, Variant

__all__ = ["Ended"]

_BATCH = 4096


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Ended:
    """At its last checkpoint."""

    variant: Variant
    sources: tuple[Source, ...]
    """What it is built on: a site, or of a transcoder that which it reads and that which it reconstructs."""
    model: Model
    weights: Mapping[str, Tensor]
    probe: Probe

    @classmethod
    def of(cls, member: Trajectory) -> Ended:
        """Raises DoesNotApply where it is built on several checkpoints."""
        sources = tuple(each.source for each in member.sources)
        if (count := len({(each.variant, each.step) for each in sources})) != 1:
            raise DoesNotApply(f"{member.variant.name} is built on {count} checkpoints, not on one")
        assert member.model is not None
        return cls(
            variant=member.variant,
            sources=sources,
            model=member.model,
            weights={role: load()[-1] for role, load in member.weights.items()},
            probe=member.probe,
        )

    @property
    def source(self) -> Source:
        """What it reconstructs."""
        return self.sources[-1]

    @property
    def settings(self) -> dict[str, object]:
        """Its parameters, and of its training what makes its weights others."""
        training = self.variant.training
        trained = {} if training is None else training.identity_of(training.model_dump(mode="json"))
        return {**self.variant.params.model_dump(), **trained}

    @property
    def inputs(self) -> Tensor:
        """(N, d) raw, of its probe."""
        return self.probe.inputs.flatten(1)

    @cached_property
    def mean_norm(self) -> float:
        """Of its inputs."""
        return float(self.inputs.double().norm(dim=1).mean())

    @cached_property
    def trained_on(self) -> Tensor:
        """(N,) bool; all where nobody knows."""
        train = self.probe.train
        return torch.ones(len(self.inputs), dtype=torch.bool) if train is None else torch.from_numpy(train)

    def held_out(self, inputs: Tensor) -> Tensor:
        """Of (N, d), a row for each input of its probe, those that it was not trained on; all where there are none."""
        rest = inputs[~self.trained_on]
        return rest if len(rest) else inputs

    def reconstruction(self, inputs: Tensor) -> Tensor:
        """(n, d)."""
        return activations(self.model.answers, self.weights, inputs, [RECONSTRUCTED])[RECONSTRUCTED].flatten(1)

    def firing(self, inputs: Tensor) -> tuple[Tensor, float]:
        """(m,) which latents are active at some of the inputs, and the mean number that are at one."""
        fires, count = None, 0
        for some in inputs.split(_BATCH):
            active = activations(self.model.answers, self.weights, some, [LATENTS])[LATENTS].flatten(1) > 0
            fires = active.any(0) if fires is None else fires | active.any(0)
            count += int(active.sum())
        assert fires is not None, "there are inputs"
        return fires, count / len(inputs)
