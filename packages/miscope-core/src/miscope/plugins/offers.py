"""What installed packages offer, found by entry point: their modules and hooks; no record is asked for here."""

from __future__ import annotations

import contextlib
import importlib.metadata
import inspect
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import pluggy

from miscope import hookspecs
from miscope.errors import MiscopeError, UnknownHook, UnknownName, UnmarkedHook
from miscope.hookspecs import PROJECT

__all__ = ["CHOICE", "Broken", "Offer", "Provider", "broken_by", "installed_offers", "left_out", "offer_of"]

CHOICE = "MISCOPE_PLUGINS"
"""The environment variable that says which plug-ins are in force."""

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
    """A plug-in that could not be loaded, or one of its records that was left out; everything else works."""

    plugin: str
    package: str
    version: str
    reason: str
    """'ImportError: No module named ...': one line."""
    trace: str
    record: str = ""
    """What was left out: "the analyzer 'rank.stable'"; "" where it is the whole package."""

    def __str__(self) -> str:
        what = f"offers {self.record}, which was left out" if self.record else "could not be loaded"
        return (
            f"{self.package} {self.version} {what}: {self.reason}\n"
            f"Everything else works. `miscope plugins` shows it; `pip uninstall {self.package}` silences it."
        )


@final
@dataclass(frozen=True, slots=True)
class Offer:
    """A package with the module, or the object, that has its hooks."""

    provider: Provider
    module: Any


def installed_offers() -> tuple[list[Offer], list[Broken]]:
    """Every entry point in force, core's first, and those whose module could not be imported.

    MISCOPE_PLUGINS names those in force beside core: none, core, or some by name; all where it is not set.
    """
    offers, broken = [], []
    known = _points_of(tuple((place, _changed(place)) for place in sys.path))
    in_force = {point.name for point in _in_force([point for point, _, _ in known])}
    for point, package, version in known:
        if point.name not in in_force:
            continue
        try:
            # Standard output is for what was asked for: JSON may be.
            with contextlib.redirect_stdout(sys.stderr):
                module = point.load()
            hooks = _hooks_of(package, module)
            _refuse_without_hooks(package, module)
        except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - the door: a plug-in's failure becomes a value
            broken.append(_broken(point.name, package, version, error))
            continue
        offers.append(Offer(Provider(point.name, package, version, hooks, point.module), module))
    return offers, broken


def _changed(place: str) -> int:
    """When something was last installed there, or removed; 0 where that is not told."""
    try:
        return os.stat(place or ".").st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=8)
def _points_of(places: tuple[tuple[str, int], ...]) -> tuple[tuple[importlib.metadata.EntryPoint, str, str], ...]:
    """Every entry point, core's first, with its package and version; reading them takes longer than most commands.

    places: of sys.path, and when each was changed.
    """
    points = sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda p: (p.name != "core", p.name))
    return tuple((p, p.dist.name, p.dist.version) if p.dist else (p, p.value, "?") for p in points)


def _in_force(points: Sequence[importlib.metadata.EntryPoint]) -> list[importlib.metadata.EntryPoint]:
    """Those that MISCOPE_PLUGINS leaves; UnknownName for a name in it that is not installed."""
    wanted = [name.strip() for name in os.environ.get(CHOICE, "").split(",") if name.strip()]
    if not wanted or wanted == ["none"]:
        return [] if wanted else list(points)
    known = {point.name for point in points}
    for name in wanted:
        if name not in known:
            listing = f"{CHOICE} may be none, core, or some of: {', '.join(sorted(known))}."
            raise UnknownName("plug-in", name, known, listing=listing)
    return [point for point in points if point.name in ("core", *wanted)]


def offer_of(name: str, module: object) -> Offer:
    """A module, or any object, whose hooks are offered under this name."""
    return Offer(Provider(name, name, "local", _hooks_of(name, module), getattr(module, "__name__", "")), module)


def broken_by(provider: Provider, error: BaseException) -> Broken:
    """What is reported of a package whose hook raised this."""
    return _broken(provider.plugin, provider.package, provider.version, error)


def left_out(provider: Provider, record: str, reason: str) -> Broken:
    """What is reported of one record, or one command, of a package whose others are in use."""
    return Broken(provider.plugin, provider.package, provider.version, reason, "", record)


def _broken(plugin: str, package: str, version: str, error: BaseException) -> Broken:
    if isinstance(error, SystemExit):
        reason = f"it asked the program to end (SystemExit: {error.code})"
    elif isinstance(error, MiscopeError):
        reason = " ".join(str(error).splitlines())
    else:
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
    own = getattr(module, "__name__", None)
    bare = [n for n in specs - set(marked) if _defined_in(getattr(module, n, None), own)]
    if bare:
        raise UnmarkedHook(plugin, min(bare))
    return tuple(n for n in marked if n in specs)


def _defined_in(function: object, module: str | None) -> bool:
    return inspect.isroutine(function) and getattr(function, "__module__", None) == module


def _refuse_without_hooks(plugin: str, module: object) -> None:
    manager = pluggy.PluginManager(PROJECT)
    if not any(manager.parse_hookimpl_opts(module, name) is not None for name in dir(module)):
        raise UnmarkedHook(plugin, None)
