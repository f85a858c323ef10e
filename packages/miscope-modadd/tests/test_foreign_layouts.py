"""Modular-addition networks of TransformerLens and of the paper's code become variants of the families here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import miscope_modadd
from miscope.bound import BoundWorkspace
from miscope.errors import BadFile, BadValue

State = dict[str, torch.Tensor]
PRIME = 11


@pytest.fixture
def place(workspace: Callable[..., BoundWorkspace]) -> BoundWorkspace:
    return workspace(modadd=miscope_modadd)


def drawn(place: BoundWorkspace, family: str) -> Mapping[str, torch.Tensor]:
    task = place.value.context(place.variant(family, prime=PRIME).value).task
    assert task is not None
    return task.initial_weights()


def hooked(weights: Mapping[str, torch.Tensor]) -> State:
    """As HookedTransformer's state_dict has them: by its names, with biases of zeros and its buffers."""
    around = {"W_E": "embed.W_E", "W_pos": "pos_embed.W_pos", "W_U": "unembed.W_U"}
    zeros = {f"blocks.0.attn.b_{letter}": torch.zeros(4, 32) for letter in "QKV"}
    zeros |= {"blocks.0.attn.b_O": torch.zeros(128), "unembed.b_U": torch.zeros(weights["W_U"].shape[1])}
    zeros |= {"blocks.0.mlp.b_in": torch.zeros(512), "blocks.0.mlp.b_out": torch.zeros(128)}
    buffers = {"blocks.0.attn.mask": torch.ones(3, 3, dtype=torch.bool).tril()}
    buffers |= {"blocks.0.attn.IGNORE": torch.tensor(-torch.inf)}
    return {**zeros, **buffers, **{around.get(name, name): tensor for name, tensor in weights.items()}}


def paper(weights: Mapping[str, torch.Tensor]) -> State:
    """As the paper's own code has them: by its names and in its orientation, with its causal mask."""
    attention = {f"blocks.0.attn.W_{letter}": weights[f"blocks.0.attn.W_{letter}"].transpose(1, 2) for letter in "QKV"}
    attention["blocks.0.attn.W_O"] = weights["blocks.0.attn.W_O"].flatten(0, 1).T
    mlp = {name: tensor.T if tensor.ndim == 2 else tensor for name, tensor in weights.items() if ".mlp." in name}
    ends = {"embed.W_E": weights["W_E"].T, "pos_embed.W_pos": weights["W_pos"], "unembed.W_U": weights["W_U"]}
    held = {**ends, **attention, **mlp, "blocks.0.attn.mask": torch.ones(3, 3).tril()}
    return {name: tensor.clone() for name, tensor in held.items()}


def bridged(weights: Mapping[str, torch.Tensor]) -> State:
    """As the state_dict of a real TransformerBridge with these weights has them."""
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    sizes = {"n_layers": 1, "n_heads": 4, "d_model": 128, "d_head": 32, "d_mlp": 512, "n_ctx": 3}
    vocabulary = {"d_vocab": PRIME + 1, "d_vocab_out": weights["W_U"].shape[1]}
    plain = {"architecture": "TransformerLensNative", "act_fn": "relu", "normalization_type": None, "device": "cpu"}
    config = TransformerBridgeConfig(**sizes, **vocabulary, **plain)
    bridge: Any = TransformerBridge.boot_native(config)  # pyright: ignore[reportAttributeAccessIssue]
    held = {name: torch.zeros_like(t) for name, t in bridge.state_dict().items() if name.endswith("bias")}
    for layer, role in (("embed", "W_E"), ("pos_embed", "W_pos"), ("unembed", "W_U")):
        held[f"{layer}.weight"] = weights[role] if role != "W_U" else weights[role].T
    for letter in "qkv":
        held[f"blocks.0.attn.{letter}.weight"] = weights[f"blocks.0.attn.W_{letter.upper()}"].mT.flatten(0, 1)
    held["blocks.0.attn.o.weight"] = weights["blocks.0.attn.W_O"].flatten(0, 1).T
    for layer in ("in", "out"):
        held[f"blocks.0.mlp.{layer}.weight"] = weights[f"blocks.0.mlp.W_{layer}"].T
        if (bias := f"blocks.0.mlp.b_{layer}") in weights:
            held[f"blocks.0.mlp.{layer}.bias"] = weights[bias]
    bridge.load_state_dict(held)
    return {name: tensor.clone() for name, tensor in bridge.state_dict().items()}


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "model._orig_mod."])
@pytest.mark.parametrize("layout", [hooked, paper, bridged])
@pytest.mark.parametrize("family", ["modadd.transformer", "modadd.nanda2023"])
def test_every_layout_gives_the_same_weights(
    place: BoundWorkspace, tmp_path: Path, family: str, layout: Any, prefix: str
):
    weights = drawn(place, family)
    state = {f"{prefix}{name}": tensor for name, tensor in layout(weights).items()}
    torch.save({"model": state, "step": 40}, tmp_path / "run.pth")
    (variant,) = place.adopt(tmp_path / "run.pth", params={"prime": PRIME})
    assert (variant.value.family, variant.steps) == (family, [40])
    adopted = variant.at(40).checkpoint.weights
    assert set(adopted) == set(weights)
    assert all(torch.equal(adopted[name], tensor) for name, tensor in weights.items())


