"""Instruments watch a training: what they see is what they see of checkpoints, and the training is as without them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from miscope.analysis.analyze import analyze
from miscope.analyzer import Analyzer, Grain
from miscope.bound import BoundVariant, open_bound
from miscope.errors import DoesNotApply, MiscopeError, UnknownName
from miscope.needs import Needs
from miscope.outcome import State
from miscope.patterns import matching_metrics
from miscope.testing import tables
from miscope.testing.toy_gated import ToyGated
from miscope.training.train import Progress

Toy = Callable[..., BoundVariant]


def analyzer(name: str, compute: Callable[[Any], Mapping[str, Any]], **fields: Any) -> Analyzer:
    return Analyzer(**{"name": name, "version": 1, "grain": Grain.CHECKPOINT, "compute": compute, **fields})


def disturbs_later(snapshot: Any) -> dict[str, Any]:
    """From step 3 on."""
    return disturbs(snapshot) if snapshot.step >= 3 else {"x": np.array(0.0)}


def disturbs(snapshot: Any) -> dict[str, Any]:
    """Changes whatever of the process can be changed, and runs the network."""
    snapshot.model.run(snapshot.weights, snapshot.probe.inputs, ["logits"])
    torch.manual_seed(7)
    np.random.seed(7)
    random.seed(7)
    torch.set_num_threads(1 + torch.get_num_threads())
    torch.set_flush_denormal(False)
    torch.set_grad_enabled(False)
    for weight in snapshot.weights.values():
        weight.zero_()
    return {"x": np.array(1.0)}


def fails_late(snapshot: Any) -> dict[str, Any]:
    """From step 7 on."""
    if snapshot.step >= 7:
        raise ZeroDivisionError("one over nought")
    return {"x": np.array(float(snapshot.step))}


def remembered(snapshot: Any) -> dict[str, Any]:
    """Of the optimizer and the gradient."""
    return {
        "average": np.array(float(snapshot.optimizer_state["W_U"]["exp_avg"].norm())),
        "gradient": np.array(float(snapshot.gradients["W_U"].norm())),
    }


NORM = analyzer(
"t.norm",
lambda m: {"norm": np.array(float(m.weights["W_E"].norm())), "all": m.weights["W_E"].numpy()},
needs=Needs(weights=("W_E",)),
)  # fmt: skip
DOUBLE = analyzer("t.double", lambda m: {"norm": 2 * m.artifacts["t.norm"]["norm"]}, needs=Needs(reads=("t.norm",)))
UNDEFINED = analyzer("t.undefined", lambda m: {"loss": np.array(np.nan)}, needs=Needs(weights=("W_E",)))
LATE = analyzer("t.late", fails_late, needs=Needs(weights=("W_E",)))
AFTER = analyzer("t.after", lambda m: {"x": m.artifacts["t.late"]["x"]}, needs=Needs(reads=("t.late",)))
DISTURBS = analyzer("t.disturbs", disturbs, needs=Needs(weights=("*",), model=True))
LATER = analyzer("t.disturbs_later", disturbs_later, needs=Needs(weights=("*",), model=True))
REMEMBERED = analyzer("t.remembered", remembered, needs=Needs(weights=("W_U",), gradients=True, optimizer=True))
COURSE = analyzer(
    "t.course", lambda t: {"n": np.array(len(t.steps))}, grain=Grain.TRAJECTORY, needs=Needs(reads=("t.norm",))
)
OF_COURSE = analyzer("t.of_course", lambda m: {}, needs=Needs(reads=("t.course",)))
SHOWN = analyzer(
    "t.shown",
    lambda t: {name: series.values for name, series in t.metrics.items()},
    grain=Grain.TRAJECTORY,
    needs=Needs(reads=("t.norm",), metrics=("*_loss", "*_accuracy")),
)
TOGETHER = analyzer("t.together", lambda c: {"n": np.array(2)}, grain=Grain.COHORT, needs=Needs(reads=("t.course",)))
ATTENTION = analyzer("t.attention", lambda m: {}, needs=Needs(sites=("blocks.*.attn.hook_pattern",)))
MAPS = analyzer(
    "t.maps", lambda m: {"map": np.zeros((2, 2))}, needs=Needs(weights=("W_E",)), outputs={"map": "(2, 2) zeros"}
)
FAILS = analyzer("t.fails", lambda m: {"x": 1 / 0}, needs=Needs(weights=("W_E",)))


def does_not(snapshot: Any) -> dict[str, Any]:
    """Finds out while it computes."""
    raise DoesNotApply("its weights have no corners")


NEVER = analyzer("t.never", does_not, needs=Needs(weights=("W_E",)))
OF_INPUTS = ("smoothness.spectrum", "sensitivity.jacobian", "sensitivity.input_hessian", "representation.norm")
"""Of the answers to the inputs, some by random directions."""
OF_WEIGHTS = tuple(f"curvature.{name}" for name in ("gradient", "trace", "eigenvalues", "fisher", "noise"))
"""Of the loss as a function of the weights, some by random directions."""
RECORDS = (
    NORM, DOUBLE, UNDEFINED, LATE, AFTER, DISTURBS, LATER, REMEMBERED, COURSE, OF_COURSE, SHOWN, TOGETHER, ATTENTION,
    MAPS, FAILS, NEVER, ToyGated(),
)  # fmt: skip


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """toy("name", field=...): an untrained toy variant in a workspace of that name, which knows the instruments."""
    return lambda where="one", **fields: open_bound(tmp_path / where, tables(*RECORDS)).variant(
        fields.pop("family", "toy.fourier"), **{"steps": 12, "checkpoints": "every:5", **fields}
    )


def trained(variant: BoundVariant, *watch: str, **options: Any) -> list[Progress]:
    return list(variant.train(threads=1, watch=watch, **options))


def watched(variant: BoundVariant, pattern: str = "*/*") -> dict[str, tuple[list[int], list[float]]]:
    return {name: (s.steps.tolist(), s.values.tolist()) for name, s in variant.metrics(pattern).items()}


def weights(variant: BoundVariant) -> list[torch.Tensor]:
    return [w for step in variant.steps for w in variant.at(step).checkpoint.weights.values()]


# --- what is recorded ---------------------------------------------------------------------------------------------


def test_what_is_seen_in_training_is_what_is_seen_of_its_checkpoints(toy: Toy):
    names = ("behaviour.metrics", "gradients.energy", "parameters.norms", "t.double", *OF_INPUTS, *OF_WEIGHTS)
    variant = toy()
    trained(variant, *names)
    for outcome in analyze(variant.workspace.value, [variant.value], list(names)):
        assert outcome.state is State.SAVED
        for name in set(outcome.scalars) & set(names):
            for output, value in outcome.scalars[name].items():
                steps, values = watched(variant)[f"{name}/{output}"]
                assert values[steps.index(outcome.step)] == pytest.approx(value, nan_ok=True, rel=1e-12, abs=0), output
    assert {name.partition("/")[0] for name in watched(variant)} == set(names), "what is read is not watched itself"


def test_a_watched_instrument_is_computed_at_every_evaluation_or_as_asked_and_at_every_checkpoint(toy: Toy):
    variant = toy(evaluate_every=2)
    trained(variant, "t.norm", "t.double:4", "t.undefined:100")
    recorded = watched(variant)
    assert recorded["t.norm/norm"][0] == [0, 2, 4, 5, 6, 8, 10, 12]
    assert recorded["t.double/norm"][0] == [0, 4, 5, 8, 10, 12]
    assert recorded["t.undefined/loss"][0] == [0, 5, 10, 12]
    assert recorded["t.double/norm"][1][1] == 2 * recorded["t.norm/norm"][1][2]


def test_gradients_and_the_optimizers_state_are_those_of_a_checkpoint_where_it_was_kept(toy: Toy):
    variant = toy(save_optimizer=True)
    trained(variant, "t.remembered:5")
    assert watched(variant)["t.remembered/average"][0] == [5, 10, 12], "before the first update nothing is remembered"
    for outcome in analyze(variant.workspace.value, [variant.value], ["t.remembered"], steps=[5, 10, 12]):
        for output, value in outcome.scalars["t.remembered"].items():
            steps, values = watched(variant)[f"t.remembered/{output}"]
            assert values[steps.index(outcome.step)] == pytest.approx(value, rel=1e-12)


def test_an_optimizer_that_remembers_nothing_is_told_of(toy: Toy):
    seen = trained(toy(optimizer="sgd"), "t.remembered")
    (line,) = [progress.message for progress in seen if progress.message]
    assert line.startswith("At step 1, t.remembered could not be computed; the training goes on without it: KeyError")


def test_the_progress_tells_it_and_the_request_names_it(toy: Toy):
    variant = toy()
    last = trained(variant, "t.norm:3")[-1]
    assert last.metrics["t.norm/norm"] == watched(variant)["t.norm/norm"][1][-1]
    assert {"train_loss", "test_loss"} < set(last.metrics)
    (started,) = [line for line in variant.workspace.ledger.lines() if line["event"] == "started"]
    request: Any = started["request"]
    assert request["watch"] == ["t.norm:3"]


def test_a_number_that_is_none_is_no_divergence(toy: Toy):
    variant = toy()
    trained(variant, "t.undefined")
    assert np.isnan(watched(variant)["t.undefined/loss"][1]).all()
    assert variant.steps[-1] == 12


def test_instruments_of_metrics_are_shown_the_trainings_own(toy: Toy):
    names = ["train_loss", "test_accuracy", "behaviour.metrics/test_loss"]
    assert matching_metrics(["*_loss", "*_accuracy"], names) == ("train_loss", "test_accuracy")
    assert matching_metrics(["*"], names) == tuple(names)
    assert matching_metrics(["*/*"], names) == matching_metrics(["behaviour.metrics/*_loss"], names) == (names[2],)
    variant = toy()
    trained(variant, "behaviour.metrics")
    assert "behaviour.metrics/test_loss" in watched(variant)
    variant.analyze("t.shown")
    shown = variant.arrays("t.shown")
    assert set(shown) == {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    for name, (_, values) in ((name, variant.metric(name)) for name in shown):
        assert np.array_equal(shown[name], values)


# --- what is disturbed: nothing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("family", ["toy.fourier", "toy.gated"])
def test_watching_changes_no_bit_of_any_weight(toy: Toy, family: str, batch_size: int | None):
    plain, seen = (toy(where, family=family, batch_size=batch_size) for where in ("plain", "seen"))
    trained(plain)
    told = trained(
        seen,
        "t.disturbs_later",
        "gradients.energy:2",
        "parameters.norms",
        *(f"{n}:6" for n in (*OF_INPUTS, *OF_WEIGHTS)),
    )
    assert [progress.step for progress in told if progress.message] == [3]
    assert all(map(torch.equal, weights(plain), weights(seen)))
    own = [{name: series.values.tolist() for name, series in v.metrics("*_*").items()} for v in (plain, seen)]
    assert own[0] == own[1]
    assert watched(seen, "gradients.energy/*")


def test_what_one_sees_is_the_same_whatever_else_is_watched(toy: Toy):
    alone, together = (toy(where, values=13) for where in ("alone", "together"))
    trained(alone, "sensitivity.jacobian:6", "curvature.trace:6")
    trained(together, *(f"{name}:6" for name in (*OF_WEIGHTS, *OF_INPUTS)), "t.norm:2")
    for variant in (alone, together):
        assert watched(variant, "curvature.trace/*") == watched(alone, "curvature.trace/*") != {}
    one, other = (watched(variant, "sensitivity.jacobian/*") for variant in (alone, together))
    assert one == other
    assert one["sensitivity.jacobian/input/squared_norm"][0] == [0, 5, 6, 10, 12]
    assert min(one["sensitivity.jacobian/input/squared_norm/sem"][1]) > 0, "directions were drawn"


def test_an_instrument_that_disturbs_is_put_right_and_told_of(toy: Toy):
    threads, generators = torch.get_num_threads(), (torch.get_rng_state(), random.getstate())
    with pytest.raises(MiscopeError) as raised:
        toy().train(watch=["t.disturbs"])
    assert str(raised.value).splitlines()[1].startswith("'t.disturbs' changed what it was shown: weights ")
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), generators[0])
    assert random.getstate() == generators[1]
    assert torch.is_grad_enabled()


def test_a_training_in_pieces_has_seen_what_one_in_one_go_has(toy: Toy):
    watch = ("t.norm", "t.remembered:2", "behaviour.metrics:3")
    straight, pieces = toy("straight"), toy("pieces")
    trained(straight, *watch)
    asked = iter([False] * 7 + [True] * 100)
    trained(pieces, *watch, should_stop=lambda: next(asked))
    assert pieces.steps[-1] == 7
    trained(pieces, *watch)
    one, other = watched(straight), watched(pieces)
    assert set(one) == set(other)
    for name, (steps, values) in one.items():
        # It is seen at the step of the stop too, which left a checkpoint.
        by_step = dict(zip(*other[name], strict=True))
        assert [by_step[step] for step in steps] == pytest.approx(values, rel=0, abs=0, nan_ok=True)
        assert set(by_step) - set(steps) <= {7}


def test_one_that_fails_later_is_told_in_a_line_and_the_training_goes_on(toy: Toy):
    plain, seen = toy("plain"), toy("seen")
    trained(plain)
    told = trained(seen, "t.late", "t.after:10", "t.norm")
    assert [(progress.step, progress.message) for progress in told if progress.message] == [
        (7, "At step 7, t.late could not be computed; the training goes on without it: "
            "ZeroDivisionError: one over nought"),
        (10, "At step 10, t.after could not be computed; the training goes on without it: "
             "It reads 't.late', which failed: ZeroDivisionError: one over nought"),
    ]  # fmt: skip
    assert watched(seen)["t.late/x"][0] == list(range(7))
    assert watched(seen)["t.norm/norm"][0] == list(range(13))
    assert "t.late/x" not in told[-1].metrics
    assert all(map(torch.equal, weights(plain), weights(seen)))
    failures = [line for line in seen.workspace.ledger.lines() if line["event"] == "failure"]
    assert [(line["analyzers"], line["step"], line["state"]) for line in failures] == [
        (["t.late"], 7, "failed"),
        (["t.after"], 10, "not tried"),
    ]


# --- what is refused before anything is trained -------------------------------------------------------------------


def refused(variant: BoundVariant, watch: Sequence[str]) -> str:
    with pytest.raises(MiscopeError) as raised:
        variant.train(watch=watch)
    assert variant.workspace.names() == [], "nothing was written"
    return str(raised.value).replace(str(variant.workspace.root), "PLACE")


AFTERWARDS = "Analyze it afterwards:  miscope analyze toy.fourier/v5-seed0-width16 --only {} --workspace PLACE"


@pytest.mark.parametrize(
    ("watch", "lines"),
    [
        (
            ["t.course"],
            ["'t.course' cannot be watched while a model trains.",
             "It looks at the whole of a training, and not at one step.", AFTERWARDS.format("t.course")],
        ),
        (
            ["t.together"],
            ["'t.together' cannot be watched while a model trains.",
             "It reads 't.course', which looks at the whole of a training, and not at one step.",
             AFTERWARDS.format("t.together")],
        ),
        (
            ["t.of_course"],
            ["'t.of_course' cannot be watched while a model trains.",
             "It reads 't.course', which looks at the whole of a training, and not at one step.",
             AFTERWARDS.format("t.of_course")],
        ),
        (
            ["t.norm:0"],
            ["'t.norm:0' does not say how often 't.norm' is to be watched.",
             "What follows the colon is a whole number of steps, 1 or more, and not '0'.",
             "Write it like this:  t.norm:100"],
        ),
        (
            ["t.norm:2", "t.norm"],
            ["'t.norm' is to be watched twice.", "Given: t.norm:2, t.norm.", "Name each instrument once."],
        ),
        (
            ["t.attention"],
            ["'t.attention' does not apply to toy.fourier/v5-seed0-width16: toy.fourier has no site "
             "'blocks.*.attn.hook_pattern'.",
             "Computing cannot bring it: the instrument needs something that the variant or its family does not have.",
             "`miscope analyzers t.attention` says what it needs."],
        ),
        (
            ["t.never"],
            ["'t.never' does not apply to toy.fourier/v5-seed0-width16: its weights have no corners.",
             "Computing cannot bring it: the instrument needs something that the variant or its family does not have.",
             "`miscope analyzers t.never` says what it needs."],
        ),
        (
            ["t.norm", "t.fails"],
            ["'t.fails' cannot be watched: it fails on the first weights of toy.fourier/v5-seed0-width16.",
             "ZeroDivisionError: division by zero",
             "Leave it out; once there is a checkpoint, `miscope analyze --only` says where it fails."],
        ),
        (
            ["t.maps"],
            ["'t.maps' cannot be watched: it gives no single number.", "Its outputs are: map.",
             AFTERWARDS.format("t.maps")],
        ),
        (
            "t.norm",
            ["A training does not take watch='t.norm'.", "It is a list of instruments.",
             "Give it like this:  watch=['t.norm']"],
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_watched_is_refused_before_the_training(toy: Toy, watch: Sequence[str], lines: list[str]):
    assert refused(toy(), watch).splitlines() == lines


def test_an_instrument_that_is_not_installed_is_named_with_the_nearest(toy: Toy):
    with pytest.raises(UnknownName, match=r"There is no analyzer named 't\.nrom'\.\nDid you mean 't\.norm'\?"):
        toy().train(watch=["t.nrom"])


def test_the_command_line_shows_and_stores_it(
    command: Callable[..., tuple[int, str, str]], offer: Callable[[str, str], None], tmp_path: Path
):
    offer("toy", "miscope.testing.toy")
    words = ("-w", tmp_path / "place", "train", "toy.sum", "--steps", "4")
    code, out, err = command(*words, "--watch", "parameters.norms:2", "--watch", "behaviour.metrics")
    assert code == 0, err
    place = open_bound(tmp_path / "place", tables())
    (variant,) = place.variants()
    squares = variant.metric("parameters.norms/total/squares")
    assert squares[0].tolist() == [0, 2, 4]
    told = [text.rpartition(" ")[0] for text in out.strip().split(" | ")]
    assert told[1:] == ["train", "test", "test accuracy", "W_E/squares", "train_loss", "W_E/l1", told[-1]]
    assert out.strip().endswith(" more")
    code, _, err = command(*words, "--watch", "events.grokking")
    assert (code, err.splitlines()[-3]) == (1, "'events.grokking' cannot be watched while a model trains.")
