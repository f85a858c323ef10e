"""What later layers read of a token and write to an answer: products of weights in the task's basis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import OKABE_ITO
from miscope.view import SAME_SCALE
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import choice_of
from miscope_views.spectrum_figures import bars, lines, over_training

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_INPUTS, _ANSWERS = "products.inputs", "products.answers"
_PRODUCT, _WRITER = (choice_of("product", reads, "fraction") for reads in (_INPUTS, _ANSWERS))
_INDICES = {"gini": "Gini", "hoyer": "Hoyer", "concentration": "1 - entropy", "top_share": "share of the strongest"}
"""Indices between 0, all components alike, and about 1, a single one."""


def inputs(shown: ViewData, *, product: str, locked: bool) -> Figure:
    """Share of the power of an embedding times what reads it in each component of the task basis."""
    return bars(shown, _INPUTS, role=product, locked=locked)


def inputs_lines(shown: ViewData, *, product: str) -> Figure:
    """Share of the dominant components of what a layer reads of a token over training, above a band of the others."""
    return lines(shown, _INPUTS, role=product)


def inputs_map(shown: ViewData, *, product: str) -> Figure:
    """Share of every component of what a layer reads of a token over training."""
    return over_training(shown, _INPUTS, role=product)


def answers(shown: ViewData, *, product: str, locked: bool) -> Figure:
    """Share of the power of the unembedding, or of what writes to it, in each component of the answers' basis."""
    return bars(shown, _ANSWERS, role=product, locked=locked)


def answers_lines(shown: ViewData, *, product: str) -> Figure:
    """Share of the dominant components of what is written to the answers over training, above a band of the others."""
    return lines(shown, _ANSWERS, role=product)


def answers_map(shown: ViewData, *, product: str) -> Figure:
    """Share of every component of what is written to the answers over training."""
    return over_training(shown, _ANSWERS, role=product)


def inputs_sparsity(shown: ViewData, *, product: str) -> Figure:
    """How unequally a product's power is spread over the components, by several indices, over training."""
    return _sparsity(shown, _INPUTS, product)


def answers_sparsity(shown: ViewData, *, product: str) -> Figure:
    """How unequally the power of what is written to the answers is spread over the components, over training."""
    return _sparsity(shown, _ANSWERS, product)


def _sparsity(shown: ViewData, reads: str, product: str) -> Figure:
    arrays = shown.artifacts[reads]
    steps = arrays["step"]
    traces = [
        line(
            steps,
            arrays[f"{product}/{name}"],
            label,
            colour,
            hovertemplate=f"{label} %{{y:.3f}} at %{{x:,}}<extra></extra>",
        )
        for (name, label), colour in zip(_INDICES.items(), OKABE_ITO, strict=False)
    ]
    many = f"equal components: %{{y:.1f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    traces.append(
        line(
            steps,
            arrays[f"{product}/participation"],
            "",
            OKABE_ITO[4],
            yaxis="y2",
            showlegend=False,
            hovertemplate=many,
        )
    )
    above, below = panels([3, 2])
    layout = {
        "title": title(shown, f"Sparsity of {product}", "indices of the powers of components, without the constant"),
        "yaxis": {"title": {"text": "index"}, "domain": above, "range": [0, 1.02]},
        "yaxis2": {"title": {"text": "participation ratio"}, "domain": below, "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure(traces, layout)


def _views(prefix: str, reads: str, choice: Choice, titled: str) -> tuple[View, ...]:
    """The four views of one analyzer's spectra."""
    at, over = {
        "inputs": (inputs, (inputs_lines, inputs_map, inputs_sparsity)),
        "answers": (answers, (answers_lines, answers_map, answers_sparsity)),
    }[prefix]
    titles = ("dominant components over training", "every component over training", "sparsity over training")
    return (
        View(
            name=f"products.{prefix}",
            title=titled,
            grain=Grain.CHECKPOINT,
            draw=at,
            needs=Needs(reads=(reads,), history=(reads,), bases=("*",)),
            controls=(choice, SAME_SCALE),
        ),
        *(
            View(
                name=f"products.{draw.__name__}",
                title=f"{titled}: {what}",
                grain=Grain.TRAJECTORY,
                draw=draw,
                needs=Needs(reads=(reads,), bases=("*",)),
                controls=(choice,),
                time_axis="x",
            )
            for what, draw in zip(titles, over, strict=True)
        ),
    )


VIEWS = (
    *_views("inputs", _INPUTS, _PRODUCT, "What layers read of a token"),
    *_views("answers", _ANSWERS, _WRITER, "What is written to the answers"),
)
