"""Phases of neurons: a clock made by hand, the paper's models, and networks that learned nothing."""

import numpy as np
import pytest
import torch

from miscope.analysis.returned import returned_arrays
from miscope.analyzers.neurons import FREQUENCIES
from miscope.analyzers.phases import NEURONS
from miscope.errors import DoesNotApply
from miscope.snapshot import Snapshot
from miscope.testing import toy_snapshot
from miscope.testing.toy import cosines

SITE = "blocks.0.mlp.hook_post"


def clock(sign=1.0, size=64, seed=0):
    """Neurons relu(cos(ka - s) + cos(kb - t)) that write cos(kc - s - sign t), k 1 or 2, phases at random."""
    random = np.random.default_rng(seed)
    s, t = random.uniform(-np.pi, np.pi, (2, size))
    k = 1 + np.arange(size) % 2
    x = 2 * np.pi * np.arange(5)[:, None] / 5
    units = np.maximum(np.cos(k * x - s)[:, None] + np.cos(k * x - t)[None], 0).reshape(25, size)
    written = np.cos(k * x - s - sign * t).T
    return s, t, torch.from_numpy(units), torch.from_numpy(written)


def shown(units, written, **fields):
    bases = dict.fromkeys(("a", "b", "sum"), cosines(5))
    snapshot = toy_snapshot(activations={SITE: units}, bases=bases)
    reads = {"neurons.frequencies": FREQUENCIES.compute(snapshot)}
    weights, axes = {"W_out": written}, {"W_out": ("d_mlp", "vocab_out")}
    given = {"activations": {SITE: units}, "bases": bases, "artifacts": reads, "weights": weights, "axes": axes}
    return toy_snapshot(options=NEURONS.options(specialised=0.5), **(given | fields))


def test_a_clocks_phases_are_read_off_and_agree():
    s, t, units, written = clock()
    outputs = returned_arrays(NEURONS.name, NEURONS.compute(shown(units, written)))
    assert outputs[f"{SITE}/block"].tolist() == [0, 1] * 32
    # Over five values the relu's overtones alias into the fundamental.
    assert np.abs(np.angle(np.exp(1j * (outputs[f"{SITE}/first"] - s)))).max() < 0.3
    assert np.abs(np.angle(np.exp(1j * (outputs[f"{SITE}/second"] - t)))).max() < 0.3
    assert np.exp(1j * outputs[f"{SITE}/output"]) == pytest.approx(np.exp(1j * (s + t)), abs=1e-6)
    assert outputs[f"{SITE}/coherence"] > 0.95
    assert outputs[f"{SITE}/coherence_difference"] < outputs[f"{SITE}/null"]
    assert outputs[f"{SITE}/own_output"] == pytest.approx([1, 1])


def test_a_difference_agrees_the_other_way():
    _, _, units, written = clock(sign=-1.0)
    outputs = returned_arrays(NEURONS.name, NEURONS.compute(shown(units, written)))
    assert outputs[f"{SITE}/coherence_difference"] > 0.95
    assert outputs[f"{SITE}/coherence"] < outputs[f"{SITE}/null"]


def test_turning_both_factors_turns_the_phases_and_leaves_the_residual():
    _, _, units, written = clock()
    grid = units.reshape(5, 5, -1).roll((1, 1), dims=(0, 1)).reshape(25, -1)
    plain = returned_arrays(NEURONS.name, NEURONS.compute(shown(units, written)))
    moved = returned_arrays(NEURONS.name, NEURONS.compute(shown(grid, written.roll(2, dims=1))))
    turn = 2 * np.pi / 5 * (plain[f"{SITE}/block"] + 1)
    assert np.exp(1j * (moved[f"{SITE}/first"] - plain[f"{SITE}/first"])) == pytest.approx(np.exp(1j * turn), abs=1e-5)
    residuals = (np.exp(1j * outputs[f"{SITE}/residual"]) for outputs in (plain, moved))
    assert next(residuals) == pytest.approx(next(residuals), abs=1e-5)


def test_networks_at_random_stay_below_the_null_as_often_as_it_says():
    above = []
    for seed in range(60):
        random = torch.Generator().manual_seed(seed)
        units = torch.relu(torch.randn(25, 40, generator=random)).double()
        outputs = returned_arrays(
            NEURONS.name, NEURONS.compute(shown(units, torch.randn(40, 5, generator=random).double()))
        )
        above.append(float(outputs[f"{SITE}/coherence"]) > float(outputs[f"{SITE}/null"]))
    assert np.mean(above) < 0.15


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_clusters_write_at_their_own_frequency(calibration, computed, name):
    model = calibration(name)
    reads = {"neurons.frequencies": computed(FREQUENCIES, model)}
    fields = model.shown | {"artifacts": reads, "bases": model.shown["bases"] | {"sum": cosines(113)}}
    fields["activations"] = {SITE: model.shown["activations"][SITE]}
    outputs = returned_arrays(NEURONS.name, NEURONS.compute(Snapshot(options=NEURONS.options(), **fields)))
    for k, known in model.known["W_L_cluster_alignment"].items():
        assert outputs[f"{SITE}/count"][int(k) - 1] == known["n_neurons"]
        own, constant = (outputs[f"{SITE}/{name}"][int(k) - 1] for name in ("own_output", "constant_output"))
        assert own * (1 - constant) == pytest.approx(known["W_L_power_fraction_at_own_freq"], 1e-6)
    assert outputs[f"{SITE}/coherence_specialised"] > 5 * outputs[f"{SITE}/null_specialised"]
    p_adjusted = outputs[f"{SITE}/block_p_adjusted"][[int(k) - 1 for k in model.known["W_L_cluster_alignment"]]]
    assert p_adjusted.max() < 1e-4


def test_where_there_is_nothing_no_block_is_aligned_but_one_time_in_twenty():
    drawn = []
    for seed in range(100):
        random = torch.Generator().manual_seed(seed)
        units = torch.relu(torch.randn(25, 40, generator=random)).double()
        drawn.append(
            returned_arrays(NEURONS.name, NEURONS.compute(shown(units, torch.randn(40, 5, generator=random).double())))
        )
    assert np.mean([one[f"{SITE}/aligned_count"] > 0 for one in drawn]) < 0.1


def test_a_clocks_phases_are_all_around_and_those_of_neurons_that_write_alike_are_not():
    _, _, units, written = clock()
    outputs = returned_arrays(NEURONS.name, NEURONS.compute(shown(units, written)))
    assert outputs[f"{SITE}/aligned_count"] == 2
    assert (outputs[f"{SITE}/spread_p_adjusted"] > 0.05).all()
    alike = torch.from_numpy(cosines(5).rows[[1, 3]])[torch.arange(64) % 2]
    assert (
        returned_arrays(NEURONS.name, NEURONS.compute(shown(units, alike)))[f"{SITE}/spread_p_adjusted"] < 1e-6
    ).all()


def test_without_a_basis_it_does_not_apply():
    with pytest.raises(DoesNotApply, match="phases are read in a task basis, and the family does not give one for"):
        NEURONS.compute(shown(*clock()[2:], bases={}))


def test_without_weights_to_the_outputs_it_does_not_apply():
    with pytest.raises(DoesNotApply, match="no weights lead from its neurons to the outputs"):
        NEURONS.compute(shown(*clock()[2:], weights={}, axes={}))
