"""What analyzing saves, tells, leaves out and survives."""

import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from miscope.analysis.analyze import analyze
from miscope.analysis.chosen_steps import chosen_steps
from miscope.analysis.job import Job
from miscope.analysis.perform import Portable, perform
from miscope.analyzer import Analyzer, Grain, Options
from miscope.checkpoint import Checkpoint
from miscope.errors import BadValue, DoesNotApply, NoCheckpoint, UnknownName
from miscope.hookspecs import hookimpl
from miscope.needs import Needs
from miscope.outcome import State

STEPS = (0, 10, 20)


def total(snapshot):
    """Sum of all weights."""
    return {"sum": np.array(sum(float(w.sum()) for w in snapshot.weights.values()))}


def doubled(snapshot):
    """Twice that sum."""
    return {"sum": 2 * snapshot.artifacts["t.total"]["sum"]}


def course(trajectory):
    """That, over training."""
    return {"sums": trajectory.artifacts["t.doubled"]["sum"], "step": trajectory.steps}


def broken(snapshot):
    """Always fails."""
    raise ZeroDivisionError("one over nought")


def afterwards(snapshot):
    """Reads what fails."""
    return {"x": snapshot.artifacts["t.broken"]["x"]}


def nosy(snapshot):
    """Reads what it did not declare."""
    return {"x": snapshot.weights["W_E"].numpy()}


def ragged(snapshot):
    """Returns what cannot be stored."""
    return {"lists": np.array([[1], [1, 2]], dtype=object)}


def spread(cohort):
    """Largest less smallest final sum of several variants."""
    ends = [member.artifacts["t.course"]["sums"][-1] for member in cohort.members]
    return {"spread": np.array(max(ends) - min(ends))}


class Power(Options):
    exponent: int = 1


def powered(snapshot):
    """The sum to a power."""
    return {"power": np.array(float(snapshot.weights["W_E"].sum()) ** snapshot.options.exponent)}


def blind(snapshot):
    """How many inputs an instrument is shown that does not look at the probe."""
    return {"inputs": np.array(len(snapshot.probe.inputs))}


def slope(snapshot):
    """Length of the gradient of W_U, and of the optimizer's average of it."""
    average = snapshot.optimizer_state["W_U"]["exp_avg"] if snapshot.optimizer_state else snapshot.gradients["W_U"] * 0
    return {"gradient": np.array(float(snapshot.gradients["W_U"].norm())), "average": np.array(float(average.norm()))}


class Offered:
    """A plug-in with these analyzers."""

    def __init__(self, *analyzers):
        self.analyzers = analyzers

    @hookimpl
    def miscope_analyzers(self):
        return self.analyzers


def record(name, compute, grain=Grain.CHECKPOINT, **facts):
    return Analyzer(name=name, version=1, grain=grain, compute=compute, **facts)


TOTAL = record("t.total", total, needs=Needs(weights=("*",)))
DOUBLED = record("t.doubled", doubled, needs=Needs(reads=("t.total",)))
COURSE = record("t.course", course, Grain.TRAJECTORY, needs=Needs(reads=("t.doubled",)))
SPREAD = record("t.spread", spread, Grain.COHORT, needs=Needs(reads=("t.course",)))


@pytest.fixture
def place(tmp_path):
    """place(analyzers...): a workspace that knows them and the toy families only."""
    from miscope.bound import open_bound
    from miscope.plugins.plugins import Plugins
    from miscope.testing import toy

    def make(*analyzers):
        from miscope.analysis import executors

        class Runners:
            @hookimpl
            def miscope_executors(self):
                return (executors.Inline(), executors.Processes(2))

        return open_bound(tmp_path / "w", Plugins.of(toy=toy, offered=Offered(*analyzers), runners=Runners()))

    return make


def untrained(workspace, *, family="toy.sum", steps=STEPS, **fields):
    """A variant with checkpoints that grow from its initialisation."""
    variant = workspace.variant(family, **fields)
    workspace.store.save_variant(variant.value)
    weights = workspace.context(variant.value).task.initial_weights()
    for step in steps:
        grown = {role: tensor * (1 + step / 10) for role, tensor in weights.items()}
        workspace.store.save_checkpoint(variant.name, Checkpoint(step=step, weights=grown))
    return variant


