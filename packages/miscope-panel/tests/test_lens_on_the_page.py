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
    """Headings by their text, cards by their title."""
    return [getattr(each, "title", None) or each.object for each in bench.workbench.board]


LAID_OUT = ["<h2>Losses</h2>", "Losses", "Once more", "<h2>Neurons</h2>", *["One neuron"] * 3]


def test_choosing_a_lens_opens_its_cards_under_their_headings_with_its_controls(bench):
    opened = bench(f"v={FIRST}")
    assert opened.workbench.sidebar.lens.options == {"–": "", "Small": "small"}
    opened.workbench.sidebar.lens.value = "small"
    assert on_board(opened) == LAID_OUT
    scales = [card.picture["controls"][0]["value"] for card in opened.workbench.board[1:3]]
    assert scales == ["linear", "log"]
    assert opened.workbench.board[4].picture["controls"][1]["value"] == 5
    assert opened.shell.query.endswith("&lens=small")


def test_the_address_of_a_lens_brings_all_of_it_back_and_what_was_turned_since(bench):
    opened = bench(f"v={FIRST}&lens=small&small.losses:scale=log")
    assert on_board(opened) == LAID_OUT
    assert [card.picture["controls"][0]["value"] for card in opened.workbench.board[1:3]] == ["log", "log"]
    assert opened.workbench.sidebar.lens.value == "small"


def test_a_lens_that_is_not_there_leaves_the_page_as_it_was(bench):
    opened = bench(f"v={FIRST}&views=small.losses&lens=gone")
    assert on_board(opened) == ["Losses"]
    assert opened.workbench.sidebar.lens.value == ""


def test_what_a_lens_asks_for_by_name_and_is_not_there_is_said_and_nothing_else_is_drawn(bench):
    opened = bench(f"v={FIRST}&lens=small")
    lacking = opened.workbench.board[5].picture
    assert lacking["state"] == "missing"
    assert lacking["words"] == [f"There is no site 'blocks.7.mlp.hook_post' of {FIRST}."]
    assert opened.workbench.board[6].picture["words"] == ["'small.neuron' has no control 'nope'.", "The lens sets it."]


def test_no_lens_leaves_its_cards_open_without_headings(bench):
    opened = bench(f"v={FIRST}&lens=small")
    opened.workbench.sidebar.lens.value = ""
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
