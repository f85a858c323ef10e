"""Activations that a view recomputes when it is drawn: too large to be kept, too seldom looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from miscope.errors import NotDeclared
from miscope.lazily import Lazily

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model_context import ModelContext
    from miscope.store.store import Store
    from miscope.view import View

__all__ = ["activations_on_demand"]


def activations_on_demand(
    store: Store, context: ModelContext, view: View, step: int | None
) -> tuple[tuple[str, ...], Mapping[str, int], Callable[[str, Sequence[int] | None], Tensor] | None]:
    """The declared sites in network order, the size of each one's last axis, and a function that recomputes them."""
    from miscope.model import cast as cast_weights
    from miscope.model import matching

    if not view.needs.sites or step is None:
        return (), {}, None
    import torch

    from miscope.forward import activations

    model, inputs = context.model, context.probe().inputs
    sites = matching(view.needs.sites, sorted(model.sites, key=_in_network_order))
    weights = cast_weights(store.load_checkpoint(context.variant.name, step).weights, torch.float32)

    def recompute(site: str, channels: Sequence[int] | None = None) -> Tensor:
        if site not in sites:
            raise NotDeclared(view.name, "site", site, view.needs.sites, field="sites")
        return activations(partial(model.answers, channels=channels), weights, inputs, [site])[site].float()

    # Lazily, since the network may have to be built to know a width.
    return sites, Lazily(sites, context.width), recompute


def _in_network_order(site: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in site.split(".")]
