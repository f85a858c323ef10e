"""Where jobs run. A job carries names, not code, so the same one runs in this process or on another machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, fields
from typing import ClassVar, TypeVar, final

from miscope.errors import BadValue
from miscope.field_docs import documented

__all__ = ["Executor", "ExecutorOptions"]

T = TypeVar("T")
R = TypeVar("R")


@final
@documented
@dataclass(frozen=True, kw_only=True)
class ExecutorOptions:
    """How an executor shall work, where it leaves a choice."""

    jobs: int | None = None
    """So many at a time; None for as many as there is room for."""
    scheduler: str | None = None
    """Where that is which shares jobs out among machines: 'tcp://10.0.0.1:8786'."""
    resources: Mapping[str, float] = field(default_factory=dict)
    """What each job takes of the one that does it: {'GPU': 1}."""

    @property
    def given(self) -> tuple[str, ...]:
        """Names of those that say something."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name))


@documented
class Executor(ABC):
    """Runs work on jobs, anywhere. Subclasses are final."""

    name: ClassVar[str]
    """'inline': what `--executor` takes."""

    @property
    def runs_here(self) -> bool:
        """Whether every job runs on this machine: what that has not is refused before anything runs. By default not."""
        return False

    def configured(self, options: ExecutorOptions) -> Executor:
        """The same that works as the options say. Raises BadValue for those that it has not; the default has none."""
        if options.given:
            raise BadValue(
                f"The executor {self.name!r} takes no {' and no '.join(options.given)}.",
                "Where its jobs run, and how many at a time, it knows itself.",
                f"Leave {'it' if len(options.given) == 1 else 'them'} out, or name another:  `miscope executors`",
            )
        return self

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
        what is under way has finished. `str` of a job says what it is, beginning with a verb. lost: the outcome
        of a job whose process died, and the reason; without it the loss is raised. Closing the iterator starts no
        further job and waits for those running.
        """
