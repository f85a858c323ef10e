"""What stands in the form: fields of any family, the study they make, what is refused, and what would be run."""

from typing import Annotated, Any, final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from miscope import Params, Source
from miscope.bound import open_bound
from miscope.errors import BadValue
from miscope.family import Family
from miscope.field_text import written_values
from miscope.remark import Remark
from miscope.runs.run_queue import RunQueue
from miscope.studies.bad_study import BadStudy
from miscope.studies.study_estimate import StudyEstimate
from miscope.studies.templates import Templates
from miscope.testing import tables
from miscope.testing.toy import ToyFamily
from miscope.training.estimate import TAKES_LESS, Estimate
from miscope_panel.shown.launching.built_on import BuiltOn, built_on, offered
from miscope_panel.shown.launching.checked_form import checked
from miscope_panel.shown.launching.difference import Difference, differences
from miscope_panel.shown.launching.form_field import FAMILY, form_fields, info_of
from miscope_panel.shown.launching.looked_over import looked_over
from miscope_panel.shown.launching.preview import estimate_told, preview
from miscope_panel.shown.launching.starting import start
from miscope_panel.shown.launching.study_form import document_of, read_yaml, study_values, texts_of, yaml_of

TOY = ToyFamily()
FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@final
class OnParams(Params):
    """Another variant's checkpoint, by names of its own."""

    size: Annotated[int, Field(ge=1, le=9)]
    """How large."""
    parent: str
    """What it is built on."""
    at: int
    """Of which step."""
    where: str
    """At which site."""


@final
class OnFamily(Family):
    """Says what it is built on, and is never trained."""

    name = "toy.on"
    title = "Built on another"
    params = OnParams

    def sources(self, params: Any):
        return [Source(variant=params.parent, step=params.at, site=params.where)]

    def model(self, params):
        raise AssertionError

    probes = training = task = bases = model


@pytest.fixture
def queue(tmp_path):
    return RunQueue(tmp_path)


@pytest.fixture(scope="module")
def plugins():
    return tables()


def field(name, family=TOY):
    return next(each for each in form_fields(family) if each.name == name)


# --- fields


def test_a_field_says_what_is_written_under_it_what_it_takes_and_what_it_is_by_default():
    width = field("width")
    assert (width.group, width.help, width.allowed, width.default, width.required, width.sweeps) == (
        *("Model", "Units of the hidden layer.", "a whole number from 1 to 256", "16", False, ","),
    )
    optimizer = field("optimizer")
    assert (optimizer.group, optimizer.choices) == ("Training", ("adamw", "adam", "sgd", "muon"))
    assert field("train.compile").choices == ("true", "false")


def test_the_training_is_shown_as_the_family_gives_it():
    assert (field("steps").default, field("checkpoints").default, field("train_fraction").default) == (
        *("30", "every:10", "0.6"),
    )


def test_every_parameter_and_every_field_of_the_training_is_there_once():
    names = [each.name for each in form_fields(TOY)]
    assert len(names) == len(set(names))
    assert {*TOY.params.model_fields, *TOY.training_config.model_fields} <= {*names}


def test_what_a_family_is_built_on_is_found_whatever_it_calls_its_fields():
    assert built_on(TOY) is None
    assert built_on(OnFamily()) == BuiltOn(variant="parent", step="at", site="where")
    groups = {each.name: each.group for each in form_fields(OnFamily()) if "." not in each.name}
    assert [groups[name] for name in ("parent", "at", "where", "size")] == ["Built on"] * 3 + ["Model"]


def test_variants_then_steps_then_sites_are_there_to_choose_from(trained):
    assert offered(trained, OnFamily(), {}) == {"parent": [FIRST, OTHER]}
    chosen = offered(trained, OnFamily(), {"parent": FIRST})
    assert chosen["at"] == ["0", "10", "20", "30"]
    assert "blocks.0.mlp.hook_post" in chosen["where"]


# --- the form and its study


def test_one_value_is_of_all_runs_and_several_are_a_sweep():
    texts = {FAMILY: "toy.sum", "seed": "0, 1", "width": "8", "betas": "0.9,0.98; 0.9,0.999", "study.name": "pair"}
    assert study_values(TOY, texts) == {
        "name": "pair",
        "family": "toy.sum",
        "base": {"width": 8},
        "matrix": {"seed": [0, 1], "betas": [[0.9, 0.98], [0.9, 0.999]]},
    }


