"""What is installed: read-only tables of records, built from entry points or from modules one names."""

from __future__ import annotations

import importlib.metadata
import inspect
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

import pluggy

from miscope import hookspecs
from miscope.errors import DuplicateName, UnknownHook, UnknownName
from miscope.hookspecs import PROJECT

if TYPE_CHECKING:
    import typer

    from miscope.analyzer import Analyzer
    from miscope.executor import Executor
    from miscope.family import Family
    from miscope.view import View

__all__ = ["Broken", "Plugins", "Provider", "add_installed_commands"]

_TABLES = {
    "family": "miscope_families",
    "analyzer": "miscope_analyzers",
    "view": "miscope_views",
    "executor": "miscope_executors",
}
ELSEWHERE = f"{PROJECT}_panel_"
"""Prefix of hooks whose specification lives in the package that calls them."""


@final
@dataclass(frozen=True, slots=True)
class Provider:
    """An installed package that offers something."""

    plugin: str
    """Name of the entry point."""
    package: str
    version: str
    hooks: tuple[str, ...]
    module: str = ""
    """Where its hooks are, by the name another process can import; "" where it has none."""

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


@final
@dataclass(frozen=True, slots=True)
class Broken:
    """A plug-in that could not be loaded; everything else works."""

    plugin: str
    package: str
    version: str
    reason: str
    """'ImportError: No module named ...': one line."""
    trace: str

    def __str__(self) -> str:
        return (
            f"{self.package} {self.version} could not be loaded: {self.reason}\n"
            f"Everything else works. `miscope plugins` shows it; `pip uninstall {self.package}` silences it."
        )


@dataclass(frozen=True, slots=True)
class _Offer:
    provider: Provider
    module: Any


@final
@dataclass(frozen=True, kw_only=True)
class Plugins:
    """Every family, analyzer, view and executor by name, with who provides it."""

    families: Mapping[str, Family]
    analyzers: Mapping[str, Analyzer]
    views: Mapping[str, View]
    executors: Mapping[str, Executor]
    providers: tuple[Provider, ...]
    provided_by: Mapping[tuple[str, str], Provider]
    """(kind, name) -> who offers it."""
    broken: tuple[Broken, ...] = ()

    @classmethod
    def installed(cls) -> Plugins:
        """The tables of everything found by entry point; a package that fails to load is listed, not fatal."""
        return _build(*_installed_offers())

    @classmethod
    def of(cls, **modules: object) -> Plugins:
        """The tables of exactly these modules, by plug-in name; for tests and scripts, whatever is installed."""
        offers = [
            _Offer(Provider(name, name, "local", _hooks_of(name, module), getattr(module, "__name__", "")), module)
            for name, module in modules.items()
        ]
        return _build(offers, [])

    def family(self, name: str) -> Family:
        """The family of that name; UnknownName with a suggestion otherwise."""
        return _named("family", name, self.families)

    def analyzer(self, name: str) -> Analyzer:
        return _named("analyzer", name, self.analyzers)

    def view(self, name: str) -> View:
        return _named("view", name, self.views)

    def executor(self, name: str) -> Executor:
        return _named("executor", name, self.executors)


def add_installed_commands(cli: typer.Typer) -> tuple[Broken, ...]:
    """Let every installed plug-in add its commands, without asking for its records; returns those that could not.

    So `miscope --help` loads no more than the plug-ins' own modules.
    """
    offers, broken = _installed_offers()
    for offer in offers:
        if "miscope_commands" not in offer.provider.hooks:
            continue
        try:
            offer.module.miscope_commands(cli)
        except Exception as error:  # noqa: BLE001 - the same door
            broken.append(_broken(offer.provider.plugin, offer.provider.package, offer.provider.version, error))
    return tuple(broken)


def _installed_offers() -> tuple[list[_Offer], list[Broken]]:
    offers, broken = [], []
    for point in sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda p: (p.name != "core", p.name)):
        package = point.dist.name if point.dist else point.value
        version = point.dist.version if point.dist else "?"
        try:
            module = point.load()
            provider = Provider(point.name, package, version, _hooks_of(package, module), point.module)
        except Exception as error:  # noqa: BLE001 - the door that turns a plug-in's failure into a value
            broken.append(_broken(point.name, package, version, error))
            continue
        offers.append(_Offer(provider, module))
    return offers, broken


def _named(kind: str, name: str, table: Mapping[str, Any]) -> Any:
    try:
        return table[name]
    except KeyError:
        raise UnknownName(kind, name, table) from None


def _spec_names() -> set[str]:
    return {name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith(f"{PROJECT}_")}


def _hooks_of(plugin: str, module: object) -> tuple[str, ...]:
    """Names of the hooks a module implements; a marked function that is no hook is refused."""
    specs = _spec_names()
    # A manager of its own: it only reads the marks, and is thrown away.
    manager = pluggy.PluginManager(PROJECT)
    marked = [n for n in dir(module) if manager.parse_hookimpl_opts(module, n) is not None]
    foreign = [n for n in marked if n not in specs and not n.startswith(ELSEWHERE)]
    if foreign:
        raise UnknownHook(plugin, foreign[0], specs)
    return tuple(n for n in marked if n in specs)


def _build(offers: Iterable[_Offer], broken: list[Broken]) -> Plugins:
    tables: dict[str, dict[str, Any]] = {kind: {} for kind in _TABLES}
    provided_by: dict[tuple[str, str], Provider] = {}
    providers = []
    for offer in offers:
        try:
            records = {kind: _records(offer, kind, hook) for kind, hook in _TABLES.items()}
        except Exception as error:  # noqa: BLE001 - the same door: a hook that raises when called
            broken.append(_broken(offer.provider.plugin, offer.provider.package, offer.provider.version, error))
            continue
        for kind, found in records.items():
            for record in found:
                if record.name in tables[kind]:
                    raise DuplicateName(kind, record.name, [str(provided_by[kind, record.name]), str(offer.provider)])
                tables[kind][record.name] = record
                provided_by[kind, record.name] = offer.provider
        providers.append(offer.provider)
    return Plugins(
        families=MappingProxyType(tables["family"]),
        analyzers=MappingProxyType(tables["analyzer"]),
        views=MappingProxyType(tables["view"]),
        executors=MappingProxyType(tables["executor"]),
        providers=tuple(providers),
        provided_by=MappingProxyType(provided_by),
        broken=tuple(broken),
    )


def _records(offer: _Offer, kind: str, hook: str) -> list[Any]:
    if hook not in offer.provider.hooks:
        return []
    found = list(getattr(offer.module, hook)())
    for record in found:
        if not isinstance(record, _type_of(kind)):
            raise TypeError(f"{hook} yields {_type_of(kind).__name__} records, and gave {record!r}")
    return found


def _type_of(kind: str) -> type:
    # Imported here: finding the plug-ins' commands needs no record, and these bring in pydantic and numpy.
    from miscope.analyzer import Analyzer
    from miscope.executor import Executor
    from miscope.family import Family
    from miscope.view import View

    return {"family": Family, "analyzer": Analyzer, "view": View, "executor": Executor}[kind]


def _broken(plugin: str, package: str, version: str, error: Exception) -> Broken:
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return Broken(plugin, package, version, reason, "".join(traceback.format_exception(error)))
