"""What the paper's model loses when a part of it is ablated, against numbers measured with plain PyTorch."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from miscope.analyzers import ablations
from miscope.analyzers.neurons import FREQUENCIES
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.snapshot import Snapshot
from miscope_modadd.nanda2023 import Nanda2023Family

NAME = "wd_10-1_mod_addition_loss_curve.pth"
KEYS = (6, 23, 37, 39, 41)
EXACT: Any = {"inputs": 0, "precision": "float64"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def known(calibration_file: Callable[[str], Path]) -> dict[str, Any]:
    return json.loads(calibration_file("paper_calibration.json").read_text())["models"][NAME]["ablations"]


@pytest.fixture(scope="module")
def snapshot(calibration_file: Callable[[str], Path]) -> Snapshot:
    """The paper's last weights."""
    family = Nanda2023Family()
    variant = make_variant(family, {"seed": 1}, {"weight_decay": 0.1})
    context = ModelContext(family, variant)
    stored = torch.load(calibration_file(NAME), map_location="cpu", weights_only=True)["model"]
    weights = family.adopt(stored, variant.params)
    assert weights is not None
    roles = context.model.roles
    return Snapshot(
        variant=variant,
        step=0,
        options=None,
        probe=context.probe(),
        weights=weights,
        bases=context.bases,
        axes={role: roles[role].axes for role in roles},
        model=context.model,
    )


@pytest.fixture(scope="module")
def exact(snapshot: Snapshot) -> dict[str, np.ndarray]:
    """What heads and layers do, of all inputs; only read."""
    return dict(ablations.EFFECTS.compute(replace(snapshot, options=ablations.EFFECTS.options.model_validate(EXACT))))


def agrees(outputs: Any, at: Any, theirs: dict[str, float]) -> None:
    """Losses are stored as changes."""
    for part in ("train", "test"):
        loss = outputs[f"{part}/loss"][at] + outputs[f"clean/{part}_loss"]
        assert loss == pytest.approx(theirs[part], rel=1e-6)
    assert outputs["all/accuracy"][at] + outputs["clean/all_accuracy"] == pytest.approx(theirs["acc_all"], abs=1e-12)


def test_heads_and_layers(exact: dict[str, np.ndarray], known: dict[str, Any]) -> None:
    assert exact["unit"].tolist() == ["L0H0", "L0H1", "L0H2", "L0H3", "L0 attention", "L0 MLP"]
    names = ("head_0", "head_1", "head_2", "head_3", "all_heads", "mlp_out")
    for mode, how in enumerate(("mean", "zero")):
        for unit, name in enumerate(names):
            agrees(exact, (mode, unit), known[f"{how}_ablate_{name}"])
    # At a constant all inputs are answered alike; at another input's activations they need not be.
    attention = exact["all/accuracy"][:2, 4] + exact["clean/all_accuracy"]
    assert attention == pytest.approx(1 / 113)


def test_frequencies_of_the_embedding(snapshot: Snapshot, known: dict[str, Any]) -> None:
    labels = np.array(snapshot.bases["token"].labels)
    votes = {"label": labels, "key": np.isin(labels, [str(k) for k in KEYS])}
    options = ablations.EMBEDDING.options.model_validate(EXACT)
    outputs = ablations.EMBEDDING.compute(replace(snapshot, options=options, artifacts={"keys.votes": votes}))

    for k in KEYS:
        agrees(outputs, k - 1, known[f"remove_freq_{k}_from_W_E"])
    kept = known["keep_only_const+key_freqs_in_W_E"]
    assert outputs["kept/test_loss"] == pytest.approx(kept["test"], rel=1e-6)
    assert outputs["kept/all_accuracy"] == pytest.approx(kept["acc_all"])
    assert outputs["share"][[22, 5]] == pytest.approx([0.23799030, 0.16845105], rel=1e-5)


def test_clusters_of_neurons(snapshot: Snapshot, known: dict[str, Any]) -> None:
    assert snapshot.model is not None
    site = "blocks.0.mlp.hook_post"
    double = {role: tensor.double() for role, tensor in snapshot.weights.items()}
    post = snapshot.model.answers(double, snapshot.probe.inputs, [site])
    frequencies = FREQUENCIES.compute(replace(snapshot, options=FREQUENCIES.options(), activations=post))
    options = ablations.CLUSTERS.options.model_validate(EXACT)
    outputs = ablations.CLUSTERS.compute(
        replace(snapshot, options=options, artifacts={"neurons.frequencies": frequencies})
    )

    at_site = {name.removeprefix(f"{site}/"): array for name, array in outputs.items()}
    for k in KEYS:
        theirs = known[f"mean_ablate_neuron_cluster_k={k}"]
        assert at_site["size"][k - 1] == theirs["n_neurons"]
        agrees(at_site, k - 1, theirs)


def test_a_sample_says_the_same_within_its_error(snapshot: Snapshot, exact: dict[str, np.ndarray]) -> None:
    drawn = ablations.EFFECTS.compute(replace(snapshot, options=ablations.EFFECTS.options()))
    for quantity in ("loss", "accuracy"):
        error = drawn[f"test/{quantity}_sem"]
        away = np.abs(drawn[f"test/{quantity}"] - exact[f"test/{quantity}"])
        assert (away <= 4 * error + 1e-9).all()
