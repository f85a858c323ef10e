"""A figure by name: what it reads, what can be turned, and a pure function that draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, final

from miscope.analyzer import Grain
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.field_docs import documented
from miscope.needs import Needs
from miscope.probe import Probe
from miscope.snapshot import Series
from miscope.variant import Variant

if TYPE_CHECKING:
    import numpy as np
    from plotly.graph_objects import Figure
    from torch import Tensor

__all__ = ["SELECTED", "Choice", "Control", "Member", "Number", "Toggle", "Untrained", "View", "ViewData"]

SELECTED = ("neuron", "latent", "head", "layer", "frequency", "site")
"""What a control of that name selects where it does not say otherwise: all cards of the dashboard show the same."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of several names."""

    name: str
    """What `draw` is given it as."""
    options: tuple[str, ...] = ()
    """Fixed names; () when all of them come from the data."""
    options_from: Callable[[ViewData], Sequence[str]] | None = None
    """Names that depend on what is shown: the model's heads, the artifact's matrices."""
    default: str | None = None
    """None: the first option."""
    label: str = ""
    """What the card calls it; "": the name."""
    selects: str | None = None
    """What it selects for all cards of the dashboard: 'neuron'. None: its name, if `SELECTED` has it; "": nothing."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Number:
    """A number between bounds; whole unless `whole` is False."""

    name: str
    """What `draw` is given it as."""
    default: float
    """Before anybody turns it."""
    minimum: float = 0
    """Smallest value, inclusive."""
    maximum: float | None = None
    """None when it comes from the data."""
    maximum_from: Callable[[ViewData], int] | None = None
    """Largest value, inclusive, that what is shown allows: the last neuron."""
    whole: bool = True
    """Whether it has no fraction."""
    label: str = ""
    """What the card calls it; "": the name."""
    selects: str | None = None
    """What it selects for all cards of the dashboard: 'neuron'. None: its name, if `SELECTED` has it; "": nothing."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Toggle:
    """On or off."""

    name: str
    """What `draw` is given it as."""
    default: bool = False
    """Before anybody turns it."""
    label: str = ""
    """What the card calls it; "": the name."""


Control = Choice | Number | Toggle

SINCE = "since "
"""What stands before the name of an event in what the time axis counts."""


def _step_scales(shown: ViewData) -> tuple[str, ...]:
    """Those of what is shown; several variants have neither length nor events in common."""
    steps, of_one = ("linear", "log"), ("fraction", *(f"{SINCE}{event}" for event in shown.events))
    return steps if shown.members else (*steps, *of_one)


STEP_SCALE = Choice(name="clock", options=("linear", "log", "fraction"), options_from=_step_scales, label="time axis")
"""How steps are laid out; every view with an axis that counts them has it. Of one variant also as the fraction of its
training, and since each of its events: 'since generalised'."""

EVENT_MARKS = Toggle(name="events", default=True, label="event marks")
"""Whether the events of training are marked; every view over the training of a variant has it on its time axis."""

SAME_SCALE = Toggle(name="locked", default=True, label="same scale at every step")
"""Whether a view of a checkpoint has the axes of all checkpoints, for those that declare it."""

