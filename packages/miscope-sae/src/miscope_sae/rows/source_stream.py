"""Activations of inputs that a source draws anew for each update, in place of those of its probe."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, final

from miscope import Examples, ExampleStream
from miscope.errors import BadValue
from miscope.lazily import torch
from miscope.sampling import seed_of_draw

if TYPE_CHECKING:
    from torch import Tensor

    from miscope import Probe
    from miscope_sae.rows.source_rows import SourcesRows

__all__ = ["LOOKED_AT", "SourceStream", "check_sampled"]

LOOKED_AT = 1024
"""Inputs that are drawn to be compared with those of the probe."""


def check_sampled(name: str, drawn: Tensor | None, probe: Probe) -> None:
    """BadValue where a variant of that name draws no inputs; drawn: what it gave."""
    if drawn is None:
        raise BadValue(
            f"{name} draws no inputs anew, and data=stream asks for them.",
            f"All that its family shows it are the {len(probe.inputs):,} inputs of its probe {probe.name!r}.",
            "Leave data out: an autoencoder is then trained on these.",
            field="data",
        )


@final
class SourceStream:
    """Rows of fresh inputs, of one and the same input at every source; nothing of them is kept on disk."""

    def __init__(self, rows: SourcesRows, seed: int, arranged: Callable[[Tensor, int], Tensor]) -> None:
        """arranged: (rows, seed) -> the rows as an autoencoder is given them. Raises BadValue where nothing is drawn,
        and where nobody knows which positions of what is drawn count."""
        self._each, self._seed, self._arranged = rows.each, seed, arranged
        self._first = rows.each[0]
        source = self._first.source
        check_sampled(source.source.variant, source.sampled(seed, 0, 1), source.probe)
        self.positions = self._first.row_positions
        """(P,) of each input, those that are rows; None where its answer alone is one."""

    def examples(self, step: int, count: int) -> Examples:
        """(count, ...) rows for the update from that step: a function of the two and the seed."""
        inputs = self._inputs(step, self.inputs_of(count))
        rows = torch.cat([each.of(inputs) for each in self._each], dim=1)
        if len(rows) > count:
            # Cut anywhere it would be the last positions that are missing.
            drawn = torch.Generator().manual_seed(seed_of_draw(self._seed, step, "positions"))
            rows = rows[torch.randperm(len(rows), generator=drawn)[:count].sort().values]
        return Examples(inputs=self._arranged(rows, seed_of_draw(self._seed, step, "order")))

    def inputs_of(self, count: int) -> int:
        """How many inputs so many rows are of."""
        return count if self.positions is None else -(-count // len(self.positions))

    @cached_property
    def weights(self) -> int:
        """Numbers of the networks that an input goes through, one for each source."""
        return sum(weight.numel() for each in self._each for weight in each.source.weights.values())

    @cached_property
    def of_task(self) -> ExampleStream:
        """The same, as a training takes it."""
        first = self._first.source
        length = first.activations(first.probe.inputs[:1], positions="all").shape[1]
        inputs_a_row = 1.0 if self.positions is None else 1 / len(self.positions)
        return ExampleStream(of_update=self.examples, work=self.weights * length * inputs_a_row)

    def known(self) -> int:
        """How many of LOOKED_AT drawn inputs are among those of the probe."""
        there = {row.tobytes() for row in self._first.source.probe.inputs.numpy()}
        return sum(row.tobytes() in there for row in self._inputs(0, LOOKED_AT).numpy())

    def _inputs(self, step: int, count: int) -> Tensor:
        drawn = self._first.source.sampled(self._seed, step, count)
        assert drawn is not None, "a family that draws inputs draws them at every step"
        return drawn
