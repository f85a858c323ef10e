"""Adam's averages against closed forms and against PyTorch's own updates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope.analysis.returned import returned_arrays
from miscope.analyzer import Analyzer
from miscope.analyzers.observed.weights import balance_observed
from miscope.analyzers.optimizer import MOMENTS, RATES
from miscope.bound import BoundVariant, open_bound
from miscope.errors import DoesNotApply
from miscope.observation import ObservedArtifact
from miscope.optimizer_group import OptimizerGroup, recorded_groups
from miscope.outcome import State
from miscope.testing import roundings, tables, toy_snapshot
from miscope.testing import toy_modules as own

BETAS, EPS = (0.9, 0.98), 1e-8
W = {"W_E": torch.tensor([[3.0, -4.0], [0.5, 2.0]]), "b": torch.tensor([1.0, -2.0])}


def group(*roles: str, **changes: Any) -> OptimizerGroup:
    fields = {"optimizer": "adamw", "roles": roles, "learning_rate": 1e-3, "weight_decay": 1.0, "decoupled": True}
    return OptimizerGroup(**{**fields, "betas": BETAS, "eps": EPS, **changes})


def state(m: Tensor, v: Tensor, t: int = 5) -> dict[str, Tensor]:
    return {"exp_avg": m, "exp_avg_sq": v, "step": torch.tensor(float(t))}


def seen(analyzer: Analyzer, weights: Any, states: Any, groups: Any, **options: Any) -> dict[str, Any]:
    fields = {"weights": weights, "optimizer_state": states, "optimizer_groups": tuple(groups), "step": 5}
    shown = toy_snapshot(**fields, options=analyzer.options(**options))
    return returned_arrays(analyzer.name, analyzer.compute(shown))


def in_balance(decay: float = 1.0, t: int = 5) -> dict[str, dict[str, Tensor]]:
    """Averages whose update is exactly -decay times the weight: m_hat / (sqrt(v_hat) + eps) = -decay w."""
    root = 0.25
    v = {role: torch.full_like(w, root**2).double() * (1 - BETAS[1] ** t) for role, w in W.items()}
    m = {role: -decay * w.double() * (root + EPS) * (1 - BETAS[0] ** t) for role, w in W.items()}
    return {role: state(m[role], v[role], t) for role in W}


def test_where_update_and_decay_balance_their_ratio_is_one_and_the_decay_divides_it() -> None:
    balanced = seen(MOMENTS, W, in_balance(), [group("W_E", "b")])
    stronger = seen(MOMENTS, W, in_balance(), [group("W_E", "b", weight_decay=4.0)])
    for name in ("total", "W_E", "b"):
        assert float(balanced[f"{name}/update_over_decay"]) == pytest.approx(1, rel=1e-14)
        assert float(stronger[f"{name}/update_over_decay"]) == pytest.approx(1 / 4, rel=1e-14)
    assert float(balanced["total/corrected_sqrt_v_mean"]) == pytest.approx(0.25, rel=1e-14)


def test_raw_numbers_are_the_averages_as_they_are_and_corrected_ones_without_their_bias() -> None:
    m, v, t = torch.tensor([0.3, -0.6]), torch.tensor([0.04, 0.09]), 3
    found = seen(MOMENTS, {"b": W["b"]}, {"b": state(m, v, t)}, [group("b")])
    first, second = 1 - 0.9**3, (1 - 0.98**3) ** 0.5
    ratio = np.array([0.3 / 0.2, 0.6 / 0.3])
    expected = {
        "sqrt_v_mean": 0.25,
        "sqrt_v_max": 0.3,
        "ratio_mean": ratio.mean(),
        "ratio_max": ratio.max(),
        "corrected_sqrt_v_mean": 0.25 / second,
        "corrected_sqrt_v_max": 0.3 / second,
        "corrected_ratio_mean": ratio.mean() * second / first,
        "corrected_ratio_max": ratio.max() * second / first,
    }
    assert {name: float(found[f"total/{name}"]) for name in expected} == pytest.approx(expected, rel=1e-6)
    assert float(found["total/below_eps"]) == 0


def test_only_what_is_decayed_apart_from_the_gradient_enters_the_ratio() -> None:
    bare = [group("W_E"), group("b", weight_decay=0.0)]
    found = seen(MOMENTS, W, in_balance(), bare)
    assert float(found["total/update_over_decay"]) == pytest.approx(1, rel=1e-14)
    assert np.isnan(found["b/update_over_decay"])
    for nothing in ([group("W_E", "b", weight_decay=0.0)], [group("W_E", "b", optimizer="adam", decoupled=False)]):
        assert np.isnan(seen(MOMENTS, W, in_balance(), nothing)["total/update_over_decay"])


def test_weights_with_a_rate_and_a_decay_of_their_own_count_with_both() -> None:
    slow = [group("W_E"), group("b", weight_decay=2.0, lr_factor=0.1, learning_rate=1e-4)]
    found = seen(MOMENTS, W, in_balance(), slow)
    e, b = (float(W[role].square().sum()) for role in ("W_E", "b"))
    assert float(found["total/update_over_decay"]) == pytest.approx(((e + 0.01 * b) / (e + 0.01 * 4 * b)) ** 0.5)
    assert float(found["b/update_over_decay"]) == pytest.approx(1 / 2)


def test_the_first_publications_forms_stand_beside_under_their_own_name() -> None:
    states = {"W_E": state(torch.full((2, 2), 0.2), torch.full((2, 2), 0.01)), "b": state(torch.ones(2), torch.ones(2))}
    groups = [group("W_E", weight_decay=4.0, eps=1e-2), group("b", weight_decay=0.0, eps=1e-2)]
    found = seen(MOMENTS, W, states, groups, original=True)
    small, large = (0.01 + 1e-2) ** 0.5, (1 + 1e-2) ** 0.5
    update = (4 * (0.2 / small) ** 2 + 2 / large**2) ** 0.5
    decay = (4 * float(W["W_E"].square().sum())) ** 0.5
    assert float(found["original/sqrt_v_mean"]) == pytest.approx((4 * small + 2 * large) / 6, rel=1e-6)
    assert float(found["original/ratio_max"]) == pytest.approx(0.2 / small, rel=1e-6)
    assert float(found["original/update_over_decay"]) == pytest.approx(update / decay, rel=1e-6)
    assert not [name for name in seen(MOMENTS, W, states, groups) if name.startswith("original")]


def test_a_run_of_pytorchs_own_adamw_moves_by_what_the_numbers_say() -> None:
    weight = torch.nn.Parameter(torch.randn(6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    optimizer = torch.optim.AdamW([weight], lr=0.01, betas=BETAS, eps=EPS, weight_decay=0.5)
    for i in range(4):
        before = weight.detach().clone()
        weight.grad = torch.sin(before * (i + 1))
        optimizer.step()
    states, moved = {"W": optimizer.state[weight]}, before - weight.detach()
    groups = recorded_groups([{**optimizer.param_groups[0], "optimizer": "adamw", "roles": ["W"]}])
    found = seen(MOMENTS, {"W": weight.detach()}, states, groups)
    update = moved / 0.01 - 0.5 * before  # w_new - w_old = -lr (update + lambda w_old)
    assert float(found["W/corrected_ratio_mean"]) == pytest.approx(float(update.abs().mean()), rel=1e-10)
    ratio = float(update.norm() / (0.5 * weight.detach().norm()))
    assert float(found["W/update_over_decay"]) == pytest.approx(ratio, rel=1e-10)


def test_rates_are_relative_to_the_weight_and_of_each_number() -> None:
    rate, w = 0.1, W["b"]
    root, update = (torch.tensor(values, dtype=torch.float64) for values in ([0.5, 2.0], [0.6, -0.8]))
    m, v = update * (root + EPS) * (1 - BETAS[0] ** 5), root**2 * (1 - BETAS[1] ** 5)
    found = seen(RATES, {"b": w}, {"b": state(m, v)}, [group("b", learning_rate=rate, weight_decay=2.0)])
    assert float(found["b/relative_update"]) == pytest.approx(rate / 5**0.5, rel=1e-12)
    expected = np.quantile([rate / 0.5, rate / 2.0], [0.05, 0.25, 0.5, 0.75, 0.95])
    assert found["b/effective_rate"] == pytest.approx(expected, rel=1e-7)
    assert float(found["total/effective_rate_median"]) == pytest.approx(expected[2], rel=1e-7)
    before = (w.double() + rate * update) / (1 - rate * 2.0)
    angle = np.arccos(float(before @ w.double() / before.norm() / w.double().norm()))
    assert float(found["b/angle"]) == pytest.approx(angle, rel=1e-9)
    assert float(found["b/equilibrium_angle"]) == pytest.approx((2 * rate * 2.0 * 0.1 / 1.9) ** 0.5, rel=1e-12)
    assert float(found["b/equilibrium_angle_without_momentum"]) == pytest.approx((2 * rate * 2.0) ** 0.5, rel=1e-12)


def test_a_weight_that_is_not_decayed_has_no_equilibrium_and_one_of_zeros_no_measure() -> None:
    zeros = {"b": torch.zeros(2)}
    found = seen(RATES, zeros, {"b": state(torch.ones(2), torch.ones(2))}, [group("b", weight_decay=0.0)])
    for name in ("relative_update", "angle", "equilibrium_angle", "equilibrium_angle_without_momentum"):
        assert np.isnan(found[f"b/{name}"])


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """toy(optimizer="sgd"): a toy trained for a few updates with the optimizer's state beside each checkpoint."""
    place = open_bound(tmp_path_factory.mktemp("optimizer"), tables())

    def trained(watch: tuple[str, ...] = (), **fields: Any) -> BoundVariant:
        short = {"steps": 4, "checkpoints": "every:1", "save_optimizer": True}
        variant = place.variant("toy.sum", **{**short, **fields})
        variant = variant.labelled("watched") if watch else variant
        for _ in variant.train(threads=1, watch=watch):
            pass
        return variant

    return trained


