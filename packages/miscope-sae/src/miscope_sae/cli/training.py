"""Several trainings in one go, with one bar and one time left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from miscope.cli.printing import note
from miscope.cli.training_report import report_progress
from miscope.interruption import SignalFlag, stop_on_signals
from miscope.pace import Pace
from miscope.progress import Progress
from miscope.running import run

if TYPE_CHECKING:
    from miscope.train_request import TrainRequest
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["train_all"]


def train_all(place: Workspace, requests: Sequence[TrainRequest], variants: Sequence[Variant]) -> int:
    """Do them one after the other and show how far they are together; 0, or the code of the signal that stopped them.

    variants: of these requests, in the same order.
    """
    with stop_on_signals() as asked:
        last = report_progress(_together(place, requests, variants, asked))
        stopped = asked()
    if stopped or last.step < last.total:
        note("Stopped; the same command goes on from here.")
        return asked.exit_code
    return 0


def _together(
    place: Workspace, requests: Sequence[TrainRequest], variants: Sequence[Variant], asked: SignalFlag
) -> Iterator[Progress]:
    """The progress of all as that of one; a line for each that ends, with what was measured of it."""
    pace, total, before = Pace(), sum(one.training.steps for one in variants if one.training is not None), 0
    for request, variant in zip(requests, variants, strict=True):
        seen = begun = None
        for seen in run(place, request, should_stop=asked):
            assert isinstance(seen, Progress)
            begun = seen.step if begun is None else begun
            # What is known before its first update was told of all of them.
            said = seen.message if seen.step > begun else ""
            done = before + seen.step
            pace.note(done)
            yield replace(seen, step=done, total=total, eta=pace.left(total), checkpoint=None, message=said)
        if seen is None or seen.step < seen.total or asked():
            return
        before += seen.total
        ended = f"{variant.name}: {_measured(seen)}"
        yield replace(seen, step=before, total=total, eta=pace.left(total), message=ended)
    # What is last is left for the caller to print.
    yield replace(seen, step=before, total=total, message="") if seen is not None else Progress(step=0, total=0)


def _measured(seen: Progress) -> str:
    words = {
        **{"test_fvu": "FVU held out", "test_skip_fvu": "without any latent"},
        **{"test_l0": "L0", "test_dead_neurons": "dead"},
    }
    return ", ".join(f"{word} {seen.metrics[name]:.3g}" for name, word in words.items() if name in seen.metrics) or (
        seen.message or "nothing to do"
    )
