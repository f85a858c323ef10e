"""What a family keeps of a training under way to say what should be known of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from miscope.field_docs import documented

if TYPE_CHECKING:
    from miscope.remark import Remark

__all__ = ["TrainingSoFar"]


@documented
class TrainingSoFar(ABC):
    """A frozen value of a size that does not grow with the steps, in place of all that was recorded. Subclasses are
    final."""

    @abstractmethod
    def after(self, step: int, metrics: Mapping[str, float]) -> tuple[TrainingSoFar, Sequence[Remark]]:
        """The same with one more record, and what is to be said at it that was not said before.

        step: greater than that of the record before. metrics: those recorded of it, which are not the same at every
        step. A pure function: of the same records the same is said, in one process or in two. What is said ends
        nothing: a loss that is no number does that.
        """