def states(outcomes):
    return {(name, outcome.step): outcome.state for outcome in outcomes for name in outcome.analyzers}


def test_everything_that_applies_is_computed_saved_and_told(place):
    workspace = place(TOTAL, DOUBLED, COURSE)
    variant = untrained(workspace)
    outcomes = list(analyze(workspace.value, variant.value))
    expected = {(name, step): State.SAVED for name in ("t.total", "t.doubled") for step in STEPS}
    assert states(outcomes) == expected | {("t.course", None): State.SAVED}
    assert [(o.done, o.total) for o in outcomes] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {o.checkpoints for o in outcomes} == {len(STEPS)}
    sums = variant.arrays("t.course")["sums"]
    assert sums == pytest.approx(variant.arrays("t.total")["sum"] * 2)
    assert sums[1] == pytest.approx(2 * sums[0])
    lines = [line for line in workspace.ledger.lines() if line["event"] == "artifact"]
    assert len(lines) == 7
    assert lines[0]["scalars"] == {"sum": pytest.approx(sums[0] / 2)}


def test_what_is_there_is_not_computed_again(place):
    workspace = place(TOTAL, DOUBLED, COURSE)
    variant = untrained(workspace)
    list(analyze(workspace.value, variant.value))
    (outcome,) = analyze(workspace.value, variant.value)
    assert (outcome.state, set(outcome.analyzers)) == (State.PRESENT, {"t.total", "t.doubled", "t.course"})
    assert len(workspace.ledger.runs()) == 1


def test_force_computes_the_named_ones_again_and_leaves_what_they_read(place):
    workspace = place(TOTAL, DOUBLED)
    variant = untrained(workspace)
    list(analyze(workspace.value, variant.value))
    assert set(states(analyze(workspace.value, variant.value, ["t.doubled"], force=True))) == {
        ("t.doubled", s) for s in STEPS
    }


def test_a_new_checkpoint_brings_its_own_job_and_a_new_course(place):
    workspace = place(TOTAL, DOUBLED, COURSE)
    variant = untrained(workspace)
    list(analyze(workspace.value, variant.value))
    last = workspace.store.load_checkpoint(variant.name, 20)
    workspace.store.save_checkpoint(variant.name, Checkpoint(step=30, weights=last.weights))
    saved = {key for key, state in states(analyze(workspace.value, variant.value)).items() if state is State.SAVED}
    assert saved == {("t.total", 30), ("t.doubled", 30), ("t.course", None)}
    assert list(variant.arrays("t.course")["step"]) == [0, 10, 20, 30]


def test_a_schedule_with_whose_steps_no_checkpoint_agrees_is_refused():
    there = [[0, 100, 200, 300], [0, 100, 200, 300, 400]]
    assert chosen_steps("every:200", there) == [0, 200, 300]
    assert chosen_steps("every:300", there) == [0, 300]
    assert chosen_steps("every:7", [[0, 300]]) == [0, 300]
    with pytest.raises(BadValue) as refused:
        chosen_steps("every:7", there)
    assert str(refused.value) == (
        "There is no checkpoint at any step of 'every:7', but for the first and the last.\n"
        "There are 4, at 0, 100, 200, 300.\n"
        "Write some of these, with commas between them, or a schedule that they are on."
    )
    with pytest.raises(BadValue, match=r"There are 31, at 1000, 1100, .*, 2100 and 19 others"):
        chosen_steps("every:3999", [range(1000, 4001, 100)])


def test_chosen_steps_are_all_that_is_looked_at(place):
    workspace = place(TOTAL, DOUBLED, COURSE)
    variant = untrained(workspace)
    assert set(states(analyze(workspace.value, variant.value, ["t.course"], steps=[0, 20]))) == {
        *((name, step) for name in ("t.total", "t.doubled") for step in (0, 20)),
        ("t.course", None),
    }


