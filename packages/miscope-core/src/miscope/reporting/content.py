"""A report before it is a document: tables, sentences and figures as plain values, which templates read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.field_docs import documented

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["ABREAST", "Finding", "Findings", "Missing", "Report", "ShownView", "Table"]

ABREAST = 5
"""Columns of numbers that stand beside each other on a page."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text under a head; the first column names the row."""

    title: str = ""
    """What stands above it; "": nothing."""
    columns: tuple[str, ...]
    """The head, one text a column."""
    rows: tuple[tuple[str, ...], ...]
    """As many texts in each as there are columns."""
    note: str = ""
    """What stands below it: how its numbers were made."""

    def abreast(self) -> tuple[Table, ...]:
        """Tables of at most ABREAST columns beside the first, which is in each."""
        pieces = range(1, max(2, len(self.columns)), ABREAST)
        return tuple(
            Table(
                title=self.title if start == 1 else "",
                columns=(self.columns[0], *self.columns[start : start + ABREAST]),
                rows=tuple((row[0], *row[start : start + ABREAST]) for row in self.rows),
                note=self.note if start + ABREAST >= len(self.columns) else "",
            )
            for start in pieces
        )


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Finding:
    """A sentence, and the artifact that it is drawn from."""

    text: str
    """The sentence with its numbers."""
    artifact: str
    """'events.grokking version 3, whole training, recipe 0123...; probe grid@...'."""
    value: float | None = None
    """The number it is about."""
    interval: tuple[float, float] | None = None
    """Of that number."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Findings:
    """What instruments say of one variant, or of several together."""

    of: str
    """The variant's label; 'All together'."""
    found: tuple[Finding, ...]
    """In the order of the instruments' names."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Missing:
    """Something a report could have had."""

    name: str
    """Of the view or the analyzer."""
    of: str
    """The variant's label; "" of all."""
    reason: str
    """A clause."""
    command: str = ""
    """What computes it; "" where nothing does."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class ShownView:
    """A figure in its place."""

    number: int
    """From 1, over the whole report."""
    view: str
    """Name of the view."""
    title: str
    """Of the view."""
    of: str
    """The variant's label; "" of all."""
    summary: str
    """What it shows: the first sentence of its documentation."""
    python: str
    """Lines that draw it, of a workspace called `workspace`; the last is the view."""
    command: str
    """The line that writes it to a file; of figures put together the one of Python that draws it."""
    figure: Figure
    """The figure itself."""
    image: str = ""
    """As a data address, where the report has pictures: 'data:image/png;base64,...'."""

    @property
    def caption(self) -> str:
        """'Figure 3. Loss (seed=1)'."""
        return f"Figure {self.number}. {self.title}" + (f" ({self.of})" if self.of else "")


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """Everything a template is given, under these names."""

    title: str
    """One line."""
    lead: str
    """A sentence or two: of what, when and by which version it was written."""
    summary: Table
    """What each variant is and what became of it."""
    differing: Table | None
    """Settings that are not the same in all; None for one variant."""
    events: Table
    """When it happened, with intervals."""
    agreement: tuple[Table, ...]
    """Over seeds: mean, interval and count."""
    findings: tuple[Findings, ...]
    """What instruments say."""
    views: tuple[ShownView, ...]
    """The figures."""
    missing: tuple[Missing, ...]
    """What there is not, and what would compute it."""
    settings: Table
    """Every parameter and training setting."""
    provenance: Table
    """Origin, digests, library versions."""
    commands: tuple[str, ...]
    """Lines that do it again."""
