"""Views that belong together, with their controls, in sections under one name: what to open for one question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from miscope.field_docs import documented

__all__ = ["Lens", "LensSection", "LensView"]

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""Without control characters, which a terminal would obey."""
_Text = Annotated[_Line, Field(min_length=1)]
_Control = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_Number = Annotated[float, Field(allow_inf_nan=False)]


@final
@documented
class LensView(BaseModel):
    """One view of a lens; in a file the name alone says the same where no control is set."""

    model_config = _FROZEN
    view: _Text
    """Its name. One that is not installed is left out where the lens is shown."""
    title: _Line = ""
    """What stands above it; '' for the view's own title."""
    controls: Mapping[_Control, bool | int | _Number | _Text] = {}
    """Values of its controls that are not their defaults."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"view": value} if isinstance(value, str) else value


@final
@documented
class LensSection(BaseModel):
    """Some views of a lens under a heading."""

    model_config = _FROZEN
    title: _Text
    """The heading."""
    views: Annotated[tuple[LensView, ...], Field(min_length=1)]
    """In the order in which they are read."""


@final
@documented
class Lens(BaseModel):
    """A named set of views. It is data: a package or a workspace has it as a file."""

    model_config = _FROZEN
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+([-_.][a-z0-9]+)*$", max_length=80)]
    """'least-action': what it is asked for by."""
    title: _Text
    """What a menu calls it."""
    question: _Line = ""
    """What it is meant to answer."""
    synonyms: tuple[_Text, ...] = ()
    """Other words by which a search finds it."""
    sections: Annotated[tuple[LensSection, ...], Field(min_length=1)]
    """From top to bottom."""

    @property
    def views(self) -> tuple[LensView, ...]:
        """Those of all sections, in order."""
        return tuple(view for section in self.sections for view in section.views)

    @property
    def summary(self) -> str:
        """The question, or the titles of its sections."""
        return self.question or ", ".join(section.title for section in self.sections)
