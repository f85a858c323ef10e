"""What leaves the model's function as it is leaves what instruments say as it is, unless they declare otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import miscope_modadd
from miscope.analyzer import Symmetry
from miscope.checkpoint import Checkpoint
from miscope.testing import tables
from miscope.workspace import BoundVariant, Workspace, open_workspace

PRIME, UNIT, STEPS = 11, 3, (0, 100, 200, 300)
Weights = Mapping[str, Tensor]


def neuron_order(weights: Weights) -> dict[str, Tensor]:
    order = torch.randperm(weights["blocks.0.mlp.W_in"].shape[1], generator=torch.Generator().manual_seed(1))
    return _mlp(weights, lambda w: w[:, order], lambda w: w[order])


def relu_scaling(weights: Weights) -> dict[str, Tensor]:
    count = weights["blocks.0.mlp.W_in"].shape[1]
    scale = torch.rand(count, generator=torch.Generator().manual_seed(2)) * 3 + 0.3
    return _mlp(weights, lambda w: w * scale, lambda w: w / scale[:, None])


def head_order(weights: Weights) -> dict[str, Tensor]:
    return {role: w.flip(0) if ".attn." in role else w for role, w in weights.items()}


def residual_rotation(weights: Weights) -> dict[str, Tensor]:
    width = weights["W_E"].shape[1]
    rotation, _ = torch.linalg.qr(torch.randn(width, width, generator=torch.Generator().manual_seed(3)).double())
    written = {role: w.double() @ rotation for role, w in weights.items() if w.shape[-1] == width and role[-1] != "U"}
    read = {role: rotation.T @ w.double() for role, w in weights.items() if role not in written}
    return {role: (written | read)[role].float() for role in weights}


def token_relabelling(weights: Weights) -> dict[str, Tensor]:
    image = torch.arange(PRIME) * UNIT % PRIME
    with_equals = torch.cat([image, torch.arange(PRIME, len(weights["W_E"]))])
    return {**weights, "W_E": weights["W_E"][with_equals], "W_U": weights["W_U"][:, image]}


def _mlp(weights: Weights, into: Callable[[Tensor], Tensor], out: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    w_in, w_out = "blocks.0.mlp.W_in", "blocks.0.mlp.W_out"
    return {**weights, w_in: into(weights[w_in]), w_out: out(weights[w_out])}


CHANGES: dict[Symmetry, Callable[[Weights], dict[str, Tensor]]] = {
    "neuron order": neuron_order,
    "head order": head_order,
    "residual rotation": residual_rotation,
    "relu scaling": relu_scaling,
    "token relabelling": token_relabelling,
}


@cache
def looked_at(root: Path) -> dict[str, BoundVariant]:
    """A trained run, and the same under each change, each looked at through every instrument."""
    workspace = open_workspace(root, tables(modadd=miscope_modadd))
    schedule = ",".join(map(str, STEPS))
    run = workspace.variant("modadd.transformer", prime=PRIME, seed=0, steps=STEPS[-1], checkpoints=schedule)
    for _ in run.train(threads=1):
        pass
    found = {"as it is": run}
    for seed, (name, change) in enumerate(CHANGES.items(), start=1):
        found[name] = changed(workspace, run, seed, change)
    for variant in found.values():
        for outcome in variant.analyze():
            assert outcome.state in ("saved", "present", "skipped"), f"{outcome.analyzers}: {outcome.error}"
    return found


def changed(workspace: Workspace, run: BoundVariant, seed: int, change: Callable[[Weights], Any]) -> BoundVariant:
    variant = workspace.variant("modadd.transformer", prime=PRIME, seed=seed, steps=STEPS[-1])
    workspace.store.save_variant(variant.value)
    for checkpoint in run.checkpoints:
        weights = {role: tensor.contiguous() for role, tensor in change(checkpoint.weights).items()}
        workspace.store.save_checkpoint(variant.name, Checkpoint(step=checkpoint.step, weights=weights))
    rows = [
        (int(s), name, float(v)) for name, m in run.metrics().items() for s, v in zip(m.steps, m.values, strict=True)
    ]
    workspace.store.append_metrics(variant.name, rows)
    return variant


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BoundVariant]:
    return looked_at(tmp_path_factory.mktemp("invariances"))


def differing(symmetry: str, analyzer: str, runs: Mapping[str, BoundVariant]) -> Iterator[str]:
    """Arrays whose values, in whatever order, are others after the change."""
    step = None if runs["as it is"].workspace.plugins.analyzers[analyzer].grain != "checkpoint" else STEPS[-1]
    before, after = (pooled(runs[name].arrays(analyzer, step)) for name in ("as it is", symmetry))
    for name, values in before.items():
        # The training set is not mapped to itself by a relabelling, so losses on its parts are of other inputs.
        if symmetry == "token relabelling" and any(part in name for part in ("train", "test", "leaked", "clean")):
            continue
        if "null" in name or name.endswith("/sem"):
            continue  # drawn anew, from other numbers
        error = float(np.nanmax(before.get(f"{name}/sem", np.zeros(1)), initial=0.0))
        if not same(values, after[name], 4 * error):
            yield name


def pooled(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of numbers, those of several heads as one: 'W_V[h]' for 'W_V[0]' and 'W_V[1]'."""
    found: dict[str, list[np.ndarray]] = {}
    for name, values in arrays.items():
        if np.issubdtype(values.dtype, np.floating):
            found.setdefault(re.sub(r"\[\d+\]", "[h]", name), []).append(values.ravel())
    return {name: np.concatenate(parts) for name, parts in found.items()}


