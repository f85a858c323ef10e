"""`miscope plugins`, `families`, `analyzers`, `views`, `executors`: what is installed, by whom, what is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.options import JsonOption
from miscope.cli.printing import note, print_json, print_table
from miscope.cli.records import describe_analyzer, describe_family, describe_view, print_record

if TYPE_CHECKING:
    from miscope.plugins import Plugins

__all__ = ["add_to"]

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="One of them, in full.", show_default=False)]


def add_to(cli: typer.Typer) -> None:
    """The listing commands."""
    for command in (plugins, families, analyzers, views, executors):
        cli.command(rich_help_panel="Installed")(command)


def plugins(as_json: JsonOption = False) -> None:
    """List installed plug-ins, what each provides, and those that could not be loaded."""
    found = _installed(quiet=True)
    rows = [
        {
            "plugin": p.plugin,
            "package": p.package,
            "version": p.version,
            "hooks": list(p.hooks),
            "provides": {
                kind: sorted(name for (k, name), provider in found.provided_by.items() if provider == p and k == kind)
                for kind in ("family", "analyzer", "view", "executor")
            },
        }
        for p in found.providers
    ]
    broken = [
        {"plugin": b.plugin, "package": b.package, "version": b.version, "reason": b.reason, "trace": b.trace}
        for b in found.broken
    ]
    if as_json:
        print_json({"plugins": rows, "broken": broken})
        return
    print_table(
        ("plug-in", "package", "version", "families", "analyzers", "views", "executors", "hooks"),
        [
            (
                r["plugin"],
                r["package"],
                r["version"],
                *(len(names) for names in r["provides"].values()),
                _short(r["hooks"]),
            )
            for r in rows
        ],
    )
    for b in found.broken:
        print(f"\nBroken: {b}")


def families(name: Name = None, as_json: JsonOption = False) -> None:
    """List the kinds of model that can be built and trained; with a NAME, its parameters and default training."""
    found = _installed(quiet=as_json)
    if name is not None:
        print_record(describe_family(found, found.family(name)), as_json=as_json)
        return
    records = [describe_family(found, family) for _, family in sorted(found.families.items())]
    if as_json:
        print_json(records)
        return
    print_table(
        ("family", "title", "parameters", "package"),
        [
            (r["name"], r["title"], " ".join(f"{p['name']}={p['default']}" for p in r["params"]), r["package"])
            for r in records
        ],
    )


def analyzers(name: Name = None, as_json: JsonOption = False) -> None:
    """List the instruments; with a NAME, what it needs, its options and its outputs."""
    found = _installed(quiet=as_json)
    if name is not None:
        print_record(describe_analyzer(found, found.analyzer(name)), as_json=as_json)
        return
    records = [describe_analyzer(found, analyzer) for _, analyzer in sorted(found.analyzers.items())]
    if as_json:
        print_json(records)
        return
    print_table(
        ("analyzer", "grain", "what it computes", "package"),
        [(r["name"], r["grain"], r["summary"], r["package"]) for r in records],
    )


def views(name: Name = None, as_json: JsonOption = False) -> None:
    """List the figures; with a NAME, what it reads and what can be turned."""
    found = _installed(quiet=as_json)
    if name is not None:
        print_record(describe_view(found, found.view(name)), as_json=as_json)
        return
    records = [describe_view(found, view) for _, view in sorted(found.views.items())]
    if as_json:
        print_json(records)
        return
    print_table(
        ("view", "grain", "title", "reads", "package"),
        [(r["name"], r["grain"], r["title"], " ".join(r["reads"]), r["package"]) for r in records],
    )


def executors(as_json: JsonOption = False) -> None:
    """List the places where analysis can run."""
    found = _installed(quiet=as_json)
    rows = [(name, found.provided_by["executor", name].package) for name in sorted(found.executors)]
    if as_json:
        print_json([{"name": name, "package": package} for name, package in rows])
        return
    print_table(("executor", "package"), rows)


def _installed(*, quiet: bool) -> Plugins:
    from miscope.plugins import Plugins

    found = Plugins.installed()
    if not quiet:
        for broken in found.broken:
            note(str(broken))
    return found


def _short(hooks: list[str]) -> str:
    return " ".join(hook.removeprefix("miscope_") for hook in hooks)
