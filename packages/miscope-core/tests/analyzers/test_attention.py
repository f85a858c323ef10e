"""Attention statistics against the paper's models and patterns made by hand."""

import numpy as np
import pytest
import torch

from miscope.analyzers.attention import PATTERNS, SEQUENCE, patterns, sequence
from miscope.probe import Probe
from miscope.testing import toy_snapshot

SITE = "blocks.0.attn.hook_pattern"


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_heads(calibration, computed, name):
    model = calibration(name)
    outputs = computed(PATTERNS, model)
    for head, known in enumerate(model.known["attention"]["heads"]):
        assert outputs[f"{SITE}/mean"][head] == pytest.approx(known["mean_attention_to_a_b_eq"], rel=1e-5)
        assert outputs[f"{SITE}/std"][head, 0] == pytest.approx(known["std_attention_to_a"], rel=1e-4)
        assert outputs[f"{SITE}/entropy"][head] == pytest.approx(known["mean_entropy_nats"], rel=1e-5)
        symmetry = known["symmetry_corr_A_to_a(a,b)_vs_A_to_b(b,a)"]
        assert outputs[f"{SITE}/symmetry/swap"][head, 0, 1] == pytest.approx(symmetry, abs=1e-6)
    assert outputs[f"{SITE}/map"].shape == (4, 3, 113, 113)


def test_the_table_of_the_first_model(calibration, computed):
    outputs = computed(PATTERNS, calibration("wd_10-1_mod_addition_loss_curve"))
    assert outputs[f"{SITE}/mean"][0] == pytest.approx([0.509, 0.489, 0.0019], abs=5e-4)
    assert outputs[f"{SITE}/std"][0, 0] == pytest.approx(0.203, abs=5e-4)
    assert outputs[f"{SITE}/entropy"][0] == pytest.approx(0.616, abs=5e-4)
    assert outputs[f"{SITE}/symmetry/swap"][0, 0, 1] == pytest.approx(0.9998, abs=1e-4)


def shown(pattern):
    return toy_snapshot(activations={SITE: pattern})


def test_a_head_that_looks_everywhere_alike_has_full_support_and_no_correlation():
    outputs = patterns(shown(torch.full((25, 2, 4), 0.25)))
    assert outputs[f"{SITE}/support"] == pytest.approx([4, 4])
    assert outputs[f"{SITE}/std"] == pytest.approx(np.zeros((2, 4)))
    assert np.isnan(outputs[f"{SITE}/symmetry/swap"]).all()


def test_of_attention_that_hardly_moves_there_is_no_correlation_and_of_the_rest_there_is():
    """By the closed form: attention that follows a to one key and b to another, swapped, is the same: 1, and a with b
    on a full grid 0."""
    a = torch.arange(25).div(5, rounding_mode="floor").double()
    b, little = torch.arange(25).double() % 5, 1e-7 * torch.arange(25).double()
    outputs = patterns(shown(torch.stack([a / 10, b / 10, 0.3 + little], dim=-1)[:, None]))
    found = outputs[f"{SITE}/symmetry/swap"][0]
    assert outputs[f"{SITE}/std"][0] == pytest.approx([0.1 * 2**0.5, 0.1 * 2**0.5, 1e-7 * 52**0.5])
    assert found[:2, :2] == pytest.approx(np.array([[0, 1], [1, 0]]), abs=1e-9)
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()


def test_a_head_that_looks_at_one_key_has_no_entropy():
    pattern = torch.zeros(25, 1, 3)
    pattern[..., 1] = 1
    outputs = patterns(shown(pattern))
    assert outputs[f"{SITE}/entropy"] == pytest.approx([0])
    assert outputs[f"{SITE}/mean"].tolist() == [[0, 1, 0]]


def test_the_map_has_the_first_factor_first():
    a = torch.arange(25).div(5, rounding_mode="floor") / 10
    outputs = patterns(shown(torch.stack([a, 1 - a], dim=-1)[:, None]))
    assert outputs[f"{SITE}/map"][0, 0, :, 3] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-3)
    assert outputs[f"{SITE}/map"][0, 0, 3] == pytest.approx([0.3] * 5, abs=1e-3)


def test_permuting_heads_permutes_everything():
    pattern = torch.softmax(torch.randn(25, 3, 4, generator=torch.Generator().manual_seed(0)), dim=-1)
    plain, moved = patterns(shown(pattern)), patterns(shown(pattern[:, [2, 0, 1]]))
    for name, array in plain.items():
        if np.ndim(array):
            np.testing.assert_allclose(moved[name], array[[2, 0, 1]], atol=1e-12)


class Looking:
    """A model of two heads: one looks at the previous token, one at everything before alike."""

    sites = frozenset({SITE})

    def run(self, weights, inputs, sites, *, hooks=()):
        length = inputs.shape[1]
        previous = torch.ones(length - 1).diag(-1)
        previous[0, 0] = 1
        uniform = torch.ones(length, length).tril()
        both = torch.stack([previous, uniform / uniform.sum(1, keepdim=True)])
        return {SITE: both.expand(len(inputs), 2, length, length)}


def test_along_a_sequence_a_previous_token_head_looks_one_back():
    probe = Probe(name="tokens", inputs=torch.zeros(7, 5, dtype=torch.int64))
    outputs = sequence(toy_snapshot(probe=probe, options=SEQUENCE.options(), model=Looking()))
    assert outputs[f"{SITE}/profile"][0] == pytest.approx([0.2, 1, 0, 0, 0])
    assert outputs[f"{SITE}/mean"][0, 3].tolist() == [0, 0, 1, 0, 0]
    assert outputs[f"{SITE}/entropy"][1] == pytest.approx(np.log(np.arange(1, 6)), rel=1e-6)
    assert outputs[f"{SITE}/profile"][1] == pytest.approx(
        [np.mean(1 / np.arange(d + 1, 6)) for d in range(5)], rel=1e-3
    )
