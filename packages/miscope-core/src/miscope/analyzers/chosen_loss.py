"""Which loss an instrument of curvature is of: which terms of the objective, and on how many examples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from miscope.analyzer import Count, Options, Whole
from miscope.errors import DoesNotApply
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from miscope.loss_function import LossFunction

__all__ = ["LossOptions", "chosen_loss"]


class LossOptions(Options):
    """Which terms of the objective, and how many inputs."""

    terms: tuple[str, ...] | None = None
    """Of the objective, by name, each with its coefficient; None for all, what is descended. ("cross_entropy",) leaves
    regularisers out."""
    entries: Count | None = 6144
    """Tokens of training inputs at most, all inputs together, the same ones at every checkpoint; None for all."""
    seed: Whole = 0


def chosen_loss(snapshot: Snapshot[LossOptions]) -> LossFunction:
    """The loss of the training examples, or of all where nobody knows which were trained on, as the options say.

    Raises DoesNotApply where the objective has none of the terms, or gives none of them weight at the step.
    """
    options = snapshot.options
    loss = next(iter(snapshot.losses.values())).sample(options.entries, options.seed)
    if options.terms is None:
        return loss
    objective = loss.objective
    names = [term.name for term in objective.terms]
    unknown = [name for name in options.terms if name not in names]
    if unknown:
        raise DoesNotApply(f"its objective has no term {unknown[0]!r} among {', '.join(names)}")
    if not any(term.name in options.terms for term in objective.active(snapshot.step)):
        raise DoesNotApply(f"its objective gives {', '.join(options.terms)} no weight at step {snapshot.step}")
    terms = tuple(term for term in objective.terms if term.name in options.terms)
    return replace(loss, objective=replace(objective, terms=terms))
