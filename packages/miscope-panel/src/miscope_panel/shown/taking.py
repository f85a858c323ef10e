"""A picture taken elsewhere: the line of Python, the command and the address that draw it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

from miscope.analysis.analyzer_options import written_options
from miscope.figures.controls import Value
from miscope.view import View, ViewData

__all__ = ["in_python", "in_query", "in_shell", "turned_away"]


def turned_away(view: View, settled: Mapping[str, Value], resting: Mapping[str, Value]) -> dict[str, Value]:
    """The controls that stand elsewhere than they would by themselves, in the view's order."""
    names = [control.name for control in view.all_controls]
    return {name: settled[name] for name in names if settled[name] != resting[name]}


def in_python(root: Path, view: View, shown: ViewData, turned: Mapping[str, Value]) -> str:
    """The figure in a notebook."""
    controls = "".join(f", {name}={value!r}" for name, value in turned.items())
    controls = f", options={ {n: dict(v) for n, v in shown.options.items()}!r}{controls}" if shown.options else controls
    variants = [f"workspace.find({name!r})" for name in _names(shown)]
    if shown.members:
        drawn = f"workspace.view({view.name!r}, [{', '.join(variants)}]{controls}).figure()"
    else:
        at = "" if shown.step is None else f".at({shown.step})"
        drawn = f"{variants[0]}{at}.view({view.name!r}{controls}).figure()"
    return "\n".join(["import miscope", "", f"workspace = miscope.open({str(root)!r})", f"figure = {drawn}", ""])


def in_shell(view: View, shown: ViewData, turned: Mapping[str, Value]) -> str:
    """The command that writes it to a file."""
    words = ["miscope", "show", view.name, *_names(shown)]
    words += [] if shown.step is None else ["--step", str(shown.step)]
    for name, value in turned.items():
        words += ["-o", f"{name}={_text(value)}"]
    words += [word for option in written_options(shown.options) for word in ("-o", option)]
    return shlex.join([*words, "--out", f"{view.name}.pdf"])


def in_query(view: View, shown: ViewData, turned: Mapping[str, Value]) -> str:
    """What the HTTP interface is asked for it."""
    first, *others = _names(shown)
    asked: dict[str, object] = {"view": view.name, "variant": first}
    asked |= {"with": ",".join(others)} if others else {}
    asked |= {} if shown.step is None else {"step": shown.step}
    options = (option.partition("=") for option in written_options(shown.options))
    asked |= {name: value for name, _, value in options}
    return urlencode({**asked, **{name: _text(value) for name, value in turned.items()}})


def _names(shown: ViewData) -> Sequence[str]:
    return [member.shown.variant.name for member in shown.members] or [shown.variant.name]


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
