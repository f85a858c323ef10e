from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.snapshot import Series
from miscope.testing import ToyFourierFamily
from miscope.testing.toy import cosines
from miscope.view import Member
from miscope_views import cohort, cohort_quality
from miscope_views.cohort_medians import medians

STEPS = np.array([0, 100])
SPREAD, DOUBT = "spread of the variants", "doubt of the median"


def shown(name: str = "", arrays: dict[str, np.ndarray] | None = None) -> ViewData:
    """Three variants that differ in their seed."""
    variants = [make_variant(ToyFourierFamily(), {"seed": seed}) for seed in (1, 2, 3)]
    members = []
    for i, variant in enumerate(variants):
        metrics = {"test_loss": Series(steps=STEPS, values=np.array([1.0, 10.0 ** -(i + 1)]))}
        one = ViewData(variant=variant, step=None, steps=STEPS, metrics=metrics, bases={"sum": cosines(5)})
        members.append(Member(label=f"seed={i + 1}", shown=one))
    named = {"variant": np.array([variant.name for variant in variants])}
    artifacts = {name: named | arrays} if arrays is not None else {}
    return ViewData(variant=variants[0], step=None, steps=STEPS, members=tuple(members), artifacts=artifacts)


EVENTS = {
    "event": np.array(["memorised", "generalised"]),
    "at": np.array([[10.0, 60.0], [12.0, 40.0], [11.0, np.nan]]),
    "interval": np.array([[[9.0, 11], [55, 70]]] * 3),
    "last": np.array([100.0, 100, 80]),
    "generalised/time": np.array([40.0, 60]),
    "generalised/survival": np.array([2 / 3, 1 / 3]),
    "generalised/median": np.array(60.0),
    "generalised/median_interval": np.array([40.0, np.inf]),
    "generalised/median_method": np.array(["percentile"]),
    "generalised/quartile": np.array([40.0, np.inf]),
    "z": np.array([[0.0, 4.0], [0, 0], [0, np.nan]]),
    "outlier": np.array([[False, True], [False, False], [False, False]]),
    "already": np.zeros((3, 2), dtype=bool),
    "generalised/count": np.array(2),
}


def test_variants_stand_in_the_order_in_which_they_got_there_and_those_that_did_not_are_marked():
    figure = cohort.events(shown("cohort.events", EVENTS), event="generalised")

    assert list(figure.layout.yaxis.categoryarray) == ["seed=2", "seed=1", "seed=3"]
    reached, still, curve = figure.data
    assert list(reached.x) == [40, 60]
    assert list(reached.error_x.array) == pytest.approx([30, 10])
    assert (list(still.x), list(still.y)) == ([80], ["seed=3"])
    assert list(curve.y) == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3])
    assert figure.layout.title.subtitle.text == (
        "2 of 3 variants · median 60 [40, beyond the end] (percentile) · middle half 40 to beyond the end"
        " · 1 unlike the rest"
    )
    assert len(set(reached.marker.color)) == 2
    assert list(reached.customdata)[1] == "<br>+4.0 robust standard deviations from the median"


def test_the_subtitle_says_by_what_variants_are_dated_and_how_many_had_got_there_before():
    early = EVENTS | {"already": np.array([[True, True], [False, True], [False, False]])}
    given = replace(shown("cohort.events", early), definitions={"generalised": "test loss < 0.01"})
    subtitle = cohort.events(given, event="generalised").layout.title.subtitle.text

    assert subtitle.startswith("by test loss < 0.01 · 2 of 3 variants")
    assert "2 by the first record, or before" in subtitle


def test_the_curve_of_each_variant_lies_under_the_band():
    band = np.array([[0.5, 0.01], [0.6, 0.02], [0.7, 0.03], [0.8, 0.04], [0.9, 0.05]])
    arrays = {"step/test_loss/time": STEPS, "step/test_loss/band": band, "step/test_loss/count": np.array([3, 2])}
    figure = cohort.losses(shown("cohort.losses", arrays), metric="test_loss", align="step", band=SPREAD, each=True)

    names = [trace.name for trace in figure.data if trace.line.width]
    assert names == ["seed=1", "seed=2", "seed=3", "median", "median of fewer"]
    assert [np.asarray(trace.y)[np.isfinite(trace.y)].tolist() for trace in figure.data[-2:]] == [
        pytest.approx([0.7]),
        pytest.approx([0.03]),
    ]
    assert list(figure.data[1].y) == pytest.approx([0.9])
    assert "3 variants, from 100 on fewer, dashed: some end there" in figure.layout.title.subtitle.text


