"""What the `cfg.json` of a SAELens folder says, of version 6 and of those before, and what is written into one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.errors import BadFile
from miscope.jsonable import jsonable
from miscope_sae.exchange.foreign_file import CONVERT, fields_of, read_json
from miscope_sae.exchange.plain_autoencoder import PlainAutoencoder

__all__ = ["SCALED", "SaeLensConfig", "config_of", "read_config"]

VERSION = "6.54.12"
"""Of SAELens, whose files these are; one without a version of 6 or more is read as of older ones."""
SCALED = "expected_average_only_in"
"""Rows times one scalar: SAELens folds it into the weights when training ends, and does not apply it when it loads."""

_K = 100
"""What SAELens takes where `cfg.json` has no k."""
_OLD_NAMES = {
    "hook_point": "hook_name",
    "hook_point_head_index": "hook_head_index",
    "activation_fn_str": "activation_fn",
}
_OLD_METADATA = (
    *("model_name", "hook_name", "model_class_name", "hook_head_index", "model_from_pretrained_kwargs", "prepend_bos"),
    *("exclude_special_tokens", "neuronpedia_id", "context_size", "seqpos_slice", "dataset_path", "hook_name_out"),
    *("hook_head_index_out", "sae_lens_version", "sae_lens_training_version"),
)


@final
class SaeLensConfig(BaseModel):
    """The fields that decide about the arithmetic, and what else is known of the autoencoder."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    architecture: str = "standard"
    d_in: int
    d_sae: int
    d_out: int | None = None
    k: int = _K
    rescale_acts_by_decoder_norm: bool = False
    apply_b_dec_to_input: bool | None = None
    """None where the file says nothing: then it is subtracted, except by transcoders."""
    normalize_activations: str = "none"
    reshape_activations: str = "none"
    metadata: Mapping[str, Any] = Field(default_factory=dict)


def read_config(path: Path) -> SaeLensConfig:
    """BadFile where there is no such file, or where it asks for arithmetic that only SAELens before 6 had."""
    values = read_json(path)
    about = values.get("metadata")
    version = values.get("sae_lens_version") or (about.get("sae_lens_version") if isinstance(about, dict) else None)
    return fields_of(path, values if _major(version) >= 6 else _of_older(path, values), SaeLensConfig)


def config_of(coder: PlainAutoencoder) -> dict[str, object]:
    """The fields of `cfg.json`, each of them said, so that no default of a version decides."""
    about = dict(coder.metadata)
    config: dict[str, object] = {
        "architecture": coder.architecture,
        "d_in": coder.d_in,
        "d_sae": coder.d_sae,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": coder.apply_b_dec_to_input,
        "normalize_activations": coder.normalize_activations,
        "reshape_activations": about.pop("reshape_activations", "none"),
        "metadata": jsonable({**about, "sae_lens_version": VERSION}),
    }
    if coder.is_transcoder:
        config["d_out"] = coder.d_out
    if coder.architecture == "topk":
        config |= {"k": coder.k, "rescale_acts_by_decoder_norm": False}
    return config


def _major(version: object) -> int:
    first = str(version or "").partition(".")[0][:9]
    return int(first) if first.isdecimal() else 0


def _of_older(path: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields by the names of version 6, which splits off what says nothing of the arithmetic as `metadata`."""
    old = {_OLD_NAMES.get(name, name): value for name, value in values.items()}
    activation = old.get("activation_fn", "relu")
    if activation not in ("relu", "topk") or old.get("finetuning_scaling_factor"):
        what = "factors of finetuning" if activation in ("relu", "topk") else f"the activation function {activation!r}"
        raise BadFile(path, f"It is of SAELens before 6 and has {what}, which SAELens has no more.", CONVERT)
    if activation == "topk":
        settings = old.get("activation_fn_kwargs") or {}
        if not isinstance(settings, Mapping):
            raise BadFile(path, f"Its 'activation_fn_kwargs' is no object, but {str(settings)[:40]!r}.", CONVERT)
        old |= {"architecture": "topk", "k": settings.get("k", _K)}
    if isinstance(normalise := old.get("normalize_activations") or "none", bool):
        normalise = SCALED
    reshape = "hook_z" if "hook_z" in str(old.get("hook_name")) else "none"
    kept = {name: old[name] for name in SaeLensConfig.model_fields if old.get(name) is not None}
    about = {name: old[name] for name in _OLD_METADATA if name in old}
    return {"reshape_activations": reshape, **kept, "normalize_activations": normalise, "metadata": about}
