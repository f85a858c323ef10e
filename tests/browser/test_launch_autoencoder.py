"""An autoencoder of each checkpoint of a variant, asked for from the form, trained, analyzed, and looked at."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from miscope.bound import open_bound

pytestmark = pytest.mark.browser

SITE = "blocks.0.mlp.hook_post"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    workspace = open_bound(tmp_path_factory.mktemp("launched") / "workspace")
    variant = workspace.variant("modadd.embedding-mlp", prime=5, seed=0, checkpoints="every:50")
    list(variant.train(steps=100, threads=1))
    return workspace


@pytest.fixture(scope="module")
def address(workspace, serving):
    with serving(workspace.root) as found:
        yield found


def field(page, name):
    return page.locator(f'.field[data-field="{name}"]')


def test_autoencoders_of_all_checkpoints_are_trained_from_the_form_and_looked_at(visit, keyboard, workspace):
    (source,) = (variant.name for variant in workspace.variants())
    page, _ = visit("page=launch")
    keys = keyboard(page)
    expect(page.locator("#launch-family option")).not_to_have_count(1)
    keys.to("Skip to the content")
    keys.press("Enter")
    keys.to("Family", most=1)
    keys.choose("sae.topk")
    expect(page.locator("#launch-family")).to_have_value("sae.topk")
    expect(field(page, "k").locator("input")).to_be_visible()
    keys.to(r"variant( \*)?", most=8)
    keys.write(source)
    # What there is of it is known once it is.
    expect(field(page, "step").locator(".adder")).to_be_visible()
    keys.to("Add to step", most=4)
    keys.press("a")
    expect(field(page, "step").locator("input")).to_have_value("0, 50, 100")
    for name, text in {"site": SITE, "k": "2", "latents": "16", "steps": "40", "checkpoints": "every:20"}.items():
        keys.to(rf"{name}( \*)?", most=20)
        keys.write(text)

    # So short a training is refused, and it is said how it may be asked for all the same.
    expect(field(page, "steps").locator(".refused")).to_contain_text("allow_out_of_range=true takes it all the same.")
    keys.to("allow_out_of_range", most=6)
    page.keyboard.type("t")
    keys.to("Analyze each run once it is trained.*", most=30)
    keys.press("Space")
    keys.to("analyzers", most=4)
    keys.write("sae.reconstruction")
    expect(page.locator(".summary")).to_have_text("3 runs: 3 new")
    keys.press("Control+Enter")
    expect(page.locator(".outcome")).to_contain_text("3 trainings and 3 analyses in the queue")
    runs = page.locator(".started article")
    expect(runs).to_have_count(6)
    expect(runs.locator(".state").filter(has_text="completed")).to_have_count(6)

    # What was found is a card of the workbench, of each of them.
    trained = runs.filter(has_text="train sae.topk/")
    expect(trained).to_have_count(3)
    trained.first.get_by_role("button", name="Workbench").click()
    expect(page).to_have_url(re.compile(r"[?&]v=sae\.topk/"))
    page.get_by_label("Search views").fill("sae.reconstruction")
    page.locator('[data-view="sae.reconstruction"]').first.click()
    expect(page).to_have_url(re.compile(r"views=[^&]*sae\.reconstruction"))
    card = page.locator('section.card[aria-label="What is left unexplained of the inputs"]')
    expect(card.locator(".js-plotly-plot .main-svg").first).to_be_visible()