def test_how_runs_are_trained_and_analyzed_stands_in_the_study_too():
    texts = {"train.threads": "1", "train.watch": "ranks.weights,gradients.energy:200", "analyze.steps": "every:10"}
    assert "analyze" not in study_values(TOY, texts)
    values = study_values(TOY, {**texts, "study.analyze": "true"})
    assert values["train"] == {"threads": 1, "watch": ["ranks.weights", "gradients.energy:200"]}
    assert values["analyze"] == {"steps": "every:10"}


NUMBERS = {
    "values": st.integers(3, 31),
    "seed": st.integers(0, 99),
    "learning_rate": st.floats(1e-6, 1.0),
    "weight_decay": st.floats(0.0, 10.0),
    "optimizer": st.sampled_from(["adamw", "adam", "sgd"]),
    "betas": st.lists(st.floats(0.0, 0.99), min_size=2, max_size=2),
    "no_decay": st.lists(st.sampled_from(["W_E", "*.b_*", "a,b"]), max_size=2),
    "checkpoints": st.sampled_from(["every:100", "0,100,500", "0-1500:100,1500-9000:500", "log:20"]),
}


@st.composite
def forms(draw):
    names = draw(st.lists(st.sampled_from(sorted(NUMBERS)), unique=True))
    lists = {name: draw(st.lists(NUMBERS[name], min_size=1, max_size=3)) for name in names}
    single = {name: values for name, values in lists.items() if len(values) == 1}
    ordered = {**single, **{name: values for name, values in lists.items() if name not in single}}
    beside = draw(st.sampled_from([{}, {"study.analyze": "true"}, {"train.threads": "1", "train.label": "113"}]))
    return {FAMILY: "toy.sum", **{n: written_values(info_of(TOY, n), v) for n, v in ordered.items()}, **beside}


@settings(max_examples=30)
@given(form=forms())
def test_a_form_written_as_yaml_and_read_is_the_same_form(plugins, form):
    values = study_values(TOY, form)
    read = texts_of(plugins, read_yaml(yaml_of(values)))
    assert read == form
    assert study_values(TOY, read) == values


def test_what_a_form_has_no_field_for_is_kept(plugins):
    text = "family: toy.sum\nmatrix: {seed: [0, 1]}\nexclude: [{seed: 1}]\ninclude: [{name: wide, width: 32}]\n"
    values = read_yaml(text).values
    assert study_values(TOY, texts_of(plugins, read_yaml(text))) == values


def test_yaml_that_is_no_study_is_refused_with_its_line(plugins):
    with pytest.raises(BadStudy) as refused:
        texts_of(plugins, read_yaml("family: toy.sum\nmatrx: {seed: [0, 1]}\n"))
    assert str(refused.value) == (
        "YAML, line 2: There is no key 'matrx' in a study.\nDid you mean 'matrix'?\nThe keys of a study are: name, "
        "description, family, base, matrix, zip, exclude, include, run_name, train, analyze."
    )


# --- what is refused


def refused(workspace, **texts):
    found = checked(workspace, TOY, {FAMILY: "toy.sum", **texts})
    assert found.study is None
    return found


def test_each_refused_value_is_said_at_its_field_in_core_s_words(trained):
    found = refused(trained, values="5,2", learning_rate="0")
    assert found.problems == {
        "values": "values=2 is refused: it must be 3 or more.\n'values' is a whole number from 3 to 31, by default 5.",
        "learning_rate": "learning_rate=0 is refused: it must be more than 0.\n'learning_rate' is a number above 0, by "
        "default 0.001.",
    }
    every = refused(trained, seed="0,-1,x,-2").problems["seed"].split("\n")
    assert every == [
        "seed=-1 is refused: it must be 0 or more.",
        "seed='x' is refused: it must be a whole number.",
        "seed=-2 is refused: it must be 0 or more.",
        "'seed' is a whole number from 0 on, by default 0.",
    ]


def test_what_only_the_whole_shows_is_said_at_the_field_that_it_is_of(trained):
    found = refused(trained, momentum="0.5", seed="0,1")
    assert found.problems == {
        "momentum": "momentum=0.5 means nothing to a training with optimizer=adamw and lr_schedule=constant.\n"
        "It is of sgd.\nLeave momentum out, or choose what uses it."
    }
    assert [*refused(trained, **{"train.threads": "0"}).problems] == ["train.threads"]
    assert [*refused(trained, **{"study.name": "a/b"}).problems] == ["study.name"]
    assert [*refused(trained, **{"study.analyze": "true", "analyze.analyzers": "nope"}).problems] == [
        "analyze.analyzers"
    ]


