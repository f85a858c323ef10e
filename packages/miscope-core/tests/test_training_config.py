"""Fields of a training: old names and digests stay, and what means nothing as things are is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from miscope.bound import BoundWorkspace
from miscope.errors import BadValue
from miscope.family import make_variant
from miscope.learning_rate import SCHEDULES
from miscope.optimizers import OPTIMIZERS
from miscope.testing.toy import ToyFamily
from miscope.training_config import TrainingConfig

Make = Callable[..., BoundWorkspace]

GAIN = "gain-k14-x2-from500-to1000"

STORED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "v5-seed0-width16", "7eaf3b2c4bd0d5f3"),
    (
        {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.5},
        "v5-seed0-width16-optsgd-momentum0.9-wd0.5",
        "eba1a860b45cf7f4",
    ),
    (
        {"no_decay": ("*.b_*",), "warmup_steps": 10, "clip_norm": 1.0, "batch_size": 32, "betas": (0.9, 0.999)},
        "v5-seed0-width16-betas0.9+0.999-nodecay.b_++b907fdec-warmup10-clip1-batch32",
        "25416c477f334966",
    ),
    (
        {"interventions": (GAIN,), "loss_dtype": "float32", "optimizer": "adam", "eps": 1e-6, "train_fraction": 0.5}
        | {"learning_rate": 3e-4},
        f"v5-seed0-width16-optadam-lr0.0003-eps1e-06-frac0.5-lossfloat32-do{GAIN}",
        "0ec5773c68972cf8",
    ),
    ({"momentum": 0.9}, "v5-seed0-width16-momentum0.9", "4b4e59fe52ecb6c1"),
]
"""Trainings, and the names and digests that they had before optimizers and schedules had fields of their own."""


@pytest.mark.parametrize(("fields", "slug", "digest"), STORED)
def test_names_and_digests_of_stored_variants_stay(fields: dict[str, Any], slug: str, digest: str):
    variant = make_variant(ToyFamily(), {}, fields)
    assert (variant.slug, variant.digest) == (slug, digest)


def identity(config: TrainingConfig) -> dict[str, object]:
    return config.identity_of(config.model_dump(mode="json"))


def test_what_a_later_field_is_by_default_is_in_no_digest_and_what_it_is_set_to_is():
    config = make_variant(ToyFamily(), {}).training
    assert config is not None
    added = {"lr_schedule": "cosine", "lr_schedule_steps": 50, "lr_min_ratio": 0.1}
    changed = config.model_copy(update=added)
    assert not {*added, "role_groups", "muon_momentum", "interventions"} & set(identity(config))
    assert set(identity(changed)) >= set(added)


def test_every_optimizer_and_every_schedule_that_can_be_chosen_is_one():
    fields = TrainingConfig.model_fields
    assert set(get_args(fields["optimizer"].annotation)) == set(OPTIMIZERS)
    assert set(get_args(fields["lr_schedule"].annotation)) == set(SCHEDULES)
    assert {field for kind in OPTIMIZERS.values() for field in kind.settings.values()} <= set(fields)


@pytest.mark.parametrize(
    ("fields", "first", "second"),
    [
        ({"momentum": 0.9}, "momentum=0.9", "sgd"),
        ({"optimizer": "sgd", "betas": "0.8,0.9"}, "betas=0.8,0.9", "adamw and adam and muon"),
        ({"optimizer": "adam", "muon_nesterov": False}, "muon_nesterov=false", "muon"),
        ({"lr_min_ratio": 0.5}, "lr_min_ratio=0.5", "the schedules linear and cosine"),
        ({"lr_schedule_steps": 9}, "lr_schedule_steps=9", "the schedules linear and cosine, or lr_decay_steps"),
    ],
)
def test_a_field_that_means_nothing_as_things_are_is_refused(workspace: Make, fields: Any, first: str, second: str):
    with pytest.raises(BadValue) as raised:
        workspace().variant("toy.sum", **fields)
    name, optimizer = first.partition("=")[0], fields.get("optimizer", "adamw")
    assert str(raised.value) == (
        f"{first} means nothing to a training with optimizer={optimizer} and lr_schedule=constant.\n"
        f"It is of {second}.\n"
        f"Leave {name} out, or choose what uses it."
    )


def test_at_its_default_it_is_not_refused_and_a_stored_variant_that_has_one_still_opens(workspace: Make):
    place = workspace()
    assert place.variant("toy.sum", momentum=0.0, lr_min_ratio=0.0).value == place.variant("toy.sum").value
    stored = make_variant(ToyFamily(), {}, {"momentum": 0.9})
    place.store.save_variant(stored)
    assert place.find(stored.name).value == stored


def test_groups_of_roles_are_typed_as_they_are_written(workspace: Make):
    place = workspace()
    typed = place.variant("toy.sum", role_groups="W_E|W_U:lr_factor=0.1:weight_decay=0,blocks.*:lr_factor=2")
    given = [{"roles": "W_E|W_U", "lr_factor": 0.1, "weight_decay": 0}, {"roles": "blocks.*", "lr_factor": 2}]
    assert typed.value == place.variant("toy.sum", role_groups=given).value
    assert typed.value.training is not None
    assert [str(group) for group in typed.value.training.role_groups] == [
        "W_E|W_U:lr_factor=0.1:weight_decay=0",
        "blocks.*:lr_factor=2",
    ]
    assert typed.value.slug.startswith("v5-seed0-width16-groupsW_EW_Ulr_factor0.1weight_decay0+blocks.lr_factor2++")
    with pytest.raises(BadValue, match=r"'W_E:fast' does not read like W_E\|W_pos:lr_factor=0\.1:weight_decay=0"):
        place.variant("toy.sum", role_groups="W_E:fast")
