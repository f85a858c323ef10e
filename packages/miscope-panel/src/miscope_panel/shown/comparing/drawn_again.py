"""How a picture of several variants that was put together is drawn elsewhere: in Python, and in a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.figures.comparing.how_compared import HowCompared, Mode
from miscope.figures.comparing.in_python import compared_in_python
from miscope.reporting.asked_figure import AskedFigure
from miscope_panel.shown.computed_options import names_an_option, options_given

if TYPE_CHECKING:
    from miscope.workspace import Workspace
    from miscope_panel.shown.comparing.compared_request import ComparedRequest
    from miscope_panel.shown.picture import Picture

__all__ = ["DrawnAgain", "drawn_again"]


@final
@dataclass(frozen=True, kw_only=True)
class DrawnAgain:
    """What core is asked for the same figure."""

    view: str
    variants: tuple[str, ...]
    """Names of those that are in it, or beside it."""
    how: HowCompared
    step: int | None
    """Of the first of them; None of a view over training."""
    controls: Mapping[str, object]
    options: Mapping[str, str]
    """Those that what it shows was computed with, as an address has them."""

    def python(self, workspace: Workspace) -> str:
        """The figure in a notebook."""
        options = options_given(workspace, self.options)
        line = compared_in_python(self.view, self.variants, self.how, {"step": self.step, **self.controls}, options)
        opened = f"workspace = miscope.open({str(workspace.root)!r})"
        return "\n".join(["import miscope", "", opened, f"figure = {line}", ""])

    def asked(self, workspace: Workspace, title: str) -> AskedFigure:
        """The figure in a report."""
        return AskedFigure(
            view=self.view,
            variants=tuple(workspace.find(name) for name in self.variants),
            step=self.step,
            controls=self.controls,
            options=options_given(workspace, self.options),
            title=title,
            compared=self.how,
        )


def drawn_again(
    asked: ComparedRequest, labels: Sequence[str], first: Picture, *, mode: Mode = "overlay", place: int = 0
) -> DrawnAgain:
    """labels: of the variants. first: the picture of the first of them, which says what the controls are."""
    names = {member.chip.label: member.name for member in asked.members}
    turned = {control["name"]: control["value"] for control in first.controls if control["name"] in asked.controls}
    return DrawnAgain(
        view=asked.view,
        variants=tuple(names[label] for label in labels),
        how=HowCompared(
            mode=mode, align=asked.align, means=bool(asked.means), own_scales=asked.own_scales, place=place
        ),
        step=first.step,
        controls={name: value for name, value in turned.items() if not names_an_option(name)},
        options={name: value for name, value in asked.controls.items() if names_an_option(name)},
    )