def test_a_failure_is_an_outcome_what_reads_it_is_not_tried_and_the_rest_goes_on(place):
    reader = record("t.afterwards", afterwards, needs=Needs(reads=("t.broken",)))
    workspace = place(TOTAL, record("t.broken", broken, needs=Needs(weights=("*",))), reader)
    variant = untrained(workspace, steps=(0,))
    outcomes = list(analyze(workspace.value, variant.value))
    assert states(outcomes) == {
        ("t.total", 0): State.SAVED,
        ("t.broken", 0): State.FAILED,
        ("t.afterwards", 0): State.NOT_TRIED,
    }
    by_name = {outcome.analyzers[0]: outcome for outcome in outcomes}
    assert by_name["t.broken"].error == "ZeroDivisionError: one over nought"
    assert "in broken" in by_name["t.broken"].trace
    assert by_name["t.afterwards"].error == "It reads 't.broken', which is not there at step 0."
    lines = [line for line in workspace.ledger.lines() if line["event"] == "failure"]
    assert [line["analyzers"] for line in lines] == [["t.broken"], ["t.afterwards"]]
    assert "ZeroDivisionError" in lines[0]["trace"]


def test_a_failure_at_one_step_leaves_what_spans_training_untried(place):
    workspace = place(TOTAL, DOUBLED, COURSE)
    variant = untrained(workspace)
    path = workspace.store.layout.checkpoint(variant.name, 10)
    path.write_bytes(path.read_bytes()[:100])
    outcomes = list(analyze(workspace.value, variant.value))
    assert states(outcomes) == {
        **{(name, step): State.SAVED for name in ("t.total", "t.doubled") for step in (0, 20)},
        **{(name, 10): State.FAILED for name in ("t.total", "t.doubled")},
        ("t.course", None): State.NOT_TRIED,
    }
    errors = [outcome.error for outcome in outcomes if outcome.error]
    assert errors[0].startswith(f"{path} cannot be read.\n")
    assert errors[1] == f"It reads 't.doubled', which is missing at 1 of 3 steps, first at 10, for {variant.name}."


def test_an_undeclared_read_is_told_with_the_cure(place):
    workspace = place(record("t.nosy", nosy, needs=Needs(weights=("W_U",))))
    (outcome,) = analyze(workspace.value, untrained(workspace, steps=(0,)).value)
    assert outcome.state is State.FAILED
    assert outcome.error == (
        "'t.nosy' read the weight 'W_E' without declaring it.\n"
        "It declares weights=('W_U',); add 'W_E' there, so that miscope provides it and notices when it changes.\n"
        "`miscope where t.nosy` shows the file."
    )


def test_python_objects_are_not_stored(place):
    workspace = place(record("t.ragged", ragged))
    (outcome,) = analyze(workspace.value, untrained(workspace, steps=(0,)).value)
    assert outcome.error == (
        "'t.ragged' returned under 'lists' what is no array: ndarray.\n"
        "Only numbers and text can be stored without pickling; a list of arrays of unequal length cannot, nor can "
        "tensors in bfloat16 or with a gradient.\n"
        "Return one rectangular array, or a flat one with offsets; of a tensor  tensor.detach().float().numpy()."
    )


def test_an_instrument_that_does_not_look_at_the_probe_is_not_shown_it(place):
    workspace = place(record("t.blind", blind, needs=Needs(weights=("W_E",))))
    variant = untrained(workspace, steps=(0,))
    list(analyze(workspace.value, variant.value))
    assert variant.arrays("t.blind", 0)["inputs"] == 0


def test_gradients_of_the_training_loss_are_shown_to_who_declares_them(place):
    workspace = place(record("t.slope", slope, needs=Needs(weights=("W_U",), gradients=True)))
    variant = untrained(workspace, steps=(0,))
    list(analyze(workspace.value, variant.value))
    context = workspace.context(variant.value)
    weights = {role: t.double().requires_grad_() for role, t in context.task.initial_weights().items()}
    logits = context.model.run(weights, context.task.train.inputs, ["logits"])["logits"][:, -1]
    torch.nn.functional.cross_entropy(logits, context.task.train.labels).backward()
    assert variant.arrays("t.slope", 0)["gradient"] == pytest.approx(float(weights["W_U"].grad.norm()), rel=1e-9)


