"""Composition of permutations: a group whose irreducible representations are larger than a plane."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import factorial
from typing import TYPE_CHECKING, Annotated, Any, final

from pydantic import Field

from miscope import Basis, Examples, Family, Params, Probe, Task, TrainingConfig, Variant, classification
from miscope.schedule import Every
from miscope_toys.irreps import composition_table, elements, irreps_basis
from miscope_toys.splitting import fraction_of, train_count

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model

__all__ = ["PermutationFamily", "PermutationParams"]


class PermutationParams(Params):
    """How many things are permuted, the network's sizes, and a seed each for weights and data."""

    degree: Annotated[int, Field(ge=3, le=5, json_schema_extra={"slug": "S"})] = 4
    """S_n has n! elements: 24 for 4."""
    width: Annotated[int, Field(ge=1, le=1024, json_schema_extra={"slug": "d"})] = 64
    """Of each embedding."""
    neurons: Annotated[int, Field(ge=1, le=4096, json_schema_extra={"slug": "w"})] = 128
    """Units of the hidden layer."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Of the first weights."""
    data_seed: Annotated[int, Field(ge=0, lt=2**63, json_schema_extra={"slug": "dseed"})] = 0
    """Of the split into train and test."""


@final
class PermutationFamily(Family):
    """Both factors embedded by tables of their own, one hidden layer of ReLUs; a share of all pairs is trained on.

    With a strong weight decay and most of the pairs it memorises within a few hundred steps and generalises after two
    thousand, by matrix elements of a few irreducible representations. Chughtai et al. 2023, "A toy model of
    universality: reverse engineering how networks learn group operations".
    """

    name = "toys.permutation"
    title = "Composition of permutations: perceptron with one hidden layer"
    params = PermutationParams

    def model(self, params: Any) -> Model:
        from miscope_toys.pair_perceptron import build_model

        return build_model(factorial(params.degree), params.width, params.neurons)

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        return {"grid": _grid_probe(variant)}

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(
            steps=4_000, weight_decay=3.0, train_fraction=0.85, checkpoints=Every(n=50), evaluate_every=10
        )

    def task(self, variant: Variant) -> Task:
        from miscope_toys import pair_perceptron

        params: Any = variant.params
        inputs, answers, train = _data(variant)
        return Task(
            train=Examples(inputs=inputs[train], labels=answers[train]),
            test=Examples(inputs=inputs[~train], labels=answers[~train]),
            initial_weights=partial(
                pair_perceptron.initial_weights,
                factorial(params.degree),
                params.width,
                params.neurons,
                params.seed,
            ),
            objective=classification(),
            logits=pair_perceptron.logits,
        )

    def bases(self, params: Any) -> Mapping[str, Basis]:
        """Matrix elements of the irreducible representations, over both factors and their product."""
        basis = irreps_basis(params.degree)
        return {"left": basis, "right": basis, "product": basis}


def _data(variant: Variant) -> tuple[Tensor, Tensor, Tensor]:
    """All pairs (N, 2) in row-major order, the numbers of their products, and which are trained on."""
    import torch

    params: Any = variant.params
    table = torch.from_numpy(composition_table(params.degree))
    inputs = torch.cartesian_prod(torch.arange(len(table)), torch.arange(len(table)))
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(params.data_seed))
    train = torch.zeros(len(inputs), dtype=torch.bool)
    train[order[: train_count(len(inputs), fraction_of(variant))]] = True
    return inputs, table.flatten(), train


def _grid_probe(variant: Variant) -> Probe:
    """Every pair. An exchange g of neighbours put in between and taken back, (a g, g b), leaves the answer alone."""
    params: Any = variant.params
    inputs, answers, train = _data(variant)
    left, right = inputs.numpy().T
    table, known = composition_table(params.degree), elements(params.degree)
    exchanges = {f"through {i} {i + 1}": known.index(_exchange(i, params.degree)) for i in range(params.degree - 1)}
    return Probe(
        name="grid",
        inputs=inputs,
        labels=answers,
        columns={"left": left, "right": right, "product": answers.numpy()},
        grid=("left", "right"),
        train=train.numpy(),
        symmetries={name: table[left, g] * len(known) + table[g, right] for name, g in exchanges.items()},
    )


def _exchange(i: int, degree: int) -> tuple[int, ...]:
    order = list(range(degree))
    order[i], order[i + 1] = i + 1, i
    return tuple(order)
