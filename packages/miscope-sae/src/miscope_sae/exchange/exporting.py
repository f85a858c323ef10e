"""A trained autoencoder as a folder that SAELens loads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.errors import BadValue
from miscope.lazily import torch
from miscope_sae.autoencoder_model import AutoencoderModel
from miscope_sae.exchange.saelens import FILES, save_saelens
from miscope_sae.exchange.trained import plain_of
from miscope_sae.sites import LATENTS, RECONSTRUCTED

if TYPE_CHECKING:
    from miscope import Variant
    from miscope.workspace import Workspace

__all__ = ["export_autoencoder"]

_COMPARED = 256
"""Inputs on which what was written is compared with what was trained."""


def export_autoencoder(
    workspace: Workspace, variant: Variant, step: int, folder: Path, *, overwrite: bool = False
) -> float:
    """Write `cfg.json`, `sae_weights.safetensors` and `sparsity.safetensors` of a checkpoint into a folder.

    Gives how far what comes out of the files is from what the variant reconstructs, relative to that; see
    `save_saelens`. BadValue where the variant is no autoencoder of one site, and where the folder holds such files
    already, unless they are to be overwritten.
    """
    if not overwrite:
        _check_free(folder)
    context = workspace.context(variant)
    model, params = context.model, variant.params
    if not isinstance(model, AutoencoderModel):
        raise BadValue(
            f"{variant.name} is no autoencoder of one site.",
            f"It is a {variant.family}.",
            "Name one of the families `miscope families` lists under miscope-sae.",
        )
    checkpoint = workspace.store.load_checkpoint(variant.name, step)
    rows = context.probe().inputs
    with torch.no_grad():
        found = model.answers(checkpoint.weights, rows, {LATENTS, RECONSTRUCTED})
    about: dict[str, Any] = params.model_dump(mode="json")
    metadata = {
        "model_name": about["variant"],
        "hook_name": about["site"],
        **({"hook_name_out": about["target_site"]} if "target_site" in about else {}),
        "miscope": {"variant": variant.name, "digest": variant.digest, "step": step, "params": about},
    }
    coder = plain_of(
        model.architecture,
        checkpoint.weights,
        mode=about["normalize_activations"],
        scales=model.scales,
        metadata=metadata,
    )
    some = slice(0, _COMPARED)
    return save_saelens(
        coder,
        folder,
        rows=model.parted(rows)[0][some],
        expected=found[RECONSTRUCTED][some],
        frequencies=(found[LATENTS] > 0).double().mean(0),
    )


def _check_free(folder: Path) -> None:
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise BadValue(
            f"{folder} holds an autoencoder already.",
            f"There is {', '.join(there)}.",
            "Choose another folder, or have it replaced:  --overwrite  (in Python: overwrite=True)",
        )
