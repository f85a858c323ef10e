"""docs/record.md: its loop is recorded, its other process looks at it, and its callback is one that Trainer calls."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import miscope
from miscope.testing import tables

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "record.md").read_text(encoding="utf-8")
CODE = dict(re.findall(r"```python file=(\S+)\n(.*?)```", TEXT, flags=re.DOTALL))


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's files, where one is."""
    for name, code in CODE.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_loop_of_the_page_is_recorded_and_looked_at_in_another_process(written: Path) -> None:
    for name in ("train.py", "look.py"):
        done = subprocess.run([sys.executable, name], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[0, 10, 20, 30, 40] [")
    (variant,) = miscope.open(written / "scratch", plugins=tables()).variants()
    assert variant.name == "pytorch.module/adding-7"
    assert variant.workspace.store.load_training_state(variant.name, step=40) is not None


def test_the_callback_of_the_page_hands_over_what_a_trainer_logs_and_saves(written: Path) -> None:
    # transformers comes with transformer-lens; its handler calls callbacks as a Trainer does, and trains nothing.
    from transformers import TrainerControl, TrainerState, TrainingArguments
    from transformers.trainer_callback import CallbackHandler, DefaultFlowCallback

    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5))
    optimizer = torch.optim.AdamW(model.parameters())
    probe = torch.arange(5)[:, None]
    workspace = miscope.open(written / "w", plugins=tables())
    with workspace.record("tuned", model, probe=probe) as recorder:
        record = runpy.run_path("callback.py")["Record"](recorder)
        handler = CallbackHandler([DefaultFlowCallback(), record], model, None, optimizer, None)
        args = TrainingArguments(output_dir="out", logging_steps=2, save_steps=4, use_cpu=True)
        state, control = TrainerState(max_steps=8, logging_steps=2, save_steps=4), TrainerControl()
        control = handler.on_train_begin(args, state, control)
        for state.global_step in range(1, 9):
            loss = model(probe).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            control = handler.on_step_end(args, state, control)
            if control.should_log:
                control = handler.on_log(args, state, control, {"loss": loss.item(), "note": "all is well"})
            if control.should_save:
                control = handler.on_save(args, state, control)
        handler.on_train_end(args, state, control)
    variant = workspace.find(recorder.variant.name)
    assert variant.steps == [0, 4, 8]
    assert variant.metric("train_loss")[0].tolist() == [2, 4, 6, 8]
    assert torch.equal(variant.at(8).checkpoint.weights["1.weight"], model[1].weight)
    state = workspace.store.load_training_state(variant.name, step=8)
    assert state is not None
    assert set(state.optimizer_state) == {"0.weight", "1.weight", "1.bias"}
