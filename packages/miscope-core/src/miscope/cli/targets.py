"""Which variants a command line means: variants' names, or a family with some of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miscope.cli.options import assignments
from miscope.cli.short_names import begins
from miscope.commands import in_workspace
from miscope.errors import BadValue
from miscope.validation import checked_variant, read_field, refuse_unused, split_fields

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["one_to_train", "step_meant", "variants_meant", "whole_name"]


def one_to_train(workspace: Workspace, target: str, fields: Mapping[str, Any], *, now: bool = True) -> Variant:
    """The variant of a family with these fields, trained before or not; or the one of that name, which takes none.

    now: what it is built on has to be here; otherwise that may come later.
    """
    if target in workspace.plugins.families:
        return workspace.variant(target, **fields) if now else _later(workspace, target, fields)
    if "/" not in target:
        workspace.plugins.family(target)  # raises, with a suggestion
    if fields:
        raise _fields_of_a_name(target, fields)
    return workspace.find(whole_name(workspace, target))


def _later(workspace: Workspace, target: str, fields: Mapping[str, Any]) -> Variant:
    """As `Workspace.variant`, where what it is built on is here; else without what only that can say."""
    family = workspace.plugins.family(target)
    params, training = split_fields(family, fields)
    variant = checked_variant(family, params, training)
    refuse_unused(variant, training)
    here = all(workspace.store.layout.record(source.variant).exists() for source in family.sources(variant.params))
    return workspace.variant(target, **fields) if here else variant


def variants_meant(workspace: Workspace, words: Sequence[str]) -> list[Variant]:
    """The variants in the workspace that carry one of the names, or are of the family and have these fields.

    words: names, families and key=value, as a command line has them.
    """
    fields = assignments([word for word in words if "=" in word])
    targets = [word for word in words if "=" not in word]
    if not targets:
        raise BadValue(
            f"{', '.join(fields)} alone do not say which variants.",
            "Parameters narrow down a family.",
            "Name it first; `miscope families` lists them.",
        )
    named = [target for target in targets if target not in workspace.plugins.families]
    if named and fields:
        raise _fields_of_a_name(named[0], fields)
    variants = [one for target in targets for one in _matching(workspace, target, fields)]
    return list({variant.name: variant for variant in variants}.values())


def step_meant(workspace: Workspace, variants: Sequence[Variant], text: str) -> int:
    """The step as a number, or the first, last or best of one variant's; BadValue for anything else."""
    from miscope.analysis.chosen_steps import one_step

    if text.removeprefix("-").isdecimal():
        return int(text)
    if len(variants) != 1:
        raise BadValue(
            f"--step {text} is of one variant, and {len(variants)} were named.",
            "Each has another one.",
            "Give a step as a number, or name one variant.",
        )
    name, store = variants[0].name, workspace.store
    return one_step(text, store.steps(name), name, lambda: store.metrics(name))


def _matching(workspace: Workspace, target: str, fields: Mapping[str, Any]) -> list[Variant]:
    if target not in workspace.plugins.families:
        return [workspace.find(whole_name(workspace, target))]
    there = workspace.variants(target)
    split_fields(workspace.plugins.family(target), fields)
    variants = [variant for variant in there if all(_has(variant, name, value) for name, value in fields.items())]
    if not variants:
        words = " ".join(f"{name}={value}" for name, value in fields.items())
        raise BadValue(
            f"There is no variant of {target}{f' with {words}' if words else ''} in {workspace.root}.",
            f"It holds {len(there)} of that family.",
            f"To train one:  {in_workspace(workspace.root, f'miscope train {target} {words}'.rstrip())}",
        )
    return variants


def whole_name(workspace: Workspace, target: str) -> str:
    """The variant's name that begins with these parts, 'p17' or 'toy.sum/p17'; the target itself where none does."""
    names = {name: (name, name.partition("/")[2]) for name in workspace.names()}
    if any(target in both for both in names.values()):
        return target
    begun = [name for name, both in names.items() if any(begins(target, each) for each in both)]
    if len(begun) > 1:
        raise BadValue(
            f"{target!r} begins the names of {len(begun)} variants.",
            f"They are: {', '.join(begun)}.",
            "Give more of it.",
        )
    return begun[0] if begun else target


def _has(variant: Variant, name: str, value: object) -> bool:
    for part in (variant.params, variant.training):
        if part is not None and name in type(part).model_fields:
            return getattr(part, name) == read_field(type(part), name, value)
    return False


def _fields_of_a_name(target: str, fields: Mapping[str, Any]) -> BadValue:
    family = target.partition("/")[0]
    return BadValue(
        f"{target!r} is the name of a variant, so {', '.join(fields)} cannot be given with it.",
        "Its name fixes every parameter.",
        f"Name the family instead:  {family} " + " ".join(f"{name}={value}" for name, value in fields.items()),
    )
