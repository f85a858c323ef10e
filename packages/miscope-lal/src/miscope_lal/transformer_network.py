"""The transformer as a model: the hooked network, and the exact algebra of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor

from miscope.model import LOGITS, HookedModel, Model, Shortcut
from miscope.shortcut_model import ShortcutModel
from miscope_lal import answer_algebra
from miscope_lal.transformer_architecture import Architecture
from miscope_lal.transformer_params import RoutedTransformerParams, TransformerParams

__all__ = ["architecture_of", "build_model", "exact_logits"]


def architecture_of(params: TransformerParams) -> Architecture:
    """The sizes of a variant's network."""
    routed = isinstance(params, RoutedTransformerParams)
    return Architecture(
        prime=params.prime,
        operations=2 if params.operation == "both" else 1,
        d_model=params.hidden_dim,
        heads=params.n_heads,
        layers=params.n_layers,
        tied=params.tie_embeddings is True,
        ffn_heads=(params.n_ffn_heads or params.n_heads) if routed else None,
    )


def build_model(architecture: Architecture) -> ShortcutModel:
    """The transformer; most sites at the answer position come from exact algebra where an input is [a, op, b, =]."""
    return ShortcutModel(
        partial(_hooked, architecture),
        roles=architecture.roles,
        sites={LOGITS, *architecture.sites},
        shortcut=Shortcut(
            sites=answer_algebra.sites(architecture),
            run=partial(answer_algebra.activations, architecture),
            accepts=partial(answer_algebra.answerable, architecture),
        ),
    )


def exact_logits(model: Model, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """Answer-position logits (N, prime), by the model's shortcut where that accepts the inputs."""
    return model.answers(weights, inputs, [LOGITS])[LOGITS]


def _hooked(architecture: Architecture) -> HookedModel:
    from miscope_lal.transformer_module import Transformer

    roles = architecture.roles
    shapes = {role.name: role.shape for role in roles}
    module = Transformer(shapes, layers=architecture.layers, answers=architecture.prime)
    points = dict(module.named_modules())
    sites = {name: points[name] for name in architecture.sites}
    return HookedModel(module, roles=roles, sites=sites, place=dict)
