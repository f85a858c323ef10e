"""Checkpoints made elsewhere become variants like any other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from pydantic import ValidationError

from miscope.bound import BoundVariant
from miscope.checkpoint import Checkpoint
from miscope.disagreement import Account, check_agreement
from miscope.errors import BadFile, MiscopeError
from miscope.family import Family, make_variant
from miscope.foreign.misfit import refused_by_all, unrecognised
from miscope.foreign.roles import by_role
from miscope.foreign_file import ForeignFile, read_foreign
from miscope.origin import Origin, Standing, imported_files, may_import, standing_of
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


def adopt(  # noqa: PLR0913 - what one wishes, keyword-only
    workspace: Workspace,
    paths: str | Path | Iterable[str | Path],
    *,
    family: str | None = None,
    params: Mapping[str, Any] | None = None,
    name: str | None = None,
    ignore: Sequence[str] = (),
) -> list[BoundVariant]:
    """Adopt checkpoint files, or folders of them (docs/importing.md). Returns the variants they became.

    family: None for the one installed family that recognises the tensors. params: its parameters and training fields;
    what they leave open is taken from the file: the optimizer's own groups before the configuration, which can lie.
    The files' losses become metrics; their SHA-256, configuration and optimizer become facts of the variant. Files of
    one variant become its steps. name: makes the variants ones of their own, 'family/slug@name'. ignore: patterns of
    words of the configuration in which files of one variant may differ. Raises BadFile or BadValue before anything is
    written; nothing that is there is ever replaced.
    """
    files = read_foreign(paths)
    families = [workspace.plugins.family(family)] if family else list(workspace.plugins.families.values())
    adopted = [_recognised(file, families, params or {}) for file in files]
    if name is not None:
        adopted = [replace(one, variant=one.variant.labelled(name)) for one in adopted]
    adopted = [replace(one, variant=workspace.store.placed(one.variant)) for one in adopted]
    by_name: dict[str, list[_Adopted]] = {}
    for one in adopted:
        by_name.setdefault(one.variant.name, []).append(one)
    for mine in by_name.values():
        _check(workspace.store, mine[0].variant, mine, ignore)
    for mine in by_name.values():
        _save(workspace, mine[0].variant, mine, ignore)
    return [workspace.find(variant) for variant in by_name]


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


def _with_length(variant: Variant, steps: Collection[int]) -> Variant:
    """The variant with the number of steps it was really trained for."""
    if variant.training is None or not steps:
        return variant
    return replace(variant, training=variant.training.model_copy(update={"steps": max(steps)}))


def _check(store: Store, variant: Variant, adopted: Sequence[_Adopted], ignore: Sequence[str]) -> None:
    """BadValue where the variant was trained here, or where what is there and the files are not of one training."""
    store.refuse_another(variant)
    standing = standing_of(store, variant.name)
    accounts = [_account(one) for one in adopted]
    if standing is not None:
        may_import(standing, [account.source for account in accounts])
        accounts = [*_stored(store, standing), *accounts]
    check_agreement(variant.name, accounts, ignore=ignore)


def _account(one: _Adopted) -> Account:
    weights = dict(one.weights)
    return Account(
        source=one.file.path.name,
        config=one.file.config,
        losses=one.file.metrics,
        steps=[step for step, _ in one.weights],
        weights=weights.__getitem__,
    )


def _stored(store: Store, standing: Standing) -> list[Account]:
    """What is there: each file's configuration, and all that came of them together."""
    name, said = standing.name, imported_files(standing.facts)
    series = store.metrics(name)
    return [
        *(Account(source=file, config=about.get("config", {})) for file, about in said.items()),
        Account(
            source=name,
            losses={key: list(zip(s.steps.tolist(), s.values.tolist(), strict=True)) for key, s in series.items()},
            steps=standing.steps,
            weights=lambda step: store.load_checkpoint(name, step).weights,
        ),
    ]


def _save(workspace: Workspace, variant: Variant, adopted: Sequence[_Adopted], ignore: Sequence[str]) -> None:
    store = workspace.store
    with store.writing(variant.name):
        _check(store, variant, adopted, ignore)
        standing = standing_of(store, variant.name)
        there, known = (set(standing.steps), imported_files(standing.facts)) if standing else (set(), {})
        held = there | {step for one in adopted for step, _ in one.weights}
        origin = Origin.IMPORTED if held else Origin.METRICS
        said = {**known, **_facts_by_file(adopted, known)}
        store.save_variant(_with_length(variant, held), origin=origin.value, imported=said)
        with workspace.ledger.run("import", variant.name, files=[str(one.file.path) for one in adopted]) as log:
            for one in adopted:
                _add_metrics(store, variant.name, one.file)
                for step, weights in one.weights:
                    if step in there:
                        continue
                    there.add(step)
                    checkpoint = Checkpoint(step=step, weights=weights, metrics=_metrics_at(step, one.file))
                    store.save_checkpoint(variant.name, checkpoint)
                    log.write("checkpoint", step=step, file=one.file.path.name)


def _facts_by_file(adopted: Sequence[_Adopted], known: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """What is remembered of each file, under its name; with its folder's where another file has that name."""
    digests = {name: about.get("sha256") for name, about in known.items()}
    found: dict[str, object] = {}
    for one in adopted:
        path, digest = one.file.path, one.file.sha256
        names = (path.name, f"{path.parent.name}/{path.name}", f"{path.name} {digest[:12]}")
        name = next(name for name in names if digests.setdefault(name, digest) == digest)
        found[name] = _facts(one.file)
    return found


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
