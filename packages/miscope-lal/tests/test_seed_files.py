"""Configuration files and commands of Least Action Learning, as written."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from miscope.errors import BadValue, UnknownName
from miscope.studies.resolving import resolved
from miscope.workspace import open_workspace
from miscope_lal.seed.config_file import read_config
from miscope_lal.seed.presets import PRESETS
from miscope_lal.seed.trainer_config import TrainerConfig

Run = Callable[..., tuple[int, str, str]]

VALIDATE_TRANSFORMER = """\
# Data
p: 17                    # Prime modulus
operation: "add"         # "add" or "multiply"
train_frac: 0.5          # Fraction for training

# Model
model_type: "transformer"
hidden_dim: 128
n_layers: 2
n_heads: 4

# Training
epochs: 20000
lr: 0.001
weight_decay: 1.5
optimizer: "adamw"
beta1: 0.9
beta2: 0.98
eps: 1.0e-8
grad_clip: 1.0
warmup_epochs: 500

# Regularization (routed networks only)
routing_regularizer: null
lambda_routing: 0.0
lambda_spectral: 0.0

compute_weight_curvature: true
weight_curvature_interval: 100
compute_optimizer_metrics: true
log_every: 100
seed: 42
data_seed: 42
"""

SWEEP = """\
base: {operation: add, train_frac: 0.5, model_type: transformer, hidden_dim: 16, n_layers: 1, n_heads: 2, epochs: 4,
  optimizer: adamw, beta1: 0.9, beta2: 0.98, eps: 1e-8, grad_clip: 1.0, warmup_epochs: 2, routing_regularizer: null,
  log_every: 2, checkpoint_every: 2, data_seed: 7, compute_weight_curvature: false}
