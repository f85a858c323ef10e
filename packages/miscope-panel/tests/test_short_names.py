"""Variants are called by what tells them apart."""

import pytest

from miscope_panel.shown.short_names import short_names


@pytest.mark.parametrize(
    ("slugs", "short"),
    [
        (["p113-seed1-wd1e-3", "p113-seed2-wd1e-4"], ["seed1·wd1e-3", "seed2·wd1e-4"]),
        (["p113-seed1", "p113-seed1-label-a"], ["p113-seed1", "label·a"]),
        (["p113-seed1"], ["p113-seed1"]),
    ],
)
def test_of_a_familys_names_only_what_not_all_have_is_left(slugs, short):
    assert [*short_names(f"add/{slug}" for slug in slugs).values()] == short


def test_families_are_held_against_their_own_and_long_names_are_cut_in_the_middle():
    ends = ["a" * 30 + str(number) * 30 for number in (1, 2)]
    found = short_names(["sum/p7", *(f"add/x-{end}" for end in ends)])
    assert [*found.values()] == ["p7", "a" * 20 + "…" + "1" * 19, "a" * 20 + "…" + "2" * 19]
