"""The studies that come with this package: those of Least Action Learning, and some that grok within minutes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import TYPE_CHECKING

from miscope.errors import UnknownName

if TYPE_CHECKING:
    from miscope.studies.document import Document
    from miscope.workspace import Workspace

__all__ = ["preset", "preset_text", "preset_titles", "save_presets"]


def _texts() -> dict[str, str]:
    found = (each for each in files("miscope_lal").joinpath("presets").iterdir() if each.name.endswith(".yaml"))
    return {each.name.removesuffix(".yaml"): each.read_text(encoding="utf-8") for each in sorted(found, key=str)}


def preset_text(name: str) -> str:
    """The study of that name, as its file has it; UnknownName for none."""
    texts = _texts()
    if name not in texts:
        raise UnknownName("preset", name, list(texts), listing="`miscope lal presets` lists them.")
    return texts[name]


def preset(name: str) -> Document:
    """The study of that name, to be resolved."""
    from miscope.studies.document import parsed

    return parsed(preset_text(name), f"{name}.yaml")


def preset_titles() -> dict[str, str]:
    """What each is for, by name."""
    return {name: str(preset(name).values.get("description", "")) for name in _texts()}


def save_presets(workspace: Workspace) -> Iterator[str]:
    """Keep each as a template, unless there is one of its name; the names of those that were kept."""
    from miscope.studies.templates import Templates

    templates = Templates(workspace)
    there = {one.facts.name for one in templates.all()}
    for name, title in preset_titles().items():
        if name not in there:
            templates.save({"name": name, "description": title}, preset(name))
            yield name
