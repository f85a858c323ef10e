"""What tells several variants apart: the fields in which they differ, as short labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from miscope.variant import Variant

__all__ = ["differing_fields", "differing_values", "labels", "seed_groups"]

_SEED = re.compile(r"(.*_)?seed")


def differing_fields(variants: Sequence[Variant]) -> tuple[str, ...]:
    """Parameters and training fields whose values are not the same in all; 'family' first if it differs."""
    described = [_described(variant) for variant in variants]
    names = dict.fromkeys(name for fields in described for name in fields)
    return tuple(name for name in names if len({repr(fields.get(name)) for fields in described}) > 1)


def differing_values(variants: Sequence[Variant]) -> dict[str, tuple[str, ...]]:
    """Of each of these fields what each variant has there, as it is written; "" where it has no such field."""
    described = [_described(variant) for variant in variants]
    return {
        name: tuple(_short(fields[name]) if name in fields else "" for fields in described)
        for name in differing_fields(variants)
    }


def seed_groups(variants: Sequence[Variant]) -> dict[str, tuple[int, ...]]:
    """The places of variants that differ in nothing but their seeds, by what tells these from the others: 'width=16'.

    In the order of the first of each; "" where all are of one configuration.
    """
    described = [_described(variant) for variant in variants]
    names = [name for name in differing_fields(variants) if not _SEED.fullmatch(name)]
    alike: dict[tuple[str, ...], list[int]] = {}
    for place, fields in enumerate(described):
        alike.setdefault(tuple(repr(fields.get(name)) for name in names), []).append(place)
    told = _distinct([_told(described[places[0]], names) for places in alike.values()])
    return {label: tuple(places) for label, places in zip(told, alike.values(), strict=True)}


def labels(variants: Sequence[Variant]) -> list[str]:
    """One label each, saying only what differs: 'seed=485'; the whole slug where nothing does. No two are alike."""
    names = differing_fields(variants)
    return _distinct([_told(_described(variant), names) or variant.slug for variant in variants])


def _told(fields: Mapping[str, object], names: Sequence[str]) -> str:
    told = [_short(fields[n]) if n == "family" else f"{n}={_short(fields[n])}" for n in names if n in fields]
    return ", ".join(told)


def _distinct(told: Sequence[str]) -> list[str]:
    if len(set(told)) == len(told):
        return [*told]
    return [f"{label} ({told[: i + 1].count(label)})" for i, label in enumerate(told)]


def _described(variant: Variant) -> Mapping[str, object]:
    fields: dict[str, object] = {"family": variant.family, **variant.params.model_dump()}
    if variant.training is not None:
        fields.update(variant.training.model_dump(include=set(variant.training.identity_fields())))
    return fields | ({"label": variant.label} if variant.label else {})


def _short(value: object) -> str:
    if isinstance(value, tuple | list):
        return " + ".join(_short(each) for each in value) or "none"
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value)
