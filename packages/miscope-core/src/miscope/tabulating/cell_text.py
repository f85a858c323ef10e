"""A cell of the table as one reads it."""

from __future__ import annotations

import math

from miscope.tabulating.variant_table import Cell, Summary

__all__ = ["written"]


def written(cell: Cell) -> str:
    """'113', '3.1e-07', 'true', '2.8e-07 (2.1e-07 to 3.6e-07)'; '' where there is nothing.

    A mean of fewer than its group says of how many: '2.8e-07, 3 of 5'.
    """
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).lower()
        case float():
            return _number(cell)
        case Summary():
            reach = "" if math.isnan(cell.low) else f" ({_number(cell.low)} to {_number(cell.high)})"
            part = "" if cell.count == cell.members else f", {cell.count} of {cell.members}"
            return f"{_number(cell.mean)}{reach}{part}"
        case _:
            return str(cell)


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    # From 999.5 on three digits would be those of 1e+03.
    return f"{value:.0f}" if 999.5 <= abs(value) < 1e7 else f"{value:.3g}"
