"""Autoencoders and transcoders in the files of other libraries: SAELens, dictionary_learning, sparsify."""

from miscope_sae.exchange.dictionary_learning import load_dictionary_learning
from miscope_sae.exchange.folding import scaled, unit_norm, without_input_bias
from miscope_sae.exchange.plain_autoencoder import PlainAutoencoder, latents, reconstruction
from miscope_sae.exchange.saelens import load_saelens, load_sparsity, save_saelens
from miscope_sae.exchange.sparsify import load_sparsify
from miscope_sae.exchange.trained import plain_of

__all__ = [
    "PlainAutoencoder",
    "latents",
    "load_dictionary_learning",
    "load_saelens",
    "load_sparsify",
    "load_sparsity",
    "plain_of",
    "reconstruction",
    "save_saelens",
    "scaled",
    "unit_norm",
    "without_input_bias",
]
