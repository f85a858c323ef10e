from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.analyzers.geometry import CLASSES, PCA
from miscope.family import make_variant
from miscope.snapshot import Trajectory
from miscope.testing import ToyFamily, ToyFourierFamily, check_view, toy_snapshot
from miscope.testing.toy import cosines
from miscope_views import geometry

SITE = "blocks.0.hook_resid_post"
STEPS = np.array([0, 100])


@pytest.mark.parametrize("view", geometry.VIEWS, ids=lambda view: view.name)
def test_every_view_draws_a_trained_toy_without_a_basis(view):
    check_view(view, ToyFamily())


def shown(step: int | None, bases=True, width=0.0) -> ViewData:
    """Five classes on a circle, twice as wide at the later step; each so wide across it."""
    basis = {"sum": cosines(5)} if bases else {}
    at_step = []
    for size in (1.0, 2.0):
        angles = 2 * np.pi * toy_snapshot(options=None).probe.columns["sum"] / 5
        across = width * np.linspace(-1, 1, len(angles))
        circle = size * np.column_stack([np.cos(angles), np.sin(angles), across])
        snapshot = toy_snapshot(options=CLASSES.options(), activations={SITE: tensor(circle)}, bases=basis)
        at_step.append(CLASSES.compute(snapshot))
    stacked = {name: np.stack([arrays[name] for arrays in at_step]) for name in at_step[0]}
    trajectory = Trajectory(
        variant=make_variant(ToyFourierFamily(), {}),
        steps=STEPS,
        options=PCA.options(),
        probe=toy_snapshot(options=None).probe,
        artifacts={"geometry.classes": stacked},
    )
    stacked["step"] = STEPS
    now = stacked if step is None else at_step[int(step > 0)]
    return ViewData(
        variant=trajectory.variant,
        step=step,
        steps=STEPS,
        artifacts={"geometry.classes": now, "geometry.pca": PCA.compute(trajectory)},
        history={"geometry.classes": stacked},
        bases=basis,
    )


def tensor(array):
    import torch

    return torch.from_numpy(array).float()


def test_points_are_drawn_on_the_axes_that_were_chosen_and_coloured_by_the_strongest_block():
    figure = geometry.centroids(shown(100), site=SITE, axes="3-D", colour="1")

    (points,) = figure.data
    assert points.type == "scatter3d"
    assert np.allclose(np.hypot(points.x, points.y), 1, atol=1e-3)
    assert np.allclose(np.sort(points.marker.color), np.sort(np.angle(np.exp(2j * np.pi * np.arange(5) / 5))))


def test_fixed_axes_keep_their_range_and_show_the_way_behind():
    early, late = (geometry.global_path(shown(step), site=SITE, axes="1-2", colour="answer") for step in STEPS)

    assert early.layout.xaxis.range == late.layout.xaxis.range
    assert np.abs(late.data[-1].x).max() == pytest.approx(2 * np.abs(early.data[-1].x).max(), rel=1e-3)
    assert [len(early.data), len(late.data)] == [1, 2]
    assert not late.layout.annotations, "the gaps between the lines are no missing values"


def test_a_circle_is_said_to_be_round():
    figure = geometry.circles(shown(100), site=SITE, colour="own block")

    assert [note.text for note in figure.layout.annotations] == ["1: 100.0% · 1.00 · 1.00"]


def test_without_a_basis_the_fitted_circle_is_drawn():
    figure = geometry.circles(shown(100, bases=False), site=SITE, colour="own block")

    circle = figure.layout.shapes[0]
    assert (circle.x1 - circle.x0) / 2 == pytest.approx(1, rel=1e-3)
    assert figure.layout.annotations[0].text.startswith("axes 1, 2: 1.00<br>shuffled ")


def test_the_pair_hardest_to_tell_is_marked():
    figure = geometry.distances(shown(100, width=0.1), site=SITE)

    assert figure.data[0].z.shape == (5, 5)
    assert set(figure.data[1].x) <= {"0", "1", "2", "3", "4"}
    assert "hardest to tell" in figure.layout.title.subtitle.text


def test_of_classes_without_a_width_none_is_hardest_to_tell():
    figure = geometry.distances(shown(100), site=SITE)

    assert [trace.type for trace in figure.data] == ["heatmap"]
    assert figure.layout.title.subtitle.text.endswith(f"{SITE} · no two classes have a distance and a width")


def test_alignment_shows_one_pair_of_curves_for_each_strong_block():
    geometry_alignment = next(view for view in geometry.VIEWS if view.name == "geometry.alignment")
    figure = geometry_alignment.draw(shown(None), site=SITE)

    assert [trace.name for trace in figure.data] == ["1", "1"]
    assert list(figure.data[1].y) == pytest.approx([1, 1])
