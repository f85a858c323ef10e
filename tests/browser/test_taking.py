"""What can be carried off the page: files, links, words; and what is held on it, or looked at again."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from miscope_panel.page import client

pytestmark = pytest.mark.browser

CARDS = "behaviour.losses,neurons.heatmap"


def card(page, title):
    return page.locator(f'section.card[aria-label="{title}"]')


def losses(page):
    return card(page, "Train and test loss")


def neurons(page):
    return card(page, "Activation of one neuron")


def ready(found):
    expect(found).to_have_attribute("data-drawn", re.compile(r"\d+"))


def choose(found, words):
    found.locator("button[aria-haspopup=menu]").click()
    found.get_by_role("menuitem", name=words).click()


def clipboard(page):
    return page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize(
    ("words", "suffix", "begins"),
    [
        ("Image (PNG)", "png", b"\x89PNG"),
        ("Drawing (SVG)", "svg", b"<svg"),
        ("Page (HTML)", "html", b"<!doctype"),
    ],
)
def test_a_card_is_saved_as_a_file_named_for_what_it_shows(turn_to, small, words, suffix, begins):
    page, _ = turn_to(f"views={CARDS}&e=700")
    ready(neurons(page))
    with page.expect_download() as download:
        choose(neurons(page), words)
    slug = small.variants()[0].value.slug
    assert download.value.suggested_filename == f"{slug}.neurons.heatmap.step_700.{suffix}"
    assert download.value.path().read_bytes().startswith(begins)


def test_a_saved_image_carries_the_title_that_the_header_carries_on_the_page(turn_to):
    page, _ = turn_to("views=behaviour.losses")
    ready(losses(page))
    with page.expect_download() as download:
        choose(losses(page), "Drawing (SVG)")
    assert "Train and test loss" in download.value.path().read_text()


PLACES = """drawing => {
  const svg = new DOMParser().parseFromString(drawing, "image/svg+xml").documentElement
  document.body.append(svg)
  const titles = [...svg.querySelectorAll(".gtitle, .gtitle-subtitle")]
  const bottom = Math.max(...titles.map((each) => each.getBoundingClientRect().bottom))
  const legend = svg.querySelector(".legend").getBoundingClientRect()
  svg.remove()
  return [bottom, legend.top]
}"""


def test_the_legend_of_a_saved_image_lies_below_its_title(turn_to):
    page, _ = turn_to("views=behaviour.losses")
    ready(losses(page))
    with page.expect_download() as download:
        choose(losses(page), "Drawing (SVG)")
    title, legend = page.evaluate(PLACES, download.value.path().read_text())
    assert title <= legend


def test_a_saved_image_is_zoomed_in_and_turned_as_the_card_is(chromium):
    page = chromium.new_page()
    page.add_script_tag(path=str(Path(client.__file__).parent / "take.js"))
    served = {"layout": {"title": "A", "xaxis": {"title": "x"}, "scene": {"aspectmode": "cube"}}}
    shown = {"layout": {"template": {}, "xaxis": {"range": [1, 2]}, "scene": {"camera": {"eye": {"x": 3}}}}}
    assert page.evaluate("parts => JSON.parse(JSON.stringify(unframed(...parts)))", [served, shown]) == {
        "title": "A",
        "xaxis": {"title": "x", "range": [1, 2]},
        "scene": {"aspectmode": "cube", "camera": {"eye": {"x": 3}}},
        "template": {},
    }
    page.close()


def test_the_numbers_of_a_card_are_those_drawn_with_its_controls_turned(turn_to, small):
    page, _ = turn_to("views=neurons.heatmap&e=700&neurons.heatmap:neuron=3")
    ready(neurons(page))
    with page.expect_download() as download:
        choose(neurons(page), "Numbers (CSV)")
    rows = download.value.path().read_text().splitlines()
    figure = small.variants()[0].at(700).view("neurons.heatmap", neuron=3).figure()
    assert rows[0] == "b,a,activation"
    assert np.float32(rows[1].split(",")[2]) == figure.data[0].z[0][0]
    assert len(rows) == 1 + 7 * 7


def test_the_copied_python_draws_the_same_figure(turn_to):
    page, _ = turn_to("views=neurons.heatmap&e=700&neurons.heatmap:neuron=3")
    ready(neurons(page))
    choose(neurons(page), "Python")
    expect(neurons(page).get_by_role("status")).to_have_text("Python copied.")
    names = {}
    exec(clipboard(page), names)
    drawn = neurons(page).locator(".plot").evaluate("plot => plot.layout.meta.miscope")
    assert names["figure"].layout.meta["miscope"] == drawn
    assert "Neuron 3 " in names["figure"].layout.title.text


def test_a_copied_link_opens_that_card_alone_as_it_stands(turn_to):
    turned = "neurons.heatmap:locked=false&behaviour.losses:clock=log&cursor:between=0,700"
    page, _ = turn_to(f"views={CARDS}&e=700&neuron=3&{turned}")
    ready(neurons(page))
    choose(neurons(page), "Link to this view")
    asked = parse_qs(urlsplit(clipboard(page)).query)
    assert (asked["views"], asked["e"]) == (["neurons.heatmap"], ["700"])
    assert (asked["neuron"], asked["cursor:between"]) == (["3"], ["0,700"])
    assert asked["neurons.heatmap:locked"] == ["false"]
    assert "behaviour.losses:clock" not in asked


def test_the_menu_is_walked_with_arrows_and_left_with_escape(turn_to):
    page, _ = turn_to("views=behaviour.losses&e=1000")
    ready(losses(page))
    button = losses(page).locator("button[aria-haspopup=menu]")
    button.focus()
    page.keyboard.press("Enter")
    expect(losses(page).get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(losses(page).get_by_role("menuitem").last).to_be_focused()
    page.keyboard.press("Home")
    expect(losses(page).get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(losses(page).get_by_role("menu")).to_be_hidden()
    expect(button).to_be_focused()
    assert page.locator(".track").get_attribute("aria-valuenow") == "1000"


def test_a_held_card_stays_at_its_step_and_variant_while_the_others_move_on(visit, small):
    one, two = (variant.name for variant in small.variants())
    page, _ = visit(f"v={one}&views=neurons.heatmap&e=700&neurons.heatmap:neuron=3")
    ready(neurons(page))
    choose(neurons(page), "Hold it beside")
    expect(neurons(page)).to_have_count(2)
    moving, held = neurons(page).first, neurons(page).last
    page.keyboard.press("Home")
    expect(moving.locator(".badge")).to_have_text("epoch 0")
    expect(held.locator(".badge")).to_have_text("epoch 700")
    expect(held.locator(".heading")).to_contain_text(one)
    expect(held.get_by_label("neuron", exact=True)).to_have_value("3")
    expect(page).to_have_url(re.compile(re.escape(f"views=neurons.heatmap,neurons.heatmap@{one}@700")))
    page.goto(page.url.replace(f"v={one}", f"v={two}"))
    ready(neurons(page).last)
    meta = "plot => plot.layout.meta.miscope.variant"
    assert [neurons(page).nth(i).locator(".plot").evaluate(meta) for i in (0, 1)] == [two, one]
    neurons(page).last.get_by_label("Close this view").click()
    expect(neurons(page)).to_have_count(1)


def test_what_is_computed_while_a_page_is_open_is_there_by_itself(turn_to, small):
    import shutil

    page, _ = turn_to("views=ranks.over_training,behaviour.losses")
    name = next(view.needs.reads[0] for key, view in small.plugins.views.items() if key == "ranks.over_training")
    found = page.locator("section.card").first
    expect(found).to_have_class(re.compile("is-missing"))
    variant = small.variants()[0]
    variant.analyze(name)
    try:
        expect(found).to_have_class(re.compile("is-figure"))
        expect(page.locator('[data-view="ranks.over_training"]')).to_have_class(re.compile("is-( |$)"))
    finally:
        shutil.rmtree(small.root / "variants" / variant.name / "artifacts" / name)


def test_a_paper_says_how_wide_and_how_large_letters_are_and_is_asked_once(turn_to):
    page, _ = turn_to("views=behaviour.losses")
    ready(losses(page))
    choose(losses(page), "Width and font size")
    form = page.get_by_role("form", name="For a paper")
    form.get_by_label("Width", exact=True).select_option("")
    form.get_by_label("Width in millimetres").fill("100")
    form.get_by_label("Font size in points").fill("9")
    form.get_by_label("File", exact=True).select_option("svg")
    with page.expect_download() as download:
        form.get_by_role("button", name="Save", exact=True).press("Enter")
    assert 'width="377.9' in download.value.path().read_text()[:300]
    choose(losses(page), "Width and font size")
    expect(form.get_by_label("Width in millimetres")).to_have_value("100")
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    expect(losses(page).locator("button[aria-haspopup=menu]")).to_be_focused()
