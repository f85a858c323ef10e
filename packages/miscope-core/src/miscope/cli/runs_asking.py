"""`miscope runs stop|pause|resume|retry|cancel|save|delete|restore|extend`: what is asked of runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json
from miscope.cli.queueing import GroupOption
from miscope.cli.watched_queue import queue_of
from miscope.errors import BadValue

if TYPE_CHECKING:
    from miscope.runs.actions import Done
    from miscope.runs.queued_run import QueuedRun
    from miscope.runs.run_queue import RunQueue

__all__ = ["add_to"]

_HELP = {
    "stop": "Have runs save a checkpoint and end; `resume` goes on from there.",
    "pause": "As `stop`; runs that have not begun are held back until they are resumed.",
    "resume": "Put runs back into the queue, to go on from their last state.",
    "cancel": "Have runs never run, or not any further.",
    "save": "Have trainings keep a checkpoint of the step that they are at.",
    "delete": "Take runs out of the list; `restore` puts them back. Variants and artifacts stay.",
    "restore": "Put deleted runs back into the list.",
    "interrupt": "Say of runs of another machine, or of one that had another name, that their processes are gone.",
}

NumbersArgument = Annotated[list[int] | None, typer.Argument(metavar="RUN...", help="Their numbers.")]
StatesOption = Annotated[
    list[str] | None, typer.Option("--state", help="All in this state (repeatable), instead of numbers.")
]


def add_to(group: typer.Typer) -> None:
    """A command for each."""
    for name, text in _HELP.items():
        group.command(name, help=text)(_asking(name))
    group.command()(retry)
    group.command()(extend)
    group.command()(priority)
    group.command()(edit)


def _asking(name: str) -> Callable[..., None]:
    def command(
        runs: NumbersArgument = None,
        state: StatesOption = None,
        group: GroupOption = None,
        workspace: WorkspaceOption = None,
        as_json: JsonOption = False,
    ) -> None:
        from miscope.runs import actions
        from miscope.runs.run_state import Action

        place = opened(workspace)
        queue = queue_of(place)
        numbers = _numbers(queue, runs, (state, group), deleted=name == "restore")

        def asked(number: int) -> QueuedRun:
            if name == "interrupt":
                return actions.interrupt(queue, place.ledger, number)
            return actions.restore(queue, number) if name == "restore" else actions.ask(queue, Action(name), number)

        _answer(queue, name, actions.each(numbers, asked), as_json=as_json)

    return command


def retry(
    runs: NumbersArgument = None,
    state: StatesOption = None,
    group: GroupOption = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Trainings begin again at step 0.  (default: go on)")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Trainings of this seed, which are other variants.", show_default=False)
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for the same anew, as new runs that say which they repeat."""
    from miscope.runs.actions import each
    from miscope.runs.retrying import RetryMode, retry_as

    place = opened(workspace)
    queue = queue_of(place)
    numbers = _numbers(queue, runs, (state, group), deleted=False)
    if not runs:  # a run that another repeats is not asked for once more
        repeated = {run.place.retry_of for run in queue.every().values()}
        numbers = [number for number in numbers if number not in repeated]
    mode = RetryMode.FROM_SCRATCH if from_scratch else None
    done = each(numbers, lambda number: retry_as(place, queue, number, mode=mode, seed=seed))
    _answer(queue, "retry", done, as_json=as_json)


def priority(
    run: Annotated[int, typer.Argument(metavar="RUN", help="Its number.")],
    value: Annotated[int, typer.Argument(metavar="PRIORITY", help="Higher ones begin first; 0 where none was given.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a run begin before others, or after them."""
    queue = queue_of(opened(workspace))
    changed = queue.prioritize(run, value)
    if as_json:
        print_json(changed.facts())
    else:
        print(f"run {run}: priority {changed.place.priority}")


def edit(
    run: Annotated[int, typer.Argument(metavar="RUN", help="Its number.")],
    name: Annotated[str | None, typer.Option(help="What it is called; '' for nothing.", show_default=False)] = None,
    notes: Annotated[str | None, typer.Option(help="What is to be known of it.", show_default=False)] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="A word to find it by (repeatable), in place of those it has.")
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="It is to have none.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a run a name, notes and tags, whatever state it is in."""
    if tag and no_tags:
        raise BadValue("Has it tags, or none?", "There are --tag and --no-tags.", "Leave one of them out.")
    given: dict[str, Any] = {"name": name, "notes": notes, "tags": () if no_tags else tuple(tag) if tag else None}
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise BadValue("What is to be otherwise?", "Nothing is given.", "Give --name, --notes, --tag or --no-tags.")
    queue = queue_of(opened(workspace))
    changed = queue.label(run, **changes)
    if as_json:
        print_json(changed.facts())
    else:
        said = (changed.labels.name, changed.labels.notes, ", ".join(changed.labels.tags))
        print(f"run {run}: {'; '.join(filter(None, said)) or 'no name, notes or tags'}")


def extend(
    run: Annotated[int, typer.Argument(metavar="RUN", help="A completed training's number.")],
    steps: Annotated[int, typer.Option(min=1, help="Train to this step.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for the training of the same variant to a later step, as a new run."""
    from miscope.runs import actions

    queue = queue_of(opened(workspace))
    _answer(queue, "extend", actions.each([run], lambda number: actions.extend(queue, number, steps)), as_json=as_json)


def _numbers(
    queue: RunQueue, runs: list[int] | None, chosen: tuple[list[str] | None, str | None], *, deleted: bool
) -> list[int]:
    """chosen: by state, and by study."""
    from miscope.cli.runs_table import chosen_states

    states, group = chosen
    if bool(runs) == any(chosen):
        raise BadValue(
            "Which runs?" if not runs else "Runs are given by their numbers or by what they are, not by both.",
            "`miscope runs list` has their numbers.",
            "Give some, as in 3 4; or --state failed for all in that state, --group STUDY for all of a study.",
        )
    return runs or [run.id for run in queue.runs(chosen_states(states), group=group, deleted=deleted)]


def _answer(queue: RunQueue, name: str, done: Sequence[Done], *, as_json: bool) -> None:
    """Say what became of each; ends with 1 where one was refused."""
    from miscope.runs.run_state import BEGINNING
    from miscope.runs.supervisor import start_supervisor

    if name in BEGINNING and any(one.run is not None for one in done):
        start_supervisor(queue.layout.root)
    if as_json:
        print_json(
            [
                {"id": one.number, "run": one.run.facts() if one.run else None, "refused": one.refused or None}
                for one in done
            ]
        )
    for one in () if as_json else done:
        if one.run is not None:
            new = f" (again, as run {one.run.id})" if one.run.id != one.number else ""
            state = "deleted" if one.run.deleted else one.run.state.value
            print(f"run {one.number}: {state if not new else one.run.what}{new}")
        else:
            note(one.refused)
    if not done and not as_json:
        print("There are none.")
    if any(one.refused for one in done):
        raise typer.Exit(1)
