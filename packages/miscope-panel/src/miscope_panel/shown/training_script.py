"""A training's request as a study's file, and as a script in Python: each trains the same variant as far."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope.errors import BadValue
from miscope.studies.bad_study import BadStudy
from miscope.studies.document import parsed
from miscope.studies.resolving import resolved
from miscope.studies.study_fields import StudyTraining

if TYPE_CHECKING:
    from miscope.train_request import TrainRequest
    from miscope.workspace import Workspace

__all__ = ["script_of", "study_of"]


def study_of(workspace: Workspace, request: TrainRequest, variant: str) -> str:
    """The file of a study whose one run trains that variant; BadValue for a request that no study can say.

    It is read before it is given away: what was put into the queue by other ways, or by another version, may hold what
    a study refuses.
    """
    _refuse(request, "study", {"interventions": (), "resume": True, "warm": False})
    text = _written(request)
    try:
        (run,) = resolved(workspace, parsed(text, "study.yaml")).runs
    except BadStudy as error:
        raise _not_said("study", str(error).partition("\n")[0]) from None
    if run.variant.name != variant:
        raise _not_said("study", f"It would be of {run.variant.name}.")
    return text


def _written(request: TrainRequest) -> str:
    from ruamel.yaml import YAML

    given = request.model_dump(mode="json", include=set(StudyTraining.model_fields), exclude_defaults=True)
    # Where it goes to another step than its fields say, that step alone is said: a study says it once.
    of_fields = {name: value for name, value in request.training.items() if name != "steps" or "steps" not in given}
    study: dict[str, Any] = {
        **({"name": request.group} if request.group else {}),
        "family": request.family,
        **_unless_empty("base", {**request.params, **of_fields}),
        **_unless_empty("train", given),
    }
    yaml, out = YAML(), io.StringIO()
    yaml.width = 120
    yaml.dump(study, out)
    return out.getvalue()


def script_of(request: TrainRequest) -> str:
    """A script that trains the same; BadValue for a request under interventions, which are functions there."""
    _refuse(request, "script", {"interventions": ()})
    fields = "".join(f", {name}={value!r}" for name, value in {**request.params, **request.training}.items())
    label = "" if request.label is None else f".labelled({request.label!r})"
    given = request.model_dump(
        exclude={"kind", "family", "params", "training", "label", "interventions"}, exclude_defaults=True
    )
    options = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return (
        "import miscope\n\n"
        f"variant = miscope.open().variant({request.family!r}{fields}){label}\n"
        f"for progress in variant.train({options}):\n    print(progress)\n"
    )


def _unless_empty(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: dict(value)} if value else {}


def _refuse(request: TrainRequest, written_as: str, said: Mapping[str, object]) -> None:
    """BadValue where the request says of one of these something else, which nothing written so can say."""
    for name, value in said.items():
        if getattr(request, name) != value:
            raise _not_said(written_as, f"It has {name}={getattr(request, name)!r}.")


def _not_said(written_as: str, why: str) -> BadValue:
    return BadValue(f"No {written_as} says this training.", why, "Take format=json.")
