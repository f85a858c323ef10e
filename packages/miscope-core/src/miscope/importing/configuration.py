"""What the configuration of a foreign file says, in the field's words: parameters, training, and the kind of model."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from miscope.errors import BadFile
from miscope.family import Family
from miscope.optimizers import OPTIMIZERS
from miscope.slug import abbreviation

if TYPE_CHECKING:
    from miscope.importing.foreign_file import ForeignFile
    from miscope.model import Model

__all__ = [
    "Contradiction",
    "contradictions",
    "params_in_config",
    "training_in_file",
    "worded",
    "words_of",
    "words_of_family",
]

_OTHER_WORDS = {
    "lr": "learning_rate",
    "wd": "weight_decay",
    "frac": "train_fraction",
    "frac_train": "train_fraction",
    "training_fraction": "train_fraction",
}
"""Words that configurations and optimizers use beside a training field's own, and the field each means."""

_KINDS = {
    "activation": ("act_type", "act_fn", "activation", "activation_function", "hidden_act", "nonlinearity"),
    "operation": ("fn_name", "operation", "op"),
    "loss": ("loss_fn", "loss_function", "criterion"),
    "positions": ("positional_embedding_type", "position_embedding_type"),
    "attention": ("attention_dir",),
}
"""What a family may state of all its models (`Family.fixed`), and the words that configurations have for it."""

_SIZES = {
    "layers": ("n_layers", "num_layers", "n_layer", "num_hidden_layers"),
    "head": ("n_heads", "num_heads", "n_head", "num_attention_heads"),
    "d_model": ("d_model", "hidden_size", "n_embd"),
    "d_head": ("d_head", "head_dim"),
    "d_mlp": ("d_mlp", "intermediate_size", "d_ff"),
    "vocabulary in": ("d_vocab", "vocab_size"),
    "vocabulary out": ("d_vocab_out",),
    "positions": ("n_ctx", "n_positions", "max_position_embeddings"),
}
"""Axes of the weights whose size is the model's, and the words for it."""

_NORMALISATION = ("normalization_type", "normalization", "norm_type", "use_ln", "use_layernorm", "layer_norm")
_NONE = ("", "none", "false", "identity", "0")


_PLAIN: Mapping[str, tuple[object, ...]] = {
    "use_attn_scale": (True,),
    "gated_mlp": (False,),
    "parallel_attn_mlp": (False,),
    "final_rms": (False,),
    "attn_scores_soft_cap": (-1, 0),
    "output_logits_soft_cap": (-1, 0),
    "use_local_attn": (False,),
    "scale_attn_by_inverse_layer_idx": (False,),
}
"""Parts of a transformer by TransformerLens' words, and the values of one without them: no family here has them."""

_OPERATIONS = ("fn", "task", "task_name", "op_name")
_OTHER_OPERATIONS = ("sub", "minus", "mul", "times", "prod", "div", "xor", "pow", "perm", "compos", "-", "*", "/", "^")
"""Beginnings of words that say another operation where a task has any name at all: 'grokking', 'modular'."""

_BEYOND = ("amsgrad", "nesterov", "maximize")
"""Ways of an optimizer that no field of a training stands for; of Muon one does."""

_MUON = "ns_steps"
"""What stands in a group of Muon's, and of no other optimizer's."""


_OTHERWISE = ("eps",)
"""Words of which a configuration's are not the training's: its eps is mostly that of the model's LayerNorm."""


class Contradiction(NamedTuple):
    """A word of a configuration that is not true of a family's models."""

    word: str
    written: object
    true: str
    """What is, in a word: 'relu', '1'."""


