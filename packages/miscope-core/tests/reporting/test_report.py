from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from miscope.bound import BoundVariant, BoundWorkspace
from miscope.errors import BadValue, UnknownName
from miscope.reporting.asked_figure import AskedFigure
from miscope.reporting.chosen_views import wanted_views
from miscope.reporting.composing import composed
from miscope.reporting.content import Missing, Report
from miscope.reporting.recorded_views import recorded_views
from miscope.reporting.report import report
from miscope.reporting.variant_tables import settings


def reported(place: BoundWorkspace, variants, path: Path, **options) -> Report:
    several = variants if isinstance(variants, list) else [variants]
    *_, last = report(place.value, [one.value for one in several], path, **options)
    assert path.exists()
    assert last.done == last.total
    assert last.report is not None
    return last.report


@pytest.fixture(scope="module")
def one(place: BoundWorkspace, seeds: list[BoundVariant], tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("one") / "report.html"
    return reported(place, seeds[0], path), path.read_text(encoding="utf-8")


def cells(table) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in table.rows}


def test_a_report_of_one_variant_says_what_it_is_and_what_became_of_it(one, seeds: list[BoundVariant]):
    whole, page = one
    summary = cells(whole.summary)
    assert summary["checkpoints"] == ("4, epoch 0 to 30",)
    assert summary["recorded until"] == ("epoch 30",)
    assert summary["last train loss"] == (f"{seeds[0].metric('train_loss')[1][-1]:.4g}",)
    assert cells(whole.settings)["learning_rate"] == ("0.01",)
    assert cells(whole.provenance)["digest"] == (seeds[0].value.digest,)
    assert whole.differing is None
    assert whole.agreement == ()
    for text in (seeds[0].name, "What is missing", "Where it comes from", seeds[0].value.digest):
        assert text in page


def test_every_observation_names_its_artifact_and_carries_its_numbers(one, seeds: list[BoundVariant]):
    (group,) = one[0].findings
    said = {finding.artifact.split(" ")[0]: finding for finding in group.found}
    assert set(said) == {"behaviour.calibration", "behaviour.metrics", "events.grokking", "parameters.norms"}
    norms = seeds[0].arrays("parameters.norms")["total/squares"]
    assert said["parameters.norms"].value == pytest.approx(norms[-1] / norms[0], rel=4 * np.finfo(np.float64).eps)
    assert re.fullmatch(r"parameters.norms version 1, epoch 30, recipe [0-9a-f]{16}", said["parameters.norms"].artifact)
    right = [finding for finding in group.found if "Wilson" in finding.text]
    assert [finding.interval is not None for finding in right] == [True]


def test_what_is_not_there_is_named_with_the_command_that_computes_it(one, place: BoundWorkspace):
    missing = {each.name: each for each in one[0].missing}
    assert missing["small.velocity"].command == (
        f"miscope analyze toy.sum/v5-seed0-width16 --only parameters.velocity --workspace {place.root}"
    )
    assert "--only parameters.velocity" in one[1]
    assert missing["small.mistaken"] == Missing(
        name="small.mistaken", of="", reason="it failed: ZeroDivisionError: by what?"
    )
    assert missing["small.broken"].reason == "it failed: RuntimeError: there is a mistake in it"


def test_why_something_is_missing_is_told_whole(place: BoundWorkspace, seeds: list[BoundVariant], tmp_path: Path):
    why = "it cannot be aligned. None of them generalised. Align by memorised"
    for name in ("all.html", "all.ipynb"):
        whole = reported(place, seeds, tmp_path / name, static=False)
        assert {each.name: each.reason for each in whole.missing}["small.refused"] == why
        assert f"{why}." in (tmp_path / name).read_text(encoding="utf-8")


def test_recorded_curves_are_shown_where_no_other_figure_is_of_the_losses(place: BoundWorkspace, seeds):
    values, labels = [seed.value for seed in seeds[:2]], ["seed=0", "seed=1"]
    (shown,) = recorded_views(place.value, [], values[:1], labels[:1])
    assert (shown.view.name, shown.variants, shown.of) == ("behaviour.losses", tuple(values[:1]), "")
    wanted = wanted_views(place.plugins, values[:1], labels[:1])
    assert [each.view.name for each in recorded_views(place.value, wanted, values[:1], labels[:1])] == [shown.view.name]
    assert list(recorded_views(place.value, [shown], values[:1], labels[:1])) == [], "there is a figure of them"
    bare = place.variant("toy.sum", seed=11).value
    assert list(recorded_views(place.value, [], [bare], ["seed=11"])) == [], "nothing was recorded"


