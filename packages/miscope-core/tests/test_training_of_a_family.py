"""A family's training has fields of its own: they are chosen, named, stored, listed and told apart like core's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, final

import pytest
import torch
from pydantic import Field, model_validator

from miscope.basis import Basis
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.checking import check_request
from miscope.errors import BadValue, UnknownName
from miscope.family import make_variant
from miscope.field_docs import documented
from miscope.figures.differences import labels
from miscope.inventory import look_up
from miscope.task import Task
from miscope.testing import check_family, tables
from miscope.testing.toy import ToyFamily, ToyVariation
from miscope.train_options import TrainOptions
from miscope.train_request import train_request
from miscope.training.estimate import estimate
from miscope.training_config import TrainingConfig
from miscope.variant import Variant, digest_of

Run = Callable[..., tuple[int, str, str]]


@documented
class ScaledTraining(TrainingConfig):
    """A training that begins with larger or smaller weights."""

    scale: Annotated[float, Field(gt=0, json_schema_extra={"slug": "scale"})] = 1.0
    """Of the first weights."""
    told: Annotated[str, Field(json_schema_extra={"identity": False})] = ""
    """A word for the record, which decides nothing."""


@final
class Scaled(ToyVariation):
    """The toy with weights of another size at first."""

    name = "toy.scaled"
    title = "Toy: first weights of another size"
    training_config = ScaledTraining

    def training(self, params: Any) -> ScaledTraining:
        return ScaledTraining(steps=4, train_fraction=0.6, checkpoints="every:2")  # pyright: ignore[reportArgumentType]

    def task(self, variant: Variant) -> Task:
        task, training = ToyFamily().task(variant), variant.training
        assert isinstance(training, ScaledTraining)
        scale = training.scale
        return replace(task, initial_weights=lambda: {n: scale * w for n, w in task.initial_weights().items()})

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


class LengthyTraining(TrainingConfig):
    """A training of four updates or more, unless it is said that fewer are meant."""

    short: Annotated[bool, Field(json_schema_extra={"identity": False})] = False
    """Whether they are."""

    @model_validator(mode="after")
    def _long_enough(self) -> LengthyTraining:
        if self.steps < 4 and not self.short:
            raise ValueError(f"{self.steps} updates are too few, unless short=true")
        return self


@final
class Lengthy(ToyVariation):
    """The toy, trained for some time."""

    name = "toy.lengthy"
    title = "Toy: trained for some time"
    training_config = LengthyTraining

    def training(self, params: Any) -> LengthyTraining:
        return LengthyTraining(steps=6, train_fraction=0.6, checkpoints="every:2")  # pyright: ignore[reportArgumentType]

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


@pytest.fixture
def lengthy(tmp_path: Path) -> BoundVariant:
    return open_bound(tmp_path / "workspace", tables(Lengthy())).variant("toy.lengthy")


TOO_FEW = "toy.lengthy refuses these values: 2 updates are too few, unless short=true."


def test_a_length_that_the_family_refuses_is_refused_whoever_says_it(lengthy: BoundVariant, tmp_path: Path):
    place = lengthy.workspace.value
    losses = tmp_path / "losses.json"
    losses.write_text(json.dumps({"train_losses": [3.0, 2.0, 1.0], "test_losses": [3.0, 2.0, 1.0]}))
    request = train_request(lengthy.value, TrainOptions(steps=2))
    for asked in (
        lambda: lengthy.train(steps=2),
        lambda: estimate(place, lengthy.value, steps=2),
        lambda: check_request(place, request),
        lambda: lengthy.workspace.adopt(metrics=losses, family="toy.lengthy"),
    ):
        with pytest.raises(BadValue) as refused:
            asked()
        assert str(refused.value).splitlines()[0] == TOO_FEW
    assert place.names() == []


def test_a_length_that_is_meant_is_trained_and_can_be_opened(lengthy: BoundVariant):
    list(lengthy.train(steps=4, threads=1))
    found = lengthy.workspace.find(lengthy.name)
    assert found.value.training is not None
    assert found.value.training.steps == 4
    assert found.steps == [0, 2, 4]


def test_what_is_trained_further_than_is_asked_says_how_it_was_trained(lengthy: BoundVariant):
    list(lengthy.train(steps=4, threads=1))
    fewer = lengthy.workspace.variant("toy.lengthy", steps=2, short=True)
    (told,) = fewer.train(threads=1)
    assert told.message == (
        f"{lengthy.name} is already trained to step 4; nothing to do. It was trained with short=false: "
        "to have it otherwise, train it under a label (--as NAME) or delete it first."
    )


@pytest.fixture
def place(tmp_path: Path) -> BoundWorkspace:
    return open_bound(tmp_path / "workspace", tables(Scaled()))


def test_a_family_with_a_training_of_its_own_keeps_the_contract():
    check_family(Scaled())


def test_its_field_decides_the_weights_and_so_slug_and_digest(place: BoundWorkspace):
    plain, doubled = place.variant("toy.scaled"), place.variant("toy.scaled", scale=2.0)
    for variant in (plain, doubled):
        list(variant.train(threads=1))
    first, second = (variant.at(0).checkpoint.weights["W_E"] for variant in (plain, doubled))
    assert torch.equal(2 * first, second)
    assert (plain.value.slug, doubled.value.slug) == ("v5-seed0-width16", "v5-seed0-width16-scale2")
    assert plain.value.digest != doubled.value.digest
    assert labels([plain.value, doubled.value]) == ["scale=1", "scale=2"]


def test_a_field_that_only_records_changes_neither(place: BoundWorkspace):
    noted, plain = place.variant("toy.scaled", told="again"), place.variant("toy.scaled")
    assert (noted.value.slug, noted.value.digest) == (plain.value.slug, plain.value.digest)


def test_what_is_stored_is_read_back_with_it(place: BoundWorkspace):
    variant = place.variant("toy.scaled", scale=0.5, told="once")
    list(variant.train(threads=1))
    reopened = place.find(variant.name).value
    assert reopened == variant.value
    assert isinstance(reopened.training, ScaledTraining)
    assert (reopened.training.scale, reopened.training.told) == (0.5, "once")
    record = look_up(place.store, place.plugins, variant.name).record
    assert record is not None
    assert record.training is not None
    assert record.training["scale"] == 0.5
    with pytest.raises(BadValue, match=r"It has scale=0\.5; this one has scale=3\.0\."):
        place.store.refuse_another(replace(make_variant(Scaled(), {}, {"scale": 3.0}), stored_as=reopened.slug))


def test_the_digests_from_before_the_field_was_added_stay():
    before = TrainingConfig(steps=4, train_fraction=0.6)
    identity = before.identity_of(before.model_dump(mode="json"))
    old = digest_of("toy.scaled", Scaled.params().model_dump(mode="json"), identity, None)
    assert make_variant(Scaled(), {}).digest == old


def test_the_command_line_sets_lists_and_explains_it(
    command: Run, offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    hook = "\nfrom miscope import hookimpl\n\n\n@hookimpl\ndef miscope_families():\n    return (Scaled(),)\n"
    (tmp_path / "scaled_toy.py").write_text(Path(__file__).read_text() + hook)
    monkeypatch.syspath_prepend(tmp_path)
    offer("scaled", "scaled_toy")
    _, out, _ = command("families", "toy.scaled")
    assert "  scale=1.0  Of the first weights.\n" in out
    listed = json.loads(command("families", "toy.scaled", "--json")[1])
    assert listed["training_help"]["scale"] == "Of the first weights."
    code, _, _ = command("-w", str(tmp_path), "train", "toy.scaled", "--set", "scale=4", "--device", "cpu")
    assert code == 0
    assert [path.name for path in tmp_path.glob("variants/toy.scaled/*")] == ["v5-seed0-width16-scale4"]
    code, _, err = command("-w", str(tmp_path), "train", "toy.scaled", "--set", "scale=-1")
    assert (code, err) == (
        1,
        "toy.scaled refuses scale=-1: it must be more than 0.\n"
        "'scale' is a number above 0, by default 1.0.\n"
        "Change it and try again; nothing was written.\n",
    )


def test_a_configuration_of_a_foreign_file_says_it(place: BoundWorkspace, tmp_path: Path):
    state = ToyFamily().task(make_variant(ToyFamily(), {})).initial_weights()
    for name, config in (("said", {"scale": 3.0}), ("silent", {"seed": 1})):
        torch.save({"model": state, "step": 10, "config": config}, tmp_path / f"{name}.pth")
    (said,) = place.adopt(tmp_path / "said.pth", family="toy.scaled")
    (silent,) = place.adopt(tmp_path / "silent.pth", family="toy.scaled")
    assert said.value.slug.endswith("-scale3")
    assumed: Any = [place.store.variant_record(each.name).facts["assumed"] for each in (said, silent)]
    assert "scale" not in assumed[0]
    assert assumed[1]["scale"] == 1.0
    assert "lr_schedule" not in assumed[1], "what training had no choice of before is not worth a word"


def test_a_field_of_another_family_is_unknown(place: BoundWorkspace):
    with pytest.raises(UnknownName) as raised:
        place.variant("toy.sum", scale=2.0)
    assert "'scale'" in str(raised.value)


def test_a_family_that_does_not_say_its_kind_of_training_is_told_to():
    @final
    class Silent(ToyVariation):
        name = "toy.silent"
        title = "Toy: says nothing of its training"

        def training(self, params: Any) -> ScaledTraining:
            return ScaledTraining()

        def bases(self, params: Any) -> Mapping[str, Basis]:
            return {}

    with pytest.raises(BadValue) as raised:
        make_variant(Silent(), {})
    assert str(raised.value) == (
        "The training of toy.silent is a ScaledTraining.\n"
        "The family says that it is a TrainingConfig: its fields are read before a variant is made.\n"
        "Write `training_config = ScaledTraining` in the class of the family."
    )
    assert tables(Silent()).families["toy.silent"].training_config is TrainingConfig
