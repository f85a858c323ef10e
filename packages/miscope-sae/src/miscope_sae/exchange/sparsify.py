"""Folders of EleutherAI's sparsify: `cfg.json` and `sae.safetensors`, of autoencoders and of transcoders."""

from __future__ import annotations

from pathlib import Path
from typing import final

from pydantic import BaseModel, ConfigDict

from miscope.errors import BadFile
from miscope_sae.exchange.folding import without_input_bias
from miscope_sae.exchange.foreign_file import AGAIN, CONVERT, fields_of, read_json, read_safetensors, refusing
from miscope_sae.exchange.plain_autoencoder import PlainAutoencoder

__all__ = ["load_sparsify"]

_CONFIG, _WEIGHTS = "cfg.json", "sae.safetensors"
_NAMES = {"encoder.weight": "W_enc", "encoder.bias": "b_enc", "W_dec": "W_dec", "b_dec": "b_dec", "W_skip": "W_skip"}


@final
class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    d_in: int
    k: int
    activation: str = "topk"
    signed: bool = False
    transcode: bool = False
    skip_connection: bool = False
    embed_skip: bool = False
    gram_lookup: bool = False


def load_sparsify(folder: Path) -> PlainAutoencoder:
    """The coder of a folder, with latents and output as `SparseCoder` of sparsify gives them.

    An autoencoder is 'topk'; with a skip connection it is a 'skip_transcoder', with what it subtracts from its input
    folded into b_enc; a transcoder is 'transcoder' or 'skip_transcoder' with k. What `cfg.json` says is in
    `metadata`. BadFile where it asks for other arithmetic, or where tensors are missing or too many.
    """
    config = fields_of(folder / _CONFIG, read_json(folder / _CONFIG), _Config)
    _check(folder / _CONFIG, config)
    path = folder / _WEIGHTS
    tensors = {_NAMES.get(name, name): tensor for name, tensor in read_safetensors(path).items()}
    if "W_enc" in tensors:
        tensors["W_enc"] = tensors["W_enc"].T
    skip = {name: tensors.pop(name) for name in ("W_skip",) if config.skip_connection and name in tensors}
    about = {"sparsify": config.model_dump()}
    with refusing(path):
        coder = PlainAutoencoder(
            architecture="transcoder" if config.transcode else "topk",
            tensors=tensors,
            k=config.k,
            apply_b_dec_to_input=not config.transcode,
            metadata=about,
        )
        if config.skip_connection:
            coder = PlainAutoencoder(
                architecture="skip_transcoder",
                tensors={**without_input_bias(coder).tensors, **skip},
                k=config.k,
                apply_b_dec_to_input=False,
                metadata=about,
            )
    if coder.d_in != config.d_in:
        raise BadFile(path, f"Its d_in is {coder.d_in}, and {_CONFIG} beside it says {config.d_in}.", AGAIN)
    return coder


def _check(path: Path, config: _Config) -> None:
    asked = {
        f"the activation {config.activation!r}": config.activation != "topk",
        "latents below zero": config.signed,
        "a skip connection from the embedding": config.embed_skip,
        "a table of n-grams": config.gram_lookup,
    }
    for what, given in asked.items():
        if given:
            raise BadFile(path, f"It asks for {what}, which no plain autoencoder has.", CONVERT)
