"""What is left of a study will take, known before it is run: the sum of its runs, by `training.bounded_estimate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from miscope.failure import Failure
from miscope.studies.planning import PlannedRun
from miscope.training.bounded_estimate import Bounds, estimates
from miscope.training.estimate import Estimate

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["StudyEstimate", "study_estimate"]


@final
@dataclass(frozen=True, kw_only=True)
class StudyEstimate:
    """What the trainings of a study will take that are left; its analyses are not counted."""

    runs: Mapping[str, Estimate] = field(default_factory=dict)
    """By the run's name, of those that are not finished."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Run -> why nothing is known of it, in sentences."""

    @property
    def steps(self) -> int:
        return sum(each.steps for each in self.runs.values())

    @property
    def checkpoints(self) -> int:
        return sum(each.checkpoints for each in self.runs.values())

    @property
    def size(self) -> int:
        """Bytes of checkpoints and states."""
        return sum(each.size for each in self.runs.values())

    @property
    def seconds(self) -> tuple[float, float]:
        """Between which it will probably lie, one run after the other."""
        bounds = [each.seconds for each in self.runs.values()]
        return sum(low for low, _ in bounds), sum(high for _, high in bounds)

    @property
    def measured(self) -> int:
        """Past trainings that this comes from; 0: from the models' sizes alone."""
        return max((each.measured for each in self.runs.values()), default=0)


def study_estimate(workspace: Workspace, plan: Sequence[PlannedRun], bounds: Bounds | None = None) -> StudyEstimate:
    """What is left of the plan, as far as that can be found out within bounds. Nothing is written."""
    left = [planned.run for planned in plan if planned.train is not None]
    told = dict(zip((run.name for run in left), estimates(workspace, [run.train for run in left], bounds), strict=True))
    return StudyEstimate(
        runs={name: known for name, known in told.items() if isinstance(known, Estimate)},
        problems={name: failure.error for name, failure in told.items() if isinstance(failure, Failure)},
    )
