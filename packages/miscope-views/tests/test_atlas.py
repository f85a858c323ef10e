from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from miscope import ViewData
from miscope.errors import BadValue
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.testing import ToyFamily
from miscope_views import atlas

SITE = "blocks.0.hook_resid_post"
VARIANT = make_variant(ToyFamily(), {"values": 31})
PROBE = ModelContext(ToyFamily(), VARIANT).probe()
A, B = torch.meshgrid(torch.arange(31.0), torch.arange(31.0), indexing="ij")
UNITS = torch.stack([A.flatten(), 3 * B.flatten(), torch.where((A + B) % 2 == 0, 1.0, -1.0).flatten()], dim=1)
SHOWN = ViewData(
    variant=VARIANT,
    step=5,
    steps=np.array([5]),
    probe=PROBE,
    sites=(SITE,),
    channels={SITE: 3},
    activations=lambda site, channels: UNITS if channels is None else UNITS[:, list(channels)],
)


def test_the_liveliest_units_come_first():
    figure = atlas.units(SHOWN, site=SITE, page=1, sort="variance", own_scale=True, pixels="16")
    assert list(figure.data[1].customdata) == [1, 0, 2]
    assert figure.data[0].z.shape[0] == 16


@pytest.mark.parametrize(("sort", "asked"), [("variance", [None]), ("index", [[0, 1, 2]])])
def test_the_model_is_run_once_a_page_for_no_more_channels_than_needed(sort, asked):
    seen: list[list[int] | None] = []

    def activations(site, channels):
        seen.append(channels)
        return UNITS if channels is None else UNITS[:, channels]

    atlas.units(replace(SHOWN, activations=activations), site=SITE, page=1, sort=sort, own_scale=True, pixels="16")
    assert seen == asked


def test_the_pyramid_says_what_each_level_keeps():
    said = [note.text for note in atlas.pyramid(SHOWN, site=SITE, unit=0).layout.annotations]
    assert said[0] == "31 × 31"
    assert said[1].startswith("16 × 16<br>100%") or said[1].startswith("16 × 16<br>99%")
    fine = [note.text for note in atlas.pyramid(SHOWN, site=SITE, unit=2).layout.annotations]
    assert int(fine[1].split("<br>")[1].split("%")[0]) < 5


def test_every_level_lies_on_the_same_factor_values():
    full, small = atlas.pyramid(SHOWN, site=SITE, unit=0).data
    assert small.x0 - small.dx / 2 == pytest.approx(full.x0 - full.dx / 2) == pytest.approx(-0.5)
    assert small.x0 + (16 - 0.5) * small.dx == pytest.approx(30.5)


def test_only_the_first_level_has_numbers_beside_its_rows():
    layout = atlas.pyramid(SHOWN, site=SITE, unit=0).layout
    assert (layout.yaxis.showticklabels, layout.yaxis2.showticklabels) == (None, False)


def test_a_unit_the_site_lacks_is_refused():
    with pytest.raises(BadValue, match=r"It has 3, counted from 0\."):
        atlas.pyramid(SHOWN, site=SITE, unit=3)
