"""Values that name and identify: slugs, digests, schedules, bases."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from miscope.basis import Basis, Block
from miscope.errors import BadValue, UnknownName
from miscope.family import make_variant
from miscope.probe import Probe
from miscope.recipe import digest, recipe
from miscope.schedule import Adaptive, Every, Explicit, LogSpaced, Ranges, parse_schedule, planned_steps
from miscope.testing.toy import ToyFamily, ToyFourierFamily, cosines
from miscope.training_config import TrainingConfig
from miscope.variant import check_name


def variant(params: dict[str, object] | None = None, **training: object):
    return make_variant(ToyFamily(), params or {}, training)


def test_a_slug_names_every_parameter_and_only_training_that_differs():
    assert variant().slug == "v5-seed0-width16"
    assert variant({"seed": 7}, weight_decay=0.5, learning_rate=3e-4).slug == "v5-seed7-width16-lr0.0003-wd0.5"
    assert variant(no_decay=("W_U", "W_E")).slug == "v5-seed0-width16-nodecayW_U+W_E"
    assert variant(batch_size=32, optimizer="sgd").slug == "v5-seed0-width16-optsgd-batch32"


def test_what_only_records_changes_neither_slug_nor_digest():
    longer = variant(steps=10_000, checkpoints="log:60", evaluate_every=7, save_optimizer=True)
    assert (longer.slug, longer.digest) == (variant().slug, variant().digest)


@pytest.mark.parametrize("field", TrainingConfig.identity_fields())
def test_whatever_decides_the_weights_changes_the_digest(field: str):
    other = {
        "optimizer": "adam",
        "betas": (0.8, 0.9),
        "no_decay": ("W_E",),
        "loss_dtype": "float32",
        "train_fraction": 0.5,
        "momentum": 0.5,
        "batch_size": 3,
        "warmup_steps": 3,
        "interventions": "quiet",
        "muon_nesterov": False,
        "muon_ns_steps": 3,
        "muon_adjust_lr": "match_rms_adamw",
        "muon_exclude": ("W_E",),
        "role_groups": ("W_E:lr_factor=2",),
        "lr_schedule": "cosine",
        "lr_schedule_steps": 60,
        "lr_decay_steps": 3,
    }
    room = {"lr_schedule_steps": 50} if field in ("lr_schedule", "lr_decay_steps") else {}
    assert variant(**{**room, field: other.get(field, 0.123)}).digest != variant(**room).digest


def test_families_with_equal_parameters_are_told_apart():
    assert make_variant(ToyFourierFamily(), {}).digest != variant().digest


@given(st.text(max_size=20))
def test_a_name_becomes_a_path_only_if_it_stays_in_its_folder(name: str):
    try:
        checked = check_name(name)
    except ValueError:
        return
    assert checked == name
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")
    assert ".." not in name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a..b", ".a", "a b", "a\n", "-a", "a" * 151, "é"])
def test_surprising_names_are_refused(name: str):
    with pytest.raises(ValueError, match="cannot be used in a path"):
        check_name(name)


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("every:100", Every(n=100)),
        ("log:60", LogSpaced(count=60)),
        ("0,100,500", Explicit(steps=(0, 100, 500))),
        ("7", Explicit(steps=(7,))),
        ("0-1500:100,1500-9000:500", Ranges(ranges=((0, 1500, 100), (1500, 9000, 500)))),
        ("adaptive", Adaptive()),
        ("adaptive:10-500", Adaptive(least=10, most=500)),
    ],
)
def test_a_schedule_is_read_from_its_text(text: str, schedule: object):
    assert parse_schedule(text) == schedule


@pytest.mark.parametrize("text", ["", "every", "every:0", "every:x", "log:1", "1,x", "-1", "0-5", "adaptive:9-"])
def test_text_that_is_no_schedule_is_refused(text: str):
    with pytest.raises(ValueError, match=r"invalid literal|validation error|not enough values"):
        parse_schedule(text)


@given(
    st.sampled_from(["every:3", "log:9", "0-40:5,40-90:10", "1,4,9", "adaptive"]),
    st.integers(0, 200),
)
def test_first_and_last_are_kept_and_nothing_beyond(text: str, steps: int):
    planned = planned_steps(parse_schedule(text), steps)
    assert {0, steps} <= planned
    assert all(0 <= step <= steps for step in planned)


def test_planned_steps_are_those_of_the_schedule():
    assert sorted(planned_steps(Every(n=4), 10)) == [0, 4, 8, 10]
    assert sorted(planned_steps(Ranges(ranges=((0, 4, 2), (4, 10, 3))), 8)) == [0, 2, 4, 7, 8]
    assert sorted(planned_steps(LogSpaced(count=4), 1000)) == [0, 1, 10, 100, 1000]


def test_a_probe_digest_changes_with_anything_an_instrument_can_see():
    probe = ToyFamily().probes(variant())["grid"]
    twin = ToyFamily().probes(variant())["grid"]
    assert probe.digest == twin.digest
    assert probe.train is not None
    assert probe.labels is not None
    changes: list[dict[str, object]] = [
        {"name": "other"},
        {"inputs": probe.inputs.flip(0)},
        {"inputs": probe.inputs.to(torch.int32)},
        {"labels": probe.labels + 1},
        {"labels": None},
        {"columns": {**probe.columns, "extra": probe.columns["a"]}},
        {"columns": {"a": probe.columns["b"], "b": probe.columns["a"], "sum": probe.columns["sum"]}},
        {"grid": ()},
        {"train": ~probe.train},
        {"symmetries": {}},
    ]
    digests = {dataclasses.replace(probe, **change).digest for change in changes}  # pyright: ignore[reportArgumentType]
    assert len(digests | {probe.digest}) == len(changes) + 1


def test_a_probe_knows_the_shape_of_its_grid():
    probe = Probe(name="p", inputs=torch.zeros(6, 2), columns={"a": np.repeat([0, 1], 3), "b": np.tile(range(3), 2)})
    assert dataclasses.replace(probe, grid=("a", "b")).shape == (2, 3)
    assert probe.shape == ()


@pytest.mark.parametrize("n", [3, 5, 7, 31])
def test_a_fourier_basis_is_orthonormal_and_its_blocks_hold_each_row_once(n: int):
    basis = cosines(n)
    assert basis.size == n
    assert basis.labels == tuple(str(k) for k in range(1, n // 2 + 1))


def test_a_basis_that_is_none_is_refused():
    blocks = (Block("const", (0,)), Block("1", (1, 2)))
    with pytest.raises(ValueError, match="rows of basis 'x' must be orthonormal"):
        Basis(name="x", unit="k", rows=2 * np.eye(3), blocks=blocks)
    with pytest.raises(ValueError, match="must hold each of its 3 rows once"):
        Basis(name="x", unit="k", rows=np.eye(3), blocks=(Block("const", (0,)), Block("1", (1, 1))))


def test_a_recipe_changes_with_each_of_its_parts_and_not_with_their_order():
    analyzer = {"name": "a", "version": 1, "options": {"x": 1, "y": 2}}
    base = {"variant": "v", "probe": "p", "upstream": {"u": "1", "w": "2"}, "steps": None}
    same = recipe(
        {"options": {"y": 2, "x": 1}, "version": 1, "name": "a"}, **{**base, "upstream": {"w": "2", "u": "1"}}
    )
    assert recipe(analyzer, **base) == same
    changed = [
        recipe({**analyzer, "version": 2}, **base),
        recipe({**analyzer, "options": {"x": 1, "y": 3}}, **base),
        recipe(analyzer, **{**base, "variant": "other"}),
        recipe(analyzer, **{**base, "probe": None}),
        recipe(analyzer, **{**base, "upstream": {"u": "1", "w": "3"}}),
        recipe(analyzer, **{**base, "steps": [0, 1]}),
    ]
    assert len({same, *changed}) == 7


def test_digests_stay_as_they_are_or_every_stored_artifact_is_lost():
    assert digest({"b": [1, 2.5, None], "a": "é"}) == "84afbf1d4853005f"


def test_a_probe_that_is_not_there_is_answered_with_those_that_are(workspace):
    place = workspace()
    with pytest.raises(UnknownName, match=r"toy\.sum has: grid\."):
        place.context(place.variant("toy.sum").value).probe("corpus")


def test_the_digest_of_a_variant_without_interventions_is_what_it_was_before_there_were_any():
    config = variant().training
    assert config is not None
    fields = set(config.identity_of(config.model_dump(mode="json")))
    assert "interventions" not in fields
    before = {
        "family": "toy.sum",
        "params": variant().params.model_dump(),
        "training": config.model_dump(mode="json", include=fields),
    }
    assert variant().digest == digest(before)
    assert variant(interventions=("a", "b")).slug.endswith("-doa+b")


def test_a_label_tells_variants_of_the_same_parameters_apart():
    plain = make_variant(ToyFamily(), {})
    labelled = replace(plain, label="elsewhere")
    assert (plain.slug, labelled.slug) == ("v5-seed0-width16", "v5-seed0-width16@elsewhere")
    assert plain.digest != labelled.digest == replace(plain, label="elsewhere").digest


@pytest.mark.parametrize("label", ["", "a/b", "a@b", ".a", "a b", "a..b", "é", "a" * 41])
def test_a_label_that_cannot_be_part_of_a_path_is_refused(label: str):
    with pytest.raises(BadValue) as refused:
        replace(make_variant(ToyFamily(), {}), label=label)
    assert str(refused.value) == (
        f"A variant cannot be told apart by the name {label!r}.\n"
        "It becomes part of a path: up to 40 letters, digits and . _ + -, beginning with a letter or a digit.\n"
        "Choose another."
    )


def test_more_points_than_steps_are_all_the_steps():
    """However many are asked for: there are no more to go through than steps."""
    assert planned_steps(LogSpaced(count=99_999_999_999), 50) == frozenset(range(51))
    assert planned_steps(LogSpaced(count=99_999_999_999), 0) == frozenset({0})
    for count in (380, 391, 392, 393, 394, 500):
        plain = {round(math.exp(i * math.log(50) / (count - 1))) for i in range(count)}
        assert planned_steps(LogSpaced(count=count), 50) == frozenset({0, 50, *plain})
