from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope import ViewData
from miscope.errors import BadValue
from miscope.family import make_variant
from miscope.figures.figure_style import colour_of
from miscope.model_context import ModelContext
from miscope.testing import ToyFamily
from miscope_views import neurons
from miscope_views.clusters import clusters, frequencies
from miscope_views.neurons import contact_sheet, heatmap

SITE = "blocks.0.mlp.hook_post"
VARIANT = make_variant(ToyFamily(), {})
PROBE = ModelContext(ToyFamily(), VARIANT).probe()
A, B = torch.meshgrid(torch.arange(5.0), torch.arange(5.0), indexing="ij")
UNITS = torch.stack([(A + 10 * B + 100 * neuron).flatten() for neuron in range(4)], dim=1)
"""Neuron j answers a + 10 b + 100 j."""

SHARES = {
    f"{SITE}/basis": np.array(["fourier"]),
    f"{SITE}/label": np.array(["1", "2"]),
    f"{SITE}/dominant": np.array(["2", "1", "", "2"]),
    f"{SITE}/max_fraction": np.array([0.9, 0.5, 0.0, 0.6], dtype=np.float32),
    f"{SITE}/fraction": np.array([[0.1, 0.5, 0, 0.2], [0.9, 0.2, 0, 0.6]], dtype=np.float16),
    f"{SITE}/variance": np.array([1.0, 4.0, 0.0, 9.0], dtype=np.float32),
    f"{SITE}/low": np.array([0.0, 0.0, 0.0, 300.0], dtype=np.float32),
    f"{SITE}/high": np.array([44.0, 144.0, 0.0, 344.0], dtype=np.float32),
    f"{SITE}/dead": np.array([False, False, True, False]),
}
STACKED = {name: np.stack([array] * 3) for name, array in SHARES.items()} | {"step": np.array([0, 10, 20])}
STACKED[f"{SITE}/high"] = STACKED[f"{SITE}/high"] * np.array([[1.0], [2.0], [1.0]], dtype=np.float32)
STACKED[f"{SITE}/max_fraction"] = STACKED[f"{SITE}/max_fraction"] * np.array([[0.1], [0.5], [1.0]], dtype=np.float32)
CLUSTERS = {
    f"{SITE}/label": np.array(["1", "2"]),
    f"{SITE}/final": np.array(["2", "1", "", "2"]),
    f"{SITE}/size": np.array([[0, 0], [0, 1], [1, 2]]),
    f"{SITE}/threshold": np.array(0.4),
    f"{SITE}/null": np.array(["initialisation"]),
}


def activations(site: str, channels: Sequence[int] | None) -> Tensor:
    return UNITS if channels is None else UNITS[:, list(channels)]


SHOWN = ViewData(
    variant=VARIANT,
    step=20,
    steps=np.array([0, 10, 20]),
    step_label="epoch",
    probe=PROBE,
    activations=activations,
    sites=(SITE,),
    channels={SITE: 4},
)
ANALYZED = replace(
    SHOWN,
    artifacts={"neurons.frequencies": SHARES, "neurons.clusters": CLUSTERS},
    history={"neurons.frequencies": STACKED},
)


def test_a_heat_map_has_the_first_factor_down_and_the_second_across():
    figure = heatmap(SHOWN, site=SITE, neuron=0, locked=True)

    assert figure.data[0].z[3, 1] == 3 + 10 * 1
    assert (figure.layout.yaxis.title.text, figure.layout.xaxis.title.text) == ("a", "b")
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.scaleanchor == "x"


def test_colours_start_at_0_for_activations_that_are_never_negative_and_are_symmetric_otherwise():
    signed = replace(SHOWN, activations=lambda site, channels: activations(site, channels) - 30)
    positive = heatmap(SHOWN, site=SITE, neuron=0, locked=False).layout.coloraxis
    negative = heatmap(signed, site=SITE, neuron=0, locked=False).layout.coloraxis

    assert (positive.cmin, positive.cmax) == (0, 44)
    assert (negative.cmin, negative.cmax) == (-30, 30)


def test_a_locked_scale_reaches_the_greatest_activation_of_all_checkpoints():
    assert heatmap(ANALYZED, site=SITE, neuron=3, locked=True).layout.coloraxis.cmax == 688
    assert heatmap(ANALYZED, site=SITE, neuron=3, locked=False).layout.coloraxis.cmax == 344


def test_what_is_known_of_a_neuron_is_said():
    said = heatmap(ANALYZED, site=SITE, neuron=0, locked=True).layout.title.subtitle.text

    assert said.endswith("epoch 20 · fourier component = 2 explains 90% of its variance")
    assert heatmap(SHOWN, site=SITE, neuron=0, locked=True).layout.title.subtitle.text.endswith("epoch 20")


def test_a_neuron_the_site_lacks_is_refused():
    with pytest.raises(BadValue, match=r"It has 4, counted from 0\."):
        heatmap(SHOWN, site=SITE, neuron=4, locked=True)


