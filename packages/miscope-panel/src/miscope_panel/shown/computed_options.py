"""The choice on a card between what was computed with one set of options and with another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miscope.analysis.analyzer_options import Options, split_options, written_options
from miscope.variant import Variant
from miscope.view import View

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["OPTIONS", "names_an_option", "offered_options", "options_given"]

OPTIONS = "options"
"""Name of the choice, among the names of a view's controls."""

_DEFAULTS = "defaults"


def names_an_option(name: str) -> bool:
    """Whether it is no control of a view: 'neurons.clusters.threshold', or the choice of several."""
    return name == OPTIONS or "." in name


def options_given(workspace: Workspace, given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The options among what stands in an address, by analyzer; UnknownName for an analyzer that is not installed."""
    words = [word.partition("=") for word in given.get(OPTIONS, "").split() if word != _DEFAULTS]
    single = {name: value for name, value in given.items() if "." in name}
    return split_options(workspace.plugins.analyzers, {**{name: value for name, _, value in words}, **single})


def offered_options(
    workspace: Workspace, view: View, variants: Sequence[Variant], chosen: Options
) -> tuple[Mapping[str, Any], ...]:
    """The choice, as a control of the card, where anything the view reads was computed with other options too."""
    from miscope.analysis.computed import computed_with
    from miscope.analysis.resolved_analysis import resolve_analysis

    reads = view.needs.artifacts
    names = [name for name in dict.fromkeys(reads) if name in workspace.plugins.analyzers]
    if not names:
        return ()
    steps = workspace.store.finite_steps
    analyses = [resolve_analysis(workspace, variant, names, steps=steps(variant.name)) for variant in variants]
    there = [" ".join(written_options(options)) for options in computed_with(workspace.store, analyses, names)]
    value = " ".join(written_options(chosen)) or _DEFAULTS
    texts = list(dict.fromkeys([_DEFAULTS, *there, value]))
    if len(texts) == 1:
        return ()
    return ({"name": OPTIONS, "label": "computed with", "value": value, "kind": "choice", "options": texts},)
