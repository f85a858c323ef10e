"""Finding an instrument: lenses by their keys, views by words, what there is to know of a card; by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import expect


def lens(page, name):
    return page.locator(f'[data-lens="{name}"]')


def card(page, title):
    return page.locator(f'section.card[aria-label="{title}"]')


def test_a_number_key_opens_a_lens_and_puts_it_away(visit):
    page, _ = visit("views=behaviour.losses")
    grokking = lens(page, "grokking")
    expect(grokking).to_contain_text("When is the training data memorised")
    expect(grokking.locator(".count")).to_contain_text(" of 10")
    page.keyboard.press(grokking.get_attribute("aria-keyshortcuts"))
    expect(grokking).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("heading", name="Where the weights go")).to_have_count(1)
    page.wait_for_url("**lens=grokking**")
    expect(page.locator("details.all")).not_to_have_attribute("open", "")
    page.keyboard.press(grokking.get_attribute("aria-keyshortcuts"))
    expect(grokking).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("heading", name="Where the weights go")).to_have_count(0)
    expect(page.locator("details.all")).to_have_attribute("open", "")


def test_a_lens_that_is_not_there_is_said_to_be_so(visit):
    page, _ = visit("views=behaviour.losses&lens=gone")
    expect(page.get_by_text("There is no lens 'gone' here.")).to_be_visible()


def test_a_misspelt_word_finds_the_view_and_a_key_opens_it(visit):
    page, _ = visit("views=behaviour.losses")
    expect(card(page, "Train and test loss")).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("hesian trace")
    expect(page.get_by_text("Nothing has “hesian”; this is “hessian”.")).to_be_visible()
    found = page.locator("[data-view]")
    expect(found.first).to_have_attribute("data-view", "curvature.trace")
    page.get_by_label("Search views").fill("koopman")
    expect(found.first).to_have_attribute("data-view", "dynamics.modes")
    expect(found.first).to_contain_text("by its synonyms")
    page.keyboard.press("Enter")
    expect(card(page, "Modes of the path")).to_have_count(1)
    expect(found.first).to_have_attribute("aria-pressed", "true")
    # Once more opens nothing, and closes nothing; nor does it without words.
    page.keyboard.press("Enter")
    page.get_by_label("Search views").fill("")
    expect(page.locator("details.all")).to_be_attached()
    page.keyboard.press("Enter")
    page.get_by_label("Search views").fill("trace of the hessian")
    page.locator('[data-view="curvature.trace"]').click()
    expect(page.locator("section.card")).to_have_count(3)
    expect(card(page, "Modes of the path")).to_have_count(1)


def test_a_card_says_its_formula_its_source_and_where_its_numbers_come_from(visit):
    page, _ = visit("views=spectra.embedding&e=500")
    shown = card(page, "Embedding spectrum")
    about = shown.get_by_role("region", name="About Embedding spectrum")
    shown.get_by_label("Full width").focus()
    page.keyboard.press("i")
    expect(about).to_be_visible()
    expect(about).to_be_focused()
    expect(about).to_contain_text("Is an embedding sparse in the task basis, on which components, since when?")
    expect(about).to_contain_text("Pₖ = sum of |cᵣ|²")
    expect(about).to_contain_text("Nanda et al. 2023")
    expect(about).to_contain_text("UTC, miscope ")
    expect(about).to_contain_text("500")
    about.get_by_label("Copy as text").focus()
    page.keyboard.press("Enter")
    expect(shown.get_by_text("Text copied.")).to_be_visible()
    assert "Nanda et al. 2023" in page.evaluate("navigator.clipboard.readText()")
    about.focus()
    page.keyboard.press("Escape")
    expect(about).to_be_hidden()
    expect(shown.get_by_label("About this view (i)")).to_be_focused()
    page.keyboard.press("Enter")
    about.get_by_text("In the catalogue").press("Enter")
    expect(page.get_by_label("About the entry")).to_contain_text("Nanda et al. 2023")


def test_the_catalogue_is_searched_and_opens_a_view_by_keyboard_alone(visit, small):
    variant = small.variants()[0].name
    page, _ = visit(f"v={variant}&page=catalogue")
    entry = page.locator("[data-entry]")
    expect(page.get_by_text(f"views can be shown of {variant}, and ")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("key frequencies")
    shown = page.locator('[data-entry="view:spectra.embedding"]')
    expect(shown).to_contain_text("by its synonyms")
    expect(shown).to_contain_text("can be shown")
    # Kinds are counted among what is found.
    expect(page.locator('[data-kind=""] .count')).to_have_text(str(entry.count()))
    page.locator('[data-kind="view"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**catalogue:kind=view**")
    expect(page.locator('[data-entry^="analyzer:"]')).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    expect(entry.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    shown.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**catalogue:show=view:spectra.embedding**")
    detail = page.get_by_label("About the entry")
    expect(detail).to_contain_text("Is an embedding sparse in the task basis")
    expect(detail).to_contain_text("Nanda et al. 2023")
    detail.locator('[data-open="view:spectra.embedding"]').focus()
    page.keyboard.press("Enter")
    expect(card(page, "Embedding spectrum")).to_have_count(1)
    page.wait_for_url("**views=spectra.embedding**")


def test_the_catalogue_says_what_computes_what_is_lacking(visit, small):
    variant = small.variants()[0].name
    page, _ = visit(f"v={variant}&page=catalogue&catalogue:show=view:parameters.norms")
    detail = page.get_by_label("About the entry")
    expect(detail).to_contain_text("not computed")
    # It stands far down the list, and is brought into sight.
    expect(page.locator('[data-entry="view:parameters.norms"]')).to_be_in_viewport()
    expect(detail).to_contain_text(f"miscope analyze {variant} --only parameters.norms")
