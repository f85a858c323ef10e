"""Whether what answers at an address is a server of miscope, and one that this client understands."""

from __future__ import annotations

import miscope
from miscope.remote.connection import API, Connection
from miscope.remote.remote_errors import NotMiscope, OtherApi

__all__ = ["greet"]


def greet(connection: Connection) -> None:
    """Ask it how it is. Raises NotMiscope, OtherApi, and whatever `Connection.get` does."""
    told = connection.get("health")
    if not isinstance(told, dict) or told.get("status") != "ok" or "workspace" not in told:
        raise NotMiscope(connection.url, "something else than how it is")
    if told.get("api", API) != API:
        versions = miscope.__version__, str(told.get("version", "of an unknown version"))
        raise OtherApi(connection.url, versions, (API, told["api"]))
