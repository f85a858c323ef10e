"""What a card says of itself: question, formula, source, and where its numbers come from."""

from dataclasses import replace

import pytest

from miscope import Needs
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.shown.about import about, as_text, asked_of, told
from miscope_panel.shown.formula import readable
from miscope_panel.shown.picture import Request

FIRST = "toy.sum/v5-seed0-width16"


def lines(sections, title):
    (section,) = (section for section in sections if section.title == title)
    return {line.label: line.text for line in section.lines}


def test_it_says_what_is_asked_by_which_formula_and_after_whom(trained):
    said = lines(about(trained, Request(view="small.norms", variant=FIRST, step=20)), "parameters.norms")
    analyzer = trained.plugins.analyzers["parameters.norms"]
    assert said["Question"] == analyzer.question
    assert said["Formula"] == readable(analyzer.formula)
    assert said["Source"] == analyzer.source


def test_it_says_when_and_by_what_the_numbers_were_computed(trained):
    said = lines(about(trained, Request(view="small.norms", variant=FIRST, step=20)), "Numbers of parameters.norms")
    assert (said["Step"], said["Options"], said["Inputs"]) == ("20", "the defaults", "none")
    assert " UTC, miscope " in said["Computed"]
    assert said["Analyzer"].startswith("parameters.norms, version ")
    absent = lines(about(trained, Request(view="small.norms", variant=FIRST, step=10)), "Numbers of parameters.norms")
    assert absent["Computed"] == "not yet"


def test_it_says_what_the_view_reads_without_an_instrument_and_with_what_it_was_trained(trained):
    sections = about(trained, Request(view="small.losses", variant=FIRST))
    assert lines(sections, "What it shows")["Reads metrics"] == "*_loss"
    assert "device cpu" in lines(sections, "Weights")["Made with"]


def test_an_analyzer_that_is_not_installed_is_said_to_be_so(trained):
    unmade = replace(trained.plugins.views["small.unmade"], needs=Needs(reads=("no.such",)))
    (section,) = asked_of(trained.plugins, unmade)
    assert (section.title, section.lines[0].text) == ("no.such", "This analyzer is not installed.")


def test_what_cannot_be_read_is_said_in_its_place(trained):
    (section,) = about(trained, Request(view="small.norms", variant="toy.sum/gone"))
    assert section.title == "It cannot be said"
    assert section.lines[0].text.startswith("There is no variant named 'toy.sum/gone'")


def test_all_of_it_is_text_to_be_copied(trained):
    sections = about(trained, Request(view="small.norms", variant=FIRST, step=20))
    text = as_text("Norms", sections)
    assert text.startswith("Norms\n\nWhat it shows\n  In short: Norm of every weight, at the step.\n")
    assert "\n  Recipe: " in text


def test_a_card_is_told_when_it_asks_and_an_answer_that_came_too_late_is_dropped(trained, when_told):
    opened = Dashboard(server_context(trained, when_told), f"v={FIRST}&views=small.norms&e=20")
    when_told.go()
    (card,) = opened.workbench.board
    card._handle_msg({"kind": "about"})
    when_told.go()
    assert card.about == told(trained, "Norms", Request(view="small.norms", variant=FIRST, step=20))
    card._handle_msg({"kind": "about"})
    opened.selection.move(step=0)
    when_told.go()
    assert card.about == {}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("f_k = P_k / sum P_k over k != const", "fₖ = Pₖ / Σ Pₖ over k ≠ const"),
        ("|W|_F^2 = sum of squared entries", "|W|_F² = sum of squared entries"),
        ("sqrt(2 lambda) <= eps * W_E", "√(2 λ) ≤ ε·W_E"),
        ("H_1^-1 -> theta_(i+1)", "H₁⁻¹ → θ_(i+1)"),
        ("W_in x_10", "W_in x₁₀"),
        ("|W|_1 = (a)_k", "|W|₁ = (a)ₖ"),
        ("assumed tau_max", "assumed τ_max"),
    ],
)
def test_a_formula_is_read_with_its_letters_and_signs(written, read):
    assert readable(written) == read
