"""What a training descends: named terms over named activations, the examples, the weights and the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, final

from miscope.examples import Examples
from miscope.field_docs import documented

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ForwardPass", "Objective", "Term"]

IGNORED = -100
"""The label of a position that does not count, as PyTorch's losses have it."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class ForwardPass:
    """One run of the network over some examples: what terms and metrics are functions of."""

    examples: Examples
    """The inputs, and the labels where there are any, on the device of the loss."""
    activations: Mapping[str, Tensor]
    """Of the objective's sites: 'logits' in the type of the loss, others as the network computed them and, with
    `positions="all"`, the very tensors on its way, so that a term can differentiate by them."""
    weights: Mapping[str, Tensor]
    """By role, those it was run with."""
    step: int
    """Optimizer updates before this one."""
    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    """The training's own tensors, of a task with callbacks; not to be written into."""

    @property
    def logits(self) -> Tensor:
        return self.activations["logits"]

    @property
    def labels(self) -> Tensor:
        assert self.examples.labels is not None, "this task has no labels"
        return self.examples.labels


def always(step: int) -> float:
    """The coefficient of a term that counts as it is."""
    return 1.0


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Term:
    """One summand of an objective."""

    name: str
    """'cross_entropy', 'sparsity': where there are several it is recorded as train_<name> and test_<name>."""
    value: Callable[[ForwardPass], Tensor]
    """-> 0-d and differentiable: the mean over the examples, without its coefficient."""
    coefficient: Callable[[int], float] = always
    """Of a step, and of nothing else, so that a resumed training is the same; where it is 0 the term is neither
    computed nor recorded, so `lambda step: 0.1 if step % 50 == 0 else 0.0` is active at every 50th step."""
    differentiates: bool = False
    """Whether it takes a gradient itself (a penalty on a Jacobian): then it is given a graph wherever it is taken."""


def _nothing(seen: ForwardPass) -> Mapping[str, Tensor]:
    return {}


def count_asked(examples: Examples) -> int:
    """Labels that count, or, without labels, examples."""
    return len(examples) if examples.labels is None else int((examples.labels != IGNORED).sum())


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Objective:
    """A weighted sum of terms; training, gradients and the instruments of the loss landscape take the same one."""

    terms: tuple[Term, ...]
    """One or more, of different names."""
    metrics: Callable[[ForwardPass], Mapping[str, Tensor]] = _nothing
    """-> 0-d tensors, recorded as train_<name> and test_<name>: 'accuracy', where it means something. 'loss' is the
    weighted sum of the terms, unless given here (of a regularised model the loss of the task alone)."""
    sites: tuple[str, ...] = ("logits",)
    """Activations that terms and metrics read, by name."""
    positions: Literal["answer", "all"] = "answer"
    """Activations at the answer (last) position, (n, ...), or at every one, (n, position, ...). With 'all' a label of
    -100 says that a position does not count."""
    count: Callable[[Examples], int] = count_asked
    """How much some examples weigh in the mean over all, which is taken in batches."""
    additive: bool = True
    """Whether the loss over all examples is the mean of the losses of their parts; if not it is taken in one piece."""

    def active(self, step: int) -> dict[Term, float]:
        """The terms of a step, with their coefficients."""
        coefficients = {term: term.coefficient(step) for term in self.terms}
        return {term: coefficient for term, coefficient in coefficients.items() if coefficient != 0}

    def differentiates(self, step: int) -> bool:
        """Whether a term of the step needs a graph also where only its value is wanted."""
        return any(term.differentiates for term in self.active(step))
