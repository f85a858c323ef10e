"""Optimizers as PyTorch has them, built from a training configuration and taken apart for the store."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast, final

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from miscope.errors import BadValue
from miscope.optimizers import OPTIMIZERS, ParameterGroup, parameter_groups
from miscope.patterns import matching
from miscope.training_config import TrainingConfig

__all__ = [
    "JointOptimizer",
    "build_optimizer",
    "check_optimizer",
    "groups",
    "optimizer_state",
    "restore",
    "update",
]


@final
class JointOptimizer:
    """PyTorch's optimizers of one set of weights, each of its own groups: mostly one, two where one takes not all."""

    def __init__(self, parts: Iterable[Optimizer]) -> None:
        self.parts = tuple(parts)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Those of all parts, as PyTorch has them: what is written into them counts."""
        return [group for part in self.parts for group in part.param_groups]

    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:
        """What is remembered of each weight, by the optimizer's own names: what is written into it counts."""
        return {parameter: state for part in self.parts for parameter, state in part.state.items()}

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()

    @torch.no_grad()
    def step(self) -> None:
        for part in self.parts:
            part.step()


def build_optimizer(config: TrainingConfig, parameters: Mapping[str, Parameter]) -> JointOptimizer:
    """The optimizer of these weights by role, in groups as the configuration has them."""
    split = parameter_groups(config, {role: tuple(p.shape) for role, p in parameters.items()})
    by_name = {group.optimizer: [g for g in split if g.optimizer == group.optimizer] for group in split}
    return JointOptimizer(_part(config, name, several, parameters) for name, several in by_name.items())


def _part(
    config: TrainingConfig, name: str, several: Sequence[ParameterGroup], parameters: Mapping[str, Parameter]
) -> Optimizer:
    kind = OPTIMIZERS[name]
    settings: dict[str, Any] = {word: getattr(config, field) for word, field in kind.settings.items()}
    if kind.fused:
        # Only where it saves kernel launches: on the CPU it saves nothing and rounds differently.
        settings["fused"] = next(iter(parameters.values())).is_cuda
    split = [
        {
            "params": [parameters[role] for role in group.roles],
            "lr": config.learning_rate * group.lr_factor,
            "weight_decay": group.weight_decay,
            "lr_factor": group.lr_factor,
            "optimizer": name,
        }
        for group in several
    ]
    return _without_compiler(getattr(torch.optim, kind.torch_name))(split, lr=config.learning_rate, **settings)


def _without_compiler(kind: type[Optimizer]) -> Callable[..., Optimizer]:
    """The optimizer with its methods as they are under what PyTorch wraps around them for its compiler.

    That wrapping imports the compiler, which no update needs, and which takes longer than a small training. It also
    turns gradients off, which `JointOptimizer.step` does.
    """
    methods = ("add_param_group", "zero_grad", "state_dict", "load_state_dict", "step")
    plain = {name: inspect.unwrap(getattr(kind, name)) for name in methods}
    return cast(Callable[..., Optimizer], type(kind.__name__, (kind,), plain))


def update(config: TrainingConfig, optimizer: JointOptimizer, parameters: Mapping[str, Parameter], step: int) -> None:
    """Clip the gradients that are there, and step."""
    if config.clip_norm is not None:
        # Their norms are added up, which rounds by the order: by name it is the same however the weights came here.
        torch.nn.utils.clip_grad_norm_([parameters[role] for role in sorted(parameters)], config.clip_norm)
    for group in optimizer.param_groups:
        group["lr"] = config.rate_at(step) * group["lr_factor"]
    optimizer.step()


def groups(optimizer: JointOptimizer, parameters: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    """The resolved parameter groups with the roles in each: what was really used, whatever a config says."""
    role_of = {id(p): role for role, p in parameters.items()}
    plain = (str, int, float, bool, list, tuple, type(None))
    return [
        {
            "optimizer": type(part).__name__.lower(),
            **{key: value for key, value in _numbers(group).items() if isinstance(value, plain)},
            "roles": [role_of[id(p)] for p in group["params"] if id(p) in role_of],
        }
        for part in optimizer.parts
        for group in part.param_groups
    ]


def _numbers(group: Mapping[str, Any]) -> dict[str, Any]:
    """Without the parameters; a rate that is a tensor, as what is captured for a GPU has it, as a number."""
    single = {key: value.item() for key, value in group.items() if isinstance(value, Tensor) and value.numel() == 1}
    return {key: value for key, value in group.items() if key != "params"} | single


def optimizer_state(optimizer: JointOptimizer, parameters: Mapping[str, Parameter]) -> dict[str, dict[str, Tensor]]:
    """What the optimizer remembers, by role and its own names, as copies on the CPU."""
    state = optimizer.state
    return {
        role: {
            name: value.detach().to("cpu", copy=True)
            for name, value in state[parameter].items()
            if isinstance(value, Tensor)
        }
        for role, parameter in parameters.items()
        if parameter in state
    }


def restore(
    optimizer: JointOptimizer, parameters: Mapping[str, Parameter], remembered: Mapping[str, Mapping[str, Tensor]]
) -> None:
    """Give the optimizer back what `optimizer_state` took."""
    role_of = {id(p): role for role, p in parameters.items()}
    for part in optimizer.parts:
        order = [role_of[id(p)] for group in part.param_groups for p in group["params"]]
        state = part.state_dict()
        state["state"] = {i: dict(remembered[role]) for i, role in enumerate(order) if role in remembered}
        part.load_state_dict(state)


def check_optimizer(variant: str, config: TrainingConfig, weights: Callable[[], Mapping[str, Tensor]]) -> None:
    """BadValue for what PyTorch has not, and for patterns of roles by which no weights are trained.

    weights: the variant's, made only where there are patterns.
    """
    kind = OPTIMIZERS[config.optimizer]
    if not hasattr(torch.optim, kind.torch_name):
        raise BadValue(
            f"This PyTorch has no {kind.torch_name}, with which {variant} is to be trained.",
            f"It is version {torch.__version__}.",
            "Install a newer PyTorch, or choose another optimizer.",
        )
    excluded = getattr(config, kind.exclude) if kind.exclude else ()
    if not (config.no_decay or config.role_groups or excluded):
        return
    axes_of = {role: weight.ndim for role, weight in weights().items()}
    matrices = [role for role, axes in axes_of.items() if axes == 2]
    for pattern in config.no_decay:
        _check_pattern(variant, pattern, axes_of, "so none would be left without decay", "no_decay")
    for pattern in excluded:
        _check_pattern(variant, pattern, matrices, f"so none would be left to {kind.matrices_else}", kind.exclude)
    _check_groups(variant, config, tuple(axes_of))


def _check_pattern(variant: str, pattern: str, roles: Iterable[str], otherwise: str, field: str) -> None:
    if not matching([pattern], roles):
        raise BadValue(
            f"No weights of {variant} match {pattern!r}, {otherwise}.",
            f"Its weights are: {', '.join(roles)}.",
            f"Correct {field}; a pattern such as *.b_* stands for several.",
        )


def _check_groups(variant: str, config: TrainingConfig, roles: Sequence[str]) -> None:
    left = roles
    for group in config.role_groups:
        _check_pattern(variant, group.roles, roles, "so none would be trained in its own way", "role_groups")
        if not matching([group.roles], left):
            raise BadValue(
                f"No weights of {variant} are left for the group {str(group)!r}.",
                f"Those that match it are of an earlier one: {', '.join(matching([group.roles], roles))}.",
                "A role is of the first group that it matches: put narrower patterns first.",
            )
        left = [role for role in left if not matching([group.roles], [role])]
