"""Whether an analyzer keeps the contract: it reads what it declares, and the same look gives the same arrays."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.analyzer import Analyzer, Grain
from miscope.artifact import Arrays

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.plugins import Plugins
    from miscope.testing.staging import Scene

__all__ = ["check_analyzer"]

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def check_analyzer(
    analyzer: Analyzer,
    family: Family | None = None,
    *,
    plugins: Plugins | None = None,
    params: Mapping[str, Any] | None = None,
) -> None:
    """Assert that an analyzer is documented, picklable and deterministic, reads only what it declares, leaves what it
    is shown as it was, and returns arrays that it documents; on a really trained variant.

    family: None takes the toy families, of which one must give the analyzer what it needs. plugins: tables that hold
    the analyzers it reads; None takes those of core. params: of the family.
    """
    _check_record(analyzer)
    with _scene_for(analyzer, family, plugins, params) as place:
        _compute_upstream(place, analyzer)
        first, second = (_computed(analyzer, _show(place, analyzer)) for _ in range(2))
        _check_arrays(analyzer, first)
        for name in first:
            assert np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f"), (
                f"{analyzer.name}: {name!r} differs between two looks at the same checkpoint; draw no random numbers "
                "without a seed of your own"
            )


def _check_record(analyzer: Analyzer) -> None:
    assert _NAME.fullmatch(analyzer.name), f"{analyzer.name!r} should read like 'namespace.instrument', in lower case"
    assert analyzer.version >= 1, f"{analyzer.name}: versions count from 1"
    assert analyzer.summary, f"{analyzer.name}: its function needs a docstring, whose first line is its summary"
    assert analyzer.outputs, f"{analyzer.name}: say what it returns in `outputs`, name -> meaning, shape and unit"
    analyzer.options()
    copied = pickle.loads(pickle.dumps(analyzer.compute))
    assert copied is analyzer.compute, f"{analyzer.name}: `compute` must be a function of a module, to run elsewhere"


def _scene_for(analyzer: Analyzer, family: Family | None, plugins: Plugins | None, params: Any) -> Any:
    from miscope.applicability import applies
    from miscope.family import make_variant
    from miscope.subject import Subject
    from miscope.testing.staging import scene, tables
    from miscope.testing.toy import ToyFamily, ToyFourierFamily

    candidates = [family] if family is not None else [ToyFourierFamily(), ToyFamily()]
    reasons = []
    for candidate in candidates:
        subject = Subject(candidate, make_variant(candidate, params or {}))
        reason = applies(analyzer, subject, subject.probe(), ["train_loss", "test_loss"])
        if reason is None:
            found = plugins or tables(*((analyzer,) if family is None else (analyzer, family)))
            assert analyzer.name in found.analyzers, f"{analyzer.name} is not in the tables given as `plugins`"
            return scene(candidate, found, params)
        reasons.append(reason)
    raise AssertionError(
        f"{analyzer.name} has nothing to look at: {'; '.join(reasons)}.\nPass check_analyzer a family that has it."
    )


def _compute_upstream(place: Scene, analyzer: Analyzer) -> None:
    from miscope.analysis import analyze
    from miscope.outcome import State

    if not analyzer.reads:
        return
    for outcome in analyze(place.workspace, [v.value for v in place.variants], list(analyzer.reads)):
        assert outcome.state in (State.SAVED, State.PRESENT), f"{outcome.analyzers}: {outcome.error}\n{outcome.trace}"


def _show(place: Scene, analyzer: Analyzer) -> Any:
    """What the analyzer is shown, made anew."""
    from miscope.moment import Cohort
    from miscope.seeing import moment_of, record, set_up, trajectory_of

    store = place.workspace.store
    settings = [set_up(place.workspace, v.value, [analyzer.name], steps=v.steps) for v in place.variants]
    if analyzer.grain is Grain.COHORT:
        members = tuple(trajectory_of(setting, analyzer.name, store) for setting in settings)
        return Cohort(members=members, options=settings[0].options_of(analyzer.name))
    setting = settings[0]
    if analyzer.grain is Grain.TRAJECTORY:
        return trajectory_of(setting, analyzer.name, store)
    checkpoint = store.load_checkpoint(setting.variant.name, setting.steps[-1])
    return moment_of(
        setting,
        analyzer.name,
        checkpoint=checkpoint,
        activations=record(setting.subject, setting.probe, checkpoint.weights, [analyzer]),
        artifacts={name: store.load_arrays(setting.key(name, checkpoint.step)) for name in analyzer.reads},
    )


def _computed(analyzer: Analyzer, shown: Any) -> Arrays:
    """The arrays, after checking that what was shown is as it was."""
    before = _fingerprint(shown)
    arrays = analyzer.compute(shown)
    assert _fingerprint(shown) == before, f"{analyzer.name} changed what it was shown; copy before writing"
    return arrays


def _fingerprint(shown: Any) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for position, part in enumerate(getattr(shown, "members", (shown,))):
        for kind in ("weights", "activations"):
            for name, value in getattr(part, kind, {}).items():
                tensor: Any = value() if callable(value) else value
                found[f"{position} {kind} {name}"] = tensor.detach().cpu().contiguous().numpy().tobytes()
        for upstream, arrays in part.artifacts.items():
            found |= {f"{position} {upstream} {name}": np.asarray(array).tobytes() for name, array in arrays.items()}
        for name, series in getattr(part, "metrics", {}).items():
            found[f"{position} metric {name}"] = series.steps.tobytes() + series.values.tobytes()
    return found


def _check_arrays(analyzer: Analyzer, arrays: Arrays) -> None:
    assert isinstance(arrays, Mapping), f"{analyzer.name} should return a dict of arrays, not {type(arrays).__name__}"
    assert arrays, f"{analyzer.name} returned no array at all"
    for name, array in arrays.items():
        assert isinstance(array, np.ndarray), (
            f"{analyzer.name}: {name!r} is {type(array).__name__}; wrap it in np.asarray (a 0-d array is a scalar)"
        )
        assert array.dtype.kind in "biufcU", f"{analyzer.name}: {name!r} holds {array.dtype}, which cannot be stored"
        assert name != "step", f"{analyzer.name}: 'step' is miscope's own name, of the steps arrays are stacked over"
        assert any(_stands_for(pattern).fullmatch(name) for pattern in analyzer.outputs), (
            f"{analyzer.name}: {name!r} is not in `outputs` ({', '.join(analyzer.outputs)}); say there what it is"
        )


def _stands_for(pattern: str) -> re.Pattern[str]:
    """'ROLE/{min,max}' as a regular expression: a word in capitals stands for any name, braces for one of several."""
    parts = re.split(r"([A-Z]{3,}|\*|\{[^}]*\})", pattern)
    literal = [re.escape(part) for part in parts[::2]]
    free = [f"({'|'.join(map(re.escape, p[1:-1].split(',')))})" if p.startswith("{") else ".+" for p in parts[1::2]]
    return re.compile("".join(a + b for a, b in zip(literal, [*free, ""], strict=True)))
