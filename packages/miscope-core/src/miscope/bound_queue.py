"""The queue of a workspace as Python holds it: ask for trainings and analyses, and for how far they are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, final

from miscope.bound_html import runs_table
from miscope.errors import BadValue
from miscope.field_docs import documented
from miscope.train_options import options_of
from miscope.workspace import Workspace

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun
    from miscope.runs.run_queue import RunQueue
    from miscope.runs.run_state import RunState
    from miscope.variant import Variant

__all__ = ["BoundQueue", "BoundRun"]

_LOOK_EVERY = 0.2
_CALLED = ("should_stop", "should_save")
"""Options that another process cannot call."""


class _Handle(Protocol):
    """Of a variant: `BoundVariant`."""

    @property
    def value(self) -> Variant: ...


@final
@documented
@dataclass(frozen=True)
class BoundQueue:
    """Runs of a workspace: each is done in the background, by a process of its own."""

    value: Workspace
    """What they are in."""

    def train(
        self,
        variant: _Handle,
        *,
        priority: int = 0,
        after: Sequence[BoundRun | int] | BoundRun | int = (),
        **options: Any,
    ) -> BoundRun:
        """Ask for a training; options as of `BoundVariant.train`.

        priority: higher ones begin first. after: runs that have to be completed before. Raises BadValue for functions,
        which another process cannot call.
        """
        from miscope.train_request import train_request

        for name in _CALLED:
            if name in options:
                raise BadValue(
                    f"A run in the queue does not take {name}.",
                    "Another process works on it, and cannot call a function of this one.",
                    "Use the run's own `.stop()` and `.save()`.",
                )
        return self._submit(train_request(_value(variant), options_of(options)), priority, after)

    def analyze(
        self,
        variants: _Handle | Sequence[_Handle],
        names: Sequence[str] | str | None = None,
        *,
        priority: int = 0,
        after: Sequence[BoundRun | int] | BoundRun | int = (),
        **options: Any,
    ) -> BoundRun:
        """Ask for an analysis, by these instruments or by all that apply; options: those of an `AnalyzeRequest`."""
        from miscope.analyze_request import AnalyzeRequest

        several = list(variants) if isinstance(variants, Sequence) else [variants]
        chosen = (names,) if isinstance(names, str) else None if names is None else tuple(names)
        named = tuple(_value(each).name for each in several)
        return self._submit(AnalyzeRequest(variants=named, analyzers=chosen, **options), priority, after)

    def runs(self, *states: str) -> list[BoundRun]:
        """All of them in the order in which they were asked for, or those in these states ('failed')."""
        from miscope.runs.run_state import RunState

        wanted = [RunState(state) for state in states] or None
        return [BoundRun(self.value, run.id) for run in _queue(self.value).runs(wanted)]

    def run(self, number: int) -> BoundRun:
        """The run of that number; UnknownName where there is none."""
        return BoundRun(self.value, _queue(self.value).run(number).id)

    def _submit(self, request: Any, priority: int, after: Sequence[BoundRun | int] | BoundRun | int) -> BoundRun:
        from miscope.runs.queued_run import Place
        from miscope.runs.submitting import submit
        from miscope.runs.supervisor import start_supervisor

        before = after if isinstance(after, Sequence) else [after]
        needs = tuple(each.number if isinstance(each, BoundRun) else each for each in before)
        run = submit(self.value, _queue(self.value), request, Place(priority=priority, needs=needs))
        start_supervisor(self.value.root)
        return BoundRun(self.value, run.id)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.runs())) or "<no runs>"

    def _repr_html_(self) -> str:
        return runs_table([run.value for run in self.runs()])


@final
@documented
@dataclass(frozen=True)
class BoundRun:
    """A run of the queue; whatever is asked of it is read anew."""

    workspace: Workspace
    """What it is in."""
    number: int
    """Of the run, as `miscope runs list` has it."""

    @property
    def value(self) -> QueuedRun:
        """The run as it stands now."""
        return _queue(self.workspace).run(self.number)

    @property
    def state(self) -> RunState:
        """'pending', 'running', 'completed', ..."""
        return self.value.state

    @property
    def progress(self) -> float | None:
        """How much of it is done, from 0 to 1; None until its process has said it."""
        return self.value.share

    def log(self, lines: int = 50) -> str:
        """The last lines that its process printed."""
        from miscope.runs.run_folder import RunFolder

        return "\n".join(RunFolder(self.workspace.store.layout, self.number).tail(lines))

    def wait(self, seconds: float | None = None) -> RunState:
        """Wait until it has ended, or for so long; the state that it is in then."""
        from miscope.runs.run_state import ENDED

        patience = None if seconds is None else time.monotonic() + seconds
        while self.state not in ENDED and (patience is None or time.monotonic() < patience):
            time.sleep(_LOOK_EVERY)
        return self.state

    def stop(self) -> BoundRun:
        """Have it save a checkpoint and end."""
        return self._ask("stop")

    def pause(self) -> BoundRun:
        """As `stop`; one that has not begun is held back until it is resumed."""
        return self._ask("pause")

    def resume(self, step: int | None = None) -> BoundRun:
        """Put it back into the queue, to go on from its last state; step: the last that was saved, to be sure of it."""
        from miscope.runs.retrying import resume_at

        return self._begun(resume_at(self.workspace, _queue(self.workspace), self.number, step))

    def retry(self, *, mode: str | None = None, seed: int | None = None) -> BoundRun:
        """Ask for the same anew; the new run.

        mode: 'from_last_checkpoint' or 'from_scratch'. seed: in place of its own, which makes another variant.
        """
        from miscope.runs.retrying import retry_as, retry_mode

        return self._begun(
            retry_as(self.workspace, _queue(self.workspace), self.number, mode=retry_mode(mode), seed=seed)
        )

    def extend(self, steps: int) -> BoundRun:
        """Ask for the same training to that many steps in all; the new run."""
        from miscope.runs import actions

        return self._begun(actions.extend(_queue(self.workspace), self.number, steps))

    def edit(self, *, name: str | None = None, notes: str | None = None, tags: Sequence[str] | None = None) -> BoundRun:
        """Have it called so, these be its notes or its tags; what is None stays. Raises BadValue for what cannot be."""
        given = {"name": name, "notes": notes, "tags": None if tags is None else tuple(tags)}
        changes = {field: value for field, value in given.items() if value is not None}
        return BoundRun(self.workspace, _queue(self.workspace).label(self.number, **changes).id)

    def cancel(self) -> BoundRun:
        """Have it never run, or not any further."""
        return self._ask("cancel")

    def save(self) -> BoundRun:
        """Have a training keep a checkpoint of the step that it is at."""
        return self._ask("save")

    def delete(self) -> BoundRun:
        """Take it out of the list; the variant and its artifacts stay, and `restore` puts it back."""
        return self._ask("delete")

    def restore(self) -> BoundRun:
        """Put it back into the list."""
        from miscope.runs import actions

        return BoundRun(self.workspace, actions.restore(_queue(self.workspace), self.number).id)

    def _ask(self, action: str) -> BoundRun:
        from miscope.runs import actions
        from miscope.runs.run_state import Action

        return BoundRun(self.workspace, actions.ask(_queue(self.workspace), Action(action), self.number).id)

    def _begun(self, run: QueuedRun) -> BoundRun:
        """The run, once somebody is there to work through the queue."""
        from miscope.runs.supervisor import start_supervisor

        start_supervisor(self.workspace.root)
        return BoundRun(self.workspace, run.id)

    def __repr__(self) -> str:
        run = self.value
        done = "" if run.percent is None else f" {run.percent} %"
        reason = f": {run.error.partition(chr(10))[0]}" if run.error else ""
        return f"<run {run.id} {run.state}{done}: {run.kind} {run.what}{reason}>"

    def _repr_html_(self) -> str:
        return runs_table([self.value])


def _value(variant: _Handle) -> Variant:
    """The variant of a handle; BadValue for what is none."""
    from miscope.variant import Variant

    value = getattr(variant, "value", None)
    if isinstance(value, Variant):
        return value
    what = repr(variant) if isinstance(variant, str) else f"A {type(variant).__name__}"
    known = "The queue is given handles of variants that `miscope.open` made."
    raise BadValue(
        f"{what} is no variant.", known, "Take one:  workspace.find(NAME), or workspace.variant(FAMILY, ...)"
    )


def _queue(workspace: Workspace) -> RunQueue:
    from miscope.runs.run_queue import RunQueue

    return RunQueue(workspace.root)
