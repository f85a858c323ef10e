"""`miscope demo`: a run that groks, trained, analyzed, drawn and served while one waits; nothing is prepared."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from miscope.cli.options import folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from miscope.bound import BoundVariant

__all__ = ["DEMO", "FAMILY", "demo"]

FAMILY = "modadd.transformer"

DEMO = {
    "prime": 59,
    "seed": 0,
    "train_fraction": 0.45,
    "weight_decay": 2.0,
    "steps": 1600,
    "checkpoints": "every:20",
    "evaluate_every": 5,
}
"""Found by measuring: memorised at step 130, when it answers one unseen pair in nine; generalises at step 1,100."""


def demo(
    workspace: Annotated[
        Path,
        typer.Option(
            "--workspace", "-w", parser=folder, metavar="<path>", help="Directory of the workspace.", show_default=True
        ),
    ] = Path("demo-workspace"),
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Open the dashboard at the end.")] = True,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the dashboard; 0 takes a free one.  (default: 5006)"),
    ] = None,
) -> None:
    """Train a small transformer until it groks, analyze every checkpoint, draw figures, open the dashboard."""
    from miscope.bound import open_bound
    from miscope.cli.dropped import refuse_dropped
    from miscope_modadd.drawing import PICTURES, draw

    refuse_dropped(not serve, "with --no-serve", "It is the dashboard's.", "Leave one of them out.", port=port)
    began = time.monotonic()
    place = ["--workspace", str(workspace)]
    variant = open_bound(workspace).variant(FAMILY, **DEMO)
    _command("train", FAMILY, *(f"{name}={value}" for name, value in DEMO.items()), "--threads", "1", *place)
    _command("analyze", variant.name, "--executor", _executor(), *place)
    print(_story(variant))
    for path in draw(variant, PICTURES, workspace / "figures"):
        print(f"  {path}")
    print(f"{time.monotonic() - began:.0f} seconds. The figures are in {(workspace / 'figures').absolute()}")
    if serve:
        _command("serve", *(() if port is None else ("--port", str(port))), *place)
    else:
        print(f"To look around:  miscope serve --workspace {workspace}")


def _command(*words: str) -> None:
    """Say and run a command of `miscope`, as a user would type it; ends the demo where it fails."""
    from miscope.cli import main

    print(f"\n$ miscope {' '.join(words)}", flush=True)
    try:
        main(words)
    except SystemExit as ended:
        if ended.code:
            raise typer.Exit(int(ended.code)) from None


def _executor() -> str:
    """All cores where there are several: starting processes costs seconds."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return "processes" if cores > 2 else "inline"


def _story(variant: BoundVariant) -> str:
    """What happened, in two sentences."""
    memorised = first_above(variant, "train_accuracy", 0.99)
    generalised = first_above(variant, "test_accuracy", 0.99)
    if memorised is None or generalised is None:
        return "It did not grok this time: training in single precision is chaotic, and processors round differently."
    steps, values = variant.metric("test_accuracy")
    then = values[steps == memorised][0]
    return (
        f"\nAt epoch {memorised} it answered 99 % of the training pairs, and {100 * then:.0f} % of the others.\n"
        f"At epoch {generalised} it answered 99 % of the others: it had grokked."
    )


def first_above(variant: BoundVariant, metric: str, level: float) -> Any:
    """First step at which a metric reaches the level; None if it never does."""
    steps, values = variant.metric(metric)
    reached: Sequence[int] = steps[values >= level].tolist()
    return reached[0] if reached else None