def outcomes(variant: BoundVariant, name: str) -> dict[int | None, tuple[State, str]]:
    return {outcome.step: (outcome.state, outcome.error) for outcome in variant.analyze(name)}


def test_a_training_is_looked_at_with_its_own_settings_from_the_first_update_on(toy: Any) -> None:
    variant = toy(no_decay=("W_U",), weight_decay=0.3)
    found = outcomes(variant, "optimizer.moments")
    never = "does not apply: at step 0 the optimizer has made no update yet, and remembers nothing"
    assert found.pop(0) == (State.SKIPPED, never)
    assert {each[0] for each in found.values()} == {State.SAVED}
    arrays = variant.arrays("optimizer.moments", 4)
    kept = variant.workspace.store.load_training_state(variant.name, step=4)
    assert kept is not None
    v, m, t = (kept.optimizer_state["W_E"][name].double() for name in ("exp_avg_sq", "exp_avg", "step"))
    update = m / (1 - 0.9**t) / ((v / (1 - 0.98**t)).sqrt() + 1e-8)
    ratio = update.norm() / (0.3 * variant.at(4).checkpoint.weights["W_E"].double().norm())
    assert roundings(arrays["W_E/update_over_decay"], ratio.numpy()) < 100
    assert np.isnan(arrays["W_U/update_over_decay"])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"optimizer": "sgd"}, "it looks at what Adam remembers, and the optimizer here is sgd"),
        (
            {"save_optimizer": False},
            "no optimizer state was kept beside its checkpoints; train with save_optimizer=true, or watch it while it "
            "trains",
        ),
    ],
)
def test_where_there_are_no_averages_it_is_said_why(toy: Any, fields: dict[str, Any], reason: str) -> None:
    variant = toy(seed=3, **fields)
    try:
        said = {error for _, error in outcomes(variant, "optimizer.moments").values()}
    except DoesNotApply as error:
        said = {f"does not apply: {error.reason}"}
    assert said == {f"does not apply: {reason}"}
    with pytest.raises(DoesNotApply) as error:
        variant.arrays("optimizer.moments")
    assert error.value.reason == reason


