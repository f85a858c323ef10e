"""Where jobs run. A job carries names, not code, so the same one runs in this process or on another machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, TypeVar

from miscope.field_docs import documented

__all__ = ["Executor"]

T = TypeVar("T")
R = TypeVar("R")


@documented
class Executor(ABC):
    """Runs work on jobs, anywhere. Subclasses are final."""

    name: ClassVar[str]
    """'inline': what `--executor` takes."""

    def open(self) -> AbstractContextManager[Executor]:
        """An executor for several runs, one after another: what it starts for them ends with the `with`.

        An analysis opens it once. The default opens nothing; override it where starting costs more than a job does.
        """
        return nullcontext(self)

    @abstractmethod
    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        """Yield each job's outcome as it comes, in any order.

        work never raises: it turns a failure into an outcome. It is picklable, as are the jobs; these are taken
        from their iterable only as there is room for them, so that an iterable which ends early stops the run once
        what is under way has finished. lost: the outcome of a job whose process died, and the reason; without it the
        loss is raised. Closing the iterator starts no further job and waits for those running.
        """
