"""Which fields of a family say what its variants are built on, and what there is in the workspace to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final, get_args

from pydantic import ValidationError

from miscope.errors import MiscopeError
from miscope.failure import tried
from miscope.family import Family
from miscope.field_text import inner_type, is_list
from miscope.validation import first_taken

if TYPE_CHECKING:
    from miscope.source import Source
    from miscope.workspace import Workspace

__all__ = ["BuiltOn", "built_on", "filled", "offered"]

_STEPS = (1_000_003, 1_000_033)
"""Steps that no parameter is by chance."""
_OTHERS = (0, 1, 0.5, True)


@final
@dataclass(frozen=True, kw_only=True)
class BuiltOn:
    """The fields that name a checkpoint of another variant, by what they say of it; "" where none does."""

    variant: str
    step: str = ""
    site: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """In the order in which one chooses."""
        return tuple(name for name in (self.variant, self.step, self.site) if name)


def built_on(family: Family) -> BuiltOn | None:
    """Found by asking the family what a variant of made-up values would be built on; None where on nothing, or where
    it does not take these."""
    values = _made_up(family)
    try:
        params = family.params.model_validate(values)
    except ValidationError:
        return None
    sources = tried(lambda: tuple(family.sources(params)))
    if not isinstance(sources, tuple) or not sources:
        return None
    return _named(values, sources[0])


def _named(values: Mapping[str, Any], source: Source) -> BuiltOn | None:
    """The fields whose values came back."""
    steps = [name for name, value in values.items() if source.step in (value if isinstance(value, list) else [value])]
    texts = {value: name for name, value in values.items() if isinstance(value, str)}
    if source.variant not in texts:
        return None
    return BuiltOn(variant=texts[source.variant], step=next(iter(steps), ""), site=texts.get(source.site, ""))


def _made_up(family: Family) -> dict[str, Any]:
    """A value for each parameter without a default, told from all others where it can be."""
    return {name: _value(family, name) for name, info in family.params.model_fields.items() if info.is_required()}


def _value(family: Family, name: str) -> Any:
    info = family.params.model_fields[name]
    inner = inner_type(info)
    several = is_list(info) and _of_items(inner) is int
    made: tuple[Any, ...] = (list(_STEPS),) if several else (_STEPS[0],) if inner is int else (f"some/{name}", name)
    return first_taken(family.params, name, (*made, *_OTHERS))


def _of_items(annotation: Any) -> Any:
    """Of a list's first type, without what only bounds it."""
    first = next(iter(get_args(annotation)), None)
    return next(iter(get_args(first)), first)


def offered(workspace: Workspace, family: Family, texts: Mapping[str, str]) -> dict[str, list[str]]:
    """What may be chosen in the fields that say what is built on: variants, of one its steps and sites."""
    fields = built_on(family)
    if fields is None:
        return {}
    found = {fields.variant: workspace.names()}
    variant = texts.get(fields.variant, "")
    if variant not in found[fields.variant]:
        return found
    if fields.step:
        found[fields.step] = [str(step) for step in workspace.store.finite_steps(variant)]
    if fields.site:
        found[fields.site] = _sites(workspace, variant)
    return found


def _sites(workspace: Workspace, variant: str) -> list[str]:
    """Those of its network; none where it has none, or cannot be opened."""
    try:
        return sorted(workspace.context(workspace.find(variant)).model.sites)
    except MiscopeError:
        return []


def filled(fields: BuiltOn, texts: Mapping[str, str], choices: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The texts with the last checkpoint, where a variant is chosen and no step."""
    steps = choices.get(fields.step, ())
    return {**texts, fields.step: steps[-1]} if steps and not texts.get(fields.step) else dict(texts)
