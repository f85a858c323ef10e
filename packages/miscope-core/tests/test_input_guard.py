"""What one instrument does to what it is shown reaches no other: it fails alone, and the next sees what there was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from miscope import Analyzer, Grain, Needs, Snapshot, Trajectory, View, ViewData
from miscope.analysis.input_guard import fingerprint
from miscope.artifact import Arrays
from miscope.bound import BoundWorkspace, open_bound
from miscope.errors import WroteIntoShown
from miscope.figures.render import render
from miscope.hookspecs import hookimpl
from miscope.outcome import State

Make = Callable[..., BoundWorkspace]
SITE = "blocks.0.mlp.hook_post"


def seen(snapshot: Any) -> Arrays:
    """Everything that can be seen of a checkpoint."""
    return {
        "weight": snapshot.weights["W_E"].numpy().copy(),
        "site": snapshot.activations[SITE].numpy().copy(),
        "labels": snapshot.probe.labels.numpy().copy(),
        "inputs": snapshot.probe.inputs.numpy().copy(),
        "a": snapshot.probe.columns["a"].copy(),
        "basis": snapshot.bases["token"].rows.copy(),
        "upstream": snapshot.artifacts["spoil.first"]["value"] + 0,
        "tenth": torch.tensor(0.1).numpy().astype(np.float64),
    }


def first(snapshot: Snapshot) -> Arrays:
    """An artifact that others read."""
    return {"value": np.arange(4.0)}


def by_method(snapshot: Snapshot) -> None:
    snapshot.weights["W_E"].mul_(0)


def by_view(snapshot: Snapshot) -> None:
    snapshot.weights["W_E"].T[0].add_(1)


def by_array(snapshot: Snapshot) -> None:
    snapshot.weights["W_E"].numpy()[0, 0] += 1


def by_order(snapshot: Snapshot) -> None:
    snapshot.activations[SITE].numpy().sort(axis=0)


def by_detour(snapshot: Snapshot) -> None:
    snapshot.activations[SITE].data.zero_()


def of_labels(snapshot: Snapshot) -> None:
    assert snapshot.probe.labels is not None
    snapshot.probe.labels.fill_(0)


def of_inputs(snapshot: Snapshot) -> None:
    snapshot.probe.inputs.clamp_(max=1)


def of_a_column(snapshot: Snapshot) -> None:
    snapshot.probe.columns["a"].sort()
    snapshot.probe.columns["a"][:] = 0


def of_a_basis(snapshot: Snapshot) -> None:
    snapshot.bases["token"].rows[1] *= 2


def of_a_setting(snapshot: Snapshot) -> None:
    torch.set_default_dtype(torch.float64)


def then_fails(snapshot: Snapshot) -> None:
    snapshot.weights["W_E"].zero_()
    raise ArithmeticError("it went wrong after that")


def of_an_artifact(snapshot: Snapshot) -> None:
    snapshot.artifacts["spoil.first"]["value"][0] = 7


def of_a_mapping(snapshot: Snapshot) -> None:
    snapshot.probe.columns["a"] = np.zeros(25)  # pyright: ignore[reportIndexIssue]


def plugin(write: Callable[[Snapshot], None]) -> ModuleType:
    """A plug-in whose second of three analyzers writes into what it is shown."""
    module = ModuleType("spoiling")

    def spoil(snapshot: Snapshot) -> Arrays:
        write(snapshot)
        return {"value": np.zeros(1)}

    look: dict[str, Any] = {"version": 1, "grain": Grain.CHECKPOINT}
    needs = Needs(weights=("W_E",), sites=(SITE,), bases=("token",), labels=True)
    reading = replace(needs, reads=("spoil.first",))

    @hookimpl
    def miscope_analyzers() -> tuple[Analyzer, ...]:
        return (
            Analyzer(name="spoil.first", compute=first, needs=needs, **look),
            Analyzer(name="spoil.second", compute=spoil, needs=reading, **look),
            Analyzer(name="spoil.third", compute=seen, needs=reading, **look),
        )

    module.miscope_analyzers = miscope_analyzers  # pyright: ignore[reportAttributeAccessIssue]
    return module


def by_sign(snapshot: Snapshot) -> None:
    snapshot.activations[SITE].neg_()


def by_shape(snapshot: Snapshot) -> None:
    snapshot.activations[SITE].unsqueeze_(0)


def of_the_labels_shape(snapshot: Snapshot) -> None:
    assert snapshot.probe.labels is not None
    snapshot.probe.labels.unsqueeze_(0)


def innocent(snapshot: Snapshot) -> None:
    """Copies before it writes."""
    snapshot.weights["W_E"].clone().zero_()


def outcomes(place: BoundWorkspace) -> tuple[dict[str, Any], Arrays]:
    """What became of each analyzer at the last checkpoint, and what the third saw there."""
    variant = place.variant("toy.fourier", steps=4, checkpoints="every:2")
    list(variant.train(threads=1))
    names = ["spoil.first", "spoil.second", "spoil.third"]
    analyzed = variant.analyze(*names)
    at_last = {name: one for one in analyzed for name in one.analyzers if one.step == 4}
    return at_last, dict(variant.arrays("spoil.third", 4))


@pytest.mark.parametrize(
    ("write", "what"),
    [
        (by_method, "weights 'W_E'"),
        (by_view, "weights 'W_E'"),
        (by_array, "weights 'W_E'"),
        (by_order, f"activations '{SITE}'"),
        (by_detour, f"activations '{SITE}'"),
        (by_sign, f"activations '{SITE}'"),
        (by_shape, f"activations '{SITE}'"),
        (of_the_labels_shape, "probe labels"),
        (of_labels, "probe labels, probe columns 'sum'"),
        (of_inputs, "probe inputs, probe columns 'a', probe columns 'b'"),
        (of_a_column, "probe inputs, probe columns 'a'"),
        (of_a_basis, "bases 'token'"),
        (of_a_setting, "the setting of torch's default dtype"),
    ],
)
def test_an_analyzer_that_writes_into_what_it_is_shown_fails_alone(
    workspace: Make, tmp_path: Any, write: Callable[[Snapshot], None], what: str
):
    _, expected = outcomes(open_bound(tmp_path / "clean", workspace(spoiling=plugin(innocent)).plugins))
    became, third = outcomes(workspace(spoiling=plugin(write)))
    assert became["spoil.first"].state is became["spoil.third"].state is State.SAVED
    assert became["spoil.second"].state is State.FAILED
    assert became["spoil.second"].error == (
        f"'spoil.second' changed what it was shown: {what}.\n"
        "Others are shown the same: it was put back as it was for them, and this result was not kept.\n"
        "Copy before writing: `.clone()` of a tensor, `.copy()` of an array, no `*_` methods and no `out=`."
    )
    assert all(np.array_equal(third[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (then_fails, "ArithmeticError: it went wrong after that"),
        (of_an_artifact, "ValueError: assignment destination is read-only"),
        (of_a_mapping, "TypeError: 'mappingproxy' object does not support item assignment"),
    ],
)
def test_what_cannot_be_written_or_is_written_before_a_failure_reaches_no_other(
    workspace: Make, tmp_path: Any, write: Callable[[Snapshot], None], error: str
):
    _, expected = outcomes(open_bound(tmp_path / "clean", workspace(spoiling=plugin(innocent)).plugins))
    became, third = outcomes(workspace(spoiling=plugin(write)))
    assert (became["spoil.second"].state, became["spoil.second"].error) == (State.FAILED, error)
    assert all(np.array_equal(third[name], expected[name]) for name in expected)


def flatten(trajectory: Trajectory) -> Arrays:
    """Writes into the probe, over the whole of training."""
    assert trajectory.probe.labels is not None
    trajectory.probe.labels.zero_()
    return {"value": np.zeros(1)}


def test_what_outlives_a_job_is_put_back_whatever_the_grain(workspace: Make):
    module = ModuleType("flat")
    module.miscope_analyzers = hookimpl(  # pyright: ignore[reportAttributeAccessIssue]
        lambda: (
            Analyzer(name="spoil.flat", version=1, grain=Grain.TRAJECTORY, compute=flatten, needs=Needs(labels=True)),
        )
    )
    place = workspace(flat=module)
    variant = place.variant("toy.fourier", steps=2)
    list(variant.train(threads=1))
    (outcome,) = variant.analyze("spoil.flat")
    assert outcome.error.startswith("'spoil.flat' changed what it was shown: probe labels, probe columns 'sum'.\n")
    labels = place.value.context(variant.value).probe().labels
    assert labels is not None
    assert labels.unique().tolist() == [0, 1, 2, 3, 4]


def careless(shown: ViewData) -> Any:
    """Sorts the probe's column in place."""
    import plotly.graph_objects as go

    assert shown.probe is not None
    shown.probe.columns["b"].sort()
    return go.Figure(go.Scatter(y=[1]))


