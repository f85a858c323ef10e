"""Births on which crosscoders of one architecture, or several, agree that began with other directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, final

import numpy as np

from miscope import Analyzer, Arrays, Cohort, Grain, Needs, Observation, ObservedArtifact, Trajectory
from miscope.errors import DoesNotApply
from miscope_sae.analyzers.agreement import AgreementOptions
from miscope_sae.architectures.checkpoint_blocks import blocks
from miscope_sae.measuring.matching import NEAR, chance, cosines, matched
from miscope_sae.roles import DECODER

if TYPE_CHECKING:
    from miscope import Variant

_BIRTHS = "sae.births"
_NEIGHBOUR = 1
"""Checkpoints by which two births may be apart and count as the same."""


def births_agreed(cohort: Cohort[AgreementOptions]) -> Arrays:
    """Of every trusted birth that a crosscoder finds, how many of the crosscoders find it too.

    Two latents are the same where they are a pair of the one-to-one matching and the cosine of what they write, mean
    over the checkpoints where both are there, is above 0.9. A birth is agreed where two thirds of the crosscoders at
    least have the same latent, trusted and born at the same checkpoint or a neighbour of it. Latents that are there at
    the first checkpoint are not born.
    """
    _check(cohort.members)
    members = [_Found.of(member) for member in cohort.members]
    pairs = {(i, j): _Pair.of(members[i], members[j]) for i, j in combinations(range(len(members)), 2)}
    pairs |= {(j, i): _Pair(one=pair.other, other=pair.one) for (i, j), pair in pairs.items()}
    quorum = -(-2 * len(members) // 3)
    told = [_told(index, members, pairs, quorum) for index in range(len(members))]
    born = {name: np.concatenate([each[name] for each in told]) for name in told[0]}
    return {
        "at": members[0].at,
        "crosscoder": np.array([member.variant.name for member in members]),
        "quorum": np.array(quorum, dtype=np.int64),
        **born,
        "agreed": born["agreeing"] >= quorum,
        **_of_pairs(members, pairs, cohort.options),
    }


def _check(members: Sequence[Trajectory]) -> None:
    """DoesNotApply where what they are built on differs, or two began with the same directions."""
    first = members[0]
    for one in members[1:]:
        if _built_on(one) != _built_on(first):
            names = f"{first.variant.name} and {one.variant.name}"
            raise DoesNotApply(f"{names} are not built on the same checkpoints, site and positions in the same order")
    for one, other in combinations(members, 2):
        # Of every architecture the first directions are decided by the seed.
        if _seed(one.variant) == _seed(other.variant):
            names = f"{one.variant.name} and {other.variant.name}"
            raise DoesNotApply(f"{names} are of one seed, so they began with the same directions")


def _built_on(member: Trajectory) -> tuple[object, ...]:
    params = member.variant.params
    sources = tuple(each.source for each in member.sources)
    return (sources, getattr(params, "positions", None), getattr(params, "shuffled", None))


def _seed(variant: Variant) -> object:
    return getattr(variant.params, "seed", None)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    """What one crosscoder has at its last checkpoint: m latents over T checkpoints of its source."""

    variant: Variant
    at: np.ndarray
    """(T,) steps."""
    there: np.ndarray
    """(m, T) bool, of those that are born; of no other."""
    directions: np.ndarray
    """(T, m, d), zeros where a latent is not there."""
    place: np.ndarray
    """(m,) of the checkpoint at which each is born, for births that can be trusted after the first; else -1."""

    @classmethod
    def of(cls, member: Trajectory) -> _Found:
        arrays = {name: each[-1] for name, each in _read(member).items()}
        at = arrays["at"]
        there = np.isfinite(arrays["to_last"]) & np.isfinite(arrays["birth"])[:, None]
        decoder = blocks(member.weights[DECODER]()[-1].flatten(1), len(at)).double().numpy()
        late = arrays["trusted"] & (arrays["birth"] > at[0])
        return cls(
            variant=member.variant,
            at=at,
            there=there,
            directions=np.where(there[:, :, None], decoder, 0).transpose(1, 0, 2),
            place=np.where(late, np.searchsorted(at, np.nan_to_num(arrays["birth"])), -1),
        )

    @property
    def alive(self) -> int:
        """Latents that are born, or there from the start."""
        return int(self.there.any(axis=1).sum())


def _read(member: Trajectory) -> Mapping[str, np.ndarray]:
    arrays = member.artifacts[_BIRTHS]
    return {name: arrays[name] for name in ("at", "birth", "to_last", "trusted")}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """Which latents of two crosscoders are the same."""

    one: np.ndarray
    """(n,) of the first, each once."""
    other: np.ndarray
    """(n,) of the second, in the same order."""

    @classmethod
    def of(cls, one: _Found, other: _Found) -> _Pair:
        together = one.there.astype(np.int64) @ other.there.astype(np.int64).T
        summed = sum(cosines(first, second) for first, second in zip(one.directions, other.directions, strict=True))
        found = matched(np.divide(summed, together, out=np.zeros(together.shape), where=together > 0))
        return cls(one=found[0], other=found[1])


def _told(
    index: int, members: Sequence[_Found], pairs: Mapping[tuple[int, int], _Pair], quorum: int
) -> dict[str, np.ndarray]:
    """Of each birth of a crosscoder, how many have its latent and its birth, and the chance that enough would."""
    mine = members[index]
    latents = np.flatnonzero(mine.place > 0)
    places = mine.place[latents]
    same, again = np.ones(len(latents), dtype=np.int64), np.ones(len(latents), dtype=np.int64)
    by_chance = []
    for other, theirs in enumerate(members):
        if other == index:
            continue
        partner = np.full(len(mine.place), -1)
        partner[pairs[index, other].one] = pairs[index, other].other
        found = partner[latents] >= 0
        again += found
        same += found & _near(theirs.place[partner[latents]], places)
        # Were the matched latents handed each other's births, one would have any of them alike.
        pool = theirs.place[pairs[index, other].other]
        near = _near(pool[None], places[:, None])
        by_chance.append(found * near.mean(axis=1) if len(pool) else np.zeros(len(latents)))
    return {
        "member": np.full(len(latents), index),
        "latent": latents,
        "birth": mine.at[places],
        "having": again,
        "agreeing": same,
        "by_chance": at_least(quorum - 1, np.array(by_chance)),
    }


def _near(theirs: np.ndarray, mine: np.ndarray) -> np.ndarray:
    """Whether those are births, and at the same checkpoint or a neighbour."""
    return (theirs > 0) & (np.abs(theirs - mine) <= _NEIGHBOUR)


def at_least(count: int, chances: np.ndarray) -> np.ndarray:
    """(B,) chance that so many, at least, of n independent events happen, of (n, B) chances of each."""
    happened = np.zeros((len(chances) + 1, chances.shape[1]))
    happened[0] = 1
    for each in chances:
        happened[1:] = happened[1:] * (1 - each) + happened[:-1] * each
        happened[0] *= 1 - each
    return happened[count:].sum(axis=0)


def _of_pairs(
    members: Sequence[_Found], pairs: Mapping[tuple[int, int], _Pair], options: AgreementOptions
) -> dict[str, np.ndarray]:
    """The share of latents that each two have in common, and of random directions."""
    both = list(combinations(range(len(members)), 2))
    width = members[0].directions.shape[2]
    counts = [(members[i].alive, members[j].alive) for i, j in both]
    drawn = {
        size: chance(size, width, draws=options.draws, seed=options.seed).matched90 for size in dict.fromkeys(counts)
    }
    shares = [
        len(pairs[pair].one) / np.mean(size) if sum(size) else np.nan for pair, size in zip(both, counts, strict=True)
    ]
    return {
        "first": np.array([members[i].variant.name for i, _ in both]),
        "second": np.array([members[j].variant.name for _, j in both]),
        "matched": np.array(shares),
        "matched_by_chance": np.array([drawn[size] for size in counts]),
    }


def births_agreed_observed(seen: ObservedArtifact) -> list[Observation]:
    """How many births crosscoders agree on, and how many they would by chance."""
    arrays = seen.arrays
    agreed, by_chance, matched_share = arrays["agreed"], arrays["by_chance"], arrays["matched"]
    if not len(agreed):
        return []
    text = (
        f"Of {len(agreed):,} births after the first checkpoint that {len(arrays['crosscoder'])} crosscoders find and "
        f"latent scaling trusts, {agreed.mean():.1%} are agreed by {int(arrays['quorum'])} of them "
        f"({by_chance.mean():.1%} were the births of the latents that they share handed out in any order); two of them "
        f"share {np.nanmin(matched_share):.1%} to {np.nanmax(matched_share):.1%} of their latents."
    )
    return [Observation(text=text, value=float(agreed.mean()))]


BIRTHS_AGREED = Analyzer(
    name="sae.births_agreed",
    version=1,
    grain=Grain.COHORT,
    compute=births_agreed,
    observe=births_agreed_observed,
    needs=Needs(reads=(_BIRTHS,), weights=(DECODER,), sources=True),
    options=AgreementOptions,
    question="Which births does more than one crosscoder find?",
    formula=f"agreed: ceil(2 n / 3) of n crosscoders have the latent (cosine > {NEAR:g}), born at most one checkpoint "
    "apart",
    source="Across seeds: Paulo & Belrose 2025 (arXiv 2501.16615); crosscoders: Lindsey et al. 2024",
    outputs={
        "at": "(T,) steps of what they are built on, ascending",
        "crosscoder": "(n,) their names",
        "quorum": "() how many of them are two thirds at least",
        "member": "(B,) place in `crosscoder` of the one that finds a birth; trusted ones after the first checkpoint",
        "latent": "(B,) its latent",
        "birth": "(B,) step of the source at which that is born",
        "having": "(B,) crosscoders that have the latent, with its own",
        "agreeing": "(B,) of these, those in which it is trusted and born at the same checkpoint or a neighbour",
        "agreed": "(B,) bool: they are two thirds of all at least",
        "by_chance": "(B,) chance of that, were the births of the latents that two share handed out in any order",
        "first": "(P,) names, of every pair",
        "second": "(P,) the other's",
        "matched": "(P,) latents that both have, over the mean number that are there at some checkpoint",
        "matched_by_chance": "(P,) of as many random directions at one checkpoint, mean over draws",
    },
)
