"""Sensitivity of models to their inputs: of one that is linear, one that is quadratic, the toy, and somebody's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from miscope.analyzers.sensitivity import INPUT_HESSIAN, JACOBIAN
from miscope.bound import open_bound
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.model import HookedModel, Role
from miscope.model_context import ModelContext
from miscope.probe import Probe
from miscope.testing import ToyFamily, tables, toy_snapshot
from miscope.testing import toy_modules as own

EMBED, POST = "hook_embed", "blocks.0.mlp.hook_post"


class Own(nn.Module):
    """Logits from numbers, by a function of a matrix and the hidden numbers x W."""

    def __init__(self, function: Callable[[Tensor], Tensor], *shape: int) -> None:
        super().__init__()
        self.function, self.point = function, nn.Identity()
        self.W = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.point(x @ self.W))[:, None]


def of_own(analyzer: Any, function: Callable[[Tensor], Tensor], matrix: Tensor, **options: Any):
    net = Own(function, *matrix.shape)
    model = HookedModel(
        net,
        roles=[Role(name="W", axes=("d_in", "d_mlp"), shape=tuple(matrix.shape))],
        sites={POST: net.point},
        place=lambda weights: {"W": weights["W"]},
    )
    inputs = torch.randn(300, matrix.shape[0], generator=torch.Generator().manual_seed(0))
    probe = Probe(name="numbers", inputs=inputs, train=np.arange(300) < 100)
    chosen = analyzer.options(**options)
    return analyzer.compute(toy_snapshot(model=model, weights={"W": matrix}, probe=probe, options=chosen))


def matrix(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("options", [{}, {"exact": True}, {"probes": 300}])
def test_of_a_linear_model_it_is_the_squared_frobenius_norm_of_its_matrix(options: dict[str, Any]):
    weights = matrix(6, 30)
    outputs = of_own(JACOBIAN, lambda hidden: hidden, weights, **options)
    known = float(weights.double().square().sum())
    error = float(outputs["input/squared_norm/sem"])
    assert outputs["exact"] == (1 if options else 0)
    assert abs(outputs["input/squared_norm"] - known) <= (4 * error if not options else 1e-10 * known)
    assert error < 0.05 * known
    assert outputs[f"{POST}/squared_norm"] == pytest.approx(30, rel=0.1 if not options else 1e-12)
    assert outputs["inputs"] == 200, "the test inputs"


def quadratic(bend: Tensor) -> Callable[[Tensor], Tensor]:
    """Logits whose first is always the greatest: 1e4 + sum_j bend_j h_j^2 / 2."""
    return lambda h: torch.stack([1e4 + (bend * h.square()).sum(1) / 2, 0 * h[:, 0]], dim=1)


def test_of_a_quadratic_model_the_trace_is_known_and_signed():
    weights, bend = matrix(6, 4), -torch.arange(1.0, 5.0).double()
    outputs = of_own(INPUT_HESSIAN, quadratic(bend), weights, probes=20, sites=("blocks.*",))
    known = float((bend * weights.double().square().sum(0)).sum())
    assert outputs[f"{POST}/trace"] == pytest.approx(-10, rel=1e-12)
    assert outputs[f"{POST}/trace/sem"] == pytest.approx(0, abs=1e-12)
    assert 0 < outputs["input/trace/sem"] < 0.1 * abs(known)
    assert abs(outputs["input/trace"] - known) < 4 * outputs["input/trace/sem"]


def of_toy(analyzer: Any, step: int = 0, weights: dict[str, Tensor] | None = None, **options: Any):
    family = ToyFamily()
    context = ModelContext(family, make_variant(family, {}))
    assert context.task is not None
    snapshot = toy_snapshot(
        step=step,
        model=context.model,
        weights=weights or context.task.initial_weights(),
        options=analyzer.options(**options),
    )
    return analyzer.compute(snapshot)


def test_tokens_are_varied_in_their_embedding_and_every_layer_has_its_own():
    outputs = of_toy(JACOBIAN, exact=True, sites=("hook_embed", "blocks.*_post"))
    assert {name for name in outputs if name.endswith("squared_norm")} == {
        f"{name}/squared_norm" for name in ("input", POST, "blocks.0.hook_resid_post")
    }
    family = ToyFamily()
    context = ModelContext(family, make_variant(family, {}))
    assert context.task is not None
    weights = {role: tensor.double() for role, tensor in context.task.initial_weights().items()}
    assert outputs["blocks.0.hook_resid_post/squared_norm"] == pytest.approx(float(weights["W_U"].square().sum()))
    probe = context.probe()
    assert probe.train is not None
    embed = weights["W_E"][probe.inputs[torch.from_numpy(~probe.train)]].sum(1)

    def answers(row: Tensor) -> Tensor:
        post = torch.relu(row @ weights["blocks.0.mlp.W_in"])
        return (row + post @ weights["blocks.0.mlp.W_out"]) @ weights["W_U"]

    known = torch.stack([torch.func.jacrev(answers)(row).square().sum() for row in embed])
    assert outputs["input/squared_norm"] == pytest.approx(float(known.mean()), rel=1e-10)
    assert outputs["input/spread"] == pytest.approx(float(known.std()), rel=1e-10)


def test_a_network_of_relus_does_not_bend():
    assert of_toy(INPUT_HESSIAN)["input/trace"] == 0


def test_directions_are_those_of_seed_and_step():
    one, again, later, seeded = (
        of_toy(JACOBIAN, probes=2, **fields) for fields in ({}, {}, {"step": 7}, {"seed": 1, "inputs": 10_000})
    )
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert len({float(each["input/squared_norm"]) for each in (one, later, seeded)}) == 3


# --- somebody's own modules ---------------------------------------------------------------------------------------


class Attends(nn.Module):
    """Fused attention, and a normalisation, on a sequence of vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, activation="gelu", batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.block(x)
        return self.head(nn.functional.scaled_dot_product_attention(x, x, seen))


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * ctx.saved_tensors[0].cos()


