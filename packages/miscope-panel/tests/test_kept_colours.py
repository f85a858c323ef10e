"""A variant keeps its colour while others are added and taken away, in the address too."""

from miscope.figures.figure_style import variant_colours
from miscope_panel.shown.comparing.comparison import with_names
from miscope_panel.shown.selection import Place, Selection, read_query, write_query

NAMES = tuple(f"toy.sum/v5-seed{seed}-width16" for seed in range(5))


def compared(*names: str) -> Place:
    return Place(variant=names[0], compared=names[1:])


def test_another_variant_beside_them_changes_no_colour_and_adds_nothing_to_the_address():
    place = compared(*NAMES[:3])
    more = with_names(place, NAMES)

    assert place.colours.items() <= more.colours.items()
    assert (more.colours, more.turned) == (variant_colours(NAMES), {})


def test_of_those_that_are_left_and_of_those_in_another_order_each_keeps_its_colour():
    place = compared(*NAMES)
    for names in ([*NAMES[1:]], [NAMES[4], NAMES[2]], [*reversed(NAMES)]):
        left = with_names(place, tuple(names))

        assert {name: left.colours[name] for name in names} == {name: place.colours[name] for name in names}
        assert Place(**read_query(write_query(left))).colours == left.colours


def test_who_is_compared_with_another_on_the_workbench_keeps_its_colour():
    selection = Selection(place=compared(*NAMES))
    before = selection.place.colours
    selection.move(variant=NAMES[3], compared=(NAMES[1],))

    assert selection.place.colours == {name: before[name] for name in (NAMES[3], NAMES[1])}


def test_what_an_address_says_of_colours_that_are_none_is_left_to_the_order():
    for text in ("", "9.-", "1.1.1.1", "x", "0.0", "-1"):
        place = compared(*NAMES[:3]).turn("variants", "colours", text)
        assert (list(place.colours), len(set(place.colours.values()))) == (list(NAMES[:3]), 3)
