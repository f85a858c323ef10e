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


def agreed(**last: list[float]) -> tuple[dict[str, tuple[str, ...]], str]:
    """Rows of the table over as many seeds as there are values, and its note."""
    names, count = list(last), len(next(iter(last.values())))
    ends = [
        {name: Series(steps=np.array([9]), values=np.array([last[name][i]])) for name in names} for i in range(count)
    ]
    events = {"memorised": last["steps"]} if "steps" in last else {}
    table = agreement(range(count), [f"seed={i}" for i in range(count)], ends, events)
    return {row[0]: row[1:] for row in table.rows}, table.note


def test_of_two_seeds_both_values_are_told_and_no_interval():
    rows, note = agreed(test_accuracy=[0.91, 0.97], test_loss=[0.4, 0.1], steps=[10.0, 40.0])
    assert rows["last test accuracy"] == ("0.944", "–", "0.91 to 0.97", "2")
    assert rows["last test loss"] == ("0.2", "–", "0.1 to 0.4", "2")
    assert rows["memorised"] == ("20", "–", "10 to 40", "2")
    assert note.startswith("Two seeds have no interval: the least and the most are the two values.")


@pytest.mark.parametrize("accuracies", [[0.5, 0.99, 1.0], [1.0, 1.0, 0.2], [0.0, 0.02, 0.4], [0.0, 1.0, 1.0, 0.0]])
def test_the_interval_of_an_accuracy_stays_within_what_one_can_be(accuracies: list[float]):
    rows, note = agreed(test_accuracy=accuracies)
    low, _, high = rows["last test accuracy"][1].partition(" to ")
    assert 0 <= float(low) < float(rows["last test accuracy"][0]) < float(high) <= 1
    assert "of accuracies on the angle arcsin √a, of losses and steps on the logarithm" in note


def test_intervals_of_losses_and_steps_are_positive():
    rows, _ = agreed(test_loss=[1e-6, 0.4, 3.0], steps=[10.0, 900.0, 20.0])
    assert all(float(rows[name][1].split(" to ")[0]) > 0 for name in ("last test loss", "memorised"))


def test_what_is_the_same_in_all_or_0_has_no_interval():
    rows, _ = agreed(test_accuracy=[1.0, 1.0, 1.0], test_loss=[0.0, 1e-8, 1e-9], steps=[0.0, 10.0, 10.0])
    assert rows["last test accuracy"] == ("1", "–", "1 to 1", "3")
    assert rows["last test loss"] == ("–", "–", "0 to 1e-08", "3")
    assert rows["memorised"] == ("–", "–", "0 to 10", "3")


def test_a_loss_that_may_be_negative_is_measured_as_it_is():
    rows, _ = agreed(test_loss=[-2.0, -1.0, 0.0])
    assert rows["last test loss"][:2] == ("-1", "-3.48 to 1.48")


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
