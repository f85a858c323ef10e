"""Checkpoints made elsewhere become variants like any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from pydantic import ValidationError

from miscope.bound import BoundVariant
from miscope.checkpoint import Checkpoint
from miscope.errors import BadFile, MiscopeError
from miscope.family import Family, make_variant
from miscope.foreign.misfit import refused_by_all, unrecognised
from miscope.foreign.roles import by_role
from miscope.foreign_file import ForeignFile, read_foreign
from miscope.training_config import TrainingConfig
from miscope.validation import checked_variant, split_fields
from miscope.variant import Variant

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.store import Store
    from miscope.workspace import Workspace

__all__ = ["adopt"]

_TRAINING = {
    "lr": "learning_rate",
    "learning_rate": "learning_rate",
    "betas": "betas",
    "eps": "eps",
    "momentum": "momentum",
    "weight_decay": "weight_decay",
    "frac_train": "train_fraction",
    "train_fraction": "train_fraction",
    "training_fraction": "train_fraction",
    "batch_size": "batch_size",
}
"""Words that configurations and optimizers use, and the training field each means."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Adopted:
    """One file, the variant it belongs to, and its weights by role."""

    file: ForeignFile
    variant: Variant
    weights: tuple[tuple[int, dict[str, Tensor]], ...]


def adopt(
    workspace: Workspace,
    paths: str | Path | Iterable[str | Path],
    *,
    family: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> list[BoundVariant]:
    """Adopt checkpoint files, or folders of them (docs/importing.md). Returns the variants they became.

    family: None for the one installed family that recognises the tensors. params: its parameters and training fields;
    what they leave open is taken from the file: the optimizer's own groups before the configuration, which can lie.
    The files' losses become metrics; their SHA-256, configuration and optimizer become facts of the variant. Files of
    one variant become its steps. Raises BadFile or BadValue before anything is written.
    """
    files = read_foreign(paths)
    families = [workspace.plugins.family(family)] if family else list(workspace.plugins.families.values())
    adopted = [_recognised(file, families, params or {}) for file in files]
    variants = {one.variant.name: one.variant for one in adopted}
    for name, variant in variants.items():
        mine = [one for one in adopted if one.variant.name == name]
        _save(workspace, _with_length(variant, mine), mine)
    return [workspace.find(name) for name in variants]


def _recognised(file: ForeignFile, families: Sequence[Family], fields: Mapping[str, Any]) -> _Adopted:
    """The file as of the one family that takes its tensors."""
    fitting, tried, refusals = [], [], []
    for family in families:
        try:
            variant = _variant(family, file, fields)
        except MiscopeError as error:
            refusals.append(error)
            continue
        tried.append((family, variant.params))
        found = [by_role(file.path, family, state, variant.params) for _, state in file.states]
        weights = tuple((step, one[0]) for (step, _), one in zip(file.states, found, strict=True) if one is not None)
        if len(weights) == len(found):
            fitting.append(_Adopted(file=file, variant=variant, weights=weights))
    if len(fitting) == 1:
        return fitting[0]
    if not tried:
        raise refused_by_all(families, refusals)
    if fitting:
        names = ", ".join(one.variant.family for one in fitting)
        raise BadFile(
            file.path, f"It fits {len(fitting)} families: {names}.", "Name one:  --family " + names.split(",")[0]
        )
    raise unrecognised(file.path, file.states[0][1], tried)


def _variant(family: Family, file: ForeignFile, fields: Mapping[str, Any]) -> Variant:
    given, given_training = split_fields(family, fields)
    params = {**_said_of_params(family, file.config), **given}
    training = {**_said_of_training(file), **given_training}
    try:
        trained = make_variant(family, params).training is not None
    except ValidationError:
        trained = True  # checked_variant says what is wrong
    return checked_variant(family, params, training if trained else None)


def _said_of_params(family: Family, config: Mapping[str, object]) -> dict[str, object]:
    """Values the configuration gives under a parameter's name or its abbreviation in the slug."""
    found = {}
    for name, info in family.params.model_fields.items():
        extra = info.json_schema_extra
        short = extra.get("slug") if isinstance(extra, dict) else None
        for word in (name, short):
            if isinstance(word, str) and word in config:
                found[name] = config[word]
                break
    return found


def _said_of_training(file: ForeignFile) -> dict[str, Any]:
    said = {**file.config, **{word: value for word, value in file.optimizer.items() if word != "lr"}}
    found = {_TRAINING[word]: value for word, value in said.items() if word in _TRAINING and value is not None}
    if file.learning_rate is not None:
        found["learning_rate"] = file.learning_rate
    losses = np.array([value for _, value in file.metrics.get("train_loss", ())][:1000])
    if len(losses) and np.array_equal(losses, losses.astype(np.float32)):
        found["loss_dtype"] = "float32"
    return found


def _with_length(variant: Variant, adopted: Sequence[_Adopted]) -> Variant:
    """The variant with the number of steps it was really trained for."""
    if variant.training is None:
        return variant
    last = max(step for one in adopted for step, _ in one.weights)
    training = TrainingConfig.model_validate({**variant.training.model_dump(), "steps": last})
    return replace(variant, training=training)


def _save(workspace: Workspace, variant: Variant, adopted: Sequence[_Adopted]) -> None:
    store = workspace.store
    said = {one.file.path.name: _facts(one.file) for one in adopted}
    with store.writing(variant.name):
        before = store.variant_record(variant.name).facts if variant.name in store.variants() else {}
        known: Any = before.get("imported", {})
        store.save_variant(variant, imported={**known, **said})
        with workspace.ledger.run("import", variant.name, files=[str(one.file.path) for one in adopted]) as log:
            for one in adopted:
                _add_metrics(store, variant.name, one.file)
                for step, weights in one.weights:
                    checkpoint = Checkpoint(step=step, weights=weights, metrics=_metrics_at(step, one.file))
                    store.save_checkpoint(variant.name, checkpoint)
                    log.write("checkpoint", step=step, file=one.file.path.name)


def _metrics_at(step: int, file: ForeignFile) -> dict[str, float]:
    return {name: value for name, series in file.metrics.items() for at, value in series if at == step}


def _add_metrics(store: Store, variant: str, file: ForeignFile) -> None:
    """Add what is not there yet: adopting a file twice leaves one row for each step."""
    there = store.metrics(variant)
    known = {name: set(series.steps.tolist()) for name, series in there.items()}
    rows = [
        (step, name, value)
        for name, series in file.metrics.items()
        for step, value in series
        if step not in known.get(name, ())
    ]
    store.append_metrics(variant, rows)


def _facts(file: ForeignFile) -> dict[str, object]:
    return {
        "sha256": file.sha256,
        "steps": [step for step, _ in file.states],
        "steps_from": file.steps_from,
        "notes": list(file.notes),
        "config": dict(file.config),
        "optimizer": dict(file.optimizer),
    }
