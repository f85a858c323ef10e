"""What is installed: read-only tables of records, each made of what the packages offer when it is first looked at."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, final

from miscope.errors import MiscopeError, UnknownName
from miscope.field_docs import documented
from miscope.lazily import Lazily
from miscope.plugins.offers import Broken, Offer, Provider, broken_by, installed_offers, left_out, offer_of

if TYPE_CHECKING:
    import typer

    from miscope.analyzer import Analyzer
    from miscope.executor import Executor
    from miscope.family import Family
    from miscope.lens import Lens
    from miscope.view import View

__all__ = ["KINDS", "Broken", "Plugins", "Provider", "installed_commands"]

C = TypeVar("C")

_HOOKS = {
    "family": "miscope_families",
    "analyzer": "miscope_analyzers",
    "view": "miscope_views",
    "executor": "miscope_executors",
    "lens": "miscope_lenses",
}
_COMES_WITH = {"dask": "miscope-dask"}
"""Executors a user reads about, and the package that offers each."""
KINDS = tuple(_HOOKS)
"""Of records."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """All records of one kind."""

    records: Mapping[str, Any]
    providers: Mapping[str, Provider]
    """Record name -> who offers it."""
    broken: tuple[Broken, ...]


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Plugins:
    """Every family, analyzer, view, executor and lens by name, with who provides it.

    The records of a kind are asked for when that kind is first looked at: who reads views imports no instrument.
    """

    offers: tuple[Offer, ...]
    """Packages with the modules that have their hooks."""
    unloaded: tuple[Broken, ...] = ()
    """Packages whose module could not be imported."""

    @classmethod
    def installed(cls) -> Plugins:
        """The tables of everything found by entry point; a package that fails to load is listed, not fatal."""
        offers, broken = installed_offers()
        return cls(offers=tuple(offers), unloaded=tuple(broken))

    @classmethod
    def of(cls, /, **modules: object) -> Plugins:
        """The tables of exactly these modules, by plug-in name; for tests and scripts, whatever is installed."""
        return cls(offers=tuple(offer_of(name, module) for name, module in modules.items()))

    @cached_property
    def _tables(self) -> Mapping[str, _Table]:
        return Lazily(KINDS, partial(_table, self.offers))

    @property
    def families(self) -> Mapping[str, Family]:
        return self._tables["family"].records

    @property
    def analyzers(self) -> Mapping[str, Analyzer]:
        return self._tables["analyzer"].records

    @property
    def views(self) -> Mapping[str, View]:
        return self._tables["view"].records

    @property
    def executors(self) -> Mapping[str, Executor]:
        return self._tables["executor"].records

    @property
    def lenses(self) -> Mapping[str, Lens]:
        return self._tables["lens"].records

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Every package that could be loaded."""
        return tuple(offer.provider for offer in self.offers)

    @property
    def at_work(self) -> tuple[Provider, ...]:
        """Those of what a job may need, families and instruments: figures and pages are made where one asks."""
        return tuple(one for one in self.providers if {"miscope_families", "miscope_analyzers"} & set(one.hooks))

    @cached_property
    def provided_by(self) -> Mapping[tuple[str, str], Provider]:
        """(kind, name) -> who offers it."""
        return _ProvidedBy(self._tables)

    @property
    def broken(self) -> tuple[Broken, ...]:
        """Packages that could not be loaded, and records that were left out; every table is made for this."""
        return self.broken_among(*KINDS)

    def broken_among(self, *kinds: str) -> tuple[Broken, ...]:
        """The same of these kinds of records only."""
        return (*self.unloaded, *(broken for kind in kinds for broken in self._tables[kind].broken))

    def family(self, name: str) -> Family:
        """The family of that name; UnknownName with a suggestion otherwise."""
        return _named("family", name, self.families)

    def analyzer(self, name: str) -> Analyzer:
        return _named("analyzer", name, self.analyzers)

    def view(self, name: str) -> View:
        return _named("view", name, self.views)

    def executor(self, name: str) -> Executor:
        """The executor of that name; where its package is not there, a MiscopeError that says which."""
        if name in _COMES_WITH and name not in self.executors:
            package = _COMES_WITH[name]
            raise MiscopeError(
                f"The executor {name!r} comes with {package}, which is not installed or could not be loaded.",
                "`miscope plugins` lists what is.",
                f"To install it:  pip install {package}",
            )
        return _named("executor", name, self.executors)


@final
class _ProvidedBy(Mapping[tuple[str, str], Provider]):
    """Who offers a record, by its kind and name; a lookup makes the table of that kind, no other."""

    def __init__(self, tables: Mapping[str, _Table]) -> None:
        self._tables = tables

    def __getitem__(self, key: tuple[str, str]) -> Provider:
        kind, name = key
        return self._tables[kind].providers[name]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((kind, name) for kind, table in self._tables.items() for name in table.providers)

    def __len__(self) -> int:
        return sum(len(table.providers) for table in self._tables.values())


