"""From a view's name to a figure: gather what it declared, check its controls, draw, and say what was drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from miscope.analysis.analyzer_options import Options, options_read, written_options
from miscope.analysis.artifacts import arrays, artifact, artifact_across, artifact_if_there
from miscope.analysis.gathering import Gathering
from miscope.analysis.not_applicable import check_something_computed, check_view_applies
from miscope.analysis.on_demand import activations_on_demand
from miscope.analyzer import Grain
from miscope.artifact import Arrays
from miscope.commands import in_workspace
from miscope.errors import BadValue, DoesNotApply, NoArtifact
from miscope.figures.comparing.clock import Clock, clock_turned, on_clock
from miscope.figures.controls import refuse_unknown, settle
from miscope.figures.differences import labels
from miscope.figures.drawing import drawn
from miscope.figures.figure_style import is_bare, is_ours, template
from miscope.figures.headings import fit_headings
from miscope.figures.left_out import note_left_out
from miscope.figures.recorded_points import between_steps, points_drawn
from miscope.figures.source_beside import source_beside
from miscope.figures.step_shown import step_shown
from miscope.figures.time_axes import apply_time_axes
from miscope.figures.untrained import untrained_beside
from miscope.maths.learnt import marks
from miscope.needs import Needs
from miscope.variant import Variant
from miscope.view import STEP_SCALE, Member, Untrained, View, ViewData
from miscope.workspace import Workspace, plain_variants

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.analysis.resolved_analysis import ResolvedAnalysis
    from miscope.store.store import Store

Variants: TypeAlias = Variant | Sequence[Variant]

__all__ = ["EVENTS", "arrays", "draw", "gather", "render"]

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
    record = workspace.plugins.view(view) if isinstance(view, str) else view
    refuse_unknown(record, controls)
    return draw(record, gather(workspace, record, variant, step, options), controls)


def draw(
    view: View,
    shown: ViewData,
    controls: Mapping[str, object],
    *,
    between: tuple[float, float] | None = None,
    dressed: bool = True,
) -> Figure:
    """The view's figure of what was gathered, with its controls checked, its template set, axes that count steps given
    their title, scale and event marks, and its contents described.

    A drawing function that puts steps on some axes only names them in `layout.meta["time_axes"]`: ('x2',). One that
    counts something else there says so in `layout.meta["aligned"]`: {'axes': ['x'], 'by': 'generalised'}.

    between: steps about which alone curves of very many records are drawn, so that none of these is left out.
    dressed: whether the template is set; not where it does not travel (`wire`).
    """
    settled = settle(view, shown, controls)
    figure = drawn(view, shown, settled, between)
    layout: Any = figure.layout
    if not is_ours(figure) and (dressed or not is_bare(figure)):
        layout.template = template("light")
    if layout.title.text is None:
        layout.title.text = view.title
    aligned = (layout["meta"] or {}).get("aligned")
    axes = apply_time_axes(figure, view, shown, settled)
    about = {
        "view": view.name,
        "variant": [m.shown.variant.name for m in shown.members] if shown.members else shown.variant.name,
        "step": shown.step,
        "time_axis": view.time_axis if axes else None,
        "time_axes": list(axes),
        "step_label": shown.step_label,
    }
    if aligned is not None:
        about["aligned"] = aligned
    if chosen_options := written_options(shown.options):
        about["options"] = list(chosen_options)
    points = points_drawn(figure, axes, shown if between is None else between_steps(shown, between))
    notes = [*chosen_options, *([f"{points[0]:,} of {points[1]:,} points"] if points else [])]
    if notes:
        before = [layout.title.subtitle.text] if layout.title.subtitle.text else []
        layout.title.subtitle.text = " · ".join([*before, *notes])
    layout.meta = {"miscope": {**about, "heading": fit_headings(figure)}}
    note_left_out(figure, clocks=axes)
    clock = clock_turned(str(settled[STEP_SCALE.name]), shown) if axes and STEP_SCALE in view.all_controls else Clock()
    return on_clock(figure, clock) if clock.title else figure


def gather(
    workspace: Workspace,
    view: View | str,
    variant: Variants,
    step: int | None = None,
    options: Options | None = None,
) -> ViewData:
    """Everything a view declared, and nothing else; arrays are read when they are first looked at.

    options: those that what it reads was computed with, by analyzer name. Raises UnknownName, NoCheckpoint where the
    variant has none at that step, NoArtifact where an instrument was not run, DoesNotApply where the family lacks what
    the view needs, and BadValue for options, and for a wrong number of variants.
    """
    record = workspace.plugins.view(view) if isinstance(view, str) else view
    several = plain_variants(workspace, variant)
    chosen = options_read(workspace.plugins.analyzers, record, options or {})
    if not several or (record.grain is not Grain.COHORT and len(several) != 1):
        wanted = "several variants" if record.grain is Grain.COHORT else "one variant"
        raise BadValue(
            f"{record.name!r} cannot be drawn for {len(several)} variants.",
            f"It is of {record.grain} grain and shows {wanted}.",
            "Give at least one." if not several else "Draw one at a time, or use a view that compares.",
        )
    if record.grain is not Grain.COHORT:
        return _shown(workspace, record, several[0], step, chosen)
    together = [name for name in (*record.needs.reads, *record.needs.optional) if _spans_variants(workspace, name)]
    across = _across(workspace, record, several, together, chosen)
    apart = {f: tuple(n for n in getattr(record.needs, f) if n not in together) for f in _READING}
    alone = replace(record, needs=replace(record.needs, **apart))
    members = [_shown(workspace, alone, one, None, chosen) for one in several]
    dated = marks([_detected(workspace, alone, one, chosen) for one in several])
    members = [replace(member, **cast(Any, each)) for member, each in zip(members, dated, strict=True)]
    return ViewData(
        variant=several[0],
        step=None,
        steps=members[0].steps,
        step_label=members[0].step_label,
        definitions={name: words for member in members for name, words in member.definitions.items()},
        artifacts=Gathering.of(record, workspace.context(several[0])).artifacts(across),
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
    from miscope.analysis.not_applicable import beside
    from miscope.analysis.resolved_analysis import resolve_analysis

    spanning: dict[str, Arrays] = {}
    for name in names:
        steps = workspace.store.finite_steps
        analyses = [
            resolve_analysis(workspace, one, [name], steps=steps(one.name), options=options) for one in variants
        ]
        try:
            spanning[name] = artifact_across(workspace.store, analyses, name)
        except DoesNotApply as error:
            if name in view.needs.reads:
                together = ", ".join(one.name for one in variants)
                line = in_workspace(workspace.root, f"miscope show {view.name} {together} OTHER")
                cure = beside(analyses, line)
                raise DoesNotApply(error.reason, name=view.name, variant=together, kind="view", cure=cure) from None
        except NoArtifact:
            if name in view.needs.reads:
                raise
    return spanning


def _shown(workspace: Workspace, view: View, variant: Variant, step: int | None, options: Options) -> ViewData:
    context, store = workspace.context(variant), workspace.store
    store.refuse_another(variant)
    steps = store.finite_steps(variant.name)
    at = step_shown(store, view, variant.name, step)
    needs, given = view.needs, Gathering.of(view, context)
    check_view_applies(view, context, store.metrics(variant.name) if needs.metrics else ())
    analysis = _analysis(workspace, view, variant, steps, options)
    artifacts = _read(store, analysis, needs.reads, at)
    check_something_computed(view, variant.name, artifacts)
    artifacts |= _those_there(store, analysis, needs.optional, at)
    maybe = [name for name in needs.history if name in needs.optional]
    history = {name: artifact(store, analysis, name, None) for name in needs.history if name not in maybe}
    history |= _those_there(store, analysis, maybe, None)
    kept = store.load_checkpoint(variant.name, at, given.roles).weights if given.roles and at is not None else {}
    sites, channels, activations = activations_on_demand(store, context, view, at)
    return ViewData(
        variant=variant,
        step=at,
        steps=np.asarray(steps, dtype=np.int64),
        step_label=context.family.step_label,
        probe=context.probe(),
        artifacts=given.artifacts(artifacts),
        history=given.history(history),
        metrics=given.metrics(store.metrics(variant.name, needs.metrics) if needs.metrics else {}),
        activations=activations,
        weights=given.weights(kept),
        sites=sites,
        channels=channels,
        bases=given.bases(),
        **cast(Any, marks([_detected(workspace, view, variant, options)])[0]),
        options=options,
        untrained=_untrained(workspace, view, variant, at, options) if needs.untrained else None,
        source=_source(workspace, view, variant, options) if needs.source_metrics else None,
    )


def _untrained(
    workspace: Workspace, view: View, variant: Variant, step: int | None, options: Options
) -> Untrained | None:
    """The same of the variant that is built on untrained weights; None where the family knows none."""
    alone = replace(view, needs=replace(view.needs, untrained=False))
    return untrained_beside(workspace, variant, lambda other: _shown(workspace, alone, other, step, options))


def _source(workspace: Workspace, view: View, variant: Variant, options: Options) -> ViewData | None:
    """Metrics and events of the one variant that this is built on; None where there is not one that has them."""
    over_training = replace(view, grain=Grain.TRAJECTORY, needs=Needs(metrics=view.needs.source_metrics))
    return source_beside(workspace, variant, lambda other: _shown(workspace, over_training, other, None, options))


def _read(store: Store, analysis: ResolvedAnalysis, names: Sequence[str], step: int | None) -> dict[str, Arrays]:
    """All of them. One that does not apply is said before another that was not computed: computing would not help."""
    found, missing = {}, None
    for name in names:
        try:
            found[name] = artifact(store, analysis, name, step)
        except NoArtifact as error:
            missing = missing or error
    if missing is not None:
        raise missing
    return found


def _those_there(store: Store, analysis: ResolvedAnalysis, names: Sequence[str], step: int | None) -> dict[str, Arrays]:
    present = {name: artifact_if_there(store, analysis, name, step) for name in names}
    return {name: arrays for name, arrays in present.items() if arrays is not None}


def _analysis(
    workspace: Workspace, view: View, variant: Variant, steps: Sequence[int], options: Options
) -> ResolvedAnalysis:
    from miscope.analysis.resolved_analysis import resolve_analysis

    needs = view.needs
    installed = [name for name in needs.optional if name in workspace.plugins.analyzers]
    return resolve_analysis(
        workspace, variant, [*needs.reads, *needs.history, *installed], steps=steps, options=options
    )


def _detected(workspace: Workspace, view: View, variant: Variant, options: Options) -> Arrays | None:
    """What the event detector left of a variant; None of a view of one checkpoint, or where it was not run."""
    from miscope.analysis.resolved_analysis import resolve_analysis

    if view.grain is Grain.CHECKPOINT or EVENTS not in workspace.plugins.analyzers:
        return None
    analysis = resolve_analysis(
        workspace, variant, [EVENTS], steps=workspace.store.finite_steps(variant.name), options=options
    )
    return artifact_if_there(workspace.store, analysis, EVENTS, None)
