"""Restricted and excluded loss, against the paper's models and by hand."""

import numpy as np
import pytest
import torch

from miscope.analyzers.progress import LOSSES
from miscope.errors import DoesNotApply
from miscope.moment import Moment
from miscope.testing import check_analyzer, toy_moment
from miscope.testing.toy import cosines


def test_it_keeps_the_contract():
    check_analyzer(LOSSES)


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_losses(calibration, name):
    model = calibration(name)
    known = model.known
    keys = np.isin(np.arange(1, 57), known["key_freqs"]["USED"])
    shown = model.shown | {"bases": {"sum": cosines(113)}, "artifacts": {"keys.votes": {"key": keys}}}
    found = LOSSES.compute(Moment(**shown, options=LOSSES.options()))
    theirs = {
        "restricted": known["restricted_loss"],
        "excluded": known["excluded_loss_2D_all_key"],
        "trig": known["trig_loss_3D_cos(a+b-c)_only"],
        "full": known["loss_113_logits"],
    }
    for measure, parts in theirs.items():
        for part, loss in parts.items():
            assert found[f"{measure}/{part}"] == pytest.approx(loss, rel=1e-6)
    for k, parts in known["excluded_loss_2D_per_key_freq"].items():
        assert found["excluded/each"][int(k) - 1] == pytest.approx(parts["train"], rel=1e-6)
    assert np.isnan(found["excluded/each"][0])


def shown(keys, bases=True):
    a, b = np.divmod(np.arange(25), 5)
    logits = 20 * np.cos(2 * np.pi * (a + b)[:, None] / 5 - 2 * np.pi * np.arange(5) / 5)
    artifacts = {"keys.votes": {"key": np.array([False, False])}}
    seen = {"logits": torch.from_numpy(logits)}
    basis = {"sum": cosines(5)} if bases else {}
    return toy_moment(options=LOSSES.options(keys=keys), activations=seen, artifacts=artifacts, bases=basis)


def test_a_perfect_sum_needs_its_frequency_and_no_other():
    found = LOSSES.compute(shown(("1",)))
    assert found["restricted/all"] == pytest.approx(found["full/all"])
    assert found["trig/all"] == pytest.approx(found["full/all"])
    assert found["excluded/test"] == pytest.approx(np.log(5))
    assert LOSSES.compute(shown(("2",)))["excluded/all"] == pytest.approx(found["full/all"])


def test_without_key_components_restricted_is_chance_and_excluded_the_loss_itself():
    found = LOSSES.compute(shown(None))
    assert found["restricted/train"] == pytest.approx(np.log(5))
    assert found["excluded/train"] == pytest.approx(float(found["full/train"]))


def test_without_a_basis_it_does_not_apply():
    with pytest.raises(DoesNotApply, match="no basis over its answers"):
        LOSSES.compute(shown(None, bases=False))