def test_the_optimizers_state_is_shown_where_it_was_kept(place):
    workspace = place(record("t.slope", slope, needs=Needs(weights=("W_U",), gradients=True, optimizer=True)))
    (outcome,) = analyze(workspace.value, untrained(workspace, steps=(0,)).value)
    cure = "train with save_optimizer=true, or watch it while it trains"
    reason = f"no optimizer state was kept beside its checkpoints; {cure}"
    assert (outcome.state, outcome.error) == (State.SKIPPED, f"does not apply: {reason}")
    with pytest.raises(DoesNotApply, match=reason):
        analyze(workspace.value, untrained(workspace, steps=(0,)).value, ["t.slope"])
    variant = workspace.variant("toy.sum", seed=3, save_optimizer=True, steps=4, checkpoints="every:2")
    list(variant.train(threads=1))
    workspace.store.layout.training_state(variant.name, 2).unlink()
    (outcome,) = analyze(workspace.value, variant.value, steps=[2])
    assert outcome.state is State.NOT_TRIED
    assert (
        outcome.error
        == "No optimizer state was kept at step 2; train with save_optimizer=true, or watch it while it trains."
    )
    assert {outcome.state for outcome in analyze(workspace.value, variant.value, steps=[4])} == {State.SAVED}
    assert variant.arrays("t.slope", 4)["average"] > 0


def test_what_does_not_apply_is_skipped_by_default_and_refused_by_name(place):
    attention = record("t.attention", total, needs=Needs(sites=("blocks.*.attn.hook_pattern",)))
    reader = record("t.reader", total, needs=Needs(reads=("t.attention",)))
    lonely = record("t.lonely", total, needs=Needs(reads=("t.gone",)))
    workspace = place(TOTAL, attention, reader, lonely)
    variant = untrained(workspace, steps=(0,))
    skipped = {o.analyzers[0]: o.error for o in analyze(workspace.value, variant.value) if o.state is State.SKIPPED}
    reason = "toy.sum has no site 'blocks.*.attn.hook_pattern'"
    assert skipped == {
        "t.attention": f"does not apply: {reason}",
        "t.reader": f"does not apply: {reason}",
        "t.lonely": "does not apply: it reads 't.gone', which is not installed",
    }
    with pytest.raises(DoesNotApply) as error:
        analyze(workspace.value, variant.value, ["t.attention"])
    assert str(error.value) == (
        f"'t.attention' does not apply to {variant.name}: {reason}.\n"
        "Computing cannot bring it: the instrument needs something that the variant or its family does not have.\n"
        "`miscope analyzers t.attention` says what it needs."
    )


def test_a_raised_version_computes_that_instrument_and_its_readers_anew_and_nothing_else(place):
    aside = record("t.aside", total, needs=Needs(weights=("W_E",)))
    workspace = place(TOTAL, DOUBLED, COURSE, aside)
    variant = untrained(workspace, steps=(0, 10))
    list(analyze(workspace.value, variant.value))
    raised = place(TOTAL, replace(DOUBLED, version=2), COURSE, aside)
    state_by_job = states(analyze(raised.value, raised.find(variant.name).value))
    computed = {key for key, state in state_by_job.items() if state is State.SAVED}
    assert computed == {("t.doubled", 0), ("t.doubled", 10), ("t.course", None)}
    assert {name for (name, _), state in state_by_job.items() if state is State.PRESENT} == {"t.total", "t.aside"}


def test_an_opt_in_instrument_and_what_reads_it_wait_to_be_asked_for_by_name(place):
    heavy = record("t.total", total, needs=Needs(weights=("*",)), opt_in=True)
    workspace = place(heavy, DOUBLED, record("t.light", total, needs=Needs(weights=("*",))))
    variant = untrained(workspace, steps=(0,))
    unasked = list(analyze(workspace.value, variant.value))
    long = "takes long, and is computed when asked for by name"
    assert {o.analyzers[0]: o.error for o in unasked if o.state is State.SKIPPED} == {
        "t.total": long,
        "t.doubled": long,
    }
    assert states(analyze(workspace.value, variant.value, ["t.doubled"]))["t.doubled", 0] is State.SAVED


