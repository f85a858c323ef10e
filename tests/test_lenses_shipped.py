"""The lenses that come with miscope name views and controls that there are."""

from __future__ import annotations

import pytest

from miscope import Lens, Plugins

INSTALLED = Plugins.installed()


@pytest.mark.parametrize("lens", INSTALLED.lenses.values(), ids=INSTALLED.lenses)
def test_every_view_of_a_shipped_lens_is_installed_and_has_the_controls_it_sets(lens: Lens) -> None:
    for shown in lens.views:
        view = INSTALLED.view(shown.view)
        assert {control.name for control in view.all_controls} >= set(shown.controls), shown.view


def test_the_seeds_sections_and_its_table_are_one_lens() -> None:
    titles = [section.title for section in INSTALLED.lenses["least-action"].sections]
    assert titles == [
        *("Grokking quality", "Training curves", "Loss landscape", "Model properties", "Adam dynamics", "Routing")
    ]


def test_a_lens_is_there_for_each_question_that_the_workbench_is_opened_with() -> None:
    assert {"grokking", "frequencies", "geometry", "attention", "least-action", "sae"} <= set(INSTALLED.lenses)
