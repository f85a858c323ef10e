"""The pictures of one view for several variants: laid over each other, beside each other, or subtracted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

from miscope.analyzer import Grain
from miscope.figures.comparing.clock import Clock
from miscope.figures.comparing.compared_figure import ComparedFigure, NotCompared
from miscope.figures.comparing.same_inputs import SameInputs, same_inputs
from miscope.figures.comparing.together import beside, differences, laid_over, tell
from miscope.figures.wire import wire
from miscope_panel.shown.comparing.compared import Member
from miscope_panel.shown.comparing.compared_request import ComparedRequest
from miscope_panel.shown.comparing.drawn_again import DrawnAgain, drawn_again
from miscope_panel.shown.comparing.drawn_members import DrawnMember, drawn_member, placed
from miscope_panel.shown.comparing.two_sides import alignable
from miscope_panel.shown.picture import Picture, Request, drawn_picture, guarded

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.view import View
    from miscope.workspace import Workspace


__all__ = ["Choice", "ComparedCard", "ComparedView", "compared_view"]

_NOT_COMPUTED = "What this view shows was not computed for any of these variants."


@final
@dataclass(frozen=True, kw_only=True)
class Choice:
    """What can be done where a variant cannot be shown: a control of the page and its value."""

    label: str
    control: str
    value: str


@final
@dataclass(frozen=True, kw_only=True)
class ComparedCard:
    """One picture."""

    title: str = ""
    """Which variants it is of; "" for all."""
    letter: str = ""
    """Of the one variant: its colour may be one of those that a view gives its own curves."""
    picture: Picture
    choices: tuple[Choice, ...] = ()
    request: Request | None = None
    """Of that variant, or the first of several."""
    lacks: Request | None = None
    """Of all variants of which something may still be computed; None where that is the request above."""
    drawn: Figure | None = field(default=None, compare=False)
    """What the picture is of, for files of it."""
    again: DrawnAgain | None = None
    """How to draw it elsewhere, where it is put together of several."""


@final
@dataclass(frozen=True, kw_only=True)
class ComparedView:
    """All pictures of the view."""

    cards: tuple[ComparedCard, ...]
    note: str = ""
    """Why they are not in the way that was asked for; "" where they are."""
    inputs: SameInputs


def compared_view(workspace: Workspace, asked: ComparedRequest) -> ComparedView:
    """The pictures that are asked for. Never raises: what goes wrong in one view or variant stays in its card."""
    made = guarded(workspace, asked.view, lambda: _compared_view(workspace, asked))
    if isinstance(made, Picture):
        return ComparedView(cards=(ComparedCard(picture=made),), inputs=SameInputs(same=True))
    return made


def _compared_view(workspace: Workspace, asked: ComparedRequest) -> ComparedView:
    view = workspace.plugins.view(asked.view)
    variants = [workspace.find(member.name) for member in asked.members]
    inputs = same_inputs(workspace, view, variants)
    if view.grain is Grain.COHORT:
        return ComparedView(cards=(_together(workspace, view, asked),), inputs=inputs)
    clocks = {member.name: member.clock(asked.align) for member in asked.members}
    reference = next((clock for clock in clocks.values() if clock is not None), Clock())
    aligned = alignable(view, asked.members, asked.align)
    never = [_never(member, asked.align) for member in asked.members if member not in aligned]
    if asked.mode == "ab":
        aligned = aligned[:2]
    drawn = [drawn_member(workspace, view, member, asked, reference) for member in aligned]
    there = [placed(one, one.figure, clocks[one.member.name], reference) for one in drawn if one.figure is not None]
    pictures = {one.member.chip.label: one.picture for one in drawn}
    if asked.mode == "difference":
        cards, note = _differences(asked, there, pictures, _inputs_of_two(workspace, view, inputs, asked.members)), ""
    else:
        cards, note = _put_together(asked, there, pictures)
    cards, rest = _with_lacking(view, cards, drawn, laid=asked.mode == "overlay" and not note) if drawn else (cards, [])
    requests = {one.member.chip.label: one.request for one in drawn}
    asked_of = [replace(card, request=card.request or requests.get(card.title) or drawn[0].request) for card in cards]
    shown = (*asked_of, *rest, *(never if asked.mode == "grid" or not (cards or rest) else ()))
    # A group without any card could not be seen again.
    shown = shown or (_nothing_to_subtract(drawn[0]),)
    return ComparedView(cards=tuple(_taken(workspace, card) for card in shown), note=note, inputs=inputs)


def _taken(workspace: Workspace, card: ComparedCard) -> ComparedCard:
    """With the line of Python that draws what was put together."""
    if card.again is None:
        return card
    return replace(card, picture=replace(card.picture, taken={"python": card.again.python(workspace)}))


def _together(workspace: Workspace, view: View, asked: ComparedRequest) -> ComparedCard:
    """Of a view that compares by itself: aligned the same way where it can be."""
    first, *others = (member.name for member in asked.members)
    controls = dict(asked.controls)
    if any(control.name == "align" for control in view.controls):
        controls.setdefault("align", asked.align)
    request = Request(view=view.name, variant=first, compared=tuple(others), between=asked.between, controls=controls)
    request = replace(request, colours={member.name: member.chip.colour for member in asked.members})
    made, _ = drawn_picture(workspace, request)
    return ComparedCard(picture=made, request=request)


def _put_together(
    asked: ComparedRequest, there: Sequence[ComparedFigure], pictures: Mapping[str, Picture]
) -> tuple[list[ComparedCard], str]:
    """The cards of the variants of which there is a figure, and why they are not as was asked for."""
    if not there:
        return [], ""
    note = ""
    if asked.mode == "overlay":
        laid = _laid(there, asked)
        if not isinstance(laid, NotCompared):
            missing = [label for label, made in pictures.items() if made.state == "missing"]
            if missing:
                tell(laid, f"without {', '.join(missing)}: not computed")
            first = pictures[there[0].label]
            shown = _Drawn(figure=laid, picture=replace(first, step=None, asked=None))
            return [shown.card(drawn_again(asked, [one.label for one in there], first))], ""
        note = f"Beside each other: {laid.reason}."
    cards, labels = [], [one.label for one in there]
    letters = {member.chip.label: member.chip.letter for member in asked.members}
    for place, (one, figure) in enumerate(zip(there, beside(there, own_scales=asked.own_scales), strict=True)):
        shown = _Drawn(figure=figure, picture=pictures[one.label], title=one.label, letter=letters[one.label])
        again = drawn_again(asked, labels, pictures[labels[0]], mode="grid", place=place)
        # One that stands by its steps is drawn elsewhere as any card is.
        cards.append(shown.card(None if asked.align == "step" else again))
    return cards, note


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawn:
    """A figure that was put together."""

    figure: Figure
    picture: Picture
    """Of the variant, or the first of several."""
    title: str = ""
    letter: str = ""

    def card(self, again: DrawnAgain | None) -> ComparedCard:
        made = replace(self.picture, figure=wire(self.figure))
        made = made if again is None else replace(made, taken={})
        return ComparedCard(title=self.title, letter=self.letter, picture=made, drawn=self.figure, again=again)


def _laid(there: Sequence[ComparedFigure], asked: ComparedRequest) -> Figure | NotCompared:
    """All in one figure: as means over seeds, or over each other."""
    labels = {member.name: member.chip.label for member in asked.members}
    drawn = {one.label: one for one in there}
    groups = {
        label: [drawn[labels[name]] for name in names if labels.get(name) in drawn]
        for label, names in asked.means.items()
    }
    return laid_over(there, {label: members for label, members in groups.items() if members})


def _differences(
    asked: ComparedRequest,
    there: Sequence[ComparedFigure],
    pictures: Mapping[str, Picture],
    inputs: Callable[[str, str], SameInputs],
) -> list[ComparedCard]:
    """Each of the others less the first; why there is none where the two were not shown the same inputs.

    inputs: of two by their labels.
    """
    if not there:
        return []
    first, *others = there
    both = [inputs(first.label, other.label) for other in others]
    refused = ["" if shared.same else shared.words for shared in both]
    cards = []
    for other, each in zip(others, differences(there, refused, own_scales=asked.own_scales), strict=True):
        title, picture = f"{other.label}  −  {first.label}", pictures[other.label]
        if isinstance(each, NotCompared):
            reason = f"{each.reason[:1].upper()}{each.reason[1:]}."
            words = (f"{other.label} and {first.label} cannot be subtracted here.", reason)
            made = Picture(state="inapplicable", words=words, controls=picture.controls)
            cards.append(ComparedCard(title=title, picture=made))
        else:
            shown = _Drawn(figure=each, picture=picture, title=title)
            both_labels = [first.label, other.label]
            cards.append(shown.card(drawn_again(asked, both_labels, pictures[first.label], mode="difference")))
    return cards


def _inputs_of_two(
    workspace: Workspace, view: View, of_all: SameInputs, members: Sequence[Member]
) -> Callable[[str, str], SameInputs]:
    """What is known of the inputs of two by their labels: where all have the same, nothing is looked up."""
    names = {member.chip.label: member.name for member in members}

    def of_two(*labels: str) -> SameInputs:
        return same_inputs(workspace, view, [workspace.find(names[label]) for label in labels])

    return (lambda *_: of_all) if of_all.same else of_two


def _nothing_to_subtract(first: DrawnMember) -> ComparedCard:
    label = first.member.chip.label
    words = (f"There is nothing that {label} could be subtracted from.", "No other variant is shown.")
    made = Picture(state="inapplicable", words=words)
    return ComparedCard(title=label, letter=first.member.chip.letter, picture=made, request=first.request)


def _with_lacking(
    view: View, cards: Sequence[ComparedCard], drawn: Sequence[DrawnMember], *, laid: bool
) -> tuple[list[ComparedCard], list[ComparedCard]]:
    """The cards with what can be computed for them, and those of the variants without a figure.

    laid: whether one figure has all of them; then one card, too, says what was not computed.
    """
    lacks = _of_all(view, drawn)
    if not laid:
        return [*cards], [_lacking(one, lacks) for one in drawn if one.figure is None]
    told = [replace(card, lacks=lacks if _short(view, drawn) else None) for card in cards]
    told = told or [_nothing_computed(lacks, drawn) for one in drawn[:1] if _missing(one)]
    return told, [_lacking(one, lacks) for one in drawn if one.figure is None and not (told and _missing(one))]


def _lacking(one: DrawnMember, lacks: Request) -> ComparedCard:
    label, letter = one.member.chip.label, one.member.chip.letter
    return ComparedCard(title=label, letter=letter, picture=one.picture, request=one.request, lacks=lacks)


def _missing(one: DrawnMember) -> bool:
    return one.picture.state == "missing"


def _of_all(view: View, drawn: Sequence[DrawnMember]) -> Request:
    """What all of them lack together is asked by this."""
    first, *others = (one.member.name for one in drawn)
    return Request(view=view.name, variant=first, compared=tuple(others), controls=drawn[0].request.controls)


def _short(view: View, drawn: Sequence[DrawnMember]) -> bool:
    """Whether more would be seen were all computed."""
    spans = view.grain is not Grain.CHECKPOINT and bool(view.needs.history)
    return spans or any(_missing(one) or one.picture.note for one in drawn)


def _nothing_computed(lacks: Request, drawn: Sequence[DrawnMember]) -> ComparedCard:
    """One card for all that were not computed, where the first of them is one."""
    first, *others = (one for one in drawn if _missing(one))
    if not others:
        return _lacking(first, lacks)
    made = replace(first.picture, words=(_NOT_COMPUTED,), commands=())
    return ComparedCard(picture=made, request=first.request, lacks=lacks)


def _never(member: Member, align: str) -> ComparedCard:
    label = member.chip.label
    made = Picture(state="inapplicable", words=member.unaligned(align))
    choices = tuple(Choice(label=text, control=control, value=value) for text, control, value in member.instead())
    return ComparedCard(title=label, letter=member.chip.letter, picture=made, choices=choices)