def test_of_several_that_nothing_compares_the_recorded_curves_are_shown_together(place: BoundWorkspace, seeds):
    values, labels = [seed.value for seed in seeds[:2]], ["seed=0", "seed=1"]
    (shown,) = recorded_views(place.value, [], values, labels)
    assert (shown.view.name, shown.variants, shown.of) == ("behaviour.compare", tuple(values), "")
    wanted = wanted_views(place.plugins, values, labels)
    assert list(recorded_views(place.value, wanted, values, labels)) == [], "small.losses compares them"


def test_settings_that_mean_nothing_to_the_optimizer_are_not_told(place: BoundWorkspace):
    pair = [place.variant("toy.sum", optimizer=optimizer).value for optimizer in ("sgd", "adam")]
    told = cells(settings(pair, ["sgd", "adam"]))
    assert (told["momentum"], told["betas"]) == (("0.0", "–"), ("–", "0.9, 0.98"))
    assert not {"muon_momentum", "muon_exclude", "lr_min_ratio", "lr_schedule_steps"} & set(told)
    assert {"weight_decay", "learning_rate", "lr_schedule", "family"} <= set(told)


def test_a_report_shows_the_losses_and_what_asks_for_a_place_and_nothing_else(one):
    assert [(shown.view, shown.number) for shown in one[0].views] == [("behaviour.losses", 1), ("small.step", 2)]
    shown = one[0].views[1]
    assert shown.python == "workspace.find('toy.sum/v5-seed0-width16').at(30).view('small.step')"


def test_text_of_others_is_escaped_in_the_page(one):
    page = one[1]
    assert "</script><script>alert" not in page
    assert "Step &lt;b&gt;shown&lt;/b&gt;" in page


def test_views_that_are_named_are_those_shown(place: BoundWorkspace, seeds, tmp_path: Path):
    whole = reported(place, seeds[0], tmp_path / "r.html", views=["small.u*", "small.step"])
    assert [shown.view for shown in whole.views] == ["small.unasked", "small.step"]


def test_figures_that_are_asked_for_one_by_one_have_their_variants_step_and_title(place, seeds, tmp_path: Path):
    first, second = (seed.value for seed in seeds[:2])
    asked = [
        AskedFigure(view="small.step", variants=(second,), step=10, title="Early"),
        AskedFigure(view="small.losses", variants=(first, second)),
        AskedFigure(view="small.step", variants=(first,)),
    ]
    whole = reported(place, seeds[:2], tmp_path / "r.html", views=asked)
    early, together, late = whole.views
    assert [shown.view for shown in whole.views] == ["small.step", "small.losses", "small.step"]
    assert (early.title, late.title) == ("Early", "Step <b>shown</b>")
    assert [shown.figure.data[0].y[0] for shown in (early, late)] == [10, 30]
    assert early.of != late.of
    assert together.of == ""
    assert "--step 10" in early.command


def test_a_view_that_nobody_has_is_refused_with_the_one_that_is_meant(place: BoundWorkspace, seeds, tmp_path: Path):
    with pytest.raises(UnknownName, match=r"(?s)no view named 'small.stp'.*Did you mean 'small.step'\?"):
        reported(place, seeds[0], tmp_path / "r.html", views=["small.stp"])
    assert not (tmp_path / "r.html").exists()


def test_one_variant_cannot_be_compared(place: BoundWorkspace, seeds, tmp_path: Path):
    with pytest.raises(BadValue) as error:
        reported(place, seeds[0], tmp_path / "r.html", views=["small.losses"])
    assert str(error.value) == (
        "'small.losses' compares variants, and there is one.\n"
        "It is of cohort grain and shows several.\n"
        "Name more variants, or other views."
    )


def test_a_file_that_does_not_say_what_to_write_is_refused(place: BoundWorkspace, seeds, tmp_path: Path):
    with pytest.raises(BadValue) as error:
        reported(place, seeds[0], tmp_path / "r.docx")
    assert str(error.value) == (
        "A report cannot be written as 'docx'.\n"
        "The formats are html, md, pdf, ipynb; the suffix of the file names one, or --to does.\n"
        "Try r.html."
    )


