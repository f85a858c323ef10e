"""Every architecture keeps the contract of a family; so does one of somebody else, with a weight of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, final

import pytest
import torch
from torch import Tensor

import miscope_sae
from miscope import Family, Term, hookimpl
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue, UnknownName
from miscope.testing import check_family, tables
from miscope_sae import terms
from miscope_sae.architecture import AXES, Architecture, Weights
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.exchange.trained import plain_of
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf

FAMILIES = ("sae.standard", "sae.jumprelu", "sae.topk", "sae.batchtopk", "sae.gated", "sae.matryoshka", "sae.skip")


@final
class Absolute(Architecture):
    """Latents are the size of the pre-activations beyond a margin that is learned, whatever their sign."""

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        return torch.relu(before.abs() - weights["margin"])


@final
class AbsoluteFamily(AutoencoderFamily):
    """Defined in this file alone."""

    name = "mine.abs"
    title = "Mine: absolute values"
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {**AXES, "margin": ("latent",)}

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        return Absolute(centred=params.apply_b_dec_to_input)

    def shapes(self, width: int, latents: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().shapes(width, latents), "margin": (latents,)}

    def first_weights(self, setting: Setting) -> dict[str, Tensor]:
        return {**super().first_weights(setting), "margin": torch.full((setting.latents,), 0.1)}

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        return (terms.reconstruction(pass_of),)


class Mine:
    """A package of somebody else."""

    @staticmethod
    @hookimpl
    def miscope_families() -> tuple[Family, ...]:
        return (AbsoluteFamily(),)


def opened(root: Path) -> tuple[BoundWorkspace, BoundVariant]:
    """With a source whose inputs all differ: every feature is on, more or less."""
    place = open_bound(root, tables(sae=miscope_sae, mine=Mine))
    source = place.variant("sae.known-features", features=12, width=8, inputs=300, probability=1.0, width_out=5)
    place.value.keep_record(source.value)
    return place, source


@pytest.mark.parametrize(
    ("family", "more"),
    [
        *[(family, {}) for family in (*FAMILIES, "mine.abs")],
        ("sae.skip", {"skip_mode": "gated"}),
        ("sae.skip", {"skip_mode": "identity_literal"}),
        *[("sae.transcoder", {"target_site": "hook_out", "linear_skip": skip}) for skip in (False, True)],
    ],
)
def test_a_family_keeps_the_contract(family: str, more: dict[str, object], tmp_path: Path) -> None:
    place, source = opened(tmp_path)
    params = {"variant": source.name, "step": 0, "site": "hook_embed", "latents": "2x", **more}
    variant = place.value.variant(family, **params)
    check_family(place.value.context(variant).family, params)


def test_the_source_of_known_features_keeps_the_contract() -> None:
    plugins = tables(sae=miscope_sae)
    check_family(plugins.families["sae.known-features"], {"features": 12, "width": 8, "inputs": 300})


def test_an_architecture_of_another_package_is_trained_by_its_name(tmp_path: Path) -> None:
    _, source = opened(tmp_path)
    (one,) = miscope_sae.autoencoders(
        source, "hook_embed", architecture="mine.abs", latents="2x", learning_rate=1e-2, allow_out_of_range=True
    )
    list(one.train(threads=1, steps=200))
    assert one.name.startswith("mine.abs/m2x-")
    weights = one.at("last").checkpoint.weights
    assert set(weights) == {"W_enc", "b_enc", "W_dec", "b_dec", "margin"}
    assert not torch.equal(weights["margin"], torch.full((16,), 0.1)), "its own weight is learned"
    fvu = one.metrics()["test_fvu"].values
    assert fvu[-1] < 0.5 * fvu[0]
    assert "test_dead_neurons" in one.metrics()


def test_it_is_found_among_the_architectures_there_are(tmp_path: Path) -> None:
    _, source = opened(tmp_path)
    with pytest.raises(UnknownName) as told:
        miscope_sae.autoencoders(source, "hook_embed", architecture="absolute")
    assert (
        "Those there are: standard, jumprelu, topk, batchtopk, gated, matryoshka, skip, transcoder, crosscoder, "
        "crosscoder-batchtopk, mine.abs." in str(told.value)
    )


def test_a_family_that_was_given_no_source_says_where_it_gets_one(tmp_path: Path) -> None:
    place, source = opened(tmp_path)
    variant = place.value.variant("sae.topk", variant=source.name, step=0, site="hook_embed")
    with pytest.raises(BadValue) as told:
        place.value.plugins.families["sae.topk"].model(variant.params)
    assert str(told.value) == (
        "The autoencoder is built on a checkpoint that it was not given.\n"
        "A family is given what it is built on by the workspace it is used in.\n"
        "Take it from there:  workspace.context(variant).family"
    )


def test_it_is_not_written_for_libraries_that_have_no_such() -> None:
    weights = {name: torch.ones(shape) for name, shape in AbsoluteFamily().shapes(4, 8).items()}
    with pytest.raises(BadValue) as told:
        plain_of(Absolute(centred=True), weights, mode="none", scales=(1.0,))
    assert str(told.value) == (
        "Absolute is no architecture of other libraries.\n"
        "Those that have a name there: ReLU, JumpReLU, BatchTopK, TopK, Gated, SkipReLU.\n"
        "Export an autoencoder of one of these."
    )
