from __future__ import annotations

import numpy as np

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views import units

SITE = "blocks.0.mlp.hook_post"
STEPS = np.array([0, 10, 20])
STACKED = {f"{SITE}/active": np.array([[0, 0.5, 1, 1], [0, 0.25, 1, 1], [0, 0, 1, 1]]), "step": STEPS}
STACKED |= {f"{SITE}/{name}": np.array([0.25, 0.25, 0.5]) for name in ("dead_share", "always_on_share", "mean_active")}
STACKED[f"{SITE}/mean_sparsity"] = np.array([0.1, 0.2, 0.3])
FLIPS = {
    "later": STEPS[1:],
    f"{SITE}/rate": np.array([0.5, 0.1]),
    f"{SITE}/rate_sem": np.array([0.02, 0.01]),
    f"{SITE}/quantile": np.array([[0.1, 0.0], [0.5, 0.1], [0.9, 0.2]]),
    f"{SITE}/from_start": np.array([0.0, 0.5, 0.6]),
}


def shown(step: int | None) -> ViewData:
    at = {name: array[-1] for name, array in STACKED.items()}
    reads = {"units.statistics": at if step is not None else STACKED, "units.flips": FLIPS}
    history = {"units.statistics": STACKED}
    return ViewData(variant=make_variant(ToyFamily(), {}), step=step, steps=STEPS, artifacts=reads, history=history)


def test_the_histogram_counts_every_unit_once_at_both_steps():
    figure = units.distribution(shown(20), site=SITE, quantity="share of inputs it is active on")
    before, now = figure.data
    assert before.name == "at step 0"
    assert (sum(before.y), sum(now.y)) == (4, 4)
    assert (now.y[0], now.y[-1]) == (2, 2)


def test_dead_units_are_shares_on_one_fixed_scale():
    figure = units.dead(shown(None), site=SITE)
    assert [trace.name for trace in figure.data] == ["dead", "always on", "active inputs, mean", "sparsity"]
    assert list(figure.data[0].y) == [0.25, 0.25, 0.5]
    assert figure.layout.yaxis.range == (-0.02, 1.02)


def test_flips_stand_at_the_later_checkpoint():
    figure = units.flips(shown(None), site=SITE)
    assert list(figure.data[2].x) == [10, 20]
    assert list(figure.data[4].x) == [0, 10, 20]


def test_hidden_layers_come_first_among_the_sites():
    view = units.VIEWS[0].controls[0]
    arrays = {f"{site}/dead_share": np.zeros(1) for site in ("blocks.0.attn.hook_z", SITE)}
    found = ViewData(
        variant=make_variant(ToyFamily(), {}), step=None, steps=STEPS, artifacts={"units.statistics": arrays}
    )
    assert view.options_from(found) == [SITE, "blocks.0.attn.hook_z"]
