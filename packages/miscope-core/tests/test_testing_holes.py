"""What the test kit tells of a family or an analyzer that would be misread, or would fail, later and elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from miscope import Analyzer, Grain, HookedModel, Needs, Snapshot, Trajectory, Variant
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.family import Family
from miscope.probe import Probe
from miscope.testing import ToyFourierFamily, check_analyzer, check_family
from miscope.testing.toy import ToyVariation


def largest(snapshot: Snapshot) -> Arrays:
    """Largest entry of each weight."""
    return {name: np.asarray(float(tensor.max())) for name, tensor in snapshot.weights.items()}


GOOD = Analyzer(
    name="check.largest",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=largest,
    needs=Needs(weights=("W_E",)),
    not_invariant_to=("residual rotation",),
    outputs={"W_E": "() its largest entry"},
)


class Delegating(ToyVariation):
    """The toy, of which a test changes one part."""

    name, title = "check.toy", "A toy"

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


def sentence_of(told: pytest.ExceptionInfo[AssertionError]) -> str:
    """The sentence, without what pytest adds of the values compared."""
    return str(told.value).partition("\nassert ")[0]


def growing(snapshot: Snapshot) -> Arrays:
    """An array that is longer at every step."""
    return {"W_E": np.zeros(snapshot.step + 1)}


def nested(snapshot: Snapshot) -> Arrays:
    """A name that leads out of its folder."""
    return {"../../x": np.zeros(1)}


def of_pairs(trajectory: Trajectory) -> Arrays:
    """Needs two checkpoints, and does not say so."""
    return {"W_E": np.diff(trajectory.steps)[0] + np.zeros(1)}


OVER_TRAINING = replace(GOOD, grain=Grain.TRAJECTORY, compute=of_pairs, outputs={"W_E": "(1,) the first gap"})


@pytest.mark.parametrize(
    ("analyzer", "sentence"),
    [
        (
            replace(GOOD, compute=growing, outputs={"W_E": "(n,) zeros"}),
            "check.largest: 'W_E' is (1,) at step 0 and (31,) later; arrays are stacked over the steps, so return one "
            "shape at every checkpoint",
        ),
        (
            replace(GOOD, outputs={"W_E": "(2,) its largest entry"}),
            "check.largest: 'W_E' is documented as (2,), and is ()",
        ),
        (
            replace(GOOD, compute=nested, outputs={"*": "(1,) anything"}),
            "check.largest: '../../x' cannot be the name of an array; no part between / may be dots alone",
        ),
        (
            OVER_TRAINING,
            "check.largest fails where there is the checkpoint of step 0 alone: IndexError: index 0 is out of bounds "
            "for axis 0 with size 0.\nRaise DoesNotApply for what cannot be looked at.",
        ),
        (
            replace(GOOD, compute=lambda snapshot: largest(snapshot)),
            "check.largest: its function needs a docstring, whose first line is its summary",
        ),
        (
            replace(GOOD, needs=Needs(weights="W_E")),  # pyright: ignore[reportArgumentType]
            "the analyzer 'check.largest': its `weights` is the text 'W_E', of which every letter would be a name; "
            "write ('W_E',)",
        ),
    ],
    ids=["shape", "documented", "name", "alone", "docstring", "text"],
)
def test_what_would_fail_later_is_told_now(analyzer: Analyzer, sentence: str) -> None:
    with pytest.raises(AssertionError) as told:
        check_analyzer(analyzer)
    assert sentence_of(told) == sentence


class Probed(Delegating):
    """The toy, with a probe that a test changes."""

    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        probe = super().probes(variant)["grid"]
        made = {name: change(probe) for name, change in self._changes.items()}
        return {"grid": replace(probe, **made)}


class Unprobed(Delegating):
    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        return {}


class Based(Delegating):
    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {"tokens": ToyFourierFamily().bases(params)["token"]}


class Rebuilt(Delegating):
    """The toy, whose model has other names."""

    def __init__(self, sites: Mapping[str, str], axes: Mapping[str, tuple[str, ...]]) -> None:
        self._sites, self._axes = sites, axes

    def model(self, params: Any) -> HookedModel:
        whole = super().model(params)
        net = dict(whole.module.named_children())
        own = {"hook_embed": "hook_embed", "blocks.0.mlp.hook_pre": "hook_pre", "blocks.0.mlp.hook_post": "hook_post"}
        return HookedModel(
            whole.module,
            roles=[replace(role, axes=self._axes.get(role.name, role.axes)) for role in whole.roles.values()],
            sites={self._sites.get(site, site): net[module] for site, module in own.items()},
            place=lambda weights: {name.rpartition(".")[2]: tensor for name, tensor in weights.items()},
        )


PRE, POST = "blocks.0.mlp.hook_pre", "blocks.0.mlp.hook_post"


@pytest.mark.parametrize(
    ("family", "sentence"),
    [
        (Unprobed(), "check.toy: it has no probe; `probes` must give one input set at least"),
        (
            Probed(labels=lambda probe: probe.labels.int()),
            "check.toy: labels of the probe 'grid' are torch.int32; they must be torch.int64",
        ),
        (
            Probed(labels=lambda probe: probe.labels.roll(1), symmetries=lambda probe: {}),
            "check.toy: the probe 'grid' says the answer to its input 0 is 3, the task 0",
        ),
        (
            Probed(symmetries=lambda probe: {"shift": np.roll(np.arange(25), 1)}),
            "check.toy: the symmetry 'shift' sends inputs of one right answer to inputs of several; a symmetry of the "
            "task keeps the answers, or renames them",
        ),
        (
            Probed(grid=lambda probe: ("a", "c")),
            "check.toy: the grid of the probe 'grid' names 'c', and its columns are a, b, sum",
        ),
        (
            Based(),
            "check.toy: the basis under 'tokens' belongs to nothing: the columns are a, b, sum, the axes token, "
            "d_model, d_mlp, vocab_out",
        ),
        (
            Rebuilt({POST: "blocks.0.mlp.hook_pst"}, {}),
            "check.toy: the site 'blocks.0.mlp.hook_pst' is almost 'blocks.N.mlp.hook_post', as TransformerLens calls "
            "it; instruments find a site by that name",
        ),
        (
            Rebuilt({PRE: POST, POST: PRE}, {}),
            f"check.toy: what replaces {POST!r} changes {PRE!r}, which comes before it; are the two swapped?",
        ),
        (
            Rebuilt({}, {"blocks.0.mlp.W_in": ("d_mlp", "d_model")}),
            "check.toy: the axis 'd_model' has 8 entries in W_E and 16 in blocks.0.mlp.W_in; an axis is what is "
            "counted along it, so give two things two names",
        ),
        (
            Rebuilt({}, {"W_U": ("d_model", "letters")}),
            "check.toy: the axes of W_U are ('d_model', 'letters'); its last should be 'vocab_out', in the "
            "orientation of TransformerLens",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_a_family_that_instruments_would_misread_is_told_where(family: Family, sentence: str) -> None:
    with pytest.raises(AssertionError) as told:
        check_family(family)
    assert sentence_of(told) == sentence


def test_an_inverted_train_mask_is_noticed() -> None:
    with pytest.raises(AssertionError) as told:
        check_family(Probed(train=lambda probe: ~probe.train))
    assert sentence_of(told).endswith("trained on, and the task says the opposite; is it inverted?")
