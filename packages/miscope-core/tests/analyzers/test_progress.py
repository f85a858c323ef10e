"""Restricted and excluded loss, against the paper's models and by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from miscope.analyzers.progress import FINAL, LOSSES, SUBSPACE
from miscope.errors import DoesNotApply
from miscope.maths.restricted import class_mean_directions, losses_without, restrict
from miscope.maths.restricted import losses as losses_of
from miscope.snapshot import Snapshot, Trajectory
from miscope.testing import toy_snapshot
from miscope.testing.toy import cosines


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_losses(calibration, name):
    model = calibration(name)
    known = model.known
    keys = np.isin(np.arange(1, 57), known["key_freqs"]["USED"])
    shown = model.shown | {"bases": {"sum": cosines(113)}, "artifacts": {"keys.votes": {"key": keys}}}
    outputs = LOSSES.compute(Snapshot(**shown, options=LOSSES.options()))
    theirs = {
        "restricted": known["restricted_loss"],
        "excluded": known["excluded_loss_2D_all_key"],
        "trig": known["trig_loss_3D_cos(a+b-c)_only"],
        "full": known["loss_113_logits"],
    }
    for measure, parts in theirs.items():
        for part, loss in parts.items():
            assert outputs[f"{measure}/{part}"] == pytest.approx(loss, rel=1e-6)
    for k, parts in known["excluded_loss_2D_per_key_freq"].items():
        assert outputs["excluded/each"][int(k) - 1] == pytest.approx(parts["train"], rel=1e-6)
    # Harmonics and all others matter less than the least key component.
    others = np.delete(outputs["excluded/each"], np.flatnonzero(keys))
    assert others.max() < outputs["excluded/each"][keys].min()


def shown(keys, bases=True):
    a, b = np.divmod(np.arange(25), 5)
    logits = 20 * np.cos(2 * np.pi * (a + b)[:, None] / 5 - 2 * np.pi * np.arange(5) / 5)
    artifacts = {"keys.votes": {"key": np.array([False, False])}}
    seen = {"logits": torch.from_numpy(logits)}
    basis = {"sum": cosines(5)} if bases else {}
    return toy_snapshot(options=LOSSES.options(keys=keys), activations=seen, artifacts=artifacts, bases=basis)


def test_a_perfect_sum_needs_its_frequency_and_no_other():
    outputs = LOSSES.compute(shown(("1",)))
    assert outputs["restricted/all"] == pytest.approx(outputs["full/all"])
    assert outputs["trig/all"] == pytest.approx(outputs["full/all"])
    assert outputs["excluded/test"] == pytest.approx(np.log(5))
    assert LOSSES.compute(shown(("2",)))["excluded/all"] == pytest.approx(outputs["full/all"])


def test_without_key_components_restricted_is_chance_and_excluded_the_loss_itself():
    outputs = LOSSES.compute(shown(None))
    assert outputs["restricted/train"] == pytest.approx(np.log(5))
    assert outputs["excluded/train"] == pytest.approx(float(outputs["full/train"]))


def test_without_a_basis_it_does_not_apply():
    with pytest.raises(DoesNotApply, match="no basis over its answers"):
        LOSSES.compute(shown(None, bases=False))


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_losses_without_the_cosines_of_answer_and_output(calibration, name):
    model = calibration(name)
    keys = np.isin(np.arange(1, 57), model.known["key_freqs"]["USED"])
    shown = model.shown | {"bases": {"sum": cosines(113)}, "artifacts": {"keys.votes": {"key": keys}}}
    outputs = LOSSES.compute(Snapshot(**shown, options=LOSSES.options()))
    for part, loss in model.known["excluded_loss_3D_all_key"].items():
        assert outputs[f"untrig/{part}"] == pytest.approx(loss, rel=1e-6)
    assert outputs["restricted_accuracy/all"] == model.known["restricted_accuracy_all"]
    base = model.known["loss_113_logits"]["train"]
    each = model.known["excluded_loss_2D_per_key_freq"]
    causal = [int(k) for k, parts in each.items() if parts["train"] > 10 * base]
    assert (np.flatnonzero(outputs["causal"]) + 1).tolist() == sorted(causal)
    kept, rest = restrict(model.shown["activations"]["logits"][:, :113], PAPER_SUM, cosines(113), chosen(keys))
    probe = model.shown["probe"]
    assert losses_of(kept, probe) == pytest.approx(model.known["restricted_loss"], rel=1e-6)
    assert losses_of(rest, probe) == pytest.approx(model.known["excluded_loss_2D_all_key"], rel=1e-6)


PAPER_SUM = torch.from_numpy(np.add.outer(np.arange(113), np.arange(113)).ravel() % 113)


def chosen(keys):
    return [block for block, key in zip(cosines(113).components, keys, strict=True) if key]


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_the_loss_without_each_block_is_what_taking_it_out_of_the_logits_gives(scale):
    random = torch.Generator().manual_seed(3)
    labels = torch.randint(11, (150,), generator=random)
    logits = scale * torch.randn(150, 11, generator=random, dtype=torch.float64)
    rows, basis = torch.arange(0, 150, 3), cosines(11)
    left = [restrict(logits, labels, basis, [block])[1] for block in basis.components]
    expected = [torch.nn.functional.cross_entropy(rest[rows], labels[rows]).item() for rest in left]
    assert losses_without(logits, labels, basis, rows) == pytest.approx(expected, rel=1e-9)


def test_every_component_is_left_out_once_key_or_not():
    outputs = LOSSES.compute(shown(("2",)))
    assert outputs["excluded/each"] == pytest.approx([np.log(5), float(outputs["full/train"])])
    assert outputs["causal"].tolist() == [True, False]
    assert outputs["causal_count"] == 1


def test_ten_times_next_to_nothing_is_not_causal():
    answers = torch.nn.functional.one_hot(torch.from_numpy(np.add.outer(range(5), range(5)).ravel() % 5), 5)
    seen = {"logits": 45 * answers.double()}
    outputs, relative = (
        LOSSES.compute(replace(shown(None), activations=seen, options=LOSSES.options(floor=floor)))
        for floor in (LOSSES.options().floor, 0.0)
    )
    assert 10 * outputs["full/train"] < outputs["excluded/each"].min()
    assert outputs["excluded/each"].max() < 1e-5
    assert relative["causal"].tolist() == [True, True]
    assert outputs["causal"].tolist() == [False, False]
    assert outputs["causal_count"] == 0


def test_directions_of_class_means_are_theirs_and_no_other_variance():
    labels = torch.arange(60) % 3
    means = torch.tensor([[4.0, 0, 0, 0], [-2, 3, 0, 0], [-2, -3, 0, 0]], dtype=torch.float64)
    noise = torch.zeros(60, 4, dtype=torch.float64)
    noise[:, 3] = torch.arange(60) // 3 * 100.0
    directions, variance = class_mean_directions(means[labels] + noise, labels)
    assert variance.numpy() == pytest.approx([8, 6, 0, 0], abs=1e-9)
    assert directions[:, :2].abs().numpy() == pytest.approx(np.eye(4)[:, :2], abs=1e-9)


def test_logits_of_one_frequency_need_two_directions():
    a, b = np.divmod(np.arange(25), 5)
    logits = 20 * np.cos(2 * np.pi * (a + b)[:, None] / 5 - 2 * np.pi * np.arange(5) / 5)
    shown = toy_snapshot(options=SUBSPACE.options(ranks=(1, 2, 9)), activations={"logits": torch.from_numpy(logits)})
    outputs = SUBSPACE.compute(shown)
    assert outputs["dimension"] == 2
    assert outputs["restricted/all"][1:] == pytest.approx([float(outputs["full/all"])] * 2)
    assert outputs["restricted/test"][0] > 10 * outputs["full/test"]
    assert outputs["share"] == pytest.approx([0.5, 1, 1])


class Fading:
    """A model whose logits are cos 1 and cos 2 of the sum, by two weights."""

    def answers(self, weights, inputs, sites):
        angle = 2 * np.pi * (inputs.sum(dim=1)[:, None] - torch.arange(5)).double() / 5
        return {"logits": weights["w"][0] * torch.cos(angle) + weights["w"][1] * torch.cos(2 * angle)}


def course(keys, most=24):
    weights = torch.tensor([[0.0, 0], [0, 9], [9, 9], [20, 0.1]])
    return Trajectory(
        variant=toy_snapshot().variant,
        steps=np.arange(4) * 10,
        options=FINAL.options(most=most),
        probe=toy_snapshot().probe,
        artifacts={"keys.votes": {"key": np.array(keys, dtype=bool)}},
        weights={"w": lambda: weights},
        bases={"sum": cosines(5)},
        model=Fading(),  # pyright: ignore[reportArgumentType]
    )


KEYS = [[0, 0], [0, 1], [1, 1], [1, 0]]


def test_the_final_set_looks_ahead_and_the_union_only_back():
    outputs = FINAL.compute(course(KEYS))
    assert outputs["at"].tolist() == [0, 10, 20, 30]
    assert outputs["final/restricted/all"][1] == pytest.approx(np.log(5))
    assert outputs["union/restricted/all"][1] == pytest.approx(outputs["full/all"][1])
    assert outputs["union/restricted/all"][3] == pytest.approx(outputs["full/all"][3])
    assert outputs["final/excluded/train"][3] > 100 * outputs["full/train"][3]
    assert outputs["final/excluded/all"][1] == pytest.approx(outputs["full/all"][1])


def test_the_model_is_run_at_so_many_checkpoints_the_first_and_the_last_among_them():
    assert FINAL.compute(course(KEYS, most=2))["at"].tolist() == [0, 30]


def test_without_a_key_component_at_the_end_restricted_is_chance_and_excluded_the_loss_itself():
    outputs = FINAL.compute(course(np.zeros((4, 2))))
    assert outputs["final/restricted/all"] == pytest.approx([np.log(5)] * 4)
    assert outputs["final/excluded/all"] == pytest.approx(outputs["full/all"])
