"""What heads do: their roles on repeated tokens, and how they come to differ from one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.bands import effective_number
from miscope.maths.evenly_spaced import evenly_spaced
from miscope.maths.head_distance import (
    circuit_distance,
    distinct_heads,
    mean_distance,
    output_distance,
    pattern_divergence,
)
from miscope.maths.head_roles import (
    HEAD_ROLES,
    POSITIONAL,
    SHORTEST,
    draw_blocks,
    even_scores,
    periods_for,
    role_scores,
)
from miscope.model import LOGITS, cast, matching
from miscope.needs import Needs
from miscope.snapshot import Snapshot, Trajectory

if TYPE_CHECKING:
    from torch import Tensor

PATTERN = "blocks.*.attn.hook_pattern"

_RANKED = (0, 1, 2, 3, 5)
"""Roles a head may be named after: 'induction' is part of 'prefix matching'."""


class RoleOptions(Options):
    """Which sequences, and from when a head has a role."""

    periods: tuple[Count, ...] | None = None
    """Lengths of the repeated block; None: those that fit five, three and two times into the context."""
    sequences: Count = 64
    """Sequences of each period."""
    distinct: bool = True
    """Whether no token comes twice in a block, so that what follows is never ambiguous."""
    seed: Whole = 0
    threshold: float = 0.15
    """Attention above the role's null, from which a head has it."""


