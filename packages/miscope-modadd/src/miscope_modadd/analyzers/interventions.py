"""Whether an intervention does what its name says, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Snapshot
from miscope.errors import DoesNotApply
from miscope_modadd.interventions import amplified, gains_of, powers

if TYPE_CHECKING:
    from torch import Tensor


def leakage(snapshot: Snapshot) -> Arrays:
    """Power of every frequency of the token embedding before and behind the hooks of an intervention.

    Both read off the network's own activation, in float64, of one input for each token; outside an intervention's
    window its hook is not there. `leakage` is the largest relative change of a frequency that was not asked for.
    """
    gains = gains_of(snapshot.variant)
    if not gains:
        reason = "it is trained without a frequency gain"
        raise DoesNotApply(reason)
    prime = len(snapshot.bases["token"].rows)
    inputs = _one_for_each(snapshot.probe.inputs, prime)
    active = np.array([gain.start <= snapshot.step < gain.stop for gain in gains])
    hooks = [amplified(inputs, prime, gain) for gain, on in zip(gains, active, strict=True) if on]
    before, behind = (powers(_embedded(snapshot, inputs, some).numpy()[:prime]) for some in ([], hooks))
    target = np.isin(np.arange(1, len(before) + 1), [gain.k for gain in gains])
    ratio = behind / np.maximum(before, np.finfo(float).tiny)
    asked = np.ones(len(before))
    for gain, on in zip(gains, active, strict=True):
        asked[gain.k - 1] *= gain.gain if on else 1.0
    return {
        "label": np.array(snapshot.bases["token"].labels),
        "power": before,
        "power_behind": behind,
        "target": target,
        "asked": asked,
        "window": np.array([[gain.start, gain.stop] for gain in gains]),
        "active": active,
        "target_ratio": ratio[target],
        "leakage": np.array(float(np.abs(ratio - 1)[~target].max())),
        "target_error": np.array(float(np.abs(ratio - asked)[target].max())),
    }


def _one_for_each(inputs: Tensor, prime: int) -> Tensor:
    """An input whose first token it is, for each token."""
    import torch

    first = torch.tensor([int(torch.nonzero(inputs[:, 0] == token)[0, 0]) for token in range(prime)])
    return inputs[first]


def _embedded(snapshot: Snapshot, inputs: Tensor, hooks: list) -> Tensor:
    assert snapshot.model is not None
    double = {role: weight.double() for role, weight in snapshot.weights.items()}
    named = [("hook_embed", hook) for hook in hooks]
    return snapshot.model.run(double, inputs, ["hook_embed"], hooks=named)["hook_embed"][:, 0]


LEAKAGE = Analyzer(
    name="interventions.leakage",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=leakage,
    needs=Needs(weights=("*",), columns=("a", "b"), bases=("token",), model=True),
    question="Does the intervention change the frequency it names, by what it says, and no other?",
    formula="|B_k E'|^2 / |B_k E|^2 with E' the embedding behind the hooks; leakage: max over other k of |ratio - 1|",
    source="The embedding's Fourier components: Nanda et al. 2023, section 4.1 (arXiv 2301.05217)",
    outputs={
        "label": "(K,) frequencies",
        "power": "(K,) power of each in the token embedding",
        "power_behind": "(K,) the same behind the hooks that are open at this step",
        "target": "(K,) whether an intervention names it",
        "asked": "(K,) factor that the open interventions ask for",
        "window": "(I, 2) first step of each intervention, and the first one after it",
        "active": "(I,) whether it is open at this step",
        "target_ratio": "(targets,) power behind over power before",
        "leakage": "() largest relative change of a frequency that none names",
        "target_error": "() largest difference between a target's ratio and what was asked for",
    },
)
