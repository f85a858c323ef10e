"""One figure as somebody looks at it, for a report: its variants, its step, its controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from miscope.field_docs import documented

if TYPE_CHECKING:
    from miscope.analysis.analyzer_options import Options
    from miscope.figures.comparing.how_compared import HowCompared
    from miscope.variant import Variant

__all__ = ["AskedFigure"]


@final
@documented
@dataclass(frozen=True, kw_only=True)
class AskedFigure:
    """A figure that a report shall have."""

    view: str
    """Name of the view."""
    variants: tuple[Variant, ...]
    """Several for a view that compares, and where any other is drawn of several put together."""
    step: int | None = None
    """The checkpoint; the nearest before it that was computed. None for the last."""
    controls: Mapping[str, object] = field(default_factory=dict)
    """Values of the view's controls, or text that says them."""
    options: Options = field(default_factory=dict)
    """Values by option, by analyzer, that what it shows was computed with."""
    title: str = ""
    """What stands over it; "" for the view's own title."""
    compared: HowCompared | None = None
    """How the figures of several variants are put together, of a view that does not compare by itself."""
