"""What a worker must be to do jobs: it has the same versions, and does one job at a time."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from typing import cast

from distributed import Client, Worker

from miscope import Plugins
from miscope.errors import MiscopeError

__all__ = ["Unready", "check_workers", "faults", "versions_needed"]


class Unready(MiscopeError):
    """A worker that would compute something else, or nothing."""


def versions_needed() -> dict[str, str]:
    """By package: what a worker must have to compute what this process would."""
    packages = {provider.package for provider in Plugins.installed().at_work}
    return {name: importlib.metadata.version(name) for name in sorted({*packages, "miscope-dask"})}


def check_workers(client: Client) -> None:
    """Raises Unready for workers that cannot do jobs as this process would; those that join later say it themselves."""
    try:
        found = cast("dict[str, list[str]]", client.run(faults, versions_needed()))
    except ImportError as error:
        raise Unready(
            "The workers cannot do miscope's jobs.",
            f"{type(error).__name__}: {error}",
            "Install miscope-dask in their environment, with the plug-ins that are here; then start them again.",
        ) from error
    for worker, those in sorted(found.items()):
        if those:
            raise Unready(
                f"The worker {worker} cannot do jobs as this process would.",
                f"{'; '.join(those)}.",
                "Make it alike and start it again; or do without a plug-in that is not needed:"
                " MISCOPE_PLUGINS=modadd,dask miscope ...",
            )


def faults(versions: Mapping[str, str], dask_worker: Worker) -> list[str]:
    """Why this process, that of the worker, is not fit for jobs; [] where it is.

    dask_worker: called so, `Client.run` gives it.
    """
    return [*_other_versions(versions), *_several_at_a_time(dask_worker.state.nthreads)]


def _other_versions(versions: Mapping[str, str]) -> Iterator[str]:
    for package, here in versions.items():
        try:
            there = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            yield f"{package} {here} is not installed there"
            continue
        if there != here:
            yield f"{package} is {there} there, and {here} here"


def _several_at_a_time(threads: int) -> Iterator[str]:
    # A job has the whole process: threads, settings and modules of PyTorch are the process's.
    if threads > 1:
        yield f"it does {threads} tasks at a time in one process, and a job needs its own (start it with --nthreads 1)"
