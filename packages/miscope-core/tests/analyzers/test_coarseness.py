"""Coarseness of the paper's neurons and heads, and badges by hand."""

import numpy as np
import pytest
import torch

from miscope.analyzers.coarseness import BADGES, UNITS
from miscope.analyzers.neurons import FREQUENCIES
from miscope.maths.coarseness import preserved_variance
from miscope.testing import toy_snapshot

POST, PATTERN = "blocks.0.mlp.hook_post", "blocks.0.attn.hook_pattern"


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_neurons_and_heads(calibration, computed, name):
    model = calibration(name)
    outputs, known = computed(UNITS, model), model.known["neuron_coarseness"]
    first = np.array(known["first_10_neurons"])
    assert outputs[f"{POST}/low"][:10] == pytest.approx(first[:, 0], rel=1e-4)
    assert outputs[f"{POST}/gradient"][:10] == pytest.approx(first[:, 1], rel=1e-4)
    assert outputs[f"{POST}/mean_low"] == pytest.approx(known["mean"][0], rel=1e-4)
    assert outputs[f"{POST}/median_low"] == pytest.approx(known["median"][0], rel=1e-3)
    heads = model.known["attention"]["heads"]
    to_a = [[head[f"coarseness_attn_to_a_{name}"] for head in heads] for name in ("fft_nodc", "gradient")]
    assert outputs[f"{PATTERN}/low"][:, 0] == pytest.approx(to_a[0], rel=1e-4)
    assert outputs[f"{PATTERN}/gradient"][:, 0] == pytest.approx(to_a[1], rel=1e-4)
    neurons = computed(FREQUENCIES, model)
    special = neurons[f"{POST}/max_fraction"] >= 0.85
    for k, mean in known["mean_fft_nodc_by_neuron_freq"].items():
        mine = special & (neurons[f"{POST}/dominant"] == k)
        assert outputs[f"{POST}/low"][mine].mean() == pytest.approx(mean, rel=1e-3)
    maps = model.shown["activations"][POST][:, :10].double().reshape(113, 113, 10)
    assert preserved_variance(maps, area=False).numpy() == pytest.approx(first[:, 2], rel=1e-5)


def test_the_first_models_heads_and_its_neurons_unwrapped(calibration, computed):
    outputs = computed(UNITS, calibration("wd_10-1_mod_addition_loss_curve"))
    assert outputs[f"{PATTERN}/low"][:, 0] == pytest.approx([0.409, 0.188, 0.558, 0.291], abs=1e-3)
    assert outputs["automorphisms"] == 56
    # Neuron 0 is of frequency 6: 19 times 6 is 1 modulo 113.
    assert outputs[f"{POST}/unit"][0] == 19
    assert outputs[f"{POST}/mean_unwrapped"] > 0.85 > 0.3 > outputs[f"{POST}/mean_low"]


def of_maps(*maps):
    values = torch.stack([m.expand(5, 5) for m in maps], dim=-1).reshape(25, -1)
    return UNITS.compute(toy_snapshot(activations={POST: values}, options=UNITS.options(radius=0.3)))


def test_badges_name_flat_maps_stripes_and_blobs():
    x = 2 * np.pi * torch.arange(5) / 5
    blob, fine = torch.cos(x)[:, None] * torch.cos(x)[None], torch.cos(2 * x)[:, None] * torch.cos(2 * x)[None]
    outputs = of_maps(torch.ones(5, 5), torch.cos(x)[:, None], blob, fine)
    assert [BADGES[i] for i in outputs[f"{POST}/badge"]] == ["flat", "stripes", "blob", "mixed"]
    assert outputs[f"{POST}/badge_count"].tolist() == [1, 1, 1, 0, 1]
    assert outputs["automorphisms"] == 0
    assert np.isnan(outputs[f"{POST}/mean_unwrapped"])


def test_a_head_is_as_coarse_as_the_keys_its_attention_varies_on():
    x = 2 * np.pi * torch.arange(5) / 5
    coarse, fine = (torch.cos(k * x)[:, None] * torch.cos(k * x)[None] for k in (1, 2))
    pattern = torch.stack([0.3 * coarse, 0.01 * fine], dim=-1).reshape(25, 1, 2)
    outputs = UNITS.compute(toy_snapshot(activations={PATTERN: pattern}, options=UNITS.options(radius=0.3)))
    assert outputs[f"{PATTERN}/low"] == pytest.approx(np.array([[1.0, 0.0]]), abs=1e-6)
    assert outputs[f"{PATTERN}/head_low"] == pytest.approx([0.9989], abs=1e-3)
