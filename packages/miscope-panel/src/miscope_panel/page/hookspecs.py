"""What a plug-in may offer to the dashboard beside what core knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope.hookspecs import hookspec

if TYPE_CHECKING:
    from miscope_panel.page.page_record import Page

__all__ = ["miscope_panel_pages"]


@hookspec
def miscope_panel_pages() -> Iterable[Page]:
    """Pages this plug-in adds to the dashboard, after its own.

    .. code-block:: python

        from miscope import hookimpl


        @hookimpl
        def miscope_panel_pages():
            import panel as pn

            from miscope_panel.page.page_record import Page

            class Count:
                def __init__(self, context):
                    self._context, self.view = context, pn.pane.Str("", sizing_mode="stretch_width")

                def follow(self, place):
                    if place.page == "example.count":
                        self.view.object = f"{len(self._context.server.workspace.names())} variants"

            yield Page(name="example.count", title="Count", open=Count)
    """
    return ()
