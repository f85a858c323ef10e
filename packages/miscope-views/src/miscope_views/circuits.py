"""What heads attend by and write from token to token, how they compose, and how that comes about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.figures.selecting import selects
from miscope_views.figures import figure, formatted, line, title
from miscope_views.head_names import head_colour, head_dash, head_name, layer_of
from miscope_views.named_arrays import first_row, holders
from miscope_views.thumbnails import area_average

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_HEADS, _COMPOSITION = "circuits.heads", "circuits.composition"
_MOST_TOKENS = 512
_SYMBOLS = ("circle", "diamond", "square", "triangle-up")
_BAND = "rgba(154,154,154,0.3)"
_MOST_PAIRS = 12

_QUANTITIES = {
    "copying (positivity of OV)": "OV/positivity",
    "tokens copied by OV": "OV/copy_score",
    "positivity of QK": "QK/positivity",
    "norm of OV": "OV/norm",
    "norm of QK": "QK/norm",
    "participation ratio of OV": "OV/participation_ratio",
    "participation ratio of QK": "QK/participation_ratio",
}


def qk(shown: ViewData, *, head: str, order: str) -> Figure:
    """Attention score of every query token for every key token, before the softmax, without positions."""
    embed, _ = _ends(shown)
    query, key = (_inward(shown, head, letter) for letter in "QK")
    scores = (embed @ query) @ (embed @ key).T / query.shape[1] ** 0.5
    return _token_map(shown, scores, order, f"QK circuit of {head}", ("key token", "query token", "score"))


def ov(shown: ViewData, *, head: str, order: str) -> Figure:
    """What attending to each token adds to every answer's logit."""
    embed, unembed = _ends(shown)
    out = _weight(shown, head, "W_O")
    effect = (embed @ _inward(shown, head, "V")) @ (out @ unembed)
    return _token_map(shown, effect, order, f"OV circuit of {head}", ("answer", "attended token", "logit"))


