"""How the fields over the table of variants look: as tall as each other, with their labels always above."""

from __future__ import annotations

from typing import Any

__all__ = ["CHOICE", "FIELD"]

_LABEL = {"transform": "translate(14px, -9px) scale(0.75)", "maxWidth": "133%", "pointerEvents": "auto"}
# As wide as the label over it: theme and label do not have it from the same size of letters.
_GAP = {"& .MuiOutlinedInput-notchedOutline legend": {"maxWidth": "100%", "fontSize": "12px"}}
CHOICE: dict[str, Any] = {"height": "38px", "fontSize": "14px", **_GAP}
"""Of a menu."""
FIELD: dict[str, Any] = {
    "& .MuiInputBase-root": CHOICE,
    # Always above its field, so that the example in it is seen before one types.
    "& .MuiInputLabel-root": _LABEL,
    "& label[data-shrink=false] + .MuiInputBase-root .MuiInputBase-input::placeholder": {"opacity": "0.5 !important"},
}
"""Of a line of text."""
