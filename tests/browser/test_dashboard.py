import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from plotly.offline import get_plotlyjs_version

pytestmark = pytest.mark.browser

FIRST = "modadd.embedding-mlp/"
CARDS = "behaviour.losses,neurons.heatmap"
A_COMMIT = 1_000_000
"""Bytes from the server at most, once the cursor has come to rest."""


def card(page, title):
    return page.locator(f'section.card[aria-label="{title}"]')


def losses(page):
    return card(page, "Train and test loss")


def neuron(page):
    return card(page, "Activation of one neuron")


def drawn(found):
    """How many times the card has drawn, once it has."""
    expect(found).to_have_attribute("data-drawn", re.compile(r"\d+"))
    return int(found.get_attribute("data-drawn"))


def pixels(found):
    """The numbers behind a heat map, as the browser has them."""
    return found.locator(".plot").evaluate("plot => JSON.stringify(plot.data[0].z)")


PICTURE = """plot => [
  plot.data.map((trace) => trace.hovertemplate), plot._fullLayout.coloraxis.cmax,
  [...plot.querySelectorAll(".hm image")].map((image) => image.href.baseVal),
  [...plot.querySelectorAll(".infolayer text, .xaxislayer-above text, .yaxislayer-above text")].map((text) =>
    [text.textContent, text.getAttribute("transform")]),
]"""


def picture(found):
    """What a heat map looks like."""
    return found.locator(".plot").evaluate(PICTURE)


def line_at(found):
    """Where the cursor's line is, in pixels from the left."""
    return found.locator(".overlay .line").first.evaluate("line => parseFloat(line.style.left)")


def address_says(tab, **wanted):
    for key, value in wanted.items():
        expect(tab).to_have_url(re.compile(rf"[?&]{re.escape(key)}={re.escape(str(value))}(&|$)"))


def step_of(page):
    return int(page.locator(".track").get_attribute("aria-valuenow"))


def test_the_workbench_shows_figures_drawn_by_the_plotly_js_they_were_written_for(visit):
    page, _ = visit("page=views")
    for title in ("Train and test loss", "Embedding spectrum", "Activation of one neuron", "Path of the weights"):
        card(page, title).scroll_into_view_if_needed()
        drawn(card(page, title))
    assert page.evaluate("Plotly.version") == get_plotlyjs_version()
    assert page.title() == "miscope"


def test_keys_move_the_cursor_of_every_view(turn_to, comes_to_be):
    page, _ = turn_to(f"views={CARDS}")
    steps_drawn = drawn(losses(page)), drawn(neuron(page))
    before, line, last = pixels(neuron(page)), line_at(losses(page)), step_of(page)
    page.keyboard.press("ArrowLeft")
    address_says(page, e=last - 100)
    expect(neuron(page).locator(".badge")).to_have_text(f"epoch {last - 100:,}")
    assert line_at(losses(page)) < line
    comes_to_be(page, lambda: pixels(neuron(page)) != before, True)
    # The curve is not drawn anew: only the line over it moved.
    assert (drawn(losses(page)), drawn(neuron(page)) > steps_drawn[1]) == (steps_drawn[0], True)
    page.keyboard.press("Shift+ArrowLeft")
    address_says(page, e=last - 1100)
    page.keyboard.press("Home")
    address_says(page, e=0)
    expect(neuron(page).locator(".badge")).to_have_text("epoch 0")
    page.keyboard.press("End")
    address_says(page, e=last)


def test_a_burst_of_moves_is_one_message_to_the_server(turn_to):
    page, seen = turn_to(f"views={CARDS}&e=2000")
    drawn(neuron(page))
    before = drawn(neuron(page))
    seen.frames.clear()
    seen.received.clear()
    page.evaluate("""() => {
      for (let i = 0; i < 12; i++) window.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft", bubbles: true}))
    }""")
    expect(neuron(page).locator(".badge")).to_have_text("epoch 800")
    address_says(page, e=800)
    assert len([frame for frame in seen.frames if '"asked"' in frame]) == 1
    assert drawn(neuron(page)) == before + 1
    assert 0 < sum(seen.received) <= A_COMMIT


def test_a_click_on_a_curve_jumps_there(turn_to):
    page, _ = turn_to(f"views={CARDS}&e=2000")
    drawn(losses(page))
    area = losses(page).locator(".plot .nsewdrag").first.bounding_box()
    for share, step in ((0.5, 1000), (0.02, 0)):
        page.mouse.click(area["x"] + share * area["width"], area["y"] + area["height"] / 2)
        page.wait_for_function("step => Math.abs(miscope.step - step) <= 100", arg=step)
    address_says(page, e=step_of(page))
    expect(neuron(page).locator(".badge")).to_have_text(f"epoch {step_of(page):,}")


