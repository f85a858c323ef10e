"""The one step cursor of the page. It lives in the browser; here it only says where it came to rest."""

from __future__ import annotations

from dataclasses import asdict
from typing import ClassVar, final

import param

from miscope.maths.dated_events import EVENT_WORDS
from miscope_panel.page.client import source, style
from miscope_panel.page.messaging_component import MessagingComponent

__all__ = ["Cursor"]


@final
class Cursor(MessagingComponent):
    """Slider, keys, play and typed step over every checkpoint of a variant."""

    steps = param.List(default=[], item_type=int, doc="Every checkpoint, ascending; never a sample of them.")
    asked = param.Integer(
        default=None, allow_None=True, doc="The step asked for, 80 ms after the last move; None: the last."
    )
    spacing = param.Selector(default="linear", objects=["linear", "log"], doc="Of the steps along the slider.")
    between = param.String(doc="The steps that every axis over training shows, 'FIRST,LAST'; '' for all of them.")
    axis_clock = param.Dict(
        default={}, doc="zero, unit, title: how the axes of the cards count steps; {} where by the step."
    )
    followed = param.Integer(
        default=None, allow_None=True, doc="The step that every card was asked for; play goes on when all show it."
    )
    step_label = param.String(default="step")
    events = param.Dict(default={}, doc="Named steps to mark.")
    event_words = param.Dict(
        default={name: asdict(words) for name, words in EVENT_WORDS.items()}, doc="What events are called."
    )
    active = param.Boolean(default=True, doc="Whether keys move it.")
    variant = param.String(doc="Whose training it goes through; '' where it is that of several.")
    stages = param.List(default=[], item_type=dict, doc="Stages of training: name, first, last, colour.")
    clock = param.String(default="linear", doc="How all cards lay out steps: a value of STEP_SCALE.")
    event_marks = param.Boolean(default=True, doc="Whether events are marked on them.")
    same_scale = param.Boolean(default=True, doc="Whether views of a checkpoint have the axes of all checkpoints.")
    shows_stages = param.Boolean(default=True, doc="Whether the stages are seen, here and behind axes over training.")
    courses = param.List(
        default=[],
        item_type=dict,
        doc="Of each that is compared: variant, label, colour, clock, stages, pins.",
    )
    pins = param.List(default=[], item_type=dict, doc="Steps to come back to: step, note.")
    can_pin = param.Boolean(default=False, doc="Whether steps may be pinned.")
    pin_said = param.String(doc="Why a step could not be pinned; '' where nothing stood in the way.")

    _esm = source(
        "page_cursor", "cursor", "tint", "cursor_stages", "cursor_pins", "cursor_axes", "between", "shared_range"
    )
    _stylesheets: ClassVar[list[str]] = [style("cursor", "cursor_course")]
