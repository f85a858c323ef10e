"""plotly.js as the page runs it has most kinds of trace at once and the others as soon as a figure has one."""

from __future__ import annotations

import json

import pytest

from miscope_panel.shown.plotlyjs import script

pytestmark = pytest.mark.browser

KINDS = "() => Plotly.PlotSchema.get().traces"
NEW = "() => { document.body.innerHTML = '<div></div>'; window.canvas = document.body.firstChild }"
PIE = {"type": "pie", "values": [1, 3], "labels": ["fit", "rest"]}
LINE = {"y": [3, 1, 2]}


@pytest.fixture
def page(chromium):
    page = chromium.new_page()
    page.add_script_tag(content=script())
    page.evaluate(NEW)
    yield page
    page.close()


def test_what_views_are_drawn_with_is_there_at_once_and_the_rest_is_not(page):
    kinds = page.evaluate(KINDS)
    drawn_with = {"bar", "box", "contour", "heatmap", "histogram", "scatter", "violin"}
    assert drawn_with <= kinds.keys()
    assert not {"pie", "scatter3d", "surface", "table"} & kinds.keys()


@pytest.mark.parametrize(
    "call",
    [
        f"Plotly.newPlot(canvas, [{json.dumps(PIE)}])",
        f"Plotly.newPlot(canvas, {{data: [{json.dumps(PIE)}]}})",
        f"Plotly.react(canvas, [{json.dumps(LINE)}]).then(() => Plotly.react(canvas, [{json.dumps(PIE)}]))",
        f"Plotly.newPlot(canvas, [{json.dumps(LINE)}]).then(() => Plotly.addTraces(canvas, {json.dumps(PIE)}))",
    ],
)
def test_a_kind_that_was_not_there_is_drawn_whichever_way_it_comes(page, call):
    page.evaluate(call)
    page.locator("path.surface").nth(1).wait_for(state="attached")
    assert "surface" in page.evaluate(KINDS)


@pytest.mark.parametrize("change", ["{type: 'pie'}", "'type', ['pie']"])
def test_a_trace_that_becomes_another_kind_is_waited_for(page, change):
    page.evaluate(f"Plotly.newPlot(canvas, [{json.dumps(LINE)}]).then(() => Plotly.restyle(canvas, {change}))")
    page.wait_for_function("() => 'pie' in Plotly.PlotSchema.get().traces && canvas._fullData[0].type === 'pie'")


def test_buttons_of_a_figure_may_ask_for_any_kind(page):
    button = {"method": "restyle", "args": [{"type": "pie"}], "label": "pie"}
    layout = {"updatemenus": [{"type": "buttons", "buttons": [button]}]}
    page.evaluate(f"Plotly.newPlot(canvas, [{json.dumps(LINE)}], {json.dumps(layout)})")
    assert "pie" in page.evaluate(KINDS)


def test_a_picture_of_such_a_figure_is_made_too(page):
    made = page.evaluate(f"Plotly.toImage({{data: [{json.dumps(PIE)}]}}, {{format: 'svg'}}).then(decodeURIComponent)")
    assert made.count('class="surface"') == 2


def test_a_curve_has_no_other_kind_registered(page):
    page.evaluate(f"Plotly.newPlot(canvas, [{json.dumps(LINE)}])")
    page.locator(".scatterlayer .trace").wait_for(state="attached")
    assert "pie" not in page.evaluate(KINDS)
