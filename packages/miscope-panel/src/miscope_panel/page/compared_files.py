"""Files of what is compared: one picture that was put together, or a report on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, final

from miscope.figures.export import SUFFIXES
from miscope_panel.page.file_work import Task
from miscope_panel.page.making import Making
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.reports import SUFFIXES as REPORTS
from miscope_panel.shown.comparing.compared_files import compared_file, compared_report
from miscope_panel.shown.comparing.compared_request import ComparedRequest

__all__ = ["ComparedFiles"]


@final
class ComparedFiles:
    """Has them made of the pictures as they are when they are asked for."""

    def __init__(self, context: PageContext, shown: Callable[[], Sequence[ComparedRequest]]) -> None:
        self._workspace, self._shown = context.server.workspace, shown
        self._making = Making(context, of="compare")
        self.view = self._making.view
        self.view.on_message = self._hear

    def file(self, request: ComparedRequest, place: int, message: dict[str, Any]) -> None:
        """Have one of the pictures written: which of them the place says, and the message as what."""
        match message:
            case {"suffix": str(suffix), **rest} if suffix in SUFFIXES:
                preset = str(rest.get("preset") or "") or None
                name = f"{len(request.members)}-variants.{request.view}.{request.mode}.{suffix}"
                work = partial(compared_file, self._workspace, request, place, preset)
                self._making.begin(Task(what="The file", name=name, work=work, saved=True))

    def _hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"kind": "report", "suffix": str(suffix)} if suffix in REPORTS:
                if shown := self._shown():
                    name = f"{len(shown[0].members)}-variants.report.{suffix}"
                    work = partial(compared_report, self._workspace, shown)
                    self._making.begin(Task(what="The report", name=name, work=work))
            case {"kind": "find", "key": str(key)}:
                self._making.find(key)
            case {"kind": "leave"}:
                self._making.leave()
