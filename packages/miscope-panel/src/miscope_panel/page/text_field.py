"""A line of text that is heard as soon as it is entered."""

from __future__ import annotations

from typing import ClassVar, final

import panel_material_ui as pmui

__all__ = ["TextField"]


@final
class TextField(pmui.TextInput):
    """Panel waits a moment for more of what a hand does; what was entered is whole."""

    _debounce: ClassVar[int] = 0
