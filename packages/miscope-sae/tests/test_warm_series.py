"""A warm series: each autoencoder begins with the last weights of that of the checkpoint before, or behind."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

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
    _, longer, _ = autoencoders(source, SITE, step="all", warm="forward", **{**FIELDS, "steps": 30}, warm_steps=2)
    _, same, _ = autoencoders(source, SITE, step="all", warm="forward", **FIELDS, warm_steps=2)
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
        (one.name, steps) for one, steps in zip(series, ("20", "2", "2"), strict=True)
    ]
    assert source.workspace.value.names() == [source.name]


def test_what_makes_no_series_is_refused_in_words(source: BoundVariant, command: Command):
    for given, told in (
        ({"warm": "sideways"}, "No series goes 'sideways'.\nIt goes forward or backward.\nChoose one of the two."),
        (
            {"warm": "forward", "architecture": "crosscoder"},
            "One sae.crosscoder is of all checkpoints together.\n"
            "There is none before it whose weights it could begin with.\n"
            "Leave warm out, or choose another architecture.",
        ),
        (
            {"warm": "forward", "step": "last"},
            "A warm series is of two checkpoints at least, and this is 1.\n"
            "Each begins with the weights of the one before.\n"
            "Name several:  step='all'  or  step='every:100'",
        ),
        (
            {"warm": "forward", "warm_steps": 0},
            "A warm series does not take warm_steps=0.\nIt is a number of updates.\nGive one from 1 up.",
        ),
        (
            {"warm_steps": 5},
            "warm_steps is of a warm series.\nEach of these is trained by itself.\nGive warm='forward'.",
        ),
    ):
        with pytest.raises(BadValue) as refused:
            autoencoders(source, SITE, **{"step": "all", **given})
        assert str(refused.value) == told
    code, _, err = command("sae", "train", source.name, "--site", SITE, "--backward", "-w", source.workspace.root)
    assert (code, err.splitlines()[0]) == (1, "--backward means nothing without --warm.")
