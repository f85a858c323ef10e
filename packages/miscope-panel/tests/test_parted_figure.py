"""What travels to the browser is the same figure, with its arrays as bytes."""

import base64
import json

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope.figures.wire import wire
from miscope_panel.page.card import Card
from miscope_panel.page.errands import Errands
from miscope_panel.shown.parted_figure import parted
from miscope_panel.shown.picture import Picture, Request

HEAT = np.arange(12, dtype=np.float32).reshape(3, 4)
ODD = 'he said "bdata":"AAAA" and \\"bdata\\":\\"AAAA\\"'
FIGURES = {
    "a heat map": go.Figure(go.Heatmap(z=HEAT, customdata=HEAT * 2)),
    "a heat map in shades": go.Figure(go.Heatmap(z=HEAT, hoverinfo="skip")),
    "bars": go.Figure(go.Bar(x=["a", "b"], y=np.array([1.5, np.nan]), marker={"color": np.array([1, 2], dtype="u1")})),
    "lists and odd words": go.Figure(go.Scatter(x=[1, 2], y=[3, 4], text=[ODD, '","bdata":"AAAA"'], name=ODD)),
    "nothing": go.Figure(),
    "": None,
}


def whole(text: str, arrays: bytes) -> object:
    """As the browser puts it together."""

    def put(part):
        if isinstance(part.get("bdata"), list):
            start, stop = part["bdata"]
            return {**part, "bdata": base64.b64encode(arrays[start:stop]).decode("ascii")}
        return part

    return json.loads(text, object_hook=put)


@pytest.mark.parametrize("which", FIGURES)
def test_put_together_again_it_is_the_same_figure(which):
    drawn = FIGURES[which]
    figure = '{"data":[],"layout":{}}' if drawn is None else wire(drawn)
    text, arrays = parted(figure)
    assert whole(text, arrays) == json.loads(figure)


def test_the_arrays_are_no_part_of_the_text_and_travel_as_bytes():
    text, arrays = parted(wire(FIGURES["a heat map"]))
    assert {arrays[:48], arrays[48:]} == {HEAT.tobytes(), (HEAT * 2).tobytes()}
    assert len(text) < 1000


def test_a_card_is_given_text_and_bytes(at_once):
    card, figure = Card(view="a.b"), wire(FIGURES["a heat map"])
    card.ask(
        Request(view="a.b", variant="f/v"), lambda request: Picture(state="figure", figure=figure), Errands(at_once)
    )
    assert (card.picture["figure"], card.picture["arrays"]) == parted(figure)
