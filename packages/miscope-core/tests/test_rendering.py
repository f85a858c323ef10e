from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from miscope import (
    Analyzer,
    Arrays,
    Checkpoint,
    Choice,
    Grain,
    Needs,
    Number,
    Snapshot,
    Toggle,
    View,
    ViewData,
    hookimpl,
)
from miscope.analysis.analyze import analyze
from miscope.analysis.resolved_analysis import resolve_analysis
from miscope.bound import BoundVariant
from miscope.errors import BadValue, DoesNotApply, NoArtifact, NoCheckpoint, NotDeclared, UnknownName
from miscope.figures.render import arrays, gather, render
from miscope.snapshot import Cohort

POST = "blocks.0.mlp.hook_post"


def norm(snapshot: Snapshot) -> Arrays:
    """Norm of the embedding."""
    return {
        "norm": snapshot.weights["W_E"].norm().double().numpy(),
        "rows": snapshot.weights["W_E"].norm(dim=1).numpy(),
    }


def labelled(snapshot: Snapshot) -> Arrays:
    """Needs a column that no toy probe has."""
    return {"x": np.zeros(1)}


def draw_norm(shown: ViewData) -> go.Figure:
    """Norm over training."""
    over_time = shown.artifacts["test.norm"]
    return go.Figure(go.Scatter(x=over_time["step"], y=over_time["norm"]))


def draw_rows(shown: ViewData, *, row: int, scale: str, filled: bool) -> go.Figure:
    """Rows at a step."""
    value = shown.artifacts["test.norm"]["rows"][row]
    return go.Figure(go.Bar(y=[value]), layout={"title": f"{scale} {filled}"})


def draw_neuron(shown: ViewData, *, site: str) -> go.Figure:
    """Activations on demand."""
    assert shown.activations is not None
    return go.Figure(go.Heatmap(z=shown.activations(site, [1, 2]).numpy()))


def draw_cohort(shown: ViewData) -> go.Figure:
    """One bar a member."""
    return go.Figure(go.Bar(x=[member.label for member in shown.members], y=[1] * len(shown.members)))


def spread(cohort: Cohort) -> Arrays:
    """Names of the members."""
    return {"names": np.array([member.variant.name for member in cohort.members])}


def draw_spread(shown: ViewData) -> go.Figure:
    """What spans the members."""
    return go.Figure(go.Bar(x=shown.artifacts["test.spread"]["names"].tolist(), y=[1, 1]))


def draw_nothing(shown: ViewData) -> go.Figure:
    """Finds out for itself that there is nothing to draw."""
    raise DoesNotApply("no unit varies")


def draw_two_clocks(shown: ViewData) -> go.Figure:
    """Two subplots, of which the second has no steps."""
    traces = [go.Scatter(x=[0], y=[1]), go.Bar(x=["a"], y=[1], xaxis="x2", yaxis="y2")]
    return go.Figure(traces, layout={"meta": {"time_axes": ["x"]}})


@hookimpl
def miscope_analyzers():
    yield Analyzer(name="test.norm", version=1, grain=Grain.CHECKPOINT, compute=norm, needs=Needs(weights=("W_E",)))
    yield Analyzer(
        name="test.spread",
        version=1,
        grain=Grain.COHORT,
        compute=spread,
        needs=Needs(weights=("W_E",), columns=("a",), same_probe=True),
    )
    yield Analyzer(
        name="test.labelled", version=1, grain=Grain.CHECKPOINT, compute=labelled, needs=Needs(columns=("colour",))
    )


@hookimpl
def miscope_views():
    reads = {"needs": Needs(reads=("test.norm",))}
    yield View(name="test.norm", title="Norm", grain=Grain.TRAJECTORY, draw=draw_norm, time_axis="x", **reads)
    controls = (
        Number(name="row", default=1, maximum_from=lambda shown: len(shown.artifacts["test.norm"]["rows"]) - 1),
        Choice(name="scale", options=("linear", "log")),
        Toggle(name="filled"),
    )
    yield View(name="test.rows", title="Rows", grain=Grain.CHECKPOINT, draw=draw_rows, controls=controls, **reads)
    yield View(
        name="test.neuron",
        title="Neuron",
        grain=Grain.CHECKPOINT,
        draw=draw_neuron,
        needs=Needs(sites=("blocks.*.mlp.hook_post",)),
        controls=(Choice(name="site", options_from=lambda shown: shown.sites),),
    )
    yield View(name="test.cohort", title="Several", grain=Grain.COHORT, draw=draw_cohort)
    yield View(
        name="test.spread", title="Spread", grain=Grain.COHORT, draw=draw_spread, needs=Needs(reads=("test.spread",))
    )
    yield View(name="test.two", title="Two", grain=Grain.TRAJECTORY, draw=draw_two_clocks, time_axis="x")
    yield View(name="test.nothing", title="Nothing", grain=Grain.TRAJECTORY, draw=draw_nothing)
    yield View(name="test.cube", title="Cube", grain=Grain.CHECKPOINT, draw=draw_norm, needs=Needs(grid=3))
    yield View(
        name="test.heads", title="Heads", grain=Grain.CHECKPOINT, draw=draw_norm, needs=Needs(sites=("*.hook_pattern",))
    )
    yield View(
        name="test.labelled", title="L", grain=Grain.CHECKPOINT, draw=draw_norm, needs=Needs(reads=("test.labelled",))
    )
    yield View(name="test.metric", title="M", grain=Grain.TRAJECTORY, draw=draw_norm, needs=Needs(metrics=("*_loss",)))


