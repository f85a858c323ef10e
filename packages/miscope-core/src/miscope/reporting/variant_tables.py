"""What a variant is and where it comes from, as tables: a column for each variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from miscope.reporting.content import Table
from miscope.settings import settings_of, settings_that_count
from miscope.snapshot import Series
from miscope.store.origin import Origin, imported_files, origin_of
from miscope.variant import Variant
from miscope.workspace import Workspace

__all__ = ["differing", "identity_of", "provenance", "settings", "summary"]

_NONE = "–"


def summary(
    workspace: Workspace, variants: Sequence[Variant], labels: Sequence[str], recorded: Sequence[Mapping[str, Series]]
) -> Table:
    """Family, origin, checkpoints, and the last number of every loss and accuracy; recorded: metrics of each."""
    rows: dict[str, list[str]] = {}
    for place, (variant, metrics) in enumerate(zip(variants, recorded, strict=True)):
        for name, text in _summed(workspace, variant, metrics).items():
            rows.setdefault(name, [_NONE] * len(variants))[place] = text
    return _table(labels, rows)


def _summed(workspace: Workspace, variant: Variant, metrics: Mapping[str, Series]) -> dict[str, str]:
    family, steps = workspace.plugins.family(variant.family), workspace.store.steps(variant.name)
    label = family.step_label
    kept = f"{len(steps)}, {label} {steps[0]:,} to {steps[-1]:,}" if steps else "none"
    rows = {"what it is": family.title, "name": variant.name, "origin": _origin(workspace, variant)}
    rows |= {"checkpoints": kept} | _trained(variant)
    plain = {name: series for name, series in metrics.items() if "/" not in name and len(series.steps)}
    if plain:
        last = max(int(series.steps[-1]) for series in plain.values())
        rows["recorded until"] = f"{label} {last:,}{_left(variant, rows['origin'], max([last, *steps[-1:]]))}"
    return rows | {f"last {_spoken(name)}": _last(series) for name, series in sorted(plain.items()) if _told(name)}


def _left(variant: Variant, origin: str, reached: int) -> str:
    """' of 300: unfinished' of a training here that has not come to its end."""
    if variant.training is None or origin != Origin.TRAINED.value or reached >= variant.training.steps:
        return ""
    return f" of {variant.training.steps:,}: unfinished"


def _trained(variant: Variant) -> dict[str, str]:
    if variant.training is None:
        return {}
    training = variant.training
    how = f"{training.optimizer}, learning rate {training.learning_rate:g}, weight decay {training.weight_decay:g}"
    return {"training": f"{how}, {training.steps:,} steps"}


def _origin(workspace: Workspace, variant: Variant) -> str:
    if not workspace.store.layout.record(variant.name).exists():
        return Origin.ELSEWHERE.value
    return origin_of(workspace.store.variant_record(variant.name).facts) or "nothing was made yet"


def _told(name: str) -> bool:
    return name.endswith(("loss", "accuracy"))


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _last(series: Series) -> str:
    return f"{float(series.values[-1]):.4g}"


def identity_of(variant: Variant) -> dict[str, object]:
    """The family, every setting, and the label where there is one."""
    label = {"label": variant.label} if variant.label else {}
    return {"family": variant.family, **settings_of(variant), **label}


def _counting(variant: Variant) -> dict[str, object]:
    """Without what means nothing to the optimizer and the schedule chosen."""
    counting = settings_that_count(variant)
    return {n: v for n, v in identity_of(variant).items() if n in counting or n in ("family", "label")}


def settings(variants: Sequence[Variant], labels: Sequence[str]) -> Table:
    """All of them that count, also those at their defaults."""
    told = [_counting(variant) for variant in variants]
    names = dict.fromkeys(name for fields in told for name in fields)
    return _table(labels, {name: [_text(fields, name) for fields in told] for name in names})


def differing(variants: Sequence[Variant], labels: Sequence[str]) -> Table:
    """Those that are not the same in all."""
    told = [_counting(variant) for variant in variants]
    rows = {n: [_text(fields, n) for fields in told] for n in dict.fromkeys(name for fields in told for name in fields)}
    rows = {name: texts for name, texts in rows.items() if len(set(texts)) > 1}
    return _table(labels, rows, note="" if rows else "Every setting is the same in all.")


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name, _NONE)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def provenance(workspace: Workspace, variants: Sequence[Variant], labels: Sequence[str]) -> Table:
    """Digest, device, library versions, imported files and what it is built on."""
    rows: dict[str, list[str]] = {}
    for place, variant in enumerate(variants):
        for name, text in _provenance(workspace, variant).items():
            rows.setdefault(name, [_NONE] * len(variants))[place] = text
    return _table(labels, rows)


def _provenance(workspace: Workspace, variant: Variant) -> dict[str, str]:
    rows = {"digest": variant.digest, "origin": _origin(workspace, variant)}
    if not workspace.store.layout.record(variant.name).exists():
        return rows
    facts = workspace.store.variant_record(variant.name).facts
    recorded = facts.get("versions")
    versions = recorded if isinstance(recorded, Mapping) else {}
    rows |= {name: str(facts[name]) for name in ("device", "threads") if name in facts}
    rows |= {
        f"{name} when made": str(text) for name, text in (versions if isinstance(versions, Mapping) else {}).items()
    }
    files = imported_files(facts)
    rows |= {f"file {name}": f"SHA-256 {about.get('sha256', 'not known')}" for name, about in files.items()}
    sources = workspace.plugins.family(variant.family).sources(variant.params)
    return rows | {f"built on {i + 1}": f"{one.variant}, step {one.step:,}" for i, one in enumerate(sources)}


def _table(labels: Sequence[str], rows: Mapping[str, Sequence[str]], note: str = "") -> Table:
    return Table(columns=("", *labels), rows=tuple((name, *texts) for name, texts in rows.items()), note=note)
