"""Interventions by the names under which a family knows them."""

from __future__ import annotations

from collections.abc import Sequence

from miscope.errors import BadValue
from miscope.family import Family
from miscope.intervention import Intervention
from miscope.variant import Variant

__all__ = ["interventions_by_name", "refuse_others"]


def interventions_by_name(family: Family, names: Sequence[str], variant: Variant) -> tuple[Intervention, ...]:
    """What the family makes of the names for this variant, in their order; BadValue where it does not know one."""
    made = [family.intervention(name, variant) for name in names]
    known = tuple(each for each in made if each is not None)
    if len(known) != len(names):
        unknown = ", ".join(name for name, each in zip(names, made, strict=True) if each is None)
        raise BadValue(
            f"The family {family.name!r} knows no intervention {unknown}.",
            "A variant that names one cannot be trained without it.",
            "Give it to `train(interventions=...)`, or correct the name.",
        )
    return known


def refuse_others(variant: Variant, given: Sequence[str]) -> None:
    """BadValue where interventions are given and the variant names others."""
    names = () if variant.training is None else variant.training.interventions
    if names and given and list(given) != list(names):
        raise BadValue(
            f"{variant.name} is trained under the interventions {', '.join(names)}.",
            f"Given were: {', '.join(given)}.",
            "Give those, or none: its family makes them from their names.",
        )
