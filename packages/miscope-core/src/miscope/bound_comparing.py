"""Figures of any view for several variants, put together, as Python asks for them."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from miscope.bound_folder import BoundFolder
from miscope.field_docs import documented
from miscope.variant import Variant

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.figures.comparing.how_compared import Mode

__all__ = ["BoundComparing"]


class _Handle(Protocol):
    @property
    def value(self) -> Variant: ...


@documented
@dataclass(frozen=True)
class BoundComparing(BoundFolder, ABC):
    """A workspace whose variants can be laid over each other."""

    def compared(
        self,
        name: str,
        variants: Sequence[_Handle],
        *,
        mode: Mode = "overlay",
        align: str = "step",
        **more: Any,
    ) -> list[Figure]:
        """Figures of any view of several variants: an overlay; a 'grid', one each; a 'difference', each less the first.

        align: what time axes count: 'step', 'fraction' of training, or steps since an event of each, by its name.
        more: `means`, over seeds; `own_scales`; and `step`, `options` and `controls`, as
        `miscope.figures.compare.compare` takes them. Raises what that does.
        """
        from miscope.figures.compare import compare
        from miscope.figures.comparing.how_compared import HowCompared

        told = {word: more.pop(word) for word in ("means", "own_scales") if word in more}
        how = HowCompared(mode=mode, align=align, **told)
        return compare(self.value, name, [one.value for one in variants], how, **more)
