"""The page that lists what is installed: packages, what each provides, and those that could not be loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from importlib.metadata import version
from typing import final

import panel as pn

from miscope.plugins.plugins import Broken, Plugins, Provider
from miscope_panel.page.client import sheet
from miscope_panel.page.page_record import FoundPages, PageContext
from miscope_panel.shown.one_of import lenses_of_one
from miscope_panel.shown.selection import Place

__all__ = ["InstalledPage", "written"]

_KINDS = {"family": "families", "analyzer": "analyzers", "view": "views", "executor": "executors", "lens": "lenses"}
_WITHOUT_RECORDS = {"miscope_commands": "commands", "miscope_panel_pages": "pages"}
"""Hooks by what they add; how much that is no table says."""
_OURS = "miscope-panel"


@final
class InstalledPage:
    """Families, analyzers, views and pages with who provides them; broken packages first."""

    def __init__(self, context: PageContext) -> None:
        server = context.server
        html = written(server.workspace.plugins, server.pages)
        self.view = pn.pane.HTML(html, sizing_mode="stretch_width", margin=0, stylesheets=[sheet("installed")])

    def follow(self, place: Place) -> None:
        """What is installed is the same wherever a visitor is."""


def written(plugins: Plugins, pages: FoundPages) -> str:
    """The page as HTML."""
    tables, provided_by = _offered(plugins)
    parts = [
        "<h2>Installed</h2>",
        "<p>Found by entry point when this server started; restart it after installing a package.</p>",
        *(_broken(broken) for broken in (*plugins.broken, *pages.broken)),
        "<h3>Packages</h3>",
        _packages(plugins.providers, provided_by),
    ]
    for kind, title in _KINDS.items():
        rows = [(name, _about(record), str(provided_by[kind, name])) for name, record in sorted(tables[kind].items())]
        if rows:
            parts += [f"<h3>{title.capitalize()} ({len(rows)})</h3>", _table(("name", "what it is", "from"), rows)]
    if pages.provided_by:
        rows = [(name, pages.pages[name].title, str(provider)) for name, provider in pages.provided_by.items()]
        parts += [f"<h3>Pages ({len(rows)})</h3>", _table(("name", "tab", "from"), rows)]
    return f'<div class="page">{"".join(parts)}</div>'


def _offered(plugins: Plugins) -> tuple[dict[str, Mapping[str, object]], dict[tuple[str, str], Provider]]:
    """All records by kind and name, and who offers each; among them the lenses that the dashboard makes of views."""
    made = {name: lens for name, lens in lenses_of_one(plugins.views).items() if name not in plugins.lenses}
    here = Provider(plugin="panel", package=_OURS, version=version(_OURS), hooks=())
    us = next((provider for provider in plugins.providers if provider.package == _OURS), here)
    tables = {
        "family": plugins.families,
        "analyzer": plugins.analyzers,
        "view": plugins.views,
        "executor": plugins.executors,
        "lens": {**plugins.lenses, **made},
    }
    return tables, {**plugins.provided_by, **{("lens", name): us for name in made}}


def _about(record: object) -> str:
    titles = (getattr(record, name, "") for name in ("title", "summary"))
    parts = [text for text in titles if text]
    return ". ".join(text.rstrip(".") for text in parts) or (type(record).__doc__ or "").strip().split("\n")[0].rstrip(
        "."
    )


def _packages(providers: Iterable[Provider], provided_by: Mapping[tuple[str, str], Provider]) -> str:
    rows = []
    for provider in providers:
        counts = {kind: sum(p == provider and k == kind for (k, _), p in provided_by.items()) for kind in _KINDS}
        offers = [f"{n} {kind if n == 1 else plural}" for kind, plural in _KINDS.items() if (n := counts[kind])]
        offers += [word for hook, word in _WITHOUT_RECORDS.items() if hook in provider.hooks]
        rows.append((provider.package, provider.version, ", ".join(offers) or "nothing"))
    return _table(("package", "version", "provides"), rows)


def _broken(broken: Broken) -> str:
    title = f"{broken.package}: {broken.record} was left out" if broken.record else f"{broken.package} is broken"
    return (
        f'<div class="broken"><b>{escape(title)}</b><p>{escape(str(broken))}</p>'
        f"<details><summary>Traceback</summary><pre>{escape(broken.trace)}</pre></details></div>"
    )


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{f'<code>{escape(c)}</code>' if i == 0 else escape(c)}</td>" for i, c in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
