"""Changes input by input, against the closed forms."""

import numpy as np
import pytest
import torch

from miscope.maths.paired_effects import Answers, answered, changes, drawn, levels
from miscope.testing import toy_snapshot

PROBE = toy_snapshot().probe


def test_losses_below_what_float32_can_tell_are_exact():
    answers = answered(torch.tensor([[40.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0]))

    assert answers.loss == pytest.approx([np.exp(-40), np.log1p(np.e)], rel=1e-12)
    assert answers.right.tolist() == [1, 0]


def test_a_change_that_is_the_same_for_every_input_has_no_error():
    clean = Answers(loss=np.array([1.0, 2.0, 3.0]), right=np.array([1.0, 0, 1]))
    after = Answers(loss=clean.loss + 0.5, right=np.zeros(3))
    changed = changes(clean, after, {"all": np.ones(3, dtype=bool)})

    assert changed["all/loss"] == 0.5
    assert changed["all/loss_sem"] == 0
    assert changed["all/accuracy"] == pytest.approx(-2 / 3)
    assert changed["all/accuracy_sem"] == pytest.approx(np.std([1, 0, 1], ddof=1) / np.sqrt(3))


def test_one_input_tells_a_change_and_no_error():
    one = Answers(loss=np.array([1.0]), right=np.array([1.0]))
    changed = changes(one, one, {"test": np.array([True])})

    assert changed["test/loss"] == 0
    assert np.isnan(changed["test/loss_sem"])


def test_a_sample_is_the_same_for_the_same_seed_and_keeps_its_labels():
    first, second, other = (drawn(PROBE, 10, seed) for seed in (3, 3, 4))

    assert torch.equal(first.inputs, second.inputs)
    assert not torch.equal(first.inputs, other.inputs)
    assert torch.equal(first.labels, first.inputs.sum(1) % 5)
    assert (first.parts["train"] ^ first.parts["test"]).all()


@pytest.mark.parametrize("count", [0, 25, 1000])
def test_without_a_number_or_with_a_large_one_all_inputs_are_asked(count):
    sample = drawn(PROBE, count, 0)

    assert torch.equal(sample.inputs, PROBE.inputs)
    assert sample.parts["train"].tolist() == list(PROBE.train)


def test_where_nobody_knows_the_training_set_there_is_one_part():
    from dataclasses import replace

    sample = drawn(replace(PROBE, train=None), 5, 0)
    assert list(sample.parts) == ["all"]
    assert list(levels(Answers(loss=np.ones(5), right=np.ones(5)), sample.parts)) == ["all_loss", "all_accuracy"]