SMOOTHING = Choice(name="smoothing", options=("none", "11", "31", "101", "301", "1001"), label="running median")
"""Over how many records curves are smoothed; every view of metrics over training has it."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Member:
    """One variant of a cohort view: its trajectory-grain data under a label that tells it from the others."""

    label: str
    """What differs: 'seed=485'; the whole slug if need be."""
    shown: ViewData
    """Of trajectory grain: what a view of this variant alone would be given."""
    colour: str = ""
    """The colour that it has elsewhere, where it has one: see `figure_style.member_colours`."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Untrained:
    """The variant that is the same and built on untrained weights (`Family.untrained`), or what it takes to have it."""

    shown: ViewData | None
    """What a view of it would be given, at the same step; None where something of that is not there."""
    missing: str = ""
    """What is not there, as a clause: 'not trained', 'not analyzed'; why it cannot be read; "" where all is."""
    command: str = ""
    """What brings that about: 'miscope train ...'; "" where all is there, or nothing does."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class ViewData:
    """What a view is given to draw; only what it declared."""

    variant: Variant
    """The one shown; of a cohort view the first."""
    step: int | None
    """The checkpoint shown, of checkpoint grain; None for a view over the whole of training."""
    steps: np.ndarray
    """(T,) every checkpoint of the variant."""
    step_label: str = "step"
    """'epoch' for a full-batch family."""
    probe: Probe | None = None
    """The inputs that its activations and artifacts are of; None in a cohort view, whose members have theirs."""
    artifacts: Mapping[str, Arrays] = field(default_factory=dict)
    """Of the declared reads. In a view of checkpoint grain: at this step. In one of trajectory grain: a checkpoint
    analyzer's arrays stacked over its steps, with those steps under 'step'."""
    history: Mapping[str, Arrays] = field(default_factory=dict)
    """Of the declared history: stacked over all steps, with 'step'; for ranges locked over training."""
    metrics: Mapping[str, Series] = field(default_factory=dict)
    """Of the declared patterns, by name."""
    activations: Callable[[str, Sequence[int] | None], Tensor] | None = None
    """(site, channels) -> (N, ...) at the answer position and this step, recomputed on demand."""
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    """Of the declared roles, at this step."""
    sites: tuple[str, ...] = ()
    """The model's sites that match the declared patterns, in network order."""
    channels: Mapping[str, int] = field(default_factory=dict)
    """Size of the last axis of each of those sites."""
    bases: Mapping[str, Basis] = field(default_factory=dict)
    """Of the declared axes and columns, those that the family gives."""
    events: Mapping[str, float] = field(default_factory=dict)
    """Named steps for marks on a time axis: {'memorised': 170, 'generalised': 9830}; {} when not computed."""
    definitions: Mapping[str, str] = field(default_factory=dict)
    """What those are by that can be dated in two ways, the same for all members: {'memorised': 'train loss < 0.01'}."""
    members: tuple[Member, ...] = ()
    """Of a cohort view."""
    untrained: Untrained | None = None
    """For a view that declares it, where the family knows such a variant: not for one that is that itself."""
    source: ViewData | None = None
    """For a view that declares `source_metrics`: metrics, steps and events of the one variant that this is built on;
    None where it is built on none or on several, or that is gone, changed or without such metrics."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By analyzer, what the artifacts were computed with that is not at its default."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class View:
    """A named figure. Universal: it names no family, layer, position or prime."""

    name: str
    """'spectra.embedding': the first word is the namespace."""
    title: str
    """Stands above the figure and in menus."""
    grain: Grain
    """How much of training it shows: a checkpoint, the whole, or several variants."""
    draw: Callable[..., Figure]
    """draw(shown, **controls) -> plotly Figure."""
    needs: Needs = field(default_factory=Needs)
    """What it is given to draw, and nothing else."""
    controls: tuple[Control, ...] = ()
    """What can be turned: Choice, Number and Toggle; each is given to `draw` by its name. Among them STEP_SCALE where
    `draw` must know how steps are laid out, and EVENT_MARKS where it marks events itself."""
    time_axis: Literal["x", "y"] | None = None
    """The axis that counts steps. Its title, its scale and event marks are put there after `draw`, with their controls;
    there the cursor is drawn, and a click moves it."""
    in_reports: tuple[Mapping[str, object], ...] = ()
    """Figures of it that a report has unasked, each by its controls: ({},) for one as it is; () for none."""
    synonyms: tuple[str, ...] = ()
    """Other words that a reader looks for it by: ('PCA', 'principal components')."""
    selects: tuple[str, ...] = ()
    """What a click in its figure selects for all cards of the dashboard: ('neuron',). Its traces say where
    (`figures.selecting.selects`)."""

    @property
    def namespace(self) -> str:
        return self.name.partition(".")[0]

    @property
    def time_controls(self) -> tuple[Control, ...]:
        """What can be turned on its time axis and is not given to `draw`; without those that it declares itself."""
        if self.time_axis is None:
            return ()
        marked = (EVENT_MARKS,) if self.grain is Grain.TRAJECTORY else ()
        recorded = (SMOOTHING,) if self.needs.metrics else ()
        own = {control.name for control in self.controls}
        return tuple(control for control in (STEP_SCALE, *marked, *recorded) if control.name not in own)

    @property
    def all_controls(self) -> tuple[Control, ...]:
        """Its own, then those of its time axis."""
        return (*self.controls, *self.time_controls)

    @property
    def selected_by(self) -> dict[str, str]:
        """What each of its controls selects for all cards, by the control's name; without those of its card alone."""
        return {control.name: what for control in self.controls if (what := _selected(control))}

    @property
    def summary(self) -> str:
        """First sentence of the drawing function's docstring."""
        return (self.draw.__doc__ or "").strip().split("\n")[0]

    def defaults(self) -> dict[str, Any]:
        """The controls' values before anybody turns them; None where the data decides."""
        return {
            c.name: (c.default or (c.options[0] if c.options else None)) if isinstance(c, Choice) else c.default
            for c in self.all_controls
        }


def _selected(control: Control) -> str:
    if isinstance(control, Toggle):
        return ""
    return (control.name if control.name in SELECTED else "") if control.selects is None else control.selects