@pytest.fixture
def variant(workspace: Callable[..., object]) -> BoundVariant:
    """Four checkpoints of a toy that was never really trained, with 'test.norm' at each."""
    place = workspace(test=sys.modules[__name__])
    bound = place.variant("toy.sum")  # pyright: ignore[reportAttributeAccessIssue]
    plant(bound, steps=(0, 10, 20, 30))
    return bound


def plant(bound: BoundVariant, steps: tuple[int, ...]) -> None:
    place = bound.workspace
    place.store.save_variant(bound.value)
    task = place.value.context(bound.value).task
    assert task is not None
    for step in steps:
        weights = {name: (1 + step) * tensor for name, tensor in task.initial_weights().items()}
        place.store.save_checkpoint(bound.name, Checkpoint(step=step, weights=weights))
    analysis = resolve_analysis(place.value, bound.value, ["test.norm"], steps=steps)
    for step in steps:
        arrays = norm(
            Snapshot(
                variant=bound.value, step=step, options=None, probe=analysis.probe, weights=weights_at(bound, step)
            )
        )
        place.store.save_arrays(analysis.key("test.norm", step), arrays)


def weights_at(bound: BoundVariant, step: int) -> dict[str, torch.Tensor]:
    return dict(bound.workspace.store.load_checkpoint(bound.name, step).weights)


def test_a_trajectory_view_of_a_checkpoint_analyzer_is_given_its_arrays_over_the_steps(variant: BoundVariant):
    figure = render(variant.workspace.value, "test.norm", variant.value)

    norms = [float(weights_at(variant, step)["W_E"].norm()) for step in (0, 10, 20, 30)]
    assert list(figure.data[0].x) == [0, 10, 20, 30]
    assert list(figure.data[0].y) == pytest.approx(norms)


def test_a_checkpoint_view_shows_the_last_checkpoint_unless_told(variant: BoundVariant):
    rows = [weights_at(variant, step)["W_E"].norm(dim=1)[1].item() for step in (30, 10)]

    assert render(variant.workspace.value, "test.rows", variant.value).data[0].y[0] == pytest.approx(rows[0])
    assert render(variant.workspace.value, "test.rows", variant.value, step=10).data[0].y[0] == pytest.approx(rows[1])


def test_a_figure_says_what_it_shows_and_which_axes_count_steps(variant: BoundVariant):
    meta = render(variant.workspace.value, "test.norm", variant.value).layout.meta["miscope"]

    assert meta == {
        "view": "test.norm",
        "variant": variant.name,
        "step": None,
        "time_axis": "x",
        "time_axes": ["x"],
        "step_label": "epoch",
        "heading": 0,
    }
    assert render(variant.workspace.value, "test.rows", variant.value, step=20).layout.meta["miscope"]["step"] == 20
    assert render(variant.workspace.value, "test.rows", variant.value).layout.meta["miscope"]["time_axis"] is None


def test_a_view_may_say_which_of_its_axes_count_steps(variant: BoundVariant):
    assert render(variant.workspace.value, "test.two", variant.value).layout.meta["miscope"]["time_axes"] == ["x"]


def test_a_view_without_a_title_of_its_own_gets_its_name(variant: BoundVariant):
    assert render(variant.workspace.value, "test.norm", variant.value).layout.title.text == "Norm"


def test_activations_are_those_of_the_model_at_that_step(variant: BoundVariant):
    context = variant.workspace.value.context(variant.value)
    weights = weights_at(variant, 20)
    expected = context.model.answers(weights, context.probe().inputs, [POST])[POST][:, [1, 2]]

    shown = render(variant.workspace.value, "test.neuron", variant.value, step=20).data[0].z

    np.testing.assert_allclose(np.asarray(shown), expected.numpy(), rtol=1e-6)


def test_activations_of_a_site_that_was_not_declared_are_refused(variant: BoundVariant):
    shown = gather(variant.workspace.value, "test.neuron", variant.value)
    assert shown.activations is not None

    with pytest.raises(NotDeclared, match="hook_embed"):
        shown.activations("hook_embed", None)
    with pytest.raises(NotDeclared, match=r"'test\.neuron' read the artifact 'test\.norm' without declaring it"):
        shown.artifacts["test.norm"]


def test_a_view_is_given_the_sites_it_declared_and_their_sizes(variant: BoundVariant):
    shown = gather(variant.workspace.value, "test.neuron", variant.value)

    assert shown.sites == (POST,)
    assert shown.channels == {POST: 16}


