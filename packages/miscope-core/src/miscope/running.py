"""Do what a request asks for: one function behind `miscope train`, `miscope analyze` and whatever stores requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, assert_never, overload

from miscope.analysis.analyze import analyze
from miscope.analyze_request import AnalyzeRequest
from miscope.outcome import Outcome
from miscope.progress import Progress
from miscope.train_options import TrainOptions
from miscope.train_request import TrainRequest
from miscope.training.named_interventions import interventions_by_name
from miscope.training.train import train

if TYPE_CHECKING:
    from miscope.executor import Executor
    from miscope.workspace import Workspace

__all__ = ["run"]

Ask = Callable[[], bool]


@overload
def run(
    workspace: Workspace, request: TrainRequest, *, should_stop: Ask | None = None, should_save: Ask | None = None
) -> Iterator[Progress]: ...
@overload
def run(
    workspace: Workspace,
    request: AnalyzeRequest,
    *,
    should_stop: Ask | None = None,
    should_save: Ask | None = None,
    executor: Executor | None = None,
) -> Iterator[Outcome]: ...
def run(
    workspace: Workspace,
    request: TrainRequest | AnalyzeRequest,
    *,
    should_stop: Ask | None = None,
    should_save: Ask | None = None,
    executor: Executor | None = None,
) -> Iterator[Progress] | Iterator[Outcome]:
    """Train or analyze as the request says; works only as far as one iterates.

    should_stop: asked at every step of a training, before every job of an analysis. should_save: asked at every step of
    a training, which keeps a checkpoint there if it is true; an analysis keeps everything anyway. executor: where an
    analysis runs; None for the one that the request names. Raises, before anything is written, what `train` and
    `analyze` raise, UnknownName for what is not installed or not there, and BadValue for values that the family
    refuses.
    """
    match request:
        case TrainRequest():
            return _train(workspace, request, should_stop or _never, should_save or _never)
        case AnalyzeRequest():
            return _analyze(workspace, request, should_stop, executor)
        case _:
            assert_never(request)


def _never() -> bool:
    return False


def _train(workspace: Workspace, request: TrainRequest, should_stop: Ask, should_save: Ask) -> Iterator[Progress]:
    family = workspace.plugins.family(request.family)
    plain = workspace.value(family, request.params, request.training)
    variant = plain if request.label is None else plain.labelled(request.label)
    options = TrainOptions(
        steps=request.steps,
        resume=request.resume,
        warm=request.warm,
        device=request.device,
        threads=request.threads,
        compile=request.compile,
        interventions=interventions_by_name(family, request.interventions, variant),
        watch=request.watch,
        log_every=request.log_every,
        group=request.group,
        should_stop=should_stop,
        should_save=should_save,
    )
    return train(workspace, variant, options)


def _analyze(
    workspace: Workspace, request: AnalyzeRequest, should_stop: Ask | None, executor: Executor | None
) -> Iterator[Outcome]:
    return analyze(
        workspace,
        [workspace.find(name) for name in request.variants],
        request.analyzers,
        steps=request.steps,
        executor=executor or request.executor,
        force=request.force,
        options=request.options,
        group=request.group,
        should_stop=should_stop,
    )
