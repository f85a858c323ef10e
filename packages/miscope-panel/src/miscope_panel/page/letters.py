"""What the page is written in: the Latin letters of the Roboto that panel-material-ui brings, and no more of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import panel_material_ui

__all__ = ["LETTERS", "faces"]

LETTERS = 'Inter, "Helvetica Neue", Helvetica, "Roboto Latin", Arial, sans-serif'
"""Families, in the order in which a browser looks for them.

panel-material-ui gives each part of its Roboto out as the whole: of a sign that none has, a triangle or a check mark, a
browser fetches all twenty files, and lays the page out anew with each.
"""

_FILES = Path(panel_material_ui.__file__).parent / "dist"

_FACE = (
    '@font-face {{ font-family: "Roboto Latin"; font-weight: {weight}; font-display: swap; '
    'src: url("static/extensions/panel-material-ui/{file}") format("woff2"); }}'
)


@cache
def faces() -> str:
    """The page's own style sheet of its letters; a font that is not there is left to the browser."""
    found = {weight: sorted(_FILES.glob(f"roboto-latin-{weight}-normal-*.woff2")) for weight in (400, 700)}
    fonts = [_FACE.format(weight=weight, file=files[0].name) for weight, files in found.items() if files]
    return "\n".join([*fonts, f":root, :host {{ --ms-font: {LETTERS}; --bokeh-base-font: {LETTERS}; }}"])
