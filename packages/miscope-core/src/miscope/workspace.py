"""A folder with its store, ledger and index, and the plug-ins in force: where a session begins."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from miscope.commands import default_root
from miscope.errors import BadValue, UnknownName
from miscope.family import Family
from miscope.inventory import Stored, look_up, stored_variant
from miscope.model_context import ModelContext
from miscope.plugins.plugins import Plugins
from miscope.recipe import digest
from miscope.source_checkpoint import OpenedSource, SourceCheckpoint
from miscope.store.activation_cache import ActivationCache, size_limit
from miscope.store.ledger import Ledger
from miscope.store.origin import Origin
from miscope.store.sources import check_source, with_parents
from miscope.store.store import Store
from miscope.validation import checked_variant, refuse_unused, split_fields
from miscope.variant import Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow
    from torch import nn

    from miscope.checkpoint_source import CheckpointSource
    from miscope.index.index import Index
    from miscope.source import Source
    from miscope.store.variant_record import VariantRecord

__all__ = ["Workspace", "open_workspace", "plain_variants"]

_SUBJECTS = 8
"""Models and probes of so many variants stay in memory."""


def open_workspace(path: str | Path | None = None, plugins: Plugins | None = None) -> Workspace:
    """The workspace at the path, else at MISCOPE_WORKSPACE, else in ./miscope-workspace; nothing is written yet.

    plugins: the tables in force; None for everything installed.
    """
    root = Path(path).expanduser().absolute() if path else default_root()
    dead = next((place for place in (root, *root.parents) if place.is_symlink() and not place.exists()), None)
    if dead is not None:
        raise BadValue(
            f"{root} is no place for a workspace.", f"{dead} is a link that leads nowhere.", "Name another path."
        )
    if root.exists() and not root.is_dir():
        raise BadValue(f"{root} is not a folder.", "A workspace is a folder that miscope fills.", "Name another path.")
    return Workspace(root, plugins or Plugins.installed())


@final
class Workspace:
    """Everything about one folder."""

    def __init__(self, root: Path, plugins: Plugins) -> None:
        self.root, self.plugins = root, plugins
        self.store = Store(root, elsewhere=self._checkpoints_of)
        self._elsewhere: dict[str, CheckpointSource | None] = {}
        self.ledger = Ledger(self.store.layout.ledger)
        self._contexts: dict[str, ModelContext] = {}
        self._networks: dict[str, nn.Module | None] = {}
        self._found: dict[str, tuple[VariantRecord, Variant]] = {}
        self._turn = threading.Lock()

    @cached_property
    def index(self) -> Index:
        from miscope.index.index import Index

        return Index(self.store)

    @cached_property
    def activation_cache(self) -> ActivationCache:
        """Activations of checkpoints that variants are built on; BadValue where its size is set to no number."""
        return ActivationCache(self.store.layout.activations, size_limit())

    def variant(self, family: str, **fields: Any) -> Variant:
        """The variant of a family with these parameters and training fields, told apart by name; nothing is written.

        Raises BadValue if its folder holds another variant.
        """
        chosen = self.plugins.family(family)
        params, training = split_fields(chosen, fields)
        value = self.value(chosen, params, training)
        refuse_unused(value, training)
        self.store.refuse_another(value)
        if type(chosen).checkpoints is not Family.checkpoints:
            self._elsewhere[value.name] = chosen.checkpoints(value)
        return value

    def value(self, family: Family, params: Mapping[str, Any], training: Mapping[str, Any]) -> Variant:
        """The variant of these values with what it is built on here, under the slug it has here."""
        return self.store.placed(with_parents(self.store, family, checked_variant(family, params, training)))

    def find(self, name: str) -> Variant:
        """A stored variant by its name 'family/slug', or by its slug where one family has it."""
        names = self.store.variants()
        matches = [name] if name in names else [known for known in names if known.partition("/")[2] == name]
        if len(matches) > 1:
            raise BadValue(
                f"{name!r} names {len(matches)} variants.", f"They are: {', '.join(matches)}.", "Give the family too."
            )
        if not matches:
            count = f"{len(names)} variant{'s' * (len(names) != 1)}"
            listing = f"{self.root} holds {count}" + (f": {', '.join(names[:5])}." if names else ".")
            raise UnknownName("variant", name, names, listing=listing)
        return self._opened(matches[0])

    def _opened(self, name: str) -> Variant:
        """The value that the record says, the same as long as the record does."""
        record = self.store.variant_record(name)
        kept = self._found.get(name)
        if kept is None or kept[0] is not record:
            kept = self._found[name] = record, stored_variant(self.store, self.plugins, record)
        return kept[1]

    def variants(self, family: str | None = None) -> list[Variant]:
        """Stored variants that can be opened, by name; `inventory` has the others too, and why not."""
        return [one.variant for one in self.inventory(family) if one.variant is not None]

    def inventory(self, family: str | None = None) -> list[Stored]:
        """Everything that lies here as a variant, by name: what can be opened, and the reason for what cannot."""
        return [look_up(self.store, self.plugins, name) for name in self.names(family)]

    def names(self, family: str | None = None) -> list[str]:
        """Names of all stored variants, whether or not their family is installed."""
        return [name for name in self.store.variants() if family in (None, name.partition("/")[0])]

    def context(self, variant: Variant) -> ModelContext:
        """The variant with what its family says of it; the same object while it is in memory, on every thread."""
        family, record = self.plugins.family(variant.family), self._described_by(variant)
        # A digest has not all of a training: what a family makes of the rest, it is to make of this variant's.
        key = f"{variant.name} {variant.digest} {variant.training!r} {digest(record.facts) if record else ''}"
        with self._turn:
            context = self._contexts.pop(key, None) or self._new_context(family, variant, record)
            self._contexts[key] = context
            while len(self._contexts) > _SUBJECTS:
                del self._contexts[next(iter(self._contexts))]
        return context

    def keep_record(self, variant: Variant) -> None:
        """Write the record of a variant whose checkpoints come from elsewhere, once something is made of them."""
        elsewhere = self._elsewhere.get(variant.name) is not None
        if elsewhere and not self.store.layout.record(variant.name).exists():
            self.store.save_variant(variant, origin=Origin.ELSEWHERE.value)

    def keep_network(self, variant: Variant, network: nn.Module | None) -> None:
        """Have the variant looked at through this very network, for as long as this workspace is open."""
        with self._turn:
            self._networks[f"{variant.name} {variant.digest}"] = network
            self._contexts = {k: s for k, s in self._contexts.items() if s.variant.name != variant.name}

    def _new_context(self, family: Family, variant: Variant, record: VariantRecord | None) -> ModelContext:
        sources = [
            SourceCheckpoint(source, partial(self._open_source, variant, place, source))
            for place, source in enumerate(family.sources(variant.params))
        ]
        given = family.given(sources) if sources else family
        shown = [each for each in sources if each.source.site]
        return ModelContext(self._described(given, variant, record), variant, shown)

    def _described_by(self, variant: Variant) -> VariantRecord | None:
        """The record that says what its network is; None where its parameters say it."""
        return self.store.variant_record(variant.name) if self.plugins.family(variant.family).described else None

    def _network_digest(self, variant: Variant) -> str:
        record = self._described_by(variant)
        return digest([variant.digest, record.facts if record else None])

    def _described(self, family: Family, variant: Variant, record: VariantRecord | None) -> Family:
        """The family with what is known of this very variant; record: None where the family is not `described`."""
        if record is None:
            return family
        from miscope.modules.description_file import read_description

        path, contents = self.store.layout.probe(variant.name), variant.params.model_dump()["contents"]
        network = self._networks.get(f"{variant.name} {variant.digest}")
        return family.of(read_description(path, record, contents=contents, module=network))

    def _checkpoints_of(self, name: str) -> CheckpointSource | None:
        """What has the checkpoints of the variant of that name, where its family brings them from elsewhere."""
        family = self.plugins.families.get(name.partition("/")[0])
        if family is None or type(family).checkpoints is Family.checkpoints:
            return None
        if name not in self._elsewhere:
            known = self.store.layout.record(name).exists()
            self._elsewhere[name] = family.checkpoints(self.find(name)) if known else None
        return self._elsewhere[name]

    def _open_source(self, variant: Variant, place: int, source: Source) -> OpenedSource:
        check_source(self.store, variant, place, source)
        parent = self.find(source.variant)
        context = self.context(parent)
        checkpoint = self.store.load_checkpoint(parent.name, source.step)
        return OpenedSource(
            model=context.model,
            probe=context.probe,
            bases=lambda: context.bases,
            width=context.width,
            params=parent.params,
            checkpoint=checkpoint,
            network=self._network_digest(parent),
            kept=self.activation_cache.of,
            sampled=partial(context.family.sampled, parent),
        )

    def ask(self, sql: str) -> pyarrow.Table:
        """The answer to a SELECT over variants, runs, checkpoints, artifacts, metrics and scalars."""
        return self.index.ask(sql)

    def __repr__(self) -> str:
        return f"Workspace({str(self.root)!r})"


def plain_variants(workspace: Workspace, variants: Variant | Sequence[Variant]) -> list[Variant]:
    """One variant or several as a list; BadValue where a handle of the Python interface is given for a value."""
    several = list(variants) if isinstance(variants, Sequence) else [variants]
    for given, kind in ((workspace, Workspace), *((each, Variant) for each in several)):
        if not isinstance(given, kind):
            raise BadValue(
                f"{given!r} is not a {kind.__name__}.",
                "Verbs take plain values; what `miscope.open` gives are handles, and each holds one.",
                "Give its `.value`.",
            )
    return several
