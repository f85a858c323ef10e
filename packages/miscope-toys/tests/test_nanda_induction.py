"""The published induction heads, adopted: the model gives the numbers computed from the file without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import miscope_toys
from miscope import Probe
from miscope.importing.adopt import adopt
from miscope.model import LOGITS
from miscope.testing import check_family
from miscope_toys.induction import InductionFamily
from miscope_toys.nanda_induction import PERIODS, NandaInductionFamily, adopt_paper

NAME = "induction_head_infinite.pth"


@pytest.fixture
def adopted(calibration: Path, workspace):
    return adopt(workspace(toys=miscope_toys), calibration / NAME)[0]


@pytest.fixture
def known(calibration: Path) -> dict:
    return json.loads((calibration / "paper_calibration.json").read_text())["models"][NAME]


def run(adopted, probe: Probe, *sites: str) -> dict[str, torch.Tensor]:
    weights = {name: w.double() for name, w in adopted.at(6000).checkpoint.weights.items()}
    return dict(adopted.workspace.context(adopted.value).model.run(weights, probe.inputs, sites))


def next_token_loss(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """(row, position - 1) nats."""
    return -logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]


def test_the_papers_induction_family_keeps_the_contract() -> None:
    check_family(NandaInductionFamily())


def test_the_file_becomes_a_variant_with_its_losses(adopted) -> None:
    assert adopted.name == "toys.nanda-induction/infinite"
    assert adopted.steps == [6000]
    train = adopted.metrics()["train_loss"]
    assert len(train.steps) == 6000
    assert train.values[0] == pytest.approx(5.0507694149227245, rel=1e-12)


def test_the_file_itself_says_whether_its_data_were_finite(calibration: Path, tmp_path: Path, workspace) -> None:
    content = torch.load(calibration / NAME, weights_only=True, map_location="cpu")
    content["data_config"]["is_finite"] = True
    torch.save(content, tmp_path / "other.pth")
    names = [one.name for one in adopt(workspace(toys=miscope_toys), [calibration / NAME, tmp_path / "other.pth"])]
    assert names == ["toys.nanda-induction/infinite", "toys.nanda-induction/finite"]


def test_the_loss_on_random_tokens_is_that_of_the_file(adopted, known) -> None:
    probe = adopted.workspace.context(adopted.value).probe("random")
    loss = next_token_loss(run(adopted, probe, LOGITS)[LOGITS], probe.inputs).mean()
    assert float(loss) == pytest.approx(known["loss_on_random_tokens_no_repeat"], rel=1e-9)


@pytest.mark.parametrize("period", PERIODS)
def test_the_loss_of_every_copy_is_that_of_the_file(adopted, known, period: int) -> None:
    probe = adopted.workspace.context(adopted.value).probe(f"period-{period}")
    loss = next_token_loss(run(adopted, probe, LOGITS)[LOGITS], probe.inputs)
    copies = probe.inputs.shape[1] // period
    losses = [float(loss[:, max(i * period - 1, 0) : (i + 1) * period - 1].mean()) for i in range(copies)]
    assert losses == pytest.approx(known[f"repeat_period_{period}_x{copies}"]["loss_per_repetition"], rel=1e-9)


@pytest.mark.parametrize("period", PERIODS)
def test_every_head_has_the_scores_of_the_file(adopted, known, period: int) -> None:
    probe = adopted.workspace.context(adopted.value).probe(f"period-{period}")
    copies = probe.inputs.shape[1] // period
    for layer in range(2):
        pattern = run(adopted, probe, site := f"blocks.{layer}.attn.hook_pattern")[site]
        scores = {
            "induction_score_most_recent_copy": pattern.diagonal(1 - period, -2, -1)[..., 1:].mean((0, 2)),
            "previous_token_score": pattern.diagonal(-1, -2, -1).mean((0, 2)),
            "duplicate_token_score": pattern.diagonal(-period, -2, -1).mean((0, 2)),
        }
        for head in range(4):
            expected = known[f"repeat_period_{period}_x{copies}"]["heads"][f"L{layer}H{head}"]
            scored = {name: float(score[head]) for name, score in scores.items()}
            assert scored == pytest.approx({name: expected[name] for name in scored}, rel=1e-6)


def test_tensors_of_another_family_are_left_alone(calibration: Path) -> None:
    state = torch.load(calibration / NAME, weights_only=True, map_location="cpu")["model"]
    params = NandaInductionFamily.params()
    assert NandaInductionFamily().adopt(state, params) is not None
    assert InductionFamily().adopt(state, InductionFamily.params()) is None
    assert NandaInductionFamily().adopt({**state, "embed.W_E": torch.zeros(48, 127)}, params) is None
    assert adopt_paper({"embed.W_E": state["embed.W_E"]}) is None


def test_tensors_of_the_papers_names_in_another_orientation_are_left_alone() -> None:
    family = NandaInductionFamily()
    params = family.params()
    names = ["embed.W_E", "pos_embed.W_pos", "unembed.W_U"]
    state = {name: torch.zeros(2, 2) for name in names}
    attention = {
        f"attn_blocks.{layer}.attn.W_{letter}": torch.zeros(4, 48, 12) for layer in (0, 1) for letter in "QKVO"
    }
    assert adopt_paper({**state, **attention}) is None
    assert family.adopt({**state, **attention}, params) is None
    flat = {name: torch.zeros(48, 47) if name.endswith("O") else tensor for name, tensor in attention.items()}
    assert adopt_paper({**state, **flat}) is None


def test_a_hooked_transformer_of_these_sizes_is_adopted(workspace, tmp_path: Path) -> None:
    roles = NandaInductionFamily().model(NandaInductionFamily.params()).roles
    weights = {name: torch.full(role.shape, 0.5) for name, role in roles.items()}
    around = {"W_E": "embed.W_E", "W_pos": "pos_embed.W_pos", "W_U": "unembed.W_U"}
    masks = {f"blocks.{layer}.attn.mask": torch.ones(85, 85, dtype=torch.bool) for layer in (0, 1)}
    state = {**{around.get(name, name): tensor for name, tensor in weights.items()}, **masks}
    torch.save({"model": state, "step": 40}, tmp_path / "run.pth")
    (variant,) = workspace(toys=miscope_toys).adopt(tmp_path / "run.pth")
    assert (variant.name, variant.steps) == ("toys.nanda-induction/infinite", [40])
