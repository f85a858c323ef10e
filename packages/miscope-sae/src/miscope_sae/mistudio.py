"""Hyperparameters as miStudio has them, field by field, and what has no counterpart here.

Its architecture `standard` is the family `sae.standard` here, and so on; a field goes to the field of that family which
has its name, or its name here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope import TranslatedFields

if TYPE_CHECKING:
    from miscope import Family

__all__ = ["PROGRAM", "read_mistudio"]

PROGRAM = "miStudio"
_PREFIX = "sae."
_ARCHITECTURES = {"standard_saelens": "standard", "standard_anthropic": "standard"}
"""Two ways of writing down one network."""
_NAMES = {
    "total_steps": "steps",
    "num_steps": "steps",
    "checkpoint_interval": "checkpoints",
    "latent_dim": "latents",
}
"""What a field is called here, where that is something else."""
_SHARE, _KEPT = "top_k_sparsity", "k"
"""Percent of the latents there, their number here."""


def read_mistudio(family: Family, architecture: str, given: Mapping[str, Any]) -> TranslatedFields | None:
    """The fields of this family that miStudio's hyperparameters come to; None where they are of another's."""
    if family.name != f"{_PREFIX}{_plain(architecture, given)}":
        return None
    known = {*family.params.model_fields, *family.training_config.model_fields}
    fields, left_out = _renamed(given)
    if _KEPT in known and (kept := _kept(given)) is not None:
        fields = {name: value for name, value in fields.items() if name != _SHARE} | {_KEPT: kept}
    foreign = [f"{name}: {family.name} has no such field" for name in fields if name not in known]
    mapped = {name: value for name, value in fields.items() if name in known}
    return TranslatedFields(fields=mapped, left_out=(*left_out, *foreign))


def _plain(architecture: str, given: Mapping[str, Any]) -> str:
    """What it is called here; a share of latents that are kept makes of a standard one another."""
    plain = _ARCHITECTURES.get(architecture, architecture)
    return "topk" if plain == "standard" and given.get(_SHARE) is not None else plain


def _kept(given: Mapping[str, Any]) -> int | None:
    """How many latents an input keeps, of a share in percent; None where there is none, or nobody knows of how many."""
    share, latents = given.get(_SHARE), given.get("latent_dim")
    if not isinstance(share, int | float) or not isinstance(latents, int | float):
        return None
    kept = float(latents) * float(share) / 100
    return max(1, round(kept)) if math.isfinite(kept) else None


def _renamed(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The fields by their names here, without those that say nothing; and what means nothing here."""
    fields: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in given.items():
        match name, value:
            case _, None:
                pass
            case "hidden_dim", _:
                left_out.append("hidden_dim: the width is read from the site")
            case "resample_dead_neurons", _:
                pass
            case "resample_interval", _ if given.get("resample_dead_neurons"):
                fields["resample_steps"] = value
            case "resample_interval", _:
                left_out.append("resample_interval: resample_dead_neurons is off")
            case "dead_neuron_threshold", int() if not isinstance(value, bool) and value > 0:
                fields["dead_window_steps"] = value
            case "normalize_activations", "anthropic_rescale":
                fields[name] = "constant_norm"
                left_out.append("normalize_activations: anthropic_rescale was per row, constant_norm is one scalar")
            case "checkpoint_interval", int():
                fields["checkpoints"] = f"every:{value}"
            case _:
                fields[_NAMES.get(name, name)] = value
    return fields, left_out
