"""Summands of autoencoders' objectives; each a mean over inputs, squared errors summed over dimensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from miscope import ForwardPass, Term
from miscope.lazily import torch
from miscope_sae.autoencoder_model import AutoencoderModel
from miscope_sae.roles import DECODER
from miscope_sae.setting import Setting
from miscope_sae.sites import BY_SKIP, LATENTS, RECONSTRUCTED, TARGET
from miscope_sae.sparse_pass import PassOf, SparsePass
from miscope_sae.updates.dead_latents import IDLE, dead

if TYPE_CHECKING:
    from torch import Tensor

    from miscope_sae.training import L1Training

__all__ = [
    "auxiliary",
    "l1_strength",
    "measured",
    "over_passes",
    "reconstruction",
    "rows_at_once",
    "sparsity",
    "weighed",
]

_MEASURED = 1 << 19
"""Latents of all inputs together that are measured at once."""


def over_passes(pass_of: PassOf, value: Callable[[SparsePass], Tensor]) -> Callable[[ForwardPass], Tensor]:
    """A function of what an update saw, from one of its pass."""
    return lambda seen: value(pass_of(seen))


def reconstruction(pass_of: PassOf) -> Term:
    """Mean over inputs of |x - x'|^2, in the normalised space."""
    return Term(
        name="reconstruction",
        value=over_passes(pass_of, lambda made: (made.reconstruction - made.target).square().sum(-1).mean()),
    )


def weighed(made: SparsePass, setting: Setting, values: Tensor) -> Tensor:
    """Mean over inputs of the sum of (B, m) values, each times the norm of its decoder row where that is free."""
    free = setting.training.decoder_norm == "free"
    return (values @ made.norms if free else values.sum(-1)).mean()


def l1_strength(setting: Setting, l1_alpha: float | None, rho: float, expected_l0: float) -> float:
    """lambda, of a squared error summed over dimensions: d * l1_alpha, or 2 rho sqrt(d / expected_l0), d the width of
    what is reconstructed."""
    return 2 * rho * setting.typical_latent(expected_l0) if l1_alpha is None else setting.width_out * l1_alpha


def sparsity(pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
    """The L1 penalty of an `L1Training`, each latent weighed by the norm of its decoder row; () where it is 0."""
    training = cast("L1Training", setting.training)
    strength = l1_strength(setting, training.l1_alpha, training.rho, training.expected_l0)
    value = over_passes(pass_of, lambda made: weighed(made, setting, made.latents))
    return (Term(name="sparsity", value=value, coefficient=setting.warmed(strength)),) if strength else ()


def auxiliary(pass_of: PassOf, setting: Setting, alpha: float, aux_k: int | None) -> Term:
    """The squared error of the dead latents' reconstruction of what the others leave over (Gao et al. 2024, A.2).

    Of the largest aux_k dead pre-activations of each input, without the decoder's bias; multiplied by the number of
    dead latents over aux_k, at most 1. Dead are those that did not fire in the window of the training.
    """
    most = max(1, setting.width_out // 2) if aux_k is None else aux_k

    def value(seen: ForwardPass) -> Tensor:
        made, idle = pass_of(seen), seen.buffers.get(IDLE)
        where = None if idle is None else dead(idle, seen.step, setting).nonzero()[:, 0]
        if where is None or not len(where):
            return torch.zeros((), dtype=made.x.dtype, device=made.x.device)
        left = (made.target - made.reconstruction).detach()
        active = torch.relu(made.before[:, where])
        values, index = active.topk(min(most, len(where)), dim=1, sorted=False)
        guess = torch.zeros_like(active).scatter(1, index, values) @ made.weights[DECODER][where]
        return (left - guess).square().sum(-1).mean() * min(len(where) / most, 1.0)

    return Term(name="auxiliary", value=value, coefficient=lambda step: alpha)


def rows_at_once(latents: int) -> int:
    """How many inputs are measured at once."""
    return max(1, _MEASURED // latents)


def measured(model: AutoencoderModel, setting: Setting) -> Callable[[ForwardPass], Mapping[str, Tensor]]:
    """What is recorded beside the loss, of the latents as they are once training is over, on raw inputs.

    'fvu' is sum |y - y'|^2 / sum |y - mean y|^2 of what is reconstructed of the inputs measured, which is these
    themselves but of a transcoder; 'skip_fvu' that of what goes past the latents, were none active; 'l0' a count;
    'dead_neurons' the latents that did not fire in the window of the training. Each input is measured by itself, so
    few are at a time.
    """
    sites = {TARGET, LATENTS, RECONSTRUCTED, *({BY_SKIP} if model.architecture.skips else ())}
    rows = rows_at_once(setting.latents)

    def sums(weights: Mapping[str, Tensor], inputs: Tensor, middle: Tensor) -> dict[str, Tensor]:
        found = model.answers(weights, inputs, sites)
        latents, y = found[LATENTS], found[TARGET]
        return {
            "error": (found[RECONSTRUCTED] - y).double().square().sum(),
            "spread": (y - middle).double().square().sum(),
            "l0": torch.count_nonzero(latents > setting.training.dead_neuron_threshold).double(),
            "l1": latents.double().sum(),
            **({"skip": (found[BY_SKIP] - y).double().square().sum()} if BY_SKIP in found else {}),
        }

    def metrics(seen: ForwardPass) -> Mapping[str, Tensor]:
        inputs = seen.examples.inputs
        middle, count = model.parted(inputs)[1].mean(0), len(inputs)
        whole: dict[str, Tensor] = {}
        # Added up at once: small tensors that are kept between large ones keep glibc from using their memory again.
        for some in inputs.split(rows):
            for name, value in sums(seen.weights, some, middle).items():
                whole[name] = whole[name] + value if name in whole else value
        values = {
            "reconstruction_loss": whole["error"] / count,
            "fvu": whole["error"] / whole["spread"],
            "l0": whole["l0"] / count,
            "l1": whole["l1"] / count,
            **({"skip_fvu": whole["skip"] / whole["spread"]} if "skip" in whole else {}),
        }
        if IDLE in seen.buffers:
            values["dead_neurons"] = dead(seen.buffers[IDLE], seen.step, setting).double().sum()
        return values

    return metrics
