"""A training as the configuration files of Least Action Learning say it, and what it is called here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from miscope.errors import BadValue, UnknownName
from miscope.field_docs import documented
from miscope.validation import invalid_fields

__all__ = ["FAMILIES", "TrainerConfig", "trainer_config"]

FAMILIES: Mapping[str, str] = {
    "baseline": "lal.mlp",
    "routed": "lal.routed",
    "single_head": "lal.routed",
    "transformer": "lal.transformer",
    "routed_transformer": "lal.routed-transformer",
}
"""The family of each `model_type`."""

_SHAPE = ("n_heads", "n_ffn_heads", "tie_embeddings")
"""What only some families have a parameter for."""
_ROUTED = {"routing_regularizer": "routing_regularizer", "lambda_routing": "lambda_routing"}
_RENAMED = {
    "epochs": "steps",
    "train_frac": "train_fraction",
    "lr": "learning_rate",
    "weight_decay": "weight_decay",
    "optimizer": "optimizer",
    "eps": "eps",
    "grad_clip": "clip_norm",
    "warmup_epochs": "warmup_steps",
    "lambda_spectral": "lambda_spectral",
    "spectral_k": "spectral_k",
    "spectral_interval": "spectral_interval",
    "lambda_jacobian": "lambda_jacobian",
}
_CURVATURE = ("curvature.gradient", "curvature.trace", "curvature.fisher")


@final
@documented
class TrainerConfig(BaseModel):
    """Every key of a configuration file; numbers may be text, as YAML 1.1 reads 1e-8."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    p: Annotated[int, Field(ge=2)] = 113
    """The modulus."""
    operation: Literal["add", "multiply", "subtract", "divide", "both"] = "add"
    """What is learnt modulo p."""
    train_frac: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Share of the pairs trained on."""
    data_seed: int = 42
    """Of the split."""
    model_type: Literal["baseline", "routed", "single_head", "transformer", "routed_transformer"] = "routed"
    """Which network."""
    hidden_dim: Annotated[int, Field(ge=1)] = 128
    """Width of the hidden layers, or of the residual stream."""
    n_layers: Annotated[int, Field(ge=1)] = 4
    """Hidden layers, or blocks."""
    n_heads: Annotated[int, Field(ge=1)] = 4
    """Routed heads, or attention heads; an MLP has none."""
    n_ffn_heads: Annotated[int | None, Field(ge=1)] = None
    """MLPs of a block that a gate blends, of the routed transformer; null: as many as attention heads."""
    tie_embeddings: bool = False
    """Whether a transformer's logits are products with its embeddings."""
    epochs: Annotated[int, Field(ge=0)] = 50_000
    """Updates, each of the whole training set."""
    lr: Annotated[float, Field(gt=0)] = 1e-3
    """Learning rate after the warmup."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.1
    """Of the weights that decay."""
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """Which rule makes an update."""
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Decay rate of the averaged gradient."""
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.98
    """Decay rate of the averaged squared gradient."""
    eps: Annotated[float, Field(gt=0)] = 1e-8
    """Adam's term in the denominator."""
    grad_clip: Annotated[float | None, Field(gt=0)] = None
    """Length of the gradient above which it is scaled down to it; null: never."""
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    """Updates over which the rate rises."""
    routing_regularizer: Literal["none", "entropy", "sparsity", "gini", "consistency"] | None = "entropy"
    """Which penalty on routing; null: none."""
    lambda_routing: Annotated[float, Field(ge=0)] = 0.01
    """Its coefficient."""
    lambda_spectral: Annotated[float, Field(ge=0)] = 0.0
    """Coefficient of the penalty on rough answers."""
    spectral_k: Annotated[int | None, Field(ge=1)] = None
    """Frequencies up to which answers are smooth; null: p // 4."""
    spectral_interval: Annotated[int, Field(ge=1)] = 100
    """Updates from one with that penalty to the next."""
    lambda_jacobian: Annotated[float, Field(ge=0)] = 0.0
    """Coefficient of the penalty on the Jacobian of the logits by the input."""
    log_every: Annotated[int, Field(ge=1)] = 100
    """Epochs from one line of the log, with all its metrics, to the next."""
    save_routing_every: Annotated[int, Field(ge=1)] = 1000
    """Means nothing here: routing is computed of every checkpoint, over all pairs."""
    checkpoint_every: Annotated[int, Field(ge=1)] = 5000
    """Epochs from one checkpoint to the next."""
    compute_per_layer_metrics: bool = False
    """Means nothing here: norms and Jacobians by layer are outputs of the instruments."""
    compute_weight_curvature: bool = True
    """Whether gradient, Hessian and Fisher are measured while it trains."""
    weight_curvature_interval: Annotated[int, Field(ge=1)] = 100
    """Epochs from one such measurement to the next."""
    weight_hessian_samples: Annotated[int, Field(ge=1)] = 10
    """Means nothing here: probes are an option of the instrument."""
    compute_optimizer_metrics: bool = True
    """Whether Adam's averages are measured at every line of the log."""
    name: str = ""
    """What the run is called."""
    seed: int = 42
    """Of the first weights."""

    @property
    def family(self) -> str:
        """'lal.transformer'."""
        return FAMILIES[self.model_type]

    @property
    def fields(self) -> dict[str, Any]:
        """Parameters of the family and fields of its training, by the names they have here."""
        given: dict[str, Any] = {"prime": self.p, "operation": self.operation, "hidden_dim": self.hidden_dim}
        given |= {"n_layers": self.n_layers, "seed": self.seed, "data_seed": self.data_seed}
        given |= {name: getattr(self, name) for name in _SHAPE if self._has(name)}
        if self.model_type == "single_head":
            given["n_heads"] = 1
        given |= {ours: getattr(self, theirs) for theirs, ours in _RENAMED.items()}
        given["betas"] = (self.beta1, self.beta2)
        given["checkpoints"] = f"every:{self.checkpoint_every}"
        given["evaluate_every"] = self.log_every
        if self.family.startswith("lal.routed"):
            given["routing_regularizer"] = self.routing_regularizer or "none"
            given["lambda_routing"] = self.lambda_routing
        return given

    @property
    def watch(self) -> tuple[str, ...]:
        """Instruments that are computed while it trains."""
        curvature = [f"{name}:{self.weight_curvature_interval}" for name in _CURVATURE]
        adam = self.compute_optimizer_metrics and self.optimizer != "sgd"
        return (
            f"parameters.norms:{self.log_every}",
            f"parameters.layers:{self.log_every}",
            *(curvature if self.compute_weight_curvature else []),
            *([f"optimizer.moments:{self.log_every}"] if adam else []),
        )

    def _has(self, name: str) -> bool:
        """Whether the family has that parameter."""
        of = {
            "n_heads": self.model_type != "baseline",
            "n_ffn_heads": self.model_type == "routed_transformer",
            "tie_embeddings": self.model_type in ("transformer", "routed_transformer"),
        }
        return of[name]


def trainer_config(values: Mapping[str, Any], where: str) -> TrainerConfig:
    """The configuration of these keys. Raises UnknownName for a key that there is not, BadValue for a value refused.

    where: what said so.
    """
    known = list(TrainerConfig.model_fields)
    for name in values:
        if name not in known:
            raise UnknownName("key of a configuration", name, known, listing=f"{where} may say: {', '.join(known)}.")
    try:
        return TrainerConfig.model_validate(dict(values))
    except ValidationError as error:
        refused: BadValue = invalid_fields(error, where, TrainerConfig)
        raise refused from None
