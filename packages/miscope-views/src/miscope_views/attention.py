"""Where the heads look, and how that changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.attention_sequence import PROFILE_VIEW, SEQUENCE_VIEW
from miscope_views.coarseness import BADGE_COLOURS
from miscope_views.figures import figure, line, panels, title
from miscope_views.head_maps import above, across, cell, map_axes
from miscope_views.head_names import head_name
from miscope_views.named_arrays import choice_of, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS, _SCALES = "attention.patterns", "coarseness.units"
_DASHES = ("solid", "dash", "dot", "dashdot")
_MOST_KEYS = 4
"""Keys drawn of each head, from the first."""


def patterns(shown: ViewData, *, site: str, key: str) -> Figure:
    """Attention of the answer's query to one key for every pair of factor values: one map a head, colours 0 to 1."""
    assert shown.probe is not None
    maps = shown.artifacts[_READS][f"{site}/map"][:, _keys(shown).index(key)]
    row, column = shown.probe.grid
    hover = f"{row} = %{{y}}, {column} = %{{x}}<br>attention %{{z:.3f}}"
    traces, axes, names = [], {}, []
    for head, z in enumerate(maps):
        suffix = "" if head == 0 else str(head + 1)
        place = cell(head, len(maps))
        traces.append(
            {
                "type": "heatmap",
                "z": z,
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
                "coloraxis": "coloraxis",
            }
        )
        down, right = row if head % across(len(maps)) == 0 else "", column if place[1][0] < 1e-6 else ""
        axes |= map_axes(suffix, place, down, right)
        badge, measured = _texture(shown, site, head, _keys(shown).index(key))
        traces[-1]["hovertemplate"] = f"{head_name(site, head)}{measured}<br>{hover}<extra></extra>"
        names.append(above(f"{head_name(site, head)}{badge}", place))
    layout = {
        "title": title(shown, f"Attention of the answer to key {key}", f"{site}{_legend(shown, site)}"),
        "coloraxis": {"cmin": 0, "cmax": 1, "colorbar": {"title": {"text": "attention"}}},
        "annotations": names,
        "margin": {"t": 84},
        **axes,
    }
    return figure(traces, layout)


def _texture(shown: ViewData, site: str, head: int, key: int) -> tuple[str, str]:
    """The badge of a head's map in its colour, and how coarse the map is, where scales were measured."""
    arrays = shown.artifacts.get(_SCALES, {})
    if f"{site}/badge" not in arrays:
        return "", ""
    badge = str(arrays["badge_label"][int(arrays[f"{site}/badge"][head, key])])
    low = float(arrays[f"{site}/low"][head, key])
    dot = f" <span style='color:{BADGE_COLOURS[badge]}'>●</span> {badge}"
    return dot, f", low-frequency share {low:.2f}" if np.isfinite(low) else ""


def _legend(shown: ViewData, site: str) -> str:
    measured = f"{site}/badge" in shown.artifacts.get(_SCALES, {})
    return " · dots: what each map looks like, as in coarseness" if measured else ""


def statistics(shown: ViewData, *, site: str, key: str) -> Figure:
    """How much each head looks at one key, and how spread its attention is, over training."""
    arrays = shown.artifacts[_READS]
    steps, mean, entropy = arrays["step"], arrays[f"{site}/mean"], arrays[f"{site}/entropy"]
    position = _keys(shown).index(key)
    upper, lower = panels((1, 1))
    traces = []
    for head in range(mean.shape[1]):
        colour = OKABE_ITO[head % len(OKABE_ITO)]
        for values, y_axis, what in ((mean[:, head, position], "y", "attention"), (entropy[:, head], "y2", "entropy")):
            hover = f"{head_name(site, head)}: {what} %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
            traces.append(
                line(
                    steps,
                    values,
                    head_name(site, head),
                    colour,
                    yaxis=y_axis,
                    legendgroup=str(head),
                    showlegend=y_axis == "y",
                    hovertemplate=hover,
                )
            )
    uniform = float(np.log(mean.shape[2]))
    layout: dict[str, Any] = {
        "title": title(shown, f"Attention of the answer to key {key}, and its entropy", site),
        "yaxis": {"title": {"text": f"mean attention to {key}"}, "domain": upper, "range": [-0.02, 1.02]},
        "yaxis2": {"title": {"text": "entropy (nats)"}, "domain": lower, "range": [-0.02 * uniform, 1.08 * uniform]},
        "shapes": [_ceiling(uniform)],
        "showlegend": True,
    }
    return figure(traces, layout)


