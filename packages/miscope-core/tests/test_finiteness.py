"""Checkpoints whose weights are not all numbers: no instrument looks at them, and whoever asks is told why."""

import pytest
import torch

from miscope.checkpoint import Checkpoint
from miscope.errors import DoesNotApply
from miscope.finiteness import not_finite
from miscope.outcome import State

BROKEN = "W_E holds NaN (1 of 40 values)"


def spoilt(variant, steps, value=float("nan")):
    """The variant with one weight that is no number at those steps."""
    store = variant.workspace.store
    for step in steps:
        checkpoint = store.load_checkpoint(variant.name, step)
        weights = {role: tensor.clone() for role, tensor in checkpoint.weights.items()}
        weights["W_E"].view(-1)[1] = value
        store.save_checkpoint(variant.name, Checkpoint(step=step, weights=weights, metrics=checkpoint.metrics))
    return variant


def test_a_clause_names_the_weights_that_are_no_numbers():
    good, bad = torch.ones(2, 3), torch.tensor([1.0, float("nan"), float("inf")])
    endless = torch.tensor([float("-inf")])
    assert not_finite({"a": good, "n": torch.arange(3)}) == ""
    assert not_finite({"a": good, "b": bad}) == "b holds NaN (2 of 3 values)"
    assert not_finite({"b": endless}) == "b holds infinity (1 of 1 values)"
    assert not_finite(dict.fromkeys("abcde", endless)).endswith("c holds infinity (1 of 1 values) and 2 more")


@pytest.fixture
def variant(workspace):
    trained = workspace().variant("toy.fourier")
    for _ in trained.train(threads=1):
        pass
    return trained


def test_instruments_leave_out_a_checkpoint_that_is_not_finite_and_say_so_once(variant):
    spoilt(variant, [20])
    outcomes = list(variant.analyze("parameters.norms", "parameters.trajectory", "events.grokking"))
    assert [o.error for o in outcomes if o.state is State.SKIPPED] == [
        f"at step 20, {BROKEN}, and no instrument looks at it"
    ]
    assert not [o for o in outcomes if o.state in (State.FAILED, State.NOT_TRIED)]
    assert variant.arrays("parameters.norms")["step"].tolist() == [0, 10, 30]
    assert len(variant.arrays("parameters.trajectory")["all/scores"]) == 3
    assert "memorised" in variant.arrays("events.grokking")


def test_events_see_the_losses_of_a_training_whose_every_checkpoint_is_not_finite(variant):
    spoilt(variant, variant.steps)
    list(variant.analyze("events.grokking"))
    assert len(variant.arrays("events.grokking"))
    with pytest.raises(DoesNotApply) as refused:
        list(variant.analyze("parameters.norms"))
    assert str(refused.value) == (
        f"'parameters.norms' does not apply to {variant.name}: it looks at weights, and no checkpoint is finite: "
        f"at step 30, {BROKEN}.\n"
        "Computing cannot bring it: the instrument needs something that the variant or its family does not have.\n"
        "`miscope analyzers parameters.norms` says what it needs."
    )


def test_a_view_of_such_a_step_says_why_and_names_another(variant):
    spoilt(variant, [20], float("inf"))
    list(variant.analyze("parameters.norms"))
    with pytest.raises(DoesNotApply) as refused:
        variant.arrays("parameters.norms", step=20)
    assert refused.value.reason == "at step 20, W_E holds infinity (1 of 40 values)"


def test_a_checkpoint_put_there_by_hand_is_found_out_when_it_is_looked_at(variant):
    store = variant.workspace.store
    spoilt(variant, [20])
    store.layout.unfinite(variant.name, 20).unlink()
    outcomes = list(variant.analyze("parameters.norms"))
    skipped = [o.error for o in outcomes if o.state is State.SKIPPED]
    assert skipped == [f"does not apply: at step 20, {BROKEN}"]
    assert store.finite_steps(variant.name) == [0, 10, 30]


def test_a_checkpoint_replaced_by_a_finite_one_is_looked_at_again(variant):
    store = variant.workspace.store
    good = store.load_checkpoint(variant.name, 20)
    spoilt(variant, [20])
    store.save_checkpoint(variant.name, good)
    assert store.unfinite(variant.name, 20) is None
    assert store.finite_steps(variant.name) == [0, 10, 20, 30]


def test_an_import_says_which_checkpoints_no_instrument_looks_at(command, offer, tmp_path):
    offer("toy", "miscope.testing.toy")
    from miscope.testing import ToyFamily

    roles = ToyFamily().model(ToyFamily.params()).roles
    weights = {role.name: torch.ones(role.shape) for role in roles.values()}
    weights["W_E"].view(-1)[1] = float("nan")
    torch.save(weights, tmp_path / "step_300.pt")
    code, _, err = command("import", tmp_path / "step_300.pt", "--family", "toy.sum", "-w", tmp_path / "ws")
    assert code == 0
    assert f"At step 300, {BROKEN}: no instrument looks at it.\n" in err
