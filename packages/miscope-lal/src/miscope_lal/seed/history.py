"""The table that the seed keeps of a run: a row for each logged epoch, always the same columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from miscope.exporting.history import history
from miscope_lal.log_line import ENTROPY, output_norm
from miscope_lal.seed.wall_time import wall_seconds

if TYPE_CHECKING:
    import pyarrow

    from miscope.model import Role
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["COLUMNS", "history_table", "weight_layers", "write_history"]

COLUMNS: Mapping[str, str] = {
    "train_loss": "train_loss",
    "train_acc": "train_accuracy",
    "test_loss": "test_loss",
    "test_acc": "test_accuracy",
    "routing_entropy": ENTROPY,
    "spectral_smoothness": "smoothness.spectrum/value",
    "spectral_smoothness_ac": "smoothness.spectrum/without_constant",
    "total_weight_norm": "parameters.layers/total/norm",
    "decayed_weight_norm": "parameters.layers/decayed/norm",
    "jacobian_norm": "sensitivity.jacobian/input/squared_norm",
    "hessian_trace": "sensitivity.input_hessian/input/trace",
    "gradient_norm": "curvature.gradient/norm",
    "weight_hessian_trace": "curvature.trace/trace",
    "fisher_trace": "curvature.fisher/empirical",
    "fisher_trace_mc": "curvature.fisher/true",
    "effective_lr_mean": "optimizer.moments/total/sqrt_v_mean",
    "effective_lr_max": "optimizer.moments/total/sqrt_v_max",
    "adam_ratio_mean": "optimizer.moments/total/ratio_mean",
    "adam_ratio_max": "optimizer.moments/total/ratio_max",
    "update_decay_ratio": "optimizer.moments/total/update_over_decay",
    "lr": "learning_rate",
}
"""What each column is, by the name that the number is recorded under."""


def history_table(workspace: Workspace, variant: Variant) -> pyarrow.Table:
    """'epoch' int64, then float64: COLUMNS, 'wall_s' and 'representation_norm', which every table has; then
    'head_K_utilization' where it routes, and 'layer_I_weight_norm' by weight.

    'wall_s' is how many seconds all runs of the training together had taken, as `wall_time.seconds_at` says. A row for
    each epoch that was evaluated; null where a number was not computed. Which weight is number I is in the
    schema's metadata, 'layers'. Raises BadValue where nothing was recorded.
    """
    import json

    import pyarrow as pa

    found = history(workspace, variant)
    there = found["train_loss"].is_valid() if "train_loss" in found.column_names else None
    found = found if there is None else found.filter(there)

    def column(name: str) -> np.ndarray:
        """NaN where there is no number."""
        if name not in found.column_names:
            return np.full(found.num_rows, np.nan)
        return np.asarray(found[name].to_numpy(zero_copy_only=False), dtype=np.float64)

    layers = list(weight_layers(workspace.context(variant).model.roles))
    columns = {name: column(ours) for name, ours in COLUMNS.items()}
    columns["wall_s"] = wall_seconds(workspace, variant, found["step"].to_numpy())
    columns["representation_norm"] = column(output_norm(found.column_names))
    columns |= {f"head_{head}_utilization": column(f"routing.statistics/use/{head}") for head in _heads(variant)}
    for number, (_, roles) in enumerate(layers):
        squares = np.sum([column(f"parameters.norms/{role}/squares") for role in roles], axis=0)
        columns[f"layer_{number}_weight_norm"] = np.sqrt(squares)
    facts = {"layers": json.dumps([name for name, _ in layers]), "variant": variant.name}
    # What is no number was not computed, or not defined there; a table of the seed says null.
    told = {name: pa.array(values, mask=np.isnan(values)) for name, values in columns.items()}
    return pa.table({"epoch": found["step"], **told}).replace_schema_metadata(facts)


def write_history(workspace: Workspace, variant: Variant, path: Path) -> Path:
    """The same as a Parquet file, whole or not at all."""
    import pyarrow.parquet as pq

    from miscope.store.atomic import write_whole

    table = history_table(workspace, variant)
    return write_whole(path, lambda file: pq.write_table(table, file))


def weight_layers(roles: Mapping[str, Role]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each weight with two axes or more, in the network's order; of two operands both together are one layer's."""
    operands: list[str] = []
    for name, role in roles.items():
        if len(role.shape) < 2:
            continue
        if name in ("W_E.a", "W_E.b"):
            operands.append(name)
            if len(operands) == 2:
                yield "W_E", tuple(operands)
            continue
        yield name, (name,)


def _heads(variant: Variant) -> range:
    """Numbers of the routed heads; none of a network that does not route."""
    routes = "routed" in variant.family
    count = getattr(variant.params, "n_ffn_heads", None) or getattr(variant.params, "n_heads", 0)
    return range(count if routes else 0)
