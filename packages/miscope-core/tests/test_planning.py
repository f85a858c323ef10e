"""What is computed, in what order, and when a digest changes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.analysis.planning import complete, plan, recipes, resolve
from miscope.analyzer import Analyzer, Grain, NoOptions, Options
from miscope.errors import BadValue, UnknownName
from miscope.needs import Needs

STEPS = (0, 10, 20)


def nothing(shown):
    """Nothing."""
    return {}


class Cut(Options):
    at: float = 0.5


def record(name, *reads, grain=Grain.CHECKPOINT, options=NoOptions, **needs):
    needs = Needs(reads=reads, **needs)
    return Analyzer(name=name, version=1, grain=grain, compute=nothing, needs=needs, options=options)


TABLE = {
    a.name: a
    for a in (
        record("a.logits", sites=("logits",)),
        record("a.weights", weights=("*",)),
        record("a.both", "a.logits", "a.weights", options=Cut),
        record("a.path", "a.both", grain=Grain.TRAJECTORY),
        record("a.ends", "a.path", grain=Grain.TRAJECTORY),
        record("a.key", "a.ends"),
        record("a.cohort", "a.path", grain=Grain.COHORT),
    )
}


def digests(table=TABLE, *, names=tuple(TABLE), probe="p", steps=STEPS, options=None):
    return recipes(resolve(table, names), variant="v", probe=probe, steps=steps, options=options)


def changed(a, b):
    return {name for name in a if a[name] != b[name]}


def test_analyzers_of_one_step_share_one_job_and_what_is_read_comes_first():
    waves = plan(resolve(TABLE, ["a.both", "a.weights"]), steps=STEPS)
    assert [(job.step, job.analyzers) for job in waves[0].jobs] == [
        (step, ("a.logits", "a.weights", "a.both")) for step in STEPS
    ]
    assert len(waves) == 1


def test_what_spans_training_waits_for_every_step_and_what_reads_it_waits_for_it():
    waves = plan(resolve(TABLE, ["a.key"]), steps=STEPS)
    assert [(wave.grain.value, wave.jobs[0].analyzers) for wave in waves] == [
        ("checkpoint", ("a.logits", "a.weights", "a.both")),
        ("trajectory", ("a.path",)),
        ("trajectory", ("a.ends",)),
        ("checkpoint", ("a.key",)),
    ]


def test_what_is_there_is_not_computed_again():
    resolved = resolve(TABLE, ["a.path"])
    there = {name: set(STEPS) for name in resolved if name != "a.path"}
    assert [wave.grain for wave in plan(resolved, steps=STEPS, present=there)] == [Grain.TRAJECTORY]
    assert plan(resolved, steps=STEPS, present=there | {"a.path": {None}}) == []


def test_what_nobody_asked_for_is_computed_only_where_something_computed_reads_it():
    resolved = resolve(TABLE, ["a.both"])
    there = {"a.both": {0, 10}}
    (wave,) = plan(resolved, steps=STEPS, wanted=["a.both"], present=there)
    assert [(job.step, job.analyzers) for job in wave.jobs] == [(20, ("a.logits", "a.weights", "a.both"))]


def test_a_missing_step_of_what_a_trajectory_reads_is_computed_before_it():
    resolved = resolve(TABLE, ["a.path"])
    there = {"a.both": {0, 20}, "a.logits": set(STEPS), "a.weights": set(STEPS)}
    waves = plan(resolved, steps=STEPS, wanted=["a.path"], present=there)
    assert [[(job.step, job.analyzers) for job in wave.jobs] for wave in waves] == [
        [(10, ("a.both",))],
        [(None, ("a.path",))],
    ]


def test_a_circle_is_told_with_its_members():
    table = {a.name: a for a in (record("a.x", "a.y"), record("a.y", "a.z"), record("a.z", "a.x"))}
    with pytest.raises(BadValue) as error:
        resolve(table, ["a.x"])
    assert str(error.value) == (
        "These analyzers read each other in a circle, so none of them can be first:\n"
        "a.x -> a.y -> a.z -> a.x.\n"
        "Take one of the names out of its `reads`."
    )


def test_nothing_may_build_on_what_spans_several_variants():
    with pytest.raises(BadValue) as error:
        resolve(TABLE | {"a.after": record("a.after", "a.cohort")}, ["a.after"])
    assert str(error.value) == (
        "'a.after' reads 'a.cohort', which spans several variants.\n"
        "Its numbers depend on which variants were analyzed together, so nothing may build on them.\n"
        "Read what 'a.cohort' reads instead."
    )


def test_an_unknown_name_comes_with_a_suggestion():
    with pytest.raises(UnknownName, match=r"Did you mean 'a\.logits'\?"):
        resolve(TABLE, ["a.logit"])


def test_what_reads_an_analyzer_that_is_not_installed_is_left_out_with_all_that_reads_it():
    table = {**TABLE, **{a.name: a for a in (record("b.top", "a.both", "b.mid"), record("b.mid", "elsewhere.sums"))}}
    assert complete(table) == TABLE


def test_a_new_version_makes_its_readers_stale_too():
    newer = TABLE | {"a.weights": replace(TABLE["a.weights"], version=2)}
    assert changed(digests(), digests(newer)) == set(TABLE) - {"a.logits"}


def test_an_option_counts_by_its_value_not_by_being_spelt_out():
    assert digests(options={"a.both": {"at": 0.5}}) == digests()
    assert "a.both" in changed(digests(), digests(options={"a.both": {"at": 0.4}}))


def test_only_what_looks_at_the_probe_depends_on_it():
    assert changed(digests(), digests(probe="q")) == set(TABLE) - {"a.weights"}


def test_the_steps_count_for_what_spans_them_and_for_all_that_builds_on_it():
    assert changed(digests(), digests(steps=(0, 10))) == {"a.path", "a.ends", "a.key", "a.cohort"}


@st.composite
def tables(draw):
    count = draw(st.integers(1, 7))
    table = {}
    for i in range(count):
        upstream = draw(st.sets(st.sampled_from(sorted(table)), max_size=3)) if table else set()
        grain = draw(st.sampled_from([Grain.CHECKPOINT, Grain.TRAJECTORY]))
        table[f"n.a{i}"] = record(f"n.a{i}", *sorted(upstream), grain=grain)
    spans = {name: STEPS if a.grain is Grain.CHECKPOINT else (None,) for name, a in table.items()}
    return table, {name: draw(st.sets(st.sampled_from(span))) for name, span in spans.items()}


@given(tables())
def test_every_plan_computes_what_is_missing_once_and_never_before_what_it_reads(drawn):
    table, present = drawn
    there = {(name, step) for name, steps in present.items() for step in steps}
    for wave in plan(table, steps=STEPS, present=present):
        left = set()
        for job in wave.jobs:
            for name in job.analyzers:
                assert (name, job.step) not in there | left
                for upstream in table[name].needs.reads:
                    together = table[name].grain is table[upstream].grain is Grain.CHECKPOINT
                    spans = STEPS if table[upstream].grain is Grain.CHECKPOINT else (None,)
                    needed = {(upstream, job.step)} if together else {(upstream, step) for step in spans}
                    assert needed <= (there | left if together else there)
                left.add((name, job.step))
        there |= left
    everything = {(n, s) for n, a in table.items() for s in (STEPS if a.grain is Grain.CHECKPOINT else (None,))}
    assert there == everything
