"""Each latent: how often and how strongly it is active, at which inputs, and what it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Options, Snapshot
from miscope.analyzer import Count
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.false_discovery import benjamini_hochberg
from miscope_sae.measuring.decoder_cosines import largest_by_chance, largest_cosines
from miscope_sae.roles import DECODER
from miscope_sae.rows.probe_parts import SOURCE_TRAIN, TRAIN, parts_of
from miscope_sae.rows.shown_rows import SOURCE_INPUT
from miscope_sae.sites import LATENTS as ACTIVE

if TYPE_CHECKING:
    from torch import Tensor

    from miscope import Probe

_SIGNIFICANT = 0.05


class LatentOptions(Options):
    """How many inputs are kept of each latent."""

    top: Count = 16
    """Inputs at which it is most active."""


def latents(snapshot: Snapshot[LatentOptions]) -> Arrays:
    """Density, activation, strongest inputs and decoder row of every latent, over all inputs.

    A latent is active where it is above 0. Whether it prefers inputs that were trained on is told by the share of its
    active inputs that were, beside the share of all inputs, with the hypergeometric p-value of so many: exact where
    these were drawn at random. Of activations by position an input is active where one of its positions is. The
    cosines of decoder rows have beside them quantiles of random directions.
    """
    values, decoder = snapshot.activations[ACTIVE].flatten(1), snapshot.weights[DECODER].flatten(1).float()
    if len(decoder) != values.shape[1]:
        raise DoesNotApply(f"its decoder has {len(decoder)} rows for {values.shape[1]} latents")
    active = values > 0
    count = active.sum(dim=0).numpy()
    total = values.where(active, 0.0).sum(dim=0, dtype=torch.float64).numpy()
    density = count / len(values)
    outputs = {
        "density": density,
        "mean_active": np.where(count > 0, total / np.maximum(count, 1), np.nan),
        "max_active": np.where(count > 0, values.amax(dim=0).double().numpy(), np.nan),
        "order": np.argsort(-density, kind="stable"),
        "top": _strongest(values, active, snapshot.options.top),
        "decoder_norm": decoder.double().norm(dim=1).numpy(),
        "largest_cosine": largest_cosines(decoder),
        "chance_cosine": largest_by_chance(*decoder.shape),
        "never_active": np.array(int((count == 0).sum())),
    }
    parts = parts_of(snapshot.probe)
    for name in (TRAIN, SOURCE_TRAIN):
        if name in parts:
            outputs |= _membership(name, *_by_input(snapshot.probe, active, parts[name]))
    return outputs


def _by_input(probe: Probe, active: Tensor, part: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """(N, m) whether each latent is active at an input, and (N,) which are in the part; of rows by position at any of
    an input's: whole inputs are drawn."""
    if SOURCE_INPUT not in probe.columns:
        return active, part
    _, first, place = np.unique(probe.columns[SOURCE_INPUT], return_index=True, return_inverse=True)
    rows = torch.zeros(len(first), active.shape[1]).index_add_(0, torch.from_numpy(place), active.float())
    return rows > 0, part[first]


def _strongest(values: Tensor, active: Tensor, most: int) -> np.ndarray:
    """(m, most) rows by falling activation; -1 where there are not so many."""
    kept = min(most, len(values))
    rows = values.where(active, 0.0).topk(kept, dim=0).indices.T
    rows = torch.where(active.T.gather(1, rows), rows, -1).numpy()
    return np.pad(rows, ((0, 0), (0, most - kept)), constant_values=-1)


def _membership(name: str, active: Tensor, part: np.ndarray) -> dict[str, np.ndarray]:
    from scipy.stats import hypergeom

    count = active.sum(dim=0).numpy()
    inside = active[torch.from_numpy(part)].sum(dim=0).numpy()
    fires = count > 0
    p = np.full(len(count), np.nan)
    p[fires] = hypergeom.sf(inside[fires] - 1, len(part), int(part.sum()), count[fires])
    return {
        f"{name}_share": np.where(fires, inside / np.maximum(count, 1), np.nan),
        f"{name}_p": np.clip(p, 0, 1),
        f"{name}_expected": np.array(part.mean()),
        f"{name}_prefer": np.array(int((benjamini_hochberg(np.clip(p, 0, 1)) < _SIGNIFICANT).sum())),
    }


def latents_observed(seen: ObservedArtifact) -> list[Observation]:
    """Latents that never fire, decoder rows that are alike, and latents that prefer what was trained on."""
    arrays, at = seen.arrays, seen.at(seen.step or 0)
    count, dead = len(arrays["density"]), int(arrays["never_active"])
    said = [Observation(text=f"At {at} {dead:,} of {count:,} latents are active at no input.", value=float(dead))]
    alike, chance = (float(np.median(arrays[name])) for name in ("largest_cosine", "chance_cosine"))
    if np.isfinite([alike, chance]).all():
        text = (
            f"The largest cosine of a decoder row with another one has the median {alike:.3g}; of as many random "
            f"directions it is {chance:.3g}."
        )
        said.append(Observation(text=text, value=alike))
    for name, which in ((TRAIN, "it was trained on"), (SOURCE_TRAIN, "its source was trained on")):
        if f"{name}_prefer" in arrays:
            prefer = int(arrays[f"{name}_prefer"])
            text = (
                f"{prefer:,} of {count - dead:,} latents that fire prefer inputs that {which} (hypergeometric, false "
                f"discovery rate {_SIGNIFICANT:g}; {float(arrays[f'{name}_expected']):.3g} of all inputs are)."
            )
            said.append(Observation(text=text, value=float(prefer)))
    return said


LATENTS = Analyzer(
    name="sae.latents",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("feature density", "dead latents"),
    compute=latents,
    observe=latents_observed,
    needs=Needs(sites=(ACTIVE,), weights=(DECODER,)),
    options=LatentOptions,
    question="How often is each latent active, at which inputs, and how alike are the directions that they write?",
    formula="density_i = share of inputs at which z_i > 0; cos_i = max over j != i of <w_i, w_j> / |w_i| |w_j|",
    source="Density: Bricken et al. 2023, 'Towards Monosemanticity'; cosines: Bussmann et al. 2025 (arXiv 2503.17547)",
    outputs={
        "density": "(m,) share of all inputs at which each latent is active",
        "mean_active": "(m,) mean of it where it is; NaN where it never is",
        "max_active": "(m,) its maximum",
        "order": "(m,) numbers of the latents by falling density",
        "top": "(m, K) rows of the probe by falling activation; -1 where a latent is active at fewer",
        "decoder_norm": "(m,) norm of its decoder row",
        "largest_cosine": "(m,) of its decoder row with another one; NaN where there is one alone",
        "chance_cosine": "(m,) ascending, quantiles (i + 1/2) / m of that of m random directions of the same width",
        "never_active": "() latents that are active at no input",
        "{train,source_train}_share": "(m,) share of its active inputs that the autoencoder, or what it is built on, "
        "was trained on; where that is known",
        "{train,source_train}_p": "(m,) hypergeometric p-value of as many; NaN where it is never active",
        "{train,source_train}_expected": "() share of all inputs that were",
        "{train,source_train}_prefer": f"() latents that prefer them, at a false discovery rate of {_SIGNIFICANT:g}",
    },
)
