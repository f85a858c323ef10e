"""Weights that teach nothing, or are no numbers: instruments and views say so in words."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from torch import Tensor

import miscope_views
from miscope.bound import BoundVariant
from miscope.errors import DoesNotApply, NoArtifact
from miscope.figures.render import render
from miscope.outcome import State
from miscope.testing import ToyFourierFamily, scene, tables


def one(value: float) -> Callable[[Tensor], object]:
    return lambda weight: weight.view(-1)[:1].fill_(value)


SPOILT: dict[str, Callable[[Tensor], object]] = {
    "zeros": lambda weight: weight.zero_(),
    "constants": lambda weight: weight.fill_(0.5),
    "all but zero": lambda weight: weight.mul_(1e-30),
    "one NaN": one(float("nan")),
    "one infinity": one(float("inf")),
}
NO_NUMBER = re.compile(r"\b(nan|inf)(\b|%)", re.IGNORECASE)


@pytest.mark.parametrize("throughout", [False, True], ids=["at the last step", "throughout"])
@pytest.mark.parametrize("kind", SPOILT)
def test_odd_weights_fail_no_instrument_and_no_view_and_no_title_holds_nan(kind: str, throughout: bool):
    plugins = tables(views=miscope_views)
    with scene(ToyFourierFamily(), plugins) as place, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        variant = place.variants[0]
        spoil(variant, variant.steps if throughout else variant.steps[-1:], SPOILT[kind])

        failed = [o.error for o in variant.analyze() if o.state in (State.FAILED, State.NOT_TRIED)]
        told = {name: said for name in plugins.views for said in no_numbers(variant, name)}

    assert failed == []
    assert told == {}


def spoil(variant: BoundVariant, steps: Any, change: Callable[[Tensor], object]) -> None:
    store = variant.workspace.store
    for step in steps:
        found = store.load_checkpoint(variant.name, step)
        weights = {role: weight.clone() for role, weight in found.weights.items()}
        for weight in weights.values():
            change(weight)
        store.save_checkpoint(variant.name, replace(found, weights=weights))


def no_numbers(variant: BoundVariant, name: str) -> Iterator[str]:
    """Texts of the view's figure that hold NaN or infinity for a number; none where it refuses."""
    view = variant.workspace.plugins.views[name]
    try:
        figure = render(variant.workspace.value, view, [variant.value] if view.grain == "cohort" else variant.value)
    except (DoesNotApply, NoArtifact):
        return
    content = figure.to_plotly_json()
    content["layout"].pop("template")
    yield from (text for text in texts(content) if NO_NUMBER.search(text))


def texts(value: Any) -> Iterator[str]:
    """Every title, annotation and name in a figure."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and key in ("text", "name"):
                yield inner
            else:
                yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)
