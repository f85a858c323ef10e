"""What lies in a workspace as a variant: each with its value, or with the reason why it cannot be opened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from miscope.errors import BadValue, MiscopeError, Misplaced
from miscope.plugins.plugins import Plugins
from miscope.store.layout import is_name
from miscope.store.store import Store
from miscope.store.variant_record import VariantRecord
from miscope.validation import checked_variant
from miscope.variant import Variant

__all__ = ["Stored", "look_up", "stored_variant"]


@final
@dataclass(frozen=True, kw_only=True)
class Stored:
    """One folder under variants/."""

    name: str
    """'family/slug', as the folder is called."""
    record: VariantRecord | None = None
    """None where it cannot be read."""
    variant: Variant | None = None
    """None where it cannot be opened."""
    problem: str = ""
    """Why not, and what to do, in one line."""
    own: bool = True
    """Whether the files in the folder can be this variant's: not where it has another's record, or no name for one."""


def look_up(store: Store, plugins: Plugins, name: str) -> Stored:
    """The variant of that name, or why there is none to open; never raises for what lies there."""
    record = None
    try:
        record = store.variant_record(name)
        return Stored(name=name, record=record, variant=stored_variant(store, plugins, record))
    except (MiscopeError, ValueError) as error:
        own = is_name(name) and not isinstance(error, Misplaced)
        return Stored(name=name, record=record, problem=" ".join(str(error).split("\n")), own=own)


def stored_variant(store: Store, plugins: Plugins, record: VariantRecord) -> Variant:
    """The variant that the record says. Raises BadValue and Misplaced."""
    name = record.name
    if record.family not in plugins.families:
        if record.written_as != name:
            raise Misplaced(store.layout.variant(name), name, record.written_as)
        raise BadValue(
            f"{name} belongs to the family {record.family!r}, which is not installed.",
            f"Installed here: {', '.join(sorted(plugins.families)) or 'no family'}.",
            f"Install the package that provides {record.family!r}; `miscope plugins` shows what is there.",
        )
    checked = checked_variant(plugins.families[record.family], record.params, record.training)
    value = replace(checked, label=record.label, parents=record.parents)
    variant = value.former if value.former.name == name and value.digest == record.digest else value
    if variant.name != name:
        # Every file is found by the variant's own name, so what lies under another would be looked for in vain.
        raise Misplaced(store.layout.variant(name), name, variant.name)
    if variant.digest != record.digest:
        store.refuse_another(variant)
    return variant
