"""A toy sparse autoencoder: trained on the activations of another variant, without logits and without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, final

import torch
from pydantic import Field
from torch import Tensor, nn

from miscope.basis import Basis
from miscope.callbacks import Callbacks, Changes, UpdatePoint
from miscope.errors import BadValue
from miscope.examples import Examples
from miscope.family import Family, Params
from miscope.model import HookedModel, Role
from miscope.objective import ForwardPass, Objective, Term
from miscope.probe import Probe
from miscope.schedule import Every
from miscope.source import Source
from miscope.source_checkpoint import SourceCheckpoint
from miscope.task import Task
from miscope.training_config import TrainingConfig
from miscope.variant import Variant

__all__ = ["DEAD_AFTER", "RESAMPLED_EVERY", "ToyAutoencoder", "ToyAutoencoderParams"]

POST, RECONSTRUCTED = "hook_sae_acts_post", "hook_sae_recons"
DEAD_AFTER, RESAMPLED_EVERY = 3, 10
"""Updates without an activation after which a latent is dead, and updates from one drawing of dead ones to the next."""

_AXES = {"W_enc": ("d_model", "d_sae"), "b_enc": ("d_sae",), "W_dec": ("d_sae", "d_model"), "b_dec": ("d_model",)}


class ToyAutoencoderParams(Params):
    """What it reconstructs, with how many latents, and the seed."""

    variant: str
    """Name of the variant it is built on: 'toy.sum/v5-seed0-width16'."""
    step: Annotated[int, Field(ge=0)] = 30
    """Of that variant's checkpoint."""
    site: str = "blocks.0.mlp.hook_post"
    """Whose activations are reconstructed."""
    latents: Annotated[int, Field(ge=1, le=256)] = 24
    """Of the hidden layer."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the first weights and of the split."""


class _Net(nn.Module):
    """x -> relu((x - b_dec) W_enc + b_enc) W_dec + b_dec, at one position."""

    def __init__(self, width: int, latents: int) -> None:
        super().__init__()
        self.W_enc = nn.Parameter(torch.zeros(width, latents))
        self.b_enc = nn.Parameter(torch.zeros(latents))
        self.W_dec = nn.Parameter(torch.zeros(latents, width))
        self.b_dec = nn.Parameter(torch.zeros(width))
        self.hook_sae_input, self.hook_sae_acts_pre, self.hook_sae_acts_post = (nn.Identity() for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        given = self.hook_sae_input(x[:, None])
        before = self.hook_sae_acts_pre((given - self.b_dec) @ self.W_enc + self.b_enc)
        return self.hook_sae_acts_post(torch.relu(before)) @ self.W_dec + self.b_dec


def reconstruction(seen: ForwardPass) -> Tensor:
    """Mean over examples of |x - x'|^2."""
    return (seen.activations[RECONSTRUCTED] - seen.examples.inputs).square().sum(-1).mean()


def sparsity(seen: ForwardPass) -> Tensor:
    """Mean over examples of the latents' sum."""
    return seen.activations[POST].sum(-1).mean()


OBJECTIVE = Objective(
    terms=(
        Term(name="reconstruction", value=reconstruction),
        Term(name="sparsity", value=sparsity, coefficient=lambda step: 0.02 * min(step, 10) / 10),
    ),
    metrics=lambda seen: {"l0": (seen.activations[POST] > 0).double().sum(-1).mean()},
    sites=(POST, RECONSTRUCTED),
)


def observe(seen: ForwardPass) -> Mapping[str, Tensor]:
    """Updates since each latent was last active, and a running mean of the inputs."""
    active = (seen.activations[POST] > 0).any(0)
    idle, mean = seen.buffers["idle"], seen.buffers["mean"]
    return {"idle": torch.where(active, 0, idle + 1), "mean": 0.9 * mean + 0.1 * seen.examples.inputs.mean(0)}


def along_the_sphere(point: UpdatePoint) -> Mapping[str, Tensor]:
    """The decoder's gradient without its part along the decoder: rows keep their length."""
    rows, gradient = point.weights["W_dec"], point.gradients["W_dec"]
    unit = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-8)
    return {"W_dec": gradient - (gradient * unit).sum(1, keepdim=True) * unit}


def kept_in_shape(point: UpdatePoint) -> Changes:
    """Decoder rows of length 1, thresholds of at most 1; every so often dead latents are drawn anew."""
    decoder = point.weights["W_dec"]
    decoder = decoder / decoder.norm(dim=1, keepdim=True).clamp(min=1e-8)
    weights = {"W_dec": decoder, "b_enc": point.weights["b_enc"].clamp(max=1.0)}
    dead = point.buffers["idle"] >= DEAD_AFTER
    if point.step % RESAMPLED_EVERY or not bool(dead.any()):
        return Changes(weights=weights)
    return _drawn_anew(point, weights, dead)


