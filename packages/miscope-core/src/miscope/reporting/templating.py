"""Templates of reports: those that come along, and those in the workspace, which go before them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.errors import MiscopeError
from miscope.reporting.content import Report, ShownView
from miscope.reporting.gaps import gaps

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from miscope.workspace import Workspace

__all__ = ["BrokenTemplate", "filled"]

_OWN = Path(__file__).parent / "templates"
_SPECIAL = re.compile(r"([\\`*<>\[\]|#~])")
_OF_CODE = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
"""What an expression in a template may raise."""


class BrokenTemplate(MiscopeError):
    """A template of a report that cannot be filled."""

    def __init__(self, name: str, problem: str, folder: Path) -> None:
        super().__init__(
            f"The template {name} of this report cannot be filled.",
            problem,
            f"Correct it in {folder}, or take it away from there: then miscope's own is used.",
        )


def filled(workspace: Workspace, name: str, report: Report, **more: object) -> str:
    """The template 'report.html.j2' or 'report.md.j2' with the report in it; BrokenTemplate where that fails.

    more: what the template is given beside `report`. What ends in .html.j2 has all that is put into it escaped.
    """
    from jinja2 import TemplateError, TemplateNotFound

    folder = workspace.store.layout.report_templates
    try:
        return _environment(folder).get_template(name).render(report=report, **more)
    except TemplateNotFound as error:
        raise BrokenTemplate(name, f"It includes {error.name!r}, and there is no such template.", folder) from error
    except TemplateError as error:
        where = f"{getattr(error, 'name', None) or name}, line {line}: " if (line := _line_of(error)) else ""
        raise BrokenTemplate(name, f"{where}{error}.".replace("..", "."), folder) from error
    except _OF_CODE as error:
        raise BrokenTemplate(name, f"{type(error).__name__}: {error}.", folder) from error


def _line_of(error: Exception) -> int | None:
    """Where in a template it happened; None where that is not known."""
    line = getattr(error, "lineno", None)
    trace = error.__traceback__
    while line is None and trace is not None:
        here = trace.tb_frame.f_code.co_filename
        found = trace.tb_lineno if here.endswith(".j2") else None
        trace = trace.tb_next
        line = found if found is not None and (trace is None or not _further(trace)) else None
    return line


def _further(trace: Any) -> bool:
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(".j2"):
            return True
        trace = trace.tb_next
    return False


def _environment(folder: Path) -> Environment:
    from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    own = FileSystemLoader(_OWN)
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder), own, PrefixLoader({"miscope": own})]),
        autoescape=lambda name: name is None or not name.endswith(".md.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure_json"] = _figure_json
    environment.filters["plain"] = _plain
    environment.globals["plotly_js"] = _plotly_js
    environment.filters["gaps"] = gaps
    return environment


def _figure_json(shown: ShownView) -> Markup:
    """The figure for plotly.js, such that nothing in it looks like the end of a script."""
    from markupsafe import Markup

    whole = json.loads(shown.figure.to_json() or "")
    return Markup(json.dumps(whole, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def _plotly_js() -> Markup:
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def _plain(text: str) -> str:
    """The text in Markdown, where nothing in it is a mark."""
    return _SPECIAL.sub(r"\\\1", text).replace("\n", " ")
