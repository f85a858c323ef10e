"""A view of variants of a server's workspace, as Python holds it: drawn there when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

from miscope.analysis.analyzer_options import Options, written_options
from miscope.errors import BadValue
from miscope.field_docs import documented
from miscope.remote.absent import HasAbsent
from miscope.remote.connection import Connection

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["RemoteView"]


@final
@documented
@dataclass(frozen=True, repr=False)
class RemoteView(HasAbsent):
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
    options: Options | None = None
    """What it reads was computed with, by analyzer name, where that is not the default."""

    absent: ClassVar = {
        "workspace": ("It is on the server's machine.", "What is asked of the server goes over `connection`."),
        "film": ("Films are made where the weights are.", "On the server's machine:  miscope export VIEW VARIANT"),
    }

    def figure(self, step: int | None = None) -> Figure:
        """The Plotly figure; step: the nearest earlier checkpoint that it was computed at, None as it was chosen."""
        from plotly.graph_objects import Figure

        figure = self.connection.get("figure", self._query(step))
        # The server's Plotly may know more than the one that is here.
        return Figure(figure, skip_invalid=True)

    def export(self, target: str | Path, step: int | None = None, *, preset: str | None = None) -> Path:
        """Write it to a path, or to a file of this format ('png') named for what it shows, in the current folder.

        preset: 'paper:85mm:8pt' for a picture as a paper has it (`figures.paper`).
        """
        from miscope.store.atomic import write_whole

        path = Path(target)
        if not path.suffix and path.name == str(target):
            at = self.step if step is None else step
            shown = "" if at is None else f".step_{at}"
            path = Path(f"{self.variants[0].partition('/')[2]}.{self.name}{shown}.{target}")
        query = {**self._query(step), **({} if preset is None else {"preset": preset})}
        content = self.connection.content(f"export/{path.suffix.lstrip('.')}", query)
        return write_whole(path, lambda file: file.write(content))

    def show(self) -> None:
        """Show it: inline in a notebook, in the browser elsewhere."""
        from miscope.figures.figure_style import CONFIG

        self.figure().show(config=dict(CONFIG))

    def _query(self, step: int | None) -> Mapping[str, object]:
        if not self.variants:
            raise BadValue(
                f"{self.name!r} is to show no variant.", "A view compares one or more.", "Give some:  remote.variants()"
            )
        first, *others = self.variants
        shown = {"view": self.name, "variant": first, "step": self.step if step is None else step}
        options = dict(option.split("=", 1) for option in written_options(self.options or {}))
        return {**shown, "with": ",".join(others) or None, **options, **self.controls}

    def __repr__(self) -> str:
        at = "" if self.step is None else f" at step {self.step}"
        turned = "".join(f", {name}={value!r}" for name, value in self.controls.items())
        return f"<{self.name} of {', '.join(self.variants)}{at}{turned}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.figure()._repr_mimebundle_(include, exclude)
