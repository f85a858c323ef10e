"""What a run was asked for, as one reads it in a window: every value in parts, and the same as text to be copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.analyze_request import AnalyzeRequest
from miscope.commands import in_workspace
from miscope.errors import BadValue, MiscopeError
from miscope.field_text import written_value
from miscope.learning_rate import RateFields
from miscope.optimizers import OptimizerFields
from miscope.training_command import training_command
from miscope.validation import checked_variant
from miscope_panel.shown.training_script import script_of, study_of

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun
    from miscope.train_request import TrainRequest
    from miscope.workspace import Workspace

__all__ = ["ConfigurationPart", "RunConfiguration", "configuration"]

_RUN = {"steps", "resume", "warm", "device", "threads", "compile", "watch", "log_every", "interventions", "label"}
_KEPT = ("checkpoints", "save_optimizer", "evaluate_every")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationPart:
    """Values that belong together."""

    title: str
    rows: tuple[tuple[str, str, bool], ...]
    """Name, value, and whether it was given rather than a default."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfiguration:
    """Of one run."""

    parts: tuple[ConfigurationPart, ...]
    texts: Mapping[str, str]
    """What copies to which text: 'YAML', 'command', 'Python'; what cannot say this run is left out."""


def configuration(workspace: Workspace, run: QueuedRun) -> RunConfiguration:
    """Everything that the run was asked for with, defaults of its family too.

    Of a family that is not installed, or refuses by now what was asked, only what was given.
    """
    if isinstance(run.request, AnalyzeRequest):
        return _of_analysis(workspace, run.request)
    request = run.request
    try:
        family = workspace.plugins.family(request.family)
        variant = checked_variant(family, request.params, request.training)
        params = variant.params.model_dump(mode="json")
        training = {} if variant.training is None else variant.training.model_dump(mode="json")
    except MiscopeError:
        params, training = dict(request.params), dict(request.training)
    ways: dict[str, Callable[[], str]] = {
        "YAML": lambda: study_of(workspace, request, run.what),
        "command": lambda: in_workspace(workspace.root, training_command(request)),
        "Python": lambda: script_of(request),
    }
    return RunConfiguration(parts=_parts(request, params, training), texts=_sayable(ways))


def _parts(
    request: TrainRequest, params: Mapping[str, Any], training: Mapping[str, Any]
) -> tuple[ConfigurationPart, ...]:
    rate = [name for name in training if name in RateFields.model_fields]
    optimizer = [name for name in training if name in OptimizerFields.model_fields and name not in rate]
    kept = [name for name in _KEPT if name in training]
    others = [name for name in training if name not in {*optimizer, *rate, *kept}]
    asked = request.model_dump(mode="json", include=_RUN)
    given = {name for name in _RUN if name in request.model_fields_set}
    parts = (
        _part(f"Parameters of {request.family}", params, params, request.params),
        _part("Optimizer", training, optimizer, request.training),
        _part("Learning rate", training, rate, request.training),
        _part("Training", training, others, request.training),
        _part("Checkpoints", training, kept, request.training),
        _part("This run", asked, [name for name, value in asked.items() if value not in (None, [], False)], given),
    )
    return tuple(part for part in parts if part.rows)


def _part(title: str, values: Mapping[str, Any], names: Any, given: Any) -> ConfigurationPart:
    rows = tuple((name, _written(values[name]), name in given) for name in names)
    return ConfigurationPart(title=title, rows=rows)


def _written(value: object) -> str:
    return "–" if value is None else written_value(value)


def _of_analysis(workspace: Workspace, request: AnalyzeRequest) -> RunConfiguration:
    asked = request.model_dump(mode="json", exclude={"kind", "variants", "analyzers", "group"}, exclude_none=True)
    analyzers = request.analyzers or ("all that apply and do not take long",)
    parts = (
        ConfigurationPart(title="Variants", rows=tuple((name, "", True) for name in request.variants)),
        ConfigurationPart(title="Analyzers", rows=tuple((name, "", True) for name in analyzers)),
        _part("This run", asked, [name for name, value in asked.items() if value not in ({}, False)], asked),
    )
    words = ["miscope analyze", *request.variants, *(f"--only {name}" for name in request.analyzers or ())]
    words += [
        "" if request.executor == "inline" else f"--executor {request.executor}",
        "--force" if request.force else "",
    ]
    plain = not asked.get("options") and request.steps is None
    command = in_workspace(workspace.root, " ".join(filter(None, words)))
    return RunConfiguration(
        parts=tuple(part for part in parts if part.rows), texts={"command": command} if plain else {}
    )


def _sayable(ways: Mapping[str, Callable[[], str]]) -> Mapping[str, str]:
    texts = {}
    for name, say in ways.items():
        try:
            texts[name] = say()
        except BadValue:
            continue
    return texts