def test_a_grokking_demo_becomes_a_variant_with_all_its_checkpoints(place: BoundWorkspace, tmp_path: Path):
    weights = drawn(place, "modadd.transformer")
    states = [hooked({**weights, "W_E": (i + 1) * weights["W_E"]}) for i in range(3)]
    content = {
        "model": states[-1],
        "config": {"d_vocab": PRIME + 1, "d_vocab_out": PRIME, "act_fn": "relu", "eps": 1e-5, "seed": None},
        "checkpoints": states,
        "checkpoint_epochs": [99, 199, 299],
        "train_losses": [1.1 / (i + 1) for i in range(300)],
        "test_losses": [2.2 / (i + 1) for i in range(300)],
        "train_indices": torch.arange(36),
        "test_indices": torch.arange(36, 121),
    }
    torch.save(content, tmp_path / "grokking_demo.pth")
    (variant,) = place.adopt(tmp_path / "grokking_demo.pth", params={"prime": PRIME})
    assert (variant.name, variant.steps) == ("modadd.transformer/p11-seed999-dseed598", [100, 200, 300])
    assert torch.equal(variant.at(200).checkpoint.weights["W_E"], 2 * weights["W_E"])


def test_a_split_that_is_not_the_variants_is_said(place: BoundWorkspace, tmp_path: Path):
    variant = place.variant("modadd.transformer", prime=PRIME)
    mask = place.value.context(variant.value).probe().train
    assert mask is not None
    rows, others = np.flatnonzero(mask).tolist(), np.flatnonzero(~mask).tolist()
    for step, (train, test) in enumerate([(rows, others), ([*rows[1:], others[0]], [*others[1:], rows[0]])]):
        content = {"model": hooked(drawn(place, "modadd.transformer")), "train_indices": train, "test_indices": test}
        torch.save(content, tmp_path / f"step_{step}.pth")
        place.adopt(tmp_path / f"step_{step}.pth", params={"prime": PRIME})
    facts: Any = place.store.variant_record(variant.name).facts
    notes = {name: about["notes"] for name, about in facts["imported"].items()}
    differ = (
        f"It lists {len(rows)} examples as trained on, this variant trains on {len(rows)}, and {len(rows) - 1} are in "
        "both: train and test losses computed here are of another split than its own."
    )
    assert notes == {"step_0.pth": [], "step_1.pth": [differ]}


ODD_ROWS = [
    (
        [1, 2],
        [-1],
        "'test_indices'[0] is -1, not the number of a row.\nRows are counted from 0, in the order of all inputs.",
    ),
    (
        *([1, 2], [2, 3]),
        "It lists row 2 both as trained on and as tested on (1 rows in all).\n"
        "Correct one of the lists, or leave both out.",
    ),
]


@pytest.mark.parametrize(("train", "test", "message"), ODD_ROWS)
def test_rows_that_are_none_are_refused_as_rows(
    place: BoundWorkspace, tmp_path: Path, train: list[int], test: list[int], message: str
):
    content = {"model": hooked(drawn(place, "modadd.transformer")), "train_indices": train, "test_indices": test}
    torch.save(content, tmp_path / "step_1.pth")
    with pytest.raises(BadFile) as raised:
        place.adopt(tmp_path / "step_1.pth", params={"prime": PRIME})
    assert str(raised.value) == f"{tmp_path / 'step_1.pth'} cannot be read.\n{message}"


