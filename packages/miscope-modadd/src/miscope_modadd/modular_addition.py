"""What every family here has in common: all pairs, the share trained on, the right answers, the Fourier bases."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from miscope import Basis, Family, Probe, Task, Variant, classification
from miscope_modadd import pairs
from miscope_modadd.params import ModAddParams

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.task import Forward

__all__ = ["ModularAddition"]


class ModularAddition(Family):
    """A network that learns a + b modulo a prime from a share of all pairs, all of them in every update."""

    params = ModAddParams
    step_label = "epoch"
    fixed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "activation": ("relu",),
        "operation": ("add", "addition", "sum", "plus", "+"),
        "loss": ("cross_entropy", "cross_entropy_loss", "ce", "xent", "nll"),
        "positions": ("standard", "learned", "absolute"),
    }
    equals: ClassVar[bool]
    """Whether the token '=' follows a and b."""

    @abstractmethod
    def initial_weights(self, params: Any) -> dict[str, Tensor]:
        """The weights of step 0, by role."""

    @abstractmethod
    def logits(self, params: Any) -> Forward:
        """The exact algebra of the answer that training runs instead of the hooked network."""

    def split(self, params: Any, fraction: float) -> Tensor:
        """Row numbers of the pairs trained on, in the order drawn."""
        return pairs.random_split(params.prime, fraction, params.data_seed)

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        return {"grid": pairs.grid_probe(*self._data(variant))}

    def task(self, variant: Variant) -> Task:
        from miscope_modadd.evaluation import accuracy

        params: Any = variant.params
        inputs, chosen = self._data(variant)
        train, test = pairs.examples(inputs, inputs[:, :2].sum(1) % params.prime, chosen)
        return Task(
            train=train,
            test=test,
            initial_weights=partial(self.initial_weights, params),
            objective=classification(accuracy),
            logits=self.logits(params),
        )

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return pairs.bases(params.prime, "token", "a", "b", "sum")

    def _data(self, variant: Variant) -> tuple[Tensor, Tensor]:
        """All inputs in row-major order, and the rows trained on."""
        params: Any = variant.params
        assert variant.training is not None, "families of modular addition are trained here"
        inputs = pairs.pairs(params.prime, equals=self.equals)
        return inputs, self.split(params, variant.training.train_fraction)
