"""Where a family's checkpoints come from when they are no files of the workspace: revisions on a hub, a formula."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from miscope.checkpoint import Checkpoint

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CheckpointSource", "Elsewhere", "loaded", "nowhere"]


class CheckpointSource(ABC):
    """Steps and weights of one variant, brought when they are asked for; what is costly it keeps itself."""

    @abstractmethod
    def steps(self) -> Sequence[int]:
        """Steps there are, ascending; asked often."""

    @abstractmethod
    def load(self, step: int, roles: Collection[str] | None) -> Mapping[str, Tensor]:
        """Weights at a step by role; None for all of them, else those at least."""


Elsewhere: TypeAlias = "Callable[[str], CheckpointSource | None]"
"""(variant's name) -> what has its checkpoints; None where they are files of the workspace."""


def nowhere(variant: str) -> None:
    """All checkpoints are files."""


def loaded(source: CheckpointSource, step: int, roles: Collection[str] | None) -> Checkpoint:
    """A checkpoint from elsewhere, with all roles or only those."""
    weights = source.load(step, roles)
    wanted = weights if roles is None else roles
    return Checkpoint(step=step, weights={role: weights[role] for role in wanted})