def _token_map(shown: ViewData, values: np.ndarray, order: str, text: str, names: tuple[str, str, str]) -> Figure:
    across, down, what = names
    basis = shown.bases.get("token")
    note, ticks = "", {}
    if order == "basis" and basis is not None:
        values = basis.rows @ values[: basis.size, : basis.size] @ basis.rows.T
        note = f"in the {basis.name} basis of both"
        step = max(1, len(basis.blocks) // 14)
        chosen = basis.blocks[::step]
        ticks = {"tickvals": [block.rows[0] for block in chosen], "ticktext": [block.label for block in chosen]}
        across, down = f"{across}: {basis.unit}", f"{down}: {basis.unit}"
    if max(values.shape) > _MOST_TOKENS:
        note = f"averaged to {_MOST_TOKENS} cells a side"
        values = area_average(values[..., None], _MOST_TOKENS)[..., 0]
    most = float(np.abs(values).max()) or 1.0
    hover = f"{down} %{{y}}, {across} %{{x}}<br>{what} %{{z:.3f}}<extra></extra>"
    heat = {"type": "heatmap", "z": values, "coloraxis": "coloraxis", "hovertemplate": hover}
    layout = {
        "title": title(shown, text, note),
        "coloraxis": {"cmin": -most, "cmax": most, "colorbar": {"title": {"text": what}}},
        "xaxis": {"title": {"text": across}, "showgrid": False, "constrain": "domain", **ticks},
        "yaxis": {
            "title": {"text": down},
            "showgrid": False,
            "autorange": "reversed",
            "scaleanchor": "x",
            "constrain": "domain",
            **ticks,
        },
    }
    return figure([heat], layout)


def eigenvalues(shown: ViewData, *, circuit: str) -> Figure:
    """Eigenvalues of every head's circuit from tokens to tokens, over its largest: on the right, heads that copy."""
    arrays = shown.artifacts[_HEADS]
    angle = np.linspace(0, 2 * np.pi, 181)
    rim = {"type": "scatter", "mode": "lines", "x": np.cos(angle), "y": np.sin(angle), "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [{**rim, "line": {"width": 1, "color": NULL}, "showlegend": False}]
    for block in holders(arrays, f"{circuit}/eigenvalue"):
        for head, values in enumerate(np.asarray(arrays[f"{block}/{circuit}/eigenvalue"], dtype=np.float64)):
            size = np.hypot(*values.T)
            scaled = values / (size.max() or 1.0)
            positive = float(arrays[f"{block}/{circuit}/positivity"][head])
            name = head_name(block, head)
            hover = f"{name}: %{{x:.3f}} + %{{y:.3f}}i of {size.max():.3g}<extra></extra>"
            mark = {"color": head_colour(head), "size": 6, "opacity": 0.75}
            mark["symbol"] = _SYMBOLS[layer_of(block) % len(_SYMBOLS)]
            dots = {"type": "scatter", "mode": "markers", "x": scaled[:, 0], "y": scaled[:, 1], "marker": mark}
            dots |= {"meta": selects({}, head=name), "hovertemplate": hover}
            traces.append({**dots, "name": f"{name}: {formatted(positive, '+.2f', 'all are zero')}"})
    span = [-1.08, 1.08]
    layout = {
        "title": title(shown, f"Eigenvalues of {circuit} circuits", f"over each head's largest{_between(arrays)}"),
        "xaxis": {"title": {"text": "real part"}, "range": span, "constrain": "domain"},
        "yaxis": {"title": {"text": "imaginary part"}, "range": span, "scaleanchor": "x", "constrain": "domain"},
        "legend": {"title": {"text": "head: positivity", "side": "top"}},
        "showlegend": True,
    }
    return figure(traces, layout)


def composition(shown: ViewData, *, kind: str) -> Figure:
    """How much each head reads through its query, key or value of what each earlier head writes, above random heads."""
    arrays = shown.artifacts[_COMPOSITION]
    names = [_short(str(name)) for name in arrays["heads"]]
    over = np.asarray(shown.history[_COMPOSITION][kind], dtype=np.float64)
    most = float(np.nanmax(np.abs(over))) or 1.0
    matrix = np.asarray(arrays[kind], dtype=np.float64)
    writers, readers = (np.flatnonzero(np.isfinite(matrix).any(axis=axis)) for axis in (1, 0))
    shown_part = matrix[np.ix_(writers, readers)]
    low, middle, high = (float(value) for value in arrays["null"])
    hover = f"{kind} of %{{x}} reads %{{y}}: %{{z:+.3f}}<extra></extra>"
    heat = {"type": "heatmap", "z": shown_part, "coloraxis": "coloraxis", "hovertemplate": hover}
    heat |= {"x": [names[reader] for reader in readers], "xgap": 2, "ygap": 2, "meta": selects({"head": "x"})}
    heat |= {"y": [names[writer] for writer in writers], "texttemplate": "%{z:.2f}"}
    random = f"random heads: {middle:.3f}, 95 % within {low - middle:+.3f} and {high - middle:+.3f}"
    layout = {
        "title": title(shown, f"{kind}-composition above random heads", random),
        "coloraxis": {"cmin": -most, "cmax": most, "colorbar": {"title": {"text": "above random"}}},
        "xaxis": {"title": {"text": "reads"}, "type": "category", "showgrid": False},
        "yaxis": {"title": {"text": "writes"}, "type": "category", "showgrid": False, "autorange": "reversed"},
    }
    return figure([heat], layout, gaps=int(np.isnan(shown_part).sum()))


def composition_over_training(shown: ViewData, *, kind: str) -> Figure:
    """Composition of the pairs of heads that compose most, over training, above the band of random heads."""
    arrays = shown.artifacts[_COMPOSITION]
    steps, names = arrays["step"], [_short(str(name)) for name in first_row(arrays["heads"])]
    matrix = np.asarray(arrays[kind], dtype=np.float64)
    low, middle, high = first_row(arrays["null"])
    pairs = np.argwhere(np.isfinite(matrix).all(axis=0))
    strength = np.array([np.abs(matrix[:, w, r]).max() for w, r in pairs])
    edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0, "color": NULL}, "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [
        {**edge, "y": np.full(len(steps), low - middle), "showlegend": False},
        {
            **edge,
            "y": np.full(len(steps), high - middle),
            "name": "random heads",
            "fill": "tonexty",
            "fillcolor": _BAND,
        },
    ]
    for rank, place in enumerate(np.argsort(-strength, kind="stable")[:_MOST_PAIRS]):
        writer, reader = pairs[place]
        name = f"{names[writer]} → {names[reader]}"
        look = {"dash": ("solid", "dash", "dot")[rank // len(OKABE_ITO) % 3]}
        hover = f"{name}: %{{y:+.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
        colour = OKABE_ITO[rank % len(OKABE_ITO)]
        traces.append(line(steps, matrix[:, writer, reader], name, colour, line=look, hovertemplate=hover))
    note = f"the strongest {_MOST_PAIRS} of {len(pairs)} pairs" if len(pairs) > _MOST_PAIRS else ""
    layout = {
        "title": title(shown, f"{kind}-composition over training", note),
        "yaxis": {"title": {"text": "composition above random heads"}},
        "showlegend": True,
    }
    return figure(traces, layout)


def heads(shown: ViewData, *, quantity: str) -> Figure:
    """Size, dimensions or positivity of every head's QK or OV circuit over training."""
    arrays = shown.artifacts[_HEADS]
    name = _QUANTITIES[quantity]
    signed, of_tokens = name.endswith("positivity"), name.endswith(("positivity", "copy_score"))
    traces = []
    for block in holders(arrays, name):
        values = arrays[f"{block}/{name}"]
        for head in range(values.shape[1]):
            label, dash = head_name(block, head), {"dash": head_dash(block)}
            hover = f"{label}: %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
            more = {"line": dash, "hovertemplate": hover, "meta": selects({}, head=label)}
            traces.append(line(arrays["step"], values[:, head], label, head_colour(head), **more))
    layout = {
        "title": title(shown, f"Circuits of heads: {quantity}", _between(arrays).lstrip(" ·") if of_tokens else ""),
        "yaxis": {"title": {"text": quantity}, **({"range": [-1.03, 1.03]} if signed else {"rangemode": "tozero"})},
        "showlegend": True,
    }
    return figure(traces, layout)


def _between(arrays: Mapping[str, np.ndarray]) -> str:
    """' · between 113 tokens that are answers', where there are tokens at both ends."""
    if "tokens" not in arrays:
        return ""
    count, which = int(np.ravel(arrays["tokens"])[0]), str(np.ravel(arrays["token_set"])[0])
    return f" · between the {count} tokens that are answers" if which == "answers" else f" · between all {count} tokens"


def _short(head: str) -> str:
    """'L1H2' of 'blocks.1/2'."""
    block, _, number = head.rpartition("/")
    return head_name(block, int(number))


def _head_names(shown: ViewData) -> Sequence[str]:
    """'L0H0' and so on, where there are tokens at both ends."""
    if not {"W_E", "W_U"} <= set(shown.weights):
        return ()
    roles = sorted((r for r in shown.weights if r.endswith(".attn.W_Q")), key=layer_of)
    return [head_name(role, head) for role in roles for head in range(len(shown.weights[role]))]


def _orders(shown: ViewData) -> tuple[str, ...]:
    basis = shown.bases.get("token")
    if basis is None:
        return ("token",)
    embed, unembed = _ends(shown)
    return ("token", "basis") if basis.size <= min(len(embed), unembed.shape[1]) else ("token",)


def _ends(shown: ViewData) -> tuple[np.ndarray, np.ndarray]:
    """W_E (token, d_model) and W_U (d_model, answer), LayerNorm's weight folded in, float64."""
    return shown.weights["W_E"].double().numpy(), _folded(shown, "ln_final.w", shown.weights["W_U"].double().numpy())


def _inward(shown: ViewData, head: str, letter: str) -> np.ndarray:
    layer = re.sub(r"H\d+$", "", head)[1:]
    return _folded(shown, f"blocks.{layer}.ln1.w", _weight(shown, head, f"W_{letter}"))


def _weight(shown: ViewData, head: str, name: str) -> np.ndarray:
    layer, number = head[1:].split("H")
    return shown.weights[f"blocks.{layer}.attn.{name}"][int(number)].double().numpy()


def _folded(shown: ViewData, scale: str, matrix: np.ndarray) -> np.ndarray:
    return shown.weights[scale].double().numpy()[:, None] * matrix if scale in shown.weights else matrix


_HEAD = Choice(name="head", options_from=_head_names)
_ORDER = Choice(name="order", options_from=_orders, label="order of tokens")
_KIND = Choice(name="kind", options=("K", "Q", "V"))
_SCALED = ("W_U|ln_final.w", "blocks.*.attn.W_Q|blocks.*.ln1.w")
_WEIGHTS = ("W_E", *_SCALED, *(f"blocks.*.attn.W_{name}" for name in "KVO"))


def _map_view(name: str, heading: str, draw: Any) -> View:
    given = {"needs": Needs(weights=_WEIGHTS, bases=("token",)), "controls": (_HEAD, _ORDER)}
    return View(name=name, title=heading, grain=Grain.CHECKPOINT, draw=draw, **given)


VIEWS = (
    _map_view("circuits.qk", "QK circuit from token to token", qk),
    _map_view("circuits.ov", "OV circuit from token to answer", ov),
    View(
        name="circuits.eigenvalues",
        title="Eigenvalues of circuits",
        synonyms=("copying heads",),
        grain=Grain.CHECKPOINT,
        draw=eigenvalues,
        needs=Needs(reads=(_HEADS,)),
        controls=(Choice(name="circuit", options=("OV", "QK")),),
        selects=("head",),
    ),
    View(
        name="circuits.heads",
        title="Circuits of heads over training",
        grain=Grain.TRAJECTORY,
        draw=heads,
        needs=Needs(reads=(_HEADS,)),
        controls=(Choice(name="quantity", options=tuple(_QUANTITIES)),),
        time_axis="x",
        selects=("head",),
    ),
    View(
        name="circuits.composition",
        title="Composition of heads",
        synonyms=("K-composition", "virtual weights"),
        grain=Grain.CHECKPOINT,
        draw=composition,
        needs=Needs(reads=(_COMPOSITION,), history=(_COMPOSITION,)),
        controls=(_KIND,),
        selects=("head",),
    ),
    View(
        name="circuits.composition_over_training",
        title="Composition of heads over training",
        grain=Grain.TRAJECTORY,
        draw=composition_over_training,
        needs=Needs(reads=(_COMPOSITION,)),
        controls=(_KIND,),
        time_axis="x",
    ),
)
