"""Where checkpoints come from, by every account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope import Grain, Needs, View, ViewData
from miscope.artifact import Arrays
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.figures import figure, title
from miscope_views.tables import table, tall

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "provenance.settings"
_MARK, _ASSUMED = OKABE_ITO[1], OKABE_ITO[0]


def settings(shown: ViewData) -> Figure:
    """What files say of the training, what the optimizer did, what was assumed, and where it went on from.

    Contradictions lead, assumptions follow.
    """
    arrays = shown.artifacts[_READS]
    if len(arrays["source"]):
        names = ("setting", "configuration", "optimizer", "record")
        columns, colours = _accounts(arrays)
        wrong = int(arrays["mismatch_count"])
        note = f"contradictions: {wrong or 'none'} · assumed: {len(arrays['assumed']) or 'nothing'}"
        note += f" · from {', '.join(arrays['source'].tolist())}{_warm(arrays)}"
    else:
        names = ("library", "version")
        columns = [arrays[name].tolist() for name in names]
        colours, note = (
            [NULL] * len(columns[0]),
            f"trained here, with these libraries at hand; nothing contradicts the record{_warm(arrays)}",
        )
    trace = table(dict(zip(names, columns, strict=True)), [colours] * len(names))
    return figure([trace], {"title": title(shown, "Where it comes from", note), "height": tall(trace)})


def _accounts(arrays: Arrays) -> tuple[list[list[str]], list[str]]:
    """Rows of the table by column, and the colour of each row: contradictions, assumptions, the rest."""
    order = (~arrays["mismatch"]).argsort(kind="stable")
    wrong = int(arrays["mismatch"].sum())
    assumed = [f"{value} (assumed)" for value in arrays["assumed_value"].tolist()]
    added = {"setting": arrays["assumed"].tolist(), "record": assumed}
    columns = []
    for name in ("setting", "configuration", "optimizer", "record"):
        told = arrays[name][order].tolist()
        columns.append([*told[:wrong], *added.get(name, [""] * len(assumed)), *told[wrong:]])
    colours = [_MARK] * wrong + [_ASSUMED] * len(assumed) + [NULL] * (len(order) - wrong)
    return columns, colours


def _warm(arrays: Arrays) -> str:
    pairs = zip(arrays["warm_step"].tolist(), arrays["warm_from"].tolist(), strict=True)
    return "".join(f" · from step {step:,} of {name} on with a fresh optimizer" for step, name in pairs)


VIEWS = (
    View(
        name="provenance.settings",
        title="Where it comes from",
        synonyms=("hyperparameters",),
        grain=Grain.TRAJECTORY,
        draw=settings,
        needs=Needs(reads=(_READS,)),
    ),
)
