"""What every family here has in common: all questions, the share trained on, the right answers, the Fourier bases."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from miscope import Basis, Examples, Family, Objective, Probe, Task, Variant, classification
from miscope_lal import arithmetic
from miscope_lal.arithmetic import Questions
from miscope_lal.params import ArithmeticParams
from miscope_lal.training import ArithmeticTraining

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.task import Forward

__all__ = ["ArithmeticFamily"]


class ArithmeticFamily(Family):
    """A network that learns an operation modulo p from a share of all pairs, all of them in every update."""

    params = ArithmeticParams
    training_config = ArithmeticTraining
    step_label = "epoch"
    fixed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "activation": ("gelu",),
        "loss": ("cross_entropy", "cross_entropy_loss", "ce", "xent", "nll"),
    }

    @abstractmethod
    def encoded(self, asked: Questions) -> Tensor:
        """The questions as the network is shown them."""

    @abstractmethod
    def initial_weights(self, params: Any) -> dict[str, Tensor]:
        """The weights of step 0, by role."""

    @abstractmethod
    def logits(self, params: Any) -> Forward:
        """The exact algebra of the answer that training runs instead of the hooked network."""

    def objective(self, variant: Variant) -> Objective:
        """What is descended and recorded."""
        return classification()

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        params: Any = variant.params
        asked = arithmetic.questions(params)
        train, _ = self._split(variant, asked)
        return {"grid": arithmetic.probe(asked, self.encoded(asked), train)}

    def task(self, variant: Variant) -> Task:
        import torch

        params: Any = variant.params
        asked = arithmetic.questions(params)
        inputs, answers = self.encoded(asked), torch.from_numpy(asked.answers)
        train, test = (Examples(inputs=inputs[rows], labels=answers[rows]) for rows in self._split(variant, asked))
        return Task(
            train=train,
            test=test,
            initial_weights=partial(self.initial_weights, params),
            objective=self.objective(variant),
            logits=self.logits(params),
        )

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return arithmetic.bases(params)

    def _split(self, variant: Variant, asked: Questions) -> tuple[Tensor, Tensor]:
        params: Any = variant.params
        assert variant.training is not None, "families of modular arithmetic are trained here"
        return arithmetic.split(asked, variant.training.train_fraction, params.data_seed)
