"""What tells several variants apart: the fields in which they differ, as short labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from miscope.variant import Variant

__all__ = ["differ_in_seeds_alone", "differing_fields", "differing_values", "labels"]

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


def differ_in_seeds_alone(variants: Sequence[Variant]) -> bool:
    """Whether they differ in some seed, and in nothing else."""
    names = differing_fields(variants)
    return bool(names) and all(_SEED.fullmatch(name) for name in names)


def labels(variants: Sequence[Variant]) -> list[str]:
    """One label each, saying only what differs: 'seed=485'; the whole slug where nothing does. No two are alike."""
    names = differing_fields(variants)
    distinct = []
    for variant in variants:
        fields = _described(variant)
        told = [_short(fields[n]) if n == "family" else f"{n}={_short(fields[n])}" for n in names if n in fields]
        distinct.append(", ".join(told) or variant.slug)
    if len(set(distinct)) == len(distinct):
        return distinct
    return [f"{label} ({distinct[: i + 1].count(label)})" for i, label in enumerate(distinct)]


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