def test_a_median_is_not_joined_to_that_of_fewer_where_a_variant_ends():
    count = np.array([2, 2, 1, 1, 2])
    whole, fewer = medians(np.arange(5.0), np.array([1.0, 2.0, 7.0, 8.0, 3.0]), count)
    values = [trace["y"][np.isfinite(trace["y"])].tolist() for trace in (whole, fewer)]
    assert (values, whole["line"]["dash"], fewer["line"]["dash"]) == ([[1, 2, 3], [7, 8]], "solid", "dash")
    # A break lies between two neighbours that are of other numbers of variants.
    for trace in (whole, fewer):
        x, y = trace["x"], trace["y"]
        joined = [(a, b) for a, b, c, d in zip(x, x[1:], y, y[1:], strict=False) if np.isfinite([c, d]).all()]
        assert joined == ([(0.0, 1.0)] if trace is whole else [(2.0, 3.0)])


def test_the_doubt_of_the_median_is_drawn_instead_of_the_spread_where_there_is_one():
    band = np.array([[0.5, 0.01], [0.6, 0.02], [0.7, 0.03], [0.8, 0.04], [0.9, 0.05]])
    arrays = {"step/test_loss/time": STEPS, "step/test_loss/band": band, "step/test_loss/count": np.array([5, 5])}
    (choice,) = (c for c in cohort.VIEWS[0].controls if c.name == "band")
    assert choice.options_from(shown("cohort.losses", arrays)) == (SPREAD,)

    arrays |= {"step/test_loss/median_pointwise": band[[1, 3]], "step/test_loss/median_simultaneous": band[[0, 4]]}
    assert choice.options_from(shown("cohort.losses", arrays)) == (SPREAD, DOUBT)
    figure = cohort.losses(shown("cohort.losses", arrays), metric="test_loss", align="step", band=DOUBT, each=False)
    assert [trace.name for trace in figure.data if trace.fill] == ["median, 95 %, all of it", "median, 95 %, each time"]


def test_milestones_stand_in_rows_and_beside_them_which_came_first():
    arrays = {
        "milestone": np.array(["memorised", "peak"]),
        "at": np.array([[10.0, 20], [12, np.nan], [11, 9]]),
        "before": np.array([[0.5, 2 / 3], [1 / 3, 0.5]]),
        "concordance": np.array(0.11),
        "concordance_null": np.array([0.33, 0.1, 1.0]),
        "p_value": np.array(0.6),
    }
    figure = cohort.ORDER_VIEW.draw(shown("cohort.order", arrays))
    *dots, heat = figure.data

    assert [list(each.x) for each in dots] == [[10, 20], [12], [11, 9]]
    assert heat.z[0][1] == pytest.approx(2 / 3)
    assert np.isnan(np.diag(heat.z)).all()
    assert "3 variants · concordance W = 0.11, shuffled 0.10 to 1.00 · p = 0.6" in figure.layout.title.subtitle.text
    assert not figure.layout.annotations


def test_milestones_that_none_reached_keep_their_rows():
    arrays = {
        "milestone": np.array(["memorised", "peak"]),
        "at": np.full((3, 2), np.nan),
        "before": np.full((2, 2), np.nan),
        "concordance": np.array(np.nan),
        "concordance_null": np.full(3, np.nan),
        "p_value": np.array(np.nan),
    }
    figure = cohort.ORDER_VIEW.draw(shown("cohort.order", arrays))

    assert list(figure.layout.yaxis.categoryarray) == ["memorised", "test loss peak"]
    assert figure.layout.title.subtitle.text == "3 variants · too few milestones were reached for an order"
    assert not figure.layout.annotations


def test_orders_of_learning_carry_their_intervals_in_the_hover():
    tau = np.array([[1, 0.5, 0.4], [0.5, 1, 0.3], [0.4, 0.3, 1]])
    arrays = {"test/tau": tau, "test/interval": np.stack([tau - 0.1, tau + 0.1], axis=-1)}
    (heat,) = cohort.LEARNING_VIEW.draw(shown("cohort.learning", arrays), part="test").data

    assert heat.customdata[0, 1] == pytest.approx([0.4, 0.6])
    assert heat.text[0][1] == "0.50"


