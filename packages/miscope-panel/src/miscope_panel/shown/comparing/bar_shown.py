"""What stands over the cards of the page of comparisons."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from miscope.figures.comparing.clock import EVERY_RUN
from miscope.maths.dated_events import long_name
from miscope.view import View
from miscope_panel.shown.comparing.compared import Compared, Member
from miscope_panel.shown.comparing.compared_view import ComparedView
from miscope_panel.shown.comparing.comparison import MODES, MOST, Comparison
from miscope_panel.shown.comparing.two_sides import Roomless, roomless
from miscope_panel.shown.variant_chips import Chip

__all__ = ["bar_shown", "courses_shown", "notes_of", "too_many", "unread"]


def bar_shown(known: Compared, asked: Comparison, installed: Mapping[str, View]) -> dict[str, Any]:
    """Its parameters, but for the variants that can be added and the notes."""
    label = known.members[0].step_label if known.members else "step"
    unseen = _roomless(known, asked, installed).everywhere
    events = [*known.events, *([asked.align] if asked.align not in (*known.events, *EVERY_RUN) else [])]
    aligns = [
        ("step", label),
        ("fraction", "fraction of training"),
        *((event, f"{label}s since {long_name(event)}") for event in events),
    ]
    return {
        "chips": [_chip(member.chip, asked, unseen) for member in known.members],
        "differs": known.words,
        "fields": [{"name": name, "values": list(values)} for name, values in known.differing.items()],
        "modes": [{"value": value, "label": text} for value, text in MODES.items()],
        "aligns": [{"value": value, "label": text} for value, text in aligns],
        "asked": {
            "mode": asked.mode,
            "align": asked.align,
            "mean": asked.mean and bool(known.averaged(asked.hidden)),
            "scales": "own" if asked.own_scales else "shared",
        },
        "can_mean": bool(known.averaged(asked.hidden)),
        "views": [
            {"name": name, "title": view.title} for name, view in sorted(installed.items()) if name not in asked.views
        ],
    }


def _chip(chip: Chip, asked: Comparison, unseen: Collection[str]) -> dict[str, Any]:
    return {
        "variant": chip.variant,
        "label": chip.label,
        "colour": chip.colour,
        "words": [
            *filter(None, [chip.trouble]),
            *(["not shown"] if chip.variant in unseen else []),
            *chip.words,
        ],
        "hidden": chip.variant in asked.hidden,
    }


def _roomless(known: Compared, asked: Comparison, installed: Mapping[str, View]) -> Roomless:
    if asked.mode != "ab":
        return Roomless()
    there = [member for member in known.members if member.name not in asked.hidden]
    return roomless([installed[name] for name in asked.views], there, asked.align)


def _of_two(known: Compared, asked: Comparison, installed: Mapping[str, View]) -> Iterator[dict[str, Any]]:
    """Who is not shown beside these two, and how to have them there."""
    found = _roomless(known, asked, installed)
    kinds = ((found.everywhere, "not shown"), (found.in_some, "not shown in every view"))
    said = [f"{_letters(known, names)} {words}" for names, words in kinds if names]
    if said:
        yield _note(
            f"{'; '.join(said)}: A | B has room for two variants. Press the name of one to make it A, or choose "
            "\u201cSmall multiples\u201d to see all."
        )


def _letters(known: Compared, names: Collection[str]) -> str:
    """'C is', 'C and D are'."""
    letters = [chr(ord("A") + place) for place, member in enumerate(known.members) if member.name in names]
    return f"{' and '.join(', '.join(letters).rsplit(', ', 1))} {'is' if len(letters) == 1 else 'are'}"


def notes_of(
    known: Compared | None,
    asked: Comparison,
    shown: Mapping[str, ComparedView | None],
    installed: Mapping[str, View],
) -> Iterator[dict[str, Any]]:
    """What is to be known: variants that are not here or not aligned, and whether all were shown the same inputs.

    installed: views by name.
    """
    if known is None:
        return
    for name, why in known.unknown.items():
        yield _note(f"{name!r} cannot be opened. {why}" if why else f"There is no variant {name!r} here.", bad=True)
    if len(known.members) < 2:
        first = "Choose variants to compare." if not known.members else "Add another variant to compare it with."
        yield _note(f"{first} Or select some on the page of runs and press \u201cCompare\u201d.")
        return
    yield from _of_two(known, asked, installed)
    if asked.mode != "grid":
        for member in known.members:
            if member.clock(asked.align) is None and member.chip.variant not in asked.hidden:
                yield _note(" ".join(member.unaligned(asked.align)), member.instead(), bad=True)
    yield from _of_inputs({name: view for name, view in shown.items() if view is not None})


def _of_inputs(made: Mapping[str, ComparedView]) -> Iterator[dict[str, Any]]:
    """What the pictures were computed of, and by which versions of the analyzers."""
    for name, view in made.items():
        if not view.inputs.same:
            yield _note(f"{name}: {view.inputs.words}.", bad=True)
    for words in dict.fromkeys(words for view in made.values() for words in view.inputs.outdated):
        yield _note(f"Left out: {words}", bad=True)
    same = [view.inputs for view in made.values() if view.inputs.same]
    inputs = dict.fromkeys(known.words for known in same if known.words)
    versions = dict.fromkeys(version for known in same for version in known.versions)
    words = [f"on the same {' and '.join(inputs)}"] if inputs else []
    words += [f"by the same analyzers: {', '.join(versions)}"] if versions else []
    if words:
        yield _note(f"Compared {' '.join(words)}.")


def courses_shown(members: Sequence[Member], align: str) -> list[dict[str, Any]]:
    """What is marked along the axes of each that can be aligned so, and where its steps stand there."""
    clocks = [(member, member.clock(align)) for member in members]
    return [
        {
            "variant": member.name,
            "label": member.chip.label,
            "colour": member.chip.colour,
            "clock": {"zero": clock.zero, "unit": clock.unit},
            "stages": [asdict(stage) for stage in member.stages],
            "pins": [asdict(pin) for pin in member.pins],
        }
        for member, clock in clocks
        if clock is not None
    ]


def too_many(names: Sequence[str]) -> list[dict[str, Any]]:
    """That not all of these are shown, where they are not."""
    if len(names) <= MOST:
        return []
    return [_note(f"The first {MOST} of {len(names)} variants are shown: so many colours can be told apart.", bad=True)]


def unread(why: str) -> list[dict[str, Any]]:
    """That nothing could be read of the variants."""
    return [_note(f"The variants cannot be read: {why}", bad=True)]


def _note(text: str, choices: Sequence[tuple[str, str, str]] = (), *, bad: bool = False) -> dict[str, Any]:
    listed = [{"label": label, "control": control, "value": value} for label, control, value in choices]
    return {"text": text, "bad": bad, "choices": listed}
