"""How much of its inputs an autoencoder reconstructs, with how many latents, beside as many principal components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Snapshot
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope_sae.measuring.fidelity import (
    cosine,
    explained_without_bias,
    needs_no_latent,
    norm_ratio,
    shrinkage,
    spread,
    squared_error,
    unexplained,
)
from miscope_sae.measuring.linear_map import linear_map
from miscope_sae.measuring.principal_components import PrincipalComponents
from miscope_sae.rows.probe_parts import ALL, HELD_OUT, TRAIN, parts_of
from miscope_sae.sites import BY_LATENTS, BY_SKIP, INPUT, LATENTS, RECONSTRUCTED, TARGET

if TYPE_CHECKING:
    from torch import Tensor


def reconstruction(snapshot: Snapshot) -> Arrays:
    """Error and sparsity of all inputs, of those trained on and held out, and of what its source was trained on.

    Of raw inputs, or of what a transcoder reconstructs of them, summed in float64. `pca_fvu` is what the first
    principal components of what is reconstructed leave over of it, as many as an input of that part has latents in the
    mean, rounded, fitted to the inputs trained on (all, where nobody knows).
    """
    seen = {site: _rows(values) for site, values in snapshot.activations.items()}
    x, found = (seen[site].double().numpy() for site in (TARGET if TARGET in seen else INPUT, RECONSTRUCTED))
    if not spread(x) > 0:
        raise DoesNotApply("all inputs are the same, so there is no variance to explain")
    latents = seen[LATENTS]
    active, size = (latents > 0).sum(dim=1).numpy(), latents.sum(dim=1, dtype=torch.float64).numpy()
    parts = parts_of(snapshot.probe)
    trained = parts.get(TRAIN, parts[ALL])
    components, others = PrincipalComponents.of(x[trained]), _others(seen, x, found, trained)
    outputs: dict[str, np.ndarray] = {}
    for part, rows in parts.items():
        count = min(x.shape[1], max(1, round(float(active[rows].mean()))))
        measured = _errors(x[rows], found[rows]) | {
            "l0": float(active[rows].mean()),
            "l1": float(size[rows].mean()),
            "pca_fvu": components.unexplained(x[rows], count),
            **{name: unexplained(wanted[rows], made[rows]) for name, (wanted, made) in others.items()},
        }
        outputs |= {f"{part}/{name}": np.array(value) for name, value in measured.items()}
    return outputs | _overall(active, latents)


def _others(
    seen: Mapping[str, Tensor], x: np.ndarray, found: np.ndarray, trained: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What a transcoder, and what goes past latents, has beside: by name, what is to be explained and what does so."""
    given = seen[INPUT].double().numpy()
    others = {
        name: (x, seen[site].double().numpy())
        for name, site in (("latents_fvu", BY_LATENTS), ("skip_fvu", BY_SKIP))
        if site in seen
    }
    if np.array_equal(given, x):
        return others
    others["linear_fvu"] = (x, linear_map(given[trained], x[trained])(given))
    if given.shape == x.shape:
        others["change_fvu"] = (x - given, found - given)
    return others


def _rows(activation: Tensor) -> Tensor:
    return activation.flatten(1)


def _errors(x: np.ndarray, found: np.ndarray) -> dict[str, float]:
    return {
        "fvu": unexplained(x, found),
        "mse": squared_error(x, found),
        "fve_centered": explained_without_bias(x, found),
        "cos_sim": cosine(x, found),
        "l2_ratio": norm_ratio(x, found),
        "shrinkage": shrinkage(x, found),
    }


def _overall(active: np.ndarray, latents: Tensor) -> dict[str, np.ndarray]:
    quantiles = {"l0_min": active.min(), "l0_median": np.median(active), "l0_max": active.max()}
    return {name: np.array(float(value)) for name, value in quantiles.items()} | {
        "l0_histogram": np.bincount(active, minlength=latents.shape[1] + 1),
        "dead": np.array(int((~(latents > 0).any(dim=0)).sum())),
        "latents": np.array(latents.shape[1]),
    }


