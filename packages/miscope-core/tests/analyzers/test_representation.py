"""Lengths of representations: of vectors by hand, of the toy, and of somebody's own module."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from miscope.analyzers.representation import NORM
from miscope.bound import open_bound
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.model import HookedModel, Role
from miscope.model_context import ModelContext
from miscope.testing import ToyFamily, tables, toy_snapshot
from miscope.testing import toy_modules as own


def shown(**fields: Any):
    family = ToyFamily()
    context = ModelContext(family, make_variant(family, {}))
    assert context.task is not None
    given = {"model": context.model, "weights": context.task.initial_weights(), "options": NORM.options()}
    return toy_snapshot(**(given | fields))


def test_lengths_are_those_of_the_vectors_over_training_and_test_inputs():
    snapshot = shown()
    outputs, probe = NORM.compute(snapshot), snapshot.probe
    assert {name.partition("/")[0] for name in outputs} == {
        "hook_embed", "blocks.0.mlp.hook_post", "blocks.0.hook_resid_post",
    }  # fmt: skip
    lengths = snapshot.weights["W_E"][probe.inputs].sum(1).double().norm(dim=1).numpy()
    for part, mask in (("train", probe.train), ("test", ~probe.train)):
        assert outputs[f"hook_embed/{part}/mean"] == pytest.approx(lengths[mask].mean(), rel=1e-6)
        assert outputs[f"hook_embed/{part}/spread"] == pytest.approx(lengths[mask].std(), rel=1e-6)
    assert outputs["hook_embed/width"] == 8
    assert not any("/all/" in name for name in outputs)


def test_where_nobody_knows_what_was_trained_on_there_are_all_inputs():
    probe = shown().probe
    unknown, everything = (NORM.compute(shown(probe=replace(probe, train=t))) for t in (None, np.ones(25, dtype=bool)))
    assert unknown["hook_embed/all/mean"] == everything["hook_embed/train/mean"]
    assert "hook_embed/test/mean" not in everything


class Normalised(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stream, self.ln_final = nn.Identity(), nn.LayerNorm(16)

    def forward(self, x: Tensor) -> Tensor:
        return self.ln_final(self.stream(x[:, None]))


def test_a_normalisation_gives_vectors_as_long_as_the_root_of_their_width():
    net = Normalised()
    model = HookedModel(
        net,
        roles=[Role(name="ln_final.w", axes=("d_model",), shape=(16,))],
        sites={"blocks.0.hook_resid_post": net.stream, "ln_final.hook_normalized": net.ln_final},
        place=lambda weights: {"ln_final.weight": weights["ln_final.w"]},
    )
    inputs = 1000 * torch.randn(40, 16, generator=torch.Generator().manual_seed(0))
    probe = replace(shown().probe, inputs=inputs, train=None, labels=None, grid=(), columns={}, symmetries={})
    weights = {"ln_final.w": torch.ones(16)}
    outputs = NORM.compute(toy_snapshot(model=model, weights=weights, probe=probe, options=NORM.options()))
    assert outputs["ln_final.hook_normalized/all/mean"] == pytest.approx(4, rel=1e-6)
    assert outputs["ln_final.hook_normalized/all/spread"] < 1e-6
    assert outputs["blocks.0.hook_resid_post/all/mean"] == pytest.approx(float(inputs.norm(dim=1).mean()), rel=1e-6)


def test_somebodys_own_module_has_every_site_and_those_that_are_asked_for(tmp_path: Path):
    place, module = open_bound(tmp_path, tables()), own.seeded(kind=own.Convolutional)
    images = torch.randn(6, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    with place.record("mine", module, probe=images) as recorder:
        recorder.checkpoint(0, module)
    variant, name = place.find("mine"), NORM.name
    for options in ({}, {"sites": ["conv"]}, {"sites": ["nowhere"]}):
        (outcome,) = variant.analyze(name, options={name: options})
        assert outcome.state == ("skipped" if options.get("sites") == ["nowhere"] else "saved"), outcome.error
    assert "it has no site like 'nowhere'" in outcome.error
    arrays = variant.arrays(name, 0)
    assert {array.partition("/")[0] for array in arrays} == {"conv", "norm", "head"}
    with torch.no_grad():
        known = module.eval().conv(images).flatten(1).norm(dim=1)
    assert arrays["conv/all/mean"] == pytest.approx(float(known.mean()), rel=1e-5)
    assert arrays["conv/width"] == 12


def test_a_model_that_shows_nothing_but_its_logits_is_told_so():
    net = Normalised()
    model = HookedModel(net, roles=[], sites={"logits": net}, place=lambda weights: {})
    with pytest.raises(DoesNotApply, match="its model shows no site but its logits"):
        NORM.compute(shown(model=model))
