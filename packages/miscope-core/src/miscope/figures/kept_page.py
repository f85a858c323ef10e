"""Pictures drawn one after the other on a page that stays, since to load it takes longer than most pictures do."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kaleido import Kaleido
    from plotly.graph_objects import Figure

__all__ = ["draw_on"]

_DRAW = "function(asked) { return kaleido_scopes.plotly(asked).then(JSON.stringify) }"
_SIDES = {"width": 700, "height": 500}
"""CSS pixels of a figure that says nothing of it, as Kaleido has them."""


async def draw_on(browser: Kaleido, figure: Figure, options: dict[str, Any]) -> bytes:
    """The figure as png or svg, by Kaleido's own function of its page, or as pdf.

    options: as of `Kaleido.calc_fig`. That loads its page, and plotly.js with it, anew after each picture; it is called
    for what is printed, and where the page as it stands does not draw: what it then says is said.
    """
    if options["format"] != "pdf":
        picture = await _drawn(browser, _asked(figure, options))
        if picture is not None:
            return picture
    given: Any = options
    return await browser.calc_fig(figure, opts=given)


def _asked(figure: Figure, options: dict[str, Any]) -> dict[str, Any]:
    drawn = figure.to_dict()
    layout = drawn.get("layout", {})
    template = layout.get("template", {}).get("layout", {})
    sides = {
        side: options.get(side) or layout.get(side) or template.get(side) or usual for side, usual in _SIDES.items()
    }
    return {**sides, "format": options["format"], "scale": options["scale"], "data": drawn}


async def _drawn(browser: Kaleido, asked: dict[str, Any]) -> bytes | None:
    """None where the page does not draw it."""
    tab = browser.get_tab()
    if tab is None:
        return None
    page = await tab.send_command("Runtime.evaluate", {"expression": "globalThis"})
    called = {
        "functionDeclaration": _DRAW,
        "objectId": page.get("result", {}).get("result", {}).get("objectId"),
        "arguments": [{"value": asked}],
        "awaitPromise": True,
    }
    answer = await tab.send_command("Runtime.callFunctionOn", called)
    said = json.loads(answer.get("result", {}).get("result", {}).get("value") or "{}")
    if said.get("code") != 0:
        return None
    return said["result"].encode() if asked["format"] == "svg" else base64.b64decode(said["result"])
