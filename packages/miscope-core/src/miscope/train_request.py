"""A training as one asks for it: names and numbers only, so that it can be stored, sent and read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, final

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from miscope.field_docs import documented
from miscope.train_options import TrainOptions
from miscope.variant import Variant

__all__ = ["TrainRequest", "changes_of_training", "train_request"]


@final
@documented
class TrainRequest(BaseModel):
    """A variant to train, and how: JSON and back without loss; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    kind: Literal["train"] = "train"
    """Which request it is, where one is read back."""
    family: str
    """Name of the variant's family: 'modadd.transformer'."""
    params: Mapping[str, JsonValue] = {}
    """The family's parameters by name; its own defaults for those that are left out."""
    training: Mapping[str, JsonValue] = {}
    """Fields of the training that differ from the family's default, by name."""
    label: str | None = None
    """Tells the variant from another of the same parameters and training."""
    steps: int | None = None
    """How many updates in all; None for the variant's own number."""
    resume: bool = True
    """Go on from the last saved state; False begins again at step 0."""
    warm: bool = False
    """Begin with the weights of the last checkpoint and a fresh optimizer."""
    device: str = "auto"
    """'cpu', 'cuda', 'mps', or the fastest there is."""
    threads: Annotated[int | None, Field(ge=1)] = None
    """Of the CPU; None leaves PyTorch's setting."""
    compile: bool = False
    """Compile the forward pass, where that works."""
    interventions: tuple[str, ...] = ()
    """Names of those to train under that the training does not name itself; the family makes them."""
    watch: tuple[str, ...] = ()
    """Instruments whose scalars are recorded while it trains: 'ranks.weights', 'ranks.weights:100'."""
    log_every: Annotated[int | None, Field(ge=1)] = None
    """Steps from one line of its log to the next; None for a line now and then."""
    group: str | None = None
    """The study that it is a run of; None where it stands alone."""


def train_request(variant: Variant, options: TrainOptions | None = None) -> TrainRequest:
    """The request for this training of the variant; who may stop it is no part of it."""
    options = options or TrainOptions()
    return TrainRequest(
        family=variant.family,
        params=variant.params.model_dump(mode="json"),
        training=changes_of_training(variant),
        label=variant.label,
        steps=options.steps,
        resume=options.resume,
        warm=options.warm,
        device=options.device,
        threads=options.threads,
        compile=options.compile,
        interventions=() if _names_its_own(variant) else tuple(each.name for each in options.interventions),
        watch=tuple(options.watch),
        log_every=options.log_every,
        group=options.group,
    )


def _names_its_own(variant: Variant) -> bool:
    return variant.training is not None and bool(variant.training.interventions)


def changes_of_training(variant: Variant) -> dict[str, JsonValue]:
    """The fields of the variant's training that are not as the family has them by default, as JSON has them."""
    if variant.training is None:
        return {}
    default = {} if variant.default_training is None else variant.default_training.model_dump(mode="json")
    chosen = variant.training.model_dump(mode="json")
    return {name: value for name, value in chosen.items() if name not in default or default[name] != value}
