"""What the page is made of beside what Panel brings: components that change often and keep their look."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

import param
from bokeh.document import Document
from panel.custom import JSComponent

__all__ = ["MODULES", "PageComponent"]

MODULES = "/assets/modules"
"""Under which a browser finds what our components run there; Panel and Bokeh keep /static for themselves."""


class PageComponent(JSComponent):
    """A component of ours, with style sheets of its own."""

    __abstract = True

    # Milliseconds. Panel lets 50 pass before it hears of a change: it is the browser that waits for the hand to rest.
    _debounce: ClassVar[int] = 0

    # Panel looks for a file of that class or of its modules, each time that it makes one.
    _bundle_path: ClassVar[None] = None  # pyright: ignore[reportIncompatibleMethodOverride]

    @classmethod
    def address(cls) -> str:
        """Of its ES module; another one with each change of what it says, so that it may be kept."""
        digest = hashlib.sha256(str(cls._esm).encode()).hexdigest()[:16]
        return f"{MODULES}/{cls.__module__}/{cls.__qualname__}/{digest}.js"

    @classmethod
    def _render_esm(cls, compiled: object = True, server: bool = False) -> str:
        return str(cls._esm)

    def change(self, **values: Any) -> None:
        """Set these at once; of what is as it was nothing is done, which Panel takes long to find out."""
        others = {name: value for name, value in values.items() if getattr(self, name) != value}
        if others:
            self.param.update(**others)

    def _get_properties(self, doc: Document | None) -> dict[str, Any]:
        # By its address, which Panel takes as it is. A module that it is given as text travels with each component of
        # that kind, and the browser looks for TypeScript in each of them, which takes a third of a page's first second.
        served = doc is not None and doc.session_context is not None
        where = {"esm": self.address(), "bundle": "url"} if served else {}
        return {**super()._get_properties(doc), **where}

    def _update_properties(self, *events: param.parameterized.Event, doc: Document) -> dict[str, Any]:
        # Panel works out its theme's style sheets with each change of anything, which takes longer than the change.
        if any(event.name == "stylesheets" for event in events):
            return super()._update_properties(*events, doc=doc)
        return self._process_param_change({event.name: event.new for event in events})
