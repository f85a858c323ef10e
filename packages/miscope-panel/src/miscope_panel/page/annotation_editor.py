"""Tags and notes of one variant on the page: shown, changed, and put together with what another wrote meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any, final

import panel as pn
import panel_material_ui as pmui

from miscope.errors import BadValue, MiscopeError
from miscope.label_text import LONGEST_NOTES
from miscope.store.annotation import Annotation, ChangedMeanwhile, merged
from miscope.store.annotation_files import annotate, annotation_of
from miscope.workspace import Workspace
from miscope_panel.page.client import sheet
from miscope_panel.page.errands import Errands, attempted
from miscope_panel.shown.markdown import rendered

__all__ = ["AnnotationEditor"]

_BOTH = "Somebody else changed them meanwhile. Both are here now: keep what is to stay, and save."


@final
class AnnotationEditor:
    """Away until it is opened; what was typed stays in its fields until it is saved or closed."""

    def __init__(self, workspace: Workspace, errands: Errands, *, writable: bool) -> None:
        self._workspace, self._errands, self._writable = workspace, errands, writable
        self.on_saved: Callable[[], None] = lambda: None
        self.name = ""
        """Of the variant that it is open for; '' while it is closed."""
        self._read = Annotation()
        """What the fields were filled with."""
        text: dict[str, Any] = {"size": "small", "margin": 0, "disabled": not writable, "sizing_mode": "stretch_width"}
        small: dict[str, Any] = {"size": "small", "variant": "outlined", "margin": 0}
        self.heading = pn.pane.HTML("", margin=0, stylesheets=[sheet("annotation")])
        self.tags = pmui.TextInput(label="Tags, by comma", placeholder="paper, odd one", **text)
        self.notes = pmui.TextAreaInput(label="Notes (Markdown)", rows=6, max_length=LONGEST_NOTES, **text)
        self.preview = pn.pane.HTML("", margin=0, sizing_mode="stretch_width", stylesheets=[sheet("annotation")])
        self.said = pn.pane.HTML("", margin=0, stylesheets=[sheet("runs_said")])
        self.save = pmui.Button(label="Save", visible=writable, **small)
        self.close = pmui.Button(label="Close", **small)
        buttons = pn.FlexBox(self.save, self.close, self.said, gap="8px", margin=0, align_items="center")
        self.view = pn.Column(
            self.heading, self.tags, self.notes, self.preview, buttons, visible=False, margin=(0, 16),
            sizing_mode="stretch_width", stylesheets=[sheet("annotation_frame")],
        )  # fmt: skip
        self.notes.param.watch(lambda event: self._preview(), "value")
        self.save.on_click(lambda event: self._save())
        self.close.on_click(lambda event: self._close())

    def open(self, name: str) -> None:
        """Show what is noted of the variant; what was typed and not saved stays where it is."""
        if self._unsaved:
            if name != self.name:
                self._say(f"What was typed here is not saved. Save or close it before {name}.")
            self.tags.focus()
            return
        self.name = name
        work = partial(attempted, partial(annotation_of, self._workspace.store, name))
        self._errands.send(work, partial(self._show, name))

    @property
    def _unsaved(self) -> bool:
        """Whether somebody typed what nobody kept."""
        filled = ", ".join(self._read.tags), self._read.notes
        return self._writable and self.name != "" and (self.tags.value, self.notes.value) != filled

    def _show(self, name: str, found: Annotation | MiscopeError) -> None:
        if name != self.name:
            return
        self._fill(found if isinstance(found, Annotation) else Annotation())
        self.save.disabled = isinstance(found, MiscopeError)
        self._say(str(found) if isinstance(found, MiscopeError) else "")
        self.heading.object = f"<h2>{escape(name)}</h2>"
        self.view.visible = True
        self.tags.focus()

    def _fill(self, annotation: Annotation) -> None:
        self._read = annotation
        self.tags.value, self.notes.value = ", ".join(annotation.tags), annotation.notes
        self._preview()

    def _preview(self) -> None:
        self.preview.object = rendered(self.notes.value)

    def _save(self) -> None:
        if not (self._writable and self.name):
            return
        try:
            mine = Annotation(tags=_tags(self.tags.value), notes=self.notes.value)
        except BadValue as error:
            self._say(str(error))
            return
        asked = {"tags": mine.tags, "notes": mine.notes, "seen": self._read.revision}
        work = partial(attempted, partial(annotate, self._workspace.store, self.name, **asked))
        self._errands.send(work, partial(self._saved, self.name, mine))

    def _saved(self, name: str, mine: Annotation, done: Annotation | MiscopeError) -> None:
        """What became of it, if it is still open for that variant."""
        if isinstance(done, Annotation):
            self.on_saved()
        if name != self.name:
            return
        if isinstance(done, Annotation):
            self._close()
        elif isinstance(done, ChangedMeanwhile):
            work = partial(attempted, partial(annotation_of, self._workspace.store, name))
            self._errands.send(work, partial(self._put_together, name, mine))
        else:
            self._say(str(done))

    def _put_together(self, name: str, mine: Annotation, theirs: Annotation | MiscopeError) -> None:
        if name != self.name:
            return
        if isinstance(theirs, MiscopeError):
            self._say(str(theirs))
            return
        try:
            both = merged(self._read, mine, theirs)
        except BadValue as error:
            self._say(f"{_BOTH.partition('.')[0]}.\n{error}")
            return
        self._fill(both)
        self._read = theirs
        self._say(_BOTH)

    def _close(self) -> None:
        self.name, self.view.visible = "", False
        self._fill(Annotation())

    def _say(self, text: str) -> None:
        self.said.object = "".join(f'<p class="problem" role="alert">{escape(line)}</p>' for line in text.splitlines())


def _tags(text: str) -> tuple[str, ...]:
    """The words between commas, each of them once."""
    return tuple(dict.fromkeys(word for part in text.split(",") if (word := part.strip())))
