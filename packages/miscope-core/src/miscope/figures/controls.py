"""What can be turned on a view: the values each control takes for what is shown, and the check of those given."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import assert_never

from miscope.errors import BadValue, DoesNotApply, Ended
from miscope.view import Choice, Control, Number, Toggle, View, ViewData

__all__ = ["bounds", "options", "refuse_unknown", "settle"]

_ON_OFF = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}

Value = str | int | float | bool


def settle(view: View, shown: ViewData, given: Mapping[str, object]) -> dict[str, Value]:
    """A value for each control: the one given, checked, else its default.

    Text is read as the control's kind, so that a command line and a URL can give it. Raises BadValue on an unknown
    control or a value it does not take, DoesNotApply where there is nothing to choose from, and Ended where the view's
    own function of what is shown ends the program.
    """
    refuse_unknown(view, given)
    known = {control.name: control for control in view.all_controls}
    try:
        return {name: _settle(view, control, shown, given.get(name)) for name, control in known.items()}
    except SystemExit as error:
        raise Ended(view.name, error.code) from error


def refuse_unknown(view: View, given: Mapping[str, object]) -> None:
    """Raise BadValue for a control that the view does not have."""
    known = {control.name for control in view.all_controls}
    for name in given:
        if name not in known:
            raise _unknown(view, name)


def options(control: Choice, shown: ViewData) -> tuple[str, ...]:
    """The names a choice offers for what is shown."""
    return tuple(control.options_from(shown)) if control.options_from is not None else control.options


def bounds(control: Number, shown: ViewData) -> tuple[float, float]:
    """Least and greatest value a number takes for what is shown, both included."""
    if control.maximum_from is not None:
        return control.minimum, control.maximum_from(shown)
    return control.minimum, math.inf if control.maximum is None else control.maximum


def _settle(view: View, control: Control, shown: ViewData, given: object) -> Value:
    match control:
        case Choice():
            return _choice(view, control, shown, given)
        case Number():
            return _number(view, control, shown, given)
        case Toggle():
            return control.default if given is None else _toggle(view, control, given)
        case _:
            assert_never(control)


def _choice(view: View, control: Choice, shown: ViewData, given: object) -> str:
    offered = options(control, shown)
    if not offered:
        reason = f"there is no {control.label or control.name} to choose"
        raise DoesNotApply(reason, name=view.name, variant=shown.variant.name, kind="view")
    if given is None:
        return control.default if control.default in offered else offered[0]
    if given in offered:
        return str(given)
    close = difflib.get_close_matches(str(given), offered, n=1, cutoff=0.5)
    raise BadValue(
        f"{control.name!r} of {view.name!r} cannot be {given!r}.",
        f"Did you mean {close[0]!r}?" if close else f"It offers {len(offered)} names for {shown.variant.name}.",
        f"Choose from: {', '.join(offered[:12])}{', ...' if len(offered) > 12 else ''}.",
    )


def _number(view: View, control: Number, shown: ViewData, given: object) -> float:
    least, greatest = bounds(control, shown)
    value = _read_number(control.default if given is None else given)
    # A default beyond what the data allows is not the user's mistake.
    if given is None and value is not None:
        value = min(max(value, least), greatest)
    if value is None or not least <= value <= greatest or (control.whole and value != int(value)):
        kind = "whole number" if control.whole else "number"
        span = f"from {least:g}" + (f" to {greatest:g}" if math.isfinite(greatest) else " on")
        raise BadValue(
            f"{control.name!r} of {view.name!r} cannot be {given!r}.",
            f"For {shown.variant.name} it is a {kind} {span}.",
            f"Give one, like {control.name}={min(max(control.default, least), greatest):g}.",
        )
    return int(value) if control.whole else value


def _read_number(given: object) -> float | None:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        value = float(given)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _toggle(view: View, control: Toggle, given: object) -> bool:
    if isinstance(given, bool):
        return given
    if str(given).lower() in _ON_OFF:
        return _ON_OFF[str(given).lower()]
    raise BadValue(
        f"{control.name!r} of {view.name!r} cannot be {given!r}.",
        "It is a toggle: on or off.",
        f"Give {control.name}=true or {control.name}=false.",
    )


def _unknown(view: View, name: str) -> BadValue:
    names = [control.name for control in view.all_controls]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return BadValue(
        f"{view.name!r} has no control named {name!r}.",
        f"Did you mean {close[0]!r}?" if close else f"It has {len(names) or 'no'} control{'s' * (len(names) != 1)}.",
        f"Its controls are: {', '.join(names)}." if names else "Leave it out.",
    )
