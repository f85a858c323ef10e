"""The frame of the page: header, sidebar, theme. The only place that arranges Material components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.viewable import Viewable

from miscope_panel.page.client import sheet
from miscope_panel.page.letters import LETTERS, faces
from miscope_panel.page.sidebar import Sidebar
from miscope_panel.shown.selection import Place, Selection

__all__ = ["page"]

_HEADER = {
    "& .MuiAppBar-root": {
        "backgroundColor": "var(--ms-paper) !important",
        "backgroundImage": "none !important",
        "color": "var(--ms-ink) !important",
        "boxShadow": "none",
        "borderBottom": "1px solid var(--ms-line)",
    },
    "& .MuiAppBar-root .title": {"color": "var(--ms-ink) !important", "fontSize": "18px", "fontWeight": 600},
    "& .MuiToolbar-root": {"minHeight": "52px !important", "margin": "0 !important"},
    "& .MuiDrawer-paper": {"backgroundColor": "var(--ms-paper)", "backgroundImage": "none"},
    "& .main": {"backgroundColor": "var(--ms-ground)"},
    # Without an indicator of work there is still a bar of it, unseen and unnamed.
    "& .MuiLinearProgress-root": {"display": "none"},
}

_TABS = {
    "& .MuiToggleButton-root": {
        "border": 0,
        "borderRadius": "6px !important",
        "padding": "4px 12px",
        "fontSize": "14px",
        "textTransform": "none",
        "color": "var(--ms-quiet) !important",
        "backgroundColor": "transparent !important",
    },
    # Not by its class of selected ones, whose style the group sets itself.
    "& .MuiToggleButton-root[aria-pressed='true']": {
        "color": "var(--ms-ink) !important",
        "backgroundColor": "var(--ms-ground) !important",
    },
}

# The ring of what has the keys, as all else on the page has it: the pulse of a button alone is hardly seen.
_RING = {"&.Mui-focusVisible": {"outline": "2px solid var(--ms-accent)", "outlineOffset": "1px"}}
_PARTS = {"MuiButtonBase": {"styleOverrides": {"root": _RING}}}

_THEME: dict[str, Any] = {
    "light": {
        "palette": {"primary": {"main": "#0072b2"}, "background": {"default": "#ffffff", "paper": "#ffffff"}},
        "components": _PARTS,
        "typography": {"fontFamily": LETTERS},
    },
    "dark": {
        "palette": {"primary": {"main": "#56b4e9"}, "background": {"default": "#161819", "paper": "#161819"}},
        "components": _PARTS,
        "typography": {"fontFamily": LETTERS},
    },
}


def page(
    selection: Selection, titles: Mapping[str, str], header: Sequence[Viewable], sidebar: Sidebar, frame: pn.Column
) -> pmui.Page:
    """Header, sidebar and the frame that holds the pages.

    titles: of these, by name, in the order of their tabs. header: what stands beside them.
    """
    place = selection.place
    tabs = _tabs(place, titles)
    listening = _listening_for_work()
    made = pmui.Page(
        title="miscope",
        header=[tabs, *header],
        sidebar=sidebar.contents,
        sidebar_width=312,
        sidebar_open=place.page == "views",
        # Its handle has a name without a role, which no reader of the page would say.
        sidebar_resizable=False,
        main=[frame],
        busy_indicator=None,
        dark_theme=selection.dark,
        theme_config=_THEME,
        raw_css=[sheet("look"), faces(), sheet("skip_link")],
        sx=_HEADER,
    )
    _leave_alone(listening)
    tabs.param.watch(lambda event: selection.move(page=event.new), "value")

    def choose(event: param.parameterized.Event) -> None:
        # What follows the browser was not chosen.
        if bool(event.new) != selection.dark:
            selection.move(dark=bool(event.new))

    def follow(place: Place) -> None:
        tabs.value, made.dark_theme = place.page, selection.dark

    def turn(event: param.parameterized.Event) -> None:
        if event.old.page != event.new.page:
            # What can be looked at is beside the point of the other pages, and in the way of a wide table.
            made.sidebar_open = event.new.page == "views"
        # Not where the event says: whoever heard of it first may have gone on from there.
        follow(selection.place)

    made.param.watch(choose, "dark_theme")
    selection.param.watch(turn, "place")
    selection.param.watch(lambda event: follow(selection.place), "prefers_dark")
    return made


def _tabs(place: Place, titles: Mapping[str, str]) -> pmui.RadioButtonGroup:
    return pmui.RadioButtonGroup(
        options={title: name for name, title in titles.items()},
        value=place.page,
        size="small",
        sx=_TABS,
        align="center",
        margin=(0, 12),
    )


def _leave_alone(listening: Sequence[Any]) -> None:
    """Have nobody told of work but these: Panel's state outlives the page, and would keep it for an indicator that we
    do not show."""
    for watcher in _listening_for_work():
        if watcher not in listening:
            pn.state.param.unwatch(watcher)


def _listening_for_work() -> list[Any]:
    """Who is told when the server begins to work or rests."""
    return list(pn.state.param.watchers.get("busy", {}).get("value", ()))
