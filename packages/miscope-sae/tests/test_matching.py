"""How far two dictionaries are the same, by closed forms, and by what random directions are known to have."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from miscope_sae.known.features import almost_orthogonal
from miscope_sae.measuring.matching import agreement, best_latents, chance, cosines, firing_f1, recovery


def drawn(count: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width))


@given(st.integers(0, 1000))
def test_latents_in_another_order_and_of_other_lengths_agree_perfectly(seed: int) -> None:
    rows = drawn(12, 6, seed)
    generator = np.random.default_rng(seed)
    other = rows[generator.permutation(12)] * generator.uniform(0.1, 5, (12, 1))
    for value in asdict(agreement(rows, other)).values():
        assert value == pytest.approx(1, abs=1e-12)
    assert asdict(recovery(rows, other)) == pytest.approx({"mmcs": 1, "rec90": 1, "mcc": 1}, abs=1e-12)


def test_cosines_are_those_of_two_directions_and_0_of_none() -> None:
    found = cosines(np.array([[3.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 1.0], [-2.0, 0.0]]))
    assert found == pytest.approx(np.array([[np.sqrt(0.5), -1], [0, 0]]), abs=1e-15)


def test_an_opposite_direction_is_another_feature_but_matches_by_size() -> None:
    found = recovery(np.eye(3), -np.eye(3))
    assert (found.mmcs, found.rec90, found.mcc) == (0, 0, 1)


def test_a_wide_dictionary_has_all_features_and_agrees_one_way_only() -> None:
    """Half of its rows are the features, half lie at right angles to them."""
    found = agreement(np.eye(8)[:4], np.eye(8))
    assert (found.mmcs_there, found.mmcs_back, found.cosine) == (1, 0.5, 1)
    assert found.matched90 == found.mutual70 == pytest.approx(4 / 6)


def test_a_direction_between_two_features_counts_at_the_looser_threshold_alone() -> None:
    """Rows turned by 45 and by 20 degrees away from their features; the other axes are nobody's."""
    turned = np.zeros((2, 4))
    for row, degrees in enumerate((44.0, 20.0)):
        turned[row, row], turned[row, row + 2] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    found = agreement(np.eye(4)[:2], turned)
    assert (found.matched90, found.matched70, found.mutual90, found.mutual70) == (0.5, 1, 0.5, 1)
    expected = (np.cos(np.radians(44)) + np.cos(np.radians(20))) / 2
    assert found.mmcs_there == found.mmcs_back == pytest.approx(expected, rel=1e-12)
    assert recovery(np.eye(4)[:2], turned).rec90 == 0.5


def test_the_matching_is_the_best_of_all_and_not_the_nearest_first() -> None:
    """Row 0 is nearest to column 0, which row 1 needs more."""
    angles = np.radians([[0.0, 10.0], [5.0, 80.0]])
    one, other = (np.stack([np.cos(each), np.sin(each)], axis=1) for each in angles)
    found = agreement(one, other)
    best = max(np.cos(np.radians(5)) + np.cos(np.radians(70)), np.cos(np.radians(80)) + np.cos(np.radians(5))) / 2
    assert found.cosine == pytest.approx(best, rel=1e-12)
    # Column 0 is as near to both rows, and is the first's.
    assert found.mutual90 == pytest.approx(0.5)


def largest_of(count: int, width: int) -> float:
    """Exactly: the mean of the largest of so many cosines of random directions, of which (1 + cos) / 2 is Beta."""
    below = beta((width - 1) / 2, (width - 1) / 2, loc=-1, scale=2).cdf
    return 1 - quad(lambda cosine: below(cosine) ** count, -1, 1)[0]


@pytest.mark.parametrize(("features", "width", "latents"), [(64, 32, 64), (64, 32, 256), (256, 64, 256)])
def test_random_dictionaries_have_the_mmcs_of_the_largest_of_many_cosines(
    features: int, width: int, latents: int
) -> None:
    """Whatever the features are; here almost orthogonal ones."""
    truth = almost_orthogonal(features, width, seed=0).numpy()
    found = [recovery(truth, drawn(latents, width, seed)) for seed in range(5)]
    assert np.mean([each.mmcs for each in found]) == pytest.approx(largest_of(latents, width), abs=0.01)
    assert max(each.rec90 for each in found) == 0


def test_chance_is_what_random_dictionaries_have_and_the_same_for_a_seed() -> None:
    found = chance((64, 256), 32, draws=3, seed=1)
    assert found == chance((64, 256), 32, draws=3, seed=1)
    assert found != chance((64, 256), 32, draws=3, seed=2)
    assert found.mmcs_there == pytest.approx(largest_of(256, 32), abs=0.01)
    assert found.mmcs_back == pytest.approx(largest_of(64, 32), abs=0.01)
    assert found.matched90 == found.mutual90 == 0


def test_f1_is_that_of_precision_and_recall_of_the_best_latent() -> None:
    on = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
    fires = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=bool)
    best = best_latents(np.eye(3), np.eye(3))
    assert best.tolist() == [0, 1, 2]
    # Precision 1/2 and recall 1/2; precision 1/2 and recall 1; never on and never firing.
    assert firing_f1(on, fires, best) == pytest.approx([0.5, 2 / 3, np.nan], nan_ok=True)


def test_of_no_latents_there_is_no_number() -> None:
    assert all(np.isnan(value) for value in asdict(agreement(np.zeros((0, 3)), np.eye(3))).values())
    assert all(np.isnan(value) for value in asdict(recovery(np.eye(3), np.zeros((0, 3)))).values())
