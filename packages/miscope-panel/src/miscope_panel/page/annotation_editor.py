"""Tags and notes of one variant on the page: shown, changed, and put together with what another wrote meanwhile."""

from __future__ import annotations

import json
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
from miscope_panel.page.push_button import PushButton
from miscope_panel.shown.markdown import rendered

__all__ = ["AnnotationEditor"]

_BOTH = "Somebody else changed them meanwhile. Both are here now: keep what is to stay, and save."


@final
class AnnotationEditor:
    """Away until it is opened; what was typed stays in its fields until it is saved or closed."""

    def __init__(self, workspace: Workspace, errands: Errands, *, writable: bool) -> None:
        self._workspace, self._errands, self._writable = workspace, errands, writable
        self.on_saved: Callable[[], None] = lambda: None
        self.on_opened: Callable[[str], None] = lambda text: None
        """Told what `reopen` takes whenever the editor is opened, filled anew or closed; '' where it is closed."""
        self.name = ""
        """Of the variant that it is open for; '' while it is closed."""
        self._read = Annotation()
        """What the fields were filled with."""
        self._awaited: object | None = None
        """What is under way, of which only the last that was asked is waited for."""
        self._saving = False
        text: dict[str, Any] = {"size": "small", "margin": 0, "disabled": not writable, "sizing_mode": "stretch_width"}
        self.heading = pn.pane.HTML("", margin=0, stylesheets=[sheet("annotation")])
        self.tags = pmui.TextInput(label="Tags, by comma", placeholder="paper, odd one", **text)
        self.notes = pmui.TextAreaInput(label="Notes (Markdown)", rows=6, max_length=LONGEST_NOTES, **text)
        self.preview = pn.pane.HTML("", margin=0, sizing_mode="stretch_width", stylesheets=[sheet("annotation")])
        self.said = pn.pane.HTML("", margin=0, stylesheets=[sheet("runs_said")])
        self.save = PushButton(label="Save", visible=writable, margin=0)
        self.close = PushButton(label="Close", margin=0)
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
        work = partial(attempted, partial(annotation_of, self._workspace.store, name))
        self._errands.send(work, partial(self._show, name, self._wait()))

    def reopen(self, text: str) -> None:
        """As it was open on the page before, over what was read there: others may have changed it since."""
        try:
            told = json.loads(text)
        except ValueError:  # a browser gives it back, and may say anything
            return
        match told:
            case {"name": str(name), "tags": [*tags], "notes": str(notes), "revision": int(revision)} if not self.name:
                read = Annotation(tags=tuple(map(str, tags)), notes=notes, revision=revision)
                # What had the keys before has them again: nobody asked for this one to have them.
                self._show(name, self._wait(), read, focus=False)

    @property
    def _unsaved(self) -> bool:
        """Whether somebody typed what is not kept, or not yet."""
        filled = ", ".join(self._read.tags), self._read.notes
        return self._saving or (self._writable and self.name != "" and self._typed != filled)

    @property
    def _typed(self) -> tuple[str, str]:
        return self.tags.value, self.notes.value

    def _wait(self, *, saving: bool = False) -> object:
        """Let nobody type or save until the answer is here, by which it is known."""
        self._awaited, self._saving = object(), saving
        self._hold(True)
        return self._awaited

    def _arrived(self, awaited: object) -> bool:
        """Whether this is the answer that is waited for; the fields are free again then."""
        if awaited is not self._awaited:
            return False
        self._awaited, self._saving = None, False
        self._hold(False)
        return True

    def _hold(self, held: bool) -> None:
        # By its frame alone: a field that is disabled and free again within a moment stays disabled in the browser,
        # which writes the older of the two back. What is typed all the same is kept, and no save is begun.
        self.view.css_classes = ["held"] if held else []

    def _show(self, name: str, awaited: object, found: Annotation | MiscopeError, *, focus: bool = True) -> None:
        if not self._arrived(awaited):
            return
        if self._unsaved:
            # It was on its way from the browser when the fields were held.
            self.open(name)
            return
        self.name = name
        self._fill(found if isinstance(found, Annotation) else Annotation())
        self.save.disabled = isinstance(found, MiscopeError)
        self._say(str(found) if isinstance(found, MiscopeError) else "")
        self.heading.object = f"<h2>{escape(name)}</h2>"
        self.view.visible = True
        if focus:
            self.tags.focus()

    def _take(self, read: Annotation) -> None:
        """This is what is written there, over which the fields are saved."""
        self._read = read
        told = {"name": self.name, "tags": read.tags, "notes": read.notes, "revision": read.revision}
        self.on_opened(json.dumps(told) if self.name else "")

    def _fill(self, annotation: Annotation) -> None:
        self._take(annotation)
        self.tags.value, self.notes.value = ", ".join(annotation.tags), annotation.notes
        self._preview()

    def _preview(self) -> None:
        self.preview.object = _shown(self.notes.value)

    def _save(self) -> None:
        if not (self._writable and self.name) or self._awaited is not None:
            return
        typed = self._typed
        try:
            mine = _annotation(*typed)
        except BadValue as error:
            self._say(str(error))
            return
        asked = {"tags": mine.tags, "notes": mine.notes, "seen": self._read.revision}
        work = partial(attempted, partial(annotate, self._workspace.store, self.name, **asked))
        self._errands.send(work, partial(self._saved, self._wait(saving=True), typed))

    def _saved(self, awaited: object, typed: tuple[str, str], done: Annotation | MiscopeError) -> None:
        """What became of it, if it was not closed meanwhile."""
        if isinstance(done, Annotation):
            self.on_saved()
        if not self._arrived(awaited):
            return
        if isinstance(done, ChangedMeanwhile):
            work = partial(attempted, partial(annotation_of, self._workspace.store, self.name))
            self._errands.send(work, partial(self._put_together, self._wait(saving=True)))
        elif isinstance(done, MiscopeError):
            self._say(str(done))
        elif typed == self._typed:
            self._close()
        else:
            # The rest was on its way from the browser when the fields were held.
            self._take(done)
            self._say("")

    def _put_together(self, awaited: object, theirs: Annotation | MiscopeError) -> None:
        if not self._arrived(awaited):
            return
        if isinstance(theirs, MiscopeError):
            self._say(str(theirs))
            return
        if (theirs.tags, theirs.notes) == (self._read.tags, self._read.notes):
            # Only a step was pinned meanwhile.
            self._take(theirs)
            self._save()
            return
        try:
            both = merged(self._read, _annotation(*self._typed), theirs)
        except BadValue as error:
            self._say(f"{_BOTH.partition('.')[0]}.\n{error}")
            return
        self._fill(both)
        self._take(theirs)
        self._say(_BOTH)

    def _close(self) -> None:
        self._awaited, self._saving = None, False
        self._hold(False)
        self.name, self.view.visible = "", False
        self.save.disabled = False
        self._fill(Annotation())

    def _say(self, text: str) -> None:
        self.said.object = "".join(f'<p class="problem" role="alert">{escape(line)}</p>' for line in text.splitlines())


def _annotation(tags: str, notes: str) -> Annotation:
    return Annotation(tags=_tags(tags), notes=notes)


def _tags(text: str) -> tuple[str, ...]:
    """The words between commas, each of them once."""
    return tuple(dict.fromkeys(word for part in text.split(",") if (word := part.strip())))


def _shown(notes: str) -> str:
    """As they are read: as high as a note of some lines, with a scroll of its own, which the keys reach."""
    return (
        f'<div role="region" aria-label="Notes as they are read" tabindex="0">{rendered(notes)}</div>' if notes else ""
    )
