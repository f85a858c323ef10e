"""`miscope plugins`, `families`, `analyzers`, `views`, `executors`: what is installed, by whom, what is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Annotated, Any, final

import typer

from miscope.cli.offered import offered_commands
from miscope.cli.options import ForOption, JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json, print_table
from miscope.cli.records import describe_analyzer, describe_family, describe_view, print_record
from miscope.hookspecs import HOOK_API
from miscope.plugins.plugins import KINDS, Broken, Plugins

__all__ = ["add_to"]

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="One of them, in full.", show_default=False)]
FindOption = Annotated[
    str | None,
    typer.Option(
        "--find",
        metavar="WORDS",
        help="Only those that have these words in name, title, question, formula, source or synonyms, the best first.",
        show_default=False,
    ),
]


def add_to(cli: typer.Typer) -> None:
    """The listing commands."""
    for command in (plugins, families, analyzers, views, executors):
        cli.command(rich_help_panel="Installed")(command)


def plugins(context: typer.Context, as_json: JsonOption = False) -> None:
    """List installed plug-ins, what each provides, what could not be loaded, and the version of the hooks."""
    installed = Plugins.installed()
    faults = _all_broken(installed, context)
    rows = [
        {
            "plugin": p.plugin,
            "package": p.package,
            "version": p.version,
            "hooks": list(p.hooks),
            "provides": {
                kind: sorted(
                    name for (k, name), provider in installed.provided_by.items() if provider == p and k == kind
                )
                for kind in KINDS
            },
        }
        for p in installed.providers
    ]
    broken = [{name: getattr(b, name) for name in _FIELDS_OF_BROKEN} for b in faults]
    if as_json:
        print_json({"hook_api": HOOK_API, "plugins": rows, "broken": broken})
        return
    print_table(
        ("plug-in", "package", "version", "families", "analyzers", "views", "executors", "lenses", "hooks"),
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
    print(f"\nHooks: version {HOOK_API}.")
    for b in faults:
        print(f"\nBroken: {b}")


_FIELDS_OF_BROKEN = ("plugin", "package", "version", "record", "reason", "trace")


def _all_broken(installed: Plugins, context: typer.Context) -> list[Broken]:
    """What could not be loaded of packages, records and commands, each once."""
    core: Any = context.find_root().command
    _, of_commands = offered_commands(core.commands)
    return list({(b.plugin, b.record, b.reason): b for b in (*installed.broken, *of_commands)}.values())


def families(name: Name = None, as_json: JsonOption = False) -> None:
    """List the kinds of model that can be built and trained; with a NAME, its parameters and default training."""
    _list(_FAMILIES, name, as_json=as_json)


def analyzers(
    name: Name = None,
    find: FindOption = None,
    variants: ForOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the instruments; with a NAME, what it needs, its options and its outputs."""
    _alone(name, find, variants)
    if variants:
        from miscope.cli.applying import print_available

        print_available(opened(workspace), "analyzer", name, variants, as_json=as_json)
        return
    _list(_ANALYZERS, name, find=find, as_json=as_json)


def views(
    name: Name = None,
    find: FindOption = None,
    variants: ForOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the figures; with a NAME, what it reads and what can be turned."""
    _alone(name, find, variants)
    if variants:
        from miscope.cli.applying import print_available

        print_available(opened(workspace), "view", name, variants, as_json=as_json)
        return
    _list(_VIEWS, name, find=find, as_json=as_json)


def executors(as_json: JsonOption = False) -> None:
    """List the places where analysis can run."""
    installed = _installed("executor", quiet=as_json)
    rows = [(name, installed.provided_by["executor", name].package) for name in sorted(installed.executors)]
    if as_json:
        print_json([{"name": name, "package": package} for name, package in rows])
        return
    print_table(("executor", "package"), rows)


@final
@dataclass(frozen=True, kw_only=True)
class _Listing:
    """One kind of record: where it is found, and what is printed of each in one line."""

    kind: str
    table: Callable[[Plugins], Mapping[str, Any]]
    named: Callable[[Plugins, str], Any]
    """Raises UnknownName."""
    describe: Callable[[Plugins, Any], dict[str, Any]]
    columns: Mapping[str, Callable[[Mapping[str, Any]], object]]
    """Heading -> what stands under it, of what `describe` gave."""


def _alone(name: str | None, find: str | None, variants: Sequence[str] | None) -> None:
    if find is not None and (name is not None or variants):
        raise typer.BadParameter("it goes neither with a NAME nor with --for.", param_hint="--find")


def _list(listing: _Listing, name: str | None, *, find: str | None = None, as_json: bool) -> None:
    """All records, those that have the words, or the one of that name in full."""
    installed = _installed(listing.kind, quiet=as_json)
    if find is not None:
        _print_found(installed, listing, find, as_json=as_json)
        return
    if name is not None:
        print_record(listing.describe(installed, listing.named(installed, name)), as_json=as_json)
        return
    records = [listing.describe(installed, record) for _, record in sorted(listing.table(installed).items())]
    if as_json:
        print_json(records)
        return
    print_table(tuple(listing.columns), [[cell(record) for cell in listing.columns.values()] for record in records])


def _print_found(installed: Plugins, listing: _Listing, words: str, *, as_json: bool) -> None:
    from miscope.figures.finding import find, findable_records

    table = listing.table(installed)
    findings = find(words, findable_records(installed, table.values()))
    found = [(listing.describe(installed, table[each.name]), each.by) for each in findings.found]
    for word, other in findings.read_as.items():
        note(f"Nothing has {word!r}; this is what has {other!r}.")
    if as_json:
        print_json([{**record, "found_by": list(by)} for record, by in found])
        return
    if not found:
        note(f"Nothing has {words!r}.")
        return
    rows = [[*(cell(record) for cell in listing.columns.values()), ", ".join(by)] for record, by in found]
    print_table((*listing.columns, "found by"), rows)


_FAMILIES = _Listing(
    kind="family",
    table=attrgetter("families"),
    named=Plugins.family,
    describe=describe_family,
    columns={
        "family": itemgetter("name"),
        "title": itemgetter("title"),
        "parameters": lambda record: " ".join(f"{p['name']}={p['default']}" for p in record["params"]),
        "package": itemgetter("package"),
    },
)

_ANALYZERS = _Listing(
    kind="analyzer",
    table=attrgetter("analyzers"),
    named=Plugins.analyzer,
    describe=describe_analyzer,
    columns={
        "analyzer": itemgetter("name"),
        "grain": itemgetter("grain"),
        "what it computes": itemgetter("summary"),
        "package": itemgetter("package"),
    },
)

_VIEWS = _Listing(
    kind="view",
    table=attrgetter("views"),
    named=Plugins.view,
    describe=describe_view,
    columns={
        "view": itemgetter("name"),
        "grain": itemgetter("grain"),
        "title": itemgetter("title"),
        "reads": lambda record: " ".join(record["reads"]),
        "package": itemgetter("package"),
    },
)


def _installed(kind: str, *, quiet: bool) -> Plugins:
    """Everything installed; which packages have none of this kind because they are broken is noted."""
    installed = Plugins.installed()
    if not quiet:
        for broken in installed.broken_among(kind):
            note(str(broken))
    return installed


def _short(hooks: list[str]) -> str:
    return " ".join(hook.removeprefix("miscope_") for hook in hooks)
