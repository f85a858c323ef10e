"""How every figure looks: one template in light and dark, one colour per name, one configuration of the tool bar."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from plotly.graph_objects import Figure
    from plotly.graph_objs.layout import Template

    from miscope.view import Member

__all__ = ["CONFIG", "NULL", "OKABE_ITO", "ON_A_PATH", "TEST", "TRAIN", "Theme"]
__all__ += [
    "bare",
    "caution",
    "colour_of",
    "is_bare",
    "is_ours",
    "member_colours",
    "restyle",
    "template",
    "variant_colours",
]

Theme = Literal["light", "dark"]

CONFIG: Mapping[str, object] = {
    "displaylogo": False,
    "showSendToCloud": False,
    "responsive": True,
    "toImageButtonOptions": {"format": "png", "scale": 2},
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}
"""plotly.js configuration of `.show()`, exported HTML and the dashboard: nothing leaves the machine."""

OKABE_ITO: tuple[str, ...] = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D1F", "#7F7F7F")
"""Okabe and Ito's colours for categories, less black and yellow, which vanish on one of the backgrounds."""

TRAIN, TEST = OKABE_ITO[:2]
"""Training and test data, in every figure."""

NULL = "#9A9A9A"
"""What a model that learned nothing would show."""

ON_A_PATH: tuple[str, ...] = ("#7a5fd0", "#4f7fd6", "#2a98b5", "#27a36f", "#7aa82f", "#c79a12")
"""Colour scale of points from the first step to the last: unlike viridis, both its ends show on white and on black."""

_VIRIDIS = "#440154 #472d7b #3b528b #2c728e #21918c #28ae80 #5ec962 #addc30 #fde725"
_BLUE_WHITE_RED = "#053061 #2166ac #4393c3 #92c5de #d1e5f0 #f7f7f7 #fddbc7 #f4a582 #d6604d #b2182b #67001f"
_BLUE_BLACK_RED = "#9eb0ff #5ba4db #2d7597 #1a4256 #131c21 #151110 #2a120a #51200c #8a4331 #c4796d #ffadad"

_FREQUENCIES = (
    "#118833 #ff00ff #ff8822 #44bbff #bb1133 #2255bb #775500 #bbbb00 #ff99aa #00ccbb #006666 #886688 #bbaaee #aa7766 "
    "#9900cc #00cc11 #ff2200 #998855 #ff2288 #0099aa #7777ff #88aa88 #556600 #aa4400 #aa2277 #eeaa00 #2288dd #ff99ee "
    "#ccbb88 #779922 #bb7700 #ddaa99 #bb88aa #885555 #ee6666 #448877 #336644 #007799 #00bb77 #aa66cc #88aaff #665599 "
    "#bb6677 #8888bb #77bbcc #cc9966 #5544ff #cc6622 #ff8866 #dd11aa #886644 #99bb66 #bb5544 #ee66bb #887700 #778855 "
    "#668899 #666644 #cc88ff #bb9900 #ee0055 #bb0000 #00aa33 #bb22ff #99cc00 #556688 #ffaa77 #009966 #cc8888 #88cc99 "
    "#bb1155 #55aa99 #ccaabb #0099cc #ff6622 #0066ff #999900 #884499 #ddbb44 #6666cc #999977 #aa5599 #557733 #8855cc "
    "#996600 #aabbdd #ee1133 #116699 #ff6688 #446677 #884466 #7799bb #775544 #bb88cc #665577 #aa99bb #777733 #ff66ee "
    "#66aa66 #dd0077 #00ccdd #bb4455 #bbbb66 #5588ff #aa7744"
)
"""Colours of 1 to 105, the frequencies of primes up to 211: each is, of all that show on both backgrounds and are not
grey, the one farthest (CIEDE2000) from those before it, beyond 56 of those nearly as far that farthest from the last.
So a few low frequencies are farthest apart, and any two can be told apart."""

_TONES = ((0.53, 0.09), (0.58, 0.18), (0.71, 0.19), (0.77, 0.08), (0.69, 0.17))
"""Lightness and chroma in turn of other names, within limits of luminance that show on both backgrounds."""

_LEFT = 64
"""Pixels left of the plot and of the title."""

_REVISION = "miscope"
"""Value of `uirevision`: a zoom outlives a change of step."""

_BARE = "miscope without its template"
"""The same of a figure that is still to be given its template."""

_MARGIN = {"l": _LEFT, "r": 24, "t": 64, "b": 48}

_INK = {"light": "#262626", "dark": "#d9d9d9"}
_PAPER = {"light": "#ffffff", "dark": "#161819"}
_GRID = {"light": "#ececec", "dark": "#2b2f31"}
_AXIS = {"light": "#8a8a8a", "dark": "#7c8286"}
_DIVERGING = {"light": _BLUE_WHITE_RED, "dark": _BLUE_BLACK_RED}


def colour_of(label: str) -> str:
    """The colour of a block, frequency or other name: the same in every figure and every session.

    Of other names than low numbers hues turn by the golden angle, and lightness and chroma (OKLCH) keep apart those
    whose hues meet again. Dark enough for white paper and light enough for black.
    """
    number = int(label) if label.isdecimal() else int.from_bytes(hashlib.sha256(label.encode()).digest()[:4])
    if 1 <= number <= len(named := _FREQUENCIES.split()):
        return named[number - 1]
    return _oklch(*_TONES[number % len(_TONES)], turn=(number * (3 - math.sqrt(5)) / 2) % 1.0)


