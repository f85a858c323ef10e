"""A training's request as a study's file, and as a script in Python: each trains the same variant as far."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope.errors import BadValue

if TYPE_CHECKING:
    from miscope.train_request import TrainRequest

__all__ = ["script_of", "study_of"]

_OF_A_STUDY = ("steps", "device", "threads", "compile", "watch", "label")
"""How it is trained, as a study says it."""


def study_of(request: TrainRequest) -> str:
    """The file of a study with this one run; BadValue for a request that no study can say."""
    from ruamel.yaml import YAML

    _refuse(request, "study", {"interventions": (), "resume": True, "warm": False})
    given = request.model_dump(mode="json", include={*_OF_A_STUDY}, exclude_defaults=True)
    study: dict[str, Any] = {
        **({"name": request.group} if request.group else {}),
        "family": request.family,
        **_unless_empty("base", {**request.params, **request.training}),
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
            raise BadValue(
                f"No {written_as} says this training.",
                f"It has {name}={getattr(request, name)!r}.",
                "Take format=json.",
            )