class Bent(nn.Module):
    """A linear layer, written over in place, then bent by a function of one's own."""

    def __init__(self, bend: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear, self.bend = nn.Linear(4, 3), bend

    def forward(self, x: Tensor) -> Tensor:
        return self.bend(self.linear(x).mul_(2.0))


def of_module(module: nn.Module, inputs: Tensor, place: Path, analyzer: Any, **options: Any):
    """What the instrument says of it, recorded; or why it does not apply."""
    workspace = open_bound(place, tables())
    with workspace.record("mine", module, probe=inputs) as recorder:
        recorder.checkpoint(0, module)
    variant = workspace.find("mine")
    (outcome,) = variant.analyze(analyzer.name, options={analyzer.name: options})
    assert outcome.state in ("saved", "skipped"), outcome.error
    return variant.arrays(analyzer.name, 0, options={analyzer.name: options}) if outcome.state == "saved" else outcome


def vectors(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def dense(module: nn.Module, inputs: Tensor) -> tuple[float, float]:
    """Mean squared norm of the Jacobian and mean trace of the Hessian of the predicted logit, row by row."""
    exact, norms, traces = module.double().eval(), [], []

    def logits(row: Tensor) -> Tensor:
        found = exact(row[None])[0]
        return found[-1] if found.ndim == 2 else found

    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        for row in inputs.double():
            best = int(logits(row).argmax())
            norms.append(float(torch.autograd.functional.jacobian(logits, row).square().sum()))  # pyright: ignore
            hessian = torch.autograd.functional.hessian(lambda x, best=best: logits(x)[best], row)
            traces.append(float(hessian.reshape(row.numel(), row.numel()).trace()))  # pyright: ignore
    return float(np.mean(norms)), float(np.mean(traces))


@pytest.mark.parametrize(("kind", "shape"), [(Attends, (8, 5, 4)), (own.Convolutional, (6, 1, 4, 4))])
def test_any_module_on_numbers_is_differentiated_by_what_it_is_given(kind: Any, shape: Any, tmp_path: Path):
    module, inputs = own.seeded(kind=kind), vectors(*shape)
    norms = of_module(module, inputs, tmp_path / "norms", JACOBIAN)
    traces = of_module(module, inputs, tmp_path / "traces", INPUT_HESSIAN, probes=40)
    norm, trace = dense(module, inputs)
    assert norms["input/squared_norm"] == pytest.approx(norm, rel=1e-9)
    assert abs(traces["input/trace"] - trace) <= 4 * traces["input/trace/sem"]


def test_a_module_that_writes_into_what_it_is_given_is_differentiated_by_what_that_was(tmp_path: Path):
    module, inputs = Bent(torch.tanh), vectors(8, 4)
    found = of_module(module, inputs, tmp_path, JACOBIAN, sites=("linear",))
    with torch.no_grad():
        slopes = 1 - torch.tanh(2 * module.double().linear(inputs.double())).square()
    assert found["linear/squared_norm"] == pytest.approx(float((2 * slopes).square().sum(1).mean()), rel=1e-9)


@pytest.mark.parametrize(
    ("bend", "reason"),
    [
        (Once.apply, "no second derivative: a part of it is said to be differentiable once only"),
        (lambda x: Once.apply(x).square(), "no second derivative: a part of it is said to be differentiable once only"),
        (torch.detach, "its logits cannot be differentiated by its inputs"),
    ],
)
def test_why_it_cannot_be_differentiated_is_said(bend: Any, reason: str, tmp_path: Path):
    outcome = of_module(Bent(bend), vectors(8, 4), tmp_path, INPUT_HESSIAN)
    assert reason in outcome.error


def test_of_tokens_without_an_embedding_that_is_named_there_is_nothing_to_vary_but_sites(tmp_path: Path):
    outcome = of_module(own.seeded(), own.PAIRS, tmp_path / "bare", JACOBIAN)
    reason = "its inputs are whole numbers, and it has no site 'hook_embed' at which they could be varied"
    assert reason in outcome.error
    found = of_module(own.seeded(), own.PAIRS, tmp_path / "named", JACOBIAN, sites=("embed",))
    assert found["embed/squared_norm"] > 0


def test_a_model_without_logits_is_told_so():
    net = Own(lambda hidden: hidden, 6, 3)
    model = HookedModel(net, roles=[], sites={"out": net}, place=lambda weights: {})
    with pytest.raises(DoesNotApply, match="its model gives no logits"):
        JACOBIAN.compute(toy_snapshot(model=model, weights={"W": torch.zeros(1)}, options=JACOBIAN.options()))
