"""Progress measures: whether the loss needs only the key components, and whether it breaks without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.analyzers.observed.components import progress_observed
from miscope.artifact import Arrays
from miscope.basis import Basis, Block
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.answer_basis import answer_basis
from miscope.maths.evenly_spaced import evenly_spaced
from miscope.maths.restricted import accuracies, class_mean_directions, losses_without, own, restrict
from miscope.maths.restricted import losses as losses_of
from miscope.model import LOGITS
from miscope.needs import Needs
from miscope.snapshot import Snapshot, Trajectory

if TYPE_CHECKING:
    from torch import Tensor

_KEYS = "keys.votes"
_SOURCE = "Nanda et al. 2023, section 5 (arXiv 2301.05217)"


class LossOptions(Options):
    """Which components count as key, and as causal."""

    keys: tuple[str, ...] | None = None
    """Labels; None: those that this very checkpoint's votes elect, so that nothing looks ahead."""
    causal: float = 10.0
    """Times the loss with nothing left out, from which a component that is left out is causal."""
    floor: float = 1e-5
    """Nats that the loss without it must reach besides: a hundred times the least loss that float32 tells from 0."""


def losses(snapshot: Snapshot[LossOptions]) -> Arrays:
    """Loss with only the key components of the answer in the logits (restricted), and without them (excluded).

    With P the projector on the key blocks' functions of the answer: restricted is the loss of P z + mean(z - P z),
    excluded of z - P z, trig of cos k(a + b - c) alone, untrig of all but that; in float64, over the outputs the
    answers' basis is about. Without a key component restricted is the loss of the mean logits. A component, key or not,
    is causal if the loss without it alone is ten times the loss, and 1e-5 nats at least, since ten times next to
    nothing is still nothing. Where the loss is low by memorising, whatever is taken away breaks it, so that causal is
    no vote for a key component. Nanda et al. 2023, section 5.
    """
    options = snapshot.options
    basis = _restricting_basis(snapshot)
    key = snapshot.artifacts[_KEYS]["key"]
    if options.keys is not None:
        key = np.isin(basis.labels, options.keys)
    labels = snapshot.probe.labels
    assert labels is not None
    logits = snapshot.activations[LOGITS][:, : basis.size].double()
    chosen = _key_blocks(basis, key)
    restricted, rest = restrict(logits, labels, basis, chosen)
    trig = own(logits, labels, basis, chosen)
    logits_by_name = {"full": logits, "restricted": restricted, "excluded": rest, "trig": trig, "untrig": logits - trig}
    outputs = {"label": np.array(basis.labels, dtype=np.str_), "key": np.asarray(key)}
    for name, changed in logits_by_name.items():
        outputs |= {f"{name}/{part}": np.array(loss) for part, loss in losses_of(changed, snapshot.probe).items()}
    right = accuracies(restricted, snapshot.probe)
    outputs |= {f"restricted_accuracy/{part}": np.array(share) for part, share in right.items()}
    part, train = "train" if "full/train" in outputs else "all", snapshot.probe.train
    seen = torch.arange(len(labels)) if train is None or part == "all" else torch.from_numpy(np.flatnonzero(train))
    each = losses_without(logits, labels, basis, seen)
    causal = each > np.maximum(options.causal * outputs[f"full/{part}"], options.floor)
    return outputs | {"excluded/each": each, "causal": causal, "causal_count": np.array(int(causal.sum()))}


def _restricting_basis(given: Snapshot | Trajectory) -> Basis:
    """The basis of the answers."""
    basis = answer_basis(given.probe, given.bases)
    if basis is None:
        reason = "the family gives no basis over its answers, so there is nothing to restrict the logits to"
        raise DoesNotApply(reason)
    return basis


def _key_blocks(basis: Basis, key: np.ndarray) -> list[Block]:
    """The components that count as key, of (K,) whether each does."""
    return [block for block, wanted in zip(basis.components, key, strict=True) if wanted]


