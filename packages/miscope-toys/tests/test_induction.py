"""The induction family: it keeps the contract, and what it learns is an induction circuit."""

from __future__ import annotations

import math

import pytest
import torch

import miscope_toys
from miscope import Examples, Family, ForwardPass, Probe, Task, next_token
from miscope.family import make_variant
from miscope.loss_function import LossFunction, loss_of, recorded, run_of
from miscope.model import Model
from miscope.testing import check_family
from miscope_toys.induction import InductionFamily
from miscope_toys.nanda_induction import NandaInductionFamily
from miscope_toys.sequences import IGNORED

TINY = {"vocabulary": 12, "length": 16, "sequences": 64, "width": 16}


def test_the_induction_family_keeps_the_contract() -> None:
    check_family(InductionFamily(), TINY)


@pytest.mark.parametrize(
    ("family", "params"),
    [(InductionFamily(), TINY), (NandaInductionFamily(), {})],
    ids=["trained", "published"],
)
def test_sequences_that_are_drawn_end_in_a_block_that_stood_before(family: Family, params: dict[str, int]) -> None:
    tokens = family.sampled(make_variant(family, params), 0, 3, 50)
    assert tokens is not None
    halves = tokens.shape[1] // 2
    again = torch.stack([(tokens[:, -p:] == tokens[:, -2 * p : -p]).all(1) for p in range(4, halves + 1)])
    assert bool(again.any(0).all())
    assert len(tokens.unique(dim=0)) == 50


def asked(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """What is recorded of these logits."""
    examples = Examples(inputs=torch.zeros_like(labels), labels=labels)
    seen = ForwardPass(examples=examples, activations={"logits": logits}, weights={}, step=0)
    objective = next_token()
    return recorded(objective, seen, loss_of(objective, seen))


def test_only_asked_positions_count() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 7, 11, generator=generator).double()
    labels = torch.randint(11, (5, 7), generator=generator)
    labels[:, :4] = IGNORED
    before = asked(logits, labels)
    logits[:, :4] = 1e3 * torch.randn(5, 4, 11, generator=generator)
    after = asked(logits, labels)
    assert all(torch.equal(before[name], after[name]) for name in ("loss", "accuracy"))
    expected = torch.nn.functional.cross_entropy(logits[:, 4:].reshape(-1, 11), labels[:, 4:].reshape(-1))
    torch.testing.assert_close(after["loss"], expected)


def test_a_clueless_model_loses_the_logarithm_of_the_vocabulary() -> None:
    labels = torch.tensor([[IGNORED, 3, 5]])
    assert float(asked(torch.zeros(1, 3, 32), labels)["loss"]) == pytest.approx(math.log(32))


def test_training_falls_below_what_knowing_the_tokens_of_the_block_gives(workspace) -> None:
    """Small enough for a test of seconds: beyond the entropy of a uniform guess among the block's tokens."""
    small = workspace(toys=miscope_toys).variant(
        "toys.induction",
        vocabulary=12,
        length=24,
        sequences=600,
        width=32,
        steps=300,
        learning_rate=3e-3,
        checkpoints="every:300",
        evaluate_every=100,
    )
    for _ in small.train(threads=1):
        pass
    values = small.metrics()["test_loss"].values
    assert values[0] > math.log(12)
    assert values[-1] < 0.5 * math.log(4)


def scores(model: Model, weights, probe: Probe) -> dict[str, torch.Tensor]:
    """Attention to the previous token, and to all tokens that followed the present one before; (layer, head).

    The least over the probe's periods, so that a head that attends to a fixed distance scores nothing.
    """
    sites = sorted(site for site in model.sites if site.endswith("hook_pattern"))
    seen = model.run(weights, probe.inputs, sites)
    pattern = torch.stack([seen[site] for site in sites], 1)
    tokens, period = probe.inputs, torch.from_numpy(probe.columns["period"])
    followed = torch.zeros(len(tokens), *pattern.shape[-2:], dtype=torch.bool)
    followed[:, :, 1:] = tokens[:, :, None] == tokens[:, None, :-1]
    followed &= torch.ones(pattern.shape[-2:]).tril().bool()
    matched = (pattern * followed[:, None, None]).sum(-1)
    asked = followed.any(-1)[:, None, None]
    shares = [
        (matched * asked)[period == value].sum((0, 3)) / asked[period == value].sum() for value in period.unique()
    ]
    return {"previous": pattern.diagonal(-1, -2, -1).mean((0, 3)), "induction": torch.stack(shares).amin(0)}


