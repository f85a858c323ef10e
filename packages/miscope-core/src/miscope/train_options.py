"""What one call of `train` asks for beyond the variant: none of it decides the weights at a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, final

from miscope.errors import BadValue, UnknownName

if TYPE_CHECKING:
    from miscope.intervention import Intervention

__all__ = ["LAST_STEP", "MOST_THREADS", "TrainOptions", "check_steps", "options_of"]

LAST_STEP = 10**18 - 1
"""The last that a checkpoint's file can be named after."""
MOST_THREADS = 1024
"""No processor has more cores."""


@final
@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """How far a training goes this time, where it runs, and who may stop it."""

    steps: int | None = None
    """How many updates in all; None for the variant's own number. Beyond a finished training's end it is extended."""
    resume: bool = True
    """Go on from the last saved state; False begins again at step 0."""
    warm: bool = False
    """Begin with the weights of the last checkpoint, made elsewhere or by another training, and a fresh optimizer."""
    device: str = "auto"
    """'cpu', 'cuda', 'mps', or the fastest there is."""
    threads: int | None = None
    """Of the CPU; None leaves PyTorch's setting. With 1, resumed equals uninterrupted bit by bit."""
    compile: bool = False
    """Compile the forward pass, where that works."""
    interventions: Sequence[Intervention] = ()
    """Hooks to train under; none are needed where the family knows those that the variant names."""
    watch: Sequence[str] = ()
    """Instruments computed while it trains, whose scalars become metrics: 'ranks.weights', or 'ranks.weights:100' for
    every hundredth step instead of every evaluated one; at every checkpoint in any case."""
    log_every: int | None = None
    """Steps from one line of its log to the next, at which it is evaluated and the instruments that its family shows
    there are computed; None: no lines."""
    group: str | None = None
    """The study that it is a run of, as the ledger and the index have it."""
    should_stop: Callable[[], bool] = lambda: False
    """Asked at every step; a stop leaves a checkpoint to go on from. So do Ctrl-C and SIGTERM."""
    should_save: Callable[[], bool] = lambda: False
    """Asked at every step; true keeps a checkpoint there, whatever the schedule says."""

    def __post_init__(self) -> None:
        if isinstance(self.watch, str):
            raise BadValue(
                f"A training does not take watch={self.watch!r}.",
                "It is a list of instruments.",
                f"Give it like this:  watch=[{self.watch!r}]",
            )
        within = {"steps": "", "threads": f", 1 to {MOST_THREADS}", "log_every": ", 1 or more"}
        for name, span in within.items():
            value = getattr(self, name)
            most = MOST_THREADS if name == "threads" else LAST_STEP
            if value is not None and (type(value) is not int or (span and not 1 <= value <= most)):
                raise BadValue(
                    f"A training does not take {name}={value!r}.",
                    f"It is a whole number{span}.",
                    f"Give one, or leave `{name}` out.",
                )


def options_of(given: Mapping[str, Any]) -> TrainOptions:
    """The options of these names; UnknownName for one that there is not."""
    known = [field.name for field in fields(TrainOptions)]
    for name in given:
        if name not in known:
            raise UnknownName("training option", name, known, listing=f"`train` takes: {', '.join(known)}.")
    return TrainOptions(**given)


def check_steps(total: int) -> None:
    """Raise BadValue for a number of updates that no training can make."""
    if not 0 <= total <= LAST_STEP:
        raise BadValue(
            f"A training cannot go to step {total}.",
            "Step 0 is the initialisation." if total < 0 else f"The last step that can be kept is {LAST_STEP}.",
            "Give steps >= 0." if total < 0 else "Give fewer steps.",
        )
