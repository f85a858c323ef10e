"""The activations an autoencoder is trained on: those of its source at every input of that one's probe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.errors import BadValue
from miscope.lazily import torch
from miscope_sae.rows.normalisation import constant_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from miscope import SourceCheckpoint
    from miscope_sae.params import Positions

__all__ = ["Places", "SourceRows", "SourcesRows", "trained_on"]

_VARIES = 1e-12
"""Share of the mean squared norm that a site's variance must exceed, for there to be something to reconstruct."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """Where each of R rows is from."""

    input: np.ndarray
    """(R,) row of the source's probe, ascending."""
    position: np.ndarray
    """(R,) place in that input, from 0."""


@final
class SourceRows:
    """(R, d) activations of one source: a row for each input of its probe, or for each position of each."""

    def __init__(self, source: SourceCheckpoint, positions: Positions = "answer") -> None:
        self.source, self.positions = source, positions

    @cached_property
    def width(self) -> int:
        """Numbers in a row; of a site with heads, those of all of them."""
        return self.source.activations(self.source.probe.inputs[:1]).flatten(1).shape[1]

    @cached_property
    def all(self) -> Tensor:
        """(R, d) float32. Raises BadValue where a number is missing or all rows are the same."""
        rows, where = self._finite(self._taken()), self.source.source
        varies = float((rows - rows.mean(0)).square().sum()) > _VARIES * float(rows.square().sum())
        if not varies:
            raise BadValue(
                f"There is nothing to reconstruct at {where}.",
                f"All of its {len(rows)} {self._unit} have the same activation.",
                "Choose another site.",
            )
        return rows

    @cached_property
    def places(self) -> Places | None:
        """Of each row; None where each input has one, its answer's. Raises BadValue where inputs have no positions."""
        if self.positions == "answer":
            return None
        probe, where = self.source.probe, self.source.source
        length = self.source.activations(probe.inputs[:1], positions="all").shape[1]
        if length == 1:
            raise BadValue(
                f"{where} has one position.",
                "All positions of an input are then that of its answer.",
                "Leave positions out.",
                field="positions",
            )
        counted = np.ones((len(probe.inputs), length), dtype=bool) if probe.counted is None else probe.counted
        if counted.shape[1] != length:
            raise BadValue(
                f"{where} has {length} positions.",
                f"Its probe {probe.name!r} says of {counted.shape[1]} whether they count.",
                "Choose another site.",
                field="positions",
            )
        inputs, position = np.nonzero(counted)
        return Places(input=inputs, position=position)

    def of(self, inputs: Tensor) -> Tensor:
        """(n, d) float32 the rows of other inputs in their order; nothing of them is kept on disk.

        Raises BadValue where a number is missing.
        """
        if (positions := self.row_positions) is None:
            return self._finite(self.source.activations(inputs, kept=False).flatten(1).contiguous())
        found = self.source.activations(inputs, positions="all", kept=False).flatten(2)
        return self._finite(found[:, torch.from_numpy(positions)].flatten(0, 1).contiguous())

    @cached_property
    def row_positions(self) -> np.ndarray | None:
        """(P,) positions of every input that are rows; None where its answer alone is one.

        Raises BadValue where the probe says something else of each of its inputs.
        """
        if (places := self.places) is None:
            return None
        probe = self.source.probe
        counted = probe.counted
        if counted is None:
            return np.unique(places.position)
        if not (counted == counted[0]).all():
            raise BadValue(
                f"Which positions count is not the same at all inputs of the probe {probe.name!r}.",
                "Of inputs that are drawn anew nobody knows.",
                "Leave data or positions out.",
                field="data",
            )
        return np.flatnonzero(counted[0])

    @cached_property
    def scale(self) -> float:
        """What 'constant_norm' multiplies by: one number for the source, the same for every autoencoder of it."""
        return constant_scale(self.all)

    @property
    def _unit(self) -> str:
        return "inputs" if self.positions == "answer" else "positions"

    def _finite(self, rows: Tensor) -> Tensor:
        bad = (~torch.isfinite(rows)).any(1)
        if bool(bad.any()):
            raise BadValue(
                f"Activations of {self.source.source} are no numbers.",
                f"NaN or infinite at {int(bad.sum())} of {len(rows)} {self._unit}.",
                "Build on an earlier step.",
            )
        return rows

    def _taken(self) -> Tensor:
        if (places := self.places) is None:
            return self.source.activations().flatten(1).contiguous()
        found = self.source.activations(positions="all").flatten(2)
        return found[torch.from_numpy(places.input), torch.from_numpy(places.position)].contiguous()


@final
class SourcesRows:
    """The rows of several sources side by side, all of the same inputs and positions."""

    def __init__(self, sources: Sequence[SourceCheckpoint], positions: Positions) -> None:
        self.each = tuple(SourceRows(source, positions) for source in sources)

    @cached_property
    def all(self) -> Tensor:
        """(R, ...). Raises BadValue where one of the sources has other positions."""
        first, *others = (rows.all for rows in self.each)
        for rows, other in zip(self.each[1:], others, strict=True):
            if len(other) != len(first):
                raise BadValue(
                    f"{rows.source.source} has {len(other)} rows.",
                    f"{self.each[0].source.source} has {len(first)}, at the same inputs.",
                    "Choose sites with the same positions.",
                    field="positions",
                )
        return torch.cat([first, *others], dim=1) if others else first

    @property
    def places(self) -> Places | None:
        """Of each row; None where each input has one."""
        return self.each[0].places

    @property
    def count(self) -> int:
        """How many there are, without running a network on them."""
        return len(self.each[0].source.probe.inputs) if self.places is None else len(self.places.input)

    def trained_on(self, share: float, seed: int) -> np.ndarray:
        """(R,) bool, which rows are trained on: whole inputs, with all their positions."""
        inputs = trained_on(len(self.each[0].source.probe.inputs), share, seed)
        return inputs if self.places is None else inputs[self.places.input]


def trained_on(count: int, share: float, seed: int) -> np.ndarray:
    """(N,) bool, which of so many inputs are trained on, drawn from the seed; the others are held out."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).numpy()
    mask = np.zeros(count, dtype=bool)
    mask[order[: max(1, min(count - 1, round(share * count)))]] = True
    return mask