def test_a_drag_zooms_and_does_not_jump(turn_to):
    page, _ = turn_to("views=behaviour.losses&e=2000")
    drawn(losses(page))
    area = losses(page).locator(".plot .nsewdrag").first.bounding_box()
    page.mouse.move(area["x"] + 50, area["y"] + 60)
    page.mouse.down()
    page.mouse.move(area["x"] + 150, area["y"] + 120, steps=5)
    page.mouse.up()
    # The cursor lies outside of what is zoomed in on, and where it was.
    expect(losses(page).locator(".overlay .line")).to_have_count(0)
    assert step_of(page) == 2000


def test_a_typed_step_shows_the_checkpoint_before_and_says_so(turn_to):
    page, _ = turn_to(f"views={CARDS}")
    drawn(neuron(page))
    page.keyboard.press("g")
    page.keyboard.type("1 234")
    page.keyboard.press("Enter")
    expect(page.locator(".note[role=status]")).to_contain_text("is no checkpoint")
    expect(neuron(page).locator(".badge")).to_have_text("epoch 1,200")
    address_says(page, e=1234)


def test_dragging_the_slider_and_playing_move_the_cursor(turn_to):
    page, _ = turn_to(f"views={CARDS}&e=2000")
    drawn(neuron(page))
    box = page.locator(".track").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + 18)
    page.mouse.down()
    page.mouse.move(box["x"] + 2, box["y"] + 18, steps=8)
    page.mouse.up()
    address_says(page, e=0)
    page.keyboard.press("Space")
    page.wait_for_function("() => miscope.step >= 300")
    page.keyboard.press("Space")
    rested = step_of(page)
    address_says(page, e=rested)
    expect(neuron(page).locator(".badge")).to_have_text(f"epoch {rested:,}")


def test_playing_draws_every_step_once_and_leaves_curves_alone(visit, comes_to_be):
    page, seen = visit(f"views={CARDS}&e=0")
    expect(neuron(page).locator(".badge")).to_have_text("epoch 0")
    before = drawn(losses(page)), drawn(neuron(page))
    seen.frames.clear()
    page.keyboard.press("Space")
    expect(neuron(page).locator(".badge")).to_have_text("epoch 2,000")
    expect(page.get_by_label("Play (Space)")).to_have_attribute("aria-pressed", "false")
    expect(neuron(page)).to_have_attribute("data-drawn", str(before[1] + 20))
    assert drawn(losses(page)) == before[0]
    assert len([frame for frame in seen.frames if '"asked"' in frame]) == 20
    # Once at rest it is drawn in full, as a fresh page draws it.
    expect(neuron(page).locator(".plot:not([data-painted])")).to_have_count(1)
    played = picture(neuron(page))
    page.reload()
    drawn(neuron(page))
    comes_to_be(page, lambda: picture(neuron(page)), played)


MOVING = """(function moving(root) {
  const inside = [...root.querySelectorAll("*")].filter((each) => each.shadowRoot)
  const here = root.getAnimations().filter((each) => each.playState === "running").length
  return inside.reduce((count, each) => count + moving(each.shadowRoot), here)
})(document)"""


def test_cards_keep_their_room_when_it_is_known_who_is_looked_at(turn_to):
    page, _ = turn_to(f"views={CARDS}&e=2000")
    expect(page.locator(".chip")).to_have_count(1)
    heights = """chips => {
      const [there, full] = [[...chips.children], chips.offsetHeight]
      chips.replaceChildren()
      const empty = chips.offsetHeight
      chips.append(...there)
      return [empty, full]
    }"""
    empty, full = page.locator(".chips").evaluate(heights)
    assert empty == full > 0


def test_a_page_at_rest_has_nothing_that_moves(visit, comes_to_be):
    page, _ = visit(f"views={CARDS}&e=2000")
    drawn(losses(page))
    drawn(neuron(page))
    comes_to_be(page, lambda: page.evaluate(MOVING), 0)


def test_a_contact_sheet_is_drawn_from_shades(visit):
    page, _ = visit("views=neurons.contact_sheet&e=2000")
    found = card(page, "Activations of many neurons")
    drawn(found)
    z = found.locator(".plot").evaluate("plot => plot.data[0].z.flatMap(row => Array.from(row, Number))")
    known = [number for number in z if number is not None and number == number]
    assert 0 <= min(known) < max(known) == pytest.approx(1, abs=1e-3)
    assert len(known) < len(z)