def variant_colours(names: Iterable[str], kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """A colour for each variant, no two alike while the palette lasts.

    The first gets its own, each that follows its own or one that is free: those before it never change for it.
    kept: colours that some of them have already.
    """
    names = list(dict.fromkeys(names))
    colours = {name: colour for name, colour in (kept or {}).items() if name in names}
    free = [colour for colour in OKABE_ITO if colour not in colours.values()]
    for name in names:
        if name in colours:
            continue
        # Of the first five: the sixth is too like the first, the last too like a null.
        wish = OKABE_ITO[hashlib.sha256(name.encode()).digest()[0] % 5]
        colours[name] = wish if wish in free else (free[0] if free else colour_of(name))
        if colours[name] in free:
            free.remove(colours[name])
    return {name: colours[name] for name in names}


def member_colours(members: Sequence[Member]) -> dict[str, str]:
    """By name the colours of variants that a view compares: those that they were given, others by their order."""
    given = {one.shown.variant.name: one.colour for one in members if one.colour}
    return variant_colours((one.shown.variant.name for one in members), given)


def restyle(figure: Figure, theme: Theme) -> Figure:
    """The figure in that theme; changes nothing but its template."""
    return figure.update_layout(template=template(theme))


def caution(text: str) -> dict[str, object]:
    """The annotation that says above a figure what is not in it."""
    place = {"x": 1, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom"}
    return {"text": text, **place, "font": {"color": OKABE_ITO[1], "size": 11}, "showarrow": False}


def is_ours(figure: Figure) -> bool:
    """Whether it carries one of these templates already."""
    layout: Any = figure.layout
    return layout.template.layout.uirevision == _REVISION


def is_bare(figure: Figure) -> bool:
    """Whether it carries `bare()`."""
    layout: Any = figure.layout
    return layout.template.layout.uirevision == _BARE


@functools.cache
def bare() -> Template:
    """What stands for a template until the figure is given one, or goes where that is not needed: plotly copies and
    checks all of a template with each figure that has it, which takes longer than the figure."""
    import plotly.graph_objects as go

    return go.layout.Template(layout={"uirevision": _BARE, "margin": _MARGIN})


@functools.cache
def template(theme: Theme = "light") -> Template:
    """The plotly template: quiet, readable, the same everywhere."""
    import plotly.graph_objects as go

    axis = _axis(theme)
    layout = {
        "font": {"family": "Inter, Helvetica Neue, Helvetica, Arial, sans-serif", "size": 12, "color": _INK[theme]},
        "title": _title(theme),
        "margin": _MARGIN,
        "paper_bgcolor": _PAPER[theme],
        "plot_bgcolor": _PAPER[theme],
        "colorway": list(OKABE_ITO),
        "colorscale": {
            "sequential": _scale(_VIRIDIS.split()),
            "sequentialminus": _scale(_VIRIDIS.split()[::-1]),
            "diverging": _scale(_DIVERGING[theme].split()),
        },
        "coloraxis": {"autocolorscale": True, "colorbar": _COLORBAR},
        "xaxis": axis,
        "yaxis": axis,
        "scene": {name: _scene_axis(theme) for name in ("xaxis", "yaxis", "zaxis")},
        "separators": ".,",
        "legend": {"bgcolor": "rgba(0,0,0,0)", "font": {"size": 11}, "tracegroupgap": 0, "traceorder": "normal"},
        "hoverlabel": {"font": {"size": 12}, "namelength": -1},
        "annotationdefaults": {"font": {"color": _INK[theme], "size": 11}, "showarrow": False},
        "shapedefaults": {"line": {"color": _AXIS[theme]}, "label": {"font": _label(theme)}},
        "uirevision": _REVISION,
    }
    return go.layout.Template(layout=layout)


_COLORBAR = {"thickness": 12, "outlinewidth": 0, "ticklen": 3, "title": {"side": "right", "font": {"size": 11}}}


def _axis(theme: Theme) -> dict[str, object]:
    return {
        "showgrid": True,
        "gridcolor": _GRID[theme],
        "linecolor": _AXIS[theme],
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": _AXIS[theme],
        "title": {"standoff": 8, "font": {"size": 12}},
        "automargin": True,
        # Whether one reaches beyond the figure plotly.js asks of each label, which takes a sixth of a drawing; with
        # such margins none does.
        "ticklabeloverflow": "allow",
        "exponentformat": "power",
        "minexponent": 6,
    }


def _label(theme: Theme) -> dict[str, object]:
    # A rim of the paper's colour: labels of shapes lie on curves.
    return {"color": _INK[theme], "size": 10, "shadow": ", ".join([f"0 0 2px {_PAPER[theme]}"] * 6)}


def _title(theme: Theme) -> dict[str, object]:
    # At the figure's edge and not the plot's: long labels of an axis must not push it out at the right.
    place = {"x": 0, "xref": "container", "xanchor": "left", "pad": {"l": _LEFT}}
    place |= {"y": 0.98, "yref": "container", "yanchor": "top"}
    return {"font": {"size": 15}, **place, "subtitle": {"font": {"size": 11, "color": _AXIS[theme]}}}


def _oklch(lightness: float, chroma: float, *, turn: float) -> str:
    """The colour as '#rrggbb', clipped to what a screen has (Ottosson 2020)."""
    a, b = chroma * math.cos(2 * math.pi * turn), chroma * math.sin(2 * math.pi * turn)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    clipped = [min(max(value, 0.0), 1.0) for value in linear]
    gamma = [12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in clipped]
    return "#" + "".join(f"{round(255 * value):02x}" for value in gamma)


def _scene_axis(theme: Theme) -> dict[str, object]:
    return {"backgroundcolor": _PAPER[theme], "gridcolor": _GRID[theme], "linecolor": _AXIS[theme], "zeroline": False}


def _scale(colours: Sequence[str]) -> list[list[object]]:
    return [[i / (len(colours) - 1), colour] for i, colour in enumerate(colours)]