def _drawn_anew(point: UpdatePoint, weights: dict[str, Tensor], dead: Tensor) -> Changes:
    """Dead latents look at examples drawn at random, and the optimizer forgets them."""
    rows = torch.randint(len(point.train), (int(dead.sum()),), generator=point.generator)
    chosen = point.train.inputs[rows] - point.buffers["mean"]
    directions = chosen / chosen.norm(dim=1, keepdim=True).clamp(min=1e-8)
    decoder, encoder = weights["W_dec"].clone(), point.weights["W_enc"].clone()
    decoder[dead], encoder[:, dead] = directions, directions.T
    state = point.optimizer_state
    forgotten = {
        "W_dec": {name: _cleared(state["W_dec"][name], (dead, slice(None))) for name in ("exp_avg", "exp_avg_sq")},
        "W_enc": {name: _cleared(state["W_enc"][name], (slice(None), dead)) for name in ("exp_avg", "exp_avg_sq")},
    }
    idle = torch.where(dead, 0, point.buffers["idle"])
    changed = {**weights, "W_dec": decoder, "W_enc": encoder}
    return Changes(weights=changed, optimizer_state=forgotten, buffers={"idle": idle})


def _cleared(tensor: Tensor, where: tuple[Any, ...]) -> Tensor:
    copy = tensor.clone()
    copy[where] = 0
    return copy


@final
class ToyAutoencoder(Family):
    """A sparse autoencoder of one site of another variant at one of its steps."""

    name = "toy.autoencoder"
    title = "Toy: a sparse autoencoder of another variant's activations"
    params = ToyAutoencoderParams

    def __init__(self, sources: Sequence[SourceCheckpoint] = ()) -> None:
        self._sources = tuple(sources)

    def sources(self, params: Any) -> Sequence[Source]:
        return (Source(variant=params.variant, step=params.step, site=params.site),)

    def given(self, sources: Sequence[SourceCheckpoint]) -> Family:
        return ToyAutoencoder(sources)

    def untrained(self, params: Any) -> ToyAutoencoderParams | None:
        return params.model_copy(update={"step": 0}) if params.step else None

    def model(self, params: Any) -> HookedModel:
        net = _Net(self._source.width, params.latents)
        return HookedModel(
            net,
            roles=[Role(name=r, axes=axes, shape=tuple(getattr(net, r).shape)) for r, axes in _AXES.items()],
            sites={
                "hook_sae_input": net.hook_sae_input,
                "hook_sae_acts_pre": net.hook_sae_acts_pre,
                POST: net.hook_sae_acts_post,
                RECONSTRUCTED: net,
            },
            place=lambda weights: dict(weights),
        )

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(
            optimizer="adam",
            steps=40,
            learning_rate=3e-2,
            weight_decay=0.0,
            batch_size=8,
            train_fraction=0.8,
            loss_dtype="float32",
            checkpoints=Every(n=10),
        )

    def task(self, variant: Variant) -> Task:
        params: Any = variant.params
        train, test = (Examples(inputs=part) for part in self._split(variant))
        return Task(
            train=train,
            test=test,
            initial_weights=lambda: self._initial_weights(params),
            objective=OBJECTIVE,
            callbacks=Callbacks(
                buffers=lambda: {
                    "idle": torch.zeros(params.latents, dtype=torch.int64),
                    "mean": train.inputs.mean(0),
                },
                observe=observe,
                before_clipping=along_the_sphere,
                after_update=kept_in_shape,
            ),
        )

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        """What the network it is built on is shown, as activations, with what is known of these inputs."""
        shown = self._source.probe
        inputs = self._source.activations()
        return {shown.name: Probe(name=shown.name, inputs=inputs, columns=shown.columns, grid=shown.grid)}

    def bases(self, params: Any) -> Mapping[str, Basis]:
        """Of the probe's columns, those of the network it is built on."""
        columns = self._source.probe.columns
        return {name: basis for name, basis in self._source.bases.items() if name in columns}

    @property
    def _source(self) -> SourceCheckpoint:
        if not self._sources:
            raise BadValue(
                "The autoencoder is built on a checkpoint that it was not given.",
                "A family is given what it is built on by the workspace it is used in.",
                "Take it from there:  workspace.context(variant).family",
            )
        return self._sources[0]

    def _initial_weights(self, params: Any) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(params.seed)
        decoder = torch.randn(params.latents, self._source.width, generator=generator)
        decoder = decoder / decoder.norm(dim=1, keepdim=True)
        biases = {"b_enc": torch.full((params.latents,), -0.2), "b_dec": torch.zeros(self._source.width)}
        return {"W_enc": decoder.T.clone(), "W_dec": decoder, **biases}

    def _split(self, variant: Variant) -> tuple[Tensor, Tensor]:
        """Distinct activations in an order drawn from the seed, to train and to test on."""
        params: Any = variant.params
        assert variant.training is not None, "the toys are trained here"
        everything = torch.unique(self._source.activations(), dim=0)
        order = torch.randperm(len(everything), generator=torch.Generator().manual_seed(params.seed))
        count = int(variant.training.train_fraction * len(everything))
        return everything[order[:count]], everything[order[count:]]