def test_the_sheet_orders_neurons_by_cluster_by_variance_or_as_they_come():
    def order(sort: str) -> list[int]:
        figure = contact_sheet(ANALYZED, site=SITE, page=1, sort=sort, own_scale=True)
        return [int(neuron) for neuron in figure.data[-1].customdata]

    assert order("index") == [0, 1, 2, 3]
    assert order("variance") == [3, 1, 0, 2]
    assert order("cluster") == [1, 0, 3, 2]
    assert order("final cluster") == [1, 0, 3, 2]


def test_the_sheet_is_one_image_whose_pictures_say_their_neuron():
    figure = contact_sheet(ANALYZED, site=SITE, page=1, sort="index", own_scale=True)
    image, dots, names = figure.data

    assert image.z.shape == (5, 14 * 8 - 3)
    assert image.z[4, 4] == pytest.approx(1.0)
    assert list(dots.marker.color)[:2] == [colour_of("2"), colour_of("1")]
    assert names.text[2] == "neuron 2<br>dead"
    assert not figure.layout.annotations


def test_without_analysis_the_sheet_still_shows_the_neurons():
    figure = contact_sheet(SHOWN, site=SITE, page=1, sort="index", own_scale=False)

    assert len(figure.data) == 2
    assert figure.data[0].z[0, 0] == pytest.approx(0)


def test_a_page_beyond_the_last_neuron_is_refused():
    with pytest.raises(BadValue, match="has no page 2"):
        contact_sheet(SHOWN, site=SITE, page=2, sort="index", own_scale=True)


def test_neurons_are_sorted_by_their_final_cluster_beside_the_null():
    figure = frequencies(ANALYZED, site=SITE, locked=True)
    heat, null, now = figure.data

    assert heat.customdata[0].tolist() == [1, 0, 3, 2]
    assert heat.z[1].tolist() == pytest.approx([0.2, 0.9, 0.6, 0], abs=1e-3)
    assert null.name == "at epoch 0"
    assert float(null.x[np.argmax(null.y)]) < 0.1
    assert sum(now.y) == pytest.approx(1)


def test_neurons_ticks_and_the_scale_of_the_histogram_stay_from_step_to_step():
    """Before and after training, with clusters computed and without."""
    last = STACKED | {f"{SITE}/dominant": np.array([["1", "2", "", "1"], *[SHARES[f"{SITE}/dominant"]] * 2])}
    dead = np.array([[False] * 4, [False, True, True, True], SHARES[f"{SITE}/dead"]])
    history = {"neurons.frequencies": last | {f"{SITE}/dead": dead}}
    for clustered in ({"neurons.clusters": CLUSTERS}, {}):
        drawn = []
        for place in (0, 2):
            now = {name: array[place] for name, array in history["neurons.frequencies"].items()}
            shown = replace(ANALYZED, artifacts={"neurons.frequencies": now, **clustered}, history=history)
            drawn.append(frequencies(shown, site=SITE, locked=True))
        first, second = drawn
        assert first.data[0].customdata.tolist() == second.data[0].customdata.tolist()
        assert first.layout.yaxis.tickvals == second.layout.yaxis.tickvals
        assert first.layout.yaxis2.range == second.layout.yaxis2.range == (0, 1.05)
    assert frequencies(ANALYZED, site=SITE, locked=False).layout.yaxis2.range is None


def test_the_colour_bar_and_the_names_of_the_histograms_stand_above_the_plots_beside_each_other():
    layout = frequencies(ANALYZED, site=SITE, locked=False).layout
    bar, legend = layout.coloraxis.colorbar, layout.legend
    assert {(each.y, each.yanchor, each.orientation) for each in (bar, legend)} == {(1, "bottom", "h")}
    assert (bar.x, bar.xanchor, bar.len, legend.x, legend.xanchor) == (0, "left", 0.4, 1, "right")


def test_clusters_show_their_size_and_each_neurons_course():
    trajectory = replace(ANALYZED, step=None, artifacts={"neurons.frequencies": STACKED, "neurons.clusters": CLUSTERS})

    figure = clusters(trajectory, site=SITE)
    *sizes, heat = figure.data

    assert {trace.name: list(trace.y) for trace in sizes} == {"2": [0, 1, 2]}
    assert heat.customdata[:, 0].tolist() == [1, 0, 3, 2]
    # 0: not committed, 1: to a component too small to be drawn, 2: to component 2.
    assert heat.z.tolist() == [[0, 0, 1], [0, 2, 2], [0, 0, 2], [0, 0, 0]]