def installed_commands(
    read: Callable[[Callable[[typer.Typer], None]], Mapping[str, C]], taken: Collection[str] = ()
) -> tuple[dict[str, C], tuple[Broken, ...]]:
    """The commands of installed plug-ins by name, and those that could not be had; no record is asked for.

    So `miscope --help` loads no more than the plug-ins' own modules. read: calls a hook, and gives what it added.
    taken: names that core has.
    """
    offers, broken = installed_offers()
    commands: dict[str, C] = {}
    by: dict[str, str] = dict.fromkeys(taken, "core")
    for offer in offers:
        if "miscope_commands" not in offer.provider.hooks:
            continue
        try:
            added = read(offer.module.miscope_commands)
        except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - the same door
            broken.append(broken_by(offer.provider, error))
            continue
        for name, command in added.items():
            if name in by:
                broken.append(left_out(offer.provider, f"the command {name!r}", f"{by[name]} has one of that name"))
                continue
            commands[name], by[name] = command, str(offer.provider)
    return commands, tuple(broken)


def _named(kind: str, name: str, table: Mapping[str, Any]) -> Any:
    try:
        return table[name]
    except KeyError:
        raise UnknownName(kind, name, table) from None


def _table(offers: Sequence[Offer], kind: str) -> _Table:
    """The records of a kind that these packages offer, without those that would fail later or take others along."""
    # Imported here, as the types of records are: the commands of plug-ins are found without any of it.
    from miscope.plugins.record_checks import faults_of_reads, label

    records: dict[str, Any] = {}
    providers: dict[str, Provider] = {}
    broken, offered = [], []
    for offer in offers:
        try:
            offered += [(offer.provider, record) for record in _records(offer, kind)]
        except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - the same door: a hook that raises when called
            broken.append(broken_by(offer.provider, error))
    owners = _owners(offered)
    for provider, record in offered:
        reason = _fault(kind, (provider, record), providers, owners)
        if reason is not None:
            broken.append(left_out(provider, label(kind, record), reason))
            continue
        records[record.name], providers[record.name] = record, provider
    for name, reason in (faults_of_reads(records) if kind == "analyzer" else {}).items():
        broken.append(left_out(providers.pop(name), label(kind, records.pop(name)), reason))
    return _Table(records=MappingProxyType(records), providers=MappingProxyType(providers), broken=tuple(broken))


def _records(offer: Offer, kind: str) -> list[Any]:
    hook = _HOOKS[kind]
    with contextlib.redirect_stdout(sys.stderr):
        return list(getattr(offer.module, hook)()) if hook in offer.provider.hooks else []


def _owners(offered: Sequence[tuple[Provider, Any]]) -> dict[str, Provider]:
    """By name that several packages offer: the one called like the name's first part, else with most such names.

    So no package takes a name of another by coming before it in the alphabet.
    """
    by_name: dict[str, list[Provider]] = {}
    for provider, record in offered:
        if isinstance(name := getattr(record, "name", None), str):
            by_name.setdefault(name, []).append(provider)
    spaces = Counter((name.partition(".")[0], provider) for name, those in by_name.items() for provider in set(those))

    def claim(name: str, provider: Provider) -> tuple[bool, int]:
        space = name.partition(".")[0]
        return provider.plugin == space, spaces[space, provider]

    several = {name: those for name, those in by_name.items() if len(set(those)) > 1}
    return {name: max(those, key=lambda provider: claim(name, provider)) for name, those in several.items()}


def _fault(
    kind: str, offered: tuple[Provider, Any], providers: Mapping[str, Provider], owners: Mapping[str, Provider]
) -> str | None:
    """Why a record is left out; None if it is not."""
    provider, record = offered
    from miscope.plugins.record_checks import fault

    if not isinstance(record, _type_of(kind)):
        return f"{_HOOKS[kind]} yields {_type_of(kind).__name__} records, and gave {record!r}"
    try:
        reason = fault(kind, record)
    except Exception as error:  # noqa: BLE001 - the same door: a record whose own code raises when it is looked at
        return f"{type(error).__name__}: {error}".splitlines()[0]
    owner = owners.get(record.name, provider) if reason is None else provider
    other = providers.get(record.name) if reason is None else None
    if other is not None or owner != provider:
        return f"{other or owner} has one of that name"
    return reason


def _type_of(kind: str) -> type:
    # Each where it is asked for: pydantic and numpy come with some, and a list of executors needs neither.
    match kind:
        case "family":
            from miscope.family import Family as Kind
        case "analyzer":
            from miscope.analyzer import Analyzer as Kind
        case "view":
            from miscope.view import View as Kind
        case "lens":
            from miscope.lens import Lens as Kind
        case _:
            from miscope.executor import Executor as Kind
    return Kind
