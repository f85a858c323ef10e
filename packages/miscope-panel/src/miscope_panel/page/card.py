"""One view on the page: asks for its picture when the selection moves, off the event loop, and shows the latest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import Any, ClassVar, final

import param

from miscope.failure import Failure, tried
from miscope_panel.page.board_part import BoardPart
from miscope_panel.page.client import source, style
from miscope_panel.page.errands import Errands
from miscope_panel.page.paced import Paced
from miscope_panel.shown.about import untold
from miscope_panel.shown.parted_figure import parted
from miscope_panel.shown.picture import Picture, Request

__all__ = ["Card", "Renderer", "sent"]

Renderer = Callable[[Request], Picture]


@final
class Card(BoardPart):
    """A frame with a title, controls, and a picture or the reason why there is none."""

    view = param.String(doc="Name of the view; '' for a card that only says something.")
    title = param.String()
    summary = param.String()
    of_view = param.String(doc="What the view is called, where the title says whom the card is of.")
    letter = param.String(doc="That of the one variant it is of, where it stands among several; '' for none.")
    closable = param.Boolean(default=True)
    holdable = param.Boolean(default=False, doc="Whether a second card can hold what this one shows.")
    held = param.Boolean(default=False, doc="Whether it stays at its variant and step.")
    looks = param.Dict(default={}, doc="What the visitor made of the card: full width, zoom (`card_looks`).")
    turned = param.Dict(
        default={}, doc="Its controls away from their defaults, by whom: the visitor, an address, a lens."
    )
    elsewhere = param.List(default=[], item_type=str, doc="Controls that are turned on the cursor bar, for all cards.")
    picture = param.Dict(
        default={}, doc="State, figure and its arrays (`parted_figure`), words, controls: replaced as a whole."
    )
    about = param.Dict(default={}, doc="What there is to know of it, once asked: sections (title, lines), and text.")
    pending = param.Boolean(default=False, doc="Whether the picture is older than the selection.")
    fresh = param.Boolean(default=False, doc="Whether the visitor has just opened it, and shall see where.")
    computing = param.Dict(default={}, doc="What can be computed of what is missing, and how far that is.")
    computing_said = param.Dict(default={}, doc="What became of what was asked of that.")
    in_sight = param.Boolean(default=True, doc="Whether the card is on or near the screen; the browser says so.")

    _esm = source(
        *(
            "card",
            "framing",
            "selecting",
            "at_step",
            "chart",
            "repainting",
            "menu",
            "take",
            "paper_form",
            "compute",
            "one_stop",
            "card_keys",
            "about",
            "beside",
            "rows_shared",
            "tint",
            "stages_behind",
            "between",
            "time_axes",
            "seen_range",
        )
    )
    _stylesheets: ClassVar[list[str]] = [style("card", "chart", "compute", "stages_behind", "paper_form")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_message: Callable[[dict[str, Any]], None] = lambda message: None
        self.on_shown: Callable[[Request, Picture], None] = lambda request, made: None
        self._wanted: Request | None = None
        self._shown: Request | None = None
        self._sent = False
        self._serial = 0
        """Numbers what was sent off: of two equal requests the earlier answer is of an earlier time."""
        self._again: Callable[[], None] = lambda: None
        self._redraw: Callable[[], None] = lambda: None
        self._renewals = Paced(lambda: self._redraw())
        self._old = False
        """Whether what it is drawn of changed while it was drawn."""
        self._drawn: Picture | None = None
        """What is shown, with a digest in the place of its figure."""
        self.tell: Callable[[Request], Mapping[str, Any]] = lambda request: {}
        """What there is to know of a card with that picture; asked on a thread."""
        self._of: Request | None = None
        """What is shown, with the step that is really shown: maybe an earlier one than was asked for."""
        self._subject: Request | None = None
        """What is asked about the card is asked of this."""
        self._inquiring: Request | None = None
        self._inquire: Callable[[], None] = lambda: None

    def ask(self, request: Request, render: Renderer, errands: Errands) -> None:
        """Show the picture of the request as soon as it is made; off screen, when the card is seen again.

        A later request overtakes this one: its picture is then dropped, or never made.
        """
        if request != self._wanted:
            self._wanted, self._sent = request, False
        self._again = partial(self.ask, request, render, errands)
        self._redraw = partial(self._draw_anew, request, render, errands)
        self._renewals.later = errands.later
        self.pending = request != self._shown
        self.inform(request if self.pending or self._of is None else self._of, errands)
        if self.pending and self.in_sight and not self._sent:
            self._sent = True
            self._serial += 1
            work = partial(self._make, request, self._serial, render)
            errands.send(work, partial(self._show, request, self._serial, errands), early=True)

    def inform(self, request: Request, errands: Errands) -> None:
        """Have what is asked about the card asked of this request; what was told of another is dropped."""
        if request != self._subject:
            self._subject, self.about = request, {}
        self._inquire = partial(self._send_inquiry, request, errands)

    def shows(self, request: Request) -> bool:
        """Whether its picture is the one of this request."""
        return request == self._shown

    @property
    def is_whole(self) -> bool:
        """Whether it shows a figure, of the step that was asked for."""
        return self.picture.get("state") == "figure" and not self.picture.get("note")

    def forget(self) -> None:
        """Take what is shown, or is being made, for old: the next request is made again, the same or not."""
        self._wanted = self._shown = None
        self._serial += 1

    def again(self) -> None:
        """Have the same picture made anew."""
        self.forget()
        self._again()

    def renew(self, *, urgent: bool = False) -> None:
        """What it is drawn of may be other than it was: have it drawn anew, and shown where it is another picture.

        Out of sight once it is seen again. urgent: nothing may follow that would have it drawn.
        """
        if self.in_sight and self._shown is not None and not self.pending:
            self._renewals.want(urgent=urgent)
        elif self.in_sight:
            # What is under way comes first: of what changes all the time nothing would be seen otherwise.
            self._old = True
        else:
            self.forget()

    def _draw_anew(self, request: Request, render: Renderer, errands: Errands) -> None:
        self._serial += 1
        work = partial(self._make, request, self._serial, render)
        errands.send(work, partial(self._renewed, request, self._serial, errands))

    def _renewed(
        self, request: Request, serial: int, errands: Errands, answer: tuple[Picture, dict[str, Any]] | None
    ) -> None:
        if request == self._wanted and serial == self._serial:
            if answer is None:
                self.again()
            elif request != self._shown or _digested(answer[0]) != self._drawn:
                self._show(request, serial, errands, answer)
        self._renewals.done()

    def _make(self, request: Request, serial: int, render: Renderer) -> tuple[Picture, dict[str, Any]] | None:
        """On a thread, maybe long after it was asked for: None where nobody would look at it by now."""
        if request != self._wanted or serial != self._serial or not self.in_sight:
            return None
        made = render(request)
        return made, sent(made)

    def _show(
        self, request: Request, serial: int, errands: Errands, answer: tuple[Picture, dict[str, Any]] | None
    ) -> None:
        if request != self._wanted or serial != self._serial:
            return
        if answer is None:
            self._sent = False
            self._seen()
            return
        made, picture = answer
        self._shown, self._drawn = request, _digested(made)
        self._of = request if made.step is None else replace(request, step=made.step)
        self.inform(self._of, errands)
        # At once: a change costs the event loop a millisecond, however much changes with it.
        self.param.update(picture=picture, pending=False)
        self.on_shown(request, made)
        if self._old:
            self._old = False
            self._renewals.want(urgent=True)

    @param.depends("in_sight", watch=True)
    def _seen(self) -> None:
        if self.in_sight:
            self._again()

    def _send_inquiry(self, request: Request, errands: Errands) -> None:
        if request != self._inquiring:
            self._inquiring = request
            errands.send(partial(self._read_about, request), partial(self._answer, request))

    def _read_about(self, request: Request) -> Mapping[str, Any] | Failure | None:
        """On a thread: None where something else is shown by now."""
        return tried(partial(self.tell, request)) if request == self._subject else None

    def _answer(self, request: Request, found: Mapping[str, Any] | Failure | None) -> None:
        if request == self._inquiring:
            self._inquiring = None
        if request == self._subject and found is not None:
            self.about = untold(self.title, found.error) if isinstance(found, Failure) else dict(found)

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if data.get("kind") == "about":
            self._inquire()
        else:
            self.on_message(data)


def _digested(made: Picture) -> Picture:
    """To be compared with another; figures have megabytes."""
    return replace(made, figure=blake2b(made.figure.encode()).hexdigest())


def sent(made: Picture) -> dict[str, Any]:
    """The picture as the browser is given it."""
    figure, arrays = parted(made.figure)
    return {
        "state": made.state,
        "figure": figure,
        "arrays": arrays,
        "badge": made.badge,
        "note": made.note,
        "words": list(made.words),
        "commands": list(made.commands),
        "trace": made.trace,
        "controls": [dict(control) for control in made.controls],
        "taken": dict(made.taken),
    }
