"""Parts of small models ablated, against what must happen then. The paper's numbers: miscope-modadd's tests."""

import numpy as np
import pytest
import torch

from miscope.analyzers.ablations import CLUSTERS, EFFECTS, EMBEDDING
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.snapshot import Snapshot
from miscope.testing import check_analyzer
from miscope.testing.toy import ToyFamily, ToyFourierFamily

SITE = "blocks.0.mlp.hook_post"


@pytest.mark.parametrize("analyzer", [EFFECTS, CLUSTERS], ids=lambda analyzer: analyzer.name)
def test_an_ablation_keeps_the_contract_without_a_basis(analyzer):
    check_analyzer(analyzer, ToyFamily())


def snapshot(options, family=None, **fields):
    """The toy at its first weights, with all it can give."""
    family = family or ToyFourierFamily()
    variant = make_variant(family, {})
    model = family.model(variant.params)
    shown = {
        "variant": variant,
        "step": 0,
        "options": options,
        "probe": next(iter(family.probes(variant).values())),
        "weights": family.task(variant).initial_weights(),
        "bases": family.bases(variant.params),
        "axes": {name: role.axes for name, role in model.roles.items()},
        "model": model,
    }
    return Snapshot(**shown | fields)


def test_an_mlp_at_zero_is_one_without_output_weights():
    shown = snapshot(EFFECTS.options(inputs=0, precision="float64"))
    outputs = EFFECTS.compute(shown)

    silent = dict(shown.weights) | {"blocks.0.mlp.W_out": torch.zeros(16, 8)}
    without = EFFECTS.compute(snapshot(shown.options, weights=silent))
    assert outputs["unit"].tolist() == ["L0 MLP"]
    zero = outputs["mode"].tolist().index("zero")
    for part in ("train", "test", "all"):
        assert outputs[f"{part}/loss"][zero, 0] + outputs[f"clean/{part}_loss"] == pytest.approx(
            without[f"clean/{part}_loss"], rel=1e-12
        )


def test_what_does_nothing_is_not_missed():
    silent = snapshot(None).weights | {"blocks.0.mlp.W_out": torch.zeros(16, 8)}
    outputs = EFFECTS.compute(snapshot(EFFECTS.options(), weights=silent))

    assert np.abs(outputs["all/loss"]).max() == 0
    assert outputs["largest/all_loss"] == 0


def test_another_inputs_output_is_that_of_the_donor_drawn_for_the_seed():
    options = EFFECTS.options(inputs=0, precision="float64")
    outputs, again, other = (EFFECTS.compute(snapshot(options.model_copy(update={"seed": seed}))) for seed in (0, 0, 1))
    resample = outputs["mode"].tolist().index("resample")
    assert outputs["all/loss"][resample] == pytest.approx(again["all/loss"][resample], rel=1e-12)
    assert outputs["all/loss"][resample, 0] != pytest.approx(other["all/loss"][resample, 0], rel=1e-6)
    assert outputs["all/loss"][:resample] == pytest.approx(other["all/loss"][:resample], rel=1e-9)


def test_a_sample_holds_the_inputs_asked_for():
    assert EFFECTS.compute(snapshot(EFFECTS.options(inputs=7)))["inputs"] == 7


def test_a_model_without_parts_is_told_so():
    class Bare:
        sites = frozenset({"logits", "hook_embed"})

    with pytest.raises(DoesNotApply) as error:
        EFFECTS.compute(snapshot(EFFECTS.options(), model=Bare()))
    assert str(error.value) == (
        "It does not apply: its model shows no attention head, attention layer or MLP to ablate.\n"
        "Computing cannot bring it: the instrument needs something that the variant or its family does not have.\n"
        "`miscope analyzers` says what it needs."
    )


def votes(key):
    return {"keys.votes": {"label": np.array(["1", "2"]), "key": np.array(key)}}


def test_an_embedding_that_keeps_all_its_components_is_as_it_was():
    shown = snapshot(EMBEDDING.options(inputs=0, precision="float64"), artifacts=votes([True, True]))
    outputs = EMBEDDING.compute(shown)

    assert outputs["role"].tolist() == ["W_E"]
    assert outputs["share"].sum() == pytest.approx(1)
    assert outputs["kept/all_loss"] == pytest.approx(float(outputs["clean/all_loss"]), rel=1e-12)


def test_an_embedding_without_components_answers_all_inputs_alike():
    shown = snapshot(EMBEDDING.options(inputs=0), artifacts=votes([False, False]))
    assert EMBEDDING.compute(shown)["kept/all_accuracy"] == pytest.approx(1 / 5)


def test_only_the_strongest_components_are_tried():
    shown = snapshot(EMBEDDING.options(most=1), artifacts=votes([True, True]))
    outputs = EMBEDDING.compute(shown)

    assert np.isfinite(outputs["all/loss"]).tolist() == (outputs["share"] == outputs["share"].max()).tolist()


def test_weights_in_another_basis_are_left_alone():
    other = {"keys.votes": {"label": np.array(["x", "y"]), "key": np.array([True, True])}}
    with pytest.raises(DoesNotApply, match="no axis of its weights is in the basis of its answers"):
        EMBEDDING.compute(snapshot(EMBEDDING.options(), artifacts=other))


def test_clusters_take_their_neurons_with_them_and_the_rest_is_a_cluster_too():
    neurons = {
        f"{SITE}/label": np.array(["1", "2"]),
        f"{SITE}/dominant": np.array(["1"] * 6 + ["2"] * 10),
        f"{SITE}/max_fraction": np.array([0.9] * 6 + [0.1] * 10),
    }
    shown = snapshot(CLUSTERS.options(inputs=0, precision="float64"), artifacts={"neurons.frequencies": neurons})
    outputs = CLUSTERS.compute(shown)

    assert outputs[f"{SITE}/cluster"].tolist() == ["1", "2", "none"]
    assert outputs[f"{SITE}/size"].tolist() == [6, 0, 10]
    assert np.isfinite(outputs[f"{SITE}/all/loss"]).tolist() == [True, False, True]
    all_of_them = snapshot(
        shown.options, artifacts={"neurons.frequencies": neurons | {f"{SITE}/max_fraction": np.zeros(16)}}
    )
    every = CLUSTERS.compute(all_of_them)[f"{SITE}/all/loss"][2]
    whole = EFFECTS.compute(snapshot(EFFECTS.options(inputs=0, precision="float64")))
    assert every == pytest.approx(whole["all/loss"][0, 0], rel=1e-9)
