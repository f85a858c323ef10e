from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from miscope.bound import BoundVariant, BoundWorkspace
from miscope.reporting.agreement import agreement, groups_of_seeds
from miscope.reporting.composing import composed
from miscope.reporting.content import Report, Table
from miscope.snapshot import Series


@pytest.fixture(scope="module")
def three(place: BoundWorkspace, seeds: list[BoundVariant]) -> Report:
    *_, last = composed(place.value, [seed.value for seed in seeds])
    assert last.report is not None
    return last.report


def test_what_differs_between_seeds_is_the_seed(three: Report):
    assert three.differing is not None
    assert three.differing.columns == ("", "seed=0", "seed=1", "seed=2")
    assert three.differing.rows == (("seed", "0", "1", "2"),)


def test_a_comparison_shows_what_compares_and_no_single_checkpoints(three: Report):
    assert [shown.view for shown in three.views] == ["small.losses"]
    names = "".join(f"    workspace.find('toy.sum/v5-seed{seed}-width16'),\n" for seed in (0, 1, 2))
    assert three.views[0].python == f"variants = [\n{names}]\nworkspace.view('small.losses', variants)"


def test_seeds_agree_by_the_mean_of_the_logarithm_of_their_losses(three: Report, seeds: list[BoundVariant]):
    (table,) = three.agreement
    rows = {row[0]: row[1:] for row in table.rows}
    last = np.array([seed.metric("train_loss")[1][-1] for seed in seeds])
    mean = np.log(last).mean()
    reach = 4.302652729911275 * np.log(last).std(ddof=1) / np.sqrt(3)  # Student's t of 2 degrees of freedom, 0.975
    low, high = np.exp(mean - reach), np.exp(mean + reach)
    assert rows["last train loss"][:2] == (f"{np.exp(mean):.3g}", f"{low:.3g} to {high:.3g}")
    assert rows["last train loss"][3] == "3"


def test_an_event_that_one_seed_lacks_has_no_mean():
    curve = {"train_loss": Series(steps=np.array([0, 1]), values=np.array([1.0, 0.5]))}
    table = agreement([0, 1], ["a", "b"], [curve, curve], {"generalised": [100.0, np.nan]})
    assert ("generalised", "–", "–", "100 to 100", "1 of 2") in table.rows


def test_variants_that_differ_in_more_than_a_seed_are_no_group(place: BoundWorkspace):
    wide = [place.variant("toy.sum", seed=seed, width=width).value for seed, width in ((0, 8), (1, 8), (0, 16))]
    assert groups_of_seeds(wide) == [[0, 1]]


def test_many_variants_stand_below_each_other():
    columns = ("", *(f"seed={i}" for i in range(7)))
    pieces = Table(title="T", columns=columns, rows=(columns,), note="N").abreast()
    assert [piece.columns for piece in pieces] == [columns[:6], ("", *columns[6:])]
    assert [(piece.title, piece.note) for piece in pieces] == [("T", ""), ("", "N")]


def test_both_handles_write_reports(place: BoundWorkspace, seeds: list[BoundVariant], tmp_path: Path):
    assert "seed=2" in place.report(seeds, tmp_path / "all.html", views=["small.losses"]).read_text(encoding="utf-8")
    assert seeds[0].name in seeds[0].report(tmp_path / "one.html", views=["small.step"]).read_text(encoding="utf-8")
