"""`miscope catalogue`: every installed family, analyzer and view as one Markdown page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

import typer

from miscope.cli.out_file import check_out, write_out
from miscope.cli.records import describe_analyzer, describe_family, describe_view

if TYPE_CHECKING:
    from miscope.plugins.plugins import Plugins

__all__ = ["Examples", "add_to", "catalogue_page"]


@final
@dataclass(frozen=True, kw_only=True)
class Examples:
    """What stands beside the records: a picture of each view, and which families it draws."""

    folder: str = "examples"
    """Of the pictures, as the page links to it."""
    pictures: frozenset[str] = frozenset()
    """Views that have one, VIEW.png."""
    coverage: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Family -> view -> '' where it draws a figure, else why not."""

    @classmethod
    def of_folder(cls, folder: Path) -> Examples:
        """Those in a folder: its png files, and coverage.json."""
        recorded = folder / "coverage.json"
        return cls(
            folder=folder.name,
            pictures=frozenset(path.stem for path in folder.glob("*.png")),
            coverage=json.loads(recorded.read_text(encoding="utf-8")) if recorded.exists() else {},
        )


def add_to(cli: typer.Typer) -> None:
    """The command `catalogue`."""
    cli.command(rich_help_panel="Installed")(catalogue)


def catalogue(
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of printing.")] = None,
    examples: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="A folder beside that file with VIEW.png pictures and coverage.json."
        ),
    ] = None,
) -> None:
    """Write the catalogue of everything installed, as Markdown."""
    from miscope.plugins.plugins import Plugins

    check_out(out)
    page = catalogue_page(Plugins.installed(), Examples.of_folder(examples) if examples else Examples())
    if out is None:
        print(page, end="")
    else:
        write_out(out, page.encode())
        print(out)


def catalogue_page(plugins: Plugins, examples: Examples | None = None) -> str:
    """The page, from the records and what stands beside them; the same give the same text."""
    families = [describe_family(plugins, family) for _, family in sorted(plugins.families.items())]
    analyzers = [describe_analyzer(plugins, analyzer) for _, analyzer in sorted(plugins.analyzers.items())]
    views = [describe_view(plugins, view) for _, view in sorted(plugins.views.items())]
    parts = [
        "# Catalogue",
        "Written by `miscope catalogue` from the installed records; `make docs` writes it anew.",
        "## Families",
        *(_family(record) for record in families),
        "## Analyzers",
        *(_analyzer(record) for record in analyzers),
        "## Views",
        *(_view(record, plugins, examples or Examples()) for record in views),
    ]
    return "\n\n".join(parts) + "\n"


def _family(record: Mapping[str, Any]) -> str:
    return _joined(
        f"### `{record['name']}`",
        f"{record['title']}. From {record['package']}.",
        _table(("parameter", "what it is", "type", "default", "bounds"), _chosen(record["params"])),
    )


def _analyzer(record: Mapping[str, Any]) -> str:
    outputs = [(f"`{name}`", _cell(what)) for name, what in record["outputs"].items()]
    return _joined(
        f"### `{record['name']}`",
        f"*{record['question']}*" if record["question"] else "",
        f"{record['summary']}",
        # `A[h](x)` would be a link to x.
        f"Formula: `{record['formula'].replace('](', '] (')}`" if record["formula"] else "",
        f"Source: {record['source']}." if record["source"] else "",
        f"Grain: {record['grain']}. Version {record['version']}, from {record['package']}."
        + _needs(record["needs"])
        + (" Takes long: computed when asked for by name." if record["opt_in"] else "")
        + (f" Changes under {', '.join(record['not_invariant_to'])}." if record["not_invariant_to"] else "")
        + (f" Views: {_codes(record['views'])}." if record["views"] else ""),
        _table(("output", "what it is"), outputs),
        _table(("option", "what it is", "type", "default", "bounds"), _chosen(record["options"])),
    )


def _chosen(fields: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(f"`{f['name']}`", _cell(f["help"]), f["type"], f"`{f['default']}`", _cell(f["bounds"])) for f in fields]


def _view(record: Mapping[str, Any], plugins: Plugins, examples: Examples) -> str:
    name = record["name"]
    controls = [(f"`{c['name']}`", c["kind"], _cell(c["values"]), f"`{c['default']}`") for c in record["controls"]]
    return _joined(
        f"### `{name}`",
        f"**{record['title']}.** {record['summary']}",
        _asked(record, plugins),
        f"![{record['title']}]({examples.folder}/{name}.png)" if name in examples.pictures else "",
        f"Grain: {record['grain']}. From {record['package']}." + _needs(record["needs"]),
        _drawn_for(name, examples.coverage),
        _table(("control", "kind", "values", "default"), controls),
    )


def _asked(record: Mapping[str, Any], plugins: Plugins) -> str:
    """The questions of the instruments it shows, each with a link to its formula and source."""
    asked = [
        f"*{plugins.analyzers[name].question}* ([{name}](#{name.replace('.', '')}))"
        for name in record["reads"]
        if name in plugins.analyzers and plugins.analyzers[name].question
    ]
    return " ".join(asked)


def _drawn_for(view: str, coverage: Mapping[str, Mapping[str, str]]) -> str:
    """Which families it draws; of the others, why not."""
    known = {family: reasons_by_view[view] for family, reasons_by_view in coverage.items() if view in reasons_by_view}
    if not known:
        return ""
    drawn = [family for family, reason in known.items() if not reason]
    reasons: dict[str, list[str]] = {}
    for family, reason in known.items():
        if reason:
            reasons.setdefault(reason, []).append(family)
    without = "".join(f" Not {_codes(families)}: {reason}." for reason, families in reasons.items())
    return (f"Draws {_codes(drawn)}." if drawn else "") + without


def _needs(needs: Mapping[str, Any]) -> str:
    words = [f"{name} {_codes(value) if isinstance(value, list) else value}" for name, value in needs.items()]
    return f" Needs {'; '.join(words)}." if words else ""


def _codes(names: Iterable[object]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|")


def _table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    if not rows:
        return ""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
