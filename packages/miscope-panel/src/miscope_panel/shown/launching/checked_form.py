"""What is refused of what stands in the form, each at its field, and else the study that it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from miscope.errors import BadValue, MiscopeError
from miscope.family import Family
from miscope.field_text import read_values
from miscope.studies.bad_study import BadStudy
from miscope.studies.resolving import resolved
from miscope.studies.study import Study
from miscope.validation import read_field
from miscope_panel.shown.launching.form_field import info_of, model_of, typed
from miscope_panel.shown.launching.study_form import Texts, document_of

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["CheckedForm", "checked"]

_OF_ALL = ("study.base", "study.matrix")
"""Keys of a study that the form has no field for: they are all its fields."""


@final
@dataclass(frozen=True, kw_only=True)
class CheckedForm:
    """A form that was looked over."""

    problems: Mapping[str, str] = field(default_factory=dict)
    """Field -> why it is refused, in sentences."""
    problem: str = ""
    """Why the whole is, where that is of no field alone."""
    study: Study | None = None
    """What would be run; None where something is refused."""
    lacking: tuple[str, ...] = ()
    """Fields without a default that nothing was typed in."""

    @property
    def defaults(self) -> Mapping[str, str]:
        """What the family gives the first run where nothing is typed, as one types it; {} where it is not known."""
        usual = None if self.study is None else self.study.runs[0].variant.default_training
        return {} if usual is None else typed(usual)


def checked(workspace: Workspace, family: Family, texts: Texts) -> CheckedForm:
    """What is refused of each field by itself; else what core refuses of the study that they make."""
    params = family.params.model_fields
    lacking = tuple(name for name, info in params.items() if info.is_required() and not texts.get(name))
    problems = {name: why for name, text in texts.items() if (why := _refused(family, name, text))}
    if problems or lacking:
        return CheckedForm(problems=problems, lacking=lacking)
    document = document_of(family, texts)
    try:
        return CheckedForm(study=resolved(workspace, document))
    except BadStudy as error:
        name, text = _field(family, error), str(error).removeprefix(f"{error.place}: ")
        return CheckedForm(problems={name: text}) if name else CheckedForm(problem=text)
    except MiscopeError as error:
        return CheckedForm(problem=str(error))


def _refused(family: Family, name: str, text: str) -> str:
    """Why values of the field are refused whatever the others are, each of them; "" where none is."""
    model = model_of(family, name)
    if "." in name or model is None:
        return ""
    refused, known = [], ""
    for value in read_values(info_of(family, name), text):
        try:
            read_field(model, name, value)
        except BadValue as error:
            what, known, *_ = [*str(error).split("\n"), ""]
            refused.append(what)
    # Nothing is written before a start, so nothing need be said of that here.
    return "\n".join([*refused, known]) if refused else ""


def _field(family: Family, error: BadStudy) -> str:
    """The field that is refused; "" where it is none of the form alone."""
    path = error.place.split(".")[1:]
    part, own = [*path, ""][0], path[1:2]
    names = (error.field, f"{part}.{error.field}", *own, ".".join([part, *own]), f"study.{part}")
    return next((name for name in names if name not in ("", *_OF_ALL) and model_of(family, name) is not None), "")
