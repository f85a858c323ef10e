"""The checks of the test kit: they pass what keeps the contract, and say what is wrong with what does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope import (
    Analyzer,
    Choice,
    Grain,
    HookedModel,
    Needs,
    NoOptions,
    Shortcut,
    Snapshot,
    Task,
    Variant,
    View,
    ViewData,
)
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.errors import NotDeclared
from miscope.family import Family
from miscope.probe import Probe
from miscope.testing import ToyFamily, ToyFourierFamily, check_analyzer, check_family, check_view, tables, toy_snapshot
from miscope.testing.array_checks import stands_for
from miscope.testing.toy import ToyVariation


def largest(snapshot: Snapshot) -> Arrays:
    """Largest entry of each weight."""
    return {name: np.asarray(float(tensor.max())) for name, tensor in snapshot.weights.items()}


def undocumented(snapshot: Snapshot) -> Arrays:
    return largest(snapshot)


def unlike(snapshot: Snapshot) -> Arrays:
    """Another number at every call."""
    return {"W_E": np.random.default_rng().normal(size=3)}


def greedy(snapshot: Snapshot) -> Arrays:
    """Reads what it does not declare."""
    return {"W_E": snapshot.weights["W_U"].numpy()}


def careless(snapshot: Snapshot) -> Arrays:
    """Writes into what it is shown."""
    snapshot.weights["W_E"].zero_()
    return largest(snapshot)


def listing(snapshot: Snapshot) -> Any:
    """Returns a list where an array belongs."""
    return {"W_E": [1.0]}


def extra(snapshot: Snapshot) -> Arrays:
    """Returns more than it documents."""
    return {**largest(snapshot), "more": np.zeros(2)}


GOOD = Analyzer(
    name="check.largest",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=largest,
    needs=Needs(weights=("W_E",)),
    not_invariant_to=("residual rotation",),
    outputs={"W_E": "() its largest entry"},
)


def test_an_analyzer_that_keeps_the_contract_passes() -> None:
    assert check_analyzer(GOOD) == ()
    assert check_analyzer(GOOD, ToyFamily(), params={"values": 7}) == ()


def test_an_analyzer_check_reports_which_documented_outputs_were_not_returned() -> None:
    outputs = {"ROLE": "() its largest entry", "ROLE/by_head": "(head,) of each head", "SITE": "() of a site"}
    assert check_analyzer(replace(GOOD, outputs=outputs)) == ("ROLE/by_head", "SITE")


@pytest.mark.parametrize(
    ("analyzer", "sentence"),
    [
        (replace(GOOD, compute=undocumented), "check.largest: its function needs a docstring"),
        (replace(GOOD, name="Largest"), "'Largest' should read like 'namespace.instrument'"),
        (replace(GOOD, version=0), "check.largest: versions count from 1"),
        (replace(GOOD, outputs={}), "check.largest: say what it returns in `outputs`"),
        (
            replace(GOOD, compute=unlike, outputs={"W_E": "(3,) numbers"}),
            "check.largest: 'W_E' differs between two computations",
        ),
        (replace(GOOD, compute=careless), "check.largest changed what it was shown"),
        (replace(GOOD, compute=listing), "check.largest: 'W_E' is list; wrap it in np.asarray"),
        (replace(GOOD, compute=extra), "check.largest: 'more' is not in `outputs` (W_E)"),
        (
            replace(GOOD, compute=extra, outputs={"ROLE": "() of a weight", "SITE/x": "()"}),
            "check.largest: 'more' is not in `outputs` (ROLE, SITE/x)",
        ),
        (
            replace(GOOD, needs=Needs(weights=("W_Q",))),
            "check.largest has nothing to look at: toy.fourier has no weights 'W_Q'",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_analyzer_that_breaks_it_is_told_how(analyzer: Analyzer, sentence: str) -> None:
    with pytest.raises(AssertionError) as told:
        check_analyzer(analyzer)
    assert str(told.value).startswith(sentence)


def test_an_analyzer_that_reads_what_it_does_not_declare_is_refused() -> None:
    with pytest.raises(NotDeclared, match=r"'check\.largest' read the weight 'W_U' without declaring it"):
        check_analyzer(replace(GOOD, compute=greedy))


def test_a_function_of_no_module_cannot_run_elsewhere() -> None:
    def inside(snapshot: Snapshot) -> Arrays:
        """Largest."""
        return largest(snapshot)

    with pytest.raises(AssertionError) as told:
        check_analyzer(replace(GOOD, compute=inside))
    assert str(told.value).partition("\nassert ")[0] == (
        "check.largest: `compute` must be a function of a module, so that another process finds it by name"
    )


WORDS = {"ROLE": ["W_E", "blocks.0.mlp.W_in"]}


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("ROLE/power", ["W_E/power", "blocks.0.mlp.W_in/power"], ["W_E/powers", "/power", "W_E", "total/power"]),
        ("ROLE", ["W_E"], ["total", "W_E/power"]),
        ("NAME/power", ["W_E/power", "total/power"], ["/power"]),
        ("{train,test}_loss", ["train_loss", "test_loss"], ["all_loss", "_loss"]),
        ("total", ["total"], ["totals", "TOTAL"]),
    ],
)
def test_a_word_in_capitals_stands_for_its_names_or_for_any(pattern: str, names: list[str], others: list[str]) -> None:
    assert all(stands_for(pattern, WORDS).fullmatch(name) for name in names)
    assert not any(stands_for(pattern, WORDS).fullmatch(name) for name in others)


def draw(shown: ViewData, *, weight: str = "W_E") -> Any:
    """Largest entry over training."""
    import plotly.graph_objects as go

    arrays = shown.artifacts["check.largest"]
    return go.Figure(go.Scatter(x=arrays["step"], y=arrays[weight]))


def draw_nothing(shown: ViewData, *, weight: str = "W_E") -> Any:
    """An empty figure."""
    import plotly.graph_objects as go

    return go.Figure()


def draw_for_some(shown: ViewData, *, weight: str = "W_E") -> Any:
    """Draws only its default."""
    return draw(shown) if weight == "W_E" else draw_nothing(shown)


DRAWN = View(
    name="check.largest",
    title="Largest",
    grain=Grain.TRAJECTORY,
    needs=Needs(reads=("check.largest",)),
    draw=draw,
    controls=(Choice(name="weight", options=("W_E", "W_U")),),
)
LOOKED = replace(GOOD, needs=Needs(weights=("W_E", "W_U")), outputs={"ROLE": "() its largest entry"})


def test_a_view_that_draws_with_every_control_turned_passes() -> None:
    check_view(DRAWN, plugins=tables(LOOKED, DRAWN))


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        (replace(DRAWN, title=""), "the view 'check.largest': it has no `title`"),
        (replace(DRAWN, draw=draw_nothing), "check.largest draws nothing: its figure has no trace"),
        (replace(DRAWN, draw=draw_for_some), "check.largest draws nothing with {'weight': 'W_U'}"),
        (
            replace(DRAWN, controls=(Choice(name="weight", options=("W_E", "W_U"), default="W_Q"),)),
            "check.largest: the default 'W_Q' of 'weight' is not among W_E, W_U",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_view_that_breaks_the_contract_is_told_how(view: View, sentence: str) -> None:
    with pytest.raises(AssertionError) as told:
        check_view(view, plugins=tables(LOOKED, view))
    assert str(told.value).startswith(sentence)


def test_the_toys_keep_the_contract() -> None:
    check_family(ToyFamily())
    check_family(ToyFourierFamily(), {"values": 7, "width": 3})


class Delegating(ToyVariation):
    """The toy, of which a test changes one part."""

    name, title = "check.toy", "A toy"

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


class Drawn(Delegating):
    def task(self, variant: Variant) -> Task:
        task = super().task(variant)
        return replace(task, initial_weights=lambda: {n: w + torch.rand(1) for n, w in task.initial_weights().items()})


class Leaking(Delegating):
    def task(self, variant: Variant) -> Task:
        task = super().task(variant)
        return replace(task, test=task.train)


class Shortened(Delegating):
    def task(self, variant: Variant) -> Task:
        def wrong(weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
            return weights["W_E"][inputs].sum(1) @ weights["W_U"]

        return replace(super().task(variant), logits=wrong)


class Disordered(Delegating):
    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        probe = super().probes(variant)["grid"]
        return {"grid": replace(probe, grid=("b", "a"))}


class CutCorners(Delegating):
    def model(self, params: Any) -> HookedModel:
        whole = super().model(params)

        def run(weights: Any, inputs: Tensor, sites: Any, channels: Any) -> dict[str, Tensor]:
            return {name: tensor + 1e-2 for name, tensor in whole.answers(weights, inputs, sites).items()}

        sites = {n: m for n, m in whole.module.named_modules() if n.startswith("hook_embed")}
        return HookedModel(
            whole.module,
            roles=whole.roles.values(),
            sites=sites,
            place=lambda weights: {
                {"blocks.0.mlp.W_in": "W_in", "blocks.0.mlp.W_out": "W_out"}.get(n, n): w for n, w in weights.items()
            },
            shortcut=Shortcut(sites=frozenset({"hook_embed", "logits"}), run=run),
        )


@pytest.mark.parametrize(
    ("family", "sentence"),
    [
        (Drawn(), "check.toy: its first weights vary"),
        (Leaking(), "check.toy: 15 inputs are in both the training and the test set"),
        (Shortened(), "check.toy: the logits of Task.logits differs from the hooked model's by"),
        (Disordered(), "check.toy: the grid ('b', 'a') is not complete in row-major order"),
        (CutCorners(), "check.toy: "),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Family) else "",
)
def test_a_family_whose_parts_do_not_fit_is_told_which(family: Family, sentence: str) -> None:
    with pytest.raises(AssertionError) as told:
        check_family(family)
    assert str(told.value).startswith(sentence)


def test_a_moment_by_hand_holds_what_it_is_given() -> None:
    snapshot = toy_snapshot(weights={"W": torch.ones(2, 2)}, step=7, options=NoOptions())
    assert (snapshot.step, list(snapshot.weights)) == (7, ["W"])
    assert snapshot.probe.grid == ("a", "b")
