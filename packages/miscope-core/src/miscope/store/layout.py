"""Where everything lies in a workspace folder. Pure: makes paths of checked names, touches no file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final

from miscope.artifact import ArtifactKey
from miscope.errors import BadValue
from miscope.variant import check_name

__all__ = ["COHORT", "NOT_APPLICABLE", "Layout", "is_name", "step_name", "step_of"]

COHORT = "cohort"
"""What stands for the family in the name of several variants together: 'cohort/<digest>'."""

NOT_APPLICABLE = (".not_applicable", ".refused")
"""How files are named that say why an analyzer does not apply; the first is written, the other was before 0.2."""

_STEP = re.compile(r"step_(\d{9}|[1-9]\d{9,17})\.[a-z_]+")
"""As `step_name` writes it, and small enough for 64 bits: a file of any other name could not be found again."""
_RENAME = "Choose another name; a folder that has this one is to be renamed."


def step_name(step: int, suffix: str) -> str:
    """'step_000000500.npz': sorts as text and as number."""
    if not 0 <= step < 10**18:
        known = "Steps count optimizer updates, from 0 to 10^18 - 1."
        raise BadValue(f"{step} is not a step.", known, "Give a number from 0 up.")
    return f"step_{step:09d}.{suffix}"


# Folders of checkpoints are listed several times for each picture.
@lru_cache(maxsize=65_536)
def step_of(name: str) -> int | None:
    """The step in a file's name; None if the name is not of that form."""
    match = _STEP.fullmatch(name)
    return int(match[1]) if match else None


def is_name(variant: str) -> bool:
    """Whether 'family/slug' can be the name of a variant, and so of a folder."""
    family, _, slug = variant.partition("/")
    try:
        return bool(check_name(family) and check_name(slug))
    except ValueError:
        return False


def _checked(name: str, what: str) -> str:
    try:
        return check_name(name)
    except ValueError as error:
        known = f"It becomes part of a path: {error}."
        raise BadValue(f"{what} cannot be called {name!r}.", known, _RENAME) from None


@final
@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under one root."""

    root: Path

    @property
    def variants(self) -> Path:
        return self.root / "variants"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger"

    @property
    def index(self) -> Path:
        return self.root / "index.duckdb"

    @property
    def activations(self) -> Path:
        """Those of checkpoints that others are built on, kept to be read again."""
        return self.root / "activations"

    @property
    def templates(self) -> Path:
        return self.root / "templates"

    @property
    def report_templates(self) -> Path:
        """Where a user's own templates of reports are, which go before those that come along."""
        return self.templates / "report"

    @property
    def table_views(self) -> Path:
        """Where questions to the table of variants are kept, each under a name."""
        return self.root / "table-views"

    @property
    def studies(self) -> Path:
        """Where each study that was run is kept."""
        return self.root / "studies"

    def study(self, name: str) -> Path:
        """Where the study of that name is kept, as it was last run."""
        return self.studies / f"{_checked(name, 'A study')}.yaml"

    def study_going(self, name: str) -> Path:
        """Where it is said that the runs of a study are under way, so that whoever makes them sees this folder."""
        return self.studies / f"{_checked(name, 'A study that is under way')}.going"

    def study_stop(self, name: str) -> Path:
        """Where it is said that the runs of a study, which are under way anywhere, shall stop."""
        return self.studies / f"{_checked(name, 'A request to stop')}.stop"

    @property
    def trash(self) -> Path:
        """Variants that were deleted, each as it was."""
        return self.root / "trash"

    @property
    def queue(self) -> Path:
        """The runs that were asked for."""
        return self.root / "runs.sqlite"

    @property
    def runs(self) -> Path:
        """Where each run that was asked for has its folder."""
        return self.root / "runs"

    @property
    def supervisor(self) -> Path:
        """Held by whoever works through the queue."""
        return self.runs / "supervisor.lock"

    @property
    def answers(self) -> Path:
        """What was answered to requests for runs that have a key of their own."""
        return self.runs / "answers"

    def run(self, number: int) -> Path:
        """What is kept of one run beside the queue: what was asked for, how it ended, what it printed."""
        return self.runs / str(int(number))

    def variant(self, name: str) -> Path:
        family, _, slug = name.partition("/")
        if not slug:
            raise BadValue(
                f"{name!r} does not name a variant.",
                "A variant's name is family/slug: 'modadd.transformer/p113-seed999-dseed598'.",
                "`miscope variants` lists those there are.",
            )
        _checked(family, "A family")
        _checked(slug, "A slug")
        return self.root / "cohorts" / slug if family == COHORT else self.variants / family / slug

    def record(self, variant: str) -> Path:
        return self.variant(variant) / "variant.json"

    def probe(self, variant: str) -> Path:
        """Of a variant that is described beside its record."""
        return self.variant(variant) / "probe.safetensors"

    def lock(self, variant: str) -> Path:
        """Held by whoever trains, records or imports the variant."""
        return self.variant(variant) / "writing.lock"

    def annotations(self, variant: str) -> Path:
        """Where each time that tags and notes of the variant were written has its file."""
        return self.variant(variant) / "annotations"

    def checkpoints(self, variant: str) -> Path:
        return self.variant(variant) / "checkpoints"

    def checkpoint(self, variant: str, step: int) -> Path:
        return self.checkpoints(variant) / step_name(step, "safetensors")

    def unfinite(self, variant: str, step: int) -> Path:
        """Where it is written which weights of that checkpoint are no numbers."""
        return self.checkpoints(variant) / step_name(step, "unfinite")

    def training_state(self, variant: str, step: int | None) -> Path:
        if step is None:
            return self.variant(variant) / "training_state.safetensors"
        return self.variant(variant) / "training_states" / step_name(step, "safetensors")

    def metrics(self, variant: str) -> Path:
        return self.variant(variant) / "metrics"

    def recipes(self, variant: str, analyzer: str) -> Path:
        return self.variant(variant) / "artifacts" / _checked(analyzer, "An analyzer")

    def artifacts(self, variant: str, analyzer: str, recipe: str) -> Path:
        return self.recipes(variant, analyzer) / _checked(recipe, "A recipe")

    def recipe_note(self, variant: str, analyzer: str, recipe: str) -> Path:
        """What the recipe's digest stands for."""
        return self.artifacts(variant, analyzer, recipe) / "recipe.json"

    def artifact(self, key: ArtifactKey) -> Path:
        name = "trajectory.npz" if key.step is None else step_name(key.step, "npz")
        return self.artifacts(key.variant, key.analyzer, key.recipe) / name

    def not_applicable(self, key: ArtifactKey) -> Path:
        """Where it is written that there will be no artifact under this key, and why."""
        return self.artifact(key).with_suffix(NOT_APPLICABLE[0])

    def kept_not_applicable(self, key: ArtifactKey) -> Path:
        """The same file under the name it was given, which versions before 0.2 called otherwise."""
        named = [self.artifact(key).with_suffix(suffix) for suffix in NOT_APPLICABLE]
        return next((path for path in named if path.exists()), named[0])

    def failure(self, key: ArtifactKey) -> Path:
        """Where it is written that the artifact could not be computed when that was last tried, and why."""
        return self.artifact(key).with_suffix(".failed")
