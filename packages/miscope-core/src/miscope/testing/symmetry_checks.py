"""Whether an analyzer's numbers stay as they are where what the model computes does, unless it says that they vary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np

from miscope.analyzer import Symmetry
from miscope.checkpoint import Checkpoint
from miscope.testing.same_function import changed_weights
from miscope.testing.staging import copied

if TYPE_CHECKING:
    from miscope.analyzer import Analyzer
    from miscope.artifact import Arrays
    from miscope.bound import BoundVariant
    from miscope.model_context import ModelContext

__all__ = ["changed_variant", "check_symmetries", "comparable", "differing"]

_OF_A_PART = ("train", "test", "leaked", "clean")
"""Parts of the inputs: the training set is not mapped to itself by a relabelling, so they are then of other inputs."""


def changed_variant(run: BoundVariant, symmetries: Sequence[Symmetry]) -> BoundVariant | None:
    """The run beside itself, under a label, with every checkpoint changed by those that its model has, one after the
    other, and its metrics as they are; None where it has none of them."""
    context = run.workspace.value.context(run.value)
    changed = [_changed(context, checkpoint, symmetries) for checkpoint in run.checkpoints]
    checkpoints = [checkpoint for checkpoint in changed if checkpoint is not None]
    if len(checkpoints) < len(changed):
        return None
    return copied(run, "-".join(symmetry.replace(" ", "-") for symmetry in symmetries)[:40], checkpoints)


def _changed(context: ModelContext, checkpoint: Checkpoint, symmetries: Sequence[Symmetry]) -> Checkpoint | None:
    weights = checkpoint.weights
    for symmetry in symmetries:
        weights = changed_weights(symmetry, context, weights) or weights
    return None if weights is checkpoint.weights else Checkpoint(step=checkpoint.step, weights=weights)


def comparable(analyzer: Analyzer, symmetry: Symmetry) -> bool:
    """Whether the change tells something of it: not of one that looks at several variants, at a variant's record, at
    the optimizer's state, which the changed weights have not, or at the training set's gradient under a relabelling,
    which does not map that set to itself."""
    of_weights = analyzer.grain != "cohort" and not (analyzer.needs.facts or analyzer.needs.optimizer)
    return of_weights and not (analyzer.needs.gradients and symmetry == "token relabelling")


def differing(before: Arrays, after: Arrays, symmetry: Symmetry) -> Iterator[str]:
    """Names of arrays of floats whose values, in whatever order and of whatever sign, are others after the change.

    Heads count as one array, 'W_V[h]' for 'W_V[0]' and 'W_V[1]'. Left out is what is drawn anew from other numbers:
    those with 'null' in their name, and p-values, 'NAME/p'. 'NAME/sem' is by how much 'NAME' may be off.
    """
    one, other = _pooled(before), _pooled(after)
    for name, values in one.items():
        if symmetry == "token relabelling" and any(part in name for part in _OF_A_PART):
            continue
        if "null" in name or name.endswith(("/sem", "/p")):
            continue
        error = float(np.nanmax(one.get(f"{name}/sem", np.zeros(1)), initial=0.0))
        if name not in other or not _same(values, other[name], 4 * error):
            yield name


def check_symmetries(
    analyzer: Analyzer, run: BoundVariant, before: Arrays, computed: Callable[[BoundVariant], Arrays]
) -> None:
    """Assert that the arrays computed of a run are the same where its weights are changed and the model's function is
    not, unless the analyzer declares that they vary.

    All such changes but a relabelling are made at once, and told apart only where something differs.
    """
    silent = [
        each for each in get_args(Symmetry) if each not in analyzer.not_invariant_to and comparable(analyzer, each)
    ]
    together = [each for each in silent if each != "token relabelling"]
    for group in (together, [each for each in silent if each not in together]):
        changed = changed_variant(run, group) if group else None
        if changed is None:
            continue
        if not any(differing(before, computed(changed), group[-1])):
            continue
        for symmetry in group:
            alone = changed if len(group) == 1 else changed_variant(run, [symmetry])
            names = sorted(differing(before, computed(alone), symmetry)) if alone else []
            assert not names, _sentence(analyzer, symmetry, names)


def _sentence(analyzer: Analyzer, symmetry: Symmetry, names: Sequence[str]) -> str:
    declared = ", ".join(map(repr, analyzer.not_invariant_to)) + "," * (len(analyzer.not_invariant_to) == 1)
    changes = "changes" if len(names) == 1 else "change"
    return (
        f"{analyzer.name}: {', '.join(map(repr, names))} {changes} under {symmetry!r}, which leaves what the model "
        f"computes as it is, and it declares not_invariant_to=({declared}); add {symmetry!r} there, or compute what "
        "does not depend on it"
    )


def _pooled(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of floats, those of several heads as one."""
    pooled: dict[str, list[np.ndarray]] = {}
    for name, values in arrays.items():
        if np.issubdtype(values.dtype, np.floating):
            pooled.setdefault(re.sub(r"\[\d+\]", "[h]", name), []).append(values.ravel())
    return {name: np.concatenate(parts) for name, parts in pooled.items()}


def _same(one: np.ndarray, two: np.ndarray, error: float) -> bool:
    if one.shape != two.shape:
        return False
    loose = 5e-3 if one.dtype == np.float16 else 2e-3
    ordered = [np.sort(np.abs(np.asarray(a, dtype=np.float64)), axis=None) for a in (one, two)]
    scale = np.nanmax(ordered[0], initial=0.0)
    return bool(np.allclose(*ordered, rtol=loose, atol=loose * max(scale, 1e-3) + error, equal_nan=True))
