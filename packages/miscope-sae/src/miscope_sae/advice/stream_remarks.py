"""What is known of a training on a stream before it begins: which inputs it draws, and what they take."""

from __future__ import annotations

from collections.abc import Iterator

from miscope import Remark
from miscope_sae.rows.source_stream import LOOKED_AT, SourceStream

__all__ = ["of_stream"]


def of_stream(stream: SourceStream, rows: int) -> Iterator[Remark]:
    """That inputs of the probe are drawn again, where they are, and that an update of so many rows draws them first."""
    if known := stream.known():
        told = f"{known:,} of {LOOKED_AT:,} drawn inputs are among those of the probe, on which it is measured"
        yield Remark(severity="warning", field="data", message=f"{told}: these are not new to it.")
    inputs = stream.inputs_of(rows)
    runs = f"each update runs the source, of {stream.weights:,} weights, on {inputs:,} inputs drawn anew"
    yield Remark(severity="info", field="data", message=f"{runs}: that is part of its time, and none of them is kept.")