def roles(snapshot: Snapshot[RoleOptions]) -> Arrays:
    """How much of each head's attention serves a known role, on blocks of random tokens that repeat.

    The score of a role is its least over several periods, since a head that always attends so far back scores at
    one period only. Its null is what a head without the role does: for one that names a place (previous, current,
    first token), attention that is even over all keys in sight; for one that names an earlier token, the head's own
    attention on random tokens that do not repeat. float64; sem over sequences.
    """
    options = snapshot.options
    context, vocabulary = _sequences_for(snapshot)
    periods = options.periods or periods_for(context, vocabulary, distinct=options.distinct)
    generator = torch.Generator().manual_seed(options.seed)
    weights, count = cast(snapshot.weights, torch.float64), options.sequences
    assert snapshot.model is not None
    sites = matching([PATTERN], sorted(snapshot.model.sites))
    seen = []
    for period in periods:
        block = draw_blocks(vocabulary, (count, period), generator, distinct=options.distinct)
        tokens = block.repeat(1, context // period)
        seen.append((tokens, snapshot.model.run(weights, tokens, [*sites, LOGITS])))
    plain = draw_blocks(vocabulary, (count, context), generator, distinct=options.distinct and vocabulary >= context)
    null = snapshot.model.run(weights, plain, sites)
    outputs = _in_context(periods, [(tokens, ran[LOGITS]) for tokens, ran in seen])
    for site in sites:
        each = [role_scores(ran[site], period) for period, (_, ran) in zip(periods, seen, strict=True)]
        cut = [null[site][..., : tokens.shape[1], : tokens.shape[1]] for tokens, _ in seen]
        null_scores = [_without_role(pattern, period) for period, pattern in zip(periods, cut, strict=True)]
        scored = _scored(torch.stack(each), torch.stack(null_scores), options.threshold)
        outputs |= {f"{site}/{name}": array for name, array in scored.items()}
    return outputs | _strongest(outputs, sites)


def _sequences_for(snapshot: Snapshot) -> tuple[int, int]:
    """Longest context and size of the vocabulary, or why there are none."""
    assert snapshot.model is not None
    sizes = {
        axis: size
        for role, axes in snapshot.axes.items()
        for axis, size in zip(axes, snapshot.weights[role].shape, strict=True)
    }
    context = sizes.get("position", snapshot.probe.inputs.shape[-1])
    if "token" not in sizes or context < 2 * SHORTEST:
        has = f"sequences of at most {context} tokens" if "token" in sizes else "no axis of tokens"
        reason = f"a repeat needs sequences of {2 * SHORTEST} tokens at least, and it has {has}"
        raise DoesNotApply(reason)
    return context, sizes["token"]


def _without_role(pattern: Tensor, period: int) -> Tensor:
    """(role, N, H) scores of a head without the role, of its patterns on tokens that do not repeat."""
    scores = role_scores(pattern, period)
    scores[:POSITIONAL] = even_scores(pattern)[:, None, None]
    return scores


def _scored(each: Tensor, null_scores: Tensor, threshold: float) -> dict[str, np.ndarray]:
    """Of scores (period, role, N, H) with the role and without: each role's least over periods, and who has which."""
    mean, null = each.mean(2), null_scores.mean(2)
    least = mean.min(dim=0)
    at = least.indices[None]
    sem = (each.std(2) / each.shape[2] ** 0.5).gather(0, at)[0]
    excess = (least.values - null.gather(0, at)[0])[list(_RANKED)].numpy()
    name = np.array([HEAD_ROLES[role] for role in _RANKED])[excess.argmax(axis=0)]
    return {
        "score": least.values.numpy(),
        "sem": sem.numpy(),
        "null": null.gather(0, at)[0].numpy(),
        "each": mean.numpy(),
        "role": np.where(excess.max(axis=0) >= threshold, name, ""),
    }


def _in_context(periods: tuple[Count, ...], ran: list[tuple[Tensor, Tensor]]) -> dict[str, np.ndarray]:
    """Loss of the first copy and of the second, nats a token, and what the first has taught."""
    first, second = [], []
    for period, (tokens, logits) in zip(periods, ran, strict=True):
        loss = -logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
        first.append(float(loss[:, : period - 1].mean()))
        second.append(float(loss[:, period - 1 : 2 * period - 1].mean()))
    return {
        "label": np.array(HEAD_ROLES),
        "period": np.array(periods),
        "first_loss": np.array(first),
        "second_loss": np.array(second),
        "gain": np.array(float(np.mean(first) - np.mean(second))),
    }


def _strongest(outputs: Mapping[str, np.ndarray], sites: tuple[str, ...]) -> dict[str, np.ndarray]:
    score = np.concatenate([outputs[f"{site}/score"] for site in sites], axis=1).max(axis=1)
    role = np.concatenate([outputs[f"{site}/role"] for site in sites])
    sizes = np.unique(role[role != ""], return_counts=True)[1].astype(np.float64)
    distinct = {"distinct_roles": np.array(float(effective_number(sizes)) if len(sizes) else 0.0)}
    return distinct | {
        "strongest/" + name.replace(" ", "_"): np.array(s) for name, s in zip(HEAD_ROLES, score, strict=True)
    }


ROLES = Analyzer(
    name="heads.roles",
    version=3,
    grain=Grain.CHECKPOINT,
    synonyms=("induction heads", "previous-token heads"),
    compute=roles,
    needs=Needs(
        # Says to whom it applies; what is read comes from runs on sequences of its own.
        sites=(PATTERN,),
        weights=("*",),
        model=True,
    ),
    options=RoleOptions,
    question="Which heads attend to the previous token, and which to what followed the present token before?",
    formula="prefix matching = min over P of mean over q >= P of sum_m A[q, q - mP + 1] on repeated blocks of P",
    source="Olsson et al. 2022, 'In-context learning and induction heads' (arXiv 2209.11895); Nanda et al. 2023, "
    "appendix on induction heads (arXiv 2301.05217)",
    outputs={
        "label": "(R,) names of the roles",
        "period": "(P,) tokens in the repeated block",
        "first_loss": "(P,) loss of the first copy, nats a token",
        "second_loss": "(P,) loss of the second copy, nats a token",
        "gain": "() loss of the first copy less that of the second, nats, mean over periods",
        "SITE/score": "(R, H) mean attention that serves each role, its least over periods, 0 to 1",
        "SITE/sem": "(R, H) standard error of that over sequences",
        "SITE/null": "(R, H) what a head without the role scores: attention even over all keys in sight (previous, "
        "current, first token), or the same head's on random tokens that do not repeat (the others)",
        "SITE/each": "(P, R, H) the score at each period",
        "SITE/role": "(H,) the role that exceeds its null most, if by the threshold; '' for none",
        "distinct_roles": "() roles in effect, exp(entropy) of those that heads are named after; 0 of none",
        "strongest/NAME": "() largest score of any head",
    },
)


class DistanceOptions(Options):
    """How many inputs heads are compared on."""

    inputs: Count = 4096
    """At most so many, evenly spread over the probe."""


def distances(snapshot: Snapshot[DistanceOptions]) -> Arrays:
    """How differently the heads of each layer attend, write, and are wired: a distance between every two of them.

    Pattern: Jensen-Shannon divergence of the answer's attention, mean over inputs, over ln 2. Output: 1 - linear CKA
    of what they write. QK and OV: 1 - cosine of their circuits. Heads in effect: the Vendi score of 1 - distance.
    """
    count = len(snapshot.probe.inputs)
    rows = torch.from_numpy(evenly_spaced(count, snapshot.options.inputs))
    outputs: dict[str, np.ndarray] = {}
    for site in (name for name in snapshot.activations if name.endswith("hook_pattern")):
        block = site.removesuffix(".attn.hook_pattern")
        query, key, value, out = (snapshot.weights[f"{block}.attn.W_{letter}"] for letter in "QKVO")
        measured = {
            "pattern": pattern_divergence(snapshot.activations[site][rows]) / np.log(2),
            "output": output_distance(snapshot.activations[f"{block}.attn.hook_z"][rows], out),
            "QK": circuit_distance(query, key.transpose(1, 2)),
            "OV": circuit_distance(value, out),
        }
        for name, matrix in ((name, tensor.numpy()) for name, tensor in measured.items()):
            outputs[f"{block}/{name}"] = matrix
            outputs[f"{block}/{name}/mean"] = np.array(mean_distance(matrix))
            outputs[f"{block}/{name}/heads"] = np.array(distinct_heads(1 - matrix))
    return outputs


DISTANCES = Analyzer(
    name="heads.distances",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=distances,
    needs=Needs(
        sites=(PATTERN, "blocks.*.attn.hook_z"),
        weights=("blocks.*.attn.W_Q", "blocks.*.attn.W_K", "blocks.*.attn.W_V", "blocks.*.attn.W_O"),
    ),
    options=DistanceOptions,
    question="Do the heads of a layer do different things?",
    formula="JS(A_h, A_h') / ln 2, 1 - CKA(out_h, out_h'), 1 - cos(QK_h, QK_h'); heads in effect: exp H(eig(K / H))",
    source="Voita et al. 2019, section 6 (arXiv 1905.09418); Kornblith et al. 2019 (arXiv 1905.00414); Friedman & "
    "Dieng 2023 (arXiv 2210.02410)",
    outputs={
        "BLOCK/{pattern,output,QK,OV}": "(H, H) distance between heads; 0 for alike, NaN of a head that writes nothing",
        "BLOCK/{pattern,output,QK,OV}/mean": "() mean over pairs; NaN of one head alone",
        "BLOCK/{pattern,output,QK,OV}/heads": "() heads in effect, 1 to H",
    },
)


def differentiation(trajectory: Trajectory) -> Arrays:
    """When the heads of a layer part: from when on they are farther apart than any two were at the initialisation.

    The step is the first from which the mean distance stays above the largest of the initialisation's; NaN if it
    does not at the end. With a single checkpoint nothing can part, nor in a record that begins later: its first
    checkpoint's heads may have parted already.
    """
    arrays, steps = trajectory.artifacts["heads.distances"], trajectory.steps
    if len(steps) < 2:
        reason = f"parting needs 2 checkpoints, and it has {len(steps)}"
        raise DoesNotApply(reason)
    if steps[0] != 0:
        reason = f"heads part from what they are at the initialisation, and the first checkpoint is step {steps[0]}"
        raise DoesNotApply(reason)
    outputs: dict[str, np.ndarray] = {}
    for name in sorted(name.removesuffix("/mean") for name in arrays if name.endswith("/mean")):
        matrix = np.asarray(arrays[name])
        pairs = matrix[:, *np.triu_indices(matrix.shape[1], 1)]
        if not pairs.shape[1]:
            continue
        above = pairs.mean(axis=1) > pairs[0].max()
        apart = np.flatnonzero(~above)[-1] + 1
        outputs[f"{name}/parted"] = np.array(float(steps[apart]) if apart < len(steps) else np.nan)
        outputs[f"{name}/first"] = np.array([pairs[0].min(), pairs[0].max()])
        outputs[f"{name}/gain"] = np.array(float(pairs[-1].mean() - pairs[0].mean()))
    if not outputs:
        raise DoesNotApply("no layer has two heads")
    return outputs


DIFFERENTIATION = Analyzer(
    name="heads.differentiation",
    version=2,
    grain=Grain.TRAJECTORY,
    compute=differentiation,
    needs=Needs(reads=("heads.distances",)),
    question="When do the heads of a layer begin to do different things?",
    formula="first step from which mean_{h<h'} d(h, h') stays above max_{h<h'} d(h, h') at the initialisation",
    source="Wang et al. 2024, 'Differentiation and specialization of attention heads' (arXiv 2410.02984), compared "
    "with the initialisation instead of by refined learning coefficients",
    outputs={
        "BLOCK/{pattern,output,QK,OV}/parted": "() step from which heads stay apart; NaN if they do not",
        "BLOCK/{pattern,output,QK,OV}/first": "(2,) least and largest distance at the initialisation",
        "BLOCK/{pattern,output,QK,OV}/gain": "() mean distance at the last checkpoint less that at the initialisation",
    },
)
