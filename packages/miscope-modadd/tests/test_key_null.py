"""The votes' thresholds were set knowing two published models: what they find where there is nothing to find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from miscope import Snapshot
from miscope.analysis.returned import returned_arrays
from miscope.analyzers.factors import SHARES
from miscope.analyzers.keys import VOTES
from miscope.analyzers.neurons import FREQUENCIES
from miscope.analyzers.spectra import EMBEDDING
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope_modadd.embedding_mlp import EmbeddingMlpFamily
from miscope_modadd.mlp import MlpFamily
from miscope_modadd.nanda2023 import Nanda2023Family
from miscope_modadd.transformer import TransformerFamily

POST = "blocks.0.mlp.hook_post"


def votes(context, weights, probe):
    exact = {role: tensor.double() for role, tensor in weights.items()}
    with torch.no_grad():
        logits = context.model.answers(exact, probe.inputs, ["logits"])
        post = context.model.answers(weights, probe.inputs, [POST])
    axes = {name: role.axes for name, role in context.model.roles.items()}
    common = {"variant": context.variant, "step": 0, "probe": probe, "bases": context.bases, "axes": axes}
    reads = {
        analyzer.name: returned_arrays(
            analyzer.name, analyzer.compute(Snapshot(options=analyzer.options(), **seen, **common))
        )
        for analyzer, seen in (
            (SHARES, {"activations": logits}),
            (FREQUENCIES, {"activations": post}),
            (EMBEDDING, {"weights": weights}),
        )
    }
    return VOTES.compute(Snapshot(options=VOTES.options(), artifacts=reads, **common))


def relabelled(probe, labels):
    return replace(probe, labels=labels, columns={**probe.columns, "sum": labels.numpy()})


def at_random(family, seed):
    context = ModelContext(family, make_variant(family, {"prime": 29, "seed": seed}))
    assert context.task is not None
    return context, context.task.initial_weights()


@pytest.mark.slow
@pytest.mark.parametrize(
    "family",
    [TransformerFamily(), Nanda2023Family(), MlpFamily(), EmbeddingMlpFamily()],
    ids=lambda family: family.name,
)
def test_fewer_than_one_in_twenty_random_networks_has_a_key_component(family):
    elected = []
    for seed in range(40):
        context, weights = at_random(family, seed)
        labels = context.probe().labels
        shuffled = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
        probes = context.probe(), relabelled(context.probe(), shuffled)
        elected.append([votes(context, weights, probe)["key"].any() for probe in probes])
    assert (np.mean(elected, axis=0) < 0.05).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_network_that_learned_random_labels_has_no_key_component(seed):
    context, start = at_random(TransformerFamily(), seed)
    probe = context.probe()
    labels = torch.randint(29, (29 * 29,), generator=torch.Generator().manual_seed(seed))
    weights = {role: tensor.clone().requires_grad_() for role, tensor in start.items()}
    optimizer = torch.optim.AdamW(list(weights.values()), lr=1e-3, weight_decay=1.0, betas=(0.9, 0.98))
    seen = torch.from_numpy(probe.train)
    assert context.task.logits is not None
    for _ in range(200):
        loss = torch.nn.functional.cross_entropy(context.task.logits(weights, probe.inputs[seen]), labels[seen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    learned = {role: tensor.detach() for role, tensor in weights.items()}
    assert loss.item() < 0.05
    for shown in (probe, relabelled(probe, labels)):
        assert votes(context, learned, shown)["key_count"] == 0
