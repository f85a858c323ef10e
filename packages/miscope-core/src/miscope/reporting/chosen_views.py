"""Which views a report has: those that are asked for, or of a lens, else those whose records say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from miscope.analysis.analyzer_options import Options
from miscope.analyzer import Grain
from miscope.errors import BadValue, UnknownName
from miscope.figures.comparing.how_compared import HowCompared
from miscope.figures.lenses import looked_through
from miscope.lens import Lens
from miscope.patterns import matches, matching
from miscope.plugins.plugins import Plugins
from miscope.reporting.asked_figure import AskedFigure
from miscope.variant import Variant
from miscope.view import View

__all__ = ["Asked", "Wanted", "wanted_views"]

Asked = Sequence[str] | Sequence[AskedFigure] | Lens
"""Names or shell patterns of views, or figures one by one, or a lens."""


@final
@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One figure that a report shall have."""

    view: View
    variants: tuple[Variant, ...]
    of: str
    """Label of the variant; "" of all together."""
    controls: Mapping[str, object]
    step: int | None = None
    """None for the last."""
    options: Options = field(default_factory=dict)
    title: str = ""
    """"" for the view's own."""
    compared: HowCompared | None = None
    """How figures of several variants are put together; None of a view that is drawn once."""


def wanted_views(
    plugins: Plugins, variants: Sequence[Variant], labels: Sequence[str], names: Asked = ()
) -> list[Wanted]:
    """names: of views, or shell patterns, or a lens, or figures one by one; () for those of the records' own choice.

    Of several variants first what compares them, then what shows each; of a report's own choice then no single
    checkpoints. Raises UnknownName for a name or pattern that no view has, BadValue for a comparison of one.
    """
    if isinstance(names, Lens):
        return _looked(plugins, variants, labels, names)
    figures = [each for each in names if isinstance(each, AskedFigure)]
    if figures:
        return [_one(plugins, variants, labels, each) for each in figures]
    names = [each for each in names if isinstance(each, str)]
    chosen = _named(plugins.views, names) if names else _unasked(plugins.views, alone=len(variants) == 1)
    comparing = [view for view in chosen if view.grain is Grain.COHORT]
    if names and len(variants) == 1 and len(comparing) == len(chosen):
        raise BadValue(
            f"{comparing[0].name!r} compares variants, and there is one.",
            "It is of cohort grain and shows several.",
            "Name more variants, or other views.",
        )
    several = [(view, tuple(variants), "") for view in comparing] if len(variants) > 1 else []
    named = labels if len(variants) > 1 else [""]
    each = [
        (view, (variant,), label)
        for variant, label in zip(variants, named, strict=True)
        for view in chosen
        if view.grain is not Grain.COHORT
    ]
    return [
        Wanted(view=view, variants=of, of=label, controls=controls)
        for view, of, label in (*several, *each)
        for controls in (({},) if names else view.in_reports)
    ]


def _looked(plugins: Plugins, variants: Sequence[Variant], labels: Sequence[str], lens: Lens) -> list[Wanted]:
    label_of = {variant.name: label for variant, label in zip(variants, labels, strict=True)}
    return [
        Wanted(
            view=looked.view,
            variants=looked.variants,
            of=label_of[looked.variants[0].name] if len(looked.variants) < len(variants) else "",
            controls=looked.controls,
        )
        for looked in looked_through(lens, plugins.views, variants)
    ]


def _one(plugins: Plugins, variants: Sequence[Variant], labels: Sequence[str], asked: AskedFigure) -> Wanted:
    label_of = {variant.name: label for variant, label in zip(variants, labels, strict=True)}
    alone = len(asked.variants) == 1 and len(variants) > 1
    return Wanted(
        view=plugins.view(asked.view),
        variants=asked.variants,
        of=label_of.get(asked.variants[0].name, asked.variants[0].slug) if alone else "",
        controls=asked.controls,
        step=asked.step,
        options=asked.options,
        title=asked.title,
        compared=asked.compared,
    )


def _named(views: Mapping[str, View], names: Sequence[str]) -> list[View]:
    for name in names:
        if not any(matches(each, name) for each in views):
            raise UnknownName("view", name, views)
    ordered = dict.fromkeys(each for name in names for each in sorted(matching([name], views)))
    return [views[each] for each in ordered]


def _unasked(views: Mapping[str, View], *, alone: bool) -> list[View]:
    there = [view for _, view in sorted(views.items()) if view.in_reports]
    return [view for view in there if alone or view.grain is not Grain.CHECKPOINT]