LOSSES = Analyzer(
    name="progress.losses",
    version=4,
    grain=Grain.CHECKPOINT,
    synonyms=("progress measures", "ablated frequencies"),
    compute=losses,
    observe=progress_observed,
    needs=Needs(reads=(_KEYS,), sites=(LOGITS,), bases=("*",), grid=2, labels=True, answer_basis=True),
    options=LossOptions,
    not_invariant_to=(
        "token relabelling",
    ),  # the training set, over which each component is left out, is not relabelled
    question="Does the loss need only the key components, and does it break without them?",
    formula="restricted: NLL(P z + mean(z - P z)); excluded: NLL(z - P z); P on cos k(a + b), sin k(a + b), k key",
    source=_SOURCE,
    outputs={
        "label": "(K,) labels of the components of the answers' basis",
        "key": "(K,) whether the component counts as key here",
        "full/{train,test,all}": "() loss over the outputs the basis is about, nats",
        "restricted/{train,test,all}": "() loss of the key components and the mean logits alone",
        "restricted_accuracy/{train,test,all}": "() share of right answers of the same",
        "excluded/{train,test,all}": "() loss without the key components",
        "trig/{train,test,all}": "() loss of the key components' function of answer and output alone, the sum of "
        "f(answer) f(output) over a block's functions f: cos k(a + b - c) for a frequency",
        "untrig/{train,test,all}": "() loss without that function of the key components",
        "excluded/each": "(K,) loss on the training set (on all, where it is not known) without that component alone",
        "causal": "(K,) whether that is more than ten times the loss with nothing left out, and more than 1e-5 nats",
        "causal_count": "() causal components",
    },
)


class FinalOptions(Options):
    """At how many checkpoints the model is run again."""

    most: Count = 24
    """Checkpoints, spread evenly over those there are, the first and the last among them."""


def final(trajectory: Trajectory[FinalOptions]) -> Arrays:
    """Restricted and excluded loss with the key components of the last checkpoint, and with all that were key so far.

    The final set looks ahead: it says how early what the model ends with was there. The running union does not, and
    never loses a component that dropped out of the vote for a while. The model is run again at some checkpoints.
    Without a key component restricted is the loss of the mean logits. Nanda et al. 2023, section 5, use the final set.
    """
    options = trajectory.options
    basis = _restricting_basis(trajectory)
    key = trajectory.artifacts[_KEYS]["key"]
    count = len(trajectory.steps)
    rows = evenly_spaced(count, options.most, nearest=True)
    weights = {role: load()[rows.tolist()] for role, load in trajectory.weights.items()}
    sets = {"final": np.broadcast_to(key[-1], key.shape), "union": np.logical_or.accumulate(key, axis=0)}
    curves: dict[str, list[float]] = {}
    for place, row in enumerate(rows):
        logits = _logits(trajectory, {role: stack[place] for role, stack in weights.items()}, basis)
        measured = losses_of(logits, trajectory.probe)
        for name, chosen in sets.items():
            measured |= _both(logits, trajectory, basis, name, chosen[row])
        for name, value in measured.items():
            curves.setdefault(name if "/" in name else f"full/{name}", []).append(value)
    arrays = {name: np.array(values) for name, values in curves.items()}
    return arrays | {"at": trajectory.steps[rows], "label": np.array(basis.labels, dtype=np.str_), "key": key[-1]}


def _both(logits: Tensor, trajectory: Trajectory, basis: Basis, name: str, key: np.ndarray) -> dict[str, float]:
    assert trajectory.probe.labels is not None
    kept, rest = restrict(logits, trajectory.probe.labels, basis, _key_blocks(basis, key))
    measured = {f"{name}/restricted/{part}": loss for part, loss in losses_of(kept, trajectory.probe).items()}
    return measured | {f"{name}/excluded/{part}": loss for part, loss in losses_of(rest, trajectory.probe).items()}


