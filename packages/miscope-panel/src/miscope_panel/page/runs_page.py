"""The home of the page: all variants in one table, to be found, ordered, grouped, opened and compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import final

import panel as pn

from miscope.failure import Failure, tried
from miscope.figures.first_views import compared_views
from miscope.tabulating.asked import Order, TableAsked
from miscope_panel.page.annotation_editor import AnnotationEditor
from miscope_panel.page.client import sheet
from miscope_panel.page.live_rows import LiveRows, in_their_places
from miscope_panel.page.opening import moved_on
from miscope_panel.page.page_record import PageContext, ServerContext
from miscope_panel.page.parallel_drawer import ParallelDrawer
from miscope_panel.page.push_button import PushButton
from miscope_panel.page.rows_ahead import RowsAhead
from miscope_panel.page.runs_controls import RunsControls, grouped_by
from miscope_panel.page.runs_keys import RunsKeys
from miscope_panel.page.saved_views_bar import SavedViewsBar
from miscope_panel.page.selected_actions import SelectedActions
from miscope_panel.page.tab_memory import TabMemory
from miscope_panel.page.table_curves import TableCurves
from miscope_panel.page.variant_actions import VariantActions
from miscope_panel.page.variant_grid import PAGE_ROWS, VariantGrid
from miscope_panel.shown.comparing.comparison import MOST
from miscope_panel.shown.selection import Place
from miscope_panel.shown.table_cells import places_of
from miscope_panel.shown.table_told import line, relaxing_told, told, unread
from miscope_panel.shown.unfolding import LaidTable, Unfolded, laid
from miscope_panel.shown.variants_table import TableAnswer, answer, curve_shown

__all__ = ["RunsPage"]

_PARALLEL, _ON, _BOUNDS, _UNFOLDED = "parallel", "on", "bounds", "unfolded"
"""What an address says: 'runs:parallel=on&runs:bounds=seed:1..&runs:unfolded=113,59'."""


@final
class RunsPage:
    """Follows the selection while it is looked at, and moves it."""

    def __init__(self, context: PageContext) -> None:
        self._workspace, self._selection, self._errands = context.server.workspace, context.selection, context.errands
        workspace, errands, actions = self._workspace, self._errands, _actions(context.server)
        self._asked: TableAsked | None = None
        """What was asked last; None while another page is looked at."""
        self._found: TableAnswer | None = None
        self._serial = self._answered = 0
        """Of the last question, and of the last that was answered: what was read before one is no answer to it."""
        self._unfolded = Unfolded()
        self._laid = LaidTable()
        """The rows that are there."""
        self._late = False
        """Whether runs went on while a question was answered."""
        self.views = SavedViewsBar(workspace, errands, writable=actions is not None)
        self.controls, self.grid = RunsControls(*self.views.parts), VariantGrid()
        self.parallel, self.keys = ParallelDrawer(), RunsKeys(width=0, height=0, margin=0)
        self.ahead = RowsAhead(errands)
        self.curves = TableCurves(workspace, errands, self.grid)
        self.selected = SelectedActions(workspace, errands, actions)
        self.editor = AnnotationEditor(workspace, errands, writable=actions is not None)
        self.clear = PushButton(label="Show all", visible=False, margin=0, css_classes=["runs-all"])
        self.relax = PushButton(label="", visible=False, margin=0)
        self.refresh = PushButton(label="Refresh", margin=0)
        self.unfold = PushButton(label="Unfold all", visible=False, margin=0)
        self.said = pn.pane.HTML("", margin=0, stylesheets=[sheet("runs_said")])
        bar = pn.FlexBox(
            self.refresh, self.unfold, self.said, self.relax, self.clear, *self.selected.parts, gap="8px",
            margin=0, align_items="center", sizing_mode="stretch_width", stylesheets=[sheet("runs_bar")],
        )  # fmt: skip
        self.view = pn.Column(
            self.keys, self.ahead.view, self.controls.bar, bar, self.editor.view, self.grid.view, self.parallel.view,
            sizing_mode="stretch_width", margin=0,
        )  # fmt: skip
        self.live = LiveRows(context, self._read_on)
        self._listen()
        self._remember(context.memory)

    def _remember(self, memory: TabMemory) -> None:
        """Of what no address holds: which rows are selected, and over what notes somebody writes."""
        self._memory = memory
        self.editor.on_opened = partial(memory.keep, "runs.editor")
        memory.on_back("runs.editor", self.editor.reopen)
        memory.on_back("runs.selected", lambda text: self.grid.choose(text.split("\n")))

    def _listen(self) -> None:
        self.controls.on_ask = self.views.on_ask = self._ask
        self.grid.on_order, self.grid.on_fold = self._reorder, self._fold
        self.grid.on_select, self.grid.on_open = self._select, self._open
        self.parallel.on_bound, self.parallel.on_hold = self._bound, partial(self._turn, _BOUNDS)
        self.parallel.on_turn = lambda there: self._turn(_PARALLEL, _ON if there else "")
        self.keys.on_find, self.keys.on_open = self.controls.find.focus, self.grid.open
        self.keys.on_fold = lambda row, unfolded: self.grid.fold(row, unfolded=unfolded)
        self.keys.on_compare = self._compare_selected
        self.keys.param.watch(lambda event: self.follow(self._selection.place), "in_sight")
        self.selected.on_open, self.selected.on_compare = self._open, self._compare
        self.selected.on_annotate, self.editor.on_saved = self.editor.open, self.look_again
        self.selected.on_changed = self._take_leave
        self.clear.on_click(lambda event: self._ask(replace(self._selection.place.table, text="", where="")))
        self.relax.on_click(lambda event: self._leave_out())
        self.refresh.on_click(lambda event: self.look_again())
        self.unfold.on_click(lambda event: self._fold_all())

    def follow(self, place: Place) -> None:
        """Show what is asked of the table, read anew whenever a visitor comes back to it."""
        self.keys.active = place.page == "runs"
        self.live.look(looked_at=place.page == "runs" and self.keys.in_sight)
        turned = place.controls_of("runs")
        self.parallel.follow(turned.get(_PARALLEL) == _ON, turned.get(_BOUNDS, ""))
        before, self._unfolded = self._unfolded, Unfolded.read(turned.get(_UNFOLDED, ""))
        asked = _asked_at(place)
        if place.page != "runs":
            self._asked = None
        elif asked != self._asked:
            self._send(asked, None if self._asked is None else self._found)
        elif self._unfolded != before and self._found is not None:
            self._lay_anew(asked, self._found)

    def _take_leave(self, gone: Collection[str]) -> None:
        """Look at no variant any more that was deleted here."""
        self._selection.place = moved_on(self._selection.place, gone)
        self.look_again()

    def look_again(self) -> None:
        """Take up what was trained, computed and noted since."""
        if self._asked is not None:
            self._send(self._asked, None)

    def _send(self, asked: TableAsked, before: TableAnswer | None) -> None:
        earlier, self._asked = self._asked, asked
        self.views.follow(self._selection.place.table)
        if before is None:
            self.views.read()
        if self._found is None or (self._found.problem and asked != earlier):
            self.said.object = line("Reading the variants …")
        self._serial += 1
        work = partial(tried, partial(answer, self._workspace, asked, before))
        self._errands.send(work, partial(self._show, asked, self._serial, before is None))

    def _show(self, asked: TableAsked, serial: int, anew: bool, found: TableAnswer | Failure) -> None:
        if serial != self._serial:
            return
        self._answered = serial
        if asked == self._asked:
            self._take(asked, anew, unread(found) if isinstance(found, Failure) else found)
        if self._late:
            self._late = False
            self._read_on()

    def _take(self, asked: TableAsked, anew: bool, found: TableAnswer) -> None:
        # Of what could not be read nothing is kept: the next question reads it anew.
        self._found = found if found.whole else None
        if (group := grouped_by(asked, found)) != asked.group:
            self._ask(replace(self._selection.place.table, group=group))
            return
        self._tell(asked, found)
        self._suggest(asked, found)
        self.curves.take_up(curve_shown(asked, found.numbers), anew=anew)
        rows = laid(found, asked, self._unfolded)
        self.curves.prepare(rows.shown.rows, partial(self._lay, asked, found, rows))

    def _tell(self, asked: TableAsked, found: TableAnswer) -> None:
        """What is asked for, and what was found; the step of the cursor is not asked for."""
        self.controls.follow(self._selection.place.table, found)
        self.said.object = told(self._workspace, asked, found)
        # What is wrong takes a few lines: below the buttons, which stay where they are.
        order, width = ("1", "100%") if found.problem else ("0", "auto")
        self.said.styles = {"order": order, "flex-basis": width}
        self.unfold.visible = found.shown.in_groups

    def _lay(self, asked: TableAsked, found: TableAnswer, rows: LaidTable, page: int = 1) -> None:
        """Put the rows there, with their curves."""
        if asked == self._asked:
            self._laid = rows
            self.grid.show(rows, asked.order, self.curves.name, self.curves.known, page)
            self.ahead.settle(asked, found)
            self.parallel.show(found)
            self.unfold.label = "Fold all" if _all_unfolded(rows) else "Unfold all"

    def _lay_anew(self, asked: TableAsked, found: TableAnswer) -> None:
        """Groups were folded or unfolded: the page of the table that is looked at stays."""
        rows, page = laid(found, asked, self._unfolded, self._laid), self.grid.widget.page
        here = rows.shown.page(page, PAGE_ROWS)
        self.curves.prepare(here, partial(self._lay, asked, found, rows, page))

    def _read_on(self) -> None:
        """Read what is shown as it is by now, because runs went on."""
        if self._answered != self._serial:
            self._late = True
            return
        if self._asked is None or self._found is None:
            self.live.done()
            return
        work = partial(tried, partial(answer, self._workspace, self._asked))
        self._errands.send(work, partial(self._renew, self._asked, self._serial))

    def _renew(self, asked: TableAsked, serial: int, found: TableAnswer | Failure) -> None:
        """Have each row say what it does by now, where it stands."""
        before = self._found
        overtaken = serial != self._serial or asked != self._asked
        if overtaken or before is None or isinstance(found, Failure) or not found.whole:
            self.live.done()
            return
        self._found = found = replace(found, shown=in_their_places(before.shown, found.shown))
        self.ahead.forget()
        rows = {row.variants: row for row in before.shown.rows}
        gone_on = (row for row in found.shown.rows if row != rows.get(row.variants))
        self.curves.forget(name for row in gone_on for name in row.variants)
        self.curves.prepare([*self.grid.on_this_page().values()], partial(self._renewed, asked, found))

    def _renewed(self, asked: TableAsked, found: TableAnswer) -> None:
        if asked == self._asked and found is self._found:
            rows = laid(found, asked, self._unfolded, self._laid)
            if self.grid.renew(rows, self.curves.name):
                self._laid = rows
                self.curves.draw()
                self.parallel.show(found)
            else:
                self._tell(asked, found)
                self._lay(asked, found, rows, self.grid.widget.page)
        self.live.done()

    def _suggest(self, asked: TableAsked, found: TableAnswer) -> None:
        """Offer what would find something, where nothing is found."""
        self.clear.visible = asked.narrows and not found.shown.rows
        self.relax.visible = found.instead is not None
        self.relax.label = relaxing_told(found)

    def _leave_out(self) -> None:
        if self._found is not None and self._found.instead is not None:
            self._ask(self._found.instead.asked)

    def _ask(self, asked: TableAsked) -> None:
        place = self._selection.place
        if asked.group != place.table.group:
            place = place.turn("runs", _UNFOLDED, None)
        self._selection.place = replace(place, table=asked)

    def _fold(self, group: str) -> None:
        self._turn(_UNFOLDED, str(self._unfolded.turn(group)))

    def _fold_all(self) -> None:
        self._turn(_UNFOLDED, str(Unfolded(all_but=not _all_unfolded(self._laid))))

    def _bound(self, places: Sequence[int]) -> None:
        """Select what crosses the axes within their bounds: of the groups where there are some."""
        rows = () if self._found is None else self._found.shown.rows
        self.grid.choose([name for place in places if place < len(rows) for name in rows[place].variants])

    def _reorder(self, order: tuple[Order, ...]) -> None:
        self._ask(replace(self._selection.place.table, order=order))

    def _select(self, names: tuple[str, ...]) -> None:
        self._memory.keep("runs.selected", "\n".join(names))
        self.selected.offer(names)
        self.parallel.mark(() if self._found is None else places_of(self._found.shown.rows, names))

    def _turn(self, control: str, value: str) -> None:
        self._selection.place = self._selection.place.turn("runs", control, value or None)

    def _compare_selected(self) -> None:
        if len(self.grid.selected) > 1:
            self._compare(self.grid.selected)

    def _open(self, name: str) -> None:
        self._selection.move(page="views", variant=name, compared=(), step=None)

    def _compare(self, names: tuple[str, ...]) -> None:
        first, *others = names
        if len(names) <= MOST:
            self._selection.move(page="compare", variant=first, compared=tuple(others), step=None)
            return
        # More than there are colours for: the views that are made for many.
        views = compared_views(self._workspace.plugins.views)
        self._selection.move(page="views", variant=first, compared=tuple(others), step=None, views=views, lens="")


def _asked_at(place: Place) -> TableAsked:
    """What is asked, of the step of the cursor where numbers at a step are chosen and it is of no other."""
    asked = place.table
    chosen = (*asked.columns, *(one.column for one in asked.order), asked.where, asked.text)
    if asked.at is not None or not any(".at" in words for words in chosen):
        return asked
    return replace(asked, at=place.step)


def _all_unfolded(rows: LaidTable) -> bool:
    return all(group.unfolded for group in rows.groups.values())


def _actions(server: ServerContext) -> VariantActions | None:
    if server.read_only:
        return None
    return VariantActions(workspace=server.workspace, queue=server.queue, summon=server.summon)
