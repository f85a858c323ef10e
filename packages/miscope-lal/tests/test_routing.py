"""Instruments of routing, on routing that is known, and on a small network that was trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import miscope_lal
from miscope import ObservedArtifact, Snapshot, Trajectory
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.testing import check_analyzer, tables
from miscope_lal.analyzers import ALL
from miscope_lal.analyzers.alike import ALIKE
from miscope_lal.analyzers.classes import CLASSES
from miscope_lal.analyzers.clusters import CLUSTERS
from miscope_lal.analyzers.drift import DRIFT
from miscope_lal.analyzers.paths import PATHS
from miscope_lal.analyzers.statistics import MAP, STATISTICS
from miscope_lal.analyzers.untrained import UNTRAINED
from miscope_lal.routed import RoutedFamily
from miscope_lal.routed_transformer import RoutedTransformerFamily

SMALL = {"prime": 7, "n_layers": 2, "hidden_dim": 8}
FIRST, SECOND = (f"blocks.{layer}.routing.hook_weights" for layer in range(2))
CONTEXT = ModelContext(RoutedFamily(), make_variant(RoutedFamily(), SMALL))
PROBE = CONTEXT.probe()
A, B, SUM = (PROBE.columns[name] for name in ("a", "b", "sum"))


def shown(analyzer: Any, first: np.ndarray, second: np.ndarray, **more: Any) -> Snapshot:
    """A snapshot in which the two layers take these heads of four at each pair."""
    sites = {FIRST: torch.eye(4)[first].double(), SECOND: torch.eye(4)[second].double(), **more.pop("activations", {})}
    given = {"probe": PROBE, "bases": CONTEXT.bases, "activations": sites, **more}
    return Snapshot(variant=CONTEXT.variant, step=0, options=analyzer.options(), **given)


@pytest.mark.parametrize("analyzer", ALL, ids=lambda analyzer: analyzer.name)
def test_every_instrument_keeps_the_contract(analyzer: Any) -> None:
    missing = check_analyzer(analyzer, RoutedFamily(), plugins=tables(lal=miscope_lal), params=SMALL)
    assert missing == ()


@pytest.mark.parametrize("analyzer", [STATISTICS, CLUSTERS, UNTRAINED], ids=lambda analyzer: analyzer.name)
def test_a_transformer_that_routes_is_looked_at_too(analyzer: Any) -> None:
    params = {"prime": 5, "hidden_dim": 8, "n_heads": 2}
    check_analyzer(analyzer, RoutedTransformerFamily(), plugins=tables(lal=miscope_lal), params=params)


def test_routing_by_one_number_is_alike_within_it_and_by_chance_within_the_other() -> None:
    found = ALIKE.compute(shown(ALIKE, A % 2, np.zeros_like(A)))
    assert found[f"{FIRST}/a/alike"] == pytest.approx(1)
    assert found[f"{FIRST}/a/p"] == 1 / 200
    assert found[f"{FIRST}/a/within"] == pytest.approx(0, abs=1e-12)
    assert found[f"{FIRST}/b/alike"] == pytest.approx(0, abs=1e-12)
    assert found[f"{FIRST}/b/p"] == 1
    assert np.isnan(found[f"{SECOND}/a/alike"])


def test_a_head_is_used_by_the_share_of_the_inputs_that_take_it() -> None:
    found = STATISTICS.compute(shown(STATISTICS, A % 2, np.zeros_like(A)))
    assert found[f"{FIRST}/use"] == pytest.approx([4 / 7, 3 / 7, 0, 0])
    assert found[f"{FIRST}/use_entropy"] == pytest.approx(-(4 / 7) * np.log(4 / 7) - (3 / 7) * np.log(3 / 7))
    assert found["entropy"] == 0
    assert [found[f"use/{head}"] for head in range(4)] == pytest.approx([11 / 14, 3 / 14, 0, 0])


def test_undecided_routing_has_the_entropy_of_all_heads() -> None:
    even = {FIRST: torch.full((49, 4), 0.25), SECOND: torch.full((49, 4), 0.25)}
    found = STATISTICS.compute(shown(STATISTICS, A % 2, A % 2, activations=even))
    assert found["entropy"] == pytest.approx(np.log(4))
    assert found["largest"] == 0.25
    alike = ALIKE.compute(shown(ALIKE, A % 2, A % 2, activations=even))
    assert np.isnan(alike[f"{FIRST}/sum/alike"])


def test_the_map_lies_as_the_grid_does() -> None:
    found = MAP.compute(shown(MAP, A % 4, B % 3))
    assert found[f"{FIRST}/dominant"].shape == (7, 7)
    assert np.array_equal(found[f"{FIRST}/dominant"][:, 0], np.arange(7) % 4)
    assert np.array_equal(found[f"{SECOND}/dominant"][0], np.arange(7) % 3)
    assert found[f"{SECOND}/weights"].shape == (7, 7, 4)


def test_layers_that_decide_alike_are_bound_and_layers_that_decide_apart_are_not() -> None:
    alike = PATHS.compute(shown(PATHS, A % 2, A % 2))
    assert alike["number"] == 2
    assert alike["bound"] == pytest.approx(alike["entropy"])
    assert alike["bound/p"] == 1 / 200
    assert alike["heads"].tolist() == [[0, 0], [1, 1]]
    assert alike["count"].tolist() == [28, 21]
    apart = PATHS.compute(shown(PATHS, A % 2, B % 2))
    assert apart["number"] == 4
    assert apart["bound"] == pytest.approx(0, abs=1e-12)
    assert apart["bound/p"] > 0.5


def test_routing_by_the_answer_says_of_it_what_there_is_to_say() -> None:
    found = CLASSES.compute(shown(CLASSES, SUM % 4, A % 4))
    share = np.array([2, 2, 2, 1]) / 7
    assert found[f"{FIRST}/information"] == pytest.approx(-(share * np.log(share)).sum())
    assert found[f"{FIRST}/information/p"] == 1 / 200
    assert found[f"{FIRST}/within"] == pytest.approx(np.zeros(7), abs=1e-12)
    assert np.array_equal(found[f"{FIRST}/mean"], np.eye(4)[np.arange(7) % 4])
    assert found[f"{SECOND}/information"] == pytest.approx(0, abs=1e-12)
    assert found[f"{SECOND}/information/p"] == 1
    assert found[f"{SECOND}/adjusted"] < 0 < found[f"{FIRST}/adjusted"]


def test_one_head_for_all_inputs_says_nothing_of_them_and_is_no_more_than_chance() -> None:
    """Both are 0 to rounding, as is their null."""
    nothing = np.zeros_like(A)
    found = CLASSES.compute(shown(CLASSES, nothing, A % 4))
    assert found[f"{FIRST}/information"] == 0
    assert found[f"{FIRST}/information/p"] == 1
    assert PATHS.compute(shown(PATHS, nothing, A % 4))["bound/p"] == 1


def test_heads_that_divide_frequencies_among_them_agree_with_the_clusters() -> None:
    """Three neurons in each of four heads; the first three heads have a frequency each, the last has none."""
    taken = np.digitize(np.arange(49), [15, 30])
    dominant = np.repeat(["1", "2", "3", ""], 3)
    loud = np.zeros((49, 12))
    loud[np.arange(49), 3 * taken] = np.where(np.arange(49) % 2, 3.0, -3.0)
    reads = {"neurons.frequencies": {}}
    for layer in range(2):
        reads["neurons.frequencies"] |= {
            f"blocks.{layer}.mlp.hook_post/dominant": dominant,
            f"blocks.{layer}.mlp.hook_post/label": np.array(["1", "2", "3"]),
        }
    pre = {f"blocks.{layer}.mlp.hook_pre": torch.from_numpy(loud) for layer in range(2)}
    found = CLUSTERS.compute(shown(CLUSTERS, taken, SUM % 4, activations=pre, artifacts=reads))
    assert found[f"{FIRST}/neurons/agreement"] == pytest.approx(1)
    assert found[f"{FIRST}/inputs/agreement"] == pytest.approx(1)
    assert found[f"{FIRST}/neurons"].tolist() == [[3, 0, 0], [0, 3, 0], [0, 0, 3], [0, 0, 0]]
    assert found[f"{FIRST}/inputs/p"] == 1 / 200
    assert found[f"{SECOND}/answer/p"] == 1 / 200
    assert found[f"{SECOND}/inputs/p"] > 0.02


def test_drift_is_the_share_of_weight_that_lies_elsewhere() -> None:
    undecided = np.full((7, 7, 4), 0.25)
    decided = np.eye(4)[(A % 4).reshape(7, 7)]
    weights = np.stack([undecided, decided, decided])
    reads = {f"{FIRST}/weights": weights, f"{FIRST}/dominant": weights.argmax(axis=-1)}
    found = DRIFT.compute(
        Trajectory(
            variant=CONTEXT.variant,
            steps=np.array([0, 5, 9]),
            options=DRIFT.options(),
            probe=PROBE,
            artifacts={"routing.map": reads},
        )
    )
    assert found[f"{FIRST}/from_first"] == pytest.approx([0, 0.75, 0.75])
    assert found[f"{FIRST}/from_last"] == pytest.approx([0.75, 0, 0])
    assert found[f"{FIRST}/moved"] == pytest.approx([0, 0.75, 0])
    assert found[f"{FIRST}/changed"] == pytest.approx([0, 5 / 7, 5 / 7])
    assert found[f"{FIRST}/likeness"][1:] == pytest.approx([1, 1])
    assert found[f"{FIRST}/likeness/p"][1] < 1e-12


def untrained_of(last: dict[str, torch.Tensor], first: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    loads = {role: (lambda role=role: torch.stack([first[role], last[role]])) for role in last}
    trajectory = Trajectory(
        variant=CONTEXT.variant,
        steps=np.array([0, 9]),
        options=UNTRAINED.options(draws=39),
        probe=PROBE,
        weights=loads,
        model=CONTEXT.model,
    )
    return UNTRAINED.compute(trajectory)


def test_gates_that_learned_nothing_are_like_their_null_and_decided_ones_are_not() -> None:
    assert CONTEXT.task is not None
    first = CONTEXT.task.initial_weights()
    found = untrained_of(first, first)
    assert found[f"{FIRST}/entropy/p"] > 0.1
    assert found[f"{FIRST}/information/null"].shape == (39,)
    decided = {role: 60 * weight if role.endswith("W_gate") else weight for role, weight in first.items()}
    found = untrained_of(decided, first)
    assert found[f"{FIRST}/entropy/p"] == 2 / 40
    assert found[f"{FIRST}/entropy"] < found[f"{FIRST}/entropy/null"].min()


def test_a_report_says_how_decided_routing_is_between_none_and_all() -> None:
    arrays = STATISTICS.compute(shown(STATISTICS, A % 2, B % 3))
    seen = ObservedArtifact(
        arrays=arrays, first=arrays, step=1200, first_step=0, step_label="epoch", options=STATISTICS.options()
    )
    assert STATISTICS.observe is not None
    (said,) = STATISTICS.observe(seen)
    assert said.text == ("At epoch 1,200 routing among 4 heads has an entropy of 0 nats (0: decided; 1.39: not).")
    assert said.value == 0
