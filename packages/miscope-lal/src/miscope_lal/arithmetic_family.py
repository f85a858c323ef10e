"""What every family here has in common: all questions, the share trained on, the right answers, the Fourier bases."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from miscope import Basis, Examples, Family, Objective, Probe, Task, Variant
from miscope.model import LOGITS
from miscope_lal import arithmetic
from miscope_lal.arithmetic import Questions
from miscope_lal.log_line import LOGGED, seed_line
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
    logged = LOGGED
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

    def routing_sites(self, params: Any) -> tuple[str, ...]:
        """Sites of the routing weights, by layer; () of a network that does not route."""
        return ()

    def objective(self, variant: Variant) -> Objective:
        """What is descended and recorded: cross-entropy, and the penalties of the variant's training."""
        from miscope_lal.least_action import Network, least_action

        params, training = cast("Any", variant.params), variant.training
        assert isinstance(training, ArithmeticTraining), "families of modular arithmetic are trained here"
        asked = arithmetic.questions(params)
        network = Network(
            logits=self.logits(params),
            model=cache(partial(self.model, params)),
            questions=cache(partial(self.encoded, asked)),
            factors=asked.shape,
            seed=params.seed,
            routing=self.routing_sites(params),
        )
        return least_action(training, network)

    def log_line(self, step: int, metrics: Mapping[str, float]) -> str:
        return seed_line(step, metrics)

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
        objective = self.objective(variant)
        return Task(
            train=train,
            test=test,
            initial_weights=partial(self.initial_weights, params),
            objective=objective,
            logits=self.logits(params) if tuple(objective.sites) == (LOGITS,) else None,
        )

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return arithmetic.bases(params)

    def _split(self, variant: Variant, asked: Questions) -> tuple[Tensor, Tensor]:
        params: Any = variant.params
        assert variant.training is not None, "families of modular arithmetic are trained here"
        return arithmetic.split(asked, variant.training.train_fraction, params.data_seed)
