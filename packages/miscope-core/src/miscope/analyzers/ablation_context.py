"""A model with parts of it ablated, and the inputs it answers: what all ablations share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, final

from miscope.analyzer import Options, Whole
from miscope.lazily import torch
from miscope.maths.paired_effects import Answers, Sample, answered, drawn
from miscope.model import LOGITS, Hook, Model, cast, matching
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AblationContext", "AblationOptions", "ablation_context", "parts_of"]

_HEADS, _ATTENTION = "blocks.*.attn.hook_z", "blocks.*.hook_attn_out"
_MLPS = ("blocks.*.hook_mlp_out", "blocks.*.mlp.hook_post")
"""What an MLP adds to the stream, or where there is none to see its hidden layer."""


class AblationOptions(Options):
    """What is answered, and how exactly."""

    inputs: Whole | None = None
    """Inputs drawn from the probe, the same at every step; 0 for all; None for as many as the instrument needs, 512
    or 256 at most, fewer where they are long."""
    seed: Whole = 0
    precision: Literal["float32", "float64"] = "float32"
    """In which the model is run."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class AblationContext:
    """A model on its weights, and the inputs it answers."""

    model: Model
    weights: Mapping[str, Tensor]
    sample: Sample

    def answers(self, hooks: Iterable[Hook]) -> Answers:
        activations = self.model.answers(self.weights, self.sample.inputs, [LOGITS], hooks=hooks)
        return answered(activations[LOGITS], self.sample.labels)

    def answers_with(self, weights: Mapping[str, Tensor]) -> Answers:
        """On other weights; takes the model's shortcut where it has one."""
        activations = self.model.answers({**self.weights, **weights}, self.sample.inputs, [LOGITS])
        return answered(activations[LOGITS], self.sample.labels)


def ablation_context(snapshot: Snapshot[AblationOptions], most: int = 512) -> AblationContext:
    """The model of a snapshot and the inputs drawn for it: at most so many unless the options say how many."""
    options = snapshot.options
    assert snapshot.model is not None
    dtype = getattr(torch, options.precision)
    long = snapshot.probe.inputs.shape[1] if not snapshot.probe.inputs.is_floating_point() else 1
    count = max(128, min(most, 8 * most // long)) if options.inputs is None else options.inputs
    sample = drawn(snapshot.probe, count, options.seed)
    if sample.inputs.is_floating_point():
        sample = replace(sample, inputs=sample.inputs.to(dtype))
    return AblationContext(model=snapshot.model, weights=cast(snapshot.weights, dtype), sample=sample)


def parts_of(model: Model, weights: Mapping[str, Tensor]) -> Iterable[tuple[str, str, str, int | None]]:
    """Name, kind, site and head of every part that can be ablated, by layer."""
    sites = sorted(model.sites)
    mlps = next((names for pattern in _MLPS if (names := matching([pattern], sites))), ())
    kinds = {"head": matching([_HEADS], sites), "attention": matching([_ATTENTION], sites), "mlp": mlps}
    layers = [(site, kind) for kind, names in kinds.items() for site in names]
    for site, kind in sorted(layers, key=lambda each: int(each[0].split(".")[1])):
        layer = site.split(".")[1]
        if kind == "head":
            count = len(weights[site.replace("hook_z", "W_O")])
            yield from ((f"L{layer}H{head}", kind, site, head) for head in range(count))
        else:
            yield f"L{layer} {'attention' if kind == 'attention' else 'MLP'}", kind, site, None
