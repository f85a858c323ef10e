"""Where on its circle each neuron listens and writes: phases of a two-dimensional block of the task basis."""

from __future__ import annotations

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.artifact import NestedArrays
from miscope.basis import Basis
from miscope.errors import DoesNotApply
from miscope.maths.answer_basis import answer_basis
from miscope.maths.circular import coherence, direction, null_coherence, rayleigh, wrapped
from miscope.maths.false_discovery import benjamini_hochberg
from miscope.maths.label_index import label_index
from miscope.maths.output_map import output_map
from miscope.needs import Needs
from miscope.snapshot import Snapshot

_SHARES = "neurons.frequencies"


class PhaseOptions(Options):
    """When a neuron belongs to its block, and how rare the null's edge is."""

    specialised: float = 0.85
    """Share of its variance in one block from which a neuron is specialised on it."""
    level: float = 0.05
    """Level of significance: the probability that uniform phases exceed the null."""
    least: Count = 5
    """Neurons from which a block is judged by itself."""


def neurons(snapshot: Snapshot[PhaseOptions]) -> NestedArrays:
    """Phase at which each neuron follows either factor and writes to the answers, and how well the three agree.

    Of a neuron whose largest share is in a block of two rows (cos, sin): its mean over one factor, as a function of
    the other, is r cos(k x - phase); so is its row of the output map. A neuron that computes a sum writes at the sum
    of its two phases (for a difference, at their difference): the residual is what it misses that by, its coherence
    |mean exp(i residual)| is 1 where all hit. Phases that are uniform within a block cancel each other's errors. Angles
    are radians; NaN for neurons that are dead or lie in no such block. Nanda et al. 2023, section 4.3; He et al. 2026.
    """
    options, target = snapshot.options, answer_basis(snapshot.probe, snapshot.bases)
    first, second = (snapshot.bases.get(column) for column in snapshot.probe.grid)
    if first is None or second is None or target is None:
        reason = "phases are read in a task basis, and the family does not give one for both factors and the answers"
        raise DoesNotApply(reason)
    labels = [label for label in target.labels if all(_pair(b, label) is not None for b in (first, second, target))]
    if not labels:
        reason = f"no block of the basis {target.name!r} has two rows, so that there are no phases in it"
        raise DoesNotApply(reason)
    outputs: dict[str, NestedArrays] = {}
    for site, activation in snapshot.activations.items():
        units = activation.reshape(*snapshot.probe.shape, -1)
        written = output_map(site, units.shape[-1], snapshot.weights, snapshot.axes)
        if written is None:
            continue
        shares = {name: snapshot.artifacts[_SHARES][f"{site}/{name}"] for name in ("dominant", "max_fraction")}
        block = label_index(shares["dominant"], labels)
        means = (units.double().mean(dim=1).numpy(), units.double().mean(dim=0).numpy())
        output = written[1].numpy()[:, : target.size].T
        phase = [_phases(v, b, labels, block) for v, b in zip((*means, output), (first, second, target), strict=True)]
        own = _own_power(output, target, labels, block)
        arrays = _arrays(phase, block, own, shares["max_fraction"], options)
        outputs[site] = arrays | {"label": np.array(labels, dtype=np.str_), "basis": np.array([target.name])}
    if not outputs:
        raise DoesNotApply("no weights lead from its neurons to the outputs")
    return outputs


def _arrays(
    phase: list[np.ndarray], block: np.ndarray, own: np.ndarray, share: np.ndarray, options: PhaseOptions
) -> dict[str, np.ndarray]:
    first, second, output = phase
    residual = wrapped(output - first - second)
    live, special = block >= 0, (block >= 0) & (share >= options.specialised)
    both = {"": live, "_specialised": special}
    followers, judged = (_by_block(members, block, len(own), options.least) for members in (live, special))
    scalars = {f"coherence{suffix}": coherence(residual[members]) for suffix, members in both.items()}
    scalars |= {
        f"coherence_difference{suffix}": coherence(wrapped(output - first + second)[members])
        for suffix, members in both.items()
    }
    scalars |= {f"null{suffix}": null_coherence(int(members.sum()), options.level) for suffix, members in both.items()}
    p_adjusted = benjamini_hochberg(np.array([rayleigh(residual[members]) for members in followers]))
    scalars["aligned_count"] = float((p_adjusted < options.level).sum())
    outputs = [_shares(power, members) for power, members in zip(own, judged, strict=True)]
    return {
        "block": np.where(live, block, -1).astype(np.int16),
        "first": first.astype(np.float32),
        "second": second.astype(np.float32),
        "output": output.astype(np.float32),
        "residual": residual.astype(np.float32),
        "count": np.bincount(block[special], minlength=len(own)),
        "block_coherence": np.array([coherence(residual[members]) for members in followers]),
        "block_direction": np.array([direction(residual[members]) for members in followers]),
        "block_null": np.array([null_coherence(int(members.sum()), options.level) for members in followers]),
        "block_p_adjusted": p_adjusted,
        "spread": np.array([coherence(output[members]) for members in judged]),
        "spread_p_adjusted": benjamini_hochberg(np.array([rayleigh(output[members]) for members in judged])),
        "own_output": np.array([share[0] for share in outputs]),
        "constant_output": np.array([share[1] for share in outputs]),
        **{name: np.array(value) for name, value in scalars.items()},
    }


