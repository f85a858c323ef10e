"""Which components are key, in the paper's models, and that noise elects none."""

import numpy as np
import pytest
import torch

from miscope.analysis.returned import returned_arrays
from miscope.analyzers.factors import SHARES
from miscope.analyzers.keys import VOTES
from miscope.analyzers.neurons import FREQUENCIES
from miscope.analyzers.spectra import EMBEDDING
from miscope.errors import DoesNotApply
from miscope.maths.harmonics import second_harmonics
from miscope.snapshot import Snapshot
from miscope.testing import toy_snapshot
from miscope.testing.toy import cosines

UPSTREAM = (FREQUENCIES, SHARES, EMBEDDING)


def named(outputs, which):
    return {int(label) for label in outputs["label"][outputs[which]]}


@pytest.fixture
def votes(calibration, computed):
    def run(name):
        model = calibration(name)
        model.shown["bases"] = model.shown["bases"] | {"sum": cosines(113)}
        artifacts = {analyzer.name: computed(analyzer, model) for analyzer in UPSTREAM}
        return VOTES.compute(Snapshot(**model.shown, options=VOTES.options(), artifacts=artifacts))

    return run


def test_all_instruments_agree_on_the_first_model(votes):
    outputs = votes("wd_10-1_mod_addition_loss_curve")
    for vote in outputs["vote"][:3]:
        assert {int(label) for label in outputs["label"][vote]} == {6, 23, 37, 39, 41}
    assert named(outputs, "key") == {6, 23, 37, 39, 41}
    assert named(outputs, "harmonic") == {12, 46}


def test_an_embedding_has_no_say_on_the_double_of_a_stronger_frequency(votes):
    outputs = votes("wd_10-1_mod_addition_loss_curve")
    assert {int(label) for label in outputs["label"][outputs["vote"][3]]} == {6, 23, 37, 41}
    assert outputs["votes"][39 - 1] == 3
    assert outputs["intersection_count"] == 4


def test_the_second_model_has_a_key_component_without_specialised_neurons(votes):
    outputs = votes("low_precision_mod_addition")
    assert named(outputs, "key") == {3, 6, 23, 39}
    assert {int(label) for label in outputs["label"][outputs["vote"][0]]} == {6, 23, 39}
    assert outputs["intersection_count"] == 3


def at_random(seed, p=31, width=128):
    """A one-hidden-layer network on the sum of two embeddings that was never trained."""
    draws = np.random.default_rng(seed)
    embed, into, out = (draws.normal(size=shape) for shape in ((p, 32), (32, width), (width, p)))
    a, b = np.divmod(np.arange(p * p), p)
    hidden = np.maximum((embed[a] + embed[b]) @ into, 0)
    basis = cosines(p)
    shown = {
        "probe": toy_probe(p),
        "weights": {"W_E": torch.from_numpy(embed)},
        "axes": {"W_E": ("token", "d_model")},
        "bases": dict.fromkeys(("token", "a", "b", "sum"), basis),
    }
    site, logits = torch.from_numpy(hidden).float(), torch.from_numpy(hidden @ out)
    seen = ((FREQUENCIES, {"blocks.0.mlp.hook_post": site}), (SHARES, {"logits": logits}), (EMBEDDING, {}))
    artifacts = {}
    for analyzer, activations in seen:
        snapshot = toy_snapshot(options=analyzer.options(), activations=activations, **shown)
        artifacts[analyzer.name] = returned_arrays(analyzer.name, analyzer.compute(snapshot))
    return VOTES.compute(toy_snapshot(options=VOTES.options(), artifacts=artifacts, **shown))


def toy_probe(p):
    from miscope.family import make_variant
    from miscope.testing import ToyFamily

    family = ToyFamily()
    return family.probes(make_variant(family, {"values": p}))["grid"]


def test_noise_elects_nothing():
    assert sum(int(at_random(seed)["key_count"]) > 0 for seed in range(20)) <= 1


def test_the_harmonic_of_a_frequency_is_its_double():
    assert second_harmonics(cosines(11)).tolist() == [1, 3, 4, 2, 0]


def test_without_a_basis_there_is_nothing_to_vote_for():
    artifacts = {analyzer.name: {} for analyzer in UPSTREAM}
    with pytest.raises(DoesNotApply, match="no basis over its answers"):
        VOTES.compute(toy_snapshot(options=VOTES.options(), artifacts=artifacts))
