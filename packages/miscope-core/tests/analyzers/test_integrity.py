"""Damaged runs are flagged where they are damaged, healthy ones nowhere."""

import hashlib

import numpy as np
import pytest
import torch

from miscope.analyzers.integrity import DIGESTS, AuditOptions, audit
from miscope.errors import DoesNotApply
from miscope.maths.succession import detours, local_residuals, squared_distances
from miscope.snapshot import Trajectory
from miscope.testing import toy_snapshot

T = 40


def digested(points):
    return np.array([[hashlib.sha256(row.tobytes()).hexdigest()[:16] for row in role] for role in points.values()]).T


def run(points, steps=None):
    """The audit of a path: role -> (T, n)."""
    points = {role: np.asarray(values, dtype=np.float32) for role, values in points.items()}
    count = len(next(iter(points.values())))
    bad = np.stack([~np.isfinite(values).all(axis=1) for values in points.values()], axis=1)
    stored = {
        "digest": digested(points),
        "type": np.full((count, len(points)), "float32"),
        "nan": bad.astype(int),
        "infinite": np.zeros_like(bad, dtype=int),
    }
    return audit(
        Trajectory(
            variant=toy_snapshot().variant,
            steps=np.arange(count) * 10 if steps is None else steps,
            options=AuditOptions(),
            probe=None,
            artifacts={"integrity.digests": stored},
            weights={role: lambda values=values: torch.from_numpy(values) for role, values in points.items()},
        )
    )


def flags(outputs):
    """{checkpoint: what is said of it}."""
    kinds = {i: set(outputs["kind"][row].tolist()) for i, row in enumerate(outputs["flag"])}
    return {i: what for i, what in kinds.items() if what}


def walk(kind, seed=0, count=T, size=400):
    random = np.random.default_rng(seed)
    noise = random.standard_normal((count, size))
    if kind == "random walk":
        return np.cumsum(noise, axis=0)
    if kind == "fluctuation":
        return noise
    if kind == "decay":
        t = np.arange(count)[:, None]
        return 30 * np.exp(-t / 5) * noise[0] + 5 * np.exp(-((t - 25) ** 2) / 30) * noise[1] + 0.05 * noise
    if kind == "still":
        return np.repeat(noise[:1], count, axis=0) + 1e-3 * np.cumsum(noise, axis=0)
    slings = np.cumsum(0.1 * noise, axis=0)
    slings[15:18] += 8 * noise[0]
    slings[18:] += 2 * noise[0]
    return slings


@pytest.mark.parametrize("kind", ["random walk", "fluctuation", "decay", "still", "slingshot"])
@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_flagged_on_a_healthy_run(kind, seed):
    assert flags(run({"W_E": walk(kind, seed), "W_U": walk(kind, seed + 50, size=60)})) == {}


@pytest.mark.parametrize("kind", ["random walk", "decay"])
@pytest.mark.parametrize("at", [4, 17, 30])
def test_a_checkpoint_replaced_by_the_final_one_is_flagged_and_no_other(kind, at):
    points = walk(kind)
    points[at] = points[-1]
    flagged = flags(run({"W_E": points}))
    assert set(flagged) == {at}
    assert "duplicate" in flagged[at]


def test_a_late_state_with_another_rounding_is_still_out_of_place():
    points = walk("random walk")
    points[12] = points[-1] + 1e-4
    flagged = flags(run({"W_E": points}))
    assert set(flagged) == {12}
    assert {"jump", "out of place"} <= flagged[12]


def test_one_tensor_of_a_later_checkpoint_is_a_part_duplicate():
    first, second = walk("random walk", 1), walk("random walk", 2)
    second[10] = second[-1]
    flagged = flags(run({"W_E": first, "W_U": second}))
    assert set(flagged) == {10}
    assert {"part duplicate", "jump"} <= flagged[10]


def test_two_checkpoints_that_changed_places_are_both_out_of_place():
    points = walk("random walk")
    points[[10, 22]] = points[[22, 10]]
    assert set(flags(run({"W_E": points}))) == {10, 22}


def test_a_first_state_of_another_run_is_a_jump():
    points = walk("still")
    points[0] = walk("still", 9)[0]
    assert flags(run({"W_E": points})) == {0: {"jump"}}


def test_numbers_that_are_none_are_flagged_and_a_tensor_that_stays_as_it_is_is_not():
    points = walk("random walk")
    points[7, 3] = np.nan
    flagged = flags(run({"W_E": points, "b": np.zeros((T, 5))}))
    assert "not a number" in flagged[7]
    assert set(flagged) == {7}


def test_three_checkpoints_are_enough_and_one_is_not():
    outputs = run({"W_E": walk("random walk", count=3)})
    assert flags(outputs) == {}
    assert outputs["distance"].shape == (3, 3)
    with pytest.raises(DoesNotApply, match="it has one checkpoint, which succeeds nothing"):
        run({"W_E": walk("random walk", count=1)})


def test_a_digest_changes_with_one_bit_and_counts_what_is_no_number():
    weights = {"W_E": torch.zeros(2, 3), "b": torch.tensor([0.0, torch.nan, torch.inf])}
    outputs = DIGESTS.compute(toy_snapshot(weights=weights))
    nudged = weights | {"W_E": torch.full((2, 3), -0.0)}
    again = DIGESTS.compute(toy_snapshot(weights=nudged))
    assert outputs["digest"][0] != again["digest"][0]
    assert outputs["digest"][1] == again["digest"][1]
    assert outputs["type"].tolist() == ["float32 (2, 3)", "float32 (3,)"]
    assert (outputs["nan"].tolist(), outputs["infinite"].tolist(), outputs["bad_count"]) == ([0, 1], [0, 1], 2)


def test_distances_detours_and_residuals_in_closed_form():
    points = np.array([[0.0, 0], [3, 4], [6, 8], [6, 0]])
    np.testing.assert_allclose(np.sqrt(squared_distances(points))[0], [0, 5, 10, 6])
    assert detours(np.array([5.0, 5, 8]), np.array([10.0, 5])) == pytest.approx([1, 1, 13 / 5, 1])
    values = 3 + 2.0 * np.arange(12)
    values[5] += 7
    residuals = local_residuals(values)
    assert residuals[5] == pytest.approx(7)
    assert np.delete(residuals, 5) == pytest.approx(0)
