"""Figures of one view for several variants: laid over each other, subtracted, averaged, moved to another time axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.figures.comparing.clock import Clock, clock_of, on_clock
from miscope.figures.comparing.compared_figure import ComparedFigure, NotCompared
from miscope.figures.comparing.difference import difference
from miscope.figures.comparing.group_means import group_means
from miscope.figures.comparing.overlay import overlay
from miscope.figures.comparing.seed_mean import seed_mean
from miscope.figures.figure_style import OKABE_ITO

BLACK, BLUE, RED = "#000000", "#0072B2", "#D55E00"


def drawn(*traces: Any, time_axes: tuple[str, ...] = ("x",), **layout: Any) -> go.Figure:
    """As `render.draw` leaves a figure."""
    return go.Figure([*traces]).update_layout(meta={"miscope": {"time_axes": list(time_axes)}}, **layout)


def curve(name: str, x: Any, y: Any, **more: Any) -> go.Scatter:
    return go.Scatter(x=np.asarray(x), y=np.asarray(y), name=name, **more)


def members(*figures: go.Figure) -> list[ComparedFigure]:
    look = zip(("seed=0", "seed=1", "seed=2"), (BLUE, RED, "#009E73"), strict=True)
    return [ComparedFigure(label=label, colour=c, figure=f) for f, (label, c) in zip(figures, look, strict=False)]


def shown(figure: go.Figure | NotCompared) -> list[Any]:
    """Its traces that have any point."""
    assert isinstance(figure, go.Figure)
    return [trace for trace in figure.data if "z" in trace or list(trace.x) != [None]]


def test_an_overlay_keeps_every_value_and_gives_each_variant_its_colour_and_each_curve_its_line():
    first = drawn(curve("train", [0, 10], [3.0, 1.0]), curve("test", [0, 10], [3.0, 2.0]))
    second = drawn(curve("train", [0, 20], [4.0, 1.5]), curve("test", [0, 20], [4.0, 2.5]))
    made = overlay(members(first, second))
    traces = shown(made)
    assert [trace.name for trace in traces] == [
        "seed=0 · train", "seed=0 · test", "seed=1 · train", "seed=1 · test",
    ]  # fmt: skip
    assert [trace.line.color for trace in traces] == [BLUE, BLUE, RED, RED]
    assert [trace.line.dash for trace in traces] == ["solid", "dash", "solid", "dash"]
    for trace, source in zip(traces, [*first.data, *second.data], strict=True):
        assert (trace.x.tolist(), trace.y.tolist()) == (source.x.tolist(), source.y.tolist())
    legend = [(t.name, t.line.color, t.line.dash) for t in made.data if t.showlegend]
    assert legend[:2] == [("seed=0", BLUE, "solid"), ("seed=1", RED, "solid")]
    assert [(name, dash) for name, _, dash in legend[2:]] == [("train", "solid"), ("test", "dash")]
    assert made.layout.xaxis.range[1] >= 20


def test_one_curve_a_variant_is_called_what_the_variant_is():
    made = overlay(members(drawn(curve("loss", [0], [1])), drawn(curve("loss", [0], [2]))))
    assert [trace.name for trace in shown(made)] == ["seed=0", "seed=1"]


def test_of_more_curves_than_there_are_styles_the_first_are_drawn_and_the_rest_are_counted():
    many = [drawn(*(curve(f"frequency {n}", [0, 1], [n, n]) for n in range(8))) for _ in range(2)]
    made = overlay(members(*many))
    assert len(shown(made)) == 2 * 6
    assert made.layout.title.subtitle.text == "2 more curves of each variant: see small multiples"


def test_heat_maps_and_tables_are_not_laid_over_each_other():
    heat = drawn(go.Heatmap(z=[[1.0]]))
    assert overlay(members(heat, heat)) == NotCompared(reason="heat maps would hide each other")
    table = drawn(go.Table(header={"values": ["a"]}, cells={"values": [[1]]}))
    assert overlay(members(table, table)) == NotCompared(reason="tables would hide each other")


def test_paths_over_components_of_each_one_are_not_laid_over_each_other_but_every_word_for_time_is():
    path, other = curve("path", [0, 1], [0, 1]), curve("path", [0, 2], [0, 1])
    own = [
        drawn(each, time_axes=(), xaxis_title=t)
        for each, t in ((path, "component 1 (61%)"), (other, "component 1 (69%)"))
    ]
    assert overlay(members(*own)) == NotCompared(
        reason="each has axes of its own: “component 1 (61%)”, “component 1 (69%)”"
    )
    timed = [drawn(each, xaxis_title=title) for each, title in ((path, "epoch"), (other, "step"))]
    made = overlay(members(*timed))
    assert isinstance(made, go.Figure)
    assert made.layout.xaxis.title.text == "epoch | step"


def test_bars_stand_beside_each_other_and_marks_take_the_colour_of_their_variant():
    figures = [drawn(go.Bar(x=["a", "b"], y=[1, 2]), time_axes=()) for _ in range(2)]
    figures[0].add_vline(1, name="event")
    figures[1].add_vline(2, name="event")
    made = overlay(members(*figures))
    assert made.layout.barmode == "group"
    assert [trace.marker.color for trace in shown(made)] == [BLUE, RED]
    assert [shape.line.color for shape in made.layout.shapes] == [BLUE, RED]


def test_marks_of_each_variant_name_their_event_in_its_colour_where_words_have_room():
    figures = [drawn(curve("loss", [0, 1000], [2.0, 1.0])) for _ in range(3)]
    for figure, steps in zip(figures, ((100, 800), (110, 500), (400, 900)), strict=True):
        for name, step in zip(("memorised", "generalised"), steps, strict=True):
            figure.add_shape(
                type="line", x0=step, x1=step, y0=0, y1=1, yref="paper", name="event", label_text=f"{name} {step}"
            )
    made = overlay(members(*figures))
    assert isinstance(made, go.Figure)
    told = [(shape.x0, shape.label.text, shape.label.font.color) for shape in made.layout.shapes]
    assert told == [
        (100, "memorised", BLUE),
        (800, "generalised", BLUE),
        (110, None, None),
        (500, "generalised", RED),
        (400, "memorised", "#009E73"),
        (900, "generalised", "#009E73"),
    ]


def test_numbers_beside_points_stand_in_an_overlay_only_where_they_are_those_of_all():
    def figure(*texts: str) -> go.Figure:
        return drawn(curve("loss", [0, 9], [2.0, 1.0]), go.Scatter(x=[3, 4], y=[1.0, 1.0], text=texts, mode="text"))

    def words(made: go.Figure | NotCompared) -> list[Any]:
        return [list(trace.text) for trace in shown(made) if trace.mode == "text"]

    assert words(overlay(members(figure("a", "b"), figure("a", "b")))) == [["a", "b"]]
    assert words(overlay(members(figure("50", "60"), figure("40", "60")))) == []


def test_the_mark_of_an_event_names_its_place_on_the_axis_it_is_moved_to():
    figure = drawn(curve("loss", [0, 1200], [2.0, 1.0]))
    figure.add_shape(type="line", x0=860, x1=860, y0=0, y1=1, yref="paper", name="event", label_text="generalised 860")
    for clock, text in (
        (Clock(unit=1200, title="fraction of training"), "generalised 0.72"),
        (Clock(zero=1000, title="epochs since onset"), "generalised -140"),
    ):
        assert on_clock(figure, clock).layout.shapes[0].label.text == text


steps = st.lists(st.integers(0, 10_000), min_size=2, max_size=20, unique=True).map(sorted)


@given(steps=steps, zero=st.floats(-5000, 5000), unit=st.floats(0.1, 100))
def test_a_moved_time_axis_moves_every_point_and_mark_the_same_way_and_nothing_else(steps, zero, unit):
    figure = drawn(curve("loss", steps, np.arange(len(steps))))
    figure.add_shape(type="line", x0=steps[0], x1=steps[0], y0=0, y1=1, yref="paper", name="event")
    clock = Clock(zero=zero, unit=unit, title="since")
    moved = on_clock(figure, clock)
    assert moved.data[0].x == pytest.approx((np.array(steps) - zero) / unit)
    assert moved.data[0].y.tolist() == list(range(len(steps)))
    assert moved.layout.shapes[0].x0 == pytest.approx(clock.place(steps[0]))
    assert clock.step(clock.place(steps[-1])) == pytest.approx(steps[-1], abs=1e-6)
    assert figure.data[0].x.tolist() == steps
    assert moved.layout.xaxis.title.text == "since"
    assert moved.layout.meta["miscope"]["clock"] == {"zero": zero, "unit": unit}


def test_a_logarithmic_time_axis_becomes_plain_where_it_is_moved():
    figure = drawn(curve("loss", [1, 100], [1, 2]), xaxis={"type": "log", "dtick": 1, "title": {"text": "epoch"}})
    moved = on_clock(figure, Clock(zero=50, title="epochs since generalised"))
    assert (moved.layout.xaxis.type, moved.layout.xaxis.dtick) == (None, None)
    assert on_clock(figure, Clock()).layout.xaxis.type == "log"


def test_a_time_axis_that_was_moved_before_is_moved_as_if_it_had_not_been():
    figure = drawn(curve("a", [0, 50, 200], [1, 2, 3]))
    before = on_clock(figure, Clock(unit=200, title="fraction of training"))
    since = Clock(zero=50, title="epochs since generalised")
    moved, at_once = on_clock(before, since), on_clock(figure, since)
    assert moved.data[0].x.tolist() == pytest.approx(at_once.data[0].x.tolist())
    assert moved.layout.meta == at_once.layout.meta


def test_a_hover_label_says_what_a_moved_axis_counts():
    label = "loss %{y:.3f} at epoch %{x:,}, epoch %{y}"
    figure = drawn(curve("a", [0, 200], [1, 2], hovertemplate=label))
    figure.layout.meta["miscope"]["step_label"] = "epoch"
    share = on_clock(figure, Clock(unit=200, title="fraction of training"))
    assert share.data[0].hovertemplate == "loss %{y:.3f} at fraction of training %{x:.4~f}, epoch %{y}"
    since = on_clock(figure, Clock(zero=50, title="epochs since generalised"))
    assert since.data[0].hovertemplate == "loss %{y:.3f} at epochs since generalised %{x:,}, epoch %{y}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("step", "fraction of training"),
        ("step (log; 0 is not shown)", "fraction of training"),
        ("step by which half is learnt (log; 0 is not shown)", "fraction of training by which half is learnt"),
        ("stepwise", "fraction of training"),
        ("time", "fraction of training"),
    ],
)
def test_the_title_of_a_moved_axis_keeps_what_it_says_of_its_steps(before, after):
    figure = drawn(curve("a", [0, 200], [1, 2]), xaxis={"title": {"text": before}})
    assert on_clock(figure, Clock(unit=200, title="fraction of training")).layout.xaxis.title.text == after


def test_lengths_in_steps_are_shortened_as_the_axis_is():
    bar = go.Bar(x=[100, 200], y=[1, 2], width=[50, 100], offset=-10, error_x={"array": [20, 40], "width": 3})
    along = go.Heatmap(z=[[1, 2, 3]], x0=100, dx=10)
    flat = go.Bar(x=[100], y=[1], width=0.5, orientation="h", error_x={"type": "constant", "value": 10})
    moved = on_clock(drawn(bar, along, flat), Clock(zero=100, unit=10, title="%"))
    first, second, third = moved.data
    assert first.x.tolist() == [0, 10]
    assert (first.width.tolist(), first.offset) == ([5, 10], -1)
    assert (first.error_x.array.tolist(), first.error_x.width) == ([2, 4], 3)
    assert (second.x, second.x0, second.dx) == (None, 0, 1)
    assert (third.width, third.error_x.value) == (0.5, 1)


def test_only_time_axes_are_moved():
    figure = drawn(curve("path", [1, 2], [3, 4]), time_axes=())
    assert on_clock(figure, Clock(zero=1, title="since")).data[0].x.tolist() == [1, 2]


def test_a_training_without_the_event_has_no_clock_of_it():
    told = {"events": {"generalised": 300.0}, "last": 2000.0, "step_label": "epoch"}
    assert clock_of("generalised", **told) == Clock(zero=300.0, title="epochs since generalised")
    assert clock_of("memorised", **told) is None
    assert clock_of("step", **told) == Clock()
    assert clock_of("fraction", **told) == Clock(unit=2000.0, title="fraction of training")


def test_curves_are_subtracted_at_the_steps_that_both_have():
    made = difference(drawn(curve("loss", [0, 10, 20], [3, 2, 1])), drawn(curve("loss", [0, 20, 30], [5, 2.5, 9])))
    (trace,) = shown(made)
    assert (trace.x.tolist(), trace.y.tolist()) == ([0, 20], [2, 1.5])
    assert made.layout.title.subtitle.text == "at the places that both have"
    assert made.layout.yaxis.title.text == "difference"


def test_curves_over_training_without_common_steps_are_read_between_them():
    made = difference(drawn(curve("loss", [0, 5, 10], [0, 5, 10])), drawn(curve("loss", [-1, 4, 9], [0, 10, 20])))
    (trace,) = shown(made)
    assert trace.x.tolist() == [0, 5]
    assert trace.y == pytest.approx([2 - 0, 12 - 5])
    words = "at the steps of the one that is subtracted, the other read between its own, on straight lines"
    assert made.layout.title.subtitle.text == words


def shares(last: int) -> Any:
    """A straight line over a training, by share: twice its percentage."""
    clock = Clock(unit=last / 100, title="%")
    at = np.array([clock.place(step) for step in range(0, last + 1, 10)])
    return drawn(curve("loss", at, 2 * at))


def test_curves_that_share_little_more_than_their_ends_are_read_between():
    made = difference(shares(70), shares(130))
    (trace,) = shown(made)
    assert len(trace.x) == 8
    assert trace.y == pytest.approx(np.zeros(8), abs=1e-6)
    assert made.layout.title.subtitle.text.startswith("at the steps of the one that is subtracted")
    mean = seed_mean(members(shares(70), shares(130)))
    assert isinstance(mean, go.Figure)
    assert len(shown(mean)[-1].x) == 8
    assert mean.layout.title.subtitle.text.endswith(" · read between the steps of each, on straight lines")


def test_places_that_differ_by_rounding_alone_are_the_same():
    at = np.arange(1, 6) / 10
    made = difference(drawn(curve("loss", at, at)), drawn(curve("loss", [0.1, 0.2, 0.1 + 0.2, 0.4, 0.5], 3 * at)))
    (trace,) = shown(made)
    assert trace.y == pytest.approx(2 * at)
    assert made.layout.title.subtitle.text == ""


def test_a_difference_names_what_only_the_first_draws():
    first = drawn(curve("train", [0, 1], [1, 1]), curve("test", [0, 1], [2, 2]))
    made = difference(first, drawn(curve("train", [0, 1], [3, 3])))
    assert made.layout.title.subtitle.text == "left out: the two draw different things"


def test_an_infinite_cell_does_not_make_the_colours_infinite():
    heat = lambda z: drawn(go.Heatmap(z=z))  # noqa: E731
    made = difference(heat([[1.0, np.inf, 0.0]]), heat([[1.5, np.inf, np.inf]]))
    (trace,) = shown(made)
    assert (trace.zmin, trace.zmax) == (-0.5, 0.5)
    made = difference(heat([[0.0]]), heat([[np.inf]]))
    assert (shown(made)[0].zmin, shown(made)[0].zmax) == (-1.0, 1.0)


def test_heat_maps_are_subtracted_cell_by_cell_around_zero():
    heat = lambda z, **more: drawn(go.Heatmap(z=z, coloraxis="coloraxis", **more), coloraxis={"cmin": 0, "cmax": 9})  # noqa: E731
    made = difference(heat([[1.0, 2.0], [3.0, 4.0]]), heat([[1.0, 0.0], [6.0, 4.5]]))
    (trace,) = shown(made)
    assert np.asarray(trace.z).tolist() == [[0.0, -2.0], [3.0, 0.5]]
    assert (made.layout.coloraxis.cmin, made.layout.coloraxis.cmax) == (-3.0, 3.0)
    other = difference(heat([[1.0, 2.0]]), heat([[1.0]]))
    assert other == NotCompared(reason="the grids have 1 by 2 and 1 by 1 cells")
    shifted = difference(heat([[1.0, 2.0]], x=[0, 1]), heat([[1.0, 2.0]], x=[1, 2]))
    assert shifted == NotCompared(reason="the rows or columns of the grids are not the same")


def test_bars_are_subtracted_by_name():
    made = difference(drawn(go.Bar(x=["a", "b"], y=[1, 2])), drawn(go.Bar(x=["b", "c"], y=[5, 7])))
    (trace,) = shown(made)
    assert (list(trace.x), list(trace.y)) == (["b"], [3])


def test_a_path_has_no_difference():
    figures = [drawn(curve("path", [0, 1, 0], [0, i, 2]), time_axes=()) for i in (1, 2)]
    figures[1].data[0].x = [0, 2, 0]
    assert difference(*figures) == NotCompared(reason="its points lie at other places in each")


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=10))
def test_a_figure_less_itself_is_nothing(values):
    figure = drawn(curve("loss", range(len(values)), values))
    (trace,) = shown(difference(figure, figure))
    assert not trace.y.any()


def test_the_mean_over_seeds_has_the_interval_of_student_and_says_so():
    figures = [drawn(curve("loss", [0, 10], [1.0 + s, 5.0])) for s in (-1, 0, 1)]
    made = seed_mean(members(*figures))
    low, high, mean = shown(made)
    assert mean.y.tolist() == [1.0, 5.0]
    # t of 2 degrees of freedom at 0.975, over the root of three.
    assert high.y[0] - 1.0 == pytest.approx(4.302653 / np.sqrt(3))
    assert low.x.tolist() == [0]  # alike at 10: they do not say how far others would spread
    assert made.layout.title.subtitle.text == "mean of 3 runs · 95 % interval by Student's t at each place"


def test_no_band_is_drawn_across_places_without_an_interval():
    figures = [drawn(curve("loss", range(5), [1.0 + s, 2.0 + s, 7.0, 3.0 + s, 4.0 + s])) for s in (-1, 0, 1)]
    *band, mean = shown(seed_mean(members(*figures)))
    assert [edge.x.tolist() for edge in band] == [[0, 1], [0, 1], [3, 4], [3, 4]]
    assert [edge.fill for edge in band] == [None, "tonexty"] * 2
    assert mean.x.tolist() == [0, 1, 2, 3, 4]


def test_the_axes_of_a_mean_reach_over_all_its_runs():
    figures = [drawn(curve("loss", [0, 1], [0, top]), yaxis={"range": [0, top]}) for top in (1, 9)]
    made = seed_mean(members(*figures))
    assert isinstance(made, go.Figure)
    assert made.layout.yaxis.range == (0, 9)


def test_a_mean_says_what_it_leaves_out_and_where_it_was_read():
    heat = go.Heatmap(z=[[1.0]])
    first = drawn(curve("train", [0, 1, 2], [1, 1, 1]), heat)
    second = drawn(curve("train", [0, 1, 3], [2, 2, 2]), heat, curve("test", [0, 1], [1, 1]))
    made = seed_mean(members(first, second))
    assert isinstance(made, go.Figure)
    assert made.layout.title.subtitle.text == (
        "mean of 2 runs · too few for an interval · at the places that all have"
        " · left out: what is neither curve nor bars · left out: what some of them lack"
    )


def test_outlines_behind_bars_take_no_part_where_variants_are_compared():
    outlines = go.Bar(x=["a", "b"], y=[9, 9], hoverinfo="skip", name="largest of all steps")
    both = [drawn(outlines, go.Bar(x=["a", "b"], y=high), barmode="overlay") for high in ([1, 2], [3, 5])]
    made = overlay(members(*both))
    assert [list(trace.y) for trace in shown(made)] == [[1, 2], [3, 5]]
    assert made.layout.barmode == "group"
    (bars,) = shown(seed_mean(members(*both)))
    assert list(bars.y) == [2.0, 3.5]
    (less,) = shown(difference(*both))
    assert list(less.y) == [2, 3]


def test_bars_have_a_mean_with_a_whisker_where_all_runs_have_one():
    first, second, third = (
        drawn(go.Bar(x=[1, 2, *more], y=[1.0 + s, 4.0, *[9.0] * len(more)], marker_color=BLUE))
        for s, more in ((-1, [3]), (0, []), (1, []))
    )
    (bars,) = shown(seed_mean(members(first, second, third)))
    assert (bars.type, list(bars.x), list(bars.y)) == ("bar", [1, 2], [1.0, 4.0])
    assert list(bars.error_y.array) == pytest.approx([4.302653 / np.sqrt(3), 0.0])
    ranged = [drawn(go.Bar(x=[1], y=[height]), yaxis={"range": [0, 3]}) for height in (1.0, 2.0, 3.0)]
    made = seed_mean(members(*ranged))
    assert isinstance(made, go.Figure)
    low, high = made.layout.yaxis.range
    assert low < 0
    assert high > 2.0 + 4.302653 / np.sqrt(3)
    (two,) = shown(seed_mean(members(first, second)))
    assert two.error_y.array is None
    lying = [drawn(go.Bar(x=[1.0], y=["a"], orientation="h"))] * 2
    assert seed_mean(members(*lying)) == NotCompared(reason="only curves and bars have a mean")


def ends_of_interval(values: Any, axis: dict[str, Any]) -> tuple[float, float]:
    """Of bars of that height, and of curves there."""
    of_bars = [drawn(go.Bar(x=["a"], y=[value]), yaxis=axis) for value in values]
    (bars,) = shown(seed_mean(members(*of_bars)))
    of_curves = [drawn(curve("one", [0, 1], [value] * 2), yaxis=axis) for value in values]
    low, high, _ = shown(seed_mean(members(*of_curves)))
    ends = (float(low.y[0]), float(high.y[0]))
    (mean,), (up,), (down,) = bars.y, bars.error_y.array, bars.error_y.arrayminus
    assert (mean - down, mean + up) == pytest.approx(ends)
    return ends


def test_an_interval_ends_where_the_axis_says_that_no_value_can_be():
    low, high = ends_of_interval((0.0, 0.1, 0.4), {"rangemode": "tozero"})
    assert (low, high > 0.4) == (0, True)
    assert ends_of_interval((0.0, 0.5, 1.0), {"range": [-0.03, 1.03]}) == (0, 1)
    low, high = ends_of_interval((0.0, 0.5, 1.0), {"range": [-1.03, 1.03]})
    assert (low < 0, high > 1) == (True, True)
    low, high = ends_of_interval((-0.1, 0.5, 1.0), {"rangemode": "tozero"})
    assert low < -0.1


def test_runs_of_several_configurations_are_a_mean_each_in_the_colour_of_the_first():
    narrow = members(*(drawn(curve("loss", [0, 10], [1.0 + s, 5.0 + s])) for s in (-1, 0, 1)))
    (wide,) = (ComparedFigure(label="wide", colour=BLACK, figure=drawn(curve("loss", [0, 10], [9.0, 8.0]))),)
    made = group_means({"width=16": narrow, "width=32": [wide]})
    low, high, mean, alone = shown(made)
    assert (mean.y.tolist(), alone.y.tolist()) == ([1.0, 5.0], [9.0, 8.0])
    assert (mean.line.color, alone.line.color) == (BLUE, BLACK)
    assert high.y[0] - 1.0 == pytest.approx(4.302653 / np.sqrt(3))
    assert (low.line.width, high.fill, high.fillcolor) == (0, "tonexty", "rgba(0,114,178,0.15)")
    assert [t.name for t in made.data if t.showlegend] == ["width=16 (n=3)", "width=32 (n=1)"]
    assert made.layout.title.subtitle.text == "means over seeds · 95 % interval by Student's t at each place"


def test_means_say_of_which_group_something_is_true_alone():
    figures = members(*(drawn(curve("loss", [0, 10], [1.0 + s, 5.0 + s])) for s in (-1, 0, 1)))
    made = group_means({"width=16": figures, "width=32": figures[:2]})
    assert isinstance(made, go.Figure)
    assert made.layout.title.subtitle.text == (
        "means over seeds · 95 % interval by Student's t at each place (width=16) · too few for an interval (width=32)"
    )
    heat = [ComparedFigure(label="a", colour=BLUE, figure=drawn(go.Heatmap(z=[[1.0]])))] * 2
    assert group_means({"width=16": figures, "width=32": heat}) == NotCompared(
        reason="only curves and bars have a mean"
    )
    apart = [ComparedFigure(label="a", colour=BLUE, figure=drawn(curve("loss", [at], [1.0]))) for at in (0, 5)]
    assert group_means({"width=16": figures, "width=32": apart}) == NotCompared(
        reason="of width=32 no curve or bar is at the same places in all of them"
    )
    assert shown(group_means({"": figures}))[-1].line.color == OKABE_ITO[0]


def test_a_difference_says_that_it_is_of_both_variants():
    figures = [drawn(curve("loss", [0, 10], [1.0, 2.0])) for _ in range(2)]
    for figure, name in zip(figures, ("family/a", "family/b"), strict=True):
        figure.layout.meta["miscope"]["variant"] = name
    made = difference(*figures)
    assert isinstance(made, go.Figure)
    assert made.layout.meta["miscope"]["variant"] == ["family/b", "family/a"]


def test_of_many_titles_of_one_axis_three_are_named_and_the_others_are_counted():
    own = [drawn(curve("path", [0, 1], [0, 1]), time_axes=(), xaxis_title=f"component {n}") for n in range(5)]
    alike = [ComparedFigure(label=f"seed={n}", colour=BLUE, figure=figure) for n, figure in enumerate(own)]
    assert overlay(alike) == NotCompared(
        reason="each has axes of its own: “component 0”, “component 1”, “component 2” and 2 more"
    )


def test_on_an_axis_in_powers_of_ten_the_mean_is_the_geometric_one():
    figures = [drawn(curve("loss", [0, 10], [y, y]), yaxis={"type": "log"}) for y in (1e-4, 1e-2)]
    made = seed_mean(members(*figures))
    (mean,) = shown(made)
    assert mean.y == pytest.approx([1e-3, 1e-3])
    assert made.layout.title.subtitle.text == "mean of 2 runs · too few for an interval"


def test_what_a_model_that_learned_nothing_would_show_stays_grey_and_takes_no_style():
    null = curve("random walks", [0, 1], [0, 0], line={"color": "#9A9A9A"})
    path = go.Scatter(
        x=[0, 1], y=[1, 2], name="weights", mode="lines+markers+text", text=["a", "b"], marker={"color": [0.0, 1.0]}
    )
    made = overlay(members(drawn(null, path, time_axes=()), drawn(null, path, time_axes=())))
    traces = shown(made)
    assert [trace.line.color for trace in traces] == ["#9A9A9A", BLUE, "#9A9A9A", RED]
    assert [trace.line.dash for trace in traces[1::2]] == ["solid", "solid"]
    assert [trace.marker.color for trace in traces[1::2]] == [BLUE, RED]
    assert [trace.mode for trace in traces[1::2]] == ["lines+markers+text", "lines+markers"]
