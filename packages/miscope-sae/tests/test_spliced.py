"""A network with reconstructions in the place of its activations: closed forms, and a training of a toy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from miscope import Checkpoint, HookedModel, Model, ObservedArtifact, Probe, Role, Snapshot, Source
from miscope.bound import open_bound
from miscope.errors import DoesNotApply
from miscope.source_checkpoint import OpenedSource, SourceCheckpoint
from miscope.testing import ToyParams, check_analyzer, check_view, tables, toy_snapshot
from miscope.testing.toy_autoencoder import ToyAutoencoder
from miscope_sae.analyzers.spliced import SPLICED, recovered, spliced, spliced_observed
from miscope_sae.architectures.top_k import TopKFamily
from miscope_sae.views.spliced import VIEWS

RECONSTRUCTED, SITE = "hook_sae_recons", "blocks.0.attn.hook_z"
PARENT = "toy.sum/v5-seed0-width16"


class Summing(nn.Module):
    """(N, 2, 2, 2) inputs, positions, heads and their width -> logits of the sum over the positions so far."""

    def __init__(self) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.zeros(4, 3))
        self.hook_z = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.hook_z(x).flatten(2).cumsum(1) @ self.W


def network(site: str = SITE) -> HookedModel:
    net = Summing()
    role = Role(name="W", axes=("d", "answer"), shape=(4, 3))
    return HookedModel(net, roles=[role], sites={site: net.hook_z}, place=lambda weights: dict(weights))


INPUTS = torch.randn(60, 2, 2, 2, generator=torch.Generator().manual_seed(0))
WEIGHTS = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
LABELS = (INPUTS.flatten(2).sum(1) @ WEIGHTS).argmax(1)
"""What the network itself answers, so that every ablation costs something."""
TRAIN = np.arange(60) < 40


def of(
    found: Tensor, *, weights: Tensor = WEIGHTS, labels: Tensor | None = LABELS, model: Model | None = None
) -> Snapshot:
    """An autoencoder whose reconstructions these are, (60, 4)."""
    probe = Probe(name="drawn", inputs=INPUTS, labels=labels)
    opened = OpenedSource(
        model=model or network(),
        probe=lambda: probe,
        bases=dict,
        width=lambda site: 4,
        params=ToyParams(),
        checkpoint=Checkpoint(step=7, weights={"W": weights}),
    )
    source = SourceCheckpoint(Source(variant="drawn/one", step=7, site=SITE), lambda: opened)
    column = {"source_train": (np.arange(60) % 2).astype(np.int64)}
    shown = Probe(name="drawn", inputs=INPUTS[:, -1].flatten(1), columns=column, train=TRAIN)
    return replace(toy_snapshot(), probe=shown, activations={RECONSTRUCTED: found}, sources=(source,))


ACTIVATIONS = INPUTS[:, -1].flatten(1)
MEAN = ACTIVATIONS[:40].double().mean(0).float().expand(60, -1)


def log_probabilities(last: Tensor) -> Tensor:
    """By hand, the first position as it is."""
    return ((INPUTS[:, 0].flatten(1) + last).double() @ WEIGHTS.double()).log_softmax(1)


def test_a_perfect_reconstruction_costs_nothing() -> None:
    found = spliced(of(ACTIVATIONS))
    for part in ("all", "train", "held_out", "source_train", "source_test"):
        assert found[f"{part}/ce_sae"] == found[f"{part}/ce_clean"]
        assert found[f"{part}/ce_recovered"] == 1
        assert [float(found[f"{part}/{name}"]) for name in ("delta_log10_ce", "kl", "margin_drop")] == [0, 0, 0]
        assert found[f"{part}/accuracy_sae"] == found[f"{part}/accuracy_clean"]


def test_the_mean_as_a_reconstruction_recovers_nothing() -> None:
    found = spliced(of(MEAN))
    assert found["all/ce_sae"] == found["all/ce_mean"]
    assert found["all/ce_recovered"] == 0


def test_zeros_as_a_reconstruction_are_the_ablation_to_zero() -> None:
    found = spliced(of(torch.zeros(60, 4)))
    assert found["held_out/ce_sae"] == found["held_out/ce_zero"]


def test_an_ablation_that_costs_nothing_has_no_share_to_recover() -> None:
    """Answers that depend on nothing: ln 3 whatever is put there."""
    found = spliced(of(torch.zeros(60, 4), weights=torch.zeros(4, 3)))
    assert np.isnan(found["all/ce_recovered"])
    assert [float(found[f"all/ce_{name}"]) for name in ("clean", "sae", "zero", "mean")] == pytest.approx(
        [np.log(3)] * 4, rel=1e-12
    )
    assert np.isnan(recovered(0.5, 0.4, 0.5 + 9e-7))
    assert np.isnan(recovered(0.5, 0.4, 0.3)), "an ablation that helps"
    assert recovered(0.5, 1.0, 1.5) == 0.5


def test_only_the_answer_position_is_replaced_and_heads_keep_their_places() -> None:
    wrong = 0.5 * ACTIVATIONS + torch.linspace(-1, 1, 4)
    found = spliced(of(wrong))
    clean, other = log_probabilities(ACTIVATIONS), log_probabilities(wrong)
    rows = torch.arange(60)
    held = rows >= 40
    near = {"rel": 1e-5, "abs": 1e-6}
    assert float(found["held_out/ce_sae"]) == pytest.approx(-float(other[rows, LABELS][held].mean()), **near)
    assert float(found["source_train/ce_sae"]) == pytest.approx(-float(other[rows, LABELS][1::2].mean()), **near)
    assert float(found["all/ce_mean"]) == pytest.approx(-float(log_probabilities(MEAN)[rows, LABELS].mean()), **near)
    assert float(found["all/kl"]) == pytest.approx(float((clean.exp() * (clean - other)).sum(1).mean()), **near)
    assert float(found["all/accuracy_sae"]) == float((other.argmax(1) == LABELS).double().mean())

    def lead(of_all: Tensor) -> float:
        others = of_all.clone()
        others[rows, LABELS] = -torch.inf
        return float((of_all[rows, LABELS] - others.amax(1)).mean())

    assert float(found["all/margin_drop"]) == pytest.approx(lead(clean) - lead(other), **near)
    ratio = float(found["all/ce_sae"]) / float(found["all/ce_clean"])
    assert float(found["all/delta_log10_ce"]) == pytest.approx(np.log10(ratio), rel=1e-9)


def test_inputs_whose_answer_does_not_count_are_left_out() -> None:
    labels = torch.where(torch.arange(60) < 50, -100, LABELS)
    found = spliced(of(torch.zeros(60, 4), labels=labels))
    other = log_probabilities(torch.zeros(60, 4))
    expected = -float(other[torch.arange(60), LABELS][50:].mean())
    assert float(found["all/ce_sae"]) == pytest.approx(expected, rel=1e-5)
    assert found["held_out/ce_sae"] == found["all/ce_sae"]
    assert "train/ce_sae" not in found


def test_it_says_what_is_lost_beside_the_mean() -> None:
    arrays = {
        **{f"held_out/ce_{name}": np.array(value) for name, value in (("clean", 0.001), ("sae", 0.25), ("mean", 4.0))},
        **{f"held_out/accuracy_{name}": np.array(value) for name, value in (("clean", 1.0), ("sae", 0.875))},
    }
    seen = ObservedArtifact(arrays=arrays, first=arrays, step=400, first_step=0, step_label="step", options=None)
    (said,) = spliced_observed(seen)
    assert said.text == (
        "At step 400, with reconstructions in the place of its activations, the network loses 0.25 nats on inputs held "
        "out, 0.001 as it is and 4 with their mean; 87.50% of its answers are right, 100.00% as it is."
    )
    assert said.value == 0.25


class Silent(nn.Module):
    """A network whose output is no logits."""

    def __init__(self) -> None:
        super().__init__()
        self.hook_z = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.hook_z(x)


def reason(shown: Snapshot) -> str:
    with pytest.raises(DoesNotApply) as told:
        spliced(shown)
    return told.value.reason


def at_another_step(source: SourceCheckpoint) -> SourceCheckpoint:
    return SourceCheckpoint(replace(source.source, step=source.source.step + 1), source._open)


def test_what_cannot_be_spliced_is_said() -> None:
    shown, silent = of(ACTIVATIONS), Silent()
    mute = HookedModel(
        silent, roles=[], sites={SITE: silent.hook_z, "hook_out": silent}, place=lambda weights: dict(weights)
    )
    told = [
        reason(of(ACTIVATIONS, labels=None)),
        reason(of(ACTIVATIONS, model=mute)),
        reason(of(torch.zeros(60, 3))),
        reason(replace(shown, sources=(*shown.sources, at_another_step(shown.sources[0])))),
    ]
    assert told == [
        "nobody knows the right answers of the probe 'drawn' of drawn/one",
        f"drawn/one has no logits behind {SITE}",
        f"what it reconstructs are not the activations of {SITE}",
        "it is built on 2 checkpoints, and replaces the activation of one",
    ]


def test_the_instrument_keeps_the_contract_and_its_view_draws() -> None:
    family, params = ToyAutoencoder(), {"variant": PARENT, "step": 20}
    assert check_analyzer(SPLICED, family, plugins=tables(family, SPLICED), params=params) == ()
    check_view(VIEWS[0], family, plugins=tables(family, SPLICED, *VIEWS), params=params)


def test_an_autoencoder_of_a_toy_is_spliced_at_every_checkpoint(tmp_path: Path) -> None:
    place = open_bound(tmp_path, tables(TopKFamily(), SPLICED, *VIEWS))
    parent = place.variant("toy.sum")
    list(parent.train(threads=1))
    child = place.variant(
        "sae.topk",
        variant=parent.name,
        step=30,
        site="blocks.0.mlp.hook_post",
        latents="2x",
        k=4,
        **SHORT,
    )
    list(child.train(threads=1))
    list(child.analyze("sae.spliced"))
    first, last = (child.arrays("sae.spliced", step) for step in (child.steps[0], child.steps[-1]))
    assert first["all/ce_clean"] == last["all/ce_clean"]
    assert last["all/kl"] < 0.7 * first["all/kl"]
    assert {name.partition("/")[0] for name in last} == {"all", "train", "held_out", "source_train", "source_test"}


SHORT = {
    "allow_out_of_range": True,
    "steps": 200,
    "batch_size": 16,
    "lr_schedule_steps": 200,
    "lr_decay_steps": 40,
    "checkpoints": "every:200",
}
