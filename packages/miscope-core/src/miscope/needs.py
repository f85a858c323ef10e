"""What an analyzer or a view looks at: artifacts, and parts of the model, of the probe and of the training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from miscope.field_docs import documented

__all__ = ["Needs"]


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Needs:
    """Everything that an analyzer or a view may look at; it is given that, and applies where there is all of it."""

    reads: tuple[str, ...] = ()
    """Names of analyzers, whose artifacts it needs."""
    optional: tuple[str, ...] = ()
    """Of a view: analyzers whose artifacts it uses if they are there."""
    history: tuple[str, ...] = ()
    """Of a view: checkpoint analyzers it needs stacked over training beside the step shown; those also in `optional`,
    if there."""
    sites: tuple[str, ...] = ()
    """Patterns of sites ('blocks.*.mlp.hook_post'): recorded for an analyzer, 'logits' in float64; a view asks for
    their activations on demand."""
    weights: tuple[str, ...] = ()
    """Patterns of weight roles ('W_E', 'blocks.*.mlp.W_in')."""
    columns: tuple[str, ...] = ()
    """Probe columns it cannot do without."""
    bases: tuple[str, ...] = ()
    """Patterns of axes or columns whose task basis it uses where there is one; a fallback runs where there is none."""
    metrics: tuple[str, ...] = ()
    """Patterns of training metrics ('*_loss'); for an analyzer, of trajectory and cohort grain."""
    grid: int = 0
    """How many factors the probe must enumerate completely; 0 for none."""
    labels: bool = False
    """Whether it needs to know the right answers."""
    answer_basis: bool = False
    """Whether it cannot do without a task basis over the right answers."""
    positions: Literal["answer", "all"] = "answer"
    """Of an analyzer: activations at the answer position only, or at every position."""
    optimizer: bool = False
    """Of an analyzer: whether it needs the optimizer's state beside the checkpoint."""
    gradients: bool = False
    """Of an analyzer: whether it needs gradients of the training loss."""
    objective: bool = False
    """Of an analyzer: whether it takes the loss at weights of its own choice; it declares the weights too."""
    model: bool = False
    """Of an analyzer: whether it runs the model itself, on other weights or with activations replaced; it declares the
    weights too."""
    facts: bool = False
    """Of an analyzer: whether it needs what the variant's record says of where its files come from; of trajectory
    grain."""
    sources: bool = False
    """Of an analyzer: whether it looks at what the variant is built on: network, weights and probe of each source
    checkpoint."""
    untrained: bool = False
    """Of a view: whether it shows beside what it reads the same of the variant that is built on untrained weights."""
    source_metrics: tuple[str, ...] = ()
    """Of a view: patterns of training metrics of the one variant that what it shows is built on; it is given these and,
    where they are known, the events of that training."""
    same_probe: bool = False
    """Of an analyzer of cohort grain: whether it compares its members input by input, and so needs them shown the same
    inputs."""

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Every analyzer whose artifacts it may be given."""
        return (*self.reads, *self.optional, *self.history)

    @property
    def probed(self) -> bool:
        """Whether it looks at a probe at all, also at that of a source; what looks at weights only depends on none."""
        of_inputs = self.sites or self.columns or self.grid or self.labels
        return bool(of_inputs or self.model or self.sources or self.loss)

    @property
    def loss(self) -> bool:
        """Whether it is given the loss, or its gradients."""
        return self.gradients or self.objective

    @property
    def checkpoint(self) -> bool:
        """Whether what it is given is made of the weights, and not of other artifacts alone."""
        return bool(self.weights or self.sites or self.model or self.loss)
