"""What a family says of a training before it begins, which an error ends there, and while it is under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, final

from miscope.errors import BadValue

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.family import Family
    from miscope.remark import Remark
    from miscope.snapshot import Series
    from miscope.task import Task
    from miscope.variant import Variant

__all__ = ["RemarksUnderWay", "first_weights", "refuse_errors", "warnings_of"]


@final
class RemarksUnderWay:
    """What the family says of a training by its metrics, each remark once.

    What it says of the metrics that a training goes on from was told when they were recorded.
    """

    def __init__(self, family: Family, variant: Variant, known: Mapping[str, Series], *, begin: int) -> None:
        """known: what is recorded so far. begin: the step that it goes on from."""
        self._family, self._variant = family, variant
        self._recorded = {
            name: [pair for pair in zip(series.steps.tolist(), series.values.tolist(), strict=True) if pair[0] <= begin]
            for name, series in known.items()
        }
        self._told = set(family.remarks_while_training(variant, self._recorded)) if begin else set()
        self._asked = True

    def note(self, step: int, metrics: Mapping[str, float]) -> None:
        """What was recorded of a step: the last one, or the one that the training goes on from once more."""
        for name, value in metrics.items():
            pairs = self._recorded.setdefault(name, [])
            if pairs and pairs[-1][0] == step:
                pairs.pop()
            pairs.append((step, value))
        self._asked = False

    def new(self) -> list[Remark]:
        """Those that were not told before; now they are."""
        if self._asked:
            return []
        self._asked = True
        said = self._family.remarks_while_training(self._variant, self._recorded)
        found = [each for each in dict.fromkeys(said) if each not in self._told]
        self._told.update(found)
        return found


def warnings_of(family: Family, variant: Variant) -> list[Remark]:
    """The warnings of the variant's family, which was given what it is built on; BadValue where there are errors."""
    remarks = family.remarks(variant)
    refuse_errors(variant.name, remarks)
    return [each for each in remarks if each.severity == "warning"]


def first_weights(family: Family, variant: Variant, task: Task) -> Mapping[str, Tensor]:
    """BadValue where the family says that it cannot be trained so: they may be more than memory holds."""
    refuse_errors(variant.name, family.remarks(variant))
    return task.initial_weights()


def refuse_errors(name: str, remarks: Iterable[Remark]) -> None:
    """Raise BadValue where one of the remarks is an error; name: the variant's."""
    errors = [each for each in remarks if each.severity == "error"]
    if errors:
        raise BadValue(
            f"{name} is not trained so.",
            " ".join(f"{each.field}: {each.message}" for each in errors),
            "Change it and try again; nothing was written.",
            field=errors[0].field,
        )
