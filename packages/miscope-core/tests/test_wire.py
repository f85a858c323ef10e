import json

import numpy as np
import plotly.graph_objects as go

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
