"""Activations of known features and trainings on them; autoencoders whose weights and inputs are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope import Probe, Source, Trajectory
from miscope.bound import BoundVariant, BoundWorkspace
from miscope.family import make_variant
from miscope.source_checkpoint import OpenedSource, SourceCheckpoint
from miscope_sae.architectures.standard import ReLU, StandardFamily
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.autoencoder_model import AutoencoderModel
from miscope_sae.rows.normalisation import constant_scale


def opened(root: Path, *families: Any, **features: Any) -> tuple[BoundWorkspace, BoundVariant]:
    """A workspace and a variant of known features in it."""
    import miscope_sae
    from miscope.bound import open_bound
    from miscope.testing import tables

    place = open_bound(root, tables(*families, sae=miscope_sae))
    source = place.variant("sae.known-features", **features)
    place.value.keep_record(source.value)
    return place, source


@pytest.fixture(scope="session")
def known_source() -> Callable[..., BoundVariant]:
    """known_source(root, features=12, width=8): known features in a workspace there."""
    return lambda root, **features: opened(root, **features)[1]


@pytest.fixture
def few(tmp_path: Path) -> Callable[..., BoundVariant]:
    """few('sae.topk', k=2): an autoencoder of 12 latents for 500 inputs of 8 numbers, not yet trained; there is a site
    'hook_out' of 6 numbers, too."""
    place, source = opened(tmp_path, features=12, width=8, inputs=500, probability=0.1, width_out=6)

    def make(family: str, **fields: Any) -> BoundVariant:
        plain = {"latents": 12, "batch_size": 64, "steps": 40, "allow_out_of_range": True}
        return place.variant(family, variant=source.name, step=0, site="hook_embed", **{**plain, **fields})

    return make


def _unopened() -> OpenedSource:
    raise AssertionError("what it is built on is not looked at")


def _member(
    inputs: Tensor,
    decoder: Tensor,
    *,
    biases: tuple[Tensor, Tensor] | None = None,
    train: np.ndarray | None = None,
    family: AutoencoderFamily | None = None,
    **params: Any,
) -> Trajectory:
    latents, width = decoder.shape
    b_enc, b_dec = biases or (torch.zeros(latents), torch.zeros(width))
    weights = {"W_enc": decoder.T.clone(), "b_enc": b_enc, "W_dec": decoder, "b_dec": b_dec}
    given = {"variant": "drawn/one", "site": "hook_z", "step": 0, **params}
    model = AutoencoderModel(
        ReLU(centred=True),
        {role: tuple(weight.shape) for role, weight in weights.items()},
        "constant_norm",
        scales=lambda: (constant_scale(inputs),),
    )
    source = Source(variant=given["variant"], step=given["step"], site=given["site"])
    return Trajectory(
        variant=make_variant(family or StandardFamily(), given),
        steps=np.array([0, 10]),
        options=None,
        probe=Probe(name="drawn", inputs=inputs, train=train),
        weights={role: lambda w=weight: torch.stack([torch.zeros_like(w), w]) for role, weight in weights.items()},
        model=model,
        sources=(SourceCheckpoint(source, _unopened),),
    )


@pytest.fixture
def member() -> Callable[..., Trajectory]:
    """member(inputs, decoder, step=20, seed=1), of (N, d) and (m, d): ReLU latents, the encoder is the transpose.

    biases: of the encoder and of the decoder. Inputs are scaled to a mean norm of the square root of their width.
    """
    return _member
