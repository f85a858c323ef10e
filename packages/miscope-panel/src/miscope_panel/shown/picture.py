"""What a card shows: a figure, or in sentences why there is none. Asks core; holds no state and no Panel."""

from __future__ import annotations

import re
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, final

from miscope.analysis.analyzer_options import Options
from miscope.analyzer import Grain
from miscope.commands import in_workspace
from miscope.errors import BadValue, DoesNotApply, Ended, MiscopeError, NoArtifact, NoCheckpoint
from miscope.failure import Failure, tried
from miscope.figures.availability import Availability, gather_before, view_availability
from miscope.figures.controls import Value, settle
from miscope.figures.picture import failed
from miscope.figures.render import draw, gather
from miscope.figures.wire import wire
from miscope.variant import Variant
from miscope.view import View, ViewData
from miscope_panel.shown.computed_options import names_an_option, offered_options, options_given
from miscope_panel.shown.control_described import controls_of, described
from miscope_panel.shown.lacking import lacking
from miscope_panel.shown.selection import settled
from miscope_panel.shown.taking import in_python, in_query, in_shell, turned_away

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.workspace import Workspace

__all__ = [
    "Picture",
    "Request",
    "State",
    "as_shown",
    "availability_in_turn",
    "command",
    "drawn_picture",
    "figure",
    "guarded",
    "picture",
    "why_not",
]

T = TypeVar("T")

State = Literal["figure", "missing", "inapplicable", "error"]

_COMMAND = re.compile(r"^(?P<words>.*?):\s\s(?P<command>miscope .*)$")

_ALONE = "This view compares several variants, and one is selected."

# A model records the activations of one run at a time; views that recompute them take turns.
_MODEL = threading.Lock()


@final
@dataclass(frozen=True, kw_only=True)
class Request:
    """Which picture: a view of a variant near a step, its controls as they stand in the URL."""

    view: str
    variant: str
    step: int | None = None
    """None: the last checkpoint."""
    compared: tuple[str, ...] = ()
    colours: Mapping[str, str] = field(default_factory=dict)
    """Those that variants have elsewhere, by name, for a view that compares them."""
    controls: Mapping[str, str] = field(default_factory=dict)
    """And options of what the view reads: 'neurons.clusters.threshold' by its name, or several under 'options'."""
    selected: Mapping[str, str] = field(default_factory=dict)
    """Controls that show what is selected or turned for all cards; one that cannot have its value is at its default."""
    between: tuple[float, float] | None = None
    """The steps that its axes over training show, for a view of what was recorded: of these all records are drawn."""
    exact: bool = False
    """Whether a control that cannot have its value is a reason to show nothing, not one to fall back to the default."""


@final
@dataclass(frozen=True, kw_only=True)
class Picture:
    """An answer to a request, ready to travel to the browser."""

    state: State
    figure: str = ""
    """JSON for plotly.js, without its template."""
    step: int | None = None
    """The checkpoint shown; None where the view spans training."""
    asked: int | None = None
    """The checkpoint under the cursor, where another is shown."""
    label: str = "step"
    words: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    trace: str = ""
    controls: tuple[Mapping[str, Any], ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)
    """How to draw it elsewhere: 'python', 'shell', and the 'query' of the HTTP interface."""

    @property
    def badge(self) -> str:
        """'epoch 24,800': what the card's header says is shown."""
        return "" if self.step is None else f"{self.label} {self.step:,}"

    @property
    def note(self) -> str:
        """Why it is not the step under the cursor; "" where it is."""
        if self.asked is None or self.asked == self.step:
            return ""
        return f"Nothing was computed at {self.label} {self.asked:,}; this is the nearest before it that was."


def picture(workspace: Workspace, request: Request) -> Picture:
    """The picture of a request. Never raises: what goes wrong in one view stays in its card."""
    return drawn_picture(workspace, request, dressed=False)[0]


def as_shown(workspace: Workspace, request: Request) -> Request:
    """The request for elsewhere, where nothing is selected: its controls have what all cards do, each that can have it.

    Reads what the view shows; not for the event loop.
    """
    found = tried(partial(_selected_there, workspace, request)) if request.selected else {}
    taken = {} if isinstance(found, Failure) else found
    return replace(request, controls={**taken, **request.controls}, selected={})


def drawn_picture(workspace: Workspace, request: Request, *, dressed: bool = True) -> tuple[Picture, Figure | None]:
    """The same with its figure as such, with or without its template; None where there is none."""
    label, offered = "step", ()
    try:
        view = workspace.plugins.view(request.view)
        variants = _variants(workspace, view, request)
        label = workspace.plugins.family(variants[0].family).step_label
        chosen = options_given(workspace, request.controls)
        offered = offered_options(workspace, view, variants, chosen)
        with _turn(view):
            shown, asked = _gathered(workspace, view, variants, request, chosen)
            if request.exact and (lack := lacking(workspace, view, shown, request.controls)):
                return Picture(state="missing", words=lack.words, commands=lack.commands), None
            controls = _accepted(view, shown, {**request.selected, **request.controls})
            drawn = draw(view, shown, controls, between=request.between, dressed=dressed)
            turned = turned_away(view, controls, settle(view, shown, {}))
        made = Picture(
            state="figure",
            figure=wire(drawn),
            step=shown.step,
            asked=asked,
            label=label,
            controls=(*(described(c, shown, controls[c.name]) for c in controls_of(view, drawn)), *offered),
            taken={
                "python": in_python(workspace.root, view, shown, turned),
                "shell": command(workspace, in_shell(view, shown, turned)),
                "query": in_query(view, shown, turned),
            },
        )
        return made, drawn
    except (NoArtifact, NoCheckpoint) as error:
        return replace(_explained(workspace, "missing", error), controls=offered), None
    except DoesNotApply as error:
        return _alone(workspace, request) or _explained(workspace, "inapplicable", error), None
    except MiscopeError as error:
        return _explained(workspace, "error", error), None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the door that keeps a view's failure in its own card
        return _failed(workspace, request.view, error), None


