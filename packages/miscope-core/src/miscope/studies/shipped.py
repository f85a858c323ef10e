"""Studies that come with a package: files that nobody changes, and copies of them that are a workspace's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, final

from miscope.commands import in_workspace
from miscope.errors import UnknownName
from miscope.studies.document import Document, parsed
from miscope.studies.template import study_keys
from miscope.studies.templates import Templates

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["ShippedStudies"]


@final
@dataclass(frozen=True)
class ShippedStudies:
    """The folder `presets` of a package."""

    package: str
    """Its module: 'miscope_lal'."""
    listing: str
    """What lists them: 'miscope lal presets'."""

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Each file as it is written, by its name without '.yaml'."""
        found = (each for each in files(self.package).joinpath("presets").iterdir() if each.name.endswith(".yaml"))
        return {each.name.removesuffix(".yaml"): each.read_text(encoding="utf-8") for each in sorted(found, key=str)}

    def text(self, name: str) -> str:
        """The study of that name, as its file has it; UnknownName for none."""
        if name not in self.texts:
            raise UnknownName("preset", name, list(self.texts), listing=f"`{self.listing}` lists them.")
        return self.texts[name]

    def study(self, name: str) -> Document:
        """The study of that name, to be resolved."""
        return parsed(self.text(name), f"{name}.yaml")

    def titles(self) -> dict[str, str]:
        """What each is for, by name."""
        return {name: str(self.study(name).values.get("description", "")) for name in self.texts}

    def save(
        self, workspace: Workspace, base: Mapping[str, Any] | None = None, *, only: str | None = None
    ) -> Iterator[str]:
        """Keep each as a template, unless there is one of its name; a sentence on each.

        base: fields that each is given beside its own. only: the name of one, where no other is to be kept.
        """
        if only is not None:
            self.text(only)
        templates = Templates(workspace)
        there = {one.facts.name.casefold(): one for one in templates.all()}
        for name, title in self.titles().items():
            if only not in (None, name):
                continue
            study, before = self.study(name), there.get(name.casefold())
            whole = study.with_values(base={**study.values.get("base", {}), **base}) if base else study
            if before is None:
                templates.save({"name": name, "description": title}, whole)
                yield f"kept as the template {name!r}"
            elif study_keys(before.study) == study_keys(whole):
                yield f"there already as the template {before.facts.name!r}, the same"
            else:
                remove = in_workspace(workspace.root, f"miscope templates delete {before.id}")
                yield f"not kept: the template {before.facts.name!r} is another; to have this one first:  {remove}"
