"""A study as it is kept in the workspace: a file that says every setting of every run, and is itself a study."""

from __future__ import annotations

import io
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.settings import settings_of
from miscope.store.atomic import write_whole
from miscope.studies.study import Study, StudyRun, shared_settings
from miscope.studies.study_fields import StudyTraining

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["keep_study", "study_text"]


def keep_study(workspace: Workspace, study: Study) -> Path:
    """Write the study into the workspace, over what was kept under its name; where it lies."""
    text = study_text(study)
    return write_whole(workspace.store.layout.study(study.name), lambda file: file.write(text.encode()))


def study_text(study: Study) -> str:
    """The study in YAML, with nothing left to defaults: read again, it is the same."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 120
    out = io.StringIO()
    out.write(f"# Every setting of every run, as miscope {version('miscope-core')} had them.\n")
    yaml.dump(_written(study), out)
    return out.getvalue()


def _written(study: Study) -> dict[str, Any]:
    first, shared = study.runs[0], shared_settings(study.runs)
    return {
        "name": study.name,
        **({"description": study.description} if study.description else {}),
        "family": study.family,
        "base": dict(shared),
        "include": [_own(run, shared) for run in study.runs],
        "train": {
            name: value
            for name, value in first.train.model_dump(mode="json").items()
            if name in StudyTraining.model_fields and name != "steps"
        },
        **({} if first.analyze is None else {"analyze": _analysis(first)}),
    }


def _own(run: StudyRun, shared: Any) -> dict[str, Any]:
    """What tells the run from the others, and its name."""
    return {"name": run.name} | {n: value for n, value in settings_of(run.variant).items() if n not in shared}


def _analysis(run: StudyRun) -> dict[str, Any]:
    """Without what is said of the study as a whole."""
    assert run.analyze is not None
    given = run.analyze.model_dump(mode="json", include={"analyzers", "steps", "options", "executor"})
    return {name: value for name, value in given.items() if value is not None}
