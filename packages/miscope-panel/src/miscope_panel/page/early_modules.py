"""The modules that the browser is to have before the page's document says that it needs them."""

from __future__ import annotations

import panel_material_ui as pmui

from miscope_panel.page.card import Card
from miscope_panel.page.cursor import Cursor
from miscope_panel.page.lens_list import LensList
from miscope_panel.page.making import MakingBar
from miscope_panel.page.push_button import PushButton
from miscope_panel.page.shell import Shell
from miscope_panel.page.sidebar import Catalogue

__all__ = ["early_modules"]

_OURS = (Shell, Card, Cursor, Catalogue, LensList, MakingBar, PushButton)
"""Of the workbench, where most addresses lead."""


def early_modules() -> str:
    """Links to them, for the head of a page; the first is what draws all that is Panel's."""
    addresses = [pmui.Page._render_esm(server=True), *(component.address() for component in _OURS)]
    return "".join(f'    <link rel="modulepreload" href="{address}">\n' for address in addresses)