def test_a_reloaded_page_is_the_same_page(visit, comes_to_be):
    page, _ = visit(f"views={CARDS}&e=700")
    drawn(neuron(page))
    neuron(page).get_by_label("neuron: one more").click()
    address_says(page, neuron=1)
    page.get_by_label("Toggle theme").click()
    address_says(page, theme="dark")
    comes_to_be(page, lambda: "Neuron 1 " in neuron(page).locator(".heading").inner_text(), True)
    shown, url = pixels(neuron(page)), page.url
    page.reload()
    drawn(neuron(page))
    expect(neuron(page).get_by_label("neuron", exact=True)).to_have_value("1")
    expect(page.locator(".track")).to_have_attribute("aria-valuenow", "700")
    assert (pixels(neuron(page)), page.url) == (shown, url)
    assert page.evaluate("document.documentElement.dataset.miscope") == "dark"


def test_the_dark_theme_reaches_the_figures(turn_to):
    page, _ = turn_to("views=behaviour.losses")
    drawn(losses(page))
    paper = "plot => plot._fullLayout.paper_bgcolor"
    light = losses(page).locator(".plot").evaluate(paper)
    page.get_by_label("Toggle theme").click()
    address_says(page, theme="dark")
    expect(losses(page)).to_have_attribute("data-drawn", "2")
    dark = losses(page).locator(".plot").evaluate(paper)
    assert dark == page.evaluate("miscope.charts.templates.dark.layout.paper_bgcolor") != light