def same(one: np.ndarray, two: np.ndarray, error: float = 0.0) -> bool:
    if one.shape != two.shape:
        return False
    loose = 5e-3 if one.dtype == np.float16 else 2e-3
    ordered = [np.sort(np.abs(np.asarray(a, dtype=np.float64)), axis=None) for a in (one, two)]
    scale = np.nanmax(ordered[0], initial=0.0)
    return bool(np.allclose(*ordered, rtol=loose, atol=loose * max(scale, 1e-3) + error, equal_nan=True))


@pytest.mark.parametrize("symmetry", CHANGES)
def test_the_changes_leave_the_logits_as_they_are(symmetry: Symmetry, runs: Mapping[str, BoundVariant]) -> None:
    def logits(variant: BoundVariant) -> Tensor:
        subject = variant.workspace.subject(variant.value)
        weights = {role: tensor.double() for role, tensor in next(iter(variant.checkpoints)).weights.items()}
        return subject.model.answers(weights, subject.probe().inputs, ["logits"])["logits"]

    before, after = logits(runs["as it is"]), logits(runs[symmetry])
    if symmetry == "token relabelling":
        a, b = np.divmod(np.arange(PRIME**2), PRIME)
        image = torch.arange(PRIME) * UNIT % PRIME
        before = before[torch.from_numpy((a * UNIT % PRIME) * PRIME + b * UNIT % PRIME)][:, image]
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("symmetry", CHANGES)
def test_an_instrument_changes_under_what_it_declares_and_nothing_else(
    symmetry: Symmetry, runs: Mapping[str, BoundVariant]
) -> None:
    from miscope.errors import DoesNotApply

    wrong = {}
    for name, analyzer in runs["as it is"].workspace.plugins.analyzers.items():
        if analyzer.grain == "cohort" or analyzer.heavy or (analyzer.gradients and symmetry == "token relabelling"):
            continue  # a gradient is that of the training set, which a relabelling does not map to itself
        try:
            found = sorted(differing(symmetry, name, runs))
        except DoesNotApply:
            continue
        if bool(found) != (symmetry in analyzer.varies):
            wrong[name] = found or "declared, and nothing changed"
    assert wrong == {}, "\n".join(f"{name}: {found}" for name, found in wrong.items())
