"""What is left of a study will take, known before it is run: the sum over its runs, each by `training.estimate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from miscope.studies.attempting import Failure, tried
from miscope.studies.planning import PlannedRun
from miscope.training.estimate import Estimate, estimate, past_trainings

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


def study_estimate(workspace: Workspace, plan: Sequence[PlannedRun]) -> StudyEstimate:
    """What is left of the plan; each model that is to be trained is made once. Nothing is written."""
    left = [planned.run for planned in plan if planned.train is not None]
    pasts = past_trainings(workspace.ledger, left[0].variant.family) if left else []
    runs: dict[str, Estimate] = {}
    problems: dict[str, str] = {}
    for run in left:
        threads = run.train.threads or 1
        known = tried(lambda run=run, n=threads: estimate(workspace, run.variant, threads=n, pasts=pasts))
        if isinstance(known, Failure):
            problems[run.name] = known.error
        else:
            runs[run.name] = known
    return StudyEstimate(runs=runs, problems=problems)