def test_what_is_of_no_field_alone_is_said_of_the_whole(trained):
    found = refused(trained, lr_schedule="cosine")
    assert found.problems == {}
    assert found.problem.startswith(
        "toy.sum refuses these values: the schedule 'cosine' needs lr_schedule_steps, the step at which it is over.\n"
    )


def test_fields_without_a_default_are_lacking_until_they_are_filled_in(trained):
    assert checked(trained, OnFamily(), {"size": "3"}).lacking == ("parent", "at", "where")


def test_the_last_step_is_filled_in_where_a_variant_is_chosen_and_no_step(trained, queue):
    seen = looked_over(trained, queue, OnFamily(), {"parent": FIRST})
    assert (seen.filled["at"], seen.lacking) == ("30", ("at", "where", "size"))
    assert "parameters.norms" in seen.choices["analyze.analyzers"]


# --- what would be run


def test_a_preview_says_which_runs_are_new_and_which_are_there(trained, queue):
    study = checked(trained, TOY, {FAMILY: "toy.sum", "seed": "0,2", "steps": "40"}).study
    assert study is not None
    seen = preview(trained, queue, study)
    assert seen.summary == "2 runs: 1 new, 1 extended"
    assert [row.told for row in seen.rows] == ["shorter, extended from step 30 to 40", "new, to step 40"]
    assert (seen.marks, seen.marked) == ((0.0, 0.25, 0.5, 0.75, 1.0), "5 checkpoints, from step 0 to 40")
    assert seen.command == (
        f"miscope train toy.sum values=5 seed=0 width=16 --set steps=40 --queue --workspace {trained.root}\n"
        f"miscope train toy.sum values=5 seed=2 width=16 --set steps=40 --queue --workspace {trained.root}"
    )


def test_the_form_that_is_looked_over_says_all_of_it(trained, queue):
    seen = looked_over(trained, queue, TOY, {FAMILY: "toy.sum", "seed": "7"})
    assert seen.review()["summary"] == "1 run: 1 new"
    assert seen.yaml == "family: toy.sum\nbase: {seed: 7}\n"
    assert looked_over(trained, queue, TOY, {FAMILY: "toy.sum"}).yaml == "family: toy.sum\n"
    assert looked_over(trained, queue, TOY, {FAMILY: "toy.sum", "seed": "7,8"}).defaults["study.name"] == "toy.sum-seed"
    wrong = looked_over(trained, queue, TOY, {FAMILY: "toy.sum", "seed": "-7"})
    assert (wrong.review(), wrong.yaml) == ({}, "family: toy.sum\nbase: {seed: -7}\n")


def test_forms_differ_in_the_fields_whose_texts_do():
    assert differences({"seed": "0", "width": "8"}, {"seed": "1", "steps": "40"}) == (
        Difference(field="seed", before="0", after="1"),
        Difference(field="width", before="8", after=""),
        Difference(field="steps", before="", after="40"),
    )


# --- start


@pytest.fixture
def place(tmp_path):
    return open_bound(tmp_path / "ws", tables()).value


def test_a_sweep_is_started_as_a_study_with_a_name_of_its_own(place):
    queue = RunQueue(place.root)
    form = {FAMILY: "toy.sum", "seed": "0,1", "study.analyze": "true", "analyze.analyzers": "parameters.norms"}
    made = start(place, queue, TOY, form)
    assert (made.study, made.skipped) == ("toy.sum-seed", 0)
    assert [(run.kind, run.what) for run in made.runs] == [
        ("train", FIRST), ("analyze", FIRST), ("train", OTHER), ("analyze", OTHER),
    ]  # fmt: skip
    runs = queue.runs()
    assert [run.place.needs for run in runs] == [(), (1,), (), (3,)]
    assert {run.group for run in runs} == {"toy.sum-seed"}
    assert (place.root / "studies" / "toy.sum-seed.yaml").exists()
    assert start(place, queue, TOY, {**form, "seed": "2,3"}).study == "toy.sum-seed-2"


