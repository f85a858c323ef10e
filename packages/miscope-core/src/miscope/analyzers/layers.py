"""How large the weights are by layer, and of those that are decayed and those that are not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from miscope.analyzer import Analyzer, Grain
from miscope.artifact import NestedArrays
from miscope.needs import Needs
from miscope.optimizers import parameter_groups
from miscope.snapshot import Snapshot

__all__ = ["LAYERS", "layer_of", "layers_in_order"]

_EMBEDDING, _UNEMBEDDING = "embedding", "unembedding"
_ENDS = {
    **dict.fromkeys(("W_E", "W_pos", "embed", "pos_embed", "hook_embed"), _EMBEDDING),
    **dict.fromkeys(("W_U", "b_U", "unembed"), _UNEMBEDDING),
}
_NORM = re.compile(r"(ln|norm|layer_?norm|rms_?norm)_?\d*$")
"""Norms of a block, which are counted together: 'ln1', 'ln2'."""


def layer_of(role: str) -> str:
    """The part of the network that a weight is of: 'embedding', 'blocks.3.attn', 'blocks.3.norms', 'unembedding'.

    Of a block it is the block and its part; of another module with a number, that and the part below it; of any other
    weight the module, or the weight itself where it is of none.
    """
    *module, name = role.split(".")
    ends = _ENDS.get(module[0] if module else name)
    if ends is not None:
        return ends
    numbered = next((place for place, part in enumerate(module) if part.isdecimal()), None)
    kept = module if numbered is None else module[: numbered + 2]
    if numbered is not None and len(kept) > numbered + 1 and _NORM.match(kept[-1]):
        kept = [*kept[:-1], "norms"]
    return ".".join(kept) or name


def layers_in_order(roles: Iterable[str]) -> dict[str, list[str]]:
    """Layer -> its weights: embedding first, unembedding last, blocks by number, else as the network has them."""
    layers: dict[str, list[str]] = {}
    for role in roles:
        layers.setdefault(layer_of(role), []).append(role)
    stems = list(dict.fromkeys(_apart(layer)[0] for layer in layers))
    first = list(layers)

    def place(layer: str) -> tuple[int, int, int, int]:
        stem, number = _apart(layer)
        end = -1 if layer == _EMBEDDING else int(layer == _UNEMBEDDING)
        return end, stems.index(stem), number, first.index(layer)

    return {layer: layers[layer] for layer in sorted(layers, key=place)}


def _apart(layer: str) -> tuple[str, int]:
    """What stands before the first number, and that."""
    parts = layer.split(".")
    place = next((place for place, part in enumerate(parts) if part.isdecimal()), None)
    return (layer, 0) if place is None else (".".join(parts[:place]), int(parts[place]))


def layers(snapshot: Snapshot) -> NestedArrays:
    """L2 norm of the weights of each layer, of all, and of exactly those that are decayed and those that are not.

    A layer is a block's attention, its MLP or its norms, the embedding with the positions, the unembedding with its
    bias, or any other module. Decayed is what the configuration of the training gives a weight decay above 0, by its
    optimizer's own groups; their names are kept beside. Of a training that has no configuration here nobody knows: the
    two norms are NaN, and the names empty.
    """
    squares = {role: float(weight.double().square().sum()) for role, weight in snapshot.weights.items()}
    parts = layers_in_order(squares)
    outputs: dict[str, NestedArrays | np.ndarray] = {
        layer: {"norm": _norm(squares, roles)} for layer, roles in parts.items()
    }
    outputs["total"] = {"norm": _norm(squares, squares)}
    decay = _decays(snapshot)
    for name, wanted in (("decayed", True), ("not_decayed", False)):
        roles = [role for role in squares if role in decay and (decay[role] > 0) == wanted]
        outputs[name] = {
            "norm": _norm(squares, roles) if decay else np.asarray(np.nan),
            "roles": np.array(roles, dtype=np.str_),
        }
    return {**outputs, "layer": np.array(list(parts), dtype=np.str_)}


def _norm(squares: Mapping[str, float], roles: Iterable[str]) -> np.ndarray:
    return np.asarray(sum(squares[role] for role in roles) ** 0.5)


def _decays(snapshot: Snapshot) -> dict[str, float]:
    """The coefficient of every weight; {} where no configuration says."""
    config = snapshot.variant.training
    if config is None:
        return {}
    shapes = {role: tuple(weight.shape) for role, weight in snapshot.weights.items()}
    return {role: group.weight_decay for group in parameter_groups(config, shapes) for role in group.roles}


LAYERS = Analyzer(
    name="parameters.layers",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=layers,
    needs=Needs(weights=("*",)),
    not_invariant_to=("relu scaling",),
    question="How large are the weights of each layer, and those that are decayed?",
    formula="|w|_2 = sqrt(sum of squares) over the weights of a layer, or of a group of the optimizer",
    source="Liu et al. 2023, Omnigrok (arXiv 2210.01117); Loshchilov & Hutter 2019 (arXiv 1711.05101)",
    outputs={
        "LAYER/norm": "() L2 norm of its weights; LAYER is a block's part, 'embedding', 'unembedding' or a module",
        "total/norm": "() of all weights",
        "decayed/norm": "() of the weights with a weight decay above 0; NaN where nobody knows which they are",
        "not_decayed/norm": "() of the others",
        "decayed/roles": "(D,) which those with a weight decay are",
        "not_decayed/roles": "(R,) which the others are",
        "layer": "(L,) the layers, in the order of the network",
    },
)