def symmetry(shown: ViewData, *, site: str, symmetry: str) -> Figure:
    """Whether each head treats an input and its image alike over training.

    By the correlation of its attention to each key with that to the key's counterpart; a gap where one hardly moves.
    """
    arrays = shown.artifacts[_READS]
    matrix = np.asarray(arrays[f"{site}/symmetry/{symmetry}"], dtype=np.float64)
    names, steps = _keys(shown), arrays["step"]
    traces = []
    counterpart = _counterparts(shown, symmetry, matrix.shape[2])
    for head in range(matrix.shape[1]):
        for key, other in enumerate(counterpart[:_MOST_KEYS]):
            name = f"{head_name(site, head)}: {names[key]} with {names[other]}"
            look = {"line": {"dash": _DASHES[key % len(_DASHES)]}, "legendgroup": str(head)}
            hover = f"{name}<br>correlation %{{y:.4f}} at {shown.step_label} %{{x:,}}<extra></extra>"
            colour = OKABE_ITO[head % len(OKABE_ITO)]
            traces.append(line(steps, matrix[:, head, key, other], name, colour, **look, hovertemplate=hover))
    gaps = sum(int(np.isnan(trace["y"]).sum()) for trace in traces)
    note = " · gaps: attention that hardly moves has no correlation" if gaps else ""
    layout = {
        "title": title(shown, f"Symmetry of attention under {symmetry}", f"{site}{note}"),
        "yaxis": {"title": {"text": "correlation on the image input"}, "range": [-1.03, 1.03]},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=gaps)


def entropy(shown: ViewData) -> Figure:
    """How spread each head's attention is over training, all layers and heads at once, in shares of the greatest."""
    arrays = shown.artifacts[_READS]
    rows, names = [], []
    for site in holders(arrays, "entropy"):
        values = np.asarray(arrays[f"{site}/entropy"], dtype=np.float64)
        rows.append(values.T / max(np.log(arrays[f"{site}/mean"].shape[-1]), 1e-12))
        names += [head_name(site, head) for head in range(values.shape[1])]
    steps, share = arrays["step"], np.concatenate(rows).T
    heat = {"type": "heatmap", "x": steps, "y": names, "z": share.T, "coloraxis": "coloraxis"}
    hover = f"%{{y}}: %{{z:.3f}} of the greatest entropy at {shown.step_label} %{{x:,}}<extra></extra>"
    layout = {
        "title": title(shown, "Entropy of attention", "of the answer's query; 1 where all keys are alike"),
        "xaxis": {"showgrid": False},
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "title": {"text": "head"}},
        "coloraxis": {"cmin": 0, "cmax": 1, "colorbar": {"title": {"text": "share of the greatest entropy"}}},
    }
    return figure([heat | {"hovertemplate": hover}], layout)


def _counterparts(shown: ViewData, symmetry: str, keys: int) -> list[int]:
    """The position that holds in the image what each key held in the input, for every input; itself if none does."""
    probe = shown.probe
    if probe is None or probe.inputs.ndim != 2 or probe.inputs.shape[1] != keys or symmetry not in probe.symmetries:
        return list(range(keys))
    inputs = probe.inputs.numpy()
    image = inputs[probe.symmetries[symmetry]]
    same = (inputs[:, :, None] == image[:, None, :]).all(axis=0)
    return [key if same[key, key] or not same[key].any() else int(same[key].argmax()) for key in range(keys)]


def _symmetries(shown: ViewData) -> list[str]:
    names = (name.partition("/symmetry/")[2] for name in shown.artifacts[_READS])
    return sorted({name for name in names if name})


def _keys(shown: ViewData) -> Sequence[str]:
    """A name for each key position: '0 (a)' where that position of the input holds a factor, else '2'."""
    arrays = shown.artifacts[_READS]
    count = arrays[f"{holders(arrays, 'entropy')[0]}/mean"].shape[-1]
    probe = shown.probe
    if probe is None or probe.inputs.ndim != 2 or probe.inputs.shape[1] != count:
        return [str(position) for position in range(count)]
    inputs = probe.inputs.numpy()
    held = [[n for n in probe.grid if np.array_equal(inputs[:, i], probe.columns[n])] for i in range(count)]
    return [f"{position} ({names[0]})" if names else str(position) for position, names in enumerate(held)]


def _ceiling(height: float) -> dict[str, Any]:
    label = {"text": "all keys alike", "textposition": "start", "yanchor": "bottom"}
    place = {"xref": "paper", "yref": "y2", "x0": 0, "x1": 1, "y0": height, "y1": height}
    return {"type": "line", **place, "line": {"color": NULL, "width": 1, "dash": "dash"}, "label": label}


_KEY = Choice(name="key", options_from=_keys, label="key position")

VIEWS = (
    View(
        name="attention.patterns",
        title="Attention maps",
        grain=Grain.CHECKPOINT,
        draw=patterns,
        needs=Needs(reads=(_READS,), optional=(_SCALES,), grid=2),
        controls=(choice_of("site", _READS, "map"), _KEY),
    ),
    View(
        name="attention.statistics",
        title="Attention over training",
        grain=Grain.TRAJECTORY,
        draw=statistics,
        needs=Needs(reads=(_READS,)),
        controls=(choice_of("site", _READS, "entropy"), _KEY),
        time_axis="x",
    ),
    View(
        name="attention.symmetry",
        title="Symmetry of attention",
        grain=Grain.TRAJECTORY,
        draw=symmetry,
        needs=Needs(reads=(_READS,)),
        controls=(
            choice_of("site", _READS, "entropy"),
            Choice(name="symmetry", options_from=_symmetries),
        ),
        time_axis="x",
    ),
    View(
        name="attention.entropy",
        title="Entropy of attention",
        grain=Grain.TRAJECTORY,
        draw=entropy,
        needs=Needs(reads=(_READS,)),
        time_axis="x",
    ),
    SEQUENCE_VIEW,
    PROFILE_VIEW,
)
