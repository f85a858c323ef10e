"""Where a variant comes from: trained here, recorded, or imported, with weights or a curve alone. Never two of them."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from miscope.commands import in_workspace
from miscope.errors import BadValue

__all__ = [
    "Origin",
    "Standing",
    "imported_files",
    "may_import",
    "may_record",
    "may_restart",
    "may_train",
    "origin_of",
]


class Origin(enum.StrEnum):
    """Who made what lies in a variant's folder."""

    TRAINED = "trained here"
    IMPORTED = "imported"
    METRICS = "metrics only"
    """Imported too, without weights."""
    RECORDED = "recorded"
    """Handed over step by step by a training loop of somebody's own."""
    ELSEWHERE = "kept elsewhere"
    """Brought by its family when it is looked at; no file of the workspace."""


def origin_of(facts: Mapping[str, object]) -> Origin | None:
    """The origin by the facts of a variant's record; None where nothing was made yet."""
    recorded = facts.get("origin")
    if isinstance(recorded, str) and recorded in tuple(Origin):
        return Origin(recorded)
    # Records from before origins were written down: a training left its device there, an import its files.
    if "device" in facts:
        return Origin.TRAINED
    return Origin.IMPORTED if "imported" in facts else None


def imported_files(facts: Mapping[str, object]) -> dict[str, Mapping[str, Any]]:
    """What is remembered of each imported file, by its name: 'sha256', 'steps', 'config', 'optimizer'."""
    files = facts.get("imported")
    return dict(files) if isinstance(files, Mapping) else {}


@final
@dataclass(frozen=True, kw_only=True)
class Standing:
    """What there is of a variant before something is added to it."""

    name: str
    facts: Mapping[str, object]
    steps: Sequence[int]
    """Of its checkpoints, ascending."""
    recorded: int | None
    """Last step with a metric; None where there is none."""
    root: Path
    """Of the workspace it lies in."""
    resumable: bool = False
    """Whether there is a training state."""

    @property
    def origin(self) -> Origin | None:
        return origin_of(self.facts)

    @property
    def lent(self) -> bool:
        """Whether its first weights were made by something else than its own training."""
        return self.origin in (Origin.IMPORTED, Origin.METRICS, Origin.ELSEWHERE) or "warm" in self.facts

    def train(self, options: str) -> str:
        """The line that trains it with these options."""
        return in_workspace(self.root, f"miscope train {self.name} {options}")

    def __str__(self) -> str:
        if not self.steps:
            return "metrics only" if self.recorded is None else f"metrics only, up to step {self.recorded}"
        count = f"{len(self.steps)} checkpoint{'s' * (len(self.steps) != 1)}"
        return f"{count}, {'the last ' * (len(self.steps) > 1)}at step {self.steps[-1]}"


def may_train(standing: Standing, *, resume: bool, warm: bool) -> None:
    """Raise BadValue if training it so would begin anew, or replace, what the training did not make."""
    name, beside = standing.name, f"To train one beside it:  {standing.train('--as NAME')}"
    if standing.lent and not resume:
        raise BadValue(
            f"{name} cannot begin again at step 0: {_lender(standing)}.",
            f"It has {standing}, which would be replaced.",
            beside,
        )
    if standing.resumable:
        if warm and not standing.lent:
            raise BadValue(
                f"{name} was trained here, and goes on with its own optimizer.",
                f"It has {standing}.",
                f"Leave --warm out; or branch off with a fresh optimizer:  {standing.train('--warm --as NAME')}",
            )
        return
    if standing.lent and not warm:
        raise BadValue(
            f"{name} was imported: a training would begin anew at step 0 and replace what was brought here.",
            f"It has {standing}, and no optimizer state to go on with.",
            f"{_on_from(standing)}{beside}",
        )
    if warm and standing.steps and (standing.recorded or 0) > standing.steps[-1]:
        raise BadValue(
            f"{name} cannot go on from its last checkpoint, at step {standing.steps[-1]}.",
            f"It has metrics up to step {standing.recorded}, which would be replaced.",
            f"To go on beside it:  {standing.train('--warm --as NAME')}",
        )


def may_restart(standing: Standing, total: int) -> None:
    """Raise BadValue if a training that begins again up to `total` would leave checkpoints of the one before it."""
    if standing.steps and standing.steps[-1] > total:
        raise BadValue(
            f"{standing.name} cannot begin again up to step {total}: later checkpoints would stay beside it.",
            f"It has {standing}.",
            f"Train it as far:  --steps {standing.steps[-1]}; delete its folder; or train one beside it:  --as NAME",
        )


def may_import(standing: Standing, files: Sequence[str]) -> None:
    """Raise BadValue if the variant was trained here, wholly or from some step on: nothing is added to that."""
    if standing.origin not in (Origin.TRAINED, Origin.RECORDED) and "warm" not in standing.facts:
        return
    made = "recorded" if standing.origin is Origin.RECORDED else "trained here"
    line = in_workspace(standing.root, "miscope import ... --as NAME")
    raise BadValue(
        f"{standing.name} was {made}, so nothing is imported into it.",
        f"It has {standing}; {', '.join(files[:3])}{', ...' * (len(files) > 3)} would add to them or replace them.",
        f"To keep them apart:  {line}; or give the parameter in which they differ (--param).",
    )


def may_record(standing: Standing) -> None:
    """Raise BadValue if the variant was brought here otherwise: nothing is recorded into that."""
    if standing.origin is not Origin.RECORDED:
        raise BadValue(
            f"{standing.name} was {standing.origin or 'made otherwise'}, so nothing is recorded into it.",
            f"It has {standing}.",
            "Record under another name.",
        )


def _on_from(standing: Standing) -> str:
    how = f"with a fresh optimizer:  {standing.train('--warm --steps N')}"
    return f"To go on from step {standing.steps[-1]} {how}\n" if standing.steps else ""


def _lender(standing: Standing) -> str:
    warm = standing.facts.get("warm")
    if isinstance(warm, Mapping) and warm.get("from") not in (None, standing.name):
        return f"its training goes on from step {warm.get('step')} of {warm['from']}"
    return "it was imported"
