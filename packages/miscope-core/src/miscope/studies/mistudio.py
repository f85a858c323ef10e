"""Templates as miStudio exports them, in the words of a study; what their hyperparameters mean a family says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.errors import BadValue
from miscope.field_text import shortened

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.plugins.plugins import Plugins
    from miscope.translated_fields import TranslatedFields

__all__ = ["Translated", "is_mistudio", "translated"]

_PROGRAM, _VERSION = "miStudio", "1.0"
_SAID = {"name": "name", "description": "description", "is_favorite": "favourite", "tags": "tags"}
_READ = {*_SAID, "encoder_type", "architecture", "hyperparameters"}
_TODO = "Export it again from miStudio."


@final
@dataclass(frozen=True, kw_only=True)
class Translated:
    """An item as `miscope templates export` would have written it."""

    item: Mapping[str, Any]
    left_out: tuple[str, ...]
    """What of it has no counterpart, each with the reason."""


def is_mistudio(whole: object) -> bool:
    """Whether the JSON is an export of miStudio's: a version, and templates that say no format."""
    return isinstance(whole, Mapping) and "format" not in whole and whole.get("version") == _VERSION


def translated(plugins: Plugins, item: object) -> Translated:
    """The item in the words of a study. Raises BadValue where it is none, or no family installed here takes it."""
    if not isinstance(item, Mapping) or not isinstance(item.get("hyperparameters"), Mapping):
        raise BadValue("This is no template of miStudio's.", "It has: name, encoder_type, hyperparameters.", _TODO)
    architecture = str(item.get("encoder_type") or item.get("architecture") or "")
    family, read = _read(plugins, architecture, item["hyperparameters"])
    elsewhere = [f"{name}: it is of the place where it was written" for name in item if name not in _READ]
    said = {here: item[there] for there, here in _SAID.items() if item.get(there) is not None}
    study = {"family": family.name, "base": dict(read.fields)}
    return Translated(item={**said, "study": study}, left_out=(*read.left_out, *elsewhere))


def _read(plugins: Plugins, architecture: str, given: Mapping[str, Any]) -> tuple[Family, TranslatedFields]:
    for family in plugins.families.values():
        if (read := family.read_hyperparameters(_PROGRAM, architecture, given)) is not None:
            return family, read
    raise BadValue(
        f"The template is of the architecture {architecture!r}, which no family that is installed has.",
        f"Installed are: {shortened(sorted(plugins.families))}.",
        "Install a package that has it, and import the templates again.",
    )
