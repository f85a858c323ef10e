"""A lens on the page: its menu, its headings, its address, and what of it is not there; and the runs of a study."""

import pytest

from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context

FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"

LENS = """
name: small
title: Small
sections:
  - title: Losses
    views:
      - {view: small.losses, controls: {scale: linear}}
      - {view: small.losses, title: Once more, controls: {scale: log}}
  - title: Neurons
    views:
      - {view: small.neuron, controls: {neuron: 5}}
      - {view: small.neuron, controls: {site: blocks.7.mlp.hook_post}}
      - {view: small.neuron, controls: {nope: 1}}
"""


@pytest.fixture
def bench(trained, at_once):
    folder = trained.root / "lenses"
    folder.mkdir(exist_ok=True)
    (folder / "small.yaml").write_text(LENS)
    yield lambda query="": Dashboard(server_context(trained, at_once), query)
    (folder / "small.yaml").unlink()


def on_board(bench):
    """Headings and cards by their titles."""
    return [f"{'' if hasattr(each, 'picture') else '# '}{each.title}" for each in bench.workbench.board]


def chosen(opened):
    return [lens["name"] for lens in opened.workbench.sidebar.lenses.lenses if lens["open"]]


LAID_OUT = ["# Losses", "Losses", "Once more", "# Neurons", *["One neuron"] * 3]


def test_choosing_a_lens_opens_its_cards_under_their_headings_with_its_controls(bench):
    opened = bench(f"v={FIRST}")
    assert [(lens["title"], lens["open"]) for lens in opened.workbench.sidebar.lenses.lenses] == [("Small", False)]
    opened.workbench.sidebar.lenses.on_choice("small")
    assert on_board(opened) == LAID_OUT
    scales = [card.picture["controls"][0]["value"] for card in opened.workbench.board[1:3]]
    assert scales == ["linear", "log"]
    assert opened.workbench.board[4].picture["controls"][1]["value"] == 5
    # A link to a card alone has what the lens sets of it, which the page's own address has not.
    assert [card.turned for card in opened.workbench.board[1:3]] == [{"scale": "linear"}, {"scale": "log"}]
    assert opened.shell.query.endswith("&lens=small")


def test_the_address_of_a_lens_brings_all_of_it_back_and_what_was_turned_since(bench):
    opened = bench(f"v={FIRST}&lens=small&small.losses:scale=log")
    assert on_board(opened) == LAID_OUT
    assert [card.picture["controls"][0]["value"] for card in opened.workbench.board[1:3]] == ["log", "log"]
    assert chosen(opened) == ["small"]


def test_a_time_axis_that_the_lens_sets_and_a_hand_turned_stays_turned_when_the_address_is_opened_again(bench, trained):
    (trained.root / "lenses/small.yaml").write_text(LENS.replace("scale: linear", "clock: log"))
    opened = bench(f"v={FIRST}&lens=small")

    def clock():
        card = opened.workbench.board[1]
        (value,) = (each["value"] for each in card.picture["controls"] if each["name"] == "clock")
        return value, "clock" in card.elsewhere

    assert clock() == ("log", False)
    opened.workbench.board[1].on_message({"kind": "turn", "control": "clock", "value": "linear"})
    assert clock() == ("linear", False)
    opened = bench(opened.shell.query)
    assert clock() == ("linear", False)


def test_a_lens_that_is_not_there_leaves_the_page_as_it_was_and_that_is_said(bench):
    opened = bench(f"v={FIRST}&views=small.losses&lens=gone")
    assert on_board(opened) == ["Losses"]
    assert chosen(opened) == []
    assert opened.workbench.sidebar.lenses.said == "There is no lens 'gone' here. There are: small."


def test_each_lens_says_how_much_of_it_can_be_shown_and_folds_the_list_of_all_views(bench):
    opened = bench(f"v={FIRST}")
    (lens,) = opened.workbench.sidebar.lenses.lenses
    assert (lens["summary"], lens["shown"], lens["of"]) == ("Losses, Neurons", 5, 5)
    assert not opened.workbench.sidebar.catalogue.beside_lens
    opened.workbench.sidebar.lenses.on_choice("small")
    assert opened.workbench.sidebar.catalogue.beside_lens


def test_of_several_variants_it_is_said_which_views_show_one_alone(bench):
    opened = bench(f"v={FIRST}&v={OTHER}&lens=small")
    assert opened.workbench.sidebar.lenses.said == ""
    opened.workbench.sidebar.catalogue.on_message({"kind": "open", "view": "small.compared"})
    said = "Views that compare show all 2 variants; the others show v5-seed0-width16 alone."
    assert opened.workbench.sidebar.lenses.said == said


def test_views_and_lenses_are_found_by_words(bench):
    catalogue = bench(f"v={FIRST}").workbench.sidebar.catalogue
    catalogue.on_message({"kind": "find", "words": "small losses"})
    assert catalogue.found["said"] == ""
    assert catalogue.found["lenses"] == [
        {"name": "small", "title": "Small", "summary": "Losses, Neurons", "by": "by its sections"}
    ]
    assert catalogue.found["views"][0] == {"name": "small.losses", "by": ""}
    catalogue.on_message({"kind": "find", "words": "attenton"})
    assert catalogue.found["said"] == "Nothing has “attenton”; this is “attention”."
    catalogue.on_message({"kind": "find", "words": "xyzzyx"})
    assert catalogue.found == {"words": "xyzzyx", "said": "Nothing has “xyzzyx”.", "lenses": [], "views": []}


def test_a_lens_that_is_found_opens(bench):
    opened = bench(f"v={FIRST}")
    opened.workbench.sidebar.catalogue.on_message({"kind": "lens", "lens": "small"})
    assert on_board(opened) == LAID_OUT


def test_what_a_lens_asks_for_by_name_and_is_not_there_is_said_and_nothing_else_is_drawn(bench):
    opened = bench(f"v={FIRST}&lens=small")
    lacking = opened.workbench.board[5].picture
    assert lacking["state"] == "missing"
    assert lacking["words"] == [f"There is no site 'blocks.7.mlp.hook_post' of {FIRST}."]
    assert opened.workbench.board[6].picture["words"] == ["'small.neuron' has no control 'nope'.", "The lens sets it."]


def test_no_lens_leaves_its_cards_open_without_headings(bench):
    opened = bench(f"v={FIRST}&lens=small")
    opened.workbench.sidebar.lenses.on_choice("")
    assert chosen(opened) == []
    assert on_board(opened) == ["Losses", "Losses", *["One neuron"] * 3]
    assert "lens=" not in opened.shell.query


def test_choosing_a_study_compares_its_variants_and_others_choose_none(bench):
    opened = bench(f"v={FIRST}")
    opened.workbench.sidebar.offer({}, {"rates": (OTHER, FIRST, "toy.sum/deleted"), "single": (FIRST,)})
    assert opened.workbench.sidebar.study.options == ["–", "rates"]
    opened.workbench.sidebar.study.value = "rates"
    place = opened.selection.place
    assert (place.variant, place.compared) == (FIRST, (OTHER,))
    opened.workbench.sidebar.compared.value = []
    assert opened.workbench.sidebar.study.value == "–"
