"""The line of Python that draws figures of several variants put together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from miscope.analysis.analyzer_options import Options
from miscope.figures.comparing.how_compared import HowCompared

__all__ = ["compared_in_python"]


def compared_in_python(
    view: str, variants: Sequence[str], how: HowCompared, shown: Mapping[str, object], options: Options | None = None
) -> str:
    """'workspace.compared('learning.losses', [...], align='generalised')[0]', of a workspace called `workspace`.

    variants: names. shown: the step, where there is one, and the controls that are turned.
    """
    found = ", ".join(f"workspace.find({name!r})" for name in variants)
    usual = HowCompared()
    words = ("mode", "align", "means", "own_scales")
    given = {word: getattr(how, word) for word in words if getattr(how, word) != getattr(usual, word)}
    controls = {name: value for name, value in shown.items() if name != "step"}
    given |= {} if shown.get("step") is None else {"step": shown["step"]}
    given |= {"options": {name: dict(values) for name, values in options.items()}} if options else {}
    given |= {"controls": controls} if controls else {}
    rest = "".join(f", {name}={value!r}" for name, value in given.items())
    return f"workspace.compared({view!r}, [{found}]{rest})[{how.place}]"
