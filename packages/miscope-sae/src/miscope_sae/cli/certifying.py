"""A crosscoder's trial on known births: trained, looked at, and what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope.cli.printing import note, print_table
from miscope.interruption import stop_on_signals

if TYPE_CHECKING:
    from miscope.bound import BoundVariant
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["certified"]

_INSTRUMENT = "sae.births_found"
_ROWS = (
    ("known features that are found (cosine > 0.9)", "matched", "matched_by_chance"),
    ("of these, born at the right checkpoint", "births", "births_in_any_order"),
    ("of these, gone at the right checkpoint, or staying", "deaths", "deaths_in_any_order"),
    ("mean error of the cosine by which they turn", "turning_error", "turning_error_of_none"),
)
"""What is said, the number it is, and what that is by chance, or of latents that do not turn."""


def certified(place: Workspace, crosscoder: Variant, *, threads: int | None, dry_run: bool) -> int:
    """Train the trial and print what it found; 0, or the code of what ended it before that."""
    from miscope.bound import BoundVariant, BoundWorkspace
    from miscope.train_options import TrainOptions
    from miscope.train_request import train_request
    from miscope_sae.cli.beforehand import tell, tell_all
    from miscope_sae.cli.training import train_all
    from miscope_sae.known.certifying import trial_sizes, trial_variant

    variant = trial_variant(place, crosscoder)
    for smaller in trial_sizes(place, crosscoder).cut():
        note(smaller)
    if dry_run:
        return tell_all(place, [variant], threads)
    note(f"{variant.name}  in {place.root}")
    tell(place, [variant], threads)
    code = train_all(place, [train_request(variant, TrainOptions(threads=threads))], [variant])
    return code or _told(BoundVariant(BoundWorkspace(place), variant))


def _told(trial: BoundVariant) -> int:
    """1 where it could not be looked at, or the code of the signal that stopped that."""
    last = trial.steps[-1]
    with stop_on_signals() as asked:
        outcomes = trial.analyze(_INSTRUMENT, steps=[last], should_stop=asked)
    for outcome in outcomes:
        if outcome.error:
            note(f"{', '.join(outcome.analyzers)}: {outcome.error}")
            return 1
    if asked():
        note("Stopped; the same command goes on from here.")
        return asked.exit_code
    arrays = trial.arrays(_INSTRUMENT, step=last)
    numbers = {
        name: "-" if np.isnan(value) else f"{float(value):.3g}" for name, value in arrays.items() if not value.ndim
    }
    rows = [(words, numbers[name], numbers[chance]) for words, name, chance in _ROWS]
    print_table((f"{len(arrays['latent']):,} known features", "found", "by chance"), rows)
    return 0
