"""An instrument: what it needs to see, and a pure function from that to arrays."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.artifact import NestedArrays
from miscope.field_docs import documented
from miscope.needs import Needs
from miscope.observation import Observe

__all__ = ["Analyzer", "Count", "Grain", "NoOptions", "Options", "Symmetry", "Whole"]


class Grain(enum.StrEnum):
    """How much of training an instrument looks at in one go."""

    CHECKPOINT = "checkpoint"
    TRAJECTORY = "trajectory"
    COHORT = "cohort"


Symmetry = Literal["neuron order", "head order", "residual rotation", "relu scaling", "token relabelling"]
"""A change of the weights that leaves what the model computes as it is; the last up to the names of the tokens."""


Count: TypeAlias = Annotated[int, Field(ge=1)]
"""Type of an option that counts something: draws, inputs, components."""

Whole: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]
"""Type of an option that may be 0 too: a seed."""


class Options(BaseModel):
    """Base of an analyzer's typed options: frozen, unknown fields refused, and numbers that are NaN or infinite; every
    field has a default.

    What is written under a field is shown by `miscope analyzers NAME`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@final
class NoOptions(Options):
    """Nothing to choose."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Analyzer:
    """A named, versioned pure function and everything it may read. It is given that, and nothing else."""

    name: str
    """'spectra.embedding': the first word is the namespace, the module it lives in."""
    version: int
    """Raise it when the numbers change; artifacts of the old version are then absent."""
    grain: Grain
    """How much of training it looks at in one go."""
    compute: Callable[[Any], NestedArrays]
    """Takes a Snapshot, a Trajectory or a Cohort, as the grain says; gives arrays by name, nested or not."""
    needs: Needs = field(default_factory=Needs)
    """What it is given, and nothing else."""
    opt_in: bool = False
    """Whether it takes more than a second or two a checkpoint: then it is computed only when asked for by name."""
    options: type[Options] = NoOptions
    """What can be chosen: a subclass of miscope.Options."""
    not_invariant_to: tuple[Symmetry, ...] = ()
    """What leaves the model's function as it is and yet changes these numbers: say so, for a reader who compares."""
    question: str = ""
    """What a reader asks of it, a sentence: 'When did the model memorise?'; for the catalogue, like the next two."""
    formula: str = ""
    """How the main number is made, in plain text: 'f_k = P_k / sum P_k over k != const'."""
    source: str = ""
    """Where it comes from: 'Nanda et al. 2023, section 4.1 (arXiv 2301.05217)'."""
    synonyms: tuple[str, ...] = ()
    """Other words that a reader looks for it by, and for the views that show it: ('DMD', 'Koopman modes')."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Array name -> what it is, its shape and unit; for the catalogue. ROLE stands for any weight of the model, SITE
    for any of its sites, another word in capitals for any name, braces for one of several: 'ROLE/power', '{a,b}_loss'.
    """
    observe: Observe | None = None
    """Says in sentences what an artifact shows, for reports: numbers with intervals or nulls, and nothing of noise."""

    @property
    def namespace(self) -> str:
        return self.name.partition(".")[0]

    @property
    def summary(self) -> str:
        """First sentence of the function's docstring."""
        return (self.compute.__doc__ or "").strip().split("\n")[0]
