"""The bar over the cards: which variants are on the page, in which colours, and how far they came."""

import pytest

from miscope.figures.figure_style import variant_colours
from miscope.tabulating.cell_text import written
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.shown import variant_chips
from miscope_panel.shown.variant_chips import chips_of

FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@pytest.fixture
def bar(trained, at_once):
    return lambda query="": Dashboard(server_context(trained, at_once), query).workbench.context_bar


def test_a_variant_alone_is_named_whole_with_its_final_loss_and_how_much_was_analyzed(trained):
    (chip,) = chips_of(trained, [FIRST])
    last = trained.store.metrics(FIRST, ["test_loss"])["test_loss"].values[-1]
    assert (chip.variant, chip.label) == (FIRST, "v5-seed0-width16")
    made = trained.ask(f"SELECT count(DISTINCT analyzer) AS made FROM artifacts WHERE variant = '{FIRST}'")["made"][0]
    # Other tests may have analyzed the other variant by more.
    assert chip.words[0] == f"test loss {written(float(last))}"
    assert chip.words[1].startswith(f"{made} of ")


def test_variants_beside_each_other_are_told_by_what_differs_in_the_colours_of_their_curves(trained):
    chips = chips_of(trained, [OTHER, FIRST, OTHER])
    assert [(chip.variant, chip.label) for chip in chips] == [(OTHER, "seed=1"), (FIRST, "seed=0")]
    assert {chip.variant: chip.colour for chip in chips} == variant_colours([OTHER, FIRST])


def test_a_variant_that_is_not_here_is_left_out(trained):
    assert [chip.variant for chip in chips_of(trained, ["toy.sum/v5-seed7-width16", FIRST])] == [FIRST]


def test_the_bar_follows_the_page(bar):
    shown = bar(f"v={FIRST}&v={OTHER}")
    assert shown.view.object.count('class="chip"') == 2
    assert f'title="{OTHER}"' in shown.view.object
    assert "<b>seed=1</b>" in shown.view.object
    assert bar(f"v={FIRST}").view.object.count('class="chip"') == 1


def test_a_name_is_shown_as_it_is_written(bar, trained):
    assert "<script>" not in bar("v=toy.sum/<script>").view.object


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ({"memorised": 900.0}, "memorised at 900"),
        ({"memorised": 900.0, "onset": 4000.4}, "onset of test loss fall at 4,000"),
        ({"memorised": 900.0, "onset": 4000.4, "generalised": 9300.0}, "generalised at 9,300"),
    ],
)
def test_a_chip_says_the_last_stage_that_training_came_to(trained, monkeypatch, events, words):
    monkeypatch.setattr(variant_chips, "events_of", lambda workspace, variant: events)
    (chip,) = chips_of(trained, [FIRST])
    assert chip.words[1] == words


def test_a_chip_of_a_run_without_events_says_no_stage(trained):
    (chip,) = chips_of(trained, [FIRST])
    assert not any(" at " in word for word in chip.words)