def test_a_cohort_view_tells_its_members_apart_by_what_differs(variant: BoundVariant):
    others = [variant.workspace.variant("toy.sum", seed=seed) for seed in (1, 2)]
    for other in others:
        plant(other, steps=(0, 10))

    figure = render(variant.workspace.value, "test.cohort", [each.value for each in [variant, *others]])

    assert list(figure.data[0].x) == ["seed=0", "seed=1", "seed=2"]
    assert figure.layout.meta["miscope"]["variant"] == [variant.name, *(other.name for other in others)]


def test_a_view_of_one_variant_refuses_several(variant: BoundVariant):
    with pytest.raises(BadValue) as error:
        render(variant.workspace.value, "test.norm", [variant.value, variant.value])
    assert str(error.value) == (
        "'test.norm' cannot be drawn for 2 variants.\n"
        "It is of trajectory grain and shows one variant.\n"
        "Draw one at a time, or use a view that compares."
    )


def test_an_unknown_view_is_refused_with_a_suggestion(variant: BoundVariant):
    with pytest.raises(UnknownName, match=r"Did you mean 'test\.norm'\?"):
        render(variant.workspace.value, "test.nrom", variant.value)


def test_a_missing_artifact_is_named_with_the_command_that_makes_it(variant: BoundVariant):
    other = variant.workspace.variant("toy.sum", seed=7)
    plant(other, steps=(0,))
    weights = weights_at(other, 0)
    other.workspace.store.save_checkpoint(other.name, Checkpoint(step=5, weights=weights))

    with pytest.raises(NoArtifact) as error:
        render(other.workspace.value, "test.rows", other.value, step=5)
    assert str(error.value) == (
        "No 'test.norm' for toy.sum/v5-seed7-width16 at step 5.\n"
        "It exists at one other step, 0.\n"
        f"To compute it:  miscope analyze toy.sum/v5-seed7-width16 --only test.norm --workspace {other.workspace.root}"
    )
    with pytest.raises(BadValue, match=r"^'test.rows' has no control named 'inputs'"):
        render(other.workspace.value, "test.rows", other.value, step=5, inputs=64)


def test_a_step_without_a_checkpoint_is_refused_with_the_nearest(variant: BoundVariant):
    with pytest.raises(NoCheckpoint, match="nearest: 0, 10, 20"):
        render(variant.workspace.value, "test.rows", variant.value, step=12)


def test_a_variant_that_was_never_trained_has_nothing_to_show(variant: BoundVariant):
    with pytest.raises(NoCheckpoint, match="has no checkpoints"):
        render(variant.workspace.value, "test.norm", variant.workspace.variant("toy.sum", seed=3).value)


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        ("test.cube", "it needs a probe that enumerates 3 factors, and 'grid' has 2"),
        ("test.heads", "toy.sum has no site '*.hook_pattern'"),
        ("test.labelled", "the probe 'grid' of toy.sum has no column 'colour'"),
        ("test.metric", "no metric like '*_loss' was recorded"),
        ("test.nothing", "no unit varies"),
    ],
)
def test_what_the_family_lacks_is_no_missing_artifact(variant: BoundVariant, view: str, reason: str):
    with pytest.raises(DoesNotApply) as error:
        render(variant.workspace.value, view, variant.value)
    assert error.value.reason == reason
    kind = "analyzers" if view == "test.labelled" else "views"
    assert str(error.value) == (
        f"{view!r} does not apply to {variant.name}: {reason}.\n"
        "Computing cannot bring it: the instrument needs something that the variant or its family does not have.\n"
        f"`miscope {kind} {view}` says what it needs."
    )


def test_arrays_are_given_at_a_step_or_over_training(variant: BoundVariant):
    at = arrays(variant.workspace.value, variant.value, "test.norm", step=10)
    over = arrays(variant.workspace.value, variant.value, "test.norm", names=["step", "norm"])

    assert at["rows"].shape == (5,)
    assert set(over) == {"step", "norm"}
    assert over["norm"][1] == at["norm"]
    with pytest.raises(UnknownName):
        arrays(variant.workspace.value, variant.value, "test.nothing")


def test_a_cohort_view_reads_what_spans_its_members_in_whatever_order_they_are_given(variant: BoundVariant):
    workspace = variant.workspace
    other = workspace.variant("toy.sum", seed=1)
    plant(other, steps=(0, 10))
    with pytest.raises(NoArtifact) as missing:
        render(workspace.value, "test.spread", [variant.value, other.value])
    assert f"miscope analyze {variant.name} {other.name} --only test.spread" in str(missing.value)
    list(analyze(workspace.value, [other.value, variant.value], ["test.spread"]))

    for members in ([variant, other], [other, variant]):
        (bars,) = render(workspace.value, "test.spread", [each.value for each in members]).data
        assert list(bars.x) == sorted([variant.name, other.name])


def test_a_cohort_view_says_why_its_members_cannot_be_compared(variant: BoundVariant):
    workspace = variant.workspace
    larger = workspace.variant("toy.sum", values=7)
    plant(larger, steps=(0, 10))
    with pytest.raises(DoesNotApply, match=r"it compares variants input by input, and .* are shown different inputs"):
        render(workspace.value, "test.spread", [variant.value, larger.value])
    with pytest.raises(DoesNotApply, match="it compares several variants, and this is one alone"):
        render(workspace.value, "test.spread", [variant.value])
