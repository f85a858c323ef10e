"""How often one address may ask: a bucket of requests for each, which fills again as time goes by."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple, final

__all__ = ["GENEROUS", "Rate", "Rates"]

_MOST = 4096
"""Buckets that are remembered; the one that was used longest ago is forgotten, and is full when it is used again."""


class Rate(NamedTuple):
    """How often."""

    a_second: float
    """In the long run."""
    at_once: int
    """After a rest."""


GENEROUS: Mapping[str, Rate] = {"look": Rate(500, 5000), "change": Rate(50, 1000), "draw": Rate(50, 500)}
"""By what is done: figures and files are drawn, which takes long. More than a page or a script that works asks for."""


@final
class Rates:
    """Of a server. Asked on one thread, its event loop's."""

    def __init__(self, rates: Mapping[str, Rate] = GENEROUS, clock: Callable[[], float] = time.monotonic) -> None:
        """rates: what has none is asked for without bound. clock: seconds."""
        self._rates, self._clock = rates, clock
        self._left: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        """Of each address and deed: requests left, and when that was."""

    def wait(self, address: str, deed: str) -> int:
        """Take one request of that address; seconds that it has to wait first, 0 where it may come in."""
        rate = self._rates.get(deed)
        if rate is None:
            return 0
        now = self._clock()
        left, then = self._left.pop((address, deed), (float(rate.at_once), now))
        left = min(rate.at_once, left + (now - then) * rate.a_second)
        enough = left >= 1
        self._left[address, deed] = (left - 1 if enough else left, now)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)
        return 0 if enough else math.ceil((1 - left) / rate.a_second)
