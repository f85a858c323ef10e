"""Spectral smoothness of what a model predicts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from miscope.analyzers.smoothness import SPECTRUM
from miscope.errors import DoesNotApply
from miscope.probe import Probe
from miscope.testing import toy_snapshot


def of_table(table: np.ndarray, *, labels: np.ndarray | None = None, sure: float = 50.0, **options: object):
    """Of logits that are `sure` at the class the table gives, and 0 elsewhere."""
    names = "abc"[: table.ndim]
    columns = dict(zip(names, np.indices(table.shape).reshape(table.ndim, -1), strict=True))
    probe = Probe(
        name="grid",
        inputs=torch.from_numpy(np.stack(list(columns.values()), axis=1)),
        labels=None if labels is None else torch.from_numpy(labels.ravel()),
        columns=columns,
        grid=tuple(names),
    )
    logits = sure * torch.nn.functional.one_hot(torch.from_numpy(table.ravel()), int(table.max()) + 1).double()
    chosen = SPECTRUM.options(**options)
    return SPECTRUM.compute(toy_snapshot(probe=probe, activations={"logits": logits}, options=chosen))


SUMS = np.add.outer(np.arange(17), np.arange(17)) % 17


def test_a_perfect_adder_is_as_smooth_as_its_answers_and_smoother_than_if_classes_had_other_numbers():
    outputs = of_table(SUMS, labels=SUMS)
    assert outputs["value"] == pytest.approx(0.9391, abs=5e-5)
    assert outputs["without_constant"] == pytest.approx(0.7767, abs=5e-5)
    assert outputs["answer_without_constant"] == outputs["without_constant"]
    assert outputs["expected_without_constant"] == pytest.approx(outputs["without_constant"], abs=1e-9)
    assert outputs["without_constant"] > outputs["null_without_constant"][2]
    assert outputs["shuffled_without_constant"] == pytest.approx(48 / 288)
    assert np.array_equal(outputs["predicted"], SUMS)
    assert outputs["cutoff"] == 4 / 17


def test_one_that_answers_the_same_everywhere_has_no_smoothness_without_the_constant():
    outputs = of_table(np.full((6, 5), 2), labels=np.indices((6, 5))[0])
    assert outputs["value"] == outputs["shuffled_value"] == 1
    assert np.isnan([outputs["without_constant"], *outputs["null_without_constant"]]).all()


def test_the_expected_class_moves_where_the_predicted_one_does_not():
    unsure, sure = of_table(SUMS, sure=0.1), of_table(SUMS, sure=1.0)
    assert np.array_equal(unsure["predicted"], sure["predicted"])
    assert unsure["expected_value"] > sure["expected_value"]
    assert "answer_value" not in sure


def test_a_wider_cutoff_holds_more():
    narrow, wide = (of_table(SUMS, cutoff=cutoff)["without_constant"] for cutoff in (0.1, 0.75))
    assert narrow < wide == pytest.approx(1)


def test_three_factors_of_unequal_sizes_are_one_grid():
    table = np.indices((3, 5, 8)).sum(axis=0) % 4
    outputs = of_table(table, labels=table)
    assert outputs["predicted"].shape == (3, 5, 8)
    assert outputs["cutoff"] == 2 / 8


def test_it_says_of_which_grids_there_is_nothing_to_say():
    with pytest.raises(DoesNotApply, match="enumerates two factors or more, and 'grid' has 1"):
        of_table(np.arange(5))
    with pytest.raises(DoesNotApply, match="of a 2 x 3 grid no frequency but the constant is within 0 cycles"):
        of_table(np.zeros((2, 3), dtype=np.int64))
