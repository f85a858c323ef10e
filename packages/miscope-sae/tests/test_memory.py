"""What is told of memory before a training beside what PyTorch's allocator was asked for in one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

import miscope_sae
from miscope.bound import BoundVariant, open_bound
from miscope.testing import tables
from miscope.training.trainer import Trainer, TrainingSetup
from miscope_sae import autoencoders
from miscope_sae.advice.beforehand import Beforehand
from miscope_sae.autoencoder_family import AutoencoderFamily

ARCHITECTURES: dict[str, dict[str, Any]] = {
    **{"standard": {}, "topk": {}, "batchtopk": {}, "jumprelu": {}, "gated": {}, "matryoshka": {}, "skip": {}},
    "transcoder": {"target_site": "hook_out"},
}


@pytest.fixture(scope="module")
def source(known_source: Callable[..., BoundVariant], tmp_path_factory: pytest.TempPathFactory) -> BoundVariant:
    """1,500 inputs of 16 numbers."""
    root = tmp_path_factory.mktemp("memory")
    return known_source(root, features=24, width=16, width_out=12, inputs=1500)


def told(autoencoder: BoundVariant, monkeypatch: pytest.MonkeyPatch) -> int:
    """The bytes beforehand."""
    seen: list[int] = []

    def remarks(self: Beforehand) -> tuple[()]:
        seen.append(self.memory)
        return ()

    monkeypatch.setattr(Beforehand, "remarks", remarks)
    family = autoencoder.workspace.value.context(autoencoder.value).family
    assert isinstance(family, AutoencoderFamily)
    family.remarks(autoencoder.value)
    return seen[0]


def asked_for(autoencoder: BoundVariant) -> int:
    """The most bytes at once, of the allocations and what is given back, in two updates that are measured."""
    context = autoencoder.workspace.value.context(autoencoder.value)
    assert autoencoder.value.training is not None
    inputs = context.probe().inputs
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        assert context.task is not None
        setup = TrainingSetup(task=context.task, model=lambda: context.model, config=autoencoder.value.training, seed=0)
        trainer = Trainer(setup, context.task.initial_weights(), device=torch.device("cpu"), compiled=False)
        for step in range(2):
            loss = trainer.loss(step)
            trainer.metrics(step)
            trainer.update(step, loss)
    assert seen.profiler is not None
    events = [each for each in seen.profiler.kineto_results.events() if each.name() == "[memory]"]
    sizes = torch.tensor([each.nbytes() for each in sorted(events, key=lambda each: each.start_ns())])
    return int(sizes.cumsum(0).max()) + inputs.numel() * inputs.element_size()


@pytest.mark.parametrize(
    ("architecture", "batch_size"),
    [*((name, 128) for name in ARCHITECTURES), ("topk", 1000), ("jumprelu", 1000), ("standard", None), ("gated", None)],
)
def test_it_is_what_is_taken_give_or_take_half(
    source: BoundVariant, architecture: str, batch_size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"latents": 512, "allow_out_of_range": True, "batch_size": batch_size, **ARCHITECTURES[architecture]}
    one = source.workspace.variant(f"sae.{architecture}", variant=source.name, site="hook_embed", step=0, **fields)
    before, taken = told(one, monkeypatch), asked_for(one)
    assert 1 / 1.5 < before / taken < 1.5


def test_it_is_that_of_a_stream_too(source: BoundVariant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose updates have more inputs than the probe."""
    fields = {"latents": 512, "allow_out_of_range": True, "batch_size": 2000, "data": "stream"}
    one = source.workspace.variant("sae.standard", variant=source.name, site="hook_embed", step=0, **fields)
    assert 1 / 1.5 < told(one, monkeypatch) / asked_for(one) < 1.5


@pytest.mark.parametrize("architecture", ["topk", "crosscoder"])
def test_where_weights_are_more_than_latents_the_step_of_adam_counts(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = open_bound(tmp_path, tables(sae=miscope_sae))
    source = place.variant("sae.known-births", features=96, width=192, checkpoints=6, inputs=40)
    place.value.keep_record(source.value)
    fields = {"latents": 512, "allow_out_of_range": True, "batch_size": 16}
    (one,) = autoencoders(
        source, "hook_embed", step="all" if architecture == "crosscoder" else 5, architecture=architecture, **fields
    )
    assert 0.9 < told(one, monkeypatch) / asked_for(one) < 1.25


def test_more_inputs_are_measured_in_parts(source: BoundVariant) -> None:
    """What is recorded of the loss takes no more for more inputs than the inputs themselves and their latents."""
    (small, large) = (
        asked_for(
            source.workspace.variant(
                *("sae.standard",),
                **{"variant": source.name, "site": "hook_embed", "step": 0, "batch_size": 64},
                **{"latents": latents, "allow_out_of_range": True},
            )
        )
        for latents in (1024, 2048)
    )
    # 1,350 inputs trained on: their latents before and after, and two of an update's 64.
    assert (large - small) / (4 * 1024) < 2.5 * (1350 + 2 * 64) + 4 * 4 * 16
