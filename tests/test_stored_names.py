"""Variants of every shipped family keep the names and digests under which workspaces hold them."""

from __future__ import annotations

from typing import Any

import pytest

import miscope_modadd
import miscope_toys
from miscope.family import make_variant

FAMILIES = {family.name: family for plugin in (miscope_modadd, miscope_toys) for family in plugin.miscope_families()}
CHANGED: dict[str, Any] = {
    "no_decay": ("*.b_*",), "warmup_steps": 10, "clip_norm": 1.0, "batch_size": 32, "betas": (0.9, 0.999)
}  # fmt: skip

PLAIN = {
    "modadd.transformer": ("p113-seed999-dseed598", "7f1811e32ac00875"),
    "modadd.nanda2023": ("p113-seed0", "c10db4f0b749457c"),
    "modadd.mlp": ("p113-seed999-dseed598", "9f90a0ebb887e0ef"),
    "toys.induction": ("v32-n40-N2560-d64-seed0-dseed0", "692303478f603433"),
    "toys.parity": ("n40-k3-N2000-w512-seed0-dseed0", "5e4e86499b634958"),
    "toys.permutation": ("S4-d64-w128-seed0-dseed0", "80946d83c6d51032"),
}
OTHERWISE = {
    "modadd.transformer": (
        "p113-seed999-dseed598-betas0.9+0.999-nodecay.b_++b907fdec-warmup10-clip1-batch32",
        "7a1f0df6a2aeb1cd",
    ),
    "modadd.nanda2023": ("p113-seed0-betas0.9+0.999-nodecay.b_++b907fdec-clip1-batch32", "6521b8e67421cc26"),
    "modadd.mlp": (
        "p113-seed999-dseed598-betas0.9+0.999-nodecay.b_++b907fdec-warmup10-clip1-batch32",
        "89610cab2bf3de60",
    ),
    "toys.induction": (
        "v32-n40-N2560-d64-seed0-dseed0-betas0.9+0.999-nodecay.b_++b907fdec-warmup10-clip1",
        "7a9bb24534843a42",
    ),
    "toys.parity": (
        "n40-k3-N2000-w512-seed0-dseed0-betas0.9+0.999-nodecay.b_++b907fdec-warmup10-clip1",
        "c1f3f0d18d9c8915",
    ),
    "toys.permutation": (
        "S4-d64-w128-seed0-dseed0-betas0.9+0.999-nodecay.b_++b907fdec-warmup10-clip1-batch32",
        "4106e61c9433282e",
    ),
}
"""Written down before optimizers and schedules had fields of their own."""


@pytest.mark.parametrize("family", PLAIN)
def test_a_variant_is_called_what_it_was(family: str) -> None:
    for fields, known in (({}, PLAIN), (CHANGED, OTHERWISE)):
        variant = make_variant(FAMILIES[family], {}, fields)
        assert (variant.slug, variant.digest) == known[family]
