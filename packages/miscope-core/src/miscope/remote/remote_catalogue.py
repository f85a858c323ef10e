"""What there is of a server's variant by name: its views, and what instruments left."""

from __future__ import annotations

from abc import ABC
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, final

from miscope.artifact import Arrays
from miscope.by_name import ByName
from miscope.remote.remote_view import RemoteView

if TYPE_CHECKING:
    from miscope.figures.availability import Availability
    from miscope.remote.connection import Connection

__all__ = ["RemoteArtifacts", "RemoteViews"]

T = TypeVar("T")


class _Handle(Protocol):
    """Of a variant: `RemoteVariant`."""

    @property
    def name(self) -> str: ...

    @property
    def connection(self) -> Connection: ...

    def availability(self) -> Mapping[str, Any]: ...

    def view(self, name: str) -> RemoteView: ...

    def arrays(self, analyzer: str) -> Arrays: ...


class _OfRemote(ByName[T], ABC):
    """Those of one variant; the server is asked once which there are."""

    def __init__(self, variant: _Handle, within: str = "") -> None:
        super().__init__(variant.name, within)
        self._variant = variant

    @cached_property
    def _there(self) -> Mapping[str, Any]:
        return self._variant.availability()

    def _inside(self, within: str) -> ByName[T]:
        return type(self)(self._variant, within)

    def _available(self, name: str) -> Availability:
        from miscope.figures.availability import Availability

        found = self._there[self._kind][name]
        state = "there" if found["state"] == "figure" else found["state"]
        return Availability(name=name, state=state, reason=found["reason"] or "", steps=tuple(found.get("steps", ())))


@final
class RemoteViews(_OfRemote[RemoteView]):
    """Views of a variant: `variant.views.behaviour.losses`, `variant.views["behaviour.losses"]`."""

    _kind = "views"

    @cached_property
    def _known(self) -> Collection[str]:  # pyright: ignore[reportIncompatibleMethodOverride] - a property, kept
        found = self._variant.connection.get("views")
        return {view["name"] for view in found if view["grain"] != "cohort"}

    def _made(self, name: str) -> RemoteView:
        return self._variant.view(name)


@final
class RemoteArtifacts(_OfRemote[Arrays]):
    """What instruments left of a variant, as `variant.arrays(name)`: `variant.artifacts["parameters.norms"]`."""

    _kind = "artifacts"

    @property
    def _known(self) -> Collection[str]:
        return self._there["artifacts"]

    def _made(self, name: str) -> Arrays:
        return self._variant.arrays(name)
