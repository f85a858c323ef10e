"""At which scale neurons and heads vary over the probe's grid."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.artifact import Arrays
from miscope.maths.coarseness import Scales, automorphisms, low_share_of_noise, preserved_variance, scales
from miscope.needs import Needs
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

SITES = "blocks.*.hook_post|blocks.*.hook_pattern"
"""Sites 'mlp.hook_post' and 'attn.hook_pattern' by one pattern: which of them there are depends on the family."""

BADGES = ("flat", "stripes", "blob", "plaid", "mixed")


class ScaleOptions(Options):
    """What counts as coarse."""

    radius: float = 0.125
    """Distance from the origin of frequencies, in cycles a cell, within which power is coarse."""
    size: Count = 14
    """Cells a side to which a map is shrunk to see what survives."""
    rings: Count = 16
    """Rings of the radial spectrum."""
    threshold: float = 0.7
    """Share of power from which a map has a badge."""


def units(snapshot: Snapshot[ScaleOptions]) -> Arrays:
    """Coarseness of every neuron and every attention map over the grid of two factors, as they come and unwrapped.

    Low is the share of the power, without the mean, within the radius. A pattern of one high frequency is as simple
    as a coarse one once its factor is counted in other steps: unwrapped is the largest low over x -> u x of both
    factors at once, where one Fourier basis counts both; else it is not there. It supposes that neighbouring values
    of a factor are alike in meaning.
    """
    options = snapshot.options
    shape = snapshot.probe.shape
    group = automorphisms(*(snapshot.bases.get(column) for column in snapshot.probe.grid))
    outputs: dict[str, np.ndarray] = {"badge_label": np.array(BADGES), "automorphisms": np.array(len(group))}
    outputs["null_low"] = np.array(low_share_of_noise((shape[0], shape[1]), options.radius))
    for site, activation in snapshot.activations.items():
        maps = activation.reshape(*shape, -1)
        measured = scales(maps, radius=options.radius, rings=options.rings, units=group)
        stored = _stored(measured, activation.shape[1:])
        kept = preserved_variance(maps, options.size).numpy()
        stored["preserved"] = kept.astype(np.float32).reshape(activation.shape[1:])
        badge = badges(measured, options.threshold)
        stored["badge"] = badge.astype(np.uint8).reshape(activation.shape[1:])
        if activation.ndim == 3:
            stored |= _heads(measured, activation)
        outputs |= {f"{site}/{name}": array for name, array in (stored | _totals(measured, badge)).items()}
    return outputs


def badges(measured: Scales, threshold: float) -> np.ndarray:
    """Number of each map's badge: stripes along one factor, a coarse blob, a plaid that unwraps into one, or mixed."""
    ordered = (
        measured.variance == 0,
        measured.stripes.max(axis=0) >= threshold,
        measured.low >= threshold,
        measured.unwrapped >= threshold,
    )
    return np.select(ordered, range(len(ordered)), default=len(ordered))


def _stored(measured: Scales, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    names = [field.name for field in fields(measured) if field.name not in ("radial", "stripes", "unit")]
    arrays = {name: getattr(measured, name).astype(np.float32).reshape(shape) for name in names}
    arrays["unit"] = measured.unit.astype(np.int32).reshape(shape)
    arrays["stripes"] = measured.stripes.astype(np.float32).reshape(2, *shape)
    arrays["radial"] = measured.radial.astype(np.float16).reshape(-1, *shape)
    return arrays


def _heads(measured: Scales, pattern: Tensor) -> dict[str, np.ndarray]:
    """Of each head, over its keys: the mean weighted by how much its attention to them varies."""
    weight = measured.variance.reshape(pattern.shape[1:])
    total = weight.sum(axis=1)
    means = {}
    for name in ("low", "roughness", "unwrapped"):
        values = np.nan_to_num(getattr(measured, name)).reshape(weight.shape)
        seen = np.isfinite(getattr(measured, name)).any()
        mean = (values * weight).sum(axis=1) / np.where(total > 0, total, 1)
        means[f"head_{name}"] = np.where((total > 0) & seen, mean, np.nan).astype(np.float32)
    return means


def _totals(measured: Scales, badge: np.ndarray) -> dict[str, np.ndarray]:
    live = measured.variance > 0
    return {
        "mean_low": np.array(measured.low[live].mean() if live.any() else np.nan),
        "median_low": np.array(np.median(measured.low[live]) if live.any() else np.nan),
        "mean_unwrapped": np.array(measured.unwrapped[live].mean() if live.any() else np.nan),
        "mean_roughness": np.array(measured.roughness[live].mean() if live.any() else np.nan),
        "badge_count": np.bincount(badge, minlength=len(BADGES)),
        "blob_count": np.array(int((badge == BADGES.index("blob")).sum())),
    }


UNITS = Analyzer(
    name="coarseness.units",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=units,
    needs=Needs(sites=(SITES,), bases=("*",), grid=2),
    options=ScaleOptions,
    not_invariant_to=("relu scaling", "token relabelling"),
    question="At which scale do neurons and heads vary over the inputs, and which of them are simple once unwrapped?",
    formula="low = P(|f| <= r) / P(f != 0) of the 2-D Fourier transform; unwrapped = max over u of low of x(u a, u b)",
    source="The user's notebook of 2026-02-02, 'Multi-scale structure in activations and attention'",
    outputs={
        "badge_label": "(5,) what a badge's number means: flat, stripes, blob, plaid, mixed",
        "automorphisms": "() maps x -> u x unwrapped by, up to sign; 0 where the family has none",
        "null_low": "() low of white noise",
        "SITE/low": "(M,) or (H, key) float32, share of power within the radius, the mean left out; NaN if constant",
        "SITE/unwrapped": "(M,) or (H, key) float32, the largest low over automorphisms; NaN where there are none",
        "SITE/unit": "(M,) or (H, key) int32, the u that gives it: the inverse of the frequency, up to sign",
        "SITE/gradient": "(M,) or (H, key) float32, mean absolute difference of neighbours over both factors",
        "SITE/roughness": "(M,) or (H, key) float32, gradient over standard deviation",
        "SITE/centroid": "(M,) or (H, key) float32, mean distance of the power from the origin, cycles a cell",
        "SITE/bandwidth": "(M,) or (H, key) float32, its standard deviation",
        "SITE/preserved": "(M,) or (H, key) float32, share of variance that survives shrinking by area and growing",
        "SITE/variance": "(M,) or (H, key) float32, variance over the grid",
        "SITE/stripes": "(2, M) or (2, H, key) float32, share of power in functions of one factor alone",
        "SITE/radial": "(rings, M) or (rings, H, key) float16, share of power in equally wide rings",
        "SITE/badge": "(M,) or (H, key) uint8, number of the badge",
        "SITE/badge_count": "(5,) units of each badge",
        "SITE/blob_count": "() units that are blobs",
        "SITE/head_{low,roughness,unwrapped}": "(H,) float32, mean over keys, weighted by variance",
        "SITE/{mean,median}_low": "() over units that vary",
        "SITE/mean_{unwrapped,roughness}": "() over units that vary",
    },
)
