"""Folders of dictionary_learning: each of its classes, stated anew in its own orientation, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from miscope.errors import BadFile
from miscope_sae.exchange.dictionary_learning import load_dictionary_learning
from miscope_sae.exchange.plain_autoencoder import latents, reconstruction

D, M = 4, 9
State = Mapping[str, torch.Tensor]
X = torch.randn(12, D, generator=torch.Generator().manual_seed(1))


def state(**shapes: tuple[int, ...]) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return {name.replace("__", "."): torch.randn(*shape, generator=generator) for name, shape in shapes.items()}


def linear(x: torch.Tensor, s: State) -> torch.Tensor:
    return torch.einsum("nd,md->nm", x, s["encoder.weight"])


def standard(s: State, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    f = torch.clamp(linear(x - s["bias"], s) + s["encoder.bias"], min=0)
    return f, torch.einsum("nm,dm->nd", f, s["decoder.weight"]) + s["bias"]


def april(s: State, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    f = torch.clamp(linear(x, s) + s["encoder.bias"], min=0)
    return f, torch.einsum("nm,dm->nd", f, s["decoder.weight"]) + s["decoder.bias"]


def gated(s: State, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    encoded = linear(x - s["decoder_bias"], s)
    gate = (encoded + s["gate_bias"] > 0).float()
    norms = s["decoder.weight"].norm(dim=0)
    f = gate * torch.clamp(torch.exp(s["r_mag"]) * encoded + s["mag_bias"], min=0) * norms
    return f, torch.einsum("nm,dm->nd", f / norms, s["decoder.weight"]) + s["decoder_bias"]


def jumprelu(s: State, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    before = x @ s["W_enc"] + s["b_enc"]
    norms = s["W_dec"].norm(dim=1)
    f = torch.clamp(before * (before > s["threshold"]), min=0) * norms
    return f, (f / norms) @ s["W_dec"] + s["b_dec"]


def topk(s: State, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    before = torch.clamp(linear(x - s["b_dec"], s) + s["encoder.bias"], min=0)
    order = before.argsort(dim=-1, descending=True)
    f = before.clone()
    for row, places in enumerate(order):
        f[row, places[int(s["k"]) :]] = 0
    return f, torch.einsum("nm,dm->nd", f, s["decoder.weight"]) + s["b_dec"]


def batch_topk(s: State, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    before = torch.clamp(linear(x - s["b_dec"], s) + s["encoder.bias"], min=0)
    f = before * (before > s["threshold"])
    return f, torch.einsum("nm,dm->nd", f, s["decoder.weight"]) + s["b_dec"]


def matryoshka(s: State, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    before = torch.clamp((x - s["b_dec"]) @ s["W_enc"] + s["b_enc"], min=0)
    f = before * (before > s["threshold"])
    return f, f @ s["W_dec"] + s["b_dec"]


LINEAR = {"encoder__weight": (M, D), "encoder__bias": (M,), "decoder__weight": (D, M)}
OWN = {"W_enc": (D, M), "b_enc": (M,), "W_dec": (M, D), "b_dec": (D,)}
GATED = {"r_mag": (M,), "gate_bias": (M,), "mag_bias": (M,)}
K, THRESHOLD = {"k": torch.tensor(3, dtype=torch.int)}, {"threshold": torch.tensor(0.7)}
CLASSES: dict[str, tuple[State, Callable]] = {
    "AutoEncoder": (state(bias=(D,), **LINEAR), standard),
    "AutoEncoderNew": (state(decoder__bias=(D,), **LINEAR), april),
    "GatedAutoEncoder": (
        state(
            decoder_bias=(D,), encoder__weight=(M, D), r_mag=(M,), gate_bias=(M,), mag_bias=(M,), decoder__weight=(D, M)
        ),
        gated,
    ),
    "JumpReluAutoEncoder": (state(threshold=(M,), **OWN), jumprelu),
    "AutoEncoderTopK": ({**state(b_dec=(D,), **LINEAR), **K, **THRESHOLD}, topk),
    "BatchTopKSAE": ({**state(b_dec=(D,), **LINEAR), **K, **THRESHOLD}, batch_topk),
    "MatryoshkaBatchTopKSAE": ({**state(**OWN), **K, **THRESHOLD, "group_sizes": torch.tensor([4, 5])}, matryoshka),
}


def written(folder: Path, name: str, tensors: Mapping[str, Any], **trainer: object) -> Path:
    torch.save(dict(tensors), folder / "ae.pt")
    told = {"dict_class": name, "trainer_class": "Trainer", "layer": 3, "lm_name": "EleutherAI/pythia-70m", **trainer}
    (folder / "config.json").write_text(json.dumps({"trainer": told, "buffer": {"ctx_len": 128}}))
    return folder


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_read_with_its_latents_and_its_output(name, tmp_path):
    held, formula = CLASSES[name]
    coder = load_dictionary_learning(written(tmp_path, name, held, activation_dim=D, dict_size=M))
    f, x_hat = formula(held, X)
    assert 0 < int((f > 0).sum()) < f.numel(), "some latents are active and some are not"
    assert torch.allclose(latents(coder, X), f, rtol=1e-5, atol=1e-5)
    assert torch.allclose(reconstruction(coder, X), x_hat, rtol=1e-5, atol=1e-5)
    about = coder.metadata["dictionary_learning"]
    assert isinstance(about, dict)
    assert (about["trainer"]["layer"], about["buffer"]) == (3, {"ctx_len": 128})


def test_a_latent_without_direction_gives_nothing(tmp_path):
    held = dict(CLASSES["JumpReluAutoEncoder"][0])
    held["W_dec"] = held["W_dec"].clone()
    held["W_dec"][2] = 0
    coder = load_dictionary_learning(written(tmp_path, "JumpReluAutoEncoder", held))
    assert bool(reconstruction(coder, X).isfinite().all())


def test_k_is_read_from_the_configuration_where_the_weights_lack_it(tmp_path):
    held, formula = CLASSES["AutoEncoderTopK"]
    older = {name: tensor for name, tensor in held.items() if name not in ("k", "threshold")}
    coder = load_dictionary_learning(written(tmp_path, "AutoEncoderTopK", older, k=3))
    assert torch.allclose(reconstruction(coder, X), formula(held, X)[1], rtol=1e-5, atol=1e-5)


def test_sizes_of_groups_are_kept(tmp_path):
    coder = load_dictionary_learning(written(tmp_path, "MatryoshkaBatchTopKSAE", CLASSES["MatryoshkaBatchTopKSAE"][0]))
    assert coder.metadata["group_sizes"] == [4, 5]


BATCH_TOPK = CLASSES["BatchTopKSAE"][0]
CONVERT = "Correct the file, or convert it with the library that wrote it."
AGAIN = "Copy the folder again from its source, whole."


@pytest.mark.parametrize(
    ("name", "held", "trainer", "text"),
    [
        (
            "CrossCoder",
            BATCH_TOPK,
            {},
            "config.json cannot be read.\n"
            "It is of the class 'CrossCoder'; those that are read are: AutoEncoder, AutoEncoderNew, GatedAutoEncoder, "
            "JumpReluAutoEncoder, AutoEncoderTopK, BatchTopKSAE, MatryoshkaBatchTopKSAE.\n"
            "Read it with dictionary_learning.",
        ),
        (
            "AutoEncoder",
            BATCH_TOPK,
            {},
            "ae.pt cannot be read.\n"
            "It lacks bias and has b_dec, k, threshold besides: "
            f"it is not of AutoEncoder, as config.json beside it says.\n{CONVERT}",
        ),
        (
            "BatchTopKSAE",
            {**BATCH_TOPK, "threshold": torch.tensor(-1.0)},
            {},
            "ae.pt cannot be read.\n"
            "Its threshold was never estimated: without one it is a plain ReLU, and in training a row's latents were "
            "chosen among those of its batch.\n"
            "Train it past threshold_start_step, after which dictionary_learning estimates it.",
        ),
        (
            "AutoEncoderTopK",
            BATCH_TOPK,
            {"k": 5},
            f"ae.pt cannot be read.\nIts k is 3, and config.json beside it says 5.\n{AGAIN}",
        ),
        (
            "BatchTopKSAE",
            BATCH_TOPK,
            {"dict_size": 16},
            f"ae.pt cannot be read.\nIts dict_size is 9, and config.json beside it says 16.\n{AGAIN}",
        ),
        (
            "BatchTopKSAE",
            {**BATCH_TOPK, "lr": 0.1},
            {},
            f"ae.pt cannot be read.\nIt is no state dict: tensors by name, and nothing else.\n{CONVERT}",
        ),
        (
            "BatchTopKSAE",
            {"ae": Fraction(1, 2)},
            {},
            "ae.pt cannot be read.\n"
            "It holds an object of fractions.Fraction, which only its own code could make again; code is never run.\n"
            "Where it was made, save the weights alone: torch.save(model.state_dict(), path), or as safetensors; "
            "losses as lists of floats, configurations as dicts.",
        ),
    ],
)
def test_what_is_of_no_class_that_is_read_is_refused(name, held, trainer, text, tmp_path):
    folder = written(tmp_path, name, held, **trainer)
    with pytest.raises(BadFile) as refused:
        load_dictionary_learning(folder)
    assert str(refused.value) == f"{folder}/{text}"


def test_a_folder_without_weights_is_refused(tmp_path):
    written(tmp_path, "AutoEncoder", {})
    (tmp_path / "ae.pt").unlink()
    with pytest.raises(BadFile) as refused:
        load_dictionary_learning(tmp_path)
    assert str(refused.value) == f"{tmp_path / 'ae.pt'} cannot be read.\nThere is no such file.\n{AGAIN}"
