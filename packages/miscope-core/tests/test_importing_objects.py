"""Objects that the field's files carry beside weights are read as the values they hold; no code of theirs is run."""

from __future__ import annotations

import argparse
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from miscope.errors import BadFile
from miscope.importing.foreign_file import read_foreign


class HookedTransformerConfig:
    """As TransformerLens 1 to 3 have it: a record with values of several kinds."""

    def __init__(self) -> None:
        self.d_vocab, self.act_fn, self.dtype, self.seed = 114, "relu", torch.float32, 999

    def __setstate__(self, state: Any) -> None:
        raise AssertionError("code of a file was run")


def save(path: Path, **content: Any) -> Path:
    torch.save({"model": {"W": torch.zeros(2, 2)}, "step": 40, **content}, path)
    return path


@pytest.mark.parametrize(
    "module",
    ["transformer_lens.HookedTransformerConfig", "transformer_lens.config.HookedTransformerConfig"],
)
def test_a_configuration_of_transformer_lens_is_read_as_its_values(
    tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
):
    made = types.ModuleType(module)
    made.HookedTransformerConfig = HookedTransformerConfig  # pyright: ignore[reportAttributeAccessIssue]
    with monkeypatch.context() as during:
        during.setitem(sys.modules, module, made)
        during.setattr(HookedTransformerConfig, "__module__", module)
        path = save(tmp_path / "run.pt", config=HookedTransformerConfig())
    (file,) = read_foreign(path)
    assert file.config == {"d_vocab": 114, "act_fn": "relu", "seed": 999}


@pytest.mark.parametrize("kind", [argparse.Namespace, types.SimpleNamespace])
def test_a_namespace_is_read_as_its_values(tmp_path: Path, kind: Any):
    (file,) = read_foreign(save(tmp_path / "run.pt", args=kind(lr=0.01, seed=4)))
    assert file.config == {"lr": 0.01, "seed": 4}


@pytest.mark.parametrize("dtype", ["<f8", "<f4", ">f8", "<i8", "<f2"])
def test_losses_kept_by_numpy_are_numbers(tmp_path: Path, dtype: str):
    values = np.array([3, 2, 1], dtype=dtype)
    for losses in (values, list(values), np.asfortranarray(values)):
        (file,) = read_foreign(save(tmp_path / "run.pt", train_losses=losses, loss_steps=[0, 10, 20]))
        assert file.metrics == {"train_loss": [(0, 3.0), (10, 2.0), (20, 1.0)]}


def test_a_single_number_of_numpys_is_a_step_or_a_loss(tmp_path: Path):
    (file,) = read_foreign(save(tmp_path / "run.pt", step=np.int64(30), train_loss=np.float32(0.5)))
    assert ([step for step, _ in file.states], file.metrics) == ([30], {"train_loss": [(30, 0.5)]})


def test_numpy_values_other_than_numbers_are_refused(tmp_path: Path):
    for losses in (np.array(["a"]), np.array([None]), np.array([1 + 2j])):
        path = save(tmp_path / "run.pt", train_losses=losses)
        with pytest.raises(BadFile, match=r"It (is no complete|holds an object)"):
            read_foreign(path)


def test_a_value_that_holds_itself_is_read(tmp_path: Path):
    config: dict[str, Any] = {"lr": 0.01}
    config["itself"] = config
    (file,) = read_foreign(save(tmp_path / "run.pt", config=config))
    assert file.config == {"lr": 0.01}
