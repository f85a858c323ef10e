"""What may follow in a call of a handle: names that the workspace knows. Evaluates attributes of handles alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from miscope.bound import BoundSnapshot, BoundVariant, BoundWorkspace

if TYPE_CHECKING:
    from miscope.plugins.plugins import Plugins

__all__ = ["completions"]

_FIELDS = re.compile(r"""([\w.]+)\.variant\(\s*["']([\w.-]+)["']\s*,(?:[^()]*,)?\s*(\w*)$""")
"""`workspace.variant("modadd.transformer", prime=113, se`"""

_TEXT = re.compile(
    r"""([\w.]+)\.(variant|find|view|analyze|arrays|metric)\(\s*(?:["'][^"']*["']\s*,\s*)*["']([^"']*)$"""
)
"""`variant.view("neur`"""

_VIEWS = re.compile(r"""(?:scrub|compare)\((.*)\[(?:[^\]]*,)?\s*["']([^"']*)$""")
"""`miscope.scrub(variant, ["neur`"""


_PART = re.compile(r"""([\w.]+?)\.(views|artifacts)\.((?:\w+\.)*)(\w*)$""")
"""`variant.views.behaviour.lo`: IPython looks into no property by itself."""

_ITEM = re.compile(r"""([\w.]+?)\.(views|artifacts)\[\s*["']([^"']*)$""")
"""`variant.views["behaviour.lo`"""


def completions(text: str, names: Mapping[str, object]) -> tuple[str, list[str]]:
    """What is typed already of the last name in the text, and all that it may become; none where it is no handle's.

    names: of the notebook.
    """
    if found := _FIELDS.search(text):
        known = _fields(_handle(found[1], names), found[2], found[0])
        return _begun(found[3], (f"{name}=" for name in known))
    if found := _TEXT.search(text):
        return _begun(found[3], _texts(found[2])(_handle(found[1], names)))
    if found := _VIEWS.search(text):
        handles = (_handle(name, names) for name in re.findall(r"[\w.]+", found[1]))
        plugins = next((held for handle in handles if (held := _plugins(handle))), None)
        return _begun(found[2], plugins.views if plugins else ())
    if found := _PART.search(text):
        inside = [name.removeprefix(found[3]) for name in _listed(found, names) if name.startswith(found[3])]
        return _begun(found[4], {name.partition(".")[0] for name in inside})
    if found := _ITEM.search(text):
        return _begun(found[3], _listed(found, names))
    return "", []


def _listed(found: re.Match[str], names: Mapping[str, object]) -> list[str]:
    """Names of a variant's views, or of what analyzers left."""
    variant = _handle(found[1], names)
    return list(getattr(variant, found[2])) if isinstance(variant, BoundVariant) else []


def _begun(fragment: str, names: Iterable[str]) -> tuple[str, list[str]]:
    return fragment, sorted(name for name in names if name.startswith(fragment))


def _handle(path: str, names: Mapping[str, object]) -> object:
    """The handle of that name, or attribute of one; None of anything else, whose attributes might be anything."""
    first, *rest = path.split(".")
    held = names.get(first)
    for part in rest:
        kinds = {"workspace": BoundVariant, "variant": BoundSnapshot}
        held = getattr(held, part) if part in kinds and isinstance(held, kinds[part]) else None
    return held


def _plugins(handle: object) -> Plugins | None:
    match handle:
        case BoundWorkspace():
            return handle.plugins
        case BoundVariant():
            return handle.workspace.plugins
        case BoundSnapshot():
            return handle.variant.workspace.plugins
        case _:
            return None


def _fields(handle: object, family: str, call: str) -> list[str]:
    """Parameters and training fields of the family, less those that the call has."""
    if not isinstance(handle, BoundWorkspace) or family not in handle.plugins.families:
        return []
    chosen = handle.plugins.families[family]
    given = set(re.findall(r"(\w+)\s*=", call))
    return [name for name in (*chosen.params.model_fields, *chosen.training_config.model_fields) if name not in given]


def _texts(verb: str) -> Callable[[object], Iterable[str]]:
    """What the first argument of a verb may be."""

    def known(handle: object) -> Iterable[str]:
        plugins = _plugins(handle)
        if plugins is None:
            return ()
        if isinstance(handle, BoundWorkspace):
            of_workspace = {"variant": lambda: plugins.families, "find": handle.names, "view": lambda: plugins.views}
            return of_workspace.get(verb, tuple)()
        tables = {"view": plugins.views, "analyze": plugins.analyzers, "arrays": plugins.analyzers}
        if verb == "metric" and isinstance(handle, BoundVariant):
            return handle.metrics()
        return tables.get(verb, ())

    return known
