"""What there is of a variant by name, as Python holds it: Tab completes the names, a notebook lists what is there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar, final

from miscope.artifact import Arrays
from miscope.bound_html import available_table, variant_card
from miscope.bound_view import BoundView
from miscope.variant import Variant
from miscope.workspace import Workspace

if TYPE_CHECKING:
    from miscope.figures.availability import Availability

__all__ = ["ByName", "ShownVariant", "VariantArtifacts", "VariantViews"]

T = TypeVar("T")


class ByName(Mapping[str, T], ABC, Generic[T]):
    """Records of a variant by their dotted names: as items, or as attributes, a part of the name at a time."""

    def __init__(self, workspace: Workspace, variant: Variant, within: str = "") -> None:
        self._workspace, self._variant, self._within = workspace, variant, within

    @property
    @abstractmethod
    def _known(self) -> Mapping[str, object]:
        """All of the kind that are installed."""

    @abstractmethod
    def _made(self, name: str) -> T: ...

    @abstractmethod
    def _available(self, name: str) -> Availability:
        """What there is of it."""

    def __getitem__(self, name: str) -> T:
        if self._within + name not in self._known:
            raise KeyError(name)
        return self._made(self._within + name)

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(self._within) for name in sorted(self._known) if name.startswith(self._within))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getattr__(self, part: str) -> T | ByName[T]:
        if part.startswith("_"):
            raise AttributeError(part)
        if part in self:
            return self[part]
        if any(name.startswith(f"{part}.") for name in self):
            return type(self)(self._workspace, self._variant, f"{self._within}{part}.")
        raise AttributeError(f"{self!r} has no {part!r}")

    def __dir__(self) -> list[str]:
        return sorted({name.partition(".")[0] for name in self})

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        return f"<{len(self)} {type(self).__name__.removeprefix('Variant').lower()} of {self._variant.name}>"

    def _repr_html_(self) -> str:
        return available_table(self._variant.name, [self._available(self._within + name) for name in self])


@final
class VariantViews(ByName[BoundView]):
    """Views of a variant: `variant.views.behaviour.losses`, `variant.views["behaviour.losses"]`."""

    @property
    def _known(self) -> Mapping[str, object]:
        from miscope.analyzer import Grain

        return {name: view for name, view in self._workspace.plugins.views.items() if view.grain is not Grain.COHORT}

    def _made(self, name: str) -> BoundView:
        return BoundView(self._workspace, (self._variant,), name, None, {})

    def _available(self, name: str) -> Availability:
        from miscope.figures.availability import view_availability

        return view_availability(self._workspace, self._workspace.plugins.view(name), [self._variant])


@final
class VariantArtifacts(ByName[Arrays]):
    """What analyzers left of a variant, as `variant.arrays(name)`: `variant.artifacts["parameters.norms"]`."""

    @property
    def _known(self) -> Mapping[str, object]:
        return self._workspace.plugins.analyzers

    def _made(self, name: str) -> Arrays:
        from miscope.analysis.artifacts import arrays

        return arrays(self._workspace, self._variant, name)

    def _available(self, name: str) -> Availability:
        from miscope.figures.availability import analyzer_availability

        return analyzer_availability(self._workspace, name, [self._variant])


class ShownVariant(ABC):
    """How the handle of a variant shows itself, and what there is of it by name."""

    @property
    @abstractmethod
    def _place(self) -> tuple[Workspace, Variant]:
        """The variant, and where it is."""

    @property
    def views(self) -> VariantViews:
        """Views of it by name, which Tab completes: `variant.views.behaviour.losses`."""
        return VariantViews(*self._place)

    @property
    def artifacts(self) -> VariantArtifacts:
        """What analyzers left of it, by name."""
        return VariantArtifacts(*self._place)

    def _repr_html_(self) -> str:
        workspace, variant = self._place
        workspace.store.refuse_another(variant)
        return variant_card(variant, workspace.store)

    def __repr__(self) -> str:
        workspace, variant = self._place
        workspace.store.refuse_another(variant)
        return f"<{variant.name}: {len(workspace.store.steps(variant.name))} checkpoints>"
