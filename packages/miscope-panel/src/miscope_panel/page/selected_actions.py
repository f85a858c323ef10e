"""What is done with the variants that are selected in the table: buttons, and what became of what they asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from html import escape
from typing import Any, final

import panel as pn

from miscope.commands import in_workspace
from miscope.errors import MiscopeError
from miscope.field_text import shortened
from miscope.runs.deleting import Deletion
from miscope.runs.queued_run import QueuedRun
from miscope.workspace import Workspace
from miscope_panel.page.client import sheet
from miscope_panel.page.errands import Errands, attempted
from miscope_panel.page.push_button import PushButton
from miscope_panel.page.selected_files import SelectedFiles
from miscope_panel.page.variant_actions import VariantActions

__all__ = ["SelectedActions"]


@final
class SelectedActions:
    """Follows what is selected. What would change the workspace is there only where there are actions."""

    def __init__(self, workspace: Workspace, errands: Errands, actions: VariantActions | None) -> None:
        self._workspace, self._errands, self._actions = workspace, errands, actions
        self._names: tuple[str, ...] = ()
        self._deleted: tuple[str, ...] = ()
        """What was deleted last and can be brought back here."""
        self.on_open: Callable[[str], None] = lambda name: None
        self.on_compare: Callable[[tuple[str, ...]], None] = lambda names: None
        self.on_annotate: Callable[[str], None] = lambda name: None
        self.on_changed: Callable[[Collection[str]], None] = lambda gone: None
        self.open, self.compare, self.annotate = map(_button, ("Open", "Compare", "Tags and notes"))
        self.files = SelectedFiles(margin=0)
        self.analyze, self.delete, self.undo = map(_button, ("Analyze what is missing", "Delete", "Undo"))
        self.said = pn.pane.HTML("", margin=0, stylesheets=[sheet("runs_said")])
        self.analyze.visible = self.delete.visible = actions is not None
        self.undo.visible, self.undo.disabled = False, False
        self.parts: tuple[Any, ...] = (
            self.open, self.compare, self.annotate, self.analyze, self.files, self.delete, self.said, self.undo,
        )  # fmt: skip
        self._listen()

    def _listen(self) -> None:
        self.open.on_click(lambda event: self.on_open(self._names[0]))
        self.compare.on_click(lambda event: self.on_compare(self._names))
        self.annotate.on_click(lambda event: self.on_annotate(self._names[0]))
        self.analyze.on_click(lambda event: self._analyze())
        self.delete.on_click(lambda event: self._delete())
        self.undo.on_click(lambda event: self._undo())

    def offer(self, names: tuple[str, ...]) -> None:
        """These are selected."""
        self._names = names
        self.open.disabled = self.annotate.disabled = len(names) != 1
        self.compare.disabled = len(names) < 2
        self.analyze.disabled = self.delete.disabled = not names
        self.compare.label = _counted("Compare", names)
        self.delete.label = _counted("Delete", names)
        self.files.names = [*names]

    def _analyze(self) -> None:
        if self._actions is not None and self._names:
            work = partial(attempted, partial(self._actions.analyze_missing, self._names))
            self._errands.send(work, self._asked_for)

    def _asked_for(self, run: QueuedRun | MiscopeError) -> None:
        if isinstance(run, MiscopeError):
            self._say(str(run), problem=True)
            return
        follow = in_workspace(self._workspace.root, f"miscope runs watch {run.id}")
        self._say(f"Run {run.id} computes what is missing of {run.what}.  To follow it:  {follow}")

    def _delete(self) -> None:
        if self._actions is not None and self._names:
            self._errands.send(partial(attempted, partial(self._actions.delete, self._names)), self._gone)

    def _gone(self, done: Sequence[Deletion] | MiscopeError) -> None:
        if isinstance(done, MiscopeError):
            self._say(str(done), problem=True)
            return
        gone = tuple(each.name for each in done if each.deleted is not None)
        refused = [each.refused for each in done if each.refused]
        if gone:
            self._deleted = gone
        self.undo.visible = bool(self._deleted)
        self._say(*refused, problem=True)
        if gone:
            self._add(f"In the trash: {shortened(gone)}.")
            self.on_changed(gone)
            # The button that was pressed can be pressed no longer: whoever uses keys goes on from here.
            self.undo.focus()

    def _undo(self) -> None:
        if self._actions is not None and self._deleted:
            # What others are built on goes back before them.
            names, self._deleted = self._deleted[::-1], ()
            self.undo.visible = False
            self._errands.send(partial(attempted, partial(self._actions.bring_back, names)), partial(self._back, names))

    def _back(self, names: Sequence[str], refused: Sequence[str] | MiscopeError) -> None:
        problems = [str(refused)] if isinstance(refused, MiscopeError) else refused
        self._say(*problems, problem=True)
        if len(problems) < len(names):
            self._add(f"{len(names) - len(problems)} of {len(names)} back." if problems else "Back.")
        self.on_changed(())

    def _say(self, *texts: str, problem: bool = False) -> None:
        self.said.object = "".join(_line(line, problem) for text in texts for line in text.splitlines())

    def _add(self, text: str) -> None:
        self.said.object += _line(text, problem=False)


def _button(label: str) -> PushButton:
    return PushButton(label=label, disabled=True, margin=0)


def _counted(word: str, names: Sequence[str]) -> str:
    return f"{word} {len(names)}" if len(names) > 1 else word


def _line(text: str, problem: bool) -> str:
    kind, role = ("problem", "alert") if problem else ("told", "status")
    return f'<p class="{kind}" role="{role}">{escape(text)}</p>'
