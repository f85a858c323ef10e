"""From an address to workers that are ready: those of a scheduler, or some of this machine where none is named."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import dask.config
from distributed import Client, LocalCluster, Security

from miscope import ExecutorOptions
from miscope.analysis.executors import Processes
from miscope.errors import MiscopeError
from miscope.interruption import signals_held
from miscope_dask.answering import check_scheduler
from miscope_dask.workers import check_workers

__all__ = ["NoSuchWorker", "NoWorkers", "address_of", "connected"]

_PATIENCE = 5.0
"""Seconds in which a scheduler must answer."""

_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1),
    "MALLOC_MMAP_THRESHOLD_": 32 * 2**20,
    "MALLOC_TRIM_THRESHOLD_": 128 * 2**20,
}
"""Of a worker of this machine. With dask's own, glibc takes new pages for each larger tensor: half as slow again."""


class NoWorkers(MiscopeError):
    """Workers of this machine that did not start."""

    def __init__(self, error: Exception) -> None:
        super().__init__(
            "The workers of this machine could not be started.",
            str(error.__cause__ or error),
            "Ask for fewer (--jobs N), or do without them:  --executor processes",
        )


class NoSuchWorker(MiscopeError):
    """Resources that no worker has."""


def address_of(options: ExecutorOptions) -> str | None:
    """Of the scheduler, as the options name it or dask's own setting; None where workers are started here."""
    return options.scheduler or dask.config.get("scheduler-address", None)


@contextmanager
def connected(options: ExecutorOptions) -> Iterator[Client]:
    """A client whose workers can do the jobs. Raises NoScheduler, Unready, NoSuchWorker.

    Where no scheduler is named, dask's own setting is taken (DASK_SCHEDULER_ADDRESS), else workers are started here.
    """
    address = address_of(options)
    with _client_of(address) if address else _started_here(options) as client:
        check_workers(client)
        _refuse_resources_that_none_has(client, options)
        yield client


@contextmanager
def _client_of(address: str) -> Iterator[Client]:
    check_scheduler(address, _PATIENCE)
    with Client(address, timeout=_PATIENCE, set_as_default=False) as client:
        yield client


@contextmanager
def _started_here(options: ExecutorOptions) -> Iterator[Client]:
    """Workers of this machine, which end with the `with`, also where whoever waits for them goes away."""
    with (
        dask.config.set(
            {"distributed.nanny.pre-spawn-environ": _ENVIRONMENT, "distributed.worker.profile.enabled": False}
        ),
        ThreadPoolExecutor(1, "miscope-dask-start") as starter,
    ):
        starting = starter.submit(_cluster, options)
        try:
            with Client(_ready(starting), set_as_default=False) as client:
                yield client
        finally:
            if starting.exception() is None:
                starting.result().close()


def _cluster(options: ExecutorOptions) -> LocalCluster:
    """With a key of its own: nobody else of this machine can send the workers anything."""
    with signals_held():
        return LocalCluster(
            n_workers=options.jobs or Processes().workers,
            threads_per_worker=1,
            security=Security.temporary(),
            # Its pages are open to everybody on this machine, and cost a second of importing.
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            resources=dict(options.resources),
        )


def _ready(starting: Future[LocalCluster]) -> LocalCluster:
    try:
        return starting.result()
    except (OSError, RuntimeError) as error:
        raise NoWorkers(error) from error


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
