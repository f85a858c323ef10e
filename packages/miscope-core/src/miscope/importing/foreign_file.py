"""A checkpoint file made elsewhere: its states, and what it says of its training."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, final

from miscope.errors import BadFile
from miscope.importing.foreign.content import read_content
from miscope.importing.foreign.entries import recorded_by_entries
from miscope.importing.foreign.layout import Content, lay_out
from miscope.importing.foreign.losses import Recorded, placed, recorded
from miscope.importing.foreign.optimizer import notes_on_groups
from miscope.importing.foreign.paths import checkpoint_files
from miscope.importing.foreign.precision import in_single_precision
from miscope.importing.foreign.rate import learning_rate
from miscope.importing.foreign.split import train_rows
from miscope.importing.foreign.state import same_tensors
from miscope.importing.foreign.steps import Count, Evidence, settled
from miscope.importing.foreign.tensors import as_floats
from miscope.importing.foreign.words import Words, plain_values, words_in

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ForeignFile", "read_foreign"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ForeignFile:
    """What one file holds. docs/importing.md gives every layout that is read."""

    path: Path
    sha256: str
    states: tuple[tuple[int, Mapping[str, Tensor]], ...]
    """Step (updates made so far) and tensors by the file's own names, in float32 or float64; most files hold one."""
    steps_from: str
    """What says of which steps they are: "its key 'epoch'"."""
    metrics: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    """'train_loss', 'test_loss', ... as (step, value): one recorded before the i-th update is of the weights at i."""
    config: Mapping[str, object] = field(default_factory=dict)
    """Plain values of the configurations it carries, which need not be true."""
    words: Words = field(default_factory=Words)
    """What else it says, of which only a family knows what are parameters."""
    optimizer: Mapping[str, object] = field(default_factory=dict)
    """Plain values of the optimizer's first parameter group: what was really used."""
    learning_rate: float | None = None
    """What it was trained with; where the rate was scheduled, the rate the schedule started from."""
    float32_losses: bool = False
    """Whether its training losses, or those of the files beside it, were computed in float32."""
    split: tuple[tuple[int, ...], int] | None = None
    """Rows of all inputs that were trained on, and how many rows there are, where it lists them."""
    notes: tuple[str, ...] = ()
    """Sentences on what was not taken as it stands: precisions, losses without steps, a scheduled learning rate."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Undated:
    """A file's content before the steps of all files are settled."""

    path: Path
    content: Content
    words: Words
    losses: Mapping[str, Sequence[Recorded]]
    count: Count


def read_foreign(paths: str | Path | Iterable[str | Path]) -> list[ForeignFile]:
    """Read checkpoint files, or folders of them; their steps are settled together.

    Raises BadFile for one that is truncated, needs code run, holds no weights, or does not say of which step they are.
    """
    files = [_undated(path) for path in checkpoint_files(paths)]
    dated = settled([file.count for file in files])
    with_steps = [_dated(file, *when) for file, when in zip(files, dated, strict=True)]
    losses = [(file.path, (value for _, value in file.metrics.get("train_loss", ()))) for file in with_steps]
    return [
        replace(file, float32_losses=is_so) for file, is_so in zip(with_steps, in_single_precision(losses), strict=True)
    ]


def _undated(path: Path) -> _Undated:
    content = lay_out(path, read_content(path))
    words = words_in(content.header, content.entries)
    losses = recorded(path, content.header, content.listed[0] if content.listed else None)
    for metric, ones in recorded_by_entries(path, content.entries).items():
        losses[metric] = [*losses.get(metric, ()), *ones]
    count = Evidence(path=path, content=content, words=words, losses=_full(losses)).count()
    return _Undated(path=path, content=content, words=words, losses=losses, count=count)


def _full(losses: Mapping[str, Sequence[Recorded]]) -> int:
    """How many training losses are recorded, one after the other."""
    lists = (one for one in losses.get("train_loss", ()) if one.at is None and not one.single)
    return max((len(one.values) for one in lists), default=0)


def _dated(file: _Undated, steps: tuple[int, ...], source: str) -> ForeignFile:
    path, content = file.path, file.content
    floats = [as_floats(path, state) for state in (*content.states, *([content.last] if content.last else []))]
    states = {step: tensors for step, (tensors, _) in zip(steps, floats, strict=False)}
    beside = floats[-1][0] if content.last else None
    states, notes = (states, []) if beside is None else _with_last(file, states, beside)
    cast = sorted({kind for _, kinds in floats for kind in kinds})
    if cast:
        notes.append(f"Weights in {', '.join(cast)} were read as {_widest(states)}.")
    metrics, unplaced = placed(file.losses, steps)
    group = next(iter(content.optimizer.get("param_groups", [])), {})
    rate, scheduled = learning_rate(group, content.scheduler)
    return ForeignFile(
        path=path,
        sha256=_sha256(path),
        states=tuple(sorted(states.items())),
        steps_from=source,
        metrics=metrics,
        config=file.words.config,
        words=file.words,
        optimizer=plain_values(group),
        learning_rate=rate,
        split=train_rows(path, content.header),
        notes=(*content.notes, *file.words.notes, *notes, *unplaced, *scheduled, *notes_on_groups(content.optimizer)),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _widest(states: Mapping[int, Mapping[str, Tensor]]) -> str:
    kinds = {str(tensor.dtype) for state in states.values() for tensor in state.values()}
    return "float64" if "torch.float64" in kinds else "float32"


def _with_last(
    file: _Undated, states: dict[int, dict[str, Tensor]], last: dict[str, Tensor]
) -> tuple[dict[int, dict[str, Tensor]], list[str]]:
    """The listed states, and the one beside the list if it is another and its step is known."""
    if any(same_tensors(last, state) for state in states.values()):
        return states, []
    alone = Evidence(
        path=file.path, content=replace(file.content, listed=None), words=file.words, losses=_full(file.losses)
    )
    try:
        ((step, *_), _), *_ = settled([alone.count()])
    except BadFile:
        return states, ["The single state beside its list is left out: nothing says of which step it is."]
    if step in states:
        return states, [f"The single state beside its list is left out: it is of step {step} too, and another."]
    return {**states, step: last}, []
