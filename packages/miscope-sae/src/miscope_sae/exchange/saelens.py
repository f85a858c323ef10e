"""Folders of SAELens: `cfg.json` and `sae_weights.safetensors`, written so that `SAE.load_from_disk` takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from miscope.errors import BadFile, BadValue
from miscope.lazily import torch
from miscope.store.atomic import write_whole
from miscope_sae.exchange.folding import scaled, unit_norm
from miscope_sae.exchange.foreign_file import AGAIN, CONVERT, read_json, read_safetensors, refusing
from miscope_sae.exchange.plain_autoencoder import Architecture, Normalisation, PlainAutoencoder, reconstruction
from miscope_sae.exchange.saelens_config import SCALED, SaeLensConfig, config_of, read_config

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FILES", "load_saelens", "load_sparsity", "save_saelens"]

CLOSE = 1e-5
"""Relative: what comes out of the files may differ by this from what was to be written."""

_CONFIG, _WEIGHTS, _SPARSITY = "cfg.json", "sae_weights.safetensors", "sparsity.safetensors"
FILES = (_CONFIG, _WEIGHTS, _SPARSITY)
"""What is written into a folder."""
_SCALER = "activation_scaler.json"
_NEVER = 1e-10
"""Added to frequencies before their logarithm is taken, as SAELens does."""


def save_saelens(
    coder: PlainAutoencoder,
    folder: Path,
    *,
    rows: Tensor,
    expected: Tensor | None = None,
    frequencies: Tensor | None = None,
) -> float:
    """Write the folder, read it again, and give how far what comes out of `rows` is from `expected`, relative to that.

    rows (n, d_in) raw activations; expected (n, d_out): what the coder was made from gives for them, by default what
    the coder gives. frequencies (d_sae): how often each latent is active, written as log10(f + 1e-10). `metadata`
    goes into `cfg.json`: what is miscope's own under "miscope". BadValue where SAELens has no such coder, or
    where the difference is above 1e-5: then the files are deleted.
    """
    _check_known(coder)
    _write(coder, folder, frequencies)
    wanted = reconstruction(coder, rows) if expected is None else expected
    distance = _distance(reconstruction(load_saelens(folder), rows), wanted)
    if not distance <= CLOSE:
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        raise BadValue(
            f"What was written to {folder} gave other values than the autoencoder it was made from, and was deleted.",
            f"They differ by {distance:.2g}, relative to the largest; {CLOSE:g} is allowed.",
            "Fold first what training kept beside the weights: a scalar (`scaled`), a bias (`without_input_bias`).",
            field="expected",
        )
    return distance


def load_saelens(folder: Path, *, scale: float | None = None) -> PlainAutoencoder:
    """The autoencoder of a folder of SAELens, with latents and output as `SAE.load_from_disk` gives them.

    Norms by which the k largest are ranked are folded. scale: the factor of the inputs, where the file says
    'expected_average_only_in' and neither the weights nor `activation_scaler.json` have it. BadFile where the
    architecture is another, where tensors are missing or too many, or where a normalisation is not known.
    """
    path = folder / _WEIGHTS
    config, tensors = read_config(folder / _CONFIG), _without_ones(path, read_safetensors(path))
    subtracts = config.apply_b_dec_to_input
    about = dict(config.metadata)
    if config.reshape_activations != "none":
        about["reshape_activations"] = config.reshape_activations
    with refusing(path):
        coder = PlainAutoencoder(
            architecture=cast(Architecture, config.architecture),
            tensors=tensors,
            k=config.k if config.architecture == "topk" else None,
            apply_b_dec_to_input=not config.architecture.endswith("transcoder") if subtracts is None else subtracts,
            normalize_activations=_normalisation(config),
            metadata=about,
        )
    _check_sizes(path, coder, config)
    if config.rescale_acts_by_decoder_norm and coder.k is not None:
        coder = unit_norm(coder, ranked_by_norm=True)
    if config.normalize_activations == SCALED:
        with refusing(folder / _CONFIG):
            coder = scaled(coder, _scale(folder) if scale is None else scale)
    return coder


def load_sparsity(folder: Path) -> Tensor | None:
    """(d_sae) log10 of how often each latent is active; None where the folder does not say."""
    path = folder / _SPARSITY
    if not path.exists():
        return None
    tensors = read_safetensors(path)
    if "sparsity" not in tensors:
        raise BadFile(path, f"It holds no 'sparsity', but: {', '.join(tensors)}.", AGAIN)
    return tensors["sparsity"].float()


def _write(coder: PlainAutoencoder, folder: Path, frequencies: Tensor | None) -> None:
    from safetensors.torch import save

    # Copied, because safetensors refuses tensors that share memory.
    content = save({name: tensor.clone() for name, tensor in coder.tensors.items()})
    write_whole(folder / _WEIGHTS, lambda file: file.write(content))
    (folder / _SPARSITY).unlink(missing_ok=True)
    if frequencies is not None:
        logarithms = save({"sparsity": (frequencies.detach().cpu().float() + _NEVER).log10().contiguous()})
        write_whole(folder / _SPARSITY, lambda file: file.write(logarithms))
    config = json.dumps(config_of(coder), indent=2, allow_nan=False) + "\n"
    write_whole(folder / _CONFIG, lambda file: file.write(config.encode()))


def _check_known(coder: PlainAutoencoder) -> None:
    if coder.architecture != "topk" and coder.k is not None:
        raise BadValue(
            f"A transcoder that keeps the {coder.k} largest latents of a row was to be written for SAELens.",
            "SAELens has transcoders with ReLU and with thresholds, and no others.",
            "Give it a threshold for each latent, as of BatchTopK: then it is a 'jumprelu_transcoder'.",
            field="k",
        )


def _normalisation(config: SaeLensConfig) -> Normalisation:
    name = "none" if config.normalize_activations == SCALED else config.normalize_activations
    return cast(Normalisation, name)


def _without_ones(path: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without the factors of finetuning that old versions wrote; they were ones unless somebody had finetuned them."""
    factors = tensors.get("scaling_factor")
    if factors is None:
        return tensors
    if not torch.allclose(factors.float(), torch.ones(factors.shape)):
        raise BadFile(path, "It has factors of finetuning, which SAELens since 6 has no more.", CONVERT)
    return {name: tensor for name, tensor in tensors.items() if name != "scaling_factor"}


