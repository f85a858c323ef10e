"""What a training will take, said before it starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope.cli.printing import note, print_json, print_table
from miscope.errors import MiscopeError

if TYPE_CHECKING:
    from miscope.remark import Remark
    from miscope.train_request import TrainRequest
    from miscope.training.bounded_estimate import Bounds
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["basis", "note_remarks", "patient", "print_estimate", "written_bytes", "written_time"]

_ORDER = ("error", "warning", "info")


def print_estimate(place: Workspace, variant: Variant, request: TrainRequest, *, as_json: bool) -> None:
    """Time, checkpoints, disk and data, as ranges where nobody knows exactly; a MiscopeError where nobody can know."""
    from miscope.failure import Failure
    from miscope.store.trained_with import OTHERWISE, said_of, trained_with
    from miscope.training.bounded_estimate import estimates

    (known,) = estimates(place, [request], patient())
    if isinstance(known, Failure):
        raise MiscopeError(*known.error.split("\n"))
    trained = trained_with(place.store, variant) if not known.steps else {}
    if as_json:
        print_json({"variant": variant.name, **known.facts(), "trained_with": trained})
        return
    rows = [
        ("variant", variant.name),
        ("weights", f"{known.weights:,}"),
        ("steps", f"{known.steps:,} to do" if known.steps else "none to do: it is trained that far"),
    ]
    if known.steps:
        low, high = (written_time(seconds) for seconds in known.seconds)
        rows += [
            ("checkpoints", f"{'at least ' * known.adaptive}{known.checkpoints:,} to write"),
            ("disk", written_bytes(known.size)),
            ("data", f"{written_bytes(known.data)} in memory"),
            ("time", f"{low} to {high}, {basis(known.measured, variant.family)}"),
        ]
    print_table(("", ""), rows)
    note_remarks(known.remarks)
    if trained:
        note(f"It was {said_of(trained)}: {OTHERWISE}")


def note_remarks(remarks: Iterable[Remark]) -> None:
    """Each on a line of its own: errors first, then warnings."""
    for each in sorted(remarks, key=lambda one: _ORDER.index(one.severity)):
        note(str(each))


def patient() -> Bounds:
    """What somebody may take who can end it: no more memory than a server's guest, but ten minutes."""
    from miscope.training.bounded_estimate import Bounds

    return Bounds(seconds=600)


def basis(measured: int, family: str) -> str:
    """Where the times come from: so many trainings of the family that were measured, or none."""
    if not measured:
        return f"guessed from its size; no training of {family} was measured here yet"
    return f"by {measured} measured training{'s' * (measured > 1)} of {family} here"


def written_time(seconds: float) -> str:
    """'0.4 s', '4 min 10 s'."""
    from miscope.cli.runs_table import duration

    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def written_bytes(size: int) -> str:
    """'3.2 MB', in powers of ten as disks are sold."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
