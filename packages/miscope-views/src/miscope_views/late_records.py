"""What is to be said of a record that begins after the initialisation, of what was there at its first checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from miscope import ViewData

__all__ = ["there_already"]


def there_already(shown: ViewData, steps: np.ndarray, when: np.ndarray) -> str:
    """' · 12 by epoch 300, where the record begins' of the steps at which something came; '' where none is such."""
    first = int(steps[0])
    count = int((when == first).sum()) if first > 0 else 0
    return f" · {count:,} by {shown.step_label} {first:,}, where the record begins" if count else ""
