"""Flatness of bowls one knows and of the paper's models; the plane of a path."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from miscope.analysis.losses import probe_losses
from miscope.analyzers.flatness import PLANE, PerturbationOptions, perturbation, plane
from miscope.errors import DoesNotApply
from miscope.maths.landscape import add, drawn, mix, scaled
from miscope.model import Model
from miscope.snapshot import Snapshot, Trajectory
from miscope.testing import toy_snapshot


class Bowl(Model):
    """Two logits z and 0 with softplus(-z) = sum of c w^2 / 2: a loss that is exactly a quadratic of the weights."""

    def __init__(self, curvature):
        self.curvature = curvature

    roles, sites = {}, frozenset({"logits"})

    def run(self, weights, inputs, sites, *, hooks=()):
        raise NotImplementedError

    def answers(self, weights, inputs, sites, *, channels=None):
        loss = 0.1 + sum((self.curvature[role] * w.square()).sum() / 2 for role, w in weights.items())
        z = -torch.log(torch.expm1(loss.double()))
        return {"logits": torch.stack([z, torch.zeros_like(z)]).expand(len(inputs), 2)}


CURVATURE = {"W_E": torch.linspace(1, 3, 12).reshape(3, 4).double(), "b": torch.tensor([0.5, 2.0]).double()}
AXES = {"W_E": ("token", "d_model"), "b": ("d_model",)}


def bowl(curvature=CURVATURE, **options):
    random = torch.Generator().manual_seed(1)
    weights = {role: torch.randn(c.shape, generator=random) for role, c in curvature.items()}
    fields = {"model": Bowl(curvature), "weights": weights, "axes": AXES, "options": PerturbationOptions(**options)}
    snapshot = toy_snapshot(**fields)
    zeros = torch.zeros_like(snapshot.probe.labels)
    probe = replace(snapshot.probe, labels=zeros)
    return replace(snapshot, probe=probe, losses=probe_losses(probe, lambda: snapshot.model))


def test_on_a_bowl_of_one_curvature_the_rise_is_exact_at_every_radius():
    even = {role: torch.full_like(c, 3.0) for role, c in CURVATURE.items()}
    outputs = perturbation(bowl(even, isotropic=(0.5, 2.0)))
    size = sum(c.numel() for c in even.values())
    assert outputs["isotropic/mean"] == pytest.approx([3 * 0.25 / 2, 3 * 4 / 2], rel=1e-9)
    assert outputs["isotropic/trace"] == pytest.approx([3 * size] * 2, rel=1e-9)
    assert outputs["isotropic/sem"] == pytest.approx([0, 0], abs=1e-12)


def test_on_any_bowl_each_pair_gives_half_the_curvature_along_its_direction():
    snapshot = bowl(directions=5, isotropic=(0.7,))
    outputs = perturbation(snapshot)
    exact = {role: w.double() for role, w in snapshot.weights.items()}
    along = [scaled(drawn(exact, 0, i), exact, "isotropic", AXES) for i in range(5)]
    curvature = [sum(float((CURVATURE[r] * u[r] ** 2).sum()) for r in u) for u in along]
    assert outputs["isotropic/mean"][0] == pytest.approx(0.49 / 2 * np.mean(curvature), rel=1e-9)
    assert outputs["isotropic/sem"][0] == pytest.approx(0.49 / 2 * np.std(curvature, ddof=1) / 5**0.5, rel=1e-9)


def test_many_directions_find_the_trace():
    outputs = perturbation(bowl(directions=400, isotropic=(0.5,), relative=(), filter=()))
    trace = float(sum(c.sum() for c in CURVATURE.values()))
    assert abs(outputs["isotropic/trace"][0] - trace) < 4 * outputs["isotropic/trace_sem"][0]
    assert outputs["isotropic/trace_sem"][0] < 0.03 * trace
    assert "relative/mean" not in outputs


def test_directions_are_as_long_as_the_weights_they_move():
    weights = {role: w.double() for role, w in bowl().weights.items()}
    noise = drawn(weights, 3, 1)
    relative, by_unit = (scaled(noise, weights, kind, AXES) for kind in ("relative", "filter"))
    for role, w in weights.items():
        assert float(relative[role].norm()) == pytest.approx(float(w.norm()))
        assert float(by_unit[role].norm()) == pytest.approx(float(w.norm()))
    assert by_unit["W_E"].norm(dim=1).numpy() == pytest.approx(weights["W_E"].norm(dim=1).numpy())
    assert torch.equal(noise["W_E"], drawn(weights, 3, 1)["W_E"])
    assert not torch.equal(noise["W_E"], drawn(weights, 3, 2)["W_E"])


def test_the_loss_is_taken_on_the_training_inputs_or_on_all_where_nobody_knows_them():
    snapshot = bowl()
    parts = probe_losses(snapshot.probe, lambda: snapshot.model)
    assert {name: len(part.examples) for name, part in parts.items()} == {"train": 15, "test": 10}
    unknown = probe_losses(replace(snapshot.probe, train=None), lambda: snapshot.model)
    assert {name: len(part.sample(15, 0).examples) for name, part in unknown.items()} == {"all": 7}


def test_points_between_and_beyond_weights():
    one, two = {"w": torch.ones(2)}, {"w": torch.full((2,), 3.0)}
    assert mix(one, two, 0.25)["w"].tolist() == [1.5, 1.5]
    assert add(one, two, -1.0)["w"].tolist() == [-2, -2]


class Paper(Model):
    roles, sites = {}, frozenset({"logits"})

    def __init__(self, forward):
        self.forward = forward

    def run(self, weights, inputs, sites, *, hooks=()):
        raise NotImplementedError

    def answers(self, weights, inputs, sites, *, channels=None):
        return {"logits": self.forward(weights, inputs)[0]}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_models_are_as_flat_as_was_measured(calibration, paper_forward, name):
    model = calibration(name)
    known = model.known["curvature_train_loss"]
    options = PerturbationOptions(
        directions=16, relative=(0.01, 0.03, 0.1), filter=(), isotropic=(0.5, 1.0, 2.0), entries=None
    )
    losses = probe_losses(model.shown["probe"], lambda: Paper(paper_forward))
    shown = model.shown | {"activations": {}, "losses": losses}
    with torch.no_grad():
        outputs = perturbation(Snapshot(options=options, **shown))
    assert float(outputs["loss"]) == pytest.approx(known["base_train_loss"], rel=1e-6)
    for kind, theirs in (
        ("relative", "perturbation_per_tensor_relative"),
        ("isotropic", "perturbation_absolute_L2_radius"),
    ):
        for i, radius in enumerate(outputs[f"{kind}/radius"]):
            measured = known[theirs][f"{radius:g}"]
            error = np.hypot(outputs[f"{kind}/sem"][i], measured["sem"])
            assert abs(outputs[f"{kind}/mean"][i] - measured["mean_delta"]) < 4 * error, (kind, radius)


def course(points, model=None):
    snapshot = bowl()
    return Trajectory(
        variant=snapshot.variant,
        steps=10 * np.arange(len(points)),
        options=PLANE.options(points=5),
        probe=snapshot.probe,
        weights={"W_E": lambda: torch.from_numpy(points).reshape(-1, 3, 4).float()},
        losses=probe_losses(snapshot.probe, lambda: model or snapshot.model),
    )


def test_the_plane_holds_a_path_of_two_dimensions_and_the_loss_above_it():
    random = np.random.default_rng(0)
    corners = random.standard_normal((2, 12))
    path = random.standard_normal((6, 2)) @ corners
    outputs = plane(course(path))
    assert outputs["explained"].sum() == pytest.approx(1)
    assert outputs["off"] == pytest.approx(np.zeros(6), abs=1e-2)
    assert outputs["loss"].shape == (5, 5)
    centre = path.mean(axis=0)
    _, _, v = np.linalg.svd(path - centre, full_matrices=False)
    signs = np.sign((v[:2] @ (path - centre).T)[:, -1] - (v[:2] @ (path - centre).T)[:, 0])
    at = centre + outputs["x"][1] * signs[0] * v[0] + outputs["y"][3] * signs[1] * v[1]
    expected = 0.1 + (CURVATURE["W_E"].numpy().ravel() * at**2).sum() / 2
    assert outputs["loss"][3, 1] == pytest.approx(expected, rel=1e-4)


def test_a_line_and_two_checkpoints_make_no_plane():
    with pytest.raises(DoesNotApply, match="a plane needs 3 checkpoints, and it has 2"):
        plane(course(np.eye(2, 12)))
    with pytest.raises(DoesNotApply, match="its weights move along a line, not in a plane"):
        plane(course(np.arange(5.0)[:, None] * np.ones(12)))


def test_accuracy_is_counted():
    snapshot = bowl()
    loss = probe_losses(replace(snapshot.probe, train=None), lambda: snapshot.model)["all"]
    assert loss({role: 0 * w for role, w in snapshot.weights.items()})["accuracy"] == 1.0
    assert loss({role: 9 * w for role, w in snapshot.weights.items()})["accuracy"] == 0.0
