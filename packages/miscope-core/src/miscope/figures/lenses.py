"""The lenses of a workspace: those of installed packages, and those of its own folder `lenses`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from miscope.analyzer import Grain
from miscope.errors import BadValue, UnknownName
from miscope.lens import Lens
from miscope.lens_file import lens_files, read_lens
from miscope.variant import Variant
from miscope.view import View
from miscope.workspace import Workspace

__all__ = ["FOLDER", "KnownLenses", "Looked", "known_lenses", "looked_through"]

FOLDER = "lenses"
"""Of a workspace."""


@final
@dataclass(frozen=True, kw_only=True)
class KnownLenses:
    """What one can look through, and the files that are no lens."""

    lenses: Mapping[str, Lens]
    """By name, sorted."""
    own: Mapping[str, str] = field(default_factory=dict)
    """Name -> file, of those that are the workspace's."""
    faults: tuple[str, ...] = ()
    """What is wrong with files of the workspace, three lines each."""

    def named(self, name: str) -> Lens:
        """The lens of that name; UnknownName otherwise."""
        if name not in self.lenses:
            listed = f"`miscope lenses` lists those that there are: {', '.join(self.lenses) or 'none'}."
            raise UnknownName("lens", name, self.lenses, listing=listed)
        return self.lenses[name]


def known_lenses(workspace: Workspace) -> KnownLenses:
    """Read anew at every call. One of the workspace stands for that of a package with the same name."""
    own: dict[str, Lens] = {}
    files: dict[str, str] = {}
    faults = []
    for path in lens_files(workspace.root / FOLDER):
        try:
            lens = read_lens(path)
        except BadValue as error:
            faults.append(str(error))
            continue
        if lens.name in own:
            faults.append(f"{path} is left out: {files[lens.name]} has a lens named {lens.name!r}, too.")
            continue
        own[lens.name], files[lens.name] = lens, str(path)
    both = {**workspace.plugins.lenses, **own}
    return KnownLenses(lenses=dict(sorted(both.items())), own=files, faults=tuple(faults))


@final
@dataclass(frozen=True, kw_only=True)
class Looked:
    """One figure that a lens asks for."""

    view: View
    variants: tuple[Variant, ...]
    controls: Mapping[str, object]


def looked_through(lens: Lens, views: Mapping[str, View], variants: Sequence[Variant]) -> Iterator[Looked]:
    """The figures of these variants through the lens, in its order: those that compare once, the others of each.

    views: those that are installed; the lens may name more, but not only others: BadValue.
    """
    if not any(shown.view in views for shown in lens.views):
        named = ", ".join(dict.fromkeys(shown.view for shown in lens.views))
        raise BadValue(
            f"Nothing of the lens {lens.name!r} is installed.",
            f"Its views are: {named}.",
            "Install the package that has them; `miscope views` lists what there is.",
        )
    for shown in lens.views:
        view = views.get(shown.view)
        if view is None:
            continue
        together = [tuple(variants)] if view.grain is Grain.COHORT else [(variant,) for variant in variants]
        for of in together:
            yield Looked(view=view, variants=of, controls=shown.controls)
