"""A workspace finds, makes and names variants, and says in three parts why not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

import miscope
from miscope import Grain, View
from miscope.analysis.analyze import analyze
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.checkpoint import Checkpoint
from miscope.errors import BadValue, MiscopeError, NoCheckpoint, UnknownName
from miscope.figures.render import render
from miscope.store.record_file import sealed
from miscope.testing import tables

Make = Callable[..., BoundWorkspace]


def stored(place: BoundWorkspace, *steps: int, **fields: object) -> BoundVariant:
    """A toy variant with empty-handed checkpoints at these steps."""
    variant = place.variant("toy.sum", **fields)
    place.store.save_variant(variant.value)
    for step in steps:
        place.store.save_checkpoint(variant.name, Checkpoint(step=step, weights={"W_E": torch.zeros(1)}))
    return variant


def test_parameters_and_training_fields_are_told_apart_by_name(workspace: Make):
    variant = workspace().variant("toy.sum", seed=7, weight_decay=0.25, steps=99)
    assert variant.name == "toy.sum/v5-seed7-width16-wd0.25"
    assert variant.value.params.model_dump() == {"values": 5, "seed": 7, "width": 16}
    assert variant.value.training is not None
    assert (variant.value.training.weight_decay, variant.value.training.steps) == (0.25, 99)


def test_values_from_a_command_line_are_read_as_their_types(workspace: Make):
    place = workspace()
    assert (
        place.variant("toy.sum", seed="7", learning_rate="0.5").value
        == place.variant("toy.sum", seed=7, learning_rate=0.5).value
    )


def test_making_a_variant_writes_nothing(workspace: Make):
    place = workspace()
    place.variant("toy.sum")
    assert not place.root.exists()


def test_an_unknown_field_is_answered_with_the_nearest_and_all_there_are(workspace: Make):
    with pytest.raises(UnknownName) as raised:
        workspace().variant("toy.sum", sede=1)
    what, close, known = str(raised.value).splitlines()
    assert what == "There is no field named 'sede'."
    assert close == "Did you mean 'seed'?"
    assert known.startswith("toy.sum takes values, seed, width; training: optimizer, learning_rate, ")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"values": 99},
            "toy.sum refuses values=99: it must be 31 or less.\n"
            "'values' is a whole number from 3 to 31, by default 5.\n"
            "Change it and try again; nothing was written.",
        ),
        (
            {"seed": "x"},
            "toy.sum refuses seed='x': it must be a whole number.\n"
            "'seed' is a whole number from 0 on, by default 0.\n"
            "Change it and try again; nothing was written.",
        ),
        (
            {"weight_decay": -1},
            "toy.sum refuses weight_decay=-1: it must be 0 or more.\n"
            "'weight_decay' is a number from 0 on, by default 1.0.\n"
            "Change it and try again; nothing was written.",
        ),
    ],
)
def test_a_value_out_of_range_is_refused_in_three_parts(workspace: Make, fields: dict[str, object], message: str):
    with pytest.raises(BadValue) as raised:
        workspace().variant("toy.sum", **fields)
    assert str(raised.value) == message


@pytest.mark.parametrize("schedule", ["every:0", "evry:5", "adaptive:x", "5-3:x", ""])
def test_a_schedule_that_cannot_be_read_is_refused(workspace: Make, schedule: str):
    with pytest.raises(BadValue, match="toy\\.sum refuses checkpoints"):
        workspace().variant("toy.sum", checkpoints=schedule)


def test_an_unknown_family_is_answered_with_the_nearest(workspace: Make):
    with pytest.raises(UnknownName, match=r"Did you mean 'toy\.sum'\?"):
        workspace().variant("toy.som")


def test_a_variant_is_found_by_its_name_and_by_its_slug(workspace: Make):
    place = workspace()
    variant = stored(place, seed=3, weight_decay=0.5)
    assert place.find(variant.name).value == variant.value
    assert place.find("v5-seed3-width16-wd0.5").value == variant.value
    assert [one.name for one in place.variants()] == [variant.name]
    assert place.variants("toy.fourier") == []


def test_a_labelled_variant_stands_beside_the_other_and_is_found_by_its_name(workspace: Make):
    place = workspace()
    plain = stored(place, 1)
    other = plain.labelled("try-2")
    place.store.save_variant(other.value)
    assert [one.name for one in place.variants()] == [plain.name, f"{plain.name}@try-2"]
    assert place.find("v5-seed0-width16@try-2").value == other.value
    assert (plain.steps, other.steps) == ([1], [])


def test_a_slug_that_two_families_have_asks_for_the_family(workspace: Make):
    place = workspace()
    for family in ("toy.sum", "toy.fourier"):
        place.store.save_variant(place.variant(family).value)
    with pytest.raises(BadValue) as raised:
        place.find("v5-seed0-width16")
    assert str(raised.value) == (
        "'v5-seed0-width16' names 2 variants.\n"
        "They are: toy.fourier/v5-seed0-width16, toy.sum/v5-seed0-width16.\n"
        "Give the family too."
    )


def test_a_name_nobody_has_is_answered_with_the_nearest(workspace: Make):
    place = workspace()
    stored(place, seed=3)
    with pytest.raises(UnknownName) as raised:
        place.find("toy.sum/v5-seed4-width16")
    assert str(raised.value) == (
        "There is no variant named 'toy.sum/v5-seed4-width16'.\n"
        "Did you mean 'toy.sum/v5-seed3-width16'?\n"
        f"{place.root} holds 1 variant: toy.sum/v5-seed3-width16."
    )


def test_a_variant_of_a_family_not_installed_is_listed_and_cannot_be_opened(workspace: Make):
    place = workspace()
    variant = stored(place)
    folder = place.store.layout.variant(variant.name)
    record = json.loads((folder / "variant.json").read_text())
    alien = place.store.layout.variants / "alien.net" / "a1"
    alien.mkdir(parents=True)
    (alien / "variant.json").write_bytes(sealed({**record, "name": "alien.net/a1", "family": "alien.net"}))
    assert place.names() == ["alien.net/a1", variant.name]
    assert [one.name for one in place.variants()] == [variant.name]
    with pytest.raises(BadValue) as raised:
        place.find("alien.net/a1")
    assert str(raised.value) == (
        "alien.net/a1 belongs to the family 'alien.net', which is not installed.\n"
        "Installed here: pytorch.module, toy.fourier, toy.sum.\n"
        "Install the package that provides 'alien.net'; `miscope plugins` shows what is there."
    )


def test_one_bad_record_does_not_hide_the_other_variants(workspace: Make):
    place = workspace()
    good, bad = stored(place, seed=1), stored(place, seed=2)
    place.store.layout.record(bad.name).write_text("{")
    assert [one.name for one in place.variants()] == [good.name]


def test_a_moment_is_a_checkpoint_that_exists(workspace: Make):
    variant = stored(workspace(), 0, 10)
    assert variant.steps == [0, 10]
    assert variant.at(10).checkpoint.step == 10
    assert [checkpoint.step for checkpoint in variant.checkpoints] == [0, 10]
    with pytest.raises(NoCheckpoint, match="nearest: 0, 10"):
        variant.at(7)


def test_metrics_come_as_arrays_and_an_unknown_one_names_those_there_are(workspace: Make):
    place = workspace()
    variant = stored(place)
    place.store.append_metrics(variant.name, [(0, "test_loss", 2.0), (1, "test_loss", 1.0)])
    steps, values = variant.metric("test_loss")
    assert (steps.tolist(), values.tolist()) == ([0, 1], [2.0, 1.0])
    with pytest.raises(UnknownName, match="has: test_loss"):
        variant.metric("test_los")


def test_an_unknown_view_is_refused_before_anything_is_drawn(workspace: Make):
    with pytest.raises(UnknownName, match="There is no view named 'nope'"):
        stored(workspace()).view("nope")


def test_subjects_are_built_once(workspace: Make):
    place = workspace()
    value = place.variant("toy.sum").value
    assert place.value.context(value) is place.value.context(place.variant("toy.sum").value)


def test_threads_that_ask_at_once_are_given_the_same_context(workspace: Make):
    place = workspace()
    value = place.variant("toy.sum").value
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            identities = list(pool.map(lambda _: {id(place.value.context(value)) for _ in range(1000)}, range(4)))
    finally:
        sys.setswitchinterval(before)
    assert identities == [{id(place.value.context(value))}] * 4


def test_a_variant_shows_itself_in_a_notebook(workspace: Make):
    variant = stored(workspace(), 0, 10)
    assert "2 checkpoints, steps 0 to 10" in variant._repr_html_()
    assert repr(variant) == "<toy.sum/v5-seed0-width16: 2 checkpoints>"


def test_the_workspace_is_where_one_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugins):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MISCOPE_WORKSPACE", raising=False)
    assert open_bound(plugins=plugins()).root == tmp_path / "miscope-workspace"
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "elsewhere"))
    assert open_bound(plugins=plugins()).root == tmp_path / "elsewhere"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert miscope.open("~/here", plugins()).root == tmp_path / "here"
    (tmp_path / "file").touch()
    with pytest.raises(MiscopeError, match="is not a folder"):
        open_bound(tmp_path / "file", plugins())


def test_opening_a_workspace_and_listing_it_loads_no_torch(tmp_path: Path):
    code = f"""
