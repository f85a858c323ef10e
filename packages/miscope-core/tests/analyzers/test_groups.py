"""Groups of neurons whose places in weight space one knows."""

import numpy as np
import pytest
import torch

from miscope.analyzers.groups import GEOMETRY, geometry
from miscope.errors import DoesNotApply
from miscope.maths.unit_groups import leading_shares, shuffled_shares, spread
from miscope.snapshot import Trajectory
from miscope.testing import toy_snapshot

SITE = "blocks.0.mlp.hook_post"


def course(points, labels, role="blocks.0.mlp.W_in", **options):
    """points (T, M, d); labels by neuron."""
    weight = torch.from_numpy(points.swapaxes(1, 2).copy()).float()
    return Trajectory(
        variant=toy_snapshot().variant,
        steps=np.arange(len(points)),
        options=GEOMETRY.options(**options),
        probe=None,
        artifacts={"neurons.frequencies": {f"{SITE}/dominant": np.tile(labels, (len(points), 1))}},
        weights={role: lambda: weight},
        axes={role: ("d_model", "d_mlp")},
    )


def circles(steps=6, seed=0):
    """Two groups on circles about centres 10 apart, and neurons of a third too few to count."""
    random = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    ring = np.zeros((20, 8))
    ring[:, 0], ring[:, 1] = np.cos(turn), np.sin(turn)
    apart = np.zeros(8)
    apart[2] = 10
    last = np.concatenate([ring, 2 * ring + apart, random.standard_normal((2, 8))])
    labels = np.array(["5"] * 20 + ["11"] * 20 + ["7"] * 2)
    return np.stack([last * (t + 1) / steps for t in range(steps)]), labels


def test_spread_distance_and_components_of_two_rings():
    outputs = geometry(course(*circles()))
    assert outputs[f"{SITE}/group"].tolist() == ["11", "5"]
    assert outputs[f"{SITE}/size"].tolist() == [20, 20]
    assert outputs[f"{SITE}/spread"][-1] == pytest.approx([2, 1])
    assert outputs[f"{SITE}/between"][-1] == pytest.approx(np.array([[0, 10], [10, 0]]), abs=1e-5)
    assert outputs[f"{SITE}/separation"] == pytest.approx([10 / 1.5] * 6)
    assert outputs[f"{SITE}/shares"][-1] == pytest.approx(np.array([[0.5, 0.5, 0]] * 2), abs=1e-6)
    assert outputs[f"{SITE}/member"].tolist()[-2:] == [-1, -1]
    assert outputs[f"{SITE}/captured"] == pytest.approx(np.ones((6, 2)))
    assert np.linalg.norm(outputs[f"{SITE}/tracks"][-1, :20].astype(float), axis=1) == pytest.approx([1] * 20, abs=2e-3)
    assert np.isnan(outputs[f"{SITE}/tracks"][:, -1]).all()


def test_a_group_that_ends_in_another_plane_than_it_began_in_is_captured_only_at_the_end():
    ring = circles(1)[0][0, :20]
    turned = ring[:, [2, 3, 0, 1, 4, 5, 6, 7]]
    outputs = geometry(course(np.stack([turned, turned, ring]), np.array(["5"] * 20)))
    assert outputs[f"{SITE}/captured"][:, 0] == pytest.approx([0, 0, 1], abs=1e-9)


def test_a_straight_march_does_not_turn_and_a_square_turns_by_right_angles():
    straight = geometry(course(*circles()))
    assert np.nanmax(straight[f"{SITE}/turning"][:, 0]) == pytest.approx(0, abs=1e-3)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0.0]])
    points = corners[:, None, :] + np.random.default_rng(0).standard_normal((6, 2))
    outputs = geometry(course(points, np.array(["1"] * 6)))
    assert outputs[f"{SITE}/turning"][:, 0] == pytest.approx([np.pi / 2] * 3, abs=1e-5)
    assert np.isnan(outputs[f"{SITE}/separation"]).all()


def test_groups_that_mean_nothing_lie_within_the_null_and_real_ones_above():
    random = np.random.default_rng(0)
    labels = np.array(["1", "2"] * 40)
    noise = geometry(course(random.standard_normal((3, 80, 12)), labels, draws=60))
    low, _, high = noise[f"{SITE}/null"][:, -1]
    inside = noise[f"{SITE}/shares"][-1, :, :2].sum(axis=-1)
    assert ((inside > low - 0.03) & (inside < high + 0.03)).all()
    # Each frequency in a plane of its own: two directions a group, six all together.
    planes = np.concatenate(
        [random.standard_normal((30, 2)) @ np.linalg.qr(random.standard_normal((12, 2)))[0].T for _ in range(3)]
    )
    outputs = geometry(course(planes[None].repeat(3, axis=0), np.repeat(["1", "2", "3"], 30)))
    assert (outputs[f"{SITE}/shares"][-1, :, :2].sum(axis=-1) > outputs[f"{SITE}/null"][2, -1]).all()


def test_embeddings_that_feed_neurons_directly_are_taken_together():
    points, labels = circles()
    shown = course(points, labels, role="W_E.a")
    weight = shown.weights["W_E.a"]()
    both = Trajectory(
        variant=shown.variant,
        steps=shown.steps,
        options=shown.options,
        probe=None,
        artifacts=shown.artifacts,
        weights={"W_E.a": lambda: weight, "W_E.b": lambda: weight},
        axes={"W_E.a": ("a", "d_mlp"), "W_E.b": ("b", "d_mlp")},
    )
    assert geometry(both)[f"{SITE}/spread"] == pytest.approx(2**0.5 * geometry(shown)[f"{SITE}/spread"])


def test_too_few_alike_make_no_group():
    with pytest.raises(DoesNotApply, match="no 4 of its neurons form a group"):
        geometry(course(np.ones((3, 6, 2)), np.array(["1", "2", "3", "4", "5", ""])))


def test_clouds_in_closed_form():
    centre, width = spread(np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]]))
    assert centre.tolist() == [1, 1]
    assert width == pytest.approx(2**0.5)
    assert leading_shares(np.outer(np.arange(5.0), [3, 4]), 3) == pytest.approx([1, 0, 0])
    points = np.random.default_rng(0).standard_normal((12, 4))
    labels = np.repeat([0, 1], 6)
    one, two = (shuffled_shares(points, labels, groups=2, draws=3, seed=1) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (3, 2)
