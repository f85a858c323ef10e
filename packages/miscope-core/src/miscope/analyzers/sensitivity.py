"""How strongly the answers react to the inputs: the length of their Jacobian, and how it bends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain
from miscope.analyzers.varied_inputs import VariedOptions, varied_answers
from miscope.artifact import Arrays
from miscope.lazily import torch
from miscope.maths.draws import random_of
from miscope.maths.input_derivatives import mean_over_inputs, on_the_sphere, quadratic_forms, squared_lengths
from miscope.needs import Needs
from miscope.snapshot import Snapshot

_INPUTS = "NAME is 'input', or a site of the option"


class JacobianOptions(VariedOptions):
    """What is varied, and how exactly the derivative is known."""

    probes: Count = 10
    """Random directions among the logits for each input."""
    exact: bool = False
    """Whether every logit is differentiated instead; it is anyway where there are no more logits than directions."""
    sites: tuple[str, ...] = ("blocks.*_post",)
    """Patterns of sites by whose activations the answers are differentiated too: 'blocks.*.hook_resid_post'."""


def jacobian(snapshot: Snapshot[JacobianOptions]) -> Arrays:
    """Mean over test inputs of the squared Frobenius norm of the logits' derivative by the input, and by layers.

    By directions v drawn anew for each input, uniform on the unit sphere of logits: classes times |J^T v|^2 is
    unbiased; `sem` is its standard error over directions, these inputs given. The input is the numbers that the model
    is given, and of tokens their embedding at all positions, where a scaling of the embedding changes the numbers: not
    to be compared between kinds of models. float64, 4,096 tokens or 65,536 numbers at a time.
    """
    options = snapshot.options
    random = random_of("sensitivity.jacobian", seed=options.seed, step=snapshot.step)
    parts: dict[str, list[np.ndarray]] = {}
    exact = options.exact
    for answers in varied_answers(snapshot):
        logits, classes = answers.logits, answers.logits.shape[1]
        exact = options.exact or classes <= options.probes
        drawn = _units(len(logits), classes) if exact else _spheres(random, len(logits), classes, options.probes)
        squares = squared_lengths(logits, list(answers.at.values()), (torch.from_numpy(v).to(logits) for v in drawn))
        norms = squares.sum(axis=0, keepdims=True) if exact else classes * squares
        for place, name in enumerate(answers.at):
            parts.setdefault(name, []).append(norms[:, place])
    outputs: dict[str, np.ndarray] = {}
    for name, batches in parts.items():
        found = mean_over_inputs(np.concatenate(batches, axis=1))
        outputs[f"{name}/squared_norm"] = np.array(found.value)
        outputs[f"{name}/squared_norm/sem"] = np.array(0.0 if exact else found.sem)
        outputs[f"{name}/spread"] = np.array(found.spread)
    return outputs | {"inputs": _counted(parts), "exact": np.array(int(exact))}


def _spheres(random: np.random.Generator, count: int, classes: int, probes: int) -> Iterator[np.ndarray]:
    return (on_the_sphere(random, count, classes) for _ in range(probes))


def _units(count: int, classes: int) -> Iterator[np.ndarray]:
    return (np.tile(row, (count, 1)) for row in np.eye(classes))


def _counted(parts: Mapping[str, list[np.ndarray]]) -> np.ndarray:
    return np.array(sum(batch.shape[1] for batch in next(iter(parts.values()))))


JACOBIAN = Analyzer(
    name="sensitivity.jacobian",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=jacobian,
    needs=Needs(weights=("*",), model=True),
    opt_in=True,
    options=JacobianOptions,
    not_invariant_to=("relu scaling", "token relabelling"),
    question="How strongly do the logits react to a small change of the input, or of a layer?",
    formula="mean over x of |df/dx|_F^2 = C E_v |(df/dx)^T v|^2, v uniform on the unit sphere of the C logits",
    source="Hoffman, Roberts & Yaida 2019 (arXiv 1908.02729); Novak et al. 2018 (arXiv 1802.08760)",
    outputs={
        "NAME/squared_norm": f"() mean squared Frobenius norm of the logits' derivative; {_INPUTS}",
        "NAME/squared_norm/sem": "() its standard error over directions, 0 where every logit was differentiated",
        "NAME/spread": "() standard deviation over inputs",
        "inputs": "() inputs drawn",
        "exact": "() 1 where every logit was differentiated",
    },
)


class InputHessianOptions(VariedOptions):
    """What is varied, and how exactly the derivative is known."""

    probes: Count = 5
    """Random directions for each input."""


def input_hessian(snapshot: Snapshot[InputHessianOptions]) -> Arrays:
    """Mean over test inputs of the trace of the second derivative of the predicted class's logit by the input.

    Signed: negative where the logit of what is predicted is a peak. By directions of random signs, drawn anew for each
    input; `sem` is the standard error over directions, these inputs given. It is 0 of a linear network, and of one of
    ReLUs almost everywhere: what is not 0 there comes of attention or normalisation. The input is as in
    `sensitivity.jacobian`. Needs two passes backwards, and a network that PyTorch can differentiate twice. float64,
    4,096 tokens or 65,536 numbers at a time.
    """
    options = snapshot.options
    random = random_of("sensitivity.input_hessian", seed=options.seed, step=snapshot.step)
    parts: dict[str, list[np.ndarray]] = {}
    for answers in varied_answers(snapshot):
        predicted = answers.logits.argmax(dim=1, keepdim=True)
        with torch.enable_grad():
            answer = answers.logits.gather(1, predicted)[:, 0]
            for name, tensor in answers.at.items():
                drawn = (2.0 * random.integers(0, 2, tuple(tensor.shape)) - 1 for _ in range(options.probes))
                parts.setdefault(name, []).append(quadratic_forms(answer, tensor, drawn))
    outputs: dict[str, np.ndarray] = {}
    for name, batches in parts.items():
        found = mean_over_inputs(np.concatenate(batches, axis=1))
        outputs |= {f"{name}/trace": np.array(found.value), f"{name}/trace/sem": np.array(found.sem)}
    return outputs | {"inputs": _counted(parts)}


INPUT_HESSIAN = Analyzer(
    name="sensitivity.input_hessian",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=input_hessian,
    needs=Needs(weights=("*",), model=True),
    opt_in=True,
    options=InputHessianOptions,
    not_invariant_to=("token relabelling",),
    question="Does the logit of the predicted answer bend as the input changes, and which way?",
    formula="mean over x of tr d^2 z / dx^2 = E_v v^T (d^2 z / dx^2) v, v of random signs, z the predicted logit",
    source="Hutchinson 1990; Least Action Learning",
    outputs={
        "NAME/trace": f"() mean trace, signed; {_INPUTS}",
        "NAME/trace/sem": "() its standard error over directions",
        "inputs": "() inputs drawn",
    },
)
