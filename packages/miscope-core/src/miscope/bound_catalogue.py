"""What there is of a variant by name, as Python holds it: Tab completes the names, a notebook lists what is there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar, final

from miscope.artifact import Arrays
from miscope.bound_html import variant_card
from miscope.bound_view import BoundView
from miscope.by_name import ByName
from miscope.variant import Variant
from miscope.workspace import Workspace

if TYPE_CHECKING:
    from miscope.figures.availability import Availability
    from miscope.store.annotation import Annotation

__all__ = ["ShownVariant", "VariantArtifacts", "VariantViews"]

T = TypeVar("T")


class _OfVariant(ByName[T], ABC):
    """Those of a variant of a workspace that is here."""

    def __init__(self, workspace: Workspace, variant: Variant, within: str = "") -> None:
        super().__init__(variant.name, within)
        self._workspace, self._variant = workspace, variant

    def _inside(self, within: str) -> ByName[T]:
        return type(self)(self._workspace, self._variant, within)


@final
class VariantViews(_OfVariant[BoundView]):
    """Views of a variant: `variant.views.behaviour.losses`, `variant.views["behaviour.losses"]`."""

    _kind = "views"

    @property
    def _known(self) -> Collection[str]:
        from miscope.analyzer import Grain

        return {name: view for name, view in self._workspace.plugins.views.items() if view.grain is not Grain.COHORT}

    def _made(self, name: str) -> BoundView:
        return BoundView(self._workspace, (self._variant,), name, None, {})

    def _available(self, name: str) -> Availability:
        from miscope.figures.availability import view_availability

        return view_availability(self._workspace, self._workspace.plugins.view(name), [self._variant])

    def find(self, words: str) -> list[str]:
        """Names of those that have these words, the best first: `variant.views.find("hessian")`; as `miscope views`."""
        from miscope.figures.finding import find, findable_view

        plugins = self._workspace.plugins
        known = [findable_view(plugins, plugins.views[self._within + name]) for name in self]
        return [found.name.removeprefix(self._within) for found in find(words, known).found]


@final
class VariantArtifacts(_OfVariant[Arrays]):
    """What analyzers left of a variant, as `variant.arrays(name)`: `variant.artifacts["parameters.norms"]`."""

    _kind = "artifacts"

    @property
    def _known(self) -> Collection[str]:
        return self._workspace.plugins.analyzers

    def _made(self, name: str) -> Arrays:
        from miscope.analysis.artifacts import arrays

        return arrays(self._workspace, self._variant, name)

    def _available(self, name: str) -> Availability:
        from miscope.figures.availability import analyzer_availability

        return analyzer_availability(self._workspace, name, [self._variant])


class ShownVariant(ABC):
    """How the handle of a variant shows itself, what there is of it by name, and what is noted of it."""

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

    @property
    def annotation(self) -> Annotation:
        """Its tags, notes and pins as they stand."""
        from miscope.store.annotation_files import annotation_of

        workspace, variant = self._place
        workspace.store.refuse_another(variant)
        return annotation_of(workspace.store, variant.name)

    def annotate(
        self,
        *,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
        pins: Mapping[int, str] | None = None,
        unpin: Sequence[int] | None = (),
    ) -> Annotation:
        """Have these be its tags, or its notes in Markdown; what is None stays, and what was there before is kept.

        pins: steps to come back to, each with a note or '', beside those it has. unpin: steps without one from now on.
        """
        from miscope.store.annotation import AnnotationChange, pins_of
        from miscope.store.annotation_files import change_annotation

        workspace, variant = self._place
        workspace.store.refuse_another(variant)
        kept = None if tags is None else tuple(tags)
        change = AnnotationChange(tags=kept, notes=notes, pins=pins_of(pins or {}), unpin=tuple(unpin or ()))
        return change_annotation(workspace.store, variant.name, change)

    def _repr_html_(self) -> str:
        workspace, variant = self._place
        workspace.store.refuse_another(variant)
        return variant_card(variant, workspace.store)

    def __repr__(self) -> str:
        workspace, variant = self._place
        workspace.store.refuse_another(variant)
        return f"<{variant.name}: {len(workspace.store.steps(variant.name))} checkpoints>"
