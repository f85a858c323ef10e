"""A task's callbacks, asked in their order around one update; what they give is put into weights and optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor
from torch.nn import Parameter

from miscope.callbacks import Callbacks, UpdatePoint
from miscope.errors import BadValue
from miscope.examples import Examples
from miscope.objective import ForwardPass
from miscope.training.optimizing import JointOptimizer

__all__ = ["UpdateCallbacks"]


@final
class UpdateCallbacks:
    """The callbacks of one training, with its own tensors."""

    def __init__(
        self,
        callbacks: Callbacks,
        weights: Mapping[str, Parameter],
        optimizer: JointOptimizer,
        train: Examples,
        seed: int,
    ) -> None:
        """seed: of what the callbacks draw."""
        self._callbacks, self._weights, self._optimizer = callbacks, weights, optimizer
        self._train, self._seed = train, seed
        self.buffers: dict[str, Tensor] = {}
        """The training's own tensors, on the device of the weights."""
        self.restore(callbacks.buffers())

    def restore(self, buffers: Mapping[str, Tensor]) -> None:
        """Take the training's own tensors as they were kept."""
        self.buffers = {name: tensor.detach().to(self._device, copy=True) for name, tensor in buffers.items()}

    @torch.no_grad()
    def observe(self, seen: ForwardPass) -> None:
        """Once the forward pass of an update was made."""
        self._keep(self._callbacks.observe(seen))

    @torch.no_grad()
    def before_clipping(self, step: int) -> None:
        """Once the gradients of the update from `step` are there."""
        point = self._point(step, {role: w.grad for role, w in self._weights.items() if w.grad is not None})
        for role, gradient in self._callbacks.before_clipping(point).items():
            parameter = self._weight(role)
            _check_shape("gradient", role, gradient, parameter)
            parameter.grad = gradient.detach().to(parameter)

    @torch.no_grad()
    def after_update(self, step: int) -> None:
        """Once there were `step` updates."""
        changes = self._callbacks.after_update(self._point(step, {}))
        for role, values in changes.weights.items():
            parameter = self._weight(role)
            _check_shape("weight", role, values, parameter)
            parameter.copy_(values)
        for role, named in changes.optimizer_state.items():
            remembered = self._optimizer.state[self._weight(role)]
            for name, values in named.items():
                _check_shape(f"optimizer's {name}", role, values, remembered[name])
                remembered[name].copy_(values)
        self._keep(changes.buffers)

    @property
    def _device(self) -> torch.device:
        return next(iter(self._weights.values())).device

    def _keep(self, changed: Mapping[str, Tensor]) -> None:
        for name, values in changed.items():
            if name not in self.buffers:
                raise BadValue(
                    f"The task's callbacks give a buffer {name!r} that is none of the training's.",
                    f"Those it begins with: {', '.join(self.buffers) or 'none'}.",
                    "Let `Callbacks.buffers` give it a value at step 0.",
                )
            # A new tensor each time: what was given to a forward pass stays as it was.
            self.buffers[name] = values.detach().to(self.buffers[name], copy=True)

    def _weight(self, role: str) -> Parameter:
        if role not in self._weights:
            raise BadValue(
                f"The task's callbacks change {role!r}, which is no weight of the model.",
                f"Its weights are: {', '.join(self._weights)}.",
                "Name one of these.",
            )
        return self._weights[role]

    def _point(self, step: int, gradients: Mapping[str, Tensor]) -> UpdatePoint:
        state = self._optimizer.state
        remembered = {
            role: {name: value for name, value in state[weight].items() if isinstance(value, Tensor)}
            for role, weight in self._weights.items()
            if weight in state
        }
        return UpdatePoint(
            step=step,
            weights={role: weight.detach() for role, weight in self._weights.items()},
            gradients=gradients,
            optimizer_state=remembered,
            buffers=dict(self.buffers),
            train=self._train,
            generator=torch.Generator().manual_seed((self._seed + step) % 2**63),
        )


def _check_shape(what: str, role: str, given: Tensor, there: Tensor) -> None:
    if given.shape != there.shape:
        raise BadValue(
            f"The task's callbacks give a {what} of {role!r} of another shape.",
            f"Given: {tuple(given.shape)}; it is {tuple(there.shape)}.",
            "Give all of it, changed where it is to change.",
        )
