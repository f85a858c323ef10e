"""Activations that are asked for, with all that decides their numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, final

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AskedActivations"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class AskedActivations:
    """Those at one site of a network with these weights, of these inputs."""

    network: str
    """A digest of what the network is beside its weights."""
    weights: Mapping[str, Tensor]
    """By role."""
    inputs: Tensor
    """(N, ...) whatever the network takes."""
    site: str
    """'blocks.0.mlp.hook_post'."""
    positions: Literal["answer", "all"] = "answer"
    """At the answer position, or (N, position, ...) at every one."""
    compute: Callable[[Tensor], Tensor]
    """(inputs) -> activations, a row or more for each of them."""

    def computed(self) -> Tensor:
        """The activations, by running the network."""
        return self.compute(self.inputs).contiguous()

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits that change with anything that changes a bit of the activations.

        Version of PyTorch, instructions of the processor and number of threads among it: sums are rounded in the order
        that these choose.
        """
        machine = (torch.version.__version__, torch.backends.cpu.get_cpu_capability(), torch.get_num_threads())
        sha = hashlib.sha256(repr((self.network, self.site, self.positions, machine)).encode())
        for name, tensor in sorted({**self.weights, "": self.inputs}.items()):
            sha.update(repr((name, tensor.dtype, tuple(tensor.shape))).encode())
            sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        return sha.hexdigest()[:32]
