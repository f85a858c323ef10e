"""What a widget is asked to show, checked before it is made: handles of variants, views, a step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from numbers import Real
from typing import Any

from miscope.bound import BoundSnapshot, BoundVariant
from miscope.bound_view import BoundView
from miscope.errors import BadValue

__all__ = ["handle_given", "step_given", "variants_given", "views_given"]


def handle_given(variant: object) -> BoundVariant:
    """The handle of a variant; BadValue for anything else, with what makes one of it."""
    if isinstance(variant, BoundVariant):
        return variant
    if isinstance(variant, str):
        raise _no_variant(repr(variant), "It is a name.", f"Take its handle:  workspace.find({variant!r})")
    if isinstance(variant, BoundSnapshot):
        known, todo = "It is a variant at one of its checkpoints.", "Give its `.variant`, and `step` for the step."
        raise _no_variant("A checkpoint", known, todo)
    if isinstance(variant, Sequence):
        raise _no_variant(
            f"A {type(variant).__name__}", "It holds several.", "Show several:  miscope.compare(variants)"
        )
    kind = type(variant).__name__
    known = "A widget asks the workspace itself for each figure, and is given handles of `miscope.open`."
    if kind.startswith("Remote"):
        raise _no_variant(f"A {kind}", known, "Have it drawn where it is:  variant.view(NAME).figure(step)")
    raise _no_variant(f"A {kind}", known, "Take one:  workspace.find(NAME), or workspace.variant(FAMILY, ...)")


def variants_given(variants: object) -> list[BoundVariant | str]:
    """Handles and names; BadValue for anything else, for one alone too."""
    if isinstance(variants, str | BoundVariant):
        name = variants if isinstance(variants, str) else variants.name
        todo = f"Put it in a list with others:  miscope.compare([{name!r}, OTHER]); miscope.scrub shows one."
        raise BadValue("One variant cannot be compared.", "A comparison takes two or more, each once.", todo)
    if not isinstance(variants, Iterable):
        raise BadValue(
            f"A {type(variants).__name__} holds no variants.",
            "A comparison takes a list of handles, or of names.",
            "Give one:  miscope.compare(workspace.variants())",
        )
    return [one if isinstance(one, str) else handle_given(one) for one in variants]


def views_given(views: object) -> list[str | BoundView] | None:
    """The views, one alone as a list of it; None for the first ones. BadValue for none, and for what is no view."""
    if views is None or isinstance(views, str | BoundView):
        return None if views is None else [views]
    given: list[Any] = list(views) if isinstance(views, Iterable) else [views]
    if not given:
        raise BadValue("No view was chosen.", "A widget shows one or more.", "Leave `views` out for the first ones.")
    wrong = [one for one in given if not isinstance(one, str | BoundView)]
    if wrong:
        raise BadValue(
            f"A {type(wrong[0]).__name__} is no view.",
            "A view is given by its name, or with its controls set.",
            'Give one:  "behaviour.losses", or variant.view("neurons.heatmap", neuron=7)',
        )
    return given


def step_given(step: object) -> Any:
    """Where the cursor begins: a number, or None; BadValue for anything else."""
    if step is None or (isinstance(step, Real) and not isinstance(step, bool) and isfinite(step)):
        return step
    raise BadValue(
        f"{step!r} is not a step.", "The cursor begins at a number.", "Leave `step` out for the last checkpoint."
    )


def _no_variant(what: str, known: str, todo: str) -> BadValue:
    return BadValue(f"{what} is no handle of a variant.", known, todo)
