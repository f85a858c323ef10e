"""`miscope annotate`: tags, notes and pinned steps of variants."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import print_json
from miscope.errors import BadValue

if TYPE_CHECKING:
    from miscope.store.annotation import Annotation

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `annotate`."""
    cli.command(rich_help_panel="Make")(annotate)


def annotate(
    variant: Annotated[
        list[str], typer.Argument(metavar="VARIANT...|FAMILY [KEY=VALUE]...", help="Variants, or those of a family.")
    ],
    notes: Annotated[str | None, typer.Option(help="What is to be known, in Markdown.", show_default=False)] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="A word to find it by (repeatable), in place of those it has.")
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="It is to have none.")] = False,
    pin: Annotated[
        list[str] | None, typer.Option(metavar="STEP[=NOTE]", help="A step to come back to (repeatable).")
    ] = None,
    unpin: Annotated[list[int] | None, typer.Option(metavar="STEP", help="It is pinned no more (repeatable).")] = None,
    history: Annotated[bool, typer.Option("--history", help="Show all that was ever written, latest first.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give variants tags, notes and pins, or show them; what they had before is kept."""
    from miscope.cli.targets import variants_meant
    from miscope.store.annotation import AnnotationChange, pins_of
    from miscope.store.annotation_files import annotation_of, change_annotation, earlier

    if tag and no_tags:
        raise BadValue("Has it tags, or none?", "There are --tag and --no-tags.", "Leave one of them out.")
    tags = () if no_tags else tuple(tag) if tag else None
    pins = pins_of(dict(map(_pin, pin or ())))
    changes = AnnotationChange(tags=tags, notes=notes, pins=pins, unpin=tuple(unpin or ()))
    if changes and history:
        raise BadValue("Is it to be changed, or shown?", "--history only shows.", "Leave one of them out.")
    place = opened(workspace)
    rows = []
    for name in [each.name for each in variants_meant(place, variant)]:
        if history:
            found = earlier(place.store, name)
        else:
            found = [change_annotation(place.store, name, changes) if changes else annotation_of(place.store, name)]
        rows += [{"variant": name, **asdict(one)} for one in found]
        if not as_json:
            print("\n".join([f"{name}:", *map(_said, found)]) if found else f"{name}: no tags or notes")
    if as_json:
        print_json(rows)


def _said(annotation: Annotation) -> str:
    """Tags in brackets, then notes and pins, each line indented under the variant's name."""
    tags = f"[{', '.join(annotation.tags)}]" if annotation.tags else ""
    lines = [" ".join(filter(None, (annotation.written, tags))), *annotation.notes.splitlines()]
    lines += [f"pinned {pin.step:,}{': ' * bool(pin.note)}{pin.note}" for pin in annotation.pins]
    return "\n".join(f"  {line}".rstrip() for line in lines if line) or "  no tags or notes"


def _pin(text: str) -> tuple[int, str]:
    step, _, note = text.partition("=")
    if not (step.isascii() and step.isdecimal()):
        raise BadValue(f"{text!r} pins no step.", "A pin is a step, and after '=' its note.", "Say  --pin 500=NOTE.")
    return int(step), note