def test_why_an_instrument_does_not_apply_is_remembered_and_stops_what_reads_it(place):
    looked = []

    def picky(snapshot):
        """Applies to nothing."""
        looked.append(snapshot.step)
        raise DoesNotApply("no two inputs are alike")

    def after(trajectory):
        """Reads it over training."""
        return {"x": trajectory.artifacts["t.picky"]["x"]}

    there = (
        record("t.picky", picky, needs=Needs(weights=("*",))),
        record("t.doubled", doubled, needs=Needs(reads=("t.picky",))),
    )
    workspace = place(*there, record("t.after", after, Grain.TRAJECTORY, needs=Needs(reads=("t.picky",))))
    variant = untrained(workspace, steps=(0, 10))
    chain = "it reads 't.picky', which does not apply: no two inputs are alike"
    errors = {(o.analyzers[0], o.step): o.error for o in analyze(workspace.value, variant.value)}
    assert errors["t.picky", 10] == "does not apply: no two inputs are alike"
    assert errors["t.doubled", 0] == errors["t.after", None] == f"does not apply: {chain}"
    list(analyze(workspace.value, variant.value))
    assert looked == [0, 10]
    for name, step in (("t.doubled", 0), ("t.doubled", None), ("t.after", None)):
        with pytest.raises(DoesNotApply) as error:
            variant.arrays(name, step)
        assert error.value.reason == chain


def test_what_does_not_apply_across_variants_is_not_tried_again_and_is_forgotten_once_forced(place):
    tried = []

    def moody(cohort):
        """Refuses the first time."""
        tried.append(len(cohort.members))
        if len(tried) == 1:
            raise DoesNotApply("they are all alike")
        return {"x": np.array(1.0)}

    workspace = place(TOTAL, record("t.moody", moody, Grain.COHORT, needs=Needs(reads=("t.total",))))
    two = [untrained(workspace, steps=(0,), seed=seed) for seed in (1, 2)]
    for _ in range(2):
        list(analyze(workspace.value, [each.value for each in two]))
    assert tried == [2]
    (outcome,) = (
        o
        for o in analyze(workspace.value, [each.value for each in two], ["t.moody"], force=True)
        if "t.moody" in o.analyzers
    )
    assert outcome.state is State.SAVED
    assert workspace.store.not_applicable(outcome.keys["t.moody"]) is None


def test_an_instrument_that_runs_the_model_is_given_it_and_no_other_is(place):
    def rerun(snapshot):
        """Largest logit of the weights doubled."""
        doubled = {role: 2 * tensor for role, tensor in snapshot.weights.items()}
        return {"most": snapshot.model.answers(doubled, snapshot.probe.inputs, ["logits"])["logits"].amax().numpy()}

    def blind(snapshot):
        """Whether there is no model."""
        return {"none": np.array(snapshot.model is None)}

    runner = record("t.rerun", rerun, needs=Needs(weights=("*",), model=True))
    workspace = place(runner, record("t.blind", blind, needs=Needs(weights=("*",))))
    variant = untrained(workspace, steps=(0,))
    assert states(analyze(workspace.value, variant.value))["t.rerun", 0] is State.SAVED
    assert variant.arrays("t.blind", 0)["none"]


def test_bad_input_is_refused_before_anything_is_computed(place):
    workspace = place(TOTAL, record("t.power", powered, needs=Needs(weights=("W_E",)), options=Power))
    variant = untrained(workspace)
    with pytest.raises(UnknownName, match=r"Did you mean 't\.total'\?"):
        analyze(workspace.value, variant.value, ["t.totl"])
    with pytest.raises(NoCheckpoint, match="no checkpoint at step 15"):
        analyze(workspace.value, variant.value, steps=[15])
    with pytest.raises(UnknownName, match="no executor named 'clouds'"):
        analyze(workspace.value, variant.value, executor="clouds")
    with pytest.raises(BadValue) as error:
        analyze(workspace.value, variant.value, options={"t.power": {"exponent": "high"}})
    assert str(error.value) == (
        "'t.power' does not take exponent=high.\n"
        "'exponent' is a whole number, by default 1.\n"
        "Write it like this:  t.power.exponent=1"
    )
    assert workspace.ledger.runs() == []


def test_other_options_are_another_artifact(place):
    workspace = place(record("t.power", powered, needs=Needs(weights=("W_E",)), options=Power))
    variant = untrained(workspace, steps=(0,))
    (first,) = analyze(workspace.value, variant.value)
    (second,) = analyze(workspace.value, variant.value, options={"t.power": {"exponent": 2}})
    assert second.state is State.SAVED
    assert second.scalars["t.power"]["power"] == pytest.approx(first.scalars["t.power"]["power"] ** 2)
    (third,) = analyze(workspace.value, variant.value)
    assert third.state is State.PRESENT