def test_a_split_of_other_inputs_is_not_compared(place: BoundWorkspace, tmp_path: Path):
    content = {"model": hooked(drawn(place, "modadd.transformer")), "train_indices": [0, 1], "test_indices": [2, 3]}
    torch.save(content, tmp_path / "step_1.pth")
    (variant,) = place.adopt(tmp_path / "step_1.pth", params={"prime": PRIME})
    facts: Any = place.store.variant_record(variant.name).facts
    note = "It lists 2 examples of 4 as trained on; this variant's split is of 121, and they are not compared."
    assert facts["imported"]["step_1.pth"]["notes"] == [note]


def test_the_prime_is_read_from_the_tensors(place: BoundWorkspace, tmp_path: Path):
    torch.save({"model": hooked(drawn(place, "modadd.transformer")), "step": 40}, tmp_path / "run.pth")
    (variant,) = place.adopt(tmp_path / "run.pth")
    assert variant.name == "modadd.transformer/p11-seed999-dseed598"


def test_a_network_of_another_width_is_not_advised_to_give_parameters(place: BoundWorkspace, tmp_path: Path):
    state = {name: tensor[..., :64] for name, tensor in drawn(place, "modadd.transformer").items()}
    torch.save({"model": state, "step": 40}, tmp_path / "run.pth")
    with pytest.raises(BadFile) as raised:
        place.adopt(tmp_path / "run.pth", family="modadd.transformer", params={"prime": PRIME})
    assert str(raised.value).split("\n")[2] == (
        "Give the sizes it was made with (--param NAME=VALUE, of prime), or the family it is of. "
        "For a network of other sizes than modadd.transformer has, write a family: docs/write-a-family.md."
    )


@pytest.mark.parametrize(
    "config",
    [{"use_attn_scale": False}, {"gated_mlp": True}, {"attn_only": True}, {"positional_embedding_type": "rotary"}],
)
def test_parts_that_no_tensor_shows_are_refused(place: BoundWorkspace, tmp_path: Path, config: dict[str, Any]):
    content = {"model": hooked(drawn(place, "modadd.transformer")), "step": 40, "config": config}
    torch.save(content, tmp_path / "run.pth")
    with pytest.raises(BadValue, match=f"It says {next(iter(config))}="):
        place.adopt(tmp_path / "run.pth", family="modadd.transformer", params={"prime": PRIME})


def test_a_dict_of_hooked_transformer_names_in_neither_orientation_is_refused(place: BoundWorkspace, tmp_path: Path):
    state = hooked(drawn(place, "modadd.transformer"))
    state["blocks.0.attn.W_O"] = state["blocks.0.attn.W_O"].flatten(1, 2)
    torch.save({"model": state, "step": 40}, tmp_path / "run.pth")
    with pytest.raises(Exception, match=r"W_O is \(4, 4096\) and would be \(4, 32, 128\)"):
        place.adopt(tmp_path / "run.pth", family="modadd.transformer", params={"prime": PRIME})


def test_the_command_says_of_which_steps_the_weights_are_and_why(place: BoundWorkspace, tmp_path: Path, command: Any):
    folder = tmp_path / "run"
    folder.mkdir()
    for epoch in (99, 199):
        state = {name: tensor.bfloat16() for name, tensor in hooked(drawn(place, "modadd.transformer")).items()}
        torch.save({"model": state, "train_losses": [3.0, 2.0]}, folder / f"epoch_{epoch:03d}.pt")
    code, out, err = command("import", folder, "-p", f"prime={PRIME}", "-w", tmp_path / "workspace")
    assert (code, out) == (0, "modadd.transformer/p11-seed999-dseed598: 2 checkpoints\n")
    assert err.split("\n")[:4] == [
        "Step 100: by 'epoch' in its name, counting from 0: 99 is after 100 updates.",
        "Step 200: by 'epoch' in its name, counting from 0: 199 is after 200 updates.",
        "Weights in bfloat16 were read as float32. (epoch_099.pt and 1 more)",
        "'train_losses' is left out: 2 values for 100 updates and 1 state, "
        "and no list 'train_losses_steps' says where they belong. (epoch_099.pt)",
    ]
