"""Induction heads: two attention layers with LayerNorm learn to go on with a block of tokens they have seen once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, final

import numpy as np
from pydantic import Field

from miscope import Basis, Family, Params, Probe, Task, TrainingConfig, Variant, next_token
from miscope.lazily import Lazily
from miscope.sampling import seed_of_draw
from miscope.schedule import Every
from miscope_toys.sequences import Repeats, draw_repeats, repeats_probe
from miscope_toys.splitting import distinct, fraction_of, split, train_count

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model
    from miscope_toys.attention_only import Architecture

__all__ = ["InductionFamily", "InductionParams"]

_HEADS = 4
_SHOWN = 256
"""Sequences of each part of the data in the second probe."""


class InductionParams(Params):
    """Tokens there are, tokens in a sequence, sequences, width of the network, and a seed each for weights and data."""

    vocabulary: Annotated[int, Field(ge=12, le=512, json_schema_extra={"slug": "v"})] = 32
    """Tokens there are."""
    length: Annotated[int, Field(ge=16, le=256, json_schema_extra={"slug": "n"})] = 40
    """Tokens in a sequence."""
    sequences: Annotated[int, Field(ge=8, le=1_000_000, json_schema_extra={"slug": "N"})] = 2560
    """Trained on and held out together."""
    width: Annotated[int, Field(ge=_HEADS, le=1024, multiple_of=_HEADS, json_schema_extra={"slug": "d"})] = 64
    """Of the residual stream; the heads share it."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Of the first weights."""
    data_seed: Annotated[int, Field(ge=0, lt=2**63, json_schema_extra={"slug": "dseed"})] = 0
    """Of the sequences."""


@final
class InductionFamily(Family):
    """Two layers, four heads, LayerNorm, no MLP; asked at every position whose token has been seen with its successor.

    With a varying period a head of the first layer learns to attend to the previous token and heads of the second to
    what followed the present token before; the loss falls at once when they meet. Olsson et al. 2022, "In-context
    learning and induction heads".
    """

    name = "toys.induction"
    title = "Induction: two-layer attention-only transformer on repeated random tokens"
    params = InductionParams

    def model(self, params: Any) -> Model:
        from miscope_toys.attention_only import build_model

        return build_model(_architecture(params))

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        params: Any = variant.params
        sizes = {"vocabulary": params.vocabulary, "length": params.length, "seed": params.data_seed}
        made = {"repeats": lambda: repeats_probe(**sizes), "sequences": lambda: _sequences_probe(variant)}
        # The second draws all sequences, which may be gigabytes: who looks at a variant looks at the first.
        return Lazily(made, lambda name: made[name]())

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(
            steps=2_000,
            learning_rate=3e-4,
            weight_decay=0.1,
            no_decay=("*ln*",),
            batch_size=32,
            train_fraction=0.8,
            checkpoints=Every(n=40),
            evaluate_every=40,
        )

    def task(self, variant: Variant) -> Task:
        from miscope_toys import attention_only

        params: Any = variant.params
        architecture, data = _architecture(params), _data(params)
        train, test = split(data.tokens, data.labels, fraction_of(variant))
        return Task(
            train=train,
            test=test,
            initial_weights=partial(attention_only.initial_weights, architecture, params.seed),
            objective=next_token(),
            logits=partial(attention_only.logits, architecture),
        )

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}

    def sampled(self, variant: Variant, seed: int, step: int, count: int) -> Tensor:
        """Repeats with a period and an offset of their own."""
        params: Any = variant.params
        sizes = {"vocabulary": params.vocabulary, "length": params.length}
        return draw_repeats(count, **sizes, seed=seed_of_draw(seed, step)).tokens

    def adopt(self, state: Mapping[str, Tensor], params: Any) -> dict[str, Tensor] | None:
        from miscope_toys.attention_only import adopt_roles

        return adopt_roles(_architecture(params), state)


def _architecture(params: Any) -> Architecture:
    from miscope_toys.attention_only import Architecture

    return Architecture(vocabulary=params.vocabulary, context=params.length, d_model=params.width, heads=_HEADS)


def _data(params: Any) -> Repeats:
    drawn = draw_repeats(params.sequences, vocabulary=params.vocabulary, length=params.length, seed=params.data_seed)
    return drawn.rows(distinct(drawn.tokens))


def _sequences_probe(variant: Variant) -> Probe:
    """Sequences as they come, trained on and held out."""
    import torch

    data = _data(variant.params)
    count = train_count(len(data.tokens), fraction_of(variant))
    chosen = torch.cat([torch.arange(count)[:_SHOWN], torch.arange(count, len(data.tokens))[:_SHOWN]])
    shown = data.rows(chosen)
    return Probe(
        name="sequences",
        inputs=shown.tokens,
        labels=shown.next[:, -1],
        columns=shown.columns,
        train=np.asarray(chosen < count),
    )