def test_several_variants_are_one_cohort_in_whatever_order_they_are_given(place):
    workspace = place(TOTAL, DOUBLED, COURSE, SPREAD)
    variants = [untrained(workspace, seed=seed) for seed in (1, 2)]
    outcomes = list(analyze(workspace.value, [each.value for each in variants], ["t.spread"]))
    assert outcomes[-1].analyzers == ("t.spread",)
    assert outcomes[-1].variant.startswith("cohort/")
    ends = [variant.arrays("t.course")["sums"][-1] for variant in variants]
    assert outcomes[-1].scalars["t.spread"]["spread"] == pytest.approx(abs(ends[0] - ends[1]))
    for order in (variants, variants[::-1]):
        assert {o.state for o in analyze(workspace.value, [each.value for each in order], ["t.spread"])} <= {
            State.PRESENT
        }


def test_one_variant_alone_is_no_cohort(place):
    workspace = place(TOTAL, DOUBLED, COURSE, SPREAD)
    variant = untrained(workspace, seed=1)
    with pytest.raises(DoesNotApply) as error:
        analyze(workspace.value, variant.value, ["t.spread"])
    assert str(error.value) == (
        f"'t.spread' does not apply to {variant.name}: it compares several variants, and this is one alone.\n"
        "Nothing is missing of the variant: a comparison takes two or more.\n"
        f"Name others beside it:  miscope analyze {variant.name} OTHER --only t.spread --workspace {workspace.root}"
    )
    assert not any(o.analyzers == ("t.spread",) for o in analyze(workspace.value, variant.value))


def test_variants_that_are_shown_different_inputs_are_not_compared_input_by_input(place):
    by_input = record("t.spread", spread, Grain.COHORT, needs=Needs(reads=("t.course",), same_probe=True))
    workspace = place(TOTAL, DOUBLED, COURSE, by_input)
    five, seven = (untrained(workspace, values=n) for n in (5, 7))
    with pytest.raises(DoesNotApply) as error:
        analyze(workspace.value, [seven.value, five.value], ["t.spread"])
    assert str(error.value).split("\n")[0] == (
        f"'t.spread' does not apply to {five.name}, {seven.name}: it compares variants input by input, and "
        f"{five.name} and {seven.name} are shown different inputs."
    )
    # Another seed is another split of the same inputs.
    other = untrained(workspace, seed=2)
    assert list(analyze(workspace.value, [five.value, other.value], ["t.spread"]))[-1].state is State.SAVED


def test_an_analysis_stops_before_the_next_checkpoint_and_goes_on_from_there(place):
    workspace = place(TOTAL)
    variant = untrained(workspace)
    seen = []
    for outcome in analyze(workspace.value, variant.value, should_stop=lambda: len(seen) == 2):
        seen.append(outcome)
    assert [outcome.step for outcome in seen] == [0, 10]
    assert [line["event"] for line in workspace.ledger.lines()][-1] == "stopped"
    assert [o.step for o in analyze(workspace.value, variant.value) if o.state is State.SAVED] == [20]


def test_a_stop_request_for_the_run_is_heard(place):
    workspace = place(TOTAL)
    outcomes = analyze(workspace.value, untrained(workspace).value)
    next(outcomes)
    workspace.ledger.request_stop(workspace.ledger.runs()[0])
    assert list(outcomes) == []


def test_an_iterator_that_is_dropped_leaves_a_run_that_stopped(place):
    workspace = place(TOTAL)
    outcomes = analyze(workspace.value, untrained(workspace).value)
    next(outcomes)
    outcomes.close()
    assert [line["event"] for line in workspace.ledger.lines()][-1] == "stopped"


def test_ctrl_c_finishes_the_job_under_way(place):
    workspace = place(TOTAL)
    variant = untrained(workspace)
    outcomes = analyze(workspace.value, variant.value)
    next(outcomes)
    os.kill(os.getpid(), signal.SIGINT)
    assert list(outcomes) == []
    assert workspace.ledger.runs()
    assert len([o for o in analyze(workspace.value, variant.value) if o.state is State.SAVED]) == 2