@pytest.mark.slow
def test_the_circuit_forms_in_the_default_run(workspace) -> None:
    # Looked at where it is asked about: evaluating it at every fortieth step takes a third of the time.
    variant = workspace(toys=miscope_toys).variant("toys.induction", checkpoints="every:240", evaluate_every=240)
    for _ in variant.train(steps=1200, threads=1):
        pass
    loss = variant.metrics()["test_loss"]
    at = dict(zip(loss.steps.tolist(), loss.values.tolist(), strict=True))
    assert at[480] > 2 > 0.3 > at[960] > at[1200]
    assert variant.metrics()["test_accuracy"].values[-1] > 0.97
    context = variant.workspace.context(variant.value)
    before = scores(context.model, variant.at(0).checkpoint.weights, context.probe())
    after = scores(context.model, variant.at(1200).checkpoint.weights, context.probe())
    assert before["induction"].max() < 0.2
    assert after["induction"][0].max() < 0.2 < 0.6 < after["induction"][1].max()
    assert before["previous"].max() < 0.15
    assert after["previous"][1].max() < 0.15 < 0.25 < after["previous"][0].max()


def test_its_task_asks_at_every_position() -> None:
    task: Task = InductionFamily().task(make_variant(InductionFamily(), TINY))
    assert task.objective.positions == "all"
    assert task.train.labels.shape == task.train.inputs.shape
    assert len(task.train) == 51
    assert len(task.test) == 13


def test_its_gradients_are_of_every_asked_position_with_its_own_algebra_and_without() -> None:
    variant = make_variant(InductionFamily(), {"vocabulary": 12, "length": 16, "sequences": 16, "width": 8})
    task, model = InductionFamily().task(variant), InductionFamily().model(variant.params)
    weights = task.initial_weights()
    runs = (run_of(task.objective, lambda: model, logits) for logits in (task.logits, None))
    short, long = (
        LossFunction(objective=task.objective, run=run, examples=task.train, step=0).gradient(weights, list(weights))
        for run in runs
    )
    assert sum(float(gradient.square().sum()) for gradient in short.values()) > 0
    for role, gradient in short.items():
        torch.testing.assert_close(long[role], gradient, rtol=1e-9, atol=1e-10 * float(gradient.abs().max()))


def test_its_gradients_and_its_flatness_are_those_of_its_own_loss(workspace) -> None:
    """Against autograd on cross-entropy at every asked position, through the hooked model."""
    small = workspace(toys=miscope_toys).variant(
        "toys.induction", vocabulary=12, length=16, sequences=32, width=8, steps=2, checkpoints=[0, 2]
    )
    list(small.train(threads=1))
    names = ("gradients.energy", "flatness.perturbation")
    alone = {"flatness.perturbation": {"directions": 1, "relative": (0.1,), "filter": (), "isotropic": ()}}
    assert all(outcome.error == "" for outcome in small.analyze(*names, steps=[2], options=alone))
    context = small.workspace.context(small.value)
    train = context.task.train
    weights = {r: w.double().requires_grad_() for r, w in small.at(2).checkpoint.weights.items()}
    logits = context.model.run(weights, train.inputs, ["logits"])["logits"]
    asked_for = train.labels != IGNORED
    loss = torch.nn.functional.cross_entropy(logits[asked_for], train.labels[asked_for])
    loss.backward()
    energy = small.arrays("gradients.energy", 2)
    for role, w in weights.items():
        assert float(energy[f"{role}/energy"]) == pytest.approx(float(w.grad.square().sum()), rel=1e-9, abs=1e-20)
    flat = small.arrays("flatness.perturbation", 2, options=alone)
    assert float(flat["loss"]) == pytest.approx(loss.item(), rel=1e-9)
    right = (logits.argmax(-1) == train.labels)[asked_for].double().mean()
    assert float(flat["accuracy"]) == pytest.approx(float(right), abs=1e-12)
