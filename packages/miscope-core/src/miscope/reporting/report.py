"""A report as one file: a page, Markdown, a print, or a notebook. The file asks the network for nothing."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import assert_never

from miscope.errors import BadValue
from miscope.figures.figure_style import CONFIG
from miscope.reporting.chosen_views import Asked
from miscope.reporting.composing import Draft, composed
from miscope.reporting.content import Report
from miscope.reporting.notebook import notebook
from miscope.reporting.printing import printed
from miscope.reporting.showing import Picture
from miscope.reporting.templating import filled
from miscope.store.atomic import check_place, write_whole
from miscope.variant import Variant
from miscope.workspace import Workspace, plain_variants

__all__ = ["Kind", "kind_of", "report"]


class Kind(enum.StrEnum):
    """What file a report is written as; also its suffix."""

    HTML = "html"
    MARKDOWN = "md"
    PDF = "pdf"
    NOTEBOOK = "ipynb"


def report(  # noqa: PLR0913 - a reader's choices, keyword-only past what is reported where
    workspace: Workspace,
    variants: Variant | Sequence[Variant],
    path: str | Path,
    *,
    to: Kind | str | None = None,
    views: Asked = (),
    static: bool | None = None,
    title: str = "",
) -> Iterator[Draft]:
    """Write what is known of the variants to the path; says how far it is, and at the end what the report holds.

    Nothing is computed: what was not is named, with the command that computes it. to: None goes by the suffix of the
    path. views: names or shell patterns, a lens, or figures one by one (AskedFigure); () for those whose records ask
    for a place in reports. static: with pictures in place of figures that can be zoomed; None for the format's own
    choice: figures in HTML, else pictures. Raises UnknownName for views, BadValue for a format and for figures where
    there can be none, NoBrowser where pictures cannot be drawn, BrokenTemplate, and before anything is drawn
    CannotWrite. The file appears whole, at the end, or not at all.
    """
    several, path = plain_variants(workspace, variants), Path(path)
    kind = kind_of(path, to)
    picture = _picture(kind, static)
    check_place(path)
    whole, total = None, 1
    for draft in composed(workspace, several, views=views, title=title, picture=picture):
        whole, total = draft.report, draft.total
        yield draft
    assert whole is not None
    content = _content(workspace, whole, kind, path)
    write_whole(path, lambda file: file.write(content))
    yield Draft(done=total, total=total, report=whole)


def kind_of(path: Path, to: Kind | str | None) -> Kind:
    """The format that is named, else that of the suffix."""
    asked = str(to) if to is not None else path.suffix.removeprefix(".").lower()
    if asked in tuple(Kind):
        return Kind(asked)
    raise BadValue(
        f"A report cannot be written as {asked!r}." if asked else f"{path.name!r} does not say what to write.",
        f"The formats are {', '.join(Kind)}; the suffix of the file names one, or --to does.",
        f"Try {path.stem or 'report'}.html.",
    )


def _picture(kind: Kind, static: bool | None) -> Picture | None:
    match kind:
        case Kind.HTML:
            return "svg" if static else None
        case Kind.NOTEBOOK:
            return "png" if static is not False else None
        case Kind.MARKDOWN | Kind.PDF:
            if static is False:
                raise BadValue(
                    f"In {kind} there are no figures that can be zoomed.",
                    "Only html and ipynb hold them.",
                    "Leave --interactive out, or write html.",
                )
            return "svg" if kind is Kind.PDF else "png"
        case _:
            assert_never(kind)


def _content(workspace: Workspace, whole: Report, kind: Kind, path: Path) -> bytes:
    match kind:
        case Kind.HTML:
            return filled(workspace, "report.html.j2", whole, config=dict(CONFIG)).encode()
        case Kind.MARKDOWN:
            return filled(workspace, "report.md.j2", whole, notebook=False).encode()
        case Kind.PDF:
            return printed(filled(workspace, "report.html.j2", whole, config=dict(CONFIG)), path)
        case Kind.NOTEBOOK:
            return notebook(workspace, whole, path)
        case _:
            assert_never(kind)
