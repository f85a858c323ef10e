"""`miscope.connect`: the workspace that a server shows, in the words of one that is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from miscope.errors import UnknownName
from miscope.field_docs import documented
from miscope.remote.address import Address
from miscope.remote.connection import Connection
from miscope.remote.greeting import greet
from miscope.remote.remote_errors import need_client
from miscope.remote.remote_queue import RemoteQueue
from miscope.remote.remote_variant import RemoteVariant, RemoteView

__all__ = ["RemoteWorkspace", "connect"]


def connect(url: str, token: str | None = None, *, seconds: float = 60.0) -> RemoteWorkspace:
    """The workspace that `miscope serve` shows at that address: 'http://127.0.0.1:5006'.

    token: the one it was started with; it may stand in the address, as the server prints it. seconds: that an answer
    may take. Raises BadValue for what is no address or token, Unreachable where no answer comes, NotMiscope and
    OtherApi where it is not one of this miscope, Refused where the token is wrong, NoClient where
    `miscope-core[client]` is not installed.
    """
    need_client()
    remote = RemoteWorkspace(Connection(Address.of(url, token, seconds)))
    greet(remote.connection)
    return remote


@final
@documented
@dataclass(frozen=True)
class RemoteWorkspace:
    """A workspace that a server shows; a context manager, which lets go of the server."""

    connection: Connection
    """To the server."""

    def families(self) -> dict[str, Mapping[str, Any]]:
        """What can be trained there, by name: title, JSON schemas of 'params' and of 'training', ..."""
        return {family["name"]: family for family in self.connection.get("families")["families"]}

    def variants(self, family: str | None = None) -> list[RemoteVariant]:
        """Stored variants that can be opened, by name."""
        found = [each for each in self.connection.get("variants") if each["problem"] is None and each["installed"]]
        return [self._stored(each) for each in found if family in (None, each["family"])]

    def find(self, name: str) -> RemoteVariant:
        """A stored variant by its name 'family/slug'."""
        found = {each["name"]: each for each in self.connection.get("variants")}
        if name not in found:
            listing = f"{self.connection.url} shows {len(found)} variants; `.variants()` has those that can be opened."
            raise UnknownName("variant", name, found, listing=listing)
        return self._stored(found[name])

    def variant(self, family: str, **fields: Any) -> RemoteVariant:
        """The variant of a family with these parameters and training fields, told apart by name; nothing is written."""
        own = self.connection.get(f"families/{family}")
        training = (own["training"] or {}).get("properties", {})
        of_training = {
            k: v for k, v in fields.items() if k in training and k not in own["params"].get("properties", {})
        }
        params = {name: value for name, value in fields.items() if name not in of_training}
        asked = {"family": family, "params": params, "training": of_training}
        name = self.connection.post("trainings", {**asked, "dry_run": True})["what"]
        return RemoteVariant(self.connection, name, params, of_training)

    def view(self, name: str, variants: list[RemoteVariant], **controls: Any) -> RemoteView:
        """A figure that compares variants, by the view's name."""
        return RemoteView(self.connection, tuple(each.name for each in variants), name, None, controls)

    def views(self) -> dict[str, Mapping[str, Any]]:
        """Every view that is installed there, by name: title, grain, controls, ..."""
        return {view["name"]: view for view in self.connection.get("views")}

    @property
    def queue(self) -> RemoteQueue:
        """Its runs, done in the background."""
        return RemoteQueue(self.connection)

    def close(self) -> None:
        """Let go of the server."""
        self.connection.close()

    def _stored(self, seen: Mapping[str, Any]) -> RemoteVariant:
        return RemoteVariant(self.connection, seen["name"], seen["params"] or {}, None)

    def __enter__(self) -> RemoteWorkspace:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<workspace at {self.connection.url}>"
