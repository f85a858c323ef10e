"""What a family says of a training before it begins, which an error ends there, and while it is under way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, final

from miscope.errors import BadValue
from miscope.remark import Remark

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.family import Family
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
        self._so_far = family.remarks_while_training(variant)
        self._last, self._new = -1, list[Remark]()
        if self._so_far is not None and begin:
            for step, metrics in _records(known, begin):
                self.note(step, metrics)
            self._new.clear()

    def note(self, step: int, metrics: Mapping[str, float]) -> None:
        """What was recorded of a step: the next one, or the one that the training goes on from once more."""
        if self._so_far is not None and step > self._last:
            self._so_far, said = self._so_far.after(step, metrics)
            self._last = step
            self._new += said

    def new(self) -> list[Remark]:
        """Those that were not given before; now they are."""
        found, self._new = self._new, []
        return found


def _records(known: Mapping[str, Series], until: int) -> Iterator[tuple[int, dict[str, float]]]:
    """The metrics of each step up to that one, ascending."""
    rows = takewhile(lambda row: row[0] <= until, merge(*(_rows(name, series) for name, series in known.items())))
    for step, together in groupby(rows, key=itemgetter(0)):
        yield step, {name: value for _, name, value in together}


def _rows(name: str, series: Series) -> Iterator[tuple[int, str, float]]:
    for step, value in zip(series.steps, series.values, strict=True):
        yield int(step), name, float(value)


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
