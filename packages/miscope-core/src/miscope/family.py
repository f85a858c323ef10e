"""A kind of model that can be built and, usually, trained. Gives context as data; never figures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from miscope.basis import Basis
from miscope.errors import BadValue
from miscope.field_docs import documented
from miscope.log_line import log_line
from miscope.probe import Probe
from miscope.training_config import TrainingConfig
from miscope.variant import Variant

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.checkpoint_source import CheckpointSource
    from miscope.description import Description
    from miscope.intervention import Intervention
    from miscope.model import Model
    from miscope.remark import Remark
    from miscope.source import Source
    from miscope.source_checkpoint import SourceCheckpoint
    from miscope.task import Task
    from miscope.training_so_far import TrainingSoFar
    from miscope.translated_fields import TranslatedFields

__all__ = ["Family", "Params", "make_variant"]


class Params(BaseModel):
    """Base of a family's domain parameters: frozen, unknown fields refused, and numbers that are NaN or infinite.

    A field's slug abbreviation is `json_schema_extra={"slug": "p"}`; without one its name is used. What is written
    under a field is shown by `miscope families NAME`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@documented
class Family(ABC):
    """A kind of model. Subclasses are final; instances carry no state and are cheap to make."""

    name: ClassVar[str]
    """'modadd.transformer'."""
    title: ClassVar[str]
    """One line for menus and listings."""
    params: ClassVar[type[Params]]
    """What tells one of its variants from another: a subclass of miscope.Params."""
    training_config: ClassVar[type[TrainingConfig]] = TrainingConfig
    """How its models are trained: a subclass where that has fields of its own, as `training` gives them."""
    step_label: ClassVar[str] = "step"
    """What an optimizer update is called on axes: 'epoch' where every update sees all the training data."""

    logged: ClassVar[tuple[str, ...]] = ()
    """Instruments whose scalars the lines of its trainings' logs show: they are watched where there are such lines."""

    fixed: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What is true of all its models and no parameter: {'activation': ('relu',), 'operation': ('add', '+')}, the kinds
    'activation', 'operation', 'loss' and 'attention' or a configuration's own word. A file that says otherwise is of
    another model, and refused."""

    described: ClassVar[bool] = False
    """Whether network and probe are kept beside each variant, in its folder, and are not made from its parameters."""

    @abstractmethod
    def model(self, params: Any) -> Model:
        """The network, to be run on any weights of this family."""

    @abstractmethod
    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        """Inputs to show at every checkpoint; the first is the one used when none is named."""

    @abstractmethod
    def training(self, params: Any) -> TrainingConfig | None:
        """How such a model is trained unless told otherwise; None when its checkpoints come from elsewhere."""

    @abstractmethod
    def task(self, variant: Variant) -> Task | None:
        """What training needs; None when its checkpoints come from elsewhere."""

    @abstractmethod
    def bases(self, params: Any) -> Mapping[str, Basis]:
        """Task basis by the axis or column it belongs to ('token', 'a', 'sum'); {} where no structure is known."""

    def checkpoints(self, variant: Variant) -> CheckpointSource | None:
        """What has its checkpoints, where they are no files of the workspace; None where they are."""
        return None

    def sources(self, params: Any) -> Sequence[Source]:
        """Checkpoints of other variants in the workspace that this one is built on; () where it is built on none."""
        return ()

    def given(self, sources: Sequence[SourceCheckpoint]) -> Family:
        """This family with what `sources` named, in that order: what model, probes and task may then look at."""
        return self

    def sampled(self, variant: Variant, seed: int, step: int, count: int) -> Tensor | None:
        """(count, ...) inputs drawn anew, of the kind that its first probe has; None where there are none but those.

        For what is built on it and trained on a stream: the same at every call, others at every other step and seed,
        and drawn apart from the probe's. `miscope.sampling.seed_of_draw` gives the seed of such a generator.
        """
        return None

    def untrained(self, params: Any) -> Any | None:
        """The parameters of the variant that is the same and built on untrained weights: what figures show beside to
        tell what is learned from what is there before. None where it is built on none, or on such weights itself."""
        return None

    def of(self, description: Description) -> Family:
        """This family, if it is `described`, for the one variant that is described so."""
        return self

    def remarks(self, variant: Variant) -> Sequence[Remark]:
        """What somebody should know of this training before it begins; () where there is nothing.

        Asked before each training and for each estimate, with the training's own number of steps.
        """
        return ()

    def remarks_while_training(self, variant: Variant) -> TrainingSoFar | None:
        """What says what somebody should know of this training by what is recorded of it, before the first record.

        None where nothing is said.
        """
        return None

    def identity(self, variant: Variant) -> str:
        """A digest of all that decides the variant's weights at a given step."""
        return variant.digest

    def log_line(self, step: int, metrics: Mapping[str, float]) -> str:
        """The line of a training's log for the weights of that step: losses, and what the family shows with them."""
        return log_line(self.step_label, step, metrics)

    def intervention(self, name: str, variant: Variant) -> Intervention | None:
        """What the name stands for when this variant is trained ('gain-k14-x2-from500-to1000'); None if for nothing.

        Names are part of a variant's training, and so of its own name.
        """
        return None

    def read_config(self, config: Mapping[str, object]) -> Mapping[str, Any]:
        """Parameters that a foreign file's configuration gives in words other than their names and abbreviations."""
        return {}

    def read_hyperparameters(
        self, program: str, architecture: str, given: Mapping[str, Any]
    ) -> TranslatedFields | None:
        """This family's fields for hyperparameters of a template of another program; None where it is of another.

        program: 'miStudio'. architecture: what is trained, in the program's word.
        """
        return None

    def adopt(self, state: Mapping[str, Tensor], params: Any) -> dict[str, Tensor] | None:
        """Foreign tensors, by their own names, as weights by role; None if they are not of this family's layout.

        The default takes tensors that already carry this family's role names and shapes. Tensors that the weights do
        not depend on are of another model, and the file is refused; they are found by differentiating through this
        function, so it computes with PyTorch and detaches nothing.
        """
        roles = self.model(params).roles
        if set(roles) <= set(state) and all(tuple(state[name].shape) == role.shape for name, role in roles.items()):
            return {name: state[name] for name in roles}
        return None


def make_variant(family: Family, params: Mapping[str, Any], training: Mapping[str, Any] | None = None) -> Variant:
    """The variant of a family with these parameters, and these changes to its default training.

    Raises pydantic.ValidationError on values out of range or unknown fields, BadValue where the family's training is
    not of the kind it says.
    """
    checked = family.params.model_validate(dict(params))
    default = family.training(checked)
    config = None
    if default is not None:
        kind = family.training_config
        if type(default) is not kind:
            raise BadValue(
                f"The training of {family.name} is a {type(default).__name__}.",
                f"The family says that it is a {kind.__name__}: its fields are read before a variant is made.",
                f"Write `training_config = {type(default).__name__}` in the class of the family.",
            )
        config = kind.model_validate({**default.model_dump(), **dict(training or {})})
    return Variant(family=family.name, params=checked, training=config, default_training=default)
