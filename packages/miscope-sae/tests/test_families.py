"""Every architecture keeps the contract of a family; so does one of somebody else, with a weight of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, final

import pytest
import torch

import miscope_sae
from miscope import Term
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue, UnknownName
from miscope.testing import check_family, tables
from miscope_sae import terms
from miscope_sae.architecture import REQUIRED, Architecture
from miscope_sae.architectures.standard import ReLU
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.exchange.trained import plain_of
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf

FAMILIES = ("sae.standard", "sae.jumprelu", "sae.topk", "sae.batchtopk", "sae.gated", "sae.matryoshka", "sae.skip")


PAGE = (Path(__file__).parents[3] / "docs" / "sae.md").read_text(encoding="utf-8")
MINE = ModuleType("absolute", "An architecture of somebody else, which the page writes.")
exec(PAGE.partition("```python file=absolute.py\n")[2].partition("```")[0], MINE.__dict__)


class Misnamed(AutoencoderFamily):
    """Its weights have names of its own."""

    name = "mine.misnamed"
    title = "Mine: other names"

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        return ReLU(centred=False)

    def shapes(self, width: int, latents: int) -> Mapping[str, tuple[int, ...]]:
        return {"encoder": (width, latents), "b_enc": (latents,), "W_dec": (latents, width)}

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        return (terms.reconstruction(pass_of),)


@final
class Unsaid(Misnamed):
    """It does not say what an axis counts."""

    name = "mine.unsaid"

    def shapes(self, width: int, latents: int) -> Mapping[str, tuple[int, ...]]:
        return {**AutoencoderFamily.shapes(self, width, latents), "margin": (latents,)}


def opened(root: Path) -> tuple[BoundWorkspace, BoundVariant]:
    """With a source whose inputs all differ: every feature is on, more or less."""
    place = open_bound(root, tables(Misnamed(), Unsaid(), sae=miscope_sae, mine=MINE))
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


def test_the_page_names_the_weights_that_every_architecture_has() -> None:
    told = PAGE.partition("## An architecture of your own")[2].partition("\n## ")[0]
    assert [name for name in REQUIRED if f"`{name}`" not in told] == []


@pytest.mark.parametrize(
    ("architecture", "said"),
    [
        (
            "mine.misnamed",
            "mine.misnamed has no weight named W_enc or b_dec.\n"
            "Its weights are: encoder, b_enc, W_dec; these are read by name in training and by instruments.\n"
            "Name them so in `shapes`: W_enc (input, latent), W_dec (latent, input), b_dec (input).",
        ),
        (
            "mine.unsaid",
            "mine.unsaid does not say what the axes of margin count.\n"
            "Its `axes` has: W_enc, b_enc, W_dec, b_dec, threshold, b_gate, b_mag, r_mag.\n"
            "Add it there, as ('latent',).",
        ),
    ],
)
def test_an_architecture_whose_weights_are_not_known_by_name_is_told_how(
    architecture: str, said: str, tmp_path: Path
) -> None:
    _, source = opened(tmp_path)
    (one,) = miscope_sae.autoencoders(source, "hook_embed", architecture=architecture, latents="2x")
    with pytest.raises(BadValue) as told:
        list(one.train(threads=1))
    assert str(told.value) == said


def test_it_is_found_among_the_architectures_there_are(tmp_path: Path) -> None:
    _, source = opened(tmp_path)
    with pytest.raises(UnknownName) as told:
        miscope_sae.autoencoders(source, "hook_embed", architecture="absolute")
    assert (
        "Those there are: standard, jumprelu, topk, batchtopk, gated, matryoshka, skip, transcoder, crosscoder, "
        "crosscoder-batchtopk, mine.abs, mine.misnamed, mine.unsaid." in str(told.value)
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
    weights = {name: torch.ones(shape) for name, shape in MINE.AbsoluteFamily().shapes(4, 8).items()}
    with pytest.raises(BadValue) as told:
        plain_of(MINE.Absolute(centred=True), weights, mode="none", scales=(1.0,))
    assert str(told.value) == (
        "Absolute is no architecture of other libraries.\n"
        "Those that have a name there: ReLU, JumpReLU, BatchTopK, TopK, Gated, SkipReLU.\n"
        "Export an autoencoder of one of these."
    )
