"""Where a command's jobs run: the options that say it, and the executor that they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.options import assignments, not_empty
from miscope.errors import BadValue

if TYPE_CHECKING:
    from miscope.executor import Executor
    from miscope.workspace import Workspace

__all__ = ["ExecutorOption", "JobsOption", "ResourceOption", "SchedulerOption", "executor_of"]

ExecutorOption = Annotated[str, typer.Option(help="Where to run: 'inline', 'processes', or a plug-in's: 'dask'.")]
JobsOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="So many at a time, each in a process of its own.")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", parser=not_empty, help="Of what shares jobs out among machines: 'tcp://10.0.0.1:8786'."
    ),
]
ResourceOption = Annotated[
    list[str] | None,
    typer.Option("--resource", metavar="NAME=AMOUNT", help="What a job takes of its worker: GPU=1 (repeatable)."),
]


def executor_of(
    place: Workspace, name: str, *, jobs: int | None, scheduler: str | None, resources: Sequence[str]
) -> Executor:
    """The executor of that name, as the options say; several jobs at a time need processes. Raises BadValue."""
    from miscope.executor import ExecutorOptions

    amounts = {key: _amount(key, value) for key, value in assignments(resources).items()}
    options = ExecutorOptions(jobs=jobs, scheduler=scheduler, resources=amounts)
    return place.plugins.executor("processes" if name == "inline" and jobs else name).configured(options)


def _amount(name: str, value: object) -> float:
    if isinstance(value, int | float) and value > 0:
        return float(value)
    raise BadValue(
        f"{value!r} is no amount of {name}.", "It is a number above 0: how much a job takes.", "Write --resource GPU=1."
    )