@pytest.fixture
def one_thread():
    """As in the processes of an analysis: the last bit is the same where operations are the same in the same order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_processes_save_the_same_numbers_as_one(tmp_path):
    from miscope import builtin
    from miscope.bound import open_bound
    from miscope.plugins.plugins import Plugins
    from miscope.testing import toy

    names = ["spectra.embedding", "neurons.frequencies", "neurons.clusters"]
    arrays = {}
    for executor in ("inline", "processes"):
        workspace = open_bound(tmp_path / executor, Plugins.of(core=builtin, toy=toy))
        variant = untrained(workspace, family="toy.fourier")
        outcomes = list(analyze(workspace.value, variant.value, names, executor=executor))
        assert {outcome.state for outcome in outcomes} == {State.SAVED}
        arrays[executor] = {name: dict(variant.arrays(name)) for name in names}
    for name in names:
        for array, values in arrays["inline"][name].items():
            np.testing.assert_array_equal(values, arrays["processes"][name][array], err_msg=f"{name} {array}")


def test_what_another_process_cannot_import_is_told_there(place):
    workspace = place(TOTAL)
    variant = untrained(workspace, steps=(0,))
    elsewhere = pickle.loads(pickle.dumps(Portable(workspace)))
    assert set(elsewhere.workspace.plugins.families) == set(workspace.plugins.families)
    (outcome,) = perform(elsewhere, Job(variant=variant.name, step=0, analyzers=("t.total",), steps=(0,)))
    assert outcome.state is State.FAILED
    assert outcome.error == (
        "There is no analyzer named 't.total', nor any other.\n"
        "None that is known here is spelt like it.\n"
        "`miscope analyzers` lists the 0 that are installed."
    )


KILLED = """
import os, random, signal, sys
import torch
torch.set_num_threads(1)
from miscope import builtin
from miscope.analysis.analyze import analyze
from miscope.plugins.plugins import Plugins
from miscope.testing import toy
from miscope.bound import open_bound

root, name = sys.argv[1:]
def held():
    return len(list(open_bound(root).store.layout.root.rglob("step_*.npz")))

def analysis(**which):
    workspace = open_bound(root, Plugins.of(core=builtin, toy=toy))
    return analyze(workspace.value, workspace.value.find(name), ['behaviour.metrics', 'neurons.frequencies'], **which)

# Once here, so that what it imports is there and the others spend their lives analyzing.
list(analysis(steps=[0]))
chance = random.Random(0)
for attempt in range(20):
    more, seconds = chance.randrange(4), chance.uniform(0.0001, 0.005)
    child = os.fork()
    if child == 0:
        here = analysis()
        for _ in range(more):
            next(here)
        # After so much more work: killed by the kernel, as no handler is set for this signal.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        list(here)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGPROF), code
    if code == 0:
        break
    print(held(), flush=True)
"""


@pytest.mark.usefixtures("one_thread")
def test_an_analysis_killed_at_random_loses_nothing_that_was_finished(tmp_path):
    from miscope import builtin
    from miscope.bound import open_bound
    from miscope.plugins.plugins import Plugins
    from miscope.testing import toy

    def fresh(folder):
        workspace = open_bound(folder, Plugins.of(core=builtin, toy=toy))
        return workspace, untrained(workspace, family="toy.fourier", steps=range(120))

    workspace, variant = fresh(tmp_path / "killed")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(workspace.root), variant.name],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    counts = [int(line) for line in done.stdout.split()]
    assert counts == sorted(counts)
    assert len(counts) >= 5, "it was done before it had been killed a few times"
    assert counts[-1] > 20
    finished = {path: path.read_bytes() for path in Path(workspace.root).rglob("step_*.npz")}
    names = ["behaviour.metrics", "neurons.frequencies"]
    assert {outcome.state for outcome in analyze(workspace.value, variant.value, names)} <= {State.SAVED, State.PRESENT}
    assert {path: path.read_bytes() for path in finished} == finished
    _, straight = fresh(tmp_path / "straight")
    list(analyze(straight.workspace.value, straight.value, names))
    for name in names:
        for array, values in straight.arrays(name).items():
            np.testing.assert_array_equal(values, variant.arrays(name)[array])