def worded(family: Family, file: ForeignFile, settled: Container[str], ignores: Callable[[str], bool]) -> ForeignFile:
    """The file with what it says of this family beside its weights among the words of its configuration.

    settled: fields that are given, whatever the file says. ignores: words to leave out of account. BadFile where the
    file gives one field, or one size or kind of its model, two values.
    """
    beside = {word: v for word, v in file.words.beside.items() if _tells(family, word, v) and word not in file.config}
    config = {**beside, **file.config}
    twice = dict(file.words.twice)
    for field in _fields(family):
        values = [(word, config[word]) for word in words_of(family, field) if config.get(word) is not None]
        if different := [one for one in values[1:] if one[1] != values[0][1]]:
            twice.setdefault(values[0][0], (values[0], different[0]))
    for word, ((one, value), (other, another)) in twice.items():
        meant = next((field for field in _fields(family) if word in words_of(family, field)), None)
        if word in _OTHERWISE or ignores(word) or (meant and meant in settled) or not _tells(family, word, value):
            continue
        problem = f"It says {word} twice: {value!r} ({one}) and {another!r} ({other})."
        given = f"Give the one that is true:  --param {meant}=VALUE" if meant else "Correct one of them"
        raise BadFile(file.path, problem, f"{given}; or leave both out of account:  --ignore {word}")
    return replace(file, config=config)


def _fields(family: Family) -> tuple[str, ...]:
    return (*family.params.model_fields, *family.training_config.identity_fields())


def _words_of_training(family: Family) -> dict[str, str]:
    return {**{field: field for field in family.training_config.identity_fields()}, **_OTHER_WORDS}


def words_of_family(family: Family) -> frozenset[str]:
    """Every word that says a parameter of the family or a field of its training."""
    return frozenset(word for name in _fields(family) for word in words_of(family, name))


def _tells(family: Family, word: str, value: object) -> bool:
    """Whether a word says something of a variant: a field of it, or the kind or size of its model."""
    of_model = (*_KINDS.values(), *_SIZES.values(), _NORMALISATION, tuple(_PLAIN), _OPERATIONS, ("attn_only",))
    known = words_of_family(family) | {each for words in of_model for each in words}
    return word in known or bool(family.read_config({word: value}))


def params_in_config(family: Family, config: Mapping[str, object]) -> dict[str, object]:
    """Values the configuration gives the parameters: by their names, their abbreviations, or words the family knows."""
    values = dict(family.read_config(config))
    for name in family.params.model_fields:
        for word in words_of(family, name):
            # None is a value only where it may be one: elsewhere it says that nothing was chosen.
            if word in config and (config[word] is not None or family.params.model_fields[name].default is None):
                values[name] = config[word]
                break
    return values


def words_of(family: Family, field: str) -> tuple[str, ...]:
    """What configurations call a parameter of the family, or a field of the training."""
    info = family.params.model_fields.get(field)
    if info is None:
        return (field, *(word for word, meant in _OTHER_WORDS.items() if meant == field))
    short = abbreviation(info)
    return (field, short) if short else (field,)


def training_in_file(family: Family, file: ForeignFile) -> dict[str, Any]:
    """Training fields by the file's optimizer, then its configuration; the precision of the loss by the losses."""
    # The optimizer's present rate may be scheduled.
    config = {word: value for word, value in file.config.items() if word not in _OTHERWISE}
    words = {**config, **_fields_of_optimizer(file.optimizer)}
    known = _words_of_training(family)
    fields = {
        known[word]: value
        for word, value in words.items()
        if word in known and (value is not None or known[word] in ("batch_size", "clip_norm"))
    }
    if file.learning_rate is not None:
        fields["learning_rate"] = file.learning_rate
    if isinstance(kind := fields.get("optimizer"), str):
        fields["optimizer"] = kind.lower()
    if "betas" in file.optimizer and "decoupled_weight_decay" in file.optimizer:
        fields["optimizer"] = "adamw" if file.optimizer["decoupled_weight_decay"] else "adam"
    elif {"momentum", "dampening"} <= set(file.optimizer):
        fields["optimizer"] = "sgd"
    elif _MUON in file.optimizer:
        fields["optimizer"] = "muon"
    if file.float32_losses:
        fields["loss_dtype"] = "float32"
    return fields


