"""A view as one file with a slider, opened from the disk by a real browser."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from miscope.figures.animate import animate

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium, small, tmp_path: Path):
    """The page of a view of both a grid and bars; nothing it does may fail or ask anybody."""
    variant = small.variants()[0]
    list(animate(small.value, "neurons.frequencies", variant.value, tmp_path / "film.html", frames=5))
    errors, asked = [], []
    opened = chromium.new_page()
    opened.on("console", lambda message: message.type == "error" and errors.append(message.text))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: asked.append(urlsplit(request.url).scheme))
    opened.goto((tmp_path / "film.html").as_uri())
    yield opened
    opened.close()
    assert errors == []
    assert {*asked} <= {"file", "data", "blob"}


def test_the_slider_shows_each_checkpoint_within_the_same_axes(page) -> None:
    body, slider = page.locator("body"), page.get_by_role("slider", name="step")
    expect(body).to_have_attribute("data-shown", "4")
    expect(page.get_by_role("status")).to_have_text("epoch 2,000")
    ranges, steps = set(), set()
    for number in (3, 2, 1, 0):
        slider.press("ArrowLeft")
        expect(body).to_have_attribute("data-shown", str(number))
        found = page.locator("#plot").evaluate(
            "plot => [['xaxis', 'yaxis', 'xaxis2', 'yaxis2'].map(name => plot._fullLayout[name].range),"
            " plot.layout.meta.miscope.step]"
        )
        ranges.add(str(found[0]))
        steps.add(found[1])
    assert len(ranges) == 1
    assert len(steps) == 4
    expect(page.get_by_role("status")).to_have_text("epoch 0")


def test_it_plays_to_the_end_and_rests(page) -> None:
    play = page.get_by_role("button", name="Play")
    expect(page.locator("body")).to_have_attribute("data-shown", "4")
    page.get_by_role("slider", name="step").press("Home")
    play.click()
    expect(page.locator("body")).to_have_attribute("data-shown", "4")
    expect(play).to_be_visible()
