"""What the demo and the paper's run say and draw; both themselves are run by `make demo` and `make paper`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from miscope.analyzer import Grain
from miscope.bound import BoundVariant, open_bound
from miscope.needs import Needs
from miscope.testing import tables
from miscope.view import View, ViewData
from miscope_modadd import demo, paper
from miscope_modadd.demo import DEMO, FAMILY, first_above
from miscope_modadd.drawing import Picture, draw
from miscope_modadd.nanda2023 import Nanda2023Family
from miscope_modadd.transformer import TransformerFamily


def dots(shown: ViewData) -> Any:
    """The training losses as dots."""
    import plotly.graph_objects as go

    series = shown.metrics["train_loss"]
    return go.Figure(go.Scatter(x=series.steps, y=series.values, name="train"))


VIEW = View(name="dots.losses", title="Dots", grain=Grain.TRAJECTORY, draw=dots, needs=Needs(metrics=("train_loss",)))


@pytest.fixture
def small(tmp_path: Path) -> BoundVariant:
    variant = open_bound(tmp_path, tables(TransformerFamily(), VIEW)).variant(FAMILY, prime=5, steps=40)
    list(variant.train(threads=1))
    return variant


def test_the_demo_asks_for_what_its_family_takes(tmp_path: Path) -> None:
    variant = open_bound(tmp_path, tables(TransformerFamily())).variant(FAMILY, **DEMO)
    assert variant.value.slug == "p59-seed0-dseed598-wd2-frac0.45"


def test_the_first_step_that_reaches_a_level(small: BoundVariant) -> None:
    steps, values = small.metric("train_accuracy")
    reached = first_above(small, "train_accuracy", 0.99)
    assert values[steps == reached] >= 0.99
    assert (values[steps < reached] < 0.99).all()
    assert first_above(small, "train_accuracy", 1.5) is None


def test_the_story_writes_per_cent_in_one_way(small: BoundVariant, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, values = small.metric("test_accuracy")
    monkeypatch.setattr(demo, "first_above", lambda *of: steps[-1])
    told = demo._story(small).splitlines()[1]  # pyright: ignore[reportPrivateUsage]
    assert told == (
        f"At epoch {steps[-1]} it answered 99 % of the training pairs, and {100 * values[-1]:.0f} % of the others."
    )


def test_pictures_become_pages_where_there_is_no_browser(
    small: BoundVariant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    paths = list(draw(small, [Picture("dots.losses")], tmp_path / "figures", prefix="demo-"))
    assert paths == [tmp_path / "figures" / "demo-dots-losses.html"]
    assert "Plotly.newPlot" in paths[0].read_text()


def test_the_demo_is_a_command(command: Any) -> None:
    code, out, _ = command("demo", "--help")
    assert code == 0
    assert "--no-serve" in out


def test_the_paper_run_reports_its_frequencies_and_events(tmp_path: Path) -> None:
    variant = open_bound(tmp_path, tables(Nanda2023Family())).variant("modadd.nanda2023", prime=7, steps=20)
    list(variant.train(threads=1))
    variant.analyze("neurons.frequencies")
    keys = paper.key_frequencies(variant)
    assert set(keys) <= {1, 2, 3}
    first, *rest = paper.report(variant)
    assert first == f"key frequencies {', '.join(map(str, keys))}: the paper's are (14, 35, 41, 42, 52)"
    assert rest[-1] == "test accuracy first 1: not yet"


def test_a_loss_settles_where_it_stays_below() -> None:
    steps, losses = np.array([0, 10, 20, 30]), np.array([2.0, 0.5, 1.5, 0.5])
    assert paper._settled(steps, losses, 1.0) == 30
    assert paper._settled(steps, losses, 0.1) is None
    assert paper._settled(steps, losses, 3.0) == 0
