"""A study before it is run: every run with all its settings, and what there is of it already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from miscope.cli.estimating import basis, written_bytes, written_time
from miscope.cli.printing import note, print_json, print_table
from miscope.field_text import written_value
from miscope.settings import settings_of, settings_that_count
from miscope.store.trained_with import said_of
from miscope.studies.planning import PlannedRun, Presence
from miscope.studies.study import Study, shared_settings
from miscope.studies.study_estimate import StudyEstimate
from miscope.studies.study_fields import StudyTraining

__all__ = ["note_trained_otherwise", "show_plan"]


def show_plan(study: Study, plan: Sequence[PlannedRun], left: StudyEstimate, *, as_json: bool) -> None:
    """Print the plan: what the runs have in common, a row for each with what is its own, and what is left to do."""
    if as_json:
        rows = [_row(each) | _estimated(each, left) for each in plan]
        print_json({"study": study.name, "family": study.family, "runs": rows})
        return
    counts = Counter(each.presence for each in plan)
    listed = ", ".join(f"{counts[presence]} {presence}" for presence in Presence if counts[presence])
    print(f"{study.name}: {len(plan)} of {len(study.runs)} runs of {study.family}: {listed}")
    if study.description:
        print(study.description)
    rows = [(each, settings_that_count(each.run.variant)) for each in plan]
    count = dict.fromkeys(name for _, counting in rows for name in counting)
    shared = {n: v for n, v in shared_settings([each.run for each in plan]).items() if n in count}
    print("\nEvery run:")
    for title, settings in {"fields": shared, **_asked(plan[0])}.items():
        print(f"  {title:<8} {_line(settings)}")
    own = [name for name in count if name not in shared]
    print()
    print_table(
        ("#", "run", *own, "what there is"),
        [
            (each.number, each.run.name, *(_text(counting[name]) if name in counting else "–" for name in own), each)
            for each, counting in rows
        ],
    )
    note_trained_otherwise(plan)
    _show_estimate(left, study.family)


def note_trained_otherwise(plan: Sequence[PlannedRun]) -> None:
    """Say what to do about finished runs that were trained otherwise than the study asks, if there are some."""
    if others := list(dict.fromkeys(said_of(each.trained_with) for each in plan if each.trained_with)):
        more = ", ..." * (len(others) > 1)
        note(f"A finished run stays as it is, {others[0]}{more}; for another, give it a label or delete it first.")


def _show_estimate(left: StudyEstimate, family: str) -> None:
    """What there is to train, and of which runs nobody knows."""
    if left.runs:
        low, high = (written_time(seconds) for seconds in left.seconds)
        adaptive = any(each.adaptive for each in left.runs.values())
        counts = (
            f"{len(left.runs)} to train, {left.steps:,} steps, {'at least ' * adaptive}{left.checkpoints:,} checkpoints"
        )
        print(f"\n{counts}, {written_bytes(left.size)}; one after the other {low} to {high},")
        print(f"{basis(left.measured, family)}; analyses not counted.")
    for name, problem in left.problems.items():
        note(f"\n{name} cannot be estimated: {problem}")


def _estimated(planned: PlannedRun, left: StudyEstimate) -> dict[str, Any]:
    """What the training will take; null where it is finished, or nobody knows."""
    known = left.runs.get(planned.run.name)
    return {"estimate": None if known is None else known.facts(), "problem": left.problems.get(planned.run.name)}


def _asked(planned: PlannedRun) -> dict[str, Mapping[str, Any]]:
    """How it is trained beside its fields, and what is computed of it: the same for all runs of a study."""
    train = planned.run.train.model_dump(mode="json")
    how = {name: train[name] for name in StudyTraining.model_fields if name != "steps"}
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
        "trained_with": dict(planned.trained_with),
        "settings": settings_of(run.variant),
        "train": run.train.model_dump(mode="json"),
        "analyze": None if run.analyze is None else run.analyze.model_dump(mode="json"),
    }
