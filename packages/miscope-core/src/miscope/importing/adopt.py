"""Checkpoints made elsewhere become variants like any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.checkpoint import Checkpoint
from miscope.errors import BadValue
from miscope.family import Family
from miscope.importing.bundle import bundles, take_in
from miscope.importing.configuration import words_of_family
from miscope.importing.foreign.curves import read_curves
from miscope.importing.foreign_file import ForeignFile, read_foreign
from miscope.importing.recognising import Adopted, ImportChoices, recognised, recognised_curve
from miscope.modules.description_file import write_probe
from miscope.recording.disagreement import Account, check_agreement
from miscope.store.origin import Origin, Standing, imported_files, may_import
from miscope.store.standing import standing_of
from miscope.validation import trained_to
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.store.store import Store
    from miscope.workspace import Workspace

__all__ = ["adopt", "of_curves", "write_adopted"]


def adopt(  # noqa: PLR0913 - what one wishes, keyword-only
    workspace: Workspace,
    paths: str | Path | Iterable[str | Path] = (),
    *,
    metrics: str | Path | Iterable[str | Path] = (),
    family: str | None = None,
    params: Mapping[str, Any] | None = None,
    name: str | None = None,
    ignore: Sequence[str] = (),
) -> list[Variant]:
    """Adopt checkpoint files, or folders of them (docs/importing.md), or bundles. Returns the variants they became.

    metrics: files of losses without weights; alone they make variants with metrics only, one for each run in them.
    family: None for the one installed family that recognises the tensors. params: its parameters and training fields;
    what they leave open is taken from the file: the optimizer's own groups before the configuration, which can lie.
    The files' losses become metrics; their SHA-256, configuration and optimizer become facts of the variant. Files of
    one variant become its steps. name: makes the variants ones of their own, 'family/slug@name'. ignore: patterns of
    tensors to leave out and of words of the configuration to leave out of account. What neither `params` nor the files
    say is taken at the family's default, and is the variant's fact 'assumed'. Raises BadFile or BadValue before
    anything is written; nothing that is there is ever replaced.
    """
    if archives := bundles(paths, metrics, family, params, name, ignore):
        return [variant for archive in archives for variant in take_in(workspace, archive)]
    curves = [Path(metrics)] if isinstance(metrics, str | Path) else [Path(path) for path in metrics]
    files = read_foreign(paths) if not curves or paths else []
    table = workspace.plugins.families.values()
    families = [workspace.plugins.family(family)] if family else [each for each in table if not each.described]
    choices = ImportChoices(fields=params or {}, ignore=tuple(ignore))
    adopted = [recognised(file, families, choices) for file in files]
    adopted += [one for path in curves for one in of_curves(path, families, choices)]
    if name is not None:
        adopted = [replace(one, variant=one.variant.labelled(name)) for one in adopted]
    return write_adopted(workspace, adopted, choices)


def write_adopted(workspace: Workspace, adopted: Sequence[Adopted], choices: ImportChoices) -> list[Variant]:
    """Write what was recognised, once all of it fits together and what is there; the variants it became."""
    adopted = [replace(one, variant=workspace.store.placed(one.variant)) for one in adopted]
    by_name: dict[str, list[Adopted]] = {}
    for one in adopted:
        by_name.setdefault(one.variant.name, []).append(one)
    for mine in by_name.values():
        _check(workspace.store, mine, choices)
    for mine in by_name.values():
        _save(workspace, mine, choices)
    return [workspace.find(variant) for variant in by_name]


def of_curves(path: Path, families: Sequence[Family], choices: ImportChoices) -> list[Adopted]:
    """The losses in a file, each as of the variant of that family; BadValue where several are given."""
    if len(families) != 1:
        raise BadValue(
            f"{path} holds losses, which do not say of which family they are.",
            f"There are: {', '.join(family.name for family in families) or 'none'}.",
            "Name it:  --family NAME",
        )
    curves = read_curves(path.expanduser(), words_of_family(families[0]))
    return [recognised_curve(curve, families[0], choices) for curve in curves]


def _with_length(store: Store, adopted: Sequence[Adopted]) -> Variant:
    """The variant with the number of steps it was really trained for; BadValue where no training of it is so long."""
    variant = adopted[0].variant
    standing = standing_of(store, variant.name)
    there, recorded = (set(standing.steps), standing.recorded) if standing else (set(), 0)
    held = there | {step for one in adopted for step, _ in one.weights}
    reached = held or {step for step, _, _ in _new_rows(store, variant.name, adopted)} | {recorded}
    return trained_to(variant, max(step or 0 for step in reached))


def _check(store: Store, adopted: Sequence[Adopted], choices: ImportChoices) -> None:
    """BadValue where the variant was trained here, or where what is there and the files are not of one training."""
    variant = adopted[0].variant
    store.refuse_another(variant)
    standing = standing_of(store, variant.name)
    accounts = [_account(one) for one in adopted]
    if standing is not None:
        may_import(standing, [account.source for account in accounts])
        _refuse_late_losses(store, standing, adopted)
        accounts = [*_stored(store, standing), *accounts]
    check_agreement(variant.name, accounts, ignore=[*choices.ignore, *adopted[0].overruled], apart=choices.apart)
    _with_length(store, adopted)


def _refuse_late_losses(store: Store, standing: Standing, adopted: Sequence[Adopted]) -> None:
    """What spans a training is kept by its checkpoints: losses that come later would not be seen in it."""
    if not standing.steps or any(one.weights for one in adopted) or not any(_new_rows(store, standing.name, adopted)):
        return
    raise BadValue(
        f"{standing.name} has {standing}, and losses are added to checkpoints only together with them.",
        "What was computed over its training would not know of them.",
        "Import the checkpoint files and the losses in one call, under a name of their own (--as NAME).",
    )


def _account(one: Adopted) -> Account:
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
    name, by_file = standing.name, imported_files(standing.facts)
    series = store.metrics(name)
    return [
        *(Account(source=file, config=about.get("config", {})) for file, about in by_file.items()),
        Account(
            source=name,
            losses={key: list(zip(s.steps.tolist(), s.values.tolist(), strict=True)) for key, s in series.items()},
            steps=standing.steps,
            weights=lambda step: store.load_checkpoint(name, step).weights,
        ),
    ]


def _save(workspace: Workspace, adopted: Sequence[Adopted], choices: ImportChoices) -> None:
    store, variant = workspace.store, adopted[0].variant
    with store.writing(variant.name):
        _check(store, adopted, choices)
        standing = standing_of(store, variant.name)
        there, known = (set(standing.steps), imported_files(standing.facts)) if standing else (set(), {})
        held = there | {step for one in adopted for step, _ in one.weights}
        origin = Origin.IMPORTED if held else Origin.METRICS
        rows = _new_rows(store, variant.name, adopted)
        facts: dict[str, object] = {"origin": origin.value, "assumed": _assumed(adopted, standing)}
        by_file = {**known, **_facts_by_file(adopted, known)}
        if choices.description is not None:
            write_probe(store.layout.probe(variant.name), choices.description)
            facts["network"] = choices.description.network.as_facts()
        store.save_variant(_with_length(store, adopted), **facts, imported=by_file)
        with workspace.ledger.run("import", variant.name, files=[str(one.file.path) for one in adopted]) as log:
            store.append_metrics(variant.name, rows)
            for one in adopted:
                for step, weights in one.weights:
                    if step in there:
                        continue
                    there.add(step)
                    checkpoint = Checkpoint(step=step, weights=weights, metrics=_metrics_at(step, one.file))
                    store.save_checkpoint(variant.name, checkpoint)
                    log.write("checkpoint", step=step, file=one.file.path.name)


def _assumed(adopted: Sequence[Adopted], standing: Standing | None) -> dict[str, object]:
    """Fields at their default that no file says, neither now nor before."""
    before: Any = standing.facts.get("assumed") if standing else None
    accounts = [*(one.assumed for one in adopted), *([before] if isinstance(before, Mapping) else [])]
    return {name: value for name, value in accounts[0].items() if all(name in account for account in accounts)}


def _facts_by_file(adopted: Sequence[Adopted], known: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """What is remembered of each file, under its name; with its folder's where another file has that name."""
    digests = {name: about.get("sha256") for name, about in known.items()}
    facts: dict[str, object] = {}
    for one in adopted:
        path, digest = one.file.path, one.file.sha256
        names = (path.name, f"{path.parent.name}/{path.name}", f"{path.name} {digest[:12]}")
        name = next(name for name in names if digests.setdefault(name, digest) == digest)
        facts[name] = _facts(one)
    return facts


def _metrics_at(step: int, file: ForeignFile) -> dict[str, float]:
    return {name: value for name, series in file.metrics.items() for at, value in series if at == step}


def _new_rows(store: Store, variant: str, adopted: Sequence[Adopted]) -> list[tuple[int, str, float]]:
    """What is not there yet: adopting a file twice leaves one row for each step."""
    seen = {name: set(series.steps.tolist()) for name, series in store.metrics(variant).items()}
    rows = []
    for one in adopted:
        for name, series in one.file.metrics.items():
            known = seen.setdefault(name, set())
            rows += [(step, name, value) for step, value in series if step not in known]
            known.update(step for step, _ in series)
    return rows


def _facts(one: Adopted) -> dict[str, object]:
    return {
        "sha256": one.file.sha256,
        "steps": [step for step, _ in one.file.states],
        "steps_from": one.file.steps_from,
        "notes": [*one.file.notes, *one.notes],
        "config": dict(one.file.config),
        "optimizer": dict(one.file.optimizer),
    }
