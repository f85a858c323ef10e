"""How long the weights of each layer are when the transformer begins (lal.md 5.7)."""

from dataclasses import replace

import numpy as np
import pytest

from miscope.analysis.returned import returned_arrays
from miscope.analyzers.layers import LAYERS
from miscope.family import make_variant
from miscope.testing import toy_snapshot
from miscope_lal.transformer import TransformerFamily


def test_the_layers_begin_as_long_as_the_original_ones() -> None:
    variant = make_variant(TransformerFamily(), {"prime": 113})
    task = TransformerFamily().task(variant)
    assert task is not None
    shown = replace(toy_snapshot(weights=task.initial_weights()), variant=variant)
    found = returned_arrays("layers", LAYERS.compute(shown))
    expected = {"embedding": np.hypot(2.43, 0.506), "ln_final": 128**0.5, "unembedding": 0.02 * (113 * 128) ** 0.5}
    for layer in (0, 1):
        expected |= {f"blocks.{layer}.attn": 2 * 2.56, f"blocks.{layer}.mlp": 2**0.5 * 5.12}
        expected[f"blocks.{layer}.norms"] = (2 * 128) ** 0.5
    # Of n numbers drawn the length is off by 1 / sqrt(2 n) of itself, at one standard deviation.
    assert {name: float(found[f"{name}/norm"]) for name in expected} == pytest.approx(expected, rel=0.02)
    assert set(found["layer"]) == set(expected)
    assert len(found["decayed/roles"]) == 13
    squares = [float(found[f"{name}/norm"]) ** 2 for name in ("decayed", "not_decayed", "total")]
    assert squares[0] + squares[1] == pytest.approx(squares[2])