def reconstruction_observed(seen: ObservedArtifact) -> list[Observation]:
    """What is left over of inputs it was not trained on, beside principal components, and without its latents."""
    arrays = seen.arrays
    part, which = (HELD_OUT, "inputs held out") if f"{HELD_OUT}/fvu" in arrays else (ALL, "its inputs")
    left, null, active = (float(arrays[f"{part}/{name}"]) for name in ("fvu", "pca_fvu", "l0"))
    if not np.isfinite([left, null]).all():
        return []
    count, at = max(1, round(active)), seen.at(seen.step or 0)
    kind, of = ("transcoder", "the target at ") if f"{part}/linear_fvu" in arrays else ("autoencoder", "")
    text = (
        f"At {at} the {kind} leaves {left:.3g} of the variance of {of}{which} unexplained with "
        f"{active:.3g} latents an input; {count} principal component{'s' if count > 1 else ''} "
        f"leave{'' if count > 1 else 's'} {null:.3g}."
    )
    beside = (_beside_a_line, _beside_no_latent)
    return [Observation(text=text, value=left), *(said for each in beside for said in each(arrays, part, at))]


def _beside_a_line(arrays: Arrays, part: str, at: str) -> list[Observation]:
    """Of a transcoder."""
    if f"{part}/linear_fvu" not in arrays:
        return []
    left, linear = (float(arrays[f"{part}/{name}"]) for name in ("fvu", "linear_fvu"))
    text = f"At {at} the best linear map from its inputs leaves {linear:.3g}, the transcoder {left:.3g}."
    return [Observation(text=text, value=linear)]


def _beside_no_latent(arrays: Arrays, part: str, at: str) -> list[Observation]:
    """Of what goes past the latents; a warning where that is all."""
    if f"{part}/skip_fvu" not in arrays:
        return []
    left, past, alone = (float(arrays[f"{part}/{name}"]) for name in ("fvu", "skip_fvu", "latents_fvu"))
    text = f"At {at} what goes past its latents leaves {past:.3g} without them, and they leave {alone:.3g} without it."
    if needs_no_latent(left, past):
        text += " The reconstruction needs no latent, so its error says nothing of them."
    return [Observation(text=text, value=past)]


RECONSTRUCTION = Analyzer(
    name="sae.reconstruction",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("sparse autoencoder", "dictionary learning", "L0"),
    compute=reconstruction,
    observe=reconstruction_observed,
    needs=Needs(sites=(INPUT, f"{INPUT}|{TARGET}", LATENTS, RECONSTRUCTED, f"{RECONSTRUCTED}|{BY_LATENTS}|{BY_SKIP}")),
    question="How much of its inputs does the autoencoder reconstruct, with how many latents, and better than PCA?",
    formula="FVU = sum |x - x^|^2 / sum |x - mean x|^2 of raw inputs; 1 for their mean",
    source="FVU: Gao et al. 2024 (arXiv 2406.04093); shrinkage: Rajamanoharan et al. 2024 (arXiv 2404.16014)",
    outputs={
        "PART/fvu": "() fraction of the variance about the part's own mean that is left over; PART is all, and train, "
        "held_out (of the autoencoder), source_train, source_test (of what it is built on) where that is known",
        "PART/mse": "() squared error, summed over dimensions, mean over inputs",
        "PART/fve_centered": "() 1 - variance of the error / variance, in which an error of the mean counts nothing",
        "PART/cos_sim": "() mean cosine of input and reconstruction, where neither is 0",
        "PART/l2_ratio": "() mean norm of a reconstruction over that of its input",
        "PART/shrinkage": "() sum |x^|^2 / sum <x, x^>: below 1 where larger reconstructions would be nearer",
        "PART/l0": "() mean number of active latents",
        "PART/l1": "() mean sum of the latents",
        "PART/pca_fvu": "() what as many principal components as that, rounded, one at least, of the inputs trained on "
        "leave over",
        "PART/linear_fvu": "() of a transcoder: what the best linear map of its inputs, fitted to those trained on, "
        "leaves over",
        "PART/change_fvu": "() of a transcoder between sites of one width: its error over the variance of target minus "
        "input",
        "PART/skip_fvu": "() where something goes past the latents: what that leaves over where none is active",
        "PART/latents_fvu": "() where something goes past the latents: what they leave over without it",
        "l0_{min,median,max}": "() number of active latents, over all inputs",
        "l0_histogram": "(m + 1,) inputs with 0, 1, ... m active latents",
        "dead": "() latents that are active at no input",
        "latents": "() their number",
    },
)
