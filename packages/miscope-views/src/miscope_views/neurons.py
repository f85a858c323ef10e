"""What single neurons respond to, which component of the task basis each follows, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Number, Toggle, View, ViewData
from miscope.figures.figure_style import NULL, colour_of
from miscope.view import SAME_SCALE
from miscope_views.cluster_rivers import RIVER_VIEWS
from miscope_views.clusters import CLUSTERS_VIEW, FREQUENCIES_VIEW
from miscope_views.contact_sheets import (
    AMOUNT,
    PAGE,
    RESOLUTION,
    Pictures,
    contact_figure,
    empty_sheet,
    maps_of,
    page_of,
    room,
)
from miscope_views.figures import figure, grid_axes, title
from miscope_views.named_arrays import holders, unit_of
from miscope_views.neuron_dynamics import DYNAMICS_VIEWS
from miscope_views.one_neuron import ONE_NEURON_VIEWS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_POST = "blocks.*.mlp.hook_post"
_SHARES, _CLUSTERS, _PHASES = "neurons.frequencies", "neurons.clusters", "phases.neurons"
_SCALES = "coarseness.units"

_ALL, _DEAD = "all", "dead"
_SITE = Choice(name="site", options_from=lambda shown: shown.sites)
_NEURON = Number(name="neuron", default=0, maximum_from=lambda shown: _widest(shown) - 1)
_PAGES = Number(name="page", default=1, minimum=1, maximum_from=lambda shown: -(-_widest(shown) // PAGE))


def heatmap(shown: ViewData, *, site: str, neuron: int, locked: bool) -> Figure:
    """Activation of one neuron for every pair of factor values."""
    values = maps_of(shown, site, [neuron])[:, :, 0]
    assert shown.probe is not None
    row, column = shown.probe.grid
    arrays = shown.history.get(_SHARES) if _SHARES in shown.history else None
    least, most = float(values.min()), float(values.max())
    if locked and arrays is not None:
        least, most = (
            float(find(arrays[f"{site}/{name}"][:, neuron])) for name, find in (("low", np.min), ("high", np.max))
        )
    low, most = (0.0, most or 1.0) if least >= 0 else (-max(-least, most), max(-least, most))
    layout: dict[str, Any] = {
        "title": title(shown, f"Neuron {neuron} of {site}", _said_of(shown, site, neuron)),
        "coloraxis": {"cmin": low, "cmax": most, "colorbar": {"title": {"text": "activation"}}},
        **grid_axes(shown),
    }
    hover = f"{row} = %{{y}}, {column} = %{{x}}<br>activation %{{z:.4g}}<extra></extra>"
    return figure([{"type": "heatmap", "z": values, "coloraxis": "coloraxis", "hovertemplate": hover}], layout)


def contact_sheet(  # noqa: PLR0913 - one argument a control
    shown: ViewData,
    *,
    site: str,
    page: int,
    sort: str,
    own_scale: bool,
    component: str = _ALL,
    least: float = 0.0,
    badge: str = _ALL,
    amount: str = str(PAGE),
    pixels: str = "28",
) -> Figure:
    """Small pictures of many neurons at once, with a dot in the colour of each one's component."""
    order = _filtered(shown, site, _order(shown, site, sort), component, least)
    order = order if badge == _ALL else order[_of_badge(shown, site, badge)[order]]
    if not len(order):
        kind = "" if badge == _ALL else f" and a {badge}"
        reason = f"none of {shown.channels[site]} neurons is of {component} with a share of {least:g}{kind}"
        return empty_sheet(title(shown, f"Neurons of {site}, by {sort}"), reason)
    size, across = room(amount, len(order))
    chosen = page_of(order, page, site, size)
    labels = _labels(shown, site)
    pictures = Pictures(
        maps=maps_of(shown, site, chosen.tolist()),
        names=[f"neuron {neuron}<br>{_said_of(shown, site, int(neuron))}" for neuron in chosen],
        number=chosen,
        site=site,
        colours=None if labels is None else [colour_of(str(labels[n])) if labels[n] else NULL for n in chosen],
        across=across,
    )
    note = f"page {page} of {-(-len(order) // size)}"
    if len(order) < shown.channels[site]:
        note += f", {len(order)} of {shown.channels[site]} neurons"
    heading = title(shown, f"Neurons of {site}, by {sort}", note)
    return contact_figure(pictures, heading, own_scale=own_scale, pixels=int(pixels))


def _filtered(shown: ViewData, site: str, order: np.ndarray, component: str, least: float) -> np.ndarray:
    """Those of one component only, with at least such a share of their variance in it."""
    if _SHARES not in shown.artifacts or (component == _ALL and least <= 0):
        return order
    arrays = shown.artifacts[_SHARES]
    kept = _share(arrays, site) >= least
    if component == _DEAD:
        kept = arrays[f"{site}/dead"]
    elif component != _ALL:
        kept &= arrays[f"{site}/dominant"] == component
    return order[kept[order]]


def _of_badge(shown: ViewData, site: str, badge: str) -> np.ndarray:
    """(M,) which neurons have the badge."""
    arrays = shown.artifacts[_SCALES]
    return arrays[f"{site}/badge"] == arrays["badge_label"].tolist().index(badge)


