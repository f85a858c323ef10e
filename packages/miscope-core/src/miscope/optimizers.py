"""The optimizers there are, with their settings: a new one goes here, and nowhere else. Loads no PyTorch.

Its name becomes one of `OptimizerFields.optimizer`, its settings become fields below, and `OPTIMIZERS` says what
PyTorch calls both. A field keeps its default for ever: it stands in no digest and in no name while it has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.patterns import matching
from miscope.role_group import FORM, RoleGroup

__all__ = [
    "OPTIMIZERS",
    "OptimizerFields",
    "OptimizerKind",
    "ParameterGroup",
    "idle_optimizer_fields",
    "parameter_groups",
]


class OptimizerFields(BaseModel):
    """Which optimizer trains, its settings, and which weights it treats in their own way."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    optimizer: Annotated[Literal["adamw", "adam", "sgd", "muon"], Field(json_schema_extra={"slug": "opt"})] = "adamw"
    """As PyTorch has it; AdamW and Muon decay weights apart from the gradient. Muon takes the weights with two axes,
    AdamW the others."""
    learning_rate: Annotated[float, Field(gt=0, json_schema_extra={"slug": "lr"})] = 1e-3
    """Per update, after `warmup_steps` and before `lr_schedule` lowers it; 1e-3 as in Nanda et al. 2023."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.98)
    """Adam's decay rates per update of gradient and squared gradient (Kingma & Ba 2015, algorithm 1); not of SGD."""
    eps: Annotated[float, Field(gt=0)] = 1e-8
    """Adam's term in the denominator, in units of the gradient (Kingma & Ba 2015, algorithm 1); not of SGD."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Of SGD only: decay rate per update of the averaged gradient, as `torch.optim.SGD` has it."""
    muon_momentum: Annotated[float, Field(ge=0, lt=1)] = 0.95
    """Muon's decay rate per update of the averaged gradient (Jordan et al. 2024)."""
    muon_nesterov: bool = True
    """Whether Muon's update looks ahead by one step of its momentum."""
    muon_ns_steps: Annotated[int, Field(ge=1, lt=100)] = 5
    """Newton-Schulz iterations by which Muon makes an update orthogonal."""
    muon_adjust_lr: Literal["original", "match_rms_adamw"] = "original"
    """How Muon's rate follows a weight's shape: by its ratio, or so that updates are of the size of AdamW's."""
    muon_exclude: tuple[str, ...] = ()
    """Role patterns with two axes that Muon leaves to AdamW ('W_E', 'W_U')."""
    weight_decay: Annotated[float, Field(ge=0, json_schema_extra={"slug": "wd"})] = 1.0
    """Coefficient: AdamW and Muon shrink a weight by rate times this at every update (Loshchilov & Hutter 2019),
    Adam and SGD add this times the weight to the gradient. 1.0 as in Nanda et al. 2023."""
    no_decay: Annotated[tuple[str, ...], Field(json_schema_extra={"slug": "nodecay"})] = ()
    """Role patterns excluded from weight decay ('*.b_*')."""
    role_groups: Annotated[tuple[RoleGroup, ...], Field(json_schema_extra={"slug": "groups", "form": FORM})] = ()
    """Weights with a rate factor or a weight decay of their own; a role is of the first group that it matches."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerKind:
    """What PyTorch calls an optimizer, and what it is given."""

    torch_name: str
    """Its class in `torch.optim`."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Its keyword -> the field that has its value; rate and decay belong to the groups."""
    matrices_else: str = ""
    """It takes weights with two axes only: the optimizer of the others. '' where it takes all."""
    exclude: str = ""
    """The field whose patterns go to that other optimizer too."""
    decoupled: bool = False
    """Whether it shrinks a weight apart from the gradient; else the decay is added to that."""
    fused: bool = True
    """Whether it can make an update in one kernel of a GPU."""


_ADAM = {"betas": "betas", "eps": "eps"}

OPTIMIZERS: Mapping[str, OptimizerKind] = {
    "adamw": OptimizerKind(torch_name="AdamW", settings=_ADAM, decoupled=True),
    "adam": OptimizerKind(torch_name="Adam", settings=_ADAM),
    "sgd": OptimizerKind(torch_name="SGD", settings={"momentum": "momentum"}),
    "muon": OptimizerKind(
        torch_name="Muon",
        settings={
            "momentum": "muon_momentum",
            "nesterov": "muon_nesterov",
            "ns_steps": "muon_ns_steps",
            "adjust_lr_fn": "muon_adjust_lr",
        },
        matrices_else="adamw",
        exclude="muon_exclude",
        decoupled=True,
        fused=False,
    ),
}


def idle_optimizer_fields(config: OptimizerFields) -> dict[str, str]:
    """Fields that mean nothing to the optimizer chosen -> the optimizers that each is of."""
    used = _fields_of(config.optimizer)
    owners = {name: [kind for kind in OPTIMIZERS if name in _fields_of(kind)] for name in type(config).model_fields}
    return {name: " and ".join(kinds) for name, kinds in owners.items() if kinds and name not in used}


def _fields_of(optimizer: str) -> set[str]:
    """Those that some optimizers do not use, and this one does."""
    kind = OPTIMIZERS[optimizer]
    of_other = _fields_of(kind.matrices_else) if kind.matrices_else else set[str]()
    return of_other | set(kind.settings.values()) | ({kind.exclude} if kind.exclude else set())


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterGroup:
    """Weights that one optimizer updates in the same way."""

    optimizer: str
    roles: tuple[str, ...]
    lr_factor: float
    weight_decay: float


def parameter_groups(config: OptimizerFields, shapes: Mapping[str, Sequence[int]]) -> tuple[ParameterGroup, ...]:
    """Every weight in one group: of no role group first, of each then in turn; those without decay after the others."""
    bare = set(matching(config.no_decay, shapes))
    mine = [next((g for g in config.role_groups if matching([g.roles], [role])), None) for role in shapes]
    groups = []
    for name in dict.fromkeys((config.optimizer, OPTIMIZERS[config.optimizer].matrices_else or config.optimizer)):
        taken = [(role, g) for role, g in zip(shapes, mine, strict=True) if _optimizer_of(config, role, shapes) == name]
        for group in (None, *config.role_groups):
            decay = config.weight_decay if group is None or group.weight_decay is None else group.weight_decay
            for without in (False, True):
                roles = tuple(role for role, own in taken if own is group and (role in bare) == without)
                made = ParameterGroup(
                    optimizer=name,
                    roles=roles,
                    lr_factor=1.0 if group is None else group.lr_factor,
                    weight_decay=0.0 if without else decay,
                )
                groups += [made] if roles else []
    return tuple(groups)


def _optimizer_of(config: OptimizerFields, role: str, shapes: Mapping[str, Sequence[int]]) -> str:
    kind = OPTIMIZERS[config.optimizer]
    excluded = kind.exclude and matching(getattr(config, kind.exclude), [role])
    return kind.matrices_else if kind.matrices_else and (len(shapes[role]) != 2 or excluded) else config.optimizer