experiments:
- {name: p5_lr1e-3_wd0.5, p: 5, lr: 1e-3, weight_decay: 0.5}
- {name: p5_lr1e-3_wd1.0, p: 5, lr: 1e-3, weight_decay: 1.0}
- {name: p7_lr1e-3_wd1.0, p: 7, lr: 1e-3, weight_decay: 1.0}
"""


@pytest.fixture
def sweep_file(tmp_path: Path) -> Path:
    path = tmp_path / "small_sweep.yaml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


def test_every_key_of_the_seeds_file_reaches_the_variant(tmp_path: Path) -> None:
    path = tmp_path / "validate_transformer.yaml"
    path.write_text(VALIDATE_TRANSFORMER, encoding="utf-8")
    asked = read_config(path, {})
    variant = open_workspace(tmp_path).variant(asked.family, **asked.fields)
    params, training = variant.params.model_dump(), variant.training
    assert training is not None
    assert variant.family == "lal.transformer"
    assert {name: params[name] for name in ("prime", "operation", "hidden_dim", "n_layers", "n_heads", "seed")} == {
        "prime": 17, "operation": "add", "hidden_dim": 128, "n_layers": 2, "n_heads": 4, "seed": 42
    }  # fmt: skip
    told = (training.train_fraction, training.steps, training.learning_rate, training.weight_decay, training.betas)
    assert told == (0.5, 20_000, 1e-3, 1.5, (0.9, 0.98))
    assert (training.eps, training.clip_norm, training.warmup_steps, training.evaluate_every) == (1e-8, 1.0, 500, 100)


def test_what_is_given_stands_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("{lr: 3e-4, weight_decay: 2.0}", encoding="utf-8")
    asked = read_config(path, {"lr": 1e-2})
    assert (asked.lr, asked.weight_decay, asked.epochs) == (1e-2, 2.0, 50_000)


def test_numbers_may_be_text_as_an_older_yaml_reads_them() -> None:
    assert TrainerConfig.model_validate({"eps": "1e-8", "grad_clip": "1.0"}).grad_clip == 1.0


def test_no_clipping_in_a_file_is_no_clipping_here(tmp_path: Path) -> None:
    asked = TrainerConfig(model_type="transformer", p=5)
    training = open_workspace(tmp_path).variant(asked.family, **asked.fields).training
    assert training is not None
    assert training.clip_norm is None


def test_a_key_that_there_is_not_is_refused_with_the_one_it_is_like(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("weight_decy: 2.0", encoding="utf-8")
    with pytest.raises(UnknownName) as refused:
        read_config(path, {})
    first, meant, _ = str(refused.value).split("\n")
    assert (first, meant) == (
        "There is no key of a configuration named 'weight_decy'.", "Did you mean 'weight_decay'?"
    )  # fmt: skip


def test_a_value_out_of_range_is_refused_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("train_frac: 1.5", encoding="utf-8")
    with pytest.raises(BadValue, match=r"config.yaml refuses train_frac=1.5: it must be less than 1"):
        read_config(path, {})


@pytest.mark.parametrize(
    ("name", "count", "some"),
    [
        (
            "transformer_sweep",
            18,
            {0: "p17_lr3e-4_wd0.5", 4: "p17_lr1e-3_wd1.0", 9: "p113_lr3e-4_wd0.5", 17: "p113_lr3e-3_wd2.0"},
        ),
        ("new_year_validation_sweep", 5, {0: "p113_lr3e-4_wd0.50_train30", 4: "p113_lr3e-4_wd1.50_train30"}),
    ],
)
def test_the_seeds_sweeps_are_presets_of_the_same_runs(
    tmp_path: Path, name: str, count: int, some: dict[int, str]
) -> None:
    runs = resolved(open_workspace(tmp_path), PRESETS.study(name)).runs
    assert len(runs) == count
    assert {place: runs[place].name for place in some} == some
    assert all(run.variant.training.clip_norm == 1.0 for run in runs if run.variant.training)


@pytest.mark.parametrize("name", PRESETS.titles())
def test_every_preset_is_a_study_that_can_be_run_here(tmp_path: Path, name: str) -> None:
    assert resolved(open_workspace(tmp_path), PRESETS.study(name)).runs
    assert PRESETS.titles()[name]


def test_a_sweep_lists_its_runs_and_runs_one(command: Run, sweep_file: Path, tmp_path: Path) -> None:
    place = ("-w", tmp_path / "ws")
    code, out, _ = command("lal", "sweep", "--config", sweep_file, "--dry-run", *place)
    assert (code, out.splitlines()[0]) == (0, "small_sweep: 3 of 3 runs of lal.transformer: 3 new")
    for key in ("clip_norm=1", "data_seed=7", "checkpoints=every:2", "betas=0.9,0.98", "eps=1e-08", "warmup_steps=2"):
        assert key in out.replace(", ", ","), key
    code, out, err = command("lal", "sweep", "--config", sweep_file, "--experiment", "p5_lr1e-3_wd1.0", *place)
    assert code == 0, err
    workspace = open_workspace(tmp_path / "ws")
    assert [each.name for each in workspace.variants()] == [
        "lal.transformer/p5-add-h16-L1-seed42-dseed7-heads2-warmup2-frac0.5"
    ]


def test_a_training_goes_on_and_is_extended_from_where_it_is(command: Run, tmp_path: Path) -> None:
    words = ("lal", "train", "--p", 5, "--model-type", "baseline", "--n-layers", 1, "--hidden-dim", 8, "--log-every", 5)
    place = ("-w", tmp_path / "ws", "--threads", 1, "--set", "compute_weight_curvature=false")
    code, _, err = command(*words, "--epochs", 10, *place)
    assert code == 0, err
    lines = [line for line in err.splitlines() if line.startswith("Epoch")]
    assert [int(line[6:13]) for line in lines] == [0, 5, 10]
    for reached in (15, 20):
        code, out, err = command(*words, "--epochs", 10, "--resume", "--extra-epochs", 5, *place)
        assert (code, f"step {reached} of {reached}" in out) == (0, True), err


def test_a_run_leaves_the_seeds_table_and_its_configuration(command: Run, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    words = ("lal", "train", "--p", 5, "--model-type", "baseline", "--n-layers", 2, "--hidden-dim", 8)
    folder = tmp_path / "out"
    code, _, err = command(
        *words, "--epochs", 4, "--log-every", 2, "--output-dir", folder, "--threads", 1, "-w", tmp_path / "ws"
    )
    assert code == 0, err
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["hidden_dim"] == 8
    table = pq.read_table(folder / "history.parquet")
    assert table["epoch"].to_pylist() == [0, 2, 4]
    assert {"layer_0_weight_norm", "layer_1_weight_norm", "layer_2_weight_norm"} <= set(table.column_names)
    assert table["layer_0_weight_norm"][0].as_py() > 0
    assert table["routing_entropy"].null_count == 3, "a network that does not route has none"
    assert table["effective_lr_mean"].null_count == 1, "before the first update nothing is remembered"


def test_a_run_that_is_stopped_leaves_its_table_too(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    from miscope.cli import training_report
    from miscope.running import run
    from miscope.train_request import TrainRequest
    from miscope.workspace import Workspace

    def stopped(place: Workspace, request: TrainRequest, name: str) -> int:
        asked = count()
        list(run(place, request, should_stop=lambda: next(asked) > 20))
        return 130

    monkeypatch.setattr(training_report, "train_and_tell", stopped)
    words = ("lal", "train", "--p", 5, "--model-type", "baseline", "--n-layers", 1, "--hidden-dim", 8, "--epochs", 400)
    quiet = ("--set", "compute_weight_curvature=false", "--set", "checkpoint_every=2", "--log-every", 2)
    code, _, _ = command(*words, *quiet, "--output-dir", tmp_path / "out", "--threads", 1, "-w", tmp_path / "ws")
    assert code == 130
    epochs = pq.read_table(tmp_path / "out" / "history.parquet")["epoch"].to_pylist()
    assert 0 < len(epochs) < 200
    assert epochs == sorted(epochs)


def test_a_study_of_miscope_is_told_from_a_configuration_and_from_a_sweep(command: Run, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(command("lal", "presets", "grok_transformer")[1], encoding="utf-8")
    for words in (("train",), ("sweep", "--dry-run")):
        code, _, err = command("lal", words[0], "--config", file, *words[1:], "-w", tmp_path / "ws")
        assert code == 1
        assert err == (
            f"{file} is a study of miscope.\n"
            "It names a family; a configuration of Least Action Learning says model_type.\n"
            f"Run it:  miscope sweep {file}\n"
        )


def test_what_the_line_shows_and_does_not_apply_is_no_number_and_hinders_nothing(command: Run, tmp_path: Path) -> None:
    words = ("lal", "train", "--p", 2, "--model-type", "baseline", "--n-layers", 1, "--hidden-dim", 8, "--epochs", 1)
    quiet = ("--set", "compute_weight_curvature=false", "--log-every", 1, "--threads", 1, "-w", tmp_path / "ws")
    code, _, err = command(*words, *quiet)
    assert code == 0, err
    assert [line for line in err.splitlines() if "smooth=nan" in line and "rnorm=nan" not in line] != []
    code, _, err = command("train", "lal.mlp", "prime=2", "steps=1", "--watch", "smoothness.spectrum", *quiet[-2:])
    assert code == 1
    assert "'smoothness.spectrum' does not apply" in err
