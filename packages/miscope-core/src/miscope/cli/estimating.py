"""What a training will take, said before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.cli.printing import print_json, print_table

if TYPE_CHECKING:
    from miscope.train_options import TrainOptions
    from miscope.training.estimate import Estimate
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["print_estimate"]


def print_estimate(place: Workspace, variant: Variant, options: TrainOptions, *, as_json: bool) -> None:
    """Time, checkpoints and disk, as ranges where nobody knows exactly."""
    from miscope.training.estimate import estimate

    known = estimate(place, variant, steps=options.steps, threads=options.threads or 1)
    if as_json:
        print_json({"variant": variant.name, **known.facts()})
        return
    rows = [
        ("variant", variant.name),
        ("weights", f"{known.weights:,}"),
        ("steps", f"{known.steps:,} to do" if known.steps else "none to do: it is trained that far"),
    ]
    if known.steps:
        rows += [
            ("checkpoints", f"{'at least ' * known.adaptive}{known.checkpoints:,} to write"),
            ("disk", _bytes(known.size)),
            ("time", f"{_time(known.seconds[0])} to {_time(known.seconds[1])}, {_basis(known, variant)}"),
        ]
    print_table(("", ""), rows)


def _basis(known: Estimate, variant: Variant) -> str:
    if not known.measured:
        return f"guessed from its size; no training of {variant.family} was measured here yet"
    return f"by {known.measured} measured training{'s' * (known.measured > 1)} of {variant.family} here"


def _time(seconds: float) -> str:
    from miscope.cli.runs_table import duration

    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def _bytes(size: int) -> str:
    """'3.2 MB', in powers of ten as disks are sold."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
