"""Clock against pizza: closed forms, the paper's two models, and figures of both."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import miscope_modadd
from miscope import Snapshot, ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.testing import check_analyzer, check_view, tables
from miscope_modadd.analyzers.clock_pizza import PIZZA, distance_irrelevance, stratified
from miscope_modadd.mlp import MlpFamily
from miscope_modadd.nanda2023 import Nanda2023Family
from miscope_modadd.transformer import TransformerFamily
from miscope_modadd.views import clock_pizza

EVERY_TRIPLE = {"wd_10-1_mod_addition_loss_curve": 0.703584, "low_precision_mod_addition": 0.157003}
"""Mean cosine over all 113^3 triples."""
PUBLISHED = {
    "wd_10-1_mod_addition_loss_curve": (0.7435995783345424, 0.7124680836977135, 0.004954399227645625),
    "low_precision_mod_addition": (0.944116364452833, 0.1721883417925716, 0.011399535891959373),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", [TransformerFamily(), MlpFamily()], ids=lambda family: family.name)
def test_the_clock_and_pizza_instrument_keeps_the_contract(family):
    check_analyzer(PIZZA, family, plugins=tables(modadd=miscope_modadd), params={"prime": 7})


@pytest.mark.slow
@pytest.mark.parametrize("view", clock_pizza.VIEWS, ids=lambda view: view.name)
def test_every_view_draws_a_trained_model(view):
    check_view(view, TransformerFamily(), plugins=tables(modadd=miscope_modadd), params={"prime": 7})


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_papers_models(name, calibration_file):
    path = calibration_file(f"{name}.pth")
    family = Nanda2023Family()
    context = ModelContext(family, make_variant(family, {"seed": 1}))
    state = torch.load(path, map_location="cpu", weights_only=True)["model"]
    weights = family.adopt(state, context.variant.params)
    assert weights is not None
    outputs = PIZZA.compute(snapshot(context, weights, triples=4096))
    irrelevance, symmetricity, sem = PUBLISHED[name]
    assert outputs["distance_irrelevance"] == pytest.approx(irrelevance, rel=1e-6)
    spread = np.hypot(sem, outputs["gradient_symmetricity/sem"])
    assert abs(outputs["gradient_symmetricity"] - symmetricity) < 3 * spread
    assert outputs["gradient_symmetricity/sem"] < 0.01
    default = PIZZA.compute(snapshot(context, weights, triples=PIZZA.options().triples))
    away = abs(default["gradient_symmetricity"] - EVERY_TRIPLE[name])
    assert away < 2.5 * default["gradient_symmetricity/sem"]
    assert default["gradient_symmetricity/sem"] < 0.01


@pytest.fixture
def transformer():
    context = ModelContext(TransformerFamily(), make_variant(TransformerFamily(), {"prime": 7}))
    assert context.task is not None
    return context, context.task.initial_weights()


def test_where_there_are_no_more_triples_than_asked_for_all_are_taken_and_there_is_no_error(transformer):
    outputs = PIZZA.compute(snapshot(*transformer, triples=7**3))
    assert outputs["gradient_symmetricity"] == pytest.approx(brute_force(*transformer).mean(), rel=1e-5)
    assert outputs["gradient_symmetricity/sem"] == 0


def brute_force(context, weights):
    """(p, p, p) cosines, one gradient at a time."""
    p, inputs, cosines = 7, context.probe().inputs, np.empty((7, 7, 7))
    for row, c in np.ndindex(p * p, p):
        leaf = []

        def cut(embedding, leaf=leaf):
            leaf.append(embedding.detach().requires_grad_())
            return leaf[-1]

        with torch.enable_grad():
            chosen = inputs[row : row + 1]
            logits = context.model.run(dict(weights), chosen, ["logits"], hooks=[("hook_embed", cut)])["logits"]
            (gradient,) = torch.autograd.grad(logits[0, -1, c], leaf[-1])
        cosines[row // p, row % p, c] = torch.cosine_similarity(gradient[0, 0], gradient[0, 1], dim=0)
    return cosines


def test_the_estimate_and_its_error_are_unbiased(transformer):
    truth = float(PIZZA.compute(snapshot(*transformer, triples=7**3))["gradient_symmetricity"])
    drawn = [PIZZA.compute(snapshot(*transformer, triples=70, seed=seed)) for seed in range(200)]
    values, errors = (np.array([outputs[f"gradient_symmetricity{end}"] for outputs in drawn]) for end in ("", "/sem"))
    # Four standard errors of a mean of 200, and of a share of 200 that is 95 %.
    assert abs(values.mean() - truth) < 4 * values.std() / len(values) ** 0.5
    assert np.mean(np.abs(values - truth) < 1.96 * errors) == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 200) ** 0.5)


def test_what_lies_between_the_distances_is_no_error_of_a_sample_that_holds_all_of_them():
    distances = np.arange(11).repeat(4)
    noise = np.random.default_rng(0).normal(size=44)
    mean, error = stratified(distances + 0.1 * noise, distances)
    within = np.array([(0.1 * noise[distances == d]).var(ddof=1) for d in range(11)])
    assert (mean, error) == pytest.approx(((distances + 0.1 * noise).mean(), np.sqrt(within.mean() / 44)))
    assert error < 0.02 < 0.3 < distances.std() / 44**0.5


def test_cosines_that_are_not_known_are_left_out():
    assert stratified(np.array([1.0, np.nan, 3.0]), np.array([0, 0, 0])) == pytest.approx((2.0, 1.0))
    assert np.isnan(stratified(np.full(3, np.nan), np.zeros(3, dtype=int))).all()


def snapshot(context, weights, triples=64, seed=0):
    exact = {role: tensor.double() for role, tensor in weights.items()}
    seen = context.model.answers(exact, context.probe().inputs, ["logits"])
    given = {"weights": weights, "activations": seen, "model": context.model, "probe": context.probe()}
    return Snapshot(variant=context.variant, step=0, options=PIZZA.options(triples=triples, seed=seed), **given)


@pytest.fixture
def perceptron():
    context = ModelContext(MlpFamily(), make_variant(MlpFamily(), {"prime": 11}))
    assert context.task is not None
    return context, context.task.initial_weights()


def test_a_logit_that_ignores_the_distance_is_irrelevant_to_it_and_one_that_is_the_distance_is_not():
    p = 11
    a, b = np.divmod(np.arange(p * p), p)
    total = np.random.default_rng(0).normal(size=p)[(a + b) % p].reshape(p, p)
    distance = np.random.default_rng(0).normal(size=p)[(a - b) % p].reshape(p, p)
    assert distance_irrelevance(total) == pytest.approx(1)
    assert distance_irrelevance(distance) == pytest.approx(0, abs=1e-12)
    assert distance_irrelevance(np.ones((p, p))) == 1


def test_embeddings_added_at_once_have_no_symmetricity_of_their_own(perceptron):
    outputs = PIZZA.compute(snapshot(*perceptron))
    assert set(outputs) == {"distance_irrelevance"}


def test_other_answers_than_a_sum_are_refused(perceptron):
    shown = snapshot(*perceptron)
    shown.probe.labels[:] = 0
    with pytest.raises(DoesNotApply, match=r"its answers are not \(a \+ b\) mod p"):
        PIZZA.compute(shown)


def shown(**arrays):
    reads = {"clocks.pizza": {"step": np.array([0, 100]), **arrays}}
    variant = make_variant(MlpFamily(), {"prime": 11})
    return ViewData(variant=variant, step=None, steps=np.array([0, 100]), artifacts=reads)


BOTH = {
    "distance_irrelevance": np.array([1.0, 0.5]),
    "gradient_symmetricity": np.array([0.0, 0.9]),
    "gradient_symmetricity/sem": np.array([0.01, 0.01]),
}


def test_the_estimate_has_a_band_and_the_exact_measure_none():
    figure = clock_pizza.over_training(shown(**BOTH))
    assert [trace.name for trace in figure.data] == ["distance irrelevance", None, None, "gradient symmetricity"]
    assert figure.data[1].y[1] == pytest.approx(0.9 - 0.0196)


def test_the_path_runs_from_the_first_to_the_last_checkpoint():
    figure = clock_pizza.plane(shown(**BOTH))
    assert list(figure.data[0].x) == [1.0, 0.5]
    assert list(figure.data[1].text) == ["step 0", "100"]


def test_there_is_no_plane_without_symmetricity():
    with pytest.raises(DoesNotApply, match="its gradients are alike by construction"):
        clock_pizza.plane(shown(distance_irrelevance=np.array([1.0, 0.5])))