def test_a_variant_nobody_looked_at_has_a_report_that_says_so(place: BoundWorkspace, tmp_path: Path):
    bare = place.variant("toy.sum", seed=9, steps=2)
    list(bare.train(threads=1))
    whole = reported(place, bare, tmp_path / "bare.html")
    assert whole.findings[0].found == ()
    assert whole.events.rows == ()
    assert whole.events.note == (
        "No events are known. events.grokking: it was never computed. "
        f"To compute it: miscope analyze {bare.name} --only events.grokking --workspace {place.root}"
    )
    named = {each.name for each in whole.missing if each.command}
    assert {"events.grokking", "behaviour.metrics", "parameters.norms"} <= named
    assert "Nothing was computed that says anything." in (tmp_path / "bare.html").read_text(encoding="utf-8")
    *_, last = composed(place.value, [bare.value, place.variant("toy.sum", seed=10).value])
    assert [group.of for group in last.report.findings] == list(last.report.summary.columns[1:]), "none of all together"


def test_a_variant_without_checkpoints_has_a_report_too(place: BoundWorkspace, tmp_path: Path):
    whole = reported(place, place.variant("toy.sum", seed=10), tmp_path / "never.html")
    assert cells(whole.summary)["checkpoints"] == ("none",)
    assert whole.views == ()


def adopted(place: BoundWorkspace, path: Path, test: np.ndarray) -> BoundVariant:
    """A curve of 60 steps that is learnt by step 19 in training, with its events dated."""
    steps = np.arange(len(test))
    rows = zip(steps.tolist(), np.exp(-steps / 4).tolist(), test.tolist(), strict=True)
    path.write_text("\n".join(["step,train_loss,test_loss", *(f"{at},{a!r},{b!r}" for at, a, b in rows)]))
    (curve,) = place.adopt(metrics=path, family="toy.sum", name=path.stem)
    curve.analyze("events.grokking")
    return curve


def test_a_curve_without_weights_has_a_report_of_its_events(place: BoundWorkspace, tmp_path: Path):
    curve = adopted(place, tmp_path / "alone.csv", 3 / (1 + np.exp((np.arange(60) - 30) / 1.5)) + 1e-4)
    whole = reported(place, curve, tmp_path / "curve.html")
    assert cells(whole.summary)["origin"] == ("metrics only",)
    assert cells(whole.events)["memorised (train loss < 0.01)"][0].startswith("19 ")
    assert cells(whole.events)["test loss peak (the test loss is at its highest before it falls)"] == (
        "0, where the record begins",
    )
    assert "'no fall'" not in whole.events.note
    assert cells(whole.provenance)["file alone.csv"][0].startswith("SHA-256 ")
    assert whole.commands == (f"miscope analyze {curve.name} --only events.grokking --workspace {place.root}",)


def test_a_test_loss_that_does_not_fall_and_events_of_fewer_checkpoints_are_said(place: BoundWorkspace, tmp_path: Path):
    rising, grown = adopted(place, tmp_path / "rising.csv", 1 + np.arange(60) / 20), place.variant("toy.sum", seed=12)
    list(grown.train(steps=10, threads=1))
    grown.analyze("events.grokking")
    list(grown.train(steps=20, threads=1))
    *_, last = composed(place.value, [rising.value, grown.value], views=["small.velocity"])
    assert last.report is not None
    events = last.report.events
    assert cells(last.report.summary)["recorded until"] == ("epoch 59", "epoch 20 of 30: unfinished")
    rows = {row[0]: row[1:] for row in events.rows}
    assert rows["test loss peak (the test loss is at its highest before it falls)"] == ("no fall", "not known")
    assert rows["half of test loss fall (log test loss has gone half of its whole fall)"] == ("no fall", "not known")
    assert rows["generalised (test loss < 0.01)"] == ("never", "not known")
    assert events.note.endswith(
        " 'no fall': the test loss never fell to half of its first value and of guessing after its highest, or was down"
        f" where the record begins. events.grokking of {events.columns[2]}: it exists over 2 checkpoints, 0 to 10; "
        f"there are 3. To compute it: miscope analyze {grown.name} --only events.grokking --workspace {place.root}"
    )


def test_a_recorded_loop_has_a_report(place: BoundWorkspace, tmp_path: Path):
    import torch

    torch.manual_seed(0)
    network = torch.nn.Linear(2, 2)
    with place.record("mine", network, probe=torch.eye(2)) as recorder:
        recorder.checkpoint(0, network, metrics={"loss": 1.0})
        recorder.checkpoint(1, network, metrics={"loss": 0.5})
    whole = reported(place, place.find("pytorch.module/mine"), tmp_path / "mine.html")
    assert cells(whole.summary)["origin"] == ("recorded",)
    assert cells(whole.summary)["last loss"] == ("0.5",)
