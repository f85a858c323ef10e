"""How long the vectors are by which a network represents its inputs."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from miscope.analyzer import Analyzer, Grain, Options
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.forward import activations
from miscope.lazily import torch
from miscope.model import LOGITS, cast, matching
from miscope.needs import Needs
from miscope.probe import Probe
from miscope.snapshot import Snapshot

_TOKENS = 1 << 14
"""Numbers of the inputs in one pass: bounds what is held of all sites together."""

_STANDARD = ("hook_embed", "*hook_resid_*", "*_post", "*hook_normalized")
"""The embedding, the residual stream, hidden layers, and what a normalisation gives."""


class NormOptions(Options):
    """Of which sites."""

    sites: tuple[str, ...] | None = None
    """Patterns of sites; None for the embedding, the residual stream, hidden layers and what normalisations give, or
    for every site but the logits where the model has none of these names."""


def norm(snapshot: Snapshot[NormOptions]) -> Arrays:
    """Mean length of the activation vectors at the answer position, over training and test inputs, site by site.

    Before the final normalisation stands the last `hook_resid_post`, behind it `ln_final.hook_normalized`, which begins
    near the root of its width and then moves by gain and bias alone. All inputs of the probe, in batches of 16,384
    numbers of input; activations are float32, their lengths float64.
    """
    model, options = snapshot.model, snapshot.options
    assert model is not None
    wanted = _wanted(sorted(model.sites - {LOGITS}), options)
    if not wanted:
        patterns = ", ".join(map(repr, options.sites or ()))
        raise DoesNotApply(f"it has no site like {patterns}" if patterns else "its model shows no site but its logits")
    weights = cast(snapshot.weights, torch.float32)
    inputs = snapshot.probe.inputs
    lengths: dict[str, list[np.ndarray]] = {site: [] for site in wanted}
    width: dict[str, int] = {}
    for some in inputs.split(max(1, _TOKENS // max(1, inputs[:1].numel()))):
        for site, activation in activations(model.answers, weights, some, wanted).items():
            vectors = activation.flatten(1)
            width[site] = vectors.shape[1]
            lengths[site].append(vectors.double().norm(dim=1).cpu().numpy())
    outputs: dict[str, np.ndarray] = {}
    for site in wanted:
        outputs[f"{site}/width"] = np.array(width[site])
        together = np.concatenate(lengths[site])
        for part, mask in _parts(snapshot.probe).items():
            outputs[f"{site}/{part}/mean"] = np.array(together[mask].mean())
            outputs[f"{site}/{part}/spread"] = np.array(together[mask].std())
    return outputs


def _wanted(sites: Collection[str], options: NormOptions) -> tuple[str, ...]:
    if options.sites is not None:
        return matching(options.sites, sites)
    return matching(_STANDARD, sites) or tuple(sites)


def _parts(probe: Probe) -> dict[str, np.ndarray]:
    """Masks of the parts that hold any input; 'all' where nobody knows which were trained on."""
    if probe.train is None:
        return {"all": np.ones(len(probe.inputs), dtype=bool)}
    return {name: mask for name, mask in (("train", probe.train), ("test", ~probe.train)) if mask.any()}


NORM = Analyzer(
    name="representation.norm",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=norm,
    needs=Needs(weights=("*",), model=True),
    options=NormOptions,
    not_invariant_to=("relu scaling",),
    question="How long are the vectors by which the network represents its inputs?",
    formula="mean over x of |h(x)|_2 at each site",
    source="Liu et al. 2022 (arXiv 2210.01117); Least Action Learning",
    outputs={
        "SITE/width": "() numbers in each vector",
        "SITE/{train,test,all}/mean": "() mean length over training inputs, over test inputs, or over all where nobody "
        "knows which were trained on",
        "SITE/{train,test,all}/spread": "() standard deviation over these inputs",
    },
)
