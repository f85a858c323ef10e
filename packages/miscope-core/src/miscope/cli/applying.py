"""`miscope views --for VARIANT` and `miscope analyzers --for VARIANT`: which apply to it, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.analyzer import Analyzer, Grain
from miscope.cli.printing import print_json, print_table
from miscope.cli.targets import whole_name
from miscope.commands import in_workspace
from miscope.errors import BadValue
from miscope.plugins.plugins import Plugins
from miscope.view import View

if TYPE_CHECKING:
    from miscope.figures.availability import Availability, State
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["print_available"]

_WORDS: Mapping[State, str] = {
    "there": "yes",
    "missing": "not computed",
    "inapplicable": "does not apply",
    "error": "cannot be read",
}


def print_available(
    workspace: Workspace, kind: str, name: str | None, targets: Sequence[str], *, as_json: bool
) -> None:
    """Print for every view or analyzer of the tables, or for the one of that name, what there is of a variant.

    targets: its name; several: what there is of what compares them.
    """
    variants = [workspace.find(whole_name(workspace, target)) for target in dict.fromkeys(targets)]
    if name is not None:
        _print_one(workspace, _record(workspace, kind, name, alone=len(variants) == 1), variants, as_json=as_json)
        return
    table = {"view": workspace.plugins.views, "analyzer": workspace.plugins.analyzers}[kind]
    records = [record for _, record in sorted(table.items()) if len(variants) == 1 or record.grain is Grain.COHORT]
    every = [(record, _available(workspace, record, variants)) for record in records]
    if as_json:
        print_json([_plain(record, availability) for record, availability in every])
        return
    of = len(workspace.store.steps(variants[0].name))
    print_table(
        (kind, "grain", "there", "why not, or where"),
        [
            (r.name, r.grain, _WORDS[availability.state], availability.reason or _where(availability, of))
            for r, availability in every
        ],
    )
    for line in _summary(workspace.root, kind, [availability for _, availability in every], variants):
        print(line)


def _record(workspace: Workspace, kind: str, name: str, *, alone: bool) -> View | Analyzer:
    record = {"view": Plugins.view, "analyzer": Plugins.analyzer}[kind](workspace.plugins, name)
    if not alone and record.grain is not Grain.COHORT:
        raise BadValue(
            f"{name!r} compares no variants, and several are named.",
            f"It is of {record.grain} grain and looks at one.",
            "Name one with --for.",
        )
    return record


def _print_one(workspace: Workspace, record: View | Analyzer, variants: Sequence[Variant], *, as_json: bool) -> None:
    availability = _available(workspace, record, variants, alone=True)
    if as_json:
        print_json(_plain(record, availability))
    else:
        print(availability.message or _there(workspace.root, record, availability, variants))


def _available(
    workspace: Workspace, record: View | Analyzer, variants: Sequence[Variant], *, alone: bool = False
) -> Availability:
    from miscope.figures.availability import analyzer_availability, view_availability

    if isinstance(record, View):
        return view_availability(workspace, record, variants, drawing=alone)
    return analyzer_availability(workspace, record.name, variants)


def _plain(record: View | Analyzer, availability: Availability) -> dict[str, object]:
    where = {"step": availability.step} if isinstance(record, View) else {"steps": list(availability.steps)}
    why = {"reason": availability.reason, "message": availability.message, "command": availability.command}
    return {"name": availability.name, "grain": str(record.grain), "state": availability.state, **why, **where}


def _where(availability: Availability, checkpoints: int) -> str:
    """The step of a view that cannot be drawn at the last; how many checkpoints an analyzer has looked at."""
    if availability.steps and len(availability.steps) < checkpoints:
        return f"at {len(availability.steps)} of {checkpoints} checkpoints"
    return f"at --step {availability.step}" if availability.earlier else ""


def _summary(root: Path, kind: str, every: Sequence[Availability], variants: Sequence[Variant]) -> Iterator[str]:
    names, there = (
        " ".join(variant.name for variant in variants),
        sum(availability.state == "there" for availability in every),
    )
    done = "can be drawn" if kind == "view" else "have been computed"
    yield f"\n{there} of {len(every)} {kind}s {done} for {names}."
    if any(availability.command for availability in every):
        line = in_workspace(root, f"miscope analyze {names}")
        yield f"To compute what is missing:  {line}  (with --only NAME what takes long)"


def _there(root: Path, record: View | Analyzer, availability: Availability, variants: Sequence[Variant]) -> str:
    names = " ".join(variant.name for variant in variants)
    if isinstance(record, View):
        at = f" --step {availability.step}" if availability.earlier else ""
        line = in_workspace(root, f"miscope show {record.name} {names}{at}")
        return f"{record.name!r} can be drawn for {names}.\nTo draw it:  {line}"
    at = f" at {len(availability.steps)} checkpoints" if record.grain is Grain.CHECKPOINT else ""
    return f"{record.name!r} has been computed for {names}{at}."
