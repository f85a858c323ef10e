"""Accounts of a training, that agree and that do not."""

import numpy as np

from miscope.analyzers.provenance import SETTINGS
from miscope.family import make_variant
from miscope.probe import Probe
from miscope.snapshot import Trajectory
from miscope.testing import ToyFamily, toy_snapshot


def shown(facts):
    probe: Probe = toy_snapshot().probe
    return Trajectory(
        variant=make_variant(ToyFamily(), {}, {"weight_decay": 0.1}),
        steps=np.array([0]),
        options=SETTINGS.options(),
        probe=probe,
        facts=facts,
    )


def test_a_configuration_that_contradicts_its_optimizer_is_found_whichever_way_numbers_are_written():
    account = {
        "sha256": "abc",
        "config": {"lr": 1e-3, "weight_decay": 1, "betas": (0.9, 0.98), "p": 113},
        "optimizer": {"lr": 0.001, "weight_decay": 0.1, "betas": [0.9, 0.98], "params": [0, 1]},
    }
    outputs = SETTINGS.compute(shown({"imported": {"run.pth": account}}))
    assert outputs["setting"].tolist() == ["betas", "lr", "p", "weight_decay"]
    assert outputs["mismatch"].tolist() == [False, False, False, True]
    assert [outputs[name][3] for name in ("configuration", "optimizer", "record")] == ["1", "0.1", "0.1"]
    assert outputs["optimizer"][2] == ""
    assert (outputs["source"].tolist(), outputs["sha256"].tolist()) == (["run.pth"], ["abc"])


def test_what_was_trained_here_has_one_account_and_no_contradiction():
    outputs = SETTINGS.compute(shown({"versions": {"torch": "2.13.0"}}))
    assert outputs["mismatch_count"] == 0
    assert len(outputs["file"]) == 0
    assert (outputs["library"].tolist(), outputs["version"].tolist()) == (["torch"], ["2.13.0"])


def test_what_was_assumed_and_what_a_training_went_on_from_are_listed():
    facts = {"origin": "imported", "assumed": {"seed": 0, "betas": [0.9, 0.98], "batch_size": None}, "imported": {}}
    outputs = SETTINGS.compute(shown(facts | {"warm": {"from": "toy.sum/v", "step": 300, "optimizer": "fresh"}}))
    assert dict(zip(outputs["assumed"].tolist(), outputs["assumed_value"].tolist(), strict=True)) == {
        "seed": "0",
        "betas": "0.9, 0.98",
        "batch_size": "none",
    }
    assert (outputs["assumed_count"], outputs["origin"].tolist()) == (3, ["imported"])
    assert (outputs["warm_from"].tolist(), outputs["warm_step"].tolist()) == (["toy.sum/v"], [300])
    nothing = SETTINGS.compute(shown({}))
    assert (len(nothing["origin"]), len(nothing["warm_step"]), nothing["assumed_count"]) == (0, 0, 0)
