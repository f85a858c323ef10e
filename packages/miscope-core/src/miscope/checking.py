"""Whether a request could ever be run, found out before it is queued: no model and no data are made for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

from miscope.analysis.analyzer_options import options_asked
from miscope.analysis.chosen_steps import chosen_steps
from miscope.analysis.planning import resolve
from miscope.analyze_request import AnalyzeRequest
from miscope.commands import in_workspace
from miscope.errors import BadValue
from miscope.train_options import LAST_STEP, check_steps
from miscope.train_request import TrainRequest
from miscope.training.devices import check_device
from miscope.training.named_interventions import interventions_by_name, refuse_others
from miscope.training.watch_intervals import watch_intervals
from miscope.validation import about, checked_name, checked_variant, trained_to
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.workspace import Workspace

__all__ = ["check_analysis", "check_request", "check_watch"]


def check_request(workspace: Workspace, request: TrainRequest | AnalyzeRequest) -> None:
    """Raise BadValue, with the field, for what nobody could do on this machine. Nothing is written."""
    if request.group is not None:
        with about("group"):
            checked_name(request.group)
    match request:
        case TrainRequest():
            _check_training(workspace, request)
        case AnalyzeRequest():
            check_analysis(workspace, request)
        case _:
            assert_never(request)


def _check_training(workspace: Workspace, request: TrainRequest) -> None:
    with about("family"):
        family = workspace.plugins.family(request.family)
    with about("params"):
        checked_variant(family, request.params)
    with about("training"):
        plain = checked_variant(family, request.params, request.training)
    with about("label"):
        variant = plain.labelled(request.label)
    if variant.training is None:
        raise BadValue(
            f"{variant.name} cannot be trained.",
            "Its checkpoints come from elsewhere.",
            "Analyze it instead.",
            field="family",
        )
    with about("training.steps" if request.steps is None else "steps"):
        check_steps(variant.training.steps if request.steps is None else request.steps)
    if request.steps is not None:
        trained_to(variant, request.steps)
    with about("device"):
        check_device(request.device)
    _check_interventions(family, variant, request.interventions)
    with about("watch"):
        check_watch(workspace, request.watch, variant.name)


def _check_interventions(family: Family, variant: Variant, given: Sequence[str]) -> None:
    """Raise BadValue where the family makes nothing of a name, the variant's or one given beside it."""
    own = () if variant.training is None else variant.training.interventions
    with about("training.interventions"):
        interventions_by_name(family, own, variant)
    with about("interventions"):
        refuse_others(variant, given)
        interventions_by_name(family, given, variant)


def check_watch(workspace: Workspace, watch: Sequence[str], variant: str = "VARIANT") -> None:
    """Raise UnknownName or BadValue for what cannot watch a training, whatever its variant is."""

    def afterwards(name: str) -> str:
        return in_workspace(workspace.root, f"miscope analyze {variant} --only {name}")

    watch_intervals(workspace.plugins.analyzers, watch, default=1, afterwards=afterwards)


def check_analysis(workspace: Workspace, request: AnalyzeRequest) -> None:
    """Raise BadValue, with the field, for what no analysis of any variant could be."""
    table, names = workspace.plugins.analyzers, request.analyzers
    with about("analyzers"):
        if names is not None and not names:
            raise BadValue("No instrument is named.", "An analysis computes some.", "Leave it out for all that apply.")
        for name in names or ():
            workspace.plugins.analyzer(name)
        resolve(table, names or ())
    with about("executor"):
        workspace.plugins.executor(request.executor)
    with about("steps"):
        _check_checkpoints(request.steps)
    with about("options"):
        options_asked(table, names, request.options)


def _check_checkpoints(steps: Sequence[int] | str | None) -> None:
    """Raise BadValue for what names no checkpoint; which there are is seen when its turn comes."""
    if isinstance(steps, str):
        steps = chosen_steps(steps, [[0]])
    elif steps is not None and not steps:
        raise BadValue("No step was chosen.", "An analysis is of checkpoints.", "Leave `steps` out for all.")
    for step in steps or ():
        if not 0 <= step <= LAST_STEP:
            raise BadValue(
                f"There is no checkpoint at step {step}.",
                f"Checkpoints are at steps 0 to {LAST_STEP}, and 0 is the initialisation.",
                "Name steps that a training makes.",
            )