def test_a_missing_artifact_is_shown_with_the_command_that_makes_it(turn_to, small):
    page, _ = turn_to("views=parameters.norms")
    found = card(page, "Weight norms")
    expect(found).to_have_class(re.compile("is-missing"))
    expect(found).to_contain_text("It was never computed.")
    command = found.locator("code").inner_text()
    name = small.variants()[0].name
    assert command == f"miscope analyze {name} --only parameters.norms --workspace {small.root}"
    found.get_by_label("Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == command
    expect(page.locator('[data-view="parameters.norms"]')).to_contain_text("needs parameters.norms")


def test_what_does_not_apply_is_greyed_with_the_reason(turn_to):
    page, _ = turn_to("views=behaviour.losses")
    entry = page.locator('[data-view="attention.patterns"]')
    expect(entry).to_have_class(re.compile("is-inapplicable"))
    expect(entry).to_contain_text("has no site")


def test_a_view_that_fails_stays_in_its_card(turn_to):
    page, _ = turn_to("views=sour.broken,behaviour.losses")
    failed = card(page, "Sour")
    expect(failed).to_contain_text("'sour.broken' could not be drawn: ZeroDivisionError: division by zero")
    expect(failed).to_contain_text("It comes from miscope-sour 1.0.")
    told = failed.locator(".message")
    told.locator("summary").click()
    expect(told.locator("pre")).to_be_visible()
    drawn(losses(page))


def test_a_broken_plugin_is_listed(turn_to):
    page, _ = turn_to("views=behaviour.losses")
    page.get_by_role("button", name="Installed").click()
    address_says(page, page="installed")
    expect(page.get_by_text("miscope-lost is broken")).to_be_visible()
    expect(page.get_by_text("No module named 'jaxx_that_is_not_there'").first).to_be_visible()
    expect(losses(page)).to_be_hidden()
    page.go_back()
    expect(losses(page)).to_be_visible()


def test_views_are_found_opened_and_closed_from_the_catalogue(visit):
    page, _ = visit("views=behaviour.losses")
    drawn(losses(page))
    page.get_by_label("Search views").fill("behaviour.accuracies")
    expect(page.locator("[data-view]")).to_have_count(1)
    page.locator('[data-view="behaviour.accuracies"]').click()
    drawn(card(page, "Train and test accuracy"))
    losses(page).get_by_label("Close this view").click()
    expect(losses(page)).to_have_count(0)
    address_says(page, views="behaviour.accuracies")


def test_the_catalogue_unfolds_by_namespace_and_says_how_much_of_training_a_view_shows(visit):
    page, _ = visit("views=behaviour.losses")
    behaviour, parameters = (page.locator(f'[data-namespace="{name}"]') for name in ("behaviour", "parameters"))
    expect(behaviour.locator('[data-view="behaviour.losses"]')).to_be_visible()
    expect(behaviour.locator("summary")).to_contain_text("1 of")
    entry = parameters.locator('[data-view="parameters.norms"]')
    expect(entry).to_be_hidden()
    parameters.locator("summary").click()
    expect(entry).to_be_visible()
    expect(parameters.get_by_text("over training", exact=True)).to_be_visible()
    behaviour.locator("summary").click()
    expect(behaviour.locator('[data-view="behaviour.losses"]')).to_be_hidden()


def test_another_variant_keeps_the_step_and_the_views(turn_to, small, comes_to_be):
    page, _ = turn_to(f"views={CARDS}&e=500")
    drawn(neuron(page))
    before, other = pixels(neuron(page)), small.variants()[1].name
    page.locator(".MuiSelect-select").first.click()
    page.get_by_role("menuitem", name=other).click()
    address_says(page, v=other, e=500, views=CARDS)
    expect(neuron(page).locator(".badge")).to_have_text("epoch 500")
    assert step_of(page) == 500
    comes_to_be(page, lambda: pixels(neuron(page)) != before, True)
    page.go_back()
    address_says(page, v=small.variants()[0].name)


def test_variants_can_be_laid_over_each_other(visit, small):
    one, two = (variant.name for variant in small.variants())
    page, _ = visit(f"v={one}&with={two}&views=behaviour.compare")
    found = card(page, "Losses of several variants")
    drawn(found)
    assert found.locator(".plot").evaluate("plot => plot.data.map(trace => trace.name)") == ["seed=0", "seed=1"]
    assert parse_qs(urlsplit(page.url).query)["v"] == [one, two]


def test_keys_are_left_alone_while_one_types_and_help_lists_them(visit):
    page, _ = visit("views=behaviour.losses&e=1000")
    drawn(losses(page))
    page.get_by_label("Search views").click()
    page.keyboard.type("g?")
    page.keyboard.press("ArrowLeft")
    assert step_of(page) == 1000
    losses(page).locator("h3").click()
    page.keyboard.press("?")
    expect(page.locator(".help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".help")).to_be_hidden()


def test_only_cards_on_the_screen_are_drawn(visit):
    names = ["behaviour.losses", "behaviour.accuracies", "behaviour.margins", "behaviour.leakage", "spectra.embedding"]
    page, _ = visit("views=" + ",".join([*names, "spectra.embedding_map", "neurons.frequencies", "neurons.clusters"]))
    drawn(losses(page))
    last = card(page, "Neuron clusters over training")
    assert last.get_attribute("data-drawn") is None
    last.scroll_into_view_if_needed()
    drawn(last)


def test_a_card_does_not_repeat_what_the_page_says_and_has_room_for_its_panels(turn_to, small):
    page, _ = turn_to("views=neurons.clusters,behaviour.losses")
    clusters = card(page, "Neuron clusters over training")
    drawn(clusters)
    drawn(losses(page))
    assert small.variants()[0].value.slug not in clusters.locator(".heading").inner_text()
    tall = "body => getComputedStyle(body).getPropertyValue('--tall')"
    assert [found.locator(".body").evaluate(tall) for found in (clusters, losses(page))] == ["420px", "300px"]
    # Names of sites that have room are whole, also the longest.
    named = "select => { select.options[0].text = 'blocks.0.attn.hook_pattern'; const shown = select.offsetWidth;"
    cut = f"{named} select.style.maxWidth = 'none'; return shown < select.offsetWidth }}"
    assert not clusters.get_by_label("site", exact=True).evaluate(cut)


def test_a_view_that_compares_says_where_to_choose_the_others(turn_to):
    page, _ = turn_to("views=cohort.events")
    expect(card(page, "Events over variants")).to_contain_text("Choose others under \u201cCompare with\u201d.")


def test_a_page_is_in_the_colours_that_the_browser_asks_for_until_others_are_chosen(chromium, address):
    context = chromium.new_context(color_scheme="dark", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(300_000)
    page.goto(f"{address}?page=runs")
    theme = page.locator("html")
    expect(theme).to_have_attribute("data-miscope", "dark")
    assert "theme=" not in page.url
    page.get_by_label("Toggle theme").click()
    address_says(page, theme="light")
    expect(theme).to_have_attribute("data-miscope", "light")
    page.goto(page.url)
    expect(page.get_by_role("button", name="Runs", exact=True)).to_be_visible()
    expect(theme).to_have_attribute("data-miscope", "light")
    context.close()
