"""An intervention checked at every step, and shown beside its parent."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import miscope_modadd
import miscope_views
from miscope.analysis.analyze import analyze
from miscope.bound import BoundVariant, open_bound
from miscope.errors import DoesNotApply
from miscope.figures.render import render
from miscope.plugins.plugins import Plugins
from miscope.testing import tables
from miscope_modadd.interventions import frequency_gain


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return tables(modadd=miscope_modadd, views=miscope_views)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, plugins: Plugins) -> tuple[BoundVariant, BoundVariant]:
    """A variant, and the same with frequency 3 four times as strong from step 2 to 4; both analyzed."""
    root: Path = tmp_path_factory.mktemp("intervened")
    workspace = open_bound(root, plugins)
    given: Any = {"prime": 11, "steps": 6, "checkpoints": "every:1", "train_fraction": 0.5}
    parent = workspace.variant("modadd.transformer", **given)
    changed = frequency_gain(parent, k=3, gain=4, start=2, stop=4)
    for variant in (parent, changed):
        list(variant.train(threads=1))
        variant.analyze("spectra.embedding")
    changed.analyze("interventions.leakage")
    return parent, changed


def test_inside_its_window_it_does_what_it_says_and_outside_nothing(pair: tuple[BoundVariant, BoundVariant]) -> None:
    found = pair[1].arrays("interventions.leakage")

    assert found["step"].tolist() == list(range(7))
    assert found["active"][:, 0].tolist() == [False, False, True, True, False, False, False]
    assert found["target_ratio"][:, 0] == pytest.approx([1, 1, 4, 4, 1, 1, 1], rel=1e-10)
    assert found["leakage"].max() < 1e-10
    assert found["target_error"].max() < 1e-10
    assert found["label"][0][found["target"][0]].tolist() == ["3"]


def test_a_variant_without_one_has_nothing_to_check(pair: tuple[BoundVariant, BoundVariant]) -> None:
    (outcome,) = [o for o in analyze(pair[0].workspace.value, pair[0].value, ["interventions.leakage"], steps=[0])]
    assert outcome.error == "does not apply: it is trained without a frequency gain"


def test_the_check_is_drawn_with_its_window(pair: tuple[BoundVariant, BoundVariant]) -> None:
    figure = render(pair[1].workspace.value, "interventions.verification", pair[1].value)

    assert [trace.name for trace in figure.data] == ["3, found", "3, asked", "all others"]
    assert list(figure.data[0].y) == pytest.approx([1, 1, 4, 4, 1, 1, 1])
    (window,) = figure.layout.shapes
    assert (window.x0, window.x1) == (2, 4)


def test_an_intervention_is_compared_with_its_parent(pair: tuple[BoundVariant, BoundVariant]) -> None:
    figure = render(pair[0].workspace.value, "interventions.compare", [each.value for each in list(pair)])

    names = {trace.name for trace in figure.data}
    assert names == {"without", "gain-k3-x4-from2-to4"}
    share, loss = (
        [trace for trace in figure.data if (trace.yaxis or "y") == axis and trace.name != "without"]
        for axis in ("y2", "y")
    )
    assert len(share) == len(loss) == 1
    assert np.isfinite(share[0].y).all()
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(2, 4)]
    assert figure.layout.title.subtitle.text == "power of 3 times 4 from 2 to 4"


def test_parents_alone_are_not_compared(pair: tuple[BoundVariant, BoundVariant]) -> None:
    with pytest.raises(DoesNotApply, match="none of them is trained under a frequency gain"):
        render(pair[0].workspace.value, "interventions.compare", [each.value for each in [pair[0], pair[0]]])
