"""Which of several variants grokked, in a table: the best first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope_views.figures import figure, title
from miscope_views.tables import table, tall

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["QUALITY_VIEW"]

_QUALITY, _NONE = "cohort.quality", "–"
_GOOD, _SOME, _POOR = "#009E73", "#B8860B", "#D55E00"
"""Letters of a row: grokked and 90 % of its records good; grokked, or half of them; neither."""
_FIELDS = {"prime": "p", "learning_rate": "lr", "weight_decay": "wd", "train_fraction": "train share"}


def quality(shown: ViewData) -> Figure:
    """The variants in rows, best first: when they grokked, how often they are good from then on, how steady."""
    arrays = shown.artifacts[_QUALITY]
    rows = np.argsort(arrays["place"])
    members = {member.shown.variant.name: member for member in shown.members}
    ordered = [members[str(name)] for name in arrays["variant"][rows]]
    known = {short: [_field(member.shown.variant, name) for member in ordered] for name, short in _FIELDS.items()}
    lines = {split: f"{float(arrays[f'line/{split}']):.0%}" for split in ("train", "test")}
    labels = [_else(member.label) for member in ordered]
    columns = {
        "ID": [str(i + 1) for i in range(len(rows))],
        **({"variant": labels} if any(labels) else {}),
        **{short: cells for short, cells in known.items() if any(cell != _NONE for cell in cells)},
        "memorised": _numbers(arrays["memorised"][rows], ",.0f"),
        "grokked": _numbers(arrays["grokked"][rows], ",.0f"),
        f"train ≥ {lines['train']}": _numbers(arrays["train"][rows], ".1%"),
        f"test ≥ {lines['test']}": _numbers(arrays["test"][rows], ".1%"),
        "final test": _numbers(arrays["final"][rows], ".1%"),
        "variance": _numbers(arrays["variance"][rows], ".2g"),
    }
    colours = list(map(_colour, np.isfinite(arrays["grokked"][rows]), arrays["test"][rows]))
    trace = table(columns, [colours] * len(columns))
    said = f"{int(np.isfinite(arrays['grokked']).sum())} of {len(rows)} grokked: test accuracy of {lines['test']}"
    return figure([trace], {"title": title(shown, "Which grokked", said), "height": tall(trace)})


def _else(label: str) -> str:
    """What a label says beside the fields that have columns of their own."""
    return ", ".join(part for part in label.split(", ") if part.partition("=")[0] not in _FIELDS)


def _colour(grokked: bool, good: float) -> str:
    if grokked and good >= 0.9:
        return _GOOD
    return _SOME if grokked or good >= 0.5 else _POOR


def _field(variant: Any, name: str) -> str:
    owner = variant.params if hasattr(variant.params, name) else variant.training
    value = getattr(owner, name, _NONE)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _numbers(values: np.ndarray, form: str) -> list[str]:
    return [f"{value:{form}}" if np.isfinite(value) else _NONE for value in values]


QUALITY_VIEW = View(
    name=_QUALITY,
    title="Which grokked, and stayed so",
    grain=Grain.COHORT,
    draw=quality,
    needs=Needs(reads=(_QUALITY,)),
)
