from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views import representation

STEPS = np.array([0, 10])
SITES = ("ln_final.hook_normalized", "blocks.10.hook_resid_post", "blocks.2.hook_resid_post", "hook_embed")


def shown(*parts: str) -> ViewData:
    arrays = {"step": STEPS}
    for i, site in enumerate(SITES):
        arrays[f"{site}/width"] = np.array([16, 16])
        for part in parts:
            arrays[f"{site}/{part}/mean"] = np.array([4.0, 8.0 + i])
            arrays[f"{site}/{part}/spread"] = np.array([1.0, 2.0])
    variant = make_variant(ToyFamily(), {})
    return ViewData(variant=variant, step=None, steps=STEPS, artifacts={"representation.norm": arrays})


def test_sites_stand_in_the_order_of_the_network_each_in_its_spread():
    figure = representation.norms(shown("train", "test"), inputs="test inputs", measure="length")
    order = ["hook_embed", "blocks.2.hook_resid_post", "blocks.10.hook_resid_post", "ln_final.hook_normalized"]
    assert [trace.name for trace in figure.data if trace.name] == order
    low, high, embed = figure.data[:3]
    assert (list(low.y), list(high.y), list(embed.y)) == ([3, 9], [5, 13], [4, 11])
    assert figure.layout.yaxis.type == "log"


def test_the_root_mean_square_is_the_length_over_the_root_of_the_width():
    figure = representation.norms(shown("all"), inputs="inputs", measure="root mean square")
    assert figure.data[2].y[0] == pytest.approx(1)
    assert figure.data[0].y[0] == pytest.approx(0.75)


def test_those_inputs_are_offered_that_there_are():
    (inputs, _) = representation.VIEWS[0].controls
    assert inputs.options_from(shown("train", "test")) == ["test inputs", "training inputs"]
    assert inputs.options_from(shown("all")) == ["inputs"]
