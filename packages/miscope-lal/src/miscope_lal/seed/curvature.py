"""The seed's measurements of how a module's answers and its loss bend, over the maths of miscope's instruments.

A module is one of `create_model`, or any that gives logits (n, classes). All are in float64, draw from a generator of
their own, and leave gradients and parameters of the module as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from miscope.example_gradients import ExampleGradients
from miscope.loss_hessian import LossHessian, unfused
from miscope.maths.input_derivatives import on_the_sphere, quadratic_forms, squared_lengths
from miscope.maths.smoothness import cutoff_of, low_frequencies, smoothness
from miscope.maths.trace_estimates import hutchinson, signs
from miscope_lal.seed.answering import answers, loss_of_examples, own_embeddings, own_questions, weights_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["compute_fisher_trace", "compute_gradient_norm", "compute_hessian_trace", "compute_jacobian_norm"]
__all__ += ["compute_weight_hessian_trace", "predicted_table", "spectral_smoothness"]


def predicted_table(model: nn.Module, p: int, inputs: Tensor | None = None) -> np.ndarray:
    """(p, p) the class predicted for each pair.

    inputs: (p^2, ...) all pairs in row-major order; None for the network's own.
    """
    with torch.no_grad():
        given = own_questions(model) if inputs is None else inputs
        weights = {name: weight.detach() for name, weight in model.named_parameters()}
        return answers(model, weights, given).argmax(-1).cpu().numpy().reshape(p, p)


def spectral_smoothness(model: nn.Module, p: int, K: int | None = None, *, inputs: Tensor | None = None) -> float:
    """Share of the power of the table of predictions at low frequencies, the constant among them: higher is smoother.

    K: cycles over the table that are still low; None for p // 4. `smoothness.spectrum` is the instrument.
    """
    cutoff = cutoff_of((p, p)) if K is None else K / p
    return smoothness(predicted_table(model, p, inputs), low_frequencies((p, p), cutoff)).value


def compute_jacobian_norm(model: nn.Module, inputs: Tensor, num_samples: int = 10, *, seed: int = 0) -> float:
    """Mean over inputs of |df/dx|_F^2, by random directions among the logits; of tokens by their embedding.

    `sensitivity.jacobian` is the instrument.
    """
    random, (logits, at) = np.random.default_rng(seed), _varied(model, inputs)
    count, classes = logits.shape
    drawn = (torch.from_numpy(on_the_sphere(random, count, classes)).to(logits) for _ in range(num_samples))
    return classes * float(squared_lengths(logits, [at], drawn).mean())


def compute_hessian_trace(model: nn.Module, inputs: Tensor, num_samples: int = 5, *, seed: int = 0) -> float:
    """Mean over inputs of the trace of the predicted logit's second derivative by the input, signed.

    By directions of random signs. `sensitivity.input_hessian` is the instrument.
    """
    random, (logits, at) = np.random.default_rng(seed), _varied(model, inputs)
    shape = tuple(at.shape)
    drawn = (signs(random, shape[0], at[0].numel()).reshape(shape) for _ in range(num_samples))
    return float(quadratic_forms(logits.amax(dim=1), at, drawn).mean())


def compute_gradient_norm(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """|dL/dw|_2 over all parameters, L the mean cross-entropy; `curvature.gradient` is the instrument."""
    weights = weights_of(model)
    slopes = loss_of_examples(model, inputs, targets).gradient(weights, list(weights))
    return sum(float(slope.square().sum()) for slope in slopes.values()) ** 0.5


def compute_weight_hessian_trace(
    model: nn.Module, inputs: Tensor, targets: Tensor, num_samples: int = 10, *, seed: int = 0
) -> float:
    """Trace of the Hessian of the mean cross-entropy by all parameters, by directions of random signs.

    `curvature.trace` is the instrument.
    """
    hessian = LossHessian(loss_of_examples(model, inputs, targets), weights_of(model))
    random, product = np.random.default_rng(seed), _product(hessian)
    return float(hutchinson(product, [0], hessian.size, probes=num_samples, random=random).blocks.mean(axis=0)[0])


def compute_fisher_trace(model: nn.Module, inputs: Tensor, targets: Tensor, max_samples: int | None = 32) -> float:
    """Mean of |d loss_i / dw|^2 over the first examples, of their own labels: the empirical Fisher information's trace.

    max_samples: None for all. `curvature.fisher` is the instrument, and has the true one too.
    """
    loss = loss_of_examples(model, inputs[:max_samples], targets[:max_samples])
    rows = ExampleGradients(loss, weights_of(model)).of(loss.examples)
    return float(torch.cat([part.square().sum(dim=1) for part in rows]).mean())


def _varied(model: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (n, classes), and the inputs, or the embedding of tokens, that they can be differentiated by."""
    weights = weights_of(model)
    if not inputs.is_floating_point():
        with torch.no_grad():
            inputs = own_embeddings(model, inputs)
    at = inputs.detach().double().requires_grad_()
    with torch.enable_grad(), unfused():
        return answers(model, weights, at), at


def _product(hessian: LossHessian) -> Callable[[np.ndarray], np.ndarray]:
    return lambda directions: hessian.products(torch.from_numpy(directions)).numpy()
