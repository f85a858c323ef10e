"""A network without what single latents write: by hand where it is linear, and of a toy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from miscope import Checkpoint, HookedModel, ObservedArtifact, Probe, Role, Snapshot, Source, View, ViewData
from miscope.errors import DoesNotApply
from miscope.forward import activations
from miscope.source_checkpoint import OpenedSource, SourceCheckpoint
from miscope.testing import ToyParams, check_analyzer, check_view, tables, toy_snapshot
from miscope_sae.analyzers.effects import EFFECTS, EffectOptions, effects, effects_observed
from miscope_sae.architectures.top_k import TopKFamily
from miscope_sae.views.effects import VIEWS, ranked
from miscope_sae.views.effects import effects as drawn

SITE, LATENTS, RECONSTRUCTED = "hook_z", "hook_sae_acts_post", "hook_sae_recons"


class Linear(nn.Module):
    """(N, d) -> logits at one position."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.W, self.hook_z = nn.Parameter(torch.zeros(width, 3)), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.hook_z(x[:, None]) @ self.W


def source_of(inputs: Tensor, weights: Tensor, labels: Tensor | None) -> SourceCheckpoint:
    net, width = Linear(inputs.shape[1]), inputs.shape[1]
    role = Role(name="W", axes=("d", "answer"), shape=(width, 3))
    probe = Probe(name="drawn", inputs=inputs, labels=labels)
    opened = OpenedSource(
        model=HookedModel(net, roles=[role], sites={SITE: net.hook_z}, place=lambda given: dict(given)),
        probe=lambda: probe,
        bases=dict,
        width=lambda site: width,
        params=ToyParams(),
        checkpoint=Checkpoint(step=7, weights={"W": weights}),
    )
    return SourceCheckpoint(Source(variant="drawn/one", step=7, site=SITE), lambda: opened)


INPUTS = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
WEIGHTS = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
DECODER = torch.cat([torch.eye(4), -torch.eye(4)])[:7]
"""A latent for each way of each axis but one."""
LABELS = (INPUTS @ WEIGHTS).argmax(1)
TRAINED = np.arange(60) % 3 > 0


def shown(
    member: Callable[..., Any],
    inputs: Tensor = INPUTS,
    decoder: Tensor = DECODER,
    weights: Tensor = WEIGHTS,
    labels: Tensor | None = LABELS,
    **options: int,
) -> Snapshot[EffectOptions]:
    """Of an autoencoder with tied ReLU latents."""
    made = member(inputs, decoder)
    at_end = {role: load()[-1] for role, load in made.weights.items()}
    probe = replace(made.probe, columns={"source_train": TRAINED[: len(inputs)].astype(np.int64)})
    seen = activations(made.model.answers, at_end, inputs, [LATENTS, RECONSTRUCTED])
    return replace(
        toy_snapshot(),
        probe=probe,
        activations=seen,
        weights=at_end,
        model=made.model,
        sources=(source_of(inputs, weights, labels),),
        options=EffectOptions(**options),
    )


def losses(inputs: Tensor, weights: Tensor = WEIGHTS) -> np.ndarray:
    """By hand."""
    table = (inputs.double() @ weights.double()).log_softmax(1)
    return -table[torch.arange(len(inputs)), LABELS[: len(inputs)]].numpy()


def test_what_a_latent_writes_is_taken_from_the_activation_and_nothing_else(member: Callable[..., Any]) -> None:
    """Latent i writes the positive part of its axis, whatever the inputs are scaled by; its error stays."""
    found = effects(shown(member))
    for latent in range(7):
        written = torch.relu(INPUTS @ DECODER[latent])[:, None] * DECODER[latent]
        change = losses(INPUTS - written) - losses(INPUTS)
        told = {"all": change.mean(), "source_train": change[TRAINED].mean(), "source_test": change[~TRAINED].mean()}
        for part, expected in told.items():
            assert float(found[f"{part}/loss"][latent]) == pytest.approx(expected, rel=1e-4, abs=1e-6)
        assert found["density"][latent] == float((written.abs().sum(1) > 0).double().mean())
    assert found["source_test/clean"] == pytest.approx(losses(INPUTS)[~TRAINED].mean(), rel=1e-5)
    assert (int(found["alive"]), int(found["ablated"])) == (7, 7)


def test_a_latent_changes_nothing_where_it_is_not_active(
    member: Callable[..., Any],
) -> None:
    inputs = INPUTS.abs()
    inputs[TRAINED, 3] = -inputs[TRAINED, 3]
    found = effects(shown(member, inputs))
    assert int(found["alive"]) == 4, "no input has a negative part along the first three axes"
    assert found["all/loss"][4:].tolist() == found["all/null"][4:].tolist() == [0, 0, 0]
    assert found["source_train/loss"][3] == found["source_train/null"][3] == 0
    assert found["source_test/loss"][3] != 0


def test_a_random_step_is_as_large_and_at_the_same_inputs(member: Callable[..., Any]) -> None:
    """In one dimension there are two directions of a length: that of the latent, and the opposite."""
    inputs, weights = INPUTS[:, :1], WEIGHTS[:1]
    seen = set()
    for seed in range(8):
        found = effects(shown(member, inputs, torch.ones(1, 1), weights, seed=seed))
        written = torch.relu(inputs)
        both = [(losses(inputs - way * written, weights) - losses(inputs, weights)).mean() for way in (1, -1)]
        (null,) = found["all/null"].tolist()
        (which,) = [way for way, value in zip((1, -1), both, strict=True) if null == pytest.approx(value, rel=1e-4)]
        seen.add(which)
        assert found["all/loss"].tolist() == pytest.approx(both[:1], rel=1e-4)
    assert seen == {1, -1}


