"""How much of its inputs an autoencoder reconstructs, with how many latents, beside as many principal components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Snapshot
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope_sae.fidelity import (
    cosine,
    explained_without_bias,
    norm_ratio,
    shrinkage,
    spread,
    squared_error,
    unexplained,
)
from miscope_sae.linear_map import linear_map
from miscope_sae.principal_components import PrincipalComponents
from miscope_sae.probe_parts import ALL, HELD_OUT, TRAIN, parts_of

if TYPE_CHECKING:
    from torch import Tensor

INPUT, TARGET = "hook_sae_input", "hook_sae_target"
LATENTS, RECONSTRUCTED = "hook_sae_acts_post", "hook_sae_recons"


def reconstruction(snapshot: Snapshot) -> Arrays:
    """Error and sparsity of all inputs, of those trained on and held out, and of what its source was trained on.

    Of raw inputs, or of what a transcoder reconstructs of them, summed in float64. `pca_fvu` is what the first
    principal components leave over, as many as an input of that part has latents in the mean, rounded, fitted to the
    inputs trained on (all, where nobody knows).
    """
    given = _rows(snapshot.activations[INPUT]).double().numpy()
    x = _rows(snapshot.activations.get(TARGET, snapshot.activations[INPUT])).double().numpy()
    found = _rows(snapshot.activations[RECONSTRUCTED]).double().numpy()
    if not spread(x) > 0:
        raise DoesNotApply("all inputs are the same, so there is no variance to explain")
    latents = _rows(snapshot.activations[LATENTS])
    active, size = (latents > 0).sum(dim=1).numpy(), latents.sum(dim=1, dtype=torch.float64).numpy()
    parts = parts_of(snapshot.probe)
    trained = parts.get(TRAIN, parts[ALL])
    components = PrincipalComponents.of(x[trained])
    linear = None if np.array_equal(given, x) else linear_map(given[trained], x[trained])
    outputs: dict[str, np.ndarray] = {}
    for part, rows in parts.items():
        count = min(x.shape[1], max(1, round(float(active[rows].mean()))))
        measured = _errors(x[rows], found[rows]) | {
            "l0": float(active[rows].mean()),
            "l1": float(size[rows].mean()),
            "pca_fvu": components.unexplained(x[rows], count),
        }
        if linear is not None:
            measured["linear_fvu"] = unexplained(x[rows], linear(given[rows]))
        outputs |= {f"{part}/{name}": np.array(value) for name, value in measured.items()}
    return outputs | _overall(active, latents)


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
    """What is left over of inputs it was not trained on, beside principal components."""
    arrays = seen.arrays
    part, which = (HELD_OUT, "inputs held out") if f"{HELD_OUT}/fvu" in arrays else (ALL, "its inputs")
    left, null, active = (float(arrays[f"{part}/{name}"]) for name in ("fvu", "pca_fvu", "l0"))
    if not np.isfinite([left, null]).all():
        return []
    count = max(1, round(active))
    text = (
        f"At {seen.at(seen.step or 0)} the autoencoder leaves {left:.3g} of the variance of {which} unexplained with "
        f"{active:.3g} latents an input; {count} principal component{'s' if count > 1 else ''} "
        f"leave{'' if count > 1 else 's'} {null:.3g}."
    )
    return [Observation(text=text, value=left)]


RECONSTRUCTION = Analyzer(
    name="sae.reconstruction",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=reconstruction,
    observe=reconstruction_observed,
    needs=Needs(sites=(INPUT, f"{INPUT}|{TARGET}", LATENTS, RECONSTRUCTED)),
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
        "l0_{min,median,max}": "() number of active latents, over all inputs",
        "l0_histogram": "(m + 1,) inputs with 0, 1, ... m active latents",
        "dead": "() latents that are active at no input",
        "latents": "() their number",
    },
)