import sys, miscope
from miscope.plugins.plugins import Plugins
place = miscope.open({str(tmp_path)!r}, Plugins.of())
place.names()
heavy = {{"torch", "duckdb", "plotly", "panel", "transformer_lens", "pandas"}} & set(sys.modules)
sys.exit(f"loaded {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("inside", ["", "inner/place"])
@pytest.mark.parametrize("target", ["loop", "nowhere"])
def test_a_link_that_leads_nowhere_is_no_place_for_a_workspace(tmp_path: Path, target: str, inside: str):
    (tmp_path / "loop").symlink_to(tmp_path / "back")
    (tmp_path / "back").symlink_to(tmp_path / target)
    with pytest.raises(BadValue) as raised:
        open_bound(tmp_path / "back" / inside)
    assert str(raised.value) == (
        f"{tmp_path / 'back' / inside} is no place for a workspace.\n"
        f"{tmp_path / 'back'} is a link that leads nowhere.\n"
        "Name another path."
    )


def test_a_verb_says_which_handle_stands_for_a_value(tmp_path: Path) -> None:
    place = open_bound(tmp_path / "w", tables())
    variant = place.variant("toy.sum")
    known = "Verbs take plain values; what `miscope.open` gives are handles, and each holds one."
    view = View(name="t.v", title="V", grain=Grain.TRAJECTORY, draw=print)
    for workspace, given, first in (
        (place.value, variant, f"{variant!r} is not a Variant."),
        (place.value, [variant.value, variant], f"{variant!r} is not a Variant."),
        (place, variant.value, f"{place!r} is not a Workspace."),
    ):
        for verb in (analyze, lambda workspace, given: render(workspace, view, given)):
            with pytest.raises(BadValue) as refused:
                verb(workspace, given)  # pyright: ignore[reportArgumentType]
            assert str(refused.value) == f"{first}\n{known}\nGive its `.value`."