def test_what_is_in_the_queue_is_not_asked_for_again(place):
    queue = RunQueue(place.root)
    start(place, queue, TOY, {FAMILY: "toy.sum", "seed": "0"})
    seen = looked_over(place, queue, TOY, {FAMILY: "toy.sum", "seed": "0,1"})
    assert seen.review()["summary"] == "2 runs: 1 new, 1 in the queue"
    assert seen.preview is not None
    assert seen.preview.left == (False, True)
    made = start(place, queue, TOY, {FAMILY: "toy.sum", "seed": "0,1"})
    assert [run.what for run in made.runs] == [OTHER]


def test_an_analysis_waits_for_the_training_that_is_under_way(place):
    queue = RunQueue(place.root)
    form = {FAMILY: "toy.sum", "seed": "0,1"}
    start(place, queue, TOY, {**form, "seed": "0"})
    list(
        open_bound(place.root, tables()).variant("toy.sum", seed=0).train(threads=1)
    )  # as far as a process may have come by now
    analyzed = {**form, "steps": "40", "study.analyze": "true", "analyze.analyzers": "parameters.norms"}
    made = start(place, queue, TOY, analyzed)
    assert [(run.id, run.kind, run.what) for run in made.runs] == [
        (2, "train", OTHER), (3, "analyze", OTHER), (4, "analyze", FIRST),
    ]  # fmt: skip
    assert [run.place.needs for run in queue.runs()] == [(), (), (2,), (1,)]


def test_a_start_says_that_it_replaces_a_study_that_says_something_else(place):
    queue = RunQueue(place.root)
    form = {FAMILY: "toy.sum", "seed": "0", "study.name": "mine"}
    assert looked_over(place, queue, TOY, form).review()["replaces"] == ""
    start(place, queue, TOY, form)
    assert looked_over(place, queue, TOY, form).review()["replaces"] == ""
    other = looked_over(place, queue, TOY, {**form, "seed": "1"})
    assert other.review()["replaces"] == "A start replaces the study mine as it is kept."


@pytest.mark.parametrize(
    "more", [{"analyze.steps": "every:10"}, {"analyze.executor": "processes"},
             {"analyze.analyzers": "neurons.clusters", "analyze.options": '{"neurons.clusters": {"threshold": 0.8}}'}]
)  # fmt: skip
def test_no_command_is_shown_where_it_would_leave_something_out(trained, queue, more):
    form = {FAMILY: "toy.sum", "study.analyze": "true"}
    assert looked_over(trained, queue, TOY, form).review()["command"]
    assert looked_over(trained, queue, TOY, {**form, **more}).review()["command"] == ""


def test_one_training_without_a_name_is_of_no_study(place):
    queue = RunQueue(place.root)
    made = start(place, queue, TOY, {FAMILY: "toy.sum"})
    assert (made.study, queue.run(1).group) == ("", None)
    assert not (place.root / "studies").exists()


def test_a_form_that_is_refused_starts_nothing(place):
    queue = RunQueue(place.root)
    with pytest.raises(BadValue) as refused:
        start(place, queue, TOY, {FAMILY: "toy.sum", "seed": "-1"})
    assert str(refused.value).splitlines()[0] == "Nothing was started."
    assert queue.runs() == []


def test_a_template_that_was_begun_with_counts_a_use(place):
    templates = Templates(place)
    kept = templates.save({"name": "Small"}, document_of(TOY, {FAMILY: "toy.sum"}))
    start(place, RunQueue(place.root), TOY, {FAMILY: "toy.sum"}, kept)
    assert templates.of_id(kept.id).uses == 1


def test_an_estimate_says_the_time_once_in_sentences() -> None:
    long = Remark(severity="warning", field="steps", message=f"it will probably take 1 to 38 hours. {TAKES_LESS}")
    large = Remark(severity="warning", field="learning_rate", message="it is large.")
    known = Estimate(
        weights=336, steps=30, checkpoints=4, adaptive=False, size=9000, data=600, seconds=(3600.0, 136800.0),
        measured=1, remarks=(large, long),
    )  # fmt: skip
    assert estimate_told(StudyEstimate(runs={"one": known})) == [
        "1 h 00 min to 1 d 14 h of training, one after the other (measured at 1 training here).",
        "4 checkpoints, 9 kB; 336 weights each.",
        "It is large.",
        "With fewer steps, or a smaller batch, it takes less.",
    ]
