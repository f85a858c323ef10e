"""From a view's name to a figure: gather what it declared, check its controls, draw, and say what was drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numpy as np

from miscope.analyzer import Grain
from miscope.analyzer_options import Options, options_read, written_options
from miscope.applicability import refuse_view
from miscope.artifact import Arrays
from miscope.artifacts import arrays, artifact, artifact_across, artifact_if_there
from miscope.commands import in_workspace
from miscope.controls import refuse_unknown, settle
from miscope.differences import labels
from miscope.errors import BadValue, DoesNotApply, Ended, NoArtifact, WroteIntoShown
from miscope.figure_style import is_ours, template
from miscope.headings import fit_headings
from miscope.left_out import note_left_out
from miscope.maths.learnt import marks
from miscope.moment import Declared, Series
from miscope.on_demand import activations_on_demand
from miscope.patterns import matching
from miscope.step_shown import step_shown
from miscope.variant import Variant
from miscope.view import Member, Shown, View

if TYPE_CHECKING:
    from plotly.graph_objects import Figure
    from torch import Tensor

    from miscope.seeing import Setting
    from miscope.store import Store
    from miscope.subject import Subject
    from miscope.workspace import BoundVariant, Workspace

Variants: TypeAlias = "Variant | BoundVariant | Sequence[Variant | BoundVariant]"

__all__ = ["EVENTS", "arrays", "draw", "gather", "render"]

V = TypeVar("V")

EVENTS = "events.grokking"
"""The analyzer whose artifact gives the marks on time axes, where it was computed."""


def render(
    workspace: Workspace,
    view: View | str,
    variant: Variants,
    /,
    *,
    step: int | None = None,
    options: Options | None = None,
    **controls: object,
) -> Figure:
    """The figure of a view for a variant, or for several where the view compares them.

    step: the checkpoint of a view of checkpoint grain; None for the last. options: those that what it reads was
    computed with, by analyzer name. `layout.meta["miscope"]` says what is shown and which axes count steps. Raises
    UnknownName, NoCheckpoint, NoArtifact, DoesNotApply or BadValue.
    """
    found = workspace.plugins.view(view) if isinstance(view, str) else view
    refuse_unknown(found, controls)
    return draw(found, gather(workspace, found, variant, step, options), controls)


def draw(view: View, shown: Shown, controls: Mapping[str, object]) -> Figure:
    """The view's figure of what was gathered, with its controls checked, its template set and its contents described.

    A drawing function that puts steps on some axes only names them in `layout.meta["time_axes"]`: ('x2',).
    """
    figure = _drawn(view, shown, settle(view, shown, controls))
    layout: Any = figure.layout
    if not is_ours(figure):
        layout.template = template("light")
    if layout.title.text is None:
        layout.title.text = view.title
    declared = layout.meta or {}
    axes = declared["time_axes"] if "time_axes" in declared else _axes(figure, view.time_axis)
    about = {
        "view": view.name,
        "variant": [m.shown.variant.name for m in shown.members] if shown.members else shown.variant.name,
        "step": shown.step,
        "time_axis": view.time_axis if axes else None,
        "time_axes": list(axes),
        "step_label": shown.step_label,
    }
    if chosen_options := written_options(shown.options):
        about["options"] = list(chosen_options)
        before = [layout.title.subtitle.text] if layout.title.subtitle.text else []
        layout.title.subtitle.text = " · ".join([*before, *chosen_options])
    layout.meta = {"miscope": {**about, "heading": fit_headings(figure)}}
    note_left_out(figure, clocks=axes)
    return figure


def _drawn(view: View, shown: Shown, controls: Mapping[str, Any]) -> Figure:
    from miscope.watch import Watch

    watch = Watch()
    watch.see(shown)
    try:
        figure = view.draw(shown, **controls)
    except DoesNotApply as error:
        raise DoesNotApply(view.name, error.subject, error.reason, kind="view") from None
    except SystemExit as error:
        raise Ended(view.name, error.code) from error
    finally:
        changed = watch.changed(shown)
    if changed:
        raise WroteIntoShown(view.name, changed)
    if not hasattr(figure, "to_plotly_json"):
        raise BadValue(
            f"{view.name!r} drew {type(figure).__name__}, not a figure.",
            "The function of a view returns a plotly Figure.",
            "Return plotly.graph_objects.Figure(...).",
        )
    return figure


def gather(
    workspace: Workspace,
    view: View | str,
    variant: Variants,
    step: int | None = None,
    options: Options | None = None,
) -> Shown:
    """Everything a view declared, and nothing else; arrays are read when they are first looked at.

    options: those that what it reads was computed with, by analyzer name. Raises UnknownName, NoCheckpoint where the
    variant has none at that step, NoArtifact where an instrument was not run, DoesNotApply where the family lacks what
    the view needs, and BadValue for options, and for a wrong number of variants.
    """
    found = workspace.plugins.view(view) if isinstance(view, str) else view
    several = [
        one if isinstance(one, Variant) else one.value
        for one in (variant if isinstance(variant, Sequence) else [variant])
    ]
    chosen = options_read(workspace.plugins.analyzers, found, options or {})
    if not several or (found.grain is not Grain.COHORT and len(several) != 1):
        wanted = "several variants" if found.grain is Grain.COHORT else "one variant"
        raise BadValue(
            f"{found.name!r} cannot be drawn for {len(several)} variants.",
            f"It is of {found.grain} grain and shows {wanted}.",
            "Give at least one." if not several else "Draw one at a time, or use a view that compares.",
        )
    if found.grain is not Grain.COHORT:
        return _shown(workspace, found, several[0], step, chosen)
    together = [name for name in (*found.reads, *found.optional) if _spans_variants(workspace, name)]
    across = _across(workspace, found, several, together, chosen)
    alone = replace(found, **{f: tuple(n for n in getattr(found, f) if n not in together) for f in _READING})
    members = [_shown(workspace, alone, one, None, chosen) for one in several]
    dated = marks([_detected(workspace, alone, one, chosen) for one in several])
    members = [replace(member, **cast(Any, each)) for member, each in zip(members, dated, strict=True)]
    return Shown(
        variant=several[0],
        step=None,
        steps=members[0].steps,
        step_label=members[0].step_label,
        definitions={name: said for member in members for name, said in member.definitions.items()},
        artifacts=_declared(found, "reads", across, (*found.reads, *found.optional)),
        options=chosen,
        members=tuple(Member(label=label, shown=one) for label, one in zip(labels(several), members, strict=True)),
    )


_READING = ("reads", "optional")


def _spans_variants(workspace: Workspace, name: str) -> bool:
    table = workspace.plugins.analyzers
    return name in table and table[name].grain is Grain.COHORT


def _across(
    workspace: Workspace, view: View, variants: Sequence[Variant], names: Sequence[str], options: Options
) -> dict[str, Arrays]:
    """What analyzers that span the variants left; DoesNotApply or NoArtifact where the view cannot do without."""
    from miscope.seeing import beside, set_up

    found: dict[str, Arrays] = {}
    for name in names:
        steps = workspace.store.finite_steps
        settings = [set_up(workspace, one, [name], steps=steps(one.name), options=options) for one in variants]
        try:
            found[name] = artifact_across(workspace.store, settings, name)
        except DoesNotApply as error:
            if name in view.reads:
                together = ", ".join(one.name for one in variants)
                line = in_workspace(workspace.root, f"miscope show {view.name} {together} OTHER")
                cure = beside(settings, line)
                raise DoesNotApply(view.name, together, error.reason, kind="view", cure=cure) from None
        except NoArtifact:
            if name in view.reads:
                raise
    return found


def _shown(workspace: Workspace, view: View, variant: Variant, step: int | None, options: Options) -> Shown:
    subject, store = workspace.subject(variant), workspace.store
    store.refuse_another(variant)
    steps = store.finite_steps(variant.name)
    at = step_shown(store, view, variant.name, step)
    probe = subject.probe()
    refuse_view(view, subject, probe)
    setting = _setting(workspace, view, variant, steps, options)
    artifacts = {name: artifact(store, setting, name, at) for name in view.reads}
    _refuse_nothing(view, variant.name, artifacts)
    artifacts |= {
        name: found for name in view.optional if (found := artifact_if_there(store, setting, name, at)) is not None
    }
    maybe = {name: artifact_if_there(store, setting, name, None) for name in view.history if name in view.optional}
    history = {name: artifact(store, setting, name, None) for name in view.history if name not in view.optional}
    history |= {name: found for name, found in maybe.items() if found is not None}
    sites, channels, activations = activations_on_demand(store, subject, view, at)
    return Shown(
        variant=variant,
        step=at,
        steps=np.asarray(steps, dtype=np.int64),
        step_label=subject.family.step_label,
        probe=probe,
        artifacts=_declared(view, "reads", artifacts, (*view.reads, *view.optional)),
        history=_declared(view, "history", history, view.history),
        metrics=_declared(view, "metrics", _metrics(store, view, variant), view.metrics),
        activations=activations,
        weights=_declared(view, "weights", _weights(store, subject, view, at), view.weights),
        sites=sites,
        channels=channels,
        bases={axis: subject.bases[axis] for axis in matching(view.bases, subject.bases)} if view.bases else {},
        **cast(Any, marks([_detected(workspace, view, variant, options)])[0]),
        options=options,
    )


def _refuse_nothing(view: View, variant: str, artifacts: Mapping[str, Arrays]) -> None:
    """An instrument may find nothing to compute and leave no arrays: what reads it beside others does without."""
    if artifacts and all(set(arrays) <= {"step"} for arrays in artifacts.values()):
        reason = f"{' and '.join(map(repr, artifacts))} found nothing here to compute"
        raise DoesNotApply(view.name, variant, reason, kind="view")


def _setting(workspace: Workspace, view: View, variant: Variant, steps: Sequence[int], options: Options) -> Setting:
    from miscope.seeing import set_up

    installed = [name for name in view.optional if name in workspace.plugins.analyzers]
    return set_up(workspace, variant, [*view.reads, *view.history, *installed], steps=steps, options=options)


def _metrics(store: Store, view: View, variant: Variant) -> Mapping[str, Series]:
    if not view.metrics:
        return {}
    found = store.metrics(variant.name, view.metrics)
    if not found and not view.reads:
        raise DoesNotApply(view.name, variant.name, f"no metric like {view.metrics[0]!r} was recorded", kind="view")
    return found


def _weights(store: Store, subject: Subject, view: View, step: int | None) -> Mapping[str, Tensor]:
    if not view.weights or step is None:
        return {}
    roles = matching(view.weights, subject.model.roles)
    return store.load_checkpoint(subject.variant.name, step, roles).weights


def _detected(workspace: Workspace, view: View, variant: Variant, options: Options) -> Arrays | None:
    """What the event detector left of a variant; None of a view of one checkpoint, or where it was not run."""
    from miscope.seeing import set_up

    if view.grain is Grain.CHECKPOINT or EVENTS not in workspace.plugins.analyzers:
        return None
    setting = set_up(workspace, variant, [EVENTS], steps=workspace.store.finite_steps(variant.name), options=options)
    return artifact_if_there(workspace.store, setting, EVENTS, None)


def _axes(figure: Figure, letter: str | None) -> tuple[str, ...]:
    """Every axis of that letter that a trace is drawn on, in order."""
    if letter is None:
        return ()
    name = f"{letter}axis"
    return tuple(dict.fromkeys(cast(Any, trace)[name] or letter for trace in figure.data if hasattr(trace, name)))


def _declared(view: View, field: str, values: Mapping[str, V], patterns: Sequence[str]) -> Declared[V]:
    what = {"reads": "artifact", "history": "artifact", "metrics": "metric", "weights": "weight"}[field]
    return Declared(values, reader=view.name, field=field, what=what, patterns=patterns)
