"""`miscope views --for VARIANT` and `miscope analyzers --for VARIANT`: which apply to it, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.analyzer import Analyzer, Grain
from miscope.cli.printing import print_json, print_table
from miscope.commands import in_workspace
from miscope.errors import BadValue
from miscope.plugins.plugins import Plugins
from miscope.view import View

if TYPE_CHECKING:
    from miscope.figures.availability import Availability, State
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["tell"]

_WORDS: Mapping[State, str] = {
    "there": "yes",
    "missing": "not computed",
    "inapplicable": "does not apply",
    "error": "cannot be read",
}


def tell(workspace: Workspace, kind: str, name: str | None, targets: Sequence[str], *, as_json: bool) -> None:
    """Print for every view or analyzer of the tables, or for the one of that name, what there is of a variant.

    targets: its name; several: what there is of what compares them.
    """
    variants = [workspace.find(target) for target in dict.fromkeys(targets)]
    if name is not None:
        _tell_one(workspace, _record(workspace, kind, name, alone=len(variants) == 1), variants, as_json=as_json)
        return
    table = {"view": workspace.plugins.views, "analyzer": workspace.plugins.analyzers}[kind]
    records = [record for _, record in sorted(table.items()) if len(variants) == 1 or record.grain is Grain.COHORT]
    every = [(record, _available(workspace, record, variants)) for record in records]
    if as_json:
        print_json([_plain(record, found) for record, found in every])
        return
    of = len(workspace.store.steps(variants[0].name))
    print_table(
        (kind, "grain", "there", "why not, or where"),
        [(r.name, r.grain, _WORDS[found.state], found.reason or _where(found, of)) for r, found in every],
    )
    for line in _summary(workspace.root, kind, [found for _, found in every], variants):
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


def _tell_one(workspace: Workspace, record: View | Analyzer, variants: Sequence[Variant], *, as_json: bool) -> None:
    found = _available(workspace, record, variants, alone=True)
    if as_json:
        print_json(_plain(record, found))
    else:
        print(found.message or _there(workspace.root, record, found, variants))


def _available(
    workspace: Workspace, record: View | Analyzer, variants: Sequence[Variant], *, alone: bool = False
) -> Availability:
    from miscope.figures.availability import analyzer_availability, view_availability

    if isinstance(record, View):
        return view_availability(workspace, record, variants, drawing=alone)
    return analyzer_availability(workspace, record.name, variants)


def _plain(record: View | Analyzer, found: Availability) -> dict[str, object]:
    where = {"step": found.step} if isinstance(record, View) else {"steps": list(found.steps)}
    why = {"reason": found.reason, "message": found.message, "command": found.command}
    return {"name": found.name, "grain": str(record.grain), "state": found.state, **why, **where}


def _where(found: Availability, checkpoints: int) -> str:
    """The step of a view that cannot be drawn at the last; how many checkpoints an analyzer has looked at."""
    if found.steps and len(found.steps) < checkpoints:
        return f"at {len(found.steps)} of {checkpoints} checkpoints"
    return f"at --step {found.step}" if found.earlier else ""


def _summary(root: Path, kind: str, every: Sequence[Availability], variants: Sequence[Variant]) -> Iterator[str]:
    names, there = " ".join(variant.name for variant in variants), sum(found.state == "there" for found in every)
    done = "can be drawn" if kind == "view" else "have been computed"
    yield f"\n{there} of {len(every)} {kind}s {done} for {names}."
    if any(found.command for found in every):
        line = in_workspace(root, f"miscope analyze {names}")
        yield f"To compute what is missing:  {line}  (with --only NAME what takes long)"


def _there(root: Path, record: View | Analyzer, found: Availability, variants: Sequence[Variant]) -> str:
    names = " ".join(variant.name for variant in variants)
    if isinstance(record, View):
        at = f" --step {found.step}" if found.earlier else ""
        line = in_workspace(root, f"miscope show {record.name} {names}{at}")
        return f"{record.name!r} can be drawn for {names}.\nTo draw it:  {line}"
    at = f" at {len(found.steps)} checkpoints" if record.grain is Grain.CHECKPOINT else ""
    return f"{record.name!r} has been computed for {names}{at}."
