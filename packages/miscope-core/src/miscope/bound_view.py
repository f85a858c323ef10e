"""A view of variants with its controls set, as Python holds it: drawn when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from miscope.field_docs import documented
from miscope.variant import Variant
from miscope.workspace import Workspace

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.analysis.analyzer_options import Options

__all__ = ["BoundView"]


@final
@documented
@dataclass(frozen=True)
class BoundView:
    """A view of one variant or of several with its controls set; drawn when asked."""

    workspace: Workspace
    """What its variants are in."""
    variants: tuple[Variant, ...]
    """One, or those that the view compares."""
    name: str
    """Of the view."""
    step: int | None
    """None: the view's own choice, the last checkpoint where it shows one."""
    controls: dict[str, Any]
    """Values that differ from what the view chooses by itself."""
    options: Options | None = None
    """What it reads was computed with, by analyzer name, where that is not the default."""

    def figure(self) -> Figure:
        """The Plotly figure."""
        from miscope.figures.render import render

        view = self.workspace.plugins.view(self.name)
        return render(self.workspace, view, self.variants, step=self.step, options=self.options, **self.controls)

    def show(self) -> None:
        """Show it: inline in a notebook, in the browser elsewhere."""
        from miscope.figures.figure_style import CONFIG

        self.figure().show(config=dict(CONFIG))

    def export(self, target: str | Path, *, preset: str | None = None) -> Path:
        """Write it to a path, or to a file of this format ('png') named for what it shows, in the current folder.

        preset: 'paper:85mm:8pt' for a picture as a paper has it (`figures.paper`).
        """
        from miscope.figures.export import export

        path = Path(target)
        if not path.suffix and path.name == str(target):
            at = "" if self.step is None else f".step_{self.step}"
            path = Path(f"{self.variants[0].slug}.{self.name}{at}.{target}")
        return export(self.figure(), path, preset=preset)

    def film(self, path: str | Path, *, frames: int = 40, fps: float | None = None) -> Path:
        """Write it at so many checkpoints at most, spread over training: .gif, .webp, .mp4, or .html with a slider."""
        from miscope.figures.animate import animate

        shown = {"options": self.options, **self.controls}
        for _ in animate(self.workspace, self.name, self.variants[0], Path(path), frames=frames, fps=fps, **shown):
            pass
        return Path(path)

    def __repr__(self) -> str:
        at = "" if self.step is None else f" at step {self.step}"
        turned = "".join(f", {name}={value!r}" for name, value in self.controls.items())
        return f"<{self.name} of {', '.join(one.name for one in self.variants)}{at}{turned}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.figure()._repr_mimebundle_(include, exclude)
