"""The catalogue in the browser: a list with a search, and all that is known of one entry."""

from __future__ import annotations

from typing import ClassVar, final

import param

from miscope_panel.page.client import source, style
from miscope_panel.page.messaging_component import MessagingComponent

__all__ = ["CatalogueBoard"]


@final
class CatalogueBoard(MessagingComponent):
    """Draws what it is given, and says what somebody does with it."""

    entries = param.List(default=[], item_type=dict, doc="key, kind, name, title, line, grain, package (`Entry`).")
    kinds = param.Dict(default={}, doc="What a kind is called, by kind, in order.")
    standing = param.Dict(default={"said": "", "of": {}}, doc="said; of: key -> state, words, reason, for the variant.")
    asked = param.Dict(default={"find": "", "kind": "", "show": ""}, doc="What the address asks for.")
    found = param.Dict(default={"words": "", "said": "", "hits": []}, doc="What has the words: key and by.")
    shown = param.Dict(default={"key": "", "sections": []}, doc="Of the entry that is shown: sections, opens, command.")
    active = param.Boolean(default=True, doc="Whether this page is looked at, so that its keys are heard.")

    _esm = source("catalogue_board", "held_focus", "one_stop")
    _stylesheets: ClassVar[list[str]] = [style("catalogue_board")]
