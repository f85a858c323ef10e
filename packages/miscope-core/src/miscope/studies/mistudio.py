"""Templates as miStudio exports them, in the words of a study: field by field, and what has no counterpart here.

miStudio's are of sparse autoencoders: `encoder_type` and `hyperparameters`. Its architecture `standard` is the family
`sae.standard` here, and so on; a field goes to the field of that family which has its name, or its name here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.errors import BadValue

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.plugins.plugins import Plugins

__all__ = ["Translated", "is_mistudio", "translated"]

_VERSION = "1.0"
_ARCHITECTURES = {"standard_saelens": "standard", "standard_anthropic": "standard"}
"""Two ways of writing down one network."""
_SAID = {"name": "name", "description": "description", "is_favorite": "favourite", "tags": "tags"}
_READ = {*_SAID, "encoder_type", "architecture", "hyperparameters"}
_NAMES = {"total_steps": "steps", "num_steps": "steps", "checkpoint_interval": "checkpoints"}
"""What a field is called here, where that is something else."""
_SIZES = {"latent_dim": "latents"}
"""The same, of a family that has it."""
_SHARE, _KEPT = "top_k_sparsity", "k"
"""Percent of the latents there, their number here."""
_TODO = "Export it again from miStudio."


@final
@dataclass(frozen=True, kw_only=True)
class Translated:
    """An item as `miscope templates export` would have written it."""

    item: Mapping[str, Any]
    left_out: tuple[str, ...]
    """What of it has no counterpart, each with the reason."""


def is_mistudio(whole: object) -> bool:
    """Whether the JSON is an export of miStudio's: a version, and templates that say no format."""
    return isinstance(whole, Mapping) and "format" not in whole and whole.get("version") == _VERSION


def translated(plugins: Plugins, item: object) -> Translated:
    """The item in the words of a study. Raises BadValue where it is none, or its family is not installed."""
    if not isinstance(item, Mapping) or not isinstance(item.get("hyperparameters"), Mapping):
        raise BadValue("This is no template of miStudio's.", "It has: name, encoder_type, hyperparameters.", _TODO)
    given = item["hyperparameters"]
    encoder = str(item.get("encoder_type") or item.get("architecture") or "")
    family = _family(plugins, _activation(encoder, given))
    known = {*family.params.model_fields, *family.training_config.model_fields}
    fields, left_out = _renamed(given)
    fields = {_SIZES[name] if _SIZES.get(name) in known else name: value for name, value in fields.items()}
    if _KEPT in known and (kept := _kept(given)) is not None:
        fields = {name: value for name, value in fields.items() if name != _SHARE} | {_KEPT: kept}
    foreign = [f"{name}: {family.name} has no such field" for name in fields if name not in known]
    elsewhere = [f"{name}: it is of the place where it was written" for name in item if name not in _READ]
    base = {name: value for name, value in fields.items() if name in known}
    said = {here: item[there] for there, here in _SAID.items() if item.get(there) is not None}
    return Translated(
        item={**said, "study": {"family": family.name, "base": base}}, left_out=(*left_out, *foreign, *elsewhere)
    )


def _activation(encoder: str, given: Mapping[str, Any]) -> str:
    """The architecture, which a share of latents that are kept makes another: theirs is a standard one with that."""
    plain = _ARCHITECTURES.get(encoder, encoder)
    return "topk" if plain == "standard" and given.get(_SHARE) is not None else plain


def _kept(given: Mapping[str, Any]) -> int | None:
    """How many latents an input keeps, of a share in percent; None where there is none, or of nobody knows how many."""
    share, latents = given.get(_SHARE), given.get("latent_dim")
    if not isinstance(share, int | float) or not isinstance(latents, int | float):
        return None
    kept = float(latents) * float(share) / 100
    return max(1, round(kept)) if math.isfinite(kept) else None


def _family(plugins: Plugins, encoder: str) -> Family:
    name = f"sae.{_ARCHITECTURES.get(encoder, encoder)}"
    if name in plugins.families:
        return plugins.families[name]
    there = ", ".join(each for each in sorted(plugins.families) if each.startswith("sae."))
    raise BadValue(
        f"The template is of the architecture {encoder!r}, and no family {name!r} is installed.",
        f"Installed are: {there}." if there else "No family of sparse autoencoders is.",
        "Install a package that has it, and import the templates again.",
    )


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
