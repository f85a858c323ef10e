"""Several variants in a table: what tells them apart, and how each ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.differences import differing_fields
from miscope.figures.figure_style import member_colours
from miscope_views.definitions import defined
from miscope_views.figures import figure, title
from miscope_views.tables import table as cells_of
from miscope_views.tables import tall

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["TABLE_VIEW"]


def table(shown: ViewData) -> Figure:
    """The variants in rows: what tells them apart, when they memorised and generalised, how well they end."""
    variants = [member.shown.variant for member in shown.members]
    fields = [name for name in differing_fields(variants) if name != "family"]
    columns: dict[str, list[str]] = {"variant": [member.label for member in shown.members]}
    for name in fields:
        columns[name] = [_field(variant, name) for variant in variants]
    for event in ("memorised", "onset", "generalised"):
        columns[defined(shown, event)] = [_number(member.shown.events.get(event), ",.0f") for member in shown.members]
    for metric in ("train_loss", "test_loss", "test_accuracy"):
        columns[f"last {metric.replace('_', ' ')}"] = [_last_value(member.shown, metric) for member in shown.members]
    columns["key components"] = [_keys(member.shown) for member in shown.members]
    columns["sum of squares"] = [_norm(member.shown) for member in shown.members]
    known = {name: cells for name, cells in columns.items() if any(cell != _NONE for cell in cells)}
    dots = member_colours(shown.members)
    colours = [[dots[variant.name] for variant in variants], *([["#7F7F7F"] * len(variants)] * (len(known) - 1))]
    trace = cells_of(known, colours)
    many = f"{len(variants)} variant{'s' * (len(variants) != 1)}"
    return figure([trace], {"title": title(shown, "The variants", many), "height": tall(trace)})


_NONE = "–"


def _field(variant: Any, name: str) -> str:
    owner = variant.params if hasattr(variant.params, name) else variant.training
    return str(getattr(owner, name, _NONE))


def _number(value: float | None, form: str) -> str:
    return _NONE if value is None or not np.isfinite(value) else f"{value:{form}}"


def _last_value(shown: ViewData, metric: str) -> str:
    series = shown.metrics.get(metric)
    return _number(None if series is None or not len(series.values) else float(series.values[-1]), ".3g")


def _keys(shown: ViewData) -> str:
    arrays = shown.artifacts.get("keys.votes")
    return _NONE if arrays is None else ", ".join(arrays["label"][-1][arrays["key"][-1]].tolist()) or "none"


def _norm(shown: ViewData) -> str:
    arrays = shown.artifacts.get("parameters.norms")
    return _NONE if arrays is None else _number(float(arrays["total/squares"][-1]), ".4g")


TABLE_VIEW = View(
    name="cohort.table",
    title="Table of variants",
    grain=Grain.COHORT,
    draw=table,
    needs=Needs(optional=("keys.votes", "parameters.norms"), metrics=("*_loss", "*_accuracy")),
)
