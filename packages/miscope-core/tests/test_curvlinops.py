"""The curvature of a network against that of curvlinops, where it is installed: matrices of somebody else's code."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from miscope.analyzers.curvature import EIGENVALUES, TRACE, eigenvalues, trace
from miscope.analyzers.example_curvature import FISHER, fisher
from miscope.cross_entropy import classification
from miscope.examples import Examples
from miscope.loss_function import LossFunction
from miscope.testing import toy_modules as own
from miscope.testing import toy_snapshot


@pytest.fixture(scope="module")
def curvlinops() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it decorates with torch.jit.script, which is deprecated
        return pytest.importorskip("curvlinops")


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return own.seeded(3).double()


def shown(model: nn.Module, options: object):
    def run(weights: dict[str, Tensor], inputs: Tensor) -> dict[str, Tensor]:
        return {"logits": torch.func.functional_call(model, dict(weights), (inputs,))}

    examples = Examples(inputs=own.PAIRS, labels=own.SUMS)
    loss = LossFunction(objective=classification(), run=run, examples=examples, step=0)
    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    return toy_snapshot(weights=weights, losses={"train": loss}, options=options)


def laid_out(operator: type, model: nn.Module) -> np.ndarray:
    parameters = list(model.parameters())
    batches = [(own.PAIRS, own.SUMS)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = operator(model, nn.CrossEntropyLoss(), parameters, batches, check_deterministic=False)
        size = sum(parameter.numel() for parameter in parameters)
        return (made @ torch.eye(size, dtype=torch.float64)).detach().numpy()


def test_the_hessian_is_theirs(model: nn.Module, curvlinops: Any):
    whole = laid_out(curvlinops.HessianLinearOperator, model)
    found = trace(shown(model, TRACE.options(method="hutch++", probes=3 * len(whole))))
    assert found["trace"] == pytest.approx(np.trace(whole), rel=1e-8)
    values = np.linalg.eigvalsh(whole)
    ends = eigenvalues(shown(model, EIGENVALUES.options(count=3, iterations=len(whole))))
    assert ends["top"] == pytest.approx(values[::-1][:3], rel=1e-6)
    assert ends["bottom"] == pytest.approx(values[:3], rel=1e-6)


def test_both_kinds_of_fisher_information_are_theirs(model: nn.Module, curvlinops: Any):
    found = fisher(shown(model, FISHER.options()))
    assert found["empirical"] == pytest.approx(np.trace(laid_out(curvlinops.EFLinearOperator, model)), rel=1e-8)
    assert found["exact"] == pytest.approx(np.trace(laid_out(curvlinops.GGNLinearOperator, model)), rel=1e-8)
