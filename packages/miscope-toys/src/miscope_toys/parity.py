"""Sparse parity: a perceptron finds the few bits whose parity is asked among many that mean nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, final

import numpy as np
from pydantic import Field, model_validator

from miscope import Basis, Family, Params, Probe, Task, TrainingConfig, Variant, classification
from miscope.errors import BadValue
from miscope.lazily import Lazily
from miscope.sampling import seed_of_draw
from miscope.schedule import Every
from miscope_toys.splitting import distinct, fraction_of, split, train_count
from miscope_toys.walsh import bit_basis, walsh_basis

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model

__all__ = ["ParityFamily", "ParityParams", "relevant_bits"]

_SHOWN = 512
"""Examples of each part of the data in the second probe."""
_PROBED = 1024
"""About how many inputs the first probe has."""


class ParityParams(Params):
    """Bits there are and bits that matter, examples, neurons, and a seed each for weights and data."""

    bits: Annotated[int, Field(ge=2, le=512, json_schema_extra={"slug": "n"})] = 40
    """In an input."""
    degree: Annotated[int, Field(ge=1, le=8, json_schema_extra={"slug": "k"})] = 3
    """Bits whose parity is the answer."""
    examples: Annotated[int, Field(ge=4, le=1_000_000, json_schema_extra={"slug": "N"})] = 2000
    """Trained on and held out together."""
    width: Annotated[int, Field(ge=1, le=4096, json_schema_extra={"slug": "w"})] = 512
    """Units of the hidden layer."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Of the first weights."""
    data_seed: Annotated[int, Field(ge=0, lt=2**63, json_schema_extra={"slug": "dseed"})] = 0
    """Of the examples, and of which bits matter."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.degree > self.bits:
            raise BadValue(
                f"degree={self.degree} is more than there are bits.",
                f"An input has bits={self.bits}.",
                f"Choose a degree of at most {self.bits}.",
            )
        return self


@final
class ParityFamily(Family):
    """One hidden layer of ReLUs on finitely many examples; which bits matter is drawn from the data seed.

    It memorises first; the true parity grows underneath, and takes over late. Barak et al. 2022, "Hidden progress in
    deep learning"; Merrill et al. 2023, "A tale of two circuits", whose optimizer, batch and decay these are.
    """

    name = "toys.parity"
    title = "Sparse parity: perceptron with one hidden layer"
    params = ParityParams
    fixed: ClassVar[Mapping[str, tuple[str, ...]]] = {"activation": ("relu",)}

    def model(self, params: Any) -> Model:
        from miscope_toys.perceptron import build_model

        return build_model(params.bits, params.width)

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        made = {"patterns": lambda: _patterns_probe(variant.params), "examples": lambda: _examples_probe(variant)}
        # The second draws all examples, which may be gigabytes: who looks at a variant looks at the first.
        return Lazily(made, lambda name: made[name]())

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(
            steps=10_000,
            optimizer="sgd",
            learning_rate=0.1,
            weight_decay=0.01,
            batch_size=32,
            train_fraction=0.5,
            checkpoints=Every(n=100),
            evaluate_every=20,
        )

    def task(self, variant: Variant) -> Task:
        from miscope_toys import perceptron

        params: Any = variant.params
        inputs = _inputs(params)
        train, test = split(inputs, _parity(inputs, relevant_bits(params)), fraction_of(variant))
        return Task(
            train=train,
            test=test,
            initial_weights=partial(perceptron.initial_weights, params.bits, params.width, params.seed),
            objective=classification(),
            logits=perceptron.logits,
        )

    def bases(self, params: Any) -> Mapping[str, Basis]:
        """Each bit of the weights by itself, and characters over the relevant bits together and each."""
        single = walsh_basis(1)
        columns = {_column(bit): single for bit in relevant_bits(params)}
        return {"bit": bit_basis(params.bits), "pattern": walsh_basis(params.degree), **columns}

    def sampled(self, variant: Variant, seed: int, step: int, count: int) -> Tensor:
        """Random bits."""
        params: Any = variant.params
        return _random_bits(count, params.bits, seed_of_draw(seed, step))


def relevant_bits(params: Any) -> tuple[int, ...]:
    """Numbers of the bits whose parity is asked, ascending, counted from 0."""
    chosen = np.random.default_rng(params.data_seed).permutation(params.bits)[: params.degree]
    return tuple(sorted(chosen.tolist()))


def _column(bit: int) -> str:
    return f"bit{bit}"


def _inputs(params: Any) -> Tensor:
    """Random bits (n, bits) int64, no row twice; fewer than asked for where there are not so many."""
    drawn = _random_bits(params.examples, params.bits, params.data_seed)
    return drawn[distinct(drawn)]


def _random_bits(count: int, bits: int, seed: int) -> Tensor:
    """(count, bits) int64."""
    import torch

    return torch.randint(2, (count, bits), generator=torch.Generator().manual_seed(seed))


def _parity(inputs: Tensor, relevant: Sequence[int]) -> Tensor:
    return inputs[:, list(relevant)].sum(1) % 2


def _patterns_probe(params: Any) -> Probe:
    """Every pattern of the relevant bits, each in the same random surroundings.

    grid: `pattern`, the relevant bits read as a number, first bit highest, and `surroundings`, a random setting of all
    the others. Exchanging two relevant bits leaves the answer alone.
    """
    import torch

    relevant, patterns = relevant_bits(params), 2**params.degree
    count = max(_PROBED // patterns, 2)
    generator = torch.Generator().manual_seed(params.data_seed + 1)
    surroundings = torch.randint(2, (count, params.bits), generator=generator)
    values = (torch.arange(patterns)[:, None] >> torch.arange(params.degree).flip(0)) & 1
    inputs = surroundings.repeat(patterns, 1)
    inputs[:, list(relevant)] = values.repeat_interleave(count, 0)
    rows = np.arange(patterns * count).reshape((2,) * params.degree + (count,))
    return Probe(
        name="patterns",
        inputs=inputs,
        labels=_parity(inputs, relevant),
        columns={
            "pattern": np.repeat(np.arange(patterns), count),
            "surroundings": np.tile(np.arange(count), patterns),
            **_bit_columns(inputs, relevant),
        },
        grid=("pattern", "surroundings"),
        symmetries={
            f"swap {relevant[i]} {relevant[j]}": rows.swapaxes(i, j).ravel()
            for i, j in combinations(range(params.degree), 2)
        },
    )


def _examples_probe(variant: Variant) -> Probe:
    """Examples as they come, trained on and held out."""
    import torch

    inputs, relevant = _inputs(variant.params), relevant_bits(variant.params)
    count = train_count(len(inputs), fraction_of(variant))
    chosen = torch.cat([torch.arange(count)[:_SHOWN], torch.arange(count, len(inputs))[:_SHOWN]])
    shown = inputs[chosen]
    return Probe(
        name="examples",
        inputs=shown,
        labels=_parity(shown, relevant),
        columns=_bit_columns(shown, relevant),
        train=np.asarray(chosen < count),
    )


def _bit_columns(inputs: Tensor, relevant: Sequence[int]) -> dict[str, np.ndarray]:
    columns = {_column(bit): inputs[:, bit].numpy() for bit in relevant}
    return {**columns, "parity": _parity(inputs, relevant).numpy()}
