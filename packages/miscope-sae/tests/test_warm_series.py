"""A warm series: each autoencoder begins with the last weights of that of the checkpoint before, or behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from miscope.analysis.analyze import analyze
from miscope.bound import BoundVariant, open_bound
from miscope.errors import BadValue
from miscope.outcome import State
from miscope.runs.run_queue import RunQueue
from miscope.train_request import TrainRequest
from miscope_sae import autoencoders, remarks

Command = Callable[..., tuple[int, str, str]]
SITE = "hook_embed"
FIELDS: dict[str, Any] = {"latents": 16, "k": 2, "steps": 20, "allow_out_of_range": True}
WORDS = ("latents=16", "k=2", "--steps", "20", "--set", "allow_out_of_range=true", "--threads", "1", "--no-untrained")


@pytest.fixture
def source(tmp_path: Path) -> BoundVariant:
    """Activations of features that are born, turn and die, at steps 0, 1 and 2."""
    place = open_bound(tmp_path / "workspace")
    variant = place.variant("sae.known-births", features=12, width=8, inputs=120, checkpoints=3, present=6)
    place.value.keep_record(variant.value)
    return variant


def trained(series: list[BoundVariant]) -> list[BoundVariant]:
    for each in series:
        list(each.train(threads=1))
    return series


def weights(variant: BoundVariant, step: int | str) -> dict[str, torch.Tensor]:
    return dict(variant.at(step).checkpoint.weights)


def params(variant: BoundVariant) -> dict[str, Any]:
    return variant.value.params.model_dump()


@pytest.mark.parametrize(("direction", "order"), [("forward", [0, 1, 2]), ("backward", [2, 1, 0])])
def test_each_begins_with_the_last_weights_of_the_one_before(source: BoundVariant, direction: str, order: list[int]):
    series = trained(autoencoders(source, SITE, step="all", warm=direction, warm_steps=5, **FIELDS))
    assert [params(one)["step"] for one in series] == order
    assert [one.steps[-1] for one in series] == [20, 5, 5]
    for before, after in pairwise(series):
        first, last = weights(after, 0), weights(before, "last")
        assert all(torch.equal(first[role], last[role]) for role in last)
        assert not torch.equal(weights(after, "last")["W_dec"], first["W_dec"])


def test_its_name_and_its_identity_say_that_it_is_warm_and_what_it_begins_with(source: BoundVariant):
    first, second, _ = autoencoders(source, SITE, step="all", warm="forward", **FIELDS)
    alone, cold, _ = autoencoders(source, SITE, step="all", **FIELDS)
    assert first.value == alone.value
    assert second.name.startswith("sae.topk/k2-m16-seed0-warmforward-step1-")
    assert (params(second)["begins_with"], params(second)["begins_at"]) == (first.name, 20)
    assert not {"warm", "begins_with", "begins_at"} & set(params(cold))
    _, longer, _ = autoencoders(source, SITE, step="all", warm="forward", **{**FIELDS, "steps": 30}, warm_steps=6)
    _, same, _ = autoencoders(source, SITE, step="all", warm="forward", **FIELDS, warm_steps=6)
    assert same.name == second.name
    assert len({one.value.digest for one in (second, cold, longer)}) == 3
    assert len({one.name for one in (second, cold, longer)}) == 3


def test_one_line_trains_a_series_and_after_a_stop_goes_on_where_it_was(source: BoundVariant, command: Command):
    place = source.workspace.root
    words = ("sae", "train", source.name, "--site", SITE, "--step", "all", "--warm", "--warm-steps", "4", *WORDS)
    series = autoencoders(source, SITE, step="all", warm="forward", warm_steps=4, **FIELDS)
    list(series[0].train(threads=1))
    half_way = series[1].train(threads=1, steps=2)
    list(half_way)
    begun = weights(series[1], 2)
    code, out, err = command(*words, "-w", place)
    assert code == 0, err
    assert [one.steps[-1] for one in series] == [20, 4, 4]
    assert all(torch.equal(begun[role], weights(series[1], 2)[role]) for role in begun)
    told = [line for line in (out + err).splitlines() if line.startswith("sae.topk/")]
    assert [line.split(":")[0] for line in told] == [one.name for one in series]
    assert series[1].name in {one.name for one in open_bound(place).variants("sae.topk")}


def test_a_stopped_and_resumed_one_has_the_weights_of_one_that_was_not(source: BoundVariant, tmp_path: Path):
    def ended(root: Path, *stops: int) -> dict[str, torch.Tensor]:
        place = open_bound(root)
        origin = place.variant(source.value.family, **source.value.params.model_dump())
        place.value.keep_record(origin.value)
        first, second, _ = autoencoders(origin, SITE, step="all", warm="forward", warm_steps=6, **FIELDS)
        list(first.train(threads=1))
        for steps in (*stops, 6):
            list(second.train(threads=1, steps=steps))
        return weights(second, 6)

    whole, parted = ended(tmp_path / "whole"), ended(tmp_path / "parted", 2, 4)
    assert all(torch.equal(whole[role], parted[role]) for role in whole)


def test_one_is_not_trained_before_the_one_it_begins_with(source: BoundVariant):
    first, second, _ = autoencoders(source, SITE, step="all", warm="forward", **FIELDS)
    with pytest.raises(BadValue) as refused:
        second.train()
    assert str(refused.value).splitlines()[0] == (
        f"{second.name} is built on {first.name}, which is not in this workspace."
    )
    list(first.train(threads=1, steps=10))
    with pytest.raises(BadValue) as early:
        second.train()
    assert str(early.value).splitlines()[:2] == [
        f"{second.name} is built on step 20 of {first.name}, which has no checkpoint there.",
        "It has 0, 5, 10.",
    ]


def test_one_that_begins_with_weights_of_other_sizes_is_refused(source: BoundVariant):
    (small,) = trained(autoencoders(source, SITE, step=0, **{**FIELDS, "latents": 8, "steps": 10}))
    warm = {"warm": "forward", "begins_with": small.name, "begins_at": 10}
    wide = source.workspace.variant("sae.topk", variant=source.name, site=SITE, step=1, **warm, **FIELDS)
    with pytest.raises(BadValue) as refused:
        list(wide.train(threads=1))
    assert str(refused.value) == (
        f"No autoencoder of these sizes begins with the weights of {small.name} at step 10.\n"
        "Its weights are W_dec 8x8, W_enc 8x8, b_dec 8, b_enc 8; "
        "wanted are W_dec 16x8, W_enc 8x16, b_dec 8, b_enc 16.\n"
        "Name one of the same architecture, site and number of latents."
    )


def test_instruments_are_not_shown_the_one_it_begins_with(source: BoundVariant):
    series = trained(autoencoders(source, SITE, step="all", warm="forward", **FIELDS))
    context = source.workspace.value.context
    for one in series:
        assert [each.source.variant for each in context(one.value).sources] == [source.name]


def test_what_compares_a_series_says_that_it_is_warm(source: BoundVariant):
    series = trained(autoencoders(source, SITE, step="all", warm="forward", **FIELDS))
    place, names = source.workspace, ["sae.transfer", "sae.codability"]
    outcomes = list(analyze(place.value, [one.value for one in series], names))
    assert [(outcome.state, outcome.error) for outcome in outcomes] == [(State.SAVED, "")] * 2
    for name in names:
        below = place.view(name, series).figure().layout.title.subtitle.text
        assert below.replace("<br>", " ").endswith(" · warm series: neighbours began alike")


def test_what_began_anew_at_the_first_step_lies_beside_a_warm_series_and_is_left_out(
    source: BoundVariant, command: Command
):
    place = source.workspace
    where = ("-w", place.root)
    words = ("sae", "train", source.name, "--site", SITE, "--step", "all", "--warm", "--backward", *WORDS[:-1])
    assert command(*words, *where)[0] == 0
    assert command("analyze", "sae.topk", "--only", "sae.transfer", "--only", "sae.codability", *where)[0] == 0
    whole = place.variants("sae.topk")
    series = autoencoders(source, SITE, step="all", warm="backward", **FIELDS)
    (beside,) = [one for one in whole if one.name not in {each.name for each in series}]
    assert (params(beside)["step"], len(whole)) == (0, 4)
    for name in ("sae.transfer", "sae.codability"):
        below = place.view(name, whole).figure().layout.title.subtitle.text.replace("<br>", " ")
        assert below.endswith(" · warm series: neighbours began alike; left out: 1 that began anew")
    list(analyze(place.value, [one.value for one in series], ["sae.transfer"]))
    (alone,), (with_it,) = (place.view("sae.transfer", some).figure().data for some in (series, whole))
    assert list(alone.x) == list(with_it.x) == ["0", "1", "2"]
    assert np.array_equal(alone.z, with_it.z)


@pytest.mark.parametrize("restriction", ["warm=backward", "latents=16", "begins_at=20"])
def test_variants_are_restricted_by_one_field_alone(source: BoundVariant, command: Command, restriction: str):
    """Those that begin elsewhere say so by three parameters together, of which one chooses them."""
    place = source.workspace
    series = trained(autoencoders(source, SITE, step="all", warm="backward", warm_steps=2, **FIELDS))
    code, _, err = command("analyze", "sae.topk", restriction, "--only", "sae.latents", "-w", place.root)
    assert code == 0, err
    chosen = {"warm=backward": series[1:], "latents=16": series, "begins_at=20": series[1:2]}[restriction]
    folder = place.value.store.layout.variant
    looked_at = [one.name for one in series if list(folder(one.name).glob("**/sae.latents"))]
    assert looked_at == [one.name for one in chosen]


def test_a_warm_series_is_not_compared_with_what_began_anew(source: BoundVariant):
    first, *later = trained(autoencoders(source, SITE, step="all", warm="forward", **FIELDS))
    (alone,) = trained(autoencoders(source, SITE, step=2, **FIELDS))
    place = source.workspace.value
    (refused,) = analyze(place, [one.value for one in (first, *later, alone)], ["sae.transfer"])
    assert refused.state is State.SKIPPED
    assert refused.error == (
        "does not apply: they differ in lr_decay_steps, lr_schedule_steps, sparsity_warmup_steps, warm"
    )


def test_the_penalty_of_a_later_one_is_whole_at_once_and_nothing_warns_of_that(source: BoundVariant):
    fields = {**FIELDS, "architecture": "standard", "steps": 1000, "batch_size": 512, "resample_steps": 150}
    del fields["k"]
    first, second, _ = autoencoders(source, SITE, step="all", warm="forward", **fields, warm_steps=120)
    assert first.value.training is not None
    assert first.value.training.model_dump()["sparsity_warmup_steps"] == 50
    assert second.value.training is not None
    later = second.value.training.model_dump()
    assert (later["sparsity_warmup_steps"], later["resample_steps"], later["lr_schedule_steps"]) == (0, None, 120)
    warned = [each.field for each in remarks(second) if each.severity == "warning"]
    assert not {"sparsity_warmup_steps", "steps"} & set(warned)


def test_what_lasts_so_long_of_the_first_lasts_the_same_share_of_a_later_one(source: BoundVariant):
    lengths = {"warmup_steps": 100, "lr_decay_steps": 500, "dead_window_steps": 50, "resample_steps": 60}
    fields = {**FIELDS, "architecture": "standard", "steps": 1000, "batch_size": 512, **lengths}
    del fields["k"]
    _, second, _ = autoencoders(source, SITE, step="all", warm="forward", **fields, warm_steps=120)
    assert second.value.training is not None
    later = second.value.training.model_dump()
    assert (later["steps"], later["lr_schedule_steps"], later["lr_decay_steps"], later["warmup_steps"]) == (
        120,
        120,
        60,
        12,
    )
    assert (later["dead_window_steps"], later["resample_steps"]) == (50, 60)


@pytest.mark.parametrize(("architecture", "updates"), [("standard", 200), ("topk", 300), ("batchtopk", 500)])
def test_how_many_updates_later_ones_make_is_the_architecture_s(source: BoundVariant, architecture: str, updates: int):
    fields = {"latents": 16, "steps": 1000, "architecture": architecture}
    lengths = [
        one.value.training.steps
        for one in autoencoders(source, SITE, step="all", warm="forward", **fields)
        if one.value.training is not None
    ]
    assert lengths == [1000, updates, updates]


def test_what_is_kept_of_a_training_is_kept_of_each_as_far_as_it_goes(source: BoundVariant):
    kept = {"checkpoints": "0,2,3,15", "evaluate_every": 2}
    first, second, _ = trained(autoencoders(source, SITE, step="all", warm="forward", warm_steps=4, **FIELDS, **kept))
    assert (first.steps, second.steps) == ([0, 2, 3, 15, 20], [0, 2, 3, 4])
    assert [one.metric("test_fvu")[0].tolist()[:5] for one in (first, second)] == [[0, 2, 3, 4, 6], [0, 2, 3, 4]]
    told = {each.message for each in remarks(second) if each.field == "checkpoints"}
    assert told == {
        "15 is beyond the last of 4 updates, and is never reached.",
        "4, the first and the final one among them.",
    }


def test_in_the_queue_each_waits_for_the_one_before(source: BoundVariant, command: Command, monkeypatch):
    monkeypatch.setattr("miscope.runs.supervisor.start_supervisor", lambda root: None)
    place = source.workspace.root
    words = ("sae", "train", source.name, "--site", SITE, "--step", "all", "--warm", "--backward", *WORDS)
    code, _, err = command(*words, "--queue", "--then", "analyze", "-w", place)
    assert code == 0, err
    runs = [run for run in RunQueue(place).runs() if isinstance(run.request, TrainRequest)]
    assert [run.request.params["step"] for run in runs if isinstance(run.request, TrainRequest)] == [2, 1, 0]
    assert [run.place.needs for run in runs] == [(), (runs[0].id,), (runs[1].id,)]


def test_a_dry_run_tells_of_each_and_writes_nothing(source: BoundVariant, command: Command):
    words = ("sae", "train", source.name, "--site", SITE, "--step", "all", "--warm", "--dry-run", *WORDS)
    code, out, err = command(*words, "-w", source.workspace.root)
    assert code == 0, err
    series = autoencoders(source, SITE, step="all", warm="forward", **FIELDS)
    rows = [line.split() for line in out.splitlines()[1:]]
    assert [(row[0], row[2]) for row in rows] == [
        (one.name, steps) for one, steps in zip(series, ("20", "6", "6"), strict=True)
    ]
    assert source.workspace.value.names() == [source.name]


def test_what_is_left_of_a_series_that_was_begun_is_told(source: BoundVariant, command: Command):
    words = ("sae", "train", source.name, "--site", SITE, "--step", "all", "--warm", "--warm-steps", "6", *WORDS)
    place = source.workspace.root

    def left() -> list[list[str]]:
        code, out, err = command(*words, "--dry-run", "-w", place)
        assert code == 0, err
        assert err.splitlines()[-1].startswith("time: ")
        return [[part.strip() for part in re.split(r"\s{2,}", line)][2:4] for line in out.splitlines()[1:]]

    first, second, _ = autoencoders(source, SITE, step="all", warm="forward", warm_steps=6, **FIELDS)
    (alone,) = autoencoders(source, SITE, step=1, **{**FIELDS, "steps": 6})
    trained([first, alone])
    assert left() == [["none left", "-"], ["6", "7"], ["6", "7"]]
    list(second.train(threads=1, steps=4))
    assert left() == [["none left", "-"], ["2", "2"], ["6", "7"]]
    code, _, err = command(*words, "-w", place)
    assert code == 0
    assert [line for line in err.splitlines() if line.startswith("time: ")] != []
    code, out, err = command(*words, "--dry-run", "-w", place)
    assert [line.split()[2:] for line in out.splitlines()[1:]] == [["none", "left", "-", "-", "-"]] * 3
    assert err.splitlines()[-1] == "Nothing is left to train."


def test_both_ways_of_telling_say_the_same_of_each_site(source: BoundVariant, command: Command):
    words = ("sae", "train", source.name, "--site", SITE, "--step", "all", "--warm", "--set", "checkpoints=every:9")
    place = source.workspace.root
    code, _, dry = command(*words, *WORDS, "--dry-run", "-w", place)
    assert code == 0, dry
    said = [line for line in dry.splitlines() if line.startswith(("warning, ", "info, "))]
    assert "warning, checkpoints: every 9 steps of 6: only the first and the final one." in said
    code, _, err = command(*words, *WORDS, "-w", place)
    assert code == 0, err
    assert [line for line in err.splitlines() if line.startswith(("warning, ", "info, "))] == said


def test_what_makes_no_series_is_refused_in_words(source: BoundVariant, command: Command):
    for given, told in (
        (
            {"warm": "sideways"},
            "No series goes 'sideways'.\nIt goes forward or backward.\n"
            "Give --warm, with --backward for the second; in Python warm='forward' or warm='backward'.",
        ),
        (
            {"warm": "forward", "architecture": "crosscoder"},
            "One sae.crosscoder is of all checkpoints together.\n"
            "There is none before it whose weights it could begin with.\n"
            "Leave --warm out, or choose another architecture; in Python leave warm=... out.",
        ),
        (
            {"warm": "forward", "step": "last"},
            "A warm series is of two checkpoints at least, and this is 1.\n"
            "Each begins with the weights of the one before.\n"
            "Name several: --step all or --step every:100; in Python step='all'.",
        ),
        (
            {"warm": "forward", "warm_steps": 0},
            "A warm series does not take 0 updates.\nIt is how many all but the first make, 1 or more.\n"
            "Give --warm-steps N; in Python warm_steps=N.",
        ),
        (
            {"warm_steps": 5},
            "A number of later updates is of a warm series.\n"
            "Each of these is trained by itself, and its length is steps.\n"
            "Leave --warm-steps out, or give --warm too; in Python warm_steps=... and warm='forward'.",
        ),
    ):
        with pytest.raises(BadValue) as refused:
            autoencoders(source, SITE, **{"step": "all", **given})
        assert str(refused.value) == told
    code, _, err = command("sae", "train", source.name, "--site", SITE, "--backward", "-w", source.workspace.root)
    assert (code, err.splitlines()[0]) == (1, "--backward means nothing without --warm.")
