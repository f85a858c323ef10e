"""What a family says of a training before it begins: an error ends it there, a warning goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope.errors import BadValue

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.remark import Remark
    from miscope.variant import Variant

__all__ = ["refuse_errors", "warnings_of"]


def warnings_of(family: Family, variant: Variant) -> list[Remark]:
    """The warnings of the variant's family, which was given what it is built on; BadValue where there are errors."""
    remarks = family.remarks(variant)
    refuse_errors(variant.name, remarks)
    return [each for each in remarks if each.severity == "warning"]


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
