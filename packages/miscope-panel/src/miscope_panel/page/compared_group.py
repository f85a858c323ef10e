"""The cards of one view on the page of comparisons: as many as its pictures are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, final

from miscope.failure import Failure, tried
from miscope_panel.page.board_heading import BoardHeading
from miscope_panel.page.card import Card, sent
from miscope_panel.page.computing import Computing
from miscope_panel.page.errands import Errands
from miscope_panel.page.paced import Paced
from miscope_panel.shown.about import told
from miscope_panel.shown.comparing.compared_request import ComparedRequest
from miscope_panel.shown.comparing.compared_view import ComparedCard, ComparedView, compared_view

if TYPE_CHECKING:
    from miscope.view import View
    from miscope.workspace import Workspace

__all__ = ["ComparedGroup"]

_Made = tuple[ComparedView, tuple[dict[str, Any], ...]]
"""What is shown, and each picture as the browser is given it."""


@final
class ComparedGroup:
    """Asks for its pictures when the page moves, while any of its cards is in sight, and shows the latest."""

    def __init__(
        self, workspace: Workspace, errands: Errands, view: View, computing: Computing, *, in_sight: bool = True
    ) -> None:
        """computing: of its page. in_sight: whether its card is taken for seen until the browser has said so."""
        self._workspace, self._errands, self._view, self._computing = workspace, errands, view, computing
        self.on_laid_out: Callable[[], None] = lambda: None
        """Called when there are more or fewer cards than before, or what is said of them is another."""
        self.on_message: Callable[[str, dict[str, Any]], None] = lambda view, message: None
        """Called with the view and what somebody did with a card of it."""
        self.on_file: Callable[[ComparedRequest, int, dict[str, Any]], None] = lambda request, place, message: None
        """Called with what is shown, which card of it somebody wants as a file, and as which."""
        self.heading = BoardHeading(title=view.title, sizing_mode="stretch_width", margin=0)
        self._card_titles: tuple[str, ...] = ("",)
        self._looks: Mapping[str, str] = {}
        self._elsewhere: Sequence[str] = ()
        self.cards: list[Card] = [self._card("", "", in_sight=in_sight)]
        self.shown: ComparedView | None = None
        self._asked: ComparedRequest | None = None
        self._sent: tuple[Any, ...] | None = None
        self._known: tuple[Any, ...] | None = None
        self._renewals = Paced(self._draw_anew, later=self._errands.later)
        self._old = False
        """Whether what they are drawn of changed while they were drawn."""
        self._forgotten = 0
        """How often: what was being made then is of before."""

    @property
    def asked(self) -> ComparedRequest | None:
        """What it shows, or is to show."""
        return self._asked

    @property
    def headed(self) -> bool:
        """Whether its cards stand under a heading: several, or one that says of whom it is."""
        return len(self.cards) > 1 or any(self._card_titles)

    def ask(self, request: ComparedRequest) -> None:
        """Show the pictures of the request as soon as they are made; off screen, when a card is seen again."""
        self._asked = request
        pending = request.key != self._known
        for card in self.cards:
            card.pending = pending
        in_sight = not self.cards or any(card.in_sight for card in self.cards)
        if pending and self._sent != request.key and in_sight:
            self._sent = request.key
            self._errands.send(partial(self._make, request), partial(self._show, request, self._forgotten))

    def look(self, looks: Mapping[str, str], elsewhere: Sequence[str]) -> None:
        """What the visitor made of its cards, the same for all, and which controls are on the cursor bar instead."""
        self._looks, self._elsewhere = looks, elsewhere
        for card in self.cards:
            card.param.update(looks=dict(looks), elsewhere=list(elsewhere))

    def forget(self) -> None:
        """Take what is shown, or is being made, for old."""
        self._known = self._sent = None
        self._forgotten += 1

    def again(self) -> None:
        """Have the same pictures made anew."""
        self.forget()
        if self._asked is not None:
            self.ask(self._asked)

    def renew(self, *, urgent: bool = False) -> None:
        """What the pictures are drawn of may be other than it was: have them drawn anew, and shown where they changed.

        Out of sight once a card is seen again. urgent: nothing may follow that would have them drawn.
        """
        if self._asked is None:
            return
        if not any(card.in_sight for card in self.cards):
            self.again()
        elif self._known == self._asked.key:
            self._renewals.want(urgent=urgent)
        else:
            # What is under way comes first: of what changes all the time nothing would be seen otherwise.
            self._old = True

    def _draw_anew(self) -> None:
        if self._asked is None:
            self._renewals.done()
            return
        self._forgotten += 1
        request = self._asked
        work = partial(tried, partial(self._drawn, request))
        self._errands.send(work, partial(self._renewed, request, self._forgotten))

    def _renewed(self, request: ComparedRequest, forgotten: int, made: _Made | Failure) -> None:
        waits = forgotten == self._forgotten and self._known != request.key
        if isinstance(made, Failure):
            if waits:
                # It overtook what was asked for, and says why not to nobody.
                self.again()
        elif waits or made[0] != self.shown:
            self._show(request, forgotten, made)
        self._renewals.done()

    def _make(self, request: ComparedRequest) -> _Made | None:
        """On a thread, maybe long after it was asked for: None where another was asked for since."""
        return self._drawn(request) if self._asked is request else None

    def _drawn(self, request: ComparedRequest) -> _Made:
        # Without the figures: files are made of a page's cards seldom, and drawn for that.
        seen = compared_view(self._workspace, request)
        made = replace(seen, cards=tuple(replace(card, drawn=None) for card in seen.cards))
        return made, tuple(_sent(card) for card in made.cards)

    def _show(self, request: ComparedRequest, forgotten: int, answer: _Made | None) -> None:
        asked = self._asked
        if asked is None or asked.key != request.key or forgotten != self._forgotten:
            return
        if answer is None:
            self._sent = None
            self.ask(asked)
            return
        made, pictures = answer
        self._known, before, self.shown = request.key, self.shown, made
        titles = tuple(card.title for card in made.cards)
        anew = titles != self._card_titles or [c.letter for c in self.cards] != [c.letter for c in made.cards]
        if anew:
            self._card_titles = titles
            self.cards = [self._card(card.title, card.letter) for card in made.cards]
        for card, shown, picture in zip(self.cards, made.cards, pictures, strict=True):
            if shown.request is not None:
                card.inform(shown.request, self._errands)
            card.param.update(picture=picture, pending=False)
            lacks = shown.lacks or shown.request
            if lacks is not None:
                self._computing.shown(card, lacks, shown.picture, self.again)
        if anew or before is None or before.note != made.note or before.inputs != made.inputs:
            self.heading.note = made.note
            self.on_laid_out()
        if self._old:
            self._old = False
            self._renewals.want(urgent=True)

    def _card(self, title: str, letter: str, *, in_sight: bool = True) -> Card:
        card = Card(
            view=self._view.name,
            title=title or self._view.title,
            summary=self._view.summary,
            of_view=self._view.title if title else "",
            letter=letter,
            in_sight=in_sight,
            looks=dict(self._looks),
            elsewhere=list(self._elsewhere),
            sizing_mode="stretch_width",
            margin=0,
        )
        card.on_message, card.tell = partial(self._hear, card), partial(told, self._workspace, self._view.title)
        card.param.watch(lambda event: event.new and self._asked and self.ask(self._asked), "in_sight")
        return card

    def _hear(self, card: Card, message: dict[str, Any]) -> None:
        if card in self.cards and message.get("kind") == "compute":
            self._computing.hear(card, message)
        elif card in self.cards and message.get("kind") == "file":
            if self._asked is not None:
                self.on_file(self._asked, self.cards.index(card), message)
        elif card in self.cards:
            self.on_message(self._view.name, message)


def _sent(card: ComparedCard) -> dict[str, Any]:
    choices = [{"label": each.label, "control": each.control, "value": each.value} for each in card.choices]
    # Nobody here makes a film of it.
    return {**sent(card.picture), "choices": choices, "filmed": False}