def _by_block(members: np.ndarray, block: np.ndarray, blocks: int, least: int) -> list[np.ndarray]:
    """Which of the members are of each block; none where there are too few to judge it by."""
    by_block = [members & (block == k) for k in range(blocks)]
    return [chosen if chosen.sum() >= least else np.zeros_like(chosen) for chosen in by_block]


def _pair(basis: Basis, label: str) -> tuple[int, ...] | None:
    return next((b.rows for b in basis.components if b.label == label and len(b.rows) == 2), None)


def _phases(values: np.ndarray, basis: Basis, labels: list[str], block: np.ndarray) -> np.ndarray:
    """(M,) phase of each column of (q, M) in its own block's plane; NaN without a block."""
    rows = np.array([_pair(basis, label) for label in labels])
    components = basis.rows @ values
    chosen = rows[block.clip(min=0)]
    neuron = np.arange(len(block))
    angle = np.arctan2(components[chosen[:, 1], neuron], components[chosen[:, 0], neuron])
    return np.where(block >= 0, angle, np.nan)


def _own_power(output: np.ndarray, basis: Basis, labels: list[str], block: np.ndarray) -> np.ndarray:
    """(K, 3, M) power of each neuron's outputs in each block, in the constant, and in all."""
    components = (basis.rows @ output) ** 2
    constant = [row for b in basis.blocks if b.label == basis.constant for row in b.rows]
    within = [components[list(_pair(basis, label) or ())].sum(axis=0) for label in labels]
    rest = [components[constant].sum(axis=0), components.sum(axis=0)]
    return np.stack([np.stack([own, *rest]) for own in within])


def _shares(power: np.ndarray, members: np.ndarray) -> tuple[float, float]:
    """Of the members' power (3, M): the block's share outside the constant, and the constant's in all."""
    within, constant, whole = power[:, members].sum(axis=1)
    return (within / (whole - constant), constant / whole) if whole > constant else (np.nan, np.nan)


NEURONS = Analyzer(
    name="phases.neurons",
    version=3,
    grain=Grain.CHECKPOINT,
    compute=neurons,
    needs=Needs(
        reads=(_SHARES,),
        sites=("blocks.*.mlp.hook_post",),
        weights=("*",),
        bases=("*",),
        grid=2,
        labels=True,
        answer_basis=True,
    ),
    options=PhaseOptions,
    not_invariant_to=(
        "token relabelling",
    ),  # it may turn k into p - k, and with it a block's residuals into their negatives
    question="Does each neuron write to the answer at the sum of the phases at which it listens to the factors?",
    formula="residual = phase_out - phase_a - phase_b; R = |mean exp(i residual)|; p-value of R by the Rayleigh test",
    source="Nanda et al. 2023, section 4.3 (arXiv 2301.05217); He et al. 2026 (arXiv 2602.16849)",
    outputs={
        "SITE/basis": "(1,) name of the basis",
        "SITE/label": "(K,) labels of the blocks of two rows",
        "SITE/block": "(M,) number of the block that explains most of each neuron; -1 for a dead one or another block",
        "SITE/first": "(M,) phase at which the neuron follows the first factor, radians",
        "SITE/second": "(M,) phase at which it follows the second factor",
        "SITE/output": "(M,) phase of what it writes to the answers",
        "SITE/residual": "(M,) output less both others, in (-pi, pi]: 0 for a sum",
        "SITE/count": "(K,) neurons specialised on each block",
        "SITE/block_coherence": "(K,) |mean exp(i residual)| of its live neurons; NaN of fewer than five",
        "SITE/block_direction": "(K,) angle of that mean, radians",
        "SITE/block_null": "(K,) coherence that uniform phases of as many neurons exceed with probability 0.05",
        "SITE/block_p_adjusted": "(K,) p-value of that coherence against uniform phases, adjusted for all blocks "
        "judged (Rayleigh; Benjamini & Hochberg)",
        "SITE/aligned_count": "() blocks whose adjusted p-value is below 0.05",
        "SITE/spread": "(K,) |mean exp(i output)| of its specialised neurons: near 0 where their phases are uniform",
        "SITE/spread_p_adjusted": "(K,) p-value of that unevenness against uniform phases, adjusted likewise: small "
        "where they are not spread all around",
        "SITE/own_output": "(K,) share of the power that they write outside the constant which lies in their own block",
        "SITE/constant_output": "(K,) share of all the power that they write which adds the same to every answer",
        "SITE/coherence{,_specialised}": "() |mean exp(i residual)| of all live neurons, or of the specialised ones",
        "SITE/coherence_difference{,_specialised}": "() the same of output - first + second: 1 for a difference",
        "SITE/null{,_specialised}": "() coherence that as many uniform phases exceed with probability 0.05",
    },
)