def test_watched_it_is_what_it_is_of_the_checkpoints_and_nothing_before_the_first_update(toy: Any) -> None:
    names = ("optimizer.moments", "optimizer.rates", "optimizer.alignment", "optimizer.last_update")
    kept, seen = toy(seed=5, warmup_steps=3), toy(seed=5, warmup_steps=3, save_optimizer=False, steps=3, watch=names)
    for name in names:
        outcomes(kept, name)
        arrays = {n: a for n, a in kept.arrays(name, 3).items() if a.ndim == 0}
        for array, value in arrays.items():
            steps, values = seen.metric(f"{name}/{array}")
            assert steps.tolist() == [1, 2, 3]
            assert values[-1] == pytest.approx(float(value), rel=1e-12, abs=0, nan_ok=True), array


def test_its_sentence_says_how_far_update_and_decay_are_from_balance() -> None:
    seen_as = {"step": 1600, "first_step": 0, "step_label": "epoch", "options": None}
    told = {"total/update_over_decay": np.asarray(0.934)}
    (said,) = balance_observed(ObservedArtifact(arrays=told, first=told, **seen_as))
    start = "At epoch 1,600 Adam's update is 0.934 times as long as the weight decay of the weights that are decayed"
    assert said.text == f"{start}; in balance it is 1."
    nothing = {"total/update_over_decay": np.asarray(np.nan)}
    assert balance_observed(ObservedArtifact(arrays=nothing, first=nothing, **seen_as)) == []


