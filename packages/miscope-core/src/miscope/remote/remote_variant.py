"""A variant of a server's workspace, and views of it, as Python holds them: drawn there when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from miscope.errors import BadValue
from miscope.field_docs import documented
from miscope.remote.connection import Connection

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["RemoteVariant", "RemoteView"]


@final
@documented
@dataclass(frozen=True)
class RemoteVariant:
    """A variant in a server's workspace."""

    connection: Connection
    """To the server."""
    name: str
    """'modadd.transformer/p113-seed999-dseed598'."""
    params: Mapping[str, Any]
    """Its parameters, as far as they were given."""
    training: Mapping[str, Any] | None
    """Fields of its training that were given; None of one that was found there, whose training is not told."""
    step: int | None = None
    """Which checkpoint its views show; None for their own choice."""

    def asked(self) -> Mapping[str, Any]:
        """Family, parameters and training, as a request has them; BadValue where its training is not the default."""
        family, _, slug = self.name.partition("/")
        label = slug.partition("@")[2]
        asked = {"family": family, "params": dict(self.params), "training": dict(self.training or {})}
        asked |= {"label": label} if label else {}
        if self.training is None:
            meant = self.connection.post("trainings", {**asked, "dry_run": True})["what"]
            if meant != self.name:
                raise BadValue(
                    f"What is to be trained of {self.name} is not known here.",
                    f"By its parameters alone it would be {meant}.",
                    "Give the fields of its training too:  remote.variant(family, ...)",
                )
        return asked

    def at(self, step: int) -> RemoteVariant:
        """The same, of which views show this checkpoint."""
        return replace(self, step=step)

    def view(self, name: str, **controls: Any) -> RemoteView:
        """A figure of the variant by the view's name."""
        return RemoteView(self.connection, (self.name,), name, self.step, controls)

    def availability(self) -> Mapping[str, Any]:
        """Which views have something to show, and the steps of each artifact."""
        return self.connection.get("availability", {"variant": self.name})

    def __repr__(self) -> str:
        return f"<{self.name} at {self.connection.url}>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(str(v))}</td></tr>" for k, v in self.params.items())
        return f"<b>{escape(self.name)}</b><br>{escape(self.connection.url)}<table>{rows}</table>"


@final
@documented
@dataclass(frozen=True)
class RemoteView:
    """A view with its controls set; drawn there when it is asked for."""

    connection: Connection
    """To the server."""
    variants: tuple[str, ...]
    """Names: one, or those that the view compares."""
    name: str
    """Of the view."""
    step: int | None
    """None: the view's own choice."""
    controls: Mapping[str, Any]
    """Values that differ from what the view chooses by itself."""

    def figure(self, step: int | None = None) -> Figure:
        """The Plotly figure; step: the nearest earlier checkpoint that it was computed at, None as it was chosen."""
        from plotly.graph_objects import Figure

        figure = self.connection.get("figure", self._query(step))
        # The server's Plotly may know more than the one that is here.
        return Figure(figure, skip_invalid=True)

    def export(self, target: str | Path, step: int | None = None) -> Path:
        """Write it to a path, or to a file of this format ('png') named for what it shows, in the current folder."""
        path = Path(target)
        if not path.suffix and path.name == str(target):
            path = Path(f"{self.variants[0].partition('/')[2]}.{self.name}.{target}")
        path.write_bytes(self.connection.content(f"export/{path.suffix.lstrip('.')}", self._query(step)))
        return path

    def show(self) -> None:
        """Show it: inline in a notebook, in the browser elsewhere."""
        self.figure().show()

    def _query(self, step: int | None) -> Mapping[str, object]:
        first, *others = self.variants
        shown = {"view": self.name, "variant": first, "step": self.step if step is None else step}
        return {**shown, "with": ",".join(others) or None, **self.controls}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.figure()._repr_mimebundle_(include, exclude)
