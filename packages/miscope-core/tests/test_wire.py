import base64
import json

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope.figures.shades import NOTHING
from miscope.figures.wire import wire


def test_a_figure_travels_without_its_template_and_with_binary_arrays():
    figure = go.Figure(go.Heatmap(z=np.arange(12.0).reshape(4, 3))).update_layout(title_text="z")
    content = json.loads(wire(figure))
    assert content["layout"] == {"title": {"text": "z"}}
    assert set(content["data"][0]["z"]) == {"dtype", "bdata", "shape"}


def test_drawing_it_leaves_the_figure_as_it_was():
    figure = go.Figure(go.Bar(y=[1, 2]))
    before = figure.to_json()
    wire(figure)
    assert figure.to_json() == before


def test_a_heat_map_that_is_only_looked_at_travels_as_a_byte_for_each_pixel():
    drawn = np.random.default_rng(0)
    image = drawn.normal(size=(40, 30)).astype(np.float32)
    image[3, 5:9] = np.nan
    unread = go.Figure(go.Heatmap(z=image, hoverinfo="skip"))
    z = json.loads(wire(unread))["data"][0]["z"]
    shades = np.frombuffer(base64.b64decode(z["bdata"]), np.uint8).reshape(40, 30)
    least, step = z["shades"]
    assert (z["dtype"], z["shape"]) == ("u1", "40, 30")
    np.testing.assert_array_equal(shades == NOTHING, np.isnan(image))
    known = shades != NOTHING
    assert np.abs(least + step * shades[known] - image[known].astype(float)).max() <= step * (0.5 + 1e-6)
    assert step == pytest.approx((np.nanmax(image) - np.nanmin(image)) / 254, rel=1e-6)


@pytest.mark.parametrize("where", ["the trace", "its colour axis"])
def test_shades_are_of_what_colours_tell_apart(where):
    ends = {"zmin": 0.0, "zmax": 1.0} if where == "the trace" else {"coloraxis": "coloraxis"}
    figure = go.Figure(go.Heatmap(z=np.array([[-1e6, 0.25, 1e9]]), hoverinfo="skip", **ends))
    if where != "the trace":
        figure.update_layout(coloraxis={"cmin": 0.0, "cmax": 1.0})
    z = json.loads(wire(figure))["data"][0]["z"]
    shades, (least, step) = np.frombuffer(base64.b64decode(z["bdata"]), np.uint8), z["shades"]
    assert (least, shades[0], shades[2], least + 254 * step) == (0.0, 0, 254, 1.0)
    assert least + step * shades[1] == pytest.approx(0.25, abs=step / 2)


@pytest.mark.parametrize(
    "trace",
    [
        go.Heatmap(z=np.eye(3)),
        go.Heatmap(z=np.eye(3), hoverinfo="skip", texttemplate="%{z}"),
        go.Heatmap(z=np.full((2, 2), np.nan), hoverinfo="skip"),
        go.Heatmap(z=np.eye(3, dtype=np.int32), hoverinfo="skip"),
        go.Surface(z=np.eye(3), hoverinfo="skip"),
    ],
)
def test_numbers_that_can_be_read_travel_as_they_are(trace):
    figure = go.Figure(trace)
    assert json.loads(wire(figure))["data"][0]["z"] == json.loads(figure.to_json())["data"][0]["z"]


def test_numbers_of_every_size_have_shades():
    image = np.array([[-1.7e308, 1.7e308], [np.inf, 0.0]])
    z = json.loads(wire(go.Figure(go.Heatmap(z=image, hoverinfo="skip"))))["data"][0]["z"]
    assert list(base64.b64decode(z["bdata"])) == [0, 254, NOTHING, 127]
    level = go.Figure(go.Heatmap(z=np.full((2, 2), 3.5), hoverinfo="skip"))
    z = json.loads(wire(level))["data"][0]["z"]
    assert (list(base64.b64decode(z["bdata"])), z["shades"]) == ([0, 0, 0, 0], [3.5, 1.0])


def test_a_sheet_of_512_neurons_travels_in_less_than_a_third():
    image = np.linspace(-1, 1, 512 * 31 * 31, dtype=np.float32).reshape(16 * 31, 32 * 31)
    read, unread = (go.Figure(go.Heatmap(z=image, hoverinfo=info)) for info in ("all", "skip"))
    assert len(wire(unread)) < len(wire(read)) / 3
