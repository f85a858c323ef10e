"""Units of any site as pictures over the probe's grid: many at once, or one at several resolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Number, Toggle, View, ViewData
from miscope_views.contact_sheets import AMOUNT, PAGE, RESOLUTION, Pictures, contact_figure, maps_of, page_of, room
from miscope_views.figures import figure, title
from miscope_views.thumbnails import area_average

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_SITES = "hook_embed|blocks.*.hook_attn_out|blocks.*.mlp.hook_p*|blocks.*.hook_mlp_out|blocks.*.hook_resid_*"
_SIZES = (64, 32, 16)


def units(  # noqa: PLR0913 - one argument a control
    shown: ViewData, *, site: str, page: int, sort: str, own_scale: bool, pixels: str, amount: str = str(PAGE)
) -> Figure:
    """Small pictures of the units of any site: attention's and the layers' output, the residual stream, neurons."""
    order = np.arange(shown.channels[site])
    size, across = room(amount, len(order))
    if sort == "variance":
        # One pass for the order and the page: each is a run of the model.
        every = maps_of(shown, site, None)
        spread = every.std(axis=(0, 1))
        chosen = page_of(np.argsort(-spread, kind="stable"), page, site, size)
        maps = every[:, :, chosen]
    else:
        chosen = page_of(order, page, site, size)
        maps = maps_of(shown, site, chosen.tolist())
    deviation = maps.std(axis=(0, 1))
    names = [f"unit {unit}<br>standard deviation {deviation[i]:.3g}" for i, unit in enumerate(chosen)]
    note = f"page {page} of {-(-len(order) // size)}"
    pictures = Pictures(maps=maps, names=names, number=chosen, site=site, across=across)
    heading = title(shown, f"Units of {site}, by {sort}", note)
    return contact_figure(pictures, heading, own_scale=own_scale, pixels=int(pixels))


def pyramid(shown: ViewData, *, site: str, unit: int) -> Figure:
    """One unit at full resolution and shrunk by area averaging, each with the share of its variance that is left."""
    assert shown.probe is not None
    full = maps_of(shown, site, [unit])
    row, column = shown.probe.grid
    levels = [full, *(area_average(full, size) for size in _SIZES if size < max(full.shape[:2]))]
    most = float(np.abs(full).max()) or 1.0
    variance = float(full.var()) or 1.0
    gap = 0.03
    width = (1 - gap * (len(levels) - 1)) / len(levels)
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "title": title(shown, f"Unit {unit} of {site} at several resolutions"),
        "coloraxis": {"cmin": 0.0 if full.min() >= 0 else -most, "cmax": most},
        "annotations": [],
        "margin": {"t": 96},
    }
    layout["coloraxis"]["colorbar"] = {"title": {"text": "activation"}}
    for i, level in enumerate(levels):
        suffix = "" if i == 0 else str(i + 1)
        rows, columns = level.shape[:2]
        steps = [size / count for size, count in zip(full.shape[:2], (rows, columns), strict=True)]
        place = {"y0": (steps[0] - 1) / 2, "dy": steps[0], "x0": (steps[1] - 1) / 2, "dx": steps[1]}
        hover = f"{row} around %{{y:.0f}}, {column} around %{{x:.0f}}<br>%{{z:.4g}}<extra></extra>"
        heat = {"type": "heatmap", "z": level[..., 0], "coloraxis": "coloraxis", "hovertemplate": hover, **place}
        traces.append({**heat, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"})
        left = i * (width + gap)
        bare = {"showgrid": False, "constrain": "domain", "nticks": 4}
        layout[f"xaxis{suffix}"] = {**bare, "domain": [left, left + width], "anchor": f"y{suffix}"}
        layout[f"xaxis{suffix}"]["title"] = {"text": column}
        # Rows are those of the first: numbers beside the others would lie on the picture before them.
        bare |= {"showticklabels": False, "ticks": ""} if i else {}
        down = {**bare, "constraintoward": "top", "autorange": "reversed", "scaleanchor": f"x{suffix}"}
        layout[f"yaxis{suffix}"] = {**down, "anchor": f"x{suffix}", "title": {"text": row if i == 0 else ""}}
        text = f"{rows} × {columns}" + ("" if i == 0 else f"<br>{float(level.var()) / variance:.0%}<br>of variance")
        at = {"x": left + width / 2, "y": 1, "xref": "paper", "yref": "paper", "yanchor": "bottom"}
        layout["annotations"].append({"text": text, **at, "xanchor": "center", "showarrow": False})
    return figure(traces, layout)


def _widest(shown: ViewData) -> int:
    return max(shown.channels.values(), default=1)


def _hidden_first(shown: ViewData) -> list[str]:
    return sorted(shown.sites, key=lambda site: not site.endswith("mlp.hook_post"))


def _others_first(shown: ViewData) -> list[str]:
    """Sites, those that have no contact sheet of their own first."""
    return sorted(shown.sites, key=lambda site: site.endswith("mlp.hook_post"))


VIEWS = (
    View(
        name="atlas.units",
        title="Activations of units of any site",
        grain=Grain.CHECKPOINT,
        draw=units,
        needs=Needs(sites=(_SITES,), grid=2),
        controls=(
            Choice(name="site", options_from=_others_first),
            Number(name="page", default=1, minimum=1, maximum_from=lambda shown: -(-_widest(shown) // PAGE)),
            Choice(name="sort", options=("variance", "index"), label="order"),
            Toggle(name="own_scale", default=True, label="own scale"),
            AMOUNT,
            RESOLUTION,
        ),
        selects=("neuron", "site"),
    ),
    View(
        name="atlas.pyramid",
        title="One unit at several resolutions",
        grain=Grain.CHECKPOINT,
        draw=pyramid,
        needs=Needs(sites=(_SITES,), grid=2),
        controls=(
            Choice(name="site", options_from=_hidden_first),
            Number(name="unit", default=0, maximum_from=lambda shown: _widest(shown) - 1, selects="neuron"),
        ),
    ),
)