def _check_sizes(path: Path, coder: PlainAutoencoder, config: SaeLensConfig) -> None:
    said = {"d_in": config.d_in, "d_sae": config.d_sae, "d_out": config.d_out}
    held = {"d_in": coder.d_in, "d_sae": coder.d_sae, "d_out": coder.d_out}
    for name, size in said.items():
        if size is not None and size != held[name] and (name != "d_out" or coder.is_transcoder):
            raise BadFile(path, f"Its {name} is {held[name]}, and {_CONFIG} beside it says {size}.", AGAIN)


def _scale(folder: Path) -> float:
    """The factor that a checkpoint of SAELens' training has beside its weights."""
    path = folder / _SCALER
    found = read_json(path).get("scaling_factor") if path.exists() else None
    if not isinstance(found, float | int) or isinstance(found, bool):
        raise BadFile(
            folder / _CONFIG,
            f"It says {SCALED!r}, and there is no scaling_factor in an {_SCALER} beside it.",
            'Write it there: {"scaling_factor": S}, where S is sqrt(d_in) over the mean norm of the activations.',
        )
    return float(found)


def _distance(values: Tensor, expected: Tensor) -> float:
    """The largest difference in units of the largest expected value; NaN where there is one."""
    size = float(expected.abs().max())
    return float((values - expected).abs().max()) / (size if size > 0 else 1.0)
