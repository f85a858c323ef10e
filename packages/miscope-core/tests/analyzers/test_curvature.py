"""Slope and curvature of bowls one knows, of objectives with several terms, and of anybody's network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope.analysis.losses import losses_of
from miscope.analyzers.curvature import EIGENVALUES, GRADIENT, TRACE, eigenvalues, gradient, trace
from miscope.errors import DoesNotApply
from miscope.examples import Examples
from miscope.family import make_variant
from miscope.loss_function import LossFunction
from miscope.loss_hessian import LossHessian
from miscope.model_context import ModelContext
from miscope.objective import ForwardPass, Objective, Term
from miscope.snapshot import Snapshot
from miscope.testing import toy_snapshot
from miscope.testing.toy_gated import ToyGated

WEIGHTS = {"W_E": torch.linspace(-1, 2, 12).reshape(3, 4), "b": torch.tensor([0.5, -2.0])}
TURN = torch.linalg.qr(torch.randn(14, 14, generator=torch.Generator().manual_seed(0), dtype=torch.float64))[0]
SPECTRUM = torch.cat([torch.tensor([30.0, 8.0, 2.0, -3.0, -0.5]), torch.linspace(0.01, 0.1, 9)]).double()
HESSIAN = (TURN * SPECTRUM) @ TURN.T


def bowl(seen: ForwardPass) -> Tensor:
    """w H w / 2 with the spectrum above."""
    w = torch.cat([seen.weights[role].flatten() for role in WEIGHTS])
    return w @ HESSIAN @ w / 2


def of_bowl(options: Any, step: int = 0, *, terms: tuple[Term, ...] = ()) -> Snapshot:
    objective = Objective(terms=(Term(name="bowl", value=bowl), *terms))
    examples = Examples(inputs=torch.zeros(4, 1))
    loss = LossFunction(objective=objective, run=lambda weights, inputs: {}, examples=examples, step=step)
    return toy_snapshot(weights=WEIGHTS, losses={"train": loss}, options=options, step=step)


def test_the_gradient_of_a_bowl_is_as_long_as_its_matrix_times_the_weights():
    outputs = gradient(of_bowl(GRADIENT.options()))
    slope = HESSIAN @ torch.cat([w.flatten() for w in WEIGHTS.values()]).double()
    assert outputs["norm"] == pytest.approx(float(slope.norm()), rel=1e-12)
    assert outputs["root_mean_square"] == pytest.approx(float(slope.square().mean().sqrt()), rel=1e-12)
    assert outputs["W_E/norm"] == pytest.approx(float(slope[:12].norm()), rel=1e-12)
    assert outputs["b/norm"] == pytest.approx(float(slope[12:].norm()), rel=1e-12)


def test_the_trace_of_a_bowl_is_the_sum_of_its_spectrum_and_blocks_add_up():
    outputs = trace(of_bowl(TRACE.options(probes=2000)))
    assert abs(float(outputs["trace"]) - float(SPECTRUM.sum())) < 4 * outputs["trace/sem"]
    assert outputs["trace/sem"] < 0.05 * float(SPECTRUM.sum())
    assert outputs["square"] == pytest.approx(float(SPECTRUM.square().sum()), rel=0.05)
    for role, block in (("W_E", HESSIAN[:12, :12]), ("b", HESSIAN[12:, 12:])):
        assert abs(float(outputs[f"{role}/trace"]) - float(block.trace())) < 4 * outputs[f"{role}/trace/sem"]
    assert outputs["trace"] == pytest.approx(outputs["W_E/trace"] + outputs["b/trace"], rel=1e-12)


def test_hutch_plus_plus_is_exact_where_its_directions_span_all_weights():
    outputs = trace(of_bowl(TRACE.options(method="hutch++", probes=42)))
    assert outputs["trace"] == pytest.approx(float(SPECTRUM.sum()), rel=1e-9)
    assert outputs["trace/sem"] == pytest.approx(0, abs=1e-9)
    assert set(outputs) == {"trace", "trace/sem"}


def test_directions_are_the_same_for_a_seed_and_step_and_others_at_the_next():
    def traced(step: int, seed: int) -> float:
        return float(trace(of_bowl(TRACE.options(probes=3, seed=seed), step))["trace"])

    torch.manual_seed(0)
    one = traced(0, 0)
    torch.manual_seed(1)
    assert traced(0, 0) == one
    assert len({one, traced(10, 0), traced(0, 1)}) == 3


def test_terms_can_be_left_out_and_one_that_is_not_there_is_named():
    length = Term(name="length", value=lambda seen: seen.weights["b"].square().sum() / 2, coefficient=lambda step: step)
    both = of_bowl(TRACE.options(method="hutch++", probes=42), 3, terms=(length,))
    alone = replace(both, options=TRACE.options(method="hutch++", probes=42, terms=("length",)))
    assert trace(both)["trace"] == pytest.approx(float(SPECTRUM.sum()) + 3 * 2, rel=1e-9)
    assert trace(alone)["trace"] == pytest.approx(3 * 2, rel=1e-9)
    with pytest.raises(DoesNotApply) as unknown:
        trace(replace(both, options=TRACE.options(terms=("bowl", "jacobian"))))
    assert unknown.value.reason == "its objective has no term 'jacobian' among bowl, length"
    asleep = of_bowl(GRADIENT.options(terms=("length",)), 0, terms=(length,))
    with pytest.raises(DoesNotApply) as silent:
        gradient(asleep)
    assert silent.value.reason == "its objective gives length no weight at step 0"


def test_the_ends_of_a_bowls_spectrum_are_its_eigenvalues_and_hold_their_share_of_slope_and_trace():
    outputs = eigenvalues(of_bowl(EIGENVALUES.options(count=3, probes=400)))
    vector = torch.cat([w.flatten() for w in WEIGHTS.values()]).double()
    along = (HESSIAN @ vector @ TURN).square()
    assert outputs["top"] == pytest.approx([30, 8, 2], rel=1e-9)
    assert outputs["bottom"] == pytest.approx([-3, -0.5, 0.01], rel=1e-6)
    for name in ("top/residual", "bottom/residual"):
        assert outputs[name] == pytest.approx([0, 0, 0], abs=1e-9)
    assert outputs["top/overlap"] == pytest.approx((along[:3] / along.sum()).numpy(), rel=1e-6)
    assert outputs["bottom/overlap"] == pytest.approx((along[3:6] / along.sum()).numpy(), rel=1e-6)
    assert (float(outputs["largest"]), float(outputs["smallest"])) == pytest.approx((30, -3))
    whole = float(SPECTRUM.sum())
    assert abs(float(outputs["trace"]) - whole) <= 4 * float(outputs["trace/sem"])
    assert outputs["trace/sem"] < 1e-3 * whole
    assert outputs["top/share"] == pytest.approx(np.array([30, 8, 2]) / whole, rel=0.01)
    assert float(outputs["overlap/expected"]) == pytest.approx(3 / 14)


def test_of_a_random_direction_the_overlap_stays_below_its_bound_as_often_as_is_said():
    outputs = eigenvalues(of_bowl(EIGENVALUES.options(count=3)))
    random = np.random.default_rng(0).standard_normal((20_000, 14))
    share = np.square(random[:, :3]).sum(axis=1) / np.square(random).sum(axis=1)
    assert share.mean() == pytest.approx(float(outputs["overlap/expected"]), rel=0.02)
    assert (share < outputs["overlap/high"]).mean() == pytest.approx(0.975, abs=0.005)


def test_at_the_bottom_of_a_bowl_there_is_no_gradient_to_overlap():
    flat = of_bowl(EIGENVALUES.options(count=20))
    outputs = eigenvalues(replace(flat, weights={role: 0 * w for role, w in WEIGHTS.items()}))
    assert np.isnan(outputs["overlap"])
    assert outputs["top"] == pytest.approx(np.sort(SPECTRUM.numpy())[::-1], abs=1e-9)
    assert outputs["bottom"] == pytest.approx(np.sort(SPECTRUM.numpy()), abs=1e-9)


def of_gated(options: Any) -> Snapshot:
    """At a step at which every term has weight, one of which differentiates by an activation itself."""
    context = ModelContext(ToyGated(), make_variant(ToyGated(), {"values": 5, "width": 4}))
    assert context.task is not None
    weights = context.task.initial_weights()
    return toy_snapshot(weights=weights, losses=losses_of(context, 10), options=options, step=10)


def test_a_loss_that_differentiates_itself_curves_as_its_whole_matrix_says():
    snapshot = of_gated(TRACE.options(probes=300))
    hessian = LossHessian(snapshot.losses["train"], snapshot.weights)
    whole = hessian.products(torch.eye(hessian.size, dtype=torch.float64))
    outputs = trace(snapshot)
    assert abs(float(outputs["trace"]) - float(whole.trace())) < 4 * outputs["trace/sem"]
    assert outputs["square"] == pytest.approx(float(whole.square().sum()), rel=0.2)
    plain = trace(of_gated(TRACE.options(probes=300, terms=("cross_entropy",))))
    assert not np.isclose(plain["trace"], outputs["trace"], rtol=1e-3)