def test_of_many_latents_the_most_used_are_ablated(member: Callable[..., Any]) -> None:
    every, few = effects(shown(member)), effects(shown(member, latents=2))
    used = np.argsort(-every["density"], kind="stable")[:2]
    assert (int(few["alive"]), int(few["ablated"])) == (7, 2)
    assert np.flatnonzero(np.isfinite(few["all/loss"])).tolist() == sorted(used.tolist())
    assert few["all/loss"][used] == pytest.approx(every["all/loss"][used], rel=1e-12)


def test_inputs_whose_answer_does_not_count_are_left_out(member: Callable[..., Any]) -> None:
    some = torch.where(torch.arange(60) < 30, LABELS, -100)
    half, whole = effects(shown(member, labels=some)), effects(shown(member, INPUTS[:30], labels=LABELS[:30]))
    assert half["all/loss"] == pytest.approx(whole["all/loss"], rel=1e-4, abs=1e-7)


def test_what_there_is_no_effect_of_is_said(member: Callable[..., Any]) -> None:
    silent = shown(member)
    silent = replace(silent, activations={**silent.activations, LATENTS: torch.zeros(60, 7)})
    reasons = []
    for given in (silent, shown(member, labels=None)):
        with pytest.raises(DoesNotApply) as told:
            effects(given)
        reasons.append(told.value.reason)
    assert reasons == [
        "none of its latents is active at any input",
        "nobody knows the right answers of the probe 'drawn' of drawn/one",
    ]


def of_six(most: float, helpful: float, least: float) -> np.ndarray:
    """Latent 1 is never active, 3 and 5 were not ablated."""
    return np.array([helpful, 0, least, np.nan, most, np.nan])


ARRAYS = {
    **{"density": np.array([0.1, 0.0, 0.001, 0.0005, 0.5, 0.0002]), "alive": np.array(5), "ablated": np.array(3)},
    **{f"{part}/clean": np.array(0.125) for part in ("all", "source_train", "source_test")},
    **{"source_train/loss": of_six(0.2, 0.0, 1e-5), "source_test/loss": of_six(0.4, -0.1, 3e-5)},
    **{"source_train/null": of_six(0.0, 1e-5, 0.0), "source_test/null": of_six(1e-5, 2e-5, 0.0)},
    **{"all/loss": of_six(0.3, -0.05, 2e-5), "all/null": of_six(1e-5, 1e-5, 0.0)},
}


def test_it_says_which_latent_costs_most_and_how_many_more_than_chance() -> None:
    seen = ObservedArtifact(arrays=ARRAYS, first=ARRAYS, step=400, first_step=0, step_label="step", options=None)
    (said,) = effects_observed(seen)
    assert said.text == (
        "At step 400 the network's loss on inputs that it was not trained on rises most without latent 4, by 0.4 nats "
        "from 0.125; as large a step in a random direction adds 2e-05 at most, which 2 of 3 latents exceed."
    )
    assert said.value == 0.4


def data(arrays: dict[str, np.ndarray]) -> ViewData:
    variant = toy_snapshot().variant
    return ViewData(variant=variant, step=9, steps=np.array([0, 9]), artifacts={"sae.effects": arrays})


def test_latents_lie_above_the_line_that_cost_more_on_inputs_not_trained_on() -> None:
    figure: Any = drawn(data(ARRAYS))
    line, _, latents = figure.data
    assert [bool(y > x) for x, y in zip(latents.x, latents.y, strict=True)] == [False, True, True]
    assert list(line.x) == list(line.y)
    assert (
        "the 3 most used of 5 latents, 2 cost more on test; train loss 0.12, test loss 0.12"
        in figure.layout.title.subtitle.text
    )
    assert latents.customdata[2].tolist() == [0.2, 0.4, 4, 0.5]
    assert latents.marker.size[2] > latents.marker.size[0] > latents.marker.size[1]
    assert "-10<sup>-3</sup>" in figure.layout.yaxis.ticktext
    alone = {name: each for name, each in ARRAYS.items() if not name.startswith("source_")}
    with pytest.raises(DoesNotApply, match="nobody knows which inputs its source was trained on"):
        drawn(data(alone))


def test_latents_are_ranked_by_what_they_cost_beside_chance_in_order() -> None:
    figure: Any = ranked(data(ARRAYS), inputs="source held out", count=40)
    bars, others, null = figure.data
    assert bars.customdata[:, 0].tolist() == [4, 2, 0]
    drawn_of = [np.asarray(trace.y, dtype=float) for trace in (bars, others, null)]
    expected = [[0.4, 3e-5, np.nan], [0.2, 1e-5, np.nan], [2e-5, 1e-5, np.nan]]
    assert np.array_equal(drawn_of, expected, equal_nan=True), "what helps has no place on a logarithmic axis"
    assert "2 cost more than any random direction; loss 0.12 with all" in figure.layout.title.subtitle.text
    two: Any = ranked(data(ARRAYS), inputs="all", count=2)
    assert [len(trace.x) for trace in two.data] == [2, 2]


BUILT = {
    **{"variant": "toy.fourier/v5-seed0-width16", "step": 2, "site": "blocks.0.mlp.hook_post"},
    **{"latents": "2x", "k": 3, "allow_out_of_range": True},
}


@pytest.mark.parametrize("view", VIEWS, ids=lambda each: each.name)
def test_the_instrument_keeps_the_contract_and_its_views_draw(view: View) -> None:
    offered = tables(TopKFamily(), EFFECTS, *VIEWS)
    assert check_analyzer(EFFECTS, TopKFamily(), plugins=offered, params=BUILT) == ()
    check_view(view, TopKFamily(), plugins=offered, params=BUILT)
