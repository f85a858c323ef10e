from __future__ import annotations

from miscope.family import make_variant
from miscope.figures.differences import differing_fields, labels, seed_groups
from miscope.testing.toy import ToyFamily, ToyFourierFamily

TOY = ToyFamily()


def test_a_label_says_only_what_differs():
    variants = [make_variant(TOY, {"seed": 0}), make_variant(TOY, {"seed": 4}, {"weight_decay": 0.5})]

    assert differing_fields(variants) == ("seed", "weight_decay")
    assert labels(variants)[1] == "seed=4, weight_decay=0.5"


def test_a_list_is_told_as_its_parts_and_an_empty_one_as_none():
    with_two = make_variant(TOY, {}, {"interventions": ["gain-k5", "freeze"]})

    assert labels([make_variant(TOY, {}), with_two]) == ["interventions=none", "interventions=gain-k5 + freeze"]


def test_families_are_told_apart_by_name():
    assert labels([make_variant(TOY, {}), make_variant(ToyFourierFamily(), {})]) == ["toy.sum", "toy.fourier"]


def test_variants_that_do_not_differ_are_still_told_apart():
    same = make_variant(TOY, {})

    assert labels([same]) == [same.slug]
    assert labels([same, same]) == [f"{same.slug} (1)", f"{same.slug} (2)"]


def test_variants_that_differ_in_seeds_alone_are_grouped_under_what_tells_them_from_the_others():
    one, other, wide = (make_variant(TOY, given) for given in ({"seed": 0}, {"seed": 4}, {"seed": 0, "width": 32}))

    assert seed_groups([one, other]) == {"": (0, 1)}
    assert seed_groups([one, wide, other]) == {"width=16": (0, 2), "width=32": (1,)}
