"""`miscope.connect`: the workspace that a server shows, in the words of one that is here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, final
from urllib.parse import quote

from miscope.errors import UnknownName
from miscope.field_docs import documented
from miscope.remote.absent import HasAbsent
from miscope.remote.address import Address
from miscope.remote.connection import Connection
from miscope.remote.greeting import greet
from miscope.remote.remote_errors import need_client
from miscope.remote.remote_queue import RemoteQueue
from miscope.remote.remote_report import written_report
from miscope.remote.remote_study import RemoteStudy
from miscope.remote.remote_templates import RemoteTemplates
from miscope.remote.remote_variant import RemoteVariant
from miscope.remote.remote_view import RemoteView

if TYPE_CHECKING:
    from miscope.analysis.analyzer_options import Options

__all__ = ["RemoteWorkspace", "connect"]

_FILES = "The files of the folder are on the server's machine."
_OPEN = "On the server's machine:  miscope.open(FOLDER), with the folder that `remote.root` names"


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
@dataclass(frozen=True, repr=False)
class RemoteWorkspace(HasAbsent):
    """A workspace that a server shows; a context manager, which lets go of the server."""

    connection: Connection
    """To the server."""

    absent: ClassVar = {
        "value": (_FILES, _OPEN),
        "store": (_FILES, _OPEN),
        "ledger": (_FILES, "What was run is here:  remote.queue.runs()"),
        "index": (_FILES, _OPEN),
        "ask": ("SQL reads the files of the folder.", 'On the server\'s machine:  miscope ask "select ..."'),
        "context": ("Models and weights do not go over HTTP.", _OPEN),
        "record": ("Checkpoints are written where the folder is.", _OPEN),
        "adopt": ("Checkpoints are written where the folder is.", "On the server's machine:  miscope import FILE"),
        "adopt_module": ("Checkpoints are written where the folder is.", _OPEN),
        "bundle": ("Weights do not go over HTTP.", "On the server's machine:  miscope bundle VARIANT"),
        "compared": ("Figures are laid over each other where the arrays are.", _OPEN),
        "lens": ("Lenses are files of packages and of the folder.", "Ask for each view:  remote.view(NAME, variants)"),
    }

    @property
    def root(self) -> PurePosixPath:
        """Its folder, on the server's machine."""
        return PurePosixPath(self.connection.get("health")["workspace"])

    @property
    def plugins(self) -> Mapping[str, Any]:
        """What is installed there, by whom, and what could not be loaded."""
        return self.connection.get("plugins")

    def families(self) -> dict[str, Mapping[str, Any]]:
        """What can be trained there, by name: title, JSON schemas of 'params' and of 'training', ..."""
        return {family["name"]: family for family in self.connection.get("families")["families"]}

    def variants(self, family: str | None = None) -> list[RemoteVariant]:
        """Stored variants that can be opened, by name; `inventory` has the others too, and why not."""
        return [self._stored(each) for each in self.inventory(family) if each["problem"] is None and each["installed"]]

    def inventory(self, family: str | None = None) -> list[Mapping[str, Any]]:
        """Everything that lies there as a variant: 'name', 'params', 'training', 'checkpoints', 'problem', ..."""
        return [each for each in self.connection.get("variants") if family in (None, each["family"])]

    def names(self, family: str | None = None) -> list[str]:
        """Names of all stored variants, whether or not their family is installed."""
        return [each["name"] for each in self.inventory(family)]

    def table(self, **asked: str | int) -> Mapping[str, Any]:
        """The variants as one table, a page of it at a time: 'columns', 'rows', 'matched', 'pagination', ...

        asked: `find`, `where`, `sort`, `columns`, `group`, `at`, `page`, `limit`, as `GET table` takes them.
        Refused where the condition cannot be answered.
        """
        return self.connection.get("table", asked)

    def saved_views(self) -> dict[str, str]:
        """Questions to the table that are kept there, by name: what is asked, as an address has it."""
        return {each["name"]: each["query"] for each in self.connection.get("table/views")["views"]}

    def save_view(self, name: str, query: str) -> None:
        """Keep a question to the table under a name, in the place of another of that name."""
        self.connection.put(f"table/views/{quote(name, safe='')}", {"query": query})

    def remove_view(self, name: str) -> None:
        """Forget the question of that name; Refused where there is none."""
        self.connection.delete(f"table/views/{quote(name, safe='')}")

    def find(self, name: str) -> RemoteVariant:
        """A stored variant by its name 'family/slug', or by its slug where one family has it."""
        found = {each["name"]: each for each in self.inventory()}
        named = [name] if name in found else [each for each in found if each.partition("/")[2] == name]
        if len(named) != 1:
            meant = f"it is {' or '.join(named)}" if named else f"{self.connection.url} shows {len(found)} variants"
            listing = f"{meant}; `.variants()` has those that can be opened."
            raise UnknownName("variant", name, found, listing=listing[0].upper() + listing[1:] if named else listing)
        return self._stored(found[named[0]])

    def variant(self, family: str, **fields: Any) -> RemoteVariant:
        """The variant of a family with these parameters and training fields, told apart by name; nothing is written."""
        own = self.connection.get(f"families/{quote(family, safe='')}")
        training = (own["training"] or {}).get("properties", {})
        of_training = {
            k: v for k, v in fields.items() if k in training and k not in own["params"].get("properties", {})
        }
        params = {name: value for name, value in fields.items() if name not in of_training}
        asked = {"family": family, "params": params, "training": of_training}
        name = self.connection.post("trainings/check", asked)["what"]
        return RemoteVariant(self.connection, name, params, of_training)

    def view(
        self, name: str, variants: Sequence[RemoteVariant], *, options: Options | None = None, **controls: Any
    ) -> RemoteView:
        """A figure that compares variants, by the view's name; options: as of `RemoteVariant.view`."""
        return RemoteView(self.connection, tuple(each.name for each in variants), name, None, controls, options)

    def report(self, variants: Sequence[RemoteVariant], path: str | Path, **options: Any) -> Path:
        """Write what is known of variants as html, md, pdf or ipynb, a file here; options: `views`, `title`."""
        return written_report(self.connection, [each.name for each in variants], path, **options)

    def views(self) -> dict[str, Mapping[str, Any]]:
        """Every view that is installed there, by name: title, grain, controls, ..."""
        return {view["name"]: view for view in self.connection.get("views")}

    @property
    def queue(self) -> RemoteQueue:
        """Its runs, done in the background."""
        return RemoteQueue(self.connection)

    @property
    def templates(self) -> RemoteTemplates:
        """Studies that are kept there to start from."""
        return RemoteTemplates(self.connection)

    def studies(self) -> dict[str, Mapping[str, Any]]:
        """Every study that was run there or is in the queue, by name: how many of its runs are in each state."""
        return {each["name"]: each for each in self.connection.get("studies")["studies"]}

    def study(self, name: str) -> RemoteStudy:
        """The study of that name; Refused where there is none."""
        return RemoteStudy(self.connection, self.connection.get(f"studies/{quote(name, safe='')}")["name"])

    def close(self) -> None:
        """Let go of the server."""
        self.connection.close()

    def _stored(self, seen: Mapping[str, Any]) -> RemoteVariant:
        return RemoteVariant(self.connection, seen["name"], seen["params"] or {}, seen.get("training"))

    def __enter__(self) -> RemoteWorkspace:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<workspace at {self.connection.url}>"
