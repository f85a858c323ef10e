"""What the configuration of a foreign file says, in the field's words: parameters, training, and the kind of model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from miscope.family import Family
from miscope.slug import abbreviation
from miscope.training_config import TrainingConfig

if TYPE_CHECKING:
    from miscope.foreign_file import ForeignFile
    from miscope.model import Model

__all__ = ["Contradiction", "contradictions", "said_of_params", "said_of_training", "words_of"]

_TRAINING = {
    **{field: field for field in TrainingConfig.identity_fields()},
    "lr": "learning_rate",
    "frac_train": "train_fraction",
    "training_fraction": "train_fraction",
}
"""Words that configurations and optimizers use, and the training field each means."""

_KINDS = {
    "activation": ("act_type", "act_fn", "activation", "activation_function", "hidden_act", "nonlinearity"),
    "operation": ("fn_name", "operation", "op"),
    "loss": ("loss_fn", "loss_function", "criterion"),
    "attention": ("attention_dir",),
}
"""What a family may state of all its models (`Family.fixed`), and the words that configurations have for it."""

_SIZES = {
    "layers": ("n_layers", "num_layers", "n_layer", "num_hidden_layers"),
    "head": ("n_heads", "num_heads", "n_head", "num_attention_heads"),
    "d_model": ("d_model", "hidden_size", "n_embd"),
    "d_head": ("d_head", "head_dim"),
    "d_mlp": ("d_mlp", "intermediate_size", "d_ff"),
}
"""Axes of the weights whose size is the model's, and the words for it."""

_NORMALISATION = ("normalization_type", "normalization", "norm_type", "use_ln", "use_layernorm", "layer_norm")
_NONE = ("", "none", "false", "identity", "0")


_BEYOND = ("amsgrad", "nesterov", "maximize")
"""Ways of an optimizer that no field of a training stands for."""


class Contradiction(NamedTuple):
    """A word of a configuration that is not true of a family's models."""

    word: str
    said: object
    true: str
    """What is, in a word: 'relu', '1'."""


def said_of_params(family: Family, config: Mapping[str, object]) -> dict[str, object]:
    """Values the configuration gives the parameters: by their names, their abbreviations, or words the family knows."""
    found = dict(family.read_config(config))
    for name in family.params.model_fields:
        for word in words_of(family, name):
            # None is a value only where it may be one: elsewhere it says that nothing was chosen.
            if word in config and (config[word] is not None or family.params.model_fields[name].default is None):
                found[name] = config[word]
                break
    return found


def words_of(family: Family, field: str) -> tuple[str, ...]:
    """What configurations call a parameter of the family, or a field of the training."""
    info = family.params.model_fields.get(field)
    if info is None:
        return (field, *(word for word, meant in _TRAINING.items() if meant == field and word != field))
    short = abbreviation(info)
    return (field, short) if short else (field,)


def said_of_training(file: ForeignFile) -> dict[str, Any]:
    """Training fields by the file's optimizer, then its configuration; the precision of the loss by the losses."""
    # The optimizer's present rate may be scheduled; a configuration's eps is mostly that of the model's LayerNorm.
    config = {word: value for word, value in file.config.items() if word != "eps"}
    said = {**config, **{word: value for word, value in file.optimizer.items() if word != "lr"}}
    found = {
        _TRAINING[word]: value
        for word, value in said.items()
        if word in _TRAINING and (value is not None or _TRAINING[word] in ("batch_size", "clip_norm"))
    }
    if file.learning_rate is not None:
        found["learning_rate"] = file.learning_rate
    if isinstance(kind := found.get("optimizer"), str):
        found["optimizer"] = kind.lower()
    if "betas" in file.optimizer and "decoupled_weight_decay" in file.optimizer:
        found["optimizer"] = "adamw" if file.optimizer["decoupled_weight_decay"] else "adam"
    elif {"momentum", "dampening"} <= set(file.optimizer):
        found["optimizer"] = "sgd"
    if file.float32_losses:
        found["loss_dtype"] = "float32"
    return found


def contradictions(family: Family, model: Model, file: ForeignFile) -> list[Contradiction]:
    """Words of the file that say another model than this one of the family, or a training that no record can hold."""
    config = file.config
    checked = (*_of_kind(family, config), *_of_size(model, config), *_of_normalisation(model, config))
    beyond = (Contradiction(word, True, "False") for word in _BEYOND if file.optimizer.get(word) is True)
    return [*(one for one in checked if one.said is not None), *beyond]


def _of_kind(family: Family, config: Mapping[str, object]) -> Iterator[Contradiction]:
    for kind, true in family.fixed.items():
        for word in _KINDS.get(kind, (kind,)):
            if word in config and _plain(config[word]) not in map(_plain, true):
                yield Contradiction(word, config[word], true[0])


def _of_size(model: Model, config: Mapping[str, object]) -> Iterator[Contradiction]:
    sizes: dict[str, set[int]] = {}
    for role in model.roles.values():
        for axis, size in zip(role.axes, role.shape, strict=True):
            sizes.setdefault(axis, set()).add(size)
    blocks = {match[1] for name in model.roles if (match := re.match(r"blocks\.(\d+)\.", name))}
    sizes["layers"] = {len(blocks)} if blocks else set()
    for axis, words in _SIZES.items():
        for word in words:
            said = config.get(word)
            if isinstance(said, int) and len(sizes.get(axis, ())) == 1 and {said} != sizes[axis]:
                yield Contradiction(word, said, str(*sizes[axis]))


def _of_normalisation(model: Model, config: Mapping[str, object]) -> Iterator[Contradiction]:
    normalised = any(site.endswith(("hook_scale", "hook_normalized")) for site in model.sites)
    for word in _NORMALISATION:
        if word in config and (_plain(config[word]) not in _NONE) != normalised:
            said = "none" if config[word] is None else config[word]
            yield Contradiction(word, said, "a normalisation" if normalised else "none")


def _plain(value: object) -> str:
    """'torch.nn.ReLU' and 'relu' are one word."""
    text = str(value).lower().rpartition(".")[2] if isinstance(value, str) else str(value).lower()
    return re.sub(r"[^a-z0-9+]", "", text)