def test_a_view_that_writes_into_the_probe_fails_alone(workspace: Make):
    place = workspace()
    variant = place.variant("toy.fourier", steps=2)
    list(variant.train(threads=1))
    view = View(name="a.b", title="t", grain=Grain.TRAJECTORY, draw=careless)
    with pytest.raises(WroteIntoShown, match=r"'a\.b' changed what it was shown: probe inputs, probe columns 'b'\."):
        render(place.value, view, variant.value)
    assert place.value.context(variant.value).probe().columns["b"].tolist()[:6] == [0, 1, 2, 3, 4, 0]
    assert render(place.value, replace(view, draw=drawn), variant.value)


def drawn(shown: ViewData) -> Any:
    """One point."""
    import plotly.graph_objects as go

    return go.Figure(go.Scatter(y=[1]))


@pytest.mark.parametrize(
    "value",
    [
        torch.arange(40_000.0).reshape(200, 200),
        torch.arange(40_000, dtype=torch.float64).reshape(200, 200).T,
        torch.arange(9, dtype=torch.bfloat16),
        torch.arange(30_000).bool(),
        torch.arange(5000) * (1 + 1j),
        np.arange(10),
        np.asarray(3.0),
        np.array(["a", "bc"]),
    ],
    ids=lambda value: f"{value.dtype} {tuple(value.shape)}",
)
def test_a_fingerprint_changes_with_the_order_of_the_entries(value: Any):
    tensor = isinstance(value, torch.Tensor)
    again, turned = (value.clone(), value.flip(0)) if tensor else (value.copy(), np.flip(value))
    assert fingerprint(again) == fingerprint(value)
    assert fingerprint(turned) != fingerprint(value) or value.ndim == 0


@pytest.mark.parametrize("row", [0, 77, 199])
def test_a_fingerprint_changes_with_a_single_entry_or_a_shuffle_along_an_axis(row: int):
    value = torch.rand(200, 200, generator=torch.Generator().manual_seed(row))
    one, columns, rows = value.clone(), value.clone(), value.clone()
    one[row, 199 - row] += 1e-7
    columns[row] = columns[row].sort().values
    rows[:, row] = rows[:, row].flip(0)
    assert len({fingerprint(each) for each in (value, one, columns, rows)}) == 4


@pytest.mark.parametrize("rows", [2, 64, 130])
def test_a_fingerprint_changes_with_every_sign(rows: int):
    value = torch.rand(rows, 1024, dtype=torch.float64, generator=torch.Generator().manual_seed(rows))
    assert fingerprint(-value) != fingerprint(value)
    corners = value.clone()
    corners[:2, :2] *= -1
    assert fingerprint(corners) != fingerprint(value)


def test_a_fingerprint_changes_with_the_shape():
    value = torch.rand(8, 4)
    assert len({fingerprint(each) for each in (value, value.reshape(4, 8), value[None], value.reshape(-1))}) == 4
