"""Record a training loop of one's own: what it hands over becomes a variant like any other, of one run only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from miscope.basis import Basis
from miscope.description import Description
from miscope.errors import BadValue
from miscope.modules.any_module import AnyModule
from miscope.modules.building import same_output
from miscope.modules.describing import Given, checked_build, described
from miscope.modules.description_file import read_description, write_probe
from miscope.recording.disagreement import same_numbers
from miscope.recording.recorder import Recorder, weights_of
from miscope.store.origin import Origin, Standing, may_record
from miscope.store.standing import standing_of
from miscope.validation import checked_variant
from miscope.variant import Variant

if TYPE_CHECKING:
    from torch import Tensor, nn

    from miscope.modules.naming import Names
    from miscope.probe import Probe
    from miscope.store.ledger import RunLog
    from miscope.store.store import Store
    from miscope.workspace import Workspace

__all__ = ["record"]


@contextmanager
def record(  # noqa: PLR0913 - what one knows of a model, keyword-only
    workspace: Workspace,
    name: str,
    model: nn.Module,
    *,
    probe: Probe | Tensor,
    names: Names | None = None,
    bases: Mapping[str, Basis] | None = None,
    build: str | None = None,
    options: Mapping[str, Any] | None = None,
    resume: int | None = None,
) -> Iterator[Recorder]:
    """Record a run under a name, while in the `with`: docs/record.md.

    probe: inputs that the model takes, (N, ...), with what is known of them. names: what parameters and submodules
    are called, where not as in the module. bases: by the column or axis they belong to. build: what makes the network
    in another process, 'package.module:function', called with `options`. resume: go on from that checkpoint, which the
    model must be at; what was recorded after it is dropped. Raises, before anything is written, BadValue for what does
    not fit or would mix two runs, and Busy while another process records, trains or imports the variant.
    """
    given = Given(probe=probe, names=names or {}, bases=bases or {}, build=checked_build(build, options))
    description = described(model, given)
    family = workspace.plugins.family(AnyModule.name)
    value = checked_variant(family, {"run": name, "contents": description.contents})
    _check(workspace.store, value, description)
    with workspace.store.writing(value.name):
        before = _check(workspace.store, value, description)
        weights = weights_of(model, description.network, value.name)
        at = _resumed(workspace.store, before, value, weights, resume)
        _write(workspace.store, value, description, before)
        with workspace.ledger.run("record", value.name, start=at or 0) as log:
            if resume is not None:
                _drop(workspace.store, value, resume, log)
            workspace.keep_network(value, description.module)
            steps = workspace.store.steps(value.name)
            goes_on = bool(steps) and at == steps[-1]
            recorder = Recorder(workspace.store, value, description.network, log=log, goes_on=goes_on)
            whole = False
            try:
                yield recorder
                whole = True
            finally:
                recorder.close(whole=whole)


def _check(store: Store, variant: Variant, description: Description) -> Standing | None:
    """What there is of the run; BadValue where that is not recorded, or of another network or probe."""
    standing = standing_of(store, variant.name)
    if standing is None:
        return None
    may_record(standing)
    there = store.variant_record(variant.name)
    before = read_description(store.layout.probe(variant.name), there, contents=str(there.params.get("contents")))
    differing = _difference(before, description)
    if differing:
        raise BadValue(
            f"{variant.name} was recorded with another {differing[0]}.",
            differing[1],
            "Give what it was recorded with, or record this under another name.",
        )
    return standing


def _difference(before: Description, now: Description) -> tuple[str, str] | None:
    if before.probe.digest != now.probe.digest:
        shapes = f"{tuple(before.probe.inputs.shape)}, and these {tuple(now.probe.inputs.shape)}"
        return "probe", f"Its inputs are {shapes}; whatever is known of them counts too."
    if before.network.digest != now.network.digest:
        ours, theirs = ({(w.role, w.shape) for w in each.network.weights} for each in (before, now))
        other = sorted(name for name, _ in ours ^ theirs) or sorted(
            {*before.network.sites} ^ {*now.network.sites} or {"their order"}
        )
        return "network", f"They differ in: {', '.join(list(dict.fromkeys(other))[:4])}."
    if before.contents != now.contents:
        return "basis", f"It has bases of: {', '.join(before.bases) or 'nothing'}; this has of: {', '.join(now.bases)}."
    if before.output is not None and now.output is not None and not same_output(now, before):
        return "network", "On the same weights and inputs it gives other answers."
    return None


def _resumed(
    store: Store, before: Standing | None, variant: Variant, weights: Mapping[str, Tensor], resume: int | None
) -> int | None:
    """The checkpoint that the model is at: the one to go on from, or the last; None where it is at neither."""
    steps: Sequence[int] = before.steps if before else ()
    if resume is not None and resume not in steps:
        known = f"It has {before}." if before else "Nothing was recorded under this name."
        raise BadValue(
            f"{variant.name} cannot go on from step {resume}: it has no checkpoint there.",
            known,
            f"Name one of its steps: {', '.join(map(str, steps[-6:]))}." if steps else "Leave `resume` out.",
        )
    at = resume if resume is not None else (steps[-1] if steps else None)
    if at is None:
        return None
    there = store.load_checkpoint(variant.name, at).weights
    differing = [role for role, weight in weights.items() if not same_numbers(there[role], weight)]
    if differing and resume is not None:
        raise BadValue(
            f"{variant.name} cannot go on from step {resume}: the model is not the one recorded there.",
            f"Its weights are others: {', '.join(differing[:4])}{', ...' * (len(differing) > 4)}.",
            "Load the model as it was at that step before the `with`, or record under another name.",
        )
    return None if differing else at


def _write(store: Store, variant: Variant, description: Description, before: Standing | None) -> None:
    """The record, and the probe beside it; a `build` from before stays where none is given."""
    if before is not None:
        there: Any = before.facts["network"]
        kept = {key: there[key] for key in ("build", "options") if key in there and description.network.build is None}
        store.save_variant(variant, network={**description.network.as_facts(), **kept})
        return
    write_probe(store.layout.probe(variant.name), description)
    store.save_variant(variant, origin=Origin.RECORDED.value, network=description.network.as_facts())


def _drop(store: Store, variant: Variant, resume: int, log: RunLog) -> None:
    """Take away what was recorded after a step, the last first, so that a kill leaves the beginning of one run."""
    later = [step for step in store.steps(variant.name) if step > resume]
    standing = standing_of(store, variant.name)
    if standing is None or not (later or (standing.recorded or 0) > resume):
        return
    before: Any = standing.facts.get("resumed", [])
    # First: whatever was computed of the steps to come is then of another recipe.
    store.save_variant(variant, resumed=[*before, resume])
    for step in reversed(later):
        for path in (store.layout.checkpoint, store.layout.unfinite, store.layout.training_state):
            path(variant.name, step).unlink(missing_ok=True)
    store.truncate_metrics(variant.name, resume)
    reason = f"Recorded anew from step {resume}; {len(later)} later checkpoints dropped."
    log.write("decision", step=resume, reason=reason)
