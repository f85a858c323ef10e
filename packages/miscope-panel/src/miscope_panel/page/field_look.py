"""How the fields over the table of variants look: as tall as each other, with their labels always above."""

from __future__ import annotations

from typing import Any

__all__ = ["CHOICE", "FIELD"]

_LABEL = {"transform": "translate(14px, -9px) scale(0.75)", "maxWidth": "133%", "pointerEvents": "auto"}
CHOICE: dict[str, Any] = {"height": "38px", "fontSize": "14px"}
"""Of a menu."""
FIELD: dict[str, Any] = {
    "& .MuiInputBase-root": CHOICE,
    # Always above its field, so that the example in it is seen before one types.
    "& .MuiInputLabel-root": _LABEL,
    "& .MuiOutlinedInput-notchedOutline legend": {"maxWidth": "100%"},
    "& label[data-shrink=false] + .MuiInputBase-root .MuiInputBase-input::placeholder": {"opacity": "0.5 !important"},
}
"""Of a line of text."""
