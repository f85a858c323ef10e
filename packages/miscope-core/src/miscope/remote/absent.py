"""Words of a workspace that is here which a server's has not: each says why, and what does the same."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar

from miscope.remote.remote_errors import NotRemote

__all__ = ["HasAbsent"]


class HasAbsent(ABC):
    """A handle some of whose words are not there over HTTP."""

    absent: ClassVar[Mapping[str, tuple[str, str]]]
    # By word: why, and what to do instead; two sentences.

    def __getattr__(self, name: str) -> Any:
        if name in type(self).absent:
            raise NotRemote(name, type(self).__name__, *type(self).absent[name])
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
