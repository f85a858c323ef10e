from __future__ import annotations

import plotly.graph_objects as go
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.figure_style import CONFIG, colour_of, restyle, template, variant_colours

KEY_FREQUENCIES = (("14", "35", "41", "42", "52"), ("6", "23", "37", "39", "41"), ("3", "6", "23", "39"))


def distance(first: str, second: str) -> float:
    pairs = (
        (int(a[i : i + 2], 16) / 255, int(b[i : i + 2], 16) / 255) for a, b in [(first, second)] for i in (1, 3, 5)
    )
    return sum((x - y) ** 2 for x, y in pairs) ** 0.5


def test_the_frequencies_of_a_known_model_look_different():
    for keys in KEY_FREQUENCIES:
        colours = [colour_of(key) for key in keys]
        apart = [distance(a, b) for i, a in enumerate(colours) for b in colours[:i]]
        assert min(apart) > 0.2, keys


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@settings(deadline=None)
@given(st.text(min_size=1) | st.integers(1, 1000).map(str))
def test_every_name_has_a_colour_that_shows_on_white_and_on_black(label: str):
    colour = colour_of(label)
    white, black = (luminance(template(theme).layout.paper_bgcolor) for theme in ("light", "dark"))

    assert colour == colour_of(label)
    assert (white + 0.05) / (luminance(colour) + 0.05) > 1.8
    assert (luminance(colour) + 0.05) / (black + 0.05) > 2.5


def test_a_variant_keeps_its_colour_in_other_company_and_no_two_share_one():
    names = [f"toy.sum/seed{i}" for i in range(8)]

    assert len(set(variant_colours(names).values())) == 8
    assert variant_colours(names[:1]).items() <= variant_colours(reversed(names[:1])).items()
    assert len(set(variant_colours([*names, *(f"more/{i}" for i in range(5))]).values())) == 13


def test_a_figure_changes_its_theme_and_keeps_its_contents():
    figure = go.Figure(go.Scatter(y=[1, 2]), layout={"title": "kept"})
    before = figure.to_dict()["data"]

    restyle(figure, "dark")

    assert figure.layout.template.layout.paper_bgcolor == template("dark").layout.paper_bgcolor
    assert figure.layout.title.text == "kept"
    assert figure.to_dict()["data"] == before


def test_the_tool_bar_sends_nothing_away():
    assert CONFIG["showSendToCloud"] is False
    assert CONFIG["displaylogo"] is False
