"""Folders of dictionary_learning: `ae.pt`, a state dict, and `config.json`, which names the class it is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.errors import BadFile
from miscope.importing.foreign.content import read_content
from miscope.lazily import torch
from miscope_sae.exchange.folding import unit_norm
from miscope_sae.exchange.foreign_file import AGAIN, CONVERT, fields_of, read_json, refusing
from miscope_sae.exchange.plain_autoencoder import Architecture, PlainAutoencoder

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["load_dictionary_learning"]

_CONFIG, _WEIGHTS = "config.json", "ae.pt"


@final
class _Trainer(BaseModel):
    """What the training was told."""

    model_config = ConfigDict(frozen=True, extra="allow")

    dict_class: str
    activation_dim: int | None = None
    dict_size: int | None = None
    k: int | None = None


@final
class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    trainer: _Trainer
    buffer: Mapping[str, Any] = Field(default_factory=dict)


@final
@dataclass(frozen=True)
class _Class:
    """What a class of dictionary_learning calls its tensors, and what it does with them."""

    architecture: Architecture
    names: Mapping[str, str]
    """By SAELens' names; a weight of a linear layer is transposed."""
    subtracts: bool
    """Whether b_dec is subtracted before encoding."""
    times_norms: bool = False
    """Whether its latents are multiplied by the norms of the decoder."""
    besides: tuple[str, ...] = ()
    """What else its state dict may hold."""


_LINEAR = {"W_enc": "encoder.weight", "b_enc": "encoder.bias", "W_dec": "decoder.weight"}
_PARAMETERS = {name: name for name in ("W_enc", "b_enc", "W_dec", "b_dec", "threshold")}
_GATED = {"b_dec": "decoder_bias", "b_gate": "gate_bias", "b_mag": "mag_bias", "r_mag": "r_mag"}
_GATED |= {"W_enc": "encoder.weight", "W_dec": "decoder.weight"}
_BATCH_TOPK = {**_LINEAR, "b_dec": "b_dec", "threshold": "threshold"}
_CLASSES: Mapping[str, _Class] = {
    "AutoEncoder": _Class("standard", {**_LINEAR, "b_dec": "bias"}, subtracts=True),
    "AutoEncoderNew": _Class("standard", {**_LINEAR, "b_dec": "decoder.bias"}, subtracts=False),
    "GatedAutoEncoder": _Class("gated", _GATED, subtracts=True, times_norms=True),
    "JumpReluAutoEncoder": _Class("jumprelu", _PARAMETERS, subtracts=False, times_norms=True),
    "AutoEncoderTopK": _Class("topk", {**_LINEAR, "b_dec": "b_dec"}, subtracts=True, besides=("k", "threshold")),
    "BatchTopKSAE": _Class("jumprelu", _BATCH_TOPK, subtracts=True, besides=("k",)),
    "MatryoshkaBatchTopKSAE": _Class("jumprelu", _PARAMETERS, subtracts=True, besides=("k", "group_sizes")),
}


def load_dictionary_learning(folder: Path) -> PlainAutoencoder:
    """The autoencoder of a folder, with latents and output as its class in dictionary_learning gives them.

    AutoEncoder, AutoEncoderNew, GatedAutoEncoder, JumpReluAutoEncoder, AutoEncoderTopK, BatchTopKSAE and
    MatryoshkaBatchTopKSAE; of the latter two with the threshold that their training estimated, so that a row's latents
    do not depend on its batch. `metadata` has what the training was told. BadFile where the class is another, where
    tensors are missing or too many, or where the threshold was never estimated.
    """
    path = folder / _WEIGHTS
    config = fields_of(folder / _CONFIG, read_json(folder / _CONFIG), _Config)
    trainer = config.trainer
    if trainer.dict_class not in _CLASSES:
        problem = f"It is of the class {trainer.dict_class!r}; those that are read are: {', '.join(_CLASSES)}."
        raise BadFile(folder / _CONFIG, problem, "Read it with dictionary_learning.")
    known = _CLASSES[trainer.dict_class]
    state = _state(path, trainer.dict_class)
    about: dict[str, object] = {"dictionary_learning": config.model_dump()}
    if "group_sizes" in state:
        about["group_sizes"] = state["group_sizes"].tolist()
    with refusing(path):
        coder = PlainAutoencoder(
            architecture=known.architecture,
            tensors={ours: _tensor(path, state, theirs) for ours, theirs in known.names.items()},
            k=_k(path, state, trainer) if known.architecture == "topk" else None,
            apply_b_dec_to_input=known.subtracts,
            metadata=about,
        )
    _check_sizes(path, coder, trainer)
    return unit_norm(coder) if known.times_norms else coder


def _state(path: Path, name: str) -> Mapping[str, Tensor]:
    if not path.is_file():
        raise BadFile(path, "There is no such file.", AGAIN)
    state = read_content(path)
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise BadFile(path, "It is no state dict: tensors by name, and nothing else.", CONVERT)
    wanted = _CLASSES[name].names.values()
    missing = [one for one in wanted if one not in state]
    extra = sorted(state.keys() - {*wanted, *_CLASSES[name].besides})
    if missing or extra:
        wrong = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(extra)} besides"] * bool(extra)
        raise BadFile(path, f"It {' and '.join(wrong)}: it is not of {name}, as {_CONFIG} beside it says.", CONVERT)
    return state


def _tensor(path: Path, state: Mapping[str, Tensor], name: str) -> Tensor:
    tensor = state[name]
    if name.endswith(".weight"):
        return tensor.T
    if name != "threshold" or tensor.ndim:
        return tensor
    if float(tensor) < 0:
        raise BadFile(
            path,
            "Its threshold was never estimated: without one it is a plain ReLU, and in training a row's latents were "
            "chosen among those of its batch.",
            "Train it past threshold_start_step, after which dictionary_learning estimates it.",
        )
    return tensor.expand(state["b_enc" if "b_enc" in state else "encoder.bias"].shape)


def _k(path: Path, state: Mapping[str, Tensor], trainer: _Trainer) -> int | None:
    held = int(state["k"]) if "k" in state else None
    if held is not None and trainer.k is not None and held != trainer.k:
        raise BadFile(path, f"Its k is {held}, and {_CONFIG} beside it says {trainer.k}.", AGAIN)
    return trainer.k if held is None else held


def _check_sizes(path: Path, coder: PlainAutoencoder, trainer: _Trainer) -> None:
    said = {"activation_dim": trainer.activation_dim, "dict_size": trainer.dict_size}
    held = {"activation_dim": coder.d_in, "dict_size": coder.d_sae}
    for name, size in said.items():
        if size is not None and size != held[name]:
            raise BadFile(path, f"Its {name} is {held[name]}, and {_CONFIG} beside it says {size}.", AGAIN)
