"""What a network loses when an autoencoder's reconstruction stands in the place of the activation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Snapshot
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.model import LOGITS
from miscope_sae.measuring.splicing import CLEAN, answered
from miscope_sae.rows.probe_parts import ALL, HELD_OUT, TRAIN, parts_of
from miscope_sae.rows.shown_rows import SOURCE_INPUT
from miscope_sae.sites import RECONSTRUCTED, TARGET

if TYPE_CHECKING:
    from miscope import SourceCheckpoint

__all__ = ["SPLICED", "spliced_source"]

_LEAST = 1e-6
"""Nats that an ablation must cost, for a share of them to mean something."""


def spliced(snapshot: Snapshot) -> Arrays:
    """Loss, accuracy and answers of the source with the reconstruction at the answer position, on its own probe.

    Beside nothing replaced, zeros, and the mean of the inputs that the autoencoder is trained on (all, where nobody
    knows). Other positions are left as they are.
    """
    source = spliced_source(snapshot)
    labels = source.probe.labels
    assert labels is not None
    found = snapshot.activations[RECONSTRUCTED].flatten(1)
    # What is replaced: of a transcoder the site that it reconstructs.
    x = snapshot.activations.get(TARGET, snapshot.probe.inputs).flatten(1)
    parts = parts_of(snapshot.probe)
    mean = x[torch.from_numpy(parts.get(TRAIN, parts[ALL]))].double().mean(0).to(x.dtype)
    rows = np.flatnonzero(labels.numpy() >= 0)
    scores = answered(source, {"sae": found, "zero": torch.zeros_like(mean), "mean": mean}, labels, rows)
    outputs: dict[str, np.ndarray] = {}
    for part, inside in parts.items():
        if inside[rows].any():
            of_part = {name: float(values[inside[rows]].mean()) for name, values in scores.items()}
            outputs |= {f"{part}/{name}": np.array(value) for name, value in _measured(of_part).items()}
    return outputs


def spliced_source(snapshot: Snapshot[Any]) -> SourceCheckpoint:
    """The one whose site it reconstructs, the last. Raises DoesNotApply where its activation cannot be replaced, or has
    no right answer."""
    checkpoints = {(each.source.variant, each.source.step) for each in snapshot.sources}
    if len(checkpoints) != 1:
        raise DoesNotApply(f"it is built on {len(checkpoints)} checkpoints, and replaces the activation of one")
    source = snapshot.sources[-1]
    where, probe = source.source, source.probe
    if LOGITS not in source.model.sites or where.site == LOGITS:
        raise DoesNotApply(f"{where.variant} has no logits behind {where.site}")
    if probe.labels is None or probe.labels.ndim != 1:
        raise DoesNotApply(f"nobody knows the right answers of the probe {probe.name!r} of {where.variant}")
    found = snapshot.activations[RECONSTRUCTED]
    if SOURCE_INPUT in snapshot.probe.columns:
        raise DoesNotApply("it is of all positions of an input, and the activation of one is replaced, the answer's")
    if len(found) != len(probe.inputs) or found[0].numel() != source.activations(probe.inputs[:1]).numel():
        raise DoesNotApply(f"what it reconstructs are not the activations of {where.site}")
    return source


def _measured(means: Mapping[str, float]) -> dict[str, float]:
    clean, sae, zero, mean = (means[f"{name}/ce"] for name in (CLEAN, "sae", "zero", "mean"))
    return {
        "ce_clean": clean,
        "ce_sae": sae,
        "ce_zero": zero,
        "ce_mean": mean,
        "ce_recovered": recovered(clean, sae, mean),
        "delta_log10_ce": float(np.log10(sae) - np.log10(clean)) if min(sae, clean) > 0 else float("nan"),
        "accuracy_clean": means[f"{CLEAN}/right"],
        "accuracy_sae": means["sae/right"],
        "kl": means["sae/kl"],
        "margin_drop": means[f"{CLEAN}/margin"] - means["sae/margin"],
    }


def recovered(clean: float, sae: float, ablated: float) -> float:
    """Share of what an ablation costs that the reconstruction does not: 1 for none, 0 for as much; NaN where the
    ablation costs less than 1e-6 nats."""
    cost = ablated - clean
    return (ablated - sae) / cost if cost >= _LEAST else float("nan")


def spliced_observed(seen: ObservedArtifact) -> list[Observation]:
    """What the source loses, beside what the mean in place of the activation costs."""
    arrays = seen.arrays
    part, which = (HELD_OUT, "inputs held out") if f"{HELD_OUT}/ce_sae" in arrays else (ALL, "all inputs")
    value = {name: float(arrays[f"{part}/{name}"]) for name in ("ce_clean", "ce_sae", "ce_mean")}
    accuracy = [float(arrays[f"{part}/accuracy_{name}"]) for name in ("clean", "sae")]
    text = (
        f"At {seen.at(seen.step or 0)}, with reconstructions in the place of its activations, the network loses "
        f"{value['ce_sae']:.3g} nats on {which}, {value['ce_clean']:.3g} as it is and {value['ce_mean']:.3g} with "
        f"their mean; {accuracy[1]:.2%} of its answers are right, {accuracy[0]:.2%} as it is."
    )
    return [Observation(text=text, value=value["ce_sae"])]


SPLICED = Analyzer(
    name="sae.spliced",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=spliced,
    observe=spliced_observed,
    needs=Needs(sites=(RECONSTRUCTED, f"{RECONSTRUCTED}|{TARGET}"), sources=True),
    question="What does the network lose when the reconstruction takes the place of its activation?",
    formula="ce_recovered = (CE_mean - CE_sae) / (CE_mean - CE_clean), the mean activation ablated",
    source="Bricken et al. 2023, Towards Monosemanticity; Gao et al. 2024 (arXiv 2406.04093), section 4.1",
    outputs={
        "PART/ce_clean": "() mean cross-entropy of the source as it is, nats; PART is all, and train, held_out (of the "
        "autoencoder), source_train, source_test (of what it is built on) where that is known",
        "PART/ce_sae": "() the same with the reconstruction at the answer position",
        "PART/ce_zero": "() with zeros there",
        "PART/ce_mean": "() with the mean activation there, of the inputs trained on",
        "PART/ce_recovered": "() 1 where the reconstruction costs nothing, 0 where as much as the mean; NaN where that "
        "costs less than 1e-6 nats; saturates, so read delta_log10_ce beside it",
        "PART/delta_log10_ce": "() log10 of ce_sae over ce_clean; NaN where one is 0",
        "PART/accuracy_{clean,sae}": "() share of right answers as it is, and with the reconstruction",
        "PART/kl": "() mean KL(clean || sae) of the answers as it is from those with the reconstruction, nats",
        "PART/margin_drop": "() by how much the right logit's lead over the largest other falls, in the mean",
    },
)
