"""Checkpoints that are no files of the workspace: brought by the family, step by step, when they are looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope.analyzer import Analyzer, Grain
from miscope.bound import BoundWorkspace, open_bound
from miscope.checkpoint_source import CheckpointSource
from miscope.errors import BadValue, NoCheckpoint
from miscope.needs import Needs
from miscope.testing import tables
from miscope.testing.toy import ToyFamily, ToyVariation
from miscope.variant import Variant

STEPS = (0, 100, 250)


@final
class Revisions(CheckpointSource):
    """Weights by a formula, as a hub has them by revision; remembers what was asked for."""

    asked: ClassVar[list[tuple[int, tuple[str, ...] | None]]] = []

    def __init__(self, variant: Variant) -> None:
        self._params = variant.params

    def steps(self) -> Sequence[int]:
        return STEPS

    def load(self, step: int, roles: Collection[str] | None) -> Mapping[str, Tensor]:
        self.asked.append((step, None if roles is None else tuple(sorted(roles))))
        known = ToyFamily().model(self._params).roles
        wanted = known if roles is None else roles
        return {name: torch.full(known[name].shape, 0.01 * (1 + step)) for name in wanted}


@final
class Hub(ToyVariation):
    name, title = "toy.hub", "Toys whose checkpoints come from elsewhere"

    def training(self, params: Any) -> Any:
        return None

    def task(self, variant: Variant) -> Any:
        return None

    def probes(self, variant: Variant) -> Any:
        from miscope.family import make_variant

        return ToyFamily().probes(make_variant(ToyFamily(), variant.params.model_dump()))

    def bases(self, params: Any) -> dict[str, Any]:
        return {}

    def checkpoints(self, variant: Variant) -> CheckpointSource:
        return Revisions(variant)


NORM = Analyzer(
    name="t.norm",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=lambda snapshot: {"norm": np.array(float(snapshot.weights["W_E"].norm()))},
    needs=Needs(weights=("W_E",)),
)


@pytest.fixture
def place(tmp_path: Path) -> BoundWorkspace:
    Revisions.asked.clear()
    return open_bound(tmp_path, tables(Hub(), NORM))


def test_its_steps_are_known_and_nothing_is_brought_or_written(place: BoundWorkspace) -> None:
    variant = place.variant("toy.hub")
    assert variant.steps == list(STEPS)
    assert Revisions.asked == []
    assert list(place.root.iterdir()) == []


def test_instruments_look_at_every_step_and_only_at_the_weights_they_need(place: BoundWorkspace) -> None:
    variant = place.variant("toy.hub")
    assert {str(one.state) for one in variant.analyze("t.norm")} == {"saved"}
    assert Revisions.asked == [(step, ("W_E",)) for step in STEPS]
    norms = variant.arrays("t.norm")
    assert norms["step"].tolist() == list(STEPS)
    assert norms["norm"] == pytest.approx([0.01 * (1 + step) * 40**0.5 for step in STEPS])
    assert not place.store.layout.checkpoints(variant.name).exists()


def test_a_variant_of_distant_checkpoints_is_found_again_where_something_was_made_of_it(place: BoundWorkspace) -> None:
    variant = place.variant("toy.hub")
    list(variant.analyze("parameters.norms"))
    again = open_bound(place.root, tables(Hub()))
    (reopened,) = again.variants()
    assert reopened.name == variant.name
    assert reopened.steps == list(STEPS)
    assert float(reopened.at(100).checkpoint.weights["W_U"][0, 0]) == pytest.approx(1.01)
    assert again.store.variant_record(reopened.name).facts["origin"] == "kept elsewhere"
    assert {str(one.state) for one in reopened.analyze("parameters.norms")} == {"present"}


def test_without_a_task_the_loss_around_its_weights_is_of_the_probes_right_answers(place: BoundWorkspace) -> None:
    variant = place.variant("toy.hub")
    (outcome,) = variant.analyze("flatness.perturbation", steps=[100])
    assert str(outcome.state) == "saved", outcome.error
    # All weights alike give all answers the same logit.
    assert float(variant.arrays("flatness.perturbation", 100)["loss"]) == pytest.approx(np.log(5))


def test_a_step_that_is_not_there_is_refused_with_those_there_are(place: BoundWorkspace) -> None:
    variant = place.variant("toy.hub")
    with pytest.raises(NoCheckpoint) as refused:
        place.store.load_checkpoint(variant.name, 50)
    assert "0, 100, 250" in str(refused.value)


def test_a_variant_of_distant_checkpoints_cannot_be_trained(place: BoundWorkspace) -> None:
    with pytest.raises(BadValue, match="cannot be trained"):
        list(place.variant("toy.hub").train())
