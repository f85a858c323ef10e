"""The answers to some inputs as functions of these inputs, or of activations on the way: what sensitivity is of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.analyzer import Count, Options, Whole
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.model import LOGITS, at_answer, cast, matching
from miscope.probe import Probe
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["INPUT", "VariedAnswers", "VariedOptions", "varied_answers"]

INPUT = "input"
"""What the inputs themselves are called beside sites."""

_EMBED = "hook_embed"
_TOKENS, _NUMBERS = 1 << 12, 1 << 16
"""Tokens, or numbers, of the inputs in one pass: bounds what is held between layers to be differentiated."""


class VariedOptions(Options):
    """What is varied, and on how many inputs."""

    inputs: Count = 256
    """Test inputs at most, drawn once and the same at every checkpoint; of all inputs where there are no others."""
    sites: tuple[str, ...] = ()
    """Patterns of sites by whose activations the answers are differentiated too."""
    seed: Whole = 0


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class VariedAnswers:
    """Answers to some inputs, and what they were computed from; float64 where the model runs in it."""

    logits: Tensor
    """(n, classes) at the answer position."""
    at: Mapping[str, Tensor]
    """'input' and sites, each (n, ...) of all positions: the logits can be differentiated by each of them."""


def varied_answers(snapshot: Snapshot[VariedOptions]) -> Iterator[VariedAnswers]:
    """The drawn inputs in batches, answered.

    The input is the numbers that the model is given; of tokens, what `hook_embed` holds. A derivative by a site is
    that of what follows from it, everything else held as it is. Fused attention has no second derivative, so attention
    goes by PyTorch's plain one. Raises DoesNotApply where there is nothing to differentiate, or by.
    """
    model, options = snapshot.model, snapshot.options
    assert model is not None
    if LOGITS not in model.sites:
        raise DoesNotApply("its model gives no logits")
    shown, sites = snapshot.probe.inputs, sorted(model.sites - {LOGITS})
    hooked = {site: site for site in matching(options.sites, sites) if options.sites}
    if not shown.is_floating_point() and _EMBED in sites:
        hooked[_EMBED] = INPUT
    if not hooked and not shown.is_floating_point():
        raise DoesNotApply(f"its inputs are whole numbers, and it has no site {_EMBED!r} at which they could be varied")
    weights = cast(snapshot.weights, torch.float64)
    device = next(iter(weights.values())).device
    chosen = shown[torch.from_numpy(_rows(snapshot.probe, options))].to(device)
    most = _NUMBERS if shown.is_floating_point() else _TOKENS
    for given in chosen.split(max(1, most // max(1, chosen[:1].numel()))):
        at: dict[str, Tensor] = {}
        hooks = [(site, _kept(name, at)) for site, name in hooked.items()]
        with torch.enable_grad(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            if given.is_floating_point():
                at[INPUT] = given.double().requires_grad_()
                given = at[INPUT].clone()
            logits = at_answer(LOGITS, model.run(weights, given, [LOGITS], hooks=hooks)[LOGITS])
        if not logits.requires_grad:
            raise DoesNotApply("its logits cannot be differentiated by its inputs")
        yield VariedAnswers(logits=logits, at=at)


def _kept(name: str, at: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Keeps an activation and gives a copy: what follows may write into that."""

    def keep(activation: Tensor) -> Tensor:
        at[name] = activation if activation.requires_grad else activation.detach().requires_grad_()
        return at[name].clone()

    return keep


def _rows(probe: Probe, options: VariedOptions) -> np.ndarray:
    """Rows of the probe, ascending: of the test inputs where there are any."""
    unseen = np.flatnonzero(~probe.train) if probe.train is not None else np.zeros(0, dtype=int)
    rows = unseen if len(unseen) else np.arange(len(probe.inputs))
    return np.sort(np.random.default_rng(options.seed).permutation(rows)[: options.inputs])
