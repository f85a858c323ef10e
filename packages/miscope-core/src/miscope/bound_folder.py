"""What lies in a workspace's folder, as Python reaches it: files, ledger, index and the plug-ins in force."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.field_docs import documented
from miscope.workspace import Workspace

if TYPE_CHECKING:
    from miscope.index.index import Index
    from miscope.plugins.plugins import Plugins
    from miscope.store.ledger import Ledger
    from miscope.store.store import Store

__all__ = ["BoundFolder"]


@documented
@dataclass(frozen=True)
class BoundFolder(ABC):
    """A workspace and what is in it."""

    value: Workspace
    """What the verbs take: `render(workspace.value, view, variants)`."""

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.value.root

    @property
    def plugins(self) -> Plugins:
        """Families, analyzers, views, executors and lenses in force."""
        return self.value.plugins

    @property
    def store(self) -> Store:
        """Its files."""
        return self.value.store

    @property
    def ledger(self) -> Ledger:
        """What happened in it."""
        return self.value.ledger

    @property
    def index(self) -> Index:
        """Its DuckDB index."""
        return self.value.index
