"""The seed's record of a training by hand: a row for each logged epoch, the columns those of history.parquet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    import pyarrow

__all__ = ["MetricsHistory", "TrainingMetrics"]


@final
@dataclass(frozen=True, kw_only=True)
class TrainingMetrics:
    """What was measured at one epoch; None for what was not. Fractions, nats, and the units of `history_table`."""

    epoch: int
    train_loss: float | None = None
    train_acc: float | None = None
    test_loss: float | None = None
    test_acc: float | None = None
    routing_entropy: float | None = None
    spectral_smoothness: float | None = None
    spectral_smoothness_ac: float | None = None
    total_weight_norm: float | None = None
    decayed_weight_norm: float | None = None
    jacobian_norm: float | None = None
    hessian_trace: float | None = None
    gradient_norm: float | None = None
    weight_hessian_trace: float | None = None
    fisher_trace: float | None = None
    fisher_trace_mc: float | None = None
    effective_lr_mean: float | None = None
    effective_lr_max: float | None = None
    adam_ratio_mean: float | None = None
    adam_ratio_max: float | None = None
    update_decay_ratio: float | None = None
    lr: float | None = None
    wall_s: float | None = None
    representation_norm: float | None = None
    others: Mapping[str, float | None] = field(default_factory=dict)
    """'head_K_utilization', 'layer_I_weight_norm' and what else one wants to keep."""

    def to_dict(self) -> dict[str, float | None]:
        """Every column by name, those of `others` last."""
        own = asdict(self)
        return {name: value for name, value in own.items() if name != "others"} | dict(self.others)

    @classmethod
    def of_row(cls, row: Mapping[str, float | None]) -> TrainingMetrics:
        """A row of a table."""
        known = {each.name for each in fields(cls)} - {"epoch", "others"}
        epoch = row.get("epoch", row.get("step"))
        assert epoch is not None, "every row has its epoch"
        others = {name: value for name, value in row.items() if name not in known | {"epoch", "step"}}
        return cls(epoch=int(epoch), others=others, **{name: row.get(name) for name in known})


@final
class MetricsHistory:
    """Rows in the order in which they were logged; a sequence of TrainingMetrics."""

    def __init__(self) -> None:
        self._rows: list[TrainingMetrics] = []

    @classmethod
    def of_table(cls, table: pyarrow.Table) -> MetricsHistory:
        """What `load_experiment` gave, or a history.parquet holds."""
        made = cls()
        for row in table.to_pylist():
            made.log(TrainingMetrics.of_row(row))
        return made

    def log(self, metrics: TrainingMetrics) -> None:
        """Append a row."""
        self._rows.append(metrics)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> TrainingMetrics:
        return self._rows[index]

    def __iter__(self) -> Iterator[TrainingMetrics]:
        return iter(self._rows)

    def get_dataframe(self) -> pyarrow.Table:
        """'epoch' int64 and float64 columns, null where nothing was measured; `.to_pandas()` makes a data frame."""
        import pyarrow as pa

        rows = [row.to_dict() for row in self._rows] or [TrainingMetrics(epoch=0).to_dict()]
        names = list(dict.fromkeys(name for row in rows for name in row if name != "epoch"))
        columns = {"epoch": pa.array([int(row["epoch"] or 0) for row in rows], pa.int64())}
        columns |= {name: pa.array([_told(row.get(name)) for row in rows], pa.float64()) for name in names}
        return pa.table(columns)[: len(self._rows)]

    def get_grokking_step(self, threshold: float = 0.95) -> int | None:
        """The first epoch at which the test accuracy is so large; None where it never is."""
        return self._first("test_acc", threshold)

    def get_memorization_step(self, threshold: float = 0.98) -> int | None:
        """The first epoch at which the training accuracy is so large; None where it never is."""
        return self._first("train_acc", threshold)

    def save(self, path: str | Path) -> Path:
        """As a Parquet file, whole or not at all; the path."""
        import pyarrow.parquet as pq

        from miscope.store.atomic import write_whole

        table = self.get_dataframe()
        return write_whole(Path(path), lambda file: pq.write_table(table, file))

    def _first(self, name: str, threshold: float) -> int | None:
        reached = (row.epoch for row in self._rows if (row.to_dict()[name] or 0.0) >= threshold)
        return next(reached, None)


def _told(value: float | None) -> float | None:
    """What is no number was not measured."""
    return None if value is None or math.isnan(value) else float(value)