def _badges(shown: ViewData) -> tuple[str, ...]:
    """All, and the badges that some neuron has at this step."""
    arrays = shown.artifacts.get(_SCALES, {})
    there = [array for name, array in arrays.items() if name.endswith("mlp.hook_post/badge")]
    names = arrays["badge_label"].tolist() if there else []
    return (_ALL, *(name for number, name in enumerate(names) if any((array == number).any() for array in there)))


def _components(shown: ViewData) -> tuple[str, ...]:
    """All, the components that some neuron follows at this step, and the dead."""
    if _SHARES not in shown.artifacts:
        return (_ALL,)
    arrays = shown.artifacts[_SHARES]
    sites = holders(arrays, "dominant")
    there = {label for site in sites for label in arrays[f"{site}/dominant"].tolist() if label}
    named = [label for label in arrays[f"{sites[0]}/label"].tolist() if label in there]
    dead = (_DEAD,) if any(arrays[f"{site}/dead"].any() for site in sites) else ()
    return (_ALL, *named, *dead)


def _order(shown: ViewData, site: str, sort: str) -> np.ndarray:
    """Neurons in the order of the sheet: (M,) indices."""
    count = shown.channels[site]
    if sort == "index":
        return np.arange(count)
    arrays = shown.artifacts[_SHARES]
    if sort == "dead":
        return np.argsort(~arrays[f"{site}/dead"], kind="stable")
    if sort == "phase":
        # Within a component by the phase at which it follows the first factor: neighbours are alike.
        phase = np.nan_to_num(np.asarray(shown.artifacts[_PHASES][f"{site}/first"], dtype=np.float64))
        return np.lexsort((phase, _rank(arrays, site, arrays[f"{site}/dominant"])))
    if sort == "variance":
        return np.argsort(-arrays[f"{site}/variance"], kind="stable")
    now = arrays[f"{site}/dominant"]
    label = shown.artifacts[_CLUSTERS][f"{site}/final"] if sort == "final cluster" else now
    rank = _rank(arrays, site, label)
    # Among the like, the same order at every step where the cluster is the final one: pictures keep their places.
    return np.argsort(rank, kind="stable") if sort == "final cluster" else np.lexsort((-_share(arrays, site), rank))


def _rank(arrays: Mapping[str, np.ndarray], site: str, label: np.ndarray) -> np.ndarray:
    """Place of each neuron's label among all, those without one last."""
    known = {name: place for place, name in enumerate(arrays[f"{site}/label"].tolist())}
    return np.array([known.get(name, len(known)) for name in label.tolist()])


def _share(arrays: Mapping[str, np.ndarray], site: str) -> np.ndarray:
    return arrays[f"{site}/max_fraction"]


def _sorts(shown: ViewData) -> tuple[str, ...]:
    if _SHARES not in shown.artifacts:
        return ("index",)
    final = ("final cluster",) if _CLUSTERS in shown.artifacts else ()
    phase = ("phase",) if holders(shown.artifacts.get(_PHASES, {}), "first") else ()
    return (*final, "cluster", *phase, "variance", "dead", "index")


def _labels(shown: ViewData, site: str) -> np.ndarray | None:
    return shown.artifacts[_SHARES][f"{site}/dominant"] if _SHARES in shown.artifacts else None


def _said_of(shown: ViewData, site: str, neuron: int) -> str:
    """'frequency k = 14 explains 91 % of its variance', where that was computed."""
    if _SHARES not in shown.artifacts:
        return ""
    arrays = shown.artifacts[_SHARES]
    label = str(arrays[f"{site}/dominant"][neuron])
    which = f"{unit_of(shown, arrays, site)} = {label}"
    return f"{which} explains {_share(arrays, site)[neuron]:.0%} of its variance" if label else "dead"


def _widest(shown: ViewData) -> int:
    return max(shown.channels.values(), default=1)


VIEWS = (
    View(
        name="neurons.heatmap",
        title="Activation of one neuron",
        grain=Grain.CHECKPOINT,
        draw=heatmap,
        needs=Needs(optional=(_SHARES,), history=(_SHARES,), sites=(_POST,), bases=("*",), grid=2),
        controls=(_SITE, _NEURON, SAME_SCALE),
    ),
    View(
        name="neurons.contact_sheet",
        title="Activations of many neurons",
        grain=Grain.CHECKPOINT,
        draw=contact_sheet,
        needs=Needs(optional=(_SHARES, _CLUSTERS, _PHASES, _SCALES), sites=(_POST,), grid=2),
        controls=(
            _SITE,
            _PAGES,
            Choice(name="sort", options_from=_sorts, label="order"),
            Toggle(name="own_scale", default=True, label="own scale"),
            Choice(name="component", options_from=_components, default=_ALL, label="only neurons of"),
            Number(name="least", default=0, minimum=0, maximum=1, whole=False, label="minimum share"),
            Choice(name="badge", options_from=_badges, default=_ALL, label="texture"),
            AMOUNT,
            RESOLUTION,
        ),
        selects=("neuron", "site"),
    ),
    *ONE_NEURON_VIEWS,
    FREQUENCIES_VIEW,
    CLUSTERS_VIEW,
    *DYNAMICS_VIEWS,
    *RIVER_VIEWS,
)
