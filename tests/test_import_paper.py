"""The paper's public files become variants whose weights give the losses the files themselves record."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import miscope


@pytest.mark.parametrize(
    ("file", "name", "step", "losses"),
    [
        ("low_precision_mod_addition", "p113-seed1-lossfloat32", 50_000, (3.0452e-4, 3.9950e-3)),
        ("wd_10-1_mod_addition_loss_curve", "p113-seed1-wd0.1", 107_791, (9.2024e-9, 4.9884e-7)),
    ],
)
def test_the_papers_files_are_adopted(  # noqa: PLR0913
    tmp_path: Path, calibration_file, file: str, name: str, step: int, losses: tuple[float, float]
):
    path = calibration_file(f"{file}.pth")
    workspace = miscope.open(tmp_path)
    (variant,) = workspace.adopt(path, family="modadd.nanda2023", params={"seed": 1})
    assert variant.name == f"modadd.nanda2023/{name}"
    assert variant.steps == [step]
    steps, values = variant.metric("train_loss")
    assert (steps[0], steps[-1], len(steps)) == (0, step - 1, step)
    assert values[0] == pytest.approx(4.776912, abs=1e-6)
    assert variant.metric("test_loss")[0][:3].tolist() == [0, 10, 20]

    context = workspace.value.context(variant.value)
    assert context.task is not None
    weights = {role: tensor.double() for role, tensor in variant.at(step).checkpoint.weights.items()}
    for examples, expected in zip((context.task.train, context.task.test), losses, strict=True):
        with torch.no_grad():
            logits = context.model.answers(weights, examples.inputs, ["logits"])["logits"]
        assert float(torch.nn.functional.cross_entropy(logits, examples.labels)) == pytest.approx(expected, rel=2e-4)


def test_the_paper_run_whose_configuration_contradicts_its_optimizer_is_found(tmp_path, calibration_file):
    path = calibration_file("wd_10-1_mod_addition_loss_curve.pth")
    (variant,) = miscope.open(tmp_path).adopt(path, family="modadd.nanda2023", params={"seed": 1})
    variant.analyze("provenance.settings")
    found = variant.arrays("provenance.settings")
    assert found["setting"][found["mismatch"]].tolist() == ["weight_decay"]
    said = [found[name][found["mismatch"]].tolist() for name in ("configuration", "optimizer", "record")]
    assert said == [["1"], ["0.1"], ["0.1"]]
