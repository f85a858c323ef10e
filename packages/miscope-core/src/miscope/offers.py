"""What installed packages offer, found by entry point: their modules and hooks; no record is asked for here."""

from __future__ import annotations

import importlib.metadata
import inspect
import traceback
from dataclasses import dataclass
from typing import Any, final

import pluggy

from miscope import hookspecs
from miscope.errors import UnknownHook
from miscope.hookspecs import PROJECT

__all__ = ["Broken", "Offer", "Provider", "broken_by", "installed_offers", "offer_of"]

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


@final
@dataclass(frozen=True, slots=True)
class Offer:
    """A package with the module, or the object, that has its hooks."""

    provider: Provider
    module: Any


def installed_offers() -> tuple[list[Offer], list[Broken]]:
    """Every entry point, core's first, and those whose module could not be imported."""
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
        offers.append(Offer(provider, module))
    return offers, broken


def offer_of(name: str, module: object) -> Offer:
    """A module, or any object, whose hooks are offered under this name."""
    return Offer(Provider(name, name, "local", _hooks_of(name, module), getattr(module, "__name__", "")), module)


def broken_by(provider: Provider, error: Exception) -> Broken:
    """What is told of a package whose hook raised this."""
    return _broken(provider.plugin, provider.package, provider.version, error)


def _broken(plugin: str, package: str, version: str, error: Exception) -> Broken:
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return Broken(plugin, package, version, reason, "".join(traceback.format_exception(error)))


def _hooks_of(plugin: str, module: object) -> tuple[str, ...]:
    """Names of the hooks a module implements; a marked function that is no hook is refused."""
    specs = {name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith(f"{PROJECT}_")}
    # A manager of its own: it only reads the marks, and is thrown away.
    manager = pluggy.PluginManager(PROJECT)
    marked = [n for n in dir(module) if manager.parse_hookimpl_opts(module, n) is not None]
    foreign = [n for n in marked if n not in specs and not n.startswith(ELSEWHERE)]
    if foreign:
        raise UnknownHook(plugin, foreign[0], specs)
    return tuple(n for n in marked if n in specs)
