"""The family of any PyTorch module: what its variants are is kept beside each of them, and not made from parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, final

from pydantic import Field

from miscope.basis import Basis
from miscope.errors import BadValue
from miscope.family import Family, Params
from miscope.field_docs import documented
from miscope.probe import Probe
from miscope.recipe import digest
from miscope.training_config import TrainingConfig
from miscope.variant import Variant

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.description import Description
    from miscope.model import Model
    from miscope.task import Task

__all__ = ["AnyModule", "AnyModuleParams"]


@documented
class AnyModuleParams(Params):
    """Which run it is."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$", json_schema_extra={"slug": ""})]
    """Its name: up to 100 letters, digits and . _ + -."""
    contents: Annotated[str, Field(json_schema_extra={"in_name": False})]
    """A digest of its network and its probe, which miscope computes."""


@final
class AnyModule(Family):
    """Networks that were trained by somebody's own loop."""

    name = "pytorch.module"
    title = "Any PyTorch module, trained by a loop of your own"
    params = AnyModuleParams
    described: ClassVar[bool] = True

    def __init__(self, description: Description | None = None) -> None:
        """description: of the one variant that is meant."""
        self._description = description

    def of(self, description: Description) -> AnyModule:
        return AnyModule(description)

    def identity(self, variant: Variant) -> str:
        resumed = self._described().resumed
        return digest([variant.digest, resumed]) if resumed else variant.digest

    def model(self, params: Any) -> Model:
        import copy

        from miscope.model import NoNetwork
        from miscope.modules.building import rebuilt
        from miscope.modules.module_model import Unbuilt, model_of

        description = self._described()
        if description.module is not None:
            return model_of(copy.deepcopy(description.module), description.network)
        model = rebuilt(description)
        return Unbuilt(description.network, model) if isinstance(model, NoNetwork) else model

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        probe = self._described().probe
        return {probe.name: probe}

    def training(self, params: Any) -> TrainingConfig | None:
        return None

    def task(self, variant: Variant) -> Task | None:
        return None

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return self._described().bases

    def adopt(self, state: Mapping[str, Tensor], params: Any) -> dict[str, Tensor] | None:
        weights = self._described().network.weights
        if not {weight.parameter for weight in weights} <= set(state):
            return super().adopt(state, params)
        if any(tuple(state[weight.parameter].shape) != weight.stored for weight in weights):
            return None
        return {weight.role: weight.as_role(state[weight.parameter]) for weight in weights}

    def _described(self) -> Description:
        if self._description is None:
            raise BadValue(
                f"{self.name} alone says nothing of a network.",
                "Its variants are recorded, or imported with the function that makes their network.",
                "Record one:  workspace.record(NAME, model, probe=...); or give `miscope import` --build and --probe.",
            )
        return self._description