def test_a_state_without_the_settings_it_was_made_with_is_not_guessed_at() -> None:
    with pytest.raises(DoesNotApply, match="and not with which rate, decay and averages it was made"):
        seen(MOMENTS, W, in_balance(), [])


def test_of_muon_the_weights_that_adamw_has_are_looked_at(toy: Any) -> None:
    variant = toy(seed=4, optimizer="muon", muon_exclude=("W_E", "W_U"))
    outcomes(variant, "optimizer.moments")
    arrays = variant.arrays("optimizer.moments", 4)
    assert {name.rpartition("/")[0] for name in arrays} == {"W_E", "W_U", "total"}


def test_a_recorded_module_is_looked_at_with_the_settings_its_optimizer_had(tmp_path: Path) -> None:
    place, model = open_bound(tmp_path, tables()), own.seeded()
    parts = [{"params": [model.hidden.weight], "weight_decay": 0.5}, {"params": [model.head.weight], "lr": 0.02}]
    optimizer = torch.optim.AdamW(parts, lr=0.01, betas=BETAS, weight_decay=0.0)
    names = {"hidden.weight": "blocks.0.mlp.W_in"}
    with place.record("one", model, probe=own.pairs(), names=names) as recorder:
        recorder.checkpoint(0, model, optimizer=optimizer)
        own.learn(model, optimizer)
        recorder.checkpoint(1, model, optimizer=optimizer)
    variant = place.find("pytorch.module/one")
    found = outcomes(variant, "optimizer.moments")
    assert (found[0][0], found[1][0]) == (State.SKIPPED, State.SAVED)
    arrays = variant.arrays("optimizer.moments", 1)
    assert {name.rpartition("/")[0] for name in arrays} == {"blocks.0.mlp.W_in", "head.weight", "total"}
    # After one update m_hat / sqrt(v_hat) is the sign of the gradient, wherever there was one.
    moved = (optimizer.state[model.hidden.weight]["exp_avg"] != 0).sum().item()
    decay = 0.5 * float(model.hidden.weight.detach().norm())
    assert float(arrays["total/update_over_decay"]) == pytest.approx(moved**0.5 / decay, rel=1e-3)
    assert np.isnan(arrays["head.weight/update_over_decay"])
