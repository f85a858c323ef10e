"""Train a variant, keep its checkpoints, and go on exactly where it stopped."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, final
from weakref import WeakValueDictionary

from miscope.commands import in_workspace
from miscope.errors import BadValue
from miscope.interruption import StopSignal, stop_on_signals
from miscope.intervention import Intervention
from miscope.pace import Pace
from miscope.progress import Progress
from miscope.store.best_checkpoint import JUDGES, best_checkpoint
from miscope.store.origin import Origin, may_restart, may_train
from miscope.store.sources import check_source, source_facts
from miscope.store.standing import standing_of
from miscope.store.trained_with import OTHERWISE, said_of, trained_with
from miscope.train_options import TrainOptions, check_steps
from miscope.train_request import train_request
from miscope.training import optimizing
from miscope.training.checkpoint_choice import CheckpointChoice
from miscope.training.checkpoint_writer import CheckpointWriter
from miscope.training.devices import pick_device
from miscope.training.estimate import work_of
from miscope.training.log_lines import LogLines, watched_and_logged
from miscope.training.named_interventions import interventions_by_name, refuse_others
from miscope.training.progress_timer import ProgressTimer
from miscope.training.remarked import RemarksUnderWay, first_weights, warnings_of
from miscope.training.resuming import Start, start_of
from miscope.training.trainer import Trainer, TrainingSetup
from miscope.training.warm_start import MADE_ELSEWHERE, begin_warm
from miscope.training.watching import Watcher, watcher_of
from miscope.training_config import TrainingConfig
from miscope.validation import trained_to
from miscope.variant import Variant

if TYPE_CHECKING:
    import torch

    from miscope.family import Family
    from miscope.workspace import Workspace

__all__ = ["Intervention", "Progress", "TrainOptions", "train"]

_REPORT_EVERY, _SAVE_EVERY = 0.1, 60.0
"""Seconds between two yields, and between two saved states."""


def train(workspace: Workspace, variant: Variant, options: TrainOptions | None = None) -> Iterator[Progress]:
    """Train a variant; yields progress, and works only as far as one iterates.

    options: None trains to the variant's own number of steps, from where it stopped. A training of the same variant
    that this thread left half-way is closed. Raises BadValue, before anything is written, if the variant cannot be
    trained; then Busy while another process trains it, and Diverged if the loss is no number.
    """
    options = options or TrainOptions()
    workspace.store.refuse_another(variant)
    config = variant.training
    for place, source in enumerate(workspace.plugins.family(variant.family).sources(variant.params)):
        check_source(workspace.store, variant, place, source)
    task = workspace.context(variant).task
    if config is None or task is None:
        raise BadValue(
            f"{variant.name} cannot be trained.",
            "Its checkpoints come from elsewhere.",
            "Go on in the loop that trained it:  workspace.record(NAME, model, probe=...)"
            if workspace.context(variant).family.described
            else f"To add some:  {in_workspace(workspace.root, 'miscope import PATH')}",
        )
    total = config.steps if options.steps is None else options.steps
    check_steps(total)
    aimed = trained_to(variant, total)
    family = workspace.context(variant).family
    optimizing.check_optimizer(variant.name, config, lambda: first_weights(family, aimed, task))
    setup = TrainingSetup(
        task=task,
        model=lambda: workspace.context(variant).model,
        config=config,
        seed=int(variant.digest, 16) % 2**63,
        interventions=_interventions(workspace, variant, options.interventions),
    )
    if (standing := standing_of(workspace.store, variant.name)) is not None:
        may_train(standing, resume=options.resume, warm=options.warm)
        if not options.resume:
            may_restart(standing, total)
    device, request = pick_device(options.device), train_request(variant, options).model_dump(mode="json")
    run = _Run(
        workspace=workspace, variant=aimed, family=family, setup=setup, options=options, device=device, request=request
    )
    watch = watched_and_logged(options, run.family.logged, config.evaluate_every)
    unasked = {*run.family.logged} - {text.partition(":")[0] for text in options.watch}
    return _alone(replace(run, watcher=watcher_of(workspace, aimed, watch, unasked)) if watch else run)


def _interventions(workspace: Workspace, variant: Variant, given: Sequence[Intervention]) -> tuple[Intervention, ...]:
    """Those given, or else those that the variant names, as its family makes them; BadValue where they disagree."""
    assert variant.training is not None
    names = variant.training.interventions
    if not names:
        return tuple(given)
    refuse_others(variant, [each.name for each in given])
    return tuple(given) or interventions_by_name(workspace.context(variant).family, names, variant)


@final
@dataclass(frozen=True, kw_only=True)
class _Run:
    """What stays the same while a training runs."""

    workspace: Workspace
    variant: Variant
    """Its `steps` are how far this training goes."""
    family: Family
    """With what it is built on."""
    setup: TrainingSetup
    options: TrainOptions
    device: torch.device
    watcher: Watcher | None = None
    request: Mapping[str, object]
    """What was asked for, as the ledger holds it."""

    @property
    def config(self) -> TrainingConfig:
        assert self.variant.training is not None
        return self.variant.training


_BEGUN: WeakValueDictionary[tuple[Path, int], Generator[Progress]] = WeakValueDictionary()
"""Trainings that are under way in this process, by variant and thread."""


def _alone(run: _Run) -> Iterator[Progress]:
    """The training, once what this thread left half-way of the same variant is closed.

    An error in the body of somebody's loop leaves one: a notebook keeps the error, and so the iterator and its lock.
    """
    whose = run.workspace.store.layout.variant(run.variant.name), threading.get_ident()
    left = _BEGUN.pop(whose, None)
    if left is not None:
        left.close()
    training = _BEGUN[whose] = _trained(run)
    return training


def _trained(run: _Run) -> Generator[Progress]:
    store, name, total = run.workspace.store, run.variant.name, run.config.steps
    store.sweep(name)  # where nothing is left to do, too: a kill may have come in the last compaction
    if (done := _finished(run)) is not None:
        yield done
        return
    warnings = warnings_of(run.family, run.variant)
    with store.writing(name), _settings(run.options.threads), stop_on_signals() as interrupted:
        if run.options.warm:
            begin_warm(store, run.variant, total=total)
        start = _start(run)
        trainer = _trainer(run, start)
        store.save_variant(run.variant, **_facts(run, trainer, start))
        work = work_of(run.setup.task, run.config, trainer.weights)
        with run.workspace.ledger.run(
            "train", name, total=total, start=start.step, work=work, request=run.request
        ) as log:
            stop_signal = StopSignal(run.options.should_stop, interrupted, log.stop_requested)
            remarks = RemarksUnderWay(run.family, run.variant, store.metrics(name), begin=start.step)
            writer = CheckpointWriter(store, log, name, run.config, remarks)
            if start.line:
                log.write("decision", step=start.step, reason=start.line)
                yield Progress(step=start.step, total=total, run=log.name, message=start.line)
            for warning in warnings:
                log.write("warning", field=warning.field, reason=warning.message)
                yield Progress(step=start.step, total=total, run=log.name, message=str(warning))
            for progress in _steps(run, trainer, writer, stop_signal, start):
                yield replace(progress, run=log.name)
            best = best_checkpoint(store.steps(name), store.metrics(name, tuple(JUDGES)))
            if best is not None:
                log.write("best", step=best.step, metric=best.metric, value=best.value)
            if stop_signal.received:
                log.write("stopped", step=progress.step, total=total)
            store.compact_metrics(name)


def _finished(run: _Run) -> Progress | None:
    """What there is to say of a training that already went this far; None where there is something to do."""
    store, name, total = run.workspace.store, run.variant.name, run.config.steps
    start, steps = _start(run), store.steps(name)
    if start.state is None or start.step < total or (start.step == total and total not in steps):
        return None
    metrics = store.load_checkpoint(name, start.step).metrics if start.step in steps else {}
    message = f"{name} is already trained to step {start.step}; nothing to do."
    if other := trained_with(store, run.variant):
        message += f" It was {said_of(other)}: {OTHERWISE}"
    return Progress(step=start.step, total=total, metrics=metrics, message=message)


def _steps(
    run: _Run, trainer: Trainer, writer: CheckpointWriter, stop_signal: StopSignal, start: Start
) -> Iterator[Progress]:
    """Every step from the start to the end or a request to stop: measure, keep, report, update."""
    store, name, total = run.workspace.store, run.variant.name, run.config.steps
    first, state = start.step, start.state
    choice, lines = CheckpointChoice(run.config, store.steps(name), start), LogLines(run.family, run.options, total)
    there = set() if state is None else choice.there
    timer, pace = ProgressTimer(), Pace()
    # What somebody else recorded at the step it begins with stays.
    lent = state is not None and MADE_ELSEWHERE in state.facts
    store.truncate_metrics(name, first if lent else first - 1)
    for step in range(first, total + 1):
        loss = trainer.loss(step)
        stopping = stop_signal.poll() and step > first
        demanded = run.options.should_save() or stopping
        if (demanded or choice.evaluates(step) or lines.due(step)) and not (lent and step == first):
            measured = trainer.metrics(step)
            writer.note(step, measured)
            choice.observe(step, measured, writer)
        kept = demanded or choice.keeps(step)
        if run.watcher is not None and not (lent and step == first):
            seen = run.watcher.measure(step, trainer, kept=kept or step in choice.there)
            writer.note_watched(step, seen)
            yield from _told(seen.lines, step, total, writer.latest_metrics)
        path = None
        if kept and not (step == first and step in there):
            path = writer.checkpoint(step, trainer, choice.facts)
            timer.saved()
        elif timer.unsaved > _SAVE_EVERY:
            writer.state(step, trainer, choice.facts)
            timer.saved()
        if path is not None or timer.since_report > _REPORT_EVERY or step == total or lines.due(step):
            writer.report()
            timer.reported()
            pace.note(step)
            metrics, eta = writer.latest_metrics, pace.left(total)
            line = lines.of(step, metrics)
            yield from _told(writer.remarks(step), step, total, metrics)
            yield Progress(step=step, total=total, metrics=metrics, checkpoint=path, eta=eta, log=line)
        if stopping:
            return
        if step < total:
            trainer.update(step, loss)


def _told(lines: Iterable[str], step: int, total: int, metrics: Mapping[str, float]) -> Iterator[Progress]:
    """Each line by itself."""
    return (Progress(step=step, total=total, metrics=metrics, message=line) for line in lines)


def _start(run: _Run) -> Start:
    """Where it begins: from what is there, if it shall. A warm training finds a state once `begin_warm` left one."""
    store, name = run.workspace.store, run.variant.name
    if not run.options.resume or (run.options.warm and not store.layout.training_state(name, None).exists()):
        return Start()
    return start_of(store, name, [intervention.name for intervention in run.setup.interventions])


def _trainer(run: _Run, start: Start) -> Trainer:
    weights = run.setup.task.initial_weights() if start.weights is None else start.weights
    trainer = Trainer(run.setup, weights, device=run.device, compiled=run.options.compile)
    if start.state is not None:
        trainer.restore(start.state)
    return trainer


def _facts(run: _Run, trainer: Trainer, start: Start) -> dict[str, object]:
    """What a reader of variant.json will want to know of how it was really trained."""
    import torch

    store, variant = run.workspace.store, run.variant
    standing = standing_of(store, variant.name)
    sources = run.workspace.plugins.family(variant.family).sources(variant.params)
    return {
        "origin": ((standing and standing.origin) or Origin.TRAINED).value,
        "device": str(trainer.device),
        "threads": torch.get_num_threads(),
        "optimizer_groups": optimizing.groups(trainer.optimizer, trainer.weights),
        "interventions": [intervention.name for intervention in run.setup.interventions],
        **({"sources": source_facts(store, sources)} if sources else {}),
        **({"resumed": {"step": start.step, "because": start.line}} if start.line else {}),
    }


@contextmanager
def _settings(threads: int | None) -> Iterator[None]:
    """PyTorch set up for training, and back as it was."""
    import torch

    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    # Once everything is memorised gradients are tiny, and arithmetic on denormal numbers is a hundred times slower.
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)
