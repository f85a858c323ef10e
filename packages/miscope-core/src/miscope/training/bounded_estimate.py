"""Estimates that cost whoever asks neither memory nor time: made in a process that is ended where it takes too much.

How many examples a family makes, and how large, only making them tells. Whoever asks may be a server.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, final

from miscope.analysis.executors import prepare_worker
from miscope.failure import Failure, tried
from miscope.interruption import signals_held
from miscope.plugins.plugins import Plugins
from miscope.training.estimate import Estimate, estimate, past_trainings
from miscope.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from miscope.train_request import TrainRequest

__all__ = ["Bounds", "estimates"]

_LOOK_EVERY = 0.02
"""Seconds from one look at how much memory it takes to the next."""
_STOPPED = "whoever asked does not wait for it any more"
_START = 60.0
"""Seconds that the process may take to start, on however slow a machine."""
# A fork of a process that has only imported begins at once; of this one, whose threads may hold locks, it may hang.
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What several estimates together may take."""

    memory: int = 2**30
    """Bytes, beside those of a process that has imported PyTorch."""
    seconds: float = 30.0
    should_stop: Callable[[], bool] = lambda: False
    """Asked many times a second; once it is true nothing more is found out."""


def estimates(
    workspace: Workspace, requests: Sequence[TrainRequest], bounds: Bounds | None = None
) -> list[Estimate | Failure]:
    """What each training will take, or why nobody knows; nothing is written, and nothing is kept in memory.

    A family that no other process can import, since it was given to this one as an object, is asked here.
    """
    bounds = bounds or Bounds()
    modules = _families(workspace.plugins)
    if any(request.family not in modules for request in requests):
        return list(_answers(workspace, requests))
    found: list[Estimate | Failure] = []
    left = bounds.seconds
    while len(found) < len(requests):
        asked = requests[len(found) :]
        if left <= 0 or bounds.should_stop():
            why = _too_long(bounds) if left <= 0 else _STOPPED
            return found + [_unknown(request, why) for request in asked]
        with _Estimating(workspace, modules, asked) as process:
            while len(found) < len(requests) and process.usable and left > 0:
                began = time.monotonic()
                found.append(process.answer(bounds, left))
                left -= time.monotonic() - began
    return found


def _families(plugins: Plugins) -> dict[str, tuple[str, str]]:
    """Plug-in and module of each family, where its module is one that another process finds under that name."""
    found = {}
    for name in plugins.families:
        provider = plugins.provided_by["family", name]
        spec = getattr(sys.modules.get(provider.module), "__spec__", None)
        if spec is not None and spec.name == provider.module:
            found[name] = (provider.plugin, provider.module)
    return found


@final
class _Estimating:
    """A process that answers one request after the other, for as long as it is within bounds."""

    def __init__(
        self, workspace: Workspace, modules: Mapping[str, tuple[str, str]], requests: Sequence[TrainRequest]
    ) -> None:
        context: Any = multiprocessing.get_context(_METHOD)
        if _METHOD == "forkserver":
            context.set_forkserver_preload(["torch", __name__])
        self._requests = iter(requests)
        self._answers, there = context.Pipe(duplex=False)
        args = (there, str(workspace.root), dict(modules.values()), dict(os.environ), list(requests))
        self._process = context.Process(target=_work, args=args, daemon=True)
        with signals_held():
            self._process.start()
        there.close()
        self._began: int | None = None  # bytes that it took before anything was made
        self.usable = True
        """Whether it can be asked for another answer."""

    def __enter__(self) -> _Estimating:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.join()
        self._answers.close()

    def answer(self, bounds: Bounds, seconds: float) -> Estimate | Failure:
        """The next answer. Once it is too much the process is of no use any more."""
        request = next(self._requests)
        try:
            began = self._began
            if began is None:
                began = self._began = self._awaited(_START, sys.maxsize, bounds.should_stop)
            return self._awaited(seconds, began + bounds.memory, bounds.should_stop)
        except InterruptedError:
            why = _STOPPED
        except TimeoutError:
            why = _too_long(bounds)
        except MemoryError:
            why = f"to make its data and its first weights takes more than {bounds.memory / 1e9:.1f} GB of memory"
        except EOFError:
            why = "the process that made its data and its first weights died"
        self.usable = False
        return _unknown(request, why)

    def _awaited(self, seconds: float, memory: int, should_stop: Callable[[], bool]) -> Any:
        """What it sends next. Raises TimeoutError, MemoryError, EOFError where it died, and InterruptedError."""
        until = time.monotonic() + seconds
        while not self._answers.poll(_LOOK_EVERY):
            if should_stop():
                raise InterruptedError
            if time.monotonic() > until:
                raise TimeoutError
            if _resident(self._process.pid) > memory:
                raise MemoryError
        return self._answers.recv()


def _too_long(bounds: Bounds) -> str:
    return f"to make its data and its first weights takes more than {bounds.seconds:g} s"


def _unknown(request: TrainRequest, why: str) -> Failure:
    return Failure(
        error=f"What this training of {request.family} takes is not known: {why}.\n"
        "An estimate makes them in a process of its own, which ended; a training makes them and keeps them.\n"
        "Ask for fewer or smaller examples, or train it where there is room for them."
    )


def _resident(pid: int | None) -> int:
    """Bytes of memory that the process takes; 0 once it is gone."""
    import psutil

    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _work(
    answers: Connection, root: str, modules: Mapping[str, str], environment: Mapping[str, str], requests: Any
) -> None:
    """In the process: say how much memory it takes before anything is made, then answer each request."""
    os.environ.update(environment)
    prepare_worker()
    plugins = Plugins.of(**{plugin: importlib.import_module(module) for plugin, module in modules.items()})
    workspace = open_workspace(root, plugins)
    answers.send(_resident(os.getpid()))
    for answer in _answers(workspace, requests):
        answers.send(answer)


def _answers(workspace: Workspace, requests: Sequence[TrainRequest]) -> Iterator[Estimate | Failure]:
    @cache
    def pasts(family: str) -> Any:
        return past_trainings(workspace.ledger, family)

    def made(request: TrainRequest) -> Estimate:
        family = workspace.plugins.family(request.family)
        variant = workspace.value(family, request.params, request.training).labelled(request.label)
        return estimate(
            workspace, variant, steps=request.steps, threads=request.threads or 1, pasts=pasts(request.family)
        )

    for request in requests:
        yield tried(lambda request=request: made(request))
