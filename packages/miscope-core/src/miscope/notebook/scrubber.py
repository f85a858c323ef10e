"""The widget: a step cursor over figures, which the browser asks for as it comes to them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import anywidget
import traitlets

from miscope.figures.client import part, sheet
from miscope.figures.picture import picture
from miscope.figures.wire import bundle, looks
from miscope.maths.dated_events import EVENT_WORDS
from miscope.notebook.cards import Card
from miscope.notebook.clock import Course, places, settled

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["Content", "Scrubber"]

_HERE = Path(__file__).parent
_STYLE = "\n".join([*map(sheet, ("look", "base", "cursor", "chart")), (_HERE / "widget.css").read_text("utf-8")])
_SCRIPT = "\n".join(
    [
        *map(part, ("dom", "cursor", "framing", "selecting", "at_step", "chart")),
        f"const STYLE = {json.dumps(_STYLE)}",
        f"const LOOKS = {json.dumps(looks())}",
        (_HERE / "widget.js").read_text("utf-8"),
    ]
)


@final
@dataclass(frozen=True, kw_only=True)
class Content:
    """What a widget shows."""

    title: str
    cards: Sequence[Card]
    courses: Sequence[Course | None]
    """Of each variant; None of one that is not on the clock."""
    clock: str = "step"
    """What the cursor counts: 'step', 'fraction', or the name of an event."""
    unit: str = "step"
    """What that is called: 'epoch', 'epochs since generalised'."""
    step_label: str = "step"
    """What a step of the variants is called."""
    events: Mapping[str, float] = field(default_factory=dict)
    """Places to mark on the cursor's track."""
    notes: Sequence[str] = ()
    """What is to be known of the whole."""


@final
class Scrubber(anywidget.AnyWidget):
    """Figures under one step cursor.

    Set `step` to move the cursor: it settles on the last checkpoint at or before. A click in a figure, a key and the
    slider set it in turn, and `observe(function, "step")` hears of it. Figures are drawn when the cursor comes to them,
    and kept in the browser; where no kernel answers there are words in their place.
    """

    _esm = _SCRIPT

    step = traitlets.Union([traitlets.Int(), traitlets.Float()], default_value=None, allow_none=True).tag(sync=True)
    """Where the cursor is, on its clock: a checkpoint's step where it counts steps. None where there is none."""
    steps = traitlets.List().tag(sync=True)
    """Where it can be, ascending."""
    clock = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    step_label = traitlets.Unicode().tag(sync=True)
    events = traitlets.Dict().tag(sync=True)
    event_words = traitlets.Dict({name: asdict(words) for name, words in EVENT_WORDS.items()}).tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    notes = traitlets.List().tag(sync=True)
    courses = traitlets.List().tag(sync=True)
    cards = traitlets.List().tag(sync=True)

    def __init__(self, workspace: Workspace, content: Content, step: float | None = None) -> None:
        self._workspace, self._cards = workspace, tuple(content.cards)
        steps = places([course for course in content.courses if course is not None])
        super().__init__(
            step=_plain(settled(steps, step)),
            steps=steps,
            clock=content.clock,
            unit=content.unit,
            step_label=content.step_label,
            events=dict(content.events),
            title=content.title,
            notes=list(content.notes),
            courses=[course and _laid(course) for course in content.courses],
            cards=[card.described() for card in content.cards],
        )
        self.on_msg(self._answer)

    @traitlets.validate("step")
    def _settle(self, proposal: Any) -> float | None:
        return _plain(settled(self.steps, proposal["value"]))

    def _answer(self, widget: object, content: Any, buffers: object) -> None:
        """What the browser asked for: a card's picture at a step, or plotly.js."""
        match content:
            case {"kind": "draw", "card": int(number), "step": int() | None as step} if number in range(
                len(self._cards)
            ):
                made = picture(self._workspace, self._cards[number].drawing, step)
                words = {"words": list(made.words), "trace": made.trace}
                about = {"kind": "picture", "card": number, "step": step, "shown": made.step}
                self.send({**about, "figure": made.figure, **words})
            case {"kind": "library"}:
                self.send({"kind": "library"}, buffers=[bundle().read_bytes()])

    def __repr__(self) -> str:
        at = "no checkpoints" if self.step is None else f"{self.unit} {self.step:,g}"
        return f"<{self.title}: {len(self.cards)} views at {at}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, and words for where none can be shown."""
        bundled = super()._repr_mimebundle_(**kwargs)
        if bundled is None:
            return None
        data, metadata = bundled
        return {**data, "text/html": self._without_kernel()}, metadata

    def _without_kernel(self) -> str:
        named = [" \u00b7 ".join(filter(None, (card["title"], card["label"]))) for card in self.cards]
        at = "no checkpoints" if self.step is None else f"{self.unit} {self.step:,g} of {len(self.steps)}"
        return (
            f"<b>{escape(self.title)}</b><br>{escape(at)}"
            f"<ul>{''.join(f'<li>{escape(name)}</li>' for name in named)}</ul>"
            "<i>A widget: run the cell again in a notebook whose kernel answers. "
            "<code>variant.view(...).film('film.html')</code> writes a page that needs none.</i>"
        )


def _laid(course: Course) -> dict[str, Any]:
    clock = course.clock
    return {"steps": list(course.steps), "places": list(course.places), "origin": clock.zero, "unit": clock.unit}


def _plain(place: float | None) -> float | None:
    """Whole steps as whole numbers."""
    return int(place) if place is not None and float(place).is_integer() else place