def _logits(trajectory: Trajectory, weights: dict[str, Tensor], basis: Basis) -> Tensor:
    assert trajectory.model is not None
    exact = {role: tensor.double() for role, tensor in weights.items()}
    with torch.no_grad():
        return trajectory.model.answers(exact, trajectory.probe.inputs, [LOGITS])[LOGITS][:, : basis.size].double()


FINAL = Analyzer(
    name="progress.final",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=final,
    needs=Needs(reads=(_KEYS,), weights=("*",), bases=("*",), grid=2, labels=True, answer_basis=True, model=True),
    options=FinalOptions,
    question="How early was the circuit there that the model ends with?",
    formula="restricted and excluded loss as in progress.losses, P on the last checkpoint's key components",
    source=_SOURCE,
    outputs={
        "at": "(t,) steps at which the model was run again",
        "label": "(K,) labels of the components of the answers' basis",
        "key": "(K,) whether the component is key at the last checkpoint",
        "full/{train,test,all}": "(t,) loss over the outputs the basis is about, nats",
        "{final,union}/{restricted,excluded}/{train,test,all}": "(t,) loss with or without the last checkpoint's key "
        "components (final), or those that were key at this checkpoint or before (union)",
    },
)


class SubspaceOptions(Options):
    """How many directions are kept."""

    ranks: tuple[Count, ...] = (2, 5, 10, 20)
    """Directions kept, each number for itself."""
    most: float = 0.99
    """Share of the variance between class means that makes their dimension."""


def subspace(snapshot: Snapshot[SubspaceOptions]) -> Arrays:
    """Loss when logits are restricted to the principal directions of their class means, so many at a time.

    The universal restricted loss: directions in the space of outputs, by the variance between classes of the right
    answer; what lies outside is replaced by its mean. A model whose answers live in few directions needs no more. In
    float64. A rank beyond the number of outputs is the loss itself.
    """
    options, labels = snapshot.options, snapshot.probe.labels
    assert labels is not None
    logits = snapshot.activations[LOGITS].double()
    mean = logits.mean(dim=0)
    directions, variance = class_mean_directions(logits, labels)
    share = variance.numpy() / max(float(variance.sum()), np.finfo(np.float64).tiny)
    scores = (logits - mean) @ directions
    by_rank: dict[str, list[float]] = {}
    for rank in options.ranks:
        kept = mean + scores[:, :rank] @ directions[:, :rank].T if rank < logits.shape[1] else logits
        for part, loss in losses_of(kept, snapshot.probe).items():
            by_rank.setdefault(f"restricted/{part}", []).append(loss)
    arrays = {name: np.array(values) for name, values in by_rank.items()}
    whole = {f"full/{part}": np.array(loss) for part, loss in losses_of(logits, snapshot.probe).items()}
    needed = int((np.cumsum(share) < options.most).sum()) + 1 if share.sum() > 0 else 0
    kept_share = np.array([share[:rank].sum() for rank in options.ranks])
    return {"rank": np.array(options.ranks), "share": kept_share, "dimension": np.array(needed)} | arrays | whole


SUBSPACE = Analyzer(
    name="progress.subspace",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=subspace,
    needs=Needs(sites=(LOGITS,), labels=True),
    options=SubspaceOptions,
    question="In how few directions of output space does the model's answer live?",
    formula="NLL(m + (z - m) V_r V_r'), V_r the top principal directions of the class means of z",
    source="The restricted loss of Nanda et al. 2023, section 5, with class means in place of known functions",
    outputs={
        "rank": "(R,) numbers of directions kept",
        "share": "(R,) share of the variance between class means in those directions",
        "dimension": "() directions that hold 99 % of it",
        "restricted/{train,test,all}": "(R,) loss of the logits in those directions alone, nats",
        "full/{train,test,all}": "() loss of the logits as they are",
    },
)
