"""Which tensors of a foreign state a family makes its weights of, and which it passes over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope.family import Family

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["unused"]


def unused(family: Family, state: Mapping[str, Tensor], params: Any) -> tuple[str, ...]:
    """Names of the tensors that no weight depends on, when `family.adopt` makes the weights of this state.

    Found by automatic differentiation through `adopt`, which may transpose, split, join and scale as it likes, as long
    as it does so with PyTorch's own operations.
    """
    import torch

    followed = {name: t.detach().requires_grad_() for name, t in state.items() if t.is_floating_point()}
    with torch.enable_grad():
        weights = family.adopt({**state, **followed}, params) or {}
        ends = [weight.sum() for weight in weights.values() if weight.requires_grad]
        reached = (
            torch.autograd.grad(ends, list(followed.values()), allow_unused=True) if ends else [None] * len(followed)
        )
    used = {name for name, gradient in zip(followed, reached, strict=True) if gradient is not None}
    return tuple(name for name in state if name not in used)
