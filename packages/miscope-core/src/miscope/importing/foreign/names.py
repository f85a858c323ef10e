"""The names tensors may go by in a foreign state: as they stand, without wrappers, and as TransformerLens has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["idle", "namings"]

_AROUND = re.compile(r"^(?:module|model|net|network)\.")
"""Prefixes of whole models inside DataParallel, Lightning modules and their like."""
_WITHIN = re.compile(r"(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
"""Left by torch.compile and FSDP wherever a part was wrapped."""
_HOOKED = re.compile(r"^(?:embed|pos_embed|unembed)\.(?=[Wb]_)")
_BUFFERS = re.compile(r"(?:^|\.)(?:IGNORE|rotary_sin|rotary_cos|num_batches_tracked|n_averaged)$")
_MASKS = re.compile(r"(?:^|\.)(?:causal_)?mask$")
_BIAS = re.compile(r"(?:^|\.)(?:b_\w+|bias|b)$")


def namings(state: Mapping[str, Tensor]) -> Iterator[Mapping[str, Tensor]]:
    """The state under each way of reading its names, the names as they stand first; a family takes the first it knows.

    Wrappers ('module.', 'model.', '_orig_mod.' and their combinations) are taken off where all tensors carry them;
    HookedTransformer's 'embed.W_E', 'pos_embed.W_pos' and 'unembed.W_U' are the roles 'W_E', 'W_pos' and 'W_U'.
    """
    yield state
    plain = _unwrapped(state)
    if plain.keys() != state.keys():
        yield plain
    roles = {_HOOKED.sub("", name): tensor for name, tensor in plain.items()}
    if roles.keys() != plain.keys() and len(roles) == len(plain):
        yield roles


def idle(name: str, tensor: Tensor) -> str | None:
    """Why a tensor that no family asks for changes no answer: a buffer, or a bias of zeros; None for all others."""
    if _BUFFERS.search(name) or (_MASKS.search(name) and _is_causal(tensor)):
        return "a buffer, not a weight"
    if _BIAS.search(name) and not bool(tensor.any()):
        return "a bias of zeros"
    return None


def _is_causal(mask: Tensor) -> bool:
    """Whether a mask only says which positions come before which, or nothing: one value below, one above the diagonal.

    Another mask prunes weights, and is part of the model.
    """
    import torch

    if mask.ndim < 2 or mask.shape[-1] != mask.shape[-2]:
        return False
    before = mask.new_ones(mask.shape[-2:], dtype=torch.bool).tril()
    return bool(torch.where(before, mask == mask[..., :1, :1], mask == mask[..., :1, -1:]).all())


def _unwrapped(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Taken off as long as every name goes on behind it and none meets another; counters may stand beside."""
    named = {name: _WITHIN.sub("", name) for name in state if not _BUFFERS.fullmatch(name)}
    while named and all(map(_AROUND.match, named.values())) and len({n.partition(".")[0] for n in named.values()}) == 1:
        named = {old: _WITHIN.sub("", _AROUND.sub("", name)) for old, name in named.items()}
    plain = {named.get(name, name): tensor for name, tensor in state.items()}
    return plain if len(plain) == len(state) else state
