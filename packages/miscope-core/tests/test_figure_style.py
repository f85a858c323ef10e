from __future__ import annotations

from collections.abc import Iterable
from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

import plotly.graph_objects as go
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.figures.figure_style import CONFIG, NULL, ON_A_PATH, colour_of, restyle, template, variant_colours

KEY_FREQUENCIES = (("14", "35", "41", "42", "52"), ("6", "23", "37", "39", "41"), ("3", "6", "23", "39"))


def lab(colour: str) -> tuple[float, float, float]:
    """The colour in CIELAB, under D65."""
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in shares)
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
    fx, fy, fz = (v ** (1 / 3) if v > (6 / 29) ** 3 else v / (3 * (6 / 29) ** 2) + 4 / 29 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def distance(first: str, second: str) -> float:
    """CIEDE2000 (Sharma, Wu & Dalal 2005): 1 is just noticeable on large fields side by side."""
    (light, a, b), (other, c, d) = lab(first), lab(second)
    mean = (hypot(a, b) + hypot(c, d)) / 2
    grow = 1.5 - 0.5 * sqrt(mean**7 / (mean**7 + 25**7))
    one, two = hypot(a * grow, b), hypot(c * grow, d)
    h1, h2 = degrees(atan2(b, a * grow)) % 360, degrees(atan2(d, c * grow)) % 360
    chroma, lightness = (one + two) / 2, (light + other) / 2
    hue = ((h1 + h2 + (360 if abs(h1 - h2) > 180 else 0)) / 2) % 360
    turned = 2 * sqrt(one * two) * sin(radians((h2 - h1 + 180) % 360 - 180) / 2)
    cosines = ((1, -30, -0.17), (2, 0, 0.24), (3, 6, 0.32), (4, -63, -0.2))
    t = 1 + sum(weight * cos(radians(times * hue + shift)) for times, shift, weight in cosines)
    away = (lightness - 50) ** 2
    dl = (other - light) / (1 + 0.015 * away / sqrt(20 + away))
    dc, dh = (two - one) / (1 + 0.045 * chroma), turned / (1 + 0.015 * chroma * t)
    rotation = 2 * sqrt(chroma**7 / (chroma**7 + 25**7)) * sin(radians(60 * exp(-(((hue - 275) / 25) ** 2))))
    return sqrt(dl**2 + dc**2 + dh**2 - rotation * dc * dh)


def closest(labels: Iterable[str]) -> float:
    colours = [colour_of(label) for label in labels]
    return min(distance(a, b) for i, a in enumerate(colours) for b in colours[:i])


def test_frequencies_that_are_shown_together_can_be_told_apart():
    assert closest(("1", "4", "7")) > 30
    assert closest(map(str, range(1, 9))) > 28
    assert closest(map(str, range(1, 16))) > 20
    assert closest(map(str, range(1, 57))) > 10
    assert closest(map(str, range(1, 106))) > 8
    for keys in KEY_FREQUENCIES:
        assert closest(keys) > 14, keys


def test_neighbouring_frequencies_of_every_prime_to_211_are_easily_told_apart():
    colours = [colour_of(str(k)) for k in range(1, 106)]
    assert min(map(distance, colours, colours[1:])) > 14


def test_a_frequency_is_not_the_colour_of_a_null():
    assert min(distance(colour_of(str(k)), NULL) for k in range(1, 106)) > 12


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


def test_a_variant_keeps_its_colour_when_others_are_added_and_no_two_share_one():
    names = [f"toy.sum/seed{i}" for i in range(8, 0, -1)]

    assert len(set(variant_colours(names).values())) == 8
    for count in range(8):
        assert variant_colours(names[:count]).items() <= variant_colours(names).items()
    assert len(set(variant_colours([*names, *(f"more/{i}" for i in range(5))]).values())) == 13


def test_variants_that_have_a_colour_keep_it_in_any_order_and_others_get_what_is_free():
    names = [f"toy.sum/seed{i}" for i in range(5)]
    before = variant_colours(names)
    after = variant_colours([*reversed(names[1:]), "toy.sum/seed9"], before)

    assert list(after) == [*reversed(names[1:]), "toy.sum/seed9"]
    assert {name: after[name] for name in names[1:]} == {name: before[name] for name in names[1:]}
    assert len(set(after.values())) == 5


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


def test_points_of_a_path_show_on_white_and_on_black_from_the_first_to_the_last():
    white, black = (luminance(template(theme).layout.paper_bgcolor) for theme in ("light", "dark"))
    # Between two neighbours a scale's colours lie on a line, and so their luminance between those of both.
    for colour in ON_A_PATH:
        assert (white + 0.05) / (luminance(colour) + 0.05) > 2.5
        assert (luminance(colour) + 0.05) / (black + 0.05) > 3
