"""From an address to workers that are ready: those of a scheduler, or some of this machine where none is named."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dask.config
from distributed import Client, LocalCluster, Security

from miscope import ExecutorOptions
from miscope.analysis.executors import Processes
from miscope.errors import MiscopeError
from miscope_dask.workers import check_workers

__all__ = ["NoScheduler", "NoSuchWorker", "connected"]

_PATIENCE = 5.0
"""Seconds in which a scheduler must answer."""

_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1),
    "MALLOC_MMAP_THRESHOLD_": 32 * 2**20,
    "MALLOC_TRIM_THRESHOLD_": 128 * 2**20,
}
"""Of a worker of this machine. With dask's own, glibc takes new pages for each larger tensor: half as slow again."""


class NoScheduler(MiscopeError):
    """An address at which no scheduler answers, or no longer."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"No dask scheduler answers at {address}.",
            reason,
            "Start one (`dask scheduler`, which prints its address), or leave --scheduler out:"
            " the workers are then processes of this machine.",
        )


class NoSuchWorker(MiscopeError):
    """Resources that no worker has."""


@contextmanager
def connected(options: ExecutorOptions) -> Iterator[Client]:
    """A client whose workers can do the jobs. Raises NoScheduler, Unready, NoSuchWorker.

    Where no scheduler is named, dask's own setting is taken (DASK_SCHEDULER_ADDRESS), else workers are started here.
    """
    address = options.scheduler or dask.config.get("scheduler-address", None)
    with _client_of(address) if address else _started_here(options) as client:
        check_workers(client)
        _refuse_resources_that_none_has(client, options)
        yield client


@contextmanager
def _client_of(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise NoScheduler(address, _first_line(error)) from error
    with client:
        yield client


@contextmanager
def _started_here(options: ExecutorOptions) -> Iterator[Client]:
    """Workers of this machine, with a key of their own: nobody else of this machine can send them anything."""
    workers = options.jobs or Processes().workers
    security = Security.temporary()
    resources = dict(options.resources)
    with (
        dask.config.set(
            {"distributed.nanny.pre-spawn-environ": _ENVIRONMENT, "distributed.worker.profile.enabled": False}
        ),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            security=security,
            # Its pages are open to everybody on this machine, and cost a second of importing.
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            resources=resources,
            preload=["miscope_dask.own_worker"],
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _refuse_resources_that_none_has(client: Client, options: ExecutorOptions) -> None:
    """Where there are workers, a job that none of them can take would wait for ever."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if not workers or any(_has(worker["resources"], options) for worker in workers):
        return
    wanted = ", ".join(f"{name}={amount:g}" for name, amount in options.resources.items())
    there = sorted({f"{n}={a:g}" for worker in workers for n, a in worker["resources"].items()})
    raise NoSuchWorker(
        f"None of the {len(workers)} workers has {wanted}.",
        f"What they have is: {', '.join(there) or 'nothing that they were started with'}.",
        f'Start some with it:  dask worker ADDRESS --nthreads 1 --resources "{wanted}"',
    )


def _has(resources: dict[str, float], options: ExecutorOptions) -> bool:
    return all(resources.get(name, 0) >= amount for name, amount in options.resources.items())


def _first_line(error: BaseException) -> str:
    text = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
