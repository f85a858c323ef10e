"""The probe of an autoencoder: what its source is shown, a row for each input or for each of their positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope import Probe
from miscope_sae.rows.probe_parts import SOURCE_TRAIN

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from miscope_sae.rows.source_rows import Places

__all__ = ["POSITION", "SOURCE_INPUT", "shown_rows"]

POSITION, SOURCE_INPUT = "position", "source_input"
"""Columns of rows by position: the place in its input, and the row of the source's probe."""


def shown_rows(shown: Probe, rows: Tensor, places: Places | None, train: np.ndarray | None) -> Probe:
    """The probe of (R, ...) rows with the columns of the source's; with positions, 'NAME-by-position'.

    With positions each column is repeated along an input, and 'position' and 'source_input' say where a row is from; a
    source's own column 'position' is then 'source_position'. Rows by position alone have 'source_input': what a source
    calls so is 'source_source_input'. There is no grid and no symmetry: these are of answers.
    """
    columns = dict(shown.columns)
    if SOURCE_INPUT in columns:
        columns[f"source_{SOURCE_INPUT}"] = columns.pop(SOURCE_INPUT)
    if shown.train is not None:
        columns[SOURCE_TRAIN] = shown.train.astype("int64")
    if places is None:
        return Probe(
            name=shown.name, inputs=rows, columns=columns, grid=shown.grid, train=train, symmetries=shown.symmetries
        )
    if POSITION in columns:
        columns[f"source_{POSITION}"] = columns.pop(POSITION)
    repeated = {name: values[places.input] for name, values in columns.items()}
    where = {SOURCE_INPUT: places.input, POSITION: places.position}
    return Probe(name=f"{shown.name}-by-position", inputs=rows, columns={**repeated, **where}, train=train)
