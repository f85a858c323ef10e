"""Two trainings are asked for by a sweep over seeds, from the form, and their losses are drawn."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from miscope.bound import open_bound

pytestmark = pytest.mark.browser


def test_a_sweep_of_two_seeds_is_started_and_its_losses_are_drawn(chromium, serving, tmp_path):
    workspace = open_bound(tmp_path / "launched")
    with serving(workspace.root) as address:
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(300_000)
        seen: list[str] = []
        page.on("console", lambda message: message.type == "error" and seen.append(message.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.goto(f"{address}?page=launch")
        page.locator("#launch-family").select_option("modadd.embedding-mlp")
        for field, text in {"prime": "7", "seed": "0,1", "steps": "3000", "checkpoints": "every:500"}.items():
            page.locator(f'.field[data-field="{field}"] input').fill(text)
        expect(page.locator(".summary")).to_have_text("2 runs: 2 new")

        page.locator('.field[data-field="seed"] input').fill("0,-1")
        refused = page.locator('.field[data-field="seed"] .refused')
        expect(refused).to_contain_text("seed=-1 is refused: it must be 0 or more.")
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
        page.locator('.field[data-field="seed"] input').fill("0,1")
        expect(refused).to_be_hidden()

        # What is written as YAML counts though it is left at once.
        page.locator("summary", has_text="YAML").click()
        written = page.get_by_label("The form as YAML")
        expect(written).to_have_value(re.compile(r"seed: \[0, 1\]"))
        kept = written.input_value()
        written.fill(kept.replace("seed: [0, 1]", "seed: [5, 6]"))
        page.locator('.field[data-field="prime"] input').click()
        expect(page.locator('.field[data-field="seed"] input')).to_have_value("5, 6")
        page.locator('.field[data-field="seed"] input').fill("0,1")
        expect(written).to_have_value(kept)

        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator(".outcome")).to_contain_text("2 trainings in the queue")
        runs = page.locator(".started article")
        expect(runs).to_have_count(2)
        curve = runs.first.locator("svg")
        expect(curve).to_have_attribute("aria-label", re.compile("train_loss"))
        # However soon the training ends, what is drawn of it ends as a curve: at its first step it is one point twice.
        expect(curve.locator("polyline").first).to_have_attribute("points", re.compile(r"^(\S+) (?!\1$)"))
        expect(runs.first.locator(".state")).to_have_text("completed")
        expect(runs.nth(1).locator(".state")).to_have_text("completed")
        expect(page.locator(".summary")).to_have_text("2 runs: 2 there already")
        assert "launch:seed=0,1" in page.url

        runs.first.get_by_role("button", name="Workbench").click()
        expect(page).to_have_url(re.compile(r"[?&]v=modadd\.embedding-mlp/p7-seed0-dseed598&"))
        assert seen == []
        page.close()
    names = {variant.name for variant in open_bound(workspace.root).variants()}
    assert names == {f"modadd.embedding-mlp/p7-seed{seed}-dseed598" for seed in (0, 1)}