def _fields_of_optimizer(group: Mapping[str, Any]) -> dict[str, Any]:
    """Its words, but the rate; Muon's by the fields that are Muon's alone."""
    if _MUON not in group:
        return {word: value for word, value in group.items() if word != "lr"}
    settings = {"weight_decay": "weight_decay", **OPTIMIZERS["muon"].settings}
    return {field: group[word] for word, field in settings.items() if group.get(word) is not None}


def contradictions(family: Family, model: Model, file: ForeignFile) -> list[Contradiction]:
    """Words of the file that say another model than this one of the family, or a training that no record can hold."""
    config = file.config
    checked = (
        *_of_kind(family, config), *_of_task(family, config), *_of_size(model, config),
        *_of_normalisation(model, config), *_of_parts(model, config),
    )  # fmt: skip
    beyond = (Contradiction(word, True, "False") for word in _BEYOND if file.optimizer.get(word) is True)
    if _MUON in file.optimizer:
        beyond = (one for one in beyond if one.word != "nesterov")
    return [*(one for one in checked if one.written is not None), *beyond]


def _of_kind(family: Family, config: Mapping[str, object]) -> Iterator[Contradiction]:
    for kind, true in family.fixed.items():
        for word in _KINDS.get(kind, (kind,)):
            if word in config and _plain(config[word]) not in map(_plain, true):
                yield Contradiction(word, config[word], true[0])


def _of_task(family: Family, config: Mapping[str, object]) -> Iterator[Contradiction]:
    true = family.fixed.get("operation", ())
    for word in _OPERATIONS:
        operation = str(config.get(word, "")).lower().strip()
        if true and _plain(operation) not in map(_plain, true) and operation.startswith(_OTHER_OPERATIONS):
            yield Contradiction(word, config[word], true[0])


def _of_parts(model: Model, config: Mapping[str, object]) -> Iterator[Contradiction]:
    """Parts that change every answer, which no tensor shows."""
    if not any(name.endswith(".attn.W_Q") for name in model.roles):
        return
    for word, plain in _PLAIN.items():
        if word in config and config[word] is not None and config[word] not in plain:
            yield Contradiction(word, config[word], str(plain[0]))
    has_mlp = any(".mlp." in name for name in model.roles)
    if config.get("attn_only") not in (None, not has_mlp):
        yield Contradiction("attn_only", config["attn_only"], str(not has_mlp))


def _of_size(model: Model, config: Mapping[str, object]) -> Iterator[Contradiction]:
    sizes: dict[str, set[int]] = {}
    for role in model.roles.values():
        for axis, size in zip(role.axes, role.shape, strict=True):
            sizes.setdefault(axis, set()).add(size)
    blocks = {match[1] for name in model.roles if (match := re.match(r"blocks\.(\d+)\.", name))}
    sizes["layers"] = {len(blocks)} if blocks else set()
    ends = {"vocabulary in": ("W_E", 0), "vocabulary out": ("W_U", -1), "positions": ("W_pos", 0)}
    sizes |= {what: {model.roles[name].shape[axis]} for what, (name, axis) in ends.items() if name in model.roles}
    for axis, words in _SIZES.items():
        for word in words:
            number = config.get(word)
            if isinstance(number, int) and len(sizes.get(axis, ())) == 1 and {number} != sizes[axis]:
                yield Contradiction(word, number, str(*sizes[axis]))


def _of_normalisation(model: Model, config: Mapping[str, object]) -> Iterator[Contradiction]:
    normalised = any(site.endswith(("hook_scale", "hook_normalized")) for site in model.sites)
    for word in _NORMALISATION:
        if word in config and (_plain(config[word]) not in _NONE) != normalised:
            written = "none" if config[word] is None else config[word]
            yield Contradiction(word, written, "a normalisation" if normalised else "none")


def _plain(value: object) -> str:
    """'torch.nn.ReLU' and 'relu' are one word."""
    text = str(value).lower().rpartition(".")[2] if isinstance(value, str) else str(value).lower()
    return re.sub(r"[^a-z0-9+]", "", text)
