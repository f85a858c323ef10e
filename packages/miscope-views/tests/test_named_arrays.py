from __future__ import annotations

import numpy as np

from miscope_views.named_arrays import apart, basis_note, dominant, first_row, holders, null_of, ticked


def test_holders_are_those_that_have_the_quantity():
    arrays = {"W_E/fraction": np.ones(1), "W_E/top": np.ones(1), "blocks.0.mlp.W_in/fraction": np.ones(1)}
    assert holders(arrays, "fraction") == ("W_E", "blocks.0.mlp.W_in")


def test_a_component_stands_out_above_what_chance_gives():
    share = np.full(50, 0.01)
    share[[7, 30, 12]] = 0.3, 0.2, 0.06

    assert dominant(share, null=0.04).tolist() == [7, 30, 12]
    assert dominant(share, null=0.1).tolist() == [7, 30]
    assert dominant(share, null=0.04, most=1).tolist() == [7]
    assert dominant(np.full(50, 0.02), null=0.02).tolist() == []


def test_without_a_checkpoint_from_before_training_the_median_is_the_measure():
    share = np.full((1, 50), 0.01)
    share[0, [7, 12]] = 0.3, 0.04

    assert null_of(np.array([5000]), share) is None
    assert null_of(np.array([0, 5000]), np.stack([share[0], share[0]])) == 0.3
    assert dominant(share, null=None).tolist() == [7]


def test_a_component_that_was_there_for_a_while_counts_over_training():
    share = np.full((3, 50), 0.01)
    share[1, 4] = 0.5

    assert dominant(share, null=0.02).tolist() == [4]


def test_a_fallback_basis_is_said():
    assert basis_note({"W_E/basis": np.array(["singular"])}, "W_E") == (
        "in the data's own basis (singular): the family gives none"
    )
    assert basis_note({"W_E/basis": np.array([["fourier"]] * 3)}, "W_E") == ""


def test_labels_are_the_same_at_every_step():
    assert first_row(np.array([["1", "2"]] * 3)).tolist() == ["1", "2"]
    assert first_row(np.array(["1", "2"])).tolist() == ["1", "2"]


def test_ticks_keep_apart_and_the_stronger_stays():
    assert apart(np.array([54, 37, 36, 3, 5, 55]), 56).tolist() == [3, 5, 37, 54]
    assert apart(np.array([2, 1, 0]), 3).tolist() == [0, 1, 2]
    assert apart(np.array([], dtype=int), 56).tolist() == []


def test_an_axis_names_all_of_few_components_and_the_strong_ones_of_many():
    labels = np.arange(1, 57).astype(str)
    assert ticked(labels[:4], np.array([2])) == ["1", "2", "3", "4"]
    assert ticked(labels, np.array([36, 5])) == ["6", "37"]
