"""What of the selected variants is taken away as files: a menu whose entries are fetched from the same server."""

from __future__ import annotations

from typing import ClassVar, final

import param

from miscope_panel.page.client import source, style
from miscope_panel.page.page_component import PageComponent

__all__ = ["SelectedFiles"]


@final
class SelectedFiles(PageComponent):
    """Reports on variants, and their numbers by step."""

    names = param.List(default=[], item_type=str, doc="The variants that are selected.")

    _esm = source("selected_files", "menu")
    _stylesheets: ClassVar[list[str]] = [style("selected_files", "push_button")]
