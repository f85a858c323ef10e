"""The flagship family: exact beginnings, real training."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from miscope.bound import BoundVariant, open_bound
from miscope.testing import check_family, tables
from miscope.training.train import Intervention
from miscope_modadd.transformer import TransformerFamily


def variant(root: Path, **fields: object) -> BoundVariant:
    return open_bound(root, tables(TransformerFamily())).variant("modadd.transformer", **fields)


def weights(of: BoundVariant, step: int) -> Mapping[str, Tensor]:
    return of.at(step).checkpoint.weights


def test_the_transformer_keeps_the_contract_of_a_family() -> None:
    check_family(TransformerFamily(), {"prime": 11})


# From the original's own records (seven digits of losses in float64) and an independent replica in plain PyTorch.
@pytest.mark.parametrize(
    ("prime", "seed", "data_seed", "train", "test", "total"),
    [
        (113, 999, 598, 4.7358857557, 4.7321728919, -1.642907),
        (113, 999, 999, 4.7328396356, 4.7348620427, -1.599024),
        (109, 485, 598, 4.6951795521, 4.6970521348, 1.247685),
        (101, 999, 598, 4.6204900331, 4.6207597115, -4.158672),
        (59, 485, 598, 4.0916386632, 4.0847981759, 3.568103),
    ],
)
def test_the_transformer_begins_exactly_as_the_original(  # noqa: PLR0913
    tmp_path: Path, prime: int, seed: int, data_seed: int, train: float, test: float, total: float
) -> None:
    run = variant(tmp_path, prime=prime, seed=seed, data_seed=data_seed)
    list(run.train(steps=1, threads=1))
    assert abs(run.metric("train_loss")[1][0] - train) < 1e-6
    assert abs(run.metric("test_loss")[1][1] - test) < 1e-6
    # The first step moves each of some 15,000 entries by the learning rate times its gradient over the gradient's own
    # size. Where that is as small as its rounding, the move is any part of 1e-3, up or down: no bound on the sum is
    # safe below. Another beginning is off by whole units.
    assert abs(weights(run, 1)["W_E"].double().sum().item() - total) < 1e-3


def test_the_first_epochs_are_the_originals(tmp_path: Path) -> None:
    run = variant(tmp_path, prime=113, seed=999, data_seed=598)
    list(run.train(steps=3, threads=1))
    assert run.metric("train_loss")[1][:3] == pytest.approx([4.7358857559, 4.7274707161, 4.7225084339], abs=1e-8)
    assert run.metric("test_loss")[1][1:4] == pytest.approx([4.7321728924, 4.7339995551, 4.7369604200], abs=1e-8)


def test_drawing_weights_leaves_the_global_generator_alone() -> None:
    family, before = TransformerFamily(), torch.get_rng_state()
    run = open_bound("nowhere", tables(family)).variant("modadd.transformer", prime=5)
    task = family.task(run.value)
    task.initial_weights()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_default_schedule_keeps_step_0_and_the_originals_checkpoints() -> None:
    from miscope.schedule import planned_steps
    from miscope_modadd.params import ModAddParams

    config = TransformerFamily().training(ModAddParams())
    steps = planned_steps(config.checkpoints, config.steps)
    original = {*range(0, 1500, 100), *range(1500, 9000, 500), *range(9000, 13000, 100), *range(13000, 25000, 500)}
    assert steps == original | {25_000}


def test_training_by_tables_is_training_by_the_bridge(tmp_path: Path) -> None:
    by_tables, by_bridge = variant(tmp_path / "tables", prime=11), variant(tmp_path / "bridge", prime=11)
    list(by_tables.train(steps=5, threads=1))
    whole = Intervention(name="none", start=0, stop=5, hooks=lambda step: [])
    list(by_bridge.train(steps=5, threads=1, interventions=[whole]))
    assert by_tables.metric("test_loss")[1] == pytest.approx(by_bridge.metric("test_loss")[1], rel=1e-5)


def test_an_intervention_on_the_bridge_changes_what_is_learned(tmp_path: Path) -> None:
    plain, silenced = variant(tmp_path / "plain", prime=11), variant(tmp_path / "silenced", prime=11)
    quiet = Intervention(
        name="quiet", start=2, stop=4, hooks=lambda step: [("blocks.0.hook_attn_out", torch.zeros_like)]
    )
    list(plain.train(steps=5, threads=1))
    list(silenced.train(steps=5, threads=1, interventions=[quiet]))
    one, other = plain.metric("train_loss")[1], silenced.metric("train_loss")[1]
    assert one[:3].tolist() == other[:3].tolist()
    assert abs(one[3:] - other[3:]).min() > 1e-6


@pytest.mark.slow
def test_at_full_size_a_killed_and_resumed_training_equals_a_straight_one(tmp_path: Path) -> None:
    straight, cut = (
        variant(tmp_path / "straight", checkpoints="every:10"),
        variant(tmp_path / "cut", checkpoints="every:10"),
    )
    list(straight.train(steps=40, threads=1))
    killed_at(27, cut)
    list(cut.train(steps=40, threads=1))
    one, other = weights(straight, 40), weights(cut, 40)
    assert all(torch.equal(one[role], other[role]) for role in one)
    assert straight.metric("test_loss")[0].tolist() == cut.metric("test_loss")[0].tolist() == list(range(41))
    assert straight.metric("test_loss")[1].tolist() == cut.metric("test_loss")[1].tolist()


def killed_at(step: int, cut: BoundVariant) -> None:
    """A process trains the variant, and is killed when it has come to this step."""
    import signal
    import subprocess
    import sys

    script = (
        "import itertools, os, signal, sys, miscope\n"
        "from miscope_modadd.transformer import TransformerFamily\n"
        "from miscope.testing import tables\n"
        "variant = miscope.open(sys.argv[1], tables(TransformerFamily())).variant('modadd.transformer',"
        " checkpoints='every:10')\n"
        "asked = itertools.count()\n"
        f"end = lambda: next(asked) == {step} and os.kill(os.getpid(), signal.SIGKILL)\n"
        "[None for _ in variant.train(threads=1, should_stop=end)]\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(cut.workspace.root)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert cut.steps == list(range(0, step, 10))
