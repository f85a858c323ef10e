"""What the page is made of beside what Panel brings: components that change often and keep their look."""

from __future__ import annotations

from typing import Any, ClassVar

import param
from bokeh.document import Document
from panel.custom import JSComponent

__all__ = ["PageComponent"]


class PageComponent(JSComponent):
    """A component of ours, with style sheets of its own."""

    __abstract = True

    # Milliseconds. Panel lets 50 pass before it hears of a change: it is the browser that waits for the hand to rest.
    _debounce: ClassVar[int] = 0

    def change(self, **values: Any) -> None:
        """Set these at once; of what is as it was nothing is done, which Panel takes long to find out."""
        others = {name: value for name, value in values.items() if getattr(self, name) != value}
        if others:
            self.param.update(**others)

    def _update_properties(self, *events: param.parameterized.Event, doc: Document) -> dict[str, Any]:
        # Panel works out its theme's style sheets with each change of anything, which takes longer than the change.
        if any(event.name == "stylesheets" for event in events):
            return super()._update_properties(*events, doc=doc)
        return self._process_param_change({event.name: event.new for event in events})
