"""A step that has other numbers alone is painted over what plotly.js drew, and looks as if it had been drawn anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.client import FILES
from miscope.figures.wire import bundle, looks, wire
from miscope.testing import ToyFamily
from miscope_panel.page import client
from miscope_views.clusters import frequencies

pytestmark = pytest.mark.browser

SCRIPT = """window.script = {
  // What is drawn, without the pixels of heat maps; and the pixels.
  async seen(place) {
    const svg = [...place.querySelectorAll(".main-svg")].map((one) => one.outerHTML).join("")
    const images = [...place.querySelectorAll(".hm image")].map((one) => one.href.baseVal)
    const pixels = await Promise.all(images.map(async (address) => {
      const image = Object.assign(new Image(), {src: address})
      await image.decode()
      const brush = new OffscreenCanvas(image.width, image.height).getContext("2d")
      brush.drawImage(image, 0, 0)
      return [...brush.getImageData(0, 0, image.width, image.height).data]
    }))
    return [svg.replace(/data:image[^"]*/g, "image"), pixels]
  },
  place() {
    const place = document.createElement("div")
    place.style.cssText = "position: absolute; left: 0; top: 0; width: 600px; height: 400px"
    document.body.replaceChildren(place)
    return place
  },
  // Shown one after the other by what a card shows figures with.
  async show(figure, template, first) {
    if (first) {
      script.shown = script.place()
      script.painter = repainting(script.shown, () => script.playing)
    }
    const place = script.shown
    figure.layout.template = template
    await script.painter.show(figure, () => Plotly.react(place, figure.data.map(in_numbers), figure.layout))
    return place.hasAttribute("data-painted")
  },
  label: () => [...script.shown.querySelectorAll(".hoverlayer text")].map((each) => each.textContent).join(),
  async over(before, now, template) {
    const place = script.place()
    for (const {layout} of [before, now]) layout.template = template
    const [came, comes] = [apart(before), apart(now)]
    const draw = ({data, layout}) =>
      Plotly.react(place, data.map((trace) => in_numbers({...trace})), structuredClone(layout))
    // The second time what is measured by then is written otherwise.
    for (const one of [before, before]) await draw(one)
    const over = painted_over(place, came, comes, shades_kept())
    const [svg, pixels] = await script.seen(place)
    await draw(over ? now : before)
    const [wanted, exact] = await script.seen(place)
    const off = exact.map((image, i) => Math.max(...image.map((byte, at) => Math.abs(byte - pixels[i][at]))))
    return {over, same: svg === wanted, off}
  },
}"""


@pytest.fixture(scope="module")
def scripted(chromium):
    """A page with plotly.js and what paints, and the template of figures."""
    page = chromium.new_page()
    page.add_script_tag(path=str(bundle()))
    chart = (FILES / "chart.js").read_text()
    ours = (Path(client.__file__).parent / "repainting.js").read_text()
    page.add_script_tag(content="\n".join([(FILES / "dom.js").read_text(), chart, ours, SCRIPT]))
    yield page, json.loads(json.dumps(looks()["templates"]["light"], default=list))
    page.close()


@pytest.fixture(scope="module")
def over(scripted):
    """over(before, now): whether the second was painted over the first, and what then differs from one drawn anew."""
    page, template = scripted

    def compare(before: go.Figure, now: go.Figure) -> dict[str, Any]:
        figures = [json.loads(wire(each)) for each in (before, now)]
        return page.evaluate("([before, now, template]) => script.over(before, now, template)", [*figures, template])

    return compare


@pytest.fixture
def show(scripted):
    """show(figure): whether it was painted over the one before, on one chart; show.page has that."""
    page, template = scripted
    shown: list[go.Figure] = []

    def next_one(figure: go.Figure) -> bool:
        shown.append(figure)
        wired = json.loads(wire(figure))
        return page.evaluate("([...args]) => script.show(...args)", [wired, template, len(shown) == 1])

    next_one.page = page
    return next_one


def mixed(seed: int, **axes: Any) -> go.Figure:
    """Two heat maps, one from the top down, and bars over a fixed range."""
    random = np.random.default_rng(seed)
    figure = go.Figure(
        [
            go.Heatmap(z=random.random((5, 7)), coloraxis="coloraxis"),
            go.Heatmap(z=random.random((6, 4)), xaxis="x2", yaxis="y2", coloraxis="coloraxis", hoverinfo="skip"),
            go.Bar(x=list("abc"), y=random.random(3), xaxis="x3", yaxis="y3"),
        ]
    )
    figure.update_layout(
        meta={"miscope": {"step": seed}},
        coloraxis={"cmin": 0.1, "cmax": 0.9},
        xaxis={"domain": [0, 0.3]},
        xaxis2={"domain": [0.36, 0.6], "anchor": "y2"},
        xaxis3={"domain": [0.7, 1], "anchor": "y3"},
        yaxis2={"autorange": "reversed", "anchor": "x2"},
        yaxis3={"range": [0, 1], "anchor": "x3"},
    )
    return figure.update_layout(**axes)


def test_other_numbers_are_painted_over_and_look_as_if_drawn_anew(over):
    """Colours differ by one in 256 at most."""
    found = over(mixed(0), mixed(1))
    assert (found["over"], found["same"], len(found["off"])) == (True, True, 2)
    assert max(found["off"]) <= 1


def coloured(heights: list[float], colours: list[str], **more: Any) -> go.Figure:
    """Bars of a colour each, in the outlines of others."""
    outlines = go.Bar(x=list("abc"), y=[1, 1, 0.5], marker={"color": "rgba(0,0,0,0)", "line": {"width": 1}})
    bars = go.Bar(x=list("abc"), y=heights, marker={"color": colours}, **more)
    return go.Figure([outlines, bars]).update_layout(barmode="overlay", yaxis_range=[0, 1.1], showlegend=True)


def test_bars_of_other_colours_are_painted_over(over):
    grey, blue = "#888888", "#0000ff"
    before = coloured([0.1, 0.2, 0.3], [grey] * 3, showlegend=False)
    found = over(before, coloured([0.1, 0.9, 0.4], [grey, blue, grey], showlegend=False))
    assert (found["over"], found["same"]) == (True, True)
    # Their heights are the same.
    found = over(before, coloured([0.1, 0.2, 0.3], [blue, grey, grey], showlegend=False))
    assert (found["over"], found["same"]) == (True, True)


def test_bars_whose_first_colour_is_in_the_legend_are_drawn_in_full(over):
    before = coloured([0.1, 0.2, 0.3], ["#888888"] * 3)
    assert not over(before, coloured([0.1, 0.2, 0.3], ["#0000ff"] * 3))["over"]


def test_of_the_same_numbers_nothing_is_drawn(over):
    assert over(mixed(0), mixed(0)) == {"over": True, "same": True, "off": [0, 0]}


@pytest.mark.parametrize(
    "other",
    [
        mixed(1, yaxis3_range=[0, 2]),
        mixed(1, title="Another"),
        mixed(1, coloraxis_cmax=0.8),
        mixed(1, annotations=[{"text": "here", "x": 0.5, "y": 0.5}]),
        go.Figure(mixed(1)).update_traces({"x": list("abd")}, {"type": "bar"}),
        go.Figure(mixed(1)).update_traces({"z": np.ones((5, 8))}, 0),
        go.Figure(mixed(1)).update_traces({"marker": {"color": "red"}}, {"type": "bar"}),
        go.Figure(mixed(1).data[:2], mixed(1).layout),
    ],
    ids=["range", "title", "colours", "words", "names", "size", "colour of bars", "fewer"],
)
def test_what_is_more_than_other_numbers_is_left_to_plotly(over, other):
    assert over(mixed(0), other)["over"] is False


def test_bars_over_an_axis_that_finds_its_own_range_are_left_to_plotly(over):
    before, now = (go.Figure(mixed(seed)).update_layout(yaxis3={"range": None}) for seed in (0, 1))
    assert over(before, now)["over"] is False


def test_numbers_that_are_not_there_are_no_pixels(over):
    z = np.full((5, 7), 0.5)
    z[1, 2], z[2, 3] = np.nan, np.inf
    holed = go.Figure(mixed(1)).update_traces({"z": z}, 0)
    found = over(mixed(0), holed)
    assert (found["over"], found["same"]) == (True, True)
    assert max(found["off"]) <= 1


def heat(z: Any, **more: Any) -> go.Figure:
    figure = go.Figure(go.Heatmap(z=z, coloraxis="coloraxis", hovertemplate="%{z:.2f}<extra></extra>", **more))
    return figure.update_layout(coloraxis={"cmin": 0, "cmax": 1})


def bars(heights: list[float], **more: Any) -> go.Figure:
    return go.Figure(go.Bar(x=list("abc"), y=np.array(heights), **more)).update_layout(yaxis={"range": [0, 2]})


def label_is(page: Any, text: str) -> None:
    page.wait_for_function("text => script.label() === text", arg=text)


def test_a_label_under_the_pointer_tells_the_number_that_was_painted(show):
    show(heat(np.full((5, 7), 0.25)))
    show.page.mouse.move(250, 200)
    show.page.mouse.move(252, 202)
    label_is(show.page, "0.25")
    assert show(heat(np.full((5, 7), 0.75)))
    label_is(show.page, "0.75")


def test_a_cell_that_is_painted_without_a_number_has_no_label(show):
    show(heat(np.full((5, 7), 0.25)))
    show.page.mouse.move(250, 200)
    show.page.mouse.move(252, 202)
    label_is(show.page, "0.25")
    assert show(heat(np.full((5, 7), np.nan)))
    label_is(show.page, "")


def test_several_numbers_a_cell_are_left_to_plotly(over):
    random = np.random.default_rng(0)
    before, now = (heat(random.random((5, 7)), customdata=random.random((5, 7, 2))) for _ in range(2))
    assert over(before, now)["over"] is False


def test_bars_with_error_bars_are_left_to_plotly(over):
    error = {"type": "data", "array": [0.1, 0.1, 0.1]}
    assert over(bars([1, 1, 1], error_y=error), bars([1, 0.5, 1], error_y=error))["over"] is False


def lying(names: str, lengths: list[float]) -> go.Figure:
    figure = go.Figure(go.Bar(y=list(names), x=np.array(lengths), orientation="h"))
    return figure.update_layout(xaxis={"range": [0, 4]})


def test_lying_bars_are_painted_and_others_names_left_to_plotly(over):
    assert over(lying("abc", [1, 2, 3]), lying("abc", [3, 1, 2])) == {"over": True, "same": True, "off": []}
    assert over(lying("abc", [1, 2, 3]), lying("abd", [1, 2, 3]))["over"] is False


def test_colours_turned_round_are_other_colours(scripted):
    page, _ = scripted
    scale = [[0, "rgb(0, 0, 0)"], [1, "rgb(255, 255, 255)"]]
    first = page.evaluate(
        "scale => { const kept = shades_kept(); return [false, true, false].map((reversescale) => "
        "kept({colorscale: scale, reversescale})[0] & 255) }",
        scale,
    )
    assert first == [0, 255, 0]


def test_neurons_by_component_are_painted_from_step_to_step(over):
    """The view's own figure, with its category axis, its colour bar and two histograms upon each other."""
    random, site, components = np.random.default_rng(0), "blocks.0.mlp.hook_post", np.array(["1", "2", "3"])
    share = random.random((3, 3, 8)).astype(np.float32)
    stacked = {
        "step": np.array([0, 10, 20]),
        f"{site}/basis": np.array([["fourier"]] * 3),
        f"{site}/label": np.tile(components, (3, 1)),
        f"{site}/fraction": share,
        f"{site}/dominant": components[share.argmax(axis=1)],
        f"{site}/max_fraction": share.max(axis=1),
        f"{site}/dead": np.zeros((3, 8), dtype=bool),
    }
    variant = make_variant(ToyFamily(), {})
    figures = []
    for place in (1, 2):
        now = {name: array[place] for name, array in stacked.items()}
        given = {"artifacts": {"neurons.frequencies": now}, "history": {"neurons.frequencies": stacked}}
        shown = ViewData(variant=variant, step=20, steps=stacked["step"], step_label="epoch", **given)
        figures.append(frequencies(shown, site=site, locked=True))
    found = over(*figures)
    assert (found["over"], found["same"]) == (True, True)
    assert max(found["off"]) <= 1


def test_what_cannot_be_painted_after_all_is_drawn_in_full(show):
    show(bars([1.0, 1.0, 1.0]))
    show.page.evaluate("""() => {
      const [full] = script.shown._fullData
      full._module = {...full._module, calc: () => { script.called = true; throw new Error("otherwise in here") }}
    }""")
    assert show(bars([1.0, 0.5, 1.0])) is False
    assert show.page.evaluate("script.called")
    assert show.page.evaluate("[...script.shown._fullData[0].y]") == [1, 0.5, 1]


TIMERS = """() => {
  script.later = []
  window.setTimeout = (action) => script.later.push(action)
}"""


def test_while_steps_follow_each_other_none_is_drawn_in_full_however_slowly_they_come(show):
    show(bars([1.0, 1.0, 1.0]))
    page = show.page
    clock = page.evaluate_handle("window.setTimeout")
    page.evaluate(TIMERS)
    page.evaluate("script.playing = true")
    assert show(bars([1.0, 0.5, 1.0]))
    painted = "script.later.shift()(); script.shown.hasAttribute('data-painted')"
    assert page.evaluate(painted)
    page.evaluate("script.playing = false")
    assert page.evaluate(painted) is False
    page.evaluate("clock => { window.setTimeout = clock }", clock)
