"""Instruments and figures of autoencoders, of one trained on a small network, and on numbers that are known."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import miscope_sae
from miscope import Plugins, Probe, ViewData
from miscope.bound import open_bound
from miscope.errors import DoesNotApply
from miscope.figures.render import render
from miscope.testing import check_analyzer, check_view, scene, tables, toy_snapshot
from miscope.testing.toy_autoencoder import ToyAutoencoder
from miscope.view import Untrained
from miscope_sae.analyzers import ALL as ANALYZERS
from miscope_sae.analyzers.reconstruction import RECONSTRUCTION
from miscope_sae.architectures.top_k import TopKFamily
from miscope_sae.architectures.transcoder import TranscoderFamily
from miscope_sae.views import ALL as VIEWS
from miscope_sae.views.at_a_step import decoder, density, purity
from miscope_sae.views.maps import maps
from miscope_sae.views.over_training import purity as purity_over_training
from miscope_sae.views.over_training import reconstruction, sparsity
from miscope_sae.views.ranked import ranked

BUILT = {
    **{"variant": "toy.fourier/v5-seed0-width16", "step": 2, "site": "blocks.0.mlp.hook_post"},
    **{"latents": "2x", "k": 3, "allow_out_of_range": True},
}
OF_OTHERS = tuple(f"PART/{name}_fvu" for name in ("linear", "change", "skip", "latents"))
"""Of transcoders, and of what has a way past its latents."""
OURS = ("sae.reconstruction", "sae.latents", "sae.purity")
VARIANT = toy_snapshot().variant


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return tables(sae=miscope_sae)


@pytest.mark.parametrize("analyzer", [each for each in ANALYZERS if each.name in OURS], ids=lambda each: each.name)
def test_every_instrument_keeps_the_contract(analyzer: Any, plugins: Plugins) -> None:
    absent = check_analyzer(analyzer, TopKFamily(), plugins=plugins, params=BUILT)
    assert absent == (OF_OTHERS if analyzer.name == "sae.reconstruction" else ())


def test_a_transcoder_with_a_linear_map_beside_its_latents_has_every_output(plugins: Plugins) -> None:
    between = {**BUILT, "site": "hook_embed", "target_site": "blocks.0.hook_resid_post", "linear_skip": True}
    given = {name: value for name, value in between.items() if name != "k"}
    assert check_analyzer(RECONSTRUCTION, TranscoderFamily(), plugins=plugins, params=given) == ()


@pytest.mark.parametrize(
    "view", [each for each in VIEWS if set(each.needs.reads) <= set(OURS)], ids=lambda each: each.name
)
def test_every_view_draws_a_trained_autoencoder(view: Any, plugins: Plugins) -> None:
    check_view(view, TopKFamily(), plugins=plugins, params=BUILT)


def test_what_is_left_of_inputs_held_out_is_what_training_recorded(plugins: Plugins) -> None:
    with scene(TopKFamily(), plugins, BUILT) as place:
        run = place.variants[0]
        assert [outcome.error for outcome in run.analyze("sae.reconstruction") if outcome.error] == []
        told = run.arrays("sae.reconstruction", step=4)
        for ours, theirs in (("held_out", "test"), ("train", "train")):
            for name, recorded in (("fvu", "fvu"), ("mse", "reconstruction_loss"), ("l0", "l0"), ("l1", "l1")):
                assert told[f"{ours}/{name}"] == pytest.approx(run.metric(f"{theirs}_{recorded}")[1][-1], rel=1e-4)


def test_a_network_of_another_kind_with_the_same_sites_is_looked_at_too() -> None:
    """And nobody knows what it was trained on."""
    offered = tables(ToyAutoencoder(), sae=miscope_sae)
    built = {"variant": "toy.sum/v5-seed0-width16", "step": 2}
    for view in VIEWS:
        if view.name in ("sae.reconstruction", "sae.ranked"):
            check_view(view, ToyAutoencoder(), plugins=offered, params=built)


def test_features_that_are_known_are_reconstructed_better_than_by_as_many_components(
    tmp_path: Path, plugins: Plugins
) -> None:
    place = open_bound(tmp_path, plugins)
    source = place.variant("sae.known-features", width=8, features=12, inputs=400, probability=0.1)
    place.value.keep_record(source.value)
    run = place.variant(
        "sae.topk", variant=source.name, step=0, site="hook_embed", latents="12", k=2, allow_out_of_range=True,
        steps=300, lr_schedule_steps=300, lr_decay_steps=60, batch_size=64, checkpoints="every:300",
    )  # fmt: skip
    for _ in run.train(threads=1):
        pass
    assert [outcome.error for outcome in run.analyze(*OURS[:2]) if outcome.error] == []
    told = run.arrays("sae.reconstruction", step=300)
    assert told["held_out/fvu"] < 0.6 * told["held_out/pca_fvu"]
    hovered = render(place.value, place.plugins.view("sae.ranked"), run.value, step=300).data[0].text[0]
    assert re.fullmatch(r"latent \d+<br>inputs \d+, \d+, \d+, \d+", hovered)
    with pytest.raises(DoesNotApply, match="it needs a probe that enumerates 2 factors, and 'features' has 0"):
        render(place.value, place.plugins.view("sae.maps"), run.value, step=300)


def shown(name: str, arrays: dict[str, np.ndarray], step: int | None = 9, **more: Any) -> ViewData:
    columns = {"a": np.repeat(np.arange(5), 5), "b": np.tile(np.arange(5), 5)}
    probe = Probe(name="grid", inputs=torch.zeros(25, 2), columns=columns, grid=("a", "b"))
    given = {"variant": VARIANT, "probe": probe, "artifacts": {name: arrays, **more.pop("artifacts", {})}}
    return ViewData(step=step, steps=np.array([0, 9]), **given, **more)


def known_latents() -> dict[str, np.ndarray]:
    """Of three latents one never fires, one is dense."""
    return {
        "density": np.array([0.04, 0.0, 0.6]), "order": np.array([2, 0, 1]), "max_active": np.array([7.0, np.nan, 2.0]),
        "top": np.array([[7, -1], [-1, -1], [3, 11]]), "largest_cosine": np.array([0.9, 0.1, 0.9]),
        "chance_cosine": np.array([0.2, 0.3, 0.4]), "train_share": np.array([1.0, np.nan, 0.8]),
        "train_expected": np.array(0.75), "train_prefer": np.array(0),
    }  # fmt: skip


def test_latents_that_never_fire_have_a_bar_of_their_own_and_dense_ones_another_colour() -> None:
    never, usual, dense = density(shown("sae.latents", known_latents())).data
    assert (list(never.y), sum(usual.y), sum(dense.y)) == ([1], 1, 1)
    assert [bars.name for bars in (never, usual, dense)] == ["never (1)", "up to 10 % (1)", "dense, above 10 % (1)"]
    assert never.x[0] < min(usual.x) < max(usual.x) < -1 < min(dense.x)


def test_a_latent_that_is_always_active_is_in_the_last_bar() -> None:
    dense = density(shown("sae.latents", {"density": np.array([1.0])})).data[2]
    assert dense.y[-1] == 1


def test_latents_that_fire_are_ranked_with_the_inputs_they_are_strongest_at() -> None:
    figure = ranked(shown("sae.latents", known_latents()), trained="autoencoder")
    assert [list(trace.y) for trace in figure.data] == [[0.6, 0.04], [2, 7], [0.8, 1], [0.75, 0.75]]
    assert figure.data[0].text == ("latent 2<br>a=0 b=3, a=2 b=1", "latent 0<br>a=1 b=2")


def test_cosines_of_decoder_rows_stand_beside_those_of_chance() -> None:
    figure = decoder(shown("sae.latents", known_latents()))
    assert {trace.name: int(sum(trace.y)) for trace in figure.data} == {
        "latents that fire": 2,
        "latents that never fire": 1,
        "random directions": 3,
    }
    assert "median 0.9; by chance 0.3 (95 %: 0.205 to 0.395)" in figure.layout.title.subtitle.text


def test_maps_are_in_the_order_asked_for_and_share_a_colour_scale() -> None:
    values = torch.arange(75.0).reshape(25, 3)
    sites = {"activations": lambda site, channels: values[:, list(channels)], "channels": {"hook_sae_acts_post": 3}}
    pure = {"latents/h4": np.array([0.2, np.nan, 0.7]), "latents/h4_label": np.array(["1", "", "2"])}
    given = shown("sae.latents", known_latents(), artifacts={"sae.purity": {"basis": np.array(["fourier"]), **pure}},
                  **sites)  # fmt: skip
    names = {by: [note.text for note in maps(given, by=by, first=0).layout.annotations] for by in
             ("density", "max", "purity")}  # fmt: skip
    assert names == {
        "density": ["2 · 60.0%", "0 · 4.0%", "1 · 0.0%"],
        "max": ["0 · 7", "2 · 2", "1 · never"],
        "purity": ["2 · frequency 2 · 0.70", "0 · frequency 1 · 0.20", "1 · never"],
    }
    figure = maps(given, by="density", first=1)
    assert np.array_equal(figure.data[0].z, values[:, 0].reshape(5, 5))
    assert (len(figure.data), figure.layout.coloraxis.cmax) == (2, 73)


def test_the_purity_of_latents_is_drawn_from_the_least_to_the_most_pure() -> None:
    arrays = {}
    for group, share in (("latents", [0.5, np.nan, 0.1]), ("channels", [0.9, 0.7])):
        arrays |= {f"{group}/h4": np.array(share), f"{group}/h4_null": np.array([0.05])}
        arrays |= {f"{group}/h4_mean": np.array(np.nanmean(share)), f"{group}/h4_null_mean": np.array(0.05)}
    figure = purity(shown("sae.purity", arrays), degree="H4")
    assert list(figure.data[0].x) == [0, 0.1, 0.5]
    assert list(figure.data[0].y) == [0, 0.5, 1]
    assert "means: latents 0.3 (permuted 0.05), channels 0.8 (permuted 0.05)" in figure.layout.title.subtitle.text


def over_training(**more: list[float]) -> ViewData:
    arrays = {f"{part}/{name}": np.array([1.0, left]) for part, left in (("train", 0.02), ("held_out", 0.03))
              for name in ("fvu", "pca_fvu", "l0")}  # fmt: skip
    return shown(
        "sae.reconstruction", {"step": np.array([0, 9]), **arrays, **{k: np.array(v) for k, v in more.items()}}
    )


def test_the_null_is_that_of_the_inputs_held_out() -> None:
    figure = reconstruction(over_training(**{"held_out/pca_fvu": [0.5, 0.25]}), parts="autoencoder")
    assert [trace.name for trace in figure.data] == ["trained on", "held out", "PCA of equal L0, held out"]
    assert list(figure.data[2].y) == [0.5, 0.25]
    assert figure.layout.yaxis.type == "log"


def test_what_a_linear_map_and_no_latent_leave_over_is_drawn_beside() -> None:
    beside = {"held_out/linear_fvu": [0.5, 0.5], "held_out/skip_fvu": [1.0, 0.4]}
    figure = reconstruction(over_training(**beside), parts="autoencoder")
    assert [trace.name for trace in figure.data[2:]] == [
        "PCA of equal L0, held out",
        "linear map of the inputs, held out",
        "no latent active, held out",
    ]
    assert list(figure.data[4].y) == [1, 0.4]
    assert figure.layout.title.text == "What is left unexplained of the target site"
    assert figure.layout.title.subtitle.text.endswith(
        "at the end 0.03 with L0 = 0.03, PCA 0.03, linear map 0.5, no latent 0.4; 1 for the mean"
    )


def test_a_reconstruction_that_needs_no_latent_is_said_to_be_degenerate() -> None:
    figure = reconstruction(over_training(**{"held_out/skip_fvu": [0.0, 0.03]}), parts="autoencoder")
    assert figure.layout.title.subtitle.text.endswith("degenerate: at the end 0.03, and 0.03 without any latent")


def test_dead_latents_are_counted_below_the_active_ones() -> None:
    told = {"l0_min": [1, 2], "l0_max": [4, 3], "all/l0": [2, 2.5], "dead": [0, 3], "latents": [8, 8]}
    figure = sparsity(over_training(**told))
    assert {trace.name: list(trace.y) for trace in figure.data if trace.yaxis == "y2"} == {
        "active at no input": [0, 3],
        "all latents": [8, 8],
    }
    assert "at the end L0 = 2.5, 3 of 8 never active" in figure.layout.title.subtitle.text


def beside(given: ViewData, other: ViewData | None, missing: str = "") -> ViewData:
    return replace(given, untrained=Untrained(shown=other, missing=missing))


def untrained_in(figure: Any) -> Any:
    (trace,) = [trace for trace in figure.data if "untrained network" in (trace.name or "")]
    return trace


def test_the_untrained_network_stands_beside_with_its_own_numbers() -> None:
    ours = over_training()
    other = over_training(**{"step": [0, 7], "held_out/fvu": [1.0, 0.25]})
    figure: Any = reconstruction(beside(ours, other), parts="autoencoder")
    trace = untrained_in(figure)
    assert (trace.name, list(trace.x), list(trace.y)) == ("of the untrained network (step 0)", [0, 7], [1, 0.25])
    assert "PCA 0.03, untrained network 0.25; 1 for the mean" in figure.layout.title.subtitle.text

    latents = known_latents()
    dead = shown("sae.latents", latents | {"density": np.array([0.0, 0.0, 0.5])})
    outline = untrained_in(density(beside(shown("sae.latents", latents), dead)))
    x, y = np.asarray(outline.x), np.asarray(outline.y)
    assert y[:2].tolist() == [2, 2], "two are never active"
    assert (np.nansum(y[3:]) / 2, x[3:][y[3:] > 0].tolist()) == (1, [-0.5, -0.25])


def test_the_purity_of_an_untrained_network_s_latents_stands_beside() -> None:
    def of(latents: list[float]) -> ViewData:
        arrays = {f"{group}/h4": np.array(share) for group, share in (("latents", latents), ("channels", [0.9]))}
        for group in ("latents", "channels"):
            arrays |= {f"{group}/h4_null": np.array([0.05])}
            arrays |= {f"{group}/h4_{what}": np.array([0.1, 0.2]) for what in ("mean", "null_mean")}
        return shown("sae.purity", {"step": np.array([0, 9]), **arrays})

    def at_a_step(given: ViewData) -> ViewData:
        arrays = given.artifacts["sae.purity"]
        return shown("sae.purity", {name: each[-1] if name.endswith("mean") else each for name, each in arrays.items()})

    ours, other = of([0.5, 0.1]), of([0.3])
    assert list(untrained_in(purity(beside(*map(at_a_step, (ours, other))), degree="H4")).x) == [0, 0.3]
    assert list(untrained_in(purity_over_training(beside(ours, other), degree="H4")).y) == [0.1, 0.2]


def test_where_it_is_not_there_the_legend_says_what_it_takes() -> None:
    told = {
        missing: untrained_in(reconstruction(beside(over_training(), None, missing), parts="autoencoder")).name
        for missing in ("not trained", "not analyzed", "record.json cannot be read.")
    }
    assert told == {
        "not trained": "untrained network: miscope sae train ... --step first",
        "not analyzed": "untrained network: miscope analyze its autoencoder",
        "record.json cannot be read.": "untrained network: cannot be read",
    }


def test_an_autoencoder_of_an_untrained_network_is_its_own_null() -> None:
    family = TopKFamily()
    params = [family.params.model_validate({"variant": "toy.sum/v5", "site": "s", "step": step}) for step in (0, 30)]
    assert family.untrained(params[0]) is None
    assert family.untrained(params[1]) == params[0]
