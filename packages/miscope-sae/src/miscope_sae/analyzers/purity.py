"""Whether latents follow one frequency each, more than the channels that they were made of."""

from __future__ import annotations

import numpy as np

from miscope import Analyzer, Arrays, Basis, Grain, Needs, Observation, ObservedArtifact, Options, Snapshot
from miscope.analyzer import Count, Whole
from miscope.errors import DoesNotApply
from miscope.fourier import fourier_basis
from miscope.maths.evenly_spaced import evenly_spaced
from miscope.maths.factor_spectrum import shared_labels
from miscope_sae.measuring.map_purity import purities
from miscope_sae.sites import INPUT, LATENTS

_SITES = {"latents": LATENTS, "channels": INPUT}
_DEGREES = {"h1": 1, "h4": 4}


class PurityOptions(Options):
    """How the null of permuted inputs is drawn."""

    permuted: Count = 512
    """Latents, and channels, of which a map with its inputs permuted is looked at; evenly spaced by number."""
    seed: Whole = 0


def purity(snapshot: Snapshot[PurityOptions]) -> Arrays:
    """Share of each latent's power over a grid of two factors that one frequency holds, alone and with harmonics.

    The same of each channel that is encoded - of a hidden layer its neurons - and of both with the inputs of
    each map permuted. H1 is of {0, k} x {0, k} without the mean, H4 of {0, k, 2k, 3k, 4k} x the same, folded; in
    another basis than Fourier's, of what polynomials of that degree in a component's functions reach. Without a basis
    of both factors, the Fourier basis. What is the same at all inputs counts in no mean.
    """
    first, second = _bases(snapshot)
    labels = shared_labels(first, second)
    if not labels:
        raise DoesNotApply("the bases of the two factors have no component in common")
    outputs: dict[str, np.ndarray] = {"basis": np.array([first.name]), "label": np.array(labels)}
    for number, (group, site) in enumerate(_SITES.items()):
        maps = snapshot.activations[site].flatten(1).double().numpy()
        some = maps[:, evenly_spaced(maps.shape[1], snapshot.options.permuted)]
        null = np.random.default_rng([snapshot.options.seed, number]).permuted(some, axis=0)
        found, by_chance = (
            purities(each.reshape(*snapshot.probe.shape, -1), first, second, tuple(_DEGREES.values()))
            for each in (maps, null)
        )
        for name, here, chance in zip(_DEGREES, found, by_chance, strict=True):
            outputs |= {
                f"{group}/{name}": here.share,
                f"{group}/{name}_label": here.label,
                f"{group}/{name}_null": chance.share,
                f"{group}/{name}_mean": _mean(here.share),
                f"{group}/{name}_null_mean": _mean(chance.share),
            }
    return outputs


def _bases(snapshot: Snapshot[PurityOptions]) -> tuple[Basis, Basis]:
    probe = snapshot.probe
    first, second = (snapshot.bases.get(column) for column in probe.grid)
    if first is not None and second is not None:
        return first, second
    rows, columns = probe.shape
    return fourier_basis(rows), fourier_basis(columns)


def _mean(share: np.ndarray) -> np.ndarray:
    there = share[np.isfinite(share)]
    return np.array(there.mean() if len(there) else np.nan)


def purity_observed(seen: ObservedArtifact) -> list[Observation]:
    """Latents beside the channels and permuted inputs."""
    latents, channels, null = (
        float(seen.arrays[name]) for name in ("latents/h4_mean", "channels/h4_mean", "latents/h4_null_mean")
    )
    if not np.isfinite([latents, channels, null]).all():
        return []
    text = (
        f"At {seen.at(seen.step or 0)} one frequency with its harmonics holds {latents:.3g} of a latent's power over "
        f"the grid in the mean, {channels:.3g} of a channel's that is encoded, and {null:.3g} of a latent's "
        "whose inputs are permuted (H4)."
    )
    return [Observation(text=text, value=latents)]


PURITY = Analyzer(
    name="sae.purity",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("monosemanticity",),
    compute=purity,
    observe=purity_observed,
    needs=Needs(sites=tuple(_SITES.values()), bases=("*",), grid=2),
    options=PurityOptions,
    question="Does each latent follow one frequency, more than the neurons that it was made of?",
    formula="Hn = max over k of sum of C_ij^2, i and j in {0, k, ... nk}, over sum of C_ij^2, both without C_00",
    source="H1: Nanda et al. 2023, section 4.2 (arXiv 2301.05217), with harmonics as a rectified wave has them",
    outputs={
        "basis": "(1,) name of the basis",
        "label": "(K,) its components: true frequencies k from 1 in a Fourier basis",
        "{latents,channels}/{h1,h4}": "(M,) largest share of one component, of degree 1 and 4; NaN of what is the same "
        "at all inputs",
        "{latents,channels}/{h1,h4}_label": "(M,) that component; '' where there is none, or two have as much",
        "{latents,channels}/{h1,h4}_null": "(n,) the same of some of them, the inputs of each permuted",
        "{latents,channels}/{h1,h4}_mean": "() mean over those that are not the same at all inputs",
        "{latents,channels}/{h1,h4}_null_mean": "() mean of the permuted ones",
    },
)
