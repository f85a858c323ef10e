"""What instruments say of the paper's network before it is trained: numbers that any threshold is held against."""

import numpy as np
import pytest

from miscope.analysis.returned import returned_arrays
from miscope.analyzers.neurons import FREQUENCIES
from miscope.analyzers.spectra import EMBEDDING
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.snapshot import Snapshot
from miscope_modadd.nanda2023 import Nanda2023Family

POST = "blocks.0.mlp.hook_post"


@pytest.fixture(scope="module")
def untrained():
    """The context of seed 0 and its first weights."""
    context = ModelContext(Nanda2023Family(), make_variant(Nanda2023Family(), {"seed": 0}))
    assert context.task is not None
    return context, context.task.initial_weights()


def test_the_embedding_is_spread_over_all_frequencies(untrained):
    context, weights = untrained
    axes = {"W_E": context.model.roles["W_E"].axes}
    shown = {"probe": context.probe(), "weights": {"W_E": weights["W_E"]}, "axes": axes, "bases": context.bases}
    outputs = returned_arrays(
        EMBEDDING.name,
        EMBEDDING.compute(Snapshot(variant=context.variant, step=0, options=EMBEDDING.options(), **shown)),
    )

    assert outputs["W_E/max_fraction"] == pytest.approx(0.022, abs=5e-4)
    assert outputs["W_E/gini_power"] == pytest.approx(0.052, abs=5e-4)
    assert outputs["W_E/gini_norm"] == pytest.approx(0.035, abs=5e-4)


def test_a_constant_threshold_would_call_most_neurons_committed(untrained):
    context, weights = untrained
    seen = {"activations": context.model.answers(weights, context.probe().inputs, [POST]), "bases": context.bases}
    given = {"variant": context.variant, "step": 0, "options": None, "probe": context.probe()}
    outputs = FREQUENCIES.compute(Snapshot(**given, **seen))
    most = outputs[f"{POST}/max_fraction"]

    assert outputs[f"{POST}/dead_count"] == 71
    assert np.quantile(most, (0.5, 0.999, 1)) == pytest.approx([0.061, 0.140, 0.145], abs=5e-4)
    # 3 / frequencies, the original system's.
    assert (most >= 3 / 56).mean() == pytest.approx(0.58, abs=5e-3)
    assert (most > 0.145).sum() == 0
