"""A study before it is run: every run with all its settings, and what there is of it already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from miscope.cli.printing import print_json, print_table
from miscope.field_text import written_value
from miscope.studies.planning import PlannedRun, Presence
from miscope.studies.study import Study, settings_of, shared_settings

__all__ = ["show_plan"]


def show_plan(study: Study, plan: Sequence[PlannedRun], *, as_json: bool) -> None:
    """Print the plan: what the runs have in common, then a row for each with what is its own."""
    if as_json:
        print_json({"study": study.name, "family": study.family, "runs": [_row(each) for each in plan]})
        return
    counts = Counter(each.presence for each in plan)
    listed = ", ".join(f"{counts[presence]} {presence}" for presence in Presence if counts[presence])
    print(f"{study.name}: {len(plan)} of {len(study.runs)} runs of {study.family}: {listed}")
    if study.description:
        print(study.description)
    shared = shared_settings([each.run for each in plan])
    print("\nEvery run:")
    for title, settings in {"fields": shared, **_asked(plan[0])}.items():
        print(f"  {title:<8} {_line(settings)}")
    own = [name for name in settings_of(plan[0].run.variant) if name not in shared]
    print()
    rows = [(each, settings_of(each.run.variant)) for each in plan]
    print_table(
        ("#", "run", *own, "what there is"),
        [(each.number, each.run.name, *(_text(all_of[name]) for name in own), each) for each, all_of in rows],
    )


def _asked(planned: PlannedRun) -> dict[str, Mapping[str, Any]]:
    """How it is trained beside its fields, and what is computed of it: the same for all runs of a study."""
    train = planned.run.train.model_dump(mode="json")
    how = {name: train[name] for name in ("device", "threads", "compile", "watch", "label")}
    analyze = planned.run.analyze
    asked = None if analyze is None else analyze.model_dump(mode="json", exclude={"kind", "variants", "force", "group"})
    return {"train": how, **({} if asked is None else {"analyze": asked})}


def _line(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_text(value)}" for name, value in settings.items())


def _text(value: Any) -> str:
    return written_value(value) or "none"


def _row(planned: PlannedRun) -> dict[str, Any]:
    run = planned.run
    return {
        "number": planned.number,
        "name": run.name,
        "variant": run.variant.name,
        "presence": planned.presence.value,
        "step": planned.step,
        "total": planned.total,
        "settings": settings_of(run.variant),
        "train": run.train.model_dump(mode="json"),
        "analyze": None if run.analyze is None else run.analyze.model_dump(mode="json"),
    }
