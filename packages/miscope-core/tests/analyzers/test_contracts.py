"""Every instrument of core keeps its contract on a trained toy; what a toy has nothing for is checked elsewhere."""

from __future__ import annotations

import pytest

from miscope.testing import check_analyzer, tables

BUILT_IN = tables().analyzers
OF_HEADS = ("attention.", "heads.", "circuits.", "scores.", "ablations.interactions")
NEEDS_MORE = {"dynamics.modes"}
"""More checkpoints than the check keeps."""

NOT_HERE = {
    "coarseness.units": ("SITE/head_{low,roughness,unwrapped}",),
    "cohort.losses": ("ALIGN/METRIC/median_pointwise", "ALIGN/METRIC/median_simultaneous"),
    "cohort.spectra": ("ROLE/{low,high}",),
    "geometry.classes": (
        *("SITE/pair", "SITE/circularity", "SITE/circularity_null", "SITE/circle", "SITE/best_circularity"),
    ),
    "optimizer.moments": (
        "original/{sqrt_v_mean,sqrt_v_max,ratio_mean,ratio_max}",
        "original/update_over_decay",
    ),
    "parameters.norms": ("ROLE/squares_by_head",),
    "summary.components": ("ROLE/key_share", "ROLE/crossover"),
}
"""Outputs of heads, of a circle's basis, of more variants, of an option or of a run that has learned: not of a toy."""


@pytest.mark.parametrize("name", sorted(name for name in set(BUILT_IN) - NEEDS_MORE if not name.startswith(OF_HEADS)))
def test_an_instrument_keeps_its_contract_on_a_trained_toy(name: str) -> None:
    assert check_analyzer(BUILT_IN[name]) == NOT_HERE.get(name, ())
