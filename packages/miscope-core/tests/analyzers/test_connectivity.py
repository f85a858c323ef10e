"""Barriers in closed form, and permuted copies that matching puts back in order."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.analysis.losses import probe_losses
from miscope.analysis.returned import returned_arrays
from miscope.analyzers.connectivity import SEEDS, BarrierOptions, barriers, seeds, spread
from miscope.errors import DoesNotApply
from miscope.maths.barriers import barrier
from miscope.maths.permutation import EVERYWHERE, correlations, match_heads, match_units, permuted, places
from miscope.maths.weight_matching import free, matched_weights, units_of
from miscope.snapshot import Cohort, Trajectory
from miscope.testing import ToyFamily, toy_snapshot


def test_the_barrier_is_the_rise_above_the_straight_line():
    alphas = np.linspace(0, 1, 5)
    assert barrier(np.array([1.0, 3, 4, 3, 2]), alphas) == pytest.approx(2.5)
    assert barrier(np.array([1.0, 1.25, 1.5, 1.75, 2]), alphas) == 0
    assert barrier(np.array([2.0, 0.5, 0, 0.5, 2]), alphas) == 0


def course(*points, model=None):
    snapshot = toy_snapshot()
    model = model or ToyFamily().model(snapshot.variant.params)
    stacked = {role: torch.stack([p[role] for p in points]) for role in points[0]}
    return Trajectory(
        variant=snapshot.variant,
        steps=np.arange(len(points)) * 10,
        options=BarrierOptions(),
        probe=snapshot.probe,
        weights={role: lambda t=tensor: t for role, tensor in stacked.items()},
        axes={name: role.axes for name, role in model.roles.items()},
        model=model,
        losses=probe_losses(snapshot.probe, lambda: model),
    )


def network(seed):
    random = torch.Generator().manual_seed(seed)
    snapshot = toy_snapshot()
    roles = ToyFamily().model(snapshot.variant.params).roles
    return {name: torch.randn(role.shape, generator=random) for name, role in roles.items()}


def test_there_is_no_barrier_to_oneself_and_profiles_read_backwards_are_those_from_the_other_end():
    first, second = network(1), network(2)
    outputs = returned_arrays("barriers", barriers(course(first, second, first)))
    heights = outputs["train/barrier"]
    assert np.diag(heights).tolist() == [0, 0, 0]
    assert heights[0, 2] == pytest.approx(0, abs=1e-9)
    assert heights == pytest.approx(heights.T)
    np.testing.assert_array_equal(outputs["train/loss"][0, 1], outputs["train/loss"][1, 0, ::-1])
    assert float(outputs["train/first_to_last"]) == heights[0, 2]
    assert outputs["test/accuracy"].shape == (3, 3, 11)


def test_a_copy_with_its_stream_and_neurons_in_another_order_has_a_barrier_that_matching_removes():
    first, random = network(3), np.random.default_rng(0)
    orders = {("blocks.0", "d_mlp"): random.permutation(16), (EVERYWHERE, "d_model"): random.permutation(8)}
    other = permuted(first, axes_of(), orders)
    members = tuple(taught(course(weights), first) for weights in (first, other))
    outputs = seeds(Cohort(members=members, options=SEEDS.options()))
    for part in ("train", "test"):
        assert outputs[f"{part}/before_loss"][0, 1, [0, -1]] == pytest.approx(outputs[f"{part}/before_loss"][0, 0, :2])
        assert outputs[f"{part}/after_barrier"][0, 1] == pytest.approx(0, abs=1e-12)
    assert outputs["train/before_barrier"][0, 1] > 0.01
    assert outputs["all/before_cosine"][0, 1] < 0.5
    assert outputs["all/after_cosine"][0, 1] == pytest.approx(1, abs=1e-12)


def test_matching_brings_other_networks_nearer_and_leaves_what_they_answer():
    one, two = network(1), network(2)
    members = tuple(course(weights) for weights in (one, two))
    outputs = seeds(Cohort(members=members, options=SEEDS.options()))
    assert outputs["all/after_cosine"][0, 1] > outputs["all/before_cosine"][0, 1] + 0.1
    assert outputs["train/after_loss"][0, 1, [0, -1]] == pytest.approx(outputs["train/before_loss"][0, 1, [0, -1]])


def taught(member, weights):
    """The member, with what these weights answer as the right answers."""
    logits = member.model.answers(weights, member.probe.inputs, ["logits"])["logits"]
    probe = replace(member.probe, labels=logits.argmax(dim=-1))
    return replace(member, probe=probe, losses=probe_losses(probe, lambda: member.model))


def axes_of():
    return {name: role.axes for name, role in ToyFamily().model(toy_snapshot().variant.params).roles.items()}


def test_networks_of_other_shapes_and_single_ones_have_no_line_between_them():
    one, small = network(1), {**network(2), "W_E": torch.zeros(3, 8)}
    with pytest.raises(DoesNotApply, match="their weights differ in shape, so no line joins them"):
        seeds(Cohort(members=(course(one), course(small)), options=SEEDS.options()))
    with pytest.raises(DoesNotApply, match="a line needs two networks, and there is one"):
        seeds(Cohort(members=(course(one),), options=SEEDS.options()))
    with pytest.raises(DoesNotApply, match="a line needs 2 checkpoints, and it has 1"):
        barriers(replace(course(one), steps=np.array([0])))


def test_units_are_matched_by_what_they_do():
    random = np.random.default_rng(0)
    units = random.standard_normal((200, 6))
    order, mean = match_units(units, units[:, [3, 0, 5, 1, 4, 2]])
    assert np.array([3, 0, 5, 1, 4, 2])[order].tolist() == list(range(6))
    assert mean == pytest.approx(1)
    # Two units that fire together are told apart by how strongly.
    twice = np.stack([units[:, 0], 2 * units[:, 0]], axis=1)
    assert match_units(twice, twice[:, ::-1])[0].tolist() == [1, 0]
    assert correlations(units, np.ones((200, 1))).tolist() == [[0.0]] * 6


def test_heads_are_matched_by_where_they_look():
    patterns = np.random.default_rng(0).dirichlet(np.ones(3), size=(50, 4))
    order = match_heads(patterns, patterns[:, [2, 0, 3, 1]])
    assert np.array([2, 0, 3, 1])[order].tolist() == [0, 1, 2, 3]


def test_only_the_layer_that_was_named_is_permuted():
    axes = {
        "W_E.a": ("a", "d_mlp"),
        "blocks.0.mlp.W_in": ("d_model", "d_mlp"),
        "blocks.1.mlp.W_in": ("d_model", "d_mlp"),
        "blocks.1.attn.W_Q": ("head", "d_model", "d_head"),
        "W_U": ("d_mlp", "vocab_out"),
    }
    weights = {
        role: torch.arange(8.0).reshape(2, 2, 2)[: 2 if len(a) == 3 else 1].squeeze(0) for role, a in axes.items()
    }
    swaps = {unit: np.array([[0, 1], [1, 0]] if unit[1] == "QK" else [1, 0]) for unit in places(axes)}
    moved = {
        unit: {role for role, w in permuted(weights, axes, {unit: swap}).items() if not torch.equal(w, weights[role])}
        for unit, swap in swaps.items()
    }
    assert moved == {
        ("blocks.0", "d_mlp"): {"W_E.a", "blocks.0.mlp.W_in"},
        ("blocks.1", "d_mlp"): {"blocks.1.mlp.W_in", "W_U"},
        ("blocks.1", "head"): {"blocks.1.attn.W_Q"},
        ("blocks.1", "QK"): {"blocks.1.attn.W_Q"},
        (EVERYWHERE, "d_model"): {"blocks.0.mlp.W_in", "blocks.1.mlp.W_in", "blocks.1.attn.W_Q"},
    }


def test_units_whose_order_the_answers_depend_on_or_that_are_not_one_for_one_are_left_alone():
    model, weights, axes = ToyFamily().model(toy_snapshot().variant.params), network(1), axes_of()
    assert free(model, weights, axes, toy_snapshot().probe.inputs) == [(EVERYWHERE, "d_model"), ("blocks.0", "d_mlp")]
    without = {role: names for role, names in axes.items() if role != "W_E"}
    assert free(model, weights, without, toy_snapshot().probe.inputs) == [("blocks.0", "d_mlp")]
    shared = {"blocks.0.attn.W_Q": ("head", "d_model"), "blocks.0.attn.W_K": ("head", "d_model")}
    tensors = {"blocks.0.attn.W_Q": torch.zeros(4, 2), "blocks.0.attn.W_K": torch.zeros(2, 2)}
    assert list(units_of(tensors, shared)) == [(EVERYWHERE, "d_model")]


@given(seed=st.integers(0, 2**20))
@settings(max_examples=15, deadline=None)
def test_weights_are_matched_whatever_order_they_come_in(seed):
    random, axes = np.random.default_rng(seed), axes_of()
    first = {role: torch.from_numpy(random.standard_normal(w.shape)) for role, w in network(0).items()}
    stream, neurons = random.permutation(8), random.permutation(16)
    second = permuted(first, axes, {(EVERYWHERE, "d_model"): stream, ("blocks.0", "d_mlp"): neurons})
    start = {("blocks.0", "d_mlp"): np.argsort(neurons)}
    orders = matched_weights(first, second, axes, units_of(second, axes), start)
    assert stream[orders[EVERYWHERE, "d_model"]].tolist() == list(range(8))
    assert neurons[orders["blocks.0", "d_mlp"]].tolist() == list(range(16))


def test_checkpoints_are_spread_over_the_logarithm_of_the_step():
    steps = np.arange(0, 20_001, 100)
    chosen = steps[spread(steps, 8)]
    assert chosen[0] == 0
    assert chosen[-1] == 20_000
    assert len(chosen) == 8
    ratios = np.diff(np.log(chosen + 100))
    assert ratios.max() < 2 * ratios.min()
    assert spread(np.arange(3), 12).tolist() == [0, 1, 2]
