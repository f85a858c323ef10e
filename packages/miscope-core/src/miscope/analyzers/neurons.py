"""What each unit of a hidden layer responds to, and how units settle on it over training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.artifact import Arrays, NestedArrays
from miscope.basis import Basis
from miscope.lazily import torch
from miscope.maths.bands import band_of, effective_number, herfindahl
from miscope.maths.factor_spectrum import block_fractions, conditional_means_basis, shared_labels
from miscope.needs import Needs
from miscope.probe import Probe
from miscope.snapshot import Snapshot, Trajectory

if TYPE_CHECKING:
    from torch import Tensor

SPECIALISED = 0.85
"""Share of variance in one block above which the field calls a neuron specialised. An ideal relu(cos a + cos b) has
0.962 but an ideal relu(cos(a + b)) only 0.841, so read it beside the null-calibrated threshold."""


def frequencies(snapshot: Snapshot) -> Arrays:
    """Share of each neuron's variance over a grid of two factors that one block of the task basis explains.

    For a frequency k these are the eight coefficients over {1, cos k, sin k} x {1, cos k, sin k} without the mean
    (Nanda et al. 2023, section 4.2). White noise scores 8 / (q^2 - 1). Without a basis the blocks are the
    principal components of the units' conditional means, and `SITE/basis` says 'conditional means'.
    """
    outputs: dict[str, np.ndarray] = {}
    for site, activation in snapshot.activations.items():
        units = activation.reshape(*snapshot.probe.shape, -1)
        bases = bases_of(units, snapshot.probe, snapshot.bases)
        outputs |= {f"{site}/{name}": array for name, array in _of_units(units, *bases).items()}
        least, most = torch.aminmax(units.reshape(-1, units.shape[-1]), dim=0)
        outputs |= {f"{site}/low": least.float().numpy(), f"{site}/high": most.float().numpy()}
    return outputs


def bases_of(units: Tensor, probe: Probe, bases: Mapping[str, Basis]) -> tuple[Basis, Basis]:
    """Bases over the values of the two factors of a grid: the family's, or that of the units' (q, q, M) own means."""
    first, second = (bases.get(column) for column in probe.grid)
    return (first, second) if first and second else conditional_means_basis(units)


_TIE = 1e-5
"""Relative difference of the two largest shares below which neither is the larger."""


def _of_units(units: Tensor, first: Basis, second: Basis) -> dict[str, np.ndarray]:
    label = np.array(shared_labels(first, second), dtype=np.str_)
    fraction, variance = (tensor.numpy() for tensor in block_fractions(units, first, second))
    dead = variance == 0
    most = fraction.max(axis=0, initial=0)
    # A unit that is active at one input has as much of every frequency; rounding would choose.
    tied = (fraction >= (1 - _TIE) * most).sum(axis=0) > 1
    live, total = most[~dead], max(float(variance.sum()), np.finfo(np.float64).tiny)
    return {
        "basis": np.array([first.name]),
        "label": label,
        "fraction": fraction.astype(np.float16),
        "dominant": np.where(dead | tied, np.array("", dtype=label.dtype), label[fraction.argmax(axis=0)]),
        "max_fraction": most.astype(np.float32),
        "variance": variance,
        "variance_fraction": fraction.astype(np.float64) @ variance / total,
        "weighted_max_fraction": np.array(float(most.astype(np.float64) @ variance / total)),
        "dead": dead,
        "dead_count": np.array(int(dead.sum())),
        "specialised_count": np.array(int((live >= SPECIALISED).sum())),
        "median_max_fraction": np.array(float(np.median(live)) if len(live) else np.nan),
    }


FREQUENCIES = Analyzer(
    name="neurons.frequencies",
    version=4,
    grain=Grain.CHECKPOINT,
    synonyms=("Fourier", "key frequencies"),
    compute=frequencies,
    needs=Needs(sites=("blocks.*.mlp.hook_post",), bases=("*",), grid=2),
    not_invariant_to=("relu scaling",),
    question="What does each neuron respond to, and how purely?",
    formula="F_kj = sum of squares of neuron j's coefficients over (const, k) x (const, k), without the mean, over all",
    source="Nanda et al. 2023, section 4.2 (arXiv 2301.05217)",
    outputs={
        "SITE/basis": "(1,) name of the basis; 'conditional means' for the data's own",
        "SITE/label": "(K,) labels of the blocks: true frequencies k from 1 in a Fourier basis",
        "SITE/fraction": "(K, M) float16, share of each neuron's variance in each block",
        "SITE/dominant": "(M,) label of the block with the largest share; '' for a dead neuron, or where two have it",
        "SITE/max_fraction": "(M,) that share",
        "SITE/variance": "(M,) variance of the activation over the grid",
        "SITE/variance_fraction": "(K,) share of all neurons' variance together in each block",
        "SITE/weighted_max_fraction": "() mean of the neurons' largest shares, weighted by their variance",
        "SITE/{low,high}": "(M,) least and greatest activation over the grid",
        "SITE/dead": "(M,) whether the activation is the same for every input",
        "SITE/dead_count": "() number of dead neurons",
        "SITE/specialised_count": f"() live neurons whose largest share is at least {SPECIALISED}",
        "SITE/median_max_fraction": "() median largest share of live neurons",
    },
)


_CLUSTERS = "neurons.clusters"
_NAMES = {1: ("all",), 2: ("low", "high"), 3: ("low", "mid", "high")}


class BandOptions(Options):
    """How components are put together."""

    bands: Count = 3
    """Bands of neighbouring components, as equal in number as can be."""


def bands(trajectory: Trajectory[BandOptions]) -> NestedArrays:
    """Neurons committed to and specialised on each band of components over training, and how concentrated they are.

    Concentration is told over components, as the Herfindahl index sum f^2 and as the effective number exp(entropy) of
    the committed neurons' shares. Bands are of neighbouring labels, in the basis' order. For modular addition they are
    a matter of naming: multiplying both factors by a unit is a symmetry that permutes all frequencies.
    """
    options = trajectory.options
    arrays = trajectory.artifacts[_CLUSTERS]
    outputs: dict[str, NestedArrays] = {}
    for site in sorted({name.rpartition("/")[0] for name in arrays}):
        committed, special = (arrays[f"{site}/{name}"].astype(np.float64) for name in ("size", "size_specialised"))
        labels, count = arrays[f"{site}/label"], min(options.bands, committed.shape[1])
        band = band_of(committed.shape[1], count)
        member = (band[:, None] == np.arange(count)).astype(np.float64)
        outputs[site] = {
            "band": np.array(_NAMES.get(count, tuple(str(i + 1) for i in range(count)))),
            "range": np.array([f"{labels[band == i][0]}-{labels[band == i][-1]}" for i in range(count)]),
            "committed": (committed @ member).astype(np.int32),
            "specialised": (special @ member).astype(np.int32),
            "herfindahl": herfindahl(committed),
            "effective": effective_number(committed),
            "band_herfindahl": herfindahl(committed @ member),
            "final_effective": np.array(effective_number(committed)[-1]),
        }
    return outputs


BANDS = Analyzer(
    name="neurons.bands",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=bands,
    needs=Needs(reads=(_CLUSTERS,)),
    options=BandOptions,
    not_invariant_to=("relu scaling",),  # without a basis: the data's own one weighs large units more
    question="Over how many components, and which bands of them, do the neurons specialise?",
    formula="H = sum_k f_k^2 and exp(-sum_k f_k ln f_k), f_k the share of committed neurons on component k",
    source="Herfindahl-Hirschman index; Hill 1973 for the effective number",
    outputs={
        "SITE/band": "(B,) name of each band",
        "SITE/range": "(B,) its first and last component",
        "SITE/committed": "(T, B) neurons committed to a component of the band",
        "SITE/specialised": "(T, B) neurons specialised on a component of the band",
        "SITE/herfindahl": "(T,) sum of squared shares over components; NaN while no neuron is committed",
        "SITE/effective": "(T,) effective number of components, exp(entropy)",
        "SITE/band_herfindahl": "(T,) sum of squared shares over bands",
        "SITE/final_effective": "() effective number of components at the end",
    },
)
