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
from miscope.errors import BadFile, BadValue, MiscopeError
from miscope.family import Family, make_variant
from miscope.foreign_file import SUFFIXES, ForeignFile, read_foreign
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
    """Adopt checkpoint files, or folders of them: .safetensors, .pth, .pt. Returns the variants they became.

    family: None for the one installed family that recognises the tensors. params: its parameters and training fields;
    what they leave open is taken from the file: the optimizer's own groups before the configuration, which can lie.
    The files' losses become metrics; their SHA-256, configuration and optimizer become facts of the variant. Files of
    one variant become its steps. Raises BadFile or BadValue before anything is written.
    """
    several = [paths] if isinstance(paths, str | Path) else list(paths)
    files = [read_foreign(path) for path in _files(several)]
    families = [workspace.plugins.family(family)] if family else list(workspace.plugins.families.values())
    adopted = [_recognised(file, families, params or {}) for file in files]
    variants = {one.variant.name: one.variant for one in adopted}
    for name, variant in variants.items():
        mine = [one for one in adopted if one.variant.name == name]
        _save(workspace, _with_length(variant, mine), mine)
    return [workspace.find(name) for name in variants]


def _files(paths: Iterable[str | Path]) -> list[Path]:
    found: list[Path] = []
    for given in paths:
        path = Path(given).expanduser()
        inside = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES) if path.is_dir() else [path]
        if not inside or not path.exists():
            problem = "It is not there." if not path.exists() else f"It holds no {', '.join(SUFFIXES)} file."
            raise BadFile(path, problem, "Give checkpoint files, or a folder of them.")
        wrong = next((p for p in inside if p.suffix not in SUFFIXES), None)
        if wrong is not None:
            raise BadFile(wrong, f"Its name ends in none of {', '.join(SUFFIXES)}.", "Give checkpoint files.")
        found += inside
    if not found:
        raise BadValue(
            "There is nothing to adopt.", "No path was given.", "Give checkpoint files, or a folder of them."
        )
    return found


def _recognised(file: ForeignFile, families: Sequence[Family], fields: Mapping[str, Any]) -> _Adopted:
    """The file as of the one family that takes its tensors."""
    single = families[0] if len(families) == 1 else None
    fitting = []
    for family in families:
        try:
            variant = _variant(family, file, fields)
        except MiscopeError:
            if single is not None:
                raise
            continue
        states = [(step, family.adopt(state, variant.params)) for step, state in file.states]
        weights = tuple((step, roles) for step, roles in states if roles is not None)
        if len(weights) == len(states):
            fitting.append(_Adopted(file=file, variant=variant, weights=weights))
    if len(fitting) == 1:
        return fitting[0]
    shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in list(file.states[0][1].items())[:6])
    if fitting:
        names = ", ".join(one.variant.family for one in fitting)
        raise BadFile(
            file.path, f"It fits {len(fitting)} families: {names}.", "Name one:  --family " + names.split(",")[0]
        )
    who = f"The family {single.name!r} does not recognise" if single else "No installed family recognises"
    todo = "Give its parameters (--param prime=113), or install the family it is of."
    raise BadFile(file.path, f"{who} its tensors: {shapes}, ...", todo)


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
    said = {**file.config, **file.optimizer}
    found = {_TRAINING[word]: value for word, value in said.items() if word in _TRAINING and value is not None}
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
        "config": dict(file.config),
        "optimizer": dict(file.optimizer),
    }
