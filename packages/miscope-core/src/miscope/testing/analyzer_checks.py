"""Whether an analyzer keeps the contract: it reads what it declares, and the same inputs give the same arrays."""

from __future__ import annotations

import pickle
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.analysis.applicability import applies
from miscope.analysis.input_guard import InputGuard
from miscope.analysis.returned import flattened
from miscope.analyzer import Analyzer, Grain
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.plugins import record_checks
from miscope.testing.array_checks import check_arrays, not_returned
from miscope.testing.generators import draw_from_all
from miscope.testing.symmetry_checks import check_symmetries

if TYPE_CHECKING:
    from miscope.bound import BoundVariant
    from miscope.family import Family
    from miscope.plugins.plugins import Plugins
    from miscope.testing.staging import Scene

__all__ = ["check_analyzer"]

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def check_analyzer(
    analyzer: Analyzer,
    family: Family | None = None,
    *,
    plugins: Plugins | None = None,
    params: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Assert that an analyzer is documented, picklable and deterministic, reads only what it declares, leaves what it
    is shown as it was, returns arrays that it documents, and varies under no symmetry but those it declares; on a
    really trained variant.

    family: None takes the toy families, of which one must give the analyzer what it needs. plugins: tables that hold
    the analyzers it reads; None takes those of core. params: of the family, and fields of its training. Returns the
    outputs that it documents and did not return here: () unless some are of other families only.
    """
    _check_record(analyzer)
    with _scene_for(analyzer, family, plugins, params) as place:
        context = place.workspace.context(place.variants[0].value)
        _check_applies(analyzer, [applies(analyzer.needs, context, context.probe(), RECORDED)])
        _compute_upstream(place, analyzer)
        first = _computed(analyzer, _show(place, analyzer))
        draw_from_all()
        second = _computed(analyzer, _show(place, analyzer))
        words = _words(place)
        check_arrays(analyzer, first, words)
        for name in first:
            assert np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f"), (
                f"{analyzer.name}: {name!r} differs between two computations at the same checkpoint; draw no random "
                "numbers without a seed of your own"
            )
        _check_elsewhere(place, analyzer, first)
        check_symmetries(analyzer, place.variants[0], first, lambda variant: _computed_of(place, analyzer, variant))
        return not_returned(analyzer, first, words)


def _words(place: Scene) -> dict[str, Collection[str]]:
    """What the words ROLE and SITE stand for in the names of arrays."""
    model = place.workspace.context(place.variants[0].value).model
    return {"ROLE": [*model.roles], "SITE": [*model.sites]}


def _check_record(analyzer: Analyzer) -> None:
    fault = record_checks.fault("analyzer", analyzer)
    assert fault is None, f"{record_checks.label('analyzer', analyzer)}: {fault}"
    assert _NAME.fullmatch(analyzer.name), f"{analyzer.name!r} should read like 'namespace.instrument', in lower case"
    assert analyzer.version >= 1, f"{analyzer.name}: versions count from 1"
    assert analyzer.summary, f"{analyzer.name}: its function needs a docstring, whose first line is its summary"
    assert analyzer.outputs, f"{analyzer.name}: say what it returns in `outputs`, name -> meaning, shape and unit"
    try:
        copied = pickle.loads(pickle.dumps(analyzer.compute))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        copied = error
    assert copied is analyzer.compute, (
        f"{analyzer.name}: `compute` must be a function of a module, so that another process finds it by name"
    )


RECORDED = tuple(f"{split}_{what}" for split in ("train", "test") for what in ("loss", "accuracy"))
"""Metrics that a training is taken to record, before there is one."""


def _scene_for(analyzer: Analyzer, family: Family | None, plugins: Plugins | None, params: Any) -> Any:
    from miscope.analysis.planning import resolve
    from miscope.testing.staging import scene, tables
    from miscope.testing.toy import ToyFamily, ToyFourierFamily

    candidates = [family] if family is not None else [ToyFourierFamily(), ToyFamily()]
    reasons = []
    for candidate in candidates:
        reasons.append(_lacking(analyzer, candidate, params))
        if reasons[-1] is None:
            offered = plugins or tables(*((analyzer,) if family is None else (analyzer, family)))
            assert analyzer.name in offered.analyzers, f"{analyzer.name} is not in the tables given as `plugins`"
            remembers = any(each.needs.optimizer for each in resolve(offered.analyzers, [analyzer.name]).values())
            return scene(candidate, offered, params, optimizer=remembers)
    _check_applies(analyzer, reasons)


def _lacking(analyzer: Analyzer, family: Family, params: Any) -> str | None:
    """What the family does not give the analyzer; of one that is built on others that is known once these are there."""
    from miscope.family import make_variant
    from miscope.model_context import ModelContext
    from miscope.validation import split_fields

    variant = make_variant(family, *split_fields(family, params or {}))
    if family.sources(variant.params):
        return None
    context = ModelContext(family, variant)
    return applies(analyzer.needs, context, context.probe(), RECORDED)


def _check_applies(analyzer: Analyzer, reasons: Sequence[str | None]) -> None:
    lacking = [reason for reason in reasons if reason is not None]
    if lacking:
        raise AssertionError(
            f"{analyzer.name} has nothing to look at: {'; '.join(lacking)}.\nPass check_analyzer a family that has it."
        )


def _compute_upstream(place: Scene, analyzer: Analyzer) -> None:
    from miscope.analysis.analyze import analyze
    from miscope.outcome import State

    if not analyzer.needs.reads:
        return
    for outcome in analyze(place.workspace, [v.value for v in place.variants], list(analyzer.needs.reads)):
        assert outcome.state in (State.SAVED, State.PRESENT), f"{outcome.analyzers}: {outcome.error}\n{outcome.trace}"


def _check_elsewhere(place: Scene, analyzer: Analyzer, there: Arrays) -> None:
    """At the first checkpoint it returns the same arrays in the same shapes; a trajectory may be of that one alone."""
    first = place.variants[0].steps[:1]
    try:
        if not _there_upstream(place, analyzer, first):
            return
        here = _computed(analyzer, _show(place, analyzer, steps=first))
    except DoesNotApply:
        return
    except AssertionError:
        raise
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise AssertionError(
            f"{analyzer.name} fails where there is the checkpoint of step {first[0]} alone: "
            f"{type(error).__name__}: {error}.\nRaise DoesNotApply for what cannot be looked at."
        ) from error
    check_arrays(analyzer, here, _words(place))
    if analyzer.grain is not Grain.CHECKPOINT:
        return
    assert set(here) == set(there), f"{analyzer.name} returns other arrays at step {first[0]}: {_unlike(here, there)}"
    for name in there:
        assert here[name].shape == there[name].shape, (
            f"{analyzer.name}: {name!r} is {here[name].shape} at step {first[0]} and {there[name].shape} later; arrays "
            "are stacked over the steps, so return one shape at every checkpoint"
        )


def _there_upstream(place: Scene, analyzer: Analyzer, steps: Sequence[int]) -> bool:
    """Whether what it reads can be had over these steps; computes it."""
    from miscope.analysis.analyze import analyze
    from miscope.outcome import State

    if not analyzer.needs.reads:
        return True
    outcomes = list(
        analyze(place.workspace, [v.value for v in place.variants], list(analyzer.needs.reads), steps=steps)
    )
    return all(outcome.state in (State.SAVED, State.PRESENT) for outcome in outcomes)


def _unlike(here: Arrays, there: Arrays) -> str:
    return ", ".join(sorted(set(here) ^ set(there)))


def _show(place: Scene, analyzer: Analyzer, *, steps: Sequence[int] | None = None) -> Any:
    """What the analyzer is shown, made anew; at the last of these steps, or over them."""
    from miscope.analysis.checkpoint_inputs import CheckpointInputs
    from miscope.analysis.gathering import record, snapshot_of, trajectory_of
    from miscope.analysis.resolved_analysis import resolve_analysis
    from miscope.snapshot import Cohort

    store = place.workspace.store
    analyses = [
        resolve_analysis(place.workspace, v.value, [analyzer.name], steps=steps or v.steps) for v in place.variants
    ]
    if analyzer.grain is Grain.COHORT:
        members = tuple(trajectory_of(analysis, analyzer.name, store) for analysis in analyses)
        return Cohort(members=members, options=analyses[0].options_of(analyzer.name))
    analysis = analyses[0]
    if analyzer.grain is Grain.TRAJECTORY:
        return trajectory_of(analysis, analyzer.name, store)
    checkpoint = store.load_checkpoint(analysis.variant.name, analysis.steps[-1])
    activations = record(analysis.context, analysis.probe, checkpoint.weights, [analyzer])
    artifacts = {name: store.load_arrays(analysis.key(name, checkpoint.step)) for name in analyzer.needs.reads}
    remembers = analyzer.needs.optimizer
    state = store.load_training_state(analysis.variant.name, step=checkpoint.step) if remembers else None
    seen = CheckpointInputs(checkpoint=checkpoint, activations=activations, state=state)
    return snapshot_of(analysis, analyzer.name, seen=seen, artifacts=artifacts)


def _computed(analyzer: Analyzer, shown: Any) -> Arrays:
    """The arrays, after checking that what was shown is as it was."""
    guard = InputGuard()
    guard.remember(shown)
    returned = analyzer.compute(shown)
    changed = guard.changed(shown)
    assert not changed, f"{analyzer.name} changed what it was shown: {', '.join(changed)}; copy before writing"
    # What is no mapping is told of where arrays are checked.
    return flattened(analyzer.name, returned) if isinstance(returned, Mapping) else returned


def _computed_of(place: Scene, analyzer: Analyzer, variant: BoundVariant) -> Arrays:
    alone = replace(place, variants=(variant,))
    _compute_upstream(alone, analyzer)
    return _computed(analyzer, _show(alone, analyzer))
