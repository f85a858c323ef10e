"""What the page to launch runs looks like in the browser: one component, told all it shows and saying what was done."""

from __future__ import annotations

from typing import ClassVar, final

import param

from miscope.studies.template_exchange import MOST_BYTES, too_long
from miscope_panel.page.client import source, style
from miscope_panel.page.messaging_component import MessagingComponent

__all__ = ["LaunchView"]


@final
class LaunchView(MessagingComponent):
    """Form, templates, YAML, review and the runs that were started; it decides nothing."""

    families = param.List(doc="Name and title of each.")
    fields = param.List(doc="Those of the family: name, group, help, allowed, default, choices, required, sweeps.")
    texts = param.Dict(default={}, doc="What stands in the fields; set when it comes from elsewhere than the form.")
    defaults = param.Dict(default={}, doc="Field -> what it is where nothing is typed, as the other fields have it.")
    choices = param.Dict(default={}, doc="Field -> what there is in the workspace to choose.")
    problems = param.Dict(default={}, doc="Field -> why it is refused.")
    problem = param.String(doc="Why the whole is refused.")
    lacking = param.List(doc="Fields that have to be filled in first.")
    yaml = param.String(doc="The form as a study's file.")
    yaml_problem = param.String(doc="Why what was written as YAML is no study.")
    looking = param.Boolean(default=False, doc="Whether what is shown of the form is of an older one.")
    review = param.Dict(default={}, doc="What would be run.")
    estimate = param.List(doc="What that will take, in sentences.")
    blocked = param.String(default="Nothing is chosen yet.", doc="Why nothing can be started; '' where it can.")
    templates_open = param.Boolean(default=False, doc="Whether somebody came for the templates.")
    templates = param.Dict(default={}, doc="Those that are kept, what is said of them, and one that is looked at.")
    longest = param.Dict(
        default={"bytes": MOST_BYTES, "words": str(too_long()).splitlines()},
        doc="Bytes that a file with templates may have, and what is said of a longer one, which is not sent.",
    )
    started = param.Dict(default={}, doc="What became of the last start.")
    runs = param.List(doc="The runs that were started, as cards of the page of jobs have them.")
    curve = param.Dict(default={}, doc="id and curves: losses of one of them; serial.")
    download = param.Dict(default={}, doc="A file for the browser to save: name and text.")

    _esm = source(
        *("launch", "launch_field", "launch_review", "launch_keys", "launch_templates", "loss_chart", "launch_started")
    )
    _stylesheets: ClassVar[list[str]] = [style("launch", "loss_chart")]