def test_the_spectrum_says_what_chance_would_share():
    arrays = {
        "label": np.array(["1", "2"]),
        "key": np.array([[True, False]] * 3),
        "W_E/share": np.array([[0.9, 0.1]] * 3),
        "W_E/mean": np.array([0.9, 0.1]),
        "mean_overlap": np.array(1.0),
        "mean_overlap_null": np.array([0.5, 0.0, 1.0]),
        "overlap_p_value": np.array(0.25),
    }
    figure = cohort.spectra(shown("cohort.spectra", arrays), role="W_E")

    assert list(figure.data[0].y) == ["seed=1", "seed=2", "seed=3"]
    assert np.isfinite(figure.data[0].z).tolist() == [[True, False]] * 3
    assert "two share 1.00, by chance 0.50 [0.00, 1.00], p = 0.25" in figure.layout.title.subtitle.text
    assert not figure.layout.annotations


def test_variants_without_key_components_still_have_their_rows():
    arrays = {
        "label": np.array(["1", "2"]),
        "key": np.zeros((3, 2), dtype=bool),
        "W_E/share": np.full((3, 2), 0.5),
        "W_E/mean": np.array([0.5, 0.5]),
    }
    figure = cohort.spectra(shown("cohort.spectra", arrays), role="W_E")

    assert list(figure.layout.yaxis.categoryarray) == ["seed=1", "seed=2", "seed=3"]
    assert list(figure.layout.yaxis.range) == [2.5, -0.5]
    assert figure.layout.title.subtitle.text == "none of them has a key component"


def test_the_inputs_shown_first_are_those_of_which_there_is_something_to_tell():
    tau = np.array([[1, np.nan, np.nan], [np.nan, 1, np.nan], [np.nan, np.nan, 1]])
    arrays = {"clean/tau": tau, "clean/mean_tau": np.array(np.nan), "train/tau": np.eye(3)}
    arrays |= {"train/mean_tau": np.array(0.0), "clean/interval": np.full((3, 3, 2), np.nan)}
    told = shown("cohort.learning", arrays)

    assert list(cohort.LEARNING_VIEW.controls[0].options_from(told)) == ["train", "clean"]
    figure = cohort.LEARNING_VIEW.draw(told, part="clean")
    assert "blank where all come at once, or none" in figure.layout.title.subtitle.text
    assert not figure.layout.annotations


def test_the_table_has_a_row_a_variant_and_a_column_for_what_differs():
    (table,) = next(view for view in cohort.VIEWS if view.name == "cohort.table").draw(shown()).data

    assert list(table.header["values"]) == ["<b>variant</b>", "<b>seed</b>", "<b>last test loss</b>"]
    assert [list(column) for column in table.cells["values"]] == [
        ["seed=1", "seed=2", "seed=3"],
        ["1", "2", "3"],
        ["0.1", "0.01", "0.001"],
    ]


def test_a_matrix_names_its_variants_by_what_differs():
    arrays = {"all/distance": np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0.0]])}
    view = next(view for view in cohort.VIEWS if view.name == "cohort.weights")
    (heat,) = view.draw(shown("cohort.weights", arrays), role="all").data

    assert list(heat.x) == ["seed=1", "seed=2", "seed=3"]
    assert heat.text[0][1] == "1.00"


def test_the_table_of_quality_has_the_best_first_and_colours_each_row_by_how_good_it_is():
    arrays = {
        "grokked": np.array([np.nan, 200.0, 300.0]),
        "memorised": np.array([100.0, 100, 100]),
        "train": np.array([0.8, 1.0, 1.0]),
        "test": np.array([0.0, 1.0, 0.6]),
        "final": np.array([0.3, 1.0, 0.97]),
        "variance": np.array([np.nan, 0.0004, 0.02]),
        "place": np.array([3, 1, 2]),
        "line/train": np.array(0.98),
        "line/test": np.array(0.95),
    }
    drawn = cohort_quality.QUALITY_VIEW.draw(shown("cohort.quality", arrays))
    (table,) = drawn.data
    cells = dict(zip((head[3:-4] for head in table.header["values"]), table.cells["values"], strict=True))
    assert list(cells["variant"]) == ["seed=2", "seed=3", "seed=1"]
    assert list(cells["grokked"]) == ["200", "300", "–"]
    assert list(cells["test ≥ 95%"]) == ["100.0%", "60.0%", "0.0%"]
    assert len({column[0] for column in table.cells["font"]["color"]}) == 1
    assert list(table.cells["font"]["color"][0]) == ["#009E73", "#B8860B", "#D55E00"]
    assert drawn.layout.title.subtitle.text.startswith("2 of 3 grokked: test accuracy of 95%")


def test_what_a_row_of_quality_has_a_column_for_is_not_in_its_label_too():
    assert cohort_quality._else("learning_rate=0.001, weight_decay=2") == ""
    assert cohort_quality._else("lal.mlp, weight_decay=2, seed=3") == "lal.mlp, seed=3"
