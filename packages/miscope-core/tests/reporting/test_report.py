from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.cli.options import assignments
from miscope.errors import BadValue, UnknownName
from miscope.reporting.chosen_views import wanted_views
from miscope.reporting.content import Missing, Report
from miscope.reporting.recorded_views import recorded_views
from miscope.reporting.report import report
from miscope.reporting.variant_tables import repeating, settings
from miscope.schedule import Adaptive
from miscope.testing import tables


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


def test_of_a_variant_nobody_looked_at_the_recorded_curves_are_shown(place: BoundWorkspace, seeds):
    values = [seeds[0].value]
    (shown,) = recorded_views(place.value, [], values, ["seed=0"])
    assert (shown.view.name, shown.variants, shown.of) == ("behaviour.losses", tuple(values), "")
    wanted = wanted_views(place.plugins, values, ["seed=0"])
    assert list(recorded_views(place.value, wanted, values, ["seed=0"])) == [], "there is a figure of it"
    bare = place.variant("toy.sum", seed=11).value
    assert list(recorded_views(place.value, [], [bare], ["seed=11"])) == [], "nothing was recorded"


def test_settings_that_mean_nothing_to_the_optimizer_are_not_told(place: BoundWorkspace):
    pair = [place.variant("toy.sum", optimizer=optimizer).value for optimizer in ("sgd", "adam")]
    told = cells(settings(pair, ["sgd", "adam"]))
    assert (told["momentum"], told["betas"]) == (("0.0", "–"), ("–", "0.9, 0.98"))
    assert not {"muon_momentum", "muon_exclude", "lr_min_ratio", "lr_schedule_steps"} & set(told)
    assert {"weight_decay", "learning_rate", "lr_schedule", "family"} <= set(told)


def test_a_report_shows_what_asks_for_a_place_and_nothing_else(one):
    assert [(shown.view, shown.number) for shown in one[0].views] == [("small.step", 1)]
    shown = one[0].views[0]
    assert shown.python == "workspace.find('toy.sum/v5-seed0-width16').at(30).view('small.step')"


def test_text_of_others_is_escaped_in_the_page(one):
    page = one[1]
    assert "</script><script>alert" not in page
    assert "Step &lt;b&gt;shown&lt;/b&gt;" in page


def test_views_that_are_named_are_those_shown(place: BoundWorkspace, seeds, tmp_path: Path):
    whole = reported(place, seeds[0], tmp_path / "r.html", views=["small.u*", "small.step"])
    assert [shown.view for shown in whole.views] == ["small.unasked", "small.step"]


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
    assert "No events are known" in whole.events.note
    named = {each.name for each in whole.missing if each.command}
    assert {"events.grokking", "behaviour.metrics", "parameters.norms"} <= named
    assert "Nothing was computed that says anything." in (tmp_path / "bare.html").read_text(encoding="utf-8")


def test_a_variant_without_checkpoints_has_a_report_too(place: BoundWorkspace, tmp_path: Path):
    whole = reported(place, place.variant("toy.sum", seed=10), tmp_path / "never.html")
    assert cells(whole.summary)["checkpoints"] == ("none",)
    assert whole.views == ()


def test_a_curve_without_weights_has_a_report_of_its_events(place: BoundWorkspace, tmp_path: Path):
    steps = np.arange(60)
    train, test = np.exp(-steps / 4), 3 / (1 + np.exp((steps - 30) / 1.5)) + 1e-4
    rows = [f"{step},{a!r},{b!r}" for step, a, b in zip(steps.tolist(), train.tolist(), test.tolist(), strict=True)]
    (tmp_path / "curve.csv").write_text("\n".join(["step,train_loss,test_loss", *rows]))
    (curve,) = place.adopt(metrics=tmp_path / "curve.csv", family="toy.sum", name="alone")
    curve.analyze("events.grokking")
    whole = reported(place, curve, tmp_path / "curve.html")
    assert cells(whole.summary)["origin"] == ("metrics only",)
    assert cells(whole.events)["memorised (train loss < 0.01)"][0].startswith("19 ")
    assert cells(whole.provenance)["file curve.csv"][0].startswith("SHA-256 ")
    assert whole.commands == (f"miscope analyze {curve.name} --workspace {place.root}",)


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


def test_the_command_that_trains_a_variant_again_says_all_of_its_schedule(tmp_path: Path):
    schedule = Adaptive(least=3, most=20, change=0.5)
    variant = open_bound(tmp_path, tables()).variant("toy.sum", checkpoints=schedule)
    for _ in variant.train(steps=5, threads=1):
        pass
    words = shlex.split(repeating(variant.workspace.value, [variant.value])[0])
    fields = assignments([word for word in words if "=" in word])
    assert variant.workspace.variant("toy.sum", **fields).value.training.checkpoints == schedule
