"""Activations that a view recomputes when it is drawn: too large to be kept, too seldom looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, final

from miscope.errors import NotDeclared

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.store import Store
    from miscope.subject import Subject
    from miscope.view import View

__all__ = ["activations_on_demand"]

_BATCH = 1 << 14


def activations_on_demand(
    store: Store, subject: Subject, view: View, step: int | None
) -> tuple[tuple[str, ...], Mapping[str, int], Callable[[str, Sequence[int] | None], Tensor] | None]:
    """The declared sites in network order, the size of each one's last axis, and a function that recomputes them."""
    from miscope.model import cast as cast_weights
    from miscope.model import matching

    if not view.sites or step is None:
        return (), {}, None
    import torch

    model, inputs = subject.model, subject.probe().inputs
    sites = matching(view.sites, sorted(model.sites, key=_in_network_order))
    weights = cast_weights(store.load_checkpoint(subject.variant.name, step).weights, torch.float32)

    def activations(site: str, channels: Sequence[int] | None = None) -> Tensor:
        if site not in sites:
            raise NotDeclared(view.name, "site", site, view.sites, field="sites")
        with torch.no_grad():
            parts = [model.answers(weights, part, [site], channels=channels)[site] for part in inputs.split(_BATCH)]
            return (torch.cat(parts) if len(parts) > 1 else parts[0]).float()

    return sites, _Widths(subject, sites), activations


@final
class _Widths(Mapping[str, int]):
    """Size of the last axis of each site, found when asked for: to know it the network may have to be built."""

    def __init__(self, subject: Subject, sites: Sequence[str]) -> None:
        self._subject, self._sites = subject, sites

    def __getitem__(self, site: str) -> int:
        if site not in self._sites:
            raise KeyError(site)
        return self._subject.width(site)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sites)

    def __len__(self) -> int:
        return len(self._sites)


def _in_network_order(site: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in site.split(".")]
