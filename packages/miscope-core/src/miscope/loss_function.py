"""The loss as a function of the weights: one way of computing it, for training, gradients and the loss landscape."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.errors import BadValue
from miscope.examples import Examples
from miscope.lazily import torch
from miscope.model import LOGITS, Activations, Model, at_answers
from miscope.objective import ForwardPass, Objective
from miscope.task import Forward

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "Loss",
    "LossFunction",
    "Run",
    "batches",
    "loss_of",
    "mean_of",
    "network_of",
    "recorded",
    "run_of",
]

ENTRIES = 1 << 17
"""Numbers of inputs in one forward pass (tokens of all sequences together): bounds what is held between layers."""

Weights: TypeAlias = "Mapping[str, Tensor]"

Run: TypeAlias = "Callable[[Weights, Tensor], Activations]"
"""(weights, inputs) -> activations of an objective's sites at its positions."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Loss:
    """What an objective is at some weights and examples; 0-d tensors."""

    total: Tensor
    """The weighted sum: what is descended."""
    terms: Mapping[str, Tensor]
    """Each active term by name, without its coefficient."""


def run_of(objective: Objective, model: Callable[[], Model], logits: Forward | None = None) -> Run:
    """How the activations of an objective are computed: by the exact algebra of its logits, or by the model."""
    if logits is not None:
        return lambda weights, inputs: {LOGITS: logits(weights, inputs)}
    if objective.positions == "all":
        return lambda weights, inputs: model().run(weights, inputs, objective.sites)
    return lambda weights, inputs: model().answers(weights, inputs, objective.sites)


def network_of(objective: Objective, model: Callable[[], Model]) -> Run:
    """How they are computed without a shortcut, by the network's own operations."""
    if objective.positions == "all":
        return run_of(objective, model)
    return lambda weights, inputs: at_answers(model().run(weights, inputs, objective.sites))


def loss_of(objective: Objective, seen: ForwardPass) -> Loss:
    """The terms of a forward pass and their weighted sum, differentiable where the pass is."""
    weighted = {term.name: (coefficient, term.value(seen)) for term, coefficient in objective.active(seen.step).items()}
    if not weighted:
        names = ", ".join(term.name for term in objective.terms)
        raise BadValue(
            f"At step {seen.step} the objective has no term to descend.",
            f"The coefficient of each is 0 there: {names}.",
            "Give one of them a coefficient that is never 0.",
        )
    first, *rest = (value if coefficient == 1 else coefficient * value for coefficient, value in weighted.values())
    for value in rest:
        first = first + value
    return Loss(total=first, terms={name: value for name, (_, value) in weighted.items()})


def recorded(objective: Objective, seen: ForwardPass, loss: Loss) -> dict[str, Tensor]:
    """What is recorded of a pass: 'loss', the metrics, and, of several terms, each one and their 'total'; detached."""
    several = {"total": loss.total, **loss.terms} if len(objective.terms) > 1 else {}
    values = {"loss": loss.total, **several, **objective.metrics(seen)}
    return {name: value.detach() for name, value in values.items()}


def batches(objective: Objective, examples: Examples, *, entries: int = ENTRIES) -> Iterator[Examples]:
    """The examples in parts of at most so many numbers; in one where the loss is not the mean over parts."""
    rows = max(1, entries // max(1, examples.inputs[:1].numel()))
    if not objective.additive or len(examples) <= rows:
        yield examples
        return
    for start in range(0, len(examples), rows):
        yield examples.part(start, start + rows)


def mean_of(parts: Sequence[tuple[int, Mapping[str, Tensor]]]) -> dict[str, Tensor]:
    """Means of what several batches gave, by how much each weighs; one that weighs nothing has no say."""
    parts = [part for part in parts if part[0]] or parts[:1]
    if len(parts) == 1:
        return dict(parts[0][1])
    whole = sum(weight for weight, _ in parts)
    return {name: sum(weight * values[name] for weight, values in parts) / whole for name in parts[0][1]}  # pyright: ignore[reportReturnType]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class LossFunction:
    """The objective of some examples as a function of the weights, as at one step of training; float64, in batches."""

    objective: Objective
    run: Run
    examples: Examples
    step: int
    """Whose coefficients the terms have."""
    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    """The training's own tensors, of a task with callbacks."""
    network: Run | None = None
    """Gives what `run` gives, without a shortcut; None where `run` has none."""

    def __call__(self, weights: Weights) -> dict[str, float]:
        """'total', what is descended; 'loss', what is recorded as that; the metrics ('accuracy') and terms by name."""
        exact = {role: tensor.detach().double() for role, tensor in weights.items()}
        differentiates = self.objective.differentiates(self.step)
        parts = []
        with torch.set_grad_enabled(differentiates):
            if differentiates:
                exact = {role: tensor.requires_grad_() for role, tensor in exact.items()}
            for some in batches(self.objective, self.examples):
                seen = self.seen(exact, some)
                loss = loss_of(self.objective, seen)
                values = {"total": loss.total.detach(), **recorded(self.objective, seen, loss)}
                parts.append((self.objective.count(some), values))
        return {name: float(value) for name, value in mean_of(parts).items()}

    def gradient(self, weights: Weights, roles: Collection[str]) -> dict[str, Tensor]:
        """The gradient of what is descended for each of these roles, float64; all weights are needed."""
        exact = {role: tensor.detach().double() for role, tensor in weights.items()}
        # A term may differentiate by an activation that depends on other weights than those wanted.
        reached = exact if self.objective.differentiates(self.step) else roles
        for role in {*reached, *roles}:
            exact[role].requires_grad_()
        wanted = {role: exact[role] for role in roles}
        parts: list[tuple[int, dict[str, Tensor]]] = []
        with torch.enable_grad():
            for some in batches(self.objective, self.examples):
                total = self.total(exact, some)
                derivatives = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
                gradients = zip(wanted.items(), derivatives, strict=True)
                each = {role: torch.zeros_like(w) if g is None else g for (role, w), g in gradients}
                parts.append((self.objective.count(some), each))
        return mean_of(parts)

    def sample(self, entries: int | None, seed: int) -> LossFunction:
        """Of so many numbers of inputs at most (tokens of all sequences together); the same examples at every call.

        In whichever order the examples are given, the same ones are chosen. None: all of them.
        """
        each = max(1, self.examples.inputs[:1].numel())
        most = len(self.examples) if entries is None else max(1, entries // each)
        if len(self.examples) <= most:
            return self
        import numpy as np

        inputs = self.examples.inputs.flatten(1).numpy()
        order = np.lexsort(inputs.T[::-1])
        chosen = np.sort(np.random.default_rng(seed).choice(len(order), most, replace=False))
        return replace(self, examples=self.examples.rows(torch.from_numpy(order[chosen])))

    def total(self, weights: Weights, examples: Examples) -> Tensor:
        """What is descended, of these examples and no others; 0-d, differentiable where gradients are enabled."""
        return loss_of(self.objective, self.seen(weights, examples)).total

    def seen(self, weights: Weights, examples: Examples) -> ForwardPass:
        """The pass of these examples that the terms are functions of."""
        inputs = examples.inputs.double() if examples.inputs.is_floating_point() else examples.inputs
        activations = dict(self.run(weights, inputs))
        examples = replace(examples, inputs=inputs)
        return ForwardPass(
            examples=examples, activations=activations, weights=weights, step=self.step, buffers=self.buffers
        )
