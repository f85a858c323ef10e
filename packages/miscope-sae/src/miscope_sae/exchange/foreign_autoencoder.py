"""A folder of another library as it lies there: read by whichever reader its file of weights is for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from miscope.errors import BadFile
from miscope_sae.exchange.dictionary_learning import load_dictionary_learning
from miscope_sae.exchange.plain_autoencoder import PlainAutoencoder
from miscope_sae.exchange.saelens import load_saelens
from miscope_sae.exchange.sparsify import load_sparsify

__all__ = ["ForeignAutoencoder", "read_folder"]


@final
@dataclass(frozen=True)
class _Library:
    name: str
    weights: str
    """The file that none of the others has."""
    load: Callable[[Path], PlainAutoencoder]


_LIBRARIES = (
    _Library("SAELens", "sae_weights.safetensors", load_saelens),
    _Library("dictionary_learning", "ae.pt", load_dictionary_learning),
    _Library("sparsify", "sae.safetensors", load_sparsify),
)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ForeignAutoencoder:
    """One autoencoder or transcoder, and where it is from."""

    library: str
    weights: Path
    """The file that holds them."""
    sha256: str
    """Of that file."""
    coder: PlainAutoencoder


def read_folder(folder: Path) -> ForeignAutoencoder:
    """The autoencoder in a folder of SAELens, dictionary_learning or sparsify.

    BadFile where it is no folder, where there is the file of weights of none of them, or of several, and where that
    cannot be read.
    """
    if not folder.is_dir():
        problem = "It is a file, and no folder." if folder.exists() else "There is no such folder."
        raise BadFile(folder, problem, "Name the folder that a library wrote.")
    there = [one for one in _LIBRARIES if (folder / one.weights).is_file()]
    if len(there) != 1:
        known = ", ".join(f"{one.weights} ({one.name})" for one in _LIBRARIES)
        found = " and ".join(one.weights for one in there) or "none of them"
        raise BadFile(
            folder,
            f"An autoencoder's folder holds one of: {known}; this holds {found}.",
            "Name the folder that a library wrote, with one file of weights in it.",
        )
    (library,) = there
    path = folder / library.weights
    coder = library.load(folder)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return ForeignAutoencoder(library=library.name, weights=path, sha256=sha256, coder=coder)
