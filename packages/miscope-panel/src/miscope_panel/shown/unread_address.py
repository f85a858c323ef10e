"""What an address names that is not here: pages, views, ways to count steps or to compare."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl

from miscope.maths.learnt import DATED
from miscope.view import SINCE, STEP_SCALE
from miscope_panel.shown.comparing.comparison import MODES, NAME
from miscope_panel.shown.pin import view_of
from miscope_panel.shown.selection import BARE
from miscope_panel.shown.shared_controls import CURSOR

__all__ = ["unread"]

_FEW, _MOST = 3, 12
"""Names that are said where some are near, and the most that are where none is."""


def unread(query: str, pages: Mapping[str, str], views: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each, with the nearest that is.

    pages, views: their titles, by name.
    """
    given = dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True))
    return tuple(dict.fromkeys(_unread(given, pages, views)))


def _unread(given: Mapping[str, str], pages: Mapping[str, str], views: Mapping[str, str]) -> Iterator[str]:
    page = given.get("page", "")
    if page and page not in pages:
        yield f"There is no page {page!r}. {_nearest('page', page, pages)}"
    for key in ("views", f"{NAME}:views"):
        for entry in filter(None, given.get(key, "").split(",")):
            name = view_of(entry)
            if name not in views and entry != BARE:
                yield f"There is no view {name!r}. {_nearest(key, name, views)}"
    clock, mode = given.get(f"{CURSOR}:{STEP_SCALE.name}", ""), given.get(f"{NAME}:mode", "")
    if clock and clock not in STEP_SCALE.options and not clock.startswith(SINCE):
        ways = {way: way for way in (*STEP_SCALE.options, *(f"{SINCE}{event}" for event in DATED))}
        yield f"A time axis cannot be laid out by {clock!r}. {_nearest(f'{CURSOR}:{STEP_SCALE.name}', clock, ways)}"
    modes = {str(name): text for name, text in MODES.items()}
    if mode and mode not in modes:
        yield f"Variants cannot be compared by {mode!r}. {_nearest(f'{NAME}:mode', mode, modes)}"


def _nearest(key: str, asked: str, known: Mapping[str, str]) -> str:
    """'Nearest: page=views (Workbench).', by names and by titles; all there are where these are few."""
    words = asked.lower()
    # A name is rather misspelt than a title.
    for called in ({name.lower(): name for name in known}, {title.lower(): name for name, title in known.items()}):
        near = [text for text in called if words in text] or difflib.get_close_matches(
            words, called, n=_FEW, cutoff=0.6
        )
        if found := [*dict.fromkeys(called[text] for text in near)][:_FEW]:
            return f"Nearest: {_listed(key, found, known)}."
    if len(known) > _MOST and key.endswith("views"):
        return f"There are {len(known)}: the Catalogue lists them, and `miscope views`."
    return f"There are: {_listed(key, [*known][:_MOST], known)}."


def _listed(key: str, names: Iterable[str], known: Mapping[str, str]) -> str:
    told = (name if known[name].lower() in ("", name) else f"{name} ({known[name]})" for name in names)
    return f"{key}={' or '.join(told)}"