def guarded(workspace: Workspace, view: str, work: Callable[[], T]) -> T | Picture:
    """What the work on a view's figures gives; where it fails, the picture of a card that says so."""
    try:
        return work()
    except MiscopeError as error:
        return _explained(workspace, "error", error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the same door: figures that cannot be put together
        return _failed(workspace, view, error)


def figure(workspace: Workspace, request: Request) -> Figure:
    """The figure itself, as scripts get it over HTTP; raises MiscopeError where there is none."""
    view = workspace.plugins.view(request.view)
    chosen = options_given(workspace, request.controls)
    controls = {name: value for name, value in request.controls.items() if not names_an_option(name)}
    try:
        with _turn(view):
            shown, _ = _gathered(workspace, view, _variants(workspace, view, request), request, chosen)
            return draw(view, shown, controls)
    except SystemExit as error:  # of a family: it would end the server
        raise Ended(view.name, error.code) from error


def why_not(workspace: Workspace, view: View, variant: Variant, compared: Sequence[Variant] = ()) -> tuple[State, str]:
    """Whether the view has something to show for the variant, and if not, why: one line for the catalogue.

    compared: the others, for a view that compares.
    """
    try:
        of = [variant, *(compared if view.grain is Grain.COHORT else ())]
        available = availability_in_turn(workspace, view, of)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the same door: the catalogue lists the other views
        return "error", f"{type(error).__name__}: {error}".splitlines()[0]
    return "figure" if available.state == "there" else available.state, available.reason


def availability_in_turn(workspace: Workspace, view: View, variants: Sequence[Variant]) -> Availability:
    """What the view has to show of the variants; where that runs a model, once no other view does."""
    with _turn(view):
        return view_availability(workspace, view, variants)


def command(workspace: Workspace, text: str) -> str:
    """A `miscope ...` line that works in any folder: names the workspace where it is not the default one."""
    return in_workspace(workspace.root, text)


def _turn(view: View) -> AbstractContextManager[Any]:
    return _MODEL if view.needs.sites else nullcontext()


def _variants(workspace: Workspace, view: View, request: Request) -> list[Variant]:
    names = [request.variant, *(request.compared if view.grain is Grain.COHORT else ())]
    return [workspace.find(name) for name in dict.fromkeys(names)]


def _gathered(
    workspace: Workspace, view: View, variants: Sequence[Variant], request: Request, options: Options | None = None
) -> tuple[ViewData, int | None]:
    """What the view is given at the nearest step at or before the one asked for that has all it needs, and the
    checkpoint that would have been shown."""
    if view.grain is Grain.COHORT:
        together = gather(workspace, view, variants, None, options)
        members = (replace(one, colour=request.colours.get(one.shown.variant.name, "")) for one in together.members)
        return replace(together, members=tuple(members)), None
    if view.grain is not Grain.CHECKPOINT:
        return gather(workspace, view, variants[0], None, options), None
    wanted = settled(workspace.store.steps(variants[0].name), request.step)
    return gather_before(workspace, view, variants[:1], wanted, options), wanted


def _accepted(view: View, shown: ViewData, given: Mapping[str, str]) -> dict[str, Value]:
    """Every control's value: the one given where this variant takes it, else its default."""
    taken = {}
    for control in view.all_controls:
        if control.name in given:
            try:
                taken[control.name] = settle(view, shown, {control.name: given[control.name]})[control.name]
            except BadValue:
                continue
    return settle(view, shown, taken)


def _selected_there(workspace: Workspace, request: Request) -> dict[str, str]:
    """What the controls show that show what is selected."""
    view = workspace.plugins.view(request.view)
    chosen = options_given(workspace, request.controls)
    with _turn(view):
        shown, _ = _gathered(workspace, view, _variants(workspace, view, request), request, chosen)
        values = _accepted(view, shown, request.selected)
    return {name: str(values[name]) for name in request.selected}


def _failed(workspace: Workspace, view: str, error: BaseException) -> Picture:
    words = failed(workspace, view, error)
    return Picture(state="error", words=words, trace="".join(traceback.format_exception(error)))


def _explained(workspace: Workspace, state: State, error: MiscopeError) -> Picture:
    words, commands = [], []
    for sentence in str(error).splitlines():
        advised = _COMMAND.match(sentence)
        words.append(f"{advised['words']}:" if advised else sentence)
        if advised:
            commands.append(command(workspace, advised["command"]))
    return Picture(state=state, words=tuple(words), commands=tuple(commands))


def _alone(workspace: Workspace, request: Request) -> Picture | None:
    """What to do where a view that compares was given one variant."""
    if workspace.plugins.view(request.view).grain is not Grain.COHORT or set(request.compared) - {request.variant}:
        return None
    if len(workspace.names()) > 1:
        return Picture(state="inapplicable", words=(_ALONE, "Choose others under \u201cCompare with\u201d."))
    family = request.variant.partition("/")[0]
    train = command(workspace, f"miscope train {family} KEY=VALUE")
    words = (_ALONE, "There is no other here. To train one:")
    return Picture(state="inapplicable", words=words, commands=(train,))