@pytest.mark.parametrize(
    ("null", "words"),
    [("initialisation", "at the start"), ("relabelled", "when relabelled")],
)
def test_clusters_say_what_their_threshold_is_drawn_from(null, words):
    told = CLUSTERS | {f"{SITE}/null": np.array([null])}
    trajectory = replace(ANALYZED, step=None, artifacts={"neurons.frequencies": STACKED, "neurons.clusters": told})

    figure = clusters(trajectory, site=SITE)

    said = f" · committed from a share of 0.40 on, which 0.1 % reach {words}"
    assert figure.layout.title.subtitle.text.endswith(said)


def test_the_sheet_shows_only_neurons_of_a_component_with_such_a_share():
    def chosen(**asked) -> list[int]:
        figure = contact_sheet(ANALYZED, site=SITE, page=1, sort="index", own_scale=True, **asked)
        return [int(neuron) for neuron in figure.data[-1].customdata]

    assert chosen(component="2") == [0, 3]
    assert chosen(component="2", least=0.7) == [0]
    assert chosen(least=0.55) == [0, 3]
    assert chosen(component="dead") == [2]
    nothing = contact_sheet(ANALYZED, site=SITE, page=1, sort="index", own_scale=True, component="1", least=0.9)
    assert nothing.data[0].text == ("none of 4 neurons is of 1 with a share of 0.9",)


def test_the_sheet_puts_the_dead_first_or_neighbours_in_phase_side_by_side():
    phases = {f"{SITE}/first": np.array([3.0, 0.0, np.nan, 1.0])}
    found = replace(ANALYZED, artifacts={**ANALYZED.artifacts, "phases.neurons": phases})

    def order(sort: str) -> list[int]:
        return [int(n) for n in contact_sheet(found, site=SITE, page=1, sort=sort, own_scale=True).data[-1].customdata]

    assert order("dead") == [2, 0, 1, 3]
    assert order("phase") == [1, 3, 0, 2]


def test_pictures_have_the_resolution_asked_for_and_never_more_than_the_grid():
    figure = contact_sheet(SHOWN, site=SITE, page=1, sort="index", own_scale=True, pixels="64")

    assert figure.data[0].z.shape == (5, 14 * 8 - 3)


SCALES = {
    "badge_label": np.array(["flat", "stripes", "blob", "plaid", "mixed"]),
    f"{SITE}/badge": np.array([2, 3, 0, 2], dtype=np.uint8),
}
SCALED = replace(ANALYZED, artifacts={**ANALYZED.artifacts, "coarseness.units": SCALES})
PLAIN = {"site": SITE, "page": 1, "sort": "index", "own_scale": True}


def test_a_sheet_can_be_of_one_badge_only():
    figure = contact_sheet(SCALED, badge="blob", **PLAIN)
    assert list(figure.data[-1].customdata) == [0, 3]
    assert "2 of 4 neurons" in figure.layout.title.subtitle.text
    nothing = contact_sheet(SCALED, badge="mixed", **PLAIN)
    assert nothing.data[0].text[0] == "none of 4 neurons is of all with a share of 0 and a mixed"


def test_the_badges_offered_are_those_there_are():
    view = next(view for view in neurons.VIEWS if view.name == "neurons.contact_sheet")
    offered = {control.name: control for control in view.controls}["badge"]
    assert offered.options_from(SCALED) == ("all", "flat", "blob", "plaid")
    assert offered.options_from(ANALYZED) == ("all",)


@pytest.mark.parametrize(("amount", "pages", "shape"), [("128", 3, (10, 14)), ("all", 1, (15, 22))])
def test_all_neurons_fit_on_one_page_if_asked(amount, pages, shape):
    many = torch.rand(25, 300, generator=torch.Generator().manual_seed(0))
    shown = replace(SHOWN, channels={SITE: 300}, activations=lambda site, c: many if c is None else many[:, list(c)])
    figure = contact_sheet(shown, amount=amount, **PLAIN)
    rows, columns = (np.unique(np.asarray(figure.data[-1][axis])) for axis in "yx")
    assert f"page 1 of {pages}" in figure.layout.title.subtitle.text
    assert (len(rows), len(columns)) == (shape[0] - (amount == "all"), shape[1])


def test_a_click_on_a_picture_a_column_or_a_row_selects_its_neuron_and_its_site():
    sheet = contact_sheet(SHOWN, site=SITE, page=1, sort="index", own_scale=True)
    trajectory = replace(ANALYZED, artifacts={"neurons.frequencies": STACKED, "neurons.clusters": CLUSTERS})
    share, over_time = frequencies(ANALYZED, site=SITE, locked=True), clusters(trajectory, site=SITE)
    for figure, of in ((sheet, sheet.data[-1]), (share, share.data[0]), (over_time, over_time.data[-1])):
        told = [trace.meta["selects"] for trace in figure.data if trace.meta]
        assert [(each["read"], each["same"]) for each in told] == [({"neuron": "customdata"}, {"site": SITE})]
        assert sorted(np.unique(of.customdata).tolist()) == [0, 1, 2, 3]
    assert sheet.data[-1].meta["selects"]["cell"] == [6, 6]
